/* One command, without a configuration: the last part of DESIGN 4. */
#include "support.h"

TestSuite(single, .init = new_single);

static void with_grace(span grace) {
    s.model.policy.grace = grace;
    s.model.policy.reserve = shorter(SEC(1), (span){grace.ns / 10});
}

Test(single, its_code_is_the_exit_code_at_once) {
    begin();
    cr_assert(is_never(core_next(&s.core)));
    at(100);
    ends(0, 7);
    is_at(ms_of(s.now), 100);
    cr_assert_eq(count(A_SWEEP, NONE, -1), 0, "nothing is left");
    the_end(7);
}

Test(single, death_by_a_signal_is_128_and_the_signal) {
    begin();
    ends(0, -11);
    the_end(139);
}

Test(single, expect_exit_becomes_0) {
    s.model.policy.expect_codes[143 / 64] |= UINT64_C(1) << (143 % 64);
    begin();
    tell_signal(T_TERM);
    the_end(0);
}

Test(single, expect_exit_is_for_its_code_alone) {
    s.model.policy.expect_codes[143 / 64] |= UINT64_C(1) << (143 % 64);
    begin();
    ends(0, 1);
    the_end(1);
}

Test(single, a_spawn_that_failed) {
    s.slow_exec[0] = true;
    begin();
    spawn_failed(0, 127);
    the_end(127);
}

Test(single, every_signal_is_forwarded_to_the_group_and_none_is_counted) {
    s.deaf[0] = true;
    begin();
    for (int sig = 1; sig <= SIGNAL_MAX; sig++) {
        if (sig == T_KILL || sig == 19 || sig == 17)
            continue;
        mark();
        tell_signal(sig);
        cr_assert_eq(signals(0, sig), 1, "signal %d", sig);
        cr_assert_eq(find_said(A_SIGNAL, 0, sig, s.mark)->action.value, TO_GROUP);
        cr_assert_eq(count(A_SIGNAL, NONE, -1), 1);
    }
    for (int i = 0; i < 5; i++)
        tell_signal(T_INT);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    cr_assert_eq(count(A_KILL, NONE, -1), 0);
    ends(0, 0);
    the_end(0);
}

Test(single, kill_mode_main_forwards_to_it_alone) {
    s.services[0].kill_main = true;
    s.deaf[0] = true;
    begin();
    tell_signal(T_USR1);
    cr_assert_eq(find_said(A_SIGNAL, 0, T_USR1, 0)->action.value, TO_LEADER);
}

Test(single, rewrite) {
    s.model.policy.signals[T_TERM].to = T_QUIT;
    s.model.policy.signals[T_USR1].to = 0;
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(signals(0, T_QUIT), 1);
    cr_assert_eq(signals(0, T_TERM), 0);
    mark();
    tell_signal(T_USR1);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0, "dropped");
}

Test(single, the_stop_signal_replaces_term) {
    s.model.policy.stop_signal = T_QUIT;
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(signals(0, T_QUIT), 1);
    the_end(128 + T_QUIT);
}

Test(single, nothing_is_timed_that_was_not_asked_for) {
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    at(3600000);
    cr_assert_eq(count(A_KILL, NONE, -1), 0);
    cr_assert_not(exited());
    ends(0, 3);
    the_end(3);
}

Test(single, eight_seconds_after_an_unanswered_term_one_line) {
    s.deaf[0] = true;
    begin();
    at(1000);
    tell_signal(T_TERM);
    at(2000);
    tell_signal(T_TERM);
    at(8999);
    cr_assert_eq(notes(NOTE_WAITING), 0);
    at(9000);
    cr_assert_eq(notes(NOTE_WAITING), 1);
    at(60000);
    cr_assert_eq(notes(NOTE_WAITING), 1);
    cr_assert(is_never(core_next(&s.core)));
}

Test(single, an_answered_term_is_no_line) {
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(notes(NOTE_WAITING), 0);
    the_end(143);
}

Test(single, what_is_left_gets_term_and_kill_after_two_seconds) {
    begin();
    s.strays = 2, s.strays_deaf = true;
    at(500);
    ends(0, 5);
    is_at(when(A_SWEEP, NONE, -1), 500);
    cr_assert_not(exited());
    at(2499);
    cr_assert_eq(count(A_SWEEP_KILL, NONE, -1), 0);
    at(2500);
    cr_assert_geq(count(A_SWEEP_KILL, NONE, -1), 1);
    the_end(5);
}

Test(single, what_is_left_and_obeys_ends_it_at_once) {
    begin();
    s.strays = 2;
    at(500);
    ends(0, 5);
    is_at(ms_of(s.now), 500);
    the_end(5);
}

Test(single, a_group_that_is_left_does_not_hold_the_code) {
    begin();
    s.clings[0] = true;
    ends(0, 5);
    cr_assert_eq(count(A_SWEEP, NONE, -1), 1);
    at(2000);
    the_end(5);
}

Test(single, what_cannot_be_killed_does_not_hold_the_exit) {
    begin();
    s.clings[0] = s.undying[0] = true;
    s.strays = 1, s.strays_deaf = true;
    ends(0, 5);
    at(20000);
    cr_assert(exited());
    cr_assert_eq(exit_code(), 5);
}

Test(single, with_a_grace_a_notice_starts_the_clock) {
    static const int notices[] = {T_TERM, T_INT, T_QUIT};
    for (unsigned i = 0; i < 3; i++) {
        new_single();
        with_grace(SEC(10));
        s.deaf[0] = true;
        begin();
        at(1000);
        tell_signal(notices[i]);
        is_at(when(A_SIGNAL, 0, notices[i]), 1000);
        is_at(ms_of(s.core.walk.clock), 1000);
        at(9799);
        cr_assert_eq(kills(0), 0);
        at(11000);
        cr_assert_eq(kills(0), 1);
        the_end(137);
    }
}

Test(single, with_a_grace_other_signals_are_forwarded) {
    with_grace(SEC(10));
    s.deaf[0] = true;
    begin();
    tell_signal(T_USR1), tell_signal(T_HUP);
    cr_assert_eq(signals(0, T_USR1) + signals(0, T_HUP), 2);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    cr_assert(is_never(s.core.walk.clock));
}

Test(single, with_a_grace_more_notices_are_forwarded_too) {
    with_grace(SEC(10));
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    mark();
    tell_signal(T_TERM), tell_signal(T_INT);
    cr_assert_eq(signals(0, T_TERM), 1);
    cr_assert_eq(signals(0, T_INT), 1);
    is_at(ms_of(s.core.walk.clock), 0);
}

Test(single, the_sweep_is_within_the_grace) {
    with_grace(SEC(2));
    begin();
    s.strays = 1, s.strays_deaf = true;
    s.deaf[0] = true;
    tell_signal(T_TERM);
    at(1000);
    ends(0, 0);
    at(2000);
    the_end(0);
}

Test(single, prestop_then_term_ends_with_the_command) {
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    at(2000);
    tell_signal(T_TERM);
    is_at(when(A_SIGNAL, 0, T_TERM), 2000);
    the_end(143);
}

Test(single, a_term_between_two_runs_is_heard) {
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_ask(ASK_RESTART_UNIT, 0, 0);
    at(100);
    tell_signal(T_TERM);
    cr_assert(exited());
    nothing_is_left();
}

Test(single, stopped_by_hand_it_is_the_end) {
    begin();
    tell_ask(ASK_STOP_UNIT, 0, 0);
    cr_assert(exited());
    nothing_is_left();
}

Test(single, what_had_ended_when_kill_came_keeps_its_code) {
    with_grace(SEC(10));
    s.deaf[0] = s.undying[0] = s.strays_deaf = true;
    s.strays = 1;
    begin();
    tell_signal(T_TERM);
    at(8900);
    cr_assert_eq(kills(0), 1);
    cr_assert_eq(core_exit_code(&s.core), 137, "as far as is known");
    ends(0, 4);
    at(9000);
    the_end(4);
}

Test(single, what_could_not_be_executed_leaves_nobody_to_part_from) {
    s.model.policy.sweep = false, s.model.policy.parting = T_TERM;
    s.slow_exec[0] = true;
    begin();
    spawn_failed(0, 127);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
    the_end(127);
}

Test(single, a_notice_turns_readiness_off_for_good) {
    s.deaf[0] = true;
    begin();
    cr_assert(core_ready(&s.core));
    tell_signal(T_USR1);
    cr_assert(core_ready(&s.core));
    tell_signal(T_TERM);
    cr_assert_not(core_ready(&s.core));
    tell_signal(T_USR1);
    cr_assert_not(core_ready(&s.core));
}

Test(single, another_stop_signal_stands_for_term_alone) {
    s.model.policy.stop_signal = T_QUIT;
    s.deaf[0] = true;
    begin();
    tell_signal(T_INT);
    tell_signal(T_USR1);
    cr_assert_eq(signals(0, T_INT), 1);
    cr_assert_eq(signals(0, T_USR1), 1);
    cr_assert_eq(signals(0, T_QUIT), 0);
    tell_signal(T_TERM);
    cr_assert_eq(signals(0, T_QUIT), 1);
    cr_assert_eq(signals(0, T_TERM), 0);
}

Test(single, between_two_runs_a_notice_is_the_end_and_no_other_signal) {
    s.services[0].restart = RESTART_ALWAYS;
    begin();
    ends(0, 3);
    cr_assert_eq(unit_state(0), U_BACKOFF);
    tell_signal(T_USR1);
    cr_assert_not(exited());
    tell_signal(T_TERM);
    cr_assert_eq(s.core.walk.cause, BY_SIGNAL);
    cr_assert_eq(s.core.walk.cause_value, T_TERM);
    the_end(3);
}

Test(single, only_an_unanswered_term_is_said_and_only_where_nothing_is_timed) {
    s.deaf[0] = true;
    begin();
    tell_signal(T_INT);
    at(9000);
    cr_assert_eq(notes(NOTE_WAITING), 0);

    new_single();
    with_grace(SEC(30));
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(s.core.walk.cause, BY_SIGNAL);
    cr_assert_eq(s.core.walk.cause_value, T_TERM);
    tell_signal(T_TERM);
    at(9000);
    cr_assert_eq(notes(NOTE_WAITING), 0);
}

Test(single, a_number_that_is_no_signal_is_nothing) {
    static const int numbers[] = {0, SIGNAL_MAX + 1, 256 + T_TERM, -256 + T_TERM};
    new_single();
    begin();
    mark();
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        tell_signal(numbers[i]);
    cr_assert_eq(count(A_SIGNAL, NONE, -1) + count(A_NOTE, NONE, -1), 0);
    cr_assert(is_never(core_next(&s.core)));
}
