/* required, and the steps that run no command: sleep, signal, wait-exit, announce (DESIGN 6). */
#include "support.h"

TestSuite(steps, .init = new_web);

/* ---- required ---- */

static int required_story(int exit, bool deaf) {
    new_web();
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].required = true, s.steps[a].timeout = SEC(1);
    begin();
    s.deaf[step_slot(a)] = deaf;
    tell_signal(T_TERM);
    if (exit >= 0)
        ends(step_slot(a), exit);
    at(9000);
    cr_assert(exited());
    return exit_code();
}

Test(steps, required_and_out_of_time_is_124) {
    cr_assert_eq(required_story(-1, true), 124);
    cr_assert_eq(required_story(-1, false), 124, "TERM ended it, shortly before its deadline");
    cr_assert_eq(required_story(0, false), 0);
}

Test(steps, a_hang_before_exec_is_out_of_time_too) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].required = true, s.steps[a].timeout = SEC(5), s.steps[a].retries = 1;
    begin();
    s.slow_exec[step_slot(a)] = true;
    tell_signal(T_TERM);
    at(4700);
    cr_assert_eq(kills(step_slot(a)), 1);
    is_state("a", S_TIMEOUT);
    the_end(124);
}

Test(steps, a_pause_that_has_no_time_left_kills_nobody) {
    uint16_t a = finish("a", DO_COMMAND);
    s.steps[a].retries = 3, s.steps[a].every = MS(500);
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 1);
    is_state("a", S_PAUSE);
    tell_signal(T_INT), tell_signal(T_INT);
    is_state("a", S_TIMEOUT);
    cr_assert_not(row("a")->killed);
    cr_assert_eq(core_verdict(&s.core), VERDICT_DEGRADED);
    the_end(0);
}

/* ---- other actions ---- */

Test(steps, sleep_is_done_when_the_time_is_up) {
    uint16_t a = drain("a", DO_SLEEP);
    s.steps[a].sleep = SEC(2);
    begin();
    tell_signal(T_TERM);
    at(1999);
    is_state("a", S_ACT);
    at(2000);
    is_state("a", S_DONE);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
    the_end(0);
}

Test(steps, a_sleep_that_does_not_fit_just_ends) {
    uint16_t a = drain("a", DO_SLEEP);
    s.steps[a].sleep = SEC(20);
    s.services[WEB].stop_timeout = SEC(3);
    begin();
    tell_signal(T_TERM);
    at(5800);
    is_at(when(A_SIGNAL, 0, T_TERM), 5800);
    the_end(0);
}

Test(steps, signal_is_done_when_sent) {
    uint16_t a = drain("a", DO_SIGNAL);
    s.steps[a].target = WEB, s.steps[a].signal = T_USR1;
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(signals(0, T_USR1), 1);
    is_state("a", S_DONE);
    the_end(0);
}

Test(steps, signal_to_one_that_is_gone) {
    uint16_t worker = service("worker"), a = drain("a", DO_SIGNAL);
    s.services[worker].essential = false, s.services[worker].restart = RESTART_NO;
    s.steps[a].target = worker, s.steps[a].signal = T_USR1;
    begin();
    ends(run_slot(worker), 0);
    mark();
    tell_signal(T_TERM);
    cr_assert_eq(signals(run_slot(worker), -1), 0);
    the_end(0);
}

Test(steps, wait_exit_is_done_when_it_has_exited) {
    uint16_t a = drain("a", DO_SIGNAL), b = drain("b", DO_WAIT_EXIT);
    s.steps[a].target = s.steps[b].target = WEB, s.steps[a].signal = T_USR1;
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    is_state("b", S_ACT);
    at(1500);
    ends(0, 0);
    is_state("b", S_DONE);
    is_at(ms_of(row("b")->end), 1500);
    is_at(ms_of(s.now), 1500);
    the_end(0);
}

Test(steps, wait_exit_of_one_that_is_gone_takes_no_time) {
    uint16_t worker = service("worker"), b = drain("b", DO_WAIT_EXIT);
    s.services[worker].essential = false, s.services[worker].restart = RESTART_NO;
    s.steps[b].target = worker;
    begin();
    ends(run_slot(worker), 0);
    tell_signal(T_TERM);
    is_state("b", S_DONE);
    the_end(0);
}

Test(steps, a_wait_ends_at_its_deadline) {
    uint16_t b = drain("b", DO_WAIT_EXIT);
    s.steps[b].target = WEB, s.steps[b].timeout = SEC(2);
    begin();
    tell_signal(T_TERM);
    at(2000);
    is_at(when(A_SIGNAL, 0, T_TERM), 2000);
    cr_assert(row_ended(row("b")));
    the_end(0);
}

/* ---- announce ---- */

Test(steps, announce_keeps_its_lower_bound_before_the_drains) {
    uint16_t a = drain("a", DO_COMMAND);
    s.model.policy.announce_min = SEC(3), s.model.policy.announce_max = SEC(5);
    begin();
    tell_signal(T_TERM);
    is_state("announce", S_ACT);
    cr_assert_eq(core_phase(&s.core), PH_ANNOUNCE);
    at(2999);
    cr_assert_eq(spawns(step_slot(a)), 0);
    at(3000);
    cr_assert_eq(spawns(step_slot(a)), 1);
    is_state("announce", S_DONE);
    ends(step_slot(a), 0);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
    the_end(0);
}
