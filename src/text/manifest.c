#include "text/manifest.h"

#include <string.h>

#include "text/json.h"

static const char *const types[] = {"file", "dir", "link"};
_Static_assert(sizeof types / sizeof *types == MANIFEST_TYPES, "a name a type");

static void hex(struct out *out, const uint8_t *bytes, size_t n) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out_char(out, digits[bytes[i] >> 4]);
        out_char(out, digits[bytes[i] & 15]);
    }
}

static void member(struct out *out, const char *key) {
    out_text(out, ",\"");
    out_text(out, key);
    out_text(out, "\":");
}

static void number(struct out *out, const char *key, int64_t value) {
    member(out, key);
    out_int(out, value);
}

static void text(struct out *out, const char *key, const char *value) {
    member(out, key);
    json_string(out, value, strlen(value));
}

static void hash(struct out *out, const uint8_t sha256[static MANIFEST_HASH]) {
    out_text(out, "\"sha256\":\"");
    hex(out, sha256, MANIFEST_HASH);
    out_char(out, '"');
}

/* "key":"…", or "key_hex":"…" where JSON could not give the same bytes back. */
static void exact(struct out *out, const char *key, const char *value) {
    size_t n = strlen(value);
    bool plain = json_is_plain(value, n);
    out_char(out, '"');
    out_text(out, key);
    out_text(out, plain ? "\":" : "_hex\":\"");
    if (plain) {
        json_string(out, value, n);
        return;
    }
    hex(out, (const uint8_t *)value, n);
    out_char(out, '"');
}

void manifest_head(struct out *out, const struct manifest_head *head) {
    out_text(out, "{\"format\":1");
    text(out, "lastcall", head->lastcall);
    text(out, "name", head->name);
    text(out, "id", head->id);
    text(out, "time", head->time);
    text(out, "host", head->host);
    text(out, "cause", head->cause);
    out_text(out, ",\"entries\":[");
}

static void mode(struct out *out, uint16_t bits) {
    out_text(out, "\",\"mode\":\"");
    for (int shift = 9; shift >= 0; shift -= 3)
        out_char(out, (char)('0' + (bits >> shift & 7)));
    out_char(out, '"');
}

void manifest_entry(struct out *out, const struct manifest_entry *entry, bool first) {
    out_text(out, first ? "\n{" : ",\n{");
    exact(out, "path", entry->path);
    out_text(out, ",\"type\":\"");
    out_text(out, types[entry->type]);
    mode(out, entry->mode);
    number(out, "uid", entry->uid);
    number(out, "gid", entry->gid);
    number(out, "mtime", entry->mtime);
    number(out, "mtime_ns", entry->mtime_ns);
    if (entry->type == MANIFEST_FILE)
        number(out, "size", (int64_t)entry->size);
    if (entry->type == MANIFEST_FILE && entry->hashed) {
        out_char(out, ',');
        hash(out, entry->sha256);
    }
    if (entry->type == MANIFEST_LINK) {
        out_char(out, ',');
        exact(out, "target", entry->target);
    }
    out_char(out, '}');
}

void manifest_tail(struct out *out, uint64_t files, uint64_t bytes) {
    out_text(out, "\n]");
    number(out, "files", (int64_t)files);
    number(out, "bytes", (int64_t)bytes);
    out_text(out, ",\n");
}

void manifest_seal(struct out *out, const uint8_t sha256[static MANIFEST_HASH]) {
    hash(out, sha256);
    out_text(out, "}\n");
}

/* ---- paths ---- */

bool manifest_path_fits(const char *path) {
    size_t names = 0;
    if (strlen(path) >= MANIFEST_PATH)
        return false;
    for (const char *at = path;; at++) {
        size_t n = strcspn(at, "/");
        if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.') || ++names > MANIFEST_DEPTH)
            return false;
        at += n;
        if (*at == 0)
            return true;
    }
}

/* The next name of a path that may have several slashes in a row; its length, 0 at the end. */
static size_t next_name(const char **at) {
    *at += strspn(*at, "/");
    return strcspn(*at, "/");
}

/* ".." leads up from where a link really lies; after a name it could lead up from where another link points. */
bool manifest_link_stays(const char *path, const char *target) {
    size_t deep = 0, n;
    bool named = false;
    if (target[0] == 0 || target[0] == '/' || strlen(target) >= MANIFEST_PATH)
        return false;
    for (; *path != 0; path++)
        deep += *path == '/';
    for (; (n = next_name(&target)) != 0; target += n) {
        bool up = n == 2 && target[0] == '.' && target[1] == '.';
        if (up && (named || deep-- == 0))
            return false;
        named |= !up && !(n == 1 && target[0] == '.');
    }
    return true;
}

/* ---- reading ---- */

struct scan { char *at, *end; };

static bool eat(struct scan *scan, const char *literal) {
    size_t n = strlen(literal);
    if ((size_t)(scan->end - scan->at) < n || memcmp(scan->at, literal, n) != 0)
        return false;
    scan->at += n;
    return true;
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* Two digits; -1: they are none. */
static int hex_byte(struct scan *scan) {
    if (scan->end - scan->at < 2)
        return -1;
    int high = hex_digit(scan->at[0]), low = hex_digit(scan->at[1]);
    scan->at += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* After a backslash; -1: nothing that the writer writes. */
static int escape(struct scan *scan) {
    if (scan->at == scan->end)
        return -1;
    switch (*scan->at++) {
    case '"': return '"';
    case '\\': return '\\';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u': return eat(scan, "00") ? hex_byte(scan) : -1;
    default: return -1;
    }
}

/* A string without its first quote. The bytes are put over their own text, which is never shorter. */
static bool string(struct scan *scan, const char **value) {
    char *start = scan->at, *to = start;
    for (;;) {
        if (scan->at == scan->end)
            return false;
        int c = (unsigned char)*scan->at++;
        if (c == '"')
            break;
        bool escaped = c == '\\';
        c = escaped ? escape(scan) : c;
        if (c <= 0 || (escaped ? c >= 0x80 : c < 0x20 || c == 0x7f))
            return false;
        *to++ = (char)c;
    }
    *to = 0;
    *value = start;
    return json_is_utf8(start, (size_t)(to - start));
}

static bool hex_string(struct scan *scan, const char **value) {
    char *start = scan->at, *to = start;
    while (scan->at < scan->end && *scan->at != '"') {
        int byte = hex_byte(scan);
        if (byte <= 0)
            return false;
        *to++ = (char)byte;
    }
    if (!eat(scan, "\""))
        return false;
    *to = 0;
    *value = start;
    return true;
}

static bool eat_text(struct scan *scan, const char *before, const char **value) {
    return eat(scan, before) && string(scan, value);
}

/* No zeros in front, no plus. */
static bool eat_uint(struct scan *scan, const char *before, uint64_t most, uint64_t *value) {
    if (!eat(scan, before))
        return false;
    char *start = scan->at;
    for (*value = 0; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++) {
        uint64_t digit = (uint64_t)(*scan->at - '0');
        if (*value > (most - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return scan->at > start && (*start != '0' || scan->at - start == 1);
}

static bool eat_u32(struct scan *scan, const char *before, uint64_t most, uint32_t *value) {
    uint64_t wide;
    bool good = eat_uint(scan, before, most, &wide);
    *value = good ? (uint32_t)wide : 0;
    return good;
}

static bool eat_int(struct scan *scan, const char *before, int64_t *value) {
    uint64_t size;
    if (!eat(scan, before))
        return false;
    bool negative = eat(scan, "-");
    if (!eat_uint(scan, "", INT64_MAX, &size) || (negative && size == 0))
        return false;
    *value = negative ? -(int64_t)size : (int64_t)size;
    return true;
}

static bool eat_mode(struct scan *scan, const char *before, uint16_t *bits) {
    if (!eat(scan, before) || scan->end - scan->at < 4)
        return false;
    *bits = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        if (*scan->at < '0' || *scan->at > '7')
            return false;
        *bits = (uint16_t)(*bits << 3 | (*scan->at - '0'));
    }
    return eat(scan, "\"");
}

static bool eat_hash(struct scan *scan, const char *before, uint8_t sha256[static MANIFEST_HASH]) {
    if (!eat(scan, before))
        return false;
    for (int i = 0; i < MANIFEST_HASH; i++) {
        int byte = hex_byte(scan);
        if (byte < 0)
            return false;
        sha256[i] = (uint8_t)byte;
    }
    return eat(scan, "\"");
}

static bool eat_type(struct scan *scan, uint8_t *type) {
    for (*type = 0; *type < MANIFEST_TYPES; ++*type)
        if (eat(scan, types[*type]))
            return eat(scan, "\"");
    return false;
}

static bool read_head(struct scan *scan, struct manifest_head *head) {
    return eat_text(scan, "{\"format\":1,\"lastcall\":\"", &head->lastcall) &&
           eat_text(scan, ",\"name\":\"", &head->name) && eat_text(scan, ",\"id\":\"", &head->id) &&
           eat_text(scan, ",\"time\":\"", &head->time) && eat_text(scan, ",\"host\":\"", &head->host) &&
           eat_text(scan, ",\"cause\":\"", &head->cause) && eat(scan, ",\"entries\":[");
}

static bool read_rest(struct scan *scan, struct manifest_entry *entry) {
    switch ((enum manifest_type)entry->type) {
    case MANIFEST_FILE:
        if (!eat_uint(scan, ",\"size\":", INT64_MAX, &entry->size))
            return false;
        entry->hashed = eat(scan, ",\"sha256\":\"");
        return !entry->hashed || eat_hash(scan, "", entry->sha256);
    case MANIFEST_LINK:
        return (eat(scan, ",\"target_hex\":\"") ? hex_string(scan, &entry->target)
                                                : eat_text(scan, ",\"target\":\"", &entry->target)) &&
               manifest_link_stays(entry->path, entry->target);
    case MANIFEST_DIR:
    case MANIFEST_TYPES: break;
    }
    return true;
}

static bool read_entry(struct scan *scan, struct manifest_entry *entry, bool *more) {
    *entry = (struct manifest_entry){0};
    if (!(eat(scan, "{\"path_hex\":\"") ? hex_string(scan, &entry->path) : eat_text(scan, "{\"path\":\"", &entry->path)))
        return false;
    if (!eat(scan, ",\"type\":\"") || !eat_type(scan, &entry->type) || !eat_mode(scan, ",\"mode\":\"", &entry->mode) ||
        !eat_u32(scan, ",\"uid\":", UINT32_MAX, &entry->uid) || !eat_u32(scan, ",\"gid\":", UINT32_MAX, &entry->gid) ||
        !eat_int(scan, ",\"mtime\":", &entry->mtime) || !eat_u32(scan, ",\"mtime_ns\":", 999999999, &entry->mtime_ns))
        return false;
    if (!manifest_path_fits(entry->path) || !read_rest(scan, entry) || !eat(scan, "}"))
        return false;
    *more = eat(scan, ",");
    return true;
}

static bool read_tail(struct scan *scan, const struct manifest_reader *reader) {
    uint64_t files, bytes;
    return eat_uint(scan, "],\"files\":", INT64_MAX, &files) && eat_uint(scan, ",\"bytes\":", INT64_MAX, &bytes) &&
           eat(scan, ",") && files == reader->files && bytes == reader->bytes;
}

static bool count(struct manifest_reader *reader, const struct manifest_entry *entry) {
    reader->files += entry->type == MANIFEST_FILE;
    reader->bytes += entry->size;
    return reader->bytes <= INT64_MAX;
}

/* Which kind of line stands here; the first bytes of each tell it from the others. */
static enum manifest_line expected(const struct manifest_reader *reader, const struct scan *scan) {
    switch ((enum manifest_line)reader->last) {
    case MANIFEST_BAD: return MANIFEST_IS_HEAD;
    case MANIFEST_IS_HEAD: return scan->at < scan->end && *scan->at == ']' ? MANIFEST_IS_TAIL : MANIFEST_IS_ENTRY;
    case MANIFEST_IS_ENTRY: return reader->more ? MANIFEST_IS_ENTRY : MANIFEST_IS_TAIL;
    case MANIFEST_IS_TAIL: return MANIFEST_IS_SEAL;
    case MANIFEST_IS_SEAL: break;
    }
    return MANIFEST_BAD;
}

enum manifest_line manifest_read(struct manifest_reader *reader, char *text, size_t n, struct manifest_head *head,
                                 struct manifest_entry *entry) {
    struct scan scan = {text, text + n};
    enum manifest_line kind = expected(reader, &scan);
    bool good = false;
    switch (kind) {
    case MANIFEST_IS_HEAD: good = read_head(&scan, head); break;
    case MANIFEST_IS_ENTRY: good = read_entry(&scan, entry, &reader->more) && count(reader, entry); break;
    case MANIFEST_IS_TAIL: good = read_tail(&scan, reader); break;
    case MANIFEST_IS_SEAL: good = eat_hash(&scan, "\"sha256\":\"", reader->sha256) && eat(&scan, "}"); break;
    case MANIFEST_BAD: break;
    }
    reader->last = (uint8_t)(good && scan.at == scan.end ? kind : MANIFEST_BAD);
    return reader->last;
}
