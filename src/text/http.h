/* text/http.h: as much of HTTP/1.1 as the endpoints, checks and verbs need. Pure; points into the bytes.
 *
 * One request a connection: whatever is sent behind the first head is never looked at, every answer
 * says Connection: close. So there is no body to frame, no second request to smuggle, and no idle
 * connection to keep.
 */
#ifndef TEXT_HTTP_H
#define TEXT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/out.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

struct http_request {
    uint8_t method;          /* enum http_method */
    const char *path;        /* as sent, without the query */
    size_t path_bytes;
    const char *query;       /* behind the '?', empty if there is none */
    size_t query_bytes;
    const char *token;       /* value of X-Lastcall-Token, NULL if it was not sent */
    size_t token_bytes;
};

enum http_reading {
    HTTP_MORE,       /* not all here yet, and nothing wrong so far */
    HTTP_WHOLE,
    HTTP_BAD,        /* 400 */
    HTTP_TOO_LARGE,  /* 431: `room` bytes and no end of the head */
};

/* Reads a head from the n bytes that have come; room: as many as can ever come. What is wrong is found
 * as soon as it is there, not at the end of the head. */
enum http_reading http_read(const char *bytes, size_t n, size_t room, struct http_request *into);

/* Whether NAME stands in the query ("?NAME", "?NAME=VALUE&..."); its value, empty if there is none. */
bool http_query(const struct http_request *request, const char *name, const char **value, size_t *n);

/* An answer's head. allow: for 405, else NULL. */
void http_head(struct out *out, int code, const char *type, size_t body_bytes, const char *allow);
const char *http_reason(int code);

/* The code of an answer of which n bytes are here: 0 if the line is not whole yet, -1 if it is none. */
int http_status(const char *bytes, size_t n);
/* Where the body of an answer begins, 0 if its head is not whole yet. */
size_t http_body(const char *bytes, size_t n);

#endif
