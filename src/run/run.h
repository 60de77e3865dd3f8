/* run/run.h: PID 1's loop. Facts to events, the core's step, actions to the kernel.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "model/arena.h"
#include "model/spec.h"

/* Runs the configuration to its end and returns lastcall's exit code. envp: the children's base
 * environment; what belongs to lastcall alone is taken out of it. Failures before the loop are
 * reported and returned as 125, 126 or 127; once the loop has begun nothing but A_EXIT ends it. */
int run(const struct config *config, struct arena *arena, char *const *envp);

/* The same, when so much of the grace is gone already. */
int run_late(const struct config *config, struct arena *arena, char *const *envp, span late);

/* prestop where no lastcall runs: announce and drain of these files, as this process itself. */
int run_phases(const char *const *paths, uint32_t n_paths, span late, struct arena *arena, char *const *envp);

#endif
