/* Any text as a process's stat, and as a list of processes, in pieces as the first byte says.
 * For: src/text/proc.c */
#include <stdlib.h>
#include <string.h>

#include "text/proc.h"

enum { ROOM = 8 };

/* The same by the simplest means. */
static size_t numbers_in(const char *text, size_t n, int32_t *into) {
    size_t found = 0;
    for (size_t at = 0; at < n; at++) {
        unsigned __int128 value = 0;
        size_t digits = 0;
        for (; at < n && text[at] >= '0' && text[at] <= '9'; at++, digits++)
            value = value > INT32_MAX ? value : value * 10 + (unsigned)(text[at] - '0');
        if (at < n && digits > 0 && value > 0 && value <= INT32_MAX && found < ROOM)
            into[found++] = (int32_t)value;
    }
    return found;
}

static void as_list(const char *text, size_t n, size_t piece) {
    int32_t found[ROOM], wanted[ROOM];
    struct proc_list list = {.into = found, .room = ROOM};
    for (size_t at = 0; at < n; at += piece) {
        size_t bytes = n - at < piece ? n - at : piece;
        char *copy = malloc(bytes);
        memcpy(copy, text + at, bytes);
        proc_list_read(&list, copy, bytes);
        free(copy);
    }
    if (list.n != numbers_in(text, n, wanted) || memcmp(found, wanted, list.n * sizeof *found) != 0)
        abort();
}

static void as_stat(const char *text) {
    struct proc_stat stat;
    if (!proc_stat_read(text, &stat))
        return;
    if (stat.parent < 0 || stat.group < 0 || stat.start > INT64_MAX || stat.state == 0 || memchr(stat.comm, 0, PROC_COMM) == NULL)
        abort();
    if (strncmp(strchr(text, '(') + 1, stat.comm, strlen(stat.comm)) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    as_stat(text);
    as_list(text, size - 1, data[0] % 16 + 1u);
    free(text);
    return 0;
}
