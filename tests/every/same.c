/* same.c: which states are the same. Told from today: only distances count, not dates, generations or how often
 * something has happened. And what no decision to come can depend on is forgotten: each function says why it cannot.
 *
 * Whatever is not named here is kept, so a new field of the core splits states, and never merges them. Two tests try
 * what is: `every -w` goes the same way with and without forgetting, and compares what may come and what has come;
 * `every -t` visits all states twice, and compares how they end. */
#include "every.h"

enum { S = 1000000000 };
static const instant today = {INT64_C(1000) * S}, yesterday = {INT64_C(500) * S};
bool forgets = true;

static bool exits(void) { return at.core.walk.goal == GO_EXIT; }

/* ---- told from today ---- */

static void to_today(instant *when) {
    if (!is_never(*when))
        when->ns += today.ns - at.now.ns;
}

static void to_yesterday(instant *when) {
    if (!is_never(*when))
        *when = yesterday;
}

static void tell_units(void) {
    for (uint16_t i = 0; i < model.n_units; i++) {
        struct unit *unit = &at.core.units[i];
        span window = model.services[model.units[i].service].restart_window;
        if (!is_never(unit->window) && !before(at.now, after(unit->window, window)))
            unit->window = NEVER, unit->burst = 0; /* the next restart begins a new one */
        to_today(&unit->window);
        unit->restarts = 0;
    }
}

static void tell_agenda(struct agenda *agenda) {
    static instant when[ALARMS];
    for (uint16_t i = 0; i < agenda->alarms; i++)
        when[i] = agenda_when(agenda, i);
    memset(agenda->at, 0, agenda_bytes(agenda->alarms));
    agenda_layout(agenda, agenda->alarms, agenda->at);
    for (uint16_t i = 0; i < agenda->alarms; i++) {
        to_today(&when[i]);
        agenda_set(agenda, i, when[i]);
    }
}

static void tell_from_today(void) {
    struct core *core = &at.core;
    for (uint16_t i = 0; i < core->n_jobs; i++) {
        core->jobs[i].gen = at.bodies[i].gen = 0;
        to_today(&core->jobs[i].term_at);
        to_today(&core->jobs[i].kill_at);
        core->jobs[i].first = NEVER; /* escalations count from it: these services have none */
    }
    tell_units();
    for (uint16_t i = 0; i < core->walk.n_rows; i++) {
        struct row *row = &core->walk.rows[i];
        (row_ended(row) ? to_yesterday : to_today)(&row->deadline);
        to_yesterday(&row->start);
        to_yesterday(&row->end);
    }
    for (uint16_t i = 0; i < model.n_checkpoints; i++) {
        core->savers[i].attempts = core->savers[i].ended = 0;
        to_today(&core->savers[i].next);
    }
    to_today(&core->walk.clock);
    to_yesterday(&core->walk.asked);
    tell_agenda(&core->agenda);
    core->now = (instant){0};
    at.now = today;
}

/* ---- processes ---- */

/* Of one that has KILL the end is known, of one whose leader has gone it has been told, and TERM to what it left is
 * sent. The record's kind stands in its row. */
static void forget_job(struct job *job, struct body *body) {
    if (job->state == J_NONE)
        *job = (struct job){.exit = EXIT_UNKNOWN, .term_at = NEVER, .kill_at = NEVER, .first = NEVER};
    if (body->life == GONE)
        *body = (struct body){0};
    if (job->state != J_ASKED || job->killed)
        job->hurried = false;
    if (job->state == J_LEFT)
        job->exit = EXIT_UNKNOWN, job->sent = 0, job->leftovers = 0;
    if (job->state == J_LEFT || job->killed)
        body->told = false;
    if (job->killed)
        job->sent &= signal_bit(K_KILL);
    if (job->killed && job->what == CMD_RUN)
        job->rung = job->leftovers = 0;
    if (job->what == CMD_RECORD)
        job->owner = 0;
}

/* ---- services ---- */

/* Then the exit code is that, whoever ended how. */
static bool ran_out_of_time(const struct walk *walk) {
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        const struct row *row = &walk->rows[i];
        if (row->killed && row->action == DO_STOP)
            return true;
        if (row->action == DO_CHECKPOINT && row->state == S_TIMEOUT && model.steps[row->subject].required)
            return true;
    }
    return false;
}

/* Whose end the exit code may tell. */
static bool counts(uint16_t unit) {
    const struct walk *walk = &at.core.walk;
    if (walk->cause == BY_MAIN || walk->cause == BY_SERVICE)
        return walk->cause_value == unit;
    if (walk->cause == BY_RESTORE || walk->cause == BY_ALL_ENDED)
        return walk->cause == BY_ALL_ENDED;
    if (ran_out_of_time(walk))
        return false;
    return model.main == NONE ? !at.core.units[unit].at_rest : model.services[model.main].first_unit == unit;
}

/* Nothing is started again: what would have been decided about it is decided. */
static void forget_in_stop(struct unit *unit, bool live, bool told) {
    unit->window = NEVER;
    unit->burst = 0;
    unit->next = NEXT_DOWN;
    unit->held = unit->again = unit->timed_out = unit->relive = unit->for_good = unit->never_ran = false;
    if (!live)
        unit->state = U_DOWN;
    if (told && (live || (unit->exit != EXIT_UNKNOWN && !unit->ended_well)))
        return;
    unit->exit = EXIT_UNKNOWN, unit->ended_well = false; /* its end is 0, or is not told */
    unit->at_rest = model.main == NONE && !live;
}

static void forget_unit(uint16_t i) {
    struct unit *unit = &at.core.units[i];
    const struct job *job = &at.core.jobs[core_job_of_unit(&at.core, i)];
    if (job->state != J_LEFT)
        unit->next = NEXT_DOWN;
    if (unit->exit != EXIT_UNKNOWN)
        unit->exit = !unit->ended_well;
    if (model.main != NONE || at.core.walk.goal == GO_RUN)
        unit->at_rest = false; /* nobody asks, or it is set again by the next drain or stop */
    if (exits())
        forget_in_stop(unit, job->state != J_NONE, counts(i));
}

/* ---- rows ---- */

static bool is_undone(const struct walk *walk, uint16_t i) {
    const struct row *row = &walk->rows[i];
    bool never_acted = row->tries == 0 && (row->state == S_SKIPPED || row->action == DO_COMMAND);
    return !exits() && row->phase == PH_DRAIN && model.steps[row->subject].has_undo && !is_never(row->start) && !never_acted &&
           (!walk->undoing || i < walk->undo);
}

/* Of rows that have ended the verdict and the exit code know only the worst, a resume what to undo; and when one is at
 * work nobody asks for a verdict, since rows are made new at its end, or when it is cut short. */
static void forget_rows(struct walk *walk) {
    bool bad = at.core.cut_save, killed = walk->forced, forced = false, cut = false, kept = row_ended(&walk->rows[0]);
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        struct row *row = &walk->rows[i];
        row->exit = EXIT_UNKNOWN;
        row->had_ended = false; /* it is for people alone */
        if (!row_ended(row))
            continue;
        bad |= row->action != DO_RECORD && (row->state == S_FAILED || row->state == S_TIMEOUT);
        killed |= row->killed;
        forced |= row->killed && row->action == DO_STOP;
        cut |= row->action == DO_CHECKPOINT && row->state == S_TIMEOUT && model.steps[row->subject].required;
        row->tries = is_undone(walk, i);
        row->start = row->tries ? yesterday : NEVER;
        row->state = row->tries ? S_DONE : S_SKIPPED;
        row->end = row->deadline = NEVER;
        row->killed = false;
    }
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        if (row_ended(&walk->rows[i]) && walk->rows[i].action == DO_STOP && forced)
            walk->rows[i].killed = true, forced = false;
        if (row_ended(&walk->rows[i]) && walk->rows[i].action == DO_CHECKPOINT && cut)
            walk->rows[i].state = S_TIMEOUT;
    }
    if (walk->goal == GO_RUN)
        walk->forced = false;
    if (!kept || walk->goal == GO_RUN)
        return;
    walk->forced = false;
    walk->rows[0].killed = killed;
    if (bad && !killed)
        walk->rows[0].state = S_TIMEOUT;
    at.core.cut_save = at.cut = false; /* it counts as any row that was bad */
}

/* ---- the walk ---- */

static void forget_walk(struct walk *walk) {
    uint8_t phase = walk->stage < walk->n_stages ? walk->stages[walk->stage].phase : (uint8_t)PH_N;
    if (exits())
        walk->said_drained = at.core.started = false; /* it is ready no more */
    if (walk->goal == GO_RUN) /* a resume is at work: its end will forget it */
        to_yesterday(&walk->clock);
    if (exits() && walk->floor < phase)
        walk->floor = phase; /* what is below has passed */
    for (uint8_t i = 0; i < PH_N; i++)
        walk->skip_rest[i] &= walk->goal != GO_RUN && i >= phase;
    if (walk->cause == BY_SHUTDOWN || walk->cause == BY_PRESTOP || walk->cause == BY_DRAIN)
        walk->cause = BY_SIGNAL;
    if (walk->cause == BY_SIGNAL)
        walk->cause_value = 0;
    if (!walk->undoing)
        walk->undo = 0, walk->undo_runs = false;
    forget_rows(walk);
}

/* ---- the checkpoint ---- */

/* In a stop it is saved by its row alone; when that has ended, or if there is none, nobody asks whether it is whole. */
static bool is_over(uint16_t step) {
    const struct walk *walk = &at.core.walk;
    for (uint16_t i = 0; i < walk->n_rows; i++)
        if (walk->rows[i].action == DO_CHECKPOINT && walk->rows[i].subject == step && !row_ended(&walk->rows[i]))
            return false;
    return exits();
}

/* Why a save was made counts while it is at work, an exit code when a restore has failed. */
static void forget_saver(struct saver *saver, uint16_t step) {
    const struct job *job = &at.core.jobs[core_job_of_step(&at.core, step)];
    bool saves = job->state != J_NONE && job->what == CMD_SAVE && saver->why != WHY_STOP;
    saver->why = saves ? WHY_REQUEST : WHY_STOP;
    if (exits())
        at.fresh = false; /* nothing is started */
    if (exits() && saver->restore == R_WAITING)
        saver->restore = R_FAILED; /* it never will be */
    saver->exit = saver->restore == R_FAILED ? 1 : EXIT_UNKNOWN;
    if (is_over(step))
        saver->restore = R_DONE, at.whole = false, saver->exit = at.core.walk.cause == BY_RESTORE ? 1 : EXIT_UNKNOWN;
    if (!saves)
        at.core.walk.awaits_saves = at.awaited = false;
}

void state_same(void) {
    struct core *core = &at.core;
    tell_from_today();
    core->exit_code = core->exit_code != 0;
    if (!forgets)
        return;
    for (uint16_t i = 0; i < core->n_jobs; i++)
        forget_job(&core->jobs[i], &at.bodies[i]);
    for (uint16_t i = 0; i < model.n_units; i++)
        forget_unit(i);
    forget_walk(&core->walk);
    for (uint16_t i = 0; i < model.n_checkpoints; i++)
        forget_saver(&core->savers[i], model.checkpoints[i].step);
}

/* Four sums side by side, so that none waits for another. */
uint64_t state_name(void) {
    const unsigned char *bytes = (const unsigned char *)&at;
    uint64_t sums[4] = {1, 2, 3, 4}, hash = UINT64_C(0x9e3779b97f4a7c15), word;
    for (size_t i = 0; i < state_bytes; i += sizeof word) {
        uint64_t *sum = &sums[i / sizeof word % 4];
        memcpy(&word, bytes + i, sizeof word);
        *sum = (*sum ^ word) * UINT64_C(0xff51afd7ed558ccd);
        *sum ^= *sum >> 32;
    }
    for (unsigned i = 0; i < 4; i++)
        hash = (hash ^ sums[i] ^ hash >> 29) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (hash ^ hash >> 32) | 1;
}
