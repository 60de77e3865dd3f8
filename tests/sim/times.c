/* times.c: what each step is given, word for word; and when nothing may be left. */
#include "sim.h"

static span promised[MOST_UNITS + 32], later_ones[MOST_UNITS + 32]; /* by stage */

static const struct policy *policy(void) { return &scene.model.policy; }
static instant last_moment(void) { return after(sim.core.walk.clock, policy()->grace); }
instant end_of_steps(void) { return after(sim.core.walk.clock, minus(policy()->grace, policy()->reserve)); }

void rules_promises(void) {
    const struct walk *walk = &sim.core.walk;
    span sum = NO_TIME;
    for (uint16_t i = 0; i < walk->n_stages; i++)
        promised[i] = NO_TIME;
    for (uint16_t i = 0; i < walk->n_rows; i++)
        promised[walk->rows[i].stage] = longer(promised[walk->rows[i].stage], walk->rows[i].guarantee);
    for (uint16_t i = walk->n_stages; i > 0; i--) {
        later_ones[i - 1] = sum;
        sum = plus(sum, promised[i - 1]);
    }
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

/* DESIGN 5, word for word, where everything fits. */
void rules_opening(const struct row *row, uint16_t number) {
    span left = sim.core.walk.no_time ? NO_TIME : until(sim.now, end_of_steps());
    span own = promised[row->stage], later = later_ones[row->stage], allowed;
    bool fits = plus(own, later).ns <= left.ns;
    instant expected;
    if (row->action == DO_SLEEP && row->state != S_ACT && row->state != S_DONE)
        return; /* its end is not known before it begins to sleep */
    if (!fits) {
        if (sim.fits && scene.latency.ns == 0 && !sim.core.walk.no_time)
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
    if (walk->goal == GO_DRAIN && !is_never(walk->clock) && !is_forever(policy()->grace) && is_never(core_next(&sim.core)))
        fail("a clock runs, and nothing is armed");
    if (walk->goal != GO_EXIT || is_forever(policy()->grace))
        return;
    if (due(last_moment(), sim.now))
        fail("beyond clock + grace");
    if (before(last_moment(), core_next(&sim.core)))
        fail("nothing is armed before clock + grace");
}
