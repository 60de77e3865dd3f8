#include "text/duration.h"

#include <string.h>

#include "model/limits.h"

/* In falling order; a text names each at most once, in this order. */
static const struct unit { char name[3]; int64_t ns; } units[] = {
    {"h", 3600 * NS_PER_S}, {"m", 60 * NS_PER_S}, {"s", NS_PER_S}, {"ms", NS_PER_MS}, {"us", 1000},
};
enum { UNITS = sizeof units / sizeof *units };

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The unit's index, or UNITS. */
static size_t unit_find(const char *text, size_t n) {
    size_t i = 0;
    while (i < UNITS && (strlen(units[i].name) != n || memcmp(units[i].name, text, n) != 0))
        i++;
    return i;
}

/* One number with its unit, from *at on; `from` is the first unit that may still come. */
static enum duration_error part(const char *text, size_t n, size_t *at, size_t *from, int64_t *sum) {
    int64_t value = 0, ns;
    size_t start = *at, unit;
    while (*at < n && is_digit(text[*at]))
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text[(*at)++] - '0', &value))
            return DURATION_TOO_LONG;
    if (*at == start)
        return DURATION_BAD;
    if (*at == n)
        return DURATION_NO_UNIT;
    start = *at;
    while (*at < n && text[*at] >= 'a' && text[*at] <= 'z')
        ++*at;
    if (*at == start)
        return DURATION_BAD;
    unit = unit_find(text + start, *at - start);
    if (unit == UNITS)
        return DURATION_BAD_UNIT;
    if (unit < *from)
        return DURATION_BAD;
    *from = unit + 1;
    if (__builtin_mul_overflow(value, units[unit].ns, &ns) || __builtin_add_overflow(*sum, ns, sum))
        return DURATION_TOO_LONG;
    return DURATION_OK;
}

enum duration_error duration_parse(const char *text, size_t n, span *into) {
    size_t at = 0, from = 0;
    int64_t sum = 0;
    if (n == 0)
        return DURATION_EMPTY;
    while (at < n) {
        enum duration_error error = part(text, n, &at, &from, &sum);
        if (error != DURATION_OK)
            return error;
    }
    if (sum > MAX_GRACE_S * NS_PER_S)
        return DURATION_TOO_LONG;
    *into = (span){sum};
    return DURATION_OK;
}

void duration_print(struct out *out, span value) {
    bool any = false;
    if (is_forever(value)) {
        out_text(out, "none");
        return;
    }
    for (size_t i = 0; i < UNITS; i++) {
        int64_t whole = value.ns / units[i].ns;
        if (whole == 0)
            continue;
        out_int(out, whole);
        out_text(out, units[i].name);
        value.ns %= units[i].ns;
        any = true;
    }
    if (!any)
        out_text(out, "0s");
}

const char *duration_error_text(enum duration_error error) {
    const char *text = "";
    switch (error) {
    case DURATION_OK: text = "ok"; break;
    case DURATION_EMPTY: text = "it is empty"; break;
    case DURATION_NO_UNIT: text = "the unit is missing"; break;
    case DURATION_BAD_UNIT: text = "there is no such unit"; break;
    case DURATION_BAD: text = "that is no duration"; break;
    case DURATION_TOO_LONG: text = "that is more than a day"; break;
    }
    return text;
}
