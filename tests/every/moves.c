/* moves.c: what may come next, and how it is done. */
#include "every.h"

struct state at;
size_t state_bytes;
struct actions actions;
static struct action action_room[ACTIONS];

bool anything_lives(void) {
    for (unsigned i = 0; i < SLOTS; i++)
        if (at.bodies[i].life != GONE)
            return true;
    return at.strays;
}

static void carry_out(const struct action *action) {
    struct body *body = &at.bodies[action->job.job];
    rules_action(action);
    if (action->kind == A_SPAWN)
        *body = (struct body){.life = ASKED, .gen = action->job.gen, .what = (uint8_t)action->value};
    if (action->kind == A_SIGNAL && action->signal == K_TERM)
        body->told = true;
    if (action->kind == A_KILL)
        body->killed = true;
    if (action->kind == A_FORGET)
        body->life = GONE;
    if (action->kind == A_SWEEP || action->kind == A_SWEEP_KILL)
        at.sweeping = true, at.empty_told = false;
    for (unsigned i = 0; i < SLOTS && action->kind == A_SWEEP_KILL; i++)
        at.bodies[i].killed |= at.bodies[i].life != GONE;
    at.strays_killed |= action->kind == A_SWEEP_KILL;
}

static bool no_clock(const struct walk *walk) { return is_never(walk->clock) || walk->undoing; }

static void tell(const struct event *event) {
    struct core was = at.core;
    at.late |= event->kind == EV_ASK && event->verb == ASK_PRESTOP && event->value > 0 && no_clock(&was.walk);
    at.late |= event->kind == EV_TICK && was.walk.goal == GO_DRAIN && was.walk.said_drained; /* it waits for its TERM, and the clock runs */
    if (model.n_checkpoints)
        keeps_told(event);
    core_step(&at.core, event, at.now, &actions);
    for (uint32_t i = 0; i < actions.n; i++)
        carry_out(&actions.v[i]);
    at.late &= !no_clock(&at.core.walk);
    rules_look(&was);
}

void state_begin(void) {
    memset(&at, 0, sizeof at);
    actions = (struct actions){.v = action_room, .room = ACTIONS};
    state_bytes = offsetof(struct state, memory) + core_bytes(&model);
    if (core_jobs(&model) > SLOTS || core_actions_max(&model) > ACTIONS ||
        !core_layout(&at.core, &model, at.memory, MEMORY) || at.core.agenda.alarms > ALARMS) {
        printf("the system is too large\n");
        exit(2);
    }
    at.now = (instant){SEC(1000).ns};
    at.strays = what.has & STRAYS;
    keeps_begin();
    core_start(&at.core, at.now, &actions);
    for (uint32_t i = 0; i < actions.n; i++)
        carry_out(&actions.v[i]);
}

/* ---- which ---- */

static struct move *list;
static unsigned n_moves;

static void may(uint8_t kind, unsigned slot, int value) {
    list[n_moves++] = (struct move){kind, (uint8_t)slot, (int16_t)value};
}

/* Who got KILL is gone first, unless it may take its time. */
static bool killed_goes(void) {
    for (unsigned i = 0; i < SLOTS && !(what.has & UNDYING); i++)
        if (at.bodies[i].life != GONE && at.bodies[i].killed) {
            may(at.bodies[i].life == LEFT ? M_GONE : M_END, i, -K_KILL);
            return true;
        }
    if (at.strays && at.strays_killed && !(what.has & UNDYING))
        may(M_EMPTY, 0, 0);
    return n_moves > 0;
}

static void body_may(unsigned i) {
    const struct body *body = &at.bodies[i];
    if (body->life == LEFT)
        may(M_GONE, i, 0);
    else if (body->killed && body->life != GONE)
        may(M_END, i, -K_KILL);
    else if (body->life == ASKED)
        may(M_EXEC, i, 0), may(M_FAIL, i, 127);
    else if (body->life == UP)
        may(M_END, i, 0), may(M_END, i, body->told ? -K_TERM : 1);
}

static bool only_strays(void) {
    for (unsigned i = 0; i < SLOTS; i++)
        if (at.bodies[i].life != GONE)
            return false;
    return at.sweeping && !at.empty_told;
}

/* Without strays it is told at once that nothing is left; with them, when they have obeyed. */
unsigned moves_of(struct move moves[MOST_MOVES]) {
    list = moves;
    n_moves = 0;
    if (at.core.exited || killed_goes())
        return n_moves;
    if (only_strays())
        may(M_EMPTY, 0, 0);
    if (n_moves == 0 || at.strays) {
        may(M_TIME, 0, 0);
        for (unsigned i = 0; i < SLOTS; i++)
            body_may(i);
        for (unsigned i = 0; i < outsides(); i++)
            may(M_OUTSIDE, i, 0);
    }
    return n_moves;
}

/* ---- how ---- */

/* The last one to go: nothing is left, which is said before the fact itself, but for the end of who got KILL. */
static void go(unsigned slot, uint8_t life, uint8_t kind, int value) {
    struct event event = {.kind = kind, .job = {(uint16_t)slot, at.bodies[slot].gen}, .value = value};
    bool first = kind == EV_LEADER && at.bodies[slot].killed;
    at.bodies[slot].life = life;
    if (first)
        tell(&event);
    if (!anything_lives())
        tell(&(struct event){.kind = EV_EMPTY});
    if (!first)
        tell(&event);
}

static void pass(void) {
    instant next = core_next(&at.core);
    at.now = is_never(next) ? after(at.now, SEC(IDLE_S)) : next;
    tell(&(struct event){.kind = EV_TICK});
}

void move_do(struct move move) {
    struct body *body = &at.bodies[move.slot];
    switch ((enum move_kind)move.kind) {
    case M_EXEC:
        body->life = UP;
        tell(&(struct event){.kind = EV_SPAWNED, .job = {move.slot, body->gen}});
        break;
    case M_FAIL: go(move.slot, GONE, EV_SPAWN_FAILED, move.value); break;
    case M_END: go(move.slot, body->what == CMD_RUN ? LEFT : GONE, EV_LEADER, move.value); break;
    case M_GONE: go(move.slot, GONE, EV_GONE, 0); break;
    case M_EMPTY:
        at.strays = false;
        at.empty_told = true;
        tell(&(struct event){.kind = EV_EMPTY});
        break;
    case M_TIME: pass(); break;
    case M_OUTSIDE: tell(outside(move.slot)); break;
    }
}

static const char *owner(unsigned slot) {
    static const char *const names[CMD_N] = {"run", "stop", "reload", "check", "only-if", "step", "undo", "save", "restore",
                                             "record", "net"};
    static char text[32];
    unsigned first = 2u * model.n_units;
    const char *name = slot < first ? model.units[slot % model.n_units].name : "lastcall";
    if (slot >= first && slot < first + model.n_steps)
        name = model.steps[slot - first].name;
    snprintf(text, sizeof text, "%s's %s", name, names[at.bodies[slot].what]);
    return text;
}

void move_say(struct move move) {
    instant next = core_next(&at.core);
    switch ((enum move_kind)move.kind) {
    case M_EXEC: printf("  exec of %s\n", owner(move.slot)); break;
    case M_FAIL: printf("  %s cannot be executed\n", owner(move.slot)); break;
    case M_END: printf("  %s ends: %d\n", owner(move.slot), move.value); break;
    case M_GONE: printf("  %s: what it left is gone\n", owner(move.slot)); break;
    case M_EMPTY: printf("  no child is left\n"); break;
    case M_TIME: printf("  %g s pass\n", (double)(is_never(next) ? SEC(IDLE_S) : until(at.now, next)).ns / 1e9); break;
    case M_OUTSIDE: printf("  %s\n", outside_name(move.slot)); break;
    }
}
