/* Whole numbers. */
#include <criterion/criterion.h>
#include <string.h>

#include "text/number.h"

static int64_t read(const char *text, int64_t most) { return number_parse(text, strlen(text), most); }

Test(number, is_digits_up_to_the_most) {
    cr_assert_eq(read("0", 0), 0);
    cr_assert_eq(read("255", 255), 255);
    cr_assert_eq(read("256", 255), -1);
    cr_assert_eq(read("0007", 7), 7);
    cr_assert_eq(read("8", 7), -1);
    cr_assert_eq(read("9223372036854775807", INT64_MAX), INT64_MAX);
    cr_assert_eq(read("9223372036854775808", INT64_MAX), -1);
    cr_assert_eq(read("99999999999999999999", INT64_MAX), -1);
    cr_assert_eq(number_parse("123", 2, 99), 12, "no further than it is told");
}

Test(number, is_nothing_else) {
    static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "1x", "x", "0x1", "1/", "1:", "\xb2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(read(bad[i], INT64_MAX), -1, "%s", bad[i]);
}

Test(number, may_be_loose) {
    static const struct { const char *text; int64_t value; const char *rest; } cases[] = {
        {"15", 15, ""}, {" \t\n\v\f\r15:2", 15, ":2"}, {"+7x", 7, "x"}, {"-3", -3, ""}, {"007 ", 7, " "},
        {"2147483647", 2147483647, ""}, {"2147483648", 2147483648, ""}, {"99999999999999999999", 2147483648, ""},
        {"-99999999999999999999", -2147483648, ""}, {"", 0, ""}, {" x", 0, " x"}, {"-", 0, "-"}, {"+-1", 0, "+-1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = cases[i].text;
        cr_assert_eq(number_loose(&at), cases[i].value, "%s", cases[i].text);
        cr_assert_str_eq(at, cases[i].rest, "%s", cases[i].text);
    }
}
