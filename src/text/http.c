#include "text/http.h"

#include <string.h>

struct slice { const char *at; size_t n; };

/* Whether text begins with the word, which is in lower case; letters may be of either case. Other visible
 * characters of our words have that bit already. */
static bool begins(struct slice text, const char *word) {
    size_t i = 0;
    while (word[i] != 0 && i < text.n && (text.at[i] | 0x20) == word[i])
        i++;
    return word[i] == 0;
}

static bool is(struct slice text, const char *word) { return text.n == strlen(word) && begins(text, word); }

/* Takes one line, without its CR LF (or LF alone); false if its end is not there yet. */
static bool take_line(struct slice *from, struct slice *line) {
    const char *end = from->n > 0 ? memchr(from->at, '\n', from->n) : NULL;
    if (end == NULL)
        return false;
    *line = (struct slice){from->at, (size_t)(end - from->at)};
    *from = (struct slice){end + 1, from->n - line->n - 1};
    if (line->n > 0 && line->at[line->n - 1] == '\r')
        line->n--;
    return true;
}

/* Up to the next blank, which is taken too; an empty slice if there is none. */
static struct slice take_word(struct slice *from) {
    const char *end = from->n > 0 ? memchr(from->at, ' ', from->n) : NULL;
    struct slice word = {from->at, end == NULL ? 0 : (size_t)(end - from->at)};
    if (end != NULL)
        *from = (struct slice){end + 1, from->n - word.n - 1};
    return word;
}

static bool is_token(struct slice text) {
    for (size_t i = 0; i < text.n; i++) {
        char c = text.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return text.n > 0;
}

/* No control bytes but the tab. Bytes above 127 are allowed in values, as they always were. */
static bool is_value(struct slice text) {
    for (size_t i = 0; i < text.n; i++)
        if (((unsigned char)text.at[i] < ' ' && text.at[i] != '\t') || text.at[i] == 0x7f)
            return false;
    return true;
}

static bool is_visible(struct slice text) {
    for (size_t i = 0; i < text.n; i++)
        if (text.at[i] <= ' ' || text.at[i] >= 0x7f)
            return false;
    return text.n > 0;
}

/* ---- the request line ---- */

static uint8_t method_of(struct slice word) {
    if (word.n == 3 && memcmp(word.at, "GET", 3) == 0)
        return HTTP_GET;
    if (word.n == 4 && memcmp(word.at, "HEAD", 4) == 0)
        return HTTP_HEAD;
    return word.n == 4 && memcmp(word.at, "POST", 4) == 0 ? HTTP_POST : HTTP_OTHER;
}

/* "/path?query", or the same behind "http://host" as proxies send it, or "*". */
static bool read_target(struct slice target, struct http_request *into) {
    const char *mark;
    if (!is_visible(target))
        return false;
    if (begins(target, "http://")) {
        const char *slash = memchr(target.at + 7, '/', target.n - 7);
        if (slash == NULL)
            return false;
        target = (struct slice){slash, target.n - (size_t)(slash - target.at)};
    }
    if (target.at[0] != '/' && !is(target, "*"))
        return false;
    mark = memchr(target.at, '?', target.n);
    into->path = target.at;
    into->path_bytes = mark == NULL ? target.n : (size_t)(mark - target.at);
    into->query = mark == NULL ? "" : mark + 1;
    into->query_bytes = mark == NULL ? 0 : target.n - into->path_bytes - 1;
    return true;
}

/* The minor version, 0 or 1; -1: not a line that we take. */
static int read_first(struct slice line, struct http_request *into) {
    struct slice method = take_word(&line), target = take_word(&line);
    if (!is_token(method) || !read_target(target, into))
        return -1;
    into->method = method_of(method);
    if (line.n != 8 || memcmp(line.at, "HTTP/1.", 7) != 0)
        return -1;
    return line.at[7] == '1' ? 1 : line.at[7] == '0' ? 0 : -1;
}

/* ---- headers ---- */

struct seen { unsigned hosts, lengths, encodings; };

static bool is_number(struct slice text) {
    for (size_t i = 0; i < text.n; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return text.n > 0;
}

static struct slice trimmed(struct slice text) {
    while (text.n > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = (struct slice){text.at + 1, text.n - 1};
    while (text.n > 0 && (text.at[text.n - 1] == ' ' || text.at[text.n - 1] == '\t'))
        text.n--;
    return text;
}

/* A folded line starts with a blank, so its name is no token: refused, as RFC 9112 wants. */
static bool read_header(struct slice line, struct http_request *into, struct seen *seen) {
    const char *colon = memchr(line.at, ':', line.n);
    struct slice name, value;
    if (colon == NULL)
        return false;
    name = (struct slice){line.at, (size_t)(colon - line.at)};
    value = trimmed((struct slice){colon + 1, line.n - name.n - 1});
    if (!is_token(name) || !is_value(value))
        return false;
    if (is(name, "host"))
        seen->hosts++;
    if (is(name, "transfer-encoding"))
        seen->encodings++;
    if (is(name, "content-length") && (!is_number(value) || seen->lengths++ > 0))
        return false;
    if (is(name, "x-lastcall-token")) {
        if (into->token != NULL)
            return false;
        into->token = value.at;
        into->token_bytes = value.n;
    }
    return true;
}

/* Whether what has come of a line can become one: strangers that speak TLS are told at once. */
static bool may_become(struct slice part) {
    if (part.n > 0 && part.at[part.n - 1] == '\r')
        part.n--;
    return is_value(part);
}

enum http_reading http_read(const char *bytes, size_t n, size_t room, struct http_request *into) {
    struct slice from = {bytes, n}, line;
    struct seen seen = {0};
    int minor = -1;
    *into = (struct http_request){.query = ""};
    while (from.n > 0 && (from.at[0] == '\r' || from.at[0] == '\n'))
        from = (struct slice){from.at + 1, from.n - 1};
    while (take_line(&from, &line)) {
        if (minor < 0) {
            minor = read_first(line, into);
            if (minor < 0)
                return HTTP_BAD;
        } else if (line.n > 0) {
            if (!read_header(line, into, &seen))
                return HTTP_BAD;
        } else {
            bool host = seen.hosts == 1 || (minor == 0 && seen.hosts == 0);
            return host && (seen.lengths == 0 || seen.encodings == 0) ? HTTP_WHOLE : HTTP_BAD;
        }
    }
    if (!may_become(from))
        return HTTP_BAD;
    return n >= room ? HTTP_TOO_LARGE : HTTP_MORE;
}

bool http_query(const struct http_request *request, const char *name, const char **value, size_t *n) {
    struct slice from = {request->query, request->query_bytes};
    size_t bytes = strlen(name);
    while (from.n > 0) {
        const char *end = memchr(from.at, '&', from.n);
        size_t part = end == NULL ? from.n : (size_t)(end - from.at);
        if (part >= bytes && memcmp(from.at, name, bytes) == 0 && (part == bytes || from.at[bytes] == '=')) {
            *value = from.at + bytes + (part > bytes);
            *n = part - bytes - (part > bytes);
            return true;
        }
        part += end != NULL;
        from = (struct slice){from.at + part, from.n - part};
    }
    return false;
}

/* ---- answers ---- */

/* The words are for people alone; programs go by the number. */
const char *http_reason(int code) {
    switch (code) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 503: return "Service Unavailable";
    default: return code < 500 ? "Bad Request" : "Error";
    }
}

void http_head(struct out *out, int code, const char *type, size_t body_bytes, const char *allow) {
    out_text(out, "HTTP/1.1 ");
    out_int(out, code);
    out_char(out, ' ');
    out_text(out, http_reason(code));
    out_text(out, "\r\nContent-Type: ");
    out_text(out, type);
    out_text(out, "\r\nContent-Length: ");
    out_uint(out, body_bytes);
    if (allow != NULL) {
        out_text(out, "\r\nAllow: ");
        out_text(out, allow);
    }
    out_text(out, "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n");
}

int http_status(const char *bytes, size_t n) {
    static const char form[] = "HTTP/1.x ###";
    int code = 0;
    for (size_t i = 0; i < sizeof form - 1 && i < n; i++) {
        bool digit = bytes[i] >= '0' && bytes[i] <= '9';
        if (form[i] == '#')
            code = code * 10 + bytes[i] - '0';
        if (form[i] == '#' || form[i] == 'x' ? !digit : bytes[i] != form[i])
            return -1;
    }
    if (n < sizeof form)
        return 0;
    return code >= 100 && strchr(" \r\n", bytes[12]) != NULL ? code : -1;
}

size_t http_body(const char *bytes, size_t n) {
    struct slice from = {bytes, n}, line;
    while (take_line(&from, &line))
        if (line.n == 0)
            return n - from.n;
    return 0;
}
