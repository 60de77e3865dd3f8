/* core/plan.c: the plan is a pure function of the model. Rows sorted by stage, and each stage's
 * promise; made once, before anything goes wrong. */
#include "core/parts.h"

enum {
    FINISH_MS = 1000,     /* promised to a finish step that says nothing (DESIGN 5) */
    CHECKPOINT_MS = 1000, /* to a checkpoint without a timeout */
    RECORD_MS = 200,
    SWEEP_MS = 200,
};

uint16_t plan_rows(const struct model *model) {
    return (uint16_t)(1 + model->n_steps + model->n_units + (model->n_checkpoints ? 1 : 0) + (model->policy.sweep ? 1 : 0));
}

static struct row *add_row(struct walk *walk, uint8_t phase, uint8_t action, uint16_t subject) {
    struct row *row = &walk->rows[walk->n_rows++];
    *row = (struct row){
        .phase = phase, .action = action, .state = S_PENDING, .subject = subject,
        .stage = (uint16_t)(walk->n_stages - 1), .exit = EXIT_UNKNOWN,
        .start = NEVER, .end = NEVER, .deadline = NEVER,
    };
    walk->stages[walk->n_stages - 1].n++;
    return row;
}

static void add_stage(struct walk *walk, uint8_t phase) {
    walk->promises[walk->n_stages] = (struct promise){NO_TIME, NO_TIME};
    walk->stages[walk->n_stages++] = (struct stage){.first = walk->n_rows, .phase = phase};
}

/* The promise of a row counts for its stage as written or as unwritten. */
static void promise(struct walk *walk, struct row *row, span written, span unwritten) {
    struct promise *stage = &walk->promises[walk->n_stages - 1];
    bool is_written = !is_forever(written);
    row->guarantee = is_written ? written : unwritten;
    if (is_written)
        stage->written = longer(stage->written, written);
    else
        stage->unwritten = longer(stage->unwritten, unwritten);
}

/* What a step is promised that says nothing (DESIGN 5). */
static span unwritten(const struct step_policy *step) {
    if (step->action == DO_CHECKPOINT)
        return is_forever(step->timeout) ? MS(CHECKPOINT_MS) : step->timeout;
    return step->phase == PH_FINISH ? MS(FINISH_MS) : NO_TIME;
}

static void plan_steps(struct core *core, uint8_t phase) {
    const struct model *model = core->model;
    for (uint16_t stage = 0, found = 1; found; stage++) {
        found = 0;
        for (uint16_t i = 0; i < model->n_steps; i++) {
            const struct step_policy *step = &model->steps[i];
            if (step->phase != phase || step->stage != stage)
                continue;
            if (!found++)
                add_stage(&core->walk, phase);
            promise(&core->walk, add_row(&core->walk, phase, step->action, i), step->guarantee, unwritten(step));
        }
    }
}

/* Instances of one level, the highest ordinal first. FOREVER marks what waits for its share. */
static void plan_level(struct core *core, uint16_t level) {
    const struct model *model = core->model;
    uint16_t found = 0;
    for (uint16_t left = model->n_units; left > 0; left--) {
        uint16_t unit = (uint16_t)(left - 1);
        const struct service *service = service_of(core, unit);
        if (!model->policy.parallel && service->level != level)
            continue;
        if (!found++)
            add_stage(&core->walk, PH_STOP);
        promise(&core->walk, add_row(&core->walk, PH_STOP, DO_STOP, unit), service->guarantee,
                service->stop_timeout);
    }
}

static void plan_stops(struct core *core) {
    uint16_t top = 0;
    for (uint16_t i = 0; i < core->model->n_services; i++)
        if (core->model->services[i].level > top)
            top = core->model->services[i].level;
    if (core->model->policy.parallel)
        top = 0;
    for (uint16_t level = top;; level--) {
        plan_level(core, level);
        if (level == 0)
            break;
    }
}

/* Stops without a stop-timeout get an equal share of what all others leave. Where these leave next to
 * nothing (a small grace, several finish steps) the share is that of any stage: what does not fit is
 * scaled down for all alike when the time comes, and no service is killed in the instant of its TERM. */
static void plan_shares(struct core *core) {
    const struct policy *policy = &core->model->policy;
    struct walk *walk = &core->walk;
    span others = NO_TIME, share;
    uint32_t sharers = 0;
    for (uint16_t i = 0; i < walk->n_stages; i++) {
        if (is_forever(walk->promises[i].unwritten))
            sharers++;
        else
            others = plus(others, longer(walk->promises[i].written, walk->promises[i].unwritten));
    }
    share = longer(budget_share(policy->grace, policy->reserve, others, sharers),
                   budget_share(policy->grace, policy->reserve, NO_TIME, walk->n_stages));
    for (uint16_t i = 0; i < walk->n_rows; i++)
        if (is_forever(walk->rows[i].guarantee))
            walk->rows[i].guarantee = share;
    for (uint16_t i = 0; i < walk->n_stages; i++) {
        struct stage *stage = &walk->stages[i];
        if (!is_forever(walk->promises[i].unwritten))
            continue;
        walk->promises[i].unwritten = NO_TIME;
        for (uint16_t j = stage->first; j < stage->first + stage->n; j++)
            walk->promises[i].unwritten = longer(walk->promises[i].unwritten, walk->rows[j].guarantee);
    }
}

void plan_make(struct core *core) {
    const struct policy *policy = &core->model->policy;
    add_stage(&core->walk, PH_ANNOUNCE);
    promise(&core->walk, add_row(&core->walk, PH_ANNOUNCE, DO_ANNOUNCE, NONE), FOREVER, policy->announce_min);
    plan_steps(core, PH_DRAIN);
    plan_steps(core, PH_SAVE);
    plan_stops(core);
    plan_steps(core, PH_SETTLE);
    plan_steps(core, PH_FINISH);
    if (core->model->n_checkpoints) {
        add_stage(&core->walk, PH_FINISH);
        promise(&core->walk, add_row(&core->walk, PH_FINISH, DO_RECORD, NONE), FOREVER, MS(RECORD_MS));
    }
    if (policy->sweep) {
        add_stage(&core->walk, PH_SWEEP);
        promise(&core->walk, add_row(&core->walk, PH_SWEEP, DO_SWEEP, NONE), FOREVER, MS(SWEEP_MS));
    }
    plan_shares(core);
}
