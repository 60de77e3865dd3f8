/* Durations carry a unit. */
#include <criterion/criterion.h>
#include <string.h>

#include "text/duration.h"

static int64_t ns(const char *text) {
    span value = {-1};
    cr_assert_eq(duration_parse(text, strlen(text), &value), DURATION_OK, "%s", text);
    return value.ns;
}

static enum duration_error wrong(const char *text) {
    span value = {-1};
    enum duration_error error = duration_parse(text, strlen(text), &value);
    cr_assert_eq(value.ns, -1, "%s changes nothing", text);
    return error;
}

static const char *print(span value) {
    static char text[64];
    struct out out = out_on(text, sizeof text);
    duration_print(&out, value);
    return text;
}

Test(duration, every_unit) {
    cr_assert_eq(ns("7us"), 7000);
    cr_assert_eq(ns("500ms"), 500 * NS_PER_MS);
    cr_assert_eq(ns("10s"), 10 * NS_PER_S);
    cr_assert_eq(ns("2m"), 120 * NS_PER_S);
    cr_assert_eq(ns("1h"), 3600 * NS_PER_S);
    cr_assert_eq(ns("0s"), 0);
}

Test(duration, units_add_up_in_falling_order) {
    cr_assert_eq(ns("1m30s"), 90 * NS_PER_S);
    cr_assert_eq(ns("1h2m3s4ms5us"), 3723 * NS_PER_S + 4 * NS_PER_MS + 5000);
    cr_assert_eq(wrong("30s1m"), DURATION_BAD);
    cr_assert_eq(wrong("1s1s"), DURATION_BAD);
}

Test(duration, a_unit_is_always_written) {
    cr_assert_eq(wrong("10"), DURATION_NO_UNIT);
    cr_assert_eq(wrong("0"), DURATION_NO_UNIT);
    cr_assert_eq(wrong("1m30"), DURATION_NO_UNIT);
}

Test(duration, what_is_no_duration) {
    cr_assert_eq(wrong(""), DURATION_EMPTY);
    cr_assert_eq(wrong("s"), DURATION_BAD);
    cr_assert_eq(wrong("-1s"), DURATION_BAD);
    cr_assert_eq(wrong("+1s"), DURATION_BAD);
    cr_assert_eq(wrong("1.5s"), DURATION_BAD);
    cr_assert_eq(wrong("1 s"), DURATION_BAD);
    cr_assert_eq(wrong("1s "), DURATION_BAD);
    cr_assert_eq(wrong("1S"), DURATION_BAD);
    cr_assert_eq(wrong("1d"), DURATION_BAD_UNIT);
    cr_assert_eq(wrong("1sec"), DURATION_BAD_UNIT);
    cr_assert_eq(wrong("1min"), DURATION_BAD_UNIT);
    cr_assert_eq(wrong("1{"), DURATION_BAD);
}

Test(duration, a_day_at_most) {
    cr_assert_eq(ns("24h"), 86400 * NS_PER_S);
    cr_assert_eq(wrong("24h1us"), DURATION_TOO_LONG);
    cr_assert_eq(wrong("99999999999999999999s"), DURATION_TOO_LONG);
    cr_assert_eq(wrong("9223372036854775807h"), DURATION_TOO_LONG);
    cr_assert_eq(wrong("2562047h9223372036854775807us"), DURATION_TOO_LONG);
    cr_assert_eq(wrong("9223372036854775808us"), DURATION_TOO_LONG);
    cr_assert_eq(wrong("2562047h99999999m"), DURATION_TOO_LONG);
}

Test(duration, it_reads_no_further_than_n) {
    span value;
    cr_assert_eq(duration_parse("10s..20s", 3, &value), DURATION_OK);
    cr_assert_eq(value.ns, 10 * NS_PER_S);
    cr_assert_eq(duration_parse("10s", 2, &value), DURATION_NO_UNIT);
}

Test(duration, it_prints_what_it_reads) {
    static const char *const texts[] = {"500ms", "10s", "1m30s", "2h", "1h2m3s4ms5us", "7us"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_assert_str_eq(print((span){ns(texts[i])}), texts[i]);
    cr_assert_str_eq(print(NO_TIME), "0s");
    cr_assert_str_eq(print((span){999}), "0s");
    cr_assert_str_eq(print(SEC(60)), "1m");
    cr_assert_str_eq(print(FOREVER), "none");
}

Test(duration, every_error_has_a_text) {
    for (int i = DURATION_OK; i <= DURATION_TOO_LONG; i++)
        cr_assert_neq(*duration_error_text((enum duration_error)i), 0);
}
