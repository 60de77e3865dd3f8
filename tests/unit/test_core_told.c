/* What others are told, and when: nothing that is no news, and everything that is. */
#include "support.h"

TestSuite(told, .init = new_model);

static void orphans(int32_t n) { tell((struct event){.kind = EV_ORPHAN, .value = n}); }
static uint32_t published(void) { return count(A_PUBLISH, NONE, -1); }

Test(told, orphans_at_once_and_in_a_storm_every_tenth_of_a_second) {
    s.model.policy.net = true;
    main_service("web");
    begin();
    mark();
    orphans(1);
    cr_assert_eq(published(), 1);
    at(30);
    orphans(2);
    orphans(3);
    at(99);
    cr_assert_eq(published(), 1);
    at(100);
    cr_assert_eq(published(), 2);
    at(250);
    cr_assert_eq(published(), 2, "no more have come");
    orphans(1);
    cr_assert_eq(published(), 3);
    cr_assert_eq(s.core.orphans, 7);
}

Test(told, orphans_that_nobody_asks_about_arm_nothing) {
    main_service("web");
    begin();
    mark();
    orphans(1);
    orphans(1);
    cr_assert_eq(published(), 2);
    cr_assert(is_never(core_next(&s.core)));
}

Test(told, nothing_where_nothing_has_changed) {
    main_service("web");
    begin();
    mark();
    tell((struct event){.kind = EV_TICK});
    tell((struct event){.kind = EV_TICK});
    cr_assert_eq(published(), 0);
}

Test(told, what_is_due_at_the_start_is_done_at_the_start) {
    uint16_t it = service("it");
    check_of(it, CHECK_TCP, false);
    s.services[it].ready_timeout = NO_TIME;
    main_service("web");
    begin(); /* and nothing is due after it: support.h looks */
    cr_assert_eq(notes(NOTE_NOT_READY), 1);
}

Test(told, the_first_request_for_any_service_is_no_second_one) {
    uint16_t a = service("a"), b = service("b");
    add_after(a, b);
    main_service("web");
    begin_told();
    s.slow_exec[run_slot(b)] = true;
    take(NULL);
    tell_ask(ASK_STOP_UNIT, b, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
}

Test(told, a_fact_is_only_that_fact) {
    s.model.policy.net = true;
    main_service("web");
    begin();
    s.strays = 1, s.strays_deaf = true;
    orphans(1);
    tell((struct event){.kind = EV_LIFE, .client = 5});
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    at(1000);
    tell((struct event){.kind = EV_EXTEND, .subject = 0, .more = SEC(1)});
    at(2000);
    cr_assert_eq(signals(net_slot(), T_CONT), 1, "more time for a service is no sign of life of the helper");
    tell_signal(T_TERM);
    cr_assert_eq(count(A_SWEEP, NONE, -1), 1, "an orphan that was reaped is not the last child");
}

Test(told, a_process_that_has_begun) {
    uint16_t it = oneshot("it");
    main_service("web");
    s.slow_exec[run_slot(it)] = true;
    begin();
    mark();
    spawned(run_slot(it));
    cr_assert_eq(published(), 1);
}

Test(told, nothing_more_is_awaited_of_what_is_ready) {
    uint16_t it = service("it"), check = check_of(it, CHECK_NOTIFY, false);
    s.services[it].ready_timeout = SEC(5);
    s.slow_exec[run_slot(it)] = true;
    begin();
    uint32_t gen = s.core.checks[check].gen;
    spawned(run_slot(it));
    cr_assert_eq(s.core.checks[check].gen, gen, "it is on already");
    tell_check(check, true);
    cr_assert(is_never(core_next(&s.core)));
}

Test(told, the_first_signal_is_a_stop_signal_like_any) {
    main_service("web");
    s.services[0].stop[0].signal = T_HUP;
    begin();
    tell_signal(T_TERM);
    the_end(0);
}

/* Ends for good are told: neither those that a restart follows, nor those of a stop. */
static uint32_t said(uint8_t policy, int exit, bool again, bool stop) {
    new_model();
    uint16_t it = service("it");
    s.services[it].restart = policy, s.services[it].essential = false;
    main_service("web");
    drain("d", DO_COMMAND);
    begin();
    lasts(0);
    s.deaf[run_slot(it)] = true;
    if (again)
        tell_ask(ASK_RESTART_UNIT, it, 0);
    if (stop)
        tell_signal(T_TERM);
    ends(run_slot(it), exit);
    return notes(NOTE_ENDED) + 10 * notes(NOTE_FAILED);
}

Test(told, an_end_for_good) {
    cr_assert_eq(said(RESTART_NO, 0, false, false), 1);
    cr_assert_eq(said(RESTART_NO, 3, false, false), 10);
    cr_assert_eq(said(RESTART_ALWAYS, 0, false, false), 0);
    cr_assert_eq(said(RESTART_NO, 0, true, false), 0);
    cr_assert_eq(said(RESTART_NO, 3, false, true), 0);
    new_single();
    begin();
    ends(0, 3);
    cr_assert_eq(notes(NOTE_ENDED) + notes(NOTE_FAILED), 0);
}
