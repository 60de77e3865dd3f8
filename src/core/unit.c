/* core/unit.c: one service instance.
 *
 *            | deps ready | spawned    | ready      | leader ends        | due        | stop step | wants off
 *   WAITING  | STARTING   | ·          | ·          | ·                  | ·          | DOWN      | DOWN
 *   STARTING | ·          | UP, checks | UP         | by policy          | as failed  | STOPPING  | ·
 *   UP       | ·          | ·          | ·          | by policy          | ·          | STOPPING  | ·
 *   BACKOFF  | ·          | ·          | ·          | ·                  | STARTING   | DOWN      | DOWN
 *   STOPPING | ·          | ·          | ·          | DOWN, or STARTING  | ·          | ·         | ·
 *   DOWN, FAILED: at rest; start, restart and resume leave them
 *
 * By policy: BACKOFF, DOWN or FAILED, as soon as the tree has gone too. The end of a unit that ends
 * the container is told to the walk at once, when its leader ends.
 */
#include "core/parts.h"

enum { LEFTOVER_MS = 2000, HAND_STOP_MS = 10000, LAST_WORD_MS = 500 };

static struct unit *unit_at(struct core *core, uint16_t unit) { return &core->units[unit]; }

bool unit_live(const struct core *core, uint16_t unit) {
    return job_live(core, core_job_of_unit(core, unit));
}

bool service_live(const struct core *core, uint16_t service) {
    const struct service *s = &core->model->services[service];
    for (uint16_t i = 0; i < s->n_units; i++)
        if (unit_live(core, (uint16_t)(s->first_unit + i)))
            return true;
    return false;
}

NEARBY uint8_t unit_whom(const struct core *core, uint16_t unit) {
    return service_of(core, unit)->kill_main ? TO_LEADER : TO_GROUP;
}

static void set_due(struct core *core, uint16_t unit, instant at) {
    set_alarm(core, alarm_of_unit(core, unit), at);
}

/* What the state before waited for is due no more. */
static void become(struct core *core, uint16_t unit, uint8_t state) {
    unit_at(core, unit)->state = state;
    set_due(core, unit, NEVER);
    core->dirty = true;
}

static bool service_ready(const struct core *core, uint16_t service) {
    const struct service *s = &core->model->services[service];
    for (uint16_t i = 0; i < s->n_units; i++)
        if (!core->units[s->first_unit + i].ready)
            return false;
    return true;
}

/* Those before it are ready now, not only once. Replicas start one by one from 0. What has run before has had its turn. */
static bool is_its_turn(const struct core *core, uint16_t unit) {
    const struct service *service = service_of(core, unit);
    if (core->units[unit].exit != EXIT_UNKNOWN)
        return true;
    for (uint16_t i = 0; i < service->n_after; i++)
        if (!service_ready(core, service->after[i]))
            return false;
    return unit == service->first_unit || core->units[unit - 1].ready;
}

static bool may_start(const struct core *core, uint16_t unit) {
    return is_its_turn(core, unit) && checkpoint_restored(core, core->model->units[unit].service);
}

bool unit_waits_for_restore(const struct core *core, uint16_t unit) {
    return core->units[unit].state == U_WAITING && is_its_turn(core, unit);
}

/* Those that the program answers must be on before it begins; the others would only fail before. */
static bool is_answered(const struct core *core, uint16_t check) {
    uint8_t kind = core->model->checks[check].kind;
    return kind == CHECK_NOTIFY || kind == CHECK_FD;
}

static void begin(struct core *core, uint16_t unit) {
    struct unit *u = unit_at(core, unit);
    uint16_t check = core->model->units[unit].ready;
    span timeout = service_of(core, unit)->ready_timeout;
    u->again = u->never_ran = u->timed_out = u->relive = u->ready = u->for_good = false;
    become(core, unit, U_STARTING);
    set_due(core, unit, after(core->now, timeout));
    if (check != NONE && is_answered(core, check))
        check_on(core, check);
    job_start(core, core_job_of_unit(core, unit), CMD_RUN, unit);
}

/* Not the first start, or one by hand: behind a restore if there is one each time, or still to come. */
void unit_start(struct core *core, uint16_t unit) {
    uint16_t service = core->model->units[unit].service;
    checkpoint_again(core, service);
    if (checkpoint_restored(core, service)) {
        begin(core, unit);
        return;
    }
    become(core, unit, U_WAITING);
    units_wake(core);
}

void units_wake(struct core *core) {
    if (!walk_wants_services(core))
        return;
    checkpoints_restore(core);
    for (uint16_t unit = 0; unit < core->model->n_units; unit++)
        if (core->units[unit].state == U_WAITING && may_start(core, unit))
            begin(core, unit);
}

static void look_started(struct core *core) {
    for (uint16_t unit = 0; unit < core->model->n_units; unit++)
        if (!core->units[unit].was_ready)
            return;
    note(core, NOTE_READY, NONE, 0);
    core->started = true;
}

static void ready(struct core *core, uint16_t unit) {
    struct unit *u = unit_at(core, unit);
    bool first = !u->was_ready;
    u->ready = u->was_ready = true;
    if (u->state == U_STARTING) {
        uint16_t live = core->model->units[unit].live;
        become(core, unit, U_UP);
        if (live != NONE && core->walk.goal != GO_EXIT)
            check_on(core, live);
    }
    if (first) {
        look_started(core);
        checkpoints_schedule(core);
    }
    units_wake(core);
}

void unit_spawned(struct core *core, uint16_t unit) {
    uint16_t check = core->model->units[unit].ready;
    if (core->units[unit].state != U_STARTING)
        return;
    core->dirty = true;
    if (check != NONE && !is_answered(core, check))
        check_on(core, check);
    else if (check == NONE && service_of(core, unit)->type == TYPE_SERVICE)
        ready(core, unit);
}

static bool counts_as_success(const struct service *service, int exit) {
    if (exit >= 0)
        return codes_have(service->success_codes, exit);
    return (service->success_signals & signal_bit(-exit)) != 0;
}

/* By success, or by a stop signal that it was sent, told by the kernel or by itself. */
static bool ended_well(const struct core *core, uint16_t unit) {
    const struct job *job = &core->jobs[core_job_of_unit(core, unit)];
    int signal = job->exit < 0 ? -job->exit : job->exit - 128;
    if (signal >= 1 && signal <= SIGNAL_MAX && job->sent & signal_bit(signal))
        return true;
    return counts_as_success(service_of(core, unit), job->exit);
}

/* The end for good of main or of an essential unit ends the container, once it may. A lone command is
 * all there is: its end is the end, also when it was drained or stopped by hand. */
static void tell_walk(struct core *core, uint16_t unit) {
    const struct service *service = service_of(core, unit);
    const struct unit *u = unit_at(core, unit);
    bool lone = core->model->policy.single;
    if (!u->for_good || (!lone && core->walk.goal != GO_RUN))
        return;
    if (service->main) {
        walk_stop(core, BY_MAIN, unit);
        if (lone)
            walk_raise_floor(core, PH_STOP); /* there is nobody left to announce for */
    } else if (service->essential && (service->type == TYPE_SERVICE || !u->ended_well))
        walk_stop(core, BY_SERVICE, unit);
}

/* Nothing runs, nothing waits for its time, and nobody has put anything to rest by hand. */
static void look_all_ended(struct core *core) {
    if (core->walk.goal != GO_RUN || core->walk.undoing || core->model->n_units == 0)
        return;
    for (uint16_t unit = 0; unit < core->model->n_units; unit++) {
        const struct unit *u = &core->units[unit];
        if (unit_live(core, unit) || u->held || u->state == U_BACKOFF)
            return;
        if (u->state == U_WAITING && is_its_turn(core, unit))
            return;
    }
    walk_stop(core, BY_ALL_ENDED, 0);
}

static void say_end(struct core *core, uint16_t unit) {
    const struct unit *u = unit_at(core, unit);
    if (core->walk.goal == GO_EXIT || u->next == NEXT_AGAIN || u->next == NEXT_BACKOFF || core->model->policy.single)
        return;
    note(core, u->next == NEXT_FAILED ? NOTE_FAILED : NOTE_ENDED, unit, u->exit);
}

void unit_leader(struct core *core, uint16_t unit) {
    const struct job *job = &core->jobs[core_job_of_unit(core, unit)];
    struct unit *u = unit_at(core, unit);
    bool oneshot = service_of(core, unit)->type == TYPE_ONESHOT;
    bool by_hand = u->held && !core->model->policy.single;
    u->exit = job->exit;
    u->ended_well = ended_well(core, unit) && !(u->timed_out && core->walk.goal != GO_EXIT);
    u->ready = false;
    check_off(core, core->model->units[unit].ready);
    check_off(core, core->model->units[unit].live);
    u->next = restart_next(core, unit);
    u->for_good = (u->next == NEXT_DOWN || u->next == NEXT_FAILED) && !by_hand;
    say_end(core, unit);
    if (unit_live(core, unit))
        job_stop_leftovers(core, core_job_of_unit(core, unit), after(core->now, MS(LEFTOVER_MS)));
    become(core, unit, U_STOPPING);
    if (oneshot && u->next == NEXT_DOWN && counts_as_success(service_of(core, unit), u->exit))
        ready(core, unit);
    tell_walk(core, unit);
}

void unit_gone(struct core *core, uint16_t unit) {
    struct unit *u = unit_at(core, unit);
    bool wants = walk_wants_services(core);
    switch ((enum next)u->next) {
    case NEXT_AGAIN:
        if (wants) {
            u->restarts++;
            unit_start(core, unit);
        } else {
            become(core, unit, core->walk.goal == GO_EXIT ? U_DOWN : U_BACKOFF);
        }
        break;
    case NEXT_BACKOFF:
        if (core->walk.goal == GO_EXIT) {
            become(core, unit, u->ended_well ? U_DOWN : U_FAILED);
            break;
        }
        become(core, unit, U_BACKOFF);
        if (wants) {
            span delay = restart_delay(service_of(core, unit), u->burst);
            set_due(core, unit, after(core->now, delay));
            note(core, NOTE_RESTARTING, unit, (int32_t)span_ms(delay));
        }
        break;
    case NEXT_DOWN: become(core, unit, U_DOWN); break;
    case NEXT_FAILED: become(core, unit, U_FAILED); break;
    }
    steps_unit_ended(core, unit);
    look_all_ended(core);
}

/* By hand, or for a fault of its own: no plan gives it a deadline. */
void unit_stop_alone(struct core *core, uint16_t unit) {
    span most = service_of(core, unit)->stop_timeout;
    unit_stop(core, unit, after(core->now, is_forever(most) ? MS(HAND_STOP_MS) : most));
}

/* The policy hears of an abnormal end. */
static void put_down(struct core *core, uint16_t unit, uint8_t why) {
    unit_at(core, unit)->timed_out = true;
    unit_at(core, unit)->relive = why == NOTE_UNHEALTHY;
    note(core, why, unit, 0);
    unit_stop_alone(core, unit);
}

void unit_due(struct core *core, uint16_t unit) {
    struct unit *u = unit_at(core, unit);
    if (u->state == U_BACKOFF && walk_wants_services(core)) {
        u->restarts++;
        unit_start(core, unit);
    } else if (u->state == U_STARTING) {
        put_down(core, unit, NOTE_NOT_READY);
    }
}

void unit_check_turned(struct core *core, uint16_t check) {
    const struct check_policy *policy = &core->model->checks[check];
    uint16_t unit = policy->unit;
    struct unit *u = unit_at(core, unit);
    bool passing = core->checks[check].passing;
    if (!policy->live) {
        if (passing && u->state != U_STOPPING)
            ready(core, unit);
        else
            u->ready = false;
        return;
    }
    if (passing || core->walk.goal != GO_RUN || u->state != U_UP)
        return;
    switch ((enum live_then)policy->then) {
    case THEN_RESTART: put_down(core, unit, NOTE_UNHEALTHY); break;
    case THEN_FAIL: note(core, NOTE_UNHEALTHY, unit, 0); break;
    case THEN_SHUTDOWN:
        note(core, NOTE_UNHEALTHY, unit, 0);
        walk_stop(core, BY_LIVE, unit);
        break;
    }
}

/* A stop-command that hangs ends early enough for the stop signal to come before KILL, and does not keep it back if
 * even KILL does not end it. */
static void plan_end(struct core *core, uint16_t unit, instant deadline) {
    span margin = shorter(MS(LAST_WORD_MS), (span){until(core->now, deadline).ns / 5});
    instant last_word = ago(deadline, margin);
    job_stop(core, core_job_of_unit(core, unit), last_word, deadline);
    job_stop(core, core_job_of_aux(core, unit), ago(last_word, margin), last_word);
}

/* Begins to stop it; its step, its errand or its policy waits for unit_gone. */
void unit_stop(struct core *core, uint16_t unit, instant deadline) {
    uint16_t slot = core_job_of_unit(core, unit), aux = core_job_of_aux(core, unit);
    bool told; /* to stop, before */
    if (!unit_live(core, unit)) {
        if (unit_at(core, unit)->state != U_FAILED)
            become(core, unit, U_DOWN);
        return;
    }
    told = core->units[unit].state == U_STOPPING;
    become(core, unit, U_STOPPING);
    unit_at(core, unit)->ready = false;
    if (!core->model->policy.single)
        emit(core, (struct action){.kind = A_WATCH_TREE, .job = {slot, core->jobs[slot].gen}});
    if (service_of(core, unit)->has_stop_command && core->jobs[slot].state == J_UP && !job_live(core, aux)) {
        job_start(core, aux, CMD_STOP, unit);
        told = true;
    }
    if (told && job_live(core, aux) && core->jobs[aux].what == CMD_STOP) /* not of the run before */
        plan_end(core, unit, deadline);
    else
        job_stop(core, slot, core->now, deadline);
}

/* A stop-command has had its say: if the service is still there, its stop signal follows at once. */
void unit_aux_ended(struct core *core, uint16_t unit) {
    if (core->units[unit].state == U_STOPPING)
        job_stop(core, core_job_of_unit(core, unit), core->now, NEVER);
}

/* EXTEND_TIMEOUT_USEC: a stop is extended by its step, a start here. */
void unit_extend(struct core *core, uint16_t unit, span more) {
    instant at = agenda_when(&core->agenda, alarm_of_unit(core, unit));
    if (core->units[unit].state == U_STARTING)
        set_due(core, unit, later_of(at, after(core->now, more))); /* NEVER stays */
}

void units_noticed(struct core *core) {
    for (uint16_t unit = 0; unit < core->model->n_units; unit++)
        unit_at(core, unit)->at_rest = !unit_live(core, unit);
}

void units_rest(struct core *core) {
    for (uint16_t unit = 0; unit < core->model->n_units; unit++) {
        struct unit *u = unit_at(core, unit);
        uint16_t live = core->model->units[unit].live;
        u->again = false;
        check_off(core, live);
        set_due(core, unit, NEVER);
        if (u->state == U_WAITING || u->state == U_BACKOFF)
            become(core, unit, u->state == U_BACKOFF && !u->ended_well ? U_FAILED : U_DOWN);
    }
}

void units_resume(struct core *core) {
    for (uint16_t unit = 0; unit < core->model->n_units; unit++) {
        struct unit *u = unit_at(core, unit);
        if (u->state == U_BACKOFF)
            set_due(core, unit, core->now);
        else
            tell_walk(core, unit); /* also of one whose leader has ended, and whose tree has not */
    }
    for (uint16_t check = 0; check < core->model->n_checks; check++)
        if (core->model->checks[check].live)
            unit_check_turned(core, check); /* what has failed meanwhile */
    checkpoints_judge(core);
    units_wake(core);
    look_all_ended(core);
}
