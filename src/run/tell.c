#include "run/tell.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "conf/personality.h"
#include "model/nearby.h"
#include "run/state.h"
#include "text/errtext.h"
#include "text/out.h"

/* A digit, the chatter from which on it is said, and the text: %a and %b are numbers, %A and %B are their
 * names as signals, %p the program, %e the error a. */
static const char *const lines[AS_N - 1][TALE_N] = {
    [AS_TINI - 1] = {
        [TALE_NO_REAPER] = "1Tini is not running as PID 1 and isn't registered as a child subreaper.\n"
                           "So zombie reaping won't work. Give -s, or set TINI_SUBREAPER, or run it as PID 1.",
        [TALE_SPAWNED] = "2Spawned child process '%p' with pid '%a'",
        [TALE_FAILED] = "0exec %p failed: %e",
        [TALE_NOT_FORKED] = "0fork failed: %e",
        [TALE_CHILD] = "3Received SIGCHLD",
        [TALE_FORWARDED] = "3Passing signal: '%A'",
        [TALE_EXITED] = "3Reaped child with pid: '%a'",
        [TALE_KILLED] = "3Reaped child with pid: '%a'",
        [TALE_ORPHAN] = "1Reaped zombie process with pid=%a",
        [TALE_MAIN_EXITED] = "2Main child exited normally (with status '%b')",
        [TALE_MAIN_KILLED] = "2Main child exited with signal (with signal '%B')",
        [TALE_GOODBYE] = "4Exiting: child has exited",
    },
    [AS_DUMB_INIT - 1] = {
        [TALE_BEGIN] = "1Running in debug mode.",
        [TALE_SINGLE] = "1Not running in setsid mode.",
        [TALE_NOT_LEFT] = "1Unable to detach from controlling tty (errno=%a %e).",
        [TALE_LEFT] = "1Detached from controlling tty, ignoring the first SIGHUP and SIGCONT we receive.",
        [TALE_LEFT_AS_MEMBER] = "1Detached from controlling tty, but was not session leader.",
        [TALE_NOT_TAKEN] = "1Unable to attach to controlling tty (errno=%a %e).",
        [TALE_SESSION] = "1setsid complete.",
        [TALE_SPAWNED] = "1Child spawned with PID %a.",
        [TALE_FAILED] = "0%p: %e",
        [TALE_NOT_FORKED] = "0Unable to fork. Exiting.",
        [TALE_CHILD] = "1Received signal 17.",
        [TALE_SIGNAL] = "1Received signal %a.",
        [TALE_OWN] = "1Ignoring tty hand-off signal %a.",
        [TALE_REWRITTEN] = "1Translating signal %a to %b.",
        [TALE_DROPPED] = "1Not forwarding signal %a to children (ignored).",
        [TALE_FORWARDED] = "1Forwarded signal %a to children.",
        [TALE_SUSPENDED] = "1Suspending self due to TTY signal.",
        [TALE_EXITED] = "1A child with PID %a exited with exit status %b.",
        [TALE_KILLED] = "1A child with PID %a was terminated by signal %b.",
        [TALE_GOODBYE] = "1Child exited with status %a. Goodbye.",
    },
    [AS_CATATONIT - 1] = {
        [TALE_SPAWNED] = "1pid1 (%a) spawned: %p",
        [TALE_FAILED] = "0failed to exec pid1: %e",
        [TALE_NOT_FORKED] = "0failed to fork child: %e",
    },
};

static void put_error(struct out *out, int error) {
    size_t start = out->n;
    out_text(out, errtext(error));
    if (out->text[start] >= 'a' && out->text[start] <= 'z')
        out->text[start] -= 'a' - 'A'; /* as strerror(3) has it */
}

static void put_program(struct out *out, const struct run *run) {
    const struct command *command = run->model->main == NONE ? NULL : &run->config->services[run->model->main].run;
    const char *program = command == NULL ? "" : command->argv != NULL ? command->argv[0] : command->text;
    out_safe(out, program, strlen(program));
}

static void put(struct out *out, const struct run *run, char what, int a, int b) {
    if (what == 'a' || what == 'b')
        out_int(out, what == 'a' ? a : b);
    else if (what == 'A' || what == 'B')
        out_text(out, strsignal(what == 'A' ? a : b));
    else if (what == 'p')
        put_program(out, run);
    else
        put_error(out, a);
}

__attribute__((noinline))
static void tell_as_another(struct run *run, enum tale tale, int a, int b) {
    enum { INFO = 2, LINE = 1024 };
    const struct manners *manners = &run->config->manners;
    const char *at = lines[manners->as - 1][tale];
    char text[LINE];
    struct out out = out_on(text, sizeof text - 1);
    if (at == NULL || manners->chatter < *at - '0')
        return;
    int level = *at++ - '0';
    personality_prefix(&out, (enum personality)manners->as, tale == TALE_FAILED && b > 0 ? b : run->self, level);
    for (; *at != 0; at++)
        if (*at == '%')
            put(&out, run, *++at, a, b);
        else
            out_char(&out, *at);
    text[out.n] = '\n';
    stderr_line(manners->as == AS_TINI && level >= INFO ? &run->out : &run->err, text, out.n + 1);
}

/* Who speaks: only of a single command do the others know anything. */
NEARBY static enum personality speaker(const struct run *run) {
    return run->model->policy.single ? (enum personality)run->config->manners.as : AS_LASTCALL;
}

NEARBY void tell(struct run *run, enum tale tale, int a, int b) {
    if (speaker(run) != AS_LASTCALL)
        tell_as_another(run, tale, a, b);
}

void tell_reaped(struct run *run, bool main, int pid, int value) {
    if (speaker(run) == AS_LASTCALL)
        return;
    tell(run, value < 0 ? TALE_KILLED : TALE_EXITED, pid, value < 0 ? -value : value);
    if (!main) {
        if (run->config->manners.warns_of_orphans)
            tell(run, TALE_ORPHAN, pid, 0);
        return;
    }
    tell(run, value < 0 ? TALE_MAIN_KILLED : TALE_MAIN_EXITED, pid, value < 0 ? -value : value);
    if (speaker(run) != AS_DUMB_INIT)
        return;
    int parting = run->model->policy.signals[SIGTERM].to;
    tell_signal(run, SIGTERM); /* which all that is left gets now */
    if (parting != 0)
        tell(run, TALE_FORWARDED, parting, 0);
}

NEARBY void tell_signal(struct run *run, int sig) {
    int to = run->model->policy.signals[sig].to;
    if (to != sig)
        tell(run, TALE_REWRITTEN, sig, to);
    if (to == 0)
        tell(run, TALE_DROPPED, to, 0);
}

void tell_failed(struct run *run, const struct spawn_error *error) {
    tell(run, TALE_FAILED, error->error, error->detail);
    if (error->detail == 0)
        return;
    tell(run, TALE_CHILD, 0, 0);
    tell_reaped(run, true, error->detail, failure_code(run, error));
}

int failure_code(const struct run *run, const struct spawn_error *error) {
    enum { FAILED = 1, DUMB_INIT_FAILED = 2 };
    switch (speaker(run)) {
    case AS_TINI:
        return error->stage == SPAWN_EXEC && (error->error == ENOENT || error->error == EACCES) ? spawn_exit_code(error)
                                                                                             : FAILED;
    case AS_DUMB_INIT: return error->stage == SPAWN_EXEC ? DUMB_INIT_FAILED : FAILED;
    case AS_CATATONIT: return FAILED;
    case AS_LASTCALL:
    case AS_N: break;
    }
    return spawn_exit_code(error);
}
