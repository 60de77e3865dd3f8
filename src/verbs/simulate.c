/* lastcall simulate FILE...: the stop that would be. The deciding code of PID 1 on a virtual clock, in a
 * world where programs do as they are told; and PID 1's own voice. Nothing is started. */
#include <errno.h>
#include <string.h>

#include "core/core.h"
#include "run/state.h"
#include "text/duration.h"
#include "text/signame.h"
#include "verbs/loading.h"
#include "world/world.h"

enum { MOST_WITH = 256, MOST_AGAIN = 16, MOST_TURNS = 100000, BASE_S = 100000 };
enum { SIG_KILL = 9, SIG_TERM = 15, SIG_STOP = 19 };

struct later { span in; int signal; };

struct simulation {
    const struct verb_call *call;
    struct run run;
    struct world world;
    struct later again[MOST_AGAIN];
    unsigned n_again, next_again;
    span late;
    instant stop;              /* when the stop signal came; NEVER: not yet */
    unsigned turns;            /* since the last signal */
    bool in_vain;              /* no signal has stopped it */
};

/* ---- the words ---- */

static bool refuse(const struct simulation *simulation, const char *word, const char *why) {
    char text[512];
    struct out out = out_on(text, sizeof text);
    out_text(&out, word);
    out_text(&out, ": ");
    out_text(&out, why);
    complain_about(simulation->call, text);
    return false;
}

static bool read_habit(const char *text, struct habit *habit) {
    *habit = (struct habit){.kind = HABIT_TAKES};
    if (strcmp(text, "hang") == 0)
        habit->kind = HABIT_HANGS;
    else if (strcmp(text, "fail") == 0)
        habit->kind = HABIT_FAILS;
    else
        return duration_parse(text, strlen(text), &habit->takes) == DURATION_OK;
    return true;
}

static bool is(const char *name, const char *word, size_t n) { return strlen(name) == n && memcmp(name, word, n) == 0; }

static bool is_unit(const struct model *model, uint16_t unit, const char *word, size_t n) {
    return is(model->units[unit].name, word, n) || is(model->services[model->units[unit].service].name, word, n);
}

/* A step; else a service with all its replicas, or one of them. NULL: done; else why not. */
static const char *give_habit(struct simulation *simulation, const char *word, size_t n, const struct habit *habit) {
    const struct model *model = simulation->run.model;
    const char *why = "there is no step or service of that name";
    bool found = false;
    for (uint16_t i = 0; i < model->n_steps; i++) {
        const struct step_policy *step = &model->steps[i];
        if (!is(step->name, word, n))
            continue;
        if (step->action != DO_COMMAND && step->action != DO_CHECKPOINT)
            return "it runs no command that could do otherwise; the name of another step, or of a service";
        simulation->world.of_step[i] = *habit;
        why = NULL;
    }
    for (uint16_t i = 0; i < model->n_units && why; i++)
        if (is_unit(model, i, word, n)) {
            simulation->world.of_unit[i] = *habit;
            found = true;
        }
    return found ? NULL : why;
}

/* "web=3s", "queue=hang", "worker.2=fail" */
static bool take_with(struct simulation *simulation, const char *word) {
    size_t n = strcspn(word, "=");
    struct habit habit;
    if (!word[n] || !read_habit(word + n + 1, &habit))
        return refuse(simulation, word, "write NAME=10s, NAME=hang or NAME=fail");
    const char *why = give_habit(simulation, word, n, &habit);
    return !why || refuse(simulation, word, why);
}

/* "5s:INT" */
static bool take_again(struct simulation *simulation, const char *word) {
    size_t n = strcspn(word, ":");
    struct later *later = &simulation->again[simulation->n_again++];
    if (word[n])
        later->signal = signame_parse(word + n + 1, strlen(word + n + 1));
    if (!word[n] || duration_parse(word, n, &later->in) != DURATION_OK || later->signal == 0)
        return refuse(simulation, word, "write 5s:INT, the time after the stop signal and a signal");
    if (later->signal == SIG_KILL || later->signal == SIG_STOP)
        return refuse(simulation, word, "the kernel does that by itself, and no program hears of it; another signal");
    return true;
}

static void sort_again(struct simulation *simulation) {
    for (unsigned i = 1; i < simulation->n_again; i++)
        for (unsigned k = i; k > 0 && simulation->again[k].in.ns < simulation->again[k - 1].in.ns; k--) {
            struct later other = simulation->again[k];
            simulation->again[k] = simulation->again[k - 1];
            simulation->again[k - 1] = other;
        }
}

/* ---- the run ---- */

static void remember_killed(struct run *run, const struct action *action) {
    const struct job *job = &run->core.jobs[action->job.job];
    if (is_never(run->core.walk.asked) || job->what == CMD_NET || job->what == CMD_CHECK)
        return;
    if (run->ending.n_killed == MAX_KILLED)
        run->ending.more_killed++;
    else
        run->ending.killed[run->ending.n_killed++] = ending_who(run, action->job.job);
}

static void carry_out(struct simulation *simulation, const struct action *action) {
    struct run *run = &simulation->run;
    world_do(&simulation->world, action);
    if (action->kind == A_SPAWN)
        run->jobs.v[action->job.job].state = SLOT_RUNS;
    if (action->kind == A_KILL)
        remember_killed(run, action);
    if (action->kind == A_FORGET)
        run->jobs.v[action->job.job].state = SLOT_FREE;
    if (action->kind == A_NOTE)
        say_note(run, action);
    if (action->kind == A_EXIT) {
        run->exited = true;
        run->exit = action->value;
    }
}

static void feed(struct simulation *simulation, const struct event *event) {
    struct run *run = &simulation->run;
    if (run->exited)
        return;
    if (event->kind == EV_LEADER)
        run->jobs.v[event->job.job].state = SLOT_LEFT;
    core_step(&run->core, event, run->now, &run->actions);
    for (uint32_t i = 0; i < run->actions.n; i++)
        carry_out(simulation, &run->actions.v[i]);
    world_look(&simulation->world, &run->core);
}

static void send(struct simulation *simulation, int signal) {
    simulation->turns = 0;
    simulation->run.last_stop = (struct signal_taken){.sig = signal};
    feed(simulation, &(struct event){.kind = EV_SIGNAL, .value = signal, .flags = SIG_FROM_OUTSIDE});
}

/* What comes from outside at this instant: the stop once all is ready (or nothing more will be), then --again. */
static void outside(struct simulation *simulation, bool quiet) {
    struct run *run = &simulation->run;
    if (is_never(simulation->stop) && (quiet || core_ready(&run->core))) {
        simulation->stop = run->now;
        if (simulation->late.ns > 0)
            feed(simulation, &(struct event){.kind = EV_ASK, .verb = ASK_PRESTOP, .value = (int32_t)span_ms(simulation->late)});
        send(simulation, SIG_TERM);
    }
    while (simulation->next_again < simulation->n_again && !is_never(simulation->stop) &&
           due(after(simulation->stop, simulation->again[simulation->next_again].in), run->now))
        send(simulation, simulation->again[simulation->next_again++].signal);
}

static instant next(const struct simulation *simulation) {
    instant at = earlier(world_next(&simulation->world), core_next(&simulation->run.core));
    if (!is_never(simulation->stop) && simulation->next_again < simulation->n_again)
        at = earlier(at, after(simulation->stop, simulation->again[simulation->next_again].in));
    return at;
}

/* Nothing more will come, or only what comes again and again: restarts, checks, checkpoints. */
static bool nothing_new(struct simulation *simulation, instant at) {
    return is_never(at) || simulation->turns++ > MOST_TURNS;
}

/* Facts before timers, as PID 1 has them. */
static void turn(struct simulation *simulation) {
    struct run *run = &simulation->run;
    struct event event;
    instant at = next(simulation);
    bool quiet = nothing_new(simulation, at);
    simulation->in_vain = quiet && !is_never(simulation->stop) && is_never(run->core.walk.asked) &&
                          simulation->next_again == simulation->n_again;
    if (!is_never(at))
        run->now = later_of(run->now, at);
    while (world_take(&simulation->world, run->now, &event))
        feed(simulation, &event);
    outside(simulation, quiet);
    feed(simulation, &(struct event){.kind = EV_TICK});
}

static void simulate(struct simulation *simulation) {
    struct run *run = &simulation->run;
    run->now = run->started = (instant){SEC(BASE_S).ns};
    simulation->world.now = run->now;
    say_hello(run);
    core_start(&run->core, run->now, &run->actions);
    for (uint32_t i = 0; i < run->actions.n; i++)
        carry_out(simulation, &run->actions.v[i]);
    world_look(&simulation->world, &run->core);
    while (!run->exited && !simulation->in_vain)
        turn(simulation);
}

static bool lay_out(struct simulation *simulation, struct loading *loading) {
    struct run *run = &simulation->run;
    const struct model *model = &loading->config.model;
    uint64_t bytes = core_bytes(model);
    void *room = arena_take(&loading->arena, bytes);
    *run = (struct run){.config = &loading->config, .model = model};
    stderr_blocking(&run->err, 1);
    run->actions.room = core_actions_max(model);
    run->actions.v = arena_take(&loading->arena, run->actions.room * sizeof *run->actions.v);
    return room && run->actions.v && core_layout(&run->core, model, room, bytes) && kept_layout(run, &loading->arena) &&
           jobs_layout(&run->jobs, core_jobs(model), &loading->arena) &&
           world_layout(&simulation->world, model, &loading->arena);
}

static bool print_report(struct simulation *simulation) {
    char text[MAX_REPORT + 1];
    return write_all(1, text, ending_report(&simulation->run, text, NULL, 0));
}

static const char *too_many(unsigned n_with, unsigned n_again) {
    return n_with > MOST_WITH ? "--with stands more than 256 times; less often"
           : n_again > MOST_AGAIN ? "--again stands more than 16 times; less often" : NULL;
}

static bool take_late(struct simulation *simulation, const char *late) {
    return duration_parse(late, strlen(late), &simulation->late) == DURATION_OK || refuse(simulation, late, "write --late 5s");
}

/* What is to be said of the stop, or why there is none. */
static int print_result(struct simulation *simulation, bool json) {
    if (simulation->in_vain) {
        complain_about(simulation->call, "nothing has stopped it, for signals gives SIGTERM another meaning; "
                       "--again 0s:SIGNAL with one that stops");
        return EXIT_NO;
    }
    if (json)
        return result_code(simulation->call, print_report(simulation));
    say_goodbye(&simulation->run);
    errno = simulation->run.err.error;
    return result_code(simulation->call, errno == 0);
}

int verb_simulate(const struct verb_call *call) {
    struct simulation simulation = {.call = call, .stop = NEVER};
    struct loading loading;
    struct request request = {0};
    const char *with[MOST_WITH], *again[MOST_AGAIN], *late = "0s";
    unsigned n_with = 0, n_again = 0, n_late = 0, json = 0;
    const struct verb_option options[] = {{"--with", with, &n_with, MOST_WITH}, {"--again", again, &n_again, MOST_AGAIN},
                                          {"--late", &late, &n_late, 1}, {"--json", NULL, &json, 0}};
    if (!request_read(&request, call, options, 4))
        return EXIT_WORDS;
    const char *why = too_many(n_with, n_again);
    if (why) {
        complain_about(call, why);
        return EXIT_WORDS;
    }
    int code = loading_files(&loading, call, &request);
    if (code != 0) {
        findings_print(&loading.findings, 2);
        return code;
    }
    if (json)
        loading.config.verbosity = -2; /* the report alone */
    if (!lay_out(&simulation, &loading))
        return EXIT_FAILED;
    bool good = take_late(&simulation, late);
    for (unsigned i = 0; i < n_with && good; i++)
        good = take_with(&simulation, with[i]);
    for (unsigned i = 0; i < n_again && good; i++)
        good = take_again(&simulation, again[i]);
    if (!good)
        return EXIT_WORDS;
    sort_again(&simulation);
    simulate(&simulation);
    return print_result(&simulation, json != 0);
}
