/* text/url.h: where a check or probe goes: URLs and addresses, and nothing that needs a name server.
 *
 *     http://HOST[:PORT][/PATH[?QUERY]]   HOST: IPv4, [IPv6] or localhost
 *     http://unix:PATH[:/URI]             over a unix socket ("@name": an abstract one)
 *     tcp://HOST:PORT
 *     unix:PATH
 *     HOST:PORT  :PORT                    an address alone; :PORT is every address
 *
 * Pure. What is read points into the text. Each function returns NULL, or one sentence's end that says
 * what is wrong and what to write instead ("has no port: write tcp://HOST:PORT").
 */
#ifndef TEXT_URL_H
#define TEXT_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "model/address.h"
#include "text/out.h"

struct url {
    bool http;                /* else a connection is all that is asked for */
    struct address address;
    const char *host;         /* as written, with its port: for the Host header; unix: "localhost" */
    size_t host_bytes;
    const char *path;         /* http: "/..." with the query; "/" if none was written */
    size_t path_bytes;
};

/* For --http: ":9180", "127.0.0.1:9180", "[::1]:9180", "localhost:9180"; port 1 to 65535. */
const char *address_parse(const char *text, size_t n, struct address *into);

/* The target of `http`: "http://..." alone. */
const char *url_parse_http(const char *text, size_t n, struct url *into);
/* The target of `tcp`: HOST:PORT, tcp://HOST:PORT or unix:PATH. */
const char *url_parse_tcp(const char *text, size_t n, struct url *into);
/* Whatever `probe` takes: http://, tcp:// or unix:. */
const char *url_parse(const char *text, size_t n, struct url *into);

/* The request that a check sends: GET, Connection: close. */
void url_request(struct out *out, const struct url *url, const char *version);

#endif
