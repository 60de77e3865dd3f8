/* Any bytes as a text in JSON: one string, valid UTF-8, that says the same.
 * For: src/text/json.c src/text/utf8.c */
#include <stdlib.h>
#include <string.h>

#include "text/json.h"
#include "text/utf8.h"

static const char replaced[] = "\xef\xbf\xbd";

/* One character of the string, as bytes; `at` is moved behind it. */
static size_t read_one(const char **at, char into[4]) {
    static const char hex[] = "0123456789abcdef";
    size_t n = utf8(*at, strlen(*at));
    if (n == 0 || (unsigned char)**at < 0x20 || **at == 0x7f || **at == '"')
        abort();
    memcpy(into, *at, n);
    *at += n;
    if (into[0] != '\\')
        return n;
    into[0] = *(*at)++;
    if (into[0] == 'u') {
        const char *high = strchr(hex, (*at)[2]), *low = strchr(hex, (*at)[3]);
        if ((*at)[0] != '0' || (*at)[1] != '0' || !high || !low || !(*at)[3])
            abort();
        into[0] = (char)((high - hex) << 4 | (low - hex));
        *at += 4;
    } else {
        into[0] = into[0] == 'n' ? '\n' : into[0] == 't' ? '\t' : into[0] == 'r' ? '\r' : into[0];
        if (!strchr("\n\t\r\"\\", into[0]))
            abort();
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char room[6 * 4096 + 3];
    struct out out = out_on(room, sizeof room);
    const char *at = room + 1;
    char *text = malloc(size + (size == 0)), one[4];
    if (size > 4096)
        size = 4096;
    memcpy(text, data, size);
    json_string(&out, text, size);
    if (out.cut || strlen(room) != out.n || room[0] != '"')
        abort();
    for (size_t i = 0; i < size;) {
        size_t n = read_one(&at, one), meant = utf8(text + i, size - i);
        if (meant == 0 ? n != 3 || memcmp(one, replaced, 3) != 0 : n != meant || memcmp(one, text + i, n) != 0)
            abort();
        i += meant == 0 ? 1 : meant;
    }
    if (strcmp(at, "\"") != 0)
        abort();
    free(text);
    return 0;
}
