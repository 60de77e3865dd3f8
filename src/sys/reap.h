/* sys/reap.h: takes what children have to say, one at a time, never blocking.
 * (Named so because sys/wait.h is the C library's.)
 */
#ifndef SYS_REAP_H
#define SYS_REAP_H

#include <stdbool.h>
#include <sys/types.h>

enum reap_kind {
    REAP_NOTHING, /* children are there, none has anything to say */
    REAP_NO_CHILD,
    REAP_FAILED,  /* nobody knows: ask again later */
    REAP_ENDED,   /* reaped; value: exit code, or -signal */
    REAP_STOPPED, /* value: the signal */
};
struct reap_fact { enum reap_kind kind; pid_t pid; int value; };

struct reap_fact reap_next(void);

#endif
