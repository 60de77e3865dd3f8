/* run/run.c: lays everything out, then loops. From the line that says so on, nothing is allocated and
 * no error of the system ends it. */
#include "run/run.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "model/nearby.h"
#include "run/state.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/idle.h"
#include "sys/watch.h"

enum {
    FAILED = 125, SPARE_FDS = 8, SIGNAL_BATCH = 64, CHILDREN_IN_A_ROW = 8, VAIN_TURNS = 16, MOST_VAIN = 36,
};

/* ---- the step ---- */

static NEARBY void carry_out(struct run *run) {
    if (!run->exited)
        acts(run);
}

/* What is known at once: a vfork that has succeeded, a fork that was refused. */
static bool take_news(struct run *run, struct event *event) {
    for (uint16_t i = 0; i < run->jobs.n && run->jobs.n_news > 0; i++) {
        struct slot *slot = &run->jobs.v[i];
        if (slot->news == SPAWN_NO_NEWS)
            continue;
        bool runs = slot->news == SPAWN_RUNS;
        *event = (struct event){.kind = runs ? EV_SPAWNED : EV_SPAWN_FAILED, .job = {i, slot->gen},
                                .value = runs ? 0 : failure_code(run, &slot->error)};
        slot->state = runs && slot->state == SLOT_STARTING ? SLOT_RUNS : slot->state;
        jobs_set_news(&run->jobs, i, SPAWN_NO_NEWS);
        return true;
    }
    return false;
}

/* Facts before timers: what has happened by now comes before what is due by now, and makes nothing due by itself.
 * Who has ended in time, and is only seen late, is not killed. */
static NEARBY instant time_of(const struct run *run, const struct event *event) {
    instant next = core_next(&run->core);
    return event->kind == EV_TICK || !due(next, run->now) ? run->now : later_of((instant){next.ns - 1}, run->core.now);
}

static NEARBY void tell_core(struct run *run, const struct event *event) {
    core_step(&run->core, event, time_of(run, event), &run->actions);
    carry_out(run);
}

static NEARBY void tell_news(struct run *run) {
    struct event event;
    while (!run->exited && take_news(run, &event))
        tell_core(run, &event);
}

NEARBY void step(struct run *run, const struct event *event) {
    if (run->exited)
        return;
    if (event->kind != EV_TICK)
        run->vain = 0;
    tell_core(run, event);
    tell_news(run);
}

/* ---- the loop ---- */

static NEARBY instant next_due(const struct run *run) {
    instant next = earlier(earlier(core_next(&run->core), run->upward.next), run->sweep_at);
    return earlier(next, run->look ? run->rest : run->next_look);
}

/* Where nothing is due, ever, nobody asks what time it is. */
static NEARBY span patience(const struct run *run) {
    instant next = next_due(run);
    return is_never(next) ? FOREVER : until(clock_now(), next);
}

/* Without a helper a single command needs no descriptor at all: signals are taken where one waits. Before
 * a long wait memory is given back, if more than signals has been dealt with. Where children end without a
 * pause SIGCHLD would hide all signals above it: they are asked for by themselves then. */
static NEARBY void take_signals(struct run *run, span most) {
    struct signal_taken taken;
    bool is_long = most.ns >= SEC(1).ns && !run->rested && due(run->next_rest, run->now);
    if (is_long)
        run->next_rest = after(run->now, SEC(1));
    bool got = is_long ? idle_wait(most, &taken)
                       : sigmask_wait(run->look ? ALL_BUT_CHILDREN : ALL_SIGNALS, most, &taken);
    run->now = clock_now();
    run->rested = run->rested || is_long;
    run->in_a_row = got && taken.sig == SIGCHLD ? run->in_a_row + 1 : 0;
    bool hidden = run->in_a_row == CHILDREN_IN_A_ROW;
    run->in_a_row = hidden ? 0 : run->in_a_row;
    for (unsigned n = 0; got && n < SIGNAL_BATCH && !run->exited; n++) {
        facts_signal(run, &taken);
        got = hidden && sigmask_wait(ALL_BUT_CHILDREN, NO_TIME, &taken);
    }
}

/* Whoever is woken too early again and again, and for nothing, has a call that fails and cannot: then the
 * news are looked for, and now and then it is tried again whether one can wait for them. */
static NEARBY void wait_for_news(struct run *run) {
    span most = patience(run);
    instant in_time = after(run->now, most);
    run->vain = run->vain == MOST_VAIN ? VAIN_TURNS : (uint8_t)(run->vain + 1);
    if (run->vain > VAIN_TURNS) {
        facts_searched(run, most);
        return;
    }
    if (run->watch >= 0)
        facts_watched(run, most);
    else
        take_signals(run, most);
    if (due(in_time, run->now))
        run->vain = 0;
}

static NEARBY void turn(struct run *run) {
    wait_for_news(run);
    facts_reap_when_due(run);
    if (is_never(next_due(run)))
        return;
    run->now = clock_now();
    if (due(core_next(&run->core), run->now) && !run->exited)
        facts_reap(run); /* also of what has ended since we woke up */
    upward_watchdog(run);
    acts_sweep_when_due(run);
    step(run, &(struct event){.kind = EV_TICK});
}

__attribute__((noinline)) static NEARBY void loop(struct run *run) {
    while (!run->exited)
        turn(run);
}

static void begin(struct run *run, span late) {
    core_start(&run->core, run->now, &run->actions);
    carry_out(run);
    tell_news(run);
    if (run->model->policy.phases_only)
        step(run, &(struct event){.kind = EV_ASK, .verb = ASK_PRESTOP, .value = (int32_t)span_ms(late)});
    if (run->watch >= 0)
        why_begin(run);
    run->began = true;
}

/* ---- laying out ---- */

static bool is_small(const struct model *model) {
    return model->policy.single && !model->policy.net && !model->policy.phases_only && model->n_checks == 0 &&
           model->n_steps == 0;
}

static bool lay_out(struct run *run, struct arena *arena) {
    const struct model *model = run->model;
    uint64_t bytes = core_bytes(model);
    void *room = arena_take(arena, bytes);
    run->actions.room = core_actions_max(model);
    run->actions.v = arena_take(arena, run->actions.room * sizeof *run->actions.v);
    run->room = arena_take(arena, sizeof *run->room);
    return room != NULL && run->actions.v != NULL && run->room != NULL && core_layout(&run->core, model, room, bytes) &&
           kept_layout(run, arena) && jobs_layout(&run->jobs, core_jobs(model), arena);
}

static bool open_watch(struct run *run) {
    run->watch = fd_above_standard(watch_create());
    run->signals = fd_above_standard(sigmask_descriptor(-1, ALL_SIGNALS));
    return run->watch >= 0 && run->signals >= 0 && watch_add(run->watch, run->signals, TAG_SIGNALS);
}

static bool wants_terminal(const struct run *run) {
    const struct manners *manners = &run->config->manners;
    bool tty = run->model->policy.single && !manners->lends_terminal && !manners->shares_group;
    for (uint16_t i = 0; i < run->model->n_services; i++)
        tty = tty || run->config->services[i].in.tty;
    return tty;
}

/* Children of children come to us when their parents die: as PID 1 always, otherwise as a subreaper. */
static bool become_parent(struct run *run) {
    bool subreaper = !run->model->policy.pid1 && !run->config->manners.no_subreaper;
    if (!sigmask_set(ALL_SIGNALS & ~run->config->manners.fatal, NULL) || !sigmask_want_children())
        return say_trouble(run, "error: cannot take signals");
    if (subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        say_trouble(run, "warning: orphans go past lastcall and stay behind; PR_SET_CHILD_SUBREAPER");
    if (run->config->pdeathsig == 0 || prctl(PR_SET_PDEATHSIG, (unsigned long)run->config->pdeathsig, 0, 0, 0) == 0)
        return true;
    return say_trouble(run, "error: pdeathsig");
}

static int prepare(struct run *run, struct arena *arena, char *const *envp) {
    bool small = is_small(run->model);
    if (!become_parent(run))
        return FAILED;
    if (!run->config->manners.mute) { /* else it is for the command that somebody above listens */
        upward_open(run, envp);
        child_clean_environment((char **)envp);
    }
    if (run->config->manners.as != AS_LASTCALL)
        manners_begin(run);
    if (!small)
        fd_fill_standard();
    if (!lay_out(run, arena))
        return run_say(run, -1, "error: not enough memory"), FAILED;
    if (wants_terminal(run))
        terminal_look(&run->terminal, run->model->policy.pid1);
    if (small)
        return 0;
    run->nofile_raised = fd_raise_limit(&run->nofile);
    run->jobs.pidfd_below = run->nofile.rlim_max > SPARE_FDS ? run->nofile.rlim_max - SPARE_FDS : 0;
    if (!open_watch(run))
        return say_trouble(run, "error: cannot make epoll and signalfd descriptors"), FAILED;
    return !run->helper.wanted || helper_open(run, arena) ? 0 : FAILED;
}

static void finish(struct run *run) {
    run->now = clock_now();
    if (run->exit != 0 || !run->model->policy.single || !ended_by_itself(run))
        why_look(run);
    ending_write(run, true);
    terminal_take(&run->terminal, false);
    say_goodbye(run);
    tell(run, TALE_GOODBYE, run->exit, 0);
    helper_close(run);
}

/* At a terminal a shell above ends its loop or list for an interrupt by this alone: the key has told the command and
 * nobody else. PID 1 exits. */
static void end_as_command(const struct run *run) {
    if (run->terminal.known && run->config->manners.as == AS_LASTCALL &&
        run->core.units[0].exit == -SIGINT && run->exit == 128 + SIGINT) {
        kill(run->self, SIGINT);
        sigmask_let(SIGINT);
    }
}

int run_late(const struct config *config, struct arena *arena, char *const *envp, span late) {
    struct run *run = arena_take(arena, sizeof *run);
    if (run == NULL)
        return FAILED;
    *run = (struct run){
        .config = config, .model = &config->model, .envp = envp, .watch = -1, .signals = -1,
        .self = config->model.policy.pid1 ? 1 : getpid(),
        .upward = {.watchdog = FOREVER, .next = NEVER}, .stopped_for = NONE, .sweep_at = NEVER, .next_look = NEVER,
        .helper = {.wanted = config->model.policy.net, .program = -1, .http = -1, .control = {.fd = -1},
                   .doorbell = -1, .messages = -1},
    };
    run->now = run->started = clock_now();
    int error = prepare(run, arena, envp);
    if (error != 0) {
        helper_close(run);
        return error;
    }
    say_hello(run);
    begin(run, late);
    /* From here on nothing dies and nothing grows: memory, descriptors and plans are laid out. */
    loop(run);
    finish(run);
    end_as_command(run);
    return run->exit;
}

int run(const struct config *config, struct arena *arena, char *const *envp) {
    return run_late(config, arena, envp, NO_TIME);
}
