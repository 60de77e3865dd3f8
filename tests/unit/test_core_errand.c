/* What an operator asks of one service, and what is answered. */
#include "support.h"

TestSuite(errand, .init = new_model);

static uint16_t asked(uint8_t verb, uint16_t service_, int32_t value) {
    tell_ask(verb, service_, value);
    return answer();
}

Test(errand, signals_that_exist_go_to_what_lives) {
    uint16_t it = service("it");
    s.services[it].essential = false;
    main_service("web");
    begin();
    s.deaf[run_slot(it)] = true;
    cr_assert_eq(asked(ASK_SIGNAL_UNIT, it, 0), REPLY_BAD);
    cr_assert_eq(asked(ASK_SIGNAL_UNIT, it, SIGNAL_MAX + 1), REPLY_BAD);
    cr_assert_eq(asked(ASK_SIGNAL_UNIT, 2, T_HUP), REPLY_BAD, "there is no such service");
    cr_assert_eq(asked(ASK_SIGNAL_UNIT, it, T_HUP), REPLY_OK);
    cr_assert_eq(asked(ASK_SIGNAL_UNIT, it, SIGNAL_MAX), REPLY_OK);
    cr_assert_eq(signals(run_slot(it), T_HUP), 1);
    cr_assert_eq(signals(run_slot(it), SIGNAL_MAX), 1);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 2);
    ends(run_slot(it), 0);
    cr_assert_eq(asked(ASK_SIGNAL_UNIT, it, T_HUP), REPLY_REFUSED);
}

Test(errand, a_signal_is_delivered_also_in_a_stop) {
    uint16_t it = main_service("web");
    begin();
    s.deaf[it] = true;
    tell_signal(T_TERM);
    cr_assert_eq(asked(ASK_SIGNAL_UNIT, it, T_USR1), REPLY_OK);
    cr_assert_eq(signals(it, T_USR1), 1);
}

Test(errand, a_reload_is_for_what_lives_and_knows_how) {
    uint16_t plain = service("plain"), by_signal = service("by-signal"), by_command = service("by-command");
    s.services[by_signal].reload_signal = T_HUP, s.services[by_signal].essential = false;
    s.services[by_command].has_reload_command = true;
    begin();
    s.deaf[run_slot(by_signal)] = true;
    cr_assert_eq(asked(ASK_RELOAD_UNIT, plain, 0), REPLY_REFUSED);
    cr_assert_eq(asked(ASK_RELOAD_UNIT, by_signal, 0), REPLY_OK);
    cr_assert_eq(find_said(A_SIGNAL, run_slot(by_signal), T_HUP, 0)->action.value, TO_LEADER);
    cr_assert_eq(asked(ASK_RELOAD_UNIT, by_command, 0), REPLY_OK);
    cr_assert_eq(spawns(aux_slot(by_command)), 1);
    cr_assert_eq(asked(ASK_RELOAD_UNIT, by_command, 0), REPLY_BUSY);
    ends(run_slot(by_signal), 0);
    cr_assert_eq(asked(ASK_RELOAD_UNIT, by_signal, 0), REPLY_REFUSED);
}

Test(errand, a_reload_comes_in_a_drain_and_in_no_stop) {
    uint16_t it = service("it");
    s.services[it].reload_signal = T_HUP;
    begin();
    s.deaf[it] = true;
    tell_ask(ASK_DRAIN, 0, 0);
    cr_assert_eq(asked(ASK_RELOAD_UNIT, it, 0), REPLY_OK);
    tell_signal(T_TERM);
    cr_assert_eq(asked(ASK_RELOAD_UNIT, it, 0), REPLY_REFUSED);
}

Test(errand, one_at_a_time_and_other_requests_beside_it) {
    uint16_t a = service("a"), b = service("b"), c = service("c");
    begin();
    s.deaf[run_slot(b)] = true;
    cr_assert_eq(asked(ASK_STOP_UNIT, b, 0), REPLY_STARTED);
    cr_assert_eq(asked(ASK_STOP_UNIT, a, 0), REPLY_BUSY);
    cr_assert_eq(asked(ASK_RESTART_UNIT, a, 0), REPLY_BUSY);
    cr_assert_eq(asked(ASK_START_UNIT, a, 0), REPLY_BUSY);
    cr_assert_eq(asked(ASK_SIGNAL_UNIT, c, T_USR1), REPLY_OK);
    cr_assert_eq(asked(ASK_STOP_UNIT, c, 0), REPLY_BUSY, "the signal has not ended the errand");
    cr_assert_eq(asked(ASK_RESTART_UNIT, b, 0), REPLY_STARTED, "the same service");
    ends(run_slot(b), 0);
    cr_assert_eq(unit_state(b), U_UP);
    cr_assert_eq(asked(ASK_RESTART_UNIT, c, 0), REPLY_STARTED);
}

Test(errand, what_was_done_at_once_keeps_nobody_waiting) {
    uint16_t a = service("a"), b = service("b");
    service("c");
    begin();
    s.deaf[run_slot(a)] = s.deaf[run_slot(b)] = true;
    cr_assert_eq(asked(ASK_START_UNIT, b, 0), REPLY_OK);
    cr_assert_eq(asked(ASK_START_UNIT, 2, 0), REPLY_OK);
    cr_assert_eq(asked(ASK_STOP_UNIT, b, 0), REPLY_STARTED);
}

Test(errand, none_in_a_drain_or_a_stop) {
    uint16_t it = service("it");
    begin();
    s.deaf[it] = true;
    tell_ask(ASK_DRAIN, 0, 0);
    cr_assert_eq(asked(ASK_STOP_UNIT, it, 0), REPLY_REFUSED);
    cr_assert_eq(asked(ASK_RESTART_UNIT, it, 0), REPLY_REFUSED);
    cr_assert_eq(asked(ASK_SIGNAL_UNIT, it, T_USR1), REPLY_OK);
    tell_signal(T_TERM);
    cr_assert_eq(asked(ASK_START_UNIT, it, 0), REPLY_REFUSED);
    cr_assert_eq(asked(ASK_STOP_UNIT, it, 0), REPLY_REFUSED);
}

Test(errand, is_for_all_replicas) {
    uint16_t it = service("it");
    s.units[s.model.n_units++] = (struct unit_policy){.name = "it.1", .service = it, .ordinal = 1, .ready = NONE, .live = NONE};
    s.services[it].n_units = 2;
    main_service("web");
    begin();
    cr_assert_eq(asked(ASK_RESTART_UNIT, it, 0), REPLY_STARTED);
    cr_assert_eq(spawns(0), 2);
    cr_assert_eq(spawns(1), 2);
}
