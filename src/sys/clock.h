/* sys/clock.h: what time it is. Decisions use the first alone; the last is for printing.
 */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include "model/instant.h"

instant clock_now(void);      /* CLOCK_MONOTONIC */
instant clock_boot(void);     /* CLOCK_BOOTTIME, in which /proc says when a process has started */
int64_t clock_wall_s(void);   /* seconds since 1970, UTC */

#endif
