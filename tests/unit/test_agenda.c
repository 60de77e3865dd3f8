/* The agenda: earliest first, ties by number, each alarm at most once. */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "core/agenda.h"

enum { ALARMS = 37 };
static void *memory; /* exactly as much as was asked for, so that the sanitizer sees one byte more */
static struct agenda agenda;

static void setup(void) {
    memory = malloc(agenda_bytes(ALARMS));
    agenda_layout(&agenda, ALARMS, memory);
}
static void teardown(void) { free(memory); }

TestSuite(agenda, .init = setup, .fini = teardown);

static instant at(int64_t ns) { return (instant){ns}; }

Test(agenda, is_empty_at_first) {
    cr_assert(is_never(agenda_next(&agenda)));
    cr_assert_eq(agenda_take(&agenda, at(INT64_MAX - 1)), AGENDA_OFF);
}

Test(agenda, rings_at_its_instant_and_not_before) {
    agenda_set(&agenda, 3, at(100));
    cr_assert_eq(agenda_next(&agenda).ns, 100);
    cr_assert_eq(agenda_take(&agenda, at(99)), AGENDA_OFF);
    cr_assert_eq(agenda_take(&agenda, at(100)), 3);
    cr_assert_eq(agenda_take(&agenda, at(100)), AGENDA_OFF, "it was turned off");
    cr_assert(is_never(agenda_next(&agenda)));
}

Test(agenda, an_alarm_is_set_once_and_can_move_both_ways) {
    agenda_set(&agenda, 0, at(50));
    agenda_set(&agenda, 1, at(60));
    agenda_set(&agenda, 0, at(70));
    cr_assert_eq(agenda_next(&agenda).ns, 60);
    agenda_set(&agenda, 0, at(10));
    cr_assert_eq(agenda_next(&agenda).ns, 10);
    cr_assert_eq(agenda_take(&agenda, at(1000)), 0);
    cr_assert_eq(agenda_take(&agenda, at(1000)), 1);
    cr_assert_eq(agenda_take(&agenda, at(1000)), AGENDA_OFF);
}

Test(agenda, never_turns_it_off) {
    agenda_set(&agenda, 5, at(10));
    agenda_set(&agenda, 6, at(20));
    agenda_set(&agenda, 5, NEVER);
    agenda_set(&agenda, 7, NEVER);
    cr_assert_eq(agenda_next(&agenda).ns, 20);
    agenda_set(&agenda, 6, NEVER);
    cr_assert(is_never(agenda_next(&agenda)));
}

Test(agenda, equal_instants_ring_by_number) {
    static const uint16_t order[] = {9, 2, 30, 0, 17, 36, 4};
    for (unsigned i = 0; i < 7; i++)
        agenda_set(&agenda, order[i], at(1000));
    uint16_t last = agenda_take(&agenda, at(1000));
    cr_assert_eq(last, 0);
    for (unsigned i = 1; i < 7; i++) {
        uint16_t next = agenda_take(&agenda, at(1000));
        cr_assert_gt(next, last);
        last = next;
    }
    cr_assert_eq(last, 36);
}

Test(agenda, takes_an_instant_before_zero) {
    agenda_set(&agenda, 1, at(INT64_MIN));
    agenda_set(&agenda, 2, at(-5));
    cr_assert_eq(agenda_take(&agenda, at(0)), 1);
    cr_assert_eq(agenda_take(&agenda, at(0)), 2);
}

static uint64_t dice = 42;
static uint32_t roll(uint32_t sides) {
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    return (uint32_t)(dice >> 33) % sides;
}

/* The same answers as a table that is searched from end to end. */
static uint16_t earliest(const instant *table, instant now) {
    uint16_t best = AGENDA_OFF;
    for (uint16_t i = 0; i < ALARMS; i++)
        if (due(table[i], now) && (best == AGENDA_OFF || before(table[i], table[best])))
            best = i;
    return best;
}

Test(agenda, agrees_with_a_plain_table) {
    instant table[ALARMS], now = at(0);
    for (unsigned i = 0; i < ALARMS; i++)
        table[i] = NEVER;
    for (unsigned turn = 0; turn < 200000; turn++) {
        uint16_t alarm = (uint16_t)roll(ALARMS);
        if (roll(3)) {
            table[alarm] = roll(5) ? after(now, (span){roll(40)}) : NEVER;
            agenda_set(&agenda, alarm, table[alarm]);
        } else {
            now = after(now, (span){roll(6)});
            uint16_t expected = earliest(table, now);
            cr_assert_eq(agenda_take(&agenda, now), expected, "turn %u", turn);
            if (expected != AGENDA_OFF)
                table[expected] = NEVER;
        }
        instant next = NEVER;
        for (unsigned i = 0; i < ALARMS; i++)
            next = earlier(next, table[i]);
        cr_assert_eq(agenda_next(&agenda).ns, next.ns, "turn %u", turn);
    }
}
