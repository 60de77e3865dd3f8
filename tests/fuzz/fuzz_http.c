/* Any bytes as a request, whole and in every prefix, and as an answer.
 * For: src/text/http.c */
#include <stdlib.h>
#include <string.h>

#include "text/http.h"

static void inside(const char *base, size_t n, const char *at, size_t bytes) {
    if (bytes > 0 && (at < base || at + bytes > base + n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct http_request request;
    const char *value;
    enum http_reading last = HTTP_MORE;
    size_t n = 0, step = size > 300 ? size / 50 : 1;
    for (size_t part = 0; part <= size; part += step) {
        char *copy = malloc(part + 1);
        memcpy(copy, data, part);
        enum http_reading now = http_read(copy, part, 4096, &request);
        if ((last == HTTP_WHOLE || last == HTTP_BAD) && now != last)
            abort(); /* what has been decided stays so, whatever follows */
        if (now == HTTP_WHOLE) {
            inside(copy, part, request.path, request.path_bytes);
            inside(copy, part, request.query, request.query_bytes);
            inside(copy, part, request.token, request.token_bytes);
            if (http_query(&request, "late", &value, &n))
                inside(copy, part, value, n);
        }
        last = now;
        if (http_body(copy, part) > part || http_status(copy, part) > 999)
            abort();
        free(copy);
    }
    return 0;
}
