/* What a stop finds: what has not started, what was to start again, what was to be started again by hand. */
#include "support.h"

TestSuite(at_rest, .init = new_model);

/* A stop whose first step lasts, so that no service has been stopped yet. */
static void stop_slowly(void) {
    uint16_t first = drain("first", DO_COMMAND);
    begin();
    lasts(first);
}

Test(at_rest, what_never_started_is_down_and_what_crashed_has_failed) {
    uint16_t crashed = service("crashed"), ended = service("ended"), db = service("db"), late = service("late");
    uint16_t web = main_service("web");
    s.services[ended].restart = RESTART_ALWAYS;
    check_of(db, CHECK_TCP, false);
    add_after(late, db);
    stop_slowly();
    ends(run_slot(crashed), 1);
    ends(run_slot(ended), 0);
    cr_assert(unit_state(crashed) == U_BACKOFF && unit_state(ended) == U_BACKOFF && unit_state(late) == U_WAITING);
    tell_signal(T_TERM);
    cr_assert_eq(unit_state(crashed), U_FAILED);
    cr_assert_eq(unit_state(ended), U_DOWN);
    cr_assert_eq(unit_state(late), U_DOWN);
    cr_assert_eq(unit_state(db), U_STARTING);
    cr_assert_eq(unit_state(web), U_UP);
    cr_assert_gt(ms_of(core_next(&s.core)), 100, "nobody waits for a restart any more");
    at(9000);
    the_end(0);
}

/* In the stop its end is an end like any other. */
Test(at_rest, a_restart_by_hand_that_a_stop_overtakes_is_none) {
    uint16_t it = service("it");
    check_of(it, CHECK_TCP, false);
    s.services[it].ready_timeout = SEC(1), s.deaf[run_slot(it)] = true;
    main_service("web");
    stop_slowly();
    at(1000);
    cr_assert_eq(notes(NOTE_NOT_READY), 1);
    tell_ask(ASK_RESTART_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    tell_signal(T_TERM);
    ends(run_slot(it), 1);
    cr_assert_eq(unit_state(it), U_FAILED);
    cr_assert_eq(spawns(run_slot(it)), 1);
}

Test(at_rest, what_is_ready_waits_for_no_time) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_TCP, false);
    s.services[web].ready_timeout = SEC(5);
    begin();
    is_at(ms_of(core_next(&s.core)), 5000);
    tell_check(check, true);
    cr_assert(is_never(core_next(&s.core)));
}
