#include "sys/client.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/listen.h"

/* Milliseconds until then, rounded up; -1: without end. */
static int left(instant by) {
    int64_t ms = (until(clock_now(), by).ns + NS_PER_MS - 1) / NS_PER_MS;
    return is_never(by) ? -1 : ms > 60000 ? 60000 : (int)ms;
}

static bool wait_for(int fd, short events, instant by) {
    struct pollfd one = {.fd = fd, .events = events};
    for (;;) {
        int n = poll(&one, 1, left(by));
        if (n > 0)
            return true;
        if ((n < 0 && errno != EINTR) || due(by, clock_now())) {
            errno = n < 0 ? errno : ETIMEDOUT;
            return false;
        }
    }
}

static bool connected(int fd, instant by) {
    int error = 0;
    socklen_t n = sizeof error;
    if (!wait_for(fd, POLLOUT, by) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
        return false;
    errno = error;
    return error == 0;
}

static int connect_one(const struct address *address, bool second, instant by) {
    struct sockaddr_storage to;
    socklen_t n = address_for_kernel(address, second, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), saved;
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&to, n) == 0 || (errno == EINPROGRESS && connected(fd, by)))
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int client_connect(const struct address *address, instant by) {
    int fd = connect_one(address, false, by);
    return fd < 0 && address->kind == HOST_LOCALHOST ? connect_one(address, true, by) : fd;
}

ssize_t client_exchange(int fd, const char *request, size_t n, char *into, size_t room, instant by) {
    size_t have = 0;
    while (n > 0) {
        ssize_t sent = wait_for(fd, POLLOUT, by) ? send(fd, request, n, MSG_DONTWAIT | MSG_NOSIGNAL) : -1;
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return -1;
        request += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
    }
    while (have < room) {
        ssize_t got = wait_for(fd, POLLIN, by) ? recv(fd, into + have, room - have, MSG_DONTWAIT) : -1;
        if (got == 0)
            break;
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return have > 0 ? (ssize_t)have : -1;
        have += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)have;
}

void client_pause(span time, instant by) {
    instant end = earlier(by, after(clock_now(), time));
    while (!due(end, clock_now()))
        poll(NULL, 0, left(end));
}
