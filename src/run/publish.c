/* run/publish.c: the core's state onto the page, whole, and the doorbell. */
#include <string.h>
#include <unistd.h>

#include "run/state.h"
#include "text/out.h"

int publish_open(struct run *run) {
    struct page_plan plan = {
        .config = run->config, .rows = run->core.walk.rows, .n_rows = run->core.walk.n_rows,
        .check_fds = run->helper.net_fds, .owner = geteuid(), .control = run->helper.control.fd >= 0,
    };
    return page_create(&run->helper.page, &plan);
}

static void put_walk(const struct run *run, struct page_state *state) {
    const struct core *core = &run->core;
    bool known = core->sweeping || core->exited; /* clients get the verdict before the sweep */
    struct out out = out_on(state->cause, sizeof state->cause);
    cause_short(&out, run);
    state->clock = core->walk.clock;
    state->asked = core->walk.asked;
    state->draining = core->walk.goal != GO_RUN;
    state->phase = core_phase(core);
    state->leaving = core->sweeping || core->exited;
    state->verdict = known ? core_verdict(core) : VERDICT_NONE;
    state->exit = known ? (int16_t)core_exit_code(core) : -1;
}

static void put_life(const struct run *run, struct page_state *state) {
    const struct core *core = &run->core;
    state->started = run->started;
    state->grace = run->model->policy.grace;
    state->reserve = run->model->policy.reserve;
    state->orphans = core->orphans;
    state->pulse = core->pulse;
    state->life = core_life(core);
    state->ready = core_ready(core);
    state->live = core_live(core);
    state->startup = core->started;
    state->next_reply = core->next_reply;
    memcpy(state->replies, core->replies, sizeof state->replies);
}

static void put_units(const struct run *run, struct page_unit_state *into) {
    for (uint16_t i = 0; i < run->model->n_units; i++) {
        const struct unit *unit = &run->core.units[i];
        const struct slot *slot = &run->jobs.v[core_job_of_unit(&run->core, i)];
        bool runs = slot->state == SLOT_STARTING || slot->state == SLOT_RUNS;
        into[i] = (struct page_unit_state){.pid = runs ? slot->pid : 0, .exit = unit->exit, .state = unit->state,
                                           .ready = unit->ready, .restarts = unit->restarts};
    }
}

static void put_checks(const struct run *run, struct page_check_state *into) {
    for (uint16_t i = 0; i < run->model->n_checks; i++) {
        const struct check *check = &run->core.checks[i];
        into[i] = (struct page_check_state){.gen = check->gen, .on = check->on, .passing = check->passing};
    }
}

static uint8_t state_of(const struct run *run, uint16_t checkpoint) {
    const struct core *core = &run->core;
    bool saves = core->jobs[core_job_of_step(core, run->model->checkpoints[checkpoint].step)].state != J_NONE;
    switch ((enum restore_state)core->savers[checkpoint].restore) {
    case R_DONE: return saves ? CS_SAVING : CS_IDLE;
    case R_WAITING: return CS_WAITING;
    case R_RUNS: return CS_RESTORING;
    case R_FAILED: return CS_FAILED;
    }
    return CS_IDLE;
}

static void put_checkpoints(const struct run *run, struct page_checkpoint_state *into) {
    for (uint16_t i = 0; i < run->model->n_checkpoints; i++) {
        const struct saver *saver = &run->core.savers[i];
        into[i] = run->kept.v[i];
        into[i].state = state_of(run, i);
        into[i].exit = saver->exit;
        into[i].attempts = saver->attempts;
        into[i].ended = saver->ended;
        into[i].client = saver->client;
    }
}

void publish(struct run *run) {
    struct page *page = &run->helper.page;
    if (!run->helper.wanted)
        return;
    struct page_state *state = page_begin_write(page);
    put_life(run, state);
    put_walk(run, state);
    put_units(run, page->units);
    put_checks(run, page->checks);
    put_checkpoints(run, page->checkpoints);
    memcpy(page->rows, run->core.walk.rows, run->core.walk.n_rows * sizeof *page->rows);
    page_end_write(page);
    helper_ring(run);
}
