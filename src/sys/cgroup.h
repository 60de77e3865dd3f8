/* sys/cgroup.h: reads the small files in which the kernel counts.
 */
#ifndef SYS_CGROUP_H
#define SYS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

/* The text with a NUL behind it, cut to the room. False: there is no such file, or nothing in it. */
bool cgroup_read(const char *path, char *text, size_t room);

#endif
