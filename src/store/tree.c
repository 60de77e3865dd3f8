#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fd.h"

/* ---- names ---- */

/* getdents64(2); readdir(3) would bring malloc along. */
struct entry64 { uint64_t inode, offset; uint16_t bytes; uint8_t type; char name[]; };

static bool is_dots(const char *name) { return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)); }

const char *tree_name(struct tree_level *level, int *error) {
    for (;;) {
        while (level->at < level->n) {
            const struct entry64 *entry = (const struct entry64 *)(level->entries + level->at);
            level->at += entry->bytes;
            if (!is_dots(entry->name))
                return entry->name;
        }
        long got = syscall(SYS_getdents64, level->fd, level->entries, sizeof level->entries);
        *error = got < 0 ? errno : 0;
        if (got <= 0)
            return NULL;
        level->at = 0;
        level->n = (int32_t)got;
    }
}

/* ---- opening ---- */

/* openat2(2): only it knows a mount from the file system's own. Without it a mount looks like what it hides. */
struct how { uint64_t flags, mode, resolve; };
enum { NO_XDEV = 1 };

static int open_in(int in, const char *name, int more) {
    struct how how = {.flags = (uint64_t)(O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | more),
                      .resolve = NO_XDEV};
    long fd = syscall(SYS_openat2, in, name, &how, sizeof how);
    return fd < 0 && (errno == ENOSYS || errno == EPERM) ? openat(in, name, (int)how.flags) : (int)fd;
}

int tree_open(int in, const char *name) { return open_in(in, name, 0); }

int tree_open_dir(int in, const char *name) { return open_in(in, name, O_DIRECTORY); }

/* ---- finding everything ---- */

static struct tree_level *level_of(struct tree *tree) { return &tree->levels[tree->depth]; }

static void enter(struct tree *tree, int fd, size_t end) {
    struct tree_level *level = level_of(tree);
    level->fd = fd;
    level->end = (uint16_t)end;
    level->at = level->n = 0;
}

bool tree_start(struct tree *tree, int dir) {
    tree->path[0] = 0;
    tree->depth = 0;
    tree->enter = false;
    enter(tree, tree_open_dir(dir, "."), 0);
    tree->error = errno;
    return tree->levels[0].fd >= 0;
}

static void leave(struct tree *tree) {
    fd_close(&level_of(tree)->fd);
    tree->depth--;
}

void tree_end(struct tree *tree) {
    while (tree->depth > 0)
        leave(tree);
    fd_close(&tree->levels[0].fd);
}

static enum tree_found failed(struct tree *tree, int error) {
    tree->error = error;
    return TREE_FAILED;
}

/* The directory called so in the level that the tree is at, whose path stands in tree->path. */
static bool descend(struct tree *tree, const char *name) {
    int fd = tree_open_dir(level_of(tree)->fd, name);
    tree->error = errno;
    if (fd < 0)
        return false;
    tree->depth++;
    enter(tree, fd, strlen(tree->path));
    return true;
}

/* Appends a name to the path of the level; what would be too long is cut. */
static bool append(struct tree *tree, const char *name, size_t n) {
    size_t at = level_of(tree)->end, room = sizeof tree->path - 1;
    if (at > 0)
        tree->path[at++] = '/';
    bool fits = at + n <= room;
    n = fits ? n : at < room ? room - at : 0;
    memcpy(tree->path + at, name, n);
    tree->path[at + n] = 0;
    tree->name = tree->path + at;
    return fits;
}

enum tree_found tree_next(struct tree *tree) {
    const char *name;
    int error;
    if (tree->enter && !descend(tree, tree->name))
        return failed(tree, tree->error);
    tree->enter = false;
    while ((name = tree_name(level_of(tree), &error)) == NULL && error == 0 && tree->depth > 0)
        leave(tree);
    if (name == NULL) {
        tree->path[level_of(tree)->end] = 0;
        return error != 0 ? failed(tree, error) : TREE_END;
    }
    if (!append(tree, name, strlen(name)) || tree->depth == MANIFEST_DEPTH)
        return TREE_REFUSED;
    tree->in = level_of(tree)->fd;
    if (fstatat(tree->in, tree->name, &tree->stat, AT_SYMLINK_NOFOLLOW) != 0)
        return failed(tree, errno);
    tree->enter = S_ISDIR(tree->stat.st_mode);
    return TREE_ENTRY;
}

/* ---- one path after another ---- */

static bool is_above(const struct tree *tree, const char *path) {
    size_t end = tree->levels[tree->depth].end;
    return tree->depth == 0 || (strncmp(path, tree->path, end) == 0 && path[end] == '/');
}

bool tree_reach(struct tree *tree, const char *path) {
    while (!is_above(tree, path))
        leave(tree);
    for (;;) {
        const char *name = path + level_of(tree)->end + (tree->depth > 0);
        size_t n = strcspn(name, "/");
        append(tree, name, n);
        tree->in = level_of(tree)->fd;
        if (name[n] == 0)
            return true;
        if (!descend(tree, tree->name))
            return false;
    }
}

/* ---- removing ---- */

/* As the owner of a directory that nobody may enter, we may still change that. (Who is above such rules never gets
 * EACCES, and so is never led to what another put there meanwhile.) */
static int open_to_remove(int in, const char *name) {
    int fd = tree_open_dir(in, name);
    struct stat stat;
    if (fd < 0 && errno == EACCES && fchmodat(in, name, S_IRWXU, 0) == 0)
        fd = tree_open_dir(in, name);
    if (fd >= 0 && fstat(fd, &stat) == 0 && (stat.st_mode & S_IRWXU) != S_IRWXU)
        fchmod(fd, S_IRWXU);
    return fd;
}

/* 0, or an errno: ENOTEMPTY for a directory that is not empty. */
static int remove_one(int in, const char *name) {
    if (unlinkat(in, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return errno;
    if (unlinkat(in, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    return errno == EEXIST ? ENOTEMPTY : errno;
}

/* A directory that is not empty becomes a neighbour of the one that it was in. */
static int move_up(int from, const char *name, int top, uint32_t *serial) {
    char fresh[16] = ".";
    int fd = open_to_remove(from, name);
    fd_close(&fd);
    for (;;) {
        struct out out = out_on(fresh + 1, sizeof fresh - 1);
        out_uint(&out, ++*serial);
        if (renameat(from, name, top, fresh) == 0)
            return 0;
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
            return errno;
    }
}

/* Removes what is in a directory. What has something in it in turn moves up to `top`; if this is the top, its
 * content does. So two levels are open at most, however deep the tree is. */
static int empty(int fd, int top, uint32_t *serial) {
    struct tree_level level = {.fd = fd};
    const char *name;
    int error = 0, ended;
    while (error == 0 && (name = tree_name(&level, &ended)) != NULL) {
        if ((error = remove_one(fd, name)) != ENOTEMPTY)
            continue;
        if (fd != top) {
            error = move_up(fd, name, top, serial);
            continue;
        }
        int child = open_to_remove(fd, name);
        error = child < 0 ? errno : empty(child, top, serial);
        fd_close(&child);
        if (error == 0 && unlinkat(fd, name, AT_REMOVEDIR) != 0)
            error = errno;
    }
    return error != 0 ? error : ended;
}

/* What has moved up may need another round, and so may who still adds to it; who never stops is left alone. */
int tree_remove(int in, const char *name) {
    uint32_t serial = 0, before;
    int error, rounds = 32, fd = open_to_remove(in, name);
    if (fd < 0)
        return errno == ENOENT ? 0 : errno;
    do {
        before = serial;
        error = lseek(fd, 0, SEEK_SET) < 0 ? errno : empty(fd, fd, &serial);
        if (error == 0 && unlinkat(in, name, AT_REMOVEDIR) != 0)
            error = errno;
    } while ((error == ENOTEMPTY || error == EEXIST) && (serial != before || --rounds > 0));
    fd_close(&fd);
    return error;
}
