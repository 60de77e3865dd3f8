/* When a check's verdict turns. (net is no pure room, but this file of it is.) */
#include <criterion/criterion.h>

#include "net/streak.c"

static struct streak streak;

/* Feeds "+-+": the verdicts that came, in order. */
static const char *feed(const char *answers, uint16_t successes, uint16_t failures) {
    static char told[64];
    size_t n = 0;
    for (; *answers; answers++)
        if (streak_feed(&streak, *answers == '+', successes, failures))
            told[n++] = streak.passing ? '+' : '-';
    told[n] = 0;
    return told;
}

Test(streak, the_first_verdict_is_told) {
    cr_assert_str_eq(feed("+", 1, 3), "+");
    streak = (struct streak){0};
    cr_assert_str_eq(feed("--", 1, 3), "");
    cr_assert_str_eq(feed("-", 1, 3), "-");
}

Test(streak, only_turns_are_told) {
    cr_assert_str_eq(feed("++++----++++", 1, 3), "+-+");
    cr_assert_str_eq(feed("++-+-+--+", 1, 3), "");
    cr_assert_str_eq(feed("---", 1, 3), "-");
}

Test(streak, an_answer_of_the_other_kind_starts_over) {
    cr_assert_str_eq(feed("++-++-++-", 3, 2), "");
    cr_assert_str_eq(feed("+++", 3, 2), "+");
    cr_assert_str_eq(feed("-+-+-+-", 3, 2), "");
    cr_assert_str_eq(feed("-", 3, 2), "-");
    cr_assert_str_eq(feed("++-+++", 3, 2), "+");
}

Test(streak, a_long_run_does_not_wrap) {
    cr_assert_str_eq(feed("+", 1, 1), "+");
    for (uint32_t i = 0; i < 70000; i++)
        cr_assert_not(streak_feed(&streak, false, 1, UINT16_MAX) && i != UINT16_MAX - 1, "%u", i);
    cr_assert_not(streak.passing);
}
