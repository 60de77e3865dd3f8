/* One command with --announce: its stop signal is held back until the announce phase is over. */
#include "support.h"

TestSuite(single_announce, .init = new_single);

Test(single_announce, announce_holds_the_signal_back) {
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(3);
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
    cr_assert_not(core_ready(&s.core));
    at(1000);
    tell_signal(T_USR1);
    cr_assert_eq(signals(0, T_USR1), 1, "other signals are not");
    at(2999);
    cr_assert_eq(signals(0, T_TERM), 0);
    at(3000);
    is_at(when(A_SIGNAL, 0, T_TERM), 3000);
    the_end(143);
}

Test(single_announce, announce_delivers_the_signal_that_came) {
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(3);
    begin();
    tell_signal(T_QUIT);
    at(3000);
    is_at(when(A_SIGNAL, 0, T_QUIT), 3000);
    the_end(131);
}

Test(single_announce, announce_delivers_it_rewritten) {
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(3);
    s.model.policy.signals[T_TERM].to = T_INT;
    begin();
    tell_signal(T_TERM);
    at(3000);
    is_at(when(A_SIGNAL, 0, T_INT), 3000);
    cr_assert_eq(signals(0, T_TERM), 0);
}

Test(single_announce, announce_ends_when_the_command_does) {
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(3);
    begin();
    tell_signal(T_TERM);
    at(500);
    ends(0, 0);
    is_state("command", S_DONE);
    the_end(0);
}

Test(single_announce, without_a_grace_announce_times_nothing_else) {
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(3);
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    at(3600000);
    cr_assert_eq(count(A_KILL, NONE, -1), 0);
    cr_assert_not(exited());
    ends(0, 0);
    the_end(0);
}

/* What was delivered, as soon as the announce phase is over. */
static void delivered(const int *expected, uint32_t n) {
    struct said *it = s.said;
    s.deaf[0] = true;
    mark();
    at(3000);
    cr_assert_eq(count(A_SIGNAL, 0, -1), n);
    for (uint32_t i = 0; i < n; i++, it++) {
        it = find_said(A_SIGNAL, 0, -1, (uint32_t)(it - s.said));
        cr_assert_eq(it->action.signal, expected[i]);
        is_at(ms_of(it->at), 3000);
    }
}

static void with_announce(void) {
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(3);
    s.model.policy.signals[T_INT].to = T_HUP;
    s.model.policy.signals[T_QUIT].to = SIGNAL_MAX;
    begin();
    tell_signal(T_TERM);
}

Test(single_announce, what_was_held_back_is_delivered_once_and_in_order) {
    with_announce();
    tell_signal(T_QUIT);
    tell_signal(T_INT);
    tell_signal(T_INT);
    tell_signal(T_TERM);
    delivered((const int[]){T_TERM, T_HUP, SIGNAL_MAX, T_CONT}, 4);
}

Test(single_announce, the_lowest_signal_is_held_back_alone) {
    with_announce();
    tell_signal(T_INT);
    delivered((const int[]){T_TERM, T_HUP, T_CONT}, 3);
}
