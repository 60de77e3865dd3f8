/* core/step.c: one row of the plan.
 *
 *           | stage opens | answer good | bad, tries left | bad, none left | deadline           | floor passes
 *   PENDING | GATE or ACT | ·           | ·               | ·              | ·                  | SKIPPED
 *   GATE    | ·           | ACT         | SKIPPED         | SKIPPED        | TIMEOUT            | SKIPPED
 *   ACT     | ·           | DONE        | PAUSE           | FAILED         | TIMEOUT, or DONE   | SKIPPED, job stopped
 *   PAUSE   | ·           | ·           | ·               | ·              | TIMEOUT            | SKIPPED
 *
 * PAUSE ends when its time has come and its slot is free. A wait that just passes time (announce,
 * sleep) is DONE at its deadline. A row ends at its deadline whether or not its process has.
 */
#include "core/parts.h"

enum {
    LEAST_MS = 50,     /* a command with less than this is not started */
    TERM_BEFORE_MS = 500, /* TERM so long before the deadline, or a fifth of its time */
    SWEEP_TERM_MS = 2000,
    RECORD_MS = 1000,
    HURRIED_MS = 1000, /* a command that a hurry or a resume ends */
};

static struct row *row_at(struct core *core, uint16_t row) { return &core->walk.rows[row]; }

static const struct step_policy *policy_of(const struct core *core, const struct row *row) {
    return &core->model->steps[row->subject];
}

static bool is_command(const struct row *row) { return row->action == DO_COMMAND || row->action == DO_CHECKPOINT; }
static bool is_checkpoint(const struct row *row) { return row->action == DO_CHECKPOINT; }
static bool has_policy(const struct row *row) { return row->subject != NONE && row->action != DO_STOP; }

static void become(struct core *core, uint16_t row, uint8_t state) {
    row_at(core, row)->state = state;
    core->dirty = true;
    note(core, NOTE_ROW, row, state);
}

static void end(struct core *core, uint16_t row, uint8_t state) {
    struct row *r = row_at(core, row);
    r->end = core->now;
    set_alarm(core, alarm_of_row(core, row), NEVER);
    become(core, row, state);
    if (has_policy(r) && (state == S_FAILED || state == S_TIMEOUT) &&
        policy_of(core, r)->on_failure == FAILURE_SKIP_REST)
        core->walk.skip_rest[r->phase] = true;
    walk_row_ended(core);
}

span step_timeout(const struct core *core, const struct row *row) {
    span most = FOREVER;
    switch ((enum action_of_step)row->action) {
    case DO_ANNOUNCE: most = core->model->policy.announce_min; break;
    case DO_STOP: most = service_of(core, row->subject)->stop_timeout; break;
    case DO_SWEEP: most = MS(SWEEP_TERM_MS); break;
    case DO_RECORD: most = MS(RECORD_MS); break;
    case DO_COMMAND:
    case DO_CHECKPOINT:
    case DO_SIGNAL:
    case DO_SLEEP:
    case DO_WAIT_EXIT: most = policy_of(core, row)->timeout; break;
    case DO_N: break;
    }
    return most;
}

/* NONE: a checkpoint that no stop takes. */
static uint16_t row_of_step(const struct core *core, uint16_t step) {
    uint16_t row = 0;
    if (core->model->steps[step].phase == PH_N)
        return NONE;
    while (!has_policy(&core->walk.rows[row]) || core->walk.rows[row].subject != step)
        row++;
    return row;
}

static bool run_if_holds(const struct core *core, const struct step_policy *step) {
    uint8_t other = S_PENDING;
    bool holds = true;
    uint16_t row = step->run_if_step == NONE ? NONE : row_of_step(core, step->run_if_step);
    if (row != NONE)
        other = core->walk.rows[row].state;
    switch ((enum run_if)step->run_if) {
    case RUN_ALWAYS: break;
    case RUN_IF_DONE: holds = other == S_DONE; break;
    case RUN_IF_FAILED: holds = other == S_FAILED || other == S_TIMEOUT; break;
    case RUN_IF_TIMEOUT: holds = other == S_TIMEOUT; break;
    }
    return holds;
}

static bool has_time(const struct core *core, const struct row *row) {
    return until(core->now, row->deadline).ns >= MS(LEAST_MS).ns;
}

static bool is_wanted(const struct core *core, const struct row *row) {
    const struct step_policy *step = policy_of(core, row);
    bool runs = is_command(row) || step->has_only_if;
    if (core->walk.skip_rest[row->phase] || !run_if_holds(core, step))
        return false;
    if (is_checkpoint(row) && !checkpoint_wanted(core, step->checkpoint, row->phase))
        return false;
    if (!is_checkpoint(row) && step->for_service != NONE && !core->model->policy.phases_only && !service_live(core, step->for_service))
        return false;
    return !runs || has_time(core, row);
}

/* TERM comes shortly before the deadline, so that a command can still tidy up. */
static void end_by_deadline(struct core *core, const struct row *row) {
    span left = until(core->now, row->deadline);
    instant term = ago(row->deadline, shorter(MS(TERM_BEFORE_MS), (span){left.ns / 5}));
    job_stop(core, core_job_of_step(core, row->subject), term, row->deadline);
}

static void run(struct core *core, uint16_t row, uint8_t what) {
    const struct row *r = row_at(core, row);
    job_start(core, core_job_of_step(core, r->subject), what, r->subject);
    end_by_deadline(core, r);
}

static void signal_service(struct core *core, uint16_t row) {
    const struct step_policy *step = policy_of(core, row_at(core, row));
    const struct service *service = &core->model->services[step->target];
    bool sent = false;
    for (uint16_t unit = service->first_unit; unit < service->first_unit + service->n_units; unit++) {
        if (!unit_live(core, unit))
            continue;
        job_signal(core, core_job_of_unit(core, unit), step->signal, unit_whom(core, unit));
        core->jobs[core_job_of_unit(core, unit)].sent |= signal_bit(step->signal); /* an end by it is no failure */
        sent = true;
    }
    end(core, row, sent ? S_DONE : S_SKIPPED);
}

static void stop_unit(struct core *core, uint16_t row) {
    struct row *r = row_at(core, row);
    uint16_t unit = r->subject;
    bool lives = unit_live(core, unit);
    if (!lives && core->units[unit].exit == EXIT_UNKNOWN) {
        unit_stop(core, unit, r->deadline);
        end(core, row, S_SKIPPED); /* it has never run */
        return;
    }
    r->had_ended = !lives || core->jobs[core_job_of_unit(core, unit)].state == J_LEFT;
    become(core, row, S_ACT);
    unit_stop(core, unit, r->deadline);
    if (!lives) {
        r->exit = core->units[unit].exit;
        end(core, row, S_DONE);
    } else if (!r->had_ended) { /* one that was being put down has no longer */
        r->deadline = earlier(r->deadline, core->jobs[core_job_of_unit(core, unit)].kill_at);
    }
}

static void sweep(struct core *core, uint16_t row) {
    become(core, row, S_ACT);
    if (core->no_children) {
        end(core, row, S_DONE);
        return;
    }
    core->sweeping = core->dirty = true;
    emit(core, (struct action){.kind = A_SWEEP, .signal = core->model->policy.parting});
}

/* A save that began before the stop may end if it can, but not at the cost of the stop's own. */
static void await_slot(struct core *core, uint16_t row) {
    const struct row *r = row_at(core, row);
    span left = until(core->now, r->deadline);
    become(core, row, S_PAUSE);
    if (is_checkpoint(r))
        job_stop(core, core_job_of_step(core, r->subject), after(core->now, (span){left.ns / 2}),
                 after(core->now, (span){left.ns / 4 * 3}));
}

static void try_command(struct core *core, uint16_t row) {
    struct row *r = row_at(core, row);
    if (job_live(core, core_job_of_step(core, r->subject))) {
        await_slot(core, row);
    } else if (is_checkpoint(r) && !checkpoint_wanted(core, policy_of(core, r)->checkpoint, r->phase)) {
        end(core, row, S_SKIPPED); /* its service has ended while this waited for the save before */
    } else if (!has_time(core, r)) {
        end(core, row, r->tries ? S_FAILED : S_SKIPPED);
    } else {
        become(core, row, S_ACT);
        r->tries++;
        if (is_checkpoint(r))
            checkpoint_begins(core, policy_of(core, r)->checkpoint, WHY_STOP, 0);
        run(core, row, is_checkpoint(r) ? CMD_SAVE : CMD_STEP);
    }
}

static void record(struct core *core, uint16_t row) {
    if (!has_time(core, row_at(core, row))) {
        end(core, row, S_SKIPPED);
        return;
    }
    if (job_live(core, core_job_of_record(core))) {
        become(core, row, S_PAUSE);
        return;
    }
    become(core, row, S_ACT);
    record_begin(core, RECORD_END);
}

static void act(struct core *core, uint16_t row) {
    struct row *r = row_at(core, row);
    switch ((enum action_of_step)r->action) {
    case DO_ANNOUNCE: become(core, row, S_ACT); break;
    case DO_COMMAND:
    case DO_CHECKPOINT: try_command(core, row); break;
    case DO_RECORD: record(core, row); break;
    case DO_SIGNAL: signal_service(core, row); break;
    case DO_SLEEP:
        become(core, row, S_ACT);
        r->deadline = earlier(r->deadline, after(core->now, policy_of(core, r)->sleep));
        break;
    case DO_WAIT_EXIT:
        become(core, row, S_ACT);
        if (!service_live(core, policy_of(core, r)->target))
            end(core, row, S_DONE);
        break;
    case DO_STOP: stop_unit(core, row); break;
    case DO_SWEEP: sweep(core, row); break;
    case DO_N: break;
    }
}

/* The gate is asked once, before the first try. */
static void gate_or_act(struct core *core, uint16_t row) {
    struct row *r = row_at(core, row);
    if (!has_policy(r) || !policy_of(core, r)->has_only_if || r->tries > 0) {
        act(core, row);
    } else if (job_live(core, core_job_of_step(core, r->subject))) {
        become(core, row, S_PAUSE);
    } else if (!has_time(core, r)) {
        end(core, row, S_SKIPPED);
    } else {
        become(core, row, S_GATE);
        run(core, row, CMD_ONLY_IF);
    }
}

void step_begin(struct core *core, uint16_t row, instant deadline) {
    struct row *r = row_at(core, row);
    r->deadline = deadline;
    if (has_policy(r) && !is_wanted(core, r)) {
        step_skip(core, row);
        return;
    }
    r->start = core->now;
    gate_or_act(core, row);
    if (row_running(r))
        set_alarm(core, alarm_of_row(core, row), r->deadline);
}

/* A clock began, or no time is left, while it runs: deadlines only come nearer. */
void step_shorten(struct core *core, uint16_t row, instant deadline) {
    struct row *r = row_at(core, row);
    if (!row_running(r) || !before(deadline, r->deadline))
        return;
    r->deadline = deadline;
    core->dirty = true;
    if (before(deadline, agenda_when(&core->agenda, alarm_of_row(core, row)))) /* a pause may be over before */
        set_alarm(core, alarm_of_row(core, row), deadline);
    if (is_command(r) || r->state == S_GATE)
        end_by_deadline(core, r);
}

void step_extend(struct core *core, uint16_t row, instant deadline) {
    struct row *r = row_at(core, row);
    if (r->state != S_ACT || !before(r->deadline, deadline))
        return;
    r->deadline = deadline;
    core->dirty = true;
    set_alarm(core, alarm_of_row(core, row), deadline);
    job_extend(core, core_job_of_unit(core, r->subject), deadline);
}

void step_skip(struct core *core, uint16_t row) {
    struct row *r = row_at(core, row);
    if (row_ended(r))
        return;
    if (row_running(r) && has_policy(r))
        job_stop(core, core_job_of_step(core, r->subject), core->now, after(core->now, MS(HURRIED_MS)));
    end(core, row, S_SKIPPED);
}

static bool passes_time(const struct row *row) {
    return row->state == S_ACT && (row->action == DO_ANNOUNCE || row->action == DO_SLEEP);
}

static void out_of_time(struct core *core, uint16_t row) {
    struct row *r = row_at(core, row);
    if (r->action == DO_SWEEP) {
        r->killed = true;
        emit(core, (struct action){.kind = A_SWEEP_KILL});
        end(core, row, S_TIMEOUT);
        return;
    }
    if (r->action == DO_STOP) {
        job_kill(core, core_job_of_unit(core, r->subject));
        job_kill(core, core_job_of_aux(core, r->subject));
        r->killed = true;
        r->exit = core->units[r->subject].exit;
    } else if ((is_command(r) || r->state == S_GATE) && job_live(core, core_job_of_step(core, r->subject))) {
        job_kill(core, core_job_of_step(core, r->subject));
        r->killed = true;
    } else if (r->action == DO_RECORD) {
        job_kill(core, core_job_of_record(core));
    }
    end(core, row, passes_time(r) ? S_DONE : S_TIMEOUT);
}

void step_due(struct core *core, uint16_t row) {
    struct row *r = row_at(core, row);
    if (due(r->deadline, core->now)) {
        out_of_time(core, row);
    } else { /* a pause is over */
        set_alarm(core, alarm_of_row(core, row), r->deadline);
        gate_or_act(core, row);
    }
}

/* Another try, if there is one left and time for it. */
static void failed(struct core *core, uint16_t row) {
    struct row *r = row_at(core, row);
    const struct step_policy *step = policy_of(core, r);
    instant again = after(core->now, step->every);
    if (r->tries > step->retries || until(again, r->deadline).ns < MS(LEAST_MS).ns) {
        end(core, row, S_FAILED);
        return;
    }
    become(core, row, S_PAUSE);
    set_alarm(core, alarm_of_row(core, row), again);
}

/* The job that ended belonged to an earlier round, or to an undo: the slot is free now. */
static void slot_free(struct core *core, uint16_t row) {
    if (row_at(core, row)->state == S_PAUSE)
        set_alarm(core, alarm_of_row(core, row), core->now);
    walk_undo_ended(core);
}

static void row_answer(struct core *core, uint16_t row, uint8_t what, int exit) {
    struct row *r = row_at(core, row);
    const struct job *job = &core->jobs[core_job_of_step(core, r->subject)];
    if (what == CMD_ONLY_IF && r->state == S_GATE) {
        if (exit == 0)
            act(core, row);
        else
            end(core, row, S_SKIPPED);
        if (row_running(r))
            set_alarm(core, alarm_of_row(core, row), r->deadline);
    } else if ((what == CMD_STEP || what == CMD_SAVE) && r->state == S_ACT) {
        r->exit = (int16_t)exit;
        if (exit == 0)
            end(core, row, S_DONE);
        else if (job->rung || job->killed)
            end(core, row, S_TIMEOUT); /* its time was up: TERM was sent, or KILL to one that never reached exec */
        else
            failed(core, row);
    } else {
        slot_free(core, row);
    }
}

void step_answer(struct core *core, uint16_t step, int exit) {
    uint16_t row = row_of_step(core, step);
    uint8_t what = core->jobs[core_job_of_step(core, step)].what;
    if (core->model->steps[step].action == DO_CHECKPOINT)
        checkpoint_answer(core, core->model->steps[step].checkpoint, what, exit);
    if (row != NONE)
        row_answer(core, row, what, exit);
}

/* The record of the run has been read or written. */
void step_recorded(struct core *core, int exit) {
    for (uint16_t row = 0; row < core->walk.n_rows; row++) {
        const struct row *r = row_at(core, row);
        if (r->action != DO_RECORD)
            continue;
        if (r->state == S_ACT)
            end(core, row, exit == 0 ? S_DONE : S_FAILED);
        else if (r->state == S_PAUSE)
            set_alarm(core, alarm_of_row(core, row), core->now);
    }
}
void steps_unit_ended(struct core *core, uint16_t unit) {
    struct walk *walk = &core->walk;
    const struct stage *stage = &walk->stages[walk->stage];
    if (!walk->open)
        return;
    for (uint16_t row = stage->first; row < stage->first + stage->n; row++) {
        struct row *r = row_at(core, row);
        if (r->state != S_ACT)
            continue;
        if (r->action == DO_STOP && r->subject == unit) {
            r->exit = core->units[unit].exit;
            end(core, row, S_DONE);
        } else if (r->action == DO_WAIT_EXIT && !service_live(core, policy_of(core, r)->target)) {
            end(core, row, S_DONE);
        }
    }
}

/* No child is left. */
void step_swept(struct core *core) {
    struct walk *walk = &core->walk;
    for (uint16_t row = 0; row < walk->n_rows; row++)
        if (walk->rows[row].action == DO_SWEEP && walk->rows[row].state == S_ACT)
            end(core, row, S_DONE);
}
