/* The helper's life, in order: take less, open what it was given, loop, go. */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/net.h"
#include "net/state.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/privileges.h"
#include "sys/sigmask.h"
#include "sys/watch.h"
#include "text/status.h"

enum { TURNS_A_SECOND = 10000, EVENTS = 32, SPARE_FDS = 4, GO_MS = 250, EXIT_FAILED = 125 };

/* ---- taking less ---- */

/* Signals are for PID 1. This one goes when it is told to, when the doorbell closes, or by KILL; its own
 * faults still end it. (The handler is the first word of the kernel's struct on every architecture.) */
static void ignore_signals(void) {
    signal_set faults = signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGFPE) | signal_bit(SIGILL) |
                        signal_bit(SIGABRT) | signal_bit(SIGTRAP) | signal_bit(SIGSYS);
    unsigned long ignore[8] = {(unsigned long)SIG_IGN};
    for (int sig = 1; sig <= SIGNAL_MAX; sig++)
        if (!(faults & signal_bit(sig)))
            syscall(SYS_rt_sigaction, sig, ignore, NULL, sizeof(signal_set)); /* KILL and STOP refuse */
    sigmask_set(0, NULL);
}

static void take_less(void) {
    prctl(PR_SET_NAME, "lastcall-net");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ignore_signals();
    privileges_drop();
    prctl(PR_SET_DUMPABLE, 0);
}

/* ---- epoll ---- */

uint64_t source_key(enum source source, uint32_t index, uint32_t gen) {
    return (uint64_t)source << 60 | (uint64_t)(index & 0xfffffff) << 32 | gen;
}

static bool control(struct net *net, int how, int fd, uint32_t events, uint64_t key) {
    struct epoll_event event = {.events = events, .data.u64 = key};
    return epoll_ctl(net->epoll, how, fd, &event) == 0;
}

bool watch(struct net *net, int fd, uint32_t events, uint64_t key) {
    return control(net, EPOLL_CTL_ADD, fd, events, key);
}

void rewatch(struct net *net, int fd, uint32_t events, uint64_t key) {
    control(net, EPOLL_CTL_MOD, fd, events, key);
}

/* ---- opening ---- */

/* Half of the descriptors that are left are for clients, half for checks. */
static void divide_descriptors(struct net *net) {
    struct rlimit limit = {0};
    rlim_t all, taken = NET_FIRST_CHECK + SPARE_FDS + net->page.view.head->n_checks;
    all = fd_raise_limit(&limit) ? limit.rlim_max : limit.rlim_cur > 0 ? limit.rlim_cur : 64;
    all = all > taken + 8 ? all - taken : 8;
    all = all > 4 * MAX_CLIENTS ? 4 * MAX_CLIENTS : all;
    net->pool_size = (uint16_t)(all / 4);
    net->max_dialing = (uint16_t)(all / 2);
}

static bool make_room(struct net *net) {
    const struct page_head *head = net->page.view.head;
    size_t clients = DOORS * net->pool_size * sizeof *net->clients;
    size_t checks = (head->n_checks * sizeof *net->checks + 63) & ~(size_t)63;
    char *memory;
    net->room = status_bytes(head) + HEAD_ROOM;
    memory = mmap(NULL, clients + checks + (1 + SLOTS) * (size_t)net->room, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    net->checks = (struct check_run *)memory;
    net->clients = (struct client *)(memory + checks);
    net->scratch = memory + checks + clients;
    net->slots = net->scratch + net->room;
    for (uint32_t i = 0; i < head->n_checks; i++)
        net->checks[i] = (struct check_run){.fd = -1, .at = NEVER, .by = NEVER};
    return true;
}

static void open_doors(struct net *net) {
    static const int fds[DOORS] = {[DOOR_HTTP] = NET_HTTP, [DOOR_CONTROL] = NET_CONTROL};
    for (int door = 0; door < DOORS; door++) {
        bool open = watch(net, fds[door], EPOLLIN, source_key(FROM_LISTENER, (uint32_t)door, 0));
        net->doors[door] = open ? fds[door] : -1;
    }
}

/* Numbers must not be a predecessor's: the page may still hold the answers that it was given. */
static uint32_t first_number(instant now) { return (uint32_t)(now.ns >> 10) | 1; }

static bool prepare(struct net *net) {
    int yes = 1;
    if (!page_open(&net->page, NET_PAGE) || !page_refresh(&net->page))
        return false;
    divide_descriptors(net);
    net->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (net->epoll < 0 || !make_room(net))
        return false;
    net->now = clock_now();
    net->numbers = first_number(net->now);
    net->rest = net->go_by = net->life.asked = net->life.alive = NEVER;
    net->life.pulse = net->page.view.state->pulse;
    ioctl(NET_DOORBELL, FIONBIO, &yes);
    watch(net, NET_MESSAGES, 0, source_key(FROM_MESSAGES, 0, 0));
    open_doors(net);
    for (uint32_t i = 0; i < net->page.view.head->n_checks; i++)
        if (net->page.view.checks[i].kind == CHECK_NOTIFY || net->page.view.checks[i].kind == CHECK_FD)
            inbox_open(net, i);
    net->pulse = true;
    return watch(net, NET_DOORBELL, EPOLLIN, source_key(FROM_DOORBELL, 0, 0));
}

/* ---- the loop ---- */

static void begin_to_leave(struct net *net) {
    if (net->leaving)
        return;
    net->leaving = true;
    net->go_by = after(net->now, MS(GO_MS));
    for (int door = 0; door < DOORS; door++)
        if (net->doors[door] >= 0)
            clients_accept(net, (enum door)door);
}

/* Acts on the state in the view. */
static void state_turn(struct net *net) {
    if (net->page.view.state->leaving)
        begin_to_leave(net);
    checks_turn(net);
    asks_turn(net);
    life_turn(net);
}

void page_look(struct net *net) {
    uint64_t before_it = net->page.view.generation;
    net->stale = !page_refresh(&net->page);
    net->news |= net->page.view.generation != before_it;
}

void page_turn(struct net *net) {
    page_look(net);
    if (!net->news)
        return;
    net->news = false;
    state_turn(net);
}

static void doorbell(struct net *net) {
    char bytes[64];
    ssize_t n = read(NET_DOORBELL, bytes, sizeof bytes);
    net->pulse |= n >= 0; /* who cannot hear it is no good, and shall be found out */
    page_turn(net);
    if (n != 0)
        return;
    control(net, EPOLL_CTL_DEL, NET_DOORBELL, 0, 0); /* PID 1 has closed it: nobody is left to talk for */
    begin_to_leave(net);
    asks_turn(net);
    life_turn(net);
}

static void dispatch(struct net *net, const struct epoll_event *event) {
    uint32_t index = (uint32_t)(event->data.u64 >> 32) & 0xfffffff, gen = (uint32_t)event->data.u64;
    switch ((enum source)(event->data.u64 >> 60)) {
    case FROM_DOORBELL: doorbell(net); break;
    case FROM_MESSAGES:
        if (event->events & (EPOLLHUP | EPOLLERR))
            control(net, EPOLL_CTL_DEL, NET_MESSAGES, 0, 0);
        else
            post_writable(net);
        break;
    case FROM_LISTENER: clients_accept(net, (enum door)index); break;
    case FROM_CLIENT: clients_event(net, index, gen, event->events); break;
    case FROM_DIAL: dial_event(net, index, gen); break;
    case FROM_INBOX: inbox_event(net, index); break;
    }
}

/* Rounded up: waking a little early would mean waking twice. */
static int timeout_of(const struct net *net) {
    instant next = earlier(earlier(clients_next(net), checks_next(net)), earlier(life_next(net), net->go_by));
    int64_t ms;
    if (net->stale)
        return 1;
    if (is_never(next))
        return -1;
    ms = (until(net->now, next).ns + NS_PER_MS - 1) / NS_PER_MS;
    return ms > 60000 ? 60000 : (int)ms;
}

static bool done(const struct net *net) {
    return net->leaving && (due(net->go_by, net->now) || !clients_busy(net));
}

/* Many turns a second are a crowd, or a call that fails and cannot, so that something is to be done again and
 * again: either way the programs beside us shall have the processor. */
static void breathe(struct net *net) {
    if (due(after(net->second, SEC(1)), net->now)) {
        net->second = net->now;
        net->turns = 0;
    }
    if (++net->turns > TURNS_A_SECOND)
        watch_nothing(MS(1));
}

static void loop(struct net *net) {
    struct epoll_event events[EVENTS];
    state_turn(net);
    while (!done(net)) {
        int n;
        checks_due(net);
        post(net);
        n = epoll_wait(net->epoll, events, EVENTS, timeout_of(net));
        net->now = clock_now();
        breathe(net);
        for (int i = 0; i < n; i++)
            dispatch(net, &events[i]);
        if (net->stale || net->news)
            page_turn(net);
        clients_due(net);
        life_turn(net);
    }
}

_Noreturn void net_main(void) {
    struct net net = {.epoll = -1};
    take_less();
    if (!prepare(&net))
        _exit(EXIT_FAILED);
    loop(&net);
    _exit(0);
}
