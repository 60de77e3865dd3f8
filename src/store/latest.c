/* store/latest.c: the checkpoint that a restore may have. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/parts.h"
#include "sys/fd.h"

/* ---- the link ---- */

int store_point(struct store *store, const char *id) {
    char aside[ID_NAME];
    id_name(aside, ID_LINK, id);
    if (symlinkat(id, store->dir, aside) != 0)
        return errno;
    if (renameat(store->dir, aside, store->dir, "latest") == 0)
        return store_sync_dir(store->dir);
    int error = errno;
    unlinkat(store->dir, aside, 0);
    return error;
}

static bool is_pointed_at(const struct store *store, const char *id) {
    char target[ID_NAME];
    ssize_t n = readlinkat(store->dir, "latest", target, sizeof target);
    return n >= 0 && (size_t)n == strlen(id) && memcmp(target, id, (size_t)n) == 0;
}

/* ---- one checkpoint ---- */

bool store_pick(struct store *store, const char *id, struct manifest_head *head, struct checkpoint_result *result) {
    struct stat held, named;
    store_forget(store);
    store->attempt = tree_open_dir(store->dir, id);
    if (store->attempt < 0 || flock(store->attempt, LOCK_SH | LOCK_NB) != 0)
        return store_failed(result, CHECKPOINT_VERIFY, errno, id);
    if (fstat(store->attempt, &held) != 0 || fstatat(store->dir, id, &named, AT_SYMLINK_NOFOLLOW) != 0)
        return store_failed(result, CHECKPOINT_VERIFY, errno, id);
    if (held.st_ino != named.st_ino)
        return store_failed(result, CHECKPOINT_VERIFY, ENOENT, id);
    store->manifest = tree_open(store->attempt, MANIFEST_NAME);
    if (store->manifest < 0)
        return store_failed(result, CHECKPOINT_VERIFY, errno, MANIFEST_NAME);
    if (!sealed_open(&store->sealed, store->manifest, head) || strcmp(head->id, id) != 0)
        return store_failed(result, CHECKPOINT_VERIFY, store->sealed.error, MANIFEST_NAME);
    store->files = tree_open_dir(store->attempt, DATA_NAME);
    return store->files >= 0 || store_failed(result, CHECKPOINT_VERIFY, errno, DATA_NAME);
}

struct sealed *store_manifest(struct store *store) { return &store->sealed; }

int store_files(const struct store *store) { return store->files; }

bool store_verify(struct store *store, const char *id, struct checkpoint_result *result) {
    struct manifest_head head;
    store_at(result, CHECKPOINT_VERIFY);
    bool good = store_pick(store, id, &head, result) && store_look(store, LOOK_HASH, CHECKPOINT_VERIFY, result);
    store_forget(store);
    result->files = store->sealed.reader.files;
    result->bytes = store->sealed.reader.bytes;
    if (good) {
        memcpy(result->id, id, strlen(id) + 1);
        store_say_path(store, id, result);
        store_at(result, CHECKPOINT_OK);
    }
    return good;
}

/* ---- the newest ---- */

bool store_is_damage(int error) {
    switch (error) {
    case 0: /* other bytes, or other files */
    case EIO:
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENODATA:
    case EBADMSG:
    case EUCLEAN: return true;
    default: return false;
    }
}

/* Kept for whoever wants to look into it. Where that cannot be written it is passed over all the same. */
static void set_aside(struct store *store, const char *id, struct checkpoint_result *result) {
    char name[ID_NAME];
    id_name(name, ID_DAMAGED, id);
    if (renameat(store->dir, id, store->dir, name) == 0)
        store_sync_dir(store->dir);
    if (result->damaged++ == 0)
        memcpy(result->damaged_id, id, strlen(id) + 1);
}

/* What cannot be read may be readable a moment later. */
static bool is_whole(struct store *store, const char *id, struct checkpoint_result *result) {
    return store_verify(store, id, result) || (result->error == EIO && store_verify(store, id, result));
}

bool store_latest(struct store *store, struct checkpoint_result *result) {
    char id[CHECKPOINT_ID];
    uint64_t below = UINT64_MAX;
    result->damaged = 0;
    result->damaged_id[0] = result->id[0] = result->path[0] = 0;
    while (store_next(store, &below, id)) {
        if (is_whole(store, id, result)) {
            if (!is_pointed_at(store, id))
                store_point(store, id);
            return true;
        }
        if (!store_is_damage(result->error))
            return false;
        set_aside(store, id, result);
    }
    if (!store_was_read(store, result))
        return false; /* "there is none" would start its service with nothing */
    result->files = result->bytes = 0;
    result->path[0] = 0;
    store_at(result, CHECKPOINT_OK);
    return true;
}
