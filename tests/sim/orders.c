/* orders.c: what must hold for each thing that the core wants done. */
#include "sim.h"

static const struct policy *policy(void) { return &scene.model.policy; }

static void rules_spawn(const struct action *action) {
    const struct walk *walk = &sim.core.walk;
    if (sim.procs[action->job.job].state != P_NONE)
        fail("a spawn over a live job in slot %u", action->job.job);
    switch ((enum command_kind)action->value) {
    case CMD_RUN:
        if (walk->goal != GO_RUN || !is_never(walk->clock))
            fail("unit %u is started while a drain or a clock runs", action->subject);
        if (policy()->phases_only)
            fail("unit %u is another's", action->subject);
        if (!rules_restored(scene.units[action->subject].service))
            fail("unit %u is started before its restore has ended", action->subject);
        rules_restored_again(scene.units[action->subject].service);
        sim.put_down[action->subject] = sim.extended[action->subject] = false;
        rules_errand_run(action->subject);
        rules_unit_run(action->subject);
        rules_first_start(action->subject);
        rules_restart(action->subject);
        break;
    case CMD_STEP:
    case CMD_ONLY_IF: rules_step_command(action); break;
    case CMD_SAVE: rules_save(action); break;
    case CMD_RESTORE: rules_restore(action->subject); break;
    case CMD_UNDO: rules_undo(action->subject); break;
    case CMD_CHECK: rules_check_asked(action); break;
    case CMD_RECORD: rules_record(action); break;
    case CMD_STOP: case CMD_RELOAD: case CMD_NET: case CMD_N: break;
    }
}

/* What ended in a drain is started again at once. */
static void rules_resumed(void) {
    rules_all_undone();
    sim.resumed = true;
    for (uint16_t i = 0; i < scene.model.n_units; i++)
        sim.gone[i] = NEVER;
}

/* A new drain or stop: the steps of the plan begin anew. */
static void rules_round(void) {
    sim.forced &= sim.goal != GO_RUN && !sim.resumed;
    sim.noticed = true;
    for (uint16_t i = 0; i < scene.model.n_steps && (sim.goal == GO_RUN || sim.resumed); i++) {
        sim.tries[i] = (struct tries){.exit = EXIT_UNKNOWN, .ended = NEVER};
        sim.procs[core_job_of_step(&sim.core, i)].cut = true;
    }
}

static void rules_drained(void) {
    const struct walk *walk = &sim.core.walk;
    for (uint16_t i = 0; i < walk->n_rows && walk->goal == GO_DRAIN; i++) /* it may lapse in the same step */
        if (walk->rows[i].phase <= PH_DRAIN && !row_ended(&walk->rows[i]))
            fail("it says that it is drained, and row %u has not ended", i);
}

static void rules_note(const struct action *action) {
    struct said *said = &sim.said[action->value];
    if (action->value == NOTE_ROW)
        sim.told_state[action->subject] = (uint8_t)action->extra;
    sim.any_said = true;
    said->n++, said->subject = action->subject, said->extra = action->extra;
    switch (action->value) {
    case NOTE_RESUMED:
        sim.noticed = false;
        rules_resumed();
        break;
    case NOTE_STOP_BEGAN:
        rules_round();
        rules_errands_over();
        break;
    case NOTE_DRAINED: rules_drained(); break;
    case NOTE_NOT_READY: sim.put_down[action->subject] = true; break;
    case NOTE_UNHEALTHY:
        if (scene.checks[scene.units[action->subject].live].then == THEN_RESTART)
            sim.put_down[action->subject] = sim.again[action->subject].relive = true;
        break;
    case NOTE_HURRY: sim.hurried = true; break;
    }
}

void rules_action(const struct action *action, uint32_t place) {
    switch ((enum action_kind)action->kind) {
    case A_SPAWN: rules_spawn(action); break;
    case A_SIGNAL: rules_signal(action, place); break;
    case A_KILL: rules_kill(action); break;
    case A_WATCH_TREE:
        rules_target(action, "a look at the tree");
        rules_stop_order(action->job.job, place);
        break;
    case A_FORGET: rules_farewell(action); break;
    case A_PUBLISH:
        if (place != 0)
            fail("PUBLISH is not the first");
        break;
    case A_EXIT:
        if (place + 1 != sim.out.n || sim.exited)
            fail("EXIT is not the last");
        sim.exited = true;
        sim.exit_said = action->value;
        break;
    case A_SWEEP: case A_SWEEP_KILL:
        if (sim.core.walk.goal != GO_EXIT)
            fail("a sweep without a stop");
        break;
    case A_NOTE: rules_note(action); break;
    case A_NOTHING: case A_N: break;
    }
}

/* ---- facts ---- */

static void rules_end_told(const struct event *event) {
    struct proc *proc = &sim.procs[event->job.job];
    proc->told_end = true;
    proc->ended_at = sim.now;
    sim.ended = proc->what;
    if (proc->what == CMD_ONLY_IF && event->value == 0 && sim.tries[proc->owner].gates > 0)
        sim.tries[proc->owner].gate_passed = true;
    if ((proc->what == CMD_STEP || proc->what == CMD_SAVE) && sim.tries[proc->owner].runs > 0)
        sim.tries[proc->owner].exit = event->value, sim.tries[proc->owner].ended = sim.now;
    if (proc->what == CMD_SAVE || proc->what == CMD_RESTORE)
        rules_checkpoint_told(proc->owner, proc->what, event->value);
    if (proc->what == CMD_CHECK)
        rules_check_told(proc->owner, event);
    if (proc->what == CMD_RECORD)
        sim.record_read = true, sim.record_exit = event->value;
    if (proc->what != CMD_RUN)
        return;
    sim.never_ran = event->kind == EV_SPAWN_FAILED;
    sim.last_exit[proc->owner] = event->value;
    sim.last_sent[proc->owner] = proc->sent;
    sim.at_fault[proc->owner] = sim.put_down[proc->owner] && sim.core.walk.goal != GO_EXIT;
    rules_unit_told(proc->owner);
}

/* What the core is told now. */
void rules_told(const struct event *event) {
    const struct proc *proc = &sim.procs[event->job.job];
    bool of_a_job = event->kind >= EV_SPAWNED && event->kind <= EV_STOPPED;
    if (event->kind == EV_CHECK)
        rules_check_turned(event);
    if (event->kind == EV_ASK)
        sim.answer = rules_answer(event);
    if (event->kind == EV_ASK && event->verb >= ASK_START_UNIT && event->verb <= ASK_RESTART_UNIT) {
        rules_errand_told(event, sim.answer);
        sim.by_hand = true;
    }
    if (event->kind == EV_EXTEND && event->subject < scene.model.n_units)
        sim.extended[event->subject] = true, rules_unit_extend(event);
    if (event->kind == EV_ASK && event->verb == ASK_HURRY)
        sim.hurried = true;
    if (event->kind == EV_SIGNAL && policy()->signals[event->value].meaning == SIGNAL_HURRY)
        sim.hurried = true;
    if (sim.any_said)
        memset(sim.said, 0, sizeof sim.said);
    sim.any_said = false;
    sim.ended = CMD_N;
    sim.asked_save = ASKED_NONE;
    sim.asked_by_signal = event->kind == EV_SIGNAL;
    if (event->kind == EV_ASK && event->verb == ASK_CHECKPOINT)
        sim.asked_save = event->subject;
    if (event->kind == EV_SIGNAL && policy()->signals[event->value].meaning == SIGNAL_CHECKPOINT)
        sim.asked_save = ASKED_ALL;
    sim.stale = of_a_job && proc->gen != event->job.gen && before(sim.now, core_next(&sim.core));
    if ((event->kind == EV_LEADER || event->kind == EV_SPAWN_FAILED) && proc->gen == event->job.gen)
        rules_end_told(event);
}
