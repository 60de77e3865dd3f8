/* keeps.c: what must hold of the checkpoint: what is told, what was done before, and what therefore must or must not
 * be done now. Whether there is something to keep is counted here, from how restores have ended, not asked of the core. */
#include "every.h"

static bool save_is_due, row_had_begun, row_was_told;

static uint16_t step(void) { return model.checkpoints[0].step; }
static uint16_t slot(void) { return core_job_of_step(&at.core, step()); }
static uint16_t kept(void) { return model.steps[step()].for_service; }
static bool in_core(void) { return at.core.jobs[slot()].state != J_NONE; }

static bool is_saving(void) {
    const struct body *body = &at.bodies[slot()];
    return body->life != GONE && body->what == CMD_SAVE && !body->killed;
}

static bool no_notice(void) {
    const struct walk *walk = &at.core.walk;
    return walk->goal != GO_EXIT && !walk->undoing && is_never(walk->clock);
}

static const struct row *row_of_save(void) {
    for (uint16_t i = 0; i < at.core.walk.n_rows; i++)
        if (at.core.walk.rows[i].action == DO_CHECKPOINT)
            return &at.core.walk.rows[i];
    return NULL;
}

void keeps_begin(void) { at.whole = at.fresh = !(what.has & RESTORE); }

/* A restore that fails is good enough for a start, if it may fail, but not for a stop that cuts it off. */
static void restored(int exit) {
    at.whole = at.fresh = exit == 0 || (what.has & MAY_FAIL && at.core.walk.goal != GO_EXIT);
}

void keeps_told(const struct event *event) {
    const struct row *row = row_of_save();
    bool ended = event->kind == EV_LEADER || event->kind == EV_SPAWN_FAILED;
    bool asked = event->kind == EV_ASK && event->verb == ASK_CHECKPOINT;
    row_had_begun = row && row->state != S_PENDING;
    row_was_told = false;
    save_is_due = (asked || due(at.core.savers[0].next, at.now)) && no_notice() && at.whole && !in_core() &&
                  at.core.units[kept()].state == U_UP;
    if (!ended || event->job.job != slot())
        return;
    if (at.bodies[slot()].what == CMD_RESTORE)
        restored(event->value);
    else if (event->value != 0 && at.core.walk.goal == GO_EXIT)
        at.cut |= !row, row_was_told = row && row->state == S_ACT && at.bodies[slot()].told;
}

static void spawn_restore(void) {
    if (at.bodies[kept()].life != GONE)
        wrong("a restore under a service that runs");
    if (at.core.walk.goal != GO_RUN || !no_notice())
        wrong("a restore while a drain, a stop or a resume is at work");
    if (!at.core.recorded)
        wrong("a restore before the record has been read");
    if (at.fresh && !(what.has & BY_HAND && what.has & EACH_START))
        wrong("a second restore before a start");
    at.whole = at.fresh = false;
}

static void spawn_save(void) {
    const struct row *row = row_of_save();
    bool by_row = row && row->state == S_ACT && at.core.walk.goal == GO_EXIT;
    if (!at.whole)
        wrong("a save of what was never restored");
    if (!by_row && !no_notice())
        wrong("a save that no stop takes, in a stop or a resume or while a clock runs");
    if ((!by_row || row->phase == PH_SAVE) && at.core.units[kept()].state != U_UP)
        wrong("a save, and its service is not up");
    for (uint16_t i = 0; i < model.n_units && by_row && row->phase == PH_SETTLE; i++)
        if (at.bodies[i].life != GONE && !at.bodies[i].killed)
            wrong("a save after the stop, and a service runs");
    save_is_due = false;
}

void keeps_spawn(const struct action *action) {
    if (action->value == CMD_RESTORE)
        spawn_restore();
    if (action->value == CMD_SAVE)
        spawn_save();
    if (action->value != CMD_RUN || action->subject != kept())
        return;
    if (!at.fresh)
        wrong("a service starts before it is restored");
    at.fresh = !(what.has & EACH_START);
}

void keeps_note(const struct action *action) {
    if (action->value != NOTE_SAVE_AWAITED)
        return;
    if (at.awaited)
        wrong("a save is said to be waited for again");
    at.awaited = true;
}

/* The first: it has just been left out, though there was something to keep, and time for it. What each start restores
 * is not worth keeping once its service is to start again. */
static void look_at_row(const struct row *row) {
    const struct job *job = &at.core.jobs[slot()];
    bool up = row->phase == PH_SETTLE ? !(what.has & EACH_START) && at.core.units[kept()].was_ready : at.core.units[kept()].state == U_UP;
    if (row->state == S_SKIPPED && !row_had_begun && at.whole && up && until(at.now, row->deadline).ns >= MS(50).ns)
        wrong("a stop takes no save of what could be kept");
    if (row_was_told && row->state != S_TIMEOUT)
        wrong("a save had no time left, and its row does not say so");
    if (row->state == S_PAUSE && !job->killed && !before(job->kill_at, row->deadline))
        wrong("the save before leaves no time for the stop's own");
}

static void look_at_waiting(void) {
    const struct service *service = &model.services[kept()];
    bool turn = at.core.units[kept()].state == U_WAITING && at.core.walk.goal == GO_RUN && !at.core.walk.undoing;
    for (uint16_t i = 0; i < service->n_after; i++)
        turn &= at.core.units[service->after[i]].ready;
    if (turn && (at.fresh || (at.core.recorded && !in_core())))
        wrong("a service waits for nothing, or for a restore that has failed");
}

/* A save has an end by its timeout; all have one before the grace is over when the services' stop is due. */
static void look_at_job(void) {
    const struct job *job = &at.core.jobs[slot()];
    const struct walk *walk = &at.core.walk;
    bool stops = walk->goal == GO_EXIT && (walk->stage == walk->n_stages || walk->stages[walk->stage].phase >= PH_STOP);
    instant end = stops ? after(walk->clock, model.policy.grace) : after(at.now, model.steps[step()].timeout);
    if (job->state == J_NONE || job->killed || (!stops && job->what == CMD_RESTORE))
        return;
    if (before(end, job->kill_at))
        wrong("a save or a restore may go on for ever");
}

void keeps_look(void) {
    const struct core *core = &at.core;
    const struct row *row = row_of_save();
    if (save_is_due)
        wrong("a save is due, and nothing begins");
    if (what.has & SCHEDULE && core->walk.goal != GO_EXIT && at.whole && core->units[kept()].was_ready &&
        before(after(at.now, SEC(2)), core->savers[0].next))
        wrong("the schedule has ended");
    if (row)
        look_at_row(row);
    look_at_waiting();
    look_at_job();
    if (core->walk.open && core->walk.goal == GO_EXIT && core->walk.stages[core->walk.stage].phase == PH_STOP && is_saving())
        wrong("the services are stopped, and a save is at work");
    if (core->walk.no_time && is_saving())
        wrong("no time is left, and a save is at work");
    if (core->exited && core->walk.cause == BY_RESTORE && core->exit_code == 0)
        wrong("a restore has failed, and the exit code does not say so");
    if (core->exited && at.cut && core_verdict(core) < VERDICT_DEGRADED)
        wrong("a save was cut off, and the verdict does not say so");
}
