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
