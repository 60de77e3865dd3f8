/* signals.c: who gets which signal, and when; who gets KILL. */
#include "sim.h"

static const struct policy *policy(void) { return &scene.model.policy; }
static bool on_time(void) { return scene.latency.ns == 0 && !sim.core.walk.no_time; }

void rules_target(const struct action *action, const char *what) {
    const struct proc *proc = &sim.procs[action->job.job];
    if (proc->state == P_NONE || proc->gen != action->job.gen)
        fail("%s for slot %u, where nothing of ours is", what, action->job.job);
}

static bool runs_step(const struct proc *proc) {
    return proc->what == CMD_STEP || proc->what == CMD_ONLY_IF || (proc->what == CMD_SAVE && sim.tries[proc->owner].runs > 0);
}

/* A stop signal, and no other, is followed by CONT; with a lone command those that were held back come between. */
static bool is_stop_signal(const struct action *action, uint32_t place) {
    if (action->signal == K_CONT)
        return false;
    for (uint32_t i = place + 1; i < sim.out.n; i++) {
        const struct action *it = &sim.out.v[i];
        if (it->kind != A_SIGNAL || it->job.job != action->job.job)
            return false;
        if (it->signal == K_CONT)
            return true;
        if (!policy()->single)
            return false;
    }
    return false;
}

/* Is the next row that is said to be done one that sends it? */
static bool is_done_next(uint16_t step, uint32_t place) {
    for (uint32_t i = place + 1; i < sim.out.n; i++)
        if (sim.out.v[i].kind == A_NOTE && sim.out.v[i].value == NOTE_ROW)
            return sim.out.v[i].subject == row_of_step[step] && sim.out.v[i].extra == S_DONE;
    return false;
}

/* By a step whose action it is: an end by it is no failure. */
static bool is_of_a_step(uint16_t unit, uint8_t signal, uint32_t place) {
    for (uint16_t i = 0; i < scene.model.n_steps; i++) {
        const struct step_policy *it = &scene.steps[i];
        if (it->action == DO_SIGNAL && it->signal == signal && it->target == scene.units[unit].service && is_done_next(i, place))
            return true;
    }
    return false;
}

/* ---- services ---- */

/* What its leader leaves behind gets TERM once; the group does not get it again. */
static void rules_leftovers(const struct action *action, struct proc *proc) {
    uint8_t whom = proc->rungs > 0 && !scene.services[scene.units[proc->owner].service].kill_main ? TO_STRAYS : TO_TREE;
    if (action->signal != K_TERM || action->value != whom || proc->tail_told)
        fail("what unit %u leaves behind gets signal %u", proc->owner, action->signal);
    proc->tail_told = true;
}

/* A stop-command comes first, and has all the time but the last bit of it. */
static void rules_after_stop_command(const struct proc *proc) {
    const struct proc *aux = &sim.procs[core_job_of_aux(&sim.core, proc->owner)];
    const struct row *row = &sim.core.walk.rows[row_of_unit[proc->owner]];
    if (aux->state == P_NONE || aux->what != CMD_STOP || aux->told_end || !on_time() || row->state != S_ACT || sim.extended[proc->owner])
        return;
    if (!before(proc->born, aux->born))
        return; /* it is of the run before */
    if (until(sim.now, sim.core.jobs[proc->owner].kill_at).ns > MS(500).ns)
        fail("unit %u is told to stop beside its stop-command", proc->owner);
}

/* The ladder: each in its turn, and not too soon. */
static void rules_rung(const struct action *action, struct proc *proc) {
    const struct service *service = &scene.services[scene.units[proc->owner].service];
    const struct escalation *rung = &service->stop[proc->rungs];
    if (proc->rungs == 0)
        proc->first = sim.now;
    if (action->value != (service->kill_main ? TO_LEADER : TO_GROUP))
        fail("the stop signal of unit %u goes to whom %d", proc->owner, action->value);
    if (proc->rungs == 0)
        rules_after_stop_command(proc);
    if (!policy()->single && (proc->rungs >= service->n_stop || rung->signal != action->signal))
        fail("stop signal %u of unit %u is %u", proc->rungs, proc->owner, action->signal);
    else if (!policy()->single && before(sim.now, after(proc->first, rung->after)))
        fail("unit %u gets stop signal %u too soon", proc->owner, proc->rungs);
    proc->rungs++;
}

/* Its next stop signal is due. */
void rules_ladder(uint16_t unit) {
    const struct proc *proc = &sim.procs[unit];
    const struct service *service = &scene.services[scene.units[unit].service];
    if (proc->state != P_UP || proc->told_end || proc->rungs == 0 || proc->rungs >= service->n_stop || sim.core.jobs[unit].killed)
        return;
    if (due(after(proc->first, service->stop[proc->rungs].after), sim.now))
        fail("unit %u does not get stop signal %u", unit, proc->rungs);
}

/* ---- all ---- */

static void rules_command_signal(const struct action *action, const struct proc *proc) {
    bool term = action->signal == K_TERM;
    if ((!term && action->signal != K_CONT) || action->value != (proc->what == CMD_NET ? TO_LEADER : TO_GROUP))
        fail("slot %u, a command's, gets signal %u", action->job.job, action->signal);
    if (term && runs_step(proc))
        rules_step_term(proc);
    else if (term && (proc->what == CMD_SAVE || proc->what == CMD_RESTORE))
        rules_checkpoint_term(proc);
    else if (term && proc->what == CMD_UNDO)
        rules_undo_term(proc);
}

void rules_signal(const struct action *action, uint32_t place) {
    struct proc *proc = &sim.procs[action->job.job];
    bool stops = is_stop_signal(action, place);
    rules_target(action, "a signal");
    if (action->signal < 1 || action->signal > SIGNAL_MAX)
        fail("signal %u to slot %u", action->signal, action->job.job);
    if (action->value == TO_LEADER && proc->told_end)
        fail("a signal to the leader of slot %u, which has been reaped", action->job.job);
    if (proc->what != CMD_RUN)
        rules_command_signal(action, proc);
    else if (stops && proc->told_end)
        rules_leftovers(action, proc);
    else if (stops && !policy()->single)
        rules_rung(action, proc);
    else if (stops)
        proc->rungs++;
    if (stops || (proc->what == CMD_RUN && is_of_a_step(proc->owner, action->signal, place)))
        proc->sent |= signal_bit(action->signal);
}

/* Nothing is killed because something else failed. */
static void rules_kill_unit(const struct proc *proc, const struct job *job) {
    const struct row *row = &sim.core.walk.rows[row_of_unit[proc->owner]];
    if (job->rung == 0 && row->start.ns != sim.now.ns)
        fail("unit %u gets KILL without its stop signal", proc->owner);
    if (sim.core.walk.goal == GO_EXIT && sim.goal == GO_EXIT && !sim.was_stopping[proc->owner] && !(row->state == S_TIMEOUT && row->end.ns == sim.now.ns))
        fail("unit %u gets KILL, and its time is not up", proc->owner);
}

/* Of a stop, as the report sees it. */
static bool is_part(const struct proc *proc) {
    return proc->what != CMD_NET && proc->what != CMD_CHECK && proc->what != CMD_RECORD;
}

void rules_kill(const struct action *action) {
    struct proc *proc = &sim.procs[action->job.job];
    const struct job *job = &sim.core.jobs[action->job.job];
    rules_target(action, "KILL");
    sim.forced |= sim.noticed && is_part(proc) && !(proc->what == CMD_RUN && job->state == J_ASKED);
    if (is_never(proc->killed_at))
        proc->killed_at = sim.now;
    if (runs_step(proc))
        sim.tries[proc->owner].term = true;
    if (job->state == J_ASKED) /* nothing of it has run: KILL is its stop signal */
        proc->sent |= signal_bit(K_KILL);
    if (proc->state != P_UP || proc->zombie || job->state != J_UP || !on_time())
        return;
    if (runs_step(proc) && !proc->sent && job->rung == 0)
        fail("slot %u, a step's, gets KILL without TERM", action->job.job);
    if (proc->what == CMD_RUN)
        rules_kill_unit(proc, job);
}

/* Nothing of it is left, or KILL has not ended it for so long that the sweep shall. */
void rules_farewell(const struct action *action) {
    const struct proc *proc = &sim.procs[action->job.job];
    rules_target(action, "a farewell");
    if (!proc->zombie)
        fail("slot %u is forgotten while its leader lives", action->job.job);
    if (proc->what != CMD_RUN)
        return;
    if (proc->tail && !policy()->single && (is_never(proc->killed_at) || before(sim.now, after(later_of(proc->killed_at, proc->ended_at), SEC(2)))))
        fail("slot %u is forgotten while its group lives", action->job.job);
    sim.gone[proc->owner] = sim.now;
}
