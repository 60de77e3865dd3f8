/* text/report.h: whole JSON in at most 4096 bytes, whatever has happened, and what went wrong is in it. */
#include <criterion/criterion.h>
#include <string.h>

#include "text/report.h"
#include "text/utc.h"

enum { UNITS = 300 };

static char names[UNITS][MAX_NAME + 8];
static struct unit_policy units[UNITS];
static struct row rows[UNITS];
static struct model model = {.units = units, .n_units = UNITS};

static struct report report_of(uint16_t n) {
    for (uint16_t i = 0; i < n; i++) {
        memset(names[i], 'a' + i % 26, MAX_NAME - 4);
        names[i][MAX_NAME - 4] = 0;
        units[i] = (struct unit_policy){.name = names[i]};
        rows[i] = (struct row){.phase = PH_STOP, .action = DO_STOP, .state = S_DONE, .stage = i, .subject = i,
                               .exit = -15, .start = {i * NS_PER_MS}, .end = {2 * i * NS_PER_MS}, .deadline = NEVER};
    }
    return (struct report){
        .model = &model, .rows = rows, .n_rows = n, .summary = "CLEAN in 0.1 s", .cause = "SIGTERM", .host = "box",
        .version = "1.2.3", .verdict = VERDICT_CLEAN, .exit = 0, .zero = {0}, .grace = SEC(30), .used = MS(100),
        .time_s = 1777890030,
    };
}

/* Enough of JSON to tell a whole object from a cut one: braces and brackets pair up outside strings. */
static bool is_whole(const char *text, size_t n) {
    char open[64];
    size_t depth = 0, objects = 0;
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (quoted) {
            i += text[i] == '\\';
            quoted = text[i] != '"' || text[i - 1] == '\\';
        } else if (text[i] == '"') {
            quoted = true;
        } else if (text[i] == '{' || text[i] == '[') {
            open[depth++] = text[i];
        } else if (text[i] == '}' || text[i] == ']') {
            if (depth == 0 || open[--depth] != (text[i] == '}' ? '{' : '['))
                return false;
            objects += depth == 0;
        }
    }
    return depth == 0 && !quoted && objects == 1;
}

static unsigned count(const char *text, const char *what) {
    unsigned n = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

Test(report, says_what_happened) {
    char text[MAX_REPORT + 1];
    struct report report = report_of(1);
    size_t n = report_make(text, &report);
    cr_assert_eq(n, strlen(text));
    cr_assert(is_whole(text, n), "%s", text);
    cr_assert_not_null(strstr(text, "{\"summary\":\"CLEAN in 0.1 s\",\"verdict\":\"clean\",\"cause\":\"SIGTERM\",\"exit\":0,"
                                    "\"grace_ms\":30000,\"used_ms\":100,\"time\":\"2026-05-04T10:20:30Z\",\"host\":\"box\""),
                       "%s", text);
    cr_assert_not_null(strstr(text, "\"start_ms\":0,\"end_ms\":0,\"deadline_ms\":null,\"exit\":-15}"), "%s", text);
    cr_assert_not_null(strstr(text, "\"lastcall\":\"1.2.3\"}\n"), "%s", text);
}

Test(report, a_time_before_the_clock_is_negative) {
    char text[MAX_REPORT + 1];
    struct report report = report_of(1);
    report.zero = (instant){5 * NS_PER_MS};
    report_make(text, &report);
    cr_assert_not_null(strstr(text, "\"start_ms\":-5"), "%s", text);
}

Test(report, without_a_grace_there_is_none) {
    char text[MAX_REPORT + 1];
    struct report report = report_of(1);
    report.grace = FOREVER;
    report.exit = -1;
    report_make(text, &report);
    cr_assert_not_null(strstr(text, "\"exit\":null,\"grace_ms\":null"), "%s", text);
}

Test(report, fits_always) {
    char text[MAX_REPORT + 1];
    for (uint16_t n = 0; n <= UNITS; n++) {
        struct report report = report_of(n);
        size_t bytes = report_make(text, &report);
        cr_assert(bytes > 0 && bytes <= MAX_REPORT, "%u rows: %zu bytes", n, bytes);
        cr_assert(is_whole(text, bytes), "%u rows: %s", n, text);
    }
}

Test(report, pending_go_before_skipped_before_done) {
    char text[MAX_REPORT + 1];
    struct report report = report_of(30);
    for (uint16_t i = 0; i < 30; i++)
        rows[i].state = i % 2 ? S_DONE : S_PENDING;
    rows[0].state = S_SKIPPED;
    report_make(text, &report);
    cr_assert_eq(count(text, "\"pending\""), 0);
    cr_assert_eq(count(text, "\"skipped\""), 1);
    cr_assert_eq(count(text, "\"done\""), 15);
}

Test(report, of_many_that_went_well_as_many_stay_as_fit) {
    char text[MAX_REPORT + 1];
    struct report report = report_of(UNITS);
    size_t n = report_make(text, &report);
    cr_assert_gt(count(text, "\"done\""), 15);
    cr_assert_gt(n, MAX_REPORT - 400);
}

Test(report, what_went_wrong_stays) {
    char text[MAX_REPORT + 1];
    struct report report = report_of(UNITS);
    rows[3].state = S_TIMEOUT;
    rows[UNITS - 1].state = S_FAILED;
    report_make(text, &report);
    cr_assert_eq(count(text, "\"timeout\""), 1);
    cr_assert_eq(count(text, "\"failed\""), 1);
}

Test(report, when_all_went_wrong_the_first_stay) {
    char text[MAX_REPORT + 1];
    struct report report = report_of(UNITS);
    for (uint16_t i = 0; i < UNITS; i++)
        rows[i].state = S_TIMEOUT;
    size_t n = report_make(text, &report);
    cr_assert(is_whole(text, n));
    cr_assert_not_null(strstr(text, "\"stage\":0,"));
    cr_assert_gt(count(text, "\"timeout\""), 10);
}

Test(report, names_who_was_killed_and_who_is_left) {
    char text[MAX_REPORT + 1];
    struct report report = report_of(1);
    struct report_process killed[] = {{.service = "web", .comm = "ngi\"nx\n", .pid = 7}, {.comm = "sleep", .pid = 8}};
    report.killed = killed;
    report.n_killed = 2;
    report.left = killed + 1;
    report.n_left = 1;
    size_t n = report_make(text, &report);
    cr_assert(is_whole(text, n), "%s", text);
    cr_assert_not_null(strstr(text, "\"killed\":[{\"service\":\"web\",\"pid\":7,\"comm\":\"ngi\\\"nx\\n\"},"
                                    "{\"service\":null,\"pid\":8,\"comm\":\"sleep\"}],\"left\":[{\"service\":null,\"pid\":8,"),
                       "%s", text);
}

Test(report, counts_oom_kills_or_does_not_know) {
    char text[MAX_REPORT + 1];
    struct report report = report_of(1);
    static const struct { int64_t oom; const char *shown; } cases[] = {{-1, "\"oom\":null,"}, {0, "\"oom\":0,"}, {12, "\"oom\":12,"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        report.oom = cases[i].oom;
        cr_assert(is_whole(text, report_make(text, &report)));
        cr_assert_not_null(strstr(text, cases[i].shown), "%s", text);
    }
}

Test(report, utc_knows_leap_years) {
    char text[UTC_ROOM];
    cr_assert_str_eq(utc_print(text, 0), "1970-01-01T00:00:00Z");
    cr_assert_str_eq(utc_print(text, 951782399), "2000-02-28T23:59:59Z");
    cr_assert_str_eq(utc_print(text, 951782400), "2000-02-29T00:00:00Z");
    cr_assert_str_eq(utc_print(text, 4107542400), "2100-03-01T00:00:00Z");
    cr_assert_str_eq(utc_print(text, 1798761599), "2026-12-31T23:59:59Z");
}

Test(report, of_many_processes_the_first_stay_where_there_is_no_room) {
    char text[MAX_REPORT + 1];
    struct report_process killed[100];
    struct report report = report_of(30);
    for (int i = 0; i < 100; i++)
        killed[i] = (struct report_process){.comm = "a-long-command", .pid = 10000 + i};
    report.killed = killed;
    report.n_killed = 100;
    cr_assert(is_whole(text, report_make(text, &report)));
    cr_assert_eq(count(text, "\"comm\""), 8);
    cr_assert_not_null(strstr(text, "\"pid\":10007,"));
}

Test(report, what_is_never_left_out_may_be_too_much) {
    char text[MAX_REPORT + 1], summary[MAX_REPORT];
    struct report report = report_of(1);
    memset(summary, 's', sizeof summary - 1);
    summary[sizeof summary - 1] = 0;
    report.summary = summary;
    cr_assert_eq(report_make(text, &report), 0);
}

Test(report, without_a_clock_no_time_is_counted) {
    char text[MAX_REPORT + 1];
    struct report report = report_of(1);
    report.zero = NEVER;
    report_make(text, &report);
    cr_assert_not_null(strstr(text, "\"start_ms\":null,\"end_ms\":null"), "%s", text);
}

Test(report, names_the_checkpoint) {
    char text[MAX_REPORT + 1];
    struct report report = report_of(1);
    report_make(text, &report);
    cr_assert_not_null(strstr(text, "\"checkpoint\":null,"), "%s", text);
    report.checkpoint = "000042-20261121T031500Z";
    report_make(text, &report);
    cr_assert_not_null(strstr(text, "\"checkpoint\":\"000042-20261121T031500Z\","), "%s", text);
}

static bool reads(const char *text, char verdict[16], char cause[16]) {
    return report_read(text, strlen(text), verdict, 16, cause, 16);
}

Test(report, the_next_start_reads_it) {
    char text[MAX_REPORT + 1], verdict[16], cause[16];
    struct report report = report_of(3);
    for (uint8_t i = VERDICT_NONE; i < VERDICT_N; i++) {
        report.verdict = i;
        report_make(text, &report);
        cr_assert_eq(reads(text, verdict, cause), i != VERDICT_NONE);
        cr_assert(i == VERDICT_NONE || strcmp(cause, "SIGTERM") == 0);
    }
}

Test(report, what_is_no_report_is_not_read) {
    static const char *const others[] = {
        "", "{}", "\"verdict\":\"clean\"", "\"cause\":\"x\"", "\"verdict\":\"clean\",\"cause\":\"x",
        "\"verdict\":\"clean", "\"verdict\":\"cl\\u0065an\",\"cause\":\"x\"", "\"verdict\":\"tidy\",\"cause\":\"x\"",
        "\"verdict\":\"clean\",\"cause\":\"longer than there is room\"", "\"verdict\":\"none\",\"cause\":\"x\"",
    };
    char verdict[16], cause[16];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert_not(reads(others[i], verdict, cause), "%s", others[i]);
    cr_assert(reads("\"verdict\":\"clean\",\"cause\":\"a\nb\"", verdict, cause));
    cr_assert_str_eq(cause, "a?b");
}
