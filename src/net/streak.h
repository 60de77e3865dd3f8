/* net/streak.h: when a check's verdict turns. Pure.
 *
 * So many answers of one kind in a row make a verdict; it is worth telling when it is the first one,
 * or when it differs from the last. An answer that is unknown is simply not fed.
 */
#ifndef NET_STREAK_H
#define NET_STREAK_H

#include <stdbool.h>
#include <stdint.h>

struct streak {
    bool known;     /* a verdict has been told */
    bool passing;   /* that verdict */
    bool last;      /* the kind of the answers that are being counted */
    uint16_t run;   /* how many of them in a row */
};

/* One answer; true: streak->passing is a verdict to tell. successes, failures: 1 at least. */
bool streak_feed(struct streak *streak, bool pass, uint16_t successes, uint16_t failures);

#endif
