#include "sys/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128 };

static socklen_t unix_address(const struct address *address, struct sockaddr_un *into) {
    bool abstract = address->path_bytes > 0 && address->path[0] == '@';
    if (address->path_bytes == 0 || address->path_bytes >= sizeof into->sun_path)
        return 0;
    into->sun_family = AF_UNIX;
    memcpy(into->sun_path, address->path, address->path_bytes);
    if (abstract)
        into->sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + address->path_bytes + (abstract ? 0 : 1));
}

static socklen_t ipv6_address(const struct address *address, struct sockaddr_in6 *into) {
    into->sin6_family = AF_INET6;
    into->sin6_port = htons(address->port);
    if (address->kind == HOST_IPV6)
        memcpy(&into->sin6_addr, address->bytes, 16);
    else if (address->kind == HOST_LOCALHOST)
        into->sin6_addr.s6_addr[15] = 1;
    return sizeof *into;
}

static socklen_t ipv4_address(const struct address *address, struct sockaddr_in *into) {
    into->sin_family = AF_INET;
    into->sin_port = htons(address->port);
    if (address->kind == HOST_IPV4)
        memcpy(&into->sin_addr, address->bytes, 4);
    else if (address->kind == HOST_LOCALHOST)
        into->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof *into;
}

socklen_t address_for_kernel(const struct address *address, bool second, struct sockaddr_storage *into) {
    bool six = address->kind == HOST_IPV6 || (address->kind == HOST_ANY && !second) ||
               (address->kind == HOST_LOCALHOST && second);
    memset(into, 0, sizeof *into);
    if (address->kind == HOST_UNIX)
        return unix_address(address, (struct sockaddr_un *)into);
    return six ? ipv6_address(address, (struct sockaddr_in6 *)into)
               : ipv4_address(address, (struct sockaddr_in *)into);
}

static int bind_one(const struct address *address, bool second) {
    struct sockaddr_storage at;
    socklen_t n = address_for_kernel(address, second, &at);
    int yes = 1, both = address->kind != HOST_ANY, saved;
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (at.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof both);
    if (bind(fd, (struct sockaddr *)&at, n) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int http_bind(const struct address *address) {
    int fd = bind_one(address, false);
    bool other = address->kind == HOST_ANY || address->kind == HOST_LOCALHOST;
    /* No IPv6 shows as the one when it is not compiled in and as the other when it is switched off. */
    if (fd < 0 && other && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
        fd = bind_one(address, true);
    return fd;
}
