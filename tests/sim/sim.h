/* tests/sim/sim.h: a million shutdowns on a virtual clock.
 *
 *   make.c    draws a model and what its processes are like, from a seed
 *   world.c   fakes the kernel: processes, signals, reaping; carries actions out, posts facts
 *   rules.c   what must hold after every step
 *   ends.c    what others see, and what must hold at the exit
 *   story.c   one run: the events from outside, the order of facts, the end
 *   main.c    many runs
 *
 * A seed gives the same story every time. A failure prints its seed, and is told again with a trace.
 */
#ifndef SIM_H
#define SIM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "model/names.h"

enum { MOST_UNITS = 220, MOST_SERVICES = 200, MOST_CHECKS_ = 80, MOST_STEPS_ = 8, MOST_SLOTS = 2 * MOST_UNITS + 96 };
enum { K_INT = 2, K_QUIT = 3, K_KILL = 9, K_TERM = 15, K_CONT = 18 };

/* How the processes of one owner behave. */
struct nature {
    uint8_t hangs;        /* percent that never reach exec */
    uint8_t fails;        /* percent whose spawn fails */
    uint8_t deaf;         /* percent that ignore what can be ignored */
    uint8_t tails;        /* percent whose group outlives the leader */
    uint8_t strays;       /* percent that leave processes nobody knows */
    uint8_t undying;      /* percent that even KILL does not end in time */
    uint8_t good;         /* percent of its own ends that are exit 0 */
    uint8_t polite;       /* percent that answer the stop signal with exit 0, the others die of it */
    span life, slow;      /* about how long it lives by itself (FOREVER), takes to obey */
};

enum proc_state { P_NONE, P_FORKED, P_UP, P_LEFT };

struct proc {
    uint8_t state, what;
    uint16_t gen, owner;
    bool deaf, undying, polite, zombie, stopped, told_end;
    bool tail, tail_deaf;     /* members of its group beside the leader */
    uint8_t strays;
    signal_set sent;          /* stop signals that it was sent: those that CONT follows */
    uint8_t pending;          /* a signal that came before exec */
    bool was_killed, fail;
    int exit;
    uint32_t plan;            /* number of the newest plan for its leader, and for its tail */
    uint32_t tail_plan;
};

enum item_kind { I_EXEC, I_END, I_TAIL_END, I_STRAY_END, I_SWEPT, I_OUTSIDE, I_CHECK, I_STOPPED, I_PULSE };
struct item { int64_t at; uint32_t order, plan; uint16_t slot, gen; uint8_t kind; };

enum { MOST_ITEMS = 8192, MOST_FACTS = 4096 };

struct sim {
    uint64_t dice;
    bool trace;
    uint64_t seed;
    const char *failure;      /* NULL: all is well */
    char text[160];
    /* the model */
    struct model model;
    struct service services[MOST_SERVICES];
    uint16_t afters[MOST_SERVICES][MAX_AFTER];
    struct unit_policy units[MOST_UNITS];
    struct check_policy checks[MOST_CHECKS_];
    struct step_policy steps[MOST_STEPS_];
    struct nature unit_nature[MOST_UNITS], aux_nature, step_nature[MOST_STEPS_], check_nature, net_nature;
    span latency;             /* how late the loop may be told of a fact or an instant */
    instant horizon;          /* a stop comes now, if none came before */
    uint32_t calls;           /* how often it has */
    bool mortal;              /* no process survives KILL */
    /* the world */
    instant now;
    struct proc procs[MOST_SLOTS];
    uint32_t alive, strays, deaf_strays;
    struct item items[MOST_ITEMS];
    uint32_t n_items, order;
    struct event facts[MOST_FACTS];
    uint32_t first_fact, n_facts;
    bool reaped;              /* something was, in this batch */
    /* the core */
    struct core core;
    struct actions out;
    uint64_t n_events;
    /* the rules' memory */
    struct row rows[MOST_UNITS + 16];
    int last_exit[MOST_UNITS];
    signal_set last_sent[MOST_UNITS]; /* the stop signals that its last run was sent */
    bool was_running[MOST_UNITS]; /* when the stop began */
    instant gone[MOST_UNITS];     /* when its last run was over; NEVER: it was resumed or asked for since */
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

/* dice */
static inline uint64_t roll64(void) {
    uint64_t z = (sim.dice += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
static inline uint32_t roll(uint32_t sides) { return (uint32_t)(((roll64() >> 32) * sides) >> 32); }
static inline bool chance(uint32_t percent) { return roll(100) < percent; }
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
/* world.c */
void world_begin(void);
void world_item(span in, uint8_t kind, uint16_t slot, uint32_t plan);
bool world_next(instant *at);
void world_turn(void);              /* everything that happens at `now` or before, as facts */
void world_fact(struct event event);
void world_do(const struct action *action);
void world_end_main(void);
/* rules.c */
void rules_begin(void);
void rules_action(const struct action *action, uint32_t place);
void rules_step(const struct event *event);
void rules_turn(void);
void rules_stuck(void);
/* ends.c */
bool is_success(const struct service *service, int exit);
void rules_page(void);
void rules_exit(void);
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* story.c */
bool story(uint64_t seed, bool trace);
void outside(void);
void say_event(const struct event *event);
void say_action(const struct action *action);
void say_model(void);

#endif
