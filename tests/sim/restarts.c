/* restarts.c: what becomes of a service that has ended, and when it starts again. */
#include "sim.h"

static const struct service *service_of(uint16_t unit) { return &scene.services[scene.units[unit].service]; }

void rules_restarts_begin(void) {
    for (uint16_t i = 0; i < scene.model.n_units; i++)
        sim.again[i] = (struct again){.window = NEVER, .ready_by = NEVER};
}

/* ---- the policy, word for word ---- */

static bool policy_restarts(uint16_t unit) {
    bool well = ended_well(unit);
    switch ((enum restart_policy)service_of(unit)->restart) {
    case RESTART_NO: break;
    case RESTART_ON_FAILURE: return !well;
    case RESTART_ON_ABNORMAL: return !well && (sim.last_exit[unit] < 0 || sim.put_down[unit]);
    case RESTART_ALWAYS: return true;
    }
    return false;
}

/* So often in so long; the time counts from the first restart in it. */
static bool may_again(uint16_t unit) {
    struct again *it = &sim.again[unit];
    if (is_never(it->window) || !before(sim.now, after(it->window, service_of(unit)->restart_window)))
        it->window = sim.now, it->burst = 0;
    if (it->burst >= service_of(unit)->restart_limit)
        return false;
    it->burst++;
    return true;
}

static uint8_t what_follows(uint16_t unit) {
    uint8_t at_rest = ended_well(unit) ? NEXT_DOWN : NEXT_FAILED;
    if (sim.wanted[unit])
        return NEXT_AGAIN;
    if (sim.core.units[unit].state == U_STOPPING && !sim.put_down[unit])
        return NEXT_DOWN;
    if (sim.core.walk.goal == GO_EXIT)
        return at_rest;
    if (sim.again[unit].relive || policy_restarts(unit))
        return may_again(unit) ? NEXT_BACKOFF : NEXT_FAILED;
    return at_rest;
}

/* ---- told, and what was made of it ---- */

/* Its leader has ended, and the core is told now. */
void rules_unit_told(uint16_t unit) { sim.again[unit].next = what_follows(unit); }

/* It has been told. */
void rules_unit_ended(uint16_t unit) {
    const struct unit *u = &sim.core.units[unit];
    if (u->next != sim.again[unit].next)
        fail("what follows the end of unit %u is %u, not %u", unit, u->next, sim.again[unit].next);
    if (u->burst != sim.again[unit].burst)
        fail("unit %u was started again %u times, not %u", unit, u->burst, sim.again[unit].burst);
}

/* It was asked for by hand: the count begins anew. */
void rules_unit_wanted(uint16_t unit) { sim.again[unit].burst = 0; }

/* It starts. */
void rules_unit_run(uint16_t unit) {
    sim.again[unit].relive = false;
    sim.again[unit].ready_by = after(sim.now, service_of(unit)->ready_timeout);
}

/* It asks for more time to start. */
void rules_unit_extend(const struct event *event) {
    const struct walk *walk = &sim.core.walk;
    struct again *it = &sim.again[event->subject];
    bool is_start = sim.core.units[event->subject].state == U_STARTING && (!walk->open || walk->stages[walk->stage].phase != PH_STOP);
    if (is_start && !is_never(it->ready_by))
        it->ready_by = later_of(it->ready_by, after(sim.now, event->more));
}

/* ---- after each step ---- */

static span delay_of(uint16_t unit) {
    span delay = service_of(unit)->restart_min;
    for (uint16_t i = 1; i < sim.again[unit].burst; i++)
        delay = plus(delay, delay);
    return shorter(delay, service_of(unit)->restart_max);
}

/* It waits for its next start: by a timer that rings after its delay. */
static void rules_backoff(uint16_t unit) {
    instant at = agenda_when(&sim.core.agenda, (uint16_t)(sim.core.n_jobs + unit));
    bool news = sim.gone[unit].ns == sim.now.ns && !sim.resumed && sim.core.units[unit].next == NEXT_BACKOFF;
    if (is_never(at))
        fail("unit %u is to start again, and nothing is armed", unit);
    if (news && at.ns != after(sim.now, delay_of(unit)).ns)
        fail("unit %u starts again after another delay", unit);
}

void rules_again(uint16_t unit) {
    const struct unit *u = &sim.core.units[unit];
    const struct walk *walk = &sim.core.walk;
    if (walk->goal == GO_RUN && !walk->undoing && u->state == U_BACKOFF)
        rules_backoff(unit);
    if (walk->goal != GO_EXIT && u->state == U_STARTING && due(sim.again[unit].ready_by, sim.now))
        fail("unit %u is not ready in time, and goes on", unit);
    if ((u->state == U_DOWN || u->state == U_FAILED) && u->exit != EXIT_UNKNOWN && u->exit != sim.last_exit[unit])
        fail("unit %u ended with %d, not %d", unit, sim.last_exit[unit], u->exit);
    if ((u->state == U_DOWN || u->state == U_FAILED) && sim.last_exit[unit] != EXIT_UNKNOWN && !scene.model.policy.single && u->ended_well != ended_well(unit))
        fail("unit %u ended well: %u", unit, u->ended_well);
    if (!sim.by_hand && scene.model.n_checkpoints == 0 && sim.births[CMD_RUN][unit] > 0 && u->restarts != sim.births[CMD_RUN][unit] - 1u)
        fail("unit %u was started again %u times", unit, u->restarts);
}
