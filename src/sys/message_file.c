#include "sys/message_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

enum { OPEN_FLAGS = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, NAME_MOST = 1024 };
static const char suffix[] = ".new";

static int open_in_place(struct message_file *file, int create) {
    struct stat stat;
    file->fd = fd_above_standard(open(file->path, (OPEN_FLAGS & ~O_CREAT) | create, 0644));
    file->usable = file->fd >= 0;
    if (file->fd < 0)
        return errno;
    if (fstat(file->fd, &stat) != 0)
        return 0;
    file->stream = !S_ISREG(stat.st_mode);
    file->length = stat.st_size < MESSAGE_FILE_MAX ? (size_t)stat.st_size : MESSAGE_FILE_MAX;
    if (stat.st_size > MESSAGE_FILE_MAX && ftruncate(file->fd, MESSAGE_FILE_MAX) != 0)
        return errno; /* somebody else's long text: its tail would stand behind ours */
    return 0;
}

int message_file_open(struct message_file *file, const char *path, bool ours) {
    struct stat stat;
    *file = (struct message_file){.path = path, .fd = -1, .usable = true};
    bool there = lstat(path, &stat) == 0;
    if (ours && strlen(path) < NAME_MOST && (!there || (S_ISREG(stat.st_mode) && stat.st_uid == geteuid())))
        return 0;
    return open_in_place(file, ours ? O_CREAT : 0);
}

static bool replace(const struct message_file *file, const char *text, size_t n) {
    char name[NAME_MOST + sizeof suffix];
    size_t length = strlen(file->path);
    memcpy(name, file->path, length);
    memcpy(name + length, suffix, sizeof suffix);
    int fd = open(name, OPEN_FLAGS | O_TRUNC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return false;
    bool whole = write(fd, text, n) == (ssize_t)n;
    close(fd);
    if (whole && rename(name, file->path) == 0)
        return true;
    unlink(name);
    return false;
}

static int write_stream(const struct message_file *file, const char *text, size_t n) {
    return write(file->fd, text, n) == (ssize_t)n ? 0 : errno;
}

int message_file_write(struct message_file *file, const char *text, size_t n, bool last) {
    char whole[MESSAGE_FILE_MAX];
    int error = 0;
    if (file->fd < 0 && replace(file, text, n))
        return 0;
    if (file->fd < 0 && (error = open_in_place(file, O_CREAT)) != 0)
        return error;
    if (file->stream)
        return last ? write_stream(file, text, n) : 0;
    size_t length = n > file->length ? n : file->length;
    memcpy(whole, text, n);
    memset(whole + n, ' ', length - n);
    ssize_t wrote = pwrite(file->fd, whole, length, 0);
    if (wrote != (ssize_t)length)
        return wrote < 0 ? errno : ENOSPC;
    file->length = length;
    return 0;
}
