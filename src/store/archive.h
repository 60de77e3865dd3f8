/* store/archive.h: one checkpoint as a POSIX pax archive, and back.
 *
 *     ID/manifest.json     first, as it stands in the store
 *     ID/data/PATH         the entries of the manifest, in its order
 *
 * An archive is all or nothing. What is exported is compared with its manifest while it is read, and broken off where
 * it does not agree, so that no reader takes it for whole. What is imported has to be what its own manifest says,
 * entry by entry: whatever else stands in an archive (an absolute path, "..", a link that leaves, a device, an entry
 * twice, too few, too many, another size) is not what comes next, and is refused.
 */
#ifndef STORE_ARCHIVE_H
#define STORE_ARCHIVE_H

#include "store/store.h"

/* Why not. */
struct archive_error {
    const char *what;             /* the end of a sentence about `path`; NULL: the store's result says it */
    int error;                    /* errno, 0: none */
    char path[CHECKPOINT_PATH];   /* cut at its end; empty: the archive itself */
};

/* Writes the checkpoint that was picked (store_pick) to a descriptor. */
bool archive_export(struct store *store, const char *id, int to, struct archive_error *error);

/* Of the archive that is read from a descriptor: name NULL: whatever it is called; else it has to be so. as: the name
 * that it gets; NULL: its own. */
struct archive_wish { int from; const char *name, *as; };
/* The store is open: begins, fills and commits an attempt, lending the lock while it is filled; nothing is pruned.
 * false: nothing has changed. */
bool archive_import(struct store *store, const struct archive_wish *wish, struct checkpoint_result *result,
                    struct archive_error *error);

#endif
