/* core/walk.c: a cursor through the stages, with goal, floor and clock.
 *
 *         | drain | prestop      | stop        | hurry            | main gone (as cause) | resume      | clock + grace
 *   RUN   | DRAIN | DRAIN, clock | EXIT, clock | EXIT, floor save | EXIT, floor stop     | ·           | ·
 *   DRAIN | ·     | clock        | EXIT        | as left          | recorded             | RUN, rewind | RUN, rewind
 *   EXIT  | ·     | ·            | ·           | floor up         | recorded             | refused     | exit
 *
 * The clock starts once; whatever comes later joins it. A resume first runs the undo commands, last
 * step first; until they have ended nothing else starts, and a new drain or stop cuts them short.
 */
#include "core/parts.h"

enum { UNDO_MS = 10000, CUT_SHORT_MS = 1000, GIVE_UP_MS = 2000 };

static void undo_next(struct core *core);

bool walk_wants_services(const struct core *core) {
    return core->walk.goal == GO_RUN && !core->walk.undoing && !core->model->policy.phases_only;
}

instant walk_end(const struct core *core) {
    const struct policy *policy = &core->model->policy;
    return after(core->walk.clock, minus(policy->grace, policy->reserve));
}

span walk_spare(const struct core *core) {
    const struct walk *walk = &core->walk;
    span left = until(core->now, walk_end(core));
    return minus(left, budget_later(walk->promises + walk->stage - 1, (uint32_t)walk->n_stages - walk->stage + 1, left));
}

static struct allowance allow(const struct core *core) {
    const struct walk *walk = &core->walk;
    span left = walk->no_time ? NO_TIME : until(core->now, walk_end(core));
    return budget_allow(walk->promises + walk->stage, (uint32_t)walk->n_stages - walk->stage, left);
}

static void open_stage(struct core *core) {
    struct walk *walk = &core->walk;
    const struct stage *stage = &walk->stages[walk->stage];
    struct allowance allowance = allow(core);
    walk->open = core->dirty = true;
    walk->open_rows = stage->n;
    for (uint16_t row = stage->first; row < stage->first + stage->n; row++) {
        span most = shorter(step_timeout(core, &walk->rows[row]), allowance.allowed);
        if (stage->phase < walk->floor)
            step_skip(core, row);
        else
            step_begin(core, row, after(core->now, most));
    }
}

/* A clock has begun, or time has been taken away: what runs must end sooner. */
static void shorten_stage(struct core *core) {
    struct walk *walk = &core->walk;
    const struct stage *stage = &walk->stages[walk->stage];
    instant limit;
    if (!walk->open)
        return;
    limit = after(core->now, allow(core).allowed);
    for (uint16_t row = stage->first; row < stage->first + stage->n; row++)
        step_shorten(core, row, limit);
}

void walk_row_ended(struct core *core) {
    core->walk.open_rows--;
}

/* Somebody that got KILL is still to be reaped: after the sweep's anybody, without a sweep a leader of ours. */
static bool is_owed(const struct core *core) {
    if (core->no_children || core->model->policy.sweep)
        return !core->no_children;
    for (uint16_t slot = 0; slot < core->n_jobs; slot++)
        if (core->jobs[slot].killed && (core->jobs[slot].state == J_ASKED || core->jobs[slot].state == J_UP))
            return true;
    return false;
}

/* All stages have ended: exit, unless something that got KILL is still to be reaped. */
static void finish(struct core *core) {
    const struct policy *policy = &core->model->policy;
    uint16_t alarm = alarm_of_misc(core, ALARM_GIVE_UP);
    instant give_up = after(core->walk.clock, minus(policy->grace, (span){policy->reserve.ns / 10}));
    if (!is_owed(core))
        end_now(core);
    else if (is_never(agenda_when(&core->agenda, alarm)))
        set_alarm(core, alarm, is_never(give_up) ? after(core->now, MS(GIVE_UP_MS)) : give_up);
}

/* What got KILL is there still, and the time is up: the deadline comes first. */
void walk_give_up(struct core *core) {
    core->left_behind = true;
    end_now(core);
}

/* The phases alone go no further, whatever the goal. */
static bool is_drained(const struct core *core) {
    const struct walk *walk = &core->walk;
    bool goes_on = walk->goal == GO_EXIT && !core->model->policy.phases_only;
    return !goes_on && (walk->stage == walk->n_stages || walk->stages[walk->stage].phase > PH_DRAIN);
}

static void drained(struct core *core) {
    if (core->walk.said_drained)
        return;
    core->walk.said_drained = core->dirty = true;
    note(core, NOTE_DRAINED, NONE, 0);
    if (core->model->policy.phases_only)
        end_now(core);
}

NEARBY void walk_advance(struct core *core) {
    struct walk *walk = &core->walk;
    while (walk->goal != GO_RUN) {
        if (is_drained(core)) {
            drained(core);
            return;
        }
        if (walk->stage == walk->n_stages) {
            finish(core);
            return;
        }
        if (!walk->open && walk->stages[walk->stage].phase >= PH_STOP && checkpoints_hold(core))
            return;
        if (!walk->open)
            open_stage(core);
        if (walk->open_rows > 0)
            return;
        walk->open = false;
        walk->stage++;
    }
}

void walk_raise_floor(struct core *core, uint8_t floor) {
    struct walk *walk = &core->walk;
    const struct stage *stage = &walk->stages[walk->stage];
    walk->floor = floor;
    if (!walk->open || stage->phase >= floor)
        return;
    for (uint16_t row = stage->first; row < stage->first + stage->n; row++)
        step_skip(core, row);
}

void walk_kill(struct core *core) {
    core->walk.no_time = true;
    shorten_stage(core);
}

static void rewind_rows(struct core *core) {
    struct walk *walk = &core->walk;
    for (uint16_t row = 0; row < walk->n_rows; row++) {
        struct row *r = &walk->rows[row];
        r->state = S_PENDING;
        r->tries = 0;
        r->killed = false;
        r->exit = EXIT_UNKNOWN;
        r->start = r->end = r->deadline = NEVER;
    }
    walk->skip_rest[PH_DRAIN] = false; /* no later phase has begun */
    walk->stage = walk->open_rows = 0;
    walk->open = walk->said_drained = false;
    core->dirty = true;
}

/* What comes after a resume is news, with a clock of its own. */
static void forget_notice(struct walk *walk) {
    walk->clock = walk->asked = NEVER;
    walk->cause = BY_NOTHING;
    walk->forced = false;
}

/* A drain or stop came while a resume was at work. */
static void cut_undo_short(struct core *core) {
    struct walk *walk = &core->walk;
    if (!walk->undoing)
        return;
    if (walk->undo_runs)
        job_stop(core, core_job_of_step(core, walk->rows[walk->undo - 1].subject), core->now,
                 after(core->now, MS(CUT_SHORT_MS)));
    walk->undoing = walk->undo_runs = false;
    forget_notice(walk);
    rewind_rows(core);
}

static void begin(struct core *core, uint8_t cause, uint16_t value) {
    struct walk *walk = &core->walk;
    if (is_never(walk->clock)) {
        walk->cause = cause;
        walk->cause_value = value;
    }
    if (is_never(walk->asked)) {
        walk->asked = core->now;
        units_noticed(core);
    }
    core->dirty = true;
}

void walk_stop(struct core *core, uint8_t cause, uint16_t value) {
    struct walk *walk = &core->walk;
    if (walk->goal == GO_EXIT)
        return;
    cut_undo_short(core);
    begin(core, cause, value);
    walk->goal = GO_EXIT;
    walk->clock = earlier(walk->clock, core->now);
    set_alarm(core, alarm_of_misc(core, ALARM_LAPSE), NEVER);
    units_rest(core);
    checkpoints_rest(core);
    note(core, NOTE_STOP_BEGAN, cause, value);
    record_stop(core);
    if (cause == BY_MAIN || cause == BY_ALL_ENDED || (cause == BY_RESTORE && !core->started))
        walk_raise_floor(core, PH_SAVE);
    shorten_stage(core);
}

/* clock: NEVER for a drain, the beginning of the grace for a prestop. */
void walk_drain(struct core *core, uint8_t cause, instant clock) {
    struct walk *walk = &core->walk;
    bool news = walk->goal == GO_RUN || (is_never(walk->clock) && !is_never(clock));
    if (!news) /* as ever in a stop, which has a clock */
        return;
    cut_undo_short(core);
    begin(core, cause, 0);
    walk->goal = GO_DRAIN;
    note(core, NOTE_STOP_BEGAN, cause, 0);
    if (!is_never(clock)) {
        walk->clock = clock;
        set_alarm(core, alarm_of_misc(core, ALARM_LAPSE),
                  later_of(after(clock, core->model->policy.grace), after(core->now, core->model->policy.reserve)));
        shorten_stage(core);
    }
}

static void resumed(struct core *core) {
    struct walk *walk = &core->walk;
    walk->undoing = false;
    forget_notice(walk);
    rewind_rows(core);
    note(core, NOTE_RESUMED, NONE, 0);
    units_resume(core);
}

static bool wants_undo(const struct core *core, const struct row *row) {
    bool never_acted = row->tries == 0 && (row->state == S_SKIPPED || row->action == DO_COMMAND);
    return row->phase == PH_DRAIN && !is_never(row->start) && !never_acted &&
           core->model->steps[row->subject].has_undo;
}

static void undo_next(struct core *core) {
    struct walk *walk = &core->walk;
    for (; walk->undo > 0; walk->undo--) {
        const struct row *row = &walk->rows[walk->undo - 1];
        uint16_t slot;
        span most;
        if (!wants_undo(core, row))
            continue;
        slot = core_job_of_step(core, row->subject);
        if (job_live(core, slot))
            return; /* comes back when the slot is free */
        most = step_timeout(core, row);
        if (is_forever(most))
            most = MS(UNDO_MS);
        walk->undo_runs = true;
        job_start(core, slot, CMD_UNDO, row->subject);
        job_stop(core, slot, after(core->now, (span){most.ns / 5 * 4}), after(core->now, most));
        return;
    }
    resumed(core);
}

/* Some step's slot has become free. */
void walk_undo_ended(struct core *core) {
    struct walk *walk = &core->walk;
    if (!walk->undoing)
        return;
    if (walk->undo_runs && !job_live(core, core_job_of_step(core, walk->rows[walk->undo - 1].subject))) {
        walk->undo_runs = false;
        walk->undo--;
    }
    if (!walk->undo_runs)
        undo_next(core);
}

/* false: a stop has begun, there is no way back. */
bool walk_resume(struct core *core) {
    struct walk *walk = &core->walk;
    if (walk->goal == GO_EXIT)
        return false;
    if (walk->goal == GO_RUN)
        return true;
    for (uint16_t row = 0; row < walk->n_rows; row++)
        if (row_running(&walk->rows[row]))
            step_skip(core, row);
    walk->goal = GO_RUN;
    walk->open = false;
    walk->undoing = core->dirty = true;
    walk->undo = walk->n_rows;
    set_alarm(core, alarm_of_misc(core, ALARM_LAPSE), NEVER);
    undo_next(core);
    return true;
}

/* The grace of a prestop has passed, and no stop has come. */
void walk_lapse(struct core *core) {
    note(core, NOTE_PRESTOP_LAPSED, NONE, 0);
    walk_resume(core);
}

/* A service asks for more time to stop: inside what no later stage is promised. */
void walk_extend(struct core *core, uint16_t unit, span more) {
    struct walk *walk = &core->walk;
    const struct stage *stage = &walk->stages[walk->stage];
    span left, later;
    instant most;
    if (!walk->open || stage->phase != PH_STOP) {
        unit_extend(core, unit, more);
        return;
    }
    left = until(core->now, walk_end(core));
    later = budget_later(walk->promises + walk->stage, (uint32_t)walk->n_stages - walk->stage, left);
    most = after(core->now, shorter(more, minus(left, later)));
    for (uint16_t row = stage->first; row < stage->first + stage->n; row++)
        if (walk->rows[row].subject == unit)
            step_extend(core, row, most);
}
