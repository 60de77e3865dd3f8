/* sys/proc.h: what /proc says about processes. Without /proc everything here says "nothing known".
 *
 * A process is known by pid and start time (clock ticks since boot): a pid that was recycled has
 * another start time, unless that came about within one tick. So who was seen in the tick of its own
 * start is young, and gets a signal only if it is found below us still.
 * No allocation: streams of the kernel's text through small buffers.
 */
#ifndef SYS_PROC_H
#define SYS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "text/proc.h"

struct proc_id { pid_t pid; bool young; uint64_t start; };

/* False if there is no such process, or no /proc. */
bool proc_stat(pid_t pid, struct proc_stat *stat);
/* Neither gone nor a zombie, and still the same process. */
bool proc_alive(struct proc_id id);
/* Children of all threads of pid, at most room; how many. pid 0: our own. */
size_t proc_children(pid_t pid, pid_t *into, size_t room);
/* Tells all children that we have, however many, while tell says true; one that becomes ours meanwhile is told as
 * well. */
void proc_each_child(bool (*tell)(pid_t child, void *to), void *to);
/* One that lives; the kernel says so without /proc. */
bool proc_is_our_child(pid_t pid);
/* The same (pid 0: our own), but only those that are so still while parent has kept its start time. */
size_t proc_children_of(struct proc_id parent, struct proc_id *into, size_t room);
/* Behind the first n: all processes below these that can be seen now, parents before children, each
 * verified against its parent; at most room; how many with the first n. */
size_t proc_descendants(struct proc_id *into, size_t n, size_t room);
/* Signals a process if it is still the one that is meant: 0 or an errno (ESRCH: it is gone). */
int proc_signal(struct proc_id id, int sig);

#endif
