/* text/tar.h: POSIX pax archives, written entry by entry and read block by block.
 *
 * An archive is a row of blocks of 512 bytes: an entry's head (a ustar header; before it an extended header for
 * what does not fit there: long paths, large numbers, parts of seconds, bytes that are no ASCII), its contents
 * padded to whole blocks, and at the end two blocks of zeros.
 *
 * The reader is given one block after the other and keeps a bounded part of them; contents do not pass through
 * it. It is strict: a wrong checksum, a number that is none, a path that is too long or a lone end are errors.
 */
#ifndef TEXT_TAR_H
#define TEXT_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TAR_BLOCK = 512,
    TAR_PATH = 4160,              /* bytes of a path or target, its NUL included: the longest, within a directory */
    TAR_HEAD = 20 * TAR_BLOCK,    /* the most that a head needs */
    TAR_EXTENDED = 64 << 10,      /* the largest extended header that is read */
};

enum tar_type { TAR_FILE, TAR_DIRECTORY, TAR_SYMLINK, TAR_OTHER /* hard links, devices, and what else there is */ };

struct tar_entry {
    const char *path, *target;    /* target: of a symbolic link */
    uint8_t type;                 /* enum tar_type */
    uint64_t size;                /* of a file; else 0, but for TAR_OTHER */
    uint32_t mode;                /* from here on only written, never read */
    uint64_t uid, gid;
    int64_t mtime_s;
    uint32_t mtime_ns;
};

/* The entry's head into `into`, which has TAR_HEAD bytes; how many, whole blocks. Texts are shorter than TAR_PATH. */
size_t tar_head(const struct tar_entry *entry, char *into);

/* Bytes of zeros behind contents of that size, so that they fill their blocks. */
static inline size_t tar_padding(uint64_t size) { return (size_t)(-size & (TAR_BLOCK - 1)); }

enum tar_reading {
    TAR_MORE,     /* wants a block */
    TAR_ENTRY,    /* `entry` is whole; entry.size bytes and their padding follow, and are not for tar_read() */
    TAR_END,      /* the archive is whole; only zeros may follow */
    TAR_BAD,      /* `why`; nothing more can be read */
};

/* Zeroed before the first block; for every reader of its own. */
struct tar_reader {
    struct tar_entry entry;       /* points into the reader */
    const char *why;              /* the end of a sentence: "has a wrong checksum" */
    uint8_t state, kind;
    bool has_path, has_target, has_size;
    uint32_t have, want;          /* of extended */
    uint64_t size;
    char path[TAR_PATH], target[TAR_PATH], extended[TAR_EXTENDED + TAR_BLOCK];
};

/* block: TAR_BLOCK bytes. */
enum tar_reading tar_read(struct tar_reader *reader, const char *block);

#endif
