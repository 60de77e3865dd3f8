/* scene.c: what follows from a scene's parts, and whether conf would let it pass. */
#include "sim.h"

struct scene scene;

static void signals(struct policy *policy) {
    static const uint8_t stops[] = {K_TERM, K_INT, K_QUIT, 30, RTMIN_BASE + 3, 28};
    for (uint8_t sig = 1; sig <= SIGNAL_MAX; sig++)
        policy->signals[sig] = (struct signal_rule){SIGNAL_FORWARD, sig};
    if (policy->single && scene.rewrite)
        policy->signals[K_TERM].to = scene.rewrite;
    if (policy->single)
        return;
    for (unsigned i = 0; i < sizeof stops; i++)
        policy->signals[stops[i]].meaning = SIGNAL_STOP;
    policy->signals[40] = (struct signal_rule){SIGNAL_RELOAD, 0};
    policy->signals[41] = (struct signal_rule){SIGNAL_HURRY, 0};
    policy->signals[42] = (struct signal_rule){SIGNAL_CHECKPOINT, 0};
}

static void services(void) {
    uint16_t unit = 0;
    for (uint16_t i = 0; i < scene.model.n_services; i++) {
        struct service *it = &scene.services[i];
        it->name = "service", it->main = i == scene.model.main, it->after = scene.afters[i];
        it->first_unit = unit, it->level = 0;
        for (uint16_t k = 0; k < it->n_after; k++)
            if (it->level <= scene.services[it->after[k]].level)
                it->level = (uint16_t)(scene.services[it->after[k]].level + 1);
        for (uint16_t k = 0; k < it->n_units && unit < MOST_UNITS; k++)
            scene.units[unit++] = (struct unit_policy){"unit", i, k, NONE, NONE};
    }
    scene.model.n_units = unit;
}

/* Stages count from 0 in each phase, without a gap. */
static void steps(void) {
    uint16_t was = 0;
    for (uint16_t i = 0; i < scene.model.n_steps; i++) {
        struct step_policy *it = &scene.steps[i], *last = it - 1;
        uint16_t stage = it->stage;
        it->name = "step";
        if (i == 0 || it->phase != last->phase)
            it->stage = 0;
        else
            it->stage = (uint16_t)(last->stage + (stage > was));
        was = stage;
    }
}

static void checkpoints(void) {
    uint16_t n = 0;
    for (uint16_t i = 0; i < scene.model.n_steps; i++) {
        struct step_policy *it = &scene.steps[i];
        it->checkpoint = NONE;
        if (it->action != DO_CHECKPOINT)
            continue;
        scene.checkpoints[n] = (struct checkpoint_policy){
            .step = i, .has_save = !(it->signal & KEEPS_NOTHING), .has_restore = it->has_undo,
            .on_restart = it->signal & KEEPS_ON_RESTART, .may_fail = it->signal & KEEPS_MAY_FAIL,
            .every = it->every.ns == 0 ? FOREVER : it->every,
        };
        it->checkpoint = n++;
    }
    scene.model.n_checkpoints = n;
    scene.model.checkpoints = scene.checkpoints;
}

void scene_finish(void) {
    struct model *model = &scene.model;
    model->services = scene.services, model->units = scene.units;
    model->checks = scene.checks, model->steps = scene.steps;
    model->policy.quiet = SEC(1), model->policy.announce_max = model->policy.announce_min;
    signals(&model->policy);
    services();
    for (uint16_t i = 0; i < model->n_checks; i++) {
        struct check_policy *it = &scene.checks[i];
        it->target = "target";
        if (it->unit < model->n_units)
            *(it->live ? &scene.units[it->unit].live : &scene.units[it->unit].ready) = i;
    }
    steps();
    checkpoints();
}

/* Nothing in it, but what is usual. */
void scene_clear(void) {
    memset(&scene, 0, sizeof scene);
    scene.model.main = NONE;
}

static bool valid_service(const struct service *it) {
    bool ladder = it->n_stop > 0 && it->n_stop <= MAX_ESCALATIONS && it->stop[0].after.ns == 0;
    for (uint16_t k = 0; k < it->n_after; k++)
        if (it->after[k] >= it - scene.services)
            return false;
    if (it->main && it->type == TYPE_ONESHOT)
        return false;
    return ladder && it->n_units > 0 && it->type <= TYPE_ONESHOT && it->restart <= RESTART_ALWAYS &&
           it->restart_min.ns <= it->restart_max.ns && it->success_codes[0] & 1;
}

static bool valid_check(uint16_t i) {
    const struct check_policy *it = &scene.checks[i];
    const struct unit_policy *unit = &scene.units[it->unit];
    if (it->unit >= scene.model.n_units || (it->live ? unit->live : unit->ready) != i)
        return false;
    if (it->live && (it->kind >= CHECK_NOTIFY || scene.services[unit->service].type == TYPE_ONESHOT))
        return false;
    return it->kind < CHECK_N && it->successes > 0 && it->failures > 0 && it->every.ns > 0;
}

/* A row that would save nothing is none; nothing is restored on a restart of all. */
static bool valid_checkpoint(const struct step_policy *it) {
    bool saves = !(it->signal & KEEPS_NOTHING), row = it->phase == PH_SAVE || it->phase == PH_SETTLE;
    if (!row && (it->phase != PH_N || it->required || !is_forever(it->guarantee)))
        return false;
    return !it->has_only_if && it->retries == 0 && (saves || (it->phase == PH_N && it->every.ns == 0)) &&
           (!(it->signal & KEEPS_ON_RESTART) ||
            (it->for_service < scene.model.n_services && scene.services[it->for_service].n_units == 1));
}

static bool valid_step(uint16_t i) {
    const struct step_policy *it = &scene.steps[i];
    bool saves = it->phase == PH_SAVE || it->phase == PH_SETTLE || it->phase == PH_N;
    if (saves != (it->action == DO_CHECKPOINT) || (saves && !valid_checkpoint(it)))
        return false;
    if (it->run_if_step != NONE && it->run_if_step < i && scene.steps[it->run_if_step].phase == PH_N)
        return false;
    if ((it->action == DO_SIGNAL || it->action == DO_WAIT_EXIT) && it->target >= scene.model.n_services)
        return false;
    if (it->for_service != NONE && it->for_service >= scene.model.n_services)
        return false;
    if (it->run_if_step != NONE && (it->run_if_step >= i || it->run_if == RUN_ALWAYS))
        return false;
    return i == 0 || scene.steps[i - 1].phase <= it->phase;
}

/* Written guarantees and the reserve fit into the grace; a lone command has no steps. */
static bool valid_policy(void) {
    const struct policy *policy = &scene.model.policy;
    span rest = minus(policy->grace, policy->reserve), sum = NO_TIME;
    for (uint16_t i = 0; i < scene.model.n_services; i++)
        if (!is_forever(scene.services[i].guarantee))
            sum = plus(sum, scene.services[i].guarantee);
    for (uint16_t i = 0; i < scene.model.n_steps; i++)
        if (!is_forever(scene.steps[i].guarantee))
            sum = plus(sum, scene.steps[i].guarantee);
    if (policy->single && (scene.model.n_services != 1 || scene.model.n_steps != 0 || scene.model.main != 0))
        return false;
    if (policy->phases_only && (policy->single || policy->sweep || policy->net))
        return false;
    return policy->grace.ns > 0 && (policy->single || !is_forever(policy->grace)) && sum.ns <= rest.ns;
}

bool scene_valid(void) {
    const struct model *model = &scene.model;
    if (model->n_services == 0 || model->n_units == 0 || (model->main != NONE && model->main >= model->n_services))
        return false;
    for (uint16_t i = 0; i < model->n_services; i++)
        if (!valid_service(&scene.services[i]))
            return false;
    for (uint16_t i = 0; i < model->n_checks; i++)
        if (!valid_check(i))
            return false;
    for (uint16_t i = 0; i < model->n_steps; i++)
        if (!valid_step(i))
            return false;
    return valid_policy();
}
