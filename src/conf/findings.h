/* conf/findings.h: makes findings, and texts of any length in an arena.
 */
#ifndef CONF_FINDINGS_H
#define CONF_FINDINGS_H

#include "conf/conf.h"
#include "text/out.h"

/* Where findings go and where their texts are kept. */
struct voice { struct arena *arena; struct findings *findings; };

/* "What is wrong; what to write instead": after a semicolon of the format comes "write". Otherwise it
 * knows %s alone; what that brings is made safe for a terminal. */
void say(const struct voice *voice, struct place where, uint8_t level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void findings_sort(struct findings *findings, const struct source *sources, uint32_t n_sources);
/* A text of any length on the rest of the arena; nothing else may be taken until it is closed. */
struct out text_open(struct arena *arena);
const char *text_close(struct arena *arena, const struct out *out);
/* "file:line", for a place inside a finding's text. */
const char *place_text(struct arena *arena, struct place where);
/* A copy of n bytes with a NUL behind them; NULL when the arena is full. */
const char *copy_text(struct arena *arena, const char *text, size_t n);

#endif
