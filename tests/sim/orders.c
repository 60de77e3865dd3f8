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

static void rules_spawn(const struct action *action) {
    const struct proc *proc = &sim.procs[action->job.job];
    const struct walk *walk = &sim.core.walk;
    if (proc->state != P_NONE)
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
    case CMD_ONLY_IF:
        if (core_ready(&sim.core) && !policy()->keep_ready)
            fail("step %u begins while readiness is on", action->subject);
        if (walk->goal == GO_RUN || walk->rows[row_of_step[action->subject]].stage > walk->stage)
            fail("step %u begins before its stage", action->subject);
        if (sim.rows[row_of_step[action->subject]].stage < walk->stage && sim.goal == walk->goal && !row_ended(&walk->rows[row_of_step[action->subject]]))
            fail("step %u begins after a later stage has begun", action->subject);
        break;
    case CMD_SAVE: rules_save(action->subject); break;
    case CMD_RESTORE: rules_restore(action->subject); break;
    case CMD_UNDO:
        if (walk->goal != GO_RUN)
            fail("step %u is undone in a drain", action->subject);
        if (sim.undo_row != NONE && row_of_step[action->subject] >= sim.undo_row)
            fail("undo of row %u comes after row %u", row_of_step[action->subject], sim.undo_row);
        sim.undo_row = row_of_step[action->subject];
        break;
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

void rules_action(const struct action *action, uint32_t place) {
    const struct proc *proc = &sim.procs[action->job.job];
    switch ((enum action_kind)action->kind) {
    case A_SPAWN: rules_spawn(action); break;
    case A_SIGNAL:
        rules_target(action, "a signal");
        if (action->signal < 1 || action->signal > SIGNAL_MAX)
            fail("signal %u to slot %u", action->signal, action->job.job);
        if (action->value == TO_LEADER && proc->told_end)
            fail("a signal to the leader of slot %u, which has been reaped", action->job.job);
        sim.procs[action->job.job].sent |= sim.core.jobs[action->job.job].sent & signal_bit(action->signal);
        if (place + 1 < sim.out.n && action[1].kind == A_SIGNAL && action[1].signal == K_CONT)
            sim.procs[action->job.job].sent |= signal_bit(action->signal);
        break;
    case A_KILL:
        rules_target(action, "KILL");
        if (sim.core.jobs[action->job.job].state == J_ASKED) /* nothing of it has run: KILL may be its stop signal */
            sim.procs[action->job.job].sent |= sim.core.jobs[action->job.job].sent & signal_bit(K_KILL);
        if ((proc->what == CMD_STEP || proc->what == CMD_ONLY_IF) && proc->state == P_UP && !proc->zombie && !proc->sent &&
            sim.core.jobs[action->job.job].rung == 0 && sim.core.jobs[action->job.job].state == J_UP && scene.latency.ns == 0 && !sim.core.walk.no_time)
            fail("slot %u, a step's, gets KILL without TERM", action->job.job);
        break;
    case A_WATCH_TREE: rules_target(action, "a look at the tree"); break;
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
    case A_NOTE:
        if (action->value == NOTE_RESUMED)
            rules_resumed();
        break;
    case A_NOTHING: case A_N: break;
    }
}

/* What the core is told now. */
void rules_told(const struct event *event) {
    struct proc *proc = &sim.procs[event->job.job];
    if (event->kind == EV_ASK && event->verb >= ASK_START_UNIT && event->verb <= ASK_RESTART_UNIT)
        sim.by_hand = true;
    if ((event->kind != EV_LEADER && event->kind != EV_SPAWN_FAILED) || proc->gen != event->job.gen)
        return;
    proc->told_end = true;
    if (proc->what != CMD_RUN)
        return;
    sim.last_exit[proc->owner] = event->value;
    sim.last_sent[proc->owner] = proc->sent;
}
