/* text/manifest.h: what a checkpoint holds and where it comes from, as JSON, a line an entry:
 *
 *     {"format":1,"lastcall":"0.1.0","name":"jobs","id":"000042-…","time":"…","host":"…","cause":"…","entries":[
 *     {"path":"a","type":"dir","mode":"0755","uid":0,"gid":0,"mtime":1795230900,"mtime_ns":12},
 *     {"path":"a/b","type":"file","mode":"0644","uid":0,"gid":0,"mtime":…,"mtime_ns":0,"size":12,"sha256":"…"},
 *     {"path":"a/c","type":"link","mode":"0777","uid":0,"gid":0,"mtime":…,"mtime_ns":0,"target":"b"}
 *     ],"files":1,"bytes":12,
 *     "sha256":"…"}
 *
 * A directory stands before what is in it. The last line seals all bytes before it. A path or target that is no
 * UTF-8, or has control bytes in it, stands in hex, as "path_hex" or "target_hex". Without hashes there is no
 * "sha256" in an entry.
 *
 * It is written and read line by line, so that its length does not matter. The reader takes this form alone, keys
 * in this order; who takes its paths may use them: they are relative and stay where they are told to.
 */
#ifndef TEXT_MANIFEST_H
#define TEXT_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/out.h"

enum {
    MANIFEST_PATH = 4096,      /* of a path or target, its NUL included */
    MANIFEST_DEPTH = 64,       /* names in a path */
    MANIFEST_LINE = 17 << 10,  /* the longest line: path and target twice as long as their bytes, and the rest */
    MANIFEST_HASH = 32,
};

enum manifest_type { MANIFEST_FILE, MANIFEST_DIR, MANIFEST_LINK, MANIFEST_TYPES };

struct manifest_head { const char *lastcall, *name, *id, *time, *host, *cause; };

struct manifest_entry {
    const char *path, *target;   /* target: of a link, else NULL */
    uint8_t type;                /* enum manifest_type */
    bool hashed;
    uint16_t mode;               /* the lower twelve bits */
    uint32_t uid, gid, mtime_ns;
    int64_t mtime;
    uint64_t size;               /* of a file, else 0 */
    uint8_t sha256[MANIFEST_HASH];
};

/* The writer: each leaves its newline to the one that follows, which knows whether a comma is due. */
void manifest_head(struct out *out, const struct manifest_head *head);
void manifest_entry(struct out *out, const struct manifest_entry *entry, bool first);
void manifest_tail(struct out *out, uint64_t files, uint64_t bytes);
void manifest_seal(struct out *out, const uint8_t sha256[static MANIFEST_HASH]);

/* The reader. Zeroed, it expects the first line. */
enum manifest_line { MANIFEST_BAD, MANIFEST_IS_HEAD, MANIFEST_IS_ENTRY, MANIFEST_IS_TAIL, MANIFEST_IS_SEAL };
struct manifest_reader {
    uint8_t last;                /* enum manifest_line */
    bool more;                   /* another entry follows */
    uint64_t files, bytes;       /* of the entries so far; the tail has to agree */
    uint8_t sha256[MANIFEST_HASH]; /* of the seal: the caller compares */
};

/* One line of n bytes, its newline not among them. Decoded in its place: what head and entry
 * point to lives as long as the line. *head or *entry is written if the line is one. */
enum manifest_line manifest_read(struct manifest_reader *reader, char *text, size_t n, struct manifest_head *head,
                                 struct manifest_entry *entry);

/* Relative, no empty name, no "." and "..", not too long or deep. */
bool manifest_path_fits(const char *path);
/* A link stays inside whatever the others point to: relative, ".." at its start alone, and no more of them than the
 * link lies deep. */
bool manifest_link_stays(const char *path, const char *target);

#endif
