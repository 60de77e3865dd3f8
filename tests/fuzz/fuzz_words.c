/* Any text as a command and as a value: what is made of a command is put in quotes, and makes the same words again;
 * what was found right when the files were read is no error of form at the spawn.
 * For: src/conf/words.c */
#include "conf/spawnwords.h"
#include "fuzz.h"

static bool too_much(enum words_error error) { return error == WORDS_TOO_MANY || error == WORDS_TOO_LONG; }

static void read_back(const struct words *words) {
    static char text[8 * 4096];
    static struct words again;
    size_t n = 0;
    for (size_t i = 0; i < words->n; i++) {
        text[n++] = ' ';
        text[n++] = '\'';
        for (const char *c = words->argv[i]; *c; c++) {
            if (*c == '\'')
                n = (size_t)((char *)mempcpy(text + n, "'\\'", 3) - text);
            text[n++] = *c;
        }
        text[n++] = '\'';
    }
    text[n] = 0;
    MUST(words_make(&again, text, NULL) == WORDS_OK && again.n == words->n);
    for (size_t i = 0; i < again.n; i++)
        MUST(strcmp(again.argv[i], words->argv[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct words words;
    static char one[] = "A=one 'two'", empty[] = "EMPTY=", *envp[] = {one, empty, NULL};
    char value[300], *text;
    if (size > 1024)
        return 0;
    text = copy_of(data, size, true);
    enum words_error checked = words_make(&words, text, NULL), made = words_make(&words, text, envp);
    MUST(*words_error_text(checked) && *words_error_text(made));
    MUST(checked != WORDS_OK || made == WORDS_OK || made == WORDS_EMPTY || too_much(made));
    if (made == WORDS_OK) {
        MUST(words.n > 0 && words.argv[words.n] == NULL && words.used <= sizeof words.bytes);
        read_back(&words);
    }
    enum words_error as_value = words_value(value, sizeof value, text, envp);
    MUST(as_value != WORDS_OK || memchr(value, 0, sizeof value) != NULL);
    free(text);
    return 0;
}
