/* model/instant.h: a point in time and a length of time, as different types.
 *
 * Both count nanoseconds in a signed 64-bit integer. An instant is a reading of CLOCK_MONOTONIC
 * (clock_gettime(2)); it never comes from the wall clock. All arithmetic saturates: NEVER and
 * FOREVER absorb whatever is added to them, and no span is smaller than zero.
 */
#ifndef MODEL_INSTANT_H
#define MODEL_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/nearby.h"

typedef struct { int64_t ns; } instant;
typedef struct { int64_t ns; } span;

#define NEVER   ((instant){INT64_MAX})
#define FOREVER ((span){INT64_MAX})
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)
#define MS(n) ((span){(int64_t)(n) * NS_PER_MS})
#define SEC(n) ((span){(int64_t)(n) * NS_PER_S})
#define NO_TIME ((span){0})

static inline bool is_never(instant a) { return a.ns == INT64_MAX; }
static inline bool is_forever(span a) { return a.ns == INT64_MAX; }
static inline bool before(instant a, instant b) { return a.ns < b.ns; }
static inline bool due(instant at, instant now) { return at.ns <= now.ns; }
NEARBY static inline instant earlier(instant a, instant b) { return a.ns < b.ns ? a : b; }
static inline instant later_of(instant a, instant b) { return a.ns > b.ns ? a : b; }
static inline span shorter(span a, span b) { return a.ns < b.ns ? a : b; }
static inline span longer(span a, span b) { return a.ns > b.ns ? a : b; }

/* a + b; NEVER if either is without end or the sum does not fit, as that of NEVER and a span does not. */
NEARBY static inline instant after(instant a, span b) {
    int64_t sum;
    if (is_forever(b) || __builtin_add_overflow(a.ns, b.ns, &sum))
        return NEVER;
    return (instant){sum};
}

/* a - b; NEVER stays NEVER, FOREVER before anything is the beginning of time. */
static inline instant ago(instant a, span b) {
    int64_t difference;
    if (is_never(a))
        return NEVER;
    if (is_forever(b) || __builtin_sub_overflow(a.ns, b.ns, &difference))
        return (instant){INT64_MIN};
    return (instant){difference};
}

/* The time from `from` until `to`; zero if `to` has passed, FOREVER if it never comes. */
NEARBY static inline span until(instant from, instant to) {
    int64_t difference;
    if (is_never(to))
        return FOREVER;
    if (to.ns <= from.ns)
        return NO_TIME;
    if (__builtin_sub_overflow(to.ns, from.ns, &difference))
        return FOREVER;
    return (span){difference};
}

static inline span plus(span a, span b) {
    int64_t sum;
    return __builtin_add_overflow(a.ns, b.ns, &sum) ? FOREVER : (span){sum};
}

/* a - b, zero at least; FOREVER less anything finite is FOREVER. */
static inline span minus(span a, span b) {
    if (is_forever(a))
        return FOREVER;
    return (span){a.ns > b.ns ? a.ns - b.ns : 0};
}

/* Whole milliseconds, rounded down; for printing. */
static inline int64_t span_ms(span a) { return is_forever(a) ? INT64_MAX : a.ns / NS_PER_MS; }

#endif
