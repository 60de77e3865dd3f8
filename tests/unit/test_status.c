/* The state of lastcall as text. */
#include <criterion/criterion.h>
#include <string.h>

#include "text/status.h"

enum { ROOM = 16384, UNITS = 2, CHECKS = 2, ROWS = 3 };

/* A page by hand: the head, and the strings behind it. */
static struct { struct page_head head; char strings[256]; } page;
static struct page_unit units[UNITS];
static struct page_check checks[CHECKS];
static struct page_row rows[ROWS];
static struct page_state state;
static struct page_unit_state unit_states[UNITS];
static struct page_check_state check_states[CHECKS];
static struct row row_states[ROWS];
static struct page_view view;
static char text[ROOM];
static struct out o;
static uint32_t used;

static const instant now = {100 * NS_PER_S};

static uint32_t put(const char *string) {
    uint32_t at = (uint32_t)sizeof page.head + used;
    strcpy(page.strings + used, string);
    used += (uint32_t)strlen(string) + 1;
    return at;
}

static void setup(void) {
    used = 0;
    page.head = (struct page_head){.n_units = UNITS, .n_checks = CHECKS, .n_rows = ROWS, .version = put("9.9")};
    units[0] = (struct page_unit){.name = put("web"), .service = 0, .ready = 0, .live = 1};
    units[1] = (struct page_unit){.name = put("job"), .service = 1, .ready = NONE, .live = NONE};
    checks[0] = (struct page_check){.target = put("http://127.0.0.1/"), .kind = CHECK_HTTP, .unit = 0};
    checks[1] = (struct page_check){.kind = CHECK_EXEC, .unit = 0, .live = true};
    rows[0].name = put("announce");
    rows[1].name = put("broker");
    rows[2].name = put("web");
    state = (struct page_state){.started = {90 * NS_PER_S}, .clock = NEVER, .asked = NEVER, .grace = SEC(30),
                                .life = LIFE_RUNNING, .ready = true, .live = true, .startup = true,
                                .phase = PH_N, .exit = -1};
    unit_states[0] = (struct page_unit_state){.pid = 7, .exit = EXIT_UNKNOWN, .state = U_UP, .ready = true};
    unit_states[1] = (struct page_unit_state){.exit = -15, .state = U_BACKOFF, .restarts = 2};
    check_states[0] = (struct page_check_state){.on = true, .passing = true};
    check_states[1] = (struct page_check_state){.on = true, .passing = true};
    for (int i = 0; i < ROWS; i++)
        row_states[i] = (struct row){.phase = i == 0 ? PH_ANNOUNCE : i == 1 ? PH_DRAIN : PH_STOP, .stage = (uint16_t)i,
                                     .exit = EXIT_UNKNOWN, .start = NEVER, .end = NEVER, .deadline = NEVER};
    view = (struct page_view){
        .head = &page.head, .checks = checks, .units = units, .rows = rows, .state = &state, .unit_states = unit_states,
        .check_states = check_states, .row_states = row_states, .generation = 1,
    };
    o = out_on(text, sizeof text);
}

TestSuite(status, .init = setup);

Test(status, running) {
    status_json(&o, &view, now);
    cr_assert_str_eq(text,
        "{\"state\":\"running\",\"ready\":true,\"live\":true,\"uptime_ms\":10000,\"services\":["
        "{\"name\":\"web\",\"state\":\"up\",\"pid\":7,\"ready\":true,\"restarts\":0,\"exit\":null},"
        "{\"name\":\"job\",\"state\":\"backoff\",\"pid\":null,\"ready\":false,\"restarts\":2,\"exit\":-15}],"
        "\"stop\":null,\"orphans_reaped\":0,\"version\":\"9.9\"}\n");
}

static void stopping(void) {
    state.life = LIFE_STOPPING;
    state.ready = false;
    state.draining = true;
    state.asked = (instant){95 * NS_PER_S};
    state.clock = (instant){96 * NS_PER_S};
    state.phase = PH_DRAIN;
    strcpy(state.cause, "prestop");
    row_states[0].state = S_DONE;
    row_states[0].start = state.asked;
    row_states[0].end = row_states[1].start = (instant){97 * NS_PER_S};
    row_states[1].state = S_PAUSE;
    row_states[1].deadline = (instant){101 * NS_PER_S};
}

Test(status, times_count_from_the_clock_and_may_be_negative) {
    stopping();
    status_json(&o, &view, now);
    cr_assert_not_null(strstr(text,
        "\"stop\":{\"cause\":\"prestop\",\"grace_ms\":30000,\"left_ms\":26000,\"phase\":\"drain\",\"steps\":["
        "{\"phase\":\"announce\",\"stage\":0,\"name\":\"announce\",\"state\":\"done\",\"start_ms\":-1000,"
        "\"end_ms\":1000,\"deadline_ms\":null,\"exit\":null},"
        "{\"phase\":\"drain\",\"stage\":1,\"name\":\"broker\",\"state\":\"running\",\"start_ms\":1000,\"end_ms\":null,"
        "\"deadline_ms\":5000,\"exit\":null},"
        "{\"phase\":\"stop\",\"stage\":2,\"name\":\"web\",\"state\":\"pending\",\"start_ms\":null,\"end_ms\":null,"
        "\"deadline_ms\":null,\"exit\":null}]}"), "%s", text);
}

Test(status, a_drain_without_a_clock_has_no_limits) {
    stopping();
    state.clock = NEVER;
    status_json(&o, &view, now);
    cr_assert_not_null(strstr(text, "\"grace_ms\":null,\"left_ms\":null"), "%s", text);
    cr_assert_not_null(strstr(text, "\"start_ms\":0,"), "%s", text);
}

Test(status, the_grace_is_over) {
    stopping();
    state.clock = (instant){10 * NS_PER_S};
    status_json(&o, &view, now);
    cr_assert_not_null(strstr(text, "\"left_ms\":0,"), "%s", text);
}

Test(status, the_table) {
    stopping();
    status_table(&o, &view, now);
    cr_assert_str_eq(text,
        "lastcall 9.9: stopping, not ready; prestop\n"
        "  up 10s; 4.0 s of 30.0, now drain\n\n"
        "SERVICE    STATE     READY  PID      RESTARTS  LAST EXIT\n"
        "web        up        yes    7        0         -\n"
        "job        backoff   no     -        2         signal 15\n"
        "\nSTEP       PHASE     STATE       START      END DEADLINE  EXIT\n"
        "announce   announce  done         -1.0      1.0        -  -\n"
        "broker     drain     running       1.0        -      5.0  -\n"
        "web        stop      pending         -        -        -  -\n");
}

static const char *why(enum probe probe, bool alive, bool verbose) {
    o = out_on(text, sizeof text);
    status_why(&o, &view, probe, alive, verbose);
    return text;
}

Test(status, probes) {
    cr_assert_str_eq(why(PROBE_READY, true, false), "ok\n");
    cr_assert_str_eq(why(PROBE_LIVE, false, false), "lastcall does not answer within 500 ms\n");
    cr_assert_not(status_probe(&view, PROBE_LIVE, false));
    cr_assert(status_probe(&view, PROBE_LIVE, true));
    state.ready = state.startup = false;
    cr_assert_str_eq(why(PROBE_READY, true, false), "not ready: job\n");
    cr_assert_str_eq(why(PROBE_STARTUP, true, false), "not started: job\n");
    state.live = false;
    check_states[1].passing = false;
    cr_assert_str_eq(why(PROBE_LIVE, true, false), "not live: web\n");
    stopping();
    cr_assert_str_eq(why(PROBE_READY, true, false), "stopping: prestop\n");
}

Test(status, verbose_lists_every_check) {
    unit_states[1].ready = true;
    check_states[0].passing = false;
    cr_assert_str_eq(why(PROBE_READY, true, true),
                     "[-] web ready http http://127.0.0.1/: failing\n[+] job: backoff\nok\n");
    check_states[1].on = false;
    cr_assert_str_eq(why(PROBE_LIVE, true, true), "[ ] web live exec: off\nok\n");
}

Test(status, the_verdict) {
    stopping();
    status_verdict(&o, &view, now);
    cr_assert_str_eq(text, "");
    state.verdict = VERDICT_FORCED;
    state.exit = 124;
    status_verdict(&o, &view, now);
    cr_assert_str_eq(text, "forced in 4.0 s of 30.0, exit 124\n");
}

Test(status, drained_when_all_of_it_has_ended) {
    stopping();
    cr_assert_not(status_drained(&view));
    row_states[1].state = S_TIMEOUT;
    cr_assert(status_drained(&view));
    row_states[0].state = S_PENDING;
    cr_assert_not(status_drained(&view));
}

/* The longest of everything must fit. */
Test(status, the_room_is_enough) {
    static char wide[UINT16_MAX];
    char name[MAX_NAME + 7];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    stopping();
    used = 100;
    units[0].name = units[1].name = rows[0].name = rows[1].name = rows[2].name = put(name);
    memset(state.cause, '"', sizeof state.cause - 1);
    state.orphans = INT64_MAX;
    state.started = (instant){0};
    for (int i = 0; i < UNITS; i++)
        unit_states[i] = (struct page_unit_state){.pid = INT32_MAX, .exit = -64, .state = U_STARTING,
                                                  .restarts = UINT32_MAX};
    for (int i = 0; i < ROWS; i++) {
        row_states[i].start = row_states[i].end = row_states[i].deadline = (instant){INT64_MIN / 2};
        row_states[i].exit = -64;
        row_states[i].stage = UINT16_MAX;
        row_states[i].state = S_SKIPPED;
    }
    state.verdict = VERDICT_INTERRUPTED;
    o = out_on(wide, status_bytes(&page.head));
    status_json(&o, &view, now);
    cr_assert_not(o.cut);
    o = out_on(wide, status_bytes(&page.head));
    status_table(&o, &view, now);
    cr_assert_not(o.cut);
}

Test(status, between_two_stages) {
    stopping();
    state.phase = PH_N;
    status_json(&o, &view, now);
    cr_assert_not_null(strstr(text, "\"phase\":null,\"steps\":"), "%s", text);
    o = out_on(text, sizeof text);
    status_table(&o, &view, now);
    cr_assert_not_null(strstr(text, "4.0 s of 30.0\n"), "%s", text);
}

Test(status, the_table_of_one_that_runs) {
    state.live = false;
    unit_states[1].exit = 3;
    status_table(&o, &view, now);
    cr_assert_str_eq(text,
        "lastcall 9.9: running, ready, not live\n"
        "  up 10s\n\n"
        "SERVICE    STATE     READY  PID      RESTARTS  LAST EXIT\n"
        "web        up        yes    7        0         -\n"
        "job        backoff   no     -        2         3\n");
}

static const char *verdict(void) {
    o = out_on(text, sizeof text);
    status_verdict(&o, &view, now);
    return text;
}

Test(status, the_verdict_without_a_limit_or_a_code) {
    stopping();
    state.verdict = VERDICT_CLEAN;
    cr_assert_str_eq(verdict(), "clean in 4.0 s of 30.0\n");
    state.grace = FOREVER;
    cr_assert_str_eq(verdict(), "clean in 4.0 s\n");
    state.grace = SEC(30);
    state.clock = NEVER;
    cr_assert_str_eq(verdict(), "clean in 5.0 s\n");
}

Test(status, why_it_is_not_ready_while_it_stops) {
    stopping();
    state.life = LIFE_RUNNING;
    cr_assert_str_eq(why(PROBE_READY, true, false), "draining: prestop\n");
    state.life = LIFE_DRAINED;
    cr_assert_str_eq(why(PROBE_READY, true, false), "drained: prestop\n");
    state.life = LIFE_EXITED;
    cr_assert_str_eq(why(PROBE_READY, true, false), "stopping: prestop\n");
}

Test(status, why_it_is_not_live) {
    state.live = false;
    cr_assert_str_eq(why(PROBE_LIVE, true, false), "not live\n", "its check passes by now");
    check_states[1].passing = false;
    cr_assert_str_eq(why(PROBE_LIVE, true, false), "not live: web\n");
    check_states[1].on = false;
    cr_assert_str_eq(why(PROBE_LIVE, true, false), "not live\n", "it is off by now");
}

Test(status, verbose_passing_and_missing) {
    state.startup = false;
    cr_assert_str_eq(why(PROBE_STARTUP, true, true),
                     "[+] web ready http http://127.0.0.1/: passing\n[-] job: backoff\nnot started: job\n");
}

Test(status, a_long_target_is_cut) {
    static char name[160];
    memset(name, 'u', 120);
    checks[0].target = put(name);
    cr_assert_not_null(strstr(why(PROBE_READY, true, true), "uuu...: passing"), "%s", text);
    page.strings[checks[0].target - sizeof page.head + 119] = 0;
    cr_assert_not_null(strstr(why(PROBE_READY, true, true), "uuu: passing"), "%s", text);
}

static struct page_checkpoint checkpoints[2];
static struct page_checkpoint_state checkpoint_states[2];

static void with_checkpoints(void) {
    page.head.n_checkpoints = 2;
    for (int i = 0; i < 2; i++)
        checkpoints[i] = (struct page_checkpoint){.name = put(i ? "all" : "jobs"), .dir = put(i ? "/s/all" : "/s/jobs")};
    checkpoint_states[0] = (struct page_checkpoint_state){
        .state = CS_IDLE, .attempts = 3, .files = 2, .bytes = 12, .taken_s = 1777890030, .latest = "000042-20260504T102030Z",
        .restored = "000041-20260504T102000Z",
    };
    checkpoint_states[1] = (struct page_checkpoint_state){.state = CS_RESTORING, .exit = EXIT_UNKNOWN};
    view.checkpoints = checkpoints;
    view.checkpoint_states = checkpoint_states;
}

Test(status, checkpoints) {
    with_checkpoints();
    status_json(&o, &view, now);
    cr_assert_not_null(strstr(text,
        "\"checkpoints\":[{\"name\":\"jobs\",\"state\":\"idle\",\"dir\":\"/s/jobs\",\"latest\":\"000042-20260504T102030Z\","
        "\"taken_at\":\"2026-05-04T10:20:30Z\",\"files\":2,\"bytes\":12,\"restored_from\":\"000041-20260504T102000Z\","
        "\"attempts\":3,\"exit\":0},{\"name\":\"all\",\"state\":\"restoring\",\"dir\":\"/s/all\",\"latest\":null,"
        "\"taken_at\":null,\"files\":0,\"bytes\":0,\"restored_from\":null,\"attempts\":0,\"exit\":null}]"), "%s", text);
}

Test(status, checkpoints_in_the_table) {
    with_checkpoints();
    status_table(&o, &view, now);
    cr_assert_not_null(strstr(text,
        "CHECKPOINT STATE      LATEST                    TAKEN                 LAST EXIT\n"
        "jobs       idle       000042-20260504T102030Z   2026-05-04T10:20:30Z  0\n"
        "all        restoring  -                         -                     -\n"), "%s", text);
}
