#include "text/svg.h"

#include <string.h>

#include "text/utf8.h"

/* Left of the bars is room for the longest row in letters that are all as wide. */
enum { WIDTH = 760, LEFT = 228, RIGHT = 32, TOP = 56, ROW = 26, BAR = 16, TICKS = 6 };

/* One character, as XML has it; '?' for what is none there. Its bytes. */
static size_t character(struct out *out, const char *at) {
    size_t n = utf8(at, strlen(at));
    switch (*at) {
    case '&': out_text(out, "&amp;"); break;
    case '<': out_text(out, "&lt;"); break;
    case '>': out_text(out, "&gt;"); break;
    case '"': out_text(out, "&quot;"); break;
    default:
        if (n == 0 || (unsigned char)*at < ' ' || *at == 0x7f)
            out_char(out, '?');
        else
            out_bytes(out, at, n);
    }
    return n == 0 ? 1 : n;
}

static void escaped(struct out *out, const char *text) {
    while (*text)
        text += character(out, text);
}

static void number(struct out *out, const char *name, int64_t value) {
    out_char(out, ' ');
    out_text(out, name);
    out_text(out, "=\"");
    out_int(out, value);
    out_char(out, '"');
}

static int64_t column(int64_t ms, int64_t grace_ms) {
    return LEFT + (grace_ms > 0 ? ms * (WIDTH - LEFT - RIGHT) / grace_ms : 0);
}

static void box(struct out *out, const char *class, int64_t x, int64_t y, int64_t width, int64_t height) {
    out_text(out, "<rect class=\"");
    out_text(out, class);
    out_char(out, '"');
    number(out, "x", x);
    number(out, "y", y);
    number(out, "width", width);
    number(out, "height", height);
    out_text(out, "/>\n");
}

static void words(struct out *out, const char *class, int64_t x, int64_t y) {
    out_text(out, "<text class=\"");
    out_text(out, class);
    out_char(out, '"');
    number(out, "x", x);
    number(out, "y", y);
    out_char(out, '>');
}

static void seconds(struct out *out, int64_t ms) {
    out_tenths(out, ms);
    out_text(out, " s");
}

static void head(struct out *out, const char *title, int64_t height) {
    out_text(out, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
    number(out, "width", WIDTH);
    number(out, "height", height);
    out_text(out, " viewBox=\"0 0 ");
    out_int(out, WIDTH);
    out_char(out, ' ');
    out_int(out, height);
    out_text(out, "\" role=\"img\">\n<title>");
    escaped(out, title);
    out_text(out, "</title>\n<style>\n"
                  "svg{background:#fff;font:13px system-ui,sans-serif}text{fill:#1f2328}\n"
                  ".n{text-anchor:end;font-family:ui-monospace,monospace}\n"
                  ".d,.t{fill:#59636e;font-size:11px}.t{text-anchor:middle}.h{font-size:15px;font-weight:600}\n"
                  ".p{fill:#0969da}.m{fill:#84b6eb}.r{fill:#d8dee4}.l{fill:#c0c8d0}\n"
                  "@media(prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}.d,.t{fill:#9198a1}\n"
                  ".p{fill:#4493f8}.m{fill:#1f4a7d}.r{fill:#2d333b}.l{fill:#444c56}}\n</style>\n");
    words(out, "h", 16, 26);
    escaped(out, title);
    out_text(out, "</text>\n");
}

static void scale(struct out *out, int64_t grace_ms, int64_t height) {
    for (int i = 0; i < TICKS; i++) {
        int64_t ms = grace_ms * i / (TICKS - 1), x = column(ms, grace_ms);
        box(out, "l", x, TOP - 4, 1, height - TOP - 8);
        words(out, "t", x, TOP - 8);
        seconds(out, ms);
        out_text(out, "</text>\n");
    }
}

/* A long name loses its end; the whole is in the title that a pointer shows. */
static void short_name(struct out *out, const char *name) {
    enum { MOST = 18 };
    for (int i = 0; *name && i < MOST; i++)
        name += character(out, name);
    if (*name)
        out_text(out, "\xe2\x80\xa6");
}

/* Promised, and what it may take besides when nobody else needs it. */
static void row(struct out *out, const struct svg_bar *bar, int64_t y, int64_t grace_ms) {
    int64_t start = column(bar->start_ms, grace_ms), end = column(bar->end_ms, grace_ms);
    int64_t promised = column(bar->start_ms + bar->promised_ms, grace_ms);
    promised = promised > end ? end : promised;
    words(out, "n", LEFT - 12, y + BAR - 3);
    short_name(out, bar->name);
    out_text(out, " <tspan class=\"d\">");
    escaped(out, bar->phase);
    out_text(out, "</tspan></text>\n<g><title>");
    escaped(out, bar->name);
    out_text(out, ": ");
    seconds(out, bar->promised_ms);
    out_text(out, " promised, at most ");
    seconds(out, bar->end_ms - bar->start_ms);
    out_text(out, "</title>\n");
    box(out, "m", start, y, end > start ? end - start : 2, BAR);
    if (promised > start)
        box(out, "p", start, y, promised - start, BAR);
    out_text(out, "</g>\n");
}

static void legend(struct out *out, const char *class, int64_t x, int64_t height, const char *text) {
    box(out, class, x, height - 21, 10, 10);
    words(out, "d", x + 16, height - 12);
    out_text(out, text);
    out_text(out, "</text>\n");
}

void svg_plan(struct out *out, const char *title, const struct svg_bar *bars, unsigned n, int64_t grace_ms,
              int64_t reserve_ms) {
    int64_t height = TOP + (int64_t)n * ROW + 34, kept = column(grace_ms - reserve_ms, grace_ms);
    head(out, title, height);
    box(out, "r", kept, TOP - 4, column(grace_ms, grace_ms) - kept, height - TOP - 24);
    scale(out, grace_ms, height - 16);
    for (unsigned i = 0; i < n; i++)
        row(out, &bars[i], TOP + (int64_t)i * ROW, grace_ms);
    legend(out, "p", LEFT, height, "promised");
    legend(out, "m", LEFT + 90, height, "at most, if nobody else needs it");
    legend(out, "r", LEFT + 310, height, "the reserve");
    out_text(out, "</svg>\n");
}
