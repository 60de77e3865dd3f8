/* text/signame.h: signal names, as kill(1) and Docker have them.
 *
 * "TERM", "SIGTERM", "term", "15", "RTMIN", "RTMIN+3", "RTMAX-1"; RTMIN is 34 always (model/signals.h).
 */
#ifndef TEXT_SIGNAME_H
#define TEXT_SIGNAME_H

#include <stddef.h>

enum { SIGNAME_ROOM = 16 };

/* 1 to 64, or 0 if it is no signal. */
int signame_parse(const char *text, size_t n);
/* Without SIG: "TERM", "RTMIN+3", "32". Returns buffer. */
const char *signame(int sig, char buffer[static SIGNAME_ROOM]);

#endif
