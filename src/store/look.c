/* store/look.c: the files of a checkpoint beside its manifest. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/parts.h"
#include "sys/fd.h"

enum { AHEAD = 8 << 20, DIFFERS = -1 };

/* A large file is on its way to the disk while it is hashed. Small ones go faster all at once. */
static void flush_ahead(int fd, uint64_t at) {
    if (at % AHEAD == STORE_BLOCK)
        sync_file_range(fd, (off_t)(at - STORE_BLOCK), AHEAD, SYNC_FILE_RANGE_WRITE);
}

int store_hash(struct store *store, int fd, bool flush, uint64_t *bytes, uint8_t sha256[static MANIFEST_HASH]) {
    SHA2_CTX sha;
    ssize_t got;
    SHA256Init(&sha);
    *bytes = 0;
    while ((got = read(fd, store->block, sizeof store->block)) > 0) {
        *bytes += (uint64_t)got;
        if (flush)
            flush_ahead(fd, *bytes);
        SHA256Update(&sha, store->block, (size_t)got);
    }
    SHA256Final(sha256, &sha);
    return got < 0 ? errno : 0;
}

/* After one syncfs(2) nothing is left to write; only an error of the file itself is still to be heard. */
static int sync_file(const struct store *store, int fd) {
    unsigned all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (store->one_sync && sync_file_range(fd, 0, 0, all) == 0)
        return 0;
    if (store->one_sync && errno != ENOSYS && errno != EPERM)
        return errno;
    return fsync(fd) == 0 ? 0 : errno;
}

static int look_file(struct store *store, enum store_look how, const struct manifest_entry *entry) {
    struct stat *stat = &store->tree.stat;
    uint64_t bytes = entry->size;
    uint8_t sha256[MANIFEST_HASH];
    int error = 0, fd = tree_open(store->tree.in, store->tree.name);
    if (fd < 0)
        return errno;
    if (how == LOOK_SYNC)
        error = sync_file(store, fd);
    if (error == 0)
        error = fstat(fd, stat) != 0 ? errno : S_ISREG(stat->st_mode) ? 0 : DIFFERS;
    if (error == 0 && how == LOOK_HASH && entry->hashed)
        error = store_hash(store, fd, false, &bytes, sha256);
    fd_close(&fd);
    if (error != 0)
        return error;
    if ((uint64_t)stat->st_size != entry->size || bytes != entry->size)
        return DIFFERS;
    if (how == LOOK_SYNC)
        return stat->st_mtim.tv_sec == entry->mtime && stat->st_mtim.tv_nsec == entry->mtime_ns ? 0 : DIFFERS;
    return how == LOOK_HASH && entry->hashed && memcmp(sha256, entry->sha256, sizeof sha256) != 0 ? DIFFERS : 0;
}

static int look_dir(struct store *store, enum store_look how) {
    int error = 0, fd = tree_open_dir(store->tree.in, store->tree.name);
    if (fd < 0)
        return errno;
    if (how == LOOK_SYNC && !store->one_sync)
        error = store_sync_dir(fd);
    fd_close(&fd);
    return error;
}

static int look_link(struct store *store, const char *target) {
    char *text = (char *)store->block;
    ssize_t n = readlinkat(store->tree.in, store->tree.name, text, MANIFEST_PATH);
    if (n < 0)
        return errno;
    return (size_t)n == strlen(target) && memcmp(text, target, (size_t)n) == 0 ? 0 : DIFFERS;
}

static int look_entry(struct store *store, enum store_look how, const struct manifest_entry *entry) {
    if (!tree_reach(&store->tree, entry->path))
        return store->tree.error;
    switch ((enum manifest_type)entry->type) {
    case MANIFEST_FILE: return look_file(store, how, entry);
    case MANIFEST_DIR: return look_dir(store, how);
    case MANIFEST_LINK: return look_link(store, entry->target);
    case MANIFEST_TYPES: break;
    }
    return DIFFERS;
}

static bool disagrees(struct store *store, enum checkpoint_stage stage, int error, struct checkpoint_result *result) {
    store_failed(result, stage, error == DIFFERS ? 0 : error, store->tree.path);
    tree_end(&store->tree);
    return false;
}

/* Nothing stands there that the manifest does not name. */
static bool no_more(struct store *store, uint64_t entries, enum checkpoint_stage stage,
                    struct checkpoint_result *result) {
    enum tree_found found = TREE_FAILED;
    bool good = tree_start(&store->tree, store->files);
    while (good && (found = tree_next(&store->tree)) == TREE_ENTRY)
        if (entries-- == 0)
            break;
    if (found != TREE_END)
        return disagrees(store, stage, found == TREE_FAILED ? store->tree.error : DIFFERS, result);
    tree_end(&store->tree);
    return true;
}

bool store_look(struct store *store, enum store_look how, enum checkpoint_stage stage, struct checkpoint_result *result) {
    struct sealed *sealed = &store->sealed;
    uint64_t entries = 0;
    int error = 0;
    if (!tree_start(&store->tree, store->files))
        return disagrees(store, stage, store->tree.error, result);
    for (; error == 0 && sealed_next(sealed); entries++)
        error = look_entry(store, how, &sealed->entry);
    if (error != 0)
        return disagrees(store, stage, error, result);
    tree_end(&store->tree);
    if (!sealed->ended)
        return store_failed(result, stage, sealed->error, MANIFEST_NAME);
    return no_more(store, entries, stage, result);
}
