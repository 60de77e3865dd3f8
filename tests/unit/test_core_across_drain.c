/* What begins before a drain or in it, and goes on after the resume. */
#include "checkpoint_support.h"

static uint16_t api;

static void two(void) {
    new_model();
    web = main_service("web"), api = service("api");
}

TestSuite(across, .init = two);

static void drained(void) { tell_ask(ASK_DRAIN, NONE, 0); }
static void resumed(void) { tell_ask(ASK_RESUME, NONE, 0); }

static void fails(uint16_t check) {
    for (int i = 0; i < 3; i++)
        tell_check(check, false);
}

Test(across, a_live_check_that_shuts_down_waits_for_the_resume) {
    uint16_t live = check_of(web, CHECK_TCP, true);
    s.checks[live].then = THEN_SHUTDOWN;
    begin();
    drained();
    fails(live);
    at(5000);
    cr_assert_not(exited());
    resumed();
    cr_assert_eq(s.core.walk.cause, BY_LIVE);
    the_end(1);
}

Test(across, and_is_forgotten_if_it_passes_by_then) {
    uint16_t live = check_of(web, CHECK_TCP, true);
    s.checks[live].then = THEN_SHUTDOWN;
    begin();
    drained();
    fails(live);
    tell_check(live, true);
    resumed();
    at(5000);
    cr_assert_eq(core_life(&s.core), LIFE_RUNNING);
}

Test(across, a_ready_check_that_failed_meanwhile_keeps_readiness_off) {
    uint16_t ready = check_of(web, CHECK_TCP, false);
    begin();
    tell_check(ready, true);
    drained();
    fails(ready);
    resumed();
    cr_assert_not(core_ready(&s.core));
    tell_check(ready, true);
    cr_assert(core_ready(&s.core));
}

Test(across, what_a_oneshot_did_meanwhile_counts) {
    for (int exit = 0; exit < 10; exit += 9) {
        two();
        uint16_t job = oneshot("job");
        add_after(api, job);
        begin();
        drained();
        ends(run_slot(job), exit);
        cr_assert_eq(unit_state(api), U_WAITING);
        cr_assert_not(exited());
        resumed();
        cr_assert_eq(exited(), exit != 0);
        if (exit)
            the_end(9);
        else
            cr_assert_eq(unit_state(api), U_UP);
    }
}

Test(across, a_prestop_that_nobody_follows_acts_on_mains_end) {
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    at(3000);
    ends(run_slot(web), 5);
    at(9999);
    cr_assert_not(exited());
    at(10000);
    cr_assert_eq(s.core.walk.cause, BY_MAIN);
    the_end(5);
}

/* It ends a container that is being closed down: the drain was the notice. */
Test(across, an_end_in_a_drain_counts_where_there_is_no_main) {
    for (int prestop = 0; prestop < 2; prestop++) {
        new_model();
        uint16_t first = service("first"), second = service("second");
        s.services[first].essential = s.services[second].essential = false;
        begin();
        ends(run_slot(first), 3);
        tell_ask(prestop ? ASK_PRESTOP : ASK_DRAIN, NONE, 0);
        ends(run_slot(second), 4);
        tell_signal(T_TERM);
        the_end(4);
    }
}

Test(across, and_no_more_once_it_was_resumed) {
    new_model();
    uint16_t first = service("first");
    s.services[first].essential = false;
    service("second");
    begin();
    drained();
    ends(run_slot(first), 4);
    resumed();
    tell_signal(T_TERM);
    the_end(0);
}

Test(across, the_restart_limit_counts_those_of_a_drain) {
    s.services[api].restart_limit = 2, s.services[api].essential = false;
    begin();
    ends(run_slot(api), 1);
    at(200);
    drained();
    ends(run_slot(api), 1);
    resumed();
    cr_assert_eq(unit_state(api), U_UP);
    ends(run_slot(api), 1);
    cr_assert_eq(unit_state(api), U_FAILED);
}

Test(across, and_its_window_does_not_stand_still) {
    s.services[api].restart_limit = 1, s.services[api].essential = false;
    begin();
    ends(run_slot(api), 1);
    at(200);
    drained();
    at(100000);
    ends(run_slot(api), 1);
    resumed();
    cr_assert_eq(unit_state(api), U_UP);
}

Test(across, a_schedule_keeps_its_beat_through_a_prestop) {
    with_checkpoint(PH_N, false);
    s.checkpoints[0].every = SEC(4);
    begin_restored();
    at(4000);
    ends(step_slot(save), 0);
    mark();
    at(5000);
    tell_ask(ASK_PRESTOP, NONE, 0); /* is undone at 15 s */
    at(15999);
    cr_assert_eq(spawns(step_slot(save)), 0);
    at(16000);
    cr_assert_eq(spawns(step_slot(save)), 1);
    cr_assert_eq(notes(NOTE_SAVE_MISSED), 0);
}
