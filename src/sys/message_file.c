#include "sys/message_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/fd.h"

int message_file_open(struct message_file *file, const char *path, bool create) {
    struct stat stat;
    int flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (create ? O_CREAT : 0);
    *file = (struct message_file){.fd = fd_above_standard(open(path, flags, 0644))};
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

static int write_stream(struct message_file *file, const char *text, size_t n) {
    return write(file->fd, text, n) == (ssize_t)n ? 0 : errno;
}

int message_file_write(struct message_file *file, const char *text, size_t n, bool last) {
    char whole[MESSAGE_FILE_MAX];
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
