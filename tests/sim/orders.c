/* orders.c: what must hold for each thing that the core wants done. */
#include "sim.h"

static const struct policy *policy(void) { return &scene.model.policy; }

bool service_ready(uint16_t service) {
    for (uint16_t u = 0; u < scene.services[service].n_units; u++)
        if (!sim.core.units[scene.services[service].first_unit + u].ready)
            return false;
    return true;
}

/* Nothing that concerns the service is still to be restored. */
bool rules_restored(uint16_t service) {
    for (uint16_t i = 0; i < scene.model.n_checkpoints; i++) {
        uint16_t of = scene.steps[scene.checkpoints[i].step].for_service;
        if ((of == NONE || of == service) && scene.checkpoints[i].has_restore && sim.core.savers[i].restore != R_DONE)
            return false;
    }
    return true;
}

static bool service_alive(uint16_t service) {
    for (uint16_t u = 0; u < scene.services[service].n_units; u++)
        if (sim.procs[scene.services[service].first_unit + u].state != P_NONE)
            return true;
    return false;
}

/* The first run waits until all that it comes after are ready. */
static void rules_first_start(uint16_t unit) {
    const struct service *service = &scene.services[scene.units[unit].service];
    for (uint16_t i = 0; i < service->n_after && sim.last_exit[unit] == EXIT_UNKNOWN && !sim.by_hand; i++)
        if (!service_ready(service->after[i]))
            fail("unit %u is started before service %u is ready", unit, service->after[i]);
}

/* A run after the first: somebody has asked for it, a live check has failed, or the policy says so. */
static void rules_restart(uint16_t unit) {
    const struct service *service = &scene.services[scene.units[unit].service];
    const struct unit *u = &sim.core.units[unit];
    int exit = sim.last_exit[unit];
    bool never = service->restart == RESTART_NO ||
                 (service->restart != RESTART_ALWAYS && is_success(service, exit)) ||
                 (service->restart == RESTART_ON_ABNORMAL && exit >= 0);
    if (exit == EXIT_UNKNOWN || sim.by_hand)
        return;
    if (never && scene.units[unit].live == NONE && is_forever(service->ready_timeout))
        fail("unit %u is started again against its policy", unit);
    if (!is_never(sim.gone[unit]) && before(sim.now, after(sim.gone[unit], service->restart_min)))
        fail("unit %u is started again too soon", unit);
    if (u->burst > service->restart_limit)
        fail("unit %u is started again too often", unit);
}

/* Before the stop of its service, or after it; and never what was not whole. */
static void rules_save(uint16_t step) {
    const struct step_policy *it = &scene.steps[step];
    const struct walk *walk = &sim.core.walk;
    bool by_row = it->phase != PH_N && walk->goal == GO_EXIT && walk->open && walk->stages[walk->stage].phase == it->phase;
    if (scene.checkpoints[it->checkpoint].has_restore && sim.core.savers[it->checkpoint].restore != R_DONE)
        fail("step %u is saved before it was restored", step);
    if (!by_row && (walk->goal == GO_EXIT || !is_never(walk->clock)))
        fail("step %u is saved by schedule or on demand while a clock runs", step);
    if (it->for_service != NONE && it->phase == PH_SAVE && sim.core.units[scene.services[it->for_service].first_unit].state != U_UP)
        fail("step %u is saved, and its service is not up", step);
}

static void rules_restore(uint16_t step) {
    uint16_t service = scene.steps[step].for_service;
    for (uint16_t unit = 0; unit < scene.model.n_units; unit++)
        if ((service == NONE ? scene.units[unit].service != NONE : scene.units[unit].service == service) && sim.procs[unit].state != P_NONE)
            fail("step %u is restored while unit %u runs", step, unit);
    if (sim.core.walk.goal != GO_RUN || !is_never(sim.core.walk.clock))
        fail("step %u is restored while a drain or a clock runs", step);
}

/* DESIGN 5 and 6: what must be so when a step's first command begins. */
static void rules_begin_step(const struct row *row, uint16_t number) {
    const struct step_policy *it = &scene.steps[row->subject];
    const struct walk *walk = &sim.core.walk;
    bool late_main = walk->cause == BY_MAIN || walk->cause == BY_ALL_ENDED;
    if (row_running(&sim.rows[number]) || sim.tries[row->subject].gates + sim.tries[row->subject].runs > 0)
        return; /* it has begun before */
    if (it->for_service != NONE && !policy()->phases_only && !service_alive(it->for_service))
        fail("step %u begins, and the service that it is for is gone", row->subject);
    if (row->phase < PH_STOP && walk->goal == GO_EXIT && late_main)
        fail("step %u begins, and main had ended before", row->subject);
    if (row->phase < PH_SAVE && sim.hurried)
        fail("step %u begins after a hurry", row->subject);
    for (uint16_t i = 0; i < number; i++) {
        const struct row *other = &walk->rows[i];
        bool bad = other->state == S_FAILED || other->state == S_TIMEOUT;
        if (other->subject == NONE || other->action == DO_STOP)
            continue;
        if (bad && other->phase == row->phase && !is_never(other->start) && scene.steps[other->subject].on_failure == FAILURE_SKIP_REST)
            fail("step %u begins, and step %u said to skip the rest", row->subject, other->subject);
        if (other->subject == it->run_if_step && (it->run_if == RUN_IF_DONE ? other->state != S_DONE :
                                                  it->run_if == RUN_IF_TIMEOUT ? other->state != S_TIMEOUT : !bad))
            fail("step %u begins against its run-if", row->subject);
    }
}

static void rules_step_command(const struct action *action) {
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
    if (until(sim.now, row->deadline).ns < MS(50).ns)
        fail("step %u begins with less than 50 ms", action->subject);
    rules_begin_step(row, number);
    if (action->value == CMD_ONLY_IF ? tries->gates++ > 0 : tries->runs++ > scene.steps[action->subject].retries)
        fail("step %u is tried too often", action->subject);
    if (action->value == CMD_STEP && scene.steps[action->subject].has_only_if && !tries->gate_passed)
        fail("step %u runs, and its only-if has not said so", action->subject);
}

static void rules_undo(uint16_t step) {
    const struct walk *walk = &sim.core.walk;
    if (walk->goal != GO_RUN)
        fail("step %u is undone in a drain", step);
    if (sim.undo_row != NONE && row_of_step[step] >= sim.undo_row)
        fail("undo of row %u comes after row %u", row_of_step[step], sim.undo_row);
    if (is_never(walk->rows[row_of_step[step]].start) || !scene.steps[step].has_undo)
        fail("step %u is undone, and has nothing to undo", step);
    sim.undo_row = row_of_step[step];
}

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
        rules_first_start(action->subject);
        rules_restart(action->subject);
        break;
    case CMD_STEP:
    case CMD_ONLY_IF: rules_step_command(action); break;
    case CMD_SAVE: rules_save(action->subject); break;
    case CMD_RESTORE: rules_restore(action->subject); break;
    case CMD_UNDO: rules_undo(action->subject); break;
    case CMD_CHECK:
        if (!sim.core.checks[action->subject].on && !sim.core.jobs[action->job.job].killed)
            fail("check %u runs though it is off", action->subject);
        break;
    case CMD_STOP: case CMD_RELOAD: case CMD_RECORD: case CMD_NET: case CMD_N: break;
    }
}

static void rules_target(const struct action *action, const char *what) {
    const struct proc *proc = &sim.procs[action->job.job];
    if (proc->state == P_NONE || proc->gen != action->job.gen)
        fail("%s for slot %u, where nothing of ours is", what, action->job.job);
}

/* What ended in a drain is started again at once. */
static void rules_resumed(void) {
    sim.resumed = true;
    for (uint16_t i = 0; i < scene.model.n_units; i++)
        sim.gone[i] = NEVER;
}

/* ---- signals ---- */

/* The stop of a unit begins: all that come after it have been stopped, and its replicas of a higher number too. */
static void rules_stop_order(uint16_t unit, uint32_t place) {
    const struct service *mine = &scene.services[scene.units[unit].service];
    const struct walk *walk = &sim.core.walk;
    for (uint32_t i = place + 1; i < sim.out.n; i++)
        if (sim.out.v[i].kind == A_NOTE && sim.out.v[i].value == NOTE_STOP_BEGAN)
            return;
    if (walk->goal != GO_EXIT || row_ended(&walk->rows[row_of_unit[unit]]))
        return;
    for (uint16_t other = 0; other < scene.model.n_units; other++) {
        const struct service *its = &scene.services[scene.units[other].service];
        const struct row *row = &walk->rows[row_of_unit[other]];
        if (its->level > mine->level && !policy()->parallel && !row_ended(row))
            fail("unit %u is stopped before unit %u", unit, other);
        if (its == mine && other > unit && row->state == S_PENDING)
            fail("replica %u is stopped before replica %u", unit, other);
    }
}

static bool is_at_work(const struct row *row) { return row->state == S_GATE || row->state == S_ACT; }
static bool runs_step(const struct proc *proc) { return proc->what == CMD_STEP || proc->what == CMD_ONLY_IF; }

static void rules_signal(const struct action *action, uint32_t place) {
    struct proc *proc = &sim.procs[action->job.job];
    const struct row *row = &sim.core.walk.rows[row_of_step[runs_step(proc) ? proc->owner : 0]];
    rules_target(action, "a signal");
    if (action->signal < 1 || action->signal > SIGNAL_MAX)
        fail("signal %u to slot %u", action->signal, action->job.job);
    if (action->value == TO_LEADER && proc->told_end)
        fail("a signal to the leader of slot %u, which has been reaped", action->job.job);
    if (runs_step(proc) && action->signal == K_TERM && is_at_work(row) && until(sim.now, row->deadline).ns > MS(500).ns)
        fail("step %u gets TERM long before its deadline", proc->owner);
    proc->sent |= sim.core.jobs[action->job.job].sent & signal_bit(action->signal);
    if (place + 1 < sim.out.n && action[1].kind == A_SIGNAL && action[1].signal == K_CONT)
        proc->sent |= signal_bit(action->signal);
}

static void rules_kill(const struct action *action) {
    struct proc *proc = &sim.procs[action->job.job];
    const struct job *job = &sim.core.jobs[action->job.job];
    bool in_time = scene.latency.ns == 0 && !sim.core.walk.no_time;
    rules_target(action, "KILL");
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
    if (sim.goal == GO_RUN || sim.resumed)
        memset(sim.tries, 0, sizeof sim.tries);
}

static void rules_drained(void) {
    const struct walk *walk = &sim.core.walk;
    for (uint16_t i = 0; i < walk->n_rows && walk->goal == GO_DRAIN; i++) /* it may lapse in the same step */
        if (walk->rows[i].phase <= PH_DRAIN && !row_ended(&walk->rows[i]))
            fail("it says that it is drained, and row %u has not ended", i);
}

static void rules_note(const struct action *action) {
    switch (action->value) {
    case NOTE_RESUMED: rules_resumed(); break;
    case NOTE_STOP_BEGAN: rules_round(); break;
    case NOTE_DRAINED: rules_drained(); break;
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
    if (proc->what == CMD_ONLY_IF && event->value == 0)
        sim.tries[proc->owner].gate_passed = true;
    if (proc->what != CMD_RUN)
        return;
    sim.last_exit[proc->owner] = event->value;
    sim.last_sent[proc->owner] = proc->sent;
}

/* What the core is told now. */
void rules_told(const struct event *event) {
    const struct proc *proc = &sim.procs[event->job.job];
    bool of_a_job = event->kind >= EV_SPAWNED && event->kind <= EV_STOPPED;
    if (event->kind == EV_ASK && event->verb >= ASK_START_UNIT && event->verb <= ASK_RESTART_UNIT)
        sim.by_hand = true;
    if (event->kind == EV_ASK && event->verb == ASK_HURRY)
        sim.hurried = true;
    if (event->kind == EV_SIGNAL && policy()->signals[event->value].meaning == SIGNAL_HURRY)
        sim.hurried = true;
    sim.stale = of_a_job && proc->gen != event->job.gen && before(sim.now, core_next(&sim.core));
    if ((event->kind == EV_LEADER || event->kind == EV_SPAWN_FAILED) && proc->gen == event->job.gen)
        rules_end_told(event);
}
