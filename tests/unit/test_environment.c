/* A child's environment. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "conf/spawnwords.h"

static struct environment e;

static const char *all(void) {
    static char joined[8192];
    size_t n = 0;
    joined[0] = 0;
    for (size_t i = 0; i < e.n; i++)
        n += (size_t)sprintf(joined + n, "[%s]", e.envp[i]);
    cr_assert_null(e.envp[e.n]);
    return joined;
}

static long reads(const char *text) {
    environment_clear(&e);
    return environment_read(&e, text, strlen(text));
}

#define reads_as(text, expected) do { cr_assert_eq(reads(text), 0, "%s", text); cr_assert_str_eq(all(), expected); } while (0)

Test(environment, own_variables_are_left_out_and_others_that_look_alike_are_not) {
    const char *const envp[] = {"A=1", "LASTCALL_GRACE=3s", "LASTCALL_STOP_SIGNAL=TERM", "LASTCALL_SOCKET=/x", "LASTCALL_GRACED=1",
                          "LASTCALL_VERSION=0.1", "LASTCALL_CONFIG=/etc", NULL};
    environment_clear(&e);
    cr_assert(environment_take(&e, (char *const *)envp, true));
    cr_assert_str_eq(all(), "[A=1][LASTCALL_SOCKET=/x][LASTCALL_GRACED=1][LASTCALL_VERSION=0.1]");
    environment_clear(&e);
    cr_assert(environment_take(&e, (char *const *)envp, false));
    cr_assert_eq(e.n, 7);
}

Test(environment, a_name_that_is_there_is_replaced_in_its_place) {
    const char *const envp[] = {"A=1", "AB=2", "B=3", NULL};
    environment_clear(&e);
    cr_assert(environment_take(&e, (char *const *)envp, true));
    cr_assert(environment_set(&e, "A", "x=y"));
    cr_assert(environment_set(&e, "C", ""));
    cr_assert_str_eq(all(), "[A=x=y][AB=2][B=3][C=]");
}

Test(environment, keep_drops_all_others) {
    const char *const envp[] = {"A=1", "AB=2", "B=3", NULL};
    const char *const names[] = {"AB", "Z", "B", NULL};
    environment_clear(&e);
    cr_assert(environment_take(&e, (char *const *)envp, true));
    cr_assert(environment_keep(&e, names));
    cr_assert_str_eq(all(), "[AB=2][B=3]");
    cr_assert(environment_keep(&e, NULL));
    cr_assert_str_eq(all(), "");
}

Test(environment, no_more_variables_or_bytes_than_documented) {
    static char value[131072 + 1];
    char name[16];
    environment_clear(&e);
    for (int i = 0; i < 4096; i++) {
        sprintf(name, "N%d", i);
        cr_assert(environment_set(&e, name, "1"));
    }
    cr_assert_not(environment_set(&e, "ONE_MORE", "1"));
    cr_assert(environment_set(&e, "N5", "replaced"));
    environment_clear(&e);
    memset(value, 'x', sizeof value - 1);
    cr_assert_not(environment_set(&e, "A", value));
    value[131072 - 3] = 0;
    cr_assert(environment_set(&e, "A", value));
    cr_assert_not(environment_set(&e, "B", ""));
}

Test(environment, a_file_has_assignments_comments_and_export) {
    reads_as("# comment\n\nA=1\n  export B=2\nC=\n\texport\tD=4", "[A=1][B=2][C=][D=4]");
    reads_as("A=1\r\nB=2\r\n", "[A=1][B=2]");
    reads_as("A=1\nA=2\n", "[A=2]");
    reads_as("", "");
    reads_as("exported=1\n", "[exported=1]");
}

Test(environment, a_files_quotes_are_those_of_an_assignment) {
    reads_as("A='x y' \n", "[A=x y]");
    reads_as("A=\"x \\\"y\\\" \\$z \\n\"\n", "[A=x \"y\" $z \\n]");
    reads_as("A=a'b'\"c\"d\n", "[A=abcd]");
    reads_as("A=it\\'s\n", "[A=it's]");
    reads_as("A=\"one\ntwo\"\nB=3\n", "[A=one\ntwo][B=3]");
    reads_as("A=$HOME ${HOME}\n", "[A=$HOME ${HOME}]");
}

Test(environment, a_files_blanks_and_comments) {
    reads_as("A=hello world   \nB= x\n", "[A=hello world][B=x]");
    reads_as("A=b # c\nB=b#c\nC= # c\nD=#d\n", "[A=b][B=b#c][C=][D=#d]");
    reads_as("A=' x ' # c\n", "[A= x ]");
    reads_as("A=x\\ \n", "[A=x ]");
}

Test(environment, a_wrong_line_is_named) {
    cr_assert_eq(reads("A=1\nB 2\n"), 2);
    cr_assert_eq(reads("A=1\n\n=2\n"), 3);
    cr_assert_eq(reads("1A=2\n"), 1);
    cr_assert_eq(reads("A=1\nB='x\ny\n"), 2);
    cr_assert_eq(reads("A=\"x\ny\"\nB\n"), 3);
    cr_assert_eq(reads("A\n"), 1);
    cr_assert_eq(reads("export\n"), 1);
    environment_clear(&e);
    cr_assert_eq(environment_read(&e, "A=1\nB=\0x\n", 9), 2);
    environment_clear(&e);
    cr_assert_eq(environment_read(&e, "A=1\n\0\n", 6), 2);
}

Test(environment, a_file_that_is_too_large_has_no_room) {
    static char text[140000];
    memset(text, 'x', sizeof text);
    memcpy(text, "A=", 2);
    environment_clear(&e);
    cr_assert_eq(environment_read(&e, text, sizeof text), -1);
    environment_clear(&e);
    cr_assert_eq(environment_read(&e, text, 131072 - 1), 0);
    cr_assert_eq(strlen(e.envp[0]), 131072 - 1);
    environment_clear(&e);
    cr_assert_eq(environment_read(&e, text, 131072), -1);
}
