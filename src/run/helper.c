/* run/helper.c: net, as PID 1 sees it: a process that may die or lie, and what it is lent.
 *
 * Listeners, notify sockets and pipes are PID 1's and outlive every net. Each net gets a doorbell and
 * a message socket of its own, so nothing of its predecessor's is left in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/net.h"
#include "run/state.h"
#include "sys/fd.h"
#include "sys/watch.h"

enum { MESSAGES_A_TURN = 64 };

/* ---- one net ---- */

static bool make_ends(struct helper_ends *helper, int *bell, int *messages) {
    int pipe_ends[2], pair[2];
    if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        close(pipe_ends[0]);
        close(pipe_ends[1]);
        return false;
    }
    *bell = pipe_ends[0];
    helper->doorbell = pipe_ends[1];
    *messages = pair[1];
    helper->messages = pair[0];
    return true;
}

static unsigned list_fds(const struct run *run, int bell, int messages) {
    const struct helper_ends *helper = &run->helper;
    struct spawn_fd *fds = helper->spawn_fds;
    unsigned n = 0;
    fds[n++] = (struct spawn_fd){helper->page.fd, NET_PAGE};
    fds[n++] = (struct spawn_fd){bell, NET_DOORBELL};
    fds[n++] = (struct spawn_fd){messages, NET_MESSAGES};
    if (helper->http >= 0)
        fds[n++] = (struct spawn_fd){helper->http, NET_HTTP};
    if (helper->control.fd >= 0)
        fds[n++] = (struct spawn_fd){helper->control.fd, NET_CONTROL};
    for (uint16_t i = 0; i < run->model->n_checks; i++)
        if (helper->net_fds[i] >= 0)
            fds[n++] = (struct spawn_fd){helper->check_fds[i], helper->net_fds[i]};
    return n;
}

static void start(struct run *run, uint16_t slot, int bell, int messages) {
    static char name[] = NET_ARGV0;
    static char *const argv[] = {name, NULL}, *const envp[] = {NULL};
    struct slot *s = &run->jobs.v[slot];
    struct spawn spawn = {
        .argv = argv, .envp = envp, .umask = -1, .exec_fd = run->helper.program, .error_fd = -1,
        .fds = run->helper.spawn_fds, .n_fds = list_fds(run, bell, messages),
        .close_rest = true, .null_output = true, .drop_privileges = true,
    };
    int error_fd = -1;
    pid_t pid = spawn_fork(&spawn, &error_fd, &s->error);
    if (pid < 0) {
        jobs_unborn(&run->jobs, slot);
        return;
    }
    if (error_fd >= 0 && !watch_add(run->watch, error_fd, (uint64_t)s->gen << 16 | slot))
        fd_close(&error_fd);
    jobs_born(&run->jobs, slot, pid, error_fd, true);
    run->helper.alive = watch_add(run->watch, run->helper.messages, TAG_MESSAGES);
}

void helper_spawn(struct run *run, const struct action *action) {
    uint16_t slot = action->job.job;
    int bell = -1, messages = -1;
    helper_gone(run);
    jobs_forget(&run->jobs, slot);
    run->jobs.v[slot].gen = action->job.gen;
    run->helper.number = 0;
    if (!run->helper.wanted || !make_ends(&run->helper, &bell, &messages)) {
        run->jobs.v[slot].error = (struct spawn_error){.stage = SPAWN_FDS, .error = errno};
        jobs_unborn(&run->jobs, slot);
        return;
    }
    start(run, slot, bell, messages);
    close(bell);
    close(messages);
}

void helper_gone(struct run *run) {
    if (run->helper.messages >= 0)
        watch_remove(run->watch, run->helper.messages);
    fd_close(&run->helper.messages);
    fd_close(&run->helper.doorbell);
    run->helper.alive = false;
}

/* A full pipe has rung already. */
void helper_ring(struct run *run) {
    if (run->helper.doorbell >= 0 && write(run->helper.doorbell, "", 1) < 0 && errno == EPIPE)
        fd_close(&run->helper.doorbell);
}

/* ---- what it says: nothing is believed ---- */

static void take(struct run *run, const struct message *message, size_t n) {
    struct doors doors = {.control = run->helper.control.fd >= 0, .prestop = run->config->http_prestop != NULL};
    struct event event;
    if (core_hear(run->model, doors, &run->helper.number, message, n, &event))
        step(run, &event);
    else
        run->helper.bad_messages++;
}

void helper_read(struct run *run) {
    struct { struct message message; char more; } room;
    for (int i = 0; i < MESSAGES_A_TURN && run->helper.messages >= 0 && !run->exited; i++) {
        ssize_t n = recv(run->helper.messages, &room, sizeof room, MSG_DONTWAIT);
        if (n < 0)
            return;
        if (n == 0) { /* it has closed its end: its end as a process will follow */
            watch_remove(run->watch, run->helper.messages);
            fd_close(&run->helper.messages);
            return;
        }
        take(run, &room.message, (size_t)n);
    }
}

/* What an earlier instance has said must not count for the next. Descriptors that came along are
 * closed by the kernel, as there is no room given for them. */
void helper_empty_checks(struct run *run, uint16_t unit) {
    enum { MOST = 1024 };
    char room[512];
    uint16_t check = run->model->units[unit].ready;
    if (check == NONE || run->helper.check_fds == NULL || run->helper.check_fds[check] < 0)
        return;
    bool pipe = run->model->checks[check].kind == CHECK_FD;
    int fd = run->helper.check_fds[check];
    for (int i = 0; i < MOST; i++)
        if ((pipe ? read(fd, room, sizeof room) : recv(fd, room, sizeof room, MSG_DONTWAIT)) < 0)
            return;
}
