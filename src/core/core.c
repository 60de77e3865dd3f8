/* core/core.c: the step. One event changes the state, then everything that is due rings, until nothing
 * changes any more; PUBLISH is said first when something others see has changed. */
#include "core/parts.h"

enum { PUBLISH_PLACE = 0 }; /* kept free in every list of actions */
enum { ORPHANS_MS = 100 };

uint32_t core_actions_max(const struct model *model) {
    return 10u * core_jobs(model) + 6u * plan_rows(model) + 64;
}

static uint16_t alarms_of(const struct model *model) {
    return (uint16_t)(core_jobs(model) + model->n_units + model->n_checks + plan_rows(model) + MISC_ALARMS +
                      model->n_checkpoints);
}

static uint64_t round_up(uint64_t bytes) { return (bytes + 7) & ~UINT64_C(7); }

uint64_t core_bytes(const struct model *model) {
    uint64_t rows = plan_rows(model), jobs = core_jobs(model);
    return round_up(jobs * sizeof(struct job)) + round_up(model->n_units * sizeof(struct unit)) +
           round_up(model->n_checks * sizeof(struct check)) + round_up(model->n_checkpoints * sizeof(struct saver)) +
           round_up(rows * sizeof(struct row)) +
           round_up(rows * sizeof(struct stage)) + round_up(rows * sizeof(struct promise)) +
           round_up(agenda_bytes(alarms_of(model)));
}

static void *take(char **at, uint64_t bytes) {
    void *start = *at;
    *at += round_up(bytes);
    return start;
}

static void lay_units(struct core *core) {
    for (uint16_t i = 0; i < core->model->n_units; i++)
        core->units[i] = (struct unit){.state = U_WAITING, .exit = EXIT_UNKNOWN, .window = NEVER};
    for (uint16_t i = 0; i < core->model->n_checks; i++)
        core->checks[i] = (struct check){0};
    for (uint16_t i = 0; i < core->n_jobs; i++)
        core->jobs[i] = (struct job){.term_at = NEVER, .kill_at = NEVER};
}

bool core_layout(struct core *core, const struct model *model, void *arena, uint64_t bytes) {
    char *at = arena;
    uint64_t rows = plan_rows(model);
    if (bytes < core_bytes(model))
        return false;
    *core = (struct core){
        .model = model, .n_jobs = core_jobs(model), .walk = {.clock = NEVER, .asked = NEVER},
    };
    core->jobs = take(&at, core->n_jobs * sizeof(struct job));
    core->units = take(&at, model->n_units * sizeof(struct unit));
    core->checks = take(&at, model->n_checks * sizeof(struct check));
    core->savers = take(&at, model->n_checkpoints * sizeof(struct saver));
    core->walk.rows = take(&at, rows * sizeof(struct row));
    core->walk.stages = take(&at, rows * sizeof(struct stage));
    core->walk.promises = take(&at, rows * sizeof(struct promise));
    agenda_layout(&core->agenda, alarms_of(model), take(&at, agenda_bytes(alarms_of(model))));
    lay_units(core);
    plan_make(core);
    return true;
}

/* The first is told at once; in a storm the rest go by the tenth of a second. */
static void count_orphans(struct core *core) {
    uint16_t alarm = alarm_of_misc(core, ALARM_ORPHANS);
    if (!core->uncounted || !is_never(agenda_when(&core->agenda, alarm)))
        return;
    core->uncounted = false;
    core->dirty = true;
    if (core->model->policy.net)
        set_alarm(core, alarm, after(core->now, MS(ORPHANS_MS)));
}

static void ring(struct core *core, uint16_t alarm) {
    const struct model *model = core->model;
    if (alarm < core->n_jobs)
        job_due(core, alarm);
    else if (alarm < alarm_of_check(core, 0))
        unit_due(core, (uint16_t)(alarm - alarm_of_unit(core, 0)));
    else if (alarm < alarm_of_row(core, 0))
        check_due(core, (uint16_t)(alarm - alarm_of_check(core, 0)));
    else if (alarm < alarm_of_misc(core, 0))
        step_due(core, (uint16_t)(alarm - alarm_of_row(core, 0)));
    else if (alarm == alarm_of_misc(core, ALARM_LAPSE))
        walk_lapse(core);
    else if (alarm == alarm_of_misc(core, ALARM_WAITING))
        note(core, NOTE_WAITING, model->services[model->main].first_unit, 0);
    else if (alarm == alarm_of_misc(core, ALARM_NET))
        helper_due(core);
    else if (alarm == alarm_of_misc(core, ALARM_ORPHANS))
        count_orphans(core);
    else if (alarm == alarm_of_misc(core, ALARM_GIVE_UP))
        walk_give_up(core);
    else
        checkpoint_due(core, (uint16_t)(alarm - alarm_of_checkpoint(core, 0)));
}

static NEARBY void settle(struct core *core) {
    uint16_t alarm;
    walk_advance(core);
    while (!core->exited && (alarm = agenda_take(&core->agenda, core->now)) != AGENDA_OFF) {
        ring(core, alarm);
        walk_advance(core);
    }
}

static NEARBY void open_actions(struct core *core, instant now, struct actions *out) {
    core->now = now;
    core->out = out;
    out->n = 0;
    emit(core, (struct action){.kind = A_NOTHING});
}

static NEARBY void close_actions(struct core *core) {
    if (core->was_ready != core_ready(core)) {
        core->was_ready = !core->was_ready;
        core->dirty = true;
    }
    if (core->dirty) {
        if (core->model->policy.net)
            helper_published(core);
        core->out->v[PUBLISH_PLACE].kind = A_PUBLISH;
    }
    core->dirty = false;
    core->out = 0;
}

void core_start(struct core *core, instant now, struct actions *out) {
    open_actions(core, now, out);
    core->dirty = true;
    if (core->model->policy.net)
        helper_start(core);
    checkpoints_start(core);
    units_wake(core);
    settle(core);
    close_actions(core);
}

static void check_event(struct core *core, const struct event *event) {
    if (event->subject < core->model->n_checks && core->checks[event->subject].gen == event->gen)
        check_verdict(core, event->subject, event->value != 0);
}

static NEARBY void take_event(struct core *core, const struct event *event) {
    switch ((enum event_kind)event->kind) {
    case EV_TICK: break;
    case EV_SPAWNED:
    case EV_SPAWN_FAILED:
    case EV_LEADER:
    case EV_GONE:
    case EV_STOPPED: job_event(core, event); break;
    case EV_CHECK: check_event(core, event); break;
    case EV_SIGNAL: signal_event(core, event); break;
    case EV_ORPHAN:
        core->orphans += (uint32_t)event->value;
        core->uncounted = true;
        count_orphans(core);
        break;
    case EV_EMPTY:
        core->no_children = true;
        step_swept(core);
        break;
    case EV_EXTEND:
        if (event->subject < core->model->n_units)
            walk_extend(core, event->subject, event->more);
        break;
    case EV_PULSE: helper_pulse(core); break;
    case EV_LIFE:
        core->pulse = event->client;
        core->dirty = true;
        break;
    case EV_ASK: ask_event(core, event); break;
    case EV_N: break;
    }
}

NEARBY void core_step(struct core *core, const struct event *event, instant now, struct actions *out) {
    open_actions(core, now, out);
    if (!core->exited) {
        take_event(core, event);
        settle(core);
    }
    close_actions(core);
}

NEARBY instant core_next(const struct core *core) { return core->exited ? NEVER : agenda_next(&core->agenda); }
