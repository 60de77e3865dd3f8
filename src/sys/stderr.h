/* sys/stderr.h: lines to stderr (or stdout) that can never block, nor change a descriptor that others share.
 *
 * O_NONBLOCK belongs to the open file, which every program below has inherited: it is never set on
 * descriptor 2. A line that does not fit is dropped and counted.
 */
#ifndef SYS_STDERR_H
#define SYS_STDERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stderr_out {
    int target;       /* 1: stdout; else stderr */
    uint8_t way;      /* enum stderr_way */
    int fd;           /* our own description of it, or 2 */
    uint32_t dropped; /* lines since one was written */
    int error;        /* of the last that was dropped ever; 0: none was */
};

/* Looks at what stderr is; opens at most one descriptor. Called once, before the first line. */
void stderr_open(struct stderr_out *out);
/* Lines that wait for their reader: in a verb, which nobody waits for. fd: 1 or 2. */
void stderr_blocking(struct stderr_out *out, int fd);
/* One whole line; at most 4096 bytes, so that a pipe takes all of it or nothing. false: dropped. */
bool stderr_line(struct stderr_out *out, const char *line, size_t n);
/* One of any length; waits up to a second whenever there is no room: before the loop, when nobody else waits for us. */
bool stderr_patient_line(struct stderr_out *out, const char *line, size_t n);
/* Closes what it opened. */
void stderr_close(struct stderr_out *out);

#endif
