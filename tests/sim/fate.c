/* fate.c: what one process will do, what comes from outside, which turns are odd. Drawn, drawn and written down, or
 * as it was written down. */
#include "sim.h"

static uint16_t last_read;

static const struct fate *read_fate(uint8_t what, uint16_t owner, uint16_t nth) {
    for (uint16_t i = 0; i < scene.n_fates; i++) {
        const struct born *it = &scene.fates[last_read++ % scene.n_fates];
        if (it->what == what && it->owner == owner && it->nth == nth)
            return &it->fate;
    }
    return NULL;
}

static span usual_life(uint8_t what, uint16_t owner) {
    if (what == CMD_RUN)
        return scene.services[scene.units[owner].service].type == TYPE_ONESHOT ? NO_TIME : FOREVER;
    return what == CMD_NET ? FOREVER : NO_TIME;
}

void fate_of(struct fate *fate, uint8_t what, uint16_t owner) {
    static const struct fate plain = {.life = {-1}, .tail_life = {INT64_MAX}, .stray_life = {INT64_MAX}, .stops = {INT64_MAX}};
    uint16_t nth = sim.births[what][owner]++;
    if (sim.source == READ) {
        const struct fate *written = scene.n_fates ? read_fate(what, owner, nth) : NULL;
        *fate = written ? *written : plain;
        if (fate->life.ns < 0)
            fate->life = usual_life(what, owner);
        return;
    }
    draw_fate(fate, what, owner);
    if (sim.source != RECORDED)
        return;
    if (scene.n_fates < MOST_FATES)
        scene.fates[scene.n_fates++] = (struct born){what, owner, nth, *fate};
    else
        sim.too_large = true;
}

/* ---- turns ---- */

static struct odd_turn *write_turn(void) {
    struct odd_turn *last = &scene.turns[scene.n_turns - 1];
    if (scene.n_turns > 0 && last->at.ns == sim.turn.at.ns && last->nth == sim.turn.nth)
        return last;
    if (scene.n_turns == MOST_TURNS) {
        sim.too_large = true;
        return last;
    }
    scene.turns[scene.n_turns++] = sim.turn;
    return &scene.turns[scene.n_turns - 1];
}

static void read_turn(void) {
    for (uint16_t i = 0; i < scene.n_turns; i++)
        if (scene.turns[i].at.ns == sim.turn.at.ns && scene.turns[i].nth == sim.turn.nth)
            sim.turn = scene.turns[i];
}

instant turn_begins(instant next) {
    next = later_of(sim.now, next);
    sim.turn = (struct odd_turn){.at = next, .nth = next.ns == sim.turn.at.ns ? sim.turn.nth + 1 : 0};
    if (sim.source == READ)
        read_turn();
    else if (scene.latency.ns && chance(30))
        sim.turn.late = about(scene.latency);
    if (sim.source == RECORDED && sim.turn.late.ns > 0)
        write_turn();
    return after(next, sim.turn.late);
}

/* matters: there are facts of both kinds. */
bool turn_ends_first(bool matters) {
    if (!matters || sim.source == READ)
        return sim.turn.ends_first;
    sim.turn.ends_first = chance(40);
    if (sim.source == RECORDED && sim.turn.ends_first)
        write_turn()->ends_first = true;
    return sim.turn.ends_first;
}

/* ---- from outside ---- */

static struct event a_signal(void) {
    static const uint8_t often[] = {K_TERM, K_TERM, K_INT, K_INT, K_INT, K_QUIT, 1, 10, 28, 40, 41, 37};
    return (struct event){.kind = EV_SIGNAL, .value = chance(95) ? often[roll(12)] : (int32_t)(1 + roll(64)),
                          .flags = chance(80) ? SIG_FROM_OUTSIDE : SIG_FROM_KERNEL};
}

static struct event a_request(void) {
    struct event event = {.kind = EV_ASK, .verb = (uint8_t)(chance(60) ? roll(4) : roll(ASK_N)), .client = roll(9)};
    event.subject = (uint16_t)roll(scene.model.n_services + (chance(2) ? 2 : 0));
    if (event.verb == ASK_CHECKPOINT)
        event.subject = chance(30) ? (uint16_t)NONE : (uint16_t)roll(scene.model.n_checkpoints + 1u);
    event.value = event.verb == ASK_PRESTOP ? (int32_t)(chance(70) ? 0 : roll(40000)) : (int32_t)(1 + roll(64));
    return event;
}

/* A fact about a job that is not there any more. */
static struct event a_stale_fact(void) {
    static const uint8_t kinds[] = {EV_SPAWNED, EV_SPAWN_FAILED, EV_LEADER, EV_GONE, EV_STOPPED};
    return (struct event){.kind = kinds[roll(5)], .job = {(uint16_t)roll(core_jobs(&scene.model)), 1}};
}

static struct event anything(void) {
    switch (roll(10)) {
    case 0: case 1: case 2: case 3: return a_signal();
    case 4: case 5: case 6: case 7: return scene.model.policy.single && chance(90) ? a_signal() : a_request();
    case 8:
        return (struct event){.kind = EV_EXTEND, .subject = (uint16_t)roll(scene.model.n_units), .more = about(SEC(20))};
    default:
        return chance(50) ? a_stale_fact() : (struct event){.kind = EV_LIFE, .client = roll(100)};
    }
}

static void write_event(instant at, struct event event) {
    if (sim.source != RECORDED)
        return;
    if (scene.n_events < MOST_EVENTS)
        scene.events[scene.n_events++] = (struct told){at, event};
    else
        sim.too_large = true;
}

/* From so many generations ago to the number of one. */
static struct event resolved(struct event event) {
    if (event.kind == EV_CHECK && event.subject < scene.model.n_checks)
        event.gen = sim.core.checks[event.subject].gen - event.gen;
    else if (event.kind <= EV_STOPPED && event.job.job < sim.core.n_jobs)
        event.job.gen = (uint16_t)(sim.core.jobs[event.job.job].gen - event.job.gen);
    return event;
}

/* which: of those that were written down. */
struct event outside(instant at, uint32_t which) {
    struct event event = sim.source == READ ? scene.events[which].event : anything();
    write_event(at, event);
    return resolved(event);
}

/* The helper says how a check has turned. In silence a check is unknown. */
void check_answers(instant at, uint16_t check) {
    struct event event = {.kind = EV_CHECK, .subject = check};
    if (sim.core.checks[check].on && sim.procs[core_job_of_net(&sim.core)].state == P_UP) {
        event.value = chance(80);
        event.gen = chance(5);
        write_event(at, event);
        world_fact(resolved(event));
    }
    world_item(longer(MS(1), about(chance(50) ? MS(200) : SEC(4))), I_CHECK, check, 0);
}
