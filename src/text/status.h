/* text/status.h: the state of lastcall as text: /status as JSON and as a table, and what the probes say.
 *
 * Pure: from a view of the page and the time. All of it fits into status_bytes().
 */
#ifndef TEXT_STATUS_H
#define TEXT_STATUS_H

#include "model/view.h"
#include "text/json.h"
#include "text/out.h"

/* Room that is enough for any of the texts below. */
uint32_t status_bytes(const struct page_head *head);

/* The object of DESIGN 8, one line. */
void status_json(struct out *out, const struct page_view *view, instant now);

/* For people: the services; while something stops, drains or has drained, the steps. Lines that change by
 * the time alone begin with a blank: `status --watch` passes over them. */
void status_table(struct out *out, const struct page_view *view, instant now);

/* One step as JSON. zero: the clock's start, or where there is no clock the instant of the drain's.
 * exit: a code, -N for death by signal N, null while it is not known. */
void status_step(struct json *json, const char *name, const struct row *row, instant zero);
instant status_zero(const struct page_state *state);

enum probe { PROBE_LIVE, PROBE_READY, PROBE_STARTUP };

/* Whether the probe is answered with 200. alive: PID 1 has given a sign of life. */
bool status_probe(const struct page_view *view, enum probe probe, bool alive);

/* "ok", or what is missing in a line; with verbose every check in a line of its own before it. */
void status_why(struct out *out, const struct page_view *view, enum probe probe, bool alive, bool verbose);

/* "clean in 13.9 s of 30.0, exit 0": the end of a shutdown; "" while it is not known. now: when it was. */
void status_verdict(struct out *out, const struct page_view *view, instant now);

/* Whether all announce and drain steps have ended. */
bool status_drained(const struct page_view *view);

#endif
