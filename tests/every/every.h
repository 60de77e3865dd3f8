/* tests/every/every.h: all that can happen to a small system, not by chance but all of it.
 *
 *   systems.c  the systems, and what comes from outside
 *   moves.c    what may come next in a state, and how it is done
 *   same.c     which states are the same
 *   rules.c    what must hold
 *   keeps.c    what must hold of the checkpoint
 *   store.c    the table of states, and the states that wait their turn
 *   main.c     the search, and its figures
 *   walks.c    is forgetting allowed?
 *
 * A state is the core under test and the bodies of its processes. What may come next: a program's exec succeeds
 * or fails, a program ends well, badly or of its stop signal, what its leader has left goes, time passes until
 * the core wants to know, and, so many times at most, an event comes from outside. Facts come at instants at
 * which the core has something to do, not between them.
 *
 * The search is breadth first, by number of events from outside: a state is visited once, with the least
 * events that lead to it, so the way to a failure is as short as can be. States are told apart by 64 bits.
 */
#ifndef EVERY_H
#define EVERY_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/core.h"
#include "model/names.h"

enum { K_INT = 2, K_KILL = 9, K_TERM = 15 };
enum { SLOTS = 16, MEMORY = 4096, ACTIONS = 512, MOST_MOVES = 64, MOST_LAYERS = 100, ALARMS = 64, IDLE_S = 60 };

/* What a system has; any of them may be added. */
enum {
    CHAINED = 1,   /* b after a */
    MAIN = 2,      /* a is the main service */
    UNDO = 4,      /* the first drain has an undo */
    RESTART = 8,   /* the last service is restarted on failure, once */
    STRAYS = 16,   /* processes that nobody knows, until the sweep */
    UNDYING = 32,  /* KILL may take its time */
    BY_HAND = 64,  /* b is stopped, started and restarted by hand, too */
    /* A checkpoint of the last service: at most one of these three. */
    SAVE = 128, SETTLE = 256, BESIDE = 512, /* before the stop, after it, by no stop and without a timeout */
    RESTORE = 1024,     /* before its service starts */
    MAY_FAIL = 2048,    /* and if that fails it starts nevertheless */
    EACH_START = 4096,  /* also before a restart */
    SCHEDULE = 8192,    /* saved every two seconds */
    ON_DEMAND = 16384,  /* saved when somebody asks */
    REQUIRED = 32768,   /* a save of a stop that is cut off is told by the exit code */
};
enum { KEEPS = SAVE | SETTLE | BESIDE };
struct system { uint8_t services, drains, finishes; uint32_t has; };

enum life_of_body { GONE, ASKED, UP, LEFT };
struct body { uint8_t life, what; bool killed, told; uint16_t gen; };
struct state {
    struct core core;
    struct body bodies[SLOTS];
    instant now;
    bool strays, strays_killed, sweeping, empty_told;
    bool late;                          /* of the clock something is gone that nobody could use */
    bool whole, fresh;                  /* what a save may keep; what its service may start with */
    bool cut, awaited;                  /* a save that no stop takes was cut off by one; was waited for */
    _Alignas(8) char memory[MEMORY];    /* the core's; what is not used is neither copied nor compared */
};

enum move_kind { M_EXEC, M_FAIL, M_END, M_GONE, M_EMPTY, M_TIME, M_OUTSIDE };
struct move { uint8_t kind, slot; int16_t value; };

extern struct model model;
extern struct system what;
extern struct state at;                 /* where the code under test works: its pointers point in here */
extern size_t state_bytes;
extern struct actions actions;

/* What a search has found. how: by kind of end, 1 + the events that lead to it, 0: it has not been seen */
struct found { uint64_t states, moves, ends; double seconds; unsigned n_how; uint8_t how[96]; };

/* systems.c */
void system_make(const struct system *system);
const char *system_text(const struct system *system);
unsigned outsides(void);
const struct event *outside(unsigned which);
const char *outside_name(unsigned which);
/* moves.c */
void state_begin(void);
unsigned moves_of(struct move moves[MOST_MOVES]);
void move_do(struct move move);
bool anything_lives(void);
void move_say(struct move move);
/* same.c */
void state_same(void);                  /* at becomes the one that stands for all that are the same */
uint64_t state_name(void);              /* of at as it is: never 0 */
extern bool forgets;                    /* what cannot make a difference; else it only tells from today */
/* rules.c */
extern const char *broken;              /* NULL: all is well */
void wrong(const char *rule);
void rules_action(const struct action *action);
void rules_look(const struct core *was);
/* keeps.c */
void keeps_begin(void);
void keeps_told(const struct event *event);
void keeps_spawn(const struct action *action);
void keeps_note(const struct action *action);
void keeps_look(void);
/* walks.c */
void walks(const struct system *system, unsigned n);
/* store.c */
struct visited { uint64_t name; uint32_t parent; uint8_t layer, move; bool done; };
void store_open(unsigned bits);
void store_clear(void);
struct visited *store_find(uint64_t name);  /* its place: name is 0 if it has not been seen */
struct visited *store_at(uint32_t place);
uint32_t store_place(const struct visited *visited);
void store_push(unsigned layer, uint32_t place);   /* at waits its turn */
bool store_pop(unsigned layer, uint32_t *place);   /* and is back */

#endif
