/* The times of a service, to become ready and to start again, and what is left of them when something else happens. */
#include "support.h"

TestSuite(ready_time, .init = new_model);

/* Not ready before its check says so; 5 s. */
static uint16_t timed(uint16_t it) {
    check_of(it, CHECK_TCP, false);
    s.services[it].ready_timeout = SEC(5);
    return it;
}

Test(ready_time, of_one_that_has_ended_nothing_is_waited_for) {
    uint16_t it = timed(service("it"));
    s.services[it].restart = RESTART_NO, s.services[it].essential = false;
    main_service("web");
    begin();
    is_at(ms_of(core_next(&s.core)), 5000);
    ends(run_slot(it), 1);
    cr_assert(is_never(core_next(&s.core)));
    at(10000);
    cr_assert_eq(notes(NOTE_NOT_READY), 0);
}

Test(ready_time, more_of_it_is_for_one_that_starts) {
    uint16_t it = timed(service("it"));
    main_service("web");
    begin();
    ends(run_slot(it), 1);
    tell((struct event){.kind = EV_EXTEND, .subject = it, .more = SEC(60)});
    is_at(ms_of(core_next(&s.core)), 100);
    at(100);
    cr_assert_eq(spawns(run_slot(it)), 2, "a word of the run before does not hold up its next");
}

Test(ready_time, none_stays_none) {
    uint16_t it = service("it");
    check_of(it, CHECK_TCP, false);
    begin();
    tell((struct event){.kind = EV_EXTEND, .subject = it, .more = SEC(60)});
    cr_assert(is_never(core_next(&s.core)));
}

Test(ready_time, more_is_never_less) {
    uint16_t it = timed(service("it"));
    begin();
    tell((struct event){.kind = EV_EXTEND, .subject = it, .more = SEC(2)});
    is_at(ms_of(core_next(&s.core)), 5000);
    tell((struct event){.kind = EV_EXTEND, .subject = it, .more = SEC(6)});
    is_at(ms_of(core_next(&s.core)), 6000);
}

/* Its TERM was for that; but what is asked of it by then is to end, and it does. */
Test(ready_time, one_that_was_late_and_ends_in_a_stop_has_ended_by_its_signal) {
    uint16_t web = timed(main_service("web"));
    s.services[web].stop_timeout = SEC(5);
    begin();
    s.deaf[web] = true;
    at(5000);
    cr_assert_eq(notes(NOTE_NOT_READY), 1);
    at(6000);
    tell_signal(T_TERM);
    ends(web, -T_TERM);
    cr_assert_eq(unit_state(web), U_DOWN);
    the_end(0);
}

Test(ready_time, one_that_was_late_has_failed_without_a_stop) {
    uint16_t web = timed(main_service("web"));
    begin();
    at(5000);
    cr_assert_eq(s.core.walk.cause, BY_MAIN);
    cr_assert_eq(unit_state(web), U_FAILED);
    the_end(128 + T_TERM);
}

Test(ready_time, a_oneshot_that_starts_again_has_not_done_its_work) {
    uint16_t migrate = oneshot("migrate"), web = main_service("web");
    s.services[migrate].restart = RESTART_ALWAYS;
    add_after(web, migrate);
    begin();
    ends(run_slot(migrate), 0);
    cr_assert_eq(unit_state(migrate), U_BACKOFF);
    cr_assert_eq(spawns(run_slot(web)), 0);
}

Test(ready_time, a_pause_that_is_over_in_a_drain_ends_with_the_resume) {
    uint16_t it = service("it");
    main_service("web");
    begin();
    ends(run_slot(it), 1);
    is_at(ms_of(core_next(&s.core)), 100);
    tell_ask(ASK_DRAIN, NONE, 0);
    at(60000);
    cr_assert_eq(spawns(run_slot(it)), 1);
    cr_assert_eq(unit_state(it), U_BACKOFF);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(spawns(run_slot(it)), 2);
}
