/* What services say by sd_notify. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "text/notify.h"

static struct notify said;

static bool parse(const char *text, size_t n) {
    char *copy = malloc(n + (n == 0));
    memcpy(copy, text, n);
    bool good = notify_parse(copy, n, &said);
    free(copy);
    return good;
}

static bool parse_text(const char *text) { return parse(text, strlen(text)); }

Test(notify, ready_among_others) {
    cr_assert(parse_text("READY=1"));
    cr_assert(said.ready && !said.barrier && !said.extend);
    cr_assert(parse_text("STATUS=half\nMAINPID=7\nREADY=1\n\nX_OTHER=\n"));
    cr_assert(said.ready);
    cr_assert(parse("READY=1\0", 8));
    cr_assert(said.ready);
}

Test(notify, almost_ready) {
    static const char *const others[] = {"READY=0", "READY=10", "READY=", "XREADY=1", "STATUS=READY=1", "ready=1",
                                         "READY=1 "};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        cr_assert(parse_text(others[i]), "%s", others[i]);
        cr_assert_not(said.ready, "%s", others[i]);
    }
}

Test(notify, barrier) {
    cr_assert(parse_text("BARRIER=1"));
    cr_assert(said.barrier && !said.ready);
}

Test(notify, extend) {
    cr_assert(parse_text("EXTEND_TIMEOUT_USEC=2500000"));
    cr_assert(said.extend);
    cr_assert_eq(said.extend_us, 2500000);
    cr_assert(parse_text("EXTEND_TIMEOUT_USEC=99999999999999999999999"));
    cr_assert(said.extend);
    cr_assert_geq(said.extend_us, UINT64_MAX / 20);
    cr_assert(parse_text("EXTEND_TIMEOUT_USEC=-1\nEXTEND_TIMEOUT_USEC=\nEXTEND_TIMEOUT_USEC=1s"));
    cr_assert_not(said.extend);
}

Test(notify, nothing_of_a_bad_one_counts) {
    cr_assert_not(parse_text(""));
    cr_assert_not(parse_text("READY=1\nrubbish"));
    cr_assert_not(said.ready);
    cr_assert_not(parse("READY=1\0X=1", 11));
    cr_assert_not(said.ready);
    cr_assert_not(parse("\0\0", 2));
}

Test(notify, the_longest) {
    char text[NOTIFY_MAX + 1];
    memset(text, 'x', sizeof text);
    memcpy(text, "READY=1\nX=", 10);
    cr_assert(notify_parse(text, NOTIFY_MAX, &said));
    cr_assert(said.ready);
    cr_assert_not(notify_parse(text, NOTIFY_MAX + 1, &said));
    cr_assert_not(said.ready);
}
