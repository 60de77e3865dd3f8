/* Where checks and probes go. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/url.h"

static struct url url;
static struct address address;

typedef const char *parser(const char *, size_t, struct url *);

static const char *wrong(parser *parse, const char *text) {
    size_t n = strlen(text);
    char *copy = malloc(n + (n == 0)); /* exactly that size: a byte read too far is seen */
    memcpy(copy, text, n);
    const char *what = parse(copy, n, &url);
    free(copy);
    return what;
}

static void is_host(const char *text, const char *hex, uint16_t port) {
    char found[33] = "";
    const char *what = address_parse(text, strlen(text), &address);
    cr_assert_null(what, "%s %s", text, what);
    for (int i = 0; i < (address.kind == HOST_IPV4 ? 4 : 16); i++)
        snprintf(found + 2 * i, 3, "%02x", address.bytes[i]);
    cr_assert_str_eq(found, hex, "%s", text);
    cr_assert_eq(address.port, port);
}

Test(url, addresses) {
    is_host("127.0.0.1:9180", "7f000001", 9180);
    is_host("255.255.255.255:1", "ffffffff", 1);
    is_host("[::]:65535", "00000000000000000000000000000000", 65535);
    is_host("[::1]:80", "00000000000000000000000000000001", 80);
    is_host("[1:2:3:4:5:6:7:8]:80", "00010002000300040005000600070008", 80);
    is_host("[FE80::aB]:80", "fe8000000000000000000000000000ab", 80);
    is_host("[1::]:80", "00010000000000000000000000000000", 80);
    is_host("[1:2:3:4:5:6:7::]:80", "00010002000300040005000600070000", 80);
    is_host("[::2:3:4:5:6:7:8]:80", "00000002000300040005000600070008", 80);
    is_host("[::ffff:10.1.2.3]:80", "00000000000000000000ffff0a010203", 80);
    is_host("[1:2:3:4:5:6:9.8.7.6]:80", "00010002000300040005000609080706", 80);
}

Test(url, any_and_localhost) {
    cr_assert_null(address_parse(":9180", 5, &address));
    cr_assert(address.kind == HOST_ANY && address.port == 9180);
    cr_assert_null(address_parse("localhost:9180", 14, &address));
    cr_assert(address.kind == HOST_LOCALHOST && address.port == 9180);
}

Test(url, bad_addresses) {
    static const char *const bad[] = {
        "", ":", ":0", ":65536", ":-1", ":080", ":1 ", "9180", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "1.2.3:80",
        "1.2.3.4.5:80", "1.2.3.256:80", "01.2.3.4:80", "1.2.3.:80", "example.com:80", "[::1]", "[::1]80", "[::1:80",
        "[:::]:80", "[1::2::3]:80", "[1:2:3:4:5:6:7]:80", "[1:2:3:4:5:6:7:8:9]:80", "[12345::]:80", "[::1%lo]:80",
        "[g::]:80", "[]:80", "[1:]:80", "[:1]:80", "[1.2.3.4::]:80", "[::1.2.3]:80", "[1:2:3:4:5:6:7::8]:80x",
        "localhosts:1", "::1:80", "[1:2:3:4:5:6:7:1.2.3.4]:80", "[]:80",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *copy = malloc(strlen(bad[i]) + (bad[i][0] == 0));
        memcpy(copy, bad[i], strlen(bad[i]));
        cr_assert_not_null(address_parse(copy, strlen(bad[i]), &address), "%s", bad[i]);
        free(copy);
    }
}

static void is_text(const char *found, size_t n, const char *expected) {
    cr_assert(n == strlen(expected) && memcmp(found, expected, n) == 0, "%.*s, not %s", (int)n, found, expected);
}

static void parse_http(const char *text) {
    const char *what = url_parse_http(text, strlen(text), &url);
    cr_assert_null(what, "%s %s", text, what);
    cr_assert(url.http);
}

Test(url, http) {
    parse_http("http://127.0.0.1:8080/health?x=1");
    is_text(url.host, url.host_bytes, "127.0.0.1:8080");
    is_text(url.path, url.path_bytes, "/health?x=1");
    parse_http("http://[::1]");
    is_text(url.host, url.host_bytes, "[::1]");
    is_text(url.path, url.path_bytes, "/");
    cr_assert_eq(url.address.port, 80);
    parse_http("http://localhost/");
    cr_assert_eq(url.address.kind, HOST_LOCALHOST);
}

Test(url, http_over_unix) {
    parse_http("http://unix:/run/a.sock:/healthz?a:b");
    cr_assert_eq(url.address.kind, HOST_UNIX);
    is_text(url.address.path, url.address.path_bytes, "/run/a.sock");
    is_text(url.path, url.path_bytes, "/healthz?a:b");
    is_text(url.host, url.host_bytes, "localhost");
    parse_http("http://unix:/run/a.sock:");
    is_text(url.address.path, url.address.path_bytes, "/run/a.sock");
    is_text(url.path, url.path_bytes, "/");
    parse_http("http://unix:@abstract");
    is_text(url.address.path, url.address.path_bytes, "@abstract");
    is_text(url.path, url.path_bytes, "/");
}

Test(url, tcp) {
    cr_assert_null(wrong(url_parse_tcp, "127.0.0.1:80"));
    cr_assert(!url.http && url.address.port == 80);
    cr_assert_null(wrong(url_parse_tcp, "tcp://[::1]:80"));
    cr_assert_null(url_parse_tcp("unix:/run/x", 11, &url));
    is_text(url.address.path, url.address.path_bytes, "/run/x");
    cr_assert_not_null(wrong(url_parse_tcp, "127.0.0.1"));
    cr_assert_not_null(wrong(url_parse_tcp, "127.0.0.1:80 "));
    cr_assert_not_null(wrong(url_parse_tcp, "unix:x"));
    cr_assert_not_null(wrong(url_parse_tcp, "unix:"));
    cr_assert_not_null(wrong(url_parse_tcp, ""));
}

Test(url, bad_urls) {
    static const char *const bad[] = {
        "", "http", "http:/", "http://", "http:///x", "http://host/", "http://127.0.0.1:0/", "http://127.0.0.1/a b",
        "http://127.0.0.1/\n", "http://127.0.0.1/\x7f", "http://127.0.0.1?x", "http://127.0.0.1#x", "https://127.0.0.1/", "ftp://127.0.0.1/",
        "http://u@127.0.0.1/", "http://unix:relative:/", "http://unix:/a:b", "http://unix:", "HTTP://127.0.0.1/",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_not_null(wrong(url_parse_http, bad[i]), "%s", bad[i]);
}

Test(url, a_path_too_long_for_a_socket) {
    char text[5 + 109];
    memset(text, 'a', sizeof text);
    memcpy(text, "unix:/", 6);
    cr_assert_null(url_parse_tcp(text, 5 + 107, &url));
    cr_assert_not_null(url_parse_tcp(text, 5 + 108, &url));
}

Test(url, what_probe_takes) {
    cr_assert_null(wrong(url_parse, "http://localhost/"));
    cr_assert_null(wrong(url_parse, "tcp://localhost:1"));
    cr_assert_null(wrong(url_parse, "unix:/x"));
    cr_assert_not_null(wrong(url_parse, "localhost:1"));
    cr_assert(strstr(wrong(url_parse, "redy"), "write ready") != NULL);
}

Test(url, the_request) {
    char text[512];
    struct out out = out_on(text, sizeof text);
    parse_http("http://localhost:8080/a?b");
    url_request(&out, &url, "1.0");
    cr_assert_str_eq(text, "GET /a?b HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: lastcall/1.0\r\n"
                           "Accept: */*\r\nConnection: close\r\n\r\n");
}
