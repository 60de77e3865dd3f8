/* run/guard.h: between child.c, which knows what a job runs, and guard.c, which stands around it.
 *
 * All of it runs in a child of PID 1. The order: guard_begin, guard_gate (restores), guard_open, then the command's environment
 * and words, then guard_part, from which the command alone returns with GUARD_COMMAND.
 */
#ifndef RUN_GUARD_H
#define RUN_GUARD_H

#include "model/checkpoint.h"
#include "model/spec.h"
#include "store/store.h"
#include "sys/spawn.h"

struct run;

struct guard {
    const struct checkpoint_spec *spec;
    struct checkpoint_result *result; /* shared with PID 1 */
    struct store_label label;
    bool saves;                       /* else it restores */
};

/* What an exec would do: no descriptor of PID 1's stays open but the error's, and it has a name of its own. */
void guard_begin(const struct spawn *spawn);
/* only_if: NULL: none. Does not return where there is nothing to restore. false: error is set. */
bool guard_gate(struct guard *guard, struct spawn *only_if, struct spawn_error *error);
/* Opens the store; result->path is then the command's directory. Does not return if there is none. */
void guard_open(struct guard *guard);
enum guard_side { GUARD_COMMAND, GUARD_FAILED };
enum guard_side guard_part(struct guard *guard, struct spawn *spawn, struct spawn_error *error);
/* which: enum record. */
_Noreturn void guard_record(struct run *run, uint16_t which);

#endif
