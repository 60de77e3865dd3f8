#include "verbs/timetable.h"

#include "conf/findings.h"
#include "core/budget.h"
#include "text/duration.h"
#include "verbs/loading.h"

enum { SWEEP_S = 2 }; /* from its TERM to its KILL */

/* The longest that a step asks for; FOREVER if nothing was written. */
static span wrote(const struct model *model, const struct row *row) {
    switch ((enum action_of_step)row->action) {
    case DO_ANNOUNCE: return model->policy.announce_max;
    case DO_STOP: return model->services[model->units[row->subject].service].stop_timeout;
    case DO_SLEEP: return shorter(model->steps[row->subject].sleep, model->steps[row->subject].timeout);
    case DO_COMMAND:
    case DO_CHECKPOINT:
    case DO_SIGNAL:
    case DO_WAIT_EXIT: return model->steps[row->subject].timeout;
    case DO_RECORD:
    case DO_SWEEP:
    case DO_N: break;
    }
    return FOREVER;
}

static span may_take(const struct row *row, span written, span allowed) {
    if (row->action == DO_SIGNAL)
        return NO_TIME;
    if (row->action == DO_SWEEP)
        return shorter(SEC(SWEEP_S), allowed);
    return shorter(written, allowed);
}

/* One stage, `left` before it; returns what it may take. */
static span fill_stage(struct timetable *timetable, uint16_t stage, instant start, span left) {
    const struct walk *walk = &timetable->core.walk;
    struct allowance allowance = budget_allow(&walk->promises[stage], (uint32_t)(walk->n_stages - stage), left);
    span longest = NO_TIME;
    for (uint16_t i = walk->stages[stage].first; i < walk->stages[stage].first + walk->stages[stage].n; i++) {
        struct slot *slot = &timetable->slots[i];
        span takes;
        slot->wrote = wrote(timetable->core.model, &walk->rows[i]);
        takes = may_take(&walk->rows[i], slot->wrote, allowance.allowed);
        slot->guaranteed = shorter(walk->rows[i].guarantee, allowance.allowed);
        slot->start = start;
        slot->end = after(start, takes);
        longest = longer(longest, takes);
    }
    return longest;
}

void timetable_make(struct timetable *timetable, const struct verb_call *call, const struct model *model) {
    uint64_t bytes = core_bytes(model);
    instant now = {0};
    span left = minus(model->policy.grace, model->policy.reserve);
    core_layout(&timetable->core, model, memory_take(call, bytes), bytes);
    timetable->slots = memory_take(call, (timetable->core.walk.n_rows + 1u) * sizeof *timetable->slots);
    for (uint16_t stage = 0; stage < timetable->core.walk.n_stages; stage++) {
        span takes = fill_stage(timetable, stage, now, left);
        now = after(now, takes);
        left = minus(left, takes);
    }
    timetable->total = (span){now.ns};
}

static struct place place_of(const struct model *model, const struct row *row) {
    if (row->action == DO_STOP)
        return model->services[model->units[row->subject].service].stop_where;
    return model->steps[row->subject].timeout_where;
}

void timetable_lint(const struct timetable *timetable, struct arena *arena, struct findings *findings) {
    const struct model *model = timetable->core.model;
    for (uint16_t i = 0; i < timetable->core.walk.n_rows; i++) {
        const struct row *row = &timetable->core.walk.rows[i];
        const struct slot *slot = &timetable->slots[i];
        span gets = until(slot->start, slot->end);
        char wants[32], has[32];
        struct out wants_out = out_on(wants, sizeof wants), has_out = out_on(has, sizeof has);
        if (row->subject == NONE || row->action == DO_SIGNAL || is_forever(slot->wrote) || gets.ns >= slot->wrote.ns)
            continue;
        duration_print(&wants_out, slot->wrote);
        duration_print(&has_out, gets);
        say(&(struct voice){arena, findings}, place_of(model, row), LEVEL_WARNING,
            "%s may get only %s of its %s when all before it take their longest; a guarantee, a longer grace or shorter timeouts",
            row_name(model, row), has, wants);
    }
}
