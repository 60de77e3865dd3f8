/* make.c: draws a model from a seed, and what its processes are like. Most are small; what conf would refuse is
 * not drawn. */
#include "sim.h"

/* How the processes of one owner behave. */
struct nature {
    uint8_t hangs;        /* percent that never reach exec */
    uint8_t fails;        /* percent whose spawn fails */
    uint8_t deaf;         /* percent that ignore what can be ignored */
    uint8_t tails;        /* percent whose group outlives the leader */
    uint8_t strays;       /* percent that leave processes nobody knows */
    uint8_t undying;      /* percent that even KILL does not end in time */
    uint8_t good;         /* percent of its own ends that are exit 0 */
    uint8_t polite;       /* percent that answer the stop signal with exit 0, the others die of it */
    uint8_t worst;        /* percent that die at the worst moment */
    span life, slow;      /* about how long it lives by itself (FOREVER), takes to obey */
};

static struct nature unit_nature[MOST_UNITS], step_nature[MOST_STEPS_], aux_nature, check_nature, net_nature;

/* percent of the owners that only do as they are told: of many, few others end the story soon */
#define EASY (sim.big ? 95u : 50u)

static span pick(const span *spans, uint32_t n) { return spans[roll(n)]; }
#define PICK(...) pick((const span[]){__VA_ARGS__}, sizeof((const span[]){__VA_ARGS__}) / sizeof(span))

static uint16_t how_many_services(void) {
    if (sim.big)
        return (uint16_t)(1 + (chance(50) ? roll(30) : roll(MOST_SERVICES)));
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
    n.undying = !scene.mortal && chance(10) ? 60 : 0;
    n.worst = chance(15) ? 50 : 0;
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
    struct service *it = &scene.services[i];
    *it = (struct service){
        .name = "service", .type = chance(15) ? TYPE_ONESHOT : TYPE_SERVICE, .essential = chance(75),
        .kill_main = chance(20), .has_stop_command = chance(12), .has_reload_command = chance(10),
        .reload_signal = chance(50) ? 1 : 0, .n_units = 1,
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
        scene.afters[i][it->n_after++] = j;
    }
    if (chance(4))
        it->n_units = (uint16_t)(2 + roll(2));
    for (uint16_t u = 0; u < it->n_units; u++) {
        unit_nature[scene.model.n_units] = draw_nature(chance(EASY));
        if (it->type == TYPE_ONESHOT)
            unit_nature[scene.model.n_units].life = PICK(NO_TIME, MS(1), MS(300), SEC(2)),
            unit_nature[scene.model.n_units].good = sim.big ? 99 : 85;
        scene.model.n_units++;
    }
}

static void draw_check(uint16_t unit, bool live) {
    struct check_policy *it;
    uint16_t i = scene.model.n_checks;
    if (i == MOST_CHECKS_)
        return;
    scene.model.n_checks++;
    it = &scene.checks[i];
    *it = (struct check_policy){
        .kind = (uint8_t)roll(live ? CHECK_NOTIFY : CHECK_N), .live = live, .then = (uint8_t)roll(3), .unit = unit,
        .successes = (uint16_t)(1 + roll(2)), .failures = (uint16_t)(1 + roll(3)),
        .every = PICK(SEC(1), SEC(2), SEC(5)), .timeout = PICK(MS(100), SEC(1)), .target = "target",
    };
}

static uint16_t any_service(void) { return (uint16_t)roll(scene.model.n_services); }

static void draw_step(uint8_t phase, uint16_t first) {
    static const uint8_t actions[] = {DO_COMMAND, DO_COMMAND, DO_COMMAND, DO_SIGNAL, DO_SLEEP, DO_WAIT_EXIT};
    uint16_t i = scene.model.n_steps++;
    struct step_policy *it = &scene.steps[i];
    *it = (struct step_policy){
        .name = "step", .phase = phase, .action = actions[roll(6)], .signal = (uint8_t)(chance(50) ? K_TERM : 10),
        .on_failure = chance(15) ? FAILURE_SKIP_REST : FAILURE_CONTINUE, .run_if = RUN_ALWAYS,
        .required = chance(15), .has_only_if = chance(15), .has_undo = chance(40),
        .stage = (uint16_t)(i == first ? 0 : scene.steps[i - 1].stage + chance(75)),
        .target = any_service(), .for_service = chance(15) ? any_service() : NONE, .run_if_step = NONE, .checkpoint = NONE,
        .retries = (uint16_t)(chance(20) ? roll(4) : 0), .every = PICK(NO_TIME, MS(1), MS(200), SEC(1)),
        .sleep = PICK(NO_TIME, MS(100), SEC(1), SEC(60)),
        .timeout = chance(50) ? FOREVER : PICK(MS(20), MS(60), MS(500), SEC(1), SEC(5), SEC(60)),
        .guarantee = FOREVER,
    };
    if (i > 0 && chance(15)) {
        it->run_if_step = (uint16_t)roll(i);
        it->run_if = (uint8_t)(RUN_IF_DONE + roll(3));
    }
    step_nature[i] = draw_command(chance(EASY));
}

static void draw_checkpoint(uint8_t phase) {
    uint16_t i = scene.model.n_steps++;
    struct step_policy *it = &scene.steps[i];
    bool first = i == 0 || scene.steps[i - 1].phase != phase, restores = chance(60);
    *it = (struct step_policy){
        .name = "step", .phase = phase, .action = DO_CHECKPOINT, .run_if_step = NONE, .has_undo = restores,
        .required = phase != PH_N && chance(15), .stage = first ? 0 : (uint16_t)(scene.steps[i - 1].stage + chance(40)),
        .for_service = chance(70) ? any_service() : NONE, .every = chance(40) ? PICK(MS(300), SEC(1), SEC(5)) : NO_TIME,
        .timeout = chance(30) ? FOREVER : PICK(MS(60), MS(500), SEC(1), SEC(5)), .guarantee = FOREVER,
    };
    if (restores && chance(30))
        it->signal |= KEEPS_MAY_FAIL;
    if (restores && it->for_service != NONE && scene.services[it->for_service].n_units == 1 && chance(30))
        it->signal |= KEEPS_ON_RESTART;
    if (phase == PH_N && restores && it->every.ns == 0 && chance(40))
        it->signal |= KEEPS_NOTHING;
    step_nature[i] = draw_command(chance(EASY));
    step_nature[i].good = chance(80) ? 99 : 40;
}

static void draw_policy(void) {
    struct policy *policy = &scene.model.policy;
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
    if (chance(8)) {
        policy->expect_codes[0] = 1u << 1 | 1u << 5;
        policy->expect_codes[143 / 64] = UINT64_C(1) << 143 % 64 | UINT64_C(1) << 137 % 64;
        policy->expect_codes[127 / 64] |= UINT64_C(1) << 127 % 64;
        policy->expect_failures = chance(50);
    }
    if (policy->single && chance(60))
        policy->grace = FOREVER, policy->reserve = NO_TIME;
    if (policy->single && chance(20))
        policy->stop_signal = K_QUIT;
    scene.rewrite = policy->single && chance(20) ? K_QUIT : 0;
}

/* conf refuses written guarantees that do not fit: these always do. */
static void draw_guarantees(void) {
    const struct policy *policy = &scene.model.policy;
    span rest = minus(policy->grace, policy->reserve);
    uint32_t parts = scene.model.n_services + scene.model.n_steps + 1u;
    if (!chance(30) || is_forever(rest))
        return;
    for (uint16_t i = 0; i < scene.model.n_services; i++)
        if (chance(30))
            scene.services[i].guarantee = (span){rest.ns / parts};
    for (uint16_t i = 0; i < scene.model.n_steps; i++)
        if (chance(30) && scene.steps[i].phase != PH_N)
            scene.steps[i].guarantee = (span){rest.ns / parts};
}

static void make_single(void) {
    struct service *it = &scene.services[0];
    scene.model.n_services = 1;
    draw_service(0, true);
    it->type = TYPE_SERVICE, it->restart = RESTART_NO, it->n_stop = 1;
    it->essential = true, it->has_stop_command = it->has_reload_command = false, it->ready_timeout = FOREVER;
    it->n_units = scene.model.n_units = 1;
    scene.model.main = 0;
    if (chance(10))
        draw_check(0, false);
}

static void make_services(void) {
    uint16_t n = how_many_services(), n_drains = (uint16_t)(chance(60) ? roll(5) : 0), main;
    bool plain = chance(25), keeps = chance(25);
    for (uint16_t i = 0; i < n; i++) {
        scene.model.n_services = (uint16_t)(i + 1);
        draw_service(i, plain);
        if (scene.model.n_units > MOST_UNITS - 4)
            break;
    }
    main = (uint16_t)roll(n);
    if (chance(70) && main < scene.model.n_services && scene.services[main].type == TYPE_SERVICE) {
        scene.model.main = main;
        if (chance(80))
            scene.services[main].restart = RESTART_NO;
    }
    scene_finish();
    for (uint16_t u = 0; u < scene.model.n_units; u++) {
        if (chance(25))
            draw_check(u, false);
        if (scene.services[scene.units[u].service].type == TYPE_SERVICE && chance(15))
            draw_check(u, true);
    }
    for (uint16_t i = 0; i < n_drains; i++)
        draw_step(PH_DRAIN, 0);
    if (keeps && chance(60))
        draw_checkpoint(PH_SAVE);
    if (keeps && chance(30))
        draw_checkpoint(PH_SETTLE);
    n_drains = scene.model.n_steps;
    for (uint32_t i = chance(30) ? 1 + roll(2) : 0; i > 0; i--)
        draw_step(PH_FINISH, n_drains);
    if (keeps && scene.model.n_steps < MOST_STEPS_ && chance(40))
        draw_checkpoint(PH_N);
}

static const struct nature *nature_of(uint8_t what, uint16_t owner) {
    switch ((enum command_kind)what) {
    case CMD_RUN: return &unit_nature[owner];
    case CMD_STEP: case CMD_ONLY_IF: case CMD_UNDO: case CMD_SAVE: case CMD_RESTORE: return &step_nature[owner];
    case CMD_CHECK: return &check_nature;
    case CMD_NET: return &net_nature;
    case CMD_STOP: case CMD_RELOAD: case CMD_RECORD: case CMD_N: break;
    }
    return &aux_nature;
}

static void draw_remains(struct fate *fate, const struct nature *nature) {
    uint8_t n = chance(nature->strays) ? (uint8_t)(1 + roll(3)) : 0;
    fate->tail = chance(nature->tails);
    fate->tail_deaf = fate->tail && chance(40);
    fate->tail_life = fate->tail && chance(40) ? about(SEC(3)) : FOREVER;
    for (uint8_t i = 0; i < n; i++)
        (*(chance(30) ? &fate->deaf_strays : &fate->strays))++;
    fate->stray_life = n > 0 && chance(50) ? about(SEC(3)) : FOREVER;
}

void draw_fate(struct fate *fate, uint8_t what, uint16_t owner) {
    static const int16_t bad[] = {1, 2, 5, 77, 127, 143, -6, -9, -11, -15};
    const struct nature *nature = nature_of(what, owner);
    *fate = (struct fate){
        .exec = chance(nature->hangs) ? FOREVER : chance(70) ? NO_TIME : about(MS(3)),
        .life = about(nature->life), .slow = about(nature->slow), .dies = chance(70) ? NO_TIME : MS(1),
        .exit = chance(nature->good) ? 0 : bad[roll(10)], .stops = FOREVER,
        .obeys = chance(nature->polite) ? OBEYS_WELL : chance(20) ? OBEYS_CODE : OBEYS_DYING,
        .fails = chance(nature->fails), .deaf = chance(nature->deaf), .undying = chance(nature->undying),
        .worst = chance(nature->worst) ? (uint8_t)(M_NOTICE + roll(M_N - M_NOTICE)) : M_ANY,
    };
    if (fate->fails)
        fate->exit = (int16_t)(125 + roll(3));
    draw_remains(fate, nature);
    if (what != CMD_NET)
        return;
    fate->pulse = about(MS(3));
    fate->stops = chance(10) ? about(SEC(5)) : FOREVER;
}

static void draw_natures(void) {
    aux_nature = draw_command(chance(EASY));
    check_nature = draw_command(chance(EASY));
    net_nature = draw_nature(chance(EASY));
    net_nature.undying = net_nature.tails = net_nature.hangs = 0;
    net_nature.life = chance(80) ? FOREVER : PICK(MS(1), SEC(1), SEC(10));
}

void make_model(void) {
    scene.model = (struct model){.main = NONE};
    scene.n_fates = scene.n_events = scene.n_turns = 0;
    scene.mortal = chance(80);
    scene.latency = chance(85) ? NO_TIME : PICK(MS(1), MS(5), MS(40));
    scene.sweep = chance(70) ? NO_TIME : MS(1);
    scene.strays = chance(5) ? 2 : 0;
    scene.late_ms = chance(80) ? 0 : (int32_t)roll(20000);
    scene.horizon = after((instant){0}, PICK(NO_TIME, MS(1), MS(100), SEC(1), SEC(3), SEC(10), SEC(20), SEC(60)));
    sim.deep = chance(8);
    draw_natures();
    draw_policy();
    if (scene.model.policy.single)
        make_single();
    else
        make_services();
    draw_guarantees();
    scene_finish();
}
