/* The commands of a drain: DESIGN 5 and 6, and the step's table. */
#include "support.h"

TestSuite(drain, .init = new_web);

Test(drain, steps_run_in_order_then_the_services_stop) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    begin();
    mark();
    tell_signal(T_TERM);
    cr_assert_eq(spawns(step_slot(a)), 1);
    cr_assert_eq(spawns(step_slot(b)), 0);
    cr_assert_eq(core_phase(&s.core), PH_DRAIN);
    at(300);
    ends(step_slot(a), 0);
    cr_assert_eq(when(A_SPAWN, step_slot(b), -1), 300);
    cr_assert_eq(signals(0, T_TERM), 0);
    at(500);
    ends(step_slot(b), 0);
    is_at(when(A_SIGNAL, 0, T_TERM), 500);
    is_state("a", S_DONE);
    is_state("b", S_DONE);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
    the_end(0);
}

Test(drain, steps_of_one_stage_run_together) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[b].stage = 0;
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(spawns(step_slot(a)), 1);
    cr_assert_eq(spawns(step_slot(b)), 1);
    ends(step_slot(b), 0);
    cr_assert_not(row_ended(row("web")));
    ends(step_slot(a), 0);
    the_end(0);
}

Test(drain, readiness_is_published_off_before_the_first_step) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    mark();
    tell_ask(ASK_DRAIN, NONE, 0);
    struct said *publish = find_said(A_PUBLISH, NONE, -1, s.mark), *spawn = find_said(A_SPAWN, step_slot(a), -1, s.mark);
    cr_assert(publish && spawn && publish < spawn && publish == &s.said[s.mark]);
    cr_assert_not(core_ready(&s.core));
    cr_assert(core_live(&s.core));
}

Test(drain, a_failing_hook_leads_to_the_next_step) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 1);
    is_state("a", S_FAILED);
    cr_assert_eq(row("a")->exit, 1);
    cr_assert_eq(spawns(step_slot(b)), 1);
    ends(step_slot(b), 0);
    cr_assert_eq(count(A_KILL, NONE, -1), 0);
    cr_assert_eq(core_verdict(&s.core), VERDICT_DEGRADED);
    the_end(0);
}

Test(drain, a_hook_that_cannot_run_has_failed) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    s.slow_exec[step_slot(a)] = true;
    tell_signal(T_TERM);
    spawn_failed(step_slot(a), 127);
    is_state("a", S_FAILED);
    cr_assert_eq(row("a")->exit, 127);
    the_end(0);
}

Test(drain, term_comes_half_a_second_before_the_deadline_and_kill_at_it) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].timeout = SEC(5);
    s.services[WEB].stop_timeout = SEC(1);
    begin();
    lasts(a);
    tell_signal(T_TERM);
    is_at(ms_of(row("a")->deadline), 5000);
    at(8000);
    is_at(when(A_SIGNAL, step_slot(a), T_TERM), 4500);
    is_at(when(A_KILL, step_slot(a), -1), 5000);
    is_state("a", S_TIMEOUT);
    is_at(when(A_SIGNAL, 0, T_TERM), 5000);
    cr_assert_neq(core_verdict(&s.core), VERDICT_CLEAN);
    the_end(0);
}

Test(drain, or_a_fifth_of_its_time_if_that_is_less) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].timeout = SEC(1);
    begin();
    lasts(a);
    tell_signal(T_TERM);
    at(8000);
    is_at(when(A_SIGNAL, step_slot(a), T_TERM), 800);
    is_at(when(A_KILL, step_slot(a), -1), 1000);
    the_end(0);
}

Test(drain, one_that_obeys_its_term_ends_before_the_deadline) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].timeout = SEC(1);
    begin();
    tell_signal(T_TERM);
    at(900);
    cr_assert(row_ended(row("a")));
    cr_assert_neq(row("a")->state, S_DONE);
    cr_assert_eq(kills(step_slot(a)), 0);
    is_at(when(A_SIGNAL, 0, T_TERM), 800);
    the_end(0);
}

Test(drain, a_hung_one_takes_only_what_is_left_over) {
    uint16_t a = drain("a", DO_COMMAND);
    s.services[WEB].stop_timeout = SEC(3);
    s.deaf[0] = true;
    begin();
    lasts(a);
    tell_signal(T_TERM);
    is_at(ms_of(row("a")->deadline), 10000 - 1000 - 200 - 3000);
    at(5800);
    is_at(when(A_KILL, step_slot(a), -1), 5800);
    is_at(ms_of(row("web")->start), 5800);
    is_at(ms_of(row("web")->deadline), 8800);
    at(8800);
    the_end(124);
}

Test(drain, unused_time_passes_on) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[a].guarantee = SEC(2), s.steps[b].guarantee = SEC(2);
    s.services[WEB].stop_timeout = SEC(1);
    begin();
    lasts(a), lasts(b);
    tell_signal(T_TERM);
    is_at(ms_of(row("a")->deadline), 9000 - 200 - 1000 - 2000);
    at(1000);
    ends(step_slot(a), 0);
    is_at(ms_of(row("b")->deadline), 9000 - 200 - 1000);
}

Test(drain, a_guarantee_is_kept_however_long_others_take) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[b].guarantee = SEC(2);
    s.services[WEB].stop_timeout = SEC(1);
    begin();
    lasts(a), lasts(b);
    tell_signal(T_TERM);
    at(5800);
    cr_assert_eq(kills(step_slot(a)), 1);
    is_at(ms_of(row("b")->deadline), 7800);
}

Test(drain, less_than_50_ms_is_skipped) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.services[WEB].stop_timeout = SEC(3);
    begin();
    lasts(a);
    tell_signal(T_TERM);
    at(5800);
    is_state("a", S_TIMEOUT);
    is_state("b", S_SKIPPED);
    cr_assert_eq(spawns(step_slot(b)), 0);
    the_end(0);
}

Test(drain, exactly_50_ms_is_started) {
    uint16_t a = drain("a", DO_COMMAND);
    s.services[WEB].guarantee = MS(8750);
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(spawns(step_slot(a)), 1);
    new_web();
    a = drain("a", DO_COMMAND);
    s.services[WEB].guarantee = MS(8751);
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(spawns(step_slot(a)), 0);
    the_end(0);
}

Test(drain, what_a_hook_leaves_behind_belongs_to_the_sweep) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    s.clings[step_slot(a)] = true;
    tell_signal(T_TERM);
    at(100);
    ends(step_slot(a), 0);
    is_state("a", S_DONE);
    is_at(when(A_SIGNAL, 0, T_TERM), 100);
    cr_assert_eq(count(A_SWEEP, NONE, -1), 1);
    the_end(0);
}

Test(drain, main_ending_because_a_drain_told_it_to_cancels_nothing) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    begin();
    lasts(a);
    tell_signal(T_TERM);
    at(100);
    ends(0, 0);
    cr_assert_eq(signals(step_slot(a), T_TERM), 0, "a running step is never cancelled because main has exited");
    at(200);
    ends(step_slot(a), 0);
    cr_assert_eq(spawns(step_slot(b)), 1, "nothing is skipped");
    ends(step_slot(b), 0);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
    the_end(0);
}
