/* One try of an http or tcp check: connect, and for http send the request and read the first line of
 * the answer. The rest of the answer is read and thrown away, so that the server is not told of a
 * broken connection; by then the verdict is known. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/state.h"
#include "sys/listen.h"
#include "text/url.h"

enum { REQUEST_MAX = 8192, DISCARD_MAX = 1 << 20 };

/* The page's target was checked when the configuration was read; one that is wrong all the same never
 * gets a verdict. */
static bool target_of(const struct net *net, uint32_t i, struct url *url) {
    const struct page_check *check = &net->page.view.checks[i];
    const char *text = view_text(&net->page.view, check->target);
    size_t n = strlen(text);
    return (check->kind == CHECK_HTTP ? url_parse_http(text, n, url) : url_parse_tcp(text, n, url)) == NULL;
}

static void hang_up(struct net *net, struct check_run *run) {
    if (run->fd >= 0)
        close(run->fd);
    run->fd = -1;
    if (run->state != D_IDLE)
        net->dialing--;
    run->state = D_IDLE;
}

void dial_end(struct net *net, uint32_t i) { hang_up(net, &net->checks[i]); }

/* Our own trouble says nothing about the service. */
static bool is_unknown(int error) {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EACCES ||
           error == EPERM;
}

static bool connect_to(struct net *net, uint32_t i, const struct url *url) {
    struct check_run *run = &net->checks[i];
    struct sockaddr_storage to;
    socklen_t n = address_for_kernel(&url->address, run->second, &to);
    if (n == 0)
        return false;
    run->fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (run->fd < 0)
        return false;
    if (connect(run->fd, (struct sockaddr *)&to, n) < 0 && errno != EINPROGRESS)
        return false;
    if (!watch(net, run->fd, EPOLLOUT, source_key(FROM_DIAL, i, ++run->tries))) {
        errno = ENOMEM;
        return false;
    }
    return true;
}

static void try_address(struct net *net, uint32_t i);

/* A refused first address of localhost is no answer yet. */
static void failed(struct net *net, uint32_t i, int error) {
    struct check_run *run = &net->checks[i];
    struct url url;
    bool another = !run->second && run->state == D_CONNECTING && target_of(net, i, &url) &&
                   url.address.kind == HOST_LOCALHOST && !is_unknown(error);
    hang_up(net, run);
    if (another) {
        run->second = true;
        try_address(net, i);
    } else if (!is_unknown(error)) {
        check_fed(net, i, false);
    }
}

static void try_address(struct net *net, uint32_t i) {
    struct check_run *run = &net->checks[i];
    struct url url;
    if (!target_of(net, i, &url))
        return;
    run->state = D_CONNECTING;
    net->dialing++;
    errno = ECONNREFUSED;
    if (!connect_to(net, i, &url))
        failed(net, i, errno);
}

void dial(struct net *net, uint32_t i) {
    struct check_run *run = &net->checks[i];
    hang_up(net, run);
    run->second = false;
    run->got = 0;
    run->discarded = 0;
    run->by = after(net->now, net->page.view.checks[i].timeout);
    try_address(net, i);
}

void dial_overdue(struct net *net, uint32_t i) {
    struct check_run *run = &net->checks[i];
    bool answered = run->state == D_DISCARDING;
    hang_up(net, run);
    if (!answered)
        check_fed(net, i, false);
}

/* A port from which connections go out can meet itself, where nobody listens. */
static bool met_itself(int fd) {
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t n = sizeof own, m = sizeof peer;
    return getsockname(fd, (struct sockaddr *)&own, &n) == 0 && getpeername(fd, (struct sockaddr *)&peer, &m) == 0 &&
           own.ss_family != AF_UNIX && n == m && memcmp(&own, &peer, n) == 0;
}

static void connected(struct net *net, uint32_t i) {
    struct check_run *run = &net->checks[i];
    char request[REQUEST_MAX];
    struct out out = out_on(request, sizeof request);
    struct url url;
    int error = 0;
    socklen_t n = sizeof error;
    if (getsockopt(run->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error != 0 || met_itself(run->fd)) {
        failed(net, i, error != 0 ? error : ECONNREFUSED);
        return;
    }
    if (net->page.view.checks[i].kind == CHECK_TCP) {
        hang_up(net, run);
        check_fed(net, i, true);
        return;
    }
    run->state = D_READING;
    if (!target_of(net, i, &url))
        return;
    url_request(&out, &url, view_text(&net->page.view, net->page.view.head->version));
    if (out.cut || send(run->fd, out.text, out.n, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)out.n) {
        failed(net, i, ECONNRESET);
        return;
    }
    rewatch(net, run->fd, EPOLLIN, source_key(FROM_DIAL, i, run->tries));
}

static void read_line(struct net *net, uint32_t i) {
    struct check_run *run = &net->checks[i];
    ssize_t n = recv(run->fd, run->line + run->got, sizeof run->line - run->got, MSG_DONTWAIT);
    int code;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        failed(net, i, ECONNRESET);
        return;
    }
    run->got = (uint8_t)(run->got + n);
    code = http_status(run->line, run->got);
    if (code < 0)
        failed(net, i, ECONNRESET);
    if (code <= 0)
        return;
    run->state = D_DISCARDING;
    check_fed(net, i, code >= 200 && code < 400);
}

static void discard(struct net *net, struct check_run *run) {
    char waste[4096];
    ssize_t n = recv(run->fd, waste, sizeof waste, MSG_DONTWAIT);
    if (n > 0)
        run->discarded += (uint32_t)n;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || run->discarded > DISCARD_MAX)
        hang_up(net, run);
}

void dial_event(struct net *net, uint32_t i, uint32_t gen) {
    struct check_run *run = &net->checks[i];
    if (run->tries != gen || run->fd < 0)
        return;
    switch ((enum dial_state)run->state) {
    case D_IDLE: break;
    case D_CONNECTING: connected(net, i); break;
    case D_READING: read_line(net, i); break;
    case D_DISCARDING: discard(net, run); break;
    }
}
