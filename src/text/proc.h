/* text/proc.h: what /proc says about processes, in its own texts (proc(5)).
 */
#ifndef TEXT_PROC_H
#define TEXT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROC_COMM = 16 };

/* parent and group: 0 where they are another pid namespace's, or gone. */
struct proc_stat { int32_t parent, group; uint64_t start; char state; char comm[PROC_COMM]; };

/* text: of /proc/PID/stat. false: it is none, or only its beginning. */
bool proc_stat_read(const char *text, struct proc_stat *stat);

/* Numbers of processes with a blank behind each, as in /proc/PID/task/TID/children. The text may come in pieces,
 * however it is cut. What is no such number is passed over, and so is what there is no room for. */
struct proc_list { int32_t *into; size_t n, room; uint32_t number; bool wide; };
void proc_list_read(struct proc_list *list, const char *text, size_t bytes);

#endif
