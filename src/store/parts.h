/* store/parts.h: what the files of this room share.
 */
#ifndef STORE_PARTS_H
#define STORE_PARTS_H

#include "store/sealed.h"
#include "store/store.h"
#include "store/tree.h"
#include "text/ids.h"

enum { STORE_BLOCK = 128 << 10 };

struct store {
    int dir, lock;                   /* -1: not open */
    int attempt, files;              /* the attempt's directory, and data/ in it */
    int manifest;
    uint64_t entries;                /* files, directories and links in the attempt */
    int64_t time_s;                  /* when it began */
    bool one_sync;                   /* syncfs(2) is as good here as fsync(2) of every file */
    char root[CHECKPOINT_PATH];      /* absolute */
    char id[CHECKPOINT_ID];          /* the attempt's; empty: there is none */
    int unread;                      /* errno: the last store_next() could not read the directory to its end */
    struct tree_level names;         /* of the store's directory */
    struct tree tree;
    struct sealed sealed;
    uint8_t block[STORE_BLOCK];
};

#define MANIFEST_NAME "manifest.json"
#define DATA_NAME "data"

/* The stage that is at work; should it never end, PID 1 reads it. */
void store_at(struct checkpoint_result *result, enum checkpoint_stage stage);
/* It failed so; path NULL: none. Returns false. */
bool store_failed(struct checkpoint_result *result, enum checkpoint_stage stage, int error, const char *path);
/* result->path: the command's files of a checkpoint in this form. */
void store_say_path(const struct store *store, const char *name, struct checkpoint_result *result);

/* 0, or an errno. */
int store_sync_dir(int fd);
/* Moves `latest`, and syncs. 0, or an errno. */
int store_point(struct store *store, const char *id);
/* Removes what attempts and removals have left; what cannot be removed stays. */
void store_clean(struct store *store);
/* Closes the attempt, or the checkpoint that was picked. */
void store_forget(struct store *store);

/* Of a file that has been opened: its bytes' hash. 0, or an errno; *bytes: how many there were. `flush`: also starts
 * to write back what is not on disk yet, a little ahead. */
int store_hash(struct store *store, int fd, bool flush, uint64_t *bytes, uint8_t sha256[static MANIFEST_HASH]);

/* Goes through the entries of the open manifest, and looks at each in `files`. */
enum store_look {
    LOOK_SYNC,   /* and syncs it: its size and mtime are as they were when it was hashed */
    LOOK_HASH,   /* and reads it: its bytes are those of the manifest */
    LOOK_SIZE,   /* its size alone */
};
/* true: all agrees. false: result says where it does not, with the errno, or 0 for another content. */
bool store_look(struct store *store, enum store_look how, enum checkpoint_stage stage, struct checkpoint_result *result);

#endif
