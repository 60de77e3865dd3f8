/* Services by hand: stop, start, restart, reload, signal. */
#include "support.h"

TestSuite(by_hand, .init = new_model);

Test(by_hand, stopped_by_hand_it_stays_down_and_ends_nothing) {
    uint16_t it = service("it");
    s.services[it].restart = RESTART_ALWAYS;
    main_service("web");
    begin();
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert(signals(run_slot(it), T_TERM));
    cr_assert_eq(unit_state(it), U_DOWN);
    at(60000);
    cr_assert_eq(spawns(run_slot(it)), 1);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    tell_ask(ASK_START_UNIT, it, 0);
    cr_assert_eq(spawns(run_slot(it)), 2);
    cr_assert_eq(unit_state(it), U_UP);
}

Test(by_hand, started_by_hand_it_is_as_any_other_again) {
    uint16_t it = service("it");
    s.services[it].restart_limit = 1;
    main_service("web");
    begin();
    ends(run_slot(it), 1);
    at(100);
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_OK, "it is down already");
    tell_ask(ASK_START_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    tell_ask(ASK_START_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_OK, "it is up already");
    cr_assert_eq(spawns(run_slot(it)), 3);
    ends(run_slot(it), 1);
    cr_assert_eq(unit_state(it), U_BACKOFF, "one restart is allowed, counted from the start by hand");
    at(200);
    ends(run_slot(it), 1);
    cr_assert_eq(s.core.walk.cause, BY_SERVICE);
}

static uint16_t stopping_slowly(void) {
    uint16_t it = service("it");
    s.services[it].stop_timeout = SEC(5), s.deaf[run_slot(it)] = true;
    main_service("web");
    begin();
    tell_ask(ASK_STOP_UNIT, it, 0);
    at(1000);
    return it;
}

Test(by_hand, a_start_while_it_stops_comes_after_the_stop) {
    uint16_t it = stopping_slowly();
    tell_ask(ASK_START_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    mark();
    at(4999);
    cr_assert_eq(kills(run_slot(it)), 0, "its time is the one of the stop");
    at(5000);
    cr_assert_eq(kills(run_slot(it)), 1);
    cr_assert_eq(spawns(run_slot(it)), 1);
    cr_assert_eq(unit_state(it), U_UP);
}

Test(by_hand, a_start_while_the_tree_ends_comes_after_it) {
    uint16_t it = stopping_slowly();
    s.clings[run_slot(it)] = true;
    ends(run_slot(it), 0);
    tell_ask(ASK_START_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    mark();
    group_ends(run_slot(it));
    cr_assert_eq(spawns(run_slot(it)), 1, "at once");
    cr_assert_eq(notes(NOTE_RESTARTING), 0);
}

Test(by_hand, a_stop_takes_back_a_start_that_waits) {
    uint16_t it = stopping_slowly();
    tell_ask(ASK_START_UNIT, it, 0);
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    ends(run_slot(it), 0);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(spawns(run_slot(it)), 1);
}

Test(by_hand, stopping_main_by_hand_ends_nothing) {
    main_service("web"), service("it");
    begin();
    tell_ask(ASK_STOP_UNIT, 0, 0);
    cr_assert_eq(unit_state(0), U_DOWN);
    cr_assert_not(exited());
    tell_signal(T_TERM);
    the_end(0);
}

Test(by_hand, a_restart_by_hand_stops_and_starts) {
    uint16_t it = service("it");
    s.services[it].stop_timeout = SEC(2);
    main_service("web");
    s.deaf[0] = true;
    begin();
    mark();
    tell_ask(ASK_RESTART_UNIT, it, 0);
    cr_assert_eq(signals(0, T_TERM), 1);
    cr_assert_eq(spawns(0), 0);
    at(2000);
    cr_assert_eq(kills(0), 1);
    cr_assert_eq(spawns(0), 1);
    cr_assert_eq(unit_state(it), U_UP);
    cr_assert_eq(notes(NOTE_FAILED), 0);
}

Test(by_hand, one_errand_at_a_time) {
    uint16_t a = service("a"), b = service("b");
    s.services[a].stop_timeout = SEC(2);
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_RESTART_UNIT, a, 0);
    tell_ask(ASK_RESTART_UNIT, b, 0);
    cr_assert_eq(answer(), REPLY_BUSY);
    cr_assert_eq(signals(run_slot(b), -1), 0);
    at(3000);
    tell_ask(ASK_RESTART_UNIT, b, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    cr_assert_eq(spawns(run_slot(b)), 2);
}

Test(by_hand, a_stop_takes_over_from_an_errand) {
    uint16_t a = service("a");
    s.services[a].stop_timeout = SEC(3);
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_RESTART_UNIT, a, 0);
    at(1000);
    tell_signal(T_TERM);
    mark();
    at(9000);
    cr_assert_eq(spawns(NONE), 0);
    cr_assert(exited());
    nothing_is_left();
}

Test(by_hand, no_errand_in_a_drain_or_stop) {
    uint16_t it = service("it");
    main_service("web");
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    mark();
    tell_ask(ASK_RESTART_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
}

Test(by_hand, reload_by_signal_and_by_command) {
    uint16_t a = service("a"), b = service("b"), c = main_service("c");
    s.services[a].reload_signal = T_HUP, s.services[b].has_reload_command = true;
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_RELOAD_UNIT, a, 0);
    cr_assert_eq(signals(run_slot(a), T_HUP), 1);
    tell_ask(ASK_RELOAD_UNIT, b, 0);
    cr_assert_eq(spawns(aux_slot(b)), 1);
    cr_assert_eq(find_said(A_SPAWN, aux_slot(b), -1, 0)->action.value, CMD_RELOAD);
    tell_ask(ASK_RELOAD_UNIT, b, 0);
    cr_assert_eq(answer(), REPLY_BUSY);
    ends(aux_slot(b), 0);
    mark();
    tell_ask(ASK_RELOAD_UNIT, c, 0);
    cr_assert_eq(answer(), REPLY_REFUSED, "it has none");
    cr_assert_eq(count(A_SIGNAL, NONE, -1) + count(A_SPAWN, NONE, -1), 0);
}

Test(by_hand, no_reload_in_a_stop) {
    uint16_t a = main_service("a");
    s.services[a].has_reload_command = true, s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    mark();
    tell_ask(ASK_RELOAD_UNIT, a, 0);
    cr_assert_eq(spawns(NONE), 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
}

Test(by_hand, a_signal_by_hand) {
    uint16_t it = service("it");
    main_service("web");
    begin();
    tell_ask(ASK_SIGNAL_UNIT, it, T_USR1);
    cr_assert_eq(signals(run_slot(it), T_USR1), 1);
    tell_ask(ASK_SIGNAL_UNIT, it, 65);
    cr_assert_eq(answer(), REPLY_BAD);
    tell_ask(ASK_SIGNAL_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_BAD);
    tell_ask(ASK_RESTART_UNIT, 9, 0);
    cr_assert_eq(answer(), REPLY_BAD);
    tell_ask(ASK_N, 0, 0);
    cr_assert_eq(answer(), REPLY_BAD);
    tell_ask(ASK_PRESTOP, NONE, -1);
    cr_assert_eq(answer(), REPLY_BAD);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
}

Test(by_hand, what_has_ended_can_be_asked_for_again) {
    uint16_t it = service("it");
    s.services[it].has_reload_command = s.services[it].has_stop_command = true;
    s.services[it].stop_timeout = SEC(5);
    begin();
    for (uint32_t i = 1; i <= 2; i++) {
        tell_ask(ASK_RELOAD_UNIT, it, 0);
        cr_assert_eq(answer(), REPLY_OK);
        ends(aux_slot(it), 0);
        tell_ask(ASK_RESTART_UNIT, it, 0);
        cr_assert_eq(spawns(aux_slot(it)), 2 * i, "its stop-command");
        ends(aux_slot(it), 0);
        cr_assert_eq(spawns(run_slot(it)), i + 1);
    }
}
