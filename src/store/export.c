#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/archive.h"
#include "store/parts.h"
#include "sys/fd.h"
#include "text/tar.h"

struct export {
    struct store *store;
    int to;
    struct archive_error *error;
    bool inside;                  /* a file's contents, not all of which have been written */
};

/* ---- writing ---- */

static bool failed(struct export *export, const char *what, int error, const char *path) {
    struct out out = out_on(export->error->path, sizeof export->error->path);
    out_text(&out, path);
    export->error->what = what;
    export->error->error = error;
    return false;
}

static bool send(struct export *export, const void *bytes, size_t n) {
    for (const char *at = bytes; n > 0;) {
        ssize_t wrote = write(export->to, at, n);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return failed(export, "cannot be written", wrote < 0 ? errno : ENOSPC, "");
        at += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

static bool send_head(struct export *export, const struct tar_entry *entry) {
    static char head[TAR_HEAD];
    return send(export, head, tar_head(entry, head));
}

/* Bytes of a file, as many as were promised, and what fills their last block. */
static bool send_contents(struct export *export, int fd, uint64_t size, SHA2_CTX *sha, const char *path) {
    char zeros[TAR_BLOCK] = {0};
    uint8_t *block = export->store->block;
    export->inside = size > 0;
    for (uint64_t left = size; left > 0;) {
        ssize_t got = read(fd, block, left < STORE_BLOCK ? left : STORE_BLOCK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return failed(export, got < 0 ? "cannot be read" : "is shorter than its manifest says", got < 0 ? errno : 0,
                          path);
        SHA256Update(sha, block, (size_t)got);
        left -= (uint64_t)got;
        export->inside = left > 0;
        if (!send(export, block, (size_t)got))
            return false;
    }
    return send(export, zeros, tar_padding(size));
}

static bool send_manifest(struct export *export, const char *path) {
    int fd = export->store->manifest;
    struct stat stat;
    SHA2_CTX sha;
    if (fstat(fd, &stat) != 0 || lseek(fd, 0, SEEK_SET) != 0)
        return failed(export, "cannot be read", errno, MANIFEST_NAME);
    SHA256Init(&sha);
    return send_head(export, &(struct tar_entry){.path = path, .size = (uint64_t)stat.st_size, .mode = 0600,
                                                 .mtime_s = stat.st_mtim.tv_sec}) &&
           send_contents(export, fd, (uint64_t)stat.st_size, &sha, MANIFEST_NAME);
}

static bool send_file(struct export *export, const struct manifest_entry *entry, const struct tar_entry *as) {
    struct tree *tree = &export->store->tree;
    uint8_t sha256[MANIFEST_HASH];
    struct stat stat;
    SHA2_CTX sha;
    bool good;
    int fd = tree_open(tree->in, tree->name);
    if (fd < 0 || fstat(fd, &stat) != 0)
        return failed(export, "cannot be read", errno, entry->path);
    SHA256Init(&sha);
    if (!S_ISREG(stat.st_mode) || (uint64_t)stat.st_size != entry->size)
        good = failed(export, "has another size than its manifest says", 0, entry->path);
    else
        good = send_head(export, as) && send_contents(export, fd, entry->size, &sha, entry->path);
    fd_close(&fd);
    SHA256Final(sha256, &sha);
    if (good && entry->hashed && memcmp(sha256, entry->sha256, sizeof sha256) != 0)
        return failed(export, "has another content than its manifest says", 0, entry->path);
    return good;
}

static bool is_link(struct tree *tree, const char *target) {
    char text[MANIFEST_PATH];
    ssize_t n = readlinkat(tree->in, tree->name, text, sizeof text);
    return n >= 0 && (size_t)n == strlen(target) && memcmp(text, target, (size_t)n) == 0;
}

static bool send_entry(struct export *export, const struct manifest_entry *entry, const char *path) {
    static const uint8_t types[] = {[MANIFEST_FILE] = TAR_FILE, [MANIFEST_DIR] = TAR_DIRECTORY,
                                    [MANIFEST_LINK] = TAR_SYMLINK};
    struct tree *tree = &export->store->tree;
    struct tar_entry as = {.path = path, .target = entry->target, .type = types[entry->type], .size = entry->size,
                           .mode = entry->mode, .uid = entry->uid, .gid = entry->gid, .mtime_s = entry->mtime,
                           .mtime_ns = entry->mtime_ns};
    struct stat stat;
    if (!tree_reach(tree, entry->path))
        return failed(export, "cannot be read", tree->error, entry->path);
    if (entry->type == MANIFEST_FILE)
        return send_file(export, entry, &as);
    if (fstatat(tree->in, tree->name, &stat, AT_SYMLINK_NOFOLLOW) != 0)
        return failed(export, "cannot be read", errno, entry->path);
    if (entry->type == MANIFEST_DIR ? !S_ISDIR(stat.st_mode) : !is_link(tree, entry->target))
        return failed(export, "is not as its manifest says", 0, entry->path);
    return send_head(export, &as);
}

/* ---- all of it ---- */

/* path: "ID/", to which each entry adds its own. */
static bool send_entries(struct export *export, struct out path) {
    struct store *store = export->store;
    struct manifest_head head;
    size_t start;
    bool good;
    out_text(&path, DATA_NAME "/");
    start = path.n;
    good = lseek(store->manifest, 0, SEEK_SET) == 0 || failed(export, "cannot be read", errno, MANIFEST_NAME);
    good = good && (sealed_open(&store->sealed, store->manifest, &head) ||
                    failed(export, "has changed", store->sealed.error, MANIFEST_NAME));
    while (good && sealed_next(&store->sealed)) {
        path.n = start;
        out_text(&path, store->sealed.entry.path);
        good = send_entry(export, &store->sealed.entry, path.text);
    }
    if (good && !store->sealed.ended)
        good = failed(export, "has changed", store->sealed.error, MANIFEST_NAME);
    return good;
}

/* Before anything is written: an archive without a good manifest is of no use to anybody. */
static bool manifest_is_whole(struct export *export) {
    struct sealed *sealed = &export->store->sealed;
    struct manifest_head head;
    if (lseek(export->store->manifest, 0, SEEK_SET) == 0 && sealed_open(sealed, export->store->manifest, &head))
        while (sealed_next(sealed)) {}
    return sealed->ended || failed(export, "is damaged", sealed->error, MANIFEST_NAME);
}

/* Readers take an archive that ends between two entries for whole. What announces more, and brings none, tells them. */
static void break_off(struct export *export) {
    char head[TAR_HEAD];
    struct archive_error first = *export->error;
    if (!export->inside && tar_head(&(struct tar_entry){.path = "\xff"}, head) > TAR_BLOCK)
        send(export, head, TAR_BLOCK);
    *export->error = first;
}

bool archive_export(struct store *store, const char *id, int to, struct archive_error *error) {
    char end[2 * TAR_BLOCK] = {0};
    static char text[TAR_PATH];
    struct export export = {.store = store, .to = to, .error = error};
    struct out path = out_on(text, sizeof text), name;
    bool good;
    *error = (struct archive_error){0};
    out_text(&path, id);
    out_char(&path, '/');
    name = path;
    out_text(&name, MANIFEST_NAME);
    if (!manifest_is_whole(&export))
        return false;
    tree_start(&store->tree, tree_open_dir(store->files, "."));
    good = send_manifest(&export, text) && send_entries(&export, path) && send(&export, end, sizeof end);
    tree_end(&store->tree);
    if (!good)
        break_off(&export);
    return good;
}
