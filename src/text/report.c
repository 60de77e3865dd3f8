#include "text/report.h"

#include <string.h>

#include "model/names.h"
#include "text/json.h"
#include "text/out.h"
#include "text/status.h"
#include "text/utc.h"

/* What is left out at each try. From CUT_DONE on the newest `room_for` of those that went well stay. */
enum cut { CUT_NOTHING, CUT_PENDING, CUT_SKIPPED, CUT_DONE, CUT_REST };

/* A step alone has at most so many bytes: its name has MAX_NAME and an ordinal. */
enum { STEP_BYTES = 320, LEAST_STEP_BYTES = 120, PROCESSES = 8 };

struct choice { enum cut cut; uint16_t room_for, n_done; };

static bool is_kept(const struct row *row, const struct choice *choice, uint16_t *done) {
    if (row->state == S_PENDING)
        return choice->cut < CUT_PENDING;
    if (row->state == S_SKIPPED)
        return choice->cut < CUT_SKIPPED;
    if (row->state != S_DONE || choice->cut < CUT_DONE)
        return true;
    return choice->n_done - (*done)++ <= choice->room_for;
}

static void steps(struct json *json, const struct report *report, const struct choice *choice) {
    uint16_t done = 0;
    json_open(json, "steps", '[');
    for (uint16_t i = 0; i < report->n_rows && !json->out->cut; i++) {
        const struct row *row = &report->rows[i];
        if (choice->cut == CUT_REST && json->out->room - json->out->n < 2 * STEP_BYTES)
            break;
        if (is_kept(row, choice, &done))
            status_step(json, row_name(report->model, row), row, report->zero);
    }
    json_close(json, ']');
}

static void processes(struct json *json, const char *key, const struct report_process *of, uint16_t n, enum cut cut) {
    uint16_t most = cut >= CUT_DONE ? PROCESSES : n;
    json_open(json, key, '[');
    for (uint16_t i = 0; i < n && i < most; i++) {
        json_open(json, NULL, '{');
        if (of[i].service != NULL)
            json_text(json, "service", of[i].service);
        else
            json_null(json, "service");
        json_int(json, "pid", of[i].pid);
        json_text(json, "comm", of[i].comm);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void json_ms(struct json *json, const char *key, span value) {
    if (is_forever(value))
        json_null(json, key);
    else
        json_int(json, key, span_ms(value));
}

static void head(struct json *json, const struct report *report) {
    char time[UTC_ROOM];
    json_text(json, "summary", report->summary);
    json_text(json, "verdict", verdict_name(report->verdict));
    json_text(json, "cause", report->cause);
    if (report->exit < 0)
        json_null(json, "exit");
    else
        json_int(json, "exit", report->exit);
    json_ms(json, "grace_ms", report->grace);
    json_ms(json, "used_ms", report->used);
    json_text(json, "time", utc_print(time, report->time_s));
    json_text(json, "host", report->host);
}

static size_t try(char *into, const struct report *report, const struct choice *choice) {
    struct out out = out_on(into, MAX_REPORT + 1);
    struct json json = json_on(&out);
    json_open(&json, NULL, '{');
    head(&json, report);
    processes(&json, "killed", report->killed, report->n_killed, choice->cut);
    processes(&json, "left", report->left, report->n_left, choice->cut);
    if (report->oom < 0)
        json_null(&json, "oom");
    else
        json_int(&json, "oom", report->oom);
    if (report->checkpoint == NULL)
        json_null(&json, "checkpoint");
    else
        json_text(&json, "checkpoint", report->checkpoint);
    steps(&json, report, choice);
    json_text(&json, "lastcall", report->version);
    json_close(&json, '}');
    out_char(&out, '\n');
    return out.cut ? 0 : out.n;
}

static uint16_t count_done(const struct report *report) {
    uint16_t n = 0;
    for (uint16_t i = 0; i < report->n_rows; i++)
        n += report->rows[i].state == S_DONE;
    return n;
}

size_t report_make(char into[static MAX_REPORT + 1], const struct report *report) {
    struct choice choice = {.n_done = count_done(report), .room_for = MAX_REPORT / LEAST_STEP_BYTES};
    size_t n = 0;
    while ((n = try(into, report, &choice)) == 0 && choice.cut != CUT_REST) {
        if (choice.cut != CUT_DONE || choice.room_for == 0)
            choice.cut++;
        else
            choice.room_for--;
    }
    return n;
}

/* The value of a key that is a string without escapes. A quote within a string is escaped, so that `"key":"`
 * stands nowhere but where it is one. */
static bool find(const char *text, size_t n, const char *key, char *into, size_t room) {
    struct out out = out_on(into, room);
    size_t m = strlen(key);
    for (size_t i = 0; i + m <= n; i++) {
        if (memcmp(text + i, key, m) != 0)
            continue;
        const char *value = text + i + m, *end = memchr(value, '"', n - i - m);
        if (end == NULL || memchr(value, '\\', (size_t)(end - value)) != NULL)
            return false;
        out_safe(&out, value, (size_t)(end - value));
        return !out.cut;
    }
    return false;
}

bool report_read(const char *text, size_t n, char *verdict, size_t verdict_room, char *cause, size_t cause_room) {
    if (!find(text, n, "\"verdict\":\"", verdict, verdict_room) || !find(text, n, "\"cause\":\"", cause, cause_room))
        return false;
    for (uint8_t i = VERDICT_NONE + 1; i < VERDICT_N; i++)
        if (strcmp(verdict, verdict_name(i)) == 0)
            return true;
    return false;
}
