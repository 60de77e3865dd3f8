/* units.c: what must hold for services: when they start, start again, are ready, and stop. */
#include "sim.h"

static const struct policy *policy(void) { return &scene.model.policy; }

bool service_ready(uint16_t service) {
    for (uint16_t u = 0; u < scene.services[service].n_units; u++)
        if (!sim.core.units[scene.services[service].first_unit + u].ready)
            return false;
    return true;
}

/* The first run waits until all that it comes after are ready. */
void rules_first_start(uint16_t unit) {
    const struct service *service = &scene.services[scene.units[unit].service];
    for (uint16_t i = 0; i < service->n_after && sim.last_exit[unit] == EXIT_UNKNOWN && !sim.by_hand; i++)
        if (!service_ready(service->after[i]))
            fail("unit %u is started before service %u is ready", unit, service->after[i]);
}

/* A run after the first: somebody has asked for it, a live check has failed, or the policy says so. */
void rules_restart(uint16_t unit) {
    const struct service *service = &scene.services[scene.units[unit].service];
    int exit = sim.last_exit[unit];
    bool never = service->restart == RESTART_NO ||
                 (service->restart != RESTART_ALWAYS && is_success(service, exit)) ||
                 (service->restart == RESTART_ON_ABNORMAL && exit >= 0);
    if (exit == EXIT_UNKNOWN || sim.by_hand)
        return;
    if (never && scene.units[unit].live == NONE && is_forever(service->ready_timeout))
        fail("unit %u is started again against its policy", unit);
    if (!is_never(sim.gone[unit]) && before(sim.now, after(sim.gone[unit], service->restart_min)))
        fail("unit %u is started again too soon", unit);
}

/* The stop of a unit begins: all that come after it have been stopped, and its replicas of a higher number are told
 * before it. */
void rules_stop_order(uint16_t unit, uint32_t place) {
    const struct service *mine = &scene.services[scene.units[unit].service];
    const struct walk *walk = &sim.core.walk;
    bool replica = false;
    for (uint32_t i = place + 1; i < sim.out.n; i++) {
        const struct action *it = &sim.out.v[i];
        if (it->kind == A_NOTE && it->value == NOTE_STOP_BEGAN)
            return;
        replica |= it->kind == A_WATCH_TREE && it->job.job > unit && scene.units[it->job.job].service == scene.units[unit].service;
    }
    if (walk->goal != GO_EXIT || row_ended(&walk->rows[row_of_unit[unit]]))
        return;
    if (replica)
        fail("replica %u is stopped before a higher one", unit);
    for (uint16_t other = 0; other < scene.model.n_units && !policy()->parallel; other++)
        if (scene.services[scene.units[other].service].level > mine->level && !row_ended(&walk->rows[row_of_unit[other]]))
            fail("unit %u is stopped before unit %u", unit, other);
}

static bool has_a_job(uint8_t state) { return state == U_STARTING || state == U_UP || state == U_STOPPING; }

/* Who has ended by itself starts again, if the policy says so and it has not done so too often. */
static bool shall_start_again(uint16_t unit) {
    const struct service *service = &scene.services[scene.units[unit].service];
    const struct unit *u = &sim.core.units[unit];
    bool well = ended_well(unit);
    if (u->burst >= service->restart_limit || sim.last_exit[unit] == EXIT_UNKNOWN)
        return false;
    return service->restart == RESTART_ALWAYS || (service->restart == RESTART_ON_FAILURE && !well) ||
           (service->restart == RESTART_ON_ABNORMAL && !well && sim.last_exit[unit] < 0);
}

/* A checkpoint of its service, or of all, has its process. */
static bool waits_for_restore(uint16_t unit) {
    bool any = false;
    for (uint16_t i = 0; i < scene.model.n_checkpoints; i++) {
        uint16_t step = scene.checkpoints[i].step, service = scene.steps[step].for_service;
        bool its = service == NONE || service == scene.units[unit].service;
        any |= its && sim.core.jobs[core_job_of_step(&sim.core, step)].state != J_NONE;
    }
    return any;
}

/* Who waits is waited for by a timer; who was to be ready is; who shall run does. */
static void rules_at_rest(uint16_t unit) {
    const struct unit *u = &sim.core.units[unit];
    const struct walk *walk = &sim.core.walk;
    bool running = walk->goal == GO_RUN && !walk->undoing;
    rules_again(unit);
    if (running && !sim.by_hand && (u->state == U_DOWN || u->state == U_FAILED) && shall_start_again(unit))
        fail("unit %u is not started again", unit);
    if (running && u->state == U_WAITING && u->exit != EXIT_UNKNOWN && !waits_for_restore(unit))
        fail("unit %u has run, and waits for nothing", unit);
    if (walk->goal == GO_EXIT && (u->state == U_WAITING || u->state == U_BACKOFF))
        fail("unit %u is to start in a stop", unit);
    if (sim.kill_all && walk->goal == GO_EXIT && sim.core.jobs[unit].state != J_NONE && !sim.core.jobs[unit].killed)
        fail("unit %u has not got KILL", unit);
}

/* ---- all of them ---- */

/* Nothing runs, and nothing will. */
void rules_all_ended(void) {
    bool any = sim.core.walk.goal != GO_RUN || sim.core.walk.undoing || sim.by_hand || policy()->phases_only;
    for (uint16_t i = 0; i < scene.model.n_units && !any; i++) {
        const struct service *service = &scene.services[scene.units[i].service];
        bool turn = scene.units[i].ordinal == 0 || sim.core.units[i - 1].ready;
        for (uint16_t k = 0; k < service->n_after; k++)
            turn &= service_ready(service->after[k]);
        turn |= sim.core.units[i].exit != EXIT_UNKNOWN; /* it has had it, and waits for a restore */
        any |= sim.procs[i].state != P_NONE || sim.core.units[i].state == U_BACKOFF || (sim.core.units[i].state == U_WAITING && turn);
    }
    if (!any)
        fail("all have ended, and nothing follows");
}

static bool all_were_ready(void) {
    for (uint16_t i = 0; i < scene.model.n_units; i++)
        if (!sim.was_ready[i])
            return false;
    return true;
}

/* Readiness: all have been ready once, and every check passes. Liveness: no check says otherwise that may. */
void rules_health(void) {
    const struct walk *walk = &sim.core.walk;
    bool ready = (walk->goal == GO_RUN && !walk->undoing) || policy()->keep_ready, live = true;
    for (uint16_t i = 0; i < scene.model.n_units; i++) {
        sim.was_ready[i] |= sim.core.units[i].ready || sim.said[NOTE_READY].n > 0; /* and may have ended in the same step */
        ready &= sim.was_ready[i];
    }
    sim.times_ready += sim.said[NOTE_READY].n;
    if (sim.times_ready != all_were_ready())
        fail("that all are ready for the first time is said %u times", sim.times_ready);
    for (uint16_t i = 0; i < scene.model.n_checks; i++) {
        const struct check_policy *check = &scene.checks[i];
        ready &= check->live || sim.core.checks[i].passing;
        live &= !(check->live && check->then == THEN_FAIL && sim.core.checks[i].on && !sim.core.checks[i].passing);
    }
    if (core_ready(&sim.core) != ready && !(policy()->single && sim.core.told_to_stop))
        fail("readiness is %u", !ready);
    if (core_live(&sim.core) != live)
        fail("liveness is %u", !live);
}

/* Most units, most of the time: it runs in peace, or it has been over for a while. */
static bool is_quiet(uint16_t unit) {
    uint8_t state = sim.core.units[unit].state;
    bool gone = sim.core.jobs[unit].state == J_NONE && sim.procs[unit].state == P_NONE;
    if (sim.core.walk.goal == GO_EXIT)
        return gone && (state == U_DOWN || state == U_FAILED) && sim.gone[unit].ns != sim.now.ns && sim.core.walk.asked.ns != sim.now.ns;
    return state == U_UP && sim.core.walk.goal == GO_RUN && sim.core.jobs[unit].state == J_UP && sim.procs[unit].state != P_NONE &&
           !sim.held[unit] && !sim.wanted[unit];
}

void rules_unit(uint16_t unit) {
    const struct service *service = &scene.services[scene.units[unit].service];
    const struct unit *u = &sim.core.units[unit];
    const struct proc *proc = &sim.procs[core_job_of_unit(&sim.core, unit)];
    bool may;
    if (is_quiet(unit))
        return;
    may = scene.units[unit].ordinal == 0 && !policy()->phases_only && sim.core.walk.goal == GO_RUN && !sim.core.walk.undoing;
    if (has_a_job(u->state) != (sim.core.jobs[unit].state != J_NONE))
        fail("unit %u is %s, and its job is not", unit, unit_state_name(u->state));
    if ((sim.core.jobs[unit].state != J_NONE) != (proc->state != P_NONE))
        fail("unit %u: the core and the world do not agree", unit);
    if (u->ready && u->state != U_UP && service->type == TYPE_SERVICE)
        fail("unit %u is %s, and ready", unit, unit_state_name(u->state));
    if (sim.core.walk.goal == GO_EXIT && sim.core.walk.rows[row_of_unit[unit]].state == S_ACT && proc->state == P_UP && !proc->zombie &&
        !proc->sent && !proc->was_killed && sim.core.jobs[unit].state == J_UP && sim.core.jobs[core_job_of_aux(&sim.core, unit)].state == J_NONE)
        fail("unit %u is to stop, and has not been told", unit);
    rules_at_rest(unit);
    rules_errand(unit);
    rules_ladder(unit);
    if (sim.core.walk.goal == GO_RUN && !sim.core.walk.undoing && !sim.by_hand && (service->essential || service->main) &&
        (service->type == TYPE_SERVICE ? u->state == U_FAILED || u->state == U_DOWN : u->state == U_FAILED && !u->ended_well))
        fail("unit %u has ended for good, and nothing follows", unit);
    if (u->state != U_WAITING)
        return;
    for (uint16_t i = 0; i < service->n_after; i++)
        may &= service_ready(service->after[i]);
    may &= rules_restored(scene.units[unit].service);
    if (may)
        fail("unit %u waits for nothing", unit);
}

