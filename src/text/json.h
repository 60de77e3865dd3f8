/* text/json.h: JSON, written in one pass. The caller keeps the braces balanced; commas come by themselves.
 */
#ifndef TEXT_JSON_H
#define TEXT_JSON_H

#include "text/out.h"

/* `fresh`: nothing stands yet in the innermost object or array, so no comma is due. */
struct json { struct out *out; bool fresh; };

struct json json_on(struct out *out);
void json_open(struct json *json, const char *key, char brace);   /* '{' or '['; key NULL: in an array, or the root */
void json_close(struct json *json, char brace);                   /* '}' or ']' */
void json_text(struct json *json, const char *key, const char *text);
void json_int(struct json *json, const char *key, int64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* The string alone, with its quotes. Control bytes are escaped; bytes that are no UTF-8 become U+FFFD,
 * so that the whole stays valid whatever a name or path holds. */
void json_string(struct out *out, const char *text, size_t n);
bool json_is_utf8(const char *text, size_t n);
/* UTF-8 without control bytes: json_string changes nothing but quotes and backslashes. */
bool json_is_plain(const char *text, size_t n);

#endif
