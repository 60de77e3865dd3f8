/* sys/sweep.h: signals to all that is left, and to no one else.
 *
 * As PID 1 everything in the namespace is ours: kill(-1). Otherwise lastcall is the subreaper: its own
 * descendants, as /proc shows them.
 */
#ifndef SYS_SWEEP_H
#define SYS_SWEEP_H

#include <stdbool.h>

#include "sys/proc.h"

/* sig and CONT to all; how many got it, as far as that is known. room: scratch for the walk. */
size_t sweep_term(bool pid1, int sig, struct proc_id *scratch, size_t room);
/* One round of KILL: to our children, whose pids cannot be recycled before we reap them, and to what
 * can be seen below them. What they leave behind becomes our child, so rounds get everything. */
void sweep_kill(bool pid1, struct proc_id *scratch, size_t room);
/* Children that are no zombies, for the report: at most room; how many. */
size_t sweep_left(pid_t *into, size_t room);

#endif
