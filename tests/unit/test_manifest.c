/* Manifests: what is written is read again, and nothing else is. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/manifest.h"

static const struct manifest_head head = {"0.1.0", "jobs", "000042-20261121T031500Z", "2026-11-21T03:15:00Z",
                                          "host\x01\"\\\n\xff", "SIGTERM from outside \xe2\x82\xac"};
static const struct manifest_entry entries[] = {
    {.path = "d", .type = MANIFEST_DIR, .mode = 07777, .uid = 4294967295u, .gid = 1, .mtime = -3, .mtime_ns = 999999999},
    {.path = "d/a \"b\"\\", .type = MANIFEST_FILE, .mode = 0644, .size = 12, .hashed = true, .sha256 = {0xab, [31] = 1}},
    {.path = "d/\xff\n", .type = MANIFEST_FILE, .size = 3},
    {.path = "d/\xc3\xa4", .type = MANIFEST_LINK, .mode = 0777, .target = "../d/\x80"},
};
enum { N = sizeof entries / sizeof *entries };
static const uint8_t seal[MANIFEST_HASH] = {1, 2, 3};

static char text[8192];

static size_t write_all(size_t n, uint64_t files, uint64_t bytes) {
    struct out out = out_on(text, sizeof text);
    manifest_head(&out, &head);
    for (size_t i = 0; i < n; i++)
        manifest_entry(&out, &entries[i], i == 0);
    manifest_tail(&out, files, bytes);
    manifest_seal(&out, seal);
    cr_assert(!out.cut);
    return out.n;
}

/* Entries read of a text, -1: it was refused. Each line has memory of its own, so that a byte too far is seen. */
static int read_all(const char *from) {
    struct manifest_reader reader = {0};
    struct manifest_head got;
    struct manifest_entry entry;
    int n = 0;
    for (const char *end; (end = strchr(from, '\n')) != NULL; from = end + 1) {
        size_t bytes = (size_t)(end - from);
        char *line = malloc(bytes ? bytes : 1);
        memcpy(line, from, bytes);
        enum manifest_line kind = manifest_read(&reader, line, bytes, &got, &entry);
        if (kind == MANIFEST_IS_HEAD)
            cr_assert(strcmp(got.id, head.id) == 0 && strcmp(got.cause, head.cause) == 0 &&
                      strcmp(got.host, "host\x01\"\\\n\xef\xbf\xbd") == 0 && strcmp(got.name, "jobs") == 0);
        if (kind == MANIFEST_IS_ENTRY) {
            const struct manifest_entry *want = &entries[n++];
            cr_assert_str_eq(entry.path, want->path);
            cr_assert((entry.target == NULL) == (want->target == NULL));
            cr_assert(entry.target == NULL || strcmp(entry.target, want->target) == 0);
            cr_assert(entry.type == want->type && entry.mode == want->mode && entry.size == want->size &&
                      entry.uid == want->uid && entry.gid == want->gid && entry.mtime == want->mtime &&
                      entry.mtime_ns == want->mtime_ns && entry.hashed == want->hashed &&
                      memcmp(entry.sha256, want->sha256, MANIFEST_HASH) == 0);
        }
        free(line);
        if (kind == MANIFEST_BAD)
            return -1;
    }
    return reader.last == MANIFEST_IS_SEAL && memcmp(reader.sha256, seal, sizeof seal) == 0 ? n : -1;
}

Test(manifest, what_is_written_is_read) {
    for (int n = 0; n <= N; n++) {
        write_all((size_t)n, n < 2 ? 0 : n == 2 ? 1 : 2, n < 2 ? 0 : n == 2 ? 12 : 15);
        cr_assert_eq(read_all(text), n, "%d", n);
    }
}

Test(manifest, what_is_no_utf8_stands_in_hex) {
    write_all(N, 2, 15);
    cr_assert_not_null(strstr(text, "\n{\"path_hex\":\"642fff0a\",\"type\":\"file\""));
    cr_assert_not_null(strstr(text, "\"path\":\"d/\xc3\xa4\",\"type\":\"link\",\"mode\":\"0777\""));
    cr_assert_not_null(strstr(text, "\"target_hex\":\"2e2e2f642f80\"}\n"));
}

Test(manifest, the_longest_entry_fits_a_line) {
    static char path[MANIFEST_PATH], target[MANIFEST_PATH], line[MANIFEST_LINE];
    memset(path, 1, sizeof path - 1);
    memset(target, '"', sizeof target - 1);
    struct manifest_entry entry = {.path = path, .target = target, .type = MANIFEST_LINK, .uid = UINT32_MAX,
                                   .gid = UINT32_MAX, .mtime = INT64_MIN, .mtime_ns = 999999999};
    struct out out = out_on(line, sizeof line);
    manifest_entry(&out, &entry, false);
    cr_assert(!out.cut);
}

Test(manifest, sums_have_to_agree) {
    write_all(N, 1, 15);
    cr_assert_eq(read_all(text), -1);
    write_all(N, 2, 14);
    cr_assert_eq(read_all(text), -1);
}

/* One byte left out, but of a number; and values that nobody writes. */
Test(manifest, every_line_has_one_form) {
    static char copy[sizeof text];
    size_t n = write_all(1, 0, 0);
    memcpy(copy, text, n + 1);
    size_t first = strcspn(copy, "\n") + 1;
    for (size_t i = first; i < n; i++) {
        if (strchr("-0123456789", copy[i]) != NULL)
            continue;
        memcpy(text, copy, n + 1);
        memmove(text + i, text + i + 1, n - i);
        cr_assert_eq(read_all(text), -1, "without byte %zu: %s", i, text);
    }
    static const char *const lines[][2] = {
        {"\"uid\":4294967295", "\"uid\":4294967296"}, {"\"uid\":4294967295", "\"uid\":04"}, {"\"uid\":4294967295", "\"uid\":"},
        {"\"mtime\":-3", "\"mtime\":-0"}, {"\"mtime\":-3", "\"mtime\":9223372036854775808"},
        {"\"mtime_ns\":999999999", "\"mtime_ns\":1000000000"}, {"\"mode\":\"7777\"", "\"mode\":\"7787\""},
        {"\"type\":\"dir\"", "\"type\":\"fifo\""}, {"\"path\":\"d\"", "\"path\":\"\\u0000\""},
        {"\"path\":\"d\"", "\"path\":\"\xff\""}, {"\"path\":\"d\"", "\"path\":\"\\u0080\""},
        {"\"path\":\"d\"", "\"path_hex\":\"00\""}, {"\"path\":\"d\"", "\"path_hex\":\"6\""},
        {"\"path\":\"d\"", "\"path_hex\":\"6G\""}, {"\"path\":\"d\"", "\"path\":\"\""}, {"\"path\":\"d\"", "\"path\":\"/d\""},
        {"\"path\":\"d\"", "\"path\":\"..\""}, {"\"path\":\"d\"", "\"path\":\"a/../d\""}, {"\"path\":\"d\"", "\"path\":\"a//d\""},
        {"\"path\":\"d\"", "\"path\":\"d/\""}, {"\"path\":\"d\"", "\"path\":\"./d\""}, {"}\n]", "},\n]"}, {"}\n]", "}\n}"},
        {"\"files\":0", "\"files\":00"}, {"[\n", "[\n\n"}, {"\"format\":1", "\"format\":2"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char *at = strstr(copy, lines[i][0]);
        cr_assert_not_null(at, "%zu", i);
        size_t before = (size_t)(at - copy);
        snprintf(text, sizeof text, "%.*s%s%s", (int)before, copy, lines[i][1], at + strlen(lines[i][0]));
        cr_assert_eq(read_all(text), -1, "%s", text);
    }
}

Test(manifest, half_a_hash_is_not_none) {
    write_all(2, 1, 12);
    char *hash = strstr(text, "\"sha256\":\"ab") + 10;
    memmove(hash + 33, strchr(hash, '"'), strlen(strchr(hash, '"')) + 1);
    cr_assert_eq(read_all(text), -1);
}

Test(manifest, order_of_lines) {
    write_all(2, 1, 12);
    cr_assert_eq(read_all(strchr(text, '\n') + 1), -1, "no head");
    strcat(text, "}\n");
    cr_assert_eq(read_all(text), -1, "something after the seal");
    *strstr(text, "\"sha256\":\"01") = 0;
    cr_assert_eq(read_all(text), -1, "no seal");
}

Test(manifest, depth) {
    char path[2 * MANIFEST_DEPTH + 2] = "a";
    for (int i = 1; i < MANIFEST_DEPTH; i++)
        strcat(path, "/a");
    cr_assert(manifest_path_fits(path));
    strcat(path, "/a");
    cr_assert(!manifest_path_fits(path));
}

Test(manifest, links_that_leave) {
    cr_assert(manifest_link_stays("a", "b"));
    cr_assert(manifest_link_stays("a", "b/c//d/"));
    cr_assert(manifest_link_stays("a", "./b/..."));
    cr_assert(manifest_link_stays("d/a", "../b"));
    cr_assert(manifest_link_stays("d/e/a", ".././../b"));
    cr_assert(manifest_link_stays("d/a", ".."));
    cr_assert(!manifest_link_stays("a", ""));
    cr_assert(!manifest_link_stays("a", "/b"));
    cr_assert(!manifest_link_stays("a", ".."));
    cr_assert(!manifest_link_stays("d/a", "../.."));
    cr_assert(!manifest_link_stays("d/a", "..//../b"));
    cr_assert(!manifest_link_stays("d/e/a", "b/.."), "b may be a link to a place that lies less deep");
}

/* A line that may stand behind a head. */
static enum manifest_line read_entry(const char *line) {
    static struct manifest_entry entry;
    struct manifest_reader reader = {.last = MANIFEST_IS_HEAD};
    size_t n = strlen(line);
    char *copy = malloc(n + (n == 0));
    memcpy(copy, line, n);
    enum manifest_line kind = manifest_read(&reader, copy, n, NULL, &entry);
    free(copy);
    return kind;
}

/* Cut short anywhere, a line is none. */
Test(manifest, lines_that_are_cut) {
    size_t n = write_all(N, 2, 15), at = 0;
    for (int line = 0; at < n; line++) {
        size_t bytes = strcspn(text + at, "\n");
        for (size_t part = 0; part < bytes; part++) {
            struct manifest_reader reader = {0};
            struct manifest_head got;
            struct manifest_entry entry;
            for (size_t from = 0; from < at; from += strcspn(text + from, "\n") + 1) {
                char *whole = strndup(text + from, strcspn(text + from, "\n"));
                cr_assert_neq(manifest_read(&reader, whole, strlen(whole), &got, &entry), MANIFEST_BAD);
                free(whole);
            }
            bool comma = line > 0 && line < N && part == bytes - 1; /* without it no more is to come */
            char *copy = malloc(part + (part == 0));
            memcpy(copy, text + at, part);
            enum manifest_line kind = manifest_read(&reader, copy, part, &got, &entry);
            cr_assert_eq(kind != MANIFEST_BAD, comma, "line %d, %zu bytes", line, part);
            free(copy);
        }
        at += bytes + 1;
    }
}

#define REST "\"type\":\"dir\",\"mode\":\"0755\",\"uid\":0,\"gid\":0,\"mtime\":1,\"mtime_ns\":0}"

Test(manifest, escapes) {
    cr_assert_eq(read_entry("{\"path\":\"a\\n\\r\\t\\\"\\\\\\u0001\"," REST), MANIFEST_IS_ENTRY);
    static const char *const bad[] = {
        "\\x", "\\u0101", "\\u00G1", "\\u00{1", "\\u0080", "a\x01", "a\x7f", "\\",
    };
    char line[256];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(line, sizeof line, "{\"path\":\"%s\"," REST, bad[i]);
        cr_assert_eq(read_entry(line), MANIFEST_BAD, "%s", bad[i]);
    }
    cr_assert_eq(read_entry("{\"path\":\"a\",\"type\":\"dir\",\"mode\":\"/755\",\"uid\":0,\"gid\":0,\"mtime\":1,\"mtime_ns\":0}"),
                 MANIFEST_BAD);
}

Test(manifest, links_as_they_are_read) {
    static const char form[] = "{\"path\":\"d/a\",\"type\":\"link\",\"mode\":\"0777\",\"uid\":0,\"gid\":0,\"mtime\":1,"
                               "\"mtime_ns\":0,\"target%s\"}";
    static const struct { const char *target; bool good; } links[] = {
        {"\":\"../b", true}, {"_hex\":\"2e2e2f62", true}, {"\":\"/b", false}, {"\":\"../../b", false}, {"_hex\":\"2f62", false},
        {"_hex\":\"2f6", false}, {"_hex\":\"", false}, {"\":\"", false}, {"\":\"\\", false}, {"s\":\"b", false},
    };
    char line[256];
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        snprintf(line, sizeof line, form, links[i].target);
        cr_assert_eq(read_entry(line) != MANIFEST_BAD, links[i].good, "%s", line);
    }
    cr_assert(manifest_link_stays("d/a", ".b/..c/d."));
    cr_assert(manifest_path_fits(".b/..c/d./..."));
}

Test(manifest, paths_and_targets_are_bounded) {
    static char path[MANIFEST_PATH + 1];
    memset(path, 'a', MANIFEST_PATH - 1);
    cr_assert(manifest_path_fits(path) && manifest_link_stays("a", path));
    path[MANIFEST_PATH - 1] = 'a';
    cr_assert(!manifest_path_fits(path) && !manifest_link_stays("a", path));
}

Test(manifest, bytes_that_no_disk_has) {
    struct manifest_entry most = {.path = "a", .type = MANIFEST_FILE, .size = INT64_MAX}, entry;
    struct manifest_reader reader = {.last = MANIFEST_IS_HEAD};
    for (int i = 0; i < 2; i++) {
        struct out out = out_on(text, sizeof text);
        manifest_entry(&out, &most, true);
        out_char(&out, ',');
        cr_assert_eq(manifest_read(&reader, text + 1, out.n - 1, NULL, &entry), i ? MANIFEST_BAD : MANIFEST_IS_ENTRY);
    }
}
