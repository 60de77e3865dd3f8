/* model/address.h: where something listens, as values: text/url.h reads it, sys/listen.h and net use it.
 */
#ifndef MODEL_ADDRESS_H
#define MODEL_ADDRESS_H

#include <stdint.h>

enum host_kind {
    HOST_ANY,       /* nothing was written before the colon: every address, both families */
    HOST_IPV4,      /* bytes[0..3] */
    HOST_IPV6,      /* bytes[0..15] */
    HOST_LOCALHOST, /* 127.0.0.1, then ::1 */
    HOST_UNIX,      /* path; "@name" is abstract */
};

struct address {
    uint8_t kind;        /* enum host_kind */
    uint8_t bytes[16];
    uint16_t port;
    const char *path;    /* HOST_UNIX; points into the text, no NUL after path_bytes */
    uint16_t path_bytes;
};

#endif
