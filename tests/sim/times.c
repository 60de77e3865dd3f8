/* times.c: what each step is given, word for word; and when nothing may be left. */
#include "sim.h"

/* By stage: what is promised in all, what of it is written, and all that later ones are promised. */
static span promised[MOST_UNITS + 32], written[MOST_UNITS + 32], later_ones[MOST_UNITS + 32];

static const struct policy *policy(void) { return &scene.model.policy; }
static instant last_moment(void) { return after(sim.core.walk.clock, policy()->grace); }
instant end_of_steps(void) { return after(sim.core.walk.clock, minus(policy()->grace, policy()->reserve)); }

static bool is_written(const struct row *row) {
    if (row->action == DO_STOP)
        return !is_forever(scene.services[scene.units[row->subject].service].guarantee);
    return row->subject != NONE && !is_forever(scene.steps[row->subject].guarantee);
}

void rules_promises(void) {
    const struct walk *walk = &sim.core.walk;
    span sum = NO_TIME;
    for (uint16_t i = 0; i < walk->n_stages; i++)
        promised[i] = written[i] = NO_TIME;
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        const struct row *row = &walk->rows[i];
        promised[row->stage] = longer(promised[row->stage], row->guarantee);
        if (is_written(row))
            written[row->stage] = longer(written[row->stage], row->guarantee);
    }
    for (uint16_t i = walk->n_stages; i > 0; i--) {
        later_ones[i - 1] = sum;
        sum = plus(sum, promised[i - 1]);
    }
}

static span part(span own, span all, span left) {
    return all.ns == 0 ? NO_TIME : (span){(int64_t)((__int128)own.ns * left.ns / all.ns)};
}

/* What a stage's promise is worth, when not all fit: the unwritten ones are scaled down by one factor, then the
 * written ones. */
static span worth(uint16_t stage, span all_written, span all, span left) {
    if (all_written.ns > left.ns)
        return part(written[stage], all_written, left);
    return plus(written[stage], part(minus(promised[stage], written[stage]), minus(all, all_written), minus(left, all_written)));
}

static span allowed_of(uint16_t stage, span left) {
    span all = plus(promised[stage], later_ones[stage]), all_written = NO_TIME, later = later_ones[stage], own = promised[stage];
    if (all.ns > left.ns) {
        for (uint16_t i = stage; i < sim.core.walk.n_stages; i++)
            all_written = plus(all_written, written[i]);
        own = worth(stage, all_written, all, left);
        later = NO_TIME;
        for (uint16_t i = (uint16_t)(stage + 1); i < sim.core.walk.n_stages; i++)
            later = plus(later, worth(i, all_written, all, left));
    }
    return shorter(left, longer(own, minus(left, later)));
}

static span most_of(const struct row *row) {
    switch ((enum action_of_step)row->action) {
    case DO_ANNOUNCE: return policy()->announce_min;
    case DO_STOP: return scene.services[scene.units[row->subject].service].stop_timeout;
    case DO_SWEEP: return SEC(2);
    case DO_COMMAND: case DO_SIGNAL: case DO_WAIT_EXIT: case DO_CHECKPOINT: return scene.steps[row->subject].timeout;
    case DO_SLEEP: return shorter(scene.steps[row->subject].timeout, scene.steps[row->subject].sleep);
    case DO_RECORD: return SEC(1);
    case DO_N: break;
    }
    return FOREVER;
}

static span left_now(void) { return sim.core.walk.no_time ? NO_TIME : until(sim.now, end_of_steps()); }

static void rules_deadline(const struct row *row, uint16_t number, instant expected) {
    span left = left_now();
    bool fits = plus(promised[row->stage], later_ones[row->stage]).ns <= left.ns;
    int64_t beside = row->deadline.ns > expected.ns ? row->deadline.ns - expected.ns : expected.ns - row->deadline.ns;
    if (beside > (fits ? 0 : 2 * (sim.core.walk.n_stages + 1) * NS_PER_MS)) /* shares are of whole milliseconds */
        fail("row %u: deadline %lld ms, not %lld", number, (long long)(row->deadline.ns / NS_PER_MS),
             (long long)(expected.ns / NS_PER_MS));
    if (!fits && sim.fits && scene.latency.ns == 0 && !sim.core.walk.no_time)
        fail("row %u is not given what it was promised", number);
}

/* What is being put down already gets no longer for the stop. */
static instant put_down_until(const struct row *row) {
    const struct job *job = &sim.core.jobs[row->action == DO_STOP ? row->subject : 0];
    bool may_be = row->action == DO_STOP && (sim.put_down[row->subject] || sim.held[row->subject] || sim.by_hand);
    return may_be && job->state != J_LEFT ? job->kill_at : NEVER;
}

/* DESIGN 5, word for word. */
void rules_opening(const struct row *row, uint16_t number) {
    instant expected = after(sim.now, shorter(most_of(row), allowed_of(row->stage, left_now())));
    if (row->action == DO_SLEEP && row->state != S_ACT && row->state != S_DONE)
        return; /* its end is not known before it begins to sleep */
    rules_deadline(row, number, earlier(expected, put_down_until(row)));
}

/* A clock has begun, or all is to be killed, while it runs. */
void rules_shortened(const struct row *row, const struct row *old, uint16_t number) {
    rules_deadline(row, number, earlier(old->deadline, after(sim.now, allowed_of(row->stage, left_now()))));
}

/* A service has asked for more time to stop: inside what no later stage is promised. */
void rules_extended(const struct row *row, const struct row *old, const struct event *event) {
    span left = left_now(), spare = minus(left, later_ones[row->stage]);
    instant most = after(sim.now, shorter(event->more, spare));
    if (later_ones[row->stage].ns <= left.ns && row->deadline.ns != later_of(old->deadline, most).ns)
        fail("unit %u asked for more time to stop, and gets something else", row->subject);
}

/* A notice: does everything that is still to come fit? Asked before the rows of this step are looked at. */
void rules_notice(void) {
    const struct walk *walk = &sim.core.walk;
    uint16_t stage = sim.goal == GO_RUN || sim.resumed ? 0 : sim.stage;
    if (is_never(walk->clock) || (!is_never(sim.clock) && !sim.resumed && sim.goal >= walk->goal) || stage >= walk->n_stages)
        return;
    sim.fits = plus(promised[stage], later_ones[stage]).ns <= until(sim.now, end_of_steps()).ns;
}

void rules_time(void) {
    const struct walk *walk = &sim.core.walk;
    if (!before(sim.now, core_next(&sim.core)))
        fail("a busy loop: next is not later than now");
    if (sim.exited) {
        if (!is_never(core_next(&sim.core)))
            fail("something is armed after the exit");
        return;
    }
    if (walk->goal == GO_DRAIN && !is_never(walk->clock) && sim.goal == GO_DRAIN && !is_never(sim.clock) && due(sim.lapse, sim.now))
        fail("a prestop outlives its grace");
    if (walk->goal == GO_DRAIN && !is_never(walk->clock) && !is_forever(policy()->grace) && is_never(core_next(&sim.core)))
        fail("a clock runs, and nothing is armed");
    if (walk->goal != GO_EXIT || is_forever(policy()->grace))
        return;
    if (due(last_moment(), sim.now))
        fail("beyond clock + grace");
    if (before(last_moment(), core_next(&sim.core)))
        fail("nothing is armed before clock + grace");
}
