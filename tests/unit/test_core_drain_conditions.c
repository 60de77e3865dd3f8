/* Tries and conditions of drain commands: whether a step runs at all, and how often. */
#include "support.h"

TestSuite(conditions, .init = new_web);

/* ---- retry ---- */

Test(conditions, retry_waits_and_tries_again) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].retries = 2, s.steps[a].every = SEC(1);
    begin();
    tell_signal(T_TERM);
    at(100);
    ends(step_slot(a), 1);
    is_state("a", S_PAUSE);
    cr_assert_eq(spawns(step_slot(a)), 1);
    at(1100);
    cr_assert_eq(spawns(step_slot(a)), 2);
    ends(step_slot(a), 0);
    is_state("a", S_DONE);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
    the_end(0);
}

Test(conditions, retry_is_the_tries_after_the_first) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].retries = 2, s.steps[a].every = MS(10);
    begin();
    tell_signal(T_TERM);
    for (int i = 0; i < 3; i++) {
        at(ms_of(s.now) + 10);
        ends(step_slot(a), 1);
    }
    is_state("a", S_FAILED);
    cr_assert_eq(spawns(step_slot(a)), 3);
    the_end(0);
}

Test(conditions, all_tries_are_inside_one_timeout) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].retries = 100, s.steps[a].every = MS(700), s.steps[a].timeout = SEC(2);
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 1);
    at(700), ends(step_slot(a), 1);
    at(1400), lasts(a);
    at(1999);
    cr_assert_not(row_ended(row("a")));
    at(2000);
    is_state("a", S_TIMEOUT);
    cr_assert_eq(spawns(step_slot(a)), 3);
    cr_assert_eq(kills(step_slot(a)), 1);
    the_end(0);
}

Test(conditions, no_try_is_waited_for_that_has_no_time) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].retries = 100, s.steps[a].every = MS(700), s.steps[a].timeout = SEC(1);
    begin();
    tell_signal(T_TERM);
    at(300);
    ends(step_slot(a), 1);
    cr_assert(row_ended(row("a")), "the next would begin at its deadline");
    is_at(ms_of(s.now), 300);
    the_end(0);
}

/* ---- conditions ---- */

Test(conditions, skip_rest_skips_the_rest_of_the_phase) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND), f = finish("f", DO_COMMAND);
    s.steps[a].on_failure = FAILURE_SKIP_REST;
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 1);
    is_state("b", S_SKIPPED);
    cr_assert_eq(spawns(step_slot(b)), 0);
    cr_assert_eq(spawns(step_slot(f)), 1, "finish is another phase");
    ends(step_slot(f), 0);
    the_end(0);
}

Test(conditions, skip_rest_is_forgotten_by_a_resume) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[a].on_failure = FAILURE_SKIP_REST;
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 1);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
    tell_ask(ASK_RESUME, NONE, 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 0);
    cr_assert_eq(spawns(step_slot(b)), 1);
}

Test(conditions, skip_rest_is_for_failures) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[a].on_failure = FAILURE_SKIP_REST;
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 0);
    cr_assert_eq(spawns(step_slot(b)), 1);
}

Test(conditions, a_timeout_is_a_failure_to_skip_rest) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[a].on_failure = FAILURE_SKIP_REST, s.steps[a].timeout = SEC(1);
    begin();
    lasts(a);
    tell_signal(T_TERM);
    at(1000);
    is_state("a", S_TIMEOUT);
    is_state("b", S_SKIPPED);
    cr_assert_eq(spawns(step_slot(b)), 0);
    the_end(0);
}

Test(conditions, only_if_decides) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[a].has_only_if = s.steps[b].has_only_if = true;
    begin();
    mark();
    tell_signal(T_TERM);
    cr_assert_eq(find_said(A_SPAWN, step_slot(a), -1, s.mark)->action.value, CMD_ONLY_IF);
    is_state("a", S_GATE);
    mark();
    ends(step_slot(a), 0);
    cr_assert_eq(find_said(A_SPAWN, step_slot(a), -1, s.mark)->action.value, CMD_STEP);
    is_state("a", S_ACT);
    ends(step_slot(a), 0);
    is_state("b", S_GATE);
    ends(step_slot(b), 1);
    is_state("b", S_SKIPPED);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN, "not needed is no fault");
    the_end(0);
}

Test(conditions, only_if_that_says_yes_too_late_starts_nothing) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_only_if = true, s.steps[a].timeout = SEC(1);
    begin();
    lasts(a);
    tell_signal(T_TERM);
    at(960);
    ends(step_slot(a), 0);
    cr_assert_eq(spawns(step_slot(a)), 1, "40 ms are too few");
    is_state("a", S_SKIPPED);
    the_end(0);
}

Test(conditions, only_if_is_asked_again_though_its_slot_was_busy) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_only_if = true;
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 0);
    lasts(a);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(s.alive[step_slot(a)]);
    tell_ask(ASK_DRAIN, NONE, 0);
    mark();
    ends(step_slot(a), 0);
    at(2000);
    cr_assert_eq(spawns(step_slot(a)), 1);
    cr_assert_eq(find_said(A_SPAWN, step_slot(a), -1, s.mark)->action.value, CMD_ONLY_IF);
}

Test(conditions, a_slot_that_is_free_too_late_starts_nothing) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].timeout = MS(300);
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_ask(ASK_RESUME, NONE, 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    at(280);
    cr_assert_eq(spawns(step_slot(a)), 1);
    if (s.alive[step_slot(a)])
        ends(step_slot(a), 0);
    at(2000);
    cr_assert_eq(spawns(step_slot(a)), 1);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
}

Test(conditions, a_hung_only_if_is_a_timeout) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_only_if = true, s.steps[a].timeout = SEC(1);
    begin();
    lasts(a);
    tell_signal(T_TERM);
    at(1000);
    is_state("a", S_TIMEOUT);
    cr_assert_eq(kills(step_slot(a)), 1);
    cr_assert_eq(spawns(step_slot(a)), 1);
    the_end(0);
}

/* exit -1: it does not end. A timeout is a failure, too. */
static void run_if_story(uint8_t condition, int exit, bool runs) {
    new_web();
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[b].run_if = condition, s.steps[b].run_if_step = a;
    s.steps[a].timeout = SEC(1);
    begin();
    lasts(a);
    tell_signal(T_TERM);
    if (exit >= 0)
        ends(step_slot(a), exit);
    else
        at(1000);
    cr_assert_eq(spawns(step_slot(b)), runs, "condition %d, exit %d", condition, exit);
    cr_assert_eq(row("b")->state == S_SKIPPED, !runs);
    if (runs)
        ends(step_slot(b), 0);
    the_end(0);
}

Test(conditions, run_if_looks_at_another_step) {
    run_if_story(RUN_IF_DONE, 0, true), run_if_story(RUN_IF_DONE, 1, false), run_if_story(RUN_IF_DONE, -1, false);
    run_if_story(RUN_IF_FAILED, 0, false), run_if_story(RUN_IF_FAILED, 1, true), run_if_story(RUN_IF_FAILED, -1, true);
    run_if_story(RUN_IF_TIMEOUT, 0, false), run_if_story(RUN_IF_TIMEOUT, 1, false), run_if_story(RUN_IF_TIMEOUT, -1, true);
}

Test(conditions, run_if_of_a_finish_can_look_at_a_drain) {
    uint16_t a = drain("a", DO_COMMAND), f = finish("f", DO_COMMAND);
    s.steps[f].run_if = RUN_IF_FAILED, s.steps[f].run_if_step = a;
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 1);
    cr_assert_eq(spawns(step_slot(f)), 1);
    ends(step_slot(f), 0);
    the_end(0);
}

Test(conditions, for_a_service_that_is_gone_is_skipped) {
    uint16_t worker = service("worker");
    s.services[worker].essential = false, s.services[worker].restart = RESTART_NO;
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[a].for_service = worker, s.steps[b].for_service = WEB;
    begin();
    ends(run_slot(worker), 0);
    tell_signal(T_TERM);
    is_state("a", S_SKIPPED);
    cr_assert_eq(spawns(step_slot(b)), 1);
    ends(step_slot(b), 0);
    the_end(0);
}

Test(conditions, for_is_asked_when_the_step_begins) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[b].for_service = WEB;
    begin();
    tell_signal(T_TERM);
    ends(0, 0);
    ends(step_slot(a), 0);
    is_state("b", S_SKIPPED);
    the_end(0);
}
