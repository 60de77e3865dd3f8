/* A file's lines, by way of inih, into sections and entries.
 *
 * inih splits lines; what it would do in silence is taken from it: this reader gives it one line at a
 * time, never one that its buffer would cut, never an indented one (which it would join to the line
 * before), without comments (which it would find in quotes too). A section's name is read here, since
 * inih keeps 49 bytes of it. What inih hands over is compared with what the line says, and a line that
 * it never hands over is found as well. So every build of inih will do, whatever its options are.
 */
#include <ini.h>
#include <string.h>

#include "conf/load.h"
#include "model/limits.h"
#include "text/out.h"

/* Debian's inih has its options as variables, others have them compiled in. Where they exist, they are
 * set: a longer line fits then, and the heap stays unused. */
extern int ini_max_line __attribute__((weak));
extern bool ini_use_stack __attribute__((weak));
extern bool ini_allow_multiline __attribute__((weak));
extern bool ini_allow_inline_comments __attribute__((weak));
extern bool ini_allow_no_value __attribute__((weak));

enum { COVER = 1 }; /* stands for ';' on the way through inih, which may take it for a comment; no line has this byte */

struct reader {
    struct load *load;
    const struct source *source;
    size_t at;
    struct place where;       /* of the line that was read last */
    uint32_t errors;          /* before it */
    bool skip;                /* the section is bad: its keys are not looked at */
    bool pending;             /* inih has a line that it has not handed over yet */
    struct section *section;
    struct piece name, value; /* of the pending line */
};

/* A finding about the line that was read last. */
#define bad_line(r, ...) error_at((r)->load, (r)->where, __VA_ARGS__)

static const char *piece_text(struct reader *r, struct piece piece) {
    const char *text = copy_text(r->load->voice.arena, piece.text, piece.n);
    return text ? text : "";
}

static bool blank(char c) { return c == ' ' || c == '\t'; }

static struct piece trim(struct piece p) {
    while (p.n && blank(p.text[0])) {
        p.text++;
        p.n--;
    }
    while (p.n && blank(p.text[p.n - 1]))
        p.n--;
    return p;
}

/* The next line without its end. */
static struct piece take_line(struct reader *r) {
    const char *start = r->source->text + r->at;
    size_t left = r->source->bytes - r->at;
    const char *end = memchr(start, '\n', left);
    struct piece line = {start, end ? (size_t)(end - start) : left};
    r->at += line.n + (end != NULL);
    if (r->where.line++ == 0 && line.n >= 3 && memcmp(line.text, "\xEF\xBB\xBF", 3) == 0) {
        line.text += 3;
        line.n -= 3;
    }
    if (line.n && line.text[line.n - 1] == '\r')
        line.n--;
    return line;
}

static bool line_is_clean(struct reader *r, struct piece line) {
    if (line.n > MAX_LINE) {
        bad_line(r, "the line is longer than 4096 bytes; a shorter one");
        return false;
    }
    for (size_t i = 0; i < line.n; i++)
        if (line.text[i] == 0x7f || (line.text[i] >= 0 && line.text[i] < ' ' && line.text[i] != '\t')) {
            bad_line(r, "the line has a control byte%s; text", line.text[i] ? "" : " (NUL)");
            return false;
        }
    return true;
}

/* Takes a comment off the end: a ';' behind a blank and outside quotes. */
static struct piece without_comment(struct reader *r, struct piece line) {
    char quote = 0;
    for (size_t i = 0; i < line.n; i++) {
        char c = line.text[i];
        if (c == '\\' && quote != '\'')
            i++;
        else if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == ';' && i > 0 && blank(line.text[i - 1]))
            return (struct piece){line.text, i};
    }
    if (quote) {
        bad_line(r, "a quote is not closed; another %s", quote == '"' ? "\"" : "'");
        line.n = 0;
    }
    return line;
}

static struct section *add_section(struct reader *r, unsigned kind, struct piece name) {
    struct load *load = r->load;
    struct section *section = arena_take(load->voice.arena, sizeof *section);
    if (!section) {
        too_large(r->load);
        return NULL;
    }
    *section = (struct section){.name = piece_text(r, name), .where = r->where, .kind = kind};
    section->last = &section->entries;
    *load->last_section = section;
    load->last_section = &section->next;
    if (kind == IN_LASTCALL)
        load->lastcall = section;
    return section;
}

static const char *nearest_kind(struct piece word) {
    const char *best = NULL;
    unsigned least = 4;
    for (unsigned kind = IN_LASTCALL; kind <= IN_FINISH; kind <<= 1) {
        const char *name = section_kind_name(kind);
        unsigned distance = edits(word.text, word.n, name, strlen(name), 3);
        if (distance < least) {
            least = distance;
            best = name;
        }
    }
    return best;
}

static void unknown_section(struct reader *r, struct piece word) {
    const char *near = nearest_kind(word);
    if (near)
        bad_line(r, "there is no section [%s]; [%s%s]", piece_text(r, word), near,
                 strcmp(near, "lastcall") == 0 ? "" : " NAME");
    else
        bad_line(r, "there is no section [%s]; [lastcall], [service NAME], [drain NAME], [checkpoint NAME] or [finish NAME]",
                 piece_text(r, word));
}

/* "[KIND NAME]" */
static struct section *open_section(struct reader *r, struct piece line) {
    struct piece inner = {line.text + 1, line.n - 2}, word, name;
    const struct section *twin;
    unsigned kind;
    if (line.n < 2 || line.text[line.n - 1] != ']') {
        bad_line(r, "a section's line must end with ]; [service NAME]");
        return NULL;
    }
    inner = trim(inner);
    word = inner;
    for (word.n = 0; word.n < inner.n && !blank(inner.text[word.n]);)
        word.n++;
    name = trim((struct piece){inner.text + word.n, inner.n - word.n});
    kind = section_kind(word.text, word.n);
    if (!kind) {
        unknown_section(r, word);
        return NULL;
    }
    if (kind == IN_LASTCALL ? name.n != 0 : !name_is_good(name.text, name.n)) {
        bad_line(r, kind == IN_LASTCALL ? "[%s] takes no name; [lastcall]"
                 : "[%s] is no good name; one of a-z, 0-9 and -, at most 48 bytes, as [service web-1]", piece_text(r, inner));
        return NULL;
    }
    twin = section_find(r->load, kind, name.text, name.n);
    if (twin) {
        bad_line(r, "[%s] stands twice, first in %s; it once", piece_text(r, inner),
                 place_text(r->load->voice.arena, twin->where));
        return NULL;
    }
    return add_section(r, kind, name);
}

/* Splits NAME = VALUE; an empty piece name says that the line is no good. */
static void open_entry(struct reader *r, struct piece line) {
    const char *equals = memchr(line.text, '=', line.n);
    if (!equals) {
        bad_line(r, "the line has no =; NAME = VALUE, all in one line");
        return;
    }
    r->name = trim((struct piece){line.text, (size_t)(equals - line.text)});
    r->value = trim((struct piece){equals + 1, (size_t)(line.text + line.n - equals) - 1});
    if (r->name.n == 0 || memchr(r->name.text, ':', r->name.n)) {
        bad_line(r, "the line does not begin with the name of a key; NAME = VALUE");
        return;
    }
    if (!r->section && !r->skip) {
        bad_line(r, "the line stands before any section; [lastcall] or [service NAME] above it");
        return;
    }
    r->pending = !r->skip;
}

/* Whatever inih did not hand over has been lost. A line that was no good leaves its section damaged. */
static void close_line(struct reader *r) {
    if (r->pending)
        bad_line(r, "the ini parser did not understand the line; NAME = VALUE");
    r->pending = false;
    if (r->section && r->load->voice.findings->errors != r->errors)
        r->section->damaged = true;
    r->errors = r->load->voice.findings->errors;
}

/* What inih gets to see of the line. */
static struct piece prepare(struct reader *r, struct piece line) {
    static const struct piece nothing = {"", 0};
    line = trim(line);
    if (!line_is_clean(r, line) || line.n == 0 || line.text[0] == ';' || line.text[0] == '#')
        return nothing;
    line = trim(without_comment(r, line));
    if (line.n == 0)
        return nothing;
    if (line.text[0] == '[') {
        r->section = NULL;
        r->section = open_section(r, line);
        r->skip = !r->section;
        return nothing;
    }
    open_entry(r, line);
    return r->pending ? line : nothing;
}

/* fgets for inih. */
static char *read_line(char *into, int room, void *stream) {
    struct reader *r = stream;
    struct piece line;
    close_line(r);
    if (r->at >= r->source->bytes || room < 3)
        return NULL;
    line = prepare(r, take_line(r));
    if (line.n + 3 > (size_t)room) {
        bad_line(r, "the line is longer than this build's ini parser takes; a shorter one");
        r->pending = false;
        line.n = 0;
    }
    for (size_t i = 0; i < line.n; i++)
        into[i] = line.text[i] == ';' ? COVER : line.text[i];
    into[line.n] = '\n';
    into[line.n + 1] = 0;
    return into;
}

static bool same_as_line(const char *text, struct piece piece) {
    if (strlen(text) != piece.n)
        return false;
    for (size_t i = 0; i < piece.n; i++)
        if (text[i] != piece.text[i] && !(text[i] == COVER && piece.text[i] == ';'))
            return false;
    return true;
}

static void unknown_key(struct reader *r, const char *name) {
    unsigned kind = r->section->kind;
    enum key_id near = key_nearest(kind, name, strlen(name)), elsewhere = K_N;
    for (unsigned other = IN_LASTCALL; other <= IN_FINISH && elsewhere == K_N; other <<= 1)
        elsewhere = key_of_section(other, name);
    if (elsewhere != K_N)
        bad_line(r, "%s is no key of [%s]; it in [%s]", name, section_kind_name(kind),
                 section_kind_name(keys[elsewhere].sections));
    else if (near != K_N)
        bad_line(r, "there is no key %s; %s", name, key_name(&keys[near]));
    else
        bad_line(r, "there is no key %s in [%s], see lastcall.ini(5)", name, section_kind_name(kind));
}

static void add_entry(struct reader *r, enum key_id key, const char *text) {
    struct section *section = r->section;
    const struct entry *twin = entry_of(section, key);
    struct entry *entry = arena_take(r->load->voice.arena, sizeof *entry);
    if (twin && !(keys[key].flags & KEY_LIST)) {
        bad_line(r, "%s stands twice, first in %s; it once", key_name(&keys[key]),
                 place_text(r->load->voice.arena, (struct place){r->where.file, twin->line}));
        return;
    }
    if (!entry || !text) {
        too_large(r->load);
        return;
    }
    *entry = (struct entry){.text = text, .line = r->where.line, .key = (uint16_t)key};
    *section->last = entry;
    section->last = &entry->next;
}

static int on_entry(void *user, const char *section, const char *name, const char *value) {
    struct reader *r = user;
    enum key_id key;
    (void)section; /* cut at 49 bytes: ours is r->section */
    if (!r->pending || !same_as_line(name, r->name) || !same_as_line(value ? value : "", r->value))
        return 1; /* check_pending says that it was lost */
    r->pending = false;
    key = key_of_section(r->section->kind, name);
    if (key == K_N)
        unknown_key(r, piece_text(r, r->name));
    else
        add_entry(r, key, copy_text(r->load->voice.arena, r->value.text, r->value.n));
    return 1;
}

void ini_read(struct load *load, const struct source *source) {
    struct reader r = {.load = load, .source = source, .where = {source->name, 0}};
    if (&ini_max_line)
        ini_max_line = MAX_LINE + 4;
    if (&ini_use_stack)
        ini_use_stack = true;
    if (&ini_allow_multiline)
        ini_allow_multiline = false;
    if (&ini_allow_inline_comments)
        ini_allow_inline_comments = false;
    if (&ini_allow_no_value)
        ini_allow_no_value = false;
    if (ini_parse_stream(read_line, &r, on_entry, &r) < 0)
        bad_line(&r, "the ini parser has no memory");
    close_line(&r);
}
