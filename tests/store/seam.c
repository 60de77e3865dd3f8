#include "seam.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int seam_left = -1, seam_error;
bool seam_failed, seam_recording;
jmp_buf seam_crash;
struct op *seam_ops;
uint32_t (*seam_said)(void);
size_t seam_n;

void seam_close_all(void) { close_range(3, ~0u, 0); }

/* true: this call fails, with errno. */
static bool strikes(void) {
    if (seam_left < 0 || seam_left-- > 0)
        return false;
    if (seam_error == 0)
        longjmp(seam_crash, 1);
    seam_failed = true;
    errno = seam_error;
    return true;
}

static void seam_note(struct op op) {
    if (!seam_recording)
        return;
    if ((seam_n & (seam_n - 1)) == 0)
        seam_ops = realloc(seam_ops, (seam_n ? 2 * seam_n : 1) * sizeof *seam_ops);
    op.said = seam_said != NULL ? seam_said() : 0;
    seam_ops[seam_n++] = op;
}

static ino_t ino_of(int dir, const char *name) {
    struct stat stat;
    int error = errno;
    if ((name == NULL ? fstat(dir, &stat) : fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW)) != 0)
        stat.st_ino = 0;
    errno = error;
    return stat.st_ino;
}

static void note(enum op_kind kind, int dir, const char *name) {
    struct op op = {.kind = kind, .dir = ino_of(dir, NULL), .ino = ino_of(dir, name)};
    snprintf(op.name, sizeof op.name, "%s", name);
    seam_note(op);
}

#define WRAP(result, name, ...) \
    result __real_##name(__VA_ARGS__); \
    result __wrap_##name(__VA_ARGS__); \
    result __wrap_##name(__VA_ARGS__)

WRAP(int, mkdirat, int dir, const char *name, mode_t mode) {
    int done = strikes() ? -1 : __real_mkdirat(dir, name, mode);
    if (done == 0 && seam_recording)
        note(OP_MKDIR, dir, name);
    return done;
}

WRAP(int, mkdir, const char *path, mode_t mode) {
    int done = strikes() ? -1 : __real_mkdir(path, mode), error = errno;
    if (done == 0 && seam_recording) {
        const char *name = strrchr(path, '/') + 1;
        char above[512];
        snprintf(above, sizeof above, "%.*s", (int)(name - path), path);
        int dir = open(above, O_PATH);
        note(OP_MKDIR, dir, name);
        close(dir);
    }
    errno = error;
    return done;
}

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    bool fresh = flags & O_CREAT && ino_of(dir, name) == 0;
    int fd = strikes() ? -1 : __real_openat(dir, name, flags, mode);
    if (fd >= 0 && fresh && seam_recording)
        note(OP_CREATE, dir, name);
    return fd;
}

WRAP(ssize_t, write, int fd, const void *bytes, size_t n) {
    off_t at = lseek(fd, 0, SEEK_CUR);
    ssize_t wrote = fd > 2 && strikes() ? -1 : __real_write(fd, bytes, n);
    if (wrote > 0 && at >= 0 && seam_recording) {
        struct op op = {.kind = OP_WRITE, .ino = ino_of(fd, NULL), .at = (size_t)at, .n = (size_t)wrote};
        op.bytes = malloc(op.n);
        memcpy(op.bytes, bytes, op.n);
        seam_note(op);
    }
    return wrote;
}

WRAP(int, fsync, int fd) {
    int done = strikes() ? -1 : __real_fsync(fd);
    if (done == 0 && seam_recording)
        seam_note((struct op){.kind = OP_FSYNC, .ino = ino_of(fd, NULL)});
    return done;
}

WRAP(int, syncfs, int fd) {
    int done = strikes() ? -1 : __real_syncfs(fd);
    if (done == 0 && seam_recording)
        seam_note((struct op){.kind = OP_SYNCFS});
    return done;
}

WRAP(int, renameat, int from, const char *name, int to, const char *as) {
    struct op op = {.kind = OP_RENAME, .dir = ino_of(from, NULL), .ino = ino_of(from, name), .to_dir = ino_of(to, NULL)};
    int done = strikes() ? -1 : __real_renameat(from, name, to, as);
    snprintf(op.name, sizeof op.name, "%s", name);
    snprintf(op.to, sizeof op.to, "%s", as);
    if (done == 0)
        seam_note(op);
    return done;
}

WRAP(int, unlinkat, int dir, const char *name, int flags) {
    struct op op = {.kind = flags & AT_REMOVEDIR ? OP_RMDIR : OP_UNLINK, .dir = ino_of(dir, NULL), .ino = ino_of(dir, name)};
    int done = strikes() ? -1 : __real_unlinkat(dir, name, flags);
    snprintf(op.name, sizeof op.name, "%s", name);
    if (done == 0)
        seam_note(op);
    return done;
}

WRAP(int, symlinkat, const char *target, int dir, const char *name) {
    int done = strikes() ? -1 : __real_symlinkat(target, dir, name);
    if (done == 0 && seam_recording) {
        struct op op = {.kind = OP_SYMLINK, .dir = ino_of(dir, NULL), .ino = ino_of(dir, name)};
        snprintf(op.name, sizeof op.name, "%s", name);
        snprintf(op.to, sizeof op.to, "%s", target);
        seam_note(op);
    }
    return done;
}

/* What only fails or is the last. */
WRAP(int, flock, int fd, int how) { return strikes() ? -1 : __real_flock(fd, how); }
WRAP(ssize_t, read, int fd, void *bytes, size_t n) { return strikes() ? -1 : __real_read(fd, bytes, n); }
WRAP(int, fstatat, int dir, const char *name, struct stat *stat, int flags) {
    return strikes() ? -1 : __real_fstatat(dir, name, stat, flags);
}
