/* Which request means what. A path is looked up whole; what stands behind it (a service's name, a
 * signal) is looked up in the page. Nothing that a client sends is ever printed back. */
#include "net/state.h"

#include <string.h>

#include "sys/clock.h"
#include "text/duration.h"
#include "text/signame.h"
#include "text/status.h"

/* ---- reading: open to everybody who can connect ---- */

static void probe(struct net *net, struct client *client, const struct http_request *request, enum probe which) {
    const char *value;
    size_t n;
    struct out text = body(net);
    client->verbose = http_query(request, "verbose", &value, &n);
    if (which == PROBE_LIVE) {
        life_probe(net, client);
        return;
    }
    status_why(&text, &net->page.view, which, true, client->verbose);
    answer(net, client, status_probe(&net->page.view, which, true) ? 200 : 503, "text/plain", NULL, &text);
}

static void status(struct net *net, struct client *client, const struct http_request *request) {
    struct out text = body(net);
    const char *value;
    size_t n;
    bool table = http_query(request, "table", &value, &n);
    if (table)
        status_table(&text, &net->page.view, net->now);
    else
        status_json(&text, &net->page.view, net->now);
    if (text.cut)
        answer_text(net, client, 500, "the status does not fit");
    else
        answer(net, client, 200, table ? "text/plain" : "application/json", NULL, &text);
}

static void refuse_method(struct net *net, struct client *client, const char *allow) {
    struct out text = body(net);
    out_text(&text, "write ");
    out_text(&text, allow);
    out_char(&text, '\n');
    answer(net, client, 405, "text/plain", allow, &text);
}

/* ---- asking: what changes something ---- */

/* Absent means yes: the answer comes when what was asked for has ended. */
static bool waits(const struct http_request *request) {
    const char *value;
    size_t n;
    return !http_query(request, "wait", &value, &n) || n != 2 || memcmp(value, "no", 2) != 0;
}

static void prestop(struct net *net, struct client *client, const struct http_request *request) {
    const char *value;
    size_t n;
    span late = NO_TIME;
    if (http_query(request, "late", &value, &n) && duration_parse(value, n, &late) != DURATION_OK)
        answer_text(net, client, 400, "late is no duration: write late=5s");
    else
        ask_begin(net, client, ASK_PRESTOP, 0, (int32_t)span_ms(late), waits(request));
}

/* Both in full, whatever differs first: the time says nothing about the token. */
static bool same_token(const char *expected, const char *sent, size_t n) {
    size_t want = strlen(expected);
    unsigned difference = want != n || want == 0;
    for (size_t i = 0; i < n; i++)
        difference |= (unsigned)(expected[i % (want + 1)] ^ sent[i]);
    return difference == 0;
}

/* For a kubelet's httpGet, which can send headers but no POST. */
static void prestop_by_token(struct net *net, struct client *client, const struct http_request *request) {
    const struct page_head *head = net->page.view.head;
    if (head->http_prestop == 0)
        answer_text(net, client, 404, "not found");
    else if (request->token == NULL ||
             !same_token(view_text(&net->page.view, head->http_prestop), request->token, request->token_bytes))
        answer_text(net, client, 403, "the header X-Lastcall-Token is missing or wrong");
    else if (request->method == HTTP_GET || request->method == HTTP_POST)
        prestop(net, client, request);
    else
        refuse_method(net, client, "GET, POST");
}

/* The service with this name, NONE if there is none. */
static uint16_t find_service(const struct page_view *view, const char *name, size_t n) {
    for (uint16_t i = 0; i < view->head->n_units; i++) {
        const char *own = view_text(view, view->units[i].service_name);
        if (strlen(own) == n && memcmp(own, name, n) == 0)
            return view->units[i].service;
    }
    return NONE;
}

/* "NAME", or "NAME/SIG": what stands behind the verb. */
static void ask_service(struct net *net, struct client *client, const struct http_request *request, uint8_t verb,
                        size_t skip) {
    size_t n = request->path_bytes - skip;
    const char *name = request->path + skip;
    int32_t value = 0;
    uint16_t service;
    if (verb == ASK_SIGNAL_UNIT) {
        const char *slash = memchr(name, '/', n);
        size_t end = slash == NULL ? n : (size_t)(slash - name) + 1;
        value = slash == NULL ? 0 : signame_parse(name + end, n - end);
        n = slash == NULL ? n : end - 1;
    }
    service = find_service(&net->page.view, name, n);
    if (service == NONE)
        answer_text(net, client, 404, "there is no such service");
    else if (verb == ASK_SIGNAL_UNIT && value == 0)
        answer_text(net, client, 400, "there is no such signal: write /signal/NAME/HUP");
    else
        ask_begin(net, client, verb, service, value, waits(request));
}

/* "NAME", or nothing: all of them. */
static void ask_checkpoint(struct net *net, struct client *client, const struct http_request *request, size_t skip) {
    const struct page_view *view = &net->page.view;
    size_t n = request->path_bytes - skip;
    uint16_t which = n == 0 ? NONE : view->head->n_checkpoints;
    for (uint16_t i = 0; i < view->head->n_checkpoints && n > 0; i++) {
        const char *name = view_text(view, view->checkpoints[i].name);
        if (strlen(name) == n && memcmp(name, request->path + skip, n) == 0)
            which = i;
    }
    if (view->head->n_checkpoints == 0 || which == view->head->n_checkpoints)
        answer_text(net, client, 404, "there is no such checkpoint");
    else
        ask_begin(net, client, ASK_CHECKPOINT, which, 0, waits(request));
}

/* ---- the table ---- */

enum what { READS_PROBE, READS_STATUS, ASKS, ASKS_PRESTOP, ASKS_SERVICE, ASKS_CHECKPOINT };

static const struct path { const char *text; uint8_t what, which; } paths[] = {
    {"/livez", READS_PROBE, PROBE_LIVE},        {"/healthz", READS_PROBE, PROBE_LIVE},
    {"/readyz", READS_PROBE, PROBE_READY},      {"/startupz", READS_PROBE, PROBE_STARTUP},
    {"/status", READS_STATUS, 0},               {"/drain", ASKS, ASK_DRAIN},
    {"/resume", ASKS, ASK_RESUME},              {"/shutdown", ASKS, ASK_STOP},
    {"/prestop", ASKS_PRESTOP, 0},              {"/start/", ASKS_SERVICE, ASK_START_UNIT},
    {"/stop/", ASKS_SERVICE, ASK_STOP_UNIT},    {"/restart/", ASKS_SERVICE, ASK_RESTART_UNIT},
    {"/reload/", ASKS_SERVICE, ASK_RELOAD_UNIT}, {"/signal/", ASKS_SERVICE, ASK_SIGNAL_UNIT},
    {"/checkpoint/", ASKS_CHECKPOINT, 0},
};

/* Whole, or, where a service's name follows, its beginning. NULL: not found. */
static const struct path *find_path(const struct http_request *request) {
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        size_t n = strlen(paths[i].text);
        bool fits = paths[i].what < ASKS_SERVICE ? request->path_bytes == n
                                                 : request->path_bytes > n - (paths[i].what == ASKS_CHECKPOINT);
        if (fits && memcmp(request->path, paths[i].text, n) == 0)
            return &paths[i];
    }
    return NULL;
}

static void route_found(struct net *net, struct client *client, const struct http_request *request,
                        const struct path *path) {
    const char *value;
    size_t n;
    switch ((enum what)path->what) {
    case READS_PROBE: probe(net, client, request, (enum probe)path->which); break;
    case READS_STATUS: status(net, client, request); break;
    case ASKS: {
        bool now = path->which == ASK_STOP && http_query(request, "now", &value, &n);
        ask_begin(net, client, now ? ASK_HURRY : path->which, 0, 0, path->which != ASK_RESUME && waits(request));
        break;
    }
    case ASKS_PRESTOP: prestop(net, client, request); break;
    case ASKS_CHECKPOINT: ask_checkpoint(net, client, request, strlen(path->text)); break;
    case ASKS_SERVICE: ask_service(net, client, request, path->which, strlen(path->text)); break;
    }
}

void route(struct net *net, struct client *client, const struct http_request *request) {
    const struct path *path = find_path(request);
    bool reads = request->method == HTTP_GET || request->method == HTTP_HEAD;
    bool asking = path != NULL && path->what >= ASKS, control = client->door == DOOR_CONTROL;
    client->head_only = request->method == HTTP_HEAD;
    if (!control && asking && path->what == ASKS_PRESTOP)
        prestop_by_token(net, client, request);
    else if (!reads && !(control && request->method == HTTP_POST && (asking || path == NULL)))
        refuse_method(net, client, control && asking ? "POST" : "GET, HEAD");
    else if (path == NULL || (asking && !control))
        answer_text(net, client, 404, "not found");
    else if (asking && reads)
        refuse_method(net, client, "POST");
    else if (asking && !net->page.view.head->control)
        answer_text(net, client, 403, "control is off in the configuration");
    else
        route_found(net, client, request, path);
}
