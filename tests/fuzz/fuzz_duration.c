/* Any text as a duration: what is read can be written, and is read back as it was.
 * For: src/text/duration.c src/text/number.c */
#include <stdlib.h>
#include <string.h>

#include "model/limits.h"
#include "text/duration.h"
#include "text/number.h"

static void read_back(span value) {
    char text[64];
    struct out out = out_on(text, sizeof text);
    span again = {-1};
    duration_print(&out, value);
    if (out.cut || duration_parse(out.text, out.n, &again) != DURATION_OK || again.ns != value.ns)
        abort();
}

/* Digits alone, and not more than they may: nothing else is a number. */
static void as_number(const char *text, size_t n, int64_t most) {
    int64_t value = number_parse(text, n, most), found = 0;
    size_t digits = 0;
    for (; digits < n && text[digits] >= '0' && text[digits] <= '9' && found <= most; digits++)
        if (__builtin_mul_overflow(found, 10, &found) || __builtin_add_overflow(found, text[digits] - '0', &found))
            found = INT64_MAX, most = most == INT64_MAX ? most - 1 : most;
    if (value != (n > 0 && digits == n && found <= most ? found : -1))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int64_t limits[] = {0, 5, 9, 64, 255, 65535, INT32_MAX, INT64_MAX};
    char *text = malloc(size + (size == 0));
    span value = {-1};
    memcpy(text, data, size);
    enum duration_error error = duration_parse(text, size, &value);
    if (*duration_error_text(error) == 0 || (error == DURATION_OK) != (value.ns >= 0) || value.ns > MAX_GRACE_S * NS_PER_S)
        abort();
    if (error == DURATION_OK)
        read_back(value);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        as_number(text, size, limits[i]);
    free(text);
    return 0;
}
