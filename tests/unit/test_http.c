/* Requests from strangers, and answers from services. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "text/http.h"

static struct http_request request;

/* From memory of exactly that size, so that a byte read too far is seen. */
static enum http_reading read_n(const char *text, size_t n, size_t room) {
    char *copy = malloc(n + (n == 0));
    memcpy(copy, text, n);
    enum http_reading found = http_read(copy, n, room, &request);
    free(copy);
    return found;
}

static enum http_reading read_all(const char *text) { return read_n(text, strlen(text), 4096); }

static void is_path(const char *text, const char *path, const char *query) {
    cr_assert_eq(http_read(text, strlen(text), 4096, &request), HTTP_WHOLE, "%s", text);
    cr_assert(request.path_bytes == strlen(path) && memcmp(request.path, path, request.path_bytes) == 0, "%s", text);
    cr_assert(request.query_bytes == strlen(query) && memcmp(request.query, query, request.query_bytes) == 0);
}

Test(http, whole_requests) {
    is_path("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", "/readyz", "");
    cr_assert_eq(request.method, HTTP_GET);
    is_path("HEAD /status?a=b&c HTTP/1.1\r\nhost:x\r\n\r\nrest", "/status", "a=b&c");
    cr_assert_eq(request.method, HTTP_HEAD);
    is_path("POST /signal/web/RTMIN+3 HTTP/1.0\n\n", "/signal/web/RTMIN+3", "");
    cr_assert_eq(request.method, HTTP_POST);
    is_path("PURGE http://example:80/x? HTTP/1.1\r\nHost: example\r\n\r\n", "/x", "");
    cr_assert_eq(request.method, HTTP_OTHER);
    is_path("PUT / HTTP/1.1\r\nHost: x\r\n\r\n", "/", "");
    cr_assert_eq(request.method, HTTP_OTHER);
    is_path("KILL / HTTP/1.1\r\nHost: x\r\nX-1: \ta\tb \t\r\nhoax: 1\r\nh0st: 2\r\n\r\n", "/", "");
    cr_assert_eq(request.method, HTTP_OTHER);
    is_path("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "*", "");
    is_path("\r\n\r\nGET / HTTP/1.1\r\nHost:\r\n\r\n", "/", "");
}

Test(http, the_token_is_found_and_trimmed) {
    const char *text = "GET / HTTP/1.1\r\nHost: x\r\nx-LASTCALL-token: \t s3cret \r\n\r\n";
    cr_assert_eq(http_read(text, strlen(text), 4096, &request), HTTP_WHOLE);
    cr_assert(request.token_bytes == 6 && memcmp(request.token, "s3cret", 6) == 0);
    is_path("GET / HTTP/1.1\r\nHost: x\r\nX-Lastcall-Token:\r\n\r\n", "/", "");
    cr_assert_eq(request.token_bytes, 0);
    cr_assert_not_null(request.token);
    is_path("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "/", "");
    cr_assert_null(request.token);
}

Test(http, a_prefix_of_a_good_request_wants_more) {
    const char *text = "POST /stop/web HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    for (size_t n = 0; n < strlen(text); n++)
        cr_assert_eq(read_n(text, n, 4096), HTTP_MORE, "%zu bytes", n);
    cr_assert_eq(read_n(text, strlen(text), 4096), HTTP_WHOLE);
}

Test(http, a_head_without_an_end_is_too_large) {
    char text[256];
    memset(text, 'a', sizeof text);
    memcpy(text, "GET /", 5);
    cr_assert_eq(read_n(text, sizeof text, sizeof text), HTTP_TOO_LARGE);
    cr_assert_eq(read_n(text, sizeof text - 1, sizeof text), HTTP_MORE);
}

Test(http, bad_requests) {
    static const char *const bad[] = {
        "GET\r\n", "GET \r\n", "GET /\r\n", "GET / HTTP/1.1 \r\n", "GET  / HTTP/1.1\r\n", "GET /\tHTTP/1.1\r\n",
        "GET / HTTP/2.0\r\n", "GET / HTTP/1.2\r\n", "GET / http/1.1\r\n", "GET / HTTP/1.10\r\n", "G{T / HTTP/1.1\r\n",
        "GET readyz HTTP/1.1\r\n", "GET http://host HTTP/1.1\r\n", "GET http: HTTP/1.1\r\n", "GET /\x80 HTTP/1.1\r\n", "GET /\x7f HTTP/1.1\r\n", " GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\n\r\n",                                     /* no Host */
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n", "GET / HTTP/1.1\r\nHost\r\n", "GET / HTTP/1.1\r\n: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1x\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-Lastcall-Token: a\r\nX-Lastcall-Token: b\r\n",
        "\x16\x03\x01\x02", "GET /\x01", "GET / HTTP/1.1\r\nHost: x\rY: z\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(read_all(bad[i]), HTTP_BAD, "%zu: %s", i, bad[i]);
    cr_assert_eq(read_n("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 33, 4096), HTTP_BAD);
    cr_assert_eq(read_n("GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n", 33, 4096), HTTP_BAD);
}

Test(http, queries) {
    const char *value;
    size_t n;
    request = (struct http_request){.query = "verbose&late=5s&empty=&late=6s&waiting=no", .query_bytes = 41};
    cr_assert(http_query(&request, "verbose", &value, &n) && n == 0);
    cr_assert(http_query(&request, "late", &value, &n) && n == 2 && memcmp(value, "5s", 2) == 0);
    cr_assert(http_query(&request, "empty", &value, &n) && n == 0);
    cr_assert_not(http_query(&request, "wait", &value, &n));
    cr_assert_not(http_query(&request, "verb", &value, &n));
    request = (struct http_request){.query = "&&=&x", .query_bytes = 5};
    cr_assert(http_query(&request, "x", &value, &n) && n == 0);
    request = (struct http_request){.query = "", .query_bytes = 0};
    cr_assert_not(http_query(&request, "x", &value, &n));
}

Test(http, heads) {
    char text[512];
    struct out out = out_on(text, sizeof text);
    http_head(&out, 405, "text/plain", 12, "GET, HEAD");
    cr_assert_str_eq(text, "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
                           "Allow: GET, HEAD\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n");
}

Test(http, every_code_has_its_words) {
    static const struct { int code; const char *words; } reasons[] = {
        {200, "OK"}, {202, "Accepted"}, {400, "Bad Request"}, {403, "Forbidden"}, {404, "Not Found"},
        {405, "Method Not Allowed"}, {431, "Bad Request"}, {500, "Error"}, {503, "Service Unavailable"},
    };
    char text[512];
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        cr_assert_str_eq(http_reason(reasons[i].code), reasons[i].words);
    struct out out = out_on(text, sizeof text);
    http_head(&out, 200, "text/plain", 0, NULL);
    cr_assert_null(strstr(text, "Allow"));
}

static int status_of(const char *text) { return http_status(text, strlen(text)); }

Test(http, answers) {
    cr_assert_eq(status_of("HTTP/1.1 200 OK\r\n"), 200);
    cr_assert_eq(status_of("HTTP/1.0 404\r\n"), 404);
    cr_assert_eq(status_of("HTTP/1.1 204\n"), 204);
    const char *whole = "HTTP/1.1 503 ";
    for (size_t n = 0; n < strlen(whole); n++)
        cr_assert_eq(http_status(whole, n), 0, "%zu bytes", n);
    cr_assert_eq(status_of("HTTP/1.1 099 x"), -1);
    cr_assert_eq(status_of("HTTP/1.1 2000"), -1);
    cr_assert_eq(status_of("HTTP/2.0 200 "), -1);
    cr_assert_eq(status_of("HTTP/1.x 200 "), -1);
    cr_assert_eq(status_of("SSH-2.0"), -1);
    cr_assert_eq(http_body("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", 29), 25);
    cr_assert_eq(http_body("HTTP/1.1 200 OK\r\nA: b\r\n\r", 24), 0);
}
