/* sys/fd.h: descriptors: none of ours below 3, as many as we may have.
 */
#ifndef SYS_FD_H
#define SYS_FD_H

#include <stdbool.h>
#include <sys/resource.h>

/* Closed standard streams become /dev/null, or are kept shut, so that nothing of ours is taken for one. */
void fd_fill_standard(void);
/* Closed standard streams are kept shut: what a verb opens is not taken for its stdout. */
void fd_hold_standard(void);
/* The same file above 2, close-on-exec; fd is closed if it had to move. -1 stays -1. */
int fd_above_standard(int fd);
/* Raises the soft limit to the hard one; *before is for the children. false: nothing was changed. */
bool fd_raise_limit(struct rlimit *before);
bool fd_set_limit(const struct rlimit *limit);
/* All above 2 but one; keep -1: all. */
void fd_close_others(int keep);
void fd_close(int *fd); /* if it is open; becomes -1 */

#endif
