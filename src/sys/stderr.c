#include "sys/stderr.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sys/fd.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

enum stderr_way {
    WAY_UNKNOWN,
    WAY_PLAIN,  /* a file or a device that never makes one wait, or a description of our own */
    WAY_SOCKET, /* MSG_DONTWAIT */
    WAY_NOWAIT, /* RWF_NOWAIT, while the kernel knows it for this file (pipes: 6.4) */
    WAY_POLL,   /* ask first: a pipe that polls writable takes PIPE_BUF bytes. Another writer may come
                   between; there is no better way without /proc */
};

/* A second description of the same pipe or terminal. Fails for another user's pipe, and without /proc. */
static int reopen(int fd) {
    return fd_above_standard(open(fd == 1 ? "/proc/self/fd/1" : "/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_APPEND | O_CLOEXEC));
}

void stderr_open(struct stderr_out *out) {
    struct stat stat;
    int fd = out->target == 1 ? 1 : 2;
    *out = (struct stderr_out){.target = fd, .way = WAY_PLAIN, .fd = fd};
    if (fstat(fd, &stat) != 0 || S_ISREG(stat.st_mode) || S_ISBLK(stat.st_mode))
        return;
    if (S_ISSOCK(stat.st_mode)) {
        out->way = WAY_SOCKET;
        return;
    }
    int own = reopen(fd);
    if (own >= 0)
        out->fd = own;
    else
        out->way = WAY_NOWAIT;
}

void stderr_blocking(struct stderr_out *out, int fd) { *out = (struct stderr_out){.target = fd, .way = WAY_PLAIN, .fd = fd}; }

static ssize_t write_nowait(struct stderr_out *out, const char *line, size_t n) {
    struct iovec vector = {.iov_base = (char *)line, .iov_len = n};
    long wrote = syscall(SYS_pwritev2, out->fd, &vector, 1, -1L, -1L, RWF_NOWAIT);
    if (wrote >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL))
        return wrote;
    out->way = WAY_POLL;
    return -1;
}

static ssize_t write_polled(struct stderr_out *out, const char *line, size_t n) {
    struct pollfd poll_2 = {.fd = out->fd, .events = POLLOUT};
    if (poll(&poll_2, 1, 0) != 1 || !(poll_2.revents & POLLOUT))
        return -1;
    return write(out->fd, line, n);
}

static ssize_t write_once(struct stderr_out *out, const char *line, size_t n) {
    ssize_t wrote = -1;
    if (out->way == WAY_SOCKET)
        return send(out->fd, line, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (out->way == WAY_PLAIN)
        return write(out->fd, line, n); /* SIGPIPE is blocked, and comes as a signal of our own */
    if (out->way == WAY_NOWAIT)
        wrote = write_nowait(out, line, n);
    return out->way == WAY_POLL ? write_polled(out, line, n) : wrote;
}

bool stderr_line(struct stderr_out *out, const char *line, size_t n) {
    if (out->way == WAY_UNKNOWN)
        stderr_open(out);
    ssize_t wrote = write_once(out, line, n);
    if (wrote != (ssize_t)n) {
        out->dropped++;
        out->error = wrote < 0 ? errno : ENOSPC; /* a disk that is full takes a part */
        return false;
    }
    return true;
}

bool stderr_patient_line(struct stderr_out *out, const char *line, size_t n) {
    enum { PIECE = 4096 /* what a pipe that polls writable takes */ };
    if (out->way == WAY_UNKNOWN)
        stderr_open(out);
    for (bool waited = false; n > 0;) {
        struct pollfd room = {.fd = out->fd, .events = POLLOUT};
        ssize_t wrote = write_once(out, line, n < PIECE ? n : PIECE);
        if (wrote <= 0 && (waited || poll(&room, 1, 1000) != 1))
            return false;
        waited = wrote <= 0;
        line += wrote > 0 ? wrote : 0;
        n -= wrote > 0 ? (size_t)wrote : 0;
    }
    return true;
}

void stderr_close(struct stderr_out *out) {
    if (out->fd > 2)
        close(out->fd);
    *out = (struct stderr_out){0};
}
