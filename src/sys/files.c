#include "sys/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct reading {
    struct arena *arena;
    struct file *files;
    uint32_t n, room;
};

/* The rest of the arena is the buffer; what was read of it is taken. 0, or an errno. */
static int read_all(struct arena *arena, int fd, struct file *file) {
    size_t left = (size_t)(arena->end - arena->at);
    file->text = arena->at;
    for (;;) {
        ssize_t got = read(fd, arena->at + file->bytes, left - file->bytes);
        if (got < 0)
            return errno;
        file->bytes += (size_t)got;
        if (file->bytes > MAX_FILE_BYTES || file->bytes == left)
            return EFBIG;
        if (got == 0)
            break;
    }
    arena->at += file->bytes;
    return 0;
}

static int read_file(struct reading *r, int directory, const char *path, const char *name) {
    struct file *file = &r->files[r->n];
    int fd, error;
    if (r->n == r->room)
        return E2BIG;
    fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno;
    *file = (struct file){.name = name};
    error = read_all(r->arena, fd, file);
    close(fd);
    r->n += error == 0;
    return error;
}

/* getdents64(2); readdir(3) would bring malloc along. */
struct entry64 { uint64_t inode, offset; uint16_t bytes; uint8_t type; char name[]; };

static bool is_ini(const char *name) {
    size_t n = strlen(name);
    return n > 4 && name[0] != '.' && strcmp(name + n - 4, ".ini") == 0;
}

/* path/name in the arena. */
static const char *join(struct arena *arena, const char *path, const char *name) {
    size_t n = strlen(path), m = strlen(name) + 1;
    bool slash = n && path[n - 1] == '/';
    char *joined = arena_take(arena, n + 1 + m);
    if (!joined)
        return NULL;
    memcpy(joined, path, n);
    if (!slash)
        joined[n++] = '/';
    memcpy(joined + n, name, m);
    return joined;
}

/* Keeps names sorted; 0 or an errno. */
static int add_name(const char **names, uint32_t *n, uint32_t room, const char *name) {
    uint32_t at = *n;
    if (!name)
        return ENOMEM;
    if (*n == room)
        return E2BIG;
    for (; at > 0 && strcmp(names[at - 1], name) > 0; at--)
        names[at] = names[at - 1];
    names[at] = name;
    ++*n;
    return 0;
}

static int list_names(struct arena *arena, int fd, const char *path, const char **names, uint32_t *n, uint32_t room) {
    _Alignas(8) char buffer[4096];
    for (;;) {
        long got = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
        if (got <= 0)
            return got < 0 ? errno : 0;
        for (long at = 0; at < got;) {
            const struct entry64 *entry = (const struct entry64 *)(buffer + at);
            int error = is_ini(entry->name) ? add_name(names, n, room, join(arena, path, entry->name)) : 0;
            if (error)
                return error;
            at += entry->bytes;
        }
    }
}

static int read_directory(struct reading *r, int fd, const char *path, const char **failed) {
    uint32_t n = 0, room = r->room - r->n;
    const char **names = arena_take(r->arena, (room + 1u) * sizeof *names);
    int error = names ? list_names(r->arena, fd, path, names, &n, room) : ENOMEM;
    for (uint32_t i = 0; i < n && !error; i++) {
        error = read_file(r, AT_FDCWD, names[i], names[i]);
        *failed = names[i];
    }
    return error;
}

static int read_path(struct reading *r, const char *path, const char **failed) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY), error;
    if (fd < 0)
        return errno == ENOTDIR ? read_file(r, AT_FDCWD, path, path) : errno;
    error = read_directory(r, fd, path, failed);
    close(fd);
    return error;
}

bool files_read(const char *const *paths, uint32_t n_paths, struct arena *arena, struct file *files, uint32_t room,
                uint32_t *n_files, struct file_error *error) {
    struct reading r = {.arena = arena, .files = files, .room = room};
    for (uint32_t i = 0; i < n_paths; i++) {
        const char *failed = paths[i];
        int number = read_path(&r, paths[i], &failed);
        if (number) {
            *error = (struct file_error){failed, number};
            return false;
        }
    }
    *n_files = r.n;
    return true;
}
