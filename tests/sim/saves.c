/* saves.c: what must hold for checkpoints: restores before a start, saves by their row, by schedule and on demand. */
#include "sim.h"

static const struct policy *policy(void) { return &scene.model.policy; }
static const struct step_policy *step_of(uint16_t checkpoint) { return &scene.steps[scene.checkpoints[checkpoint].step]; }
static uint16_t first_unit(uint16_t service) { return scene.services[service].first_unit; }

/* Nothing that concerns the service is still to be restored. */
bool rules_restored(uint16_t service) {
    for (uint16_t i = 0; i < scene.model.n_checkpoints; i++) {
        uint16_t of = step_of(i)->for_service;
        if ((of == NONE || of == service) && scene.checkpoints[i].has_restore && sim.core.savers[i].restore != R_DONE)
            return false;
    }
    return true;
}

/* What was restored well, or never saved before, and has been ready: half of it would replace what is whole. */
static bool is_whole(uint16_t checkpoint) {
    uint16_t service = step_of(checkpoint)->for_service;
    if (scene.checkpoints[checkpoint].has_restore && (!sim.kept[checkpoint].restored || sim.core.savers[checkpoint].restore != R_DONE))
        return false;
    return service == NONE ? sim.core.started : sim.core.units[first_unit(service)].was_ready;
}

static bool is_up(uint16_t service) { return sim.core.units[first_unit(service)].state == U_UP; }

/* By its row. */
bool rules_worth_saving(uint16_t step) {
    const struct step_policy *it = &scene.steps[step];
    const struct walk *walk = &sim.core.walk;
    if (!is_whole(it->checkpoint))
        return false;
    if (it->phase != PH_SAVE)
        return true;
    return it->for_service == NONE ? walk->cause != BY_MAIN && walk->cause != BY_ALL_ENDED : is_up(it->for_service);
}

/* All that it is for has been stopped, or nothing of it. */
static void rules_side_of_stop(uint16_t step) {
    const struct step_policy *it = &scene.steps[step];
    for (uint16_t i = 0; i < scene.model.n_units; i++) {
        const struct row *row = &sim.core.walk.rows[row_of_unit[i]];
        if (it->phase == PH_SAVE ? row->state != S_PENDING : !row_ended(row))
            fail("step %u is saved on the wrong side of the stop of unit %u", step, i);
    }
}

/* ---- beside the plan ---- */

static bool by_schedule(uint16_t checkpoint) {
    span every = scene.checkpoints[checkpoint].every;
    span since = until(sim.kept[checkpoint].since, sim.now);
    if (is_forever(every) || is_never(sim.kept[checkpoint].since) || since.ns == 0)
        return false;
    return scene.latency.ns > 0 || since.ns % every.ns == 0;
}

static bool may_be_asked(uint16_t checkpoint) {
    const struct walk *walk = &sim.core.walk;
    uint16_t service = step_of(checkpoint)->for_service;
    return is_never(walk->clock) && walk->goal != GO_EXIT && !walk->undoing && scene.checkpoints[checkpoint].has_save &&
           is_whole(checkpoint) && (service == NONE || is_up(service));
}

/* The answer to who asks for one, or for all: one that begins is enough. */
uint16_t rules_answer_save(uint16_t which) {
    uint16_t answer = REPLY_BAD;
    for (uint16_t i = 0; i < scene.model.n_checkpoints; i++) {
        bool busy = sim.procs[core_job_of_step(&sim.core, scene.checkpoints[i].step)].state != P_NONE;
        uint16_t one = !may_be_asked(i) ? REPLY_REFUSED : busy ? REPLY_BUSY : REPLY_STARTED;
        if ((which == ASKED_ALL || which == i) && (answer == REPLY_BAD || one == REPLY_STARTED))
            answer = one;
    }
    return answer;
}

static void rules_unplanned_save(uint16_t checkpoint) {
    const struct walk *walk = &sim.core.walk;
    if (walk->goal == GO_EXIT || !is_never(walk->clock))
        fail("checkpoint %u is saved by schedule or on demand while a clock runs", checkpoint);
    if (walk->undoing)
        fail("checkpoint %u is saved while a drain is undone", checkpoint);
    if (sim.asked_save != checkpoint && sim.asked_save != ASKED_ALL && !by_schedule(checkpoint))
        fail("checkpoint %u is saved, and nobody has asked for it", checkpoint);
}

static uint8_t why_saved(uint16_t checkpoint) {
    if (sim.asked_save != checkpoint && sim.asked_save != ASKED_ALL)
        return WHY_SCHEDULE;
    return sim.asked_by_signal ? WHY_SIGNAL : WHY_REQUEST;
}

/* Before the stop of its service, or after it; and never what was not whole. */
void rules_save(const struct action *action) {
    const struct step_policy *it = &scene.steps[action->subject];
    const struct walk *walk = &sim.core.walk;
    bool by_row = it->phase != PH_N && walk->goal == GO_EXIT && walk->open && walk->stages[walk->stage].phase == it->phase;
    if (!is_whole(it->checkpoint))
        fail("step %u is saved, and what there is is not whole", action->subject);
    if (!scene.checkpoints[it->checkpoint].has_save)
        fail("step %u has nothing that saves", action->subject);
    if (it->for_service != NONE && !(by_row && it->phase == PH_SETTLE) && !is_up(it->for_service))
        fail("step %u is saved, and its service is not up", action->subject);
    sim.kept[it->checkpoint].saves++;
    sim.kept[it->checkpoint].why = by_row ? WHY_STOP : why_saved(it->checkpoint);
    if (by_row) {
        rules_step_command(action);
        rules_side_of_stop(action->subject);
    } else {
        rules_unplanned_save(it->checkpoint);
    }
}

/* ---- restores ---- */

void rules_restore(uint16_t step) {
    uint16_t service = scene.steps[step].for_service, checkpoint = scene.steps[step].checkpoint;
    for (uint16_t unit = 0; unit < scene.model.n_units; unit++)
        if ((service == NONE || scene.units[unit].service == service) && sim.procs[unit].state != P_NONE)
            fail("step %u is restored while unit %u runs", step, unit);
    if (sim.core.walk.goal != GO_RUN || !is_never(sim.core.walk.clock) || sim.core.walk.undoing)
        fail("step %u is restored while a drain or a clock runs", step);
    if (!sim.record_read)
        fail("step %u is restored before it is known how the last run ended", step);
    if (!scene.checkpoints[checkpoint].has_restore)
        fail("step %u has nothing that restores", step);
    if (sim.kept[checkpoint].restored && !scene.checkpoints[checkpoint].on_restart)
        fail("step %u is restored twice", step);
    if (sim.kept[checkpoint].fresh && !sim.by_hand)
        fail("step %u is restored again, and its service has not run", step);
    for (uint16_t i = 0; service != NONE && !sim.kept[checkpoint].restored && i < scene.services[service].n_after; i++)
        if (!service_ready(scene.services[service].after[i]))
            fail("step %u is restored before service %u is ready", step, scene.services[service].after[i]);
}

/* Its service starts: what is restored each time has been. */
void rules_restored_again(uint16_t service) {
    for (uint16_t i = 0; i < scene.model.n_checkpoints; i++) {
        if (step_of(i)->for_service != service || !scene.checkpoints[i].has_restore)
            continue;
        if (scene.checkpoints[i].on_restart && !sim.kept[i].fresh)
            fail("service %u is started again, and checkpoint %u is not restored", service, i);
        sim.kept[i].fresh = false;
    }
}

static void restore_ended(struct kept *kept, bool well) { kept->restored = kept->fresh = well; }

/* A process of a checkpoint has ended. */
void rules_checkpoint_told(uint16_t step, uint8_t what, int exit) {
    uint16_t checkpoint = scene.steps[step].checkpoint;
    sim.kept[checkpoint].exit = exit;
    if (what == CMD_RESTORE)
        restore_ended(&sim.kept[checkpoint], exit == 0 || scene.checkpoints[checkpoint].may_fail);
    else
        sim.kept[checkpoint].ended = sim.kept[checkpoint].saves, sim.cut_save |= exit != 0 && sim.core.walk.goal == GO_EXIT && scene.steps[step].phase == PH_N;
}

/* One that no row is for failed during the stop, or is cut off by the exit. */
bool rules_cut_save(void) {
    for (uint16_t i = 0; i < scene.model.n_checkpoints; i++) {
        const struct proc *proc = &sim.procs[core_job_of_step(&sim.core, scene.checkpoints[i].step)];
        sim.cut_save |= proc->state != P_NONE && proc->what == CMD_SAVE && step_of(i)->phase == PH_N;
    }
    return sim.cut_save;
}

/* ---- after each step ---- */

static void rules_schedule(uint16_t checkpoint, struct kept *kept) {
    span every = scene.checkpoints[checkpoint].every;
    instant next = sim.core.savers[checkpoint].next;
    if (is_never(kept->since) && is_whole(checkpoint))
        kept->since = sim.now;
    if (is_forever(every) || is_never(kept->since) || sim.core.walk.goal == GO_EXIT) {
        if (!is_never(next))
            fail("checkpoint %u has a next save, and no schedule", checkpoint);
    } else if (is_never(next) || until(sim.now, next).ns > every.ns || until(kept->since, next).ns % every.ns) {
        fail("checkpoint %u is not saved by its schedule", checkpoint);
    }
}

/* Somebody has asked, or its time has come: it is at work. */
static void rules_save_begun(uint16_t checkpoint, const struct kept *kept) {
    bool due_now = !is_never(kept->next) && due(kept->next, sim.now);
    bool asked = sim.asked_save == ASKED_ALL || sim.asked_save == checkpoint;
    if ((due_now || asked) && kept->could && may_be_asked(checkpoint) &&
        sim.procs[core_job_of_step(&sim.core, scene.checkpoints[checkpoint].step)].state == P_NONE)
        fail("checkpoint %u is to be saved, and is not", checkpoint);
}

/* What others are told of it. */
static void rules_saver(uint16_t checkpoint, const struct kept *kept) {
    const struct saver *saver = &sim.core.savers[checkpoint];
    if (saver->attempts != kept->saves || saver->ended != kept->ended || saver->exit != kept->exit)
        fail("checkpoint %u: %u saves, %u of them ended, the last with %d", checkpoint, saver->attempts, saver->ended, saver->exit);
    if (kept->saves > 0 && saver->why != kept->why)
        fail("checkpoint %u was saved for another reason than %u", checkpoint, saver->why);
}

static bool is_its_turn(uint16_t service) {
    if (sim.core.units[first_unit(service)].state != U_WAITING)
        return false;
    for (uint16_t i = 0; i < scene.services[service].n_after; i++)
        if (!service_ready(scene.services[service].after[i]))
            return false;
    return true;
}

/* A restore whose time has come has begun. A save that nobody stops has its timeout. */
static void rules_at_work(uint16_t checkpoint) {
    const struct walk *walk = &sim.core.walk;
    const struct step_policy *it = step_of(checkpoint);
    uint16_t slot = core_job_of_step(&sim.core, scene.checkpoints[checkpoint].step);
    const struct proc *proc = &sim.procs[slot];
    bool running = walk->goal == GO_RUN && !walk->undoing && !policy()->phases_only && sim.record_read;
    if (running && sim.core.savers[checkpoint].restore == R_WAITING && proc->state == P_NONE && (it->for_service == NONE || is_its_turn(it->for_service)))
        fail("checkpoint %u waits to be restored, and nothing keeps it", checkpoint);
    if (proc->state != P_NONE && proc->what == CMD_SAVE && sim.tries[scene.checkpoints[checkpoint].step].runs == 0 && !proc->zombie &&
        !sim.core.jobs[slot].killed && due(after(proc->born, it->timeout), sim.now))
        fail("checkpoint %u is saved for longer than its timeout", checkpoint);
}

/* A save beside the plan is told to end when its time is nearly up, or because a stop has begun; so is a restore. */
void rules_checkpoint_term(const struct proc *proc) {
    span most = scene.steps[proc->owner].timeout;
    if (sim.core.walk.goal == GO_EXIT)
        return;
    if (proc->what == CMD_RESTORE || is_forever(most) || until(sim.now, after(proc->born, most)).ns > shorter(MS(500), (span){most.ns / 5}).ns)
        fail("step %u gets TERM, and its time is not up", proc->owner);
}

/* The stop has begun: no restore goes on as if nothing were. The cause is kept where there is time for it. */
void rules_checkpoints_rest(void) {
    const struct proc *record = &sim.procs[core_job_of_record(&sim.core)];
    bool restores;
    for (uint16_t i = 0; i < scene.model.n_checkpoints; i++) {
        uint16_t slot = core_job_of_step(&sim.core, scene.checkpoints[i].step);
        restores = sim.procs[slot].state == P_UP && sim.procs[slot].what == CMD_RESTORE && !sim.procs[slot].told_end;
        if (restores && sim.core.jobs[slot].state == J_UP && sim.core.jobs[slot].rung == 0)
            fail("checkpoint %u is restored in a stop", i);
    }
    if (scene.model.n_checkpoints && sim.record_read && !policy()->phases_only && before(sim.now, end_of_steps()) &&
        (record->state == P_NONE || record->owner != RECORD_STOP) && !sim.exited)
        fail("the cause of the stop is not kept");
}

void rules_record(const struct action *action) {
    const struct walk *walk = &sim.core.walk;
    if (action->subject == RECORD_START && (sim.record_read || sim.now.ns != 0))
        fail("the last run's record is read twice");
    if (action->subject == RECORD_STOP && (walk->goal != GO_EXIT || sim.said[NOTE_STOP_BEGAN].n == 0))
        fail("the cause of a stop is kept, and none has begun");
    if (action->subject == RECORD_END && (walk->goal != GO_EXIT || !walk->open || walk->stages[walk->stage].phase != PH_FINISH))
        fail("the run's record is written before its end");
}

/* How the last run ended is read at the beginning, within ten seconds. */
static void rules_record_read(void) {
    const uint16_t slot = core_job_of_record(&sim.core);
    const struct proc *record = &sim.procs[slot];
    if (scene.model.n_checkpoints == 0 || sim.record_read || policy()->phases_only || sim.exited)
        return;
    if (record->state == P_NONE || record->what != CMD_RECORD || record->owner != RECORD_START)
        fail("the last run's record is not read");
    else if (due((instant){SEC(10).ns}, sim.now) && !record->zombie && !sim.core.jobs[slot].killed)
        fail("the last run's record is read for ever");
}

/* look: something that others see has changed. */
void rules_checkpoints(bool look) {
    if (look)
        rules_record_read();
    for (uint16_t i = 0; i < scene.model.n_checkpoints && !sim.exited; i++) {
        struct kept *kept = &sim.kept[i];
        rules_schedule(i, kept);
        rules_save_begun(i, kept);
        if (look) {
            rules_saver(i, kept);
            rules_at_work(i);
        }
        if (sim.core.savers[i].restore == R_FAILED && sim.core.walk.goal == GO_RUN && !sim.core.walk.undoing)
            fail("the restore of checkpoint %u has failed, and nothing follows", i);
        kept->could = may_be_asked(i);
        kept->next = sim.core.savers[i].next;
    }
}

void rules_checkpoints_begin(void) {
    for (uint16_t i = 0; i < scene.model.n_checkpoints; i++)
        sim.kept[i] = (struct kept){.since = NEVER, .next = NEVER, .exit = EXIT_UNKNOWN};
    sim.asked_save = ASKED_NONE;
    sim.record_read = sim.cut_save = false;
    sim.record_exit = EXIT_UNKNOWN;
}
