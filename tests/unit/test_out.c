/* Text in a buffer that is never overrun. */
#include <criterion/criterion.h>
#include <string.h>

#include "text/out.h"

static char text[64];
static struct out o;
static void fresh(size_t room) {
    memset(text, '~', sizeof text);
    o = out_on(text, room);
}
static void untouched_from(size_t room) {
    for (size_t i = room; i < sizeof text; i++)
        cr_assert_eq(text[i], '~', "byte %zu behind the buffer", i);
}

Test(out, it_appends_and_ends_with_nul) {
    fresh(sizeof text);
    cr_assert_str_eq(text, "");
    out_text(&o, "a");
    out_char(&o, 'b');
    out_int(&o, -5);
    out_uint(&o, 70);
    cr_assert_str_eq(text, "ab-570");
    cr_assert_eq(o.n, 6);
    cr_assert_not(o.cut);
}

Test(out, numbers_at_their_ends) {
    fresh(sizeof text);
    out_int(&o, INT64_MIN);
    cr_assert_str_eq(text, "-9223372036854775808");
    fresh(sizeof text);
    out_uint(&o, UINT64_MAX);
    cr_assert_str_eq(text, "18446744073709551615");
    fresh(sizeof text);
    out_int(&o, 0);
    cr_assert_str_eq(text, "0");
}

Test(out, tenths_of_seconds) {
    static const struct { int64_t ms; const char *text; } cases[] = {
        {0, "0.0"}, {6200, "6.2"}, {99, "0.0"}, {100, "0.1"}, {13949, "13.9"}, {-6200, "-6.2"}, {-99, "0.0"}, {-100, "-0.1"},
        {INT64_MIN, "-9223372036854775.8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fresh(sizeof text);
        out_tenths(&o, cases[i].ms);
        cr_assert_str_eq(text, cases[i].text);
    }
}

Test(out, a_cut_keeps_a_prefix_and_drops_all_that_follows) {
    fresh(6);
    out_text(&o, "abc");
    out_text(&o, "defg");
    cr_assert(o.cut);
    cr_assert_str_eq(text, "abcde");
    out_text(&o, "");
    out_char(&o, 'x');
    cr_assert_str_eq(text, "abcde");
    untouched_from(6);
    fresh(4);
    out_text(&o, "abc");
    cr_assert_not(o.cut, "it fits");
}

Test(out, room_for_nothing_but_the_nul) {
    fresh(1);
    out_char(&o, 'x');
    cr_assert(o.cut);
    cr_assert_str_eq(text, "");
    untouched_from(1);
}

Test(out, columns) {
    fresh(sizeof text);
    out_text(&o, "ab");
    out_pad(&o, 0, 5);
    out_text(&o, "c");
    cr_assert_str_eq(text, "ab   c");
    out_pad(&o, 0, 3);
    cr_assert_str_eq(text, "ab   c ", "one blank at least");
    fresh(8);
    out_pad(&o, 0, 40);
    cr_assert(o.cut);
    untouched_from(8);
}

Test(out, right_aligned) {
    size_t start;
    fresh(sizeof text);
    out_text(&o, "x:");
    start = o.n;
    out_uint(&o, 42);
    out_right(&o, start, 5);
    cr_assert_str_eq(text, "x:   42");
    out_right(&o, start, 3);
    cr_assert_str_eq(text, "x:   42", "never cut");
    fresh(6);
    out_uint(&o, 42);
    out_right(&o, 0, 20);
    out_right(&o, 0, 20);
    cr_assert(o.cut);
    untouched_from(6);
}

Test(out, control_bytes_do_not_reach_a_terminal) {
    fresh(sizeof text);
    out_safe(&o, "a\033[31m\n\x7f\xc3\xa9", 10);
    cr_assert_str_eq(text, "a?[31m??\xc3\xa9");
}
