/* Drain, resume, prestop, and each kind of step: DESIGN 4 to 6, and the step's and the walk's tables. */
#include "support.h"

static uint16_t web;

/* main is unit 0, and obeys at once. */
static void setup(void) {
    new_model();
    web = main_service("web");
}

TestSuite(drain, .init = setup);

static void lasts(uint16_t it) { s.deaf[step_slot(it)] = true; }

/* ---- commands ---- */

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
    s.services[web].stop_timeout = SEC(1);
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
    s.services[web].stop_timeout = SEC(3);
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
    s.services[web].stop_timeout = SEC(1);
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
    s.services[web].stop_timeout = SEC(1);
    begin();
    lasts(a), lasts(b);
    tell_signal(T_TERM);
    at(5800);
    cr_assert_eq(kills(step_slot(a)), 1);
    is_at(ms_of(row("b")->deadline), 7800);
}

Test(drain, less_than_50_ms_is_skipped) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.services[web].stop_timeout = SEC(3);
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
    s.services[web].guarantee = MS(8750);
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(spawns(step_slot(a)), 1);
    new_model();
    web = main_service("web");
    a = drain("a", DO_COMMAND);
    s.services[web].guarantee = MS(8751);
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

/* ---- retry ---- */

Test(drain, retry_waits_and_tries_again) {
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

Test(drain, retry_is_the_tries_after_the_first) {
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

Test(drain, all_tries_are_inside_one_timeout) {
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

Test(drain, no_try_is_waited_for_that_has_no_time) {
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

Test(drain, skip_rest_skips_the_rest_of_the_phase) {
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

Test(drain, skip_rest_is_forgotten_by_a_resume) {
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

Test(drain, skip_rest_is_for_failures) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[a].on_failure = FAILURE_SKIP_REST;
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 0);
    cr_assert_eq(spawns(step_slot(b)), 1);
}

Test(drain, a_timeout_is_a_failure_to_skip_rest) {
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

Test(drain, only_if_decides) {
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

Test(drain, only_if_that_says_yes_too_late_starts_nothing) {
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

Test(drain, only_if_is_asked_again_though_its_slot_was_busy) {
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

Test(drain, a_slot_that_is_free_too_late_starts_nothing) {
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

Test(drain, a_hung_only_if_is_a_timeout) {
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
    setup();
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

Test(drain, run_if_looks_at_another_step) {
    run_if_story(RUN_IF_DONE, 0, true), run_if_story(RUN_IF_DONE, 1, false), run_if_story(RUN_IF_DONE, -1, false);
    run_if_story(RUN_IF_FAILED, 0, false), run_if_story(RUN_IF_FAILED, 1, true), run_if_story(RUN_IF_FAILED, -1, true);
    run_if_story(RUN_IF_TIMEOUT, 0, false), run_if_story(RUN_IF_TIMEOUT, 1, false), run_if_story(RUN_IF_TIMEOUT, -1, true);
}

Test(drain, run_if_of_a_finish_can_look_at_a_drain) {
    uint16_t a = drain("a", DO_COMMAND), f = finish("f", DO_COMMAND);
    s.steps[f].run_if = RUN_IF_FAILED, s.steps[f].run_if_step = a;
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 1);
    cr_assert_eq(spawns(step_slot(f)), 1);
    ends(step_slot(f), 0);
    the_end(0);
}

Test(drain, for_a_service_that_is_gone_is_skipped) {
    uint16_t worker = service("worker");
    s.services[worker].essential = false, s.services[worker].restart = RESTART_NO;
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[a].for_service = worker, s.steps[b].for_service = web;
    begin();
    ends(run_slot(worker), 0);
    tell_signal(T_TERM);
    is_state("a", S_SKIPPED);
    cr_assert_eq(spawns(step_slot(b)), 1);
    ends(step_slot(b), 0);
    the_end(0);
}

Test(drain, for_is_asked_when_the_step_begins) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[b].for_service = web;
    begin();
    tell_signal(T_TERM);
    ends(0, 0);
    ends(step_slot(a), 0);
    is_state("b", S_SKIPPED);
    the_end(0);
}

/* ---- required ---- */

static int required_story(int exit, bool deaf) {
    setup();
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

Test(drain, required_and_killed_is_124) {
    cr_assert_eq(required_story(-1, true), 124);
    cr_assert_eq(required_story(0, false), 0);
}

/* ---- other actions ---- */

Test(drain, sleep_is_done_when_the_time_is_up) {
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

Test(drain, a_sleep_that_does_not_fit_just_ends) {
    uint16_t a = drain("a", DO_SLEEP);
    s.steps[a].sleep = SEC(20);
    s.services[web].stop_timeout = SEC(3);
    begin();
    tell_signal(T_TERM);
    at(5800);
    is_at(when(A_SIGNAL, 0, T_TERM), 5800);
    the_end(0);
}

Test(drain, signal_is_done_when_sent) {
    uint16_t a = drain("a", DO_SIGNAL);
    s.steps[a].target = web, s.steps[a].signal = T_USR1;
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(signals(0, T_USR1), 1);
    is_state("a", S_DONE);
    the_end(0);
}

Test(drain, signal_to_one_that_is_gone) {
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

Test(drain, wait_exit_is_done_when_it_has_exited) {
    uint16_t a = drain("a", DO_SIGNAL), b = drain("b", DO_WAIT_EXIT);
    s.steps[a].target = s.steps[b].target = web, s.steps[a].signal = T_USR1;
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

Test(drain, wait_exit_of_one_that_is_gone_takes_no_time) {
    uint16_t worker = service("worker"), b = drain("b", DO_WAIT_EXIT);
    s.services[worker].essential = false, s.services[worker].restart = RESTART_NO;
    s.steps[b].target = worker;
    begin();
    ends(run_slot(worker), 0);
    tell_signal(T_TERM);
    is_state("b", S_DONE);
    the_end(0);
}

Test(drain, a_wait_ends_at_its_deadline) {
    uint16_t b = drain("b", DO_WAIT_EXIT);
    s.steps[b].target = web, s.steps[b].timeout = SEC(2);
    begin();
    tell_signal(T_TERM);
    at(2000);
    is_at(when(A_SIGNAL, 0, T_TERM), 2000);
    cr_assert(row_ended(row("b")));
    the_end(0);
}

/* ---- announce ---- */

Test(drain, announce_keeps_its_lower_bound_before_the_drains) {
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

/* ---- drain, resume ---- */

Test(drain, drain_keeps_the_services_and_has_no_deadline) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(s.core.walk.goal, GO_DRAIN);
    cr_assert(is_never(s.core.walk.clock));
    cr_assert(is_never(row("a")->deadline));
    at(100000);
    cr_assert_not(row_ended(row("a")));
    ends(step_slot(a), 0);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
    cr_assert_eq(notes(NOTE_DRAINED), 1);
    cr_assert_eq(unit_state(0), U_UP);
    cr_assert_not(core_ready(&s.core));
    cr_assert(is_never(core_next(&s.core)));
    is_state("web", S_PENDING);
}

Test(drain, a_drain_without_a_clock_keeps_its_timeout) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].timeout = SEC(20);
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    at(20000);
    is_at(when(A_SIGNAL, step_slot(a), T_TERM), 19500);
    is_at(when(A_KILL, step_slot(a), -1), 20000);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
}

Test(drain, drain_twice_is_one_drain) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(spawns(step_slot(a)), 1);
    ends(step_slot(a), 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(spawns(step_slot(a)), 1);
    cr_assert_lt(answer(), 300);
}

Test(drain, resume_undoes_in_reverse_and_is_ready_again) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND), c = drain("c", DO_COMMAND);
    s.steps[a].has_undo = s.steps[b].has_undo = s.steps[c].has_undo = true;
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 0), ends(step_slot(b), 0);
    cr_assert_eq(spawns(step_slot(c)), 1);
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(signals(step_slot(c), T_TERM), "running drain commands get TERM");
    cr_assert_not(core_ready(&s.core), "not before the undoing is over");
    if (s.alive[step_slot(c)])
        ends(step_slot(c), 0);
    cr_assert_eq(spawns(step_slot(b)), 1);
    cr_assert_eq(find_said(A_SPAWN, step_slot(b), -1, s.mark)->action.value, CMD_UNDO);
    cr_assert_eq(spawns(step_slot(a)), 0);
    ends(step_slot(b), 0);
    cr_assert_eq(spawns(step_slot(a)), 1);
    ends(step_slot(a), 0);
    cr_assert(core_ready(&s.core));
    cr_assert_eq(core_life(&s.core), LIFE_RUNNING);
    cr_assert_eq(notes(NOTE_RESUMED), 1);
    cr_assert(is_never(core_next(&s.core)));
    for (uint16_t i = 0; i < s.core.walk.n_rows; i++)
        cr_assert_eq(s.core.walk.rows[i].state, S_PENDING);
}

Test(drain, what_did_not_run_is_not_undone) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[a].has_undo = s.steps[b].has_undo = true, s.steps[a].has_only_if = true;
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 1); /* only-if says no */
    ends(step_slot(b), 0);
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(spawns(step_slot(b)), 1);
    ends(step_slot(b), 1); /* a failing undo stops nothing */
    cr_assert_eq(spawns(step_slot(a)), 0);
    cr_assert(core_ready(&s.core));
}

Test(drain, then_it_can_drain_again) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    for (int i = 0; i < 3; i++) {
        mark();
        tell_ask(ASK_DRAIN, NONE, 0);
        cr_assert_eq(spawns(step_slot(a)), 1);
        ends(step_slot(a), 0);
        cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
        tell_ask(ASK_RESUME, NONE, 0);
        cr_assert_eq(core_life(&s.core), LIFE_RUNNING);
    }
    tell_signal(T_TERM);
    ends(step_slot(a), 0);
    the_end(0);
}

Test(drain, a_busy_slot_waits) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(s.alive[step_slot(a)]);
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(spawns(step_slot(a)), 1);
    at(200);
    if (s.alive[step_slot(a)])
        ends(step_slot(a), 0);
    at(10000);
    cr_assert_eq(spawns(step_slot(a)), 2);
}

Test(drain, resume_with_nothing_drained_is_refused_or_nothing) {
    begin();
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(core_ready(&s.core));
    cr_assert_eq(notes(NOTE_RESUMED), 0);
}

Test(drain, resume_after_a_stop_is_refused) {
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
    cr_assert_eq(s.core.walk.goal, GO_EXIT);
}

Test(drain, while_drained_an_end_is_recorded_and_nothing_restarts) {
    uint16_t worker = service("worker");
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    mark();
    ends(run_slot(worker), 1);
    ends(0, 0);
    at(60000);
    cr_assert_eq(spawns(NONE), 0);
    cr_assert_eq(s.core.walk.goal, GO_DRAIN);
    cr_assert_not(exited());
    cr_assert(is_never(core_next(&s.core)));
}

Test(drain, resume_starts_again_what_the_policy_would) {
    uint16_t worker = service("worker");
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(run_slot(worker), 1);
    at(5000);
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    at(6000);
    cr_assert_eq(spawns(run_slot(worker)), 1);
    cr_assert(core_ready(&s.core));
}

Test(drain, resume_acts_on_mains_end) {
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(0, 7);
    cr_assert_not(exited());
    tell_ask(ASK_RESUME, NONE, 0);
    the_end(7);
}

Test(drain, resume_acts_on_mains_end_though_its_group_lives) {
    s.clings[0] = s.deaf[0] = true;
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(0, 7);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(s.core.walk.cause, BY_MAIN);
    group_ends(0);
    the_end(7);
}

Test(drain, the_stop_acts_on_what_was_recorded) {
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(0, 7);
    tell_signal(T_TERM);
    the_end(7);
}

Test(drain, a_stop_goes_on_where_the_drain_is) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    begin();
    lasts(b);
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 0);
    at(60000);
    mark();
    tell_signal(T_TERM);
    is_at(ms_of(s.core.walk.clock), 60000);
    cr_assert_eq(spawns(NONE), 0);
    is_state("a", S_DONE);
    cr_assert_not(is_never(row("b")->deadline), "the clock has begun: the deadline is computed again");
    is_at(ms_of(row("b")->deadline), 60000 + 8800 - 4400);
    at(61000);
    ends(step_slot(b), 0);
    is_at(when(A_SIGNAL, 0, T_TERM), 61000);
    the_end(0);
}

Test(drain, a_clock_that_begins_never_moves_a_deadline_later) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].timeout = SEC(2);
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    at(1500);
    tell_signal(T_TERM);
    is_at(ms_of(row("a")->deadline), 2000);
}

Test(drain, a_stop_while_undoing_stops) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_undo = true;
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 0);
    tell_ask(ASK_RESUME, NONE, 0);
    lasts(a);
    cr_assert(s.alive[step_slot(a)]);
    at(10);
    tell_signal(T_TERM);
    at(10010);
    cr_assert(exited());
    nothing_is_left();
}

/* ---- prestop ---- */

Test(drain, prestop_and_the_later_term_share_one_clock) {
    uint16_t a = drain("a", DO_COMMAND);
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    cr_assert_eq(s.core.walk.goal, GO_DRAIN);
    is_at(ms_of(s.core.walk.clock), 0);
    at(2000);
    ends(step_slot(a), 0);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
    cr_assert_eq(signals(0, -1), 0);
    at(4000);
    tell_signal(T_TERM);
    is_at(ms_of(s.core.walk.clock), 0);
    is_at(when(A_SIGNAL, 0, T_TERM), 4000);
    is_at(ms_of(row("web")->deadline), 8800);
    at(8800);
    the_end(124);
}

Test(drain, prestop_with_late_has_less) {
    s.deaf[0] = true;
    begin();
    at(5000);
    tell_ask(ASK_PRESTOP, NONE, 3000);
    is_at(ms_of(s.core.walk.clock), 2000);
    tell_signal(T_TERM);
    is_at(ms_of(row("web")->deadline), 10800);
    at(10800);
    the_end(124);
}

Test(drain, a_prestop_that_nobody_follows_is_undone_and_said) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_undo = true;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    ends(step_slot(a), 0);
    at(9999);
    cr_assert_eq(notes(NOTE_PRESTOP_LAPSED), 0);
    at(10000);
    cr_assert_eq(notes(NOTE_PRESTOP_LAPSED), 1);
    cr_assert_eq(spawns(step_slot(a)), 2);
    ends(step_slot(a), 0);
    cr_assert(core_ready(&s.core));
    cr_assert(is_never(s.core.walk.clock));
    cr_assert(is_never(core_next(&s.core)));
    cr_assert_not(exited());
    at(20000);
    tell_signal(T_TERM);
    is_at(ms_of(s.core.walk.clock), 20000);
    ends(step_slot(a), 0);
    the_end(0);
}

Test(drain, a_stop_while_a_lapsed_prestop_is_undone_has_a_clock_of_its_own) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_undo = true, s.steps[a].timeout = SEC(5);
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    ends(step_slot(a), 0);
    at(10000);
    cr_assert_eq(spawns(step_slot(a)), 2);
    at(11000);
    mark();
    tell_signal(T_TERM);
    is_at(ms_of(s.core.walk.clock), 11000);
    cr_assert_eq(count(A_KILL, NONE, -1), 0);
    cr_assert_eq(s.core.walk.cause, BY_SIGNAL);
    at(11010);
    while (!exited() && s.alive[step_slot(a)])
        ends(step_slot(a), 0);
    the_end(0);
}

Test(drain, nothing_starts_under_a_prestops_clock) {
    uint16_t worker = service("worker");
    s.services[worker].restart = RESTART_ALWAYS;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    mark();
    ends(run_slot(worker), 1);
    at(9999);
    cr_assert_eq(spawns(NONE), 0);
    at(11000);
    cr_assert_eq(spawns(run_slot(worker)), 1);
}

Test(drain, prestop_in_a_drain_adds_the_clock) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    at(30000);
    tell_ask(ASK_PRESTOP, NONE, 0);
    is_at(ms_of(s.core.walk.clock), 30000);
    is_at(ms_of(row("a")->deadline), 30000 + 8800 - 4400);
}

Test(drain, prestop_in_a_stop_changes_nothing) {
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    at(1000);
    tell_ask(ASK_PRESTOP, NONE, 5000);
    is_at(ms_of(s.core.walk.clock), 0);
    cr_assert_eq(s.core.walk.goal, GO_EXIT);
}

Test(drain, a_stop_one_millisecond_before_a_prestops_end_is_in_time) {
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    at(9999);
    tell_signal(T_TERM);
    at(10000);
    cr_assert(exited());
}

Test(drain, resume_under_a_prestops_clock_stops_the_clock) {
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    at(500);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(is_never(s.core.walk.clock));
    cr_assert(core_ready(&s.core));
    cr_assert(is_never(core_next(&s.core)));
}

/* ---- shutdown ---- */

Test(drain, shutdown_is_as_sigterm) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    tell_ask(ASK_STOP, NONE, 0);
    cr_assert_eq(s.core.walk.cause, BY_SHUTDOWN);
    cr_assert_eq(spawns(step_slot(a)), 1);
    ends(step_slot(a), 0);
    the_end(0);
}

Test(drain, shutdown_now_skips_announce_and_drain) {
    uint16_t a = drain("a", DO_COMMAND), f = finish("f", DO_COMMAND);
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(2);
    begin();
    tell_ask(ASK_HURRY, NONE, 0);
    cr_assert_eq(spawns(step_slot(a)), 0);
    cr_assert_eq(spawns(step_slot(f)), 1);
    ends(step_slot(f), 0);
    is_at(ms_of(s.now), 0);
    the_end(0);
}

Test(drain, shutdown_now_hurries_a_stop_that_runs) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    tell_signal(T_TERM);
    at(100);
    tell_ask(ASK_HURRY, NONE, 0);
    is_at(when(A_SIGNAL, step_slot(a), T_TERM), 100);
    is_at(when(A_SIGNAL, 0, T_TERM), 100);
    the_end(0);
}

/* ---- finish ---- */

Test(drain, finish_runs_after_the_services_at_every_end) {
    uint16_t f = finish("f", DO_COMMAND);
    begin();
    ends(0, 9);
    cr_assert_eq(spawns(step_slot(f)), 1);
    at(300);
    ends(step_slot(f), 0);
    the_end(9);
}

Test(drain, finish_is_promised_a_second) {
    uint16_t f = finish("f", DO_COMMAND);
    s.services[web].stop_timeout = SEC(60);
    s.deaf[0] = true;
    begin();
    lasts(f);
    tell_signal(T_TERM);
    is_at(span_ms(row("f")->guarantee), 1000);
    at(10000);
    cr_assert_eq(spawns(step_slot(f)), 1);
    the_end(124);
}

Test(drain, no_clock_no_restart_of_a_paused_retry_after_resume) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].retries = 5, s.steps[a].every = SEC(1);
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 1);
    is_state("a", S_PAUSE);
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    at(5000);
    cr_assert_eq(spawns(NONE), 0);
    cr_assert(core_ready(&s.core));
}
