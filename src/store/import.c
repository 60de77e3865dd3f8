#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/limits.h"
#include "store/archive.h"
#include "store/parts.h"
#include "sys/fd.h"
#include "text/tar.h"

enum { ID_ROOM = CHECKPOINT_ID, TEXT_ROOM = 512 };

struct import {
    struct store *store;
    const struct archive_wish *wish;
    struct archive_error *error;
    size_t at, n;                       /* of store->block: read, and not yet taken */
    struct tar_reader tar;
    char id[ID_ROOM], name[TEXT_ROOM], host[TEXT_ROOM], cause[TEXT_ROOM], time[TEXT_ROOM];
    char path[TAR_PATH];                /* of what comes next */
};

static bool failed(struct import *import, const char *what, int error, const char *path) {
    struct out out = out_on(import->error->path, sizeof import->error->path);
    out_text(&out, path);
    import->error->what = what;
    import->error->error = error;
    return false;
}

/* ---- the archive ---- */

/* Whole blocks, `want` bytes at most, one block at least; 0: failed, or the end. */
static size_t take(struct import *import, uint64_t want, const char **blocks) {
    uint8_t *block = import->store->block;
    size_t n;
    while (import->n < TAR_BLOCK) {
        memmove(block, block + import->at, import->n);
        import->at = 0;
        ssize_t got = read(import->wish->from, block + import->n, STORE_BLOCK - import->n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            failed(import, "cannot be read", errno, "");
        else if (got == 0 && import->n > 0)
            failed(import, "ends within a block", 0, "");
        if (got <= 0)
            return 0;
        import->n += (size_t)got;
    }
    n = import->n - import->n % TAR_BLOCK;
    n = want < n ? (size_t)want : n;
    *blocks = (const char *)block + import->at;
    import->at += n;
    import->n -= n;
    return n;
}

static size_t take_always(struct import *import, uint64_t want, const char **blocks) {
    size_t n = take(import, want, blocks);
    if (n == 0 && import->error->what == NULL)
        failed(import, "ends too early", 0, "");
    return n;
}

/* To the next entry, or the end. */
static enum tar_reading next_entry(struct import *import) {
    enum tar_reading reading = TAR_MORE;
    const char *block;
    while (reading == TAR_MORE) {
        if (take_always(import, TAR_BLOCK, &block) == 0)
            return TAR_BAD;
        reading = tar_read(&import->tar, block);
    }
    if (reading == TAR_BAD)
        failed(import, import->tar.why, 0, "");
    return reading;
}

/* Zeros to the very end, however many. */
static bool ends_here(struct import *import) {
    const char *block;
    if (next_entry(import) == TAR_ENTRY)
        return failed(import, "is not in its manifest", 0, import->tar.entry.path);
    while (import->error->what == NULL && take(import, TAR_BLOCK, &block) > 0)
        if (tar_read(&import->tar, block) == TAR_BAD)
            return failed(import, import->tar.why, 0, "");
    return import->error->what == NULL;
}

/* ---- contents ---- */

static bool is_zero(const char *bytes, size_t n) { return bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0; }

static bool put(struct import *import, int fd, const char *bytes, size_t n, const char *path) {
    while (n > 0) {
        ssize_t wrote = write(fd, bytes, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return failed(import, "cannot be written", wrote < 0 ? errno : ENOSPC, path);
        bytes += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

/* Of the entry that is being read, into a new file; long zeros become holes. */
static bool put_contents(struct import *import, int fd, uint64_t size, uint8_t sha256[static MANIFEST_HASH],
                         const char *path) {
    SHA2_CTX sha;
    const char *bytes;
    SHA256Init(&sha);
    for (uint64_t left = size; left > 0;) {
        size_t n = take_always(import, left + tar_padding(left), &bytes);
        if (n == 0)
            return false;
        n = n < left ? n : (size_t)left;
        SHA256Update(&sha, (const uint8_t *)bytes, n);
        if (is_zero(bytes, n) ? lseek(fd, (off_t)n, SEEK_CUR) < 0 : !put(import, fd, bytes, n, path))
            return import->error->what == NULL ? failed(import, "cannot be written", errno, path) : false;
        left -= n;
    }
    SHA256Final(sha256, &sha);
    return ftruncate(fd, (off_t)size) == 0 || failed(import, "cannot be written", errno, path);
}

/* As another user than root its owner stays who made it. The mode comes after: a new owner clears bits of it. */
static int dress(int in, const char *name, const struct manifest_entry *entry) {
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = entry->mtime, .tv_nsec = entry->mtime_ns}};
    if (fchownat(in, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) != 0 && errno != EPERM)
        return errno;
    if (entry->type != MANIFEST_LINK && fchmodat(in, name, entry->mode, 0) != 0)
        return errno;
    return utimensat(in, name, times, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno;
}

static bool make_file(struct import *import, const struct manifest_entry *entry) {
    struct tree *tree = &import->store->tree;
    uint8_t sha256[MANIFEST_HASH];
    int fd = openat(tree->in, tree->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = fd >= 0 && put_contents(import, fd, entry->size, sha256, entry->path);
    if (fd < 0)
        return failed(import, "cannot be made", errno, entry->path);
    fd_close(&fd);
    if (good && entry->hashed && memcmp(sha256, entry->sha256, sizeof sha256) != 0)
        return failed(import, "has another content than its manifest says", 0, entry->path);
    return good;
}

static bool make(struct import *import, const struct manifest_entry *entry) {
    struct tree *tree = &import->store->tree;
    int error = 0;
    if (!tree_reach(tree, entry->path))
        return failed(import, "cannot be made", tree->error, entry->path);
    switch ((enum manifest_type)entry->type) {
    case MANIFEST_FILE:
        if (!make_file(import, entry))
            return false;
        break;
    case MANIFEST_DIR: error = mkdirat(tree->in, tree->name, 0700) == 0 ? 0 : errno; break;
    case MANIFEST_LINK: error = symlinkat(entry->target, tree->in, tree->name) == 0 ? 0 : errno; break;
    case MANIFEST_TYPES: break;
    }
    /* A directory gets its own when all is in it. */
    if (error == 0 && entry->type != MANIFEST_DIR)
        error = dress(tree->in, tree->name, entry);
    return error == 0 || failed(import, "cannot be made", error, entry->path);
}

/* ---- the manifest ---- */

static void keep(char into[static TEXT_ROOM], const char *text) {
    struct out out = out_on(into, TEXT_ROOM);
    out_text(&out, text);
}

static bool open_manifest(struct import *import, struct manifest_head *head) {
    struct store *store = import->store;
    return lseek(store->manifest, 0, SEEK_SET) == 0 && sealed_open(&store->sealed, store->manifest, head);
}

/* The first entry, into a file without a name. */
static bool fetch_manifest(struct import *import) {
    static const char name[] = ".import";
    struct store *store = import->store;
    const struct tar_entry *entry = &import->tar.entry;
    const char *slash;
    uint8_t sha256[MANIFEST_HASH];
    enum tar_reading reading = next_entry(import);
    if (reading != TAR_ENTRY)
        return reading == TAR_END ? failed(import, "is empty", 0, "") : false;
    slash = strchr(entry->path, '/');
    if (entry->type != TAR_FILE || slash == NULL || strcmp(slash, "/" MANIFEST_NAME) != 0 ||
        (size_t)(slash - entry->path) >= sizeof import->id)
        return failed(import, "stands where an exported checkpoint has ID/" MANIFEST_NAME, 0, entry->path);
    memcpy(import->id, entry->path, (size_t)(slash - entry->path));
    store->manifest = openat(store->attempt, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (store->manifest < 0 || unlinkat(store->attempt, name, 0) != 0)
        return failed(import, "cannot be written", errno, MANIFEST_NAME);
    return put_contents(import, store->manifest, entry->size, sha256, MANIFEST_NAME);
}

static bool check_manifest(struct import *import) {
    struct sealed *sealed = &import->store->sealed;
    const char *name = import->wish->name;
    struct manifest_head head;
    if (open_manifest(import, &head)) {
        keep(import->name, head.name);
        keep(import->host, head.host);
        keep(import->cause, head.cause);
        keep(import->time, head.time);
        if (strcmp(head.id, import->id) != 0)
            return failed(import, "does not stand in the directory of its id", 0, MANIFEST_NAME);
        while (sealed_next(sealed)) {}
    }
    if (!sealed->ended)
        return failed(import, "is damaged, or of another version", sealed->error, MANIFEST_NAME);
    return name == NULL || strcmp(name, import->name) == 0 ||
           failed(import, "is the name of this checkpoint; if you mean that one: --name", 0, import->name);
}

/* ---- manifest and archive, side by side ---- */

static bool is_next(struct import *import, const struct manifest_entry *entry) {
    static const uint8_t types[] = {[MANIFEST_FILE] = TAR_FILE, [MANIFEST_DIR] = TAR_DIRECTORY,
                                    [MANIFEST_LINK] = TAR_SYMLINK};
    const struct tar_entry *found = &import->tar.entry;
    if (strcmp(found->path, import->path) != 0)
        return failed(import, "is not what comes next in its manifest", 0, found->path);
    if (found->type != types[entry->type])
        return failed(import, "is of another kind than its manifest says", 0, found->path);
    if (found->size != entry->size)
        return failed(import, "has another size than its manifest says", 0, found->path);
    return entry->type != MANIFEST_LINK || strcmp(found->target, entry->target) == 0 ||
           failed(import, "leads elsewhere than its manifest says", 0, found->path);
}

static bool make_all(struct import *import) {
    struct store *store = import->store;
    struct manifest_head head;
    struct out path = out_on(import->path, sizeof import->path);
    size_t start;
    bool good = open_manifest(import, &head);
    out_text(&path, import->id);
    out_text(&path, "/" DATA_NAME "/");
    start = path.n;
    while (good && sealed_next(&store->sealed)) {
        const struct manifest_entry *entry = &store->sealed.entry;
        enum tar_reading reading = next_entry(import);
        path.n = start;
        out_text(&path, entry->path);
        if (reading == TAR_END)
            return failed(import, "is missing", 0, path.text);
        good = reading == TAR_ENTRY && is_next(import, entry) && make(import, entry);
    }
    return good && ends_here(import);
}

static bool dress_directories(struct import *import) {
    struct store *store = import->store;
    struct manifest_head head;
    bool good = open_manifest(import, &head);
    while (good && sealed_next(&store->sealed)) {
        const struct manifest_entry *entry = &store->sealed.entry;
        if (entry->type != MANIFEST_DIR)
            continue;
        good = tree_reach(&store->tree, entry->path);
        int error = good ? dress(store->tree.in, store->tree.name, entry) : store->tree.error;
        if (error != 0)
            good = failed(import, "cannot be made", error, entry->path);
    }
    return good;
}

static bool fill_attempt(struct import *import) {
    struct store *store = import->store;
    bool good = fetch_manifest(import) && check_manifest(import);
    tree_start(&store->tree, tree_open_dir(store->files, "."));
    good = good && make_all(import) && dress_directories(import);
    tree_end(&store->tree);
    fd_close(&store->manifest);
    return good;
}

bool archive_import(struct store *store, const struct archive_wish *wish, struct checkpoint_result *result,
                    struct archive_error *error) {
    static struct import import;
    struct store_label label;
    *error = (struct archive_error){0};
    import = (struct import){.store = store, .wish = wish, .error = error};
    if (!store_begin(store, result))
        return false;
    /* The archive may come slowly, and a stop's checkpoint cannot wait for it. */
    store_lend(store);
    if (!fill_attempt(&import) || !store_take_back(store, result)) {
        store_abandon(store);
        return false;
    }
    label = (struct store_label){.name = wish->as != NULL ? wish->as : import.name, .host = import.host,
                                 .cause = import.cause, .time = import.time, .hash = true};
    return store_commit(store, &label, MAX_KEEP, result);
}
