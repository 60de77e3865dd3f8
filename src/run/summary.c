/* run/summary.c: a stop in one English sentence, and what caused it. */
#include <string.h>

#include "model/names.h"
#include "run/state.h"
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
        [BY_LIVE] = "live",
    };
    _Static_assert(sizeof names / sizeof *names == BY_N, "a name for every cause");
    const struct walk *walk = &run->core.walk;
    if (walk->cause == BY_SIGNAL)
        signal_name(out, walk->cause_value);
    else
        out_text(out, names[walk->cause]);
}

static void unit_end(struct out *out, const struct run *run, uint16_t unit, const char *what) {
    out_text(out, run->model->units[unit].name);
    out_text(out, what);
    if (run->core.units[unit].exit != EXIT_UNKNOWN) {
        out_text(out, " (");
        say_exit(out, run->core.units[unit].exit);
        out_text(out, ")");
    }
}

static void sender(struct out *out, const struct run *run) {
    const struct signal_taken *taken = &run->last_stop;
    if (taken->sig != run->core.walk.cause_value)
        return;
    if (taken->code > 0) {
        out_text(out, " from the terminal");
    } else if (taken->from == 0) {
        out_text(out, " from outside");
    } else {
        out_text(out, " from pid ");
        out_int(out, taken->from);
    }
}

void cause(struct out *out, const struct run *run) {
    const struct walk *walk = &run->core.walk;
    switch ((enum cause)walk->cause) {
    case BY_SIGNAL:
        signal_name(out, walk->cause_value);
        sender(out, run);
        break;
    case BY_MAIN: unit_end(out, run, run->model->services[run->model->main].first_unit, " has ended"); break;
    case BY_SERVICE: unit_end(out, run, walk->cause_value, " has ended for good"); break;
    case BY_LIVE: unit_end(out, run, walk->cause_value, " has failed its live check"); break;
    case BY_ALL_ENDED: out_text(out, "all services have ended"); break;
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

static void advise_service(struct out *out, const struct run *run, const struct row *row) {
    const struct service *service = &run->model->services[run->model->units[row->subject].service];
    out_text(out, row_name(run->model, row));
    if (run->model->policy.single) {
        out_text(out, " had to be killed. Raise --grace");
        return;
    }
    out_text(out, " had to be killed. Raise [service ");
    out_text(out, service->name);
    out_text(out, is_forever(service->stop_timeout) ? "] guarantee, or grace" : "] stop-timeout");
    put_place(out, &service->where);
}

static void advise_step(struct out *out, const struct run *run, const struct row *row) {
    const struct step_policy *step = &run->model->steps[row->subject];
    out_text(out, step->name);
    if (row->state == S_TIMEOUT) {
        out_text(out, " ran out of time. Raise [");
        out_text(out, phase_name(row->phase));
        out_char(out, ' ');
        out_text(out, step->name);
        out_text(out, is_forever(step->timeout) ? "] guarantee" : "] timeout");
        put_place(out, step->timeout_where.file != NULL ? &step->timeout_where : &step->where);
        return;
    }
    out_text(out, " failed: ");
    say_exit(out, row->exit);
    put_place(out, &step->where);
}

static void advise_one(struct out *out, const struct run *run, const struct row *row) {
    out_text(out, ": ");
    if (row->action == DO_STOP)
        advise_service(out, run, row);
    else if (row->subject != NONE)
        advise_step(out, run, row);
    else
        out_text(out, run->core.left_behind ? "something was left that could not be killed in time"
                                            : "what was left did not end on TERM, and was killed");
}

static bool is_bad(const struct row *row) { return row->killed || row->state == S_FAILED || row->state == S_TIMEOUT; }

/* The first that went wrong, for the others often follow from it. */
static void advise(struct out *out, const struct run *run) {
    const struct walk *walk = &run->core.walk;
    const struct row *first = NULL;
    unsigned bad = 0;
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        if (!is_bad(&walk->rows[i]))
            continue;
        first = first == NULL ? &walk->rows[i] : first;
        bad++;
    }
    if (first != NULL)
        advise_one(out, run, first);
    if (bad > 1) {
        out_text(out, "; and ");
        out_uint(out, bad - 1);
        out_text(out, " more");
    }
}

static void upper_case(struct out *out, const char *word) {
    for (; *word != 0; word++)
        out_char(out, *word >= 'a' && *word <= 'z' ? (char)(*word - 'a' + 'A') : *word);
}

instant stop_zero(const struct run *run) {
    const struct walk *walk = &run->core.walk;
    return is_never(walk->clock) ? walk->asked : walk->clock;
}

static void put_time(struct out *out, const struct run *run) {
    span grace = run->model->policy.grace;
    out_tenths(out, span_ms(until(stop_zero(run), run->now)));
    out_text(out, " s");
    if (is_forever(grace))
        return;
    out_text(out, " of ");
    out_tenths(out, span_ms(grace));
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
    if (!run->exited) {
        interrupted(out, run);
        return;
    }
    upper_case(out, verdict_name(core_verdict(&run->core)));
    out_text(out, " in ");
    put_time(out, run);
    advise(out, run);
    out_text(out, ". exit ");
    out_int(out, run->exit);
}
