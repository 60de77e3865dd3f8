/* Liveness: what a failing live check means for /livez, and when a drain is over. */
#include "support.h"

TestSuite(live, .init = new_model);

static uint16_t with_live(uint16_t it, uint8_t then) {
    uint16_t check = check_of(it, CHECK_TCP, true);
    s.checks[check].then = then;
    return check;
}

Test(live, one_that_starts_again_is_alive_until_its_check_fails_again) {
    uint16_t it = service("it"), live = with_live(it, THEN_FAIL);
    main_service("web");
    begin();
    tell_check(live, false);
    cr_assert_not(core_live(&s.core));
    ends(run_slot(it), 1);
    cr_assert(core_live(&s.core), "it is not there, and its check is off");
    at(100);
    cr_assert_eq(unit_state(it), U_UP);
    cr_assert(core_live(&s.core), "it starts from good");
    tell_check(live, false);
    cr_assert_not(core_live(&s.core));
}

Test(live, a_failing_check_that_restarts_or_stops_is_no_matter_of_livez) {
    uint16_t a = service("a"), b = service("b"), restart = with_live(a, THEN_RESTART), stop = with_live(b, THEN_SHUTDOWN);
    begin();
    s.deaf[run_slot(a)] = s.deaf[run_slot(b)] = true;
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_check(restart, false), tell_check(stop, false);
    cr_assert(core_live(&s.core));
}

Test(live, nor_is_one_that_says_who_is_ready) {
    uint16_t it = service("it"), ready = check_of(it, CHECK_TCP, false);
    s.checks[ready].then = THEN_FAIL;
    begin();
    cr_assert(s.core.checks[ready].on && !s.core.checks[ready].passing);
    cr_assert(core_live(&s.core));
}

/* ---- a drain keeps what it finds: a resume acts on it ---- */

Test(live, what_has_failed_while_drained_starts_again_with_the_resume) {
    uint16_t a = service("a"), b = service("b"), c = service("c");
    uint16_t of_a = with_live(a, THEN_RESTART), of_b = with_live(b, THEN_RESTART);
    with_live(c, THEN_RESTART);
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_check(of_a, false), tell_check(of_b, false);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 0);
    mark();
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 2);
    cr_assert(signals(run_slot(a), T_TERM) && signals(run_slot(b), T_TERM));
    cr_assert_eq(signals(run_slot(c), T_TERM), 0);
    at(100);
    cr_assert_eq(spawns(run_slot(a)) + spawns(run_slot(b)), 2);
}

Test(live, a_resume_leaves_alone_what_is_not_up) {
    uint16_t a = service("a"), b = service("b"), live = with_live(a, THEN_FAIL);
    check_of(a, CHECK_TCP, false), check_of(b, CHECK_TCP, false);
    begin();
    tell_ask(ASK_DRAIN, NONE, 0), tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_not(s.core.checks[live].on);
    cr_assert(core_live(&s.core));
    cr_assert_eq(notes(NOTE_UNHEALTHY), 0);
}

Test(live, what_a_oneshot_has_done_is_done_after_a_drain_too) {
    uint16_t migrate = oneshot("migrate"), web = main_service("web");
    check_of(migrate, CHECK_TCP, false);
    add_after(web, migrate);
    begin();
    ends(run_slot(migrate), 0);
    tell_ask(ASK_DRAIN, NONE, 0), tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(s.core.units[migrate].ready);
}
