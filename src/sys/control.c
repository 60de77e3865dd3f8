#include "sys/control.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/listen.h"

enum { BACKLOG = 64 };

/* ---- names ---- */

static char *append(char *at, const char *end, const char *text) {
    while (*text != 0 && at < end)
        *at++ = *text++;
    return at;
}

static char *append_number(char *at, const char *end, uint64_t value) {
    char digits[21] = {0}, *first = digits + 20;
    do
        *--first = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    return append(at, end, first);
}

static uint64_t mount_namespace(void) {
    struct stat st;
    return stat("/proc/self/ns/mnt", &st) == 0 ? st.st_ino : 0;
}

/* "@lastcall-NAMESPACE", and "-PID" behind it if pid is not 0. */
static void abstract_name(char name[CONTROL_NAME], uint64_t pid) {
    const char *end = name + CONTROL_NAME - 1;
    char *at = append(name, end, "@lastcall-");
    at = append_number(at, end, mount_namespace());
    if (pid != 0)
        at = append_number(append(at, end, "-"), end, pid);
    *at = 0;
}

void control_candidates(const char *runtime_dir, struct control_names *names) {
    static const char file[] = "/lastcall.sock";
    *names = (struct control_names){.n = 1};
    append(names->v[0], names->v[0] + CONTROL_NAME - 1, "/run/lastcall.sock");
    if (runtime_dir != NULL && runtime_dir[0] == '/' && strlen(runtime_dir) + sizeof file <= CONTROL_NAME) {
        char *name = names->v[names->n++], *end = name + CONTROL_NAME - 1;
        append(append(name, end, runtime_dir), end, file);
    }
    abstract_name(names->v[names->n++], 0);
}

/* ---- sockets ---- */

static socklen_t kernel_address(const char *name, struct sockaddr_storage *into) {
    size_t n = strlen(name);
    struct address address = {.kind = HOST_UNIX, .path = name, .path_bytes = (uint16_t)n};
    return n < CONTROL_NAME ? address_for_kernel(&address, false, into) : 0;
}

static int fail(int fd, int error) {
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

int control_connect(const char *name) {
    struct sockaddr_storage at;
    socklen_t n = kernel_address(name, &at);
    int fd, no = 0;
    if (n == 0)
        return fail(-1, ENAMETOOLONG);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&at, n) < 0)
        return fail(fd, errno);
    ioctl(fd, FIONBIO, &no); /* our own description: nobody shares it */
    return fd;
}

/* Makes way for a bind: 0, or why not. Only a socket that refuses connections is removed. */
static int clear_stale(const char *name) {
    struct stat st;
    int fd;
    if (name[0] == '@' || lstat(name, &st) < 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return EEXIST;
    fd = control_connect(name);
    if (fd >= 0 || errno != ECONNREFUSED) {
        if (fd >= 0)
            close(fd);
        return EADDRINUSE;
    }
    return unlink(name) < 0 && errno != ENOENT ? errno : 0;
}

/* The umask makes the file 0600 from its first instant; a chmod after it would come too late. */
static int bind_private(int fd, const struct sockaddr_storage *at, socklen_t n) {
    mode_t before = umask(0177);
    int error = bind(fd, (const struct sockaddr *)at, n) < 0 ? errno : 0;
    umask(before);
    return error;
}

static int bind_at(const char *name, struct control *control) {
    struct sockaddr_storage at;
    struct stat st;
    socklen_t n = kernel_address(name, &at);
    int error;
    *control = (struct control){.fd = -1};
    append(control->name, control->name + CONTROL_NAME - 1, name);
    if (n == 0)
        return ENAMETOOLONG;
    error = clear_stale(name);
    if (error != 0)
        return error;
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->fd < 0)
        return errno;
    error = bind_private(control->fd, &at, n);
    if (error == 0 && listen(control->fd, BACKLOG) < 0)
        error = errno;
    if (error != 0) {
        close(control->fd);
        control->fd = -1;
    } else if (name[0] != '@' && lstat(name, &st) == 0) {
        control->device = st.st_dev;
        control->inode = st.st_ino;
    }
    return error;
}

int control_bind(const char *wanted, const char *runtime_dir, struct control *control) {
    struct control_names names;
    char own[CONTROL_NAME];
    if (wanted != NULL)
        return bind_at(wanted, control);
    control_candidates(runtime_dir, &names);
    for (uint8_t i = 0; i < names.n; i++)
        if (bind_at(names.v[i], control) == 0)
            return 0;
    abstract_name(own, (uint64_t)getpid());
    return bind_at(own, control);
}

void control_unlink(const struct control *control) {
    struct stat st;
    if (control->inode != 0 && lstat(control->name, &st) == 0 && st.st_ino == control->inode &&
        st.st_dev == control->device)
        unlink(control->name);
}
