/* steps.c: what must be so when a step of the plan begins, while it runs, and when it has ended. Nothing is skipped,
 * fails or takes its time without a reason. */
#include "sim.h"

static const struct policy *policy(void) { return &scene.model.policy; }
static bool is_bad(const struct row *row) { return row->state == S_FAILED || row->state == S_TIMEOUT; }
static bool has_step(const struct row *row) { return row->subject != NONE && row->action != DO_STOP; }
static bool is_command(const struct row *row) { return row->action == DO_COMMAND || row->action == DO_CHECKPOINT; }
static const struct step_policy *step_of(const struct row *row) { return &scene.steps[row->subject]; }
static const struct proc *proc_of(const struct row *row) { return &sim.procs[core_job_of_step(&sim.core, row->subject)]; }
static bool is_there(const struct proc *proc) { return proc->state != P_NONE; }
static bool has_time(const struct row *row) { return until(sim.now, row->deadline).ns >= MS(50).ns; }

bool service_alive(uint16_t service) {
    for (uint16_t u = 0; u < scene.services[service].n_units; u++)
        if (is_there(&sim.procs[scene.services[service].first_unit + u]))
            return true;
    return false;
}

/* ---- why it may not begin ---- */

/* Its phase is over before it could begin: somebody is in a hurry, or who it is for has gone. */
bool rules_phase_passed(uint8_t phase) {
    const struct walk *walk = &sim.core.walk;
    bool main_gone = walk->cause == BY_MAIN || walk->cause == BY_ALL_ENDED;
    if (walk->goal != GO_EXIT)
        return false;
    if (policy()->single)
        return phase < PH_STOP && (sim.hurried || !is_there(&sim.procs[0]) || sim.procs[0].told_end);
    return phase < PH_SAVE && (sim.hurried || main_gone || (walk->cause == BY_RESTORE && !sim.core.started));
}

static bool rest_is_skipped(uint8_t phase, uint16_t number) {
    for (uint16_t i = 0; i < number; i++) {
        const struct row *row = &sim.core.walk.rows[i];
        if (has_step(row) && row->phase == phase && is_bad(row) && step_of(row)->on_failure == FAILURE_SKIP_REST)
            return true;
    }
    return false;
}

static bool condition_holds(const struct step_policy *it) {
    const struct row *other = &sim.core.walk.rows[row_of_step[it->run_if_step == NONE ? 0 : it->run_if_step]];
    switch ((enum run_if)it->run_if) {
    case RUN_ALWAYS: break;
    case RUN_IF_DONE: return other->state == S_DONE;
    case RUN_IF_FAILED: return is_bad(other);
    case RUN_IF_TIMEOUT: return other->state == S_TIMEOUT;
    }
    return true;
}

static bool is_for_nobody(const struct step_policy *it) {
    return it->action != DO_CHECKPOINT && it->for_service != NONE && !policy()->phases_only && !service_alive(it->for_service);
}

/* ---- it begins ---- */

/* Its first command, or its gate. */
static void rules_begins(const struct row *row, uint16_t number) {
    if (row_running(&sim.rows[number]) || sim.tries[row->subject].gates + sim.tries[row->subject].runs > 0)
        return; /* it has begun before */
    if (is_for_nobody(step_of(row)))
        fail("step %u begins, and the service that it is for is gone", row->subject);
    if (rules_phase_passed(row->phase))
        fail("step %u begins, and its phase is over", row->subject);
    if (rest_is_skipped(row->phase, number))
        fail("step %u begins, and a step said to skip the rest", row->subject);
    if (!condition_holds(step_of(row)))
        fail("step %u begins against its run-if", row->subject);
}

void rules_step_command(const struct action *action) {
    uint16_t number = row_of_step[action->subject];
    const struct walk *walk = &sim.core.walk;
    const struct row *row = &walk->rows[number];
    struct tries *tries = &sim.tries[action->subject];
    if (core_ready(&sim.core) && !policy()->keep_ready)
        fail("step %u begins while readiness is on", action->subject);
    if (walk->goal == GO_RUN || row->stage > walk->stage)
        fail("step %u begins before its stage", action->subject);
    if (row->stage < walk->stage && sim.goal == walk->goal && !row_ended(row))
        fail("step %u begins after a later stage has begun", action->subject);
    if (!has_time(row))
        fail("step %u begins with less than 50 ms", action->subject);
    if (policy()->phases_only && row->phase > PH_DRAIN)
        fail("step %u is no business of the phases alone", action->subject);
    rules_begins(row, number);
    tries->term = false;
    if (action->value == CMD_ONLY_IF ? tries->gates++ > 0 : tries->runs++ > step_of(row)->retries)
        fail("step %u is tried too often", action->subject);
    if (action->value != CMD_ONLY_IF && step_of(row)->has_only_if && !tries->gate_passed)
        fail("step %u runs, and its only-if has not said so", action->subject);
    if (tries->runs > 1 && !is_never(tries->ended) && before(sim.now, after(tries->ended, step_of(row)->every)))
        fail("step %u is tried again too soon", action->subject);
}

/* When the turn comes to stop it, the core knows already of its end. */
void rules_had_ended(const struct row *row, uint16_t number) {
    bool had = row->action == DO_STOP && row->state != S_SKIPPED &&
               (!is_there(&sim.procs[row->subject]) || sim.procs[row->subject].told_end);
    if (row->had_ended != had)
        fail("row %u: had_ended is %u", number, row->had_ended);
}

/* ---- its time ---- */

/* TERM comes shortly before the deadline: half a second, or a fifth of its time. */
void rules_step_term(const struct proc *proc) {
    const struct row *row = &sim.core.walk.rows[row_of_step[proc->owner]];
    span left = until(sim.now, row->deadline);
    if (row->state != S_GATE && row->state != S_ACT)
        return;
    if (left.ns > MS(500).ns || left.ns > until(proc->born, row->deadline).ns / 5)
        fail("step %u gets TERM long before its deadline", proc->owner);
    sim.tries[proc->owner].term = true;
}

/* What it waits for is still to come. */
void rules_step_waits(const struct row *row, uint16_t number) {
    const struct proc *record = &sim.procs[core_job_of_record(&sim.core)];
    const struct tries *tries = &sim.tries[has_step(row) ? row->subject : 0];
    bool waits = true;
    if (row->state == S_GATE)
        waits = proc_of(row)->what == CMD_ONLY_IF && is_there(proc_of(row));
    else if (row->action == DO_RECORD)
        waits = is_there(record);
    else if (row->state == S_PAUSE)
        waits = is_there(proc_of(row)) || (!is_never(tries->ended) && before(sim.now, after(tries->ended, step_of(row)->every)));
    else if (is_command(row))
        waits = is_there(proc_of(row)) && proc_of(row)->what == (row->action == DO_COMMAND ? CMD_STEP : CMD_SAVE);
    else if (row->action == DO_STOP)
        waits = is_there(&sim.procs[row->subject]);
    else if (row->action == DO_WAIT_EXIT)
        waits = service_alive(step_of(row)->target);
    if (!waits)
        fail("row %u waits for nothing", number);
}

/* ---- it has ended ---- */

static bool may_be_skipped(const struct row *row, uint16_t number) {
    const struct step_policy *it;
    if (rules_phase_passed(row->phase))
        return true;
    if (row->action == DO_STOP)
        return sim.last_exit[row->subject] == EXIT_UNKNOWN && !is_there(&sim.procs[row->subject]);
    if (row->action == DO_RECORD)
        return !has_time(row);
    if (!has_step(row))
        return false;
    it = step_of(row);
    if (it->run_if_step != NONE && sim.core.walk.rows[row_of_step[it->run_if_step]].end.ns == sim.now.ns)
        return true; /* it may have ended since */
    if (rest_is_skipped(row->phase, number) || !condition_holds(it) || is_for_nobody(it))
        return true;
    if ((is_command(row) || it->has_only_if) && !has_time(row))
        return true;
    if (it->has_only_if && sim.tries[row->subject].gates > 0 && !sim.tries[row->subject].gate_passed)
        return true;
    if (row->action == DO_CHECKPOINT)
        return !rules_worth_saving(row->subject);
    return row->action == DO_SIGNAL && !service_alive(it->target);
}

static bool may_be_done(const struct row *row) {
    switch ((enum action_of_step)row->action) {
    case DO_ANNOUNCE: case DO_SLEEP: return due(row->deadline, sim.now);
    case DO_COMMAND: case DO_CHECKPOINT: return sim.tries[row->subject].runs > 0 && sim.tries[row->subject].exit == 0;
    case DO_SIGNAL: return service_alive(step_of(row)->target);
    case DO_WAIT_EXIT: return !service_alive(step_of(row)->target);
    case DO_RECORD: return sim.record_exit == 0;
    case DO_STOP: return !is_there(&sim.procs[row->subject]);
    case DO_SWEEP: return sim.alive == 0;
    case DO_N: break;
    }
    return false;
}

/* No try is left, or no time for it. */
static bool may_have_failed(const struct row *row) {
    const struct tries *tries = &sim.tries[has_step(row) ? row->subject : 0];
    if (row->action == DO_RECORD)
        return sim.record_exit != 0;
    if (!is_command(row) || tries->runs == 0 || tries->exit == 0 || tries->term)
        return false; /* if it was told to end, its time was up */
    return tries->runs > step_of(row)->retries || until(after(sim.now, step_of(row)->every), row->deadline).ns < MS(50).ns ||
           !has_time(row);
}

static bool may_be_late(const struct row *row) {
    if (!due(row->deadline, sim.now))
        return is_command(row) && sim.tries[row->subject].term && sim.tries[row->subject].exit != 0;
    return (row->action != DO_ANNOUNCE && row->action != DO_SLEEP) || (row->action == DO_SLEEP && step_of(row)->has_only_if);
}

/* Is something of it still there? */
static bool is_at_work(const struct row *row) {
    if (row->action == DO_SWEEP)
        return true;
    if (row->action == DO_STOP)
        return is_there(&sim.procs[row->subject]);
    if (!has_step(row) || !is_there(proc_of(row)))
        return false;
    return is_command(row) || (proc_of(row)->what == CMD_ONLY_IF && sim.tries[row->subject].gates > 0);
}

/* Who is still there at its deadline gets KILL; nobody else does. */
static void rules_killed(const struct row *row, uint16_t number) {
    if (row->killed != (row->state == S_TIMEOUT && is_at_work(row) && due(row->deadline, sim.now)))
        fail("row %u: killed is %u", number, row->killed);
    if (row->killed && row->action == DO_STOP && !sim.core.jobs[row->subject].killed)
        fail("row %u: unit %u has not got KILL", number, row->subject);
}

void rules_step_ended(const struct row *row, uint16_t number) {
    bool may = row->state == S_SKIPPED ? may_be_skipped(row, number) : row->state == S_DONE ? may_be_done(row) :
               row->state == S_FAILED ? may_have_failed(row) : may_be_late(row);
    if (!may)
        fail("row %u is %s for no reason", number, row_state_name(row));
    rules_killed(row, number);
}

/* ---- resume ---- */

void rules_undo(uint16_t step) {
    const struct walk *walk = &sim.core.walk;
    if (walk->goal != GO_RUN)
        fail("step %u is undone in a drain", step);
    if (sim.undo_row != NONE && row_of_step[step] >= sim.undo_row)
        fail("undo of row %u comes after row %u", row_of_step[step], sim.undo_row);
    if (is_never(walk->rows[row_of_step[step]].start) || !scene.steps[step].has_undo || (scene.steps[step].action == DO_COMMAND && sim.tries[step].runs == 0))
        fail("step %u is undone, and has nothing to undo", step);
    sim.undo_row = row_of_step[step];
    sim.tries[step].undone = true;
}

/* What has been done is undone, before all is as it was. */
void rules_all_undone(void) {
    for (uint16_t i = 0; i < scene.model.n_steps; i++)
        if (scene.steps[i].phase == PH_DRAIN && scene.steps[i].has_undo && sim.tries[i].runs > 0 && !sim.tries[i].undone)
            fail("step %u is not undone", i);
}

static span most_of_undo(uint16_t step) { return is_forever(scene.steps[step].timeout) ? SEC(10) : scene.steps[step].timeout; }

/* An undo has its step's time; a new drain or stop cuts it short. */
void rules_undo_term(const struct proc *proc) {
    span most = most_of_undo(proc->owner);
    if (sim.core.walk.undoing && !proc->cut && before(sim.now, after(proc->born, (span){most.ns / 5 * 4})))
        fail("the undo of step %u gets TERM, and its time is not up", proc->owner);
}

/* A new drain or stop has come: the undo that runs is told to end. */
void rules_undo_cut(void) {
    for (uint16_t i = 0; i < scene.model.n_steps; i++) {
        const struct job *job = &sim.core.jobs[core_job_of_step(&sim.core, i)];
        if (job->what == CMD_UNDO && job->state == J_UP && job->rung == 0 && !job->killed)
            fail("the undo of step %u is not cut short", i);
    }
}

/* While it is undone, something is at work; not for longer than it may. */
void rules_undo_runs(void) {
    bool any = false;
    for (uint16_t i = 0; i < scene.model.n_steps; i++) {
        uint16_t slot = core_job_of_step(&sim.core, i);
        const struct proc *proc = &sim.procs[slot];
        any |= is_there(proc);
        if (is_there(proc) && proc->what == CMD_UNDO && !proc->zombie && !sim.core.jobs[slot].killed &&
            due(after(proc->born, most_of_undo(i)), sim.now))
            fail("the undo of step %u takes longer than it may", i);
    }
    if (!any)
        fail("all is undone, and it does not resume");
}
