/* lastcall simulate FILE...: the stop that would be. The deciding code of PID 1 on a virtual clock, in a
 * world where programs do as they are told; and PID 1's own voice. Nothing is started. */
#include <string.h>

#include "core/core.h"
#include "run/state.h"
#include "text/duration.h"
#include "text/signame.h"
#include "verbs/loading.h"
#include "world/world.h"

enum { MOST_WITH = 256, MOST_AGAIN = 16, EXIT_FAILED = 125, SIG_TERM = 15, BASE_S = 100000 };

struct later { span in; int signal; };

struct simulation {
    const struct verb_call *call;
    struct run run;
    struct world world;
    struct later again[MOST_AGAIN];
    unsigned n_again, next_again;
    span late;
    instant stop;              /* when the stop signal came; NEVER: not yet */
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

/* A step; else a service with all its replicas, or one of them. */
static bool give_habit(struct simulation *simulation, const char *word, size_t n, const struct habit *habit) {
    const struct model *model = simulation->run.model;
    bool found = false;
    for (uint16_t i = 0; i < model->n_steps; i++)
        if (is(model->steps[i].name, word, n)) {
            simulation->world.of_step[i] = *habit;
            found = true;
        }
    for (uint16_t i = 0; i < model->n_units && !found; i++)
        if (is(model->units[i].name, word, n) || is(model->services[model->units[i].service].name, word, n))
            simulation->world.of_unit[i] = *habit;
    for (uint16_t i = 0; i < model->n_units && !found; i++)
        found = is(model->units[i].name, word, n) || is(model->services[model->units[i].service].name, word, n);
    return found;
}

/* "web=3s", "queue=hang", "worker.2=fail" */
static bool take_with(struct simulation *simulation, const char *word) {
    size_t n = strcspn(word, "=");
    struct habit habit;
    if (!word[n] || !read_habit(word + n + 1, &habit))
        return refuse(simulation, word, "write NAME=10s, NAME=hang or NAME=fail");
    return give_habit(simulation, word, n, &habit) || refuse(simulation, word, "there is no step or service of that name");
}

/* "5s:INT" */
static bool take_again(struct simulation *simulation, const char *word) {
    size_t n = strcspn(word, ":");
    struct later *later = &simulation->again[simulation->n_again++];
    if (word[n])
        later->signal = signame_parse(word + n + 1, strlen(word + n + 1));
    if (!word[n] || duration_parse(word, n, &later->in) != DURATION_OK || later->signal == 0)
        return refuse(simulation, word, "write 5s:INT, the time after the stop signal and a signal");
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
    if (run->ending.n_killed < MAX_KILLED && !is_never(run->core.walk.asked) && job->what != CMD_NET && job->what != CMD_CHECK)
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

/* Facts before timers, as PID 1 has them. */
static void turn(struct simulation *simulation) {
    struct run *run = &simulation->run;
    struct event event;
    instant at = next(simulation);
    if (!is_never(at))
        run->now = later_of(run->now, at);
    while (world_take(&simulation->world, run->now, &event))
        feed(simulation, &event);
    outside(simulation, is_never(at));
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
    while (!run->exited)
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
    int code = loading_files(&loading, &request, call->envp);
    if (code != 0) {
        findings_print(&loading.findings, 2);
        return code;
    }
    if (json)
        loading.config.verbosity = -2; /* the report alone */
    if (n_with > MOST_WITH || n_again > MOST_AGAIN || !lay_out(&simulation, &loading))
        return EXIT_FAILED;
    for (unsigned i = 0; i < n_with; i++)
        if (!take_with(&simulation, with[i]))
            return EXIT_WORDS;
    for (unsigned i = 0; i < n_again; i++)
        if (!take_again(&simulation, again[i]))
            return EXIT_WORDS;
    if (duration_parse(late, strlen(late), &simulation.late) != DURATION_OK && !refuse(&simulation, late, "write --late 5s"))
        return EXIT_WORDS;
    sort_again(&simulation);
    simulate(&simulation);
    if (json)
        return result_code(call, print_report(&simulation));
    say_goodbye(&simulation.run);
    return result_code(call, simulation.run.err.dropped == 0);
}
