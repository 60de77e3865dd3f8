#include "sys/cgroup.h"

#include <fcntl.h>
#include <unistd.h>

/* Whatever may stand at that path, it makes nobody wait. */
bool cgroup_read(const char *path, char *text, size_t room) {
    size_t n = 0;
    ssize_t got;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    while (n < room - 1 && (got = read(fd, text + n, room - 1 - n)) > 0)
        n += (size_t)got;
    close(fd);
    text[n] = 0;
    return n > 0;
}
