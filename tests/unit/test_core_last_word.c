/* What an operator says last of a service counts, whatever is becoming of it at that moment. */
#include "support.h"

TestSuite(last_word, .init = new_model);

/* A service beside main whose tree outlives its leader. */
static uint16_t clinging(bool essential) {
    uint16_t it = service("it");
    s.services[it].essential = essential;
    main_service("web");
    s.clings[it] = s.deaf[it] = true;
    begin();
    return it;
}

Test(last_word, a_stop_of_one_that_was_not_ready_in_time_is_a_stop) {
    uint16_t it = service("it"), web = main_service("web");
    s.services[it].ready_timeout = SEC(1), s.services[it].restart = RESTART_ALWAYS;
    check_of(it, CHECK_TCP, false);
    begin();
    s.deaf[run_slot(it)] = true;
    at(2000);
    cr_assert_eq(notes(NOTE_NOT_READY), 1);
    tell_ask(ASK_STOP_UNIT, it, 0);
    at(60000);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(spawns(run_slot(it)), 1);
    cr_assert_eq(unit_state(web), U_UP);
}

Test(last_word, a_stop_of_one_that_did_not_live_is_a_stop) {
    uint16_t it = service("it");
    main_service("web");
    uint16_t live = check_of(it, CHECK_TCP, true);
    begin();
    s.deaf[run_slot(it)] = true;
    tell_check(live, false);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 1);
    tell_ask(ASK_STOP_UNIT, it, 0);
    at(60000);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(spawns(run_slot(it)), 1);
}

Test(last_word, a_stop_while_the_tree_ends_takes_back_the_restart) {
    uint16_t it = clinging(true);
    ends(it, 1);
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    group_ends(it);
    at(60000);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(spawns(it), 1);
    cr_assert_eq(notes(NOTE_RESTARTING), 0);
}

Test(last_word, a_stop_while_the_tree_ends_takes_back_a_start_by_hand) {
    uint16_t it = clinging(true);
    tell_ask(ASK_RESTART_UNIT, it, 0);
    ends(it, 0);
    tell_ask(ASK_STOP_UNIT, it, 0);
    group_ends(it);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(spawns(it), 1);
}

Test(last_word, a_failure_that_came_before_the_stop_shows) {
    uint16_t it = clinging(false), other = 1;
    s.services[it].restart = RESTART_NO;
    ends(it, 1);
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    tell_ask(ASK_RESTART_UNIT, other, 0);
    cr_assert_eq(answer(), REPLY_BUSY);
    group_ends(it);
    cr_assert_eq(unit_state(it), U_FAILED);
    tell_ask(ASK_RESTART_UNIT, other, 0);
    cr_assert_eq(answer(), REPLY_STARTED, "that errand is over");
}

Test(last_word, once_it_is_down_another_may_be_asked_for) {
    uint16_t it = clinging(true), other = 1;
    tell_ask(ASK_STOP_UNIT, it, 0);
    ends(it, 0);
    tell_ask(ASK_RESTART_UNIT, other, 0);
    cr_assert_eq(answer(), REPLY_BUSY);
    group_ends(it);
    tell_ask(ASK_RESTART_UNIT, other, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
}

Test(last_word, what_ends_by_itself_keeps_nobody_from_another) {
    uint16_t it = clinging(true), other = 1;
    ends(it, 1);
    cr_assert_eq(unit_state(it), U_STOPPING);
    tell_ask(ASK_RESTART_UNIT, other, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
}

Test(last_word, a_start_while_the_tree_ends_takes_back_the_end) {
    uint16_t it = clinging(true);
    tell_ask(ASK_STOP_UNIT, it, 0);
    ends(it, 0);
    tell_ask(ASK_START_UNIT, it, 0);
    tell_ask(ASK_DRAIN, NONE, 0), tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(s.core.walk.goal, GO_RUN, "it has not ended for good");
    group_ends(it);
    cr_assert_eq(unit_state(it), U_UP);
}

/* ---- a restart by hand, and what comes in between ---- */

Test(last_word, a_restart_by_hand_is_counted) {
    uint16_t it = service("it");
    main_service("web");
    begin();
    tell_ask(ASK_RESTART_UNIT, it, 0);
    cr_assert_eq(s.core.units[it].restarts, 1);
    tell_ask(ASK_RESTART_UNIT, it, 0);
    cr_assert_eq(s.core.units[it].restarts, 2);
}

Test(last_word, a_restart_that_a_drain_came_into_comes_with_the_resume) {
    uint16_t it = clinging(true);
    tell_ask(ASK_RESTART_UNIT, it, 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(it, 0), group_ends(it);
    at(60000);
    cr_assert_eq(unit_state(it), U_BACKOFF);
    cr_assert_eq(spawns(it), 1);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(unit_state(it), U_UP);
    cr_assert_eq(s.core.units[it].restarts, 1);
}

Test(last_word, a_restart_that_an_undo_came_into_comes_after_it) {
    uint16_t a = drain("a", DO_COMMAND), it = clinging(true);
    s.steps[a].has_undo = true;
    tell_ask(ASK_RESTART_UNIT, it, 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 0);
    tell_ask(ASK_RESUME, NONE, 0);
    ends(it, 0), group_ends(it);
    cr_assert_eq(unit_state(it), U_BACKOFF);
    ends(step_slot(a), 0);
    cr_assert_eq(unit_state(it), U_UP);
}

Test(last_word, a_restart_that_a_stop_came_into_is_a_stop) {
    uint16_t it = clinging(true);
    tell_ask(ASK_RESTART_UNIT, it, 0);
    ends(it, 0);
    tell_signal(T_TERM);
    group_ends(it);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(spawns(it), 1);
    the_end(0);
}

/* ---- a crash whose tree is there still when a stop begins ---- */

static uint16_t crashed_before_the_stop(uint8_t policy, int exit) {
    uint16_t it = clinging(true);
    s.services[it].restart = policy;
    ends(it, exit);
    cr_assert_eq(unit_state(it), U_STOPPING);
    tell_signal(T_TERM);
    group_ends(it);
    return it;
}

Test(last_word, what_would_have_started_again_has_failed) {
    cr_assert_eq(unit_state(crashed_before_the_stop(RESTART_ON_FAILURE, 1)), U_FAILED);
    the_end(0);
}

Test(last_word, or_has_ended_if_it_ended_well) {
    cr_assert_eq(unit_state(crashed_before_the_stop(RESTART_ALWAYS, 0)), U_DOWN);
    the_end(0);
}
