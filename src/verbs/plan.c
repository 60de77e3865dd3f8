/* lastcall plan FILE...: how the grace is shared, before anything goes wrong. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "text/duration.h"
#include "text/errtext.h"
#include "text/json.h"
#include "text/svg.h"
#include "verbs/loading.h"
#include "verbs/timetable.h"

enum { WIDTH = 79, NAME_MOST = 17, NAME_LEAST = 8 };

static size_t name_width(const struct timetable *timetable) {
    size_t width = NAME_LEAST;
    for (uint16_t i = 0; i < timetable->core.walk.n_rows; i++) {
        size_t n = strlen(row_name(timetable->core.model, &timetable->core.walk.rows[i]));
        if (n > width)
            width = n;
    }
    return width < NAME_MOST ? width : NAME_MOST;
}

/* The name in its column; a longer one has a line of its own. */
static void print_name(struct out *out, const char *name, size_t width) {
    size_t start = out->n;
    out_text(out, name);
    if (out->n - start > width) {
        out_char(out, '\n');
        start = out->n;
    }
    out_pad(out, start, width + 2);
}

static void print_seconds(struct out *out, int64_t ns, size_t width) {
    size_t start = out->n;
    if (ns == FOREVER.ns)
        out_char(out, '-');
    else
        out_tenths(out, ns / NS_PER_MS);
    out_right(out, start, width);
}

/* The announce has two times: the shortest and the longest. */
static void print_wrote(struct out *out, const struct timetable *timetable, uint16_t i) {
    const struct policy *policy = &timetable->core.model->policy;
    size_t start = out->n;
    if (timetable->core.walk.rows[i].action == DO_ANNOUNCE && policy->announce_min.ns != policy->announce_max.ns) {
        print_seconds(out, policy->announce_min.ns, 0);
        out_text(out, "..");
    }
    print_seconds(out, timetable->slots[i].wrote.ns, 0);
    out_right(out, start, 15);
}

static void print_table(struct out *out, const struct timetable *timetable, size_t width) {
    const struct model *model = timetable->core.model;
    print_name(out, "step", width);
    out_text(out, "phase    stage          wrote guaranteed     worst case (s)\n");
    for (uint16_t i = 0; i < timetable->core.walk.n_rows; i++) {
        const struct row *row = &timetable->core.walk.rows[i];
        const struct slot *slot = &timetable->slots[i];
        size_t start;
        print_name(out, row_name(model, row), width);
        start = out->n;
        out_text(out, phase_name(row->phase));
        out_pad(out, start, 9);
        start = out->n;
        out_uint(out, row->stage);
        out_right(out, start, 5);
        print_wrote(out, timetable, i);
        print_seconds(out, slot->guaranteed.ns, 11);
        print_seconds(out, slot->start.ns, 8);
        out_text(out, " ..");
        print_seconds(out, slot->end.ns, 8);
        out_char(out, '\n');
    }
}

/* The column of an instant in a bar of so many for the whole grace. */
static size_t column(instant at, span grace, size_t columns) {
    int64_t ms = at.ns / NS_PER_MS, all = grace.ns / NS_PER_MS;
    return all > 0 ? (size_t)((ms * (int64_t)columns + all / 2) / all) : 0;
}

/* '#': promised; '=': what it may take when nobody needs it; '.': the reserve. */
static void print_bar(struct out *out, const struct slot *slot, const struct policy *policy, size_t columns) {
    size_t start = column(slot->start, policy->grace, columns), end = column(slot->end, policy->grace, columns);
    instant promised_until = after(slot->start, shorter(slot->guaranteed, until(slot->start, slot->end)));
    size_t promised = column(promised_until, policy->grace, columns);
    if (start == columns)
        start = columns - 1; /* too near to the end for a column of its own */
    size_t reserve = column((instant){policy->grace.ns - policy->reserve.ns}, policy->grace, columns);
    out_char(out, '|');
    for (size_t i = 0; i < columns; i++)
        out_char(out, i >= start && i < promised ? '#' : i >= start && (i < end || i == start) ? '=' : i >= reserve ? '.' : ' ');
    out_text(out, "|\n");
}

static void print_timeline(struct out *out, const struct timetable *timetable, size_t width) {
    const struct policy *policy = &timetable->core.model->policy;
    size_t columns = WIDTH - width - 4, start;
    print_name(out, "", width);
    start = out->n;
    out_text(out, "0 s");
    out_pad(out, start, columns - 8);
    print_seconds(out, policy->grace.ns, 8);
    out_text(out, " s\n");
    for (uint16_t i = 0; i < timetable->core.walk.n_rows; i++) {
        print_name(out, row_name(timetable->core.model, &timetable->core.walk.rows[i]), width);
        print_bar(out, &timetable->slots[i], policy, columns);
    }
    print_name(out, "", width);
    out_text(out, "# guaranteed  = worst case  . reserve\n");
}

static void print_plan(struct out *out, const struct loading *loading, const struct timetable *timetable) {
    const struct policy *policy = &loading->config.model.policy;
    size_t width = name_width(timetable);
    out_text(out, "grace ");
    duration_print(out, policy->grace);
    if (loading->config.grace_from) {
        out_text(out, " (");
        out_text(out, loading->config.grace_from);
        out_char(out, ')');
    }
    out_text(out, ", reserve ");
    duration_print(out, policy->reserve);
    out_text(out, "\nall over after ");
    out_tenths(out, span_ms(timetable->total));
    out_text(out, " s at the latest\n\n");
    print_table(out, timetable, width);
    out_char(out, '\n');
    print_timeline(out, timetable, width);
}

static void json_span(struct json *json, const char *key, span value) {
    if (is_forever(value))
        json_null(json, key);
    else
        json_int(json, key, span_ms(value));
}

static void print_json(struct out *out, const struct loading *loading, const struct timetable *timetable) {
    const struct model *model = &loading->config.model;
    struct json json = json_on(out);
    json_open(&json, NULL, '{');
    json_span(&json, "grace_ms", model->policy.grace);
    json_span(&json, "reserve_ms", model->policy.reserve);
    json_span(&json, "worst_ms", timetable->total);
    json_open(&json, "steps", '[');
    for (uint16_t i = 0; i < timetable->core.walk.n_rows; i++) {
        const struct row *row = &timetable->core.walk.rows[i];
        const struct slot *slot = &timetable->slots[i];
        json_open(&json, NULL, '{');
        json_text(&json, "phase", phase_name(row->phase));
        json_int(&json, "stage", row->stage);
        json_text(&json, "name", row_name(model, row));
        json_span(&json, "wrote_ms", slot->wrote);
        json_span(&json, "guaranteed_ms", slot->guaranteed);
        json_int(&json, "start_ms", slot->start.ns / NS_PER_MS);
        json_int(&json, "end_ms", slot->end.ns / NS_PER_MS);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
    out_char(out, '\n');
}

/* false: the file could not be written. */
static bool write_svg(const struct verb_call *call, const char *path, const struct loading *loading,
                      const struct timetable *timetable) {
    const struct policy *policy = &loading->config.model.policy;
    uint16_t n = timetable->core.walk.n_rows;
    size_t room = SVG_HEAD + (size_t)n * SVG_PER_BAR;
    struct out out = out_on(memory_take(call, room), room);
    struct svg_bar *bars = memory_take(call, ((size_t)n + 1) * sizeof *bars);
    for (uint16_t i = 0; i < n; i++) {
        const struct row *row = &timetable->core.walk.rows[i];
        const struct slot *slot = &timetable->slots[i];
        bars[i] = (struct svg_bar){
            .name = row_name(timetable->core.model, row), .phase = phase_name(row->phase), .start_ms = slot->start.ns / NS_PER_MS,
            .end_ms = slot->end.ns / NS_PER_MS, .promised_ms = span_ms(slot->guaranteed),
        };
    }
    svg_plan(&out, "What a stop may take", bars, n, span_ms(policy->grace), span_ms(policy->reserve));
    if (strcmp(path, "-") == 0)
        return result_code(call, write_all(1, out.text, out.n)) == 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd >= 0 && write_all(fd, out.text, out.n) && close(fd) == 0)
        return true;
    char text[512];
    struct out why = out_on(text, sizeof text);
    out_text(&why, path);
    out_text(&why, ": ");
    out_text(&why, errtext(errno));
    complain_about(call, text);
    return false;
}

int verb_plan(const struct verb_call *call) {
    struct request request = {0};
    struct loading loading;
    struct timetable timetable;
    struct out out;
    unsigned json = 0, svgs = 0;
    const char *svg = NULL;
    const struct verb_option options[] = {{"--json", NULL, &json, 0}, {"--svg", &svg, &svgs, 1}};
    size_t room;
    int code;
    if (!request_read(&request, call, options, 2))
        return EXIT_WORDS;
    if (json && svg && strcmp(svg, "-") == 0) {
        complain_about(call, "--svg -: stdout is for the JSON; name a file for the image");
        return EXIT_WORDS;
    }
    code = loading_files(&loading, call, &request);
    if (code) {
        findings_print(&loading.findings, 2);
        return code;
    }
    timetable_make(&timetable, call, &loading.config.model);
    timetable_lint(&timetable, &loading.arena, &loading.findings);
    findings_print(&loading.findings, 2);
    if (svg && !write_svg(call, svg, &loading, &timetable))
        return EXIT_NO;
    if (svg && !json)
        return 0;
    room = 4096 + 512 * (size_t)timetable.core.walk.n_rows;
    out = out_on(memory_take(call, room), room);
    if (json)
        print_json(&out, &loading, &timetable);
    else
        print_plan(&out, &loading, &timetable);
    return result_code(call, write_all(1, out.text, out.n));
}
