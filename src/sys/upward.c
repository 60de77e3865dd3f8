#include "sys/upward.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/fd.h"

bool upward_send(const char *address, const char *text, size_t n) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(address);
    if (length < 2 || length > sizeof to.sun_path || (address[0] != '/' && address[0] != '@'))
        return false;
    memcpy(to.sun_path, address, length);
    if (address[0] == '@')
        to.sun_path[0] = 0;
    int fd = fd_above_standard(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd < 0)
        return false;
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    bool sent = sendto(fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&to, bytes) == (ssize_t)n;
    close(fd);
    return sent;
}
