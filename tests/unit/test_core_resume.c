/* Drain and resume, and a stop in the midst of them: DESIGN 4, and the walk's table. */
#include "support.h"

TestSuite(resume, .init = new_web);

Test(resume, drain_keeps_the_services_and_has_no_deadline) {
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

Test(resume, a_drain_without_a_clock_keeps_its_timeout) {
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

Test(resume, drain_twice_is_one_drain) {
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

Test(resume, resume_undoes_in_reverse_and_is_ready_again) {
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

Test(resume, what_did_not_run_is_not_undone) {
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

Test(resume, what_only_its_gate_kept_busy_is_not_undone) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_only_if = s.steps[a].has_undo = true, s.steps[a].timeout = SEC(1);
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    at(1000);
    is_state("a", S_TIMEOUT);
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(spawns(NONE), 0);
    cr_assert(core_ready(&s.core));
}

Test(resume, then_it_can_drain_again) {
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

Test(resume, a_busy_slot_waits) {
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

Test(resume, resume_with_nothing_drained_is_refused_or_nothing) {
    begin();
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(core_ready(&s.core));
    cr_assert_eq(notes(NOTE_RESUMED), 0);
}

Test(resume, resume_after_a_stop_is_refused) {
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
    cr_assert_eq(s.core.walk.goal, GO_EXIT);
}

Test(resume, while_drained_an_end_is_recorded_and_nothing_restarts) {
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

Test(resume, resume_starts_again_what_the_policy_would) {
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

Test(resume, resume_acts_on_mains_end) {
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(0, 7);
    cr_assert_not(exited());
    tell_ask(ASK_RESUME, NONE, 0);
    the_end(7);
}

Test(resume, resume_acts_on_mains_end_though_its_group_lives) {
    s.clings[0] = s.deaf[0] = true;
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(0, 7);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(s.core.walk.cause, BY_MAIN);
    group_ends(0);
    the_end(7);
}

Test(resume, the_stop_acts_on_what_was_recorded) {
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(0, 7);
    tell_signal(T_TERM);
    the_end(7);
}

Test(resume, a_stop_goes_on_where_the_drain_is) {
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

Test(resume, a_clock_that_begins_never_moves_a_deadline_later) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].timeout = SEC(2);
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    at(1500);
    tell_signal(T_TERM);
    is_at(ms_of(row("a")->deadline), 2000);
}

Test(resume, a_stop_while_undoing_stops) {
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

/* An undo that was cut short has its second: the end of a sleep does not kill it. */
Test(resume, a_step_that_only_waits_kills_nobody) {
    uint16_t a = drain("a", DO_SLEEP);
    s.steps[a].has_undo = true;
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_ask(ASK_RESUME, NONE, 0);
    lasts(a);
    cr_assert(s.alive[step_slot(a)]);
    tell_ask(ASK_DRAIN, NONE, 0);
    is_state("a", S_DONE);
    cr_assert_not(row("a")->killed);
    cr_assert_eq(kills(step_slot(a)), 0);
    at(1000);
    cr_assert_eq(kills(step_slot(a)), 1);
}

Test(resume, no_clock_no_restart_of_a_paused_retry_after_resume) {
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
