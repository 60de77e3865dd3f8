/* core/checkpoint.c: what a checkpoint does beside its row of the plan: restores before a start, saves by
 * schedule or on demand, and the record of the run.
 *
 *   restore: WAITING --record read, service may start--> RUNS --exit 0--> DONE
 *                                                             --else----> DONE if it may fail, else FAILED: the stop
 *   a restart of its service leads from DONE back to WAITING if restore-on = restart
 *
 * All processes of a checkpoint have the slot of its step, so there is one at a time; a row that finds the
 * slot taken waits for it (step.c). Nothing is saved before the restore has ended well: what was saved
 * before must not be replaced by what was never whole.
 */
#include "core/parts.h"

enum { RECORD_READ_MS = 10000, LAST_WORD_MS = 500 };

static struct saver *saver_at(struct core *core, uint16_t checkpoint) { return &core->savers[checkpoint]; }

static const struct checkpoint_policy *policy_of(const struct core *core, uint16_t checkpoint) {
    return &core->model->checkpoints[checkpoint];
}

static const struct step_policy *step_of(const struct core *core, uint16_t checkpoint) {
    return &core->model->steps[policy_of(core, checkpoint)->step];
}

static uint16_t service_of_checkpoint(const struct core *core, uint16_t checkpoint) {
    return step_of(core, checkpoint)->for_service;
}

static uint16_t slot_of(const struct core *core, uint16_t checkpoint) {
    return core_job_of_step(core, policy_of(core, checkpoint)->step);
}

/* ---- restores ---- */

static bool concerns(const struct core *core, uint16_t checkpoint, uint16_t service) {
    uint16_t own = service_of_checkpoint(core, checkpoint);
    return own == NONE || own == service;
}

bool checkpoint_restored(const struct core *core, uint16_t service) {
    for (uint16_t i = 0; i < core->model->n_checkpoints; i++)
        if (concerns(core, i, service) && core->savers[i].restore != R_DONE)
            return false;
    return true;
}

static void restore(struct core *core, uint16_t checkpoint) {
    saver_at(core, checkpoint)->restore = R_RUNS;
    core->dirty = true;
    job_start(core, slot_of(core, checkpoint), CMD_RESTORE, policy_of(core, checkpoint)->step);
}

static bool may_restore(const struct core *core, uint16_t checkpoint) {
    uint16_t service = service_of_checkpoint(core, checkpoint);
    if (core->savers[checkpoint].restore != R_WAITING || job_live(core, slot_of(core, checkpoint)))
        return false;
    return service == NONE || unit_waits_for_restore(core, core->model->services[service].first_unit);
}

void checkpoints_restore(struct core *core) {
    if (!core->recorded)
        return;
    for (uint16_t i = 0; i < core->model->n_checkpoints; i++)
        if (may_restore(core, i))
            restore(core, i);
}

void checkpoint_again(struct core *core, uint16_t service) {
    for (uint16_t i = 0; i < core->model->n_checkpoints; i++) {
        bool wants = policy_of(core, i)->has_restore && policy_of(core, i)->on_restart;
        if (service_of_checkpoint(core, i) == service && wants && core->savers[i].restore == R_DONE)
            saver_at(core, i)->restore = R_WAITING;
    }
}

static void restore_ended(struct core *core, uint16_t checkpoint, int exit) {
    struct saver *saver = saver_at(core, checkpoint);
    bool fails = exit != 0 && (!policy_of(core, checkpoint)->may_fail || core->walk.goal == GO_EXIT);
    saver->restore = fails ? R_FAILED : R_DONE;
    saver->exit = (int16_t)exit;
    core->dirty = true;
    note(core, NOTE_RESTORED, checkpoint, exit);
    checkpoints_judge(core);
}

/* A restore that failed for good ends the container, once it may. */
void checkpoints_judge(struct core *core) {
    for (uint16_t i = 0; i < core->model->n_checkpoints && core->walk.goal == GO_RUN; i++)
        if (core->savers[i].restore == R_FAILED)
            walk_stop(core, BY_RESTORE, i);
}

/* ---- saves ---- */

/* Is there anything that is worth keeping? Of a service that was never ready, or is not what its last checkpoint
 * made it, there is not. */
static bool is_whole(const struct core *core, uint16_t checkpoint) {
    uint16_t service = service_of_checkpoint(core, checkpoint);
    if (core->savers[checkpoint].restore != R_DONE)
        return false;
    return service == NONE ? core->started : core->units[core->model->services[service].first_unit].was_ready;
}

/* One that has ended cannot tell its state, one that starts again does not have it yet. */
static bool is_up(const struct core *core, uint16_t service) {
    return core->units[core->model->services[service].first_unit].state == U_UP;
}

bool checkpoint_wanted(const struct core *core, uint16_t checkpoint, uint8_t phase) {
    uint16_t service = service_of_checkpoint(core, checkpoint);
    bool by_main = core->walk.cause == BY_MAIN || core->walk.cause == BY_ALL_ENDED;
    if (!is_whole(core, checkpoint))
        return false;
    if (phase != PH_SAVE)
        return true;
    return service == NONE ? !by_main : is_up(core, service);
}

static bool may_save(const struct core *core, uint16_t checkpoint) {
    uint16_t service = service_of_checkpoint(core, checkpoint);
    const struct walk *walk = &core->walk;
    return is_never(walk->clock) && !walk->undoing && policy_of(core, checkpoint)->has_save &&
           is_whole(core, checkpoint) && (service == NONE || is_up(core, service));
}

/* reply: an enum reply. */
static uint16_t save(struct core *core, uint16_t checkpoint, uint8_t why, uint32_t client) {
    uint16_t slot = slot_of(core, checkpoint), step = policy_of(core, checkpoint)->step;
    span most = core->model->steps[step].timeout;
    if (!may_save(core, checkpoint))
        return REPLY_REFUSED;
    if (job_live(core, slot))
        return REPLY_BUSY;
    checkpoint_begins(core, checkpoint, why, client);
    job_start(core, slot, CMD_SAVE, step);
    if (!is_forever(most))
        job_stop(core, slot, after(core->now, minus(most, shorter(MS(LAST_WORD_MS), (span){most.ns / 5}))),
                 after(core->now, most));
    return REPLY_STARTED;
}

void checkpoint_begins(struct core *core, uint16_t checkpoint, uint8_t why, uint32_t client) {
    struct saver *saver = saver_at(core, checkpoint);
    saver->why = why;
    saver->client = client;
    saver->attempts++;
    core->dirty = true;
}

static void save_ended(struct core *core, uint16_t checkpoint, int exit) {
    struct saver *saver = saver_at(core, checkpoint);
    saver->ended = saver->attempts;
    saver->exit = (int16_t)exit;
    core->dirty = true;
    if (saver->why == WHY_STOP)
        return; /* its row tells */
    core->cut_save |= exit != 0 && core->walk.goal == GO_EXIT && step_of(core, checkpoint)->phase == PH_N;
    note(core, NOTE_SAVED, checkpoint, exit);
}

void checkpoint_answer(struct core *core, uint16_t checkpoint, uint8_t what, int exit) {
    if (what == CMD_RESTORE)
        restore_ended(core, checkpoint, exit);
    else
        save_ended(core, checkpoint, exit);
    units_wake(core); /* its slot is free */
}

static void set_next(struct core *core, uint16_t checkpoint, instant next) {
    saver_at(core, checkpoint)->next = next;
    set_alarm(core, alarm_of_checkpoint(core, checkpoint), next);
}

/* Schedules count from when there is something to save; without one, the next is FOREVER away: NEVER. */
void checkpoints_schedule(struct core *core) {
    for (uint16_t i = 0; i < core->model->n_checkpoints && core->walk.goal != GO_EXIT; i++)
        if (is_never(core->savers[i].next) && is_whole(core, i))
            set_next(core, i, after(core->now, policy_of(core, i)->every));
}

/* Those that were missed (a machine that slept) are not made up for. */
void checkpoint_due(struct core *core, uint16_t checkpoint) {
    instant next = core->savers[checkpoint].next;
    span every = policy_of(core, checkpoint)->every;
    int64_t late = until(next, core->now).ns / every.ns;
    set_next(core, checkpoint, after(next, (span){(late + 1) * every.ns}));
    if (save(core, checkpoint, WHY_SCHEDULE, 0) == REPLY_BUSY)
        note(core, NOTE_SAVE_MISSED, checkpoint, 0);
}

uint16_t checkpoints_ask(struct core *core, uint16_t which, uint8_t why, uint32_t client) {
    uint16_t reply = REPLY_BAD;
    for (uint16_t i = 0; i < core->model->n_checkpoints; i++) {
        uint16_t one;
        if (which != NONE && which != i)
            continue;
        one = save(core, i, why, client);
        reply = reply == REPLY_BAD || one == REPLY_STARTED ? one : reply;
    }
    return reply;
}

/* A stop began. A restore is cut off; a save may end if it can: its row waits for it, and where it has none the
 * stop of the services does. */
void checkpoints_rest(struct core *core) {
    for (uint16_t i = 0; i < core->model->n_checkpoints; i++) {
        set_next(core, i, NEVER);
        if (core->savers[i].restore == R_RUNS)
            job_stop(core, slot_of(core, i), core->now, walk_end(core));
    }
}

static bool is_saving(const struct core *core, uint16_t checkpoint) {
    const struct job *job = &core->jobs[slot_of(core, checkpoint)];
    return job->state != J_NONE && job->what == CMD_SAVE && !job->killed;
}

/* What a stop has found at work ends before what it saves is stopped, in time that is promised to nobody. */
bool checkpoints_hold(struct core *core) {
    span spare = core->walk.no_time ? NO_TIME : walk_spare(core);
    instant end = after(core->now, spare);
    bool any = false;
    for (uint16_t i = 0; i < core->model->n_checkpoints; i++) {
        if (is_saving(core, i))
            job_stop(core, slot_of(core, i), ago(end, shorter(MS(LAST_WORD_MS), (span){spare.ns / 5})), end);
        if (!is_saving(core, i))
            continue; /* nor is who got KILL just now waited for */
        if (!core->walk.awaits_saves)
            note(core, NOTE_SAVE_AWAITED, i, (int32_t)span_ms(spare));
        any = true;
    }
    core->walk.awaits_saves = any;
    return any;
}

/* ---- the record of the run: read at the start before any restore, and written at the end ---- */

void checkpoints_start(struct core *core) {
    for (uint16_t i = 0; i < core->model->n_checkpoints; i++)
        *saver_at(core, i) = (struct saver){
            .restore = policy_of(core, i)->has_restore ? R_WAITING : R_DONE, .next = NEVER, .exit = EXIT_UNKNOWN,
        };
    if (core->model->n_checkpoints == 0 || core->model->policy.phases_only) {
        core->recorded = true;
        return;
    }
    record_begin(core, RECORD_START);
    job_stop(core, core_job_of_record(core), after(core->now, MS(RECORD_READ_MS)), after(core->now, MS(RECORD_READ_MS)));
}

void record_begin(struct core *core, uint16_t which) { job_start(core, core_job_of_record(core), CMD_RECORD, which); }

/* A stop that does not come to its end shall be known by its cause, where there is time to write it. */
void record_stop(struct core *core) {
    if (core->model->n_checkpoints && core->recorded && !core->model->policy.phases_only && before(core->now, walk_end(core)))
        record_begin(core, RECORD_STOP);
}

void record_ended(struct core *core, int exit) {
    if (core->recorded) {
        step_recorded(core, exit);
        return;
    }
    core->recorded = true;
    step_recorded(core, exit);
    units_wake(core);
}
