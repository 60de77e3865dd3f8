/* ready and live checks: who runs when, what an answer means. */
#include "support.h"

TestSuite(checks, .init = new_model);

/* An exec check answers with its exit code. */
static void answers(uint16_t check, int exit) { ends(check_slot(check), exit); }

Test(checks, an_exec_check_runs_at_once_and_then_every_so_often) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_EXEC, false);
    s.checks[check].every = SEC(2);
    begin();
    cr_assert_eq(spawns(check_slot(check)), 1);
    at(300);
    answers(check, 1);
    at(1999);
    cr_assert_eq(spawns(check_slot(check)), 1);
    at(2000);
    cr_assert_eq(spawns(check_slot(check)), 2);
    answers(check, 0);
    cr_assert(core_ready(&s.core));
    at(4000);
    cr_assert_eq(spawns(check_slot(check)), 3);
}

Test(checks, one_that_is_slower_than_its_interval_never_runs_twice) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_EXEC, false);
    s.checks[check].every = SEC(1), s.checks[check].timeout = SEC(10);
    begin();
    at(5000);
    cr_assert_eq(spawns(check_slot(check)), 1);
    answers(check, 0);
    at(6100);
    cr_assert_eq(spawns(check_slot(check)), 2);
}

Test(checks, a_hung_exec_check_is_killed_and_has_failed) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_EXEC, true);
    s.checks[check].timeout = MS(500), s.checks[check].failures = 1, s.checks[check].then = THEN_FAIL;
    begin();
    s.deaf[check_slot(check)] = true;
    at(499);
    cr_assert_eq(kills(check_slot(check)), 0);
    at(500);
    cr_assert_geq(kills(check_slot(check)), 1);
    cr_assert_not(core_live(&s.core));
}

Test(checks, successes_and_failures_are_counted_in_a_row) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_EXEC, false);
    s.checks[check].successes = 2, s.checks[check].failures = 3;
    begin();
    static const int script[] = {0, 1, 0, 0, 1, 1, 0, 1, 1, 1};
    static const bool ready[] = {false, false, false, true, true, true, true, true, true, false};
    for (int i = 0; i < 10; i++) {
        at(1000 * i);
        answers(check, script[i]);
        cr_assert_eq(core_ready(&s.core), ready[i], "answer %d", i);
    }
}

Test(checks, a_new_run_is_counted_from_nothing) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_EXEC, false);
    s.services[web].restart = RESTART_ALWAYS, s.checks[check].successes = 2;
    begin();
    answers(check, 0);
    ends(run_slot(web), 1);
    at(100);
    answers(check, 0);
    cr_assert_not(core_ready(&s.core));
    at(1100);
    answers(check, 0);
    cr_assert(core_ready(&s.core));
}

Test(checks, what_an_exec_check_leaves_behind_is_killed) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_EXEC, false);
    begin();
    answers(check, 1);
    cr_assert_eq(kills(check_slot(check)), 1);
    s.slow_exec[check_slot(check)] = true;
    at(1000);
    spawn_failed(check_slot(check), 127);
    cr_assert_eq(kills(check_slot(check)), 1, "there is nothing");
}

Test(checks, an_exec_check_that_exits_125_has_failed) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_EXEC, false);
    s.checks[check].failures = 1;
    begin();
    answers(check, 0);
    at(1000);
    answers(check, 125);
    cr_assert_not(core_ready(&s.core));
}

static bool is_on_before_exec(uint8_t kind) {
    new_model();
    uint16_t it = service("it"), check = check_of(it, kind, false);
    s.slow_exec[run_slot(it)] = true;
    begin();
    bool before = s.core.checks[check].on;
    spawned(run_slot(it));
    cr_assert(s.core.checks[check].on);
    return before;
}

Test(checks, only_what_the_program_answers_is_on_before_it_begins) {
    cr_assert(is_on_before_exec(CHECK_NOTIFY) && is_on_before_exec(CHECK_FD));
    cr_assert_not(is_on_before_exec(CHECK_FILE) || is_on_before_exec(CHECK_TCP) || is_on_before_exec(CHECK_DELAY));
}

Test(checks, all_is_ready_once_all_are) {
    uint16_t a = service("a"), b = service("b"), c = service("c");
    uint16_t checks[] = {check_of(a, CHECK_TCP, false), check_of(b, CHECK_TCP, false), check_of(c, CHECK_TCP, false)};
    begin();
    tell_check(checks[2], true);
    tell_check(checks[1], true);
    cr_assert_eq(notes(NOTE_READY), 0);
    cr_assert_not(s.core.started);
    tell_check(checks[0], true);
    cr_assert_eq(notes(NOTE_READY), 1);
    cr_assert(s.core.started);
}

Test(checks, each_has_its_own_time) {
    uint16_t a = service("a"), b = service("b"), ca = check_of(a, CHECK_EXEC, false), cb = check_of(b, CHECK_EXEC, false);
    s.services[b].ready_timeout = SEC(5);
    begin();
    at(300);
    answers(ca, 1), answers(cb, 1);
    at(1000);
    cr_assert_eq(notes(NOTE_NOT_READY), 0);
    cr_assert_eq(spawns(check_slot(ca)), 2);
    cr_assert_eq(spawns(check_slot(cb)), 2);
}

Test(checks, a_delay_is_ready_after_it) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_DELAY, false);
    s.checks[check].every = SEC(3);
    begin();
    at(2999);
    cr_assert_not(core_ready(&s.core));
    at(3000);
    cr_assert(core_ready(&s.core));
    cr_assert(is_never(core_next(&s.core)), "nothing is armed");
}

Test(checks, they_are_switched_on_before_the_spawn_and_off_with_the_end) {
    uint16_t db = service("db"), web = main_service("web"), check = check_of(web, CHECK_NOTIFY, false);
    s.services[web].restart = RESTART_ALWAYS;
    add_after(web, db);
    s.slow_exec[run_slot(db)] = true;
    begin();
    cr_assert_not(s.core.checks[check].on);
    s.slow_exec[run_slot(web)] = true;
    spawned(run_slot(db));
    cr_assert(s.core.checks[check].on, "also before exec has succeeded");
    uint32_t gen = s.core.checks[check].gen;
    spawned(run_slot(web));
    ends(run_slot(web), 1);
    cr_assert_not(s.core.checks[check].on);
    at(100);
    cr_assert(s.core.checks[check].on);
    cr_assert_neq(s.core.checks[check].gen, gen, "net starts afresh");
}

Test(checks, live_runs_only_once_ready) {
    uint16_t web = main_service("web"), ready = check_of(web, CHECK_TCP, false), live = check_of(web, CHECK_TCP, true);
    begin();
    cr_assert(s.core.checks[ready].on);
    cr_assert_not(s.core.checks[live].on);
    tell_check(ready, true);
    cr_assert(s.core.checks[live].on);
    cr_assert(s.core.checks[live].passing, "it starts from good");
}

static uint16_t with_live(uint8_t then) {
    uint16_t it = service("it"), live = check_of(it, CHECK_HTTP, true);
    s.checks[live].then = then;
    s.services[it].stop_timeout = SEC(2);
    main_service("web");
    begin();
    cr_assert(core_live(&s.core));
    return live;
}

Test(checks, live_then_restart) {
    uint16_t live = with_live(THEN_RESTART);
    s.services[0].restart = RESTART_NO;
    tell_check(live, false);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 1);
    cr_assert(signals(0, T_TERM));
    cr_assert(core_live(&s.core));
    at(100);
    cr_assert_eq(spawns(0), 2, "whatever the policy");
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    cr_assert_eq(s.core.units[0].restarts, 1);
}

Test(checks, live_then_restart_of_one_that_is_deaf) {
    uint16_t live = with_live(THEN_RESTART);
    s.deaf[0] = true;
    tell_check(live, false);
    at(2000);
    cr_assert_eq(kills(0), 1);
    at(2100);
    cr_assert_eq(spawns(0), 2);
}

Test(checks, live_then_restart_keeps_the_limit) {
    uint16_t live = with_live(THEN_RESTART);
    s.services[0].restart_limit = 1;
    tell_check(live, false);
    at(1000);
    tell_check(live, false);
    cr_assert_eq(s.core.walk.cause, BY_SERVICE);
    cr_assert(exited());
    nothing_is_left();
}

Test(checks, live_then_fail_is_livez) {
    uint16_t live = with_live(THEN_FAIL);
    mark();
    tell_check(live, false);
    cr_assert_not(core_live(&s.core));
    cr_assert(core_ready(&s.core));
    cr_assert_eq(count(A_PUBLISH, NONE, -1), 1);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
    tell_check(live, true);
    cr_assert(core_live(&s.core));
}

Test(checks, a_turn_that_is_told_twice_is_one) {
    uint16_t live = with_live(THEN_FAIL);
    tell_check(live, false);
    tell_check(live, false);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 1);
}

Test(checks, a_turn_after_the_end_of_the_run_is_none) {
    uint16_t it = service("it"), check = check_of(it, CHECK_TCP, false);
    main_service("web");
    begin();
    tell_check(check, true);
    cr_assert(core_ready(&s.core));
    ends(run_slot(it), 1);
    tell_check(check, true);
    cr_assert_not(core_ready(&s.core));
    cr_assert_not(s.core.units[it].ready);
}

Test(checks, live_then_shutdown) {
    uint16_t a = drain("a", DO_COMMAND), live = with_live(THEN_SHUTDOWN);
    tell_check(live, false);
    cr_assert_eq(s.core.walk.cause, BY_LIVE);
    cr_assert_eq(spawns(step_slot(a)), 1);
    ends(step_slot(a), 0);
    cr_assert(exited());
    nothing_is_left();
}

Test(checks, in_a_stop_a_live_check_restarts_nothing) {
    uint16_t live = with_live(THEN_RESTART);
    s.deaf[0] = s.deaf[1] = true;
    uint32_t gen = s.core.checks[live].gen;
    tell_signal(T_TERM);
    mark();
    tell((struct event){.kind = EV_CHECK, .subject = live, .value = 0, .gen = gen});
    cr_assert_eq(count(A_SPAWN, NONE, -1) + count(A_SIGNAL, NONE, -1) + notes(NOTE_UNHEALTHY), 0);
}

Test(checks, a_check_of_nobody_is_nothing) {
    uint16_t web = main_service("web");
    check_of(web, CHECK_TCP, true);
    begin();
    for (uint16_t i = s.model.n_checks; i < 8; i++)
        for (int32_t value = 0; value < 2; value++) { /* whatever stands behind the last check */
            struct check there; /* of which no member need have a value that it may have */
            memcpy(&there, &s.core.checks[i], sizeof there);
            tell((struct event){.kind = EV_CHECK, .subject = i, .value = value, .gen = there.gen});
            cr_assert_eq(memcmp(&s.core.checks[i], &there, sizeof there), 0, "%u", i);
        }
    tell((struct event){.kind = EV_EXTEND, .subject = 7, .more = SEC(1)});
    cr_assert_eq(s.core.walk.goal, GO_RUN);
}

Test(checks, an_exec_check_that_was_switched_off_is_killed) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_EXEC, false);
    begin();
    s.deaf[check_slot(check)] = s.deaf[0] = true;
    cr_assert_eq(spawns(check_slot(check)), 1);
    ends(0, 1);
    cr_assert_geq(kills(check_slot(check)), 1);
    cr_assert_eq(signals(check_slot(check), T_TERM), 0);
    the_end(1);
}

Test(checks, an_answer_for_the_run_before_does_not_count) {
    uint16_t it = service("it"), live = check_of(it, CHECK_EXEC, true);
    s.checks[live].failures = 1, s.checks[live].timeout = SEC(30), s.checks[live].every = SEC(5);
    s.services[it].restart_min = MS(1);
    main_service("web");
    begin();
    s.deaf[check_slot(live)] = s.undying[check_slot(live)] = true;
    ends(run_slot(it), 1); /* the check is killed, and hangs in the kernel for a while */
    at(10);
    cr_assert_eq(unit_state(it), U_UP);
    s.undying[check_slot(live)] = false;
    ends(check_slot(live), -T_KILL);
    cr_assert_eq(unit_state(it), U_UP, "the new run has not been asked yet");
    cr_assert_eq(notes(NOTE_UNHEALTHY), 0);
    at(6000);
    cr_assert_geq(spawns(check_slot(live)), 2);
}

Test(checks, extend_moves_the_ready_timeout) {
    uint16_t db = service("db");
    main_service("web");
    check_of(db, CHECK_NOTIFY, false);
    s.services[db].ready_timeout = SEC(3);
    begin();
    at(2000);
    tell((struct event){.kind = EV_EXTEND, .subject = db, .more = SEC(5)});
    at(6999);
    cr_assert_eq(notes(NOTE_NOT_READY), 0);
    at(7000);
    cr_assert_eq(notes(NOTE_NOT_READY), 1);
}

Test(checks, a_verdict_about_no_check_makes_nobody_ready) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_TCP, false), side = service("side");
    add_after(side, web);
    checkpoint("state", PH_SAVE, side), s.checkpoints[0].has_restore = true;
    begin();
    cr_assert_eq(unit_state(web), U_STARTING);
    tell((struct event){.kind = EV_CHECK, .subject = check + 1, .value = 1});
    cr_assert_eq(unit_state(web), U_STARTING);
    cr_assert_eq(s.core.savers[0].restore, R_WAITING);
}

Test(checks, what_becomes_ready_in_a_stop_is_not_asked_whether_it_lives) {
    uint16_t web = main_service("web"), live = check_of(web, CHECK_EXEC, true);
    s.model.policy.announce_min = SEC(3);
    begin_told();
    s.slow_exec[run_slot(web)] = true;
    take(NULL);
    tell_signal(T_TERM);
    spawned(run_slot(web));
    cr_assert(s.core.units[web].ready);
    cr_assert_not(s.core.checks[live].on);
    cr_assert_eq(spawns(check_slot(live)), 0);
}
