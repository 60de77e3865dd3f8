#include "sys/clock.h"

#include <time.h>

instant clock_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (instant){time.tv_sec * NS_PER_S + time.tv_nsec};
}

int64_t clock_wall_s(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec;
}
