/* sys/client.h: one request over one connection, for the verbs. Waits, but never beyond `by`.
 */
#ifndef SYS_CLIENT_H
#define SYS_CLIENT_H

#include <stddef.h>
#include <sys/types.h>

#include "model/address.h"
#include "model/instant.h"

/* Connects; of localhost both addresses are tried. The descriptor, or -1 and errno (ETIMEDOUT: not in time). */
int client_connect(const struct address *address, instant by);

/* Sends all, then reads until the peer's end or until `room` bytes are there. How many, or -1 and errno. */
ssize_t client_exchange(int fd, const char *request, size_t n, char *into, size_t room, instant by);

/* Sleeps, at most until `by`. */
void client_pause(span time, instant by);

#endif
