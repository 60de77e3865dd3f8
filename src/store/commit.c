/* store/commit.c: the transaction. What can be seen under a checkpoint's name is whole, and on disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "store/parts.h"
#include "sys/fd.h"
#include "text/utc.h"

enum { FEW = 64 };   /* files and directories that are synced one by one everywhere */

/* ---- manifest ---- */

/* A mount; or what was there a moment ago has gone or become something else. */
static enum checkpoint_stage stage_of(int error) {
    if (error == EXDEV)
        return CHECKPOINT_REFUSED;
    bool gone = error == ENOENT || error == ENOTDIR || error == ELOOP || error == ESTALE;
    return gone ? CHECKPOINT_CHANGED : CHECKPOINT_READ;
}

static bool bad(struct store *store, enum checkpoint_stage stage, int error, struct checkpoint_result *result) {
    return store_failed(result, stage, error, store->tree.path);
}

static bool is_time(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same(const struct stat *a, const struct stat *b) {
    return a->st_ino == b->st_ino && a->st_mode == b->st_mode && a->st_size == b->st_size &&
           is_time(&a->st_mtim, &b->st_mtim) && is_time(&a->st_ctim, &b->st_ctim);
}

static bool take_file(struct store *store, bool hash, struct manifest_entry *entry, struct checkpoint_result *result) {
    const struct stat *before = &store->tree.stat;
    struct stat after;
    uint64_t bytes = (uint64_t)before->st_size;
    int fd = tree_open(store->tree.in, store->tree.name), error = fd < 0 ? errno : 0;
    if (error == 0 && hash)
        error = store_hash(store, fd, true, &bytes, entry->sha256);
    if (error == 0 && fstat(fd, &after) != 0)
        error = errno;
    fd_close(&fd);
    if (error != 0)
        return bad(store, stage_of(error), error, result);
    if (!is_same(before, &after) || bytes != (uint64_t)before->st_size)
        return bad(store, CHECKPOINT_CHANGED, 0, result);
    entry->hashed = hash;
    entry->size = bytes;
    return true;
}

static bool take_link(struct store *store, struct manifest_entry *entry, struct checkpoint_result *result) {
    char *target = (char *)store->block;
    ssize_t n = readlinkat(store->tree.in, store->tree.name, target, MANIFEST_PATH);
    if (n < 0)
        return bad(store, stage_of(errno), errno, result);
    target[n < MANIFEST_PATH ? n : 0] = 0;
    entry->target = target;
    return manifest_link_stays(entry->path, target) || bad(store, CHECKPOINT_REFUSED, 0, result);
}

static bool take_entry(struct store *store, bool hash, dev_t dev, struct checkpoint_result *result) {
    const struct stat *stat = &store->tree.stat;
    struct manifest_entry entry = {
        .path = store->tree.path, .mode = stat->st_mode & 07777, .uid = stat->st_uid, .gid = stat->st_gid,
        .mtime = stat->st_mtim.tv_sec, .mtime_ns = (uint32_t)stat->st_mtim.tv_nsec,
    };
    bool good = false;
    if (stat->st_dev != dev)
        return bad(store, CHECKPOINT_REFUSED, EXDEV, result);
    switch (stat->st_mode & S_IFMT) {
    case S_IFREG: entry.type = MANIFEST_FILE; good = take_file(store, hash, &entry, result); break;
    case S_IFLNK: entry.type = MANIFEST_LINK; good = take_link(store, &entry, result); break;
    case S_IFDIR: entry.type = MANIFEST_DIR; good = true; break;
    default: bad(store, CHECKPOINT_REFUSED, 0, result);
    }
    if (good && !sealed_add(&store->sealed, &entry))
        return store_failed(result, CHECKPOINT_MANIFEST, store->sealed.error, NULL);
    return good;
}

static bool take_all(struct store *store, bool hash, struct checkpoint_result *result) {
    struct stat top;
    enum tree_found found = TREE_END;
    bool good = tree_start(&store->tree, store->files) && fstat(store->files, &top) == 0;
    if (!good)
        store_failed(result, CHECKPOINT_READ, errno, DATA_NAME);
    for (store->entries = 0; good && (found = tree_next(&store->tree)) == TREE_ENTRY; store->entries++)
        good = take_entry(store, hash, top.st_dev, result);
    if (good && found == TREE_REFUSED)
        good = bad(store, CHECKPOINT_REFUSED, 0, result);
    if (good && found == TREE_FAILED)
        good = bad(store, stage_of(store->tree.error), store->tree.error, result);
    tree_end(&store->tree);
    return good && (store->entries > 0 || store_failed(result, CHECKPOINT_EMPTY, 0, NULL));
}

/* The command may have removed or replaced its directory. */
static bool open_files(struct store *store, struct checkpoint_result *result) {
    fd_close(&store->files);
    store->files = tree_open_dir(store->attempt, DATA_NAME);
    if (store->files >= 0)
        return true;
    return store_failed(result, errno == ENOENT ? CHECKPOINT_EMPTY : stage_of(errno), errno, DATA_NAME);
}

static bool write_manifest(struct store *store, const struct store_label *label, struct checkpoint_result *result) {
    char time[UTC_ROOM];
    struct manifest_head head = {
        .lastcall = LASTCALL_VERSION, .name = label->name, .id = store->id, .host = label->host,
        .cause = label->cause, .time = label->time != NULL ? label->time : utc_print(time, store->time_s),
    };
    store_at(result, CHECKPOINT_MANIFEST);
    unlinkat(store->attempt, MANIFEST_NAME, 0);
    store->manifest = openat(store->attempt, MANIFEST_NAME, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (store->manifest < 0)
        return store_failed(result, CHECKPOINT_MANIFEST, errno, NULL);
    if (!sealed_create(&store->sealed, store->manifest, &head))
        return store_failed(result, CHECKPOINT_MANIFEST, store->sealed.error, NULL);
    if (!take_all(store, label->hash, result))
        return false;
    result->files = store->sealed.reader.files;
    result->bytes = store->sealed.reader.bytes;
    return sealed_finish(&store->sealed) || store_failed(result, CHECKPOINT_MANIFEST, store->sealed.error, NULL);
}

/* ---- sync ---- */

/* On these one syncfs(2) does what fsync(2) of every file does. Others (network, FUSE) may not hear of it. */
static bool is_local(int fd) {
    static const uint32_t local[] = {0xef53 /* ext4 */, 0x58465342 /* XFS */, 0x9123683e /* Btrfs */,
                                     0xf2f52010 /* F2FS */, 0x01021994 /* tmpfs */};
    struct statfs info;
    if (fstatfs(fd, &info) != 0)
        return false;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if ((uint32_t)info.f_type == local[i])
            return true;
    return false;
}

/* Every file and directory, and that none has changed since it was hashed. */
static bool sync_files(struct store *store, struct checkpoint_result *result) {
    struct manifest_head head;
    store_at(result, CHECKPOINT_SYNC);
    store->one_sync = store->entries > FEW && is_local(store->files);
    if (store->one_sync && syncfs(store->files) != 0)
        return store_failed(result, CHECKPOINT_SYNC, errno, NULL);
    if (fsync(store->manifest) != 0 || lseek(store->manifest, 0, SEEK_SET) != 0)
        return store_failed(result, CHECKPOINT_SYNC, errno, MANIFEST_NAME);
    if (!sealed_open(&store->sealed, store->manifest, &head))
        return store_failed(result, CHECKPOINT_SYNC, store->sealed.error, MANIFEST_NAME);
    if (!store_look(store, LOOK_SYNC, CHECKPOINT_SYNC, result)) {
        if (result->error == 0 || stage_of(result->error) == CHECKPOINT_CHANGED)
            result->stage = CHECKPOINT_CHANGED;
        return false;
    }
    int error = store_sync_dir(store->files);
    if (error == 0)
        error = store_sync_dir(store->attempt);
    return error == 0 || store_failed(result, CHECKPOINT_SYNC, error, NULL);
}

/* ---- the name ---- */

/* The store's own name has to last as well. Who has taken a checkpoint here before has seen to that. */
static int sync_above(const struct store *store) {
    struct stat here, above;
    int error = 0, fd;
    if (fstatat(store->dir, "latest", &above, AT_SYMLINK_NOFOLLOW) == 0 || fstat(store->dir, &here) != 0)
        return 0;
    fd = openat(store->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (error == 0 && fd >= 0 && fstat(fd, &above) == 0 && above.st_dev == here.st_dev && above.st_ino != here.st_ino) {
        int next = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        error = store_sync_dir(fd);
        fd_close(&fd);
        fd = next;
        here = above;
    }
    fd_close(&fd);
    return error;
}

static bool move_latest(struct store *store, struct checkpoint_result *result) {
    store_at(result, CHECKPOINT_LATEST);
    int error = store_point(store, store->id);
    return error == 0 || store_failed(result, CHECKPOINT_LATEST, error, NULL);
}

/* What failed after the rename takes it back, so that what was not reported is not there either. */
static bool publish(struct store *store, struct checkpoint_result *result) {
    char name[ID_NAME];
    id_name(name, ID_NEW, store->id);
    store_at(result, CHECKPOINT_RENAME);
    if (renameat(store->dir, name, store->dir, store->id) != 0)
        return store_failed(result, CHECKPOINT_RENAME, errno, NULL);
    int error = store_sync_dir(store->dir);
    if (error == 0)
        error = sync_above(store);
    if (error == 0 && move_latest(store, result))
        return true;
    if (renameat(store->dir, store->id, store->dir, name) == 0)
        store_sync_dir(store->dir);
    return error == 0 ? false : store_failed(result, CHECKPOINT_RENAME, error, NULL);
}

/* ---- what is too many ---- */

/* Under another name first, so that none is ever seen in part. Whoever reads one holds a lock on it. */
static bool put_away(struct store *store, const char *id) {
    char name[ID_NAME];
    int fd = tree_open_dir(store->dir, id);
    bool done = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    id_name(name, ID_OLD, id);
    done = done && renameat(store->dir, id, store->dir, name) == 0;
    fd_close(&fd);
    return done;
}

static void prune(struct store *store, uint16_t keep) {
    char id[CHECKPOINT_ID];
    uint64_t below = UINT64_MAX;
    bool any = false;
    for (uint32_t n = 0; store_next(store, &below, id); n++)
        if (n >= (keep > 0 ? keep : 1))
            any |= put_away(store, id);
    if (any && store_sync_dir(store->dir) == 0)
        store_clean(store);
}

bool store_commit(struct store *store, const struct store_label *label, uint16_t keep,
                  struct checkpoint_result *result) {
    if (!open_files(store, result) || !write_manifest(store, label, result) || !sync_files(store, result) ||
        !publish(store, result)) {
        store_abandon(store);
        return false;
    }
    memcpy(result->id, store->id, sizeof result->id);
    store_say_path(store, store->id, result);
    store_at(result, CHECKPOINT_OK);
    store_forget(store);
    prune(store, keep);
    return true;
}
