/* run/manners.c: what another init does around its command, when lastcall is called as it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "run/state.h"
#include "sys/fd.h"
#include "sys/terminal.h"
#include "text/out.h"

static const char listen_pid[] = "LISTEN_PID=";

static void leave_terminal(struct run *run) {
    if (terminal_drop(&run->hand_off))
        tell(run, getsid(0) == run->self ? TALE_LEFT : TALE_LEFT_AS_MEMBER, 0, 0);
    else
        tell(run, TALE_NOT_LEFT, errno, 0);
}

void manners_begin(struct run *run) {
    const struct manners *manners = &run->config->manners;
    run->out.target = STDOUT_FILENO;
    if (manners->asked_by_variable)
        tell(run, TALE_BEGIN, 0, 0);
    if (manners->single_by_variable)
        tell(run, TALE_SINGLE, 0, 0);
    if (manners->lends_terminal)
        leave_terminal(run);
    if (run->model->n_units == 0) { /* a pause: there is nobody to keep anything for */
        fd_close_others(-1);
        if (chdir("/") != 0)
            run_say(run, 0, "cannot change to /");
    }
    if (manners->no_subreaper && !run->model->policy.pid1)
        tell(run, TALE_NO_REAPER, 0, 0);
}

/* In the child: the socket of an activated program belongs to it, not to us (sd_listen_fds(3)). */
static bool name_listener(struct spawn *spawn, void *with, struct spawn_error *error) {
    struct run *run = with;
    struct out out = out_on(run->listen_pid, sizeof run->listen_pid);
    (void)spawn, (void)error;
    out_text(&out, listen_pid);
    out_int(&out, getpid());
    return true;
}

/* If it is us that it names, the command will be named in its place. */
static bool listens(struct run *run) {
    struct out out = out_on(run->listen_pid, sizeof run->listen_pid);
    out_text(&out, listen_pid);
    out_int(&out, run->self);
    for (char **at = (char **)run->envp; *at != NULL; at++)
        if (strcmp(*at, run->listen_pid) == 0) {
            *at = run->listen_pid;
            return true;
        }
    return false;
}

/* A path that was meant from here. */
static bool is_relative(const char *path) {
    return path != NULL && path[0] != '/' && path[0] != '@' && strcmp(path, "off") != 0;
}

/* A command that ignores TERM unknowingly cannot be stopped. Under nohup(1) it is to outlive a hang-up, as it would
 * without us; the first process of a container meets none. */
static signal_set stays_ignored(const struct run *run) {
    if (run->config->manners.keeps_ignored)
        return ALL_SIGNALS & ~signal_bit(SIGTERM);
    return run->config->manners.as == AS_LASTCALL && !run->model->policy.pid1 ? signal_bit(SIGHUP) : 0;
}

void manners_before(struct run *run, struct spawn *spawn) {
    const struct manners *manners = &run->config->manners;
    spawn->lead_terminal = manners->lends_terminal;
    spawn->keep_session = !manners->lends_terminal;
    spawn->share_group = manners->shares_group;
    if (manners->finds_terminal)
        spawn->foreground = terminal_is_ours();
    spawn->ignored = stays_ignored(run);
    spawn->blocked = manners->blocked;
    spawn->runs_text = manners->runs_text;
    if (manners->closes_files && spawn->prepare == NULL && listens(run)) {
        spawn->prepare = name_listener;
        spawn->with = run;
    }
    if (manners->goes_to_root && !is_relative(run->config->report) && !is_relative(run->config->control)) {
        int here = fd_above_standard(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (here >= 0 && chdir("/") == 0)
            spawn->cwd_fd = here;
        else
            fd_close(&here);
    }
}

/* The descriptors are still those that were inherited: without a helper nothing has been opened yet. */
void manners_after(struct run *run, const struct spawn *spawn, pid_t pid) {
    const struct manners *manners = &run->config->manners;
    if (spawn->cwd_fd > 0)
        close(spawn->cwd_fd);
    if (manners->closes_files && run->watch < 0)
        fd_close_others(-1);
    if (pid <= 0)
        return;
    tell(run, TALE_SPAWNED, pid, 0);
    if (spawn->lead_error != 0)
        tell(run, TALE_NOT_TAKEN, spawn->lead_error, 0);
    if (manners->lends_terminal)
        tell(run, TALE_SESSION, 0, 0);
    for (int sig = 1; run->hand_off >> (sig - 1) != 0; sig++)
        if (run->hand_off & signal_bit(sig)) {
            tell(run, TALE_SIGNAL, sig, 0);
            tell(run, TALE_OWN, sig, 0);
        }
}
