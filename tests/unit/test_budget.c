/* The arithmetic of one deadline: who gets how much of what is left. */
#include <criterion/criterion.h>

#include "core/budget.h"

#define PROMISE(w, u) ((struct promise){SEC(w), SEC(u)})
#define N(array) (sizeof(array) / sizeof *(array))
#define cr_span(actual, expected) cr_assert_eq((actual).ns, (expected).ns, "%lld, not %lld", \
    (long long)(actual).ns, (long long)(expected).ns)

Test(budget, what_is_left_over_goes_to_the_stage_that_begins) {
    struct promise p[] = {PROMISE(0, 0), PROMISE(0, 3), PROMISE(2, 0)};
    struct allowance a = budget_allow(p, N(p), SEC(10));
    cr_span(a.later, SEC(5));
    cr_span(a.allowed, SEC(5));
}

Test(budget, the_last_stage_may_use_all) {
    struct promise p[] = {PROMISE(0, 1)};
    struct allowance a = budget_allow(p, 1, SEC(7));
    cr_span(a.allowed, SEC(7));
    cr_span(a.later, NO_TIME);
}

Test(budget, an_exact_fit_is_not_scaled) {
    struct promise p[] = {PROMISE(1, 2), PROMISE(0, 3), PROMISE(5, 4)};
    struct allowance a = budget_allow(p, N(p), SEC(10));
    cr_span(a.allowed, SEC(2));
    cr_span(a.later, SEC(8));
}

Test(budget, without_a_clock_everything_is_allowed) {
    struct promise p[] = {PROMISE(0, 1), PROMISE(4, 0), PROMISE(0, 2)};
    struct allowance a = budget_allow(p, N(p), FOREVER);
    cr_assert(is_forever(a.allowed));
    cr_span(a.later, SEC(6));
}

Test(budget, unwritten_promises_shrink_first_by_one_factor) {
    struct promise p[] = {PROMISE(0, 4), PROMISE(2, 0), PROMISE(0, 8)};
    struct allowance a = budget_allow(p, N(p), SEC(8)); /* 6 for 12: a half */
    cr_span(a.allowed, SEC(2));
    cr_span(a.later, SEC(6));
}

Test(budget, what_is_asked_beyond_the_written_shrinks_too) {
    struct promise p[] = {PROMISE(1, 0), PROMISE(0, 4), PROMISE(2, 6)};
    struct allowance a = budget_allow(p, N(p), SEC(7)); /* written 3, beyond 8, left for those 4 */
    cr_span(a.allowed, SEC(1));
    cr_span(a.later, SEC(6));
}

Test(budget, then_the_written_ones_shrink) {
    struct promise p[] = {PROMISE(4, 0), PROMISE(4, 9), PROMISE(0, 5), PROMISE(2, 0)};
    struct allowance a = budget_allow(p, N(p), SEC(5)); /* 5 for 10 */
    cr_span(a.allowed, SEC(2));
    cr_span(a.later, SEC(3));
}

Test(budget, written_that_just_fit_leave_nothing_to_the_others) {
    struct promise p[] = {PROMISE(0, 5), PROMISE(3, 5), PROMISE(2, 0)};
    struct allowance a = budget_allow(p, N(p), SEC(5));
    cr_span(a.allowed, NO_TIME);
    cr_span(a.later, SEC(5));
}

Test(budget, written_that_just_fit_are_not_rounded) {
    struct promise p[] = {{{1500000}, NO_TIME}, {{1500000}, SEC(1)}};
    struct allowance a = budget_allow(p, N(p), (span){3000000});
    cr_span(a.allowed, (span){1500000});
    cr_span(a.later, (span){1500000});
}

Test(budget, nothing_is_left) {
    struct promise p[] = {PROMISE(3, 0), PROMISE(0, 5)};
    struct allowance a = budget_allow(p, N(p), NO_TIME);
    cr_span(a.allowed, NO_TIME);
    cr_span(a.later, NO_TIME);
}

Test(budget, no_promise_at_all) {
    struct promise p[] = {PROMISE(0, 0), PROMISE(0, 0)};
    cr_span(budget_allow(p, N(p), SEC(3)).allowed, SEC(3));
    cr_span(budget_allow(p, N(p), NO_TIME).allowed, NO_TIME);
}

Test(budget, endless_promises_do_not_overflow) {
    struct promise p[] = {{FOREVER, FOREVER}, {FOREVER, NO_TIME}, {NO_TIME, FOREVER}};
    struct allowance a = budget_allow(p, N(p), SEC(10));
    cr_assert(a.allowed.ns >= 0 && a.allowed.ns <= SEC(10).ns);
    a = budget_allow(p, N(p), FOREVER);
    cr_assert(is_forever(a.allowed));
    cr_assert(is_forever(a.later));
}

Test(budget, scaling_rounds_down_to_milliseconds) {
    struct promise p[] = {PROMISE(0, 1), PROMISE(0, 1), PROMISE(0, 1)};
    struct allowance a = budget_allow(p, N(p), SEC(1));
    cr_span(a.later, MS(666));
    cr_span(a.allowed, MS(334));
}

static uint64_t dice = 7;
static uint32_t roll(uint32_t sides) {
    dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    return (uint32_t)(dice >> 33) % sides;
}

static span roll_span(void) {
    static const int64_t unit[] = {0, 1, NS_PER_MS, 10 * NS_PER_MS, NS_PER_S, 60 * NS_PER_S, 86400 * NS_PER_S};
    return (span){unit[roll(7)] * (roll(3) ? 1 : roll(20))};
}

static span promised(struct promise p) { return longer(p.written, p.unwritten); }

static void check_any(const struct promise *p, uint32_t n, span left) {
    struct allowance a = budget_allow(p, n, left);
    span later = NO_TIME, written = NO_TIME;
    for (uint32_t i = 0; i < n; i++) {
        written = plus(written, p[i].written);
        if (i > 0)
            later = plus(later, promised(p[i]));
    }
    cr_assert(a.allowed.ns >= 0 && a.later.ns >= 0);
    cr_assert_leq(a.allowed.ns, left.ns, "never more than left");
    cr_assert_leq(plus(a.allowed, a.later).ns, left.ns, "what is promised is there");
    if (plus(later, promised(p[0])).ns <= left.ns) {
        cr_span(a.later, later);
        cr_span(a.allowed, minus(left, later));
    } else if (written.ns <= left.ns) {
        cr_assert_geq(a.allowed.ns, p[0].written.ns - NS_PER_MS, "a written one is kept while written ones fit");
    }
}

Test(budget, holds_for_any_promises) {
    struct promise p[12];
    for (unsigned turn = 0; turn < 300000; turn++) {
        uint32_t n = 1 + roll(12);
        for (uint32_t i = 0; i < n; i++)
            p[i] = (struct promise){roll(2) ? NO_TIME : roll_span(), roll(2) ? NO_TIME : roll_span()};
        check_any(p, n, roll_span());
    }
}

Test(budget, the_limits_of_a_file_do_not_overflow) {
    static struct promise p[1300];
    for (unsigned i = 0; i < N(p); i++)
        p[i] = (struct promise){NO_TIME, SEC(86400)};
    struct allowance a = budget_allow(p, N(p), SEC(86400));
    cr_assert_geq(a.allowed.ns, SEC(66).ns, "a day for 1300 stages");
    cr_assert_leq(a.allowed.ns, SEC(69).ns);
}

Test(budget, a_stage_that_asks_for_more_has_had_its_own) {
    struct promise p[] = {PROMISE(4, 0), PROMISE(0, 2), PROMISE(1, 0)};
    cr_span(budget_later(p, N(p), SEC(5)), SEC(3));
    cr_span(budget_later(p, N(p), SEC(2)), SEC(2));
    cr_span(budget_later(p, 1, SEC(5)), NO_TIME);
}

Test(budget, a_share_is_equal_and_leaves_one_over) {
    cr_span(budget_share(SEC(10), SEC(1), NO_TIME, 2), SEC(3));
    cr_span(budget_share(SEC(10), SEC(1), SEC(6), 2), SEC(1));
    cr_span(budget_share(SEC(10), SEC(1), NO_TIME, 0), SEC(9));
}

Test(budget, a_share_of_nothing_is_nothing) {
    cr_span(budget_share(SEC(10), SEC(1), SEC(9), 1), NO_TIME);
    cr_span(budget_share(SEC(10), SEC(1), FOREVER, 1), NO_TIME);
    cr_span(budget_share(SEC(1), SEC(2), NO_TIME, 1), NO_TIME);
}

Test(budget, a_share_of_an_endless_grace_is_endless) {
    cr_assert(is_forever(budget_share(FOREVER, SEC(1), SEC(5), 2)));
}
