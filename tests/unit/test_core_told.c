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
