/* Findings: what is wrong, where, and what to write instead. */
#include <stdarg.h>
#include <string.h>

#include "conf/load.h"
#include "text/out.h"

enum { FIRST_ROOM = 32, MOST = 1000 };

/* Makes room for one more; when the arena is full the last one is given up. */
static struct finding *add(struct arena *arena, struct findings *findings) {
    if (findings->n == findings->room && findings->room < MOST) {
        uint32_t room = findings->room ? findings->room * 2 : FIRST_ROOM;
        struct finding *v = arena_take(arena, room * sizeof *v);
        if (v) {
            if (findings->n)
                memcpy(v, findings->v, findings->n * sizeof *v);
            findings->v = v;
            findings->room = room;
        }
    }
    if (findings->room == 0)
        return NULL;
    return &findings->v[findings->n < findings->room ? findings->n++ : findings->n - 1];
}

static void format_into(struct out *out, const char *format, va_list arguments) {
    for (; *format; format++) {
        if (format[0] == '%' && format[1] == 's') {
            const char *text = va_arg(arguments, const char *);
            out_safe(out, text, strlen(text));
            format++;
        } else {
            out_char(out, *format);
            if (*format == ';')
                out_text(out, " write");
        }
    }
}

struct out text_open(struct arena *arena) {
    size_t left = (size_t)(arena->end - arena->at);
    return left > 1 ? out_on(arena->at, left) : (struct out){.room = 1, .cut = true};
}

const char *text_close(struct arena *arena, const struct out *out) {
    if (out->room == 1)
        return "the configuration is too large";
    arena->at = out->cut ? arena->end : arena->at + out->n + 1;
    return out->text;
}

void say(const struct voice *voice, struct place where, uint8_t level, const char *format, ...) {
    struct finding *finding = add(voice->arena, voice->findings);
    struct out out = text_open(voice->arena);
    va_list arguments;
    if (level == LEVEL_ERROR) {
        voice->findings->errors++;
        voice->findings->usage += where.file == NULL;
    }
    if (!finding)
        return;
    va_start(arguments, format);
    format_into(&out, format, arguments);
    va_end(arguments);
    *finding = (struct finding){where.file, where.line, level, text_close(voice->arena, &out)};
}

void too_large(struct load *load) { error_at(load, (struct place){0}, "the configuration is too large"); }

const char *place_text(struct arena *arena, struct place where) {
    struct out out = text_open(arena);
    out_text(&out, where.file ? where.file : "the command line");
    if (where.line) {
        out_char(&out, ':');
        out_uint(&out, where.line);
    }
    return text_close(arena, &out);
}

const char *copy_text(struct arena *arena, const char *text, size_t n) {
    char *copy = arena_take(arena, n + 1);
    if (copy)
        memcpy(copy, text, n);
    return copy;
}

static uint32_t file_rank(const struct finding *finding, const struct source *sources, uint32_t n_sources) {
    uint32_t i = 0;
    if (!finding->file)
        return 0;
    while (i < n_sources && sources[i].name != finding->file)
        i++;
    return i + 1;
}

/* By file and line, otherwise as they came; there are few. */
void findings_sort(struct findings *findings, const struct source *sources, uint32_t n_sources) {
    for (uint32_t i = 1; i < findings->n; i++) {
        struct finding moved = findings->v[i];
        uint32_t rank = file_rank(&moved, sources, n_sources), at = i;
        while (at > 0) {
            const struct finding *other = &findings->v[at - 1];
            uint32_t other_rank = file_rank(other, sources, n_sources);
            if (other_rank < rank || (other_rank == rank && other->line <= moved.line))
                break;
            findings->v[at] = *other;
            at--;
        }
        findings->v[at] = moved;
    }
}
