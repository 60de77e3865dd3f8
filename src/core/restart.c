/* core/restart.c: what becomes of a unit that has ended. */
#include "core/parts.h"

static bool policy_restarts(const struct service *service, const struct unit *u) {
    bool abnormal = u->exit < 0 || u->timed_out;
    switch ((enum restart_policy)service->restart) {
    case RESTART_NO: break;
    case RESTART_ON_FAILURE: return !u->ended_well;
    case RESTART_ON_ABNORMAL: return abnormal && !u->ended_well;
    case RESTART_ALWAYS: return true;
    }
    return false;
}

/* false: restarted too often. A window begins with the first restart in it. */
static bool within_limit(const struct core *core, const struct service *service, struct unit *u) {
    if (is_never(u->window) || !before(core->now, after(u->window, service->restart_window))) {
        u->window = core->now;
        u->burst = 0;
    }
    if (u->burst >= service->restart_limit)
        return false;
    u->burst++;
    return true;
}

span restart_delay(const struct service *service, uint16_t burst) {
    span delay = service->restart_min;
    for (uint16_t i = 1; i < burst; i++)
        delay = plus(delay, delay);
    return shorter(delay, service->restart_max);
}

uint8_t restart_next(struct core *core, uint16_t unit) {
    const struct service *service = service_of(core, unit);
    struct unit *u = &core->units[unit];
    if (u->again)
        return NEXT_AGAIN;
    if (u->state == U_STOPPING && !u->timed_out)
        return NEXT_DOWN;
    if (core->walk.goal == GO_EXIT)
        return u->ended_well ? NEXT_DOWN : NEXT_FAILED;
    if (u->relive || policy_restarts(service, u))
        return within_limit(core, service, u) ? NEXT_BACKOFF : NEXT_FAILED;
    return u->ended_well ? NEXT_DOWN : NEXT_FAILED;
}
