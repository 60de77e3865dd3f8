/* text/duration.h: "500ms", "10s", "2m", "1h", "1m30s"; a unit is always written.
 */
#ifndef TEXT_DURATION_H
#define TEXT_DURATION_H

#include <stdbool.h>
#include <stddef.h>

#include "model/instant.h"
#include "text/out.h"

enum duration_error { DURATION_OK, DURATION_EMPTY, DURATION_NO_UNIT, DURATION_BAD_UNIT, DURATION_BAD, DURATION_TOO_LONG };

/* Units h, m, s, ms, us in falling order, each once, whole numbers; at most a day. "0" needs a unit too. */
enum duration_error duration_parse(const char *text, size_t n, span *into);
/* The shortest text that duration_parse reads back, rounded down to microseconds. FOREVER: "none". */
void duration_print(struct out *out, span value);
const char *duration_error_text(enum duration_error error);

#endif
