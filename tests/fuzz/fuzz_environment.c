/* Any text as an env-file, behind words that are there already: what is read is written in quotes, and read back.
 * For: src/conf/environment.c */
#include "conf/spawnwords.h"
#include "fuzz.h"

enum { MOST = 20 };

static struct environment environment, again;

static void is_whole(const struct environment *of) {
    MUST(of->n <= sizeof of->envp / sizeof *of->envp - 1 && of->used <= sizeof of->bytes && of->envp[of->n] == NULL);
    for (size_t i = 0; i < of->n; i++) {
        size_t n = strcspn(of->envp[i], "=");
        for (size_t j = 0; j < i; j++)
            MUST(strncmp(of->envp[i], of->envp[j], n) != 0 || (of->envp[j][n] != '=' && of->envp[j][n] != 0));
    }
}

/* NAME='value', with its quotes outside of them. */
static size_t write_file(const struct environment *of, char *into) {
    size_t n = 0;
    for (size_t i = 0; i < of->n; i++) {
        const char *value = strchr(of->envp[i], '=');
        MUST(value != NULL && words_name(of->envp[i], SIZE_MAX / 2) == (size_t)(value - of->envp[i]));
        n = (size_t)((char *)mempcpy(into + n, of->envp[i], (size_t)(value + 1 - of->envp[i])) - into);
        into[n++] = '\'';
        while (*++value) {
            if (*value == '\'')
                n = (size_t)((char *)mempcpy(into + n, "'\\'", 3) - into);
            into[n++] = *value;
        }
        into[n++] = '\'';
        into[n++] = '\n';
    }
    return n;
}

static void read_back(const char *text, size_t size) {
    static char file[8 * 4096 + 64];
    environment_clear(&environment);
    if (environment_read(&environment, text, size) != 0)
        return;
    is_whole(&environment);
    size_t n = write_file(&environment, file);
    environment_clear(&again);
    MUST(environment_read(&again, file, n) == 0 && again.n == environment.n);
    for (size_t i = 0; i < again.n; i++)
        MUST(strcmp(again.envp[i], environment.envp[i]) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 4096)
        return 0;
    char *words = copy_of(data, size, true), *at = words, *envp[MOST + 1];
    const char *const keep[] = {"PATH", "A", NULL};
    words_of(&at, words + size, envp, MOST);
    size_t bytes = (size_t)(words + size - at);
    char *file = copy_of((const uint8_t *)at, bytes, false);
    environment_clear(&environment);
    MUST(environment_take(&environment, envp, true));
    is_whole(&environment);
    environment_read(&environment, file, bytes);
    is_whole(&environment);
    environment_keep(&environment, keep);
    is_whole(&environment);
    MUST(environment.n <= 2);
    read_back(file, bytes);
    free(file);
    free(words);
    return 0;
}
