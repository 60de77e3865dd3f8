/* run/run.h: PID 1's loop. Facts to events, the core's step, actions to the kernel.
 */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "model/arena.h"
#include "model/spec.h"

/* Runs the configuration to its end and returns lastcall's exit code. argv0: how it was called, for
 * the helper's exec; envp: the children's base environment. Failures before the loop are reported and
 * returned as 125, 126 or 127; once the loop has begun nothing but A_EXIT ends it. */
int run(const struct config *config, struct arena *arena, char *const *envp);

#endif
