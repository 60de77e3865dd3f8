/* world/world.h: a kernel that is not there, and programs that do as they are told, on a virtual clock.
 *
 * Given the core's actions it says what would come of them, as events with their times. A program's exec
 * succeeds at once, a check passes at once, a oneshot and a command that nobody spoke of exit 0 at once,
 * and a service ends with 0 as soon as it gets its stop signal. A habit says what else one does:
 *
 *   HABIT_TAKES  a command or a oneshot exits 0 after so long, unless it is told to end before; a service
 *                needs so long from its stop signal to its exit 0
 *   HABIT_FAILS  a command or a oneshot exits 1 at once; a service exits 1 on its stop signal
 *   HABIT_HANGS  none ends by anything but KILL
 *
 * Pure; the caller owns all storage, and turns the clock.
 */
#ifndef WORLD_WORLD_H
#define WORLD_WORLD_H

#include "core/core.h"
#include "model/arena.h"

enum habit_kind { HABIT_TAKES, HABIT_FAILS, HABIT_HANGS };
struct habit { uint8_t kind; span takes; };

/* The process of a job. */
struct body {
    uint8_t what;                      /* enum command_kind */
    bool alive;
    uint16_t owner, gen;
    int16_t exit;                      /* when it ends by itself: the code, or -signal */
    instant ends;                      /* NEVER: it does not */
};

struct world {
    const struct model *model;
    struct habit *of_unit, *of_step;   /* zero: takes no time */
    struct body *bodies;               /* by job */
    struct event *facts;               /* a ring: what has happened and was not taken */
    uint32_t first, n_facts, room;
    uint32_t *asked;                   /* by check: the generation that has passed */
    uint16_t n_jobs, alive;
    bool sweeping;                     /* wants to know when nothing is left */
    instant now;
};

/* false: the arena is too small. */
bool world_layout(struct world *world, const struct model *model, struct arena *arena);

/* What comes of an action. */
void world_do(struct world *world, const struct action *action);
/* After every step of the core: checks that are on and wait for an answer get one. */
void world_look(struct world *world, const struct core *core);

/* When the next fact comes, not before `now`; NEVER: none does. */
instant world_next(const struct world *world);
/* Turns the clock to `now` and takes one fact that is due; false: there is none. */
bool world_take(struct world *world, instant now, struct event *event);

#endif
