/* core/errand.c: what an operator asks of one service. */
#include "core/parts.h"

static uint16_t ask_one(struct core *core, const struct event *event, uint16_t unit) {
    struct unit *u = &core->units[unit];
    uint16_t slot = core_job_of_unit(core, unit), aux = core_job_of_aux(core, unit);
    const struct service *service = service_of(core, unit);
    bool live = unit_live(core, unit);
    switch (event->verb) {
    case ASK_START_UNIT:
    case ASK_RESTART_UNIT:
        u->held = false;
        u->burst = 0;
        if (live && event->verb == ASK_START_UNIT && u->state != U_STOPPING)
            return REPLY_OK;
        u->again = live;
        if (live && u->state != U_STOPPING)
            unit_stop_alone(core, unit);
        else if (live)
            u->next = NEXT_AGAIN;
        else
            unit_start(core, unit);
        return REPLY_STARTED;
    case ASK_STOP_UNIT:
        u->held = true;
        u->again = false;
        unit_stop_alone(core, unit);
        return live ? REPLY_STARTED : REPLY_OK;
    case ASK_RELOAD_UNIT:
        if (!live || (!service->has_reload_command && !service->reload_signal))
            return REPLY_REFUSED;
        if (job_live(core, aux))
            return REPLY_BUSY;
        if (service->has_reload_command)
            job_start(core, aux, CMD_RELOAD, unit);
        else
            job_signal(core, slot, service->reload_signal, TO_LEADER);
        return REPLY_OK;
    case ASK_SIGNAL_UNIT:
        if (live)
            job_signal(core, slot, (uint8_t)event->value, unit_whom(core, unit));
        return live ? REPLY_OK : REPLY_REFUSED;
    default:
        return REPLY_BAD;
    }
}

/* start, stop, restart: one errand at a time, and none once a drain or stop has begun. */
bool errand_ask(struct core *core, const struct event *event, uint16_t *reply) {
    const struct service *service;
    bool errand = event->verb == ASK_START_UNIT || event->verb == ASK_STOP_UNIT || event->verb == ASK_RESTART_UNIT;
    if (event->verb < ASK_START_UNIT || event->verb > ASK_SIGNAL_UNIT)
        return false;
    *reply = REPLY_BAD;
    if (event->subject >= core->model->n_services)
        return true;
    if (event->verb == ASK_SIGNAL_UNIT && (event->value < 1 || event->value > SIGNAL_MAX))
        return true;
    *reply = REPLY_REFUSED;
    if (errand && !walk_wants_services(core))
        return true;
    if (event->verb == ASK_RELOAD_UNIT && core->walk.goal == GO_EXIT)
        return true; /* what is being stopped reads nothing again, and nothing is started any more */
    *reply = REPLY_BUSY;
    if (errand && core->errand != NONE && core->errand != event->subject)
        return true;
    service = &core->model->services[event->subject];
    if (errand)
        core->errand = event->subject;
    for (uint16_t i = 0; i < service->n_units; i++)
        *reply = ask_one(core, event, (uint16_t)(service->first_unit + i));
    if (errand && *reply == REPLY_OK)
        core->errand = NONE;
    return true;
}
