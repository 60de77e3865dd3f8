/* run/upward.c: tells a supervisor above us, if there is one (sd_notify(3)). */
#include "sys/upward.h"

#include <string.h>

#include "run/state.h"
#include "text/number.h"
#include "text/out.h"
#include "text/variable.h"

static int64_t number(const char *text) { return number_parse(text, strlen(text), INT64_MAX); }

/* The text stays on our stack of arguments when the variable is taken out of the children's. */
void upward_open(struct run *run, char *const *envp) {
    const char *period = variable(envp, "WATCHDOG_USEC"), *pid = variable(envp, "WATCHDOG_PID");
    run->upward = (struct upward){.address = variable(envp, "NOTIFY_SOCKET"), .watchdog = FOREVER, .next = NEVER};
    if (run->upward.address == NULL || period == NULL || (pid != NULL && number(pid) != run->self))
        return;
    int64_t usec = number(period);
    if (usec < 2 || usec > INT64_C(1000000) * MAX_GRACE_S)
        return;
    run->upward.watchdog = (span){usec * 1000 / 2}; /* twice as often as it is expected */
    run->upward.next = after(run->now, run->upward.watchdog);
}

static void send(const struct run *run, const struct out *out) {
    upward_send(run->upward.address, out->text, out->n);
}

static void put_left(struct out *out, const struct run *run) {
    span left = core_left(&run->core, run->now);
    if (is_forever(left))
        return;
    out_text(out, "\nEXTEND_TIMEOUT_USEC=");
    out_int(out, left.ns / 1000);
}

static void notify(const struct run *run, const char *state, const char *status, const char *more) {
    char text[256];
    struct out out = out_on(text, sizeof text);
    out_text(&out, state);
    out_text(&out, "STATUS=");
    out_text(&out, status);
    out_text(&out, more);
    if (run->core.walk.goal == GO_EXIT)
        put_left(&out, run);
    send(run, &out);
}

void upward_note(struct run *run, const struct action *action) {
    bool exits = run->core.walk.goal == GO_EXIT;
    if (run->upward.address == NULL)
        return;
    switch ((enum note)action->value) {
    case NOTE_READY: notify(run, "READY=1\n", "running", ""); break;
    case NOTE_STOP_BEGAN: notify(run, exits ? "STOPPING=1\n" : "", exits ? "stopping" : "draining", ""); break;
    case NOTE_RESUMED: notify(run, "", "running", ""); break;
    case NOTE_DRAINED: notify(run, "", "drained", ""); break;
    case NOTE_ROW:
        if (action->extra == S_ACT)
            notify(run, "", "stopping: ", row_name(run->model, &run->core.walk.rows[action->subject]));
        break;
    case NOTE_ALREADY:
    case NOTE_HURRY:
    case NOTE_KILL_ALL:
    case NOTE_IGNORED:
    case NOTE_RESTARTING:
    case NOTE_FAILED:
    case NOTE_ENDED:
    case NOTE_SPAWN_FAILED:
    case NOTE_NOT_READY:
    case NOTE_UNHEALTHY:
    case NOTE_WAITING:
    case NOTE_PRESTOP_LAPSED:
    case NOTE_RESTORED:
    case NOTE_SAVED:
    case NOTE_SAVE_AWAITED:
    case NOTE_SAVE_MISSED:
    case NOTE_NET_RESTART:
    case NOTE_N: break;
    }
}

void upward_watchdog(struct run *run) {
    if (run->upward.address == NULL || !due(run->upward.next, run->now))
        return;
    run->upward.next = after(run->now, run->upward.watchdog);
    upward_send(run->upward.address, "WATCHDOG=1", 10);
}
