/* Any text as a command, a value and an env-file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/spawnwords.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct words words;
    static struct environment environment;
    static char one[] = "A=one two", empty[] = "EMPTY=", *envp[] = {one, empty, NULL};
    static char value[300];
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = 0;
    if (words_make(&words, text, envp) == WORDS_OK && (words.n == 0 || words.argv[words.n] != NULL))
        abort();
    words_make(&words, text, NULL);
    words_value(value, sizeof value, text, envp);
    environment_clear(&environment);
    environment_take(&environment, envp, true);
    environment_read(&environment, text, size);
    free(text);
    return 0;
}
