/* story.c: one run, from the start to the exit, and how it is told. */
#include "sim.h"

struct sim sim;
static uint64_t memory[1 << 17];
static struct action actions[1 << 14];

/* ---- one run ---- */

/* Two runs with the same hash went the same way. */
static void hash(const struct action *action) {
    uint64_t parts[] = {(uint64_t)sim.now.ns, action->kind, action->signal, action->subject, action->job.job, action->job.gen,
                        (uint64_t)action->value, (uint64_t)action->extra};
    for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++)
        sim.hash = (sim.hash ^ parts[i]) * UINT64_C(0x9e3779b97f4a7c15), sim.hash ^= sim.hash >> 31;
}

static void carry_out(void) {
    for (uint32_t i = 0; i < sim.out.n && !sim.failure; i++) {
        if (sim.trace)
            say_action(&sim.out.v[i]);
        rules_action(&sim.out.v[i], i);
        world_do(&sim.out.v[i]);
        if (sim.source != DRAWN)
            hash(&sim.out.v[i]);
    }
}

static void step(const struct event *event) {
    if (event->kind == EV_EMPTY && sim.alive > 0)
        return; /* something was spawned by a fact of the same turn */
    sim.out.n = 0;
    rules_told(event);
    if (sim.trace)
        say_event(event);
    core_step(&sim.core, event, sim.now, &sim.out);
    sim.n_events++;
    carry_out();
    rules_step(event);
}

/* When something comes from outside is drawn at the beginning, what it is when it comes. */
static void outside_comes(void) {
    uint32_t n = sim.source == READ ? scene.n_events : roll(3) ? roll(4) : roll(12);
    for (uint32_t i = 0; i < n; i++)
        world_item(sim.source == READ ? until((instant){0}, scene.events[i].at) : about(until((instant){0}, scene.horizon)),
                   I_OUTSIDE, 0, i);
    for (uint32_t i = 0; sim.source == READ && i < scene.n_turns; i++)
        world_item(until((instant){0}, scene.turns[i].at), I_TURN, 0, 0);
}

static void begin(void) {
    if (core_bytes(&scene.model) > sizeof memory || core_actions_max(&scene.model) > sizeof actions / sizeof *actions)
        abort();
    memset(memory, 0, core_bytes(&scene.model));
    sim.out = (struct actions){.v = actions, .room = core_actions_max(&scene.model)};
    if (!core_layout(&sim.core, &scene.model, memory, core_bytes(&scene.model)))
        abort();
    world_begin();
    rules_begin();
    outside_comes();
    core_start(&sim.core, sim.now, &sim.out);
    carry_out();
    rules_step(&(struct event){.kind = EV_TICK});
    if (scene.model.policy.phases_only)
        step(&(struct event){.kind = EV_ASK, .verb = ASK_PRESTOP, .value = scene.late_ms});
}

/* At the horizon a stop comes; a lone command that nothing ends is killed from outside a little later. */
static void last_call(void) {
    bool timed = !is_forever(scene.model.policy.grace);
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
    sim.now = turn_begins(next);
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
                fail("action %u after the exit", sim.out.v[j].kind);
    }
}

bool story(uint64_t seed, uint8_t source) {
    sim.seed = seed;
    sim.source = source;
    sim.dice = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    sim.failure = NULL;
    sim.n_events = sim.calls = 0;
    sim.hash = 0;
    sim.too_large = false;
    sim.deep = true;
    if (source != READ)
        make_model();
    sim.horizon = scene.horizon;
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
