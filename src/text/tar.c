#include "text/tar.h"

#include <string.h>

#include "text/out.h"
#include "text/utf8.h"

struct ustar {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, target[100], magic[6], version[2],
        user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a header is a block");

/* The sum of all bytes, those of the sum itself taken as blanks. */
static uint32_t sum_of(const struct ustar *head) {
    const unsigned char *at = (const unsigned char *)head;
    uint32_t sum = 0;
    for (size_t i = 0; i < sizeof *head; i++)
        sum += at[i];
    for (size_t i = 0; i < sizeof head->sum; i++)
        sum -= (unsigned char)head->sum[i];
    return sum + sizeof head->sum * ' ';
}

/* ---- writing ---- */

static bool is_ascii(const char *text) {
    for (; *text != 0; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

static bool is_utf8(const char *text) {
    for (size_t n = strlen(text), have; n > 0; n -= have, text += have)
        if ((have = utf8(text, n)) == 0)
            return false;
    return true;
}

/* "27 path=..." and a line's end; the number counts itself. */
static void record(struct out *out, const char *key, const char *value) {
    size_t rest = strlen(key) + strlen(value) + 3, n = 0, digits = 1;
    for (size_t most = 10; n != rest + digits; most *= 10) {
        n = rest + digits;
        digits += n >= most;
    }
    out_uint(out, n);
    out_char(out, ' ');
    out_text(out, key);
    out_char(out, '=');
    out_text(out, value);
    out_char(out, '\n');
}

static void record_time(struct out *out, int64_t seconds, uint32_t ns) {
    char text[40];
    struct out value = out_on(text, sizeof text);
    bool below = seconds < 0 && ns > 0; /* -0.25 s is -1 s and 750,000,000 ns */
    uint64_t whole = seconds < 0 ? -(uint64_t)seconds - below : (uint64_t)seconds;
    if (seconds < 0)
        out_char(&value, '-');
    out_uint(&value, whole);
    if (ns > 0) {
        out_char(&value, '.');
        ns = below ? 1000000000u - ns : ns;
        for (uint32_t digit = 100000000; ns > 0; ns %= digit, digit /= 10)
            out_char(&value, (char)('0' + ns / digit));
    }
    record(out, "mtime", text);
}

/* Into a field of n bytes; what does not fit becomes a record, and 0. */
static void put_number(struct out *out, char *field, size_t n, uint64_t value, const char *key) {
    char text[24];
    struct out decimal = out_on(text, sizeof text);
    if (value >> 3 * (n - 1) != 0) { /* at most 33 bits: the longest field has 12 bytes */
        out_uint(&decimal, value);
        record(out, key, text);
        value = 0;
    }
    for (field[--n] = 0; n > 0; value >>= 3)
        field[--n] = (char)('0' + (value & 7));
}

/* What does not fit stands in a record; then the field has its start, for those who do not read records. */
static void put_text(struct out *out, char *field, const char *text, const char *key) {
    size_t n = strnlen(text, sizeof((struct ustar *)0)->name + 1);
    if (n > sizeof((struct ustar *)0)->name || !is_ascii(text))
        record(out, key, text);
    memcpy(field, text, n > sizeof((struct ustar *)0)->name ? sizeof((struct ustar *)0)->name : n);
}

static void seal(struct ustar *head, char type) {
    struct out none = {0};
    head->type = type;
    memcpy(head->magic, "ustar\0" "00", 8);
    memset(head->sum, ' ', sizeof head->sum);
    put_number(&none, head->sum, 7, sum_of(head), NULL);
}

static void put_entry(struct out *out, struct ustar *head, const struct tar_entry *entry) {
    static const char types[] = {[TAR_FILE] = '0', [TAR_DIRECTORY] = '5', [TAR_SYMLINK] = '2'};
    const char *target = entry->type == TAR_SYMLINK ? entry->target : "";
    bool late = entry->mtime_s < 0 || entry->mtime_s >> 33 != 0 || entry->mtime_ns > 0;
    if (!is_utf8(entry->path) || !is_utf8(target))
        record(out, "hdrcharset", "BINARY");
    put_text(out, head->name, entry->path, "path");
    put_text(out, head->target, target, "linkpath");
    put_number(out, head->mode, sizeof head->mode, entry->mode & 07777, NULL);
    put_number(out, head->uid, sizeof head->uid, entry->uid, "uid");
    put_number(out, head->gid, sizeof head->gid, entry->gid, "gid");
    put_number(out, head->size, sizeof head->size, entry->type == TAR_FILE ? entry->size : 0, "size");
    if (late)
        record_time(out, entry->mtime_s, entry->mtime_ns);
    put_number(out, head->mtime, sizeof head->mtime,
               entry->mtime_s < 0 || entry->mtime_s >> 33 != 0 ? 0 : (uint64_t)entry->mtime_s, NULL);
    seal(head, types[entry->type]);
}

/* The extended header's own. */
static void put_extended(struct ustar *head, size_t n) {
    struct out none = {0};
    memcpy(head->name, "PaxHeader", 9);
    put_number(&none, head->mode, sizeof head->mode, 0600, NULL);
    put_number(&none, head->uid, sizeof head->uid, 0, NULL);
    put_number(&none, head->gid, sizeof head->gid, 0, NULL);
    put_number(&none, head->size, sizeof head->size, n, NULL);
    put_number(&none, head->mtime, sizeof head->mtime, 0, NULL);
    seal(head, 'x');
}

size_t tar_head(const struct tar_entry *entry, char *into) {
    struct ustar head = {0}, extended = {0};
    struct out out = out_on(into + TAR_BLOCK, TAR_HEAD - 2 * TAR_BLOCK);
    size_t padding, n = 0;
    put_entry(&out, &head, entry);
    if (out.n > 0) {
        put_extended(&extended, out.n);
        memcpy(into, &extended, TAR_BLOCK);
        padding = tar_padding(out.n);
        memset(out.text + out.n, 0, padding);
        n = TAR_BLOCK + out.n + padding;
    }
    memcpy(into + n, &head, TAR_BLOCK);
    return n + TAR_BLOCK;
}

/* ---- reading ---- */

enum { READS_HEADER, READS_EXTENDED, READS_LAST, READS_NOTHING, READS_NO_MORE };

static enum tar_reading bad(struct tar_reader *reader, const char *why) {
    reader->state = READS_NO_MORE;
    reader->why = why;
    return TAR_BAD;
}

static bool digits(const char *at, size_t n, uint32_t base, uint64_t *value) {
    *value = 0;
    for (size_t i = 0; i < n; i++)
        if ((uint32_t)(at[i] - '0') >= base || __builtin_mul_overflow(*value, base, value) ||
            __builtin_add_overflow(*value, (uint32_t)(at[i] - '0'), value))
            return false;
    return n > 0;
}

/* Octal digits, blanks before and a blank or NUL behind them; or, as GNU tar writes large ones, binary. */
static bool get_number(const char *field, size_t n, uint64_t *value) {
    size_t end;
    if ((unsigned char)*field == 0x80) {
        *value = 0;
        for (size_t i = 1; i < n; i++) {
            if (*value >> 55 != 0)
                return false;
            *value = *value << 8 | (unsigned char)field[i];
        }
        return true;
    }
    for (; n > 1 && *field == ' '; n--)
        field++;
    for (end = 0; end < n && field[end] != ' ' && field[end] != 0; end++) {}
    return digits(field, end, 8, value);
}

static bool set_text(char *into, const char *text, size_t n) {
    if (n >= TAR_PATH || memchr(text, 0, n) != NULL)
        return false;
    memcpy(into, text, n);
    into[n] = 0;
    return true;
}

/* An empty value takes back what an earlier record said. What is known of no interest is passed over. */
static const char *take_record(struct tar_reader *reader, const char *key, size_t n_key, const char *value, size_t n) {
    bool path = n_key == 4 && memcmp(key, "path", 4) == 0, target = n_key == 8 && memcmp(key, "linkpath", 8) == 0,
         size = n_key == 4 && memcmp(key, "size", 4) == 0;
    if (n_key >= 11 && memcmp(key, "GNU.sparse.", 11) == 0)
        return "has a sparse file; write it without --sparse";
    if ((path || target || size) && reader->kind == 'g')
        return "has a path or size that is meant for all entries";
    if (path && !set_text(reader->path, value, n))
        return "has a path that is too long";
    if (target && !set_text(reader->target, value, n))
        return "has a link that is too long";
    if (size && n > 0 && !digits(value, n, 10, &reader->size))
        return "has a size that is no number";
    reader->has_path = path ? n > 0 : reader->has_path;
    reader->has_target = target ? n > 0 : reader->has_target;
    reader->has_size = size ? n > 0 : reader->has_size;
    return NULL;
}

/* "27 path=...\n" one after the other. NULL: all is well. */
static const char *take_records(struct tar_reader *reader) {
    static const char broken[] = "has a broken extended header";
    const char *at = reader->extended, *end = at + reader->want;
    while (at < end) {
        const char *blank = memchr(at, ' ', (size_t)(end - at)), *equals, *wrong;
        uint64_t n;
        if (blank == NULL || !digits(at, (size_t)(blank - at), 10, &n) || n > (size_t)(end - at) ||
            n < (size_t)(blank - at) + 2 || at[n - 1] != '\n')
            return broken;
        equals = memchr(blank, '=', (size_t)(at + n - blank));
        if (equals == NULL)
            return broken;
        wrong = take_record(reader, blank + 1, (size_t)(equals - blank - 1), equals + 1, (size_t)(at + n - equals - 2));
        if (wrong != NULL)
            return wrong;
        at += n;
    }
    return NULL;
}

/* GNU tar's own way: the contents are the next entry's path, or target. */
static const char *take_long(struct tar_reader *reader) {
    bool path = reader->kind == 'L';
    size_t n = strnlen(reader->extended, reader->want);
    if (!set_text(path ? reader->path : reader->target, reader->extended, n))
        return "has a path that is too long";
    reader->has_path |= path;
    reader->has_target |= !path;
    return NULL;
}

static enum tar_reading take_extended(struct tar_reader *reader, const char *block) {
    const char *wrong;
    memcpy(reader->extended + reader->have, block, TAR_BLOCK);
    reader->have += TAR_BLOCK;
    if (reader->have < reader->want)
        return TAR_MORE;
    reader->state = READS_HEADER;
    wrong = reader->kind == 'x' || reader->kind == 'g' ? take_records(reader) : take_long(reader);
    return wrong == NULL ? TAR_MORE : bad(reader, wrong);
}

static enum tar_reading begin_extended(struct tar_reader *reader, char kind, uint64_t size) {
    if (size == 0 || size > TAR_EXTENDED)
        return bad(reader, size == 0 ? "has an empty extended header" : "has an extended header that is too long");
    reader->kind = (uint8_t)kind;
    reader->have = 0;
    reader->want = (uint32_t)size;
    reader->state = READS_EXTENDED;
    return TAR_MORE;
}

/* PREFIX/NAME, neither need end with a NUL. GNU tar keeps other things in its prefix. */
static void header_path(struct tar_reader *reader, const struct ustar *head) {
    size_t n = head->magic[5] == 0 ? strnlen(head->prefix, sizeof head->prefix) : 0;
    memcpy(reader->path, head->prefix, n);
    if (n > 0)
        reader->path[n++] = '/';
    set_text(reader->path + n, head->name, strnlen(head->name, sizeof head->name));
}

static uint8_t type_of(char flag) {
    return flag == '0' || flag == 0 ? TAR_FILE : flag == '5' ? TAR_DIRECTORY : flag == '2' ? TAR_SYMLINK : TAR_OTHER;
}

static enum tar_reading take_entry(struct tar_reader *reader, const struct ustar *head, uint64_t size) {
    struct tar_entry *entry = &reader->entry;
    size_t n;
    if (!reader->has_path)
        header_path(reader, head);
    if (!reader->has_target)
        set_text(reader->target, head->target, strnlen(head->target, sizeof head->target));
    *entry = (struct tar_entry){.path = reader->path, .target = reader->target, .type = type_of(head->type),
                                .size = reader->has_size ? reader->size : size};
    n = strlen(reader->path);
    if (entry->type == TAR_DIRECTORY && n > 1 && reader->path[n - 1] == '/')
        reader->path[n - 1] = 0;
    reader->has_path = reader->has_target = reader->has_size = false;
    if (n == 0)
        return bad(reader, "has an entry without a path");
    if (entry->type == TAR_DIRECTORY || entry->type == TAR_SYMLINK ? entry->size > 0 : entry->size > INT64_MAX)
        return bad(reader, "has a size that cannot be");
    return TAR_ENTRY;
}

static enum tar_reading take_header(struct tar_reader *reader, const struct ustar *head) {
    uint64_t sum, size;
    if (memcmp(head->magic, "ustar\0" "00", 8) != 0 && memcmp(head->magic, "ustar  ", 8) != 0)
        return bad(reader, "is no tar archive, or none since POSIX");
    if (!get_number(head->sum, sizeof head->sum, &sum) || sum != sum_of(head))
        return bad(reader, "has a wrong checksum");
    if (!get_number(head->size, sizeof head->size, &size))
        return bad(reader, "has a size that is no number");
    if (head->type == 'x' || head->type == 'g' || head->type == 'L' || head->type == 'K')
        return begin_extended(reader, head->type, size);
    return take_entry(reader, head, size);
}

static bool is_zero(const char *block) { return block[0] == 0 && memcmp(block, block + 1, TAR_BLOCK - 1) == 0; }

enum tar_reading tar_read(struct tar_reader *reader, const char *block) {
    bool zero = is_zero(block);
    if (reader->state == READS_EXTENDED)
        return take_extended(reader, block);
    if (reader->state == READS_NO_MORE)
        return TAR_BAD;
    if (reader->state == READS_HEADER && !zero)
        return take_header(reader, (const struct ustar *)block);
    if (!zero)
        return bad(reader, reader->state == READS_LAST ? "has half an end" : "goes on behind its end");
    if (reader->has_path || reader->has_target || reader->has_size)
        return bad(reader, "ends behind an extended header");
    reader->state = reader->state == READS_HEADER ? READS_LAST : READS_NOTHING;
    return reader->state == READS_LAST ? TAR_MORE : TAR_END;
}
