/* Signals of a stop: which begin one, and who gets which. */
#include "support.h"

TestSuite(stop_signals, .init = new_model);

Test(stop_signals, every_stop_signal_stops) {
    static const int stops[] = {T_TERM, T_INT, T_QUIT, T_PWR, RTMIN_BASE + 3, T_WINCH};
    for (unsigned i = 0; i < sizeof stops / sizeof *stops; i++) {
        new_model();
        main_service("web");
        begin();
        tell_signal(stops[i]);
        cr_assert_eq(s.core.walk.cause, BY_SIGNAL);
        cr_assert_eq(s.core.walk.cause_value, stops[i]);
        the_end(0);
    }
}

Test(stop_signals, a_window_change_of_the_terminal_is_no_stop) {
    main_service("web");
    begin();
    tell((struct event){.kind = EV_SIGNAL, .value = T_WINCH, .flags = SIG_FROM_KERNEL});
    cr_assert_eq(s.core.walk.goal, GO_RUN);
}

Test(stop_signals, a_terminals_hang_up_is_a_stop) {
    main_service("web");
    begin();
    tell((struct event){.kind = EV_SIGNAL, .value = T_HUP, .flags = SIG_FROM_KERNEL});
    the_end(0);
}

Test(stop_signals, a_hang_up_from_outside_goes_to_main) {
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_signal(T_HUP);
    cr_assert_eq(signals(0, T_HUP), 1);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    tell_signal(T_USR1);
    cr_assert_eq(signals(0, T_USR1), 1);
}

Test(stop_signals, with_no_main_they_are_ignored_with_a_line) {
    service("a");
    begin();
    tell_signal(T_USR1);
    cr_assert_eq(signals(0, T_USR1), 0);
    cr_assert_eq(notes(NOTE_IGNORED), 1);
}

Test(stop_signals, each_meaning_of_a_signal) {
    uint16_t web = main_service("web");
    s.services[web].reload_signal = T_HUP;
    s.model.policy.signals[T_USR1] = (struct signal_rule){SIGNAL_FORWARD, T_USR2};
    s.model.policy.signals[T_USR2] = (struct signal_rule){SIGNAL_IGNORE, 0};
    s.model.policy.signals[40] = (struct signal_rule){SIGNAL_RELOAD, 0};
    s.model.policy.signals[41] = (struct signal_rule){SIGNAL_FORWARD, 0};
    s.deaf[0] = true;
    begin();
    tell_signal(T_USR1);
    cr_assert_eq(signals(0, T_USR2), 1);
    cr_assert_eq(signals(0, T_USR1), 0);
    tell_signal(T_USR2);
    cr_assert_eq(signals(0, T_USR2), 1);
    tell_signal(40);
    cr_assert_eq(signals(0, T_HUP), 1);
    mark();
    tell_signal(41);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
}

Test(stop_signals, a_signal_can_mean_hurry) {
    s.model.policy.signals[T_USR1] = (struct signal_rule){SIGNAL_HURRY, 0};
    drain("long", DO_COMMAND);
    main_service("web");
    begin();
    tell_signal(T_USR1);
    cr_assert_eq(spawns(step_slot(0)), 0);
    is_state("long", S_SKIPPED);
    the_end(0);
}

/* ---- who gets what ---- */

static uint8_t to_whom(uint16_t slot, int signal) {
    struct said *it = find_said(A_SIGNAL, slot, signal, s.mark);
    cr_assert(it, "signal %d to slot %u", signal, slot);
    return it->action.value;
}

static uint16_t clinging(void) {
    uint16_t it = service("it");
    main_service("web");
    s.services[it].restart = RESTART_NO, s.services[it].essential = false;
    s.clings[run_slot(it)] = true;
    begin();
    return it;
}

Test(stop_signals, term_to_what_is_left_goes_to_all_that_have_not_had_it) {
    uint16_t it = clinging();
    ends(run_slot(it), 0);
    cr_assert_eq(to_whom(run_slot(it), T_TERM), TO_TREE, "nobody has");

    new_model();
    it = clinging();
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert_eq(signals(run_slot(it), T_TERM), 2);
    cr_assert_eq(to_whom(run_slot(it), T_TERM), TO_GROUP);
    s.mark = (uint32_t)(find_said(A_SIGNAL, run_slot(it), T_TERM, 0) - s.said) + 1;
    cr_assert_eq(to_whom(run_slot(it), T_TERM), TO_STRAYS, "the group has");

    new_model();
    it = service("it");
    s.services[it].kill_main = true;
    main_service("web");
    s.clings[run_slot(it)] = true;
    begin();
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert_eq(to_whom(run_slot(it), T_TERM), TO_LEADER);
    s.mark = (uint32_t)(find_said(A_SIGNAL, run_slot(it), T_TERM, 0) - s.said) + 1;
    cr_assert_eq(to_whom(run_slot(it), T_TERM), TO_TREE, "the leader alone has");
}

Test(stop_signals, a_tree_that_kill_does_not_end_is_left_to_the_sweep_after_a_while) {
    uint16_t it = clinging();
    s.deaf[run_slot(it)] = s.undying[run_slot(it)] = true;
    tell_ask(ASK_STOP_UNIT, it, 0);
    at(12000);
    cr_assert_eq(kills(run_slot(it)), 1);
    ends(run_slot(it), 0);
    at(13999);
    cr_assert_eq(unit_state(it), U_STOPPING);
    at(14000);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(count(A_FORGET, run_slot(it), -1), 1);
}

Test(stop_signals, a_step_that_is_hurried_gets_term_whatever_services_get) {
    uint16_t a = drain("a", DO_COMMAND);
    main_service("web");
    s.services[0].stop[0].signal = T_QUIT;
    begin();
    tell_signal(T_TERM);
    tell_signal(T_INT);
    cr_assert_eq(to_whom(step_slot(a), T_TERM), TO_GROUP);
}

Test(stop_signals, what_died_of_a_signal_that_it_was_sent_before_exec_ended_well) {
    uint16_t a = drain("a", DO_SIGNAL);
    main_service("web");
    s.steps[a].target = 0, s.steps[a].signal = T_USR1;
    s.slow_exec[0] = s.undying[0] = true;
    begin();
    tell_signal(T_TERM);
    at(500);
    cr_assert_eq(kills(0), 1);
    ends(0, -T_USR1);
    the_end(0);
}

Test(stop_signals, a_hurry_ends_no_reload_command) {
    uint16_t web = main_service("web");
    s.services[web].has_reload_command = true;
    s.model.policy.announce_min = SEC(5);
    begin();
    tell_ask(ASK_RELOAD_UNIT, web, 0);
    tell_signal(T_INT);
    is_state("announce", S_ACT);
    tell_signal(T_INT);
    is_state("announce", S_SKIPPED);
    cr_assert_not(s.alive[run_slot(web)]);
    cr_assert_eq(signals(aux_slot(web), T_TERM), 0);
}
