/* text/out.h: builds text in the caller's buffer. Never overflows, never allocates, says when it cut.
 *
 * The text is always ended with a NUL byte; `n` does not count it. After a cut all that follows is
 * dropped, so the text is a whole prefix of what was meant.
 */
#ifndef TEXT_OUT_H
#define TEXT_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct out { char *text; size_t n, room; bool cut; };

/* room: bytes of buffer, the NUL's included, 1 at least. A hundred places call it, so it is not inlined. */
__attribute__((noinline)) struct out out_on(char *buffer, size_t room);
void out_bytes(struct out *out, const char *bytes, size_t n);
void out_text(struct out *out, const char *text);
void out_char(struct out *out, char c);
void out_int(struct out *out, int64_t value);
void out_uint(struct out *out, uint64_t value);
/* Tenths of a second from milliseconds: 6200 is "6.2"; negative ones too. */
void out_tenths(struct out *out, int64_t ms);
/* Appends spaces until the text is `column` bytes long, counted from `start`; one at least. */
void out_pad(struct out *out, size_t start, size_t column);
/* Right-aligns what stands from `start` on in `width` bytes. */
void out_right(struct out *out, size_t start, size_t width);
/* For terminals and logs: control bytes and DEL become '?'. */
void out_safe(struct out *out, const char *bytes, size_t n);

#endif
