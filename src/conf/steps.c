/* What is right or wrong with drains and finishes only when all of them are known; the stages of all steps. */
#include "conf/load.h"

static uint16_t waits_for(const void *context, uint16_t node, uint16_t i) {
    const struct step_after *after = &((const struct load *)context)->step_afters[node];
    return i < after->n ? after->v[i] : NONE;
}

static const char *name_of(const void *context, uint16_t node) { return ((const struct load *)context)->steps[node].name; }

/* Without `after` a step comes behind the one above it, but for a checkpoint. */
static bool default_after(struct load *load, uint16_t index) {
    struct step_after *after = &load->step_afters[index];
    uint16_t *above;
    if (after->written || index == 0 || load->steps[index].action == DO_CHECKPOINT ||
        load->steps[index - 1].phase != load->steps[index].phase)
        return true;
    above = arena_take(load->voice.arena, sizeof *above);
    if (!above)
        return false;
    *above = (uint16_t)(index - 1);
    after->v = above;
    after->n = 1;
    return true;
}

static void set_stages(struct load *load) {
    uint16_t n = load->n_steps, cycle;
    uint16_t *stage = arena_take(load->voice.arena, (n + 1u) * sizeof *stage);
    uint8_t *mark = arena_take(load->voice.arena, n + 1u);
    bool room = stage && mark;
    for (uint16_t i = 0; i < n && room; i++)
        room = default_after(load, i);
    if (!room) {
        too_large(load);
        return;
    }
    if (!order_levels(waits_for, load, n, stage, mark, &cycle)) {
        error_at(load, where_of(load->of_step[cycle], K_STEP_AFTER),
                 "steps wait for each other: %s; one of these after less, or after = none",
                 order_cycle(load->voice.arena, waits_for, name_of, load, mark, cycle));
        return;
    }
    for (uint16_t i = 0; i < n; i++)
        load->steps[i].stage = stage[i];
}

static void check_action(struct load *load, const struct section *section) {
    static const enum key_id actions[] = {
        K_STEP_COMMAND, K_STEP_SIGNAL, K_STEP_SLEEP, K_STEP_WAIT_EXIT, K_STEP_HTTP, K_WAIT_CONNECTIONS, K_WAIT_HOLDS,
    };
    unsigned n = 0;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        n += entry_of(section, actions[i]) != NULL;
    if (n > 1 || (n == 0 && !section->damaged))
        error_at(load, section->where, "[%s %s] has %s; one of command, signal, sleep or wait-exit",
                 section_kind_name(section->kind), section->name, n ? "more than one action" : "no action");
}

static void check_run_if(struct load *load, const struct step_policy *step, const struct section *section) {
    const struct step_policy *other = &load->steps[step->run_if_step];
    if (other->phase == PH_N)
        error_at(load, where_of(section, K_RUN_IF), "[checkpoint %s] is not taken at the stop; when = before-stop there", other->name);
    else if (other == step || (other->phase == step->phase && other->stage >= step->stage))
        error_at(load, where_of(section, K_RUN_IF), "%s has not ended when %s begins; after = %s", other->name, step->name,
                 other->name);
}

static void finish_step(struct load *load, uint16_t index) {
    struct step_policy *step = &load->steps[index];
    const struct step_spec *spec = &load->step_specs[index];
    const struct section *section = load->of_step[index];
    bool may_last = step->action == DO_COMMAND || step->action == DO_WAIT_EXIT;
    step->has_only_if = spec->only_if.text != NULL;
    step->has_undo = spec->undo.text != NULL;
    check_action(load, section);
    if (step->retries && step->action != DO_COMMAND)
        error_at(load, where_of(section, K_RETRY), "only a command can be tried again; no retry");
    if (step->run_if != RUN_ALWAYS)
        check_run_if(load, step, section);
    if (step->phase == PH_DRAIN && may_last && is_forever(step->timeout))
        warning_at(load, step->where, "[drain %s] has no timeout: it may use all the time there is; timeout = 5s", step->name);
}

void finish_steps(struct load *load) {
    set_stages(load);
    for (uint16_t i = 0; i < load->n_steps; i++)
        if (load->steps[i].action != DO_CHECKPOINT)
            finish_step(load, i);
}
