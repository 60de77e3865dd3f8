/* make.c: draws a model from a seed. Most are small; what conf would refuse is not drawn. */
#include "sim.h"

static span pick(const span *spans, uint32_t n) { return spans[roll(n)]; }
#define PICK(...) pick((const span[]){__VA_ARGS__}, sizeof((const span[]){__VA_ARGS__}) / sizeof(span))

static uint16_t how_many_services(void) {
    if (roll(20000) == 0)
        return (uint16_t)(100 + roll(100));
    if (roll(200) == 0)
        return (uint16_t)(9 + roll(22));
    return (uint16_t)(1 + (chance(60) ? roll(3) : roll(8)));
}

static struct nature draw_nature(bool easy) {
    struct nature n = {.good = 50, .polite = 40, .life = FOREVER, .slow = PICK(NO_TIME, NO_TIME, MS(1), MS(50), SEC(2))};
    if (easy)
        return n;
    n.hangs = chance(4) ? 60 : 0;
    n.fails = chance(6) ? 50 : 0;
    n.deaf = chance(25) ? 70 : 0;
    n.tails = chance(15) ? 60 : 0;
    n.strays = chance(12) ? 50 : 0;
    n.undying = !sim.mortal && chance(10) ? 60 : 0;
    n.life = chance(70) ? FOREVER : PICK(NO_TIME, MS(1), MS(100), SEC(1), SEC(10), SEC(30));
    return n;
}

static struct nature draw_command(bool easy) {
    struct nature n = draw_nature(easy);
    n.good = (uint8_t)(chance(70) ? 95 : 30);
    n.life = PICK(NO_TIME, MS(1), MS(50), MS(500), SEC(1), SEC(3), SEC(20));
    if (!easy && chance(8))
        n.life = FOREVER;
    return n;
}

static void draw_stop(struct service *it) {
    static const uint8_t signals[] = {K_TERM, K_TERM, K_QUIT, K_INT, 10};
    it->n_stop = (uint8_t)(1 + (chance(20) ? roll(MAX_ESCALATIONS) : 0));
    for (uint8_t i = 0; i < it->n_stop; i++)
        it->stop[i] = (struct escalation){signals[roll(5)], i == 0 ? NO_TIME : MS(i * (100 + roll(3000)))};
    if (it->n_stop > 1 && chance(20))
        it->stop[it->n_stop - 1].signal = K_KILL;
}

static void draw_service(uint16_t i, bool plain) {
    struct service *it = &sim.services[i];
    *it = (struct service){
        .name = "service", .type = chance(15) ? TYPE_ONESHOT : TYPE_SERVICE, .essential = chance(75),
        .kill_main = chance(20), .has_stop_command = chance(12), .has_reload_command = chance(10),
        .reload_signal = chance(50) ? 1 : 0, .after = sim.afters[i], .first_unit = sim.model.n_units, .n_units = 1,
        .stop_timeout = chance(60) ? FOREVER : PICK(MS(20), MS(500), SEC(1), SEC(5), SEC(40)),
        .guarantee = FOREVER, .ready_timeout = chance(75) ? FOREVER : PICK(MS(50), SEC(1), SEC(5)),
        .restart_min = PICK(MS(100), MS(1), SEC(1)), .restart_max = SEC(10),
        .restart_window = PICK(SEC(60), SEC(1)), .restart_limit = (uint16_t)roll(6), .success_codes = {1},
    };
    it->restart = (uint8_t)(it->type == TYPE_ONESHOT && chance(70) ? RESTART_NO : roll(4));
    draw_stop(it);
    if (chance(15))
        it->success_codes[0] |= 1u << 5;
    if (chance(5))
        it->success_signals = signal_bit(K_QUIT);
    for (uint16_t j = 0; j < i && it->n_after < MAX_AFTER; j++) {
        if (plain || roll(i + 1) > 1)
            continue;
        sim.afters[i][it->n_after++] = j;
        if (it->level <= sim.services[j].level)
            it->level = (uint16_t)(sim.services[j].level + 1);
    }
    if (chance(4))
        it->n_units = (uint16_t)(2 + roll(2));
    for (uint16_t u = 0; u < it->n_units; u++) {
        sim.unit_nature[sim.model.n_units] = draw_nature(chance(50));
        if (it->type == TYPE_ONESHOT)
            sim.unit_nature[sim.model.n_units].life = PICK(NO_TIME, MS(1), MS(300), SEC(2)),
            sim.unit_nature[sim.model.n_units].good = 85;
        sim.units[sim.model.n_units++] = (struct unit_policy){"unit", i, u, NONE, NONE};
    }
}

static void draw_check(uint16_t unit, bool live) {
    struct check_policy *it;
    uint16_t i = sim.model.n_checks;
    if (i == MOST_CHECKS_)
        return;
    sim.model.n_checks++;
    it = &sim.checks[i];
    *it = (struct check_policy){
        .kind = (uint8_t)roll(live ? CHECK_NOTIFY : CHECK_N), .live = live, .then = (uint8_t)roll(3), .unit = unit,
        .successes = (uint16_t)(1 + roll(2)), .failures = (uint16_t)(1 + roll(3)),
        .every = PICK(SEC(1), SEC(2), SEC(5)), .timeout = PICK(MS(100), SEC(1)), .target = "target",
    };
    *(live ? &sim.units[unit].live : &sim.units[unit].ready) = i;
}

static uint16_t any_service(void) { return (uint16_t)roll(sim.model.n_services); }

static void draw_step(uint8_t phase, uint16_t first) {
    static const uint8_t actions[] = {DO_COMMAND, DO_COMMAND, DO_COMMAND, DO_SIGNAL, DO_SLEEP, DO_WAIT_EXIT};
    uint16_t i = sim.model.n_steps++;
    struct step_policy *it = &sim.steps[i];
    *it = (struct step_policy){
        .name = "step", .phase = phase, .action = actions[roll(6)], .signal = (uint8_t)(chance(50) ? K_TERM : 10),
        .on_failure = chance(15) ? FAILURE_SKIP_REST : FAILURE_CONTINUE, .run_if = RUN_ALWAYS,
        .required = chance(15), .has_only_if = chance(15), .has_undo = chance(40),
        .stage = (uint16_t)(i == first ? 0 : sim.steps[i - 1].stage + chance(75)),
        .target = any_service(), .for_service = chance(15) ? any_service() : NONE, .run_if_step = NONE,
        .retries = (uint16_t)(chance(20) ? roll(4) : 0), .every = PICK(NO_TIME, MS(1), MS(200), SEC(1)),
        .sleep = PICK(NO_TIME, MS(100), SEC(1), SEC(60)),
        .timeout = chance(50) ? FOREVER : PICK(MS(20), MS(60), MS(500), SEC(1), SEC(5), SEC(60)),
        .guarantee = FOREVER,
    };
    if (i > 0 && chance(15)) {
        it->run_if_step = (uint16_t)roll(i);
        it->run_if = (uint8_t)(RUN_IF_DONE + roll(3));
    }
    sim.step_nature[i] = draw_command(chance(50));
}

static void draw_signals(void) {
    static const uint8_t stops[] = {K_TERM, K_INT, K_QUIT, 30, RTMIN_BASE + 3, 28};
    struct policy *policy = &sim.model.policy;
    for (int sig = 1; sig <= SIGNAL_MAX; sig++)
        policy->signals[sig] = (struct signal_rule){SIGNAL_FORWARD, (uint8_t)sig};
    for (unsigned i = 0; i < sizeof stops && !policy->single; i++)
        policy->signals[stops[i]].meaning = SIGNAL_STOP;
    if (!policy->single)
        policy->signals[40] = (struct signal_rule){SIGNAL_RELOAD, 0}, policy->signals[41] = (struct signal_rule){SIGNAL_HURRY, 0};
    if (policy->single && chance(20))
        policy->signals[K_TERM].to = K_QUIT;
}

static void draw_policy(void) {
    struct policy *policy = &sim.model.policy;
    *policy = (struct policy){
        .grace = PICK(SEC(1), SEC(5), SEC(10), SEC(10), SEC(30), MS(100), MS(1), MS(7)), .quiet = SEC(1), .keep_ready = chance(8),
        .parallel = chance(20), .sweep = chance(92), .pid1 = chance(50), .net = chance(30), .single = chance(8),
    };
    if (!policy->single && chance(3))
        policy->phases_only = true, policy->sweep = policy->net = false;
    policy->reserve = shorter(SEC(1), (span){policy->grace.ns / 10});
    if (chance(10))
        policy->reserve = (span){policy->grace.ns / 2};
    if (chance(25))
        policy->announce_min = shorter(PICK(MS(1), SEC(1), SEC(5)), minus(policy->grace, policy->reserve));
    policy->announce_max = policy->announce_min;
    if (policy->single && chance(60))
        policy->grace = FOREVER, policy->reserve = NO_TIME;
    if (policy->single && chance(20))
        policy->stop_signal = K_QUIT;
    draw_signals();
}

/* conf refuses written guarantees that do not fit: these always do. */
static void draw_guarantees(void) {
    const struct policy *policy = &sim.model.policy;
    span rest = minus(policy->grace, policy->reserve);
    uint32_t parts = sim.model.n_services + sim.model.n_steps + 1u;
    if (!chance(30) || is_forever(rest))
        return;
    for (uint16_t i = 0; i < sim.model.n_services; i++)
        if (chance(30))
            sim.services[i].guarantee = (span){rest.ns / parts};
    for (uint16_t i = 0; i < sim.model.n_steps; i++)
        if (chance(30))
            sim.steps[i].guarantee = (span){rest.ns / parts};
}

static void make_single(void) {
    struct service *it = &sim.services[0];
    sim.model.n_services = 1;
    draw_service(0, true);
    it->type = TYPE_SERVICE, it->restart = RESTART_NO, it->main = true, it->n_stop = 1;
    it->essential = true, it->has_stop_command = it->has_reload_command = false, it->ready_timeout = FOREVER;
    it->n_units = sim.model.n_units = 1;
    sim.model.main = 0;
    if (chance(10))
        draw_check(0, false);
}

static void make_services(void) {
    uint16_t n = how_many_services(), n_drains = (uint16_t)(chance(60) ? roll(5) : 0), main;
    bool plain = chance(25);
    for (uint16_t i = 0; i < n; i++) {
        sim.model.n_services = (uint16_t)(i + 1);
        draw_service(i, plain);
        if (sim.model.n_units > MOST_UNITS - 4)
            break;
    }
    main = (uint16_t)roll(n);
    if (chance(70) && main < sim.model.n_services && sim.services[main].type == TYPE_SERVICE) {
        sim.model.main = main;
        sim.services[main].main = true;
        if (chance(80))
            sim.services[main].restart = RESTART_NO;
    }
    for (uint16_t u = 0; u < sim.model.n_units; u++) {
        if (chance(25))
            draw_check(u, false);
        if (sim.services[sim.units[u].service].type == TYPE_SERVICE && chance(15))
            draw_check(u, true);
    }
    for (uint16_t i = 0; i < n_drains; i++)
        draw_step(PH_DRAIN, 0);
    for (uint32_t i = chance(30) ? 1 + roll(2) : 0; i > 0; i--)
        draw_step(PH_FINISH, n_drains);
}

void make_model(void) {
    sim.model = (struct model){
        .services = sim.services, .units = sim.units, .checks = sim.checks, .steps = sim.steps, .main = NONE,
    };
    sim.mortal = chance(80);
    sim.latency = chance(85) ? NO_TIME : PICK(MS(1), MS(5), MS(40));
    sim.deep = chance(12);
    sim.aux_nature = draw_command(chance(50));
    sim.check_nature = draw_command(chance(50));
    sim.net_nature = draw_nature(chance(50));
    sim.net_nature.undying = sim.net_nature.tails = sim.net_nature.hangs = 0;
    draw_policy();
    if (sim.model.policy.single)
        make_single();
    else
        make_services();
    draw_guarantees();
    sim.horizon = after((instant){0}, PICK(NO_TIME, MS(1), MS(100), SEC(1), SEC(3), SEC(10), SEC(20), SEC(60)));
}
