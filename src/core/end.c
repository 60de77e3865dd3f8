/* core/end.c: the exit code (DESIGN 9) and the verdict. */
#include "core/parts.h"

static int as_exit_code(int exit) {
    if (exit == EXIT_UNKNOWN)
        return 0;
    return exit < 0 ? 128 - exit : exit;
}

static int code_of_unit(const struct core *core, uint16_t unit) {
    const struct unit *u = &core->units[unit];
    return u->ended_well ? 0 : as_exit_code(u->exit);
}

/* With all_time: also of what had ended before the stop began. */
static int code_of_all(const struct core *core, bool all_time) {
    for (uint16_t unit = 0; unit < core->model->n_units; unit++)
        if (code_of_unit(core, unit) != 0 && (all_time || !core->units[unit].at_rest))
            return code_of_unit(core, unit);
    return 0;
}

/* A service that had to be killed, or a required step whose time was up, whether TERM or KILL ended it. */
static bool ran_out_of_time(const struct core *core) {
    for (uint16_t i = 0; i < core->walk.n_rows; i++) {
        const struct row *row = &core->walk.rows[i];
        bool required = row->subject != NONE && row->action != DO_STOP && core->model->steps[row->subject].required;
        if ((row->killed && row->action == DO_STOP) || (required && row->state == S_TIMEOUT))
            return true;
    }
    return false;
}

static int code_of_main(const struct core *core) {
    if (core->model->main == NONE)
        return code_of_all(core, false);
    return code_of_unit(core, core->model->services[core->model->main].first_unit);
}

static int single_code(const struct core *core) {
    int code = as_exit_code(core->units[0].exit);
    if (core->units[0].exit == EXIT_UNKNOWN && core->jobs[core_job_of_unit(core, 0)].killed)
        code = 128 + 9; /* it got KILL, and could not be reaped in time */
    if ((!core->units[0].never_ran || core->model->policy.expect_failures) && codes_have(core->model->policy.expect_codes, code))
        return 0;
    return code;
}

int core_exit_code(const struct core *core) {
    int code = 0;
    if (core->model->policy.phases_only)
        return 0;
    if (core->model->policy.single)
        return single_code(core);
    switch ((enum cause)core->walk.cause) {
    case BY_MAIN:
    case BY_SERVICE: code = code_of_unit(core, core->walk.cause_value); break;
    case BY_ALL_ENDED: code = code_of_all(core, true); break;
    case BY_LIVE: code = ran_out_of_time(core) ? 124 : code_of_main(core) ? code_of_main(core) : 1; break;
    case BY_RESTORE: code = as_exit_code(core->savers[core->walk.cause_value].exit); break;
    case BY_NOTHING:
    case BY_SIGNAL:
    case BY_PRESTOP:
    case BY_SHUTDOWN:
    case BY_DRAIN: code = ran_out_of_time(core) ? 124 : code_of_main(core); break;
    case BY_N: break;
    }
    if (codes_have(core->model->policy.expect_codes, code))
        return 0;
    return code;
}

uint8_t core_verdict(const struct core *core) {
    const struct walk *walk = &core->walk;
    uint8_t verdict = core->cut_save ? VERDICT_DEGRADED : VERDICT_CLEAN;
    if (is_never(walk->asked))
        return VERDICT_NONE;
    if (core->left_behind || due(after(walk->clock, core->model->policy.grace), core->now))
        return VERDICT_OVERRAN;
    if (walk->forced)
        return VERDICT_FORCED;
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        const struct row *row = &walk->rows[i];
        if (row->killed)
            return VERDICT_FORCED;
        if (row->action != DO_RECORD && (row->state == S_FAILED || row->state == S_TIMEOUT))
            verdict = VERDICT_DEGRADED; /* a volume that cannot be written to may be meant so */
    }
    return verdict;
}

void end_now(struct core *core) {
    core->exited = core->dirty = true;
    core->exit_code = (int16_t)core_exit_code(core);
    emit(core, (struct action){.kind = A_EXIT, .value = core->exit_code});
}
