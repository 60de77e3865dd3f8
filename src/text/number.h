/* text/number.h: a whole number as people write it.
 */
#ifndef TEXT_NUMBER_H
#define TEXT_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* Decimal digits alone, 0 to most; -1: it is no such number. */
int64_t number_parse(const char *text, size_t n, int64_t most);

/* As strtol(3) reads one: blanks and a sign may stand before it, and anything behind it. Moves *at behind it;
 * without a digit *at stays, and it is 0. Never more than 2^31. */
int64_t number_loose(const char **at);

#endif
