/* A command's words, as sh(1) would split them. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/spawnwords.h"

static struct words words;
static const char *const texts[] = {"HOME=/root", "EMPTY=", "TWO=a b", "QUOTE=\"'", "LONGER=x", "LONG=y", NULL};
#define env ((char *const *)texts)

/* The words, each in brackets. */
static const char *split(const char *text, char *const *envp) {
    static char joined[70000];
    size_t n = 0;
    enum words_error error = words_make(&words, text, envp);
    joined[0] = 0;
    if (error != WORDS_OK)
        return words_error_text(error);
    for (size_t i = 0; i < words.n; i++)
        n += (size_t)sprintf(joined + n, "[%s]", words.argv[i]);
    cr_assert_null(words.argv[words.n]);
    return joined;
}

#define splits(text, expected) cr_assert_str_eq(split(text, env), expected)
#define fails(text, error) cr_assert_eq(words_make(&words, text, env), error, "%s", text)

Test(words, blanks_part_words_and_quotes_keep_them) {
    splits("nginx -g 'daemon off;'", "[nginx][-g][daemon off;]");
    splits("  a \t b  ", "[a][b]");
    splits("sh -c \"a ; b\"", "[sh][-c][a ; b]");
    splits("a\"b c\"'d e'f", "[ab cd ef]");
    splits("'' \"\" x", "[][][x]");
}

Test(words, backslashes_as_in_a_shell) {
    splits("a\\ b \\\\ \\\"", "[a b][\\][\"]");
    splits("\"a\\\"b\\\\c\\$d\\n\"", "[a\"b\\c$d\\n]");
    splits("'a\\b'", "[a\\b]");
}

Test(words, names_are_expanded_and_not_split_again) {
    splits("${HOME}/x", "[/root/x]");
    splits("a ${TWO} b", "[a][a b][b]");
    splits("${QUOTE}", "[\"']");
    splits("'${HOME}'", "[${HOME}]");
    splits("\"${HOME}\"", "[/root]");
    splits("${LONG}${LONGER}", "[yx]");
}

Test(words, an_unquoted_nothing_vanishes_a_quoted_one_is_empty) {
    splits("a ${EMPTY} ${UNSET} b", "[a][b]");
    splits("a \"${EMPTY}\" \"${UNSET}\" b", "[a][][][b]");
    splits("a x${UNSET} b", "[a][x][b]");
}

Test(words, defaults_and_alternatives) {
    splits("${UNSET:-word} ${EMPTY:-word} ${HOME:-word}", "[word][word][/root]");
    splits("x${UNSET:+word} ${EMPTY:+word} ${HOME:+word}", "[x][word]");
    splits("${UNSET:-a b}", "[a b]");
    splits("${UNSET:-\"\"}", "[]");
    splits("${UNSET:-${EMPTY:-${HOME}}}", "[/root]");
    splits("${UNSET:-'}'}", "[}]");
    splits("\"${UNSET:-a 'b'}\"", "[a 'b']");
    splits("${HOME:+-d ${HOME}}", "[-d /root]");
}

Test(words, dollars_alone_are_text) {
    splits("$$ $HOME a$ $", "[$][$HOME][a$][$]");
    splits("$${HOME}", "[${HOME}]");
}

Test(words, without_an_environment_text_is_checked_and_kept) {
    cr_assert_str_eq(split("a ${HOME:-x y}/b '${Z}'", NULL), "[a][${HOME:-x y}/b][${Z}]");
    cr_assert_str_eq(split("${CMD}", NULL), "[${CMD}]");
}

Test(words, errors_have_a_name) {
    fails("", WORDS_EMPTY);
    fails(" \t", WORDS_EMPTY);
    fails("${UNSET}", WORDS_EMPTY);
    fails("a 'b", WORDS_OPEN_QUOTE);
    fails("a \"b", WORDS_OPEN_QUOTE);
    fails("${HOME", WORDS_OPEN_BRACE);
    fails("${UNSET:-a", WORDS_OPEN_BRACE);
    fails("${HOME:-\"a}", WORDS_OPEN_QUOTE);
    fails("${}", WORDS_BAD_NAME);
    fails("${1}", WORDS_BAD_NAME);
    fails("${A-b}", WORDS_BAD_NAME);
    fails("${HOME:=x}", WORDS_BAD_NAME);
    fails("a \\", WORDS_TRAILING_BACKSLASH);
    fails("${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-x}}}}}}}}}", WORDS_BAD_NAME);
    fails("${A:+${}}", WORDS_BAD_NAME); /* also where it is not taken */
}

Test(words, as_many_words_as_documented_and_no_more) {
    char text[2 * 513 + 1] = "";
    for (int i = 0; i < 512; i++)
        memcpy(text + 2 * i, "a ", 3);
    cr_assert_eq(words_make(&words, text, env), WORDS_OK);
    cr_assert_eq(words.n, 512);
    cr_assert_null(words.argv[512]);
    memcpy(text + 2 * 512, "a ", 3);
    cr_assert_eq(words_make(&words, text, env), WORDS_TOO_MANY);
}

Test(words, as_many_bytes_as_documented_and_no_more) {
    static char value[32768 + 8] = "V=";
    char *const big[] = {value, NULL};
    memset(value + 2, 'x', 32766);
    cr_assert_eq(words_make(&words, "${V}", big), WORDS_OK);
    cr_assert_eq(strlen(words.argv[0]), 32766);
    cr_assert_eq(words_make(&words, "${V} y", big), WORDS_TOO_LONG);
    memset(value + 2, 'x', 32768);
    cr_assert_eq(words_make(&words, "${V}", big), WORDS_TOO_LONG);
}

Test(words, a_value_is_expanded_and_not_split) {
    char out[16];
    cr_assert_eq(words_value(out, sizeof out, "a  ${HOME} 'b c'", env), WORDS_OK);
    cr_assert_str_eq(out, "a  /root b c");
    cr_assert_eq(words_value(out, sizeof out, "", env), WORDS_OK);
    cr_assert_str_eq(out, "");
    cr_assert_eq(words_value(out, sizeof out, "${UNSET}", env), WORDS_OK);
    cr_assert_str_eq(out, "");
    cr_assert_eq(words_value(out, 5, "1234", env), WORDS_OK);
    cr_assert_eq(words_value(out, 5, "12345", env), WORDS_TOO_LONG);
    cr_assert_eq(words_value(out, sizeof out, "'x", env), WORDS_OPEN_QUOTE);
    cr_assert_eq(words_value(out, 0, "x", env), WORDS_TOO_LONG);
}
