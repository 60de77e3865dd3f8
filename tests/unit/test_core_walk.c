/* The walk's own times: undoing, lapsing, giving up; and what a run leaves to the next one. */
#include "support.h"

TestSuite(walk, .init = new_model);

static uint16_t undoing(span timeout) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_undo = true, s.steps[a].timeout = timeout;
    main_service("web");
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 0);
    lasts(a);
    at(1000);
    tell_ask(ASK_RESUME, NONE, 0);
    mark();
    return step_slot(a);
}

Test(walk, an_undo_has_its_steps_time_or_ten_seconds) {
    uint16_t slot = undoing(SEC(5));
    at(20000);
    is_at(when(A_SIGNAL, slot, T_TERM), 5000);
    is_at(when(A_KILL, slot, -1), 6000);
    cr_assert_eq(notes(NOTE_RESUMED), 1);

    new_model();
    slot = undoing(FOREVER);
    at(20000);
    is_at(when(A_SIGNAL, slot, T_TERM), 9000);
    is_at(when(A_KILL, slot, -1), 11000);
    cr_assert_eq(notes(NOTE_RESUMED), 1);
}

Test(walk, a_drain_cuts_an_undo_short) {
    uint16_t slot = undoing(FOREVER);
    tell_ask(ASK_DRAIN, NONE, 0);
    at(20000);
    is_at(when(A_SIGNAL, slot, T_TERM), 1000);
    is_at(when(A_KILL, slot, -1), 2000);
    cr_assert_eq(notes(NOTE_RESUMED), 0);
    cr_assert_eq(s.core.walk.goal, GO_DRAIN);
    cr_assert_eq(spawns(slot), 1, "the step, once the slot is free");
}

Test(walk, a_late_prestop_lapses_no_sooner_than_a_reserve_from_now) {
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 9900);
    at(999);
    cr_assert_eq(notes(NOTE_PRESTOP_LAPSED), 0);
    at(1000);
    cr_assert_eq(notes(NOTE_PRESTOP_LAPSED), 1);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
}

Test(walk, a_stop_after_a_prestop_never_lapses) {
    main_service("web");
    s.services[0].stop_timeout = SEC(30);
    s.model.policy.grace = SEC(60);
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    tell_signal(T_TERM);
    at(60000);
    cr_assert_eq(notes(NOTE_PRESTOP_LAPSED), 0);
    cr_assert(exited());
}

Test(walk, a_drain_that_is_resumed_or_stopped_has_no_clock_of_a_prestop) {
    main_service("web");
    begin();
    tell_ask(ASK_PRESTOP, NONE, 5000);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    cr_assert(is_never(s.core.walk.clock) && is_never(s.core.walk.asked));
    cr_assert_eq(s.core.walk.cause, BY_NOTHING);
    cr_assert(is_never(core_next(&s.core)), "no lapse is armed");
    cr_assert_eq(core_verdict(&s.core), VERDICT_NONE);
    at(1000);
    tell_ask(ASK_DRAIN, NONE, 0);
    is_at(ms_of(s.core.walk.asked), 1000);
    cr_assert_eq(s.core.walk.cause, BY_DRAIN);
    tell_ask(ASK_PRESTOP, NONE, 0);
    cr_assert_eq(s.core.walk.cause, BY_PRESTOP);
    is_at(ms_of(s.core.walk.clock), 1000);
    is_at(ms_of(s.core.walk.asked), 1000);
}

Test(walk, there_is_no_way_back_from_a_stop) {
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(answer(), REPLY_STARTED, "it runs already");
    cr_assert_eq(notes(NOTE_RESUMED), 0);
    tell_signal(T_TERM);
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
    tell_ask(ASK_PRESTOP, NONE, 0);
    tell_ask(ASK_STOP, NONE, 0);
    cr_assert_eq(notes(NOTE_STOP_BEGAN) + notes(NOTE_RESUMED), 0);
}

/* When it gives up on one that KILL does not end. */
static int64_t gives_up_at(span grace, bool sweep) {
    new_single();
    s.model.policy.grace = grace, s.model.policy.reserve = is_forever(grace) ? NO_TIME : SEC(1);
    s.model.policy.sweep = sweep;
    s.deaf[0] = s.undying[0] = true;
    begin();
    tell_signal(T_TERM);
    at(60000);
    cr_assert(exited());
    cr_assert_eq(core_verdict(&s.core), VERDICT_OVERRAN);
    return when(A_EXIT, NONE, -1);
}

Test(walk, it_gives_up_a_tenth_of_the_reserve_before_the_end) {
    is_at(gives_up_at(SEC(10), true), 9900);
    is_at(gives_up_at(SEC(10), false), 9900);
}

Test(walk, a_new_round_knows_nothing_of_the_one_before) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[a].on_failure = FAILURE_SKIP_REST, s.steps[a].timeout = SEC(1);
    main_service("web");
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    at(1000);
    is_state("a", S_TIMEOUT);
    is_state("b", S_SKIPPED);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(row("a")->state, S_PENDING);
    cr_assert(row("a")->tries == 0 && row("a")->exit == EXIT_UNKNOWN && !row("a")->killed);
    cr_assert(is_never(row("a")->start) && is_never(row("a")->end) && is_never(row("a")->deadline));
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 0);
    cr_assert_eq(spawns(step_slot(b)), 1);
    ends(step_slot(b), 0);
    cr_assert_eq(notes(NOTE_DRAINED), 2);
}

/* ---- a run leaves nothing to the next one ---- */

Test(walk, a_restart_by_hand_is_one) {
    uint16_t it = service("it");
    s.services[it].restart = RESTART_NO, s.services[it].essential = false;
    main_service("web");
    begin();
    tell_ask(ASK_RESTART_UNIT, it, 0);
    cr_assert_eq(spawns(run_slot(it)), 2);
    ends(run_slot(it), 0);
    cr_assert_eq(unit_state(it), U_DOWN);
}

Test(walk, a_run_that_was_late_says_nothing_of_the_next) {
    uint16_t it = service("it"), check = check_of(it, CHECK_TCP, false);
    s.services[it].ready_timeout = SEC(1), s.services[it].essential = false;
    main_service("web");
    begin();
    at(1100);
    cr_assert_eq(notes(NOTE_NOT_READY), 1);
    cr_assert_eq(spawns(run_slot(it)), 2);
    tell_check(check, true);
    ends(run_slot(it), 0);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(notes(NOTE_ENDED), 1);
}

Test(walk, a_run_whose_life_failed_says_nothing_of_the_next) {
    uint16_t it = service("it"), live = check_of(it, CHECK_TCP, true);
    s.services[it].restart = RESTART_NO, s.services[it].essential = false;
    main_service("web");
    begin();
    tell_check(live, false);
    at(100);
    cr_assert_eq(spawns(run_slot(it)), 2);
    ends(run_slot(it), 1);
    at(60000);
    cr_assert_eq(unit_state(it), U_FAILED);
    cr_assert_eq(notes(NOTE_FAILED), 1);
}
