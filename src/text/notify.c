#include "text/notify.h"

#include <string.h>

static bool is(const char *line, size_t n, const char *word) {
    return n == strlen(word) && memcmp(line, word, n) == 0;
}

/* Digits to their end, saturating; false if there are none or something else. */
static bool number(const char *text, size_t n, uint64_t *into) {
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
            value = UINT64_MAX / 10;
    }
    *into = value;
    return n > 0;
}

static bool line(const char *text, size_t n, struct notify *into) {
    static const char extend[] = "EXTEND_TIMEOUT_USEC=";
    size_t head = sizeof extend - 1;
    if (n == 0)
        return true;
    if (memchr(text, '=', n) == NULL)
        return false;
    into->ready |= is(text, n, "READY=1");
    into->barrier |= is(text, n, "BARRIER=1");
    if (n > head && memcmp(text, extend, head) == 0)
        into->extend |= number(text + head, n - head, &into->extend_us);
    return true;
}

bool notify_parse(const char *text, size_t n, struct notify *into) {
    struct notify found = {0};
    *into = found;
    while (n > 0 && text[n - 1] == 0) /* some senders count the string's end */
        n--;
    if (n == 0 || n > NOTIFY_MAX || memchr(text, 0, n) != NULL)
        return false;
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t part = end == NULL ? n : (size_t)(end - text);
        if (!line(text, part, &found))
            return false;
        part += end != NULL;
        text += part;
        n -= part;
    }
    *into = found;
    return true;
}
