/* When all services have ended by themselves, the container ends; and when they only seem to have, not. */
#include "support.h"

TestSuite(all_ended, .init = new_model);

/* It may end, and is not started again. */
static uint16_t ending(const char *name) {
    uint16_t it = service(name);
    s.services[it].essential = false, s.services[it].restart = RESTART_NO;
    return it;
}

Test(all_ended, it_is_a_cause_without_a_subject) {
    uint16_t a = ending("a");
    begin();
    mark();
    ends(run_slot(a), 3);
    cr_assert_eq(s.core.walk.cause, BY_ALL_ENDED);
    cr_assert_eq(s.core.walk.cause_value, 0);
    the_end(3);
}

Test(all_ended, one_that_waits_for_what_will_not_come_is_no_reason_to_stay) {
    uint16_t a = ending("a"), b = ending("b");
    check_of(a, CHECK_TCP, false);
    add_after(b, a);
    begin();
    ends(run_slot(a), 4);
    cr_assert_eq(s.core.walk.cause, BY_ALL_ENDED);
    cr_assert_eq(spawns(run_slot(b)), 0);
    the_end(4);
}

Test(all_ended, while_drained_it_is_acted_on_by_the_resume) {
    uint16_t a = ending("a");
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(run_slot(a), 5);
    at(60000);
    cr_assert_not(exited());
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(s.core.walk.cause, BY_ALL_ENDED);
    the_end(5);
}

Test(all_ended, while_drains_are_undone_it_waits_for_their_end) {
    uint16_t a = ending("a"), leave = drain("leave", DO_COMMAND);
    s.steps[leave].has_undo = true;
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(leave), 0);
    tell_ask(ASK_RESUME, NONE, 0);
    ends(run_slot(a), 0);
    at(1000);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    cr_assert_eq(signals(step_slot(leave), -1), 0, "the undo may end");
    ends(step_slot(leave), 0);
    cr_assert_eq(s.core.walk.cause, BY_ALL_ENDED);
    the_end(0);
}

Test(all_ended, what_fails_at_the_resume_starts_nothing) {
    uint16_t a = ending("a"), b = ending("b"), c = ending("c"), d = ending("d");
    uint16_t ready = check_of(a, CHECK_TCP, false), restore = checkpoint("of-b", PH_N, b);
    s.checkpoints[s.steps[restore].checkpoint].has_restore = true;
    check_of(c, CHECK_TCP, false);
    add_after(d, c);
    begin();
    ends(record_slot(), 0);
    tell_check(ready, true);
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_check(1, true);
    ends(step_slot(restore), 1);
    cr_assert_eq(s.core.walk.goal, GO_DRAIN);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(s.core.walk.cause, BY_RESTORE);
    cr_assert_eq(spawns(run_slot(d)), 0);
}
