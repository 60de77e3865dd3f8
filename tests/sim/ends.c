/* ends.c: what others must see after each step, and what must hold at the exit. */
#include "sim.h"

static const struct policy *policy(void) { return &scene.model.policy; }

/* ---- what others see ---- */

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 31;
}

static uint64_t mix_row(uint64_t hash, const struct row *row) {
    hash = mix(hash, (uint64_t)row->state << 32 | (uint64_t)row->killed << 16 | (uint16_t)row->exit);
    return mix(mix(mix(hash, (uint64_t)row->start.ns), (uint64_t)row->end.ns), (uint64_t)row->deadline.ns);
}

static uint64_t what_others_see(void) {
    const struct core *core = &sim.core;
    const bool bits[8] = {core_ready(core), core_live(core), core->started, core->sweeping, core->exited};
    uint64_t hash;
    memcpy(&hash, bits, sizeof hash);
    hash = mix(hash, (uint64_t)core_life(core) << 16 | (uint64_t)core_phase(core) << 8 | core->walk.cause);
    hash = mix(mix(hash, (uint64_t)core->walk.clock.ns), (uint64_t)core->walk.asked.ns);
    hash = mix(hash, (uint64_t)core->pulse << 32 | core->next_reply);
    for (uint16_t i = 0; i < scene.model.n_units; i++) {
        const struct unit *u = &core->units[i];
        hash = mix(hash, (uint64_t)u->state << 40 | (uint64_t)u->ready << 32 | (uint16_t)u->exit);
        hash = mix(hash, u->restarts);
    }
    for (uint16_t i = 0; i < scene.model.n_checks; i++) {
        const struct check *c = &core->checks[i];
        hash = mix(hash, (uint64_t)c->on << 40 | (uint64_t)c->passing << 32 | c->gen);
    }
    for (uint16_t i = 0; i < scene.model.n_checkpoints; i++) {
        const struct saver *saver = &core->savers[i];
        hash = mix(hash, (uint64_t)saver->restore << 24 | (uint64_t)saver->why << 16 | (uint16_t)saver->exit);
        hash = mix(hash, (uint64_t)saver->attempts << 32 | saver->ended);
    }
    for (uint16_t i = 0; i < core->walk.n_rows; i++)
        hash = mix_row(hash, &core->walk.rows[i]);
    return hash;
}

void rules_page(void) {
    uint64_t hash = what_others_see();
    if (hash != sim.published && (sim.out.n == 0 || sim.out.v[0].kind != A_PUBLISH))
        fail("others see an old state");
    sim.published = hash;
}

/* ---- the exit ---- */

bool is_success(const struct service *service, int exit) {
    if (exit < 0)
        return exit != EXIT_UNKNOWN && service->success_signals & signal_bit(-exit);
    return service->success_codes[exit / 64] >> (exit % 64) & 1;
}

/* By success, or by the stop signal that it was sent; not for a fault of its own. */
bool ended_well(uint16_t unit) {
    int exit = sim.last_exit[unit], signal = exit < 0 ? -exit : exit - 128;
    if (sim.at_fault[unit])
        return false;
    if (exit == EXIT_UNKNOWN || is_success(&scene.services[scene.units[unit].service], exit))
        return true;
    return signal >= 1 && signal <= SIGNAL_MAX && sim.last_sent[unit] & signal_bit(signal);
}

static int as_code(int exit) { return exit < 0 ? 128 - exit : exit; }

/* DESIGN 9, from what the world has seen. */
static int code_of(uint16_t unit) { return ended_well(unit) ? 0 : as_code(sim.last_exit[unit]); }

/* Somebody had to be killed at a deadline that counts. */
static bool ran_out_of_time(void) {
    const struct walk *walk = &sim.core.walk;
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        const struct row *row = &walk->rows[i];
        bool required = row->subject != NONE && row->action != DO_STOP && scene.steps[row->subject].required;
        if ((row->killed && row->action == DO_STOP) || (required && row->state == S_TIMEOUT))
            return true;
    }
    return false;
}

/* The first that is not 0. ever: also of what had ended before the drain or stop. */
static int code_of_all(bool ever) {
    for (uint16_t unit = 0; unit < scene.model.n_units; unit++)
        if ((ever || sim.was_running[unit]) && code_of(unit))
            return code_of(unit);
    return 0;
}

static int code_of_main(void) {
    return scene.model.main == NONE ? code_of_all(false) : code_of(scene.services[scene.model.main].first_unit);
}

static int code_by_cause(void) {
    const struct walk *walk = &sim.core.walk;
    int code = code_of_main();
    switch ((enum cause)walk->cause) {
    case BY_MAIN: case BY_SERVICE: return code_of(walk->cause_value);
    case BY_ALL_ENDED: return code_of_all(true);
    case BY_RESTORE: return as_code(sim.kept[walk->cause_value].exit);
    case BY_LIVE: return ran_out_of_time() ? 124 : code ? code : 1;
    case BY_NOTHING: case BY_SIGNAL: case BY_SHUTDOWN: case BY_PRESTOP: case BY_DRAIN: case BY_N: break;
    }
    return ran_out_of_time() ? 124 : code;
}

/* Its own; of one that could not be reaped, that of KILL. */
static int code_of_single(void) {
    if (sim.last_exit[0] == EXIT_UNKNOWN)
        return sim.core.jobs[0].killed ? 128 + K_KILL : 0;
    return as_code(sim.last_exit[0]);
}

static int expected_code(void) {
    int code = policy()->single ? code_of_single() : code_by_cause();
    bool is_ours = policy()->single && sim.never_ran && !policy()->expect_failures;
    return policy()->phases_only || (codes_have(policy()->expect_codes, code) && !is_ours) ? 0 : code;
}

/* Too late, or something that got KILL is there still. */
static bool has_overrun(void) {
    return due(after(sim.core.walk.clock, policy()->grace), sim.now) || !sim.core.no_children;
}

/* Without a sweep, too, what got KILL is reaped. */
static void rules_reaped(void) {
    for (uint16_t slot = 0; slot < sim.core.n_jobs && !policy()->phases_only; slot++) {
        const struct job *job = &sim.core.jobs[slot];
        if (job->killed && (job->state == J_ASKED || job->state == J_UP))
            fail("slot %u got KILL, and is not reaped", slot);
    }
}

void rules_exit(void) {
    const struct walk *walk = &sim.core.walk;
    bool killed = sim.forced, bad = false;
    uint8_t verdict = core_verdict(&sim.core);
    span most = minus(policy()->grace, (span){policy()->reserve.ns / 10});
    bool time_to_reap = is_forever(most) || before(after(later_of(sim.notice, after(walk->clock, minus(most, policy()->reserve))), MS(8)), after(walk->clock, most));
    for (uint16_t i = 0; i < walk->n_rows; i++) {
        killed |= walk->rows[i].killed;
        bad |= walk->rows[i].action != DO_RECORD && (walk->rows[i].state == S_FAILED || walk->rows[i].state == S_TIMEOUT);
        if (!row_ended(&walk->rows[i]) && !policy()->phases_only)
            fail("row %u has not ended at the exit", i);
    }
    if (sim.alive > 0 && scene.mortal && policy()->sweep && scene.latency.ns == 0 && time_to_reap)
        fail("%u processes are left at the exit", sim.alive);
    if (scene.model.n_steps == 0 && policy()->announce_min.ns == 0 && !policy()->phases_only && scene.latency.ns == 0 && sim.alive == 0 &&
        sim.now.ns != later_of(sim.notice, sim.last_end).ns)
        fail("it slept though all had ended");
    bad |= rules_cut_save();
    if (verdict != VERDICT_OVERRAN && verdict != (killed ? VERDICT_FORCED : bad ? VERDICT_DEGRADED : VERDICT_CLEAN))
        fail("the verdict is %s", verdict_name(verdict));
    if (verdict != VERDICT_OVERRAN && policy()->sweep && !policy()->phases_only && !sim.core.no_children)
        fail("%u processes are left at the exit, and the verdict is %s", sim.alive, verdict_name(verdict));
    if (verdict == VERDICT_OVERRAN ? !has_overrun() : due(after(walk->clock, policy()->grace), sim.now))
        fail("the verdict is %s, and is not", verdict_name(verdict));
    if (verdict != VERDICT_OVERRAN && !sim.core.no_children)
        rules_reaped();
    if (expected_code() != sim.core.exit_code || sim.exit_said != sim.core.exit_code)
        fail("exit %d, not %d", sim.core.exit_code, expected_code());
    if (sim.core.exit_code < 0 || sim.core.exit_code > 255)
        fail("exit %d", sim.core.exit_code);
}
