#include "sys/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The lowest free number is this one. Without /dev/null it is kept by what can be neither read nor written
 * to; a child then finds it closed, as we did. */
static int take_place(void) { return open("/", O_PATH | O_CLOEXEC); }

void fd_hold_standard(void) {
    int fd;
    while ((fd = take_place()) >= 0 && fd <= 2) {}
    fd_close(&fd);
}

void fd_fill_standard(void) {
    for (int fd = 0; fd <= 2; fd++) {
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 ? errno != EBADF : !(flags & O_PATH))
            continue;
        close(fd);
        if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) < 0)
            take_place();
    }
}

int fd_above_standard(int fd) {
    if (fd < 0 || fd > 2)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return high;
}

bool fd_raise_limit(struct rlimit *before) {
    *before = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    if (getrlimit(RLIMIT_NOFILE, before) != 0 || before->rlim_cur >= before->rlim_max)
        return false;
    struct rlimit raised = {.rlim_cur = before->rlim_max, .rlim_max = before->rlim_max};
    return fd_set_limit(&raised);
}

/* Raw: musl's setrlimit(2) is made for threads, and drags in what it needs for them. */
bool fd_set_limit(const struct rlimit *limit) {
    struct { uint64_t soft, hard; } raw = {limit->rlim_cur, limit->rlim_max};
    return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &raw, NULL) == 0;
}

void fd_close(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Without close_range(2), Linux 5.9, those that lastcall itself may have. */
static void close_between(unsigned first, unsigned last) {
    enum { AS_MANY = 4096 };
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
        return;
    for (unsigned fd = first; fd <= last && fd < AS_MANY; fd++)
        close((int)fd);
}

void fd_close_others(int keep) {
    if (keep > 2) {
        close_between(3, (unsigned)keep - 1);
        close_between((unsigned)keep + 1, ~0u);
    } else {
        close_between(3, ~0u);
    }
}
