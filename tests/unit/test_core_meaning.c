/* What a signal or a request means, and what is said of all. */
#include "support.h"

TestSuite(meaning, .init = new_model);

static void tell_terminal(int sig) {
    tell((struct event){.kind = EV_SIGNAL, .value = sig, .flags = SIG_FROM_KERNEL});
}

/* ---- what a signal or a request means ---- */

Test(meaning, only_a_hang_up_and_a_window_size_of_a_terminal_mean_something_else) {
    main_service("web");
    s.deaf[0] = true;
    s.model.policy.signals[T_USR1] = (struct signal_rule){SIGNAL_FORWARD, T_HUP};
    begin();
    tell_terminal(T_USR1);
    cr_assert_eq(signals(0, T_HUP), 1);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    tell_terminal(T_WINCH);
    cr_assert_eq(signals(0, T_WINCH), 1);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    tell_terminal(T_HUP);
    cr_assert_eq(s.core.walk.cause, BY_SIGNAL);
    cr_assert_eq(s.core.walk.floor, PH_ANNOUNCE, "a stop, and no hurry");

    new_model();
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_terminal(T_INT);
    cr_assert_eq(s.core.walk.goal, GO_EXIT);
}

static uint16_t asked(uint8_t verb, uint8_t cause) {
    new_model();
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_ask(verb, NONE, 0);
    cr_assert_eq(s.core.walk.cause, cause);
    cr_assert_eq(s.core.walk.cause_value, 0);
    return answer();
}

Test(meaning, requests_say_by_whom_it_ends) {
    cr_assert_eq(asked(ASK_DRAIN, BY_DRAIN), REPLY_STARTED);
    cr_assert_eq(asked(ASK_PRESTOP, BY_PRESTOP), REPLY_STARTED);
    cr_assert_eq(asked(ASK_STOP, BY_SHUTDOWN), REPLY_STARTED);
    cr_assert_eq(asked(ASK_HURRY, BY_SHUTDOWN), REPLY_STARTED);
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
    new_model();
    main_service("web");
    s.deaf[0] = true;
    s.model.policy.signals[T_USR1].meaning = SIGNAL_HURRY;
    begin();
    tell_signal(T_USR1);
    cr_assert_eq(s.core.walk.cause, BY_SIGNAL);
    cr_assert_eq(s.core.walk.cause_value, T_USR1);
}

/* ---- what is said of all ---- */

Test(meaning, ready_and_live_are_those_of_all) {
    uint16_t a = service("a"), b = service("b"), ready_a = check_of(a, CHECK_TCP, false), ready_b = check_of(b, CHECK_TCP, false);
    uint16_t live = check_of(b, CHECK_TCP, true);
    s.checks[live].then = THEN_FAIL;
    begin();
    tell_check(ready_a, true), tell_check(ready_b, true);
    cr_assert(core_ready(&s.core) && core_live(&s.core));
    tell_check(ready_b, false);
    cr_assert_not(core_ready(&s.core));
    tell_check(ready_b, true);
    tell_check(live, false);
    cr_assert_not(core_live(&s.core));
}

Test(meaning, drained_is_said_from_its_end_to_the_end_of_the_undoing) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_undo = true;
    main_service("web");
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(core_life(&s.core), LIFE_RUNNING);
    ends(step_slot(a), 0);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
    ends(step_slot(a), 0);
    cr_assert_eq(core_life(&s.core), LIFE_RUNNING);
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED, "it undoes, though it was not drained");
}
