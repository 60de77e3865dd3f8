/* sys/pidfd.h: a process that cannot be mistaken for another, and its group.
 */
#ifndef SYS_PIDFD_H
#define SYS_PIDFD_H

#include <stdbool.h>
#include <sys/types.h>

/* -1 if the kernel has none (before 5.3), or no descriptor is left. The pid must be a child that has
 * not been reaped, or be checked by its start time afterwards. */
int pidfd_of(pid_t pid);
/* 0 or an errno. */
int pidfd_signal(int pidfd, int sig);
/* To the process group that was named after this process, also once it has been reaped: a pid can be
 * recycled, a pidfd cannot. EINVAL before 6.9. sig 0: whether the group has members (zombies count). */
int pidfd_signal_group(int pidfd, int sig);

#endif
