/* sys/watch.h: waits for one of many descriptors (epoll(7)).
 */
#ifndef SYS_WATCH_H
#define SYS_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "model/instant.h"

int watch_create(void); /* the descriptor, or -1 */
bool watch_add(int watch, int fd, uint64_t tag);
/* Before it is closed: a child that has not exec'd yet holds a copy, and would keep it in the set. */
void watch_remove(int watch, int fd);
/* Rests for so long, or shorter. */
void watch_nothing(span most);
/* Tags of what is readable or closed, at most room. Waits at most `most`, rounded up to milliseconds. */
unsigned watch_wait(int watch, span most, uint64_t *tags, unsigned room);

#endif
