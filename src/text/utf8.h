/* text/utf8.h: whether bytes are a character.
 */
#ifndef TEXT_UTF8_H
#define TEXT_UTF8_H

#include <stddef.h>

/* Bytes of the UTF-8 character at the start of text (n bytes, 1 at least), 0 if there is no valid one. Overlong
 * forms, surrogates and what lies beyond U+10FFFF are not valid. */
size_t utf8(const char *text, size_t n);

#endif
