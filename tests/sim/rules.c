/* rules.c: what must hold, whatever happens. Made from the design, with nothing from the core but what
 * others may read: rows, states, the clock. */
#include <stdarg.h>

#include "sim.h"

static span promised[MOST_UNITS + 32], later_ones[MOST_UNITS + 32]; /* by stage */
static uint16_t row_of_unit[MOST_UNITS], row_of_step[MOST_STEPS_];

void fail(const char *format, ...) {
    va_list list;
    if (sim.failure)
        return;
    va_start(list, format);
    vsnprintf(sim.text, sizeof sim.text, format, list);
    va_end(list);
    sim.failure = sim.text;
}

static const struct policy *policy(void) { return &sim.model.policy; }
static instant last_moment(void) { return after(sim.core.walk.clock, policy()->grace); }
static instant end_of_steps(void) { return after(sim.core.walk.clock, minus(policy()->grace, policy()->reserve)); }

void rules_begin(void) {
    const struct walk *walk = &sim.core.walk;
    span sum = NO_TIME;
    sim.goal = GO_RUN, sim.floor = 0;
    sim.clock = sim.notice = NEVER;
    sim.fits = sim.exited = sim.resumed = false;
    for (uint16_t i = 0; i < sim.model.n_units; i++)
        sim.last_exit[i] = EXIT_UNKNOWN, sim.last_sent[i] = 0, sim.gone[i] = NEVER;
    sim.by_hand = false;
    sim.last_end = (instant){0};
    sim.published = 0;
    sim.undo_row = NONE;
    for (uint16_t i = 0; i < walk->n_stages; i++)
        promised[i] = NO_TIME;
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        const struct row *row = &walk->rows[i];
        sim.rows[i] = *row;
        promised[row->stage] = longer(promised[row->stage], row->guarantee);
        if (row->action == DO_STOP)
            row_of_unit[row->subject] = i;
        else if (row->subject != NONE)
            row_of_step[row->subject] = i;
    }
    for (uint16_t i = walk->n_stages; i > 0; i--) {
        later_ones[i - 1] = sum;
        sum = plus(sum, promised[i - 1]);
    }
}

/* ---- actions ---- */

static bool service_ready(uint16_t service) {
    for (uint16_t u = 0; u < sim.services[service].n_units; u++)
        if (!sim.core.units[sim.services[service].first_unit + u].ready)
            return false;
    return true;
}

/* The first run waits until all that it comes after are ready. */
static void rules_first_start(uint16_t unit) {
    const struct service *service = &sim.services[sim.units[unit].service];
    for (uint16_t i = 0; i < service->n_after && sim.last_exit[unit] == EXIT_UNKNOWN && !sim.by_hand; i++)
        if (!service_ready(service->after[i]))
            fail("unit %u is started before service %u is ready", unit, service->after[i]);
}

/* A run after the first: somebody has asked for it, a live check has failed, or the policy says so. */
static void rules_restart(uint16_t unit) {
    const struct service *service = &sim.services[sim.units[unit].service];
    const struct unit *u = &sim.core.units[unit];
    int exit = sim.last_exit[unit];
    bool never = service->restart == RESTART_NO ||
                 (service->restart != RESTART_ALWAYS && is_success(service, exit)) ||
                 (service->restart == RESTART_ON_ABNORMAL && exit >= 0);
    if (exit == EXIT_UNKNOWN || sim.by_hand)
        return;
    if (never && sim.units[unit].live == NONE && is_forever(service->ready_timeout))
        fail("unit %u is started again against its policy", unit);
    if (!is_never(sim.gone[unit]) && before(sim.now, after(sim.gone[unit], service->restart_min)))
        fail("unit %u is started again too soon", unit);
    if (u->burst > service->restart_limit)
        fail("unit %u is started again too often", unit);
}

static void rules_spawn(const struct action *action) {
    const struct proc *proc = &sim.procs[action->job.job];
    const struct walk *walk = &sim.core.walk;
    if (proc->state != P_NONE)
        fail("a spawn over a live job in slot %u", action->job.job);
    switch ((enum command_kind)action->value) {
    case CMD_RUN:
        if (walk->goal != GO_RUN || !is_never(walk->clock))
            fail("unit %u is started while a drain or a clock runs", action->subject);
        if (policy()->phases_only)
            fail("unit %u is another's", action->subject);
        rules_first_start(action->subject);
        rules_restart(action->subject);
        break;
    case CMD_STEP:
    case CMD_ONLY_IF:
        if (core_ready(&sim.core) && !policy()->keep_ready)
            fail("step %u begins while readiness is on", action->subject);
        if (walk->goal == GO_RUN || walk->rows[row_of_step[action->subject]].stage > walk->stage)
            fail("step %u begins before its stage", action->subject);
        if (sim.rows[row_of_step[action->subject]].stage < walk->stage && sim.goal == walk->goal && !row_ended(&walk->rows[row_of_step[action->subject]]))
            fail("step %u begins after a later stage has begun", action->subject);
        break;
    case CMD_UNDO:
        if (walk->goal != GO_RUN)
            fail("step %u is undone in a drain", action->subject);
        if (sim.undo_row != NONE && row_of_step[action->subject] >= sim.undo_row)
            fail("undo of row %u comes after row %u", row_of_step[action->subject], sim.undo_row);
        sim.undo_row = row_of_step[action->subject];
        break;
    case CMD_CHECK:
        if (!sim.core.checks[action->subject].on && !sim.core.jobs[action->job.job].killed)
            fail("check %u runs though it is off", action->subject);
        break;
    case CMD_STOP: case CMD_RELOAD: case CMD_NET: case CMD_N: break;
    }
}

static void rules_target(const struct action *action, const char *what) {
    const struct proc *proc = &sim.procs[action->job.job];
    if (proc->state == P_NONE || proc->gen != action->job.gen)
        fail("%s for slot %u, where nothing of ours is", what, action->job.job);
}

/* What ended in a drain is started again at once. */
static void rules_resumed(void) {
    sim.resumed = true;
    for (uint16_t i = 0; i < sim.model.n_units; i++)
        sim.gone[i] = NEVER;
}

void rules_action(const struct action *action, uint32_t place) {
    const struct proc *proc = &sim.procs[action->job.job];
    switch ((enum action_kind)action->kind) {
    case A_SPAWN: rules_spawn(action); break;
    case A_SIGNAL:
        rules_target(action, "a signal");
        if (action->signal < 1 || action->signal > SIGNAL_MAX)
            fail("signal %u to slot %u", action->signal, action->job.job);
        if (action->value == TO_LEADER && proc->told_end)
            fail("a signal to the leader of slot %u, which has been reaped", action->job.job);
        sim.procs[action->job.job].sent |= sim.core.jobs[action->job.job].sent & signal_bit(action->signal);
        if (place + 1 < sim.out.n && action[1].kind == A_SIGNAL && action[1].signal == K_CONT)
            sim.procs[action->job.job].sent |= signal_bit(action->signal);
        break;
    case A_KILL:
        rules_target(action, "KILL");
        if (sim.core.jobs[action->job.job].state == J_ASKED) /* nothing of it has run: KILL may be its stop signal */
            sim.procs[action->job.job].sent |= sim.core.jobs[action->job.job].sent & signal_bit(K_KILL);
        if ((proc->what == CMD_STEP || proc->what == CMD_ONLY_IF) && proc->state == P_UP && !proc->zombie && !proc->sent &&
            sim.core.jobs[action->job.job].rung == 0 && sim.core.jobs[action->job.job].state == J_UP && sim.latency.ns == 0 && !sim.core.walk.no_time)
            fail("slot %u, a step's, gets KILL without TERM", action->job.job);
        break;
    case A_WATCH_TREE: rules_target(action, "a look at the tree"); break;
    case A_FORGET:
        rules_target(action, "a farewell");
        if (!proc->zombie)
            fail("slot %u is forgotten while its leader lives", action->job.job);
        if (proc->what == CMD_RUN && proc->tail && !proc->undying && !policy()->single)
            fail("slot %u is forgotten while its group lives", action->job.job);
        if (proc->what == CMD_RUN)
            sim.gone[proc->owner] = sim.now;
        break;
    case A_PUBLISH:
        if (place != 0)
            fail("PUBLISH is not the first");
        break;
    case A_EXIT:
        if (place + 1 != sim.out.n || sim.exited)
            fail("EXIT is not the last");
        sim.exited = true;
        break;
    case A_SWEEP: case A_SWEEP_KILL:
        if (sim.core.walk.goal != GO_EXIT)
            fail("a sweep without a stop");
        break;
    case A_NOTE:
        if (action->value == NOTE_RESUMED)
            rules_resumed();
        break;
    case A_NOTHING: case A_N: break;
    }
}

/* ---- rows ---- */

static span most_of(const struct row *row) {
    switch ((enum action_of_step)row->action) {
    case DO_ANNOUNCE: return policy()->announce_min;
    case DO_STOP: return sim.services[sim.units[row->subject].service].stop_timeout;
    case DO_SWEEP: return SEC(2);
    case DO_COMMAND: case DO_SIGNAL: case DO_WAIT_EXIT: return sim.steps[row->subject].timeout;
    case DO_SLEEP: return shorter(sim.steps[row->subject].timeout, sim.steps[row->subject].sleep);
    case DO_CHECKPOINT: case DO_RECORD: case DO_N: break; /* in no plan of the sim yet */
    }
    return FOREVER;
}

/* DESIGN 5, word for word, where everything fits. */
static void rules_opening(const struct row *row, uint16_t number) {
    span left = sim.core.walk.no_time ? NO_TIME : until(sim.now, end_of_steps());
    span own = promised[row->stage], later = later_ones[row->stage], allowed;
    bool fits = plus(own, later).ns <= left.ns;
    instant expected;
    if (row->action == DO_SLEEP && row->state != S_ACT && row->state != S_DONE)
        return; /* its end is not known before it begins to sleep */
    if (!fits) {
        if (sim.fits && sim.latency.ns == 0 && !sim.core.walk.no_time)
            fail("row %u is not given what it was promised", number);
        if (until(sim.now, row->deadline).ns > left.ns)
            fail("row %u is given more than is left", number);
        return;
    }
    allowed = shorter(left, longer(own, minus(left, later)));
    expected = after(sim.now, shorter(most_of(row), allowed));
    if (row->deadline.ns != expected.ns)
        fail("row %u: deadline %lld ms, not %lld", number, (long long)(row->deadline.ns / NS_PER_MS),
             (long long)(expected.ns / NS_PER_MS));
}

static void rules_running(const struct row *row, const struct row *old, uint16_t number, const struct event *event) {
    const struct walk *walk = &sim.core.walk;
    if (walk->goal == GO_RUN || !walk->open || row->stage != walk->stage)
        fail("row %u runs outside its stage", number);
    if (due(row->deadline, sim.now))
        fail("row %u runs beyond its deadline", number);
    if (!is_never(walk->clock) && !is_forever(policy()->grace) && before(end_of_steps(), row->deadline))
        fail("row %u may run into the reserve", number);
    if (row_running(old) && old->start.ns == row->start.ns && before(old->deadline, row->deadline) &&
        !(event->kind == EV_EXTEND && row->action == DO_STOP && row->subject == event->subject) &&
        sim.goal <= walk->goal)
        fail("row %u: its deadline moves later", number);
}

static void rules_row(uint16_t number, const struct event *event) {
    const struct walk *walk = &sim.core.walk;
    const struct row *row = &walk->rows[number], *old = &sim.rows[number];
    bool rewound = sim.goal == GO_RUN || walk->goal == GO_RUN || sim.resumed;
    if (walk->goal != GO_RUN && row->stage < walk->stage && !row_ended(row))
        fail("row %u has not ended, and a later stage has begun", number);
    if (walk->goal != GO_RUN && row->stage > walk->stage && row->state != S_PENDING)
        fail("row %u has begun before its stage", number);
    if (row_running(row))
        rules_running(row, old, number, event);
    if (!rewound && row_ended(old) && (row->state != old->state || row->end.ns != old->end.ns))
        fail("row %u has ended twice", number);
    if (old->state == S_PENDING && !is_never(row->start) && row->start.ns == sim.now.ns && row->state != S_PENDING)
        rules_opening(row, number);
    if (row_ended(row) && !is_never(row->start) && before(row->end, row->start))
        fail("row %u ends before it starts", number);
    sim.rows[number] = *row;
}

/* ---- the walk ---- */

/* A notice: does everything that is still to come fit? Asked before the rows of this step are looked at. */
static void rules_notice(void) {
    const struct walk *walk = &sim.core.walk;
    uint16_t stage = sim.goal == GO_RUN || sim.resumed ? 0 : sim.stage;
    if (is_never(walk->clock) || (!is_never(sim.clock) && !sim.resumed && sim.goal >= walk->goal) || stage >= walk->n_stages)
        return;
    sim.fits = plus(promised[stage], later_ones[stage]).ns <= until(sim.now, end_of_steps()).ns;
}

static void rules_stop_began(void) {
    const struct walk *walk = &sim.core.walk;
    sim.notice = sim.now;
    if (walk->cause == BY_MAIN || walk->cause == BY_SERVICE) {
        const struct service *service = &sim.services[sim.units[walk->cause_value].service];
        if (service->restart == RESTART_ALWAYS && sim.core.units[walk->cause_value].burst < service->restart_limit && !sim.by_hand)
            fail("unit %u ends it, and would be started again", walk->cause_value);
    }
    for (uint16_t unit = 0; unit < sim.model.n_units; unit++)
        sim.was_running[unit] = sim.procs[unit].state != P_NONE;
}

static void rules_walk(const struct event *event) {
    const struct walk *walk = &sim.core.walk;
    bool published = sim.out.n > 0 && sim.out.v[0].kind == A_PUBLISH;
    if (sim.goal == GO_EXIT && walk->goal != GO_EXIT)
        fail("a stop was taken back");
    if (sim.goal == GO_RUN && walk->goal != GO_RUN) {
        if (!published)
            fail("a drain or stop began, and nothing was published");
        sim.undo_row = NONE;
    }
    if (walk->goal != GO_RUN && core_ready(&sim.core) && !policy()->keep_ready)
        fail("ready in a drain or stop");
    if (walk->goal == GO_EXIT && is_never(walk->clock))
        fail("a stop without a clock");
    if (sim.goal != GO_RUN && !sim.resumed && walk->goal >= sim.goal && !is_never(sim.clock) && sim.clock.ns != walk->clock.ns)
        fail("the clock has moved");
    if (sim.goal != GO_EXIT && walk->goal == GO_EXIT)
        rules_stop_began();
    if (sim.goal == GO_RUN && walk->goal != GO_RUN && before(walk->clock, sim.now) &&
        !(event->kind == EV_ASK && event->verb == ASK_PRESTOP))
        fail("a new notice has an old clock");
    sim.stage = walk->stage;
    sim.goal = walk->goal;
    sim.clock = walk->clock;
    sim.resumed = false;
}

static void rules_time(void) {
    const struct walk *walk = &sim.core.walk;
    if (!before(sim.now, core_next(&sim.core)))
        fail("a busy loop: next is not later than now");
    if (sim.exited) {
        if (!is_never(core_next(&sim.core)))
            fail("something is armed after the exit");
        return;
    }
    if (walk->goal != GO_EXIT || is_forever(policy()->grace))
        return;
    if (due(last_moment(), sim.now))
        fail("beyond clock + grace");
    if (before(last_moment(), core_next(&sim.core)))
        fail("nothing is armed before clock + grace");
}

/* ---- units ---- */

static bool has_a_job(uint8_t state) { return state == U_STARTING || state == U_UP || state == U_STOPPING; }

static void rules_unit(uint16_t unit) {
    const struct service *service = &sim.services[sim.units[unit].service];
    const struct unit *u = &sim.core.units[unit];
    const struct proc *proc = &sim.procs[core_job_of_unit(&sim.core, unit)];
    bool may = sim.units[unit].ordinal == 0 && !policy()->phases_only && sim.core.walk.goal == GO_RUN && !sim.core.walk.undoing;
    if (has_a_job(u->state) != (sim.core.jobs[unit].state != J_NONE))
        fail("unit %u is %s, and its job is not", unit, unit_state_name(u->state));
    if ((sim.core.jobs[unit].state != J_NONE) != (proc->state != P_NONE))
        fail("unit %u: the core and the world do not agree", unit);
    if (u->ready && u->state != U_UP && service->type == TYPE_SERVICE)
        fail("unit %u is %s, and ready", unit, unit_state_name(u->state));
    if (sim.core.walk.goal == GO_EXIT && sim.core.walk.rows[row_of_unit[unit]].state == S_ACT && proc->state == P_UP && !proc->zombie &&
        !proc->sent && !proc->was_killed && sim.core.jobs[unit].state == J_UP && sim.core.jobs[core_job_of_aux(&sim.core, unit)].state == J_NONE)
        fail("unit %u is to stop, and has not been told", unit);
    if (sim.core.walk.goal == GO_RUN && !sim.core.walk.undoing && !sim.by_hand && service->essential &&
        (service->type == TYPE_SERVICE ? u->state == U_FAILED || u->state == U_DOWN : u->state == U_FAILED && !u->ended_well))
        fail("unit %u has ended for good, and nothing follows", unit);
    if (u->state != U_WAITING)
        return;
    for (uint16_t i = 0; i < service->n_after; i++)
        may &= service_ready(service->after[i]);
    if (may)
        fail("unit %u waits for nothing", unit);
}

void rules_step(const struct event *event) {
    bool published = sim.out.n > 0 && sim.out.v[0].kind == A_PUBLISH;
    if (sim.out.n >= sim.out.room)
        fail("the actions do not fit: %u", sim.out.n);
    rules_time();
    rules_notice();
    for (uint16_t i = 0; i < sim.core.walk.n_rows && (published || sim.core.walk.n_rows < 24); i++)
        rules_row(i, event);
    rules_walk(event);
    for (uint16_t i = 0; i < sim.model.n_units && (published || sim.model.n_units < 12) && !sim.exited; i++)
        rules_unit(i);
    if (sim.deep)
        rules_page();
    if (sim.exited)
        rules_exit();
}

/* All that happens now has happened. */
void rules_turn(void) {
    if (sim.alive == 0 && sim.core.sweeping && !sim.exited)
        fail("nothing is left, and it waits");
}

/* Nothing will ever happen. */
void rules_stuck(void) {
    if (is_forever(policy()->grace) && sim.procs[0].state != P_NONE)
        world_end_main();
    else
        fail("stuck");
}
