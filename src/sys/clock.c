#include "sys/clock.h"

#include <time.h>

#include "model/nearby.h"
#include "sys/raw.h"

/* Not by the library's fast way, which takes four pages of its own, unless a filter refuses the call. */
static NEARBY instant read_clock(clockid_t clock) {
    struct timespec time;
    if (raw(SYS_clock_gettime, clock, (long)&time, 0, 0) != 0)
        clock_gettime(clock, &time);
    return (instant){time.tv_sec * NS_PER_S + time.tv_nsec};
}

NEARBY instant clock_now(void) { return read_clock(CLOCK_MONOTONIC); }
instant clock_boot(void) { return read_clock(CLOCK_BOOTTIME); }

int64_t clock_wall_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec;
}
