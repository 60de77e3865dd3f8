/* core/state.c: what others ask for is derived from goal, cursor and checks, and stored nowhere. */
#include "core/parts.h"

NEARBY bool core_ready(const struct core *core) {
    const struct model *model = core->model;
    bool running = core->walk.goal == GO_RUN && !core->walk.undoing && !core->told_to_stop;
    if (!core->started || (!running && !model->policy.keep_ready))
        return false;
    for (uint16_t i = 0; i < model->n_checks; i++)
        if (!model->checks[i].live && !core->checks[i].passing)
            return false;
    return true;
}

bool core_live(const struct core *core) {
    for (uint16_t i = 0; i < core->model->n_checks; i++) {
        const struct check_policy *check = &core->model->checks[i];
        if (check->live && check->then == THEN_FAIL && core->checks[i].on && !core->checks[i].passing)
            return false;
    }
    return true;
}

uint8_t core_phase(const struct core *core) {
    return core->walk.open ? core->walk.stages[core->walk.stage].phase : (uint8_t)PH_N;
}

uint8_t core_life(const struct core *core) {
    if (core->exited)
        return LIFE_EXITED;
    if (core->walk.goal == GO_EXIT)
        return LIFE_STOPPING;
    if (core->walk.said_drained || core->walk.undoing)
        return LIFE_DRAINED; /* a script that polls for it must not go on while a drain step runs */
    return core->started ? LIFE_RUNNING : LIFE_STARTING;
}

span core_left(const struct core *core, instant now) {
    if (is_never(core->walk.clock))
        return FOREVER;
    return until(now, after(core->walk.clock, core->model->policy.grace));
}
