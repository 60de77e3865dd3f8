/* sys/upward.h: one datagram to the supervisor above us (sd_notify(3)); never blocks, may be lost.
 */
#ifndef SYS_UPWARD_H
#define SYS_UPWARD_H

#include <stdbool.h>
#include <stddef.h>

/* address: as in NOTIFY_SOCKET, "/path" or "@abstract". */
bool upward_send(const char *address, const char *text, size_t n);

#endif
