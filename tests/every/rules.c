/* rules.c: what must hold after every move. */
#include "every.h"

const char *broken;

void wrong(const char *rule) {
    if (!broken)
        broken = rule;
}

static instant end_of_steps(void) { return after(at.core.walk.clock, minus(model.policy.grace, model.policy.reserve)); }

static void rules_spawn(const struct action *action) {
    const struct walk *walk = &at.core.walk;
    if (at.bodies[action->job.job].life != GONE)
        wrong("a job is started over a live one");
    if (action->value == CMD_RUN && (walk->goal != GO_RUN || walk->undoing || !is_never(walk->clock)))
        wrong("a service is started while a drain, a stop or a resume is at work");
    if (action->value == CMD_STEP && (walk->goal == GO_RUN || core_ready(&at.core)))
        wrong("a step begins, and it is ready");
    if (action->value == CMD_UNDO && (walk->goal != GO_RUN || !walk->undoing))
        wrong("an undo without a resume");
    if (action->value == CMD_RECORD && !before(at.now, end_of_steps()))
        wrong("something is recorded, and there is no time for it");
    if (model.n_checkpoints)
        keeps_spawn(action);
}

void rules_action(const struct action *action) {
    const struct body *body = &at.bodies[action->job.job];
    bool to_a_job = action->kind == A_SIGNAL || action->kind == A_KILL || action->kind == A_FORGET;
    if (action->kind == A_SPAWN)
        rules_spawn(action);
    if (action->kind == A_NOTE)
        keeps_note(action);
    if (action->kind == A_SIGNAL && action->value == TO_LEADER && body->life == LEFT)
        wrong("a signal to a leader that has been reaped");
    if ((action->kind == A_SIGNAL || action->kind == A_KILL) && body->life == GONE)
        wrong("a signal to nobody");
    if (to_a_job && body->life != GONE && body->gen != action->job.gen)
        wrong("an action on a process of another run");
    if ((action->kind == A_SWEEP || action->kind == A_SWEEP_KILL) && at.core.walk.goal != GO_EXIT)
        wrong("a sweep without a stop");
}

static span most_of(const struct row *row) {
    if (row->action == DO_ANNOUNCE)
        return model.policy.announce_min;
    if (row->action == DO_SWEEP)
        return SEC(2);
    if (row->action == DO_RECORD)
        return SEC(1);
    return row->action == DO_STOP ? model.services[row->subject].stop_timeout : model.steps[row->subject].timeout;
}

/* All that these systems promise fits, if the notice is not late; who was being stopped by hand gets no longer. */
static void look_at_running(const struct row *row) {
    const struct walk *walk = &at.core.walk;
    instant end = end_of_steps();
    bool by_hand = row->action == DO_STOP && what.has & BY_HAND;
    if (at.core.exited)
        wrong("it has exited, and a step still runs");
    if (due(row->deadline, at.now))
        wrong("a step runs beyond its deadline");
    if (before(end, row->deadline))
        wrong("a step may take longer than there is");
    if (row->start.ns == at.now.ns && !at.late && !walk->no_time && !by_hand &&
        until(at.now, row->deadline).ns < shorter(most_of(row), row->guarantee).ns)
        wrong("a step is given less than it was promised");
    for (uint16_t i = 0; i < walk->n_rows; i++)
        if (walk->rows[i].stage < row->stage && !row_ended(&walk->rows[i]))
            wrong("a step runs before the stages above have ended");
}

static void look_at_clock(const struct core *was) {
    const struct core *core = &at.core;
    if (was->walk.goal == GO_EXIT && (core->walk.goal != GO_EXIT || core->walk.clock.ns != was->walk.clock.ns))
        wrong("a stop that has begun was called off, or its clock was set anew");
    if (core->walk.goal != GO_EXIT || core->exited)
        return;
    if (is_never(core->walk.clock))
        wrong("a stop without a clock");
    if (due(after(core->walk.clock, model.policy.grace), at.now))
        wrong("the grace is over, and it has not exited");
    if (before(after(core->walk.clock, model.policy.grace), core_next(core)))
        wrong("nothing is armed before the grace is over");
}

/* A stop that begins when the end is near already leaves whom it has killed to be reaped by others. */
static bool too_late(const struct core *was) {
    const struct policy *policy = &model.policy;
    return was->walk.goal != GO_EXIT &&
           due(after(at.core.walk.clock, minus(policy->grace, (span){policy->reserve.ns / 10})), at.now);
}

static void look_at_exit(const struct core *was) {
    const struct core *core = &at.core;
    uint8_t verdict = core_verdict(core);
    bool killed = core->walk.forced, bad = core->cut_save;
    if (!is_never(core_next(core)))
        wrong("something is armed after the exit");
    if (anything_lives() && verdict != VERDICT_OVERRAN)
        wrong("it has exited, something of it lives, and nobody was told");
    if (anything_lives() && !(what.has & UNDYING) && !too_late(was))
        wrong("it has exited, and something of it lives");
    if (core->exit_code < 0 || core->exit_code > 255)
        wrong("its exit code is none");
    for (uint16_t i = 0; i < core->walk.n_rows; i++) {
        const struct row *row = &core->walk.rows[i];
        if (!row_ended(row))
            wrong("it has exited, and a step was neither done nor skipped");
        killed |= row->killed;
        bad |= row->action != DO_RECORD && (row->state == S_FAILED || row->state == S_TIMEOUT);
        if (row->action == DO_CHECKPOINT && row->state == S_TIMEOUT && what.has & REQUIRED &&
            core->walk.cause == BY_SIGNAL && core->exit_code != 124)
            wrong("a required save was cut off, and the exit code does not say so");
        if (row->killed && row->action == DO_STOP && core->walk.cause == BY_SIGNAL && core->exit_code != 124)
            wrong("a service had to be killed, and the exit code does not say so");
    }
    if (killed && verdict < VERDICT_FORCED)
        wrong("something was killed, and the verdict does not say so");
    if (bad ? verdict < VERDICT_DEGRADED : !killed && verdict != VERDICT_CLEAN && verdict != VERDICT_OVERRAN)
        wrong("the verdict does not say whether all went well");
}

static bool all_at_rest(void) {
    for (uint16_t i = 0; i < model.n_units; i++)
        if (at.core.units[i].state != U_UP && at.core.units[i].state != U_DOWN && at.core.units[i].state != U_FAILED)
            return false;
    for (uint16_t i = model.n_units; i < at.core.n_jobs; i++)
        if (at.core.jobs[i].state != J_NONE)
            return false;
    return at.core.walk.goal == GO_RUN;
}

void rules_look(const struct core *was) {
    const struct core *core = &at.core;
    if (actions.n >= actions.room)
        wrong("more actions than there is room for");
    if (!before(at.now, core_next(core)))
        wrong("the next instant is not in the future");
    if (core->walk.goal != GO_RUN && core_ready(core))
        wrong("it is ready while it drains or stops");
    if (all_at_rest() && !(what.has & SCHEDULE) && !is_never(core_next(core)))
        wrong("a timer, and nothing to do");
    look_at_clock(was);
    for (uint16_t i = 0; i < core->walk.n_rows; i++)
        if (row_running(&core->walk.rows[i]))
            look_at_running(&core->walk.rows[i]);
    if (model.n_checkpoints)
        keeps_look();
    if (core->exited)
        look_at_exit(was);
}
