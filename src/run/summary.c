/* run/summary.c: a stop in one English sentence, and what caused it. */
#include <string.h>
#include <unistd.h>

#include "model/names.h"
#include "run/state.h"
#include "text/duration.h"
#include "text/out.h"
#include "text/signame.h"

static void signal_name(struct out *out, int sig) {
    char name[SIGNAME_ROOM];
    out_text(out, "SIG");
    out_text(out, signame(sig, name));
}

void say_exit(struct out *out, int exit) {
    if (exit == EXIT_UNKNOWN) {
        out_text(out, "ended");
    } else if (exit < 0) {
        out_text(out, "ended by ");
        signal_name(out, -exit);
    } else {
        out_text(out, "exited ");
        out_int(out, exit);
    }
}

void cause_short(struct out *out, const struct run *run) {
    static const char *const names[] = {
        [BY_NOTHING] = "", [BY_SIGNAL] = "signal", [BY_PRESTOP] = "prestop", [BY_SHUTDOWN] = "shutdown",
        [BY_DRAIN] = "drain", [BY_MAIN] = "main", [BY_SERVICE] = "service", [BY_ALL_ENDED] = "all-ended",
        [BY_LIVE] = "live", [BY_RESTORE] = "restore",
    };
    _Static_assert(sizeof names / sizeof *names == BY_N, "a name for every cause");
    const struct walk *walk = &run->core.walk;
    if (walk->cause == BY_SIGNAL)
        signal_name(out, walk->cause_value);
    else
        out_text(out, names[walk->cause]);
}

/* ---- how a unit ended ---- */

static void oom_counts(struct out *out, const struct why *why) {
    out_text(out, " (");
    out_text(out, why->oom_file);
    out_text(out, " oom_kill ");
    if (why->oom_counted) {
        out_uint(out, why->oom_first);
        out_text(out, " -> ");
    }
    out_uint(out, why->oom_last);
    out_char(out, ')');
}

/* As far as the cgroup's count tells. */
static void put_killer(struct out *out, const struct run *run, enum killer killer) {
    const struct why *why = &run->why;
    if (killer == KILLER_OOM) {
        out_text(out, why->oom_counted ? ": " : why_oom_kills(run) < 0 ? ", perhaps by " : ", it seems by ");
        out_text(out, "the kernel's OOM killer");
        oom_counts(out, why);
    } else {
        out_text(out, why->oom_file == NULL ? ", not sent by lastcall"
                                            : ", sent by neither lastcall nor the kernel's OOM killer");
    }
}

void say_end(struct out *out, const struct run *run, uint16_t unit) {
    enum killer killer = why_killer(run, unit);
    if (run->core.units[unit].never_ran)
        out_text(out, "could not be started");
    else
        say_exit(out, run->core.units[unit].exit);
    if (killer != KILLER_NONE)
        put_killer(out, run, killer);
}

void say_last_end(struct out *out, const struct run *run, uint16_t unit) {
    const struct service *service = &run->model->services[run->model->units[unit].service];
    const struct unit *u = &run->core.units[unit];
    say_end(out, run, unit);
    if (u->timed_out)
        out_text(out, u->relive ? "; it failed its live check" : "; it was not ready in time");
    if (u->ended_well || service->restart == RESTART_NO || u->burst < service->restart_limit)
        return;
    out_text(out, "; restart-limit ");
    out_uint(out, service->restart_limit);
    out_text(out, " in ");
    duration_print(out, service->restart_window);
    out_text(out, " is used up");
}

static void unit_end(struct out *out, const struct run *run, uint16_t unit, const char *what) {
    out_text(out, run->model->units[unit].name);
    out_text(out, what);
    say_last_end(out, run, unit);
}

/* The first that did not end well gives the exit code. */
static void all_ended(struct out *out, const struct run *run) {
    out_text(out, "all services have ended");
    for (uint16_t unit = 0; unit < run->model->n_units; unit++)
        if (!run->core.units[unit].ended_well && run->core.units[unit].exit != EXIT_UNKNOWN) {
            out_text(out, ", ");
            unit_end(out, run, unit, " not well: ");
            return;
        }
}

static uint16_t main_unit(const struct run *run) {
    return run->model->main == NONE ? NONE : run->model->services[run->model->main].first_unit;
}

static void put_process(struct out *out, const char *name, pid_t pid, const char *comm) {
    out_text(out, name);
    if (pid == 0)
        return; /* of a simulation */
    out_text(out, " (pid ");
    out_int(out, pid);
    if (*comm != 0 && strcmp(name, comm) != 0) {
        out_char(out, ' ');
        out_text(out, comm);
    }
    out_char(out, ')');
}

/* ---- who asked for it ---- */

static void sender(struct out *out, const struct signal_taken *taken, const char *comm) {
    if (taken->code > 0) {
        out_text(out, " from the terminal");
    } else if (taken->from == 0) {
        out_text(out, " from outside");
    } else {
        out_text(out, " from pid ");
        out_int(out, taken->from);
        if (*comm != 0) {
            out_text(out, " (");
            out_text(out, comm);
            out_char(out, ')');
        }
        if (taken->uid != geteuid()) {
            out_text(out, " of user ");
            out_uint(out, taken->uid);
        }
    }
}

static void asked(struct out *out, const struct run *run) {
    signal_name(out, run->why.asked.sig ? run->why.asked.sig : run->core.walk.cause_value);
    sender(out, &run->why.asked, run->why.asker);
}

void cause(struct out *out, const struct run *run) {
    const struct walk *walk = &run->core.walk;
    switch ((enum cause)walk->cause) {
    case BY_SIGNAL: asked(out, run); break;
    case BY_MAIN: unit_end(out, run, main_unit(run), " "); break;
    case BY_SERVICE: unit_end(out, run, walk->cause_value, " has ended for good: "); break;
    case BY_LIVE:
        out_text(out, run->model->units[walk->cause_value].name);
        out_text(out, " has failed its live check");
        break;
    case BY_RESTORE:
        out_text(out, "the restore of ");
        out_text(out, run->model->steps[run->model->checkpoints[walk->cause_value].step].name);
        out_text(out, " failed: ");
        say_exit(out, run->core.savers[walk->cause_value].exit);
        break;
    case BY_ALL_ENDED: all_ended(out, run); break;
    case BY_NOTHING:
    case BY_PRESTOP:
    case BY_SHUTDOWN:
    case BY_DRAIN:
    case BY_N: cause_short(out, run); break;
    }
}

/* ---- what a person should change ---- */

static void put_place(struct out *out, const struct place *where) {
    if (where->file == NULL)
        return;
    out_text(out, " (");
    out_text(out, where->file);
    out_char(out, ':');
    out_uint(out, where->line);
    out_char(out, ')');
}

/* By the third SIGINT: no time has run out. */
static bool was_asked_to_kill(const struct run *run) { return run->core.walk.hurries > 1; }

static void advise_service(struct out *out, const struct run *run, const struct row *row) {
    const struct service *service = &run->model->services[run->model->units[row->subject].service];
    if (was_asked_to_kill(run))
        return;
    if (run->model->policy.single) {
        out_text(out, ". Raise --grace");
        return;
    }
    out_text(out, ". Raise [service ");
    out_text(out, service->name);
    out_text(out, is_forever(service->stop_timeout) ? "] guarantee, or grace" : "] stop-timeout");
    put_place(out, &service->stop_where);
}

static void advise_step(struct out *out, const struct run *run, const struct row *row) {
    const struct step_policy *step = &run->model->steps[row->subject];
    out_text(out, step->name);
    if (row->state == S_TIMEOUT) {
        out_text(out, " ran out of time. Raise [");
        out_text(out, row->action == DO_CHECKPOINT ? "checkpoint" : phase_name(row->phase));
        out_char(out, ' ');
        out_text(out, step->name);
        out_text(out, is_forever(step->timeout) ? "] guarantee" : "] timeout");
        put_place(out, step->timeout_where.file != NULL ? &step->timeout_where : &step->where);
        return;
    }
    out_text(out, " failed: ");
    if (row->action == DO_CHECKPOINT)
        kept_why(out, run, step->checkpoint, row->exit);
    else
        say_exit(out, row->exit);
    put_place(out, &step->where);
}

/* What stands between two parts of the sentence. */
static void next(struct out *out, const char **between) {
    out_text(out, *between);
    *between = "; ";
}

/* The first, by name; more than these are only counted. */
static void list_killed(struct out *out, const struct run *run, const char **between) {
    enum { NAMED = 5 };
    const struct ending *ending = &run->ending;
    uint32_t n = ending->n_killed < NAMED ? ending->n_killed : NAMED, more = ending->n_killed + ending->more_killed - n;
    if (n == 0)
        return;
    next(out, between);
    for (uint32_t i = 0; i < n; i++) {
        const struct killed *one = &ending->killed[i];
        out_text(out, i > 0 ? ", " : was_asked_to_kill(run) ? "killed as asked: " : "killed ");
        put_process(out, one->name != NULL ? one->name : *one->comm != 0 ? one->comm : "a process", one->pid, one->comm);
    }
    if (more > 0) {
        out_text(out, " and ");
        out_uint(out, more);
        out_text(out, " more");
    }
}

static void advise_one(struct out *out, const struct run *run, const struct row *row, const char **between) {
    bool named = row->killed && run->ending.n_killed > 0;
    if (row->action == DO_STOP) {
        if (!named) {
            next(out, between);
            out_text(out, row_name(run->model, row));
            out_text(out, " had to be killed");
        }
        advise_service(out, run, row);
    } else if (row->subject != NONE) {
        next(out, between);
        advise_step(out, run, row);
    } else if (!named || run->core.left_behind) {
        next(out, between);
        out_text(out, run->core.left_behind ? "something was left that could not be killed in time"
                                            : "what was left did not end on TERM, and was killed");
    }
}

static bool is_bad(const struct row *row) {
    return row->action != DO_RECORD && (row->killed || row->state == S_FAILED || row->state == S_TIMEOUT);
}

/* The first that went wrong, for the others often follow from it; those that were killed have been named. */
static void advise(struct out *out, const struct run *run, const char **between) {
    const struct walk *walk = &run->core.walk;
    const struct row *first = NULL;
    unsigned more = 0;
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        const struct row *row = &walk->rows[i];
        if (!is_bad(row))
            continue;
        more += first != NULL && (!row->killed || run->ending.n_killed == 0);
        first = first == NULL ? row : first;
    }
    if (first != NULL)
        advise_one(out, run, first, between);
    if (run->core.cut_save) {
        next(out, between);
        out_text(out, "a checkpoint that was being taken failed");
    }
    if (more > 0) {
        out_text(out, "; and ");
        out_uint(out, more);
        out_text(out, " more");
    }
}

/* ---- the sentence ---- */

/* A single command without a clock: a notice was handed on, and its end is the cause of the stop. */
static bool was_told(const struct run *run) { return run->core.walk.cause == BY_MAIN && run->why.asked.sig != 0; }

bool ended_by_itself(const struct run *run) {
    uint8_t why = run->core.walk.cause;
    return (why == BY_MAIN || why == BY_SERVICE || why == BY_ALL_ENDED || why == BY_LIVE || why == BY_RESTORE) && !was_told(run);
}

static void upper_case(struct out *out, const char *word) {
    for (; *word != 0; word++)
        out_char(out, *word >= 'a' && *word <= 'z' ? (char)(*word - 'a' + 'A') : *word);
}

instant stop_zero(const struct run *run) {
    const struct walk *walk = &run->core.walk;
    return is_never(walk->clock) ? walk->asked : walk->clock;
}

/* The verdict, how long it took, and after what. */
static void head(struct out *out, const struct run *run) {
    span grace = run->model->policy.grace;
    instant zero = was_told(run) ? run->why.asked_at : stop_zero(run);
    upper_case(out, verdict_name(core_verdict(&run->core)));
    out_text(out, " in ");
    out_tenths(out, span_ms(until(zero, run->now)));
    out_text(out, " s");
    if (!is_forever(grace)) {
        out_text(out, " of ");
        out_tenths(out, span_ms(grace));
    }
    out_text(out, " after ");
    if (was_told(run))
        asked(out, run);
    else
        cause(out, run);
}

/* A single command with its pid, and with who sent the signal that we handed on and that ended it. */
static void main_end(struct out *out, const struct run *run, const char **between) {
    uint16_t unit = main_unit(run);
    const struct signal_taken *last = &run->last_stop;
    if (unit == NONE || run->core.jobs[core_job_of_unit(&run->core, unit)].killed)
        return; /* it is among the killed */
    int exit = run->core.units[unit].exit;
    if (exit == EXIT_UNKNOWN)
        return;
    next(out, between);
    if (run->model->policy.single)
        put_process(out, run->model->units[unit].name, run->why.main_pid, "");
    else
        out_text(out, run->model->units[unit].name);
    out_char(out, ' ');
    say_end(out, run, unit);
    if (run->model->policy.single && ended_by_itself(run) && last->sig != 0 &&
        run->model->policy.signals[last->sig].to == -exit)
        sender(out, last, "");
}

/* Kills that the line has not told of yet: of a child of a program, mostly. */
static void oom_kills(struct out *out, const struct run *run, const char **between) {
    int64_t kills = why_oom_kills(run);
    uint16_t named = run->core.walk.cause == BY_SERVICE ? run->core.walk.cause_value : main_unit(run);
    if (kills <= 0 || why_killer(run, named) == KILLER_OOM)
        return;
    next(out, between);
    out_text(out, "the kernel's OOM killer ended ");
    out_int(out, kills);
    oom_counts(out, &run->why);
}

static const struct row *running_row(const struct run *run) {
    for (uint16_t i = 0; i < run->core.walk.n_rows; i++)
        if (row_running(&run->core.walk.rows[i]))
            return &run->core.walk.rows[i];
    return NULL;
}

/* Only read when the platform's KILL came first: so it says what would have been needed. */
static void interrupted(struct out *out, const struct run *run) {
    const struct row *row = running_row(run);
    span grace = run->model->policy.grace;
    out_text(out, "INTERRUPTED: last written ");
    out_tenths(out, span_ms(until(stop_zero(run), run->now)));
    out_text(out, " s after ");
    cause(out, run);
    if (row != NULL) {
        out_text(out, row->action == DO_STOP ? ", while stopping " : ", during ");
        out_text(out, row_name(run->model, row));
    }
    if (is_forever(grace))
        return;
    out_text(out, "; lastcall counted on ");
    out_int(out, span_ms(grace) / 1000);
    out_text(out, " s. If the platform killed it, set terminationGracePeriodSeconds to ");
    out_int(out, (span_ms(grace) + 999) / 1000);
    out_text(out, ", or a shorter grace here.");
}

void summary(struct out *out, const struct run *run) {
    bool by_main = run->core.walk.cause == BY_MAIN && !was_told(run);
    bool short_one = by_main && run->model->policy.single && core_verdict(&run->core) == VERDICT_CLEAN;
    const char *between = short_one ? "" : ": ";
    if (!run->exited) {
        interrupted(out, run);
        return;
    }
    if (!short_one)
        head(out, run);
    if (short_one || !by_main)
        main_end(out, run, &between);
    list_killed(out, run, &between);
    advise(out, run, &between);
    oom_kills(out, run, &between);
    if (out->cut) { /* by long names: the code is worth more than their rest */
        out->cut = false;
        out->n -= sizeof "... exit 255";
        out_text(out, "..");
    }
    out_text(out, ". exit ");
    out_int(out, run->exit);
}
