/* fuzz.h: what several targets need. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused))
#define MUST(what) do { if (!(what)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of exactly that size, so that the sanitizer sees one byte more; with a NUL behind it, if that is asked for. */
static UNUSED char *copy_of(const uint8_t *data, size_t size, bool nul) {
    char *copy = malloc(size + nul + (size + nul == 0));
    if (size > 0)
        memcpy(copy, data, size);
    if (nul)
        copy[size] = 0;
    return copy;
}

/* Words with a NUL behind each, which stands at `end` too; an empty one ends the list. `from` is moved behind it. */
static UNUSED int words_of(char **from, const char *end, char **into, int most) {
    int n = 0;
    while (*from < end && **from != 0 && n < most) {
        into[n++] = *from;
        *from += strlen(*from);
        *from += *from < end;
    }
    *from += *from < end;
    into[n] = NULL;
    return n;
}

/* One line that is safe for a terminal, and not empty. */
static UNUSED bool is_a_line(const char *text) {
    bool safe = *text != 0;
    for (; *text; text++)
        safe = safe && (unsigned char)*text >= ' ' && *text != 0x7f;
    return safe;
}

#endif
