/* every: all that can happen to a small system, not by chance but all of it.
 *
 *   every [-e EVENTS] [-m SYSTEM] [-b BITS]      BITS: the table of states holds 2^BITS of them
 *
 * Two services, two drains and one finish. At each state everything is tried that may come next: a program's
 * exec succeeds or fails, a program ends well, badly or of its stop signal, what a leader has left goes, time
 * passes until the core wants to know, and, so many times at most, an event comes from outside. Only KILL is
 * certain: who got it is gone before anything else happens. The code under test computes each next state; two
 * states are the same if they differ in nothing but the date. After each step the rules below must hold. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/core.h"

enum { K_INT = 2, K_KILL = 9, K_TERM = 15 };
enum { SLOTS = 32, MOST_DEPTH = 20000 };
enum { GONE, ASKED, UP, LEFT };

struct body { uint8_t life, killed, told; uint16_t gen, what; };
struct state {
    struct core core;
    char memory[4096];
    struct body bodies[SLOTS];
    uint8_t events, sweeping, empty_told;
};

static struct model model;
static struct service services[2];
static uint16_t after_first[] = {0};
static struct unit_policy units[2];
static struct step_policy steps[3];
static struct state at;              /* where the code under test works: its pointers point in here */
static struct state *path;           /* the way to here */
static uint64_t *table;
static uint64_t n_states, n_moves, n_ends;
static struct actions actions;
static struct action action_room[512];
static unsigned depth, deepest;
static int most_events = 1, bits = 22, only = -1;
static char told[MOST_DEPTH][24];

/* ---- the systems ---- */

static void make_services(bool chained, bool main, bool restarts) {
    for (uint16_t i = 0; i < 2; i++) {
        services[i] = (struct service){
            .name = i ? "b" : "a", .restart = restarts && i ? RESTART_ON_FAILURE : RESTART_NO, .essential = i == 0, .n_stop = 1,
            .stop[0].signal = K_TERM, .after = after_first, .n_after = chained && i == 1, .level = chained && i == 1,
            .first_unit = i, .n_units = 1, .stop_timeout = i ? SEC(2) : FOREVER, .guarantee = FOREVER, .ready_timeout = FOREVER,
            .restart_min = SEC(1), .restart_max = SEC(1), .restart_window = SEC(60), .restart_limit = 1, .success_codes[0] = 1,
            .main = main && i == 0,
        };
        units[i] = (struct unit_policy){.name = services[i].name, .service = i, .ready = NONE, .live = NONE};
    }
}

static void make_steps(bool undo) {
    for (uint16_t i = 0; i < 3; i++)
        steps[i] = (struct step_policy){
            .name = i == 2 ? "f" : i ? "y" : "x", .phase = i == 2 ? PH_FINISH : PH_DRAIN, .action = DO_COMMAND, .has_undo = undo && i == 0,
            .stage = i == 1, .target = NONE, .for_service = i == 1 ? 1 : NONE, .run_if_step = NONE, .sleep = NO_TIME, .every = NO_TIME,
            .on_failure = i == 0 ? FAILURE_SKIP_REST : FAILURE_CONTINUE, .timeout = i == 0 ? SEC(1) : FOREVER, .guarantee = FOREVER,
        };
}

static void make_system(unsigned which) {
    make_services(which & 1, which & 2, which & 8);
    make_steps(which & 4);
    model = (struct model){
        .services = services, .units = units, .steps = steps, .n_services = 2, .n_units = 2, .n_steps = 3,
        .main = which & 2 ? 0 : NONE,
        .policy = {.grace = SEC(10), .reserve = SEC(1), .announce_min = SEC(1), .announce_max = SEC(1), .sweep = true, .pid1 = true},
    };
    for (uint8_t sig = 1; sig <= SIGNAL_MAX; sig++)
        model.policy.signals[sig] = (struct signal_rule){sig == K_TERM || sig == K_INT ? SIGNAL_STOP : SIGNAL_FORWARD, sig};
}

/* ---- what makes two states the same ---- */

static void ago_of(instant *when, instant now) {
    if (!is_never(*when))
        when->ns -= now.ns;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t n) {
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 29;
}

static void forget_dates(struct core *core) {
    instant now = core->now;
    ago_of(&core->walk.clock, now);
    ago_of(&core->walk.asked, now);
    for (uint16_t i = 0; i < core->n_jobs; i++) {
        ago_of(&core->jobs[i].term_at, now);
        ago_of(&core->jobs[i].kill_at, now);
        ago_of(&core->jobs[i].first, now);
        core->jobs[i].gen = 0;
        if (core->jobs[i].state == J_NONE)
            memset(&core->jobs[i], 0, sizeof core->jobs[i]);
    }
    for (uint16_t i = 0; i < model.n_units; i++) {
        ago_of(&core->units[i].window, now);
        ago_of(&core->units[i].at, now);
        core->units[i].restarts = 0;
    }
    for (uint16_t i = 0; i < core->walk.n_rows; i++) {
        struct row *row = &core->walk.rows[i];
        ago_of(&row->start, now);
        ago_of(&row->end, now);
        ago_of(&row->deadline, now);
        if (row_ended(row))
            row->start = row->end = row->deadline = NEVER, row->exit = row->tries = 0;
    }
    for (uint16_t i = 0; i < core->agenda.alarms; i++)
        ago_of(&core->agenda.at[i], now);
    memset(core->agenda.heap, 0, core->agenda.alarms * sizeof *core->agenda.heap);
    memset(core->agenda.place, 0, core->agenda.alarms * sizeof *core->agenda.place);
    memset(core->replies, 0, sizeof core->replies);
    core->next_reply = 0;
    core->pulse = 0;
    core->out = NULL;
    core->now = (instant){0};
}

static uint64_t name_of(void) {
    static struct state saved;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    saved = at;
    forget_dates(&at.core);
    for (unsigned i = 0; i < SLOTS; i++)
        at.bodies[i].gen = 0;
    hash = mix(hash, &at.core, sizeof at.core);
    hash = mix(hash, at.memory, core_bytes(&model));
    hash = mix(hash, at.bodies, sizeof at.bodies);
    hash = mix(hash, &at.events, 3);
    at = saved;
    return hash | 1;
}

/* false: it was there already. */
static bool is_new(uint64_t name) {
    uint64_t mask = (UINT64_C(1) << bits) - 1, place = (name ^ name >> 31) & mask;
    while (table[place] != 0 && table[place] != name)
        place = (place + 1) & mask;
    if (table[place] == name)
        return false;
    table[place] = name;
    if (++n_states > mask / 4 * 3) {
        printf("more states than the table holds; a larger one: -b\n");
        exit(2);
    }
    return true;
}

/* ---- the rules ---- */

static void broken(const char *rule) {
    printf("after %u moves: %s\n", depth, rule);
    for (unsigned i = 0; i < depth; i++)
        printf("  %s\n", told[i]);
    exit(1);
}

static bool anything_lives(void) {
    for (unsigned i = 0; i < SLOTS; i++)
        if (at.bodies[i].life != GONE)
            return true;
    return false;
}

static void look_at_rows(void) {
    const struct walk *walk = &at.core.walk;
    instant end = after(walk->clock, minus(model.policy.grace, model.policy.reserve));
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        const struct row *row = &walk->rows[i];
        if (!row_running(row))
            continue;
        if (at.core.exited)
            broken("it has exited, and a step still runs");
        if (walk->goal == GO_EXIT && before(end, row->deadline) && row->action != DO_SWEEP)
            broken("a step may take longer than there is");
        for (uint16_t k = 0; k < walk->n_rows; k++)
            if (walk->rows[k].stage < row->stage && !row_ended(&walk->rows[k]))
                broken("a step runs before the stages above have ended");
    }
}

static void look(const struct walk *before_it) {
    const struct core *core = &at.core;
    if (!core->exited && due(core_next(core), core->now))
        broken("the next instant is not in the future");
    if (core->walk.goal != GO_RUN && core_ready(core))
        broken("it is ready while it drains or stops");
    if (before_it->goal == GO_EXIT && (core->walk.goal != GO_EXIT || core->walk.clock.ns != before_it->clock.ns))
        broken("a stop that has begun was called off, or its clock was set anew");
    if (core->walk.goal == GO_EXIT && is_never(core->walk.clock))
        broken("a stop without a clock");
    if (!core->exited && due(after(core->walk.clock, model.policy.grace), core->now))
        broken("the grace is over, and it has not exited");
    look_at_rows();
    if (!core->exited)
        return;
    n_ends++;
    if (anything_lives())
        broken("it has exited, and something of it lives");
    if (core->exit_code < 0 || core->exit_code > 255)
        broken("its exit code is none");
    for (uint16_t i = 0; i < core->walk.n_rows; i++)
        if (!row_ended(&core->walk.rows[i]))
            broken("it has exited, and a step was neither done nor skipped");
}

/* ---- moves ---- */

static void carry_out(const struct action *action) {
    struct body *body = &at.bodies[action->job.job];
    if (action->kind == A_SPAWN) {
        if (action->value == CMD_RUN && at.core.walk.goal == GO_EXIT)
            broken("a service is started while it stops");
        if (body->life != GONE)
            broken("a job is started twice");
        *body = (struct body){.life = ASKED, .gen = action->job.gen, .what = (uint16_t)action->value};
    }
    if (body->gen == action->job.gen && body->life != GONE) {
        body->killed |= action->kind == A_KILL;
        body->told |= action->kind == A_SIGNAL && action->signal == K_TERM;
    }
    if (action->kind == A_FORGET)
        body->life = GONE;
    if (action->kind == A_SWEEP || action->kind == A_SWEEP_KILL)
        at.sweeping = true, at.empty_told = false;
    for (unsigned i = 0; i < SLOTS && action->kind == A_SWEEP_KILL; i++)
        at.bodies[i].killed |= at.bodies[i].life != GONE;
}

static void visit(void);

static void move(const char *what, int slot, int value, const struct event *event, instant now) {
    struct walk before_it = at.core.walk;
    if (depth == MOST_DEPTH)
        broken("it goes on for ever");
    snprintf(told[depth], sizeof told[depth], "%s %d %d", what, slot, value);
    path[depth++] = at;
    deepest = depth > deepest ? depth : deepest;
    n_moves++;
    core_step(&at.core, event, now, &actions);
    if (actions.n > actions.room)
        broken("more actions than there is room for");
    for (uint32_t i = 0; i < actions.n; i++)
        carry_out(&actions.v[i]);
    look(&before_it);
    visit();
    at = path[--depth];
}

static void end_of(unsigned slot, int value) {
    struct job_id job = {(uint16_t)slot, at.bodies[slot].gen};
    uint8_t life = at.bodies[slot].life;
    struct event event = {.kind = life == LEFT ? EV_GONE : EV_LEADER, .job = job, .value = value};
    struct body saved = at.bodies[slot];
    at.bodies[slot].life = life == LEFT || saved.what != CMD_RUN ? GONE : LEFT;
    move(life == LEFT ? "gone" : "end", (int)slot, value, &event, at.core.now);
    at.bodies[slot] = saved;
}

/* Who got KILL is gone first. */
static bool killed_goes(void) {
    for (unsigned i = 0; i < SLOTS; i++)
        if (at.bodies[i].life != GONE && at.bodies[i].killed) {
            end_of(i, -K_KILL);
            return true;
        }
    return false;
}

static bool empty_is_told(void) {
    if (!at.sweeping || at.empty_told || anything_lives())
        return false;
    at.empty_told = true;
    move("empty", 0, 0, &(struct event){.kind = EV_EMPTY}, at.core.now);
    at.empty_told = false;
    return true;
}

static void bodies_move(void) {
    for (unsigned i = 0; i < SLOTS; i++) {
        struct body saved = at.bodies[i];
        struct job_id job = {(uint16_t)i, saved.gen};
        if (saved.life == ASKED) {
            at.bodies[i].life = UP;
            move("exec", (int)i, 0, &(struct event){.kind = EV_SPAWNED, .job = job}, at.core.now);
            at.bodies[i].life = GONE;
            move("fail", (int)i, 0, &(struct event){.kind = EV_SPAWN_FAILED, .job = job, .value = 127}, at.core.now);
            at.bodies[i] = saved;
        } else if (saved.life == UP) {
            end_of(i, 0);
            end_of(i, saved.told ? -K_TERM : 1);
        } else if (saved.life == LEFT) {
            end_of(i, 0);
        }
    }
}

static void outside_moves(void) {
    static const struct { const char *name; struct event event; } all[] = {
        {"TERM", {.kind = EV_SIGNAL, .value = K_TERM, .flags = SIG_FROM_OUTSIDE}},
        {"INT", {.kind = EV_SIGNAL, .value = K_INT, .flags = SIG_FROM_OUTSIDE}},
        {"drain", {.kind = EV_ASK, .verb = ASK_DRAIN}}, {"resume", {.kind = EV_ASK, .verb = ASK_RESUME}},
        {"prestop", {.kind = EV_ASK, .verb = ASK_PRESTOP}}, {"hurry", {.kind = EV_ASK, .verb = ASK_HURRY}},
    };
    if (at.events == most_events)
        return;
    at.events++;
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++)
        move(all[i].name, 0, 0, &all[i].event, at.core.now);
    at.events--;
}

static void visit(void) {
    instant next = core_next(&at.core);
    if (at.core.exited || !is_new(name_of()) || killed_goes() || empty_is_told())
        return;
    if (!is_never(next))
        move("time", 0, (int)(until(at.core.now, next).ns / NS_PER_MS), &(struct event){.kind = EV_TICK}, next);
    else if (at.core.walk.goal == GO_EXIT && !anything_lives())
        broken("a stop waits for nothing, for ever");
    bodies_move();
    outside_moves();
}

static void explore(unsigned which) {
    make_system(which);
    memset(&at, 0, sizeof at);
    actions = (struct actions){.v = action_room, .room = sizeof action_room / sizeof *action_room};
    if (core_jobs(&model) > SLOTS || !core_layout(&at.core, &model, at.memory, sizeof at.memory)) {
        printf("the system is too large for every.c\n");
        exit(2);
    }
    core_start(&at.core, (instant){SEC(1000).ns}, &actions);
    at.core.now = (instant){SEC(1000).ns};
    for (uint32_t i = 0; i < actions.n; i++)
        carry_out(&actions.v[i]);
    visit();
}

int main(int argc, char **argv) {
    int option;
    while ((option = getopt(argc, argv, "e:m:b:")) != -1) {
        if (option == '?')
            return 2;
        *(option == 'e' ? &most_events : option == 'b' ? &bits : &only) = atoi(optarg);
    }
    path = malloc(MOST_DEPTH * sizeof *path);
    table = malloc((UINT64_C(1) << bits) * sizeof *table);
    if (!path || !table)
        return 2;
    for (int which = 0; which < 16; which++) {
        if (only >= 0 && which != only)
            continue;
        n_states = n_moves = n_ends = deepest = 0;
        memset(table, 0, (UINT64_C(1) << bits) * sizeof *table);
        explore((unsigned)which);
        printf("system %d, %d events: %llu states, %llu moves, %llu of them to the exit, at most %u in a row\n", which, most_events,
               (unsigned long long)n_states, (unsigned long long)n_moves, (unsigned long long)n_ends, deepest);
        fflush(stdout);
    }
    return 0;
}
