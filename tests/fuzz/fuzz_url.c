/* Any text as a URL or address; what is accepted makes a request of exactly three lines' form.
 * For: src/text/url.c */
#include <stdlib.h>
#include <string.h>

#include "text/http.h"
#include "text/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct url url;
    struct address address;
    struct http_request request;
    static char text[65536];
    char *copy;
    if (size > 4096)
        return 0;
    copy = malloc(size + (size == 0));
    memcpy(copy, data, size);
    if (address_parse(copy, size, &address) == NULL && address.port == 0)
        abort();
    if (url_parse_tcp(copy, size, &url) == NULL && url.http)
        abort();
    if (url_parse_http(copy, size, &url) == NULL) {
        struct out out = out_on(text, sizeof text);
        url_request(&out, &url, "0");
        /* Our own reader takes ASCII alone; what it refuses beyond that would be an injection. */
        bool ascii = true;
        for (size_t i = 0; i < size; i++)
            ascii = ascii && data[i] < 0x7f;
        if (ascii && (http_read(out.text, out.n, sizeof text, &request) != HTTP_WHOLE || request.method != HTTP_GET))
            abort();
    }
    url_parse(copy, size, &url);
    free(copy);
    return 0;
}
