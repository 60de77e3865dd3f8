#include "text/status.h"

#include <string.h>

#include "model/names.h"
#include "text/duration.h"
#include "text/utc.h"

/* Bytes of a line at most: names are short, targets are cut (shown()). */
enum { PER_HEAD = 2048, PER_UNIT = 512, PER_CHECK = 384, PER_CHECKPOINT = 1024, PER_ROW = 384, TARGET_SHOWN = 120 };

uint32_t status_bytes(const struct page_head *head) {
    return PER_HEAD + head->n_units * (uint32_t)PER_UNIT + head->n_checks * (uint32_t)PER_CHECK +
           head->n_checkpoints * (uint32_t)PER_CHECKPOINT + head->n_rows * (uint32_t)PER_ROW;
}

instant status_zero(const struct page_state *state) {
    return is_never(state->clock) ? state->asked : state->clock;
}

/* ---- JSON ---- */

static void json_instant(struct json *json, const char *key, instant at, instant zero) {
    if (is_never(at) || is_never(zero))
        json_null(json, key);
    else
        json_int(json, key, (at.ns - zero.ns) / NS_PER_MS);
}

static void json_span(struct json *json, const char *key, span value) {
    if (is_forever(value))
        json_null(json, key);
    else
        json_int(json, key, span_ms(value));
}

static void json_exit(struct json *json, int16_t exit) {
    if (exit == EXIT_UNKNOWN)
        json_null(json, "exit");
    else
        json_int(json, "exit", exit);
}

void status_step(struct json *json, const char *name, const struct row *row, instant zero) {
    json_open(json, NULL, '{');
    json_text(json, "phase", phase_name(row->phase));
    json_int(json, "stage", row->stage);
    json_text(json, "name", name);
    json_text(json, "state", row_state_name(row));
    json_instant(json, "start_ms", row->start, zero);
    json_instant(json, "end_ms", row->end, zero);
    json_instant(json, "deadline_ms", row->deadline, zero);
    json_exit(json, row->exit);
    json_close(json, '}');
}

static void json_service(struct json *json, const char *name, const struct page_unit_state *unit) {
    json_open(json, NULL, '{');
    json_text(json, "name", name);
    json_text(json, "state", unit_state_name(unit->state));
    if (unit->pid > 0)
        json_int(json, "pid", unit->pid);
    else
        json_null(json, "pid");
    json_bool(json, "ready", unit->ready);
    json_int(json, "restarts", unit->restarts);
    json_exit(json, unit->exit);
    json_close(json, '}');
}

static void json_known(struct json *json, const char *key, const char *text) {
    if (*text != 0)
        json_text(json, key, text);
    else
        json_null(json, key);
}

static void json_checkpoint(struct json *json, const struct page_view *view, uint16_t i) {
    const struct page_checkpoint_state *state = &view->checkpoint_states[i];
    char time[UTC_ROOM];
    json_open(json, NULL, '{');
    json_text(json, "name", view_text(view, view->checkpoints[i].name));
    json_text(json, "state", checkpoint_state_name(state->state));
    json_text(json, "dir", view_text(view, view->checkpoints[i].dir));
    json_known(json, "latest", state->latest);
    json_known(json, "taken_at", state->taken_s ? utc_print(time, state->taken_s) : "");
    json_int(json, "files", (int64_t)state->files);
    json_int(json, "bytes", (int64_t)state->bytes);
    json_known(json, "restored_from", state->restored);
    json_int(json, "attempts", state->attempts);
    json_exit(json, state->exit);
    json_close(json, '}');
}

/* What is left of the grace; without end where no clock runs. */
static span left_of(const struct page_state *state, instant now) {
    return is_never(state->clock) ? FOREVER : until(now, after(state->clock, state->grace));
}

static void json_stop(struct json *json, const struct page_view *view, instant now) {
    const struct page_state *state = view->state;
    if (is_never(state->asked)) {
        json_null(json, "stop");
        return;
    }
    json_open(json, "stop", '{');
    json_text(json, "cause", state->cause);
    json_span(json, "grace_ms", is_never(state->clock) ? FOREVER : state->grace);
    json_span(json, "left_ms", left_of(state, now));
    if (state->phase < PH_N)
        json_text(json, "phase", phase_name(state->phase));
    else
        json_null(json, "phase");
    if (state->verdict != VERDICT_NONE)
        json_text(json, "verdict", verdict_name(state->verdict));
    json_open(json, "steps", '[');
    for (uint16_t i = 0; i < view->head->n_rows; i++)
        status_step(json, view_text(view, view->rows[i].name), &view->row_states[i], status_zero(state));
    json_close(json, ']');
    json_close(json, '}');
}

void status_json(struct out *out, const struct page_view *view, instant now) {
    const struct page_state *state = view->state;
    struct json json = json_on(out);
    json_open(&json, NULL, '{');
    json_text(&json, "state", life_name(state->life));
    json_bool(&json, "ready", state->ready);
    json_bool(&json, "live", state->live);
    json_int(&json, "uptime_ms", span_ms(until(state->started, now)));
    json_open(&json, "services", '[');
    for (uint16_t i = 0; i < view->head->n_units; i++)
        json_service(&json, view_text(view, view->units[i].name), &view->unit_states[i]);
    json_close(&json, ']');
    if (view->head->n_checkpoints > 0) {
        json_open(&json, "checkpoints", '[');
        for (uint16_t i = 0; i < view->head->n_checkpoints; i++)
            json_checkpoint(&json, view, i);
        json_close(&json, ']');
    }
    json_stop(&json, view, now);
    json_int(&json, "orphans_reaped", (int64_t)state->orphans);
    json_text(&json, "version", view_text(view, view->head->version));
    json_close(&json, '}');
    out_char(out, '\n');
}

/* ---- the table ---- */

/* Text, and blanks up to `width` behind where it began. */
static void cell(struct out *out, size_t width, const char *text) {
    size_t start = out->n;
    out_text(out, text);
    out_pad(out, start, width);
}

static void number_cell(struct out *out, size_t width, int64_t value) {
    size_t start = out->n;
    out_int(out, value);
    out_pad(out, start, width);
}

static void exit_cell(struct out *out, int16_t exit) {
    if (exit == EXIT_UNKNOWN) {
        out_text(out, "-\n");
        return;
    }
    out_text(out, exit < 0 ? "signal " : "");
    out_int(out, exit < 0 ? -exit : exit);
    out_char(out, '\n');
}

static size_t widest(const struct page_view *view) {
    size_t width = sizeof "announce";
    for (uint32_t i = 0; i < (uint32_t)view->head->n_units + view->head->n_rows; i++) {
        bool unit = i < view->head->n_units;
        size_t n = strlen(view_text(view, unit ? view->units[i].name : view->rows[i - view->head->n_units].name));
        width = n > width ? n : width;
    }
    return width + 2;
}

static void table_services(struct out *out, const struct page_view *view, size_t width) {
    cell(out, width, "SERVICE");
    out_text(out, "STATE     READY  PID      RESTARTS  LAST EXIT\n");
    for (uint16_t i = 0; i < view->head->n_units; i++) {
        const struct page_unit_state *unit = &view->unit_states[i];
        cell(out, width, view_text(view, view->units[i].name));
        cell(out, 10, unit_state_name(unit->state));
        cell(out, 7, unit->ready ? "yes" : "no");
        if (unit->pid > 0)
            number_cell(out, 9, unit->pid);
        else
            cell(out, 9, "-");
        number_cell(out, 10, unit->restarts);
        exit_cell(out, unit->exit);
    }
}

static void table_checkpoints(struct out *out, const struct page_view *view, size_t width) {
    char time[UTC_ROOM];
    out_char(out, '\n');
    cell(out, width, "CHECKPOINT");
    out_text(out, "STATE      LATEST                    TAKEN                 LAST EXIT\n");
    for (uint16_t i = 0; i < view->head->n_checkpoints; i++) {
        const struct page_checkpoint_state *state = &view->checkpoint_states[i];
        cell(out, width, view_text(view, view->checkpoints[i].name));
        cell(out, 11, checkpoint_state_name(state->state));
        cell(out, 26, *state->latest != 0 ? state->latest : "-");
        cell(out, 22, state->taken_s ? utc_print(time, state->taken_s) : "-");
        exit_cell(out, state->exit);
    }
}

static void time_cell(struct out *out, instant at, instant zero) {
    size_t start = out->n;
    if (is_never(at))
        out_char(out, '-');
    else
        out_tenths(out, (at.ns - zero.ns) / NS_PER_MS);
    out_right(out, start, 9);
}

static void table_steps(struct out *out, const struct page_view *view, size_t width) {
    out_char(out, '\n');
    cell(out, width, "STEP");
    out_text(out, "PHASE     STATE       START      END DEADLINE  EXIT\n");
    for (uint16_t i = 0; i < view->head->n_rows; i++) {
        const struct row *row = &view->row_states[i];
        const instant *times[] = {&row->start, &row->end, &row->deadline};
        cell(out, width, view_text(view, view->rows[i].name));
        cell(out, 10, phase_name(row->phase));
        cell(out, 8, row_state_name(row));
        for (int t = 0; t < 3; t++)
            time_cell(out, *times[t], status_zero(view->state));
        out_text(out, "  ");
        exit_cell(out, row->exit);
    }
}

/* "4.0 s of 30.0": of a stop, drain or prestop. */
static void used_of(struct out *out, const struct page_state *state, instant now) {
    out_tenths(out, span_ms(until(status_zero(state), now)));
    out_text(out, " s");
    if (is_never(state->clock) || is_forever(state->grace))
        return;
    out_text(out, " of ");
    out_tenths(out, span_ms(state->grace));
}

void status_table(struct out *out, const struct page_view *view, instant now) {
    const struct page_state *state = view->state;
    bool stops = !is_never(state->asked);
    span up = until(state->started, now);
    size_t width = widest(view);
    out_text(out, "lastcall ");
    out_text(out, view_text(view, view->head->version));
    out_text(out, ": ");
    out_text(out, life_name(state->life));
    out_text(out, state->ready ? ", ready" : ", not ready");
    out_text(out, state->live ? "" : ", not live");
    out_text(out, stops ? "; " : "");
    out_text(out, state->cause);
    out_text(out, "\n  up ");
    duration_print(out, (span){up.ns - up.ns % NS_PER_S});
    if (stops) {
        out_text(out, "; ");
        used_of(out, state, now);
        out_text(out, state->phase < PH_N ? ", now " : "");
        out_text(out, state->phase < PH_N ? phase_name(state->phase) : "");
    }
    out_text(out, "\n\n");
    table_services(out, view, width);
    if (view->head->n_checkpoints > 0)
        table_checkpoints(out, view, width);
    if (stops)
        table_steps(out, view, width);
}

/* ---- probes ---- */

bool status_probe(const struct page_view *view, enum probe probe, bool alive) {
    const struct page_state *state = view->state;
    bool good = false;
    switch (probe) {
    case PROBE_LIVE: good = alive && state->live; break;
    case PROBE_READY: good = state->ready; break;
    case PROBE_STARTUP: good = state->startup; break;
    }
    return good;
}

/* A target as a person wants to see it: its beginning is enough to know it. */
static void shown(struct out *out, const char *target) {
    size_t n = strlen(target);
    out_safe(out, target, n < TARGET_SHOWN ? n : TARGET_SHOWN);
    if (n >= TARGET_SHOWN)
        out_text(out, "...");
}

static void line_of_check(struct out *out, const struct page_view *view, uint16_t i) {
    const struct page_check *check = &view->checks[i];
    const struct page_check_state *state = &view->check_states[i];
    const char *word = !state->on ? "[ ] off\n" : state->passing ? "[+] passing\n" : "[-] failing\n";
    out_bytes(out, word, 4);
    out_text(out, view_text(view, view->units[check->unit].name));
    out_text(out, check->live ? " live " : " ready ");
    out_text(out, check_kind_name(check->kind));
    if (check->target != 0) {
        out_char(out, ' ');
        shown(out, view_text(view, check->target));
    }
    out_text(out, ": ");
    out_text(out, word + 4);
}

static void all_checks(struct out *out, const struct page_view *view, enum probe probe) {
    for (uint16_t i = 0; i < view->head->n_units; i++) {
        const struct page_unit *unit = &view->units[i];
        uint16_t check = probe == PROBE_LIVE ? unit->live : unit->ready;
        if (check != NONE) {
            line_of_check(out, view, check);
        } else if (probe != PROBE_LIVE) {
            out_text(out, view->unit_states[i].ready ? "[+] " : "[-] ");
            out_text(out, view_text(view, unit->name));
            out_text(out, ": ");
            out_text(out, unit_state_name(view->unit_states[i].state));
            out_char(out, '\n');
        }
    }
}

static bool lacking(const struct page_view *view, enum probe probe, uint16_t unit) {
    uint16_t live = view->units[unit].live;
    if (probe != PROBE_LIVE)
        return !view->unit_states[unit].ready;
    return live != NONE && view->check_states[live].on && !view->check_states[live].passing;
}

/* ": web, worker" */
static void who_lacks(struct out *out, const struct page_view *view, enum probe probe) {
    const char *mark = ": ";
    for (uint16_t i = 0; i < view->head->n_units; i++)
        if (lacking(view, probe, i)) {
            out_text(out, mark);
            out_text(out, view_text(view, view->units[i].name));
            mark = ", ";
        }
}

void status_why(struct out *out, const struct page_view *view, enum probe probe, bool alive, bool verbose) {
    const struct page_state *state = view->state;
    bool stops = state->life == LIFE_STOPPING || state->life == LIFE_EXITED;
    if (verbose)
        all_checks(out, view, probe);
    if (status_probe(view, probe, alive)) {
        out_text(out, "ok");
    } else if (probe == PROBE_LIVE && !alive) {
        out_text(out, "lastcall does not answer within 500 ms");
    } else if (probe == PROBE_READY && (stops || state->draining)) {
        out_text(out, stops ? "stopping: " : state->life == LIFE_DRAINED ? "drained: " : "draining: ");
        out_text(out, state->cause);
    } else {
        out_text(out, probe == PROBE_LIVE ? "not live" : probe == PROBE_STARTUP ? "not started" : "not ready");
        who_lacks(out, view, probe);
    }
    out_char(out, '\n');
}

/* ---- ends ---- */

void status_verdict(struct out *out, const struct page_view *view, instant now) {
    const struct page_state *state = view->state;
    if (state->verdict == VERDICT_NONE)
        return;
    out_text(out, verdict_name(state->verdict));
    out_text(out, " in ");
    used_of(out, state, now);
    if (state->exit >= 0) {
        out_text(out, ", exit ");
        out_int(out, state->exit);
    }
    out_char(out, '\n');
}

bool status_drained(const struct page_view *view) {
    for (uint16_t i = 0; i < view->head->n_rows; i++)
        if (view->row_states[i].phase <= PH_DRAIN && !row_ended(&view->row_states[i]))
            return false;
    return true;
}
