/* A check turns: what it does to its service and to those that come after it, and what it leaves alone. */
#include "support.h"

TestSuite(turns, .init = new_model);

/* ---- ready ---- */

Test(turns, what_comes_after_waits_for_a_service_that_is_ready_now) {
    uint16_t db = service("db"), cache = service("cache"), web = main_service("web");
    uint16_t of_db = check_of(db, CHECK_TCP, false), of_cache = check_of(cache, CHECK_TCP, false);
    add_after(web, db), add_after(web, cache);
    begin();
    tell_check(of_db, true);
    tell_check(of_db, false);
    tell_check(of_cache, true);
    cr_assert_eq(spawns(run_slot(web)), 0, "db is not ready any more");
    tell_check(of_db, true);
    cr_assert_eq(spawns(run_slot(web)), 1);
}

Test(turns, a_service_on_its_way_down_is_ready_for_nobody) {
    uint16_t db = service("db"), cache = service("cache"), web = main_service("web");
    uint16_t of_db = check_of(db, CHECK_TCP, false), of_cache = check_of(cache, CHECK_TCP, false);
    add_after(web, db), add_after(web, cache);
    begin();
    s.deaf[run_slot(db)] = true;
    tell_check(of_cache, true);
    tell_ask(ASK_STOP_UNIT, db, 0);
    tell_check(of_db, true);
    cr_assert_eq(spawns(run_slot(web)), 0);
}

Test(turns, not_ready_for_a_while_is_no_reason_to_restart) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_TCP, false);
    begin();
    tell_check(check, true);
    mark();
    tell_check(check, false);
    cr_assert_not(core_ready(&s.core));
    cr_assert_eq(count(A_SIGNAL, NONE, -1) + notes(NOTE_UNHEALTHY), 0);
    cr_assert_eq(unit_state(web), U_UP);
    tell_check(check, true);
    cr_assert(core_ready(&s.core));
}

Test(turns, all_have_been_ready_only_with_the_last_one) {
    uint16_t a = service("a"), b = service("b"), c = service("c");
    uint16_t of_b = check_of(b, CHECK_TCP, false), of_c = check_of(c, CHECK_TCP, false);
    (void)a;
    begin();
    cr_assert_eq(notes(NOTE_READY), 0);
    tell_check(of_b, true);
    cr_assert_eq(notes(NOTE_READY), 0);
    cr_assert_eq(core_life(&s.core), LIFE_STARTING);
    tell_check(of_c, true);
    cr_assert_eq(notes(NOTE_READY), 1);
    cr_assert_eq(core_life(&s.core), LIFE_RUNNING);
}

/* ---- live ---- */

static uint16_t with_live(uint8_t then) {
    uint16_t it = service("it"), live = check_of(it, CHECK_TCP, true);
    s.checks[live].then = then, s.services[it].essential = false;
    main_service("web");
    begin();
    s.deaf[run_slot(it)] = true;
    mark();
    return live;
}

Test(turns, what_recovers_is_said_to_be_unhealthy_once) {
    uint16_t live = with_live(THEN_FAIL);
    tell_check(live, false);
    tell_check(live, true);
    cr_assert(core_live(&s.core));
    cr_assert_eq(notes(NOTE_UNHEALTHY), 1);
}

Test(turns, what_ends_the_container_is_said) {
    uint16_t live = with_live(THEN_SHUTDOWN);
    tell_check(live, false);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 1);
    cr_assert_eq(notes(NOTE_STOP_BEGAN), 1);
}

Test(turns, a_service_that_is_being_stopped_need_not_live) {
    uint16_t live = with_live(THEN_SHUTDOWN);
    tell_ask(ASK_STOP_UNIT, 0, 0);
    tell_check(live, false);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 0);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
}

static void drained_with(uint8_t then) {
    uint16_t live = with_live(then);
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_check(live, false);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 0);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
    cr_assert_eq(s.core.walk.goal, GO_DRAIN);
    cr_assert_eq(core_live(&s.core), then != THEN_FAIL);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 1, "now it is acted on");
}

Test(turns, in_a_drain_nothing_is_restarted_that_does_not_live) { drained_with(THEN_RESTART); }
Test(turns, in_a_drain_nothing_ends_the_container_that_does_not_live) { drained_with(THEN_SHUTDOWN); }
Test(turns, in_a_drain_livez_is_told_all_the_same) { drained_with(THEN_FAIL); }

Test(turns, what_has_recovered_in_a_drain_is_left_alone_after_it) {
    uint16_t live = with_live(THEN_RESTART);
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_check(live, false);
    tell_check(live, true);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_check(live, false);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(signals(run_slot(0), T_TERM), 1);
}

Test(turns, a_recovery_ends_nothing) {
    uint16_t live = with_live(THEN_SHUTDOWN);
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_check(live, false);
    tell_ask(ASK_PRESTOP, NONE, 0);
    tell_check(live, true);
    cr_assert_eq(s.core.walk.goal, GO_DRAIN);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 0);
}
