/* Readiness that a service tells by itself: sd_notify datagrams, or a newline on a descriptor.
 *
 * A service may speak before PID 1 has heard that its exec succeeded, so before the check is on. Its
 * words wait in the socket then: the inbox is muted until the page changes. While nothing of the
 * service runs they are thrown away, for they can only be its predecessor's. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/state.h"
#include "text/notify.h"

enum { READS_A_TURN = 16, MOST_FDS = 253, MOST_EXTEND_MS = MAX_GRACE_S * 1000 };

static int fd_of(const struct net *net, uint32_t i) { return net->page.view.checks[i].fd; }

void inbox_open(struct net *net, uint32_t i) {
    int fd = fd_of(net, i), yes = 1;
    if (fd < NET_FIRST_CHECK || ioctl(fd, FIONBIO, &yes) < 0)
        return;
    if (net->page.view.checks[i].kind == CHECK_NOTIFY)
        setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
    watch(net, fd, EPOLLIN, source_key(FROM_INBOX, i, 0));
}

static void mute(struct net *net, uint32_t i, bool muted) {
    if (net->checks[i].muted != muted)
        rewatch(net, fd_of(net, i), muted ? 0 : EPOLLIN, source_key(FROM_INBOX, i, 0));
    net->checks[i].muted = muted;
}

void inbox_unmute(struct net *net, uint32_t i) { mute(net, i, false); }

/* ---- sd_notify ---- */

struct datagram { char text[NOTIFY_MAX + 1]; size_t n; bool whole, known; struct ucred from; };

/* Closes whatever came along: nothing of it is wanted, and for BARRIER=1 the closing is the answer. */
static void unpack(struct msghdr *message, struct datagram *into) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        size_t n = c->cmsg_len - CMSG_LEN(0);
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_CREDENTIALS && n >= sizeof into->from) {
            memcpy(&into->from, CMSG_DATA(c), sizeof into->from);
            into->known = true;
        }
        for (size_t at = 0; c->cmsg_type == SCM_RIGHTS && at + sizeof(int) <= n; at += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
            close(fd);
        }
    }
}

static bool receive(int fd, struct datagram *into) {
    enum { ROOM = CMSG_SPACE(MOST_FDS * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred)) };
    union { struct cmsghdr align; char bytes[ROOM]; } room;
    struct iovec part = {into->text, sizeof into->text};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes,
    };
    ssize_t n = syscall(SYS_recvmsg, fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    into->known = false;
    if (n < 0)
        return false;
    unpack(&message, into);
    into->n = (size_t)n;
    into->whole = (message.msg_flags & MSG_TRUNC) == 0 && into->n <= NOTIFY_MAX;
    return true;
}

/* A sender in another pid namespace has pid 0, one of another unit its session. What has left its
 * session, or has exited already (as systemd-notify does), is believed for its user. */
static bool is_foreign(const struct net *net, uint32_t i, const struct datagram *datagram) {
    const struct page_view *view = &net->page.view;
    pid_t session;
    if (!datagram->known || datagram->from.pid <= 0)
        return true;
    if (datagram->from.uid != 0 && datagram->from.uid != view->head->owner)
        return true;
    session = getsid(datagram->from.pid);
    for (uint16_t unit = 0; session > 0 && unit < view->head->n_units; unit++)
        if (unit != view->checks[i].unit && view->unit_states[unit].pid == session)
            return true;
    return false;
}

static void take(struct net *net, uint32_t i, const struct datagram *datagram) {
    struct check_run *run = &net->checks[i];
    struct notify said;
    uint64_t ms;
    if (!datagram->whole || is_foreign(net, i, datagram) || !notify_parse(datagram->text, datagram->n, &said))
        return;
    if (said.ready && run->on)
        check_told(net, i, true);
    ms = said.extend_us / 1000;
    if (said.extend && ms > 0) {
        run->extend_ms = ms > MOST_EXTEND_MS ? MOST_EXTEND_MS : (int32_t)ms;
        run->extend = net->to_post = true;
    }
}

/* ---- both kinds ---- */

/* false: nothing more is there. */
static bool read_one(struct net *net, uint32_t i) {
    char bytes[512];
    struct datagram datagram;
    ssize_t n;
    if (net->page.view.checks[i].kind == CHECK_NOTIFY) {
        if (!receive(fd_of(net, i), &datagram))
            return false;
        take(net, i, &datagram);
        return true;
    }
    n = read(fd_of(net, i), bytes, sizeof bytes);
    if (n > 0 && net->checks[i].on && memchr(bytes, '\n', (size_t)n) != NULL)
        check_told(net, i, true);
    if (n == 0)
        mute(net, i, true); /* nobody holds the other end: it would be readable for ever */
    return n > 0;
}

void inbox_event(struct net *net, uint32_t i) {
    const struct page_view *view = &net->page.view;
    page_turn(net);
    if (!net->checks[i].on && view->unit_states[view->checks[i].unit].state == U_STARTING) {
        mute(net, i, true);
        return;
    }
    for (int n = 0; n < READS_A_TURN && read_one(net, i); n++) {}
}
