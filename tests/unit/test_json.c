/* JSON that stays whole whatever is put into it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "text/json.h"

static char text[512];
static struct out o;

static const char *string(const char *bytes, size_t n) {
    char *copy = malloc(n + (n == 0));
    memcpy(copy, bytes, n);
    o = out_on(text, sizeof text);
    json_string(&o, copy, n);
    free(copy);
    return text;
}

Test(json, strings) {
    cr_assert_str_eq(string("", 0), "\"\"");
    cr_assert_str_eq(string("a\"b\\c/", 6), "\"a\\\"b\\\\c/\"");
    cr_assert_str_eq(string("\n\t\r\0\x1f\x7f", 6), "\"\\n\\t\\r\\u0000\\u001f\\u007f\"");
}

Test(json, valid_utf8_stays) {
    static const char *const good[] = {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x8d\xba", "\xed\x9f\xbf",
                                       "\xf4\x8f\xbf\xbf", "\xe0\xa0\x80", "\xf0\x90\x80\x80"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        string(good[i], strlen(good[i]));
        cr_assert(memcmp(text + 1, good[i], strlen(good[i])) == 0 && strlen(text) == strlen(good[i]) + 2, "%zu", i);
    }
}

Test(json, plain_is_what_stays_as_it_is) {
    cr_assert(json_is_plain("a\"\\/\xc3\xa4", 6) && json_is_plain("", 0));
    cr_assert(!json_is_plain("a\n", 2) && !json_is_plain("\x7f", 1) && !json_is_plain("a\0", 2));
    cr_assert(!json_is_plain("\xc3", 1) && !json_is_utf8("a\xff", 2) && json_is_utf8("\x01", 1));
}

#define BAD "\xef\xbf\xbd"

Test(json, what_is_no_utf8_is_replaced) {
    cr_assert_str_eq(string("\x80", 1), "\"" BAD "\"");
    cr_assert_str_eq(string("\xc3", 1), "\"" BAD "\"");
    cr_assert_str_eq(string("\xc0\x80", 2), "\"" BAD BAD "\"");             /* overlong */
    cr_assert_str_eq(string("\xe0\x80\x80", 3), "\"" BAD BAD BAD "\"");     /* overlong */
    cr_assert_str_eq(string("\xed\xa0\x80", 3), "\"" BAD BAD BAD "\"");     /* surrogate */
    cr_assert_str_eq(string("\xf4\x90\x80\x80", 4), "\"" BAD BAD BAD BAD "\"");
    cr_assert_str_eq(string("\xe0\x9f\xbf", 3), "\"" BAD BAD BAD "\"");     /* overlong */
    cr_assert_str_eq(string("\xf0\x8f\xbf\xbf", 4), "\"" BAD BAD BAD BAD "\"");
    cr_assert_str_eq(string("\xf5", 1), "\"" BAD "\"");
    cr_assert_str_eq(string("\xe2\x82x", 3), "\"" BAD BAD "x\"");
}

Test(json, commas_come_by_themselves) {
    o = out_on(text, sizeof text);
    struct json json = json_on(&o);
    json_open(&json, NULL, '{');
    json_text(&json, "a", "b");
    json_open(&json, "list", '[');
    json_open(&json, NULL, '{');
    json_close(&json, '}');
    json_open(&json, NULL, '{');
    json_int(&json, "n", -1);
    json_null(&json, "x");
    json_close(&json, '}');
    json_close(&json, ']');
    json_open(&json, "none", '[');
    json_close(&json, ']');
    json_bool(&json, "yes", true);
    json_close(&json, '}');
    cr_assert_str_eq(text, "{\"a\":\"b\",\"list\":[{},{\"n\":-1,\"x\":null}],\"none\":[],\"yes\":true}");
}
