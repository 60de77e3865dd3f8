/* story.c: one run, from the start to the exit, and how it is told. */
#include "sim.h"

struct sim sim;
static uint64_t memory[1 << 17];
static struct action actions[1 << 14];

/* ---- events from outside ---- */

static struct event a_signal(void) {
    static const uint8_t often[] = {K_TERM, K_TERM, K_INT, K_INT, K_INT, K_QUIT, 1, 10, 28, 40, 41, 37};
    return (struct event){.kind = EV_SIGNAL, .value = chance(95) ? often[roll(12)] : (int32_t)(1 + roll(64)),
                          .flags = chance(80) ? SIG_FROM_OUTSIDE : SIG_FROM_KERNEL};
}

static struct event a_request(void) {
    struct event event = {.kind = EV_ASK, .verb = (uint8_t)(chance(60) ? roll(4) : roll(ASK_N)), .client = roll(9)};
    event.subject = (uint16_t)roll(sim.model.n_services + (chance(2) ? 2 : 0));
    event.value = event.verb == ASK_PRESTOP ? (int32_t)(chance(70) ? 0 : roll(40000)) : (int32_t)(1 + roll(64));
    return event;
}

/* A fact about a job that is not there any more. */
static struct event a_stale_fact(void) {
    static const uint8_t kinds[] = {EV_SPAWNED, EV_SPAWN_FAILED, EV_LEADER, EV_GONE, EV_STOPPED};
    uint16_t slot = (uint16_t)roll(core_jobs(&sim.model));
    return (struct event){.kind = kinds[roll(5)], .job = {slot, (uint16_t)(sim.core.jobs[slot].gen - 1)}};
}

void outside(void) {
    switch (roll(10)) {
    case 0: case 1: case 2: case 3: world_fact(a_signal()); break;
    case 4: case 5: case 6: case 7:
        world_fact(sim.model.policy.single && chance(90) ? a_signal() : a_request());
        break;
    case 8:
        world_fact((struct event){.kind = EV_EXTEND, .subject = (uint16_t)roll(sim.model.n_units), .more = about(SEC(20))});
        break;
    default:
        world_fact(chance(50) ? a_stale_fact() : (struct event){.kind = EV_LIFE, .client = roll(100)});
        break;
    }
}

/* ---- telling ---- */

static const char *const event_names[] = {
    "tick", "spawned", "spawn-failed", "leader", "gone", "stopped", "check", "signal", "orphan", "empty", "extend",
    "pulse", "life", "ask",
};
_Static_assert(sizeof event_names / sizeof *event_names == EV_N, "a name for every event");
static const char *const action_names[] = {
    "nothing", "publish", "spawn", "signal", "watch-tree", "kill", "forget", "sweep", "sweep-kill", "note", "exit",
};
_Static_assert(sizeof action_names / sizeof *action_names == A_N, "a name for every action");

void say_event(const struct event *event) {
    printf("%12.6f %s job %u.%u subject %u value %d verb %u gen %u more %lld\n", (double)sim.now.ns / 1e9,
           event_names[event->kind], event->job.job, event->job.gen, event->subject, event->value, event->verb,
           event->gen, (long long)span_ms(event->more));
}

void say_action(const struct action *action) {
    if (action->kind != A_NOTHING)
        printf("                 -> %s job %u.%u signal %u subject %u value %d extra %d\n", action_names[action->kind],
               action->job.job, action->job.gen, action->signal, action->subject, action->value, action->extra);
}

static double s(span it) { return is_forever(it) ? -1 : (double)it.ns / 1e9; }

void say_model(void) {
    const struct policy *p = &sim.model.policy;
    printf("seed %llu: grace %g reserve %g announce %g latency %g%s%s%s%s%s main %d\n", (unsigned long long)sim.seed,
           s(p->grace), s(p->reserve), s(p->announce_min), s(sim.latency), p->single ? " single" : "",
           p->keep_ready ? " keep" : "", p->parallel ? " parallel" : "", p->sweep ? "" : " no-sweep",
           p->net ? " net" : "", sim.model.main == NONE ? -1 : sim.model.main);
    for (uint16_t i = 0; i < sim.model.n_services; i++) {
        const struct service *it = &sim.services[i];
        printf("  service %u: type %u restart %u%s level %u units %u+%u stop-timeout %g guarantee %g ready-timeout %g%s\n", i,
               it->type, it->restart, it->essential ? " essential" : "", it->level, it->first_unit, it->n_units,
               s(it->stop_timeout), s(it->guarantee), s(it->ready_timeout), it->has_stop_command ? " stop-command" : "");
    }
    for (uint16_t i = 0; i < sim.model.n_checks; i++)
        printf("  check %u: unit %u kind %u %s then %u\n", i, sim.checks[i].unit, sim.checks[i].kind,
               sim.checks[i].live ? "live" : "ready", sim.checks[i].then);
    for (uint16_t i = 0; i < sim.model.n_steps; i++) {
        const struct step_policy *it = &sim.steps[i];
        printf("  step %u: phase %u action %u stage %u timeout %g guarantee %g retries %u every %g%s%s%s target %d for %d\n", i,
               it->phase, it->action, it->stage, s(it->timeout), s(it->guarantee), it->retries, s(it->every),
               it->required ? " required" : "", it->has_only_if ? " only-if" : "", it->has_undo ? " undo" : "",
               it->target, it->for_service == NONE ? -1 : it->for_service);
    }
    for (uint16_t i = 0; i < sim.core.walk.n_rows; i++)
        printf("  row %u: stage %u phase %s action %u subject %d promised %g\n", i, sim.core.walk.rows[i].stage,
               phase_name(sim.core.walk.rows[i].phase), sim.core.walk.rows[i].action,
               sim.core.walk.rows[i].subject == NONE ? -1 : sim.core.walk.rows[i].subject,
               s(sim.core.walk.rows[i].guarantee));
}

/* ---- one run ---- */

static void carry_out(void) {
    for (uint32_t i = 0; i < sim.out.n && !sim.failure; i++) {
        if (sim.trace)
            say_action(&sim.out.v[i]);
        rules_action(&sim.out.v[i], i);
        world_do(&sim.out.v[i]);
    }
}

/* What the core is told now. */
static void told(const struct event *event) {
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

static void step(const struct event *event) {
    if (event->kind == EV_EMPTY && sim.alive > 0)
        return; /* something was spawned by a fact of the same turn */
    sim.out.n = 0;
    told(event);
    if (sim.trace)
        say_event(event);
    core_step(&sim.core, event, sim.now, &sim.out);
    sim.n_events++;
    carry_out();
    rules_step(event);
}

static void begin(void) {
    make_model();
    if (core_bytes(&sim.model) > sizeof memory || core_actions_max(&sim.model) > sizeof actions / sizeof *actions)
        abort();
    memset(memory, 0, core_bytes(&sim.model));
    sim.out = (struct actions){.v = actions, .room = core_actions_max(&sim.model)};
    if (!core_layout(&sim.core, &sim.model, memory, core_bytes(&sim.model)))
        abort();
    world_begin();
    rules_begin();
    for (uint32_t n = roll(3) ? roll(4) : roll(12); n > 0; n--)
        world_item(about(minus(until((instant){0}, sim.horizon), NO_TIME)), I_OUTSIDE, 0, 0);
    if (sim.trace)
        say_model();
    core_start(&sim.core, sim.now, &sim.out);
    carry_out();
    rules_step(&(struct event){.kind = EV_TICK});
    if (sim.model.policy.phases_only)
        step(&(struct event){.kind = EV_ASK, .verb = ASK_PRESTOP, .value = chance(80) ? 0 : (int32_t)roll(20000)});
}

/* At the horizon a stop comes; a lone command that nothing ends is killed from outside a little later. */
static void last_call(void) {
    bool timed = !is_forever(sim.model.policy.grace);
    step(&(struct event){.kind = EV_SIGNAL, .value = K_TERM, .flags = SIG_FROM_OUTSIDE});
    if (sim.calls++ > 0 && !timed)
        world_end_main();
    sim.horizon = timed && sim.core.walk.goal == GO_EXIT ? NEVER : after(sim.now, SEC(3));
}

static void turn(void) {
    instant next = core_next(&sim.core), fact;
    if (world_next(&fact))
        next = earlier(next, fact);
    next = earlier(next, sim.horizon);
    if (is_never(next)) {
        rules_stuck();
        return;
    }
    sim.now = later_of(sim.now, sim.latency.ns && chance(30) ? after(next, about(sim.latency)) : next);
    world_turn();
    for (uint32_t i = 0; i < sim.n_facts && !sim.exited && !sim.failure; i++)
        step(&sim.facts[i]);
    if (!sim.exited && !sim.failure && due(core_next(&sim.core), sim.now))
        step(&(struct event){.kind = EV_TICK});
    if (!sim.exited && !sim.failure && due(sim.horizon, sim.now))
        last_call();
    if (!sim.failure && (!world_next(&fact) || before(sim.now, fact)))
        rules_turn();
}

/* Nothing is said after the exit. */
static void afterwards(void) {
    static const uint8_t kinds[] = {EV_TICK, EV_SIGNAL, EV_EMPTY};
    for (unsigned i = 0; i < sizeof kinds; i++) {
        struct event event = {.kind = kinds[i], .value = K_TERM};
        sim.out.n = 0;
        core_step(&sim.core, &event, after(sim.now, SEC(i)), &sim.out);
        for (uint32_t j = 0; j < sim.out.n; j++)
            if (sim.out.v[j].kind != A_NOTHING)
                fail("action %s after the exit", action_names[sim.out.v[j].kind]);
    }
}

bool story(uint64_t seed, bool trace) {
    sim.seed = seed;
    sim.dice = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    sim.trace = trace;
    sim.failure = NULL;
    sim.n_events = sim.calls = 0;
    begin();
    while (!sim.exited && !sim.failure) {
        turn();
        if (sim.n_events > 200000)
            fail("it does not end");
    }
    if (!sim.failure)
        afterwards();
    return sim.failure == NULL;
}
