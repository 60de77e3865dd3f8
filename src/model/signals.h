/* model/signals.h: signal numbers and sets as the kernel has them.
 *
 * musl keeps 32 to 34 for itself and counts SIGRTMIN from 35; Docker, glibc and so every STOPSIGNAL
 * count from 34. Here RTMIN is always 34, a set is the kernel's eight-byte mask (rt_sigprocmask(2)),
 * and bit n-1 is signal n.
 */
#ifndef MODEL_SIGNALS_H
#define MODEL_SIGNALS_H

#include <stdint.h>

enum { SIGNAL_MAX = 64, RTMIN_BASE = 34 };

typedef uint64_t signal_set;

static inline signal_set signal_bit(int sig) { return UINT64_C(1) << (sig - 1); }

#endif
