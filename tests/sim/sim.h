/* tests/sim/sim.h: a million shutdowns on a virtual clock.
 *
 *   make.c    draws a model from a seed, and what its processes are like
 *   scene.c   what follows from a scene's parts, and whether conf would let it pass
 *   fields.c  the parts of a scene by name
 *   text.c    a scene as text, and back
 *   fate.c    what one process will do: drawn when it is born, or looked up
 *   world.c   fakes the kernel: processes, signals, reaping; carries actions out, posts facts
 *   rules.c   what must hold after every step
 *   orders.c  what must hold for each thing that the core wants done
 *   times.c   what each step is given, and when nothing may be left
 *   units.c   what must hold for services
 *   steps.c   what must hold for the steps of the plan
 *   saves.c   what must hold for checkpoints
 *   restarts.c what becomes of a service that has ended
 *   checks.c  what must hold for ready and live checks
 *   errands.c what becomes of a service that somebody asks for, and the answers
 *   signals.c who gets which signal, and KILL
 *   asked.c   what must follow from a signal, a request, an end
 *   ends.c    what others see, and what must hold at the exit
 *   story.c   one run: the events from outside, the order of facts, the end
 *   tell.c    a run as a person reads it
 *   shrink.c  a scene that fails becomes a small one that fails in the same way
 *   main.c    many runs
 *
 * A scene is all that decides how a run goes, but for the core itself. A seed draws one as it goes along. Of a run
 * that fails the scene is recorded, made small, and kept as text, so that it stays a test when seeds draw others.
 */
#ifndef SIM_H
#define SIM_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "model/names.h"

enum { MOST_UNITS = 220, MOST_SERVICES = 200, MOST_CHECKS_ = 80, MOST_STEPS_ = 8, MOST_SLOTS = 2 * MOST_UNITS + 96 };
enum { MOST_EVENTS = 2048, MOST_FATES = 4096, MOST_TURNS = 2048 };
enum { K_INT = 2, K_QUIT = 3, K_KILL = 9, K_TERM = 15, K_CONT = 18 };

/* What a checkpoint is beyond its step stands where a step that is one has nothing: has_undo is has_restore, `every`
 * its schedule (0: none), and `signal` has these bits. */
enum { KEEPS_NOTHING = 1 /* it only restores */, KEEPS_ON_RESTART = 2, KEEPS_MAY_FAIL = 4 };

/* When a process chooses to die. */
enum moment { M_ANY, M_NOTICE, M_STAGE, M_RESUME, M_DEADLINE, M_TURN, M_N };
enum obeys { OBEYS_DYING, OBEYS_WELL, OBEYS_CODE };

/* What a process will do. */
struct fate {
    span exec;                /* until exec; FOREVER: it hangs */
    span life;                /* until it ends by itself; USUAL: as its kind does */
    span slow;                /* until it obeys */
    span dies;                /* until KILL has ended it */
    span tail_life;           /* of its group, once the leader has ended */
    span stray_life;          /* of one stray, once the leader has ended */
    span pulse, stops;        /* the helper: until a sign of life; until it is stopped */
    int16_t exit;             /* its own end; of a spawn that fails: 125 to 127 */
    uint8_t obeys, worst;     /* enum obeys; enum moment */
    uint8_t strays, deaf_strays; /* processes that nobody knows, left behind at its end */
    bool fails, deaf, undying, tail, tail_deaf;
};
#define USUAL ((span){-1})
struct born { uint8_t what; uint16_t owner, nth; struct fate fate; };
/* event.gen and event.job.gen: so many generations ago. */
struct told { instant at; struct event event; };
/* The turn that is due then comes late, or hears of ends first. */
struct odd_turn { instant at; uint32_t nth; span late; bool ends_first; }; /* nth: of those at this instant */

struct scene {
    struct model model;
    struct service services[MOST_SERVICES];
    uint16_t afters[MOST_SERVICES][MAX_AFTER];
    struct unit_policy units[MOST_UNITS];
    struct check_policy checks[MOST_CHECKS_];
    struct step_policy steps[MOST_STEPS_];
    struct checkpoint_policy checkpoints[MOST_STEPS_]; /* follow from the steps that are one: see KEEPS_* */
    span latency;             /* how late the loop may be told of a fact or an instant */
    instant horizon;          /* a stop comes now, if none came before */
    int32_t late_ms;          /* phases alone: how much of the grace is gone */
    uint8_t rewrite;          /* single command: what TERM becomes */
    uint8_t strays;           /* are there from the beginning */
    span sweep;               /* what a sweep reaches ends after so long */
    bool mortal;              /* no process survives KILL */
    struct born fates[MOST_FATES];
    struct told events[MOST_EVENTS];
    struct odd_turn turns[MOST_TURNS];
    uint16_t n_fates, n_events, n_turns;
};

enum proc_state { P_NONE, P_FORKED, P_UP, P_LEFT };

struct proc {
    uint8_t state, what;
    uint16_t gen, owner;
    bool zombie, stopped, told_end;
    bool tail;                /* members of its group beside the leader */
    signal_set sent;          /* stop signals that it was sent: those that CONT follows */
    uint8_t pending;          /* a signal that came before exec */
    bool was_killed;
    int exit;
    uint32_t plan;            /* number of the newest plan for its leader */
    instant born, first;      /* first: its first stop signal */
    instant ended_at, killed_at; /* killed_at: NEVER, it was not */
    uint8_t rungs;            /* stop signals that it got */
    bool tail_told;           /* what its leader left behind got TERM */
    bool cut;                 /* an undo that a new drain or stop has cut short */
    struct fate fate;
};

enum item_kind { I_EXEC, I_END, I_TAIL_END, I_STRAY_END, I_SWEPT, I_OUTSIDE, I_CHECK, I_STOPPED, I_PULSE, I_TURN };
struct item { int64_t at; uint32_t order, plan; uint16_t slot, gen; uint8_t kind; };

enum { MOST_ITEMS = 8192, MOST_FACTS = 4096 };

/* Where a scene comes from, and where it goes. */
enum source { DRAWN, RECORDED /* drawn, and written down */, READ };

/* The rules' memory of one step of the plan, in this round. term: its process was told to end. */
struct tries { uint8_t gates, runs; bool gate_passed, term, undone; int exit; instant ended; };
/* Of one checkpoint. fresh: restored since its service has run; since: its schedule counts from then. */
struct kept { bool restored, fresh, could; uint8_t why; int exit; uint32_t saves, ended; instant since, next; };
enum { ASKED_ALL = NONE, ASKED_NONE = NONE - 1 };
/* Of one check, since it was switched on: how it stands, and when it is asked next. */
struct asked { bool passing, told; uint16_t streak; uint32_t gen, asked_gen; instant asked, next, since; };
/* Of one unit: how often it was started again since `window`, when it must be ready, and what follows its end. */
struct again { uint16_t burst; uint8_t next; bool relive; instant window, ready_by; };
/* What a person was told in this step: how often, and the last of it. */
struct said { uint16_t n, subject; int32_t extra; };

struct sim {
    uint64_t dice, seed;
    uint8_t source;           /* enum source */
    bool trace, big, too_large; /* too_large: it cannot be kept */
    const char *failure;      /* NULL: all is well */
    const char *rule;         /* the words of the rule that was broken */
    char text[160];
    instant horizon;
    uint32_t calls;           /* how often the stop at the horizon has come */
    /* the world */
    instant now;
    struct proc procs[MOST_SLOTS];
    uint16_t births[CMD_N][MOST_SLOTS];
    uint32_t alive, strays, deaf_strays, worst; /* worst: those that wait for their moment */
    struct item items[MOST_ITEMS];
    uint32_t n_items, order;
    struct event facts[MOST_FACTS];
    uint32_t n_facts;
    bool reaped;              /* something was, in this batch */
    struct odd_turn turn;     /* this one */
    /* the core */
    struct core core;
    struct actions out;
    uint64_t n_events, hash;  /* hash: of all that the core wanted */
    /* the rules' memory */
    struct row rows[MOST_UNITS + 16];
    struct tries tries[MOST_STEPS_];
    struct kept kept[MOST_STEPS_];
    uint16_t asked_save;          /* the checkpoint that somebody asks for in this step; ASKED_* */
    bool asked_by_signal;
    bool record_read, cut_save;   /* cut_save: one failed during the stop, and no row tells */
    int record_exit;
    struct asked checked[MOST_CHECKS_];
    struct again again[MOST_UNITS];
    struct said said[NOTE_N];
    bool any_said;
    uint8_t ended;                /* enum command_kind of the process whose end the core is told; CMD_N: of none */
    uint16_t next_reply, answer;  /* answer: that the request of this step must get */
    bool held[MOST_UNITS], wanted[MOST_UNITS]; /* somebody has stopped it; has asked for a start that is to come */
    uint8_t ints;                 /* INTs since the stop began */
    uint8_t told_state[MOST_UNITS + 16]; /* of each row, by notes */
    instant lapse;                /* when a prestop that no stop follows is undone */
    bool put_down[MOST_UNITS], at_fault[MOST_UNITS]; /* this run was not ready in time, or not healthy; the last was */
    bool was_ready[MOST_UNITS], extended[MOST_UNITS];
    bool drained;
    bool undoing, kill_all, never_ran; /* never_ran: the newest end was no end of a process */
    int exit_said;
    uint32_t times_ready;         /* so often it was said that all are ready for the first time */
    int last_exit[MOST_UNITS];
    signal_set last_sent[MOST_UNITS]; /* the stop signals that its last run was sent */
    bool was_running[MOST_UNITS]; /* when the drain or stop began */
    bool was_stopping[MOST_UNITS];
    instant gone[MOST_UNITS];     /* when its last run was over; NEVER: it was resumed or asked for since */
    bool noticed, forced;         /* a drain or stop has begun; something that is part of it got KILL since */
    bool hurried, stale;          /* stale: what the core was told is about a job that has gone */
    bool by_hand;                 /* somebody has asked to start or restart a service */
    instant last_end;             /* of any process */
    uint8_t goal, floor;
    instant clock, notice;
    bool fits, exited, resumed; /* resumed: in this step */
    uint64_t published;
    uint16_t undo_row, stage;
    bool deep;                /* compare what is published */
};

extern struct sim sim;
extern struct scene scene;

/* dice */
static inline uint64_t roll64(void) {
    uint64_t z = (sim.dice += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
static inline uint32_t roll(uint32_t sides) { return (uint32_t)(((roll64() >> 32) * sides) >> 32); }
static inline bool chance(uint32_t percent) { return percent && roll(100) < percent; }
/* About so long: often exactly, so that instants meet. */
static inline span about(span most) {
    if (is_forever(most) || most.ns == 0)
        return most;
    switch (roll(4)) {
    case 0: return most;
    case 1: return (span){most.ns / 10 * (int64_t)roll(11)};
    case 2: return (span){(int64_t)(roll64() % (uint64_t)(most.ns + 1))};
    default: return MS(roll((uint32_t)(most.ns / NS_PER_MS) + 1));
    }
}

/* make.c */
void make_model(void);
void draw_fate(struct fate *fate, uint8_t what, uint16_t owner);
/* scene.c */
void scene_finish(void);
bool scene_valid(void);
void scene_clear(void);
/* fate.c */
void fate_of(struct fate *fate, uint8_t what, uint16_t owner);
struct event outside(instant at, uint32_t which);
instant turn_begins(instant next);  /* that late */
bool turn_ends_first(bool matters);
void check_answers(instant at, uint16_t check);
/* text.c */
void scene_print(FILE *file);
bool scene_read(const char *path);
/* world.c */
void world_begin(void);
void world_item(span in, uint8_t kind, uint16_t slot, uint32_t plan);
bool world_next(instant *at);
void world_turn(void);              /* everything that happens at `now` or before, as facts */
void world_fact(struct event event);
void world_do(const struct action *action);
void world_end_main(void);
/* rules.c */
extern uint16_t row_of_unit[MOST_UNITS], row_of_step[MOST_STEPS_];
void rules_begin(void);
void rules_step(const struct event *event);
void rules_turn(void);
void rules_stuck(void);
/* times.c */
instant end_of_steps(void);
void rules_promises(void);
void rules_opening(const struct row *row, uint16_t number);
void rules_shortened(const struct row *row, const struct row *old, uint16_t number);
void rules_extended(const struct row *row, const struct row *old, const struct event *event);
void rules_notice(void);
void rules_time(void);
/* units.c */
bool service_ready(uint16_t service);
void rules_first_start(uint16_t unit);
void rules_restart(uint16_t unit);
void rules_stop_order(uint16_t unit, uint32_t place);
void rules_unit(uint16_t unit);
void rules_all_ended(void);
void rules_health(void);
/* orders.c */
void rules_action(const struct action *action, uint32_t place);
void rules_told(const struct event *event);
/* steps.c */
bool service_alive(uint16_t service);
bool rules_phase_passed(uint8_t phase);
void rules_step_command(const struct action *action);
void rules_step_term(const struct proc *proc);
void rules_step_waits(const struct row *row, uint16_t number);
void rules_had_ended(const struct row *row, uint16_t number);
void rules_step_ended(const struct row *row, uint16_t number);
void rules_undo(uint16_t step);
void rules_all_undone(void);
void rules_undo_term(const struct proc *proc);
void rules_undo_runs(void);
void rules_undo_cut(void);
/* signals.c */
void rules_target(const struct action *action, const char *what);
void rules_signal(const struct action *action, uint32_t place);
void rules_kill(const struct action *action);
void rules_farewell(const struct action *action);
void rules_ladder(uint16_t unit);
/* saves.c */
void rules_checkpoints_begin(void);
bool rules_restored(uint16_t service);
void rules_restored_again(uint16_t service);
bool rules_worth_saving(uint16_t step);
void rules_save(const struct action *action);
void rules_restore(uint16_t step);
void rules_checkpoint_told(uint16_t step, uint8_t what, int exit);
bool rules_cut_save(void);
void rules_checkpoint_term(const struct proc *proc);
void rules_checkpoints_rest(void);
void rules_record(const struct action *action);
void rules_checkpoints(bool look);
uint16_t rules_answer_save(uint16_t checkpoint);
/* checks.c */
void rules_check_asked(const struct action *action);
void rules_check_told(uint16_t check, const struct event *event);
void rules_check_turned(const struct event *event);
void rules_check(uint16_t check);
/* restarts.c */
void rules_restarts_begin(void);
void rules_unit_told(uint16_t unit);
void rules_unit_ended(uint16_t unit);
void rules_unit_wanted(uint16_t unit);
void rules_unit_run(uint16_t unit);
void rules_unit_extend(const struct event *event);
void rules_again(uint16_t unit);
/* errands.c */
uint16_t rules_answer(const struct event *event);
void rules_errand_told(const struct event *event, uint16_t answer);
void rules_errands_over(void);
void rules_errand_run(uint16_t unit);
void rules_errand(uint16_t unit);
void rules_errand_stop(void);
/* asked.c */
void rules_follow(const struct event *event);
/* ends.c */
bool is_success(const struct service *service, int exit);
bool ended_well(uint16_t unit);
void rules_page(void);
void rules_exit(void);
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* story.c */
bool story(uint64_t seed, uint8_t source);
/* tell.c */
void say_event(const struct event *event);
void say_action(const struct action *action);
/* shrink.c */
uint32_t shrink(void);

#endif
