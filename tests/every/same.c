/* same.c: which states are the same. What no decision to come can depend on is forgotten: dates (only distances
 * count), generations, how ended things ended where nobody asks any more. `every -w` tries this: it goes the same
 * way with and without forgetting, and compares.
 *
 * Whatever is not named here is kept, so a new field of the core splits states, and never merges them. */
#include "every.h"

enum { S = 1000000000 };
static const instant today = {INT64_C(1000) * S}, yesterday = {INT64_C(500) * S};

static void to_today(instant *when) {
    if (!is_never(*when))
        when->ns += today.ns - at.now.ns;
}

static void same_job(struct job *job, struct body *body) {
    job->gen = body->gen = 0;
    if (job->state == J_NONE)
        *job = (struct job){.exit = EXIT_UNKNOWN, .term_at = NEVER, .kill_at = NEVER, .first = NEVER};
    if (body->life == GONE)
        *body = (struct body){0};
    to_today(&job->term_at);
    to_today(&job->kill_at);
    job->first = NEVER; /* escalations count from it: these services have none */
    if (job->state != J_ASKED)
        job->hurried = false;
    if (job->state == J_LEFT)
        job->exit = EXIT_UNKNOWN, job->sent = 0;
    if (job->killed)
        body->told = false;
}

static void same_unit(struct unit *unit, const struct job *job, const struct service *service) {
    bool exits = at.core.walk.goal == GO_EXIT;
    if (exits || (!is_never(unit->window) && !before(at.now, after(unit->window, service->restart_window)))) {
        unit->window = NEVER;
        unit->burst = 0;
    }
    to_today(&unit->window);
    unit->restarts = 0;
    if (job->state != J_LEFT)
        unit->next = NEXT_DOWN;
    if (unit->exit != EXIT_UNKNOWN)
        unit->exit = !unit->ended_well;
}

/* Of rows that have ended the verdict and the exit code know only the worst, and a resume what to undo. */
static void same_rows(struct walk *walk) {
    bool exits = walk->goal == GO_EXIT, bad = false, killed = false, forced = false, cut = false;
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        struct row *row = &walk->rows[i];
        to_today(&row->deadline);
        row->start = is_never(row->start) ? NEVER : yesterday;
        row->exit = EXIT_UNKNOWN;
        if (!row_ended(row))
            continue;
        row->end = row->deadline = NEVER;
        row->tries = !exits && row->tries > 0;
        if (!exits)
            continue;
        bad |= row->action != DO_RECORD && (row->state == S_FAILED || row->state == S_TIMEOUT);
        killed |= row->killed;
        forced |= row->killed && row->action == DO_STOP;
        cut |= row->action == DO_CHECKPOINT && row->state == S_TIMEOUT && model.steps[row->subject].required;
        row->state = S_SKIPPED, row->killed = false, row->start = NEVER;
    }
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        if (row_ended(&walk->rows[i]) && walk->rows[i].action == DO_STOP && forced)
            walk->rows[i].killed = true, forced = false;
        if (row_ended(&walk->rows[i]) && walk->rows[i].action == DO_CHECKPOINT && cut)
            walk->rows[i].state = S_TIMEOUT;
    }
    if (bad)
        walk->rows[0].state = S_TIMEOUT;
    if (killed)
        walk->rows[0].killed = true;
}

static void same_walk(struct walk *walk) {
    uint8_t phase = walk->stage < walk->n_stages ? walk->stages[walk->stage].phase : (uint8_t)PH_N;
    to_today(&walk->clock);
    walk->asked = is_never(walk->asked) ? NEVER : yesterday;
    if (walk->goal == GO_RUN) /* a resume is at work: its end will forget it */
        walk->clock = is_never(walk->clock) ? NEVER : yesterday;
    if (walk->goal == GO_EXIT && walk->floor < phase)
        walk->floor = phase; /* what is below has passed */
    for (uint8_t i = 0; i < phase && walk->goal == GO_EXIT; i++)
        walk->skip_rest[i] = false;
    if (walk->cause == BY_SHUTDOWN || walk->cause == BY_PRESTOP || walk->cause == BY_DRAIN)
        walk->cause = BY_SIGNAL;
    if (walk->cause == BY_SIGNAL)
        walk->cause_value = 0;
    if (!walk->undoing)
        walk->undo = 0, walk->undo_runs = false;
    same_rows(walk);
}

/* Of attempts only others are told; why one was made counts while it is at work, an exit code when a restore failed. */
static void same_saver(struct saver *saver, const struct job *job) {
    bool saves = job->state != J_NONE && job->what == CMD_SAVE;
    saver->attempts = saver->ended = 0;
    saver->why = saves && saver->why != WHY_STOP ? WHY_REQUEST : WHY_STOP;
    if (at.core.walk.goal == GO_EXIT && saver->restore == R_WAITING)
        saver->restore = R_FAILED; /* it never will be */
    saver->exit = saver->restore == R_FAILED ? 1 : EXIT_UNKNOWN;
    to_today(&saver->next);
}

static void same_agenda(struct agenda *agenda) {
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

void state_same(void) {
    struct core *core = &at.core;
    for (uint16_t i = 0; i < core->n_jobs; i++)
        same_job(&core->jobs[i], &at.bodies[i]);
    for (uint16_t i = 0; i < model.n_units; i++)
        same_unit(&core->units[i], &core->jobs[core_job_of_unit(core, i)], &model.services[model.units[i].service]);
    for (uint16_t i = 0; i < model.n_checkpoints; i++)
        same_saver(&core->savers[i], &core->jobs[core_job_of_step(core, model.checkpoints[i].step)]);
    same_walk(&core->walk);
    same_agenda(&core->agenda);
    core->now = (instant){0};
    core->exit_code = core->exit_code != 0;
    at.now = today;
}

uint64_t state_name(void) {
    const unsigned char *bytes = (const unsigned char *)&at;
    uint64_t hash = UINT64_C(0x9e3779b97f4a7c15), word;
    for (size_t i = 0; i < state_bytes; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
        hash ^= hash >> 32;
    }
    hash = (hash ^ hash >> 29) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (hash ^ hash >> 32) | 1;
}
