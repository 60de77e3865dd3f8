#include "text/json.h"

#include <string.h>

#include "text/utf8.h"

struct json json_on(struct out *out) { return (struct json){.out = out, .fresh = true}; }

/* ---- strings ---- */

bool json_is_utf8(const char *text, size_t n) {
    for (size_t bytes; n > 0; text += bytes, n -= bytes)
        if ((bytes = utf8(text, n)) == 0)
            return false;
    return true;
}

static bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }

bool json_is_plain(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (is_control((unsigned char)text[i]))
            return false;
    return json_is_utf8(text, n);
}

static void escaped(struct out *out, unsigned char c) {
    static const char hex[] = "0123456789abcdef";
    const char *short_form = c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : NULL;
    if (short_form != NULL) {
        out_text(out, short_form);
        return;
    }
    out_text(out, "\\u00");
    out_char(out, hex[c >> 4]);
    out_char(out, hex[c & 15]);
}

void json_string(struct out *out, const char *text, size_t n) {
    const unsigned char *at = (const unsigned char *)text, *end = at + n;
    out_char(out, '"');
    while (at < end) {
        size_t bytes = utf8((const char *)at, (size_t)(end - at));
        if (is_control(*at)) {
            escaped(out, *at);
        } else if (bytes == 0) {
            out_text(out, "\xef\xbf\xbd");
        } else {
            if (*at == '"' || *at == '\\')
                out_char(out, '\\');
            out_bytes(out, (const char *)at, bytes);
        }
        at += bytes == 0 ? 1 : bytes;
    }
    out_char(out, '"');
}

/* ---- members ---- */

static void begin(struct json *json, const char *key) {
    if (!json->fresh)
        out_char(json->out, ',');
    json->fresh = false;
    if (key == NULL)
        return;
    json_string(json->out, key, strlen(key));
    out_char(json->out, ':');
}

void json_open(struct json *json, const char *key, char brace) {
    begin(json, key);
    out_char(json->out, brace);
    json->fresh = true;
}

void json_close(struct json *json, char brace) {
    out_char(json->out, brace);
    json->fresh = false;
}

void json_text(struct json *json, const char *key, const char *text) {
    begin(json, key);
    json_string(json->out, text, strlen(text));
}

void json_int(struct json *json, const char *key, int64_t value) {
    begin(json, key);
    out_int(json->out, value);
}

void json_bool(struct json *json, const char *key, bool value) {
    begin(json, key);
    out_text(json->out, value ? "true" : "false");
}

void json_null(struct json *json, const char *key) {
    begin(json, key);
    out_text(json->out, "null");
}
