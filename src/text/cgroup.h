/* text/cgroup.h: what the kernel says of memory cgroups, in its own files.
 */
#ifndef TEXT_CGROUP_H
#define TEXT_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/out.h"

enum { CGROUP_TEXT = 4096, CGROUP_PATH = 1024 }; /* room for the text of such a file, and for its path */

/* Which file counts the OOM kills of a group. */
struct cgroup_file { const char *root, *group, *name; size_t n; /* of group */ };
/* Of the group whose directory is mounted there, by version. */
extern const struct cgroup_file cgroup_v1, cgroup_v2;

/* text: of /proc/self/cgroup; file points into it. False: it names no group that can be looked at. */
bool cgroup_memory(const char *text, struct cgroup_file *file);
void cgroup_path(struct out *out, const struct cgroup_file *file);
/* text: of memory.events or memory.oom_control. False: it has no such number. */
bool cgroup_oom_kills(const char *text, uint64_t *kills);

#endif
