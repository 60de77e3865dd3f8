/* run/tree.h: descendants that are known to belong to a job, also after they have left its group.
 *
 * One fixed table. An entry is a process by pid and start time; a full table forgets the rest, which
 * then belongs to the sweep.
 */
#ifndef RUN_TREE_H
#define RUN_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/arena.h"
#include "sys/proc.h"

enum { TREE_ROOM = 4096, TREE_WALK = 1024 };

struct tree_entry { struct proc_id id; uint16_t job; };
struct tree {
    struct tree_entry *v;
    struct proc_id *walk; /* scratch, TREE_WALK */
    uint32_t n;
};

bool tree_layout(struct tree *tree, struct arena *arena);
/* Remembers what is now below leader (0: it has gone) and below what was known. */
void tree_watch(struct tree *tree, uint16_t job, pid_t leader);
/* Remembers our own children in this group: its leader has gone, and left them to us. */
void tree_adopt(struct tree *tree, uint16_t job, pid_t group);
/* To all that are known and not in this group (0: to all). */
void tree_signal(struct tree *tree, uint16_t job, pid_t but_group, int sig);
/* Whether none is left; forgets those that have gone, up to the first that has not. */
bool tree_empty(struct tree *tree, uint16_t job);
/* Whether a known one that lives is in the group: then its number cannot have been recycled. */
bool tree_holds_group(const struct tree *tree, uint16_t job, pid_t group);
void tree_forget(struct tree *tree, uint16_t job);

#endif
