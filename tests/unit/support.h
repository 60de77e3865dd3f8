/* tests/unit/support.h: small models, and a small world in which the core can be told a story.
 *
 * The world is as kind as it can be unless a test says otherwise: what is spawned is up at once,
 * what is signalled ends by that signal at once, what is killed is gone. A test tells facts, moves
 * the clock, and asks what was said. Time is in milliseconds from 0. `the_end()` ends every test: the
 * core has exited, nothing is armed, no job is alive.
 */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)0)
#endif

#include "core/core.h"
#include "model/arena.h"
#include "model/names.h"

enum {
    T_HUP = 1, T_INT = 2, T_QUIT = 3, T_KILL = 9, T_USR1 = 10, T_USR2 = 12, T_TERM = 15, T_CONT = 18,
    T_WINCH = 28, T_PWR = 30,
};
enum { MOST = 64, MOST_SAID = 20000 };

struct said { instant at; struct action action; };

static struct story {
    struct model model;
    struct service services[MOST];
    uint16_t afters[MOST][MAX_AFTER];
    struct unit_policy units[MOST];
    struct check_policy checks[MOST];
    struct step_policy steps[MOST];
    struct checkpoint_policy checkpoints[MOST];
    struct core core;
    instant now;
    struct said said[MOST_SAID];
    uint32_t n_said;
    uint32_t mark;                  /* said before this has been looked at */
    bool alive[256], led[256];      /* by slot: a process; its leader has been reaped, its tree is not empty */
    bool runs[256];                 /* what was spawned is a service */
    bool owned[256];                /* spawned, and not forgotten yet */
    bool zombie[256];               /* it has ended, and the core has not been told yet */
    bool deaf[256];                 /* ignores what can be ignored */
    bool undying[256];              /* even KILL does not end it */
    bool slow_exec[256];            /* is not up until the test says so */
    bool clings[256];               /* its group outlives the leader's end, until KILL */
    int ends[256];                  /* exit code when it is told to end; 0: by the signal; N + 1: code N */
    uint32_t strays;                /* processes that belong to nobody */
    bool strays_deaf, strays_undying; /* undying: even KILL does not end them */
    struct event queue[512];
    uint32_t head, tail;
} s;

#define UNUSED __attribute__((unused))

/* ---- models ---- */

static UNUSED void new_model(void) {
    ASAN_UNPOISON_MEMORY_REGION(&s, sizeof s);
    memset(&s, 0, sizeof s);
    struct policy *p = &s.model.policy;
    *p = (struct policy){.grace = SEC(10), .reserve = SEC(1), .quiet = SEC(1), .sweep = true, .pid1 = true};
    for (int sig = 1; sig <= SIGNAL_MAX; sig++)
        p->signals[sig] = (struct signal_rule){SIGNAL_FORWARD, (uint8_t)sig};
    static const int stops[] = {T_TERM, T_INT, T_QUIT, T_PWR, RTMIN_BASE + 3, T_WINCH};
    for (unsigned i = 0; i < sizeof stops / sizeof *stops; i++)
        p->signals[stops[i]].meaning = SIGNAL_STOP;
    s.model.services = s.services, s.model.units = s.units, s.model.checks = s.checks, s.model.steps = s.steps;
    s.model.checkpoints = s.checkpoints;
    s.model.main = NONE;
}

/* A service with one instance, as an empty section would make it. */
static UNUSED uint16_t service(const char *name) {
    uint16_t i = s.model.n_services++, u = s.model.n_units++;
    s.services[i] = (struct service){
        .name = name, .type = TYPE_SERVICE, .restart = RESTART_ON_FAILURE, .essential = true, .n_stop = 1,
        .stop = {{T_TERM, NO_TIME}}, .after = s.afters[i], .first_unit = u, .n_units = 1,
        .stop_timeout = FOREVER, .guarantee = FOREVER, .ready_timeout = FOREVER,
        .restart_min = MS(100), .restart_max = SEC(10), .restart_window = SEC(60), .restart_limit = 5,
        .success_codes = {1},
    };
    s.units[u] = (struct unit_policy){.name = name, .service = i, .ready = NONE, .live = NONE};
    return i;
}

static UNUSED uint16_t main_service(const char *name) {
    uint16_t i = service(name);
    s.services[i].main = true, s.services[i].restart = RESTART_NO;
    s.model.main = i;
    return i;
}

enum { WEB };

/* The main service alone: unit 0, and obeys at once. */
static UNUSED void new_web(void) {
    new_model();
    main_service("web");
}

static UNUSED uint16_t oneshot(const char *name) {
    uint16_t i = service(name);
    s.services[i].type = TYPE_ONESHOT, s.services[i].restart = RESTART_NO;
    return i;
}

/* A lone command: no file, every signal forwarded, nothing timed. */
static UNUSED void new_single(void) {
    new_model();
    struct policy *p = &s.model.policy;
    p->single = true, p->grace = FOREVER, p->reserve = NO_TIME;
    for (int sig = 1; sig <= SIGNAL_MAX; sig++)
        p->signals[sig].meaning = SIGNAL_FORWARD;
    main_service("command");
}

static UNUSED void add_after(uint16_t service_, uint16_t other) {
    struct service *it = &s.services[service_];
    s.afters[service_][it->n_after++] = other;
    if (it->level <= s.services[other].level)
        it->level = (uint16_t)(s.services[other].level + 1);
}

static UNUSED uint16_t check_of(uint16_t unit, uint8_t kind, bool live) {
    uint16_t i = s.model.n_checks++;
    s.checks[i] = (struct check_policy){
        .kind = kind, .live = live, .then = THEN_RESTART, .unit = unit, .successes = 1, .failures = 3,
        .every = SEC(1), .timeout = SEC(1), .target = "tcp",
    };
    *(live ? &s.units[unit].live : &s.units[unit].ready) = i;
    return i;
}

static UNUSED uint16_t step(const char *name, uint8_t phase, uint8_t action) {
    uint16_t i = s.model.n_steps++;
    s.steps[i] = (struct step_policy){
        .name = name, .phase = phase, .action = action, .target = NONE, .for_service = NONE, .run_if_step = NONE,
        .timeout = FOREVER, .guarantee = FOREVER,
    };
    return i;
}

/* The drain stands below the one before it, as the default `after` says. */
static UNUSED uint16_t drain(const char *name, uint8_t action) {
    uint16_t i = step(name, PH_DRAIN, action);
    s.steps[i].stage = i;
    return i;
}

static UNUSED uint16_t finish(const char *name, uint8_t action) {
    uint16_t i = step(name, PH_FINISH, action), stage = 0;
    for (uint16_t j = 0; j < i; j++)
        if (s.steps[j].phase == PH_FINISH)
            stage = (uint16_t)(s.steps[j].stage + 1);
    s.steps[i].stage = stage;
    return i;
}

/* Of a service, or NONE of all; its step is returned, and has the number of the checkpoint. */
static UNUSED uint16_t checkpoint(const char *name, uint8_t phase, uint16_t of) {
    uint16_t i = step(name, phase, DO_CHECKPOINT), n = s.model.n_checkpoints++;
    s.steps[i].for_service = of;
    s.steps[i].checkpoint = n;
    s.checkpoints[n] = (struct checkpoint_policy){.step = i, .has_save = true, .every = FOREVER};
    return i;
}

/* ---- slots ---- */

static UNUSED uint16_t run_slot(uint16_t unit) { return core_job_of_unit(&s.core, unit); }
static UNUSED uint16_t aux_slot(uint16_t unit) { return core_job_of_aux(&s.core, unit); }
static UNUSED uint16_t step_slot(uint16_t it) { return core_job_of_step(&s.core, it); }
static UNUSED uint16_t check_slot(uint16_t it) { return core_job_of_check(&s.core, it); }
static UNUSED uint16_t record_slot(void) { return core_job_of_record(&s.core); }
static UNUSED uint16_t net_slot(void) { return core_job_of_net(&s.core); }

static UNUSED struct job_id id_of(uint16_t slot) { return (struct job_id){slot, s.core.jobs[slot].gen}; }

static UNUSED uint32_t n_alive(void) {
    uint32_t n = s.strays;
    for (uint16_t i = 0; i < core_jobs(&s.model); i++)
        n += s.alive[i] && !s.zombie[i];
    return n;
}

/* The step's command does not end by being told to. */
static UNUSED void lasts(uint16_t it) { s.deaf[step_slot(it)] = true; }

/* ---- the world ---- */

static UNUSED void post(struct event event) {
    cr_assert_lt(s.tail, sizeof s.queue / sizeof *s.queue);
    s.queue[s.tail++] = event;
}

static UNUSED void maybe_empty(void) {
    if (n_alive() == 0)
        post((struct event){.kind = EV_EMPTY});
}

/* The leader ends; its tree with it, unless it clings. */
static UNUSED void end_process(uint16_t slot, int exit) {
    if (!s.alive[slot] || s.zombie[slot])
        return;
    bool was_led = s.led[slot], clings = s.clings[slot] && exit != -T_KILL;
    if (clings && was_led)
        return;
    s.led[slot] = clings;
    s.zombie[slot] = !clings;
    maybe_empty();
    if (!was_led)
        post((struct event){.kind = EV_LEADER, .job = id_of(slot), .value = exit});
    if (!clings && s.runs[slot])
        post((struct event){.kind = EV_GONE, .job = id_of(slot)});
}

static UNUSED void on_spawn(const struct action *a) {
    uint16_t slot = a->job.job;
    cr_assert_not(s.alive[slot], "a spawn over a live job %u", slot);
    cr_assert_not(s.owned[slot], "a spawn over job %u, which was not forgotten", slot);
    s.owned[slot] = true;
    s.alive[slot] = true, s.led[slot] = s.zombie[slot] = false;
    s.runs[slot] = a->value == CMD_RUN;
    if (!s.slow_exec[slot])
        post((struct event){.kind = EV_SPAWNED, .job = a->job});
}

static UNUSED void on_signal(const struct action *a) {
    uint16_t slot = a->job.job;
    cr_assert(s.alive[slot], "signal %u to slot %u, which is not there", a->signal, slot);
    cr_assert_eq(a->job.gen, s.core.jobs[slot].gen);
    bool ends = a->signal == T_TERM || a->signal == T_INT || a->signal == T_QUIT || a->signal == T_HUP;
    if (a->signal == T_KILL && !s.undying[slot])
        end_process(slot, -T_KILL);
    else if (ends && !s.deaf[slot] && !s.slow_exec[slot])
        end_process(slot, s.ends[slot] ? s.ends[slot] - 1 : -a->signal);
}

static UNUSED void on_sweep(uint8_t kind) {
    if (kind == A_SWEEP_KILL ? !s.strays_undying : !s.strays_deaf)
        s.strays = 0;
    if (kind == A_SWEEP)
        end_process(net_slot(), 0);
    for (uint16_t i = 0; i < core_jobs(&s.model); i++)
        if (kind == A_SWEEP_KILL ? !s.undying[i] : i != net_slot() && !s.deaf[i] && !s.slow_exec[i])
            end_process(i, kind == A_SWEEP_KILL ? -T_KILL : -T_TERM);
    maybe_empty();
}

static UNUSED void carry_out(const struct action *a) {
    switch ((enum action_kind)a->kind) {
    case A_SPAWN: on_spawn(a); break;
    case A_SIGNAL: on_signal(a); break;
    case A_KILL:
        if (!s.undying[a->job.job])
            end_process(a->job.job, -T_KILL);
        break;
    case A_FORGET:
        s.owned[a->job.job] = false;
        if (s.alive[a->job.job] && !s.zombie[a->job.job])
            s.strays++;
        s.alive[a->job.job] = s.zombie[a->job.job] = false;
        break;
    case A_SWEEP: case A_SWEEP_KILL: on_sweep(a->kind); break;
    case A_NOTHING: case A_PUBLISH: case A_WATCH_TREE: case A_NOTE: case A_EXIT: case A_N: break;
    }
}

/* The core knows that it has ended: signals would meet nobody from now on. */
static UNUSED void reaped(const struct event *event) {
    uint16_t slot = event->job.job;
    if (s.zombie[slot] && (event->kind == EV_GONE || !s.runs[slot]))
        s.alive[slot] = s.zombie[slot] = false;
}

/* What holds after every step, whatever the story. */
static UNUSED void look(const struct actions *out) {
    cr_assert_lt(out->n, out->room, "the buffer has a bound");
    cr_assert_gt(core_next(&s.core).ns, s.now.ns, "a busy loop");
    for (uint32_t i = 0; i < out->n; i++) {
        cr_assert(out->v[i].kind != A_PUBLISH || i == 0, "PUBLISH comes first");
        cr_assert(out->v[i].kind != A_EXIT || i + 1 == out->n, "EXIT comes last");
    }
}

/* These say all by being said. */
static UNUSED void look_at_note(const struct action *note) {
    bool of_all = note->value == NOTE_RESUMED || note->value == NOTE_PRESTOP_LAPSED || note->value == NOTE_DRAINED ||
                  note->value == NOTE_READY;
    bool of_unit = note->value == NOTE_NOT_READY || note->value == NOTE_UNHEALTHY || note->value == NOTE_WAITING;
    bool of_signal = note->value == NOTE_ALREADY || note->value == NOTE_HURRY || note->value == NOTE_KILL_ALL ||
                     note->value == NOTE_IGNORED;
    cr_assert(!(of_all || of_signal || note->value == NOTE_NET_RESTART) || note->subject == NONE);
    cr_assert(!of_signal || (note->extra >= 1 && note->extra <= SIGNAL_MAX));
    cr_assert(!of_unit || note->subject < s.model.n_units);
    cr_assert(!(of_all || of_unit || note->value == NOTE_SAVE_MISSED) || note->extra == 0);
}

static struct action out_memory[MOST * 64];

static UNUSED void take(const struct event *event) {
    struct actions out = {.v = out_memory, .room = core_actions_max(&s.model)};
    cr_assert_leq(out.room, sizeof out_memory / sizeof *out_memory);
    if (event == NULL)
        core_start(&s.core, s.now, &out);
    else
        core_step(&s.core, event, s.now, &out);
    look(&out);
    if (event != NULL && (event->kind == EV_LEADER || event->kind == EV_GONE))
        reaped(event);
    for (uint32_t i = 0; i < out.n; i++) {
        if (out.v[i].kind == A_NOTHING)
            continue;
        if (out.v[i].kind == A_NOTE)
            look_at_note(&out.v[i]);
        cr_assert_lt(s.n_said, MOST_SAID);
        s.said[s.n_said++] = (struct said){s.now, out.v[i]};
        carry_out(&out.v[i]);
    }
}

/* Tells the core a fact, and all that follows from it at this instant. */
static UNUSED void tell(struct event event) {
    post(event);
    while (s.head < s.tail)
        take(&s.queue[s.head++]);
    s.head = s.tail = 0;
}

/* Nothing may rely on what stands behind the last of each, and the sanitizer sees who looks. */
#define SPOIL(array, n) do { \
        memset((array) + (n), 0xa5, (MOST - (n)) * sizeof *(array)); \
        ASAN_POISON_MEMORY_REGION((array) + (n), (MOST - (n)) * sizeof *(array)); \
    } while (0)

static UNUSED void spoil_the_rest(void) {
    ASAN_UNPOISON_MEMORY_REGION(&s, sizeof s);
    SPOIL(s.services, s.model.n_services);
    SPOIL(s.units, s.model.n_units);
    SPOIL(s.checks, s.model.n_checks);
    SPOIL(s.steps, s.model.n_steps);
    SPOIL(s.checkpoints, s.model.n_checkpoints);
}

static UNUSED void begin_told(void) {
    static void *memory; /* exactly as much as was asked for, so that the sanitizer sees one byte more */
    free(memory);
    memory = malloc(core_bytes(&s.model));
    memset(memory, 0xa5, core_bytes(&s.model)); /* nothing may rely on what was there */
    spoil_the_rest();
    cr_assert(core_layout(&s.core, &s.model, memory, core_bytes(&s.model)), "core_bytes() is enough");
    cr_assert_leq(core_jobs(&s.model), 256);
}

static UNUSED void begin(void) {
    begin_told();
    take(NULL);
    while (s.head < s.tail)
        take(&s.queue[s.head++]);
    s.head = s.tail = 0;
}

/* Only makes the plan. */
static UNUSED void lay_out(void) { begin_told(); }

/* Moves the clock; every tick comes at its exact instant. */
static UNUSED void at(int64_t ms) {
    instant until_ = {ms * NS_PER_MS};
    while (due(core_next(&s.core), until_)) {
        s.now = core_next(&s.core);
        tell((struct event){.kind = EV_TICK});
    }
    cr_assert(!before(until_, s.now), "the clock does not go back");
    s.now = until_;
}

static UNUSED void tell_signal(int sig) {
    tell((struct event){.kind = EV_SIGNAL, .value = sig, .flags = SIG_FROM_OUTSIDE});
}
static UNUSED void tell_ask(uint8_t verb, uint16_t subject, int32_t value) {
    tell((struct event){.kind = EV_ASK, .verb = verb, .subject = subject, .value = value, .client = 77});
}
static UNUSED void tell_check(uint16_t check, bool passing) {
    tell((struct event){.kind = EV_CHECK, .subject = check, .value = passing, .gen = s.core.checks[check].gen});
}
static UNUSED void spawned(uint16_t slot) {
    tell((struct event){.kind = EV_SPAWNED, .job = id_of(slot)});
}
static UNUSED void spawn_failed(uint16_t slot, int code) {
    s.alive[slot] = false;
    tell((struct event){.kind = EV_SPAWN_FAILED, .job = id_of(slot), .value = code});
}
/* The process ends by itself. */
static UNUSED void ends(uint16_t slot, int exit) {
    cr_assert(s.alive[slot], "slot %u is not there", slot);
    end_process(slot, exit);
    cr_assert_lt(s.head, s.tail);
    struct event last = s.queue[--s.tail];
    tell(last);
}
/* What was left of its group is gone. */
static UNUSED void group_ends(uint16_t slot) {
    cr_assert(s.alive[slot] && s.led[slot]);
    s.alive[slot] = s.led[slot] = false;
    maybe_empty();
    tell((struct event){.kind = EV_GONE, .job = id_of(slot)});
}
/* The answer to the newest request. */
static UNUSED uint16_t answer(void) { return s.core.replies[(s.core.next_reply + MAX_REPLIES - 1) % MAX_REPLIES].code; }

/* ---- what was said ---- */

static UNUSED void mark(void) { s.mark = s.n_said; }

static UNUSED struct said *find_said(uint8_t kind, uint16_t slot, int signal, uint32_t from) {
    for (uint32_t i = from; i < s.n_said; i++) {
        const struct action *a = &s.said[i].action;
        if (a->kind == kind && (slot == NONE || a->job.job == slot) && (signal < 0 || a->signal == signal))
            return &s.said[i];
    }
    return NULL;
}

/* How often, since the mark. slot NONE: any; signal -1: any. */
static UNUSED uint32_t count(uint8_t kind, uint16_t slot, int signal) {
    uint32_t n = 0;
    for (struct said *it = s.said + s.mark; (it = find_said(kind, slot, signal, (uint32_t)(it - s.said))); it++)
        n++;
    return n;
}

static UNUSED uint32_t spawns(uint16_t slot) { return count(A_SPAWN, slot, -1); }
static UNUSED uint32_t kills(uint16_t slot) { return count(A_KILL, slot, -1); }
static UNUSED uint32_t signals(uint16_t slot, int sig) { return count(A_SIGNAL, slot, sig); }

/* The time of the first one since the mark, in milliseconds; -1 if there is none. */
static UNUSED int64_t when(uint8_t kind, uint16_t slot, int signal) {
    struct said *it = find_said(kind, slot, signal, s.mark);
    return it ? it->at.ns / NS_PER_MS : -1;
}

static UNUSED uint32_t notes(uint8_t what) {
    uint32_t n = 0;
    for (uint32_t i = s.mark; i < s.n_said; i++)
        n += s.said[i].action.kind == A_NOTE && s.said[i].action.value == what;
    return n;
}

static UNUSED struct row *row(const char *name) {
    for (uint16_t i = 0; i < s.core.walk.n_rows; i++)
        if (strcmp(row_name(&s.model, &s.core.walk.rows[i]), name) == 0)
            return &s.core.walk.rows[i];
    cr_assert_fail("no row is named %s", name);
    return NULL;
}

static UNUSED int64_t ms_of(instant it) { return is_never(it) ? -1 : it.ns / NS_PER_MS; }
static UNUSED bool exited(void) { return s.core.exited; }
static UNUSED int exit_code(void) { return s.core.exit_code; }
static UNUSED uint8_t unit_state(uint16_t unit) { return s.core.units[unit].state; }

/* Prints what was said; for a failing test's reader. */
static UNUSED void tell_all(void) {
    static const char *const kinds[] = {"nothing", "publish", "spawn", "signal", "watch", "kill", "forget", "sweep",
                                        "sweep-kill", "note", "exit"};
    for (uint32_t i = 0; i < s.n_said; i++) {
        const struct action *a = &s.said[i].action;
        fprintf(stderr, "%8.3f %s slot %u gen %u signal %u subject %u value %d extra %d\n",
                (double)s.said[i].at.ns / 1e9, kinds[a->kind], a->job.job, a->job.gen, a->signal, a->subject,
                a->value, a->extra);
    }
}

#define is_state(name, wanted) \
    cr_assert_eq(row(name)->state, wanted, "%s is %s", name, row_state_name(row(name)))
#define is_at(actual, expected) cr_assert_eq(actual, expected, "%lld, not %lld", (long long)(actual), (long long)(expected))

/* Exited with this code; nothing armed, nothing alive. */
#define the_end(code) do { \
        cr_assert(exited(), "it has not exited at %lld ms", (long long)ms_of(s.now)); \
        cr_assert_eq(exit_code(), code, "exit %d, not %d", exit_code(), code); \
        cr_assert_eq(find_said(A_EXIT, NONE, -1, 0)->action.value, code); \
        nothing_is_left(); \
    } while (0)

static UNUSED void nothing_is_left(void) {
    cr_assert(is_never(core_next(&s.core)), "something is armed");
    cr_assert_eq(n_alive(), 0, "%u processes are alive", n_alive());
    cr_assert_eq(core_life(&s.core), LIFE_EXITED);
    uint32_t n = s.n_said;
    tell_signal(T_TERM);
    if (s.n_said > n) tell_all();
    cr_assert_eq(s.n_said, n, "nothing is said after the exit");
}

#endif
