/* run/say.c: the log: few lines, each for a person who has to do something, or wants to know why. */
#include "run/state.h"

#include <string.h>

#include "sys/clock.h"
#include "sys/sweep.h"
#include "text/duration.h"
#include "text/json.h"
#include "text/out.h"
#include "text/utc.h"
#include "text/signame.h"

/* A line: what a pipe takes as a whole. A text of ours has 512 bytes, or 768 that are made safe: that fits as JSON, which
 * may make six of one byte, or three. */
enum { LINE = 4096, ALWAYS = 0, NORMAL = 1, VERBOSE = 2 };

/* ---- one line ---- */

static void as_json(struct out *line, const struct run *run, int level, const char *step_name, const char *text) {
    static const char *const levels[] = {[ALWAYS] = "warning", [NORMAL] = "info", [VERBOSE] = "debug"};
    char time[UTC_ROOM];
    struct json json = json_on(line);
    json_open(&json, NULL, '{');
    json_text(&json, "time", utc_print(time, clock_wall_s()));
    json_text(&json, "level", levels[level < ALWAYS ? ALWAYS : level]);
    if (step_name != NULL) {
        json_int(&json, "at_ms", span_ms(until(stop_zero(run), run->now)));
        json_text(&json, "step", step_name);
    }
    json_text(&json, "message", text);
    json_close(&json, '}');
}

static void as_text(struct out *line, const struct run *run, const char *step_name, const char *text) {
    enum { SECONDS = 7, NAME_COLUMN = 13 };
    if (step_name == NULL) {
        out_text(line, "lastcall: ");
    } else {
        out_tenths(line, span_ms(until(stop_zero(run), run->now)));
        out_right(line, 0, SECONDS);
        out_text(line, " s  ");
        size_t at = line->n;
        out_text(line, step_name);
        out_pad(line, at, NAME_COLUMN);
    }
    out_safe(line, text, strlen(text));
}

static void write_line(struct run *run, int level, const char *step_name, const char *text) {
    char buffer[LINE];
    struct out line = out_on(buffer, sizeof buffer - 1);
    if (run->config->log == LOG_JSON)
        as_json(&line, run, level, step_name, text);
    else
        as_text(&line, run, step_name, text);
    buffer[line.n] = '\n';
    stderr_line(&run->err, buffer, line.n + 1);
}

/* What could not be written is at least counted, once there is room again. */
static void say_dropped(struct run *run) {
    char text[64];
    struct out out = out_on(text, sizeof text);
    uint32_t dropped = run->err.dropped;
    if (dropped == 0)
        return;
    run->err.dropped = 0;
    out_uint(&out, dropped);
    out_text(&out, " lines could not be written to stderr");
    write_line(run, ALWAYS, NULL, text);
    if (run->err.dropped != 0)
        run->err.dropped = dropped;
}

static bool wanted(const struct run *run, int level) { return level <= run->config->verbosity + 1; }

static void say_row(struct run *run, int level, const char *step_name, const char *text) {
    if (!wanted(run, level))
        return;
    say_dropped(run);
    write_line(run, level, step_name, text);
}

void run_say(struct run *run, int level, const char *text) { say_row(run, level, NULL, text); }

/* ---- rows of a stop ---- */

static void put_signal(struct out *out, int sig) {
    char name[SIGNAME_ROOM];
    out_text(out, signame(sig, name));
}

static void put_seconds(struct out *out, span time) {
    out_tenths(out, span_ms(time));
    out_text(out, " s");
}

static void put_process(struct out *out, const struct run *run, uint16_t unit) {
    const struct slot *slot = &run->jobs.v[core_job_of_unit(&run->core, unit)];
    struct proc_stat stat;
    if (slot->pid == 0) { /* nothing really runs */
        out_text(out, run->model->units[unit].name);
        return;
    }
    out_text(out, "pid ");
    out_int(out, slot->pid);
    if (!proc_stat(slot->pid, &stat))
        return;
    out_char(out, ' ');
    out_safe(out, stat.comm, strlen(stat.comm));
}

static void stop_begins(struct out *out, const struct run *run, const struct row *row) {
    uint16_t unit = row->subject;
    const struct service *service = &run->model->services[run->model->units[unit].service];
    const struct slot *slot = &run->jobs.v[core_job_of_unit(&run->core, unit)];
    if (slot->state == SLOT_FREE || slot->state == SLOT_LEFT) {
        out_text(out, "not running");
        if (row->had_ended) {
            out_text(out, ": ");
            say_end(out, run, unit);
        }
        return;
    }
    if (service->has_stop_command)
        out_text(out, "stop-command");
    else
        put_signal(out, run->model->policy.single && run->core.stop_signal ? run->core.stop_signal
                                                                           : service->stop[0].signal);
    out_text(out, " to ");
    put_process(out, run, unit);
}

static void row_begins(struct out *out, const struct run *run, const struct row *row) {
    const struct step_policy *step = row->subject == NONE ? NULL : &run->model->steps[row->subject];
    switch ((enum action_of_step)row->action) {
    case DO_ANNOUNCE:
        out_text(out, "readiness off; waiting ");
        put_seconds(out, until(row->start, row->deadline));
        out_text(out, " for balancers to see it");
        break;
    case DO_COMMAND:
    case DO_CHECKPOINT:
        out_text(out, row->tries > 1 ? "again: " : "");
        out_text(out, run->config->steps[row->subject].act.text);
        break;
    case DO_SLEEP:
        out_text(out, "sleeping ");
        put_seconds(out, step->sleep);
        break;
    case DO_WAIT_EXIT:
        out_text(out, "waiting for ");
        out_text(out, run->model->services[step->target].name);
        out_text(out, " to exit");
        break;
    case DO_STOP: stop_begins(out, run, row); break;
    case DO_SWEEP: out_text(out, "TERM to what is left"); break;
    case DO_RECORD: out_text(out, "keeping the result for the next start"); break;
    case DO_SIGNAL: /* over as soon as it is sent */
    case DO_N: break;
    }
}

static void signal_sent(struct out *out, const struct model *model, const struct step_policy *step) {
    put_signal(out, step->signal);
    out_text(out, " to ");
    out_text(out, model->services[step->target].name);
}

static void timed_out(struct out *out, const struct run *run, const struct row *row) {
    out_text(out, "TIMEOUT at its ");
    put_seconds(out, until(row->start, row->deadline));
    out_text(out, row->killed ? ": KILL" : "");
    if (row->action == DO_CHECKPOINT)
        kept_where(out, run, run->model->steps[row->subject].checkpoint);
    out_text(out, row->action == DO_SWEEP ? "" : ", going on");
}

/* Which checkpoint was taken, or why none was. */
static void put_checkpoint(struct out *out, const struct run *run, const struct row *row) {
    uint16_t checkpoint = run->model->steps[row->subject].checkpoint;
    if (row->state == S_DONE)
        kept_taken(out, run, checkpoint);
    else
        kept_why(out, run, checkpoint, row->exit);
}

static void row_ends(struct out *out, const struct run *run, const struct row *row) {
    switch ((enum step_state)row->state) {
    case S_DONE:
        if (row->action == DO_CHECKPOINT)
            put_checkpoint(out, run, row);
        else if (row->action == DO_SIGNAL)
            signal_sent(out, run->model, &run->model->steps[row->subject]);
        else if (row->exit == EXIT_UNKNOWN)
            out_text(out, "done");
        else
            say_exit(out, row->exit);
        break;
    case S_FAILED:
        out_text(out, "FAILED: ");
        if (row->action == DO_CHECKPOINT)
            put_checkpoint(out, run, row);
        else if (row->action == DO_RECORD)
            out_text(out, "the store cannot be written to");
        else
            say_exit(out, row->exit);
        out_text(out, ", going on");
        break;
    case S_TIMEOUT: timed_out(out, run, row); break;
    case S_SKIPPED: out_text(out, "skipped"); break;
    case S_PAUSE:
        out_text(out, row->tries > 0 ? "failed; will be tried again" : "waits for the one before to end");
        break;
    case S_GATE: out_text(out, "only-if"); break;
    case S_PENDING:
    case S_ACT:
    case S_N: break;
    }
}

static bool is_silent(const struct run *run, const struct row *row) {
    bool ours = row->action == DO_SWEEP || row->action == DO_RECORD, well = row->state != S_TIMEOUT && row->state != S_FAILED;
    return (run->model->policy.single && run->core.walk.cause == BY_MAIN) || (ours && well) ||
           (row->action == DO_ANNOUNCE && row->deadline.ns == row->start.ns);
}

static void note_row(struct run *run, uint16_t number, uint8_t state) {
    const struct row *row = &run->core.walk.rows[number];
    char text[512];
    struct out out = out_on(text, sizeof text);
    struct row then = *row; /* several changes may have come in one step: this one is meant */
    then.state = state;
    bool told = state == S_DONE && row->had_ended; /* how it ended, when its turn came */
    if (told || is_silent(run, row))
        return;
    if (state == S_ACT)
        row_begins(&out, run, row);
    else
        row_ends(&out, run, &then);
    bool minor = state == S_SKIPPED || state == S_GATE;
    say_row(run, minor ? VERBOSE : state == S_FAILED || state == S_TIMEOUT ? ALWAYS : NORMAL,
            row_name(run->model, row), text);
}

/* ---- notes ---- */

static void put_grace(struct out *out, const struct run *run) {
    if (is_forever(run->model->policy.grace)) {
        out_text(out, "no deadline");
        return;
    }
    put_seconds(out, run->model->policy.grace);
    if (run->config->grace_from != NULL) {
        out_text(out, " (");
        out_text(out, run->config->grace_from);
        out_char(out, ')');
    }
}

static void note_stop(struct run *run) {
    char text[512];
    struct out out = out_on(text, sizeof text);
    bool single_end = run->model->policy.single && run->core.walk.cause == BY_MAIN;
    cause(&out, run);
    out_text(&out, "; ");
    if (!is_never(run->core.walk.clock) || run->core.walk.cause != BY_DRAIN)
        put_grace(&out, run);
    if (!run->model->policy.single && !run->model->policy.keep_ready)
        out_text(&out, run->core.walk.cause == BY_DRAIN ? "readiness off, draining" : ", readiness off");
    if (!single_end)
        run_say(run, NORMAL, text);
}

static void named(struct run *run, int level, const char *name, const char *what, const char *more) {
    char text[512];
    struct out out = out_on(text, sizeof text);
    out_text(&out, name);
    out_text(&out, what);
    out_text(&out, more);
    run_say(run, level, text);
}

/* The end of main is said once: as the cause of the stop. */
static void note_end(struct run *run, uint16_t unit, bool failed) {
    char text[256];
    if (run->core.walk.cause == BY_MAIN && run->model->units[unit].service == run->model->main)
        return;
    struct out out = out_on(text, sizeof text);
    say_last_end(&out, run, unit);
    named(run, failed ? ALWAYS : NORMAL, run->model->units[unit].name, failed ? " FAILED for good: " : " has ended: ",
          text);
}

static void note_restart(struct run *run, uint16_t unit, int32_t ms) {
    char text[256];
    struct out out = out_on(text, sizeof text);
    say_end(&out, run, unit);
    out_text(&out, "; starts again in ");
    duration_print(&out, MS(ms));
    named(run, NORMAL, run->model->units[unit].name, ": ", text);
}

static void note_waiting(struct run *run, uint16_t unit) {
    char text[160];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "still running 8 s after SIGTERM: ");
    put_process(&out, run, unit);
    out_text(&out, "; Docker kills at 10 s unless told otherwise");
    run_say(run, ALWAYS, text);
}

static void note_signal(struct run *run, int sig, int level, const char *what) {
    char text[160];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "SIG");
    put_signal(&out, sig);
    out_text(&out, what);
    run_say(run, level, text);
}

static void note_ready(struct run *run) {
    char text[64];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "ready after ");
    put_seconds(&out, until(run->started, run->now));
    if (!run->model->policy.single)
        run_say(run, NORMAL, text);
}

static void note_net(struct run *run, int32_t ms) {
    char text[96];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "the helper for endpoints has ended; a new one in ");
    duration_print(&out, MS(ms));
    run_say(run, NORMAL, text);
}

static void note_awaited(struct run *run, uint16_t checkpoint, int32_t ms) {
    char text[96];
    struct out out = out_on(text, sizeof text);
    out_text(&out, "one is being taken; it has ");
    put_seconds(&out, MS(ms));
    out_text(&out, " more, then the services are stopped");
    say_row(run, NORMAL, run->model->steps[run->model->checkpoints[checkpoint].step].name, text);
}

void say_note(struct run *run, const struct action *action) {
    uint16_t subject = action->subject;
    const char *unit = subject < run->model->n_units ? run->model->units[subject].name : "";
    switch ((enum note)action->value) {
    case NOTE_STOP_BEGAN: note_stop(run); break;
    case NOTE_ALREADY: note_signal(run, action->extra, NORMAL, " again: the stop is under way already"); break;
    case NOTE_HURRY: note_signal(run, action->extra, NORMAL, ": announce and drain end now"); break;
    case NOTE_KILL_ALL: note_signal(run, action->extra, NORMAL, " once more: KILL to all"); break;
    case NOTE_IGNORED:
        note_signal(run, action->extra, run->core.walk.goal == GO_EXIT ? VERBOSE : NORMAL,
                    " ignored: no main service runs that could be told (main = yes)");
        break;
    case NOTE_RESTARTING: note_restart(run, subject, action->extra); break;
    case NOTE_FAILED: note_end(run, subject, true); break;
    case NOTE_ENDED: note_end(run, subject, false); break;
    case NOTE_SPAWN_FAILED: say_spawn_failed(run, subject); break;
    case NOTE_NOT_READY: named(run, ALWAYS, unit, " is not ready within its ready-timeout", ""); break;
    case NOTE_UNHEALTHY: named(run, ALWAYS, unit, " fails its live check", ""); break;
    case NOTE_WAITING: note_waiting(run, subject); break;
    case NOTE_RESUMED: run_say(run, NORMAL, "resumed: running again"); break;
    case NOTE_PRESTOP_LAPSED:
        run_say(run, ALWAYS, "no stop signal followed the prestop within the grace: undone, running again");
        break;
    case NOTE_DRAINED: run_say(run, NORMAL, "drained"); break;
    case NOTE_RESTORED:
        say_volatile(run);
        say_restored(run, subject, action->extra);
        break;
    case NOTE_SAVED:
        say_volatile(run);
        say_saved(run, subject, action->extra);
        break;
    case NOTE_SAVE_AWAITED: note_awaited(run, subject, action->extra); break;
    case NOTE_SAVE_MISSED:
        named(run, NORMAL, run->model->steps[run->model->checkpoints[subject].step].name,
              ": the checkpoint before is still at work; none now", "");
        break;
    case NOTE_READY:
        say_volatile(run);
        note_ready(run);
        break;
    case NOTE_NET_RESTART: note_net(run, action->extra); break;
    case NOTE_ROW: note_row(run, subject, (uint8_t)action->extra); break;
    case NOTE_N: break;
    }
}

/* ---- beginning and end ---- */

void say_hello(struct run *run) {
    char text[256];
    struct out out = out_on(text, sizeof text);
    if (run->model->policy.single || run->model->policy.phases_only)
        return;
    out_uint(&out, run->model->n_services);
    out_text(&out, run->model->n_services == 1 ? " service; grace " : " services; grace ");
    put_grace(&out, run);
    run_say(run, NORMAL, text);
}

static void say_left(struct run *run) {
    pid_t left[8];
    size_t n = sweep_left(left, sizeof left / sizeof *left);
    for (size_t i = 0; i < n; i++) {
        char text[96];
        struct out out = out_on(text, sizeof text);
        struct proc_stat stat = {0};
        proc_stat(left[i], &stat);
        out_text(&out, "left behind, the kernel did not let it be killed in time: pid ");
        out_int(&out, left[i]);
        out_char(&out, ' ');
        out_text(&out, stat.comm);
        run_say(run, ALWAYS, text);
    }
}

/* A single command that ended well by itself needs no word, one that never ran has had its own, and another
 * init would say nothing. */
static bool needs_word(const struct run *run) {
    if (!run->model->policy.single || run->core.walk.cause != BY_MAIN)
        return !is_never(run->core.walk.asked);
    return run->config->manners.as == AS_LASTCALL && !run->core.units[0].never_ran &&
           (run->exit != 0 || run->why.asked.sig != 0 || core_verdict(&run->core) != VERDICT_CLEAN);
}

/* The last line: what ended whom, how long it took, what was killed. */
void say_goodbye(struct run *run) {
    char text[768];
    struct out out = out_on(text, sizeof text);
    if (!needs_word(run))
        return;
    if (run->core.left_behind)
        say_left(run);
    summary(&out, run);
    bool well = core_verdict(&run->core) == VERDICT_CLEAN && (run->exit == 0 || !ended_by_itself(run));
    run_say(run, well ? NORMAL : ALWAYS, text);
}
