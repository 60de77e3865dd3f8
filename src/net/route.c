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
    bool table = http_query(request, "table", &value, &n), lines = http_query(request, "lines", &value, &n);
    if (table)
        status_table(&text, &net->page.view, net->now);
    else if (lines)
        status_lines(&text, &net->page.view);
    else
        status_json(&text, &net->page.view, net->now);
    if (text.cut)
        answer_text(net, client, 500, "the status does not fit");
    else
        answer(net, client, 200, table || lines ? "text/plain" : "application/json", NULL, &text);
}

static bool is(const struct http_request *request, const char *path) {
    return request->path_bytes == strlen(path) && memcmp(request->path, path, request->path_bytes) == 0;
}

/* true: it was one of these and has been answered. */
static bool route_reading(struct net *net, struct client *client, const struct http_request *request) {
    if (is(request, "/livez") || is(request, "/healthz"))
        probe(net, client, request, PROBE_LIVE);
    else if (is(request, "/readyz"))
        probe(net, client, request, PROBE_READY);
    else if (is(request, "/startupz"))
        probe(net, client, request, PROBE_STARTUP);
    else if (is(request, "/status"))
        status(net, client, request);
    else
        return false;
    return true;
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
    unsigned difference = want != n;
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

static const struct { const char *prefix; uint8_t verb; } service_verbs[] = {
    {"/start/", ASK_START_UNIT}, {"/stop/", ASK_STOP_UNIT}, {"/restart/", ASK_RESTART_UNIT},
    {"/reload/", ASK_RELOAD_UNIT}, {"/signal/", ASK_SIGNAL_UNIT},
};

static void ask_service(struct net *net, struct client *client, const struct http_request *request, size_t row) {
    size_t skip = strlen(service_verbs[row].prefix), n = request->path_bytes - skip;
    const char *name = request->path + skip;
    int32_t value = 0;
    uint16_t service;
    if (service_verbs[row].verb == ASK_SIGNAL_UNIT) {
        const char *slash = memchr(name, '/', n);
        size_t end = slash == NULL ? n : (size_t)(slash - name) + 1;
        value = slash == NULL ? 0 : signame_parse(name + end, n - end);
        n = slash == NULL ? n : end - 1;
    }
    service = find_service(&net->page.view, name, n);
    if (service == NONE)
        answer_text(net, client, 404, "there is no such service");
    else if (service_verbs[row].verb == ASK_SIGNAL_UNIT && value == 0)
        answer_text(net, client, 400, "there is no such signal: write /signal/NAME/HUP");
    else
        ask_begin(net, client, service_verbs[row].verb, service, value, waits(request));
}

/* A row of service_verbs, or -1. */
static int service_verb(const struct http_request *request) {
    for (size_t i = 0; i < sizeof service_verbs / sizeof *service_verbs; i++) {
        size_t n = strlen(service_verbs[i].prefix);
        if (request->path_bytes > n && memcmp(request->path, service_verbs[i].prefix, n) == 0)
            return (int)i;
    }
    return -1;
}

static void route_asking(struct net *net, struct client *client, const struct http_request *request) {
    const char *value;
    size_t n;
    int row = service_verb(request);
    if (!net->page.view.head->control)
        answer_text(net, client, 403, "control is off in the configuration");
    else if (is(request, "/drain"))
        ask_begin(net, client, ASK_DRAIN, 0, 0, waits(request));
    else if (is(request, "/resume"))
        ask_begin(net, client, ASK_RESUME, 0, 0, false);
    else if (is(request, "/prestop"))
        prestop(net, client, request);
    else if (is(request, "/shutdown"))
        ask_begin(net, client, http_query(request, "now", &value, &n) ? ASK_HURRY : ASK_STOP, 0, 0, waits(request));
    else if (row >= 0)
        ask_service(net, client, request, (size_t)row);
    else
        answer_text(net, client, 404, "not found");
}

static bool is_asking(const struct http_request *request) {
    return is(request, "/drain") || is(request, "/resume") || is(request, "/prestop") || is(request, "/shutdown") ||
           service_verb(request) >= 0;
}

static bool is_reading(const struct http_request *request) {
    return is(request, "/livez") || is(request, "/healthz") || is(request, "/readyz") || is(request, "/startupz") ||
           is(request, "/status");
}

void route(struct net *net, struct client *client, const struct http_request *request) {
    bool reads = request->method == HTTP_GET || request->method == HTTP_HEAD;
    client->head_only = request->method == HTTP_HEAD;
    if (client->door == DOOR_HTTP && is(request, "/prestop"))
        prestop_by_token(net, client, request);
    else if (reads && client->door == DOOR_CONTROL && is_asking(request))
        refuse_method(net, client, "POST");
    else if (reads && !route_reading(net, client, request))
        answer_text(net, client, 404, "not found");
    else if (!reads && (client->door == DOOR_HTTP || request->method != HTTP_POST || is_reading(request)))
        refuse_method(net, client, "GET, HEAD");
    else if (!reads)
        route_asking(net, client, request);
}
