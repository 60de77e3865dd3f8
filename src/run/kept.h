/* run/kept.h: what PID 1 knows of checkpoints. `shared` is written by guards (run/guard.c) and read here once they
 * have been reaped; the rest is PID 1's own.
 */
#ifndef RUN_KEPT_H
#define RUN_KEPT_H

#include "model/arena.h"
#include "model/checkpoint.h"
#include "model/page.h"

/* What became of the run before this one. */
struct last_run {
    char verdict[16], cause[64];  /* empty: not known */
    bool volatile_store;          /* the store is on tmpfs or an overlay */
};

struct kept {
    struct checkpoint_result *shared; /* by checkpoint; NULL: there are none */
    struct last_run *last;            /* shared, too */
    struct page_checkpoint_state *v;  /* by checkpoint */
    uint16_t newest;                  /* that was taken last in a stop; NONE */
    bool warned;                      /* about a volatile store */
};

#endif
