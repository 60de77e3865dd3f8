#include "text/url.h"

#include <string.h>

#include "text/number.h"

/* A piece of text that is read from its front. */
struct slice { const char *at; size_t n; };

static bool take(struct slice *from, const char *word) {
    size_t n = strlen(word);
    if (from->n < n || memcmp(from->at, word, n) != 0)
        return false;
    *from = (struct slice){from->at + n, from->n - n};
    return true;
}

/* What stands before `c`, all of it if there is none. */
static struct slice take_until(struct slice *from, char c) {
    const char *end = from->n > 0 ? memchr(from->at, c, from->n) : NULL;
    struct slice head = {from->at, end == NULL ? from->n : (size_t)(end - from->at)};
    *from = (struct slice){from->at + head.n, from->n - head.n};
    return head;
}

/* Digits alone, without a leading zero, at most `most`; -1 if it is no such number. */
static long number(struct slice text, long most) {
    return text.n > 1 && text.at[0] == '0' ? -1 : (long)number_parse(text.at, text.n, most);
}

/* ---- hosts ---- */

static bool ipv4(struct slice text, uint8_t into[4]) {
    for (int i = 0; i < 4; i++) {
        struct slice part = take_until(&text, '.');
        long value = number(part, 255);
        if (value < 0 || (i < 3 && !take(&text, ".")))
            return false;
        into[i] = (uint8_t)value;
    }
    return text.n == 0;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One group of up to four hexadecimal digits, -1 if it is none. */
static long group(struct slice text) {
    long value = 0;
    if (text.n == 0 || text.n > 4)
        return -1;
    for (size_t i = 0; i < text.n; i++) {
        int digit = hex_digit(text.at[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* Groups into bytes from `at` on, an IPv4 address allowed as the last; the bytes used, or -1. */
static int groups(struct slice text, uint8_t *at, int room) {
    int used = 0;
    while (text.n > 0) {
        struct slice part = take_until(&text, ':');
        bool last = text.n == 0;
        long value = group(part);
        if (value < 0 && last && room - used >= 4 && ipv4(part, at + used))
            return used + 4;
        take(&text, ":");
        if (value < 0 || room - used < 2 || (!last && text.n == 0))
            return -1;
        at[used++] = (uint8_t)(value >> 8);
        at[used++] = (uint8_t)value;
    }
    return used;
}

static const char *find_gap(struct slice text) {
    for (size_t i = 0; i + 1 < text.n; i++)
        if (text.at[i] == ':' && text.at[i + 1] == ':')
            return text.at + i;
    return NULL;
}

static bool ipv6(struct slice text, uint8_t into[16]) {
    const char *gap = find_gap(text);
    uint8_t tail[16];
    struct slice head = text, rest = {NULL, 0};
    int front, back;
    memset(into, 0, 16);
    if (gap == NULL)
        return groups(text, into, 16) == 16;
    head.n = (size_t)(gap - text.at);
    rest = (struct slice){gap + 2, text.n - head.n - 2};
    front = groups(head, into, 14);
    back = front < 0 || memchr(head.at, '.', head.n) != NULL ? -1 : groups(rest, tail, 14 - front);
    if (front < 0 || back < 0)
        return false;
    memcpy(into + 16 - back, tail, (size_t)back);
    return true;
}

static bool host(struct slice text, struct address *into) {
    if (take(&text, "[")) {
        into->kind = HOST_IPV6;
        return ipv6((struct slice){text.at, text.n - 1}, into->bytes); /* its caller has found the ] */
    }
    if (text.n == 9 && memcmp(text.at, "localhost", 9) == 0) {
        into->kind = HOST_LOCALHOST;
        return true;
    }
    into->kind = HOST_IPV4;
    return ipv4(text, into->bytes);
}

/* HOST[:PORT] to its end; port 0 where none was written. */
static const char *host_and_port(struct slice text, struct address *into) {
    struct slice name = text;
    if (text.n > 0 && text.at[0] == '[') {
        const char *end = memchr(text.at, ']', text.n);
        if (end == NULL)
            return "has no ]: write [::1]:8080";
        name.n = (size_t)(end - text.at) + 1;
        text = (struct slice){end + 1, text.n - name.n};
    } else {
        name = take_until(&text, ':');
    }
    if (!host(name, into))
        return "has no address: write 127.0.0.1, [::1] or localhost (names are not looked up)";
    into->port = 0;
    if (text.n == 0)
        return NULL;
    long port = take(&text, ":") ? number(text, 65535) : -1;
    into->port = port > 0 ? (uint16_t)port : 0;
    return port > 0 ? NULL : "has a bad port: write 1 to 65535";
}

static const char *unix_path(struct slice text, struct address *into) {
    if (text.n < 2 || (text.at[0] != '/' && text.at[0] != '@'))
        return "has no path: write unix:/run/app.sock or unix:@name";
    if (text.n > 107)
        return "has too long a path: at most 107 bytes";
    *into = (struct address){.kind = HOST_UNIX, .path = text.at, .path_bytes = (uint16_t)text.n};
    return NULL;
}

/* A blank or control byte would end a line of the request early. */
static bool printable(struct slice text) {
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.at[i] <= ' ' || (unsigned char)text.at[i] == 0x7f)
            return false;
    return true;
}

/* ---- the forms ---- */

const char *address_parse(const char *text, size_t n, struct address *into) {
    struct slice from = {text, n};
    const char *wrong;
    *into = (struct address){.kind = HOST_ANY};
    if (n > 0 && text[0] == ':') {
        long port = number((struct slice){text + 1, n - 1}, 65535);
        into->port = port > 0 ? (uint16_t)port : 0;
        return port > 0 ? NULL : "has a bad port: write 1 to 65535";
    }
    wrong = host_and_port(from, into);
    return wrong != NULL ? wrong : into->port == 0 ? "has no port: write :9180 or 127.0.0.1:9180" : NULL;
}

static const char *http_over_unix(struct slice text, struct url *into) {
    struct slice path = take_until(&text, ':');
    into->host = "localhost";
    into->host_bytes = 9;
    if (take(&text, ":") && text.n > 0) {
        into->path = text.at;
        into->path_bytes = text.n;
    }
    return into->path[0] == '/' ? unix_path(path, &into->address)
                                : "has no slash: write http://unix:/run/app.sock:/healthz";
}

const char *url_parse_http(const char *text, size_t n, struct url *into) {
    struct slice from = {text, n}, place;
    const char *wrong;
    *into = (struct url){.http = true, .path = "/", .path_bytes = 1};
    if (!take(&from, "http://"))
        return n >= 8 && memcmp(text, "https://", 8) == 0
                   ? "is encrypted, which is not supported: write http://, or check with a command"
                   : "is no http URL: write http://127.0.0.1:8080/healthz";
    if (!printable(from))
        return "has a blank or a control byte in it";
    if (take(&from, "unix:"))
        return http_over_unix(from, into);
    place = take_until(&from, '/');
    if (memchr(place.at, '?', place.n) != NULL || memchr(place.at, '#', place.n) != NULL)
        return "has no slash behind its host";
    wrong = host_and_port(place, &into->address);
    if (into->address.port == 0)
        into->address.port = 80;
    into->host = place.at;
    into->host_bytes = place.n;
    if (from.n > 0) {
        into->path = from.at;
        into->path_bytes = from.n;
    }
    return wrong;
}

const char *url_parse_tcp(const char *text, size_t n, struct url *into) {
    struct slice from = {text, n};
    const char *wrong;
    *into = (struct url){.http = false};
    if (!printable(from))
        return "has a blank or a control byte in it";
    if (take(&from, "unix:"))
        return unix_path(from, &into->address);
    take(&from, "tcp://");
    wrong = host_and_port(from, &into->address);
    return wrong != NULL ? wrong : into->address.port == 0 ? "has no port: write 127.0.0.1:8080" : NULL;
}

const char *url_parse(const char *text, size_t n, struct url *into) {
    if (n >= 4 && memcmp(text, "http", 4) == 0)
        return url_parse_http(text, n, into);
    if ((n >= 6 && memcmp(text, "tcp://", 6) == 0) || (n >= 5 && memcmp(text, "unix:", 5) == 0))
        return url_parse_tcp(text, n, into);
    return "is no target: write ready, live, startup, http://HOST:PORT/PATH, tcp://HOST:PORT or unix:PATH";
}

void url_request(struct out *out, const struct url *url, const char *version) {
    out_text(out, "GET ");
    out_bytes(out, url->path, url->path_bytes);
    out_text(out, " HTTP/1.1\r\nHost: ");
    out_bytes(out, url->host, url->host_bytes);
    out_text(out, "\r\nUser-Agent: lastcall/");
    out_text(out, version);
    out_text(out, "\r\nAccept: */*\r\nConnection: close\r\n\r\n");
}
