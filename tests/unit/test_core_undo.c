/* A resume at work: what is undone, in which order, and what waits for it. */
#include "support.h"

TestSuite(undo, .init = new_web);

static uint16_t undone(const char *name) {
    uint16_t it = drain(name, DO_COMMAND);
    s.steps[it].has_undo = true;
    return it;
}

static void drained(void) {
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    for (uint16_t i = 0; i < s.model.n_steps; i++)
        ends(step_slot(i), 0);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
    mark();
}

static bool undoes(uint16_t it) {
    struct said *said = find_said(A_SPAWN, step_slot(it), -1, s.mark);
    return said != NULL && said->action.value == CMD_UNDO;
}

/* Two of one stage. */
static void resumed_while_both_run(uint16_t *a, uint16_t *b) {
    *a = undone("a"), *b = undone("b");
    s.steps[*b].stage = s.steps[*a].stage;
    begin();
    lasts(*a), lasts(*b);
    tell_ask(ASK_DRAIN, NONE, 0);
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
}

/* ---- the order ---- */

/* Both run when the resume comes, and take their time to end. */
Test(undo, a_step_is_undone_once_it_has_ended_and_those_before_it_after_that) {
    uint16_t a, b;
    resumed_while_both_run(&a, &b);
    cr_assert_eq(signals(step_slot(a), T_TERM) + signals(step_slot(b), T_TERM), 2);
    cr_assert_eq(spawns(NONE), 0);
    at(100);
    ends(step_slot(b), 0);
    cr_assert(undoes(b));
    at(200);
    ends(step_slot(a), 0);
    cr_assert_eq(spawns(step_slot(a)), 0, "b is being undone still");
    at(300);
    ends(step_slot(b), 0);
    cr_assert(undoes(a));
    cr_assert_eq(notes(NOTE_RESUMED), 0);
    ends(step_slot(a), 0);
    cr_assert_eq(notes(NOTE_RESUMED), 1);
    cr_assert_eq(spawns(NONE), 2);
}

Test(undo, the_undoing_does_not_wait_for_a_step_that_is_to_be_undone_later) {
    uint16_t a, b;
    resumed_while_both_run(&a, &b);
    ends(step_slot(b), 0);
    ends(step_slot(b), 0);
    cr_assert_eq(spawns(step_slot(a)), 0, "its own run has not ended yet");
    ends(step_slot(a), 0);
    cr_assert(undoes(a));
    ends(step_slot(a), 0);
    cr_assert(core_ready(&s.core));
}

Test(undo, a_step_that_has_never_begun_is_not_undone) {
    uint16_t a = undone("a"), b = undone("b");
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(row("b")->state, S_PENDING);
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(undoes(a));
    ends(step_slot(a), 0);
    cr_assert_eq(spawns(step_slot(b)), 0);
    cr_assert(core_ready(&s.core));
}

Test(undo, a_stop_cuts_short_the_one_that_runs) {
    uint16_t a = undone("a"), b = undone("b");
    drained();
    lasts(b);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(undoes(b));
    at(500);
    tell_signal(T_TERM);
    is_at(when(A_SIGNAL, step_slot(b), T_TERM), 500);
    cr_assert_eq(count(A_SIGNAL, step_slot(a), -1), 0);
    cr_assert_eq(find_said(A_SPAWN, step_slot(a), -1, s.mark)->action.value, CMD_STEP, "the stop drains anew");
}

/* ---- until it is over ---- */

Test(undo, no_phase_is_under_way) {
    uint16_t a = undone("a");
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(2);
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    at(2500);
    cr_assert_eq(core_phase(&s.core), PH_DRAIN);
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(undoes(a));
    cr_assert_eq(core_phase(&s.core), PH_N);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
}

Test(undo, nothing_is_started) {
    uint16_t db = service("db"), late = service("late"), check = check_of(db, CHECK_TCP, false);
    undone("a");
    add_after(late, db);
    drained();
    tell_ask(ASK_RESUME, NONE, 0);
    tell_check(check, true);
    cr_assert_eq(spawns(run_slot(late)), 0);
    ends(step_slot(0), 0);
    cr_assert_eq(spawns(run_slot(late)), 1);
}

Test(undo, its_end_is_told_though_readiness_stays_off) {
    undone("a");
    service("db"), check_of(1, CHECK_TCP, false);
    drained();
    tell_ask(ASK_RESUME, NONE, 0);
    mark();
    ends(step_slot(0), 0);
    cr_assert_not(core_ready(&s.core));
    cr_assert_eq(count(A_PUBLISH, NONE, -1), 1);
}

/* ---- what is left of the drain ---- */

Test(undo, a_resume_ends_the_announcing) {
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(2);
    undone("a");
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    at(1000);
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(notes(NOTE_RESUMED), 1);
    cr_assert(is_never(core_next(&s.core)));
    at(5000);
    is_state("announce", S_PENDING);
    cr_assert_eq(spawns(NONE), 0);
}

Test(undo, a_row_knows_nothing_of_how_it_ended_before) {
    drain("a", DO_COMMAND);
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(0), 3);
    cr_assert_eq(row("a")->exit, 3);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(row("a")->exit, EXIT_UNKNOWN);
}

Test(undo, a_step_without_a_command_is_undone_unless_its_gate_kept_it_back) {
    for (int gate = 0; gate < 2; gate++) {
        new_web();
        uint16_t it = drain("it", DO_SLEEP);
        s.steps[it].sleep = SEC(1), s.steps[it].has_undo = s.steps[it].has_only_if = true;
        begin();
        lasts(it);
        tell_ask(ASK_DRAIN, NONE, 0);
        ends(step_slot(it), gate);
        at(1000);
        is_state("it", gate ? S_SKIPPED : S_DONE);
        mark();
        tell_ask(ASK_RESUME, NONE, 0);
        cr_assert_eq(undoes(it), !gate);
    }
}
