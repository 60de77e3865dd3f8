/* errands.c: what becomes of a service that somebody asks for, and the answers to all requests. */
#include "sim.h"

static const struct policy *policy(void) { return &scene.model.policy; }
static bool is_free(uint16_t slot) { return sim.procs[slot].state == P_NONE; }

/* ---- the answer that is due, before the core is asked ---- */

/* What another service is busy with is the stop that somebody has asked for. */
static bool is_busy(uint16_t service) {
    for (uint16_t unit = 0; unit < scene.model.n_units; unit++)
        if (scene.units[unit].service != service && sim.core.units[unit].state == U_STOPPING && (sim.held[unit] || sim.wanted[unit]))
            return true;
    return false;
}

static uint16_t answer_of(uint16_t unit, const struct event *event) {
    const struct service *service = &scene.services[event->subject];
    bool stopping = sim.core.units[unit].state == U_STOPPING;
    if (event->verb == ASK_STOP_UNIT)
        return is_free(unit) ? REPLY_OK : REPLY_STARTED;
    if (event->verb == ASK_START_UNIT)
        return !is_free(unit) && !stopping ? REPLY_OK : REPLY_STARTED;
    if (event->verb == ASK_RESTART_UNIT)
        return REPLY_STARTED;
    if (is_free(unit) || (event->verb == ASK_RELOAD_UNIT && !service->has_reload_command && !service->reload_signal))
        return REPLY_REFUSED;
    return event->verb == ASK_SIGNAL_UNIT || is_free(core_job_of_aux(&sim.core, unit)) ? REPLY_OK : REPLY_BUSY;
}

/* Of several instances the one with whom most is done. */
static uint16_t answer_service(const struct event *event) {
    const struct service *service = &scene.services[event->subject];
    uint16_t answer = REPLY_REFUSED;
    if (event->subject >= scene.model.n_services || (event->verb == ASK_SIGNAL_UNIT && (event->value < 1 || event->value > SIGNAL_MAX)))
        return REPLY_BAD;
    if (event->verb == ASK_RELOAD_UNIT && sim.core.walk.goal == GO_EXIT)
        return REPLY_REFUSED;
    if (event->verb <= ASK_RESTART_UNIT && (sim.core.walk.goal != GO_RUN || sim.core.walk.undoing || policy()->phases_only))
        return REPLY_REFUSED;
    if (event->verb <= ASK_RESTART_UNIT && is_busy(event->subject))
        return REPLY_BUSY;
    for (uint16_t i = 0; i < service->n_units; i++) {
        uint16_t one = answer_of((uint16_t)(service->first_unit + i), event);
        if (one == REPLY_STARTED || answer > REPLY_STARTED)
            answer = one;
    }
    return answer;
}

uint16_t rules_answer(const struct event *event) {
    bool stopping = sim.core.walk.goal == GO_EXIT;
    switch ((enum ask)event->verb) {
    case ASK_DRAIN: case ASK_RESUME: return stopping ? REPLY_REFUSED : REPLY_STARTED;
    case ASK_PRESTOP: return event->value < 0 ? REPLY_BAD : REPLY_STARTED;
    case ASK_STOP: case ASK_HURRY: return REPLY_STARTED;
    case ASK_START_UNIT: case ASK_STOP_UNIT: case ASK_RESTART_UNIT: case ASK_RELOAD_UNIT: case ASK_SIGNAL_UNIT:
        return answer_service(event);
    case ASK_CHECKPOINT: return rules_answer_save(event->subject);
    case ASK_N: break;
    }
    return REPLY_BAD;
}

/* ---- what somebody wants of each unit ---- */

static void want(uint16_t unit, uint8_t verb) {
    bool runs = !is_free(unit) && sim.core.units[unit].state != U_STOPPING;
    if (verb != ASK_STOP_UNIT)
        rules_unit_wanted(unit);
    sim.held[unit] = verb == ASK_STOP_UNIT;
    sim.put_down[unit] &= verb != ASK_STOP_UNIT; /* the last word: it is no fault any more */
    sim.wanted[unit] = verb == ASK_RESTART_UNIT || (verb == ASK_START_UNIT && !runs);
}

/* A request is accepted: remember what it is for. */
void rules_errand_told(const struct event *event, uint16_t answer) {
    const struct service *service = &scene.services[event->subject];
    if (answer != REPLY_OK && answer != REPLY_STARTED)
        return;
    for (uint16_t i = 0; i < service->n_units; i++)
        want((uint16_t)(service->first_unit + i), event->verb);
}

/* A stop: what was asked for is over, but for what rests. */
void rules_errands_over(void) {
    if (sim.core.walk.goal == GO_EXIT)
        memset(sim.wanted, 0, sizeof sim.wanted);
}

void rules_errand_run(uint16_t unit) {
    if (sim.held[unit])
        fail("unit %u is started, and somebody has stopped it", unit);
    sim.wanted[unit] = false;
}

void rules_errand(uint16_t unit) {
    const struct unit *u = &sim.core.units[unit];
    const struct walk *walk = &sim.core.walk;
    if (walk->goal != GO_RUN || walk->undoing)
        return;
    if (sim.wanted[unit] && (u->state == U_DOWN || u->state == U_FAILED || u->state == U_BACKOFF || u->state == U_UP))
        fail("unit %u is %s, and somebody has asked for a start", unit, unit_state_name(u->state));
    if (sim.held[unit] && u->state != U_STOPPING && u->state != U_DOWN && u->state != U_FAILED)
        fail("unit %u is %s, and somebody has stopped it", unit, unit_state_name(u->state));
}

/* What rests because somebody wants it to ends nothing. */
void rules_errand_stop(void) {
    const struct walk *walk = &sim.core.walk;
    if ((walk->cause == BY_MAIN || walk->cause == BY_SERVICE) && sim.held[walk->cause_value] && !policy()->single)
        fail("unit %u ends it, and somebody has stopped it", walk->cause_value);
    for (uint16_t unit = 0; unit < scene.model.n_units && walk->cause == BY_ALL_ENDED; unit++)
        if (sim.held[unit])
            fail("all have ended, it says, and somebody has stopped unit %u", unit);
}
