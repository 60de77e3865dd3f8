/* store/sealed.h: a manifest in a file: written as it is made, read entry by entry, sealed by its hash.
 */
#ifndef STORE_SEALED_H
#define STORE_SEALED_H

#include <stdbool.h>
#include <stdint.h>

#include <sha2.h>

#include "text/manifest.h"

/* A file being written or read; fd stays the caller's. */
struct sealed {
    int fd;
    int error;                       /* errno; 0 with a failure: it is no manifest, or its seal is broken */
    bool first, ended;
    SHA2_CTX sha;                    /* of the bytes so far */
    struct manifest_reader reader;
    struct manifest_entry entry;     /* the last one read; its texts live until the next */
    size_t at, n;                    /* in buffer: read, and not yet taken */
    struct out out;                  /* in buffer: to be written */
    char buffer[2 * MANIFEST_LINE];
};

/* Each false: error. */
bool sealed_create(struct sealed *sealed, int fd, const struct manifest_head *head);
bool sealed_add(struct sealed *sealed, const struct manifest_entry *entry);   /* counts files and bytes in reader */
bool sealed_finish(struct sealed *sealed);

/* The texts of *head live until the first entry is read. */
bool sealed_open(struct sealed *sealed, int fd, struct manifest_head *head);
/* Reads the next entry. false: there is none, and all was whole if `ended`; else error. */
bool sealed_next(struct sealed *sealed);

#endif
