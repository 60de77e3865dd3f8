/* What /proc says about processes. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "text/proc.h"

static struct proc_stat stat;

static bool reads(const char *text) {
    char *copy = strdup(text); /* so that a byte too far is seen */
    bool good = proc_stat_read(copy, &stat);
    free(copy);
    return good;
}

#define REST " 7 7 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 "

Test(proc, stat) {
    cr_assert(reads("42 (sleep) S 3" REST "8123 5 6 7\n"));
    cr_assert_str_eq(stat.comm, "sleep");
    cr_assert_eq(stat.state, 'S');
    cr_assert_eq(stat.parent, 3);
    cr_assert_eq(stat.group, 7);
    cr_assert_eq(stat.start, 8123);
}

Test(proc, a_name_may_be_anything) {
    cr_assert(reads("42 (a) R 1 (b)) Z 3" REST "8123"));
    cr_assert_str_eq(stat.comm, "a) R 1 (b)");
    cr_assert_eq(stat.state, 'Z');
    cr_assert_eq(stat.parent, 3);
    cr_assert(reads("42 () S 3" REST "8123"));
    cr_assert_str_eq(stat.comm, "");
    cr_assert(reads("42 (0123456789abcdefghi) S 3" REST "8123"));
    cr_assert_str_eq(stat.comm, "0123456789abcde");
}

Test(proc, one_that_is_just_going) {
    cr_assert(reads("42 (x) X 0 -1 -1 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 8123 5"));
    cr_assert_eq(stat.parent, 0);
    cr_assert_eq(stat.group, 0);
    cr_assert_eq(stat.start, 8123);
}

Test(proc, what_is_no_stat) {
    static const char *const others[] = {
        "", "42", "42 (", "42 (x", ")", ")(",
        "42 (x)", "42 (x) ", "42 (x)S", "42 (x) S", "42 (x) S 3", "42 (x) S 3 7 7 0\n",
        "42 (x) S 3 7 7 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0", "42 (x) S 3" REST "x", "42 (x) S 3" REST "-1",
        "42 (x) S 3" REST "9223372036854775808",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_not(reads(others[i]), "%s", others[i]);
}

enum { ROOM = 4 };
static int32_t found[ROOM];

/* In pieces of so many bytes. */
static size_t list_of(const char *text, size_t piece) {
    struct proc_list list = {.into = found, .room = ROOM};
    for (size_t n = strlen(text), at = 0; at < n; at += piece)
        proc_list_read(&list, text + at, n - at < piece ? n - at : piece);
    return list.n;
}

Test(proc, lists_however_they_are_cut) {
    for (size_t piece = 1; piece < 20; piece++) {
        cr_assert_eq(list_of("1 23 2147483647 ", piece), 3);
        cr_assert(found[0] == 1 && found[1] == 23 && found[2] == INT32_MAX);
        cr_assert_eq(list_of("", piece), 0);
        cr_assert_eq(list_of("1 2 3 4 5 6 ", piece), ROOM);
        cr_assert_eq(found[ROOM - 1], 4);
    }
}

Test(proc, what_is_no_process_is_passed_over) {
    cr_assert_eq(list_of("0 2147483648 4294967297 99999999999999999999 7 8", 100), 1, "8 may go on");
    cr_assert_eq(found[0], 7);
}
