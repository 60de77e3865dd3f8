#include "text/out.h"

#include <string.h>

struct out out_on(char *buffer, size_t room) {
    buffer[0] = 0;
    return (struct out){.text = buffer, .room = room};
}

void out_bytes(struct out *out, const char *bytes, size_t n) {
    size_t free = out->room - 1 - out->n;
    if (out->cut)
        return;
    if (n > free) {
        n = free;
        out->cut = true;
    }
    memcpy(out->text + out->n, bytes, n);
    out->n += n;
    out->text[out->n] = 0;
}

void out_text(struct out *out, const char *text) { out_bytes(out, text, strlen(text)); }

void out_char(struct out *out, char c) { out_bytes(out, &c, 1); }

void out_uint(struct out *out, uint64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    out_bytes(out, digits + at, sizeof digits - at);
}

void out_int(struct out *out, int64_t value) {
    if (value < 0)
        out_char(out, '-');
    out_uint(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void out_tenths(struct out *out, int64_t ms) {
    uint64_t tenths = (ms < 0 ? -(uint64_t)ms : (uint64_t)ms) / 100;
    if (ms < 0 && tenths > 0)
        out_char(out, '-');
    out_uint(out, tenths / 10);
    out_char(out, '.');
    out_uint(out, tenths % 10);
}

void out_pad(struct out *out, size_t start, size_t column) {
    do
        out_char(out, ' ');
    while (!out->cut && out->n - start < column);
}

void out_right(struct out *out, size_t start, size_t width) {
    size_t have = out->n - start;
    while (have < width) {
        out_char(out, ' ');
        if (out->cut)
            return;
        memmove(out->text + start + 1, out->text + start, have++);
        out->text[start] = ' ';
    }
}

void out_safe(struct out *out, const char *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        out_char(out, (unsigned char)bytes[i] < ' ' || bytes[i] == 0x7f ? '?' : bytes[i]);
}
