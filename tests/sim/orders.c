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

static void rules_target(const struct action *action, const char *what) {
    const struct proc *proc = &sim.procs[action->job.job];
    if (proc->state == P_NONE || proc->gen != action->job.gen)
        fail("%s for slot %u, where nothing of ours is", what, action->job.job);
}

/* What ended in a drain is started again at once. */
static void rules_resumed(void) {
    rules_all_undone();
    sim.resumed = true;
    for (uint16_t i = 0; i < scene.model.n_units; i++)
        sim.gone[i] = NEVER;
}

/* ---- signals ---- */

static bool runs_step(const struct proc *proc) {
    return proc->what == CMD_STEP || proc->what == CMD_ONLY_IF || (proc->what == CMD_SAVE && sim.tries[proc->owner].runs > 0);
}

static void rules_signal(const struct action *action, uint32_t place) {
    struct proc *proc = &sim.procs[action->job.job];
    rules_target(action, "a signal");
    if (action->signal < 1 || action->signal > SIGNAL_MAX)
        fail("signal %u to slot %u", action->signal, action->job.job);
    if (action->value == TO_LEADER && proc->told_end)
        fail("a signal to the leader of slot %u, which has been reaped", action->job.job);
    if (runs_step(proc) && action->signal == K_TERM)
        rules_step_term(proc);
    else if ((proc->what == CMD_SAVE || proc->what == CMD_RESTORE) && action->signal == K_TERM)
        rules_checkpoint_term(proc);
    proc->sent |= sim.core.jobs[action->job.job].sent & signal_bit(action->signal);
    if (place + 1 < sim.out.n && action[1].kind == A_SIGNAL && action[1].signal == K_CONT)
        proc->sent |= signal_bit(action->signal);
}

static void rules_kill(const struct action *action) {
    struct proc *proc = &sim.procs[action->job.job];
    const struct job *job = &sim.core.jobs[action->job.job];
    bool in_time = scene.latency.ns == 0 && !sim.core.walk.no_time;
    rules_target(action, "KILL");
    if (runs_step(proc))
        sim.tries[proc->owner].term = true;
    if (job->state == J_ASKED) /* nothing of it has run: KILL may be its stop signal */
        proc->sent |= job->sent & signal_bit(K_KILL);
    if (proc->state != P_UP || proc->zombie || job->state != J_UP || !in_time)
        return;
    if (runs_step(proc) && !proc->sent && job->rung == 0)
        fail("slot %u, a step's, gets KILL without TERM", action->job.job);
    if (proc->what == CMD_RUN && job->rung == 0 && sim.core.walk.rows[row_of_unit[proc->owner]].start.ns != sim.now.ns)
        fail("unit %u gets KILL without its stop signal", proc->owner);
}

/* A new drain or stop: the steps of the plan begin anew. */
static void rules_round(void) {
    for (uint16_t i = 0; i < scene.model.n_steps && (sim.goal == GO_RUN || sim.resumed); i++)
        sim.tries[i] = (struct tries){.exit = EXIT_UNKNOWN, .ended = NEVER};
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
    case NOTE_RESUMED: rules_resumed(); break;
    case NOTE_STOP_BEGAN:
        rules_round();
        rules_errands_over();
        break;
    case NOTE_DRAINED: rules_drained(); break;
    case NOTE_NOT_READY: sim.put_down[action->subject] = true; break;
    case NOTE_UNHEALTHY: sim.put_down[action->subject] |= scene.checks[scene.units[action->subject].live].then == THEN_RESTART; break;
    case NOTE_HURRY: sim.hurried = true; break;
    }
}

void rules_action(const struct action *action, uint32_t place) {
    const struct proc *proc = &sim.procs[action->job.job];
    switch ((enum action_kind)action->kind) {
    case A_SPAWN: rules_spawn(action); break;
    case A_SIGNAL: rules_signal(action, place); break;
    case A_KILL: rules_kill(action); break;
    case A_WATCH_TREE:
        rules_target(action, "a look at the tree");
        rules_stop_order(action->job.job, place);
        break;
    case A_FORGET:
        rules_target(action, "a farewell");
        if (!proc->zombie)
            fail("slot %u is forgotten while its leader lives", action->job.job);
        if (proc->what == CMD_RUN && proc->tail && !proc->fate.undying && !policy()->single)
            fail("slot %u is forgotten while its group lives", action->job.job);
        if (proc->what == CMD_RUN)
            sim.gone[proc->owner] = sim.now;
        break;
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
        sim.extended[event->subject] = true;
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
