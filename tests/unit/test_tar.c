/* Archives, written and read again, and those that are refused. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "text/tar.h"

static char archive[64 << 10], long_path[TAR_PATH];
static size_t n_archive;
static struct tar_reader reader;

static const char *head_of(const struct tar_entry *entry) {
    memset(archive, 'X', sizeof archive);
    n_archive = tar_head(entry, archive);
    cr_assert(n_archive <= TAR_HEAD && n_archive % TAR_BLOCK == 0);
    return archive + n_archive - TAR_BLOCK;
}

/* The last answer to all blocks. */
static enum tar_reading read_all(void) {
    enum tar_reading reading = TAR_MORE;
    memset(&reader, 0, sizeof reader);
    for (size_t at = 0; at < n_archive && reading == TAR_MORE; at += TAR_BLOCK)
        reading = tar_read(&reader, archive + at);
    return reading;
}

static const char *make_path(size_t n) {
    for (size_t i = 0; i < n; i++)
        long_path[i] = i % 90 == 89 ? '/' : (char)('a' + i % 26);
    long_path[n] = 0;
    return long_path;
}

/* Gives a changed header its checksum. */
static void seal(char *head) {
    unsigned sum = 0;
    memset(head + 148, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++)
        sum += (unsigned char)head[i];
    snprintf(head + 148, 8, "%06o", sum);
}

Test(tar, a_plain_header) {
    const char *head = head_of(&(struct tar_entry){.path = "a/b", .size = 8, .mode = 04755, .uid = 1000, .gid = 7,
                                                   .mtime_s = 1700000000});
    cr_assert_eq(n_archive, TAR_BLOCK);
    cr_assert_str_eq(head, "a/b");
    cr_assert_str_eq(head + 100, "0004755");
    cr_assert_str_eq(head + 108, "0001750");
    cr_assert_str_eq(head + 116, "0000007");
    cr_assert_str_eq(head + 124, "00000000010");
    cr_assert_str_eq(head + 136, "14524770400");
    cr_assert_eq(memcmp(head + 156, "0\0", 2), 0);
    cr_assert_eq(memcmp(head + 257, "ustar\0" "00", 8), 0);
    cr_assert_eq(tar_padding(0), 0);
    cr_assert_eq(tar_padding(1), 511);
    cr_assert_eq(tar_padding(512), 0);
}

Test(tar, what_does_not_fit_is_a_record) {
    head_of(&(struct tar_entry){.path = "a", .size = 1ull << 33, .uid = 1 << 21, .gid = 4294967295u,
                                .mtime_s = 1ll << 33, .mtime_ns = 50});
    cr_assert_eq(n_archive, 3 * TAR_BLOCK);
    cr_assert_str_eq(archive + TAR_BLOCK, "15 uid=2097152\n18 gid=4294967295\n19 size=8589934592\n"
                                          "29 mtime=8589934592.00000005\n");
    head_of(&(struct tar_entry){.path = "a", .mtime_s = 5, .mtime_ns = 1});
    cr_assert_str_eq(archive + TAR_BLOCK, "21 mtime=5.000000001\n");
    head_of(&(struct tar_entry){.path = "a", .size = (1ull << 33) - 1, .uid = (1 << 21) - 1, .mtime_s = (1ll << 33) - 1});
    cr_assert_eq(n_archive, TAR_BLOCK);
}

Test(tar, times_before_1970) {
    head_of(&(struct tar_entry){.path = "a", .mtime_s = -1, .mtime_ns = 750000000});
    cr_assert_str_eq(archive + TAR_BLOCK, "15 mtime=-0.25\n");
    head_of(&(struct tar_entry){.path = "a", .mtime_s = -2});
    cr_assert_str_eq(archive + TAR_BLOCK, "12 mtime=-2\n");
}

Test(tar, names_that_are_no_ascii) {
    head_of(&(struct tar_entry){.path = "\xc3\xa4"});
    cr_assert_str_eq(archive + TAR_BLOCK, "11 path=\xc3\xa4\n");
    head_of(&(struct tar_entry){.path = "\xff", .type = TAR_SYMLINK, .target = "b"});
    cr_assert_str_eq(archive + TAR_BLOCK, "21 hdrcharset=BINARY\n9 path=\xff\n");
    head_of(&(struct tar_entry){.path = "a", .type = TAR_SYMLINK, .target = "\xff"});
    cr_assert_str_eq(archive + TAR_BLOCK, "21 hdrcharset=BINARY\n14 linkpath=\xff\n");
}

/* Where the number that counts itself gets a digit more. */
Test(tar, paths_of_every_length) {
    for (size_t n = 1; n < TAR_PATH; n++) {
        make_path(n);
        head_of(&(struct tar_entry){.path = long_path, .type = n % 2 ? TAR_FILE : TAR_SYMLINK, .target = long_path,
                                    .size = n % 2 ? n : 0});
        cr_assert_eq(n_archive > TAR_BLOCK, n > 100);
        cr_assert_eq(read_all(), TAR_ENTRY, "%zu: %s", n, reader.why);
        cr_assert_str_eq(reader.entry.path, long_path);
        cr_assert(n % 2 == 1 || strcmp(reader.entry.target, long_path) == 0);
        cr_assert_eq(reader.entry.size, n % 2 ? n : 0);
        cr_assert_eq(reader.entry.type, n % 2 ? TAR_FILE : TAR_SYMLINK);
    }
}

Test(tar, odd_entries_come_back) {
    static const struct tar_entry odd[] = {
        {.path = "\xff\n=\xc3\xa4 1", .size = INT64_MAX},
        {.path = "d/", .type = TAR_DIRECTORY},
        {.path = "a", .type = TAR_SYMLINK, .target = "../\xfe"},
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        head_of(&odd[i]);
        cr_assert_eq(read_all(), TAR_ENTRY, "%zu", i);
        cr_assert_str_eq(reader.entry.path, i == 1 ? "d" : odd[i].path);
        cr_assert(i != 2 || strcmp(reader.entry.target, odd[i].target) == 0);
        cr_assert_eq(reader.entry.size, odd[i].size);
    }
}

/* The name of a header that fills its field, and what its prefix adds. */
Test(tar, prefix) {
    char *head = (char *)head_of(&(struct tar_entry){.path = make_path(100)});
    memset(head + 345, 'p', 155);
    seal(head);
    cr_assert_eq(read_all(), TAR_ENTRY);
    cr_assert_eq(strlen(reader.entry.path), 256);
    cr_assert_eq(reader.entry.path[155], '/');
    memcpy(head + 257, "ustar  ", 8);
    seal(head);
    cr_assert_eq(read_all(), TAR_ENTRY);
    cr_assert_str_eq(reader.entry.path, long_path);
}

Test(tar, types) {
    static const char flags[] = {'0', 0, '5', '2', '1', '3', '4', '6', '7', 'S', 'V', 'D'};
    char *head = (char *)head_of(&(struct tar_entry){.path = "a"});
    for (size_t i = 0; i < sizeof flags; i++) {
        head[156] = flags[i];
        seal(head);
        cr_assert_eq(read_all(), TAR_ENTRY);
        cr_assert_eq(reader.entry.type, i < 2 ? TAR_FILE : i == 2 ? TAR_DIRECTORY : i == 3 ? TAR_SYMLINK : TAR_OTHER);
    }
}

/* What a header's size field holds, and the size it means; -1: refused. */
Test(tar, sizes) {
    static const struct { const char *field; int64_t size; } cases[] = {
        {"00000000017", 15}, {"         17 ", 15}, {"17\0zzzzzzzzz", 15}, {"777777777777", (1ll << 36) - 1},
        {"\x80\0\0\0\0\0\0\0\1\0\0\0", 1 << 24}, {"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", INT64_MAX},
        {"\x80\0\0\0\x80\0\0\0\0\0\0\0", -1}, {"\x80\0\0\1\0\0\0\0\0\0\0\0", -1}, {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", -1},
        {"00000000018", -1}, {"            ", -1}, {"\0\0\0\0\0\0\0\0\0\0\0\0", -1}, {"-1          ", -1}, {"0x1f       ", -1},
    };
    char *head = (char *)head_of(&(struct tar_entry){.path = "a"});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(head + 124, cases[i].field, 12);
        seal(head);
        cr_assert_eq(read_all(), cases[i].size < 0 ? TAR_BAD : TAR_ENTRY, "%zu", i);
        cr_assert(cases[i].size < 0 || reader.entry.size == (uint64_t)cases[i].size, "%zu", i);
    }
}

Test(tar, links_and_directories_have_no_size) {
    char *head = (char *)head_of(&(struct tar_entry){.path = "a", .type = TAR_DIRECTORY});
    head[134] = '1';
    seal(head);
    cr_assert_eq(read_all(), TAR_BAD);
    head[156] = '2';
    seal(head);
    cr_assert_eq(read_all(), TAR_BAD);
}

/* Each byte of a header counts. */
Test(tar, checksums) {
    head_of(&(struct tar_entry){.path = "a", .size = 3});
    for (int i = 0; i < TAR_BLOCK; i++) {
        if (i >= 148 && i < 156)
            continue;
        archive[i] ^= 1;
        cr_assert_eq(read_all(), TAR_BAD, "%d", i);
        archive[i] ^= 1;
    }
    cr_assert_eq(read_all(), TAR_ENTRY);
}

/* An extended header of that kind with this text, then an entry. */
static enum tar_reading extended(char kind, const char *text, size_t n) {
    char *head = archive, *body = archive + TAR_BLOCK;
    size_t padded = n + tar_padding(n);
    tar_head(&(struct tar_entry){.path = "x", .size = n}, head);
    head[156] = kind;
    seal(head);
    memset(body, 0, padded);
    memcpy(body, text, n);
    n_archive = TAR_BLOCK + padded + tar_head(&(struct tar_entry){.path = "a", .size = 1}, body + padded);
    return read_all();
}

#define EXTENDED(kind, text) extended(kind, text, sizeof text - 1)

Test(tar, records_that_are_known) {
    cr_assert_eq(EXTENDED('x', "8 path=\n"), TAR_ENTRY);
    cr_assert_str_eq(reader.entry.path, "a");
    cr_assert_eq(EXTENDED('x', "9 path=b\n9 size=7\n17 SCHILY.xattr=\n\n8 size=\n9 size=5\n"), TAR_BAD);
    cr_assert_eq(EXTENDED('x', "9 path=b\n9 size=7\n18 SCHILY.xattr=\n\n8 size=\n9 size=5\n"), TAR_ENTRY);
    cr_assert_str_eq(reader.entry.path, "b");
    cr_assert_eq(reader.entry.size, 5);
    cr_assert_eq(EXTENDED('x', "9 size=7\n8 size=\n"), TAR_ENTRY);
    cr_assert_eq(reader.entry.size, 1);
    cr_assert_eq(EXTENDED('g', "18 comment=a\0b c\n\n"), TAR_ENTRY);
    cr_assert_eq(EXTENDED('L', "c/d"), TAR_ENTRY);
    cr_assert_str_eq(reader.entry.path, "c/d");
    cr_assert_eq(EXTENDED('K', "to/e"), TAR_ENTRY);
    cr_assert_str_eq(reader.entry.target, "to/e");
}

Test(tar, records_that_are_refused) {
    static const char *const broken[] = {
        "path=b\n", "9path=b\n", "11 path=b\n", "8 path=b\n", "9 path=b ", "0 path=b\n", "1 \n", "2 \n", "3 \n", "4 a\n",
        " 9 path=b\n", "-9 path=b\n", "99999999999999999999999999 path=b\n", "9 path=b\n7", "11 size=0x1\n",
        "30 size=99999999999999999999\n", "28 size=9223372036854775808\n", "23 GNU.sparse.major=1\n",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        cr_assert_eq(extended('x', broken[i], strlen(broken[i])), TAR_BAD, "%s", broken[i]);
    cr_assert_eq(EXTENDED('x', "10 path=b\0\n"), TAR_BAD);
    cr_assert_eq(EXTENDED('g', "9 path=b\n"), TAR_BAD);
    cr_assert_eq(EXTENDED('g', "9 size=3\n"), TAR_BAD);
    cr_assert_eq(EXTENDED('x', ""), TAR_BAD);
    cr_assert_eq(extended('L', make_path(TAR_PATH - 1), TAR_PATH - 1), TAR_ENTRY);
    memset(long_path, 'a', TAR_PATH);
    cr_assert_eq(extended('L', long_path, TAR_PATH), TAR_BAD);
}

/* "N TEXT", N being its length with all that is around it. */
static const char *record(const char *of, size_t n) {
    char whole[2 * TAR_PATH];
    size_t bytes = n + 3;
    while ((size_t)snprintf(whole, sizeof whole, "%zu ", bytes) + n + 1 != bytes)
        bytes++;
    memcpy(whole + bytes - n - 1, of, n);
    whole[bytes - 1] = '\n';
    return extended('x', whole, bytes) == TAR_BAD ? reader.why : "";
}
#define RECORD(text) record(text, sizeof text - 1)

Test(tar, records_say_what_is_wrong_with_them) {
    static char path[TAR_PATH + 5] = "path=";
    cr_assert_str_eq(RECORD("path=b"), "");
    cr_assert_str_eq(RECORD("realtime=b"), "");
    cr_assert_str_eq(RECORD("GNU.sparse.major=1"), "has a sparse file; write it without --sparse");
    cr_assert_str_eq(RECORD("path=b\0c"), "has a path that is too long");
    cr_assert_str_eq(RECORD("linkpath=b\0c"), "has a link that is too long");
    cr_assert_str_eq(RECORD("size=1x"), "has a size that is no number");
    cr_assert_str_eq(RECORD("size=18446744073709551616"), "has a size that is no number");
    cr_assert_str_eq(RECORD("size=99999999999999999999"), "has a size that is no number");
    memset(path + 5, 'a', TAR_PATH);
    cr_assert_str_eq(record(path, 5 + TAR_PATH - 1), "");
    cr_assert_str_eq(record(path, 5 + TAR_PATH), "has a path that is too long");
}

Test(tar, headers_say_what_is_wrong_with_them) {
    char *head = (char *)head_of(&(struct tar_entry){.path = ""});
    cr_assert_eq(read_all(), TAR_BAD);
    cr_assert_str_eq(reader.why, "has an entry without a path");
    memset(head + 148, 'z', 8);
    cr_assert_eq(read_all(), TAR_BAD);
    cr_assert_str_eq(reader.why, "has a wrong checksum");
}

Test(tar, an_extended_header_is_bounded) {
    char *head = (char *)head_of(&(struct tar_entry){.path = "x", .size = TAR_EXTENDED + 1});
    head[156] = 'x';
    seal(head);
    cr_assert_eq(read_all(), TAR_BAD);
    head_of(&(struct tar_entry){.path = "x", .size = TAR_EXTENDED});
    head[156] = 'x';
    seal(head);
    cr_assert_eq(read_all(), TAR_MORE);
    for (int i = 0; i < TAR_EXTENDED / TAR_BLOCK - 1; i++)
        cr_assert_eq(tar_read(&reader, archive), TAR_MORE);
    cr_assert_eq(tar_read(&reader, archive), TAR_BAD);
}

Test(tar, the_end_is_two_blocks_of_zeros) {
    static char zeros[TAR_BLOCK], one[TAR_BLOCK] = {[511] = 1};
    n_archive = 0;
    read_all();
    cr_assert_eq(tar_read(&reader, zeros), TAR_MORE);
    cr_assert_eq(tar_read(&reader, zeros), TAR_END);
    cr_assert_eq(tar_read(&reader, zeros), TAR_END);
    cr_assert_eq(tar_read(&reader, one), TAR_BAD);
    cr_assert_eq(tar_read(&reader, zeros), TAR_BAD);
    read_all();
    cr_assert_eq(tar_read(&reader, zeros), TAR_MORE);
    head_of(&(struct tar_entry){.path = "x"});
    cr_assert_eq(tar_read(&reader, archive), TAR_BAD);
    EXTENDED('x', "9 path=b\n");
    n_archive = 2 * TAR_BLOCK;
    cr_assert_eq(read_all(), TAR_MORE);
    cr_assert_eq(tar_read(&reader, zeros), TAR_BAD);
    static const char *const records[] = {"9 size=3\n", "14 linkpath=b\n"};
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        extended('x', records[i], strlen(records[i]));
        n_archive = 2 * TAR_BLOCK;
        cr_assert_eq(read_all(), TAR_MORE, "%s", records[i]);
        cr_assert_eq(tar_read(&reader, zeros), TAR_BAD);
    }
}
