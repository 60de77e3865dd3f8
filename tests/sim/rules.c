/* rules.c: what must hold after every step, whatever happened. Made from the design, with nothing from the core but
 * what others may read: rows, states, the clock. */
#include <stdarg.h>

#include "sim.h"

uint16_t row_of_unit[MOST_UNITS], row_of_step[MOST_STEPS_];

void fail(const char *format, ...) {
    va_list list;
    if (sim.failure)
        return;
    sim.rule = format;
    va_start(list, format);
    vsnprintf(sim.text, sizeof sim.text, format, list);
    va_end(list);
    sim.failure = sim.text;
}

static const struct policy *policy(void) { return &scene.model.policy; }

void rules_begin(void) {
    const struct walk *walk = &sim.core.walk;
    sim.goal = GO_RUN, sim.floor = 0;
    sim.clock = sim.notice = NEVER;
    sim.fits = sim.exited = sim.resumed = false;
    for (uint16_t i = 0; i < scene.model.n_units; i++) {
        sim.last_exit[i] = EXIT_UNKNOWN, sim.last_sent[i] = 0, sim.gone[i] = NEVER;
        sim.was_running[i] = sim.was_stopping[i] = sim.was_ready[i] = sim.put_down[i] = sim.held[i] = sim.wanted[i] = sim.at_fault[i] = sim.extended[i] = false;
    }
    sim.noticed = sim.forced = sim.by_hand = sim.hurried = sim.stale = sim.undoing = sim.kill_all = sim.never_ran = sim.drained = false;
    sim.ints = 0, sim.times_ready = 0, sim.next_reply = 0, sim.ended = CMD_N;
    memset(sim.said, 0, sizeof sim.said);
    for (uint16_t i = 0; i < scene.model.n_checks; i++)
        sim.checked[i] = (struct asked){.asked = NEVER, .next = NEVER};
    for (uint16_t i = 0; i < scene.model.n_steps; i++)
        sim.tries[i] = (struct tries){.exit = EXIT_UNKNOWN, .ended = NEVER};
    rules_checkpoints_begin();
    rules_restarts_begin();
    sim.last_end = (instant){0};
    sim.published = 0;
    sim.undo_row = NONE;
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        const struct row *row = &walk->rows[i];
        sim.rows[i] = *row;
        sim.told_state[i] = S_PENDING;
        if (row->action == DO_STOP)
            row_of_unit[row->subject] = i;
        else if (row->subject != NONE)
            row_of_step[row->subject] = i;
    }
    rules_promises();
}

/* ---- rows ---- */

static void rules_running(const struct row *row, const struct row *old, uint16_t number, const struct event *event) {
    const struct walk *walk = &sim.core.walk;
    if (walk->goal == GO_RUN || !walk->open || row->stage != walk->stage)
        fail("row %u runs outside its stage", number);
    if (due(row->deadline, sim.now))
        fail("row %u runs beyond its deadline", number);
    if (!is_never(walk->clock) && !is_forever(policy()->grace) && before(end_of_steps(), row->deadline))
        fail("row %u may run into the reserve", number);
    rules_step_waits(row, number);
    if (event->kind == EV_EXTEND && row->action == DO_STOP && row->subject == event->subject && old->state == S_ACT && !walk->no_time)
        rules_extended(row, old, event);
    if (row_running(old) && old->start.ns == row->start.ns && is_never(sim.clock) && !is_never(walk->clock) && sim.goal != GO_RUN && !sim.resumed)
        rules_shortened(row, old, number);
    if (row_running(old) && old->start.ns == row->start.ns && before(old->deadline, row->deadline) &&
        !(event->kind == EV_EXTEND && row->action == DO_STOP && row->subject == event->subject) &&
        sim.goal <= walk->goal)
        fail("row %u: its deadline moves later", number);
}

/* Most rows, most of the time: it is not its turn yet, or it has ended before. */
static bool is_old_news(const struct row *row, const struct row *old) {
    const struct walk *walk = &sim.core.walk;
    if (row->state != old->state || row->end.ns != old->end.ns || row_running(row))
        return false;
    return row_ended(row) || walk->goal == GO_RUN || (row->stage > walk->stage && row->phase >= PH_STOP && !sim.kill_all);
}

static void rules_row(uint16_t number, const struct event *event) {
    const struct walk *walk = &sim.core.walk;
    const struct row *row = &walk->rows[number], *old = &sim.rows[number];
    bool rewound;
    if (is_old_news(row, old))
        return;
    rewound = sim.goal == GO_RUN || walk->goal == GO_RUN || sim.resumed;
    if (walk->goal != GO_RUN && row->stage < walk->stage && !row_ended(row))
        fail("row %u has not ended, and a later stage has begun", number);
    if (walk->goal != GO_RUN && row->stage > walk->stage && row->state != S_PENDING)
        fail("row %u has begun before its stage", number);
    if (row_running(row))
        rules_running(row, old, number, event);
    if (row->state != S_PENDING && row->state != sim.told_state[number])
        fail("row %u is %s, and a person was told something else", number, row_state_name(row));
    if (walk->goal == GO_EXIT && !row_ended(row) && !sim.exited && (sim.kill_all || rules_phase_passed(row->phase)))
        fail("row %u goes on, and its phase is over", number);
    if (!rewound && row_ended(old) && (row->state != old->state || row->end.ns != old->end.ns))
        fail("row %u has ended twice", number);
    if (row->action == DO_STOP && row->state == S_DONE && !row_ended(old) && sim.procs[row->subject].state != P_NONE)
        fail("unit %u has been stopped, says row %u, and lives", row->subject, number);
    if (old->state == S_PENDING && !is_never(row->start) && row->start.ns == sim.now.ns && row->state != S_PENDING) {
        rules_opening(row, number);
        rules_had_ended(row, number);
    }
    if (walk->goal != GO_RUN && row_ended(row) && row->end.ns == sim.now.ns && (!row_ended(old) || old->end.ns != row->end.ns))
        rules_step_ended(row, number);
    if (row_ended(row) && !is_never(row->start) && before(row->end, row->start))
        fail("row %u ends before it starts", number);
    sim.rows[number] = *row;
}

/* ---- the walk ---- */

static void rules_stop_began(void) {
    const struct walk *walk = &sim.core.walk;
    rules_errand_stop();
    rules_checkpoints_rest();
    sim.notice = sim.now;
    if (walk->cause == BY_MAIN || walk->cause == BY_SERVICE) {
        const struct service *service = &scene.services[scene.units[walk->cause_value].service];
        if (service->restart == RESTART_ALWAYS && sim.core.units[walk->cause_value].burst < service->restart_limit && !sim.by_hand)
            fail("unit %u ends it, and would be started again", walk->cause_value);
    }
    for (uint16_t unit = 0; unit < scene.model.n_units; unit++)
        sim.was_stopping[unit] = sim.core.units[unit].state == U_STOPPING;
}

/* All is as it was before the drain. */
static void rules_as_before(void) {
    const struct walk *walk = &sim.core.walk;
    if (walk->goal != GO_RUN || walk->undoing)
        return;
    if (!is_never(walk->clock) || !is_never(walk->asked) || walk->cause != BY_NOTHING || walk->open || walk->floor)
        fail("a notice is remembered, and all runs");
    for (uint16_t i = 0; i < walk->n_rows && sim.resumed; i++) {
        const struct row *row = &walk->rows[i];
        if (row->state != S_PENDING || !is_never(row->start) || !is_never(row->end) || !is_never(row->deadline) || row->tries ||
            row->killed || row->exit != EXIT_UNKNOWN)
            fail("row %u is not as it was before", i);
    }
}

/* Whether it is drained is said once, and at once. */
static void rules_said_drained(void) {
    const struct walk *walk = &sim.core.walk;
    bool drained = walk->goal == GO_DRAIN && !walk->open && (walk->stage == walk->n_stages || walk->stages[walk->stage].phase > PH_DRAIN);
    if (sim.said[NOTE_DRAINED].n > (drained && sim.drained ? 0 : 1) || (drained && !sim.drained && sim.said[NOTE_DRAINED].n == 0))
        fail("that it is drained is said %u times", sim.said[NOTE_DRAINED].n);
    sim.drained = drained;
    if (drained != (core_life(&sim.core) == LIFE_DRAINED) && walk->goal != GO_EXIT && !walk->undoing && !sim.exited)
        fail("drained: %u", !drained);
}

/* Between two stages. */
static void rules_between(void) {
    const struct walk *walk = &sim.core.walk;
    bool saves = false;
    if (walk->goal == GO_RUN || sim.exited || policy()->phases_only)
        return;
    for (uint16_t i = 0; i < scene.model.n_checkpoints; i++) {
        const struct proc *proc = &sim.procs[core_job_of_step(&sim.core, scene.checkpoints[i].step)];
        saves |= proc->state != P_NONE && proc->what == CMD_SAVE;
    }
    if (walk->open && walk->open_rows == 0)
        fail("all of stage %u has ended, and it goes on", walk->stage);
    if (walk->open || (walk->goal == GO_DRAIN && (walk->stage == walk->n_stages || walk->stages[walk->stage].phase > PH_DRAIN)))
        return;
    if (walk->stage == walk->n_stages ? sim.core.no_children : !saves || walk->stages[walk->stage].phase < PH_STOP)
        fail("stage %u does not begin", walk->stage);
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
    if ((sim.goal == GO_RUN || sim.said[NOTE_RESUMED].n > 0) && walk->goal != GO_RUN)
        for (uint16_t unit = 0; unit < scene.model.n_units; unit++)
            sim.was_running[unit] = sim.procs[unit].state != P_NONE;
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
    if (sim.goal == GO_DRAIN && walk->goal == GO_EXIT && !sim.resumed && event->kind != EV_SIGNAL && event->kind != EV_ASK && !policy()->single)
        fail("a drain becomes a stop, and nobody has asked");
    rules_between();
    rules_as_before();
    rules_said_drained();
    if (walk->goal == GO_DRAIN && !is_never(walk->clock) && (is_never(sim.clock) || sim.goal == GO_RUN || sim.resumed))
        sim.lapse = later_of(after(walk->clock, policy()->grace), after(sim.now, policy()->reserve));
    sim.stage = walk->stage;
    sim.goal = walk->goal;
    sim.clock = walk->clock;
    sim.resumed = false;
}

/* Promise 5: with nothing to do, no timer, but for what is saved by schedule. */
static void rules_idle(void) {
    const struct walk *walk = &sim.core.walk;
    instant next = core_next(&sim.core);
    if (walk->goal != GO_RUN || walk->undoing || policy()->net || policy()->single || is_never(next))
        return;
    for (uint16_t i = 0; i < scene.model.n_checkpoints; i++)
        if (!is_never(sim.core.savers[i].next) && !before(next, sim.core.savers[i].next))
            return;
    for (uint16_t unit = 0; unit < scene.model.n_units; unit++)
        if (sim.core.units[unit].state == U_STARTING || sim.core.units[unit].state == U_BACKOFF || sim.core.units[unit].state == U_STOPPING)
            return;
    for (uint16_t slot = scene.model.n_units; slot < sim.core.n_jobs; slot++)
        if (sim.core.jobs[slot].state != J_NONE)
            return;
    for (uint16_t check = 0; check < scene.model.n_checks; check++)
        if (sim.core.checks[check].on && (scene.checks[check].kind == CHECK_EXEC || scene.checks[check].kind == CHECK_DELAY))
            return;
    fail("a timer, and nothing to do");
}

/* Those of earlier stages have ended before; while all runs there are none to look at. */
static uint16_t first_row(void) {
    const struct walk *walk = &sim.core.walk;
    bool runs = sim.goal == GO_RUN && walk->goal == GO_RUN && !sim.resumed;
    if (runs)
        return walk->n_rows;
    return sim.goal == GO_RUN || walk->goal == GO_RUN || sim.resumed || sim.stage >= walk->n_stages ? 0 : walk->stages[sim.stage].first;
}

void rules_step(const struct event *event) {
    bool published = sim.out.n > 0 && sim.out.v[0].kind == A_PUBLISH;
    bool look = published || (sim.deep && !sim.big); /* at all that others see: it changes when it is published */
    if (sim.out.n >= sim.out.room)
        fail("the actions do not fit: %u", sim.out.n);
    rules_time();
    rules_notice();
    for (uint16_t i = first_row(); look && i < sim.core.walk.n_rows; i++)
        rules_row(i, event);
    rules_follow(event);
    rules_walk(event);
    for (uint16_t i = 0; look && i < scene.model.n_units && !sim.exited; i++)
        rules_unit(i);
    rules_checkpoints(look);
    for (uint16_t i = 0; i < scene.model.n_checks && !sim.exited; i++)
        if (look || sim.checked[i].told)
            rules_check(i);
    if (look) {
        if (sim.core.walk.undoing)
            rules_undo_runs();
        rules_health();
        rules_all_ended();
    }
    if (sim.stale && (sim.out.n > 1 || sim.out.v[0].kind != A_NOTHING))
        fail("a fact about a job that has gone has an effect");
    if (sim.deep) {
        rules_page();
        rules_idle();
    }
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
