/* core/errand.c: what an operator asks of one service. */
#include "core/parts.h"

static uint16_t start_one(struct core *core, uint16_t unit, bool restart) {
    struct unit *u = &core->units[unit];
    bool live = unit_live(core, unit);
    u->held = false;
    u->burst = 0;
    if (live && !restart && u->state != U_STOPPING)
        return REPLY_OK;
    u->again = live;
    if (live && u->state != U_STOPPING)
        unit_stop_alone(core, unit);
    else if (live)
        u->next = NEXT_AGAIN;
    else
        unit_start(core, unit);
    return REPLY_STARTED;
}

/* It is the last word, also about one that was being put down, or that only its tree kept from starting again. */
static uint16_t stop_one(struct core *core, uint16_t unit) {
    struct unit *u = &core->units[unit];
    bool live = unit_live(core, unit);
    u->held = true;
    u->again = u->timed_out = false;
    if (u->next != NEXT_FAILED)
        u->next = NEXT_DOWN;
    unit_stop_alone(core, unit);
    return live ? REPLY_STARTED : REPLY_OK;
}

static uint16_t reload_one(struct core *core, uint16_t unit) {
    const struct service *service = service_of(core, unit);
    uint16_t aux = core_job_of_aux(core, unit);
    if (!unit_live(core, unit) || (!service->has_reload_command && !service->reload_signal))
        return REPLY_REFUSED;
    if (job_live(core, aux))
        return REPLY_BUSY;
    if (service->has_reload_command)
        job_start(core, aux, CMD_RELOAD, unit);
    else
        job_signal(core, core_job_of_unit(core, unit), service->reload_signal, TO_LEADER);
    return REPLY_OK;
}

static uint16_t signal_one(struct core *core, uint16_t unit, uint8_t signal) {
    if (!unit_live(core, unit))
        return REPLY_REFUSED;
    job_signal(core, core_job_of_unit(core, unit), signal, unit_whom(core, unit));
    return REPLY_OK;
}

static uint16_t ask_one(struct core *core, const struct event *event, uint16_t unit) {
    if (event->verb == ASK_STOP_UNIT)
        return stop_one(core, unit);
    if (event->verb == ASK_RELOAD_UNIT)
        return reload_one(core, unit);
    if (event->verb == ASK_SIGNAL_UNIT)
        return signal_one(core, unit, (uint8_t)event->value);
    return start_one(core, unit, event->verb == ASK_RESTART_UNIT);
}

/* With another service. What an errand is busy with is the stop; a start that takes for ever keeps nobody. */
static bool is_busy(const struct core *core, uint16_t service) {
    for (uint16_t unit = 0; unit < core->model->n_units; unit++) {
        const struct unit *u = &core->units[unit];
        if (core->model->units[unit].service != service && u->state == U_STOPPING && (u->held || u->again))
            return true;
    }
    return false;
}

/* start, stop, restart: one errand at a time, and none once a drain or stop has begun. Of several instances the
 * one with whom most is done is the answer. */
uint16_t errand_ask(struct core *core, const struct event *event) {
    const struct service *service;
    bool errand = event->verb == ASK_START_UNIT || event->verb == ASK_STOP_UNIT || event->verb == ASK_RESTART_UNIT;
    uint16_t reply = REPLY_REFUSED;
    if (event->subject >= core->model->n_services)
        return REPLY_BAD;
    if (event->verb == ASK_SIGNAL_UNIT && (event->value < 1 || event->value > SIGNAL_MAX))
        return REPLY_BAD;
    if (errand && !walk_wants_services(core))
        return REPLY_REFUSED;
    if (event->verb == ASK_RELOAD_UNIT && core->walk.goal == GO_EXIT)
        return REPLY_REFUSED; /* what is being stopped reads nothing again, and nothing is started any more */
    if (errand && is_busy(core, event->subject))
        return REPLY_BUSY;
    service = &core->model->services[event->subject];
    for (uint16_t i = 0; i < service->n_units; i++) {
        uint16_t one = ask_one(core, event, (uint16_t)(service->first_unit + i));
        if (one == REPLY_STARTED || reply > REPLY_STARTED)
            reply = one;
    }
    return reply;
}
