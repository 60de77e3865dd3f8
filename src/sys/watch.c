#include "sys/watch.h"

#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>

int watch_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

bool watch_add(int watch, int fd, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
    return epoll_ctl(watch, EPOLL_CTL_ADD, fd, &event) == 0;
}

void watch_remove(int watch, int fd) { epoll_ctl(watch, EPOLL_CTL_DEL, fd, NULL); }

/* Rounded up, or it would wake just before the deadline and spin. */
static int milliseconds(span most) {
    if (is_forever(most))
        return -1;
    int64_t ms = most.ns / NS_PER_MS + (most.ns % NS_PER_MS != 0);
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

void watch_nothing(span most) { poll(NULL, 0, milliseconds(most)); }

unsigned watch_wait(int watch, span most, uint64_t *tags, unsigned room) {
    struct epoll_event events[16];
    int n = epoll_wait(watch, events, room < 16 ? (int)room : 16, milliseconds(most));
    for (int i = 0; i < n; i++)
        tags[i] = events[i].data.u64;
    return n > 0 ? (unsigned)n : 0;
}
