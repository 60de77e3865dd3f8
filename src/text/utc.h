/* text/utc.h: an instant of the wall clock, as ISO 8601 has it.
 */
#ifndef TEXT_UTC_H
#define TEXT_UTC_H

#include <stdint.h>

enum { UTC_ROOM = 24 };
/* "2026-05-04T10:20:30Z". Returns into. */
const char *utc_print(char into[static UTC_ROOM], int64_t seconds);

#endif
