/* What a review has found: each of these was wrong once. */
#include "support.h"

TestSuite(review, .init = new_model);

/* With kill-mode = main nobody but the leader got the stop signal: what it leaves has heard nothing yet. */
Test(review, what_a_main_alone_was_told_its_group_hears_when_it_has_gone) {
    uint16_t web = main_service("web");
    s.services[web].stop_timeout = SEC(4), s.services[web].kill_main = true;
    s.clings[0] = true;
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(s.core.jobs[0].state, J_LEFT);
    cr_assert_eq(find_said(A_SIGNAL, 0, T_TERM, 0)->action.value, TO_LEADER);
    cr_assert_eq(signals(0, T_TERM), 2);
    cr_assert_eq(s.core.jobs[0].leftovers, TO_TREE);
    at(4000);
    the_end(124);
}

/* Lastcall had no process or descriptor left: that says nothing about the service. */
Test(review, a_check_that_could_not_be_asked_counts_for_neither) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_EXEC, true);
    s.checks[check].failures = 2;
    begin();
    s.slow_exec[check_slot(check)] = true;
    ends(check_slot(check), 1);
    for (int i = 1; i < 10; i++) {
        at(1000 * i);
        cr_assert_eq(spawns(check_slot(check)), i + 1);
        spawn_failed(check_slot(check), 125);
        cr_assert_eq(spawns(0), 1);
        cr_assert_eq(unit_state(0), U_UP);
    }
    at(10000);
    spawn_failed(check_slot(check), 127); /* its program is not there: it fails */
    cr_assert_eq(notes(NOTE_UNHEALTHY), 1);
}

/* A hang before exec (a dead directory, a FIFO as env-file) that a stop ends is an ordinary end. */
Test(review, what_has_never_run_and_is_killed_by_a_stop_is_no_failure) {
    service("web");
    s.slow_exec[0] = true;
    begin();
    tell_signal(T_TERM);
    at(1000);
    cr_assert_eq(kills(0), 1);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
    the_end(0);
}

/* Ready is a oneshot that has exited 0, not one that an operator has cut off. */
Test(review, a_oneshot_that_was_stopped_by_hand_is_not_ready) {
    uint16_t migrate = oneshot("migrate"), web = main_service("web");
    add_after(web, migrate);
    begin();
    tell_ask(ASK_STOP_UNIT, migrate, 0);
    cr_assert_eq(unit_state(0), U_DOWN);
    cr_assert_eq(spawns(run_slot(1)), 0, "it would start over half a migration");
    cr_assert_not(s.core.started);
    tell_signal(T_TERM);
    the_end(0);
}

/* A process in D state, or a zombie whose escaped parent does not reap it: no reason to stay down for ever. */
Test(review, what_kill_does_not_end_holds_up_no_restart) {
    service("web");
    s.clings[0] = s.undying[0] = true;
    begin();
    ends(0, 1);
    at(2000);
    cr_assert_eq(kills(0), 1);
    cr_assert_eq(s.core.jobs[0].state, J_LEFT);
    at(3999);
    cr_assert_eq(unit_state(0), U_STOPPING);
    at(4000);
    cr_assert_eq(unit_state(0), U_BACKOFF);
    s.clings[0] = s.undying[0] = false;
    at(4100);
    cr_assert_eq(spawns(0), 2);
    tell_signal(T_TERM);
    the_end(0);
}
