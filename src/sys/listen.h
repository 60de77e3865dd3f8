/* sys/listen.h: addresses of the model as the kernel's, and the HTTP listener.
 */
#ifndef SYS_LISTEN_H
#define SYS_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

#include "model/address.h"

/* Fills `into` for connect(2) or bind(2) and returns its length; 0: the path is too long.
 * second: the other address of HOST_LOCALHOST and HOST_ANY (::1; 0.0.0.0). */
socklen_t address_for_kernel(const struct address *address, bool second, struct sockaddr_storage *into);

/* A listening TCP socket, non-blocking, close-on-exec; HOST_ANY is [::] for both families, or 0.0.0.0
 * where there is no IPv6. Returns the descriptor, or -1 and errno (EADDRINUSE: the port is taken;
 * EADDRNOTAVAIL: no such address here; EACCES: a port below 1024 without the right to it).
 *
 *     struct address address;
 *     const char *wrong = address_parse(config->http, strlen(config->http), &address);  (text/url.h)
 *     int fd = http_bind(&address);
 */
int http_bind(const struct address *address);

#endif
