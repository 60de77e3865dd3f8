/* text/number.h: a whole number as people write it.
 */
#ifndef TEXT_NUMBER_H
#define TEXT_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Decimal digits alone, 0 to most; -1: it is no such number. */
int64_t number_parse(const char *text, size_t n, int64_t most);

#endif
