/* What the helper says: nothing is believed. */
#include <criterion/criterion.h>

#include "core/core.h"

static const struct check_policy checks[] = {{.kind = CHECK_TCP}, {.kind = CHECK_EXEC}, {.kind = CHECK_DELAY}};
static const struct model model = {.checks = checks, .n_checks = 3, .n_services = 2, .n_units = 2, .n_checkpoints = 1};
static struct doors doors;
static uint32_t number;
static struct event event;

static void setup(void) {
    doors = (struct doors){.control = true};
    number = 0;
}

TestSuite(hear, .init = setup);

/* As the next one, in its full size. */
static bool heard(struct message message) {
    message.number = number + 1;
    return core_hear(&model, doors, &number, &message, sizeof message, &event);
}

static bool asked(uint8_t verb, uint16_t subject, int32_t value) {
    return heard((struct message){.kind = MSG_ASK, .verb = verb, .subject = subject, .value = value, .client = 9});
}

Test(hear, checks) {
    cr_assert(heard((struct message){.kind = MSG_CHECK, .subject = 0, .value = 1, .gen = 7}));
    cr_assert(event.kind == EV_CHECK && event.subject == 0 && event.value == 1 && event.gen == 7);
    cr_assert(heard((struct message){.kind = MSG_CHECK, .subject = 0, .value = 0}));
    cr_assert_not(heard((struct message){.kind = MSG_CHECK, .subject = 0, .value = 2}));
    cr_assert_not(heard((struct message){.kind = MSG_CHECK, .subject = 0, .value = -1}));
    for (uint16_t i = 1; i < 5; i++)
        cr_assert_not(heard((struct message){.kind = MSG_CHECK, .subject = i, .value = 1}), "check %u", i);
}

Test(hear, requests) {
    for (uint8_t verb = 0; verb < ASK_N; verb++)
        cr_assert_eq(asked(verb, 0, 0), verb != ASK_SIGNAL_UNIT, "verb %u", verb);
    for (uint8_t verb = ASK_START_UNIT; verb <= ASK_SIGNAL_UNIT; verb++)
        cr_assert_not(asked(verb, 2, 1), "of no service: verb %u", verb);
    cr_assert_not(asked(ASK_N, 0, 0));
    cr_assert_not(asked(255, 0, 0));
    cr_assert_not(asked(ASK_PRESTOP, 0, -1));
    cr_assert_not(asked(ASK_SIGNAL_UNIT, 0, SIGNAL_MAX + 1));
    cr_assert_not(asked(ASK_CHECKPOINT, 1, 0));
    cr_assert(asked(ASK_CHECKPOINT, NONE, 0));
    cr_assert(asked(ASK_SIGNAL_UNIT, 1, 1));
    cr_assert(asked(ASK_SIGNAL_UNIT, 1, SIGNAL_MAX));
    cr_assert(event.kind == EV_ASK && event.verb == ASK_SIGNAL_UNIT && event.client == 9);
    cr_assert(event.subject == 1 && event.value == SIGNAL_MAX);
    cr_assert_not(heard((struct message){.kind = MSG_ASK, .verb = ASK_STOP}), "nobody waits");
}

Test(hear, a_door_that_is_shut) {
    doors = (struct doors){.prestop = true};
    for (uint8_t verb = 0; verb < ASK_N; verb++)
        cr_assert_eq(asked(verb, 0, 1), verb == ASK_PRESTOP, "verb %u", verb);
    doors = (struct doors){0};
    for (uint8_t verb = 0; verb < ASK_N; verb++)
        cr_assert_not(asked(verb, 0, 1), "verb %u", verb);
}

Test(hear, more_time) {
    cr_assert(heard((struct message){.kind = MSG_EXTEND, .subject = 1, .value = MAX_GRACE_S * 1000}));
    cr_assert(event.kind == EV_EXTEND && event.subject == 1 && event.more.ns == MAX_GRACE_S * NS_PER_S);
    cr_assert_not(heard((struct message){.kind = MSG_EXTEND, .subject = 1, .value = MAX_GRACE_S * 1000 + 1}));
    cr_assert_not(heard((struct message){.kind = MSG_EXTEND, .subject = 1, .value = 0}));
    cr_assert(heard((struct message){.kind = MSG_EXTEND, .subject = 1, .value = 1}));
    cr_assert_not(heard((struct message){.kind = MSG_EXTEND, .subject = 2, .value = 1}));
}

Test(hear, signs_of_life) {
    cr_assert(heard((struct message){.kind = MSG_PULSE, .value = 3}));
    cr_assert_eq(event.kind, EV_PULSE);
    cr_assert(heard((struct message){.kind = MSG_LIFE, .client = 5}));
    cr_assert(event.kind == EV_LIFE && event.client == 5);
    cr_assert_not(heard((struct message){.kind = MSG_LIFE}));
}

Test(hear, what_is_no_message) {
    struct message pulse = {.kind = MSG_PULSE, .number = 1};
    for (size_t n = 0; n <= sizeof pulse + 1; n++) {
        number = 0;
        cr_assert_eq(core_hear(&model, doors, &number, &pulse, n, &event), n == sizeof pulse, "%zu bytes", n);
        cr_assert_eq(number, n == sizeof pulse);
    }
    cr_assert_not(heard((struct message){.kind = MSG_PULSE, .zero = 1}));
    cr_assert_not(heard((struct message){.kind = MSG_N}));
    cr_assert_not(heard((struct message){.kind = 255}));
}

Test(hear, each_number_once_and_in_order) {
    struct message pulse = {.kind = MSG_PULSE, .number = 5};
    cr_assert_not(core_hear(&model, doors, &number, &pulse, sizeof pulse, &event), "a gap");
    cr_assert_eq(number, 5, "is noticed once");
    cr_assert_not(core_hear(&model, doors, &number, &pulse, sizeof pulse, &event), "a repeat");
    pulse.number = 4;
    cr_assert_not(core_hear(&model, doors, &number, &pulse, sizeof pulse, &event), "an old one");
    pulse.number = UINT32_MAX;
    cr_assert_not(core_hear(&model, doors, &number, &pulse, sizeof pulse, &event));
    pulse.number = 0;
    cr_assert_not(core_hear(&model, doors, &number, &pulse, sizeof pulse, &event), "no number follows the last");
    number = 5;
    pulse.number = 6;
    cr_assert(core_hear(&model, doors, &number, &pulse, sizeof pulse, &event));
}
