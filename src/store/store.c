/* store/store.c: the store's directory: opened, locked, cleaned, looked through. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "store/parts.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "text/out.h"

struct store store_room;

/* ---- what is said ---- */

void store_at(struct checkpoint_result *result, enum checkpoint_stage stage) {
    result->stage = (uint8_t)stage;
    result->error = 0;
}

bool store_failed(struct checkpoint_result *result, enum checkpoint_stage stage, int error, const char *path) {
    struct out out = out_on(result->path, sizeof result->path);
    if (path != NULL)
        out_text(&out, path);
    result->error = error;
    result->stage = (uint8_t)stage;
    return false;
}

void store_say_path(const struct store *store, const char *name, struct checkpoint_result *result) {
    struct out out = out_on(result->path, sizeof result->path);
    out_text(&out, store->root);
    out_char(&out, '/');
    out_text(&out, name);
    out_text(&out, "/" DATA_NAME);
}

/* Some file systems cannot sync a directory, and say so: there is nothing that could be done. */
int store_sync_dir(int fd) { return fsync(fd) == 0 || errno == EINVAL ? 0 : errno; }

/* ---- which there are ---- */

/* The largest number below *below of those in one of the forms, a bit each. false: there is none, or *error. */
static bool largest(struct store *store, unsigned forms, uint64_t *below, char name[static ID_NAME], int *error) {
    const char *found;
    uint32_t number;
    int64_t best = -1;
    store->names = (struct tree_level){.fd = store->dir};
    *error = lseek(store->dir, 0, SEEK_SET) < 0 ? errno : 0;
    while (*error == 0 && (found = tree_name(&store->names, error)) != NULL) {
        enum id_form form = id_parse(found, &number);
        if ((forms >> form & 1) == 0 || form == ID_NONE || number >= *below || (int64_t)number <= best)
            continue;
        best = number;
        memcpy(name, found, strlen(found) + 1);
    }
    if (best >= 0 && *error == 0)
        *below = (uint64_t)best;
    return best >= 0 && *error == 0;
}

bool store_next(struct store *store, uint64_t *below, char id[static CHECKPOINT_ID]) {
    char name[ID_NAME];
    bool found = largest(store, 1u << ID_WHOLE, below, name, &store->unread);
    id[0] = 0;
    if (found)
        memcpy(id, name, CHECKPOINT_ID);
    return found;
}

bool store_was_read(const struct store *store, struct checkpoint_result *result) {
    return store->unread == 0 || store_failed(result, CHECKPOINT_OPEN, store->unread, store->root);
}

bool store_next_damaged(struct store *store, uint64_t *below, char id[static CHECKPOINT_ID]) {
    char name[ID_NAME];
    int error;
    bool found = largest(store, 1u << ID_DAMAGED, below, name, &error);
    id[0] = 0;
    if (found)
        memcpy(id, strchr(name, '-') + 1, CHECKPOINT_ID);
    return found;
}

/* ---- opening ---- */

static bool set_root(struct store *store, const char *dir) {
    struct out out = out_on(store->root, sizeof store->root);
    size_t n = strlen(dir);
    if (dir[0] != '/') {
        if (getcwd(store->root, sizeof store->root) == NULL)
            return false;
        out.n = strlen(store->root);
        out_char(&out, '/');
    }
    while (n > 1 && dir[n - 1] == '/')
        n--;
    out_bytes(&out, dir, n);
    errno = ENAMETOOLONG;
    return !out.cut && out.n + ID_NAME + sizeof DATA_NAME + 2 <= sizeof store->root;
}

/* 0, or the errno of the first directory that could not be made. */
static int make_all(char *path) {
    int error = 0;
    for (char *at = path + 1;; at++) {
        char c = *at;
        if (c != '/' && c != 0)
            continue;
        *at = 0;
        if (mkdir(path, c == 0 ? 0700 : 0755) != 0 && errno != EEXIST && error == 0)
            error = errno;
        *at = c;
        if (c == 0)
            return error;
    }
}

static bool is_volatile(int fd) {
    struct statfs info;
    if (fstatfs(fd, &info) != 0)
        return false;
    uint32_t type = (uint32_t)info.f_type;
    return type == 0x01021994 /* tmpfs */ || type == 0x858458f6 /* ramfs */ || type == 0x794c7630 /* overlay */;
}

static bool open_dir(struct store *store, const char *dir, bool make, struct checkpoint_result *result) {
    store->dir = store->lock = store->attempt = store->files = store->manifest = -1;
    store->id[0] = 0;
    store_at(result, CHECKPOINT_OPEN);
    if (!set_root(store, dir))
        return store_failed(result, CHECKPOINT_OPEN, errno, dir);
    int error = make ? make_all(store->root) : 0;
    store->dir = open(store->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->dir < 0)
        return store_failed(result, CHECKPOINT_OPEN, errno == ENOENT && error != 0 ? error : errno, dir);
    result->volatile_store = is_volatile(store->dir);
    return true;
}

static int lock(int fd, struct checkpoint_result *result) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return errno;
    store_at(result, CHECKPOINT_LOCK);
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

/* Where nothing can be written nobody else writes either. */
static bool take_lock(struct store *store, struct checkpoint_result *result) {
    store->lock = openat(store->dir, "lock", O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (store->lock < 0)
        return errno == EROFS || store_failed(result, CHECKPOINT_LOCK, errno, NULL);
    int error = lock(store->lock, result);
    return error == 0 || store_failed(result, CHECKPOINT_LOCK, error, NULL);
}

/* Its attempt goes on without the lock. */
static bool is_held(int in, const char *name) {
    int fd = tree_open_dir(in, name);
    bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    fd_close(&fd);
    return held;
}

void store_clean(struct store *store) {
    const char *name;
    uint32_t number;
    int error;
    store->names = (struct tree_level){.fd = store->dir};
    if (lseek(store->dir, 0, SEEK_SET) != 0)
        return;
    while ((name = tree_name(&store->names, &error)) != NULL) {
        enum id_form form = id_parse(name, &number);
        if (form == ID_OLD || (form == ID_NEW && !is_held(store->dir, name)))
            tree_remove(store->dir, name);
        else if (form == ID_LINK)
            unlinkat(store->dir, name, 0);
    }
}

bool store_open(struct store *store, const char *dir, bool make, struct checkpoint_result *result) {
    if (!open_dir(store, dir, make, result) || !take_lock(store, result)) {
        store_close(store);
        return false;
    }
    store_at(result, CHECKPOINT_CLEAN);
    store_clean(store);
    store_at(result, CHECKPOINT_OK);
    return true;
}

bool store_open_to_look(struct store *store, const char *dir, bool make, struct checkpoint_result *result) {
    if (!open_dir(store, dir, make, result))
        return false;
    store_at(result, CHECKPOINT_OK);
    return true;
}

void store_forget(struct store *store) {
    fd_close(&store->files);
    fd_close(&store->manifest);
    fd_close(&store->attempt);
    store->id[0] = 0;
}

void store_close(struct store *store) {
    store_forget(store);
    fd_close(&store->lock);
    fd_close(&store->dir);
}

/* ---- an attempt ---- */

/* A directory made and opened. */
static int make_in(int in, const char *name) {
    return mkdirat(in, name, 0700) == 0 ? tree_open_dir(in, name) : -1;
}

bool store_begin(struct store *store, struct checkpoint_result *result) {
    char name[ID_NAME];
    uint64_t last = UINT64_MAX;
    int error;
    store_at(result, CHECKPOINT_BEGIN);
    result->id[0] = 0;
    result->files = result->bytes = 0;
    if (!largest(store, (1u << ID_NONE) - 1, &last, name, &error)) {
        if (error != 0)
            return store_failed(result, CHECKPOINT_BEGIN, error, NULL);
        last = 0;
    }
    if (last >= UINT32_MAX)
        return store_failed(result, CHECKPOINT_BEGIN, EOVERFLOW, NULL);
    store->time_s = clock_wall_s();
    id_print(store->id, (uint32_t)last + 1, store->time_s);
    id_name(name, ID_NEW, store->id);
    store->attempt = make_in(store->dir, name);
    store->files = store->attempt < 0 ? -1 : make_in(store->attempt, DATA_NAME);
    if (store->files < 0) {
        store_failed(result, CHECKPOINT_BEGIN, errno, NULL);
        store_abandon(store);
        return false;
    }
    store_say_path(store, name, result);
    store_at(result, CHECKPOINT_OK);
    return true;
}

void store_lend(struct store *store) {
    if (flock(store->attempt, LOCK_EX | LOCK_NB) == 0)
        flock(store->lock, LOCK_UN);
}

/* What others have begun since comes before it. */
bool store_take_back(struct store *store, struct checkpoint_result *result) {
    char before[ID_NAME], name[ID_NAME], id[CHECKPOINT_ID];
    uint32_t number = 0;
    uint64_t last = UINT64_MAX;
    int error = lock(store->lock, result);
    if (error != 0)
        return store_failed(result, CHECKPOINT_LOCK, error, NULL);
    id_name(before, ID_NEW, store->id);
    id_parse(store->id, &number);
    if (!largest(store, (1u << ID_NONE) - 1, &last, name, &error) || last >= UINT32_MAX)
        return store_failed(result, CHECKPOINT_BEGIN, error != 0 ? error : EOVERFLOW, NULL);
    if (last == number)
        return true;
    id_print(id, (uint32_t)last + 1, store->time_s);
    id_name(name, ID_NEW, id);
    if (renameat(store->dir, before, store->dir, name) != 0)
        return store_failed(result, CHECKPOINT_BEGIN, errno, NULL);
    memcpy(store->id, id, sizeof id);
    return true;
}

void store_abandon(struct store *store) {
    char name[ID_NAME];
    if (store->id[0] == 0)
        return;
    id_name(name, ID_NEW, store->id);
    store_forget(store);
    tree_remove(store->dir, name);
}
