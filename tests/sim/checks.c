/* checks.c: what must hold for ready and live checks, counted from the answers that the world has given. */
#include "sim.h"

static const struct proc *proc_of(uint16_t check) { return &sim.procs[core_job_of_check(&sim.core, check)]; }
static bool is_exec(uint16_t check) { return scene.checks[check].kind == CHECK_EXEC; }

/* It begins to be asked: it is on, nothing else asks, and its time has come. */
void rules_check_asked(const struct action *action) {
    uint16_t check = action->subject;
    struct asked *it = &sim.checked[check];
    if (!sim.core.checks[check].on && !sim.core.jobs[action->job.job].killed)
        fail("check %u runs though it is off", check);
    if (it->gen == sim.core.checks[check].gen && before(sim.now, it->next))
        fail("check %u is asked too soon", check);
    it->asked_gen = sim.core.checks[check].gen;
    it->asked = sim.now;
}

/* An answer: so many in a row turn it. */
void rules_check_told(uint16_t check, const struct event *event) {
    const struct check_policy *policy = &scene.checks[check];
    struct asked *it = &sim.checked[check];
    bool pass = event->value == 0, unknown = event->kind == EV_SPAWN_FAILED && event->value == 125;
    it->told = true;
    if (it->asked_gen != it->gen || !sim.core.checks[check].on)
        return; /* the question was the run before's */
    it->next = unknown ? after(sim.now, policy->every) : later_of(after(it->asked, policy->every), sim.now);
    if (unknown)
        return;
    it->streak = pass == it->passing ? 0 : (uint16_t)(it->streak + 1);
    if (it->streak < (pass ? policy->successes : policy->failures))
        return;
    it->passing = pass;
    it->streak = 0;
}

/* The helper has told a turn. */
void rules_check_turned(const struct event *event) {
    if (event->subject < scene.model.n_checks && sim.core.checks[event->subject].gen == event->gen && sim.core.checks[event->subject].on)
        sim.checked[event->subject].passing = event->value != 0;
}

static void begins(uint16_t check) {
    struct asked *it = &sim.checked[check];
    it->gen = sim.core.checks[check].gen;
    it->passing = scene.checks[check].live;
    it->streak = 0;
    it->next = it->since = sim.now;
}

/* An exec check is asked when its time has come, and not for longer than its timeout. */
static void rules_exec(uint16_t check) {
    const struct core *core = &sim.core;
    const struct proc *proc = proc_of(check);
    const struct job *job = &core->jobs[core_job_of_check(core, check)];
    if (proc->state == P_NONE && core->checks[check].on && due(sim.checked[check].next, sim.now))
        fail("check %u is not asked", check);
    if (proc->state == P_NONE || proc->zombie || job->killed)
        return;
    if (!core->checks[check].on)
        fail("check %u is off, and is asked still", check);
    if (due(after(proc->born, scene.checks[check].timeout), sim.now))
        fail("check %u takes longer than its timeout", check);
}

/* On while there is something to ask. */
static void rules_on(uint16_t check) {
    const struct check_policy *policy = &scene.checks[check];
    uint8_t state = sim.core.units[policy->unit].state;
    bool on = sim.core.checks[check].on, stopping = sim.core.walk.goal == GO_EXIT;
    if (on && (state == U_WAITING || state == U_BACKOFF || state == U_DOWN || state == U_FAILED))
        fail("check %u is on, and unit %u is %s", check, policy->unit, unit_state_name(state));
    if (!on && state == U_UP && !(policy->live && stopping))
        fail("check %u is off, and unit %u is up", check, policy->unit);
    if (on && policy->live && (stopping || state == U_STARTING))
        fail("check %u is on too long, or too soon", check);
    if (on && !policy->live && sim.core.checks[check].passing && (state == U_STARTING || (state == U_UP && !sim.core.units[policy->unit].ready)))
        fail("check %u passes, and unit %u is not ready", check, policy->unit);
    if (!policy->live && !sim.core.checks[check].passing && sim.core.units[policy->unit].ready && scene.services[scene.units[policy->unit].service].type == TYPE_SERVICE)
        fail("check %u does not pass, and unit %u is ready", check, policy->unit);
}

/* A live check that has failed is not without effect. */
static void rules_lives_no_more(uint16_t check) {
    const struct check_policy *policy = &scene.checks[check];
    const struct walk *walk = &sim.core.walk;
    bool failed = policy->live && sim.core.checks[check].on && !sim.core.checks[check].passing;
    if (!failed || walk->goal != GO_RUN || walk->undoing || sim.core.units[policy->unit].state != U_UP)
        return;
    if (policy->then != THEN_FAIL)
        fail("unit %u lives no more, and nothing follows", policy->unit);
}

void rules_check(uint16_t check) {
    const struct check_policy *policy = &scene.checks[check];
    const struct check *c = &sim.core.checks[check];
    struct asked *it = &sim.checked[check];
    it->told = false;
    if (it->gen != c->gen)
        begins(check);
    if (c->on && policy->kind == CHECK_DELAY && due(after(it->since, policy->every), sim.now))
        it->passing = true;
    if (c->passing != (c->on && it->passing))
        fail("check %u passes: %u", check, c->passing);
    if (is_exec(check))
        rules_exec(check);
    rules_on(check);
    rules_lives_no_more(check);
}
