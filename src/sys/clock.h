/* sys/clock.h: what time it is. Decisions use the first alone; the second is for printing.
 */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include "model/instant.h"

instant clock_now(void);      /* CLOCK_MONOTONIC */
int64_t clock_wall_s(void);   /* seconds since 1970, UTC */

#endif
