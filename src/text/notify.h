/* text/notify.h: what a datagram of sd_notify(3) says.
 */
#ifndef TEXT_NOTIFY_H
#define TEXT_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOTIFY_MAX = 4096 }; /* bytes of a datagram; longer ones are ignored */

struct notify {
    bool ready;          /* READY=1 */
    bool barrier;        /* BARRIER=1: the descriptor that came along is to be closed */
    bool extend;         /* EXTEND_TIMEOUT_USEC=N */
    uint64_t extend_us;
};

/* Lines of NAME=VALUE; names that we do not know are passed over, as every receiver does. false: it is
 * no such text (a NUL byte within, or a line without '='), and nothing in it counts. */
bool notify_parse(const char *text, size_t n, struct notify *into);

#endif
