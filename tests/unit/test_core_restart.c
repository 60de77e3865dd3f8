/* Restarts, and what ends lastcall: DESIGN 4, and the unit's table. */
#include "support.h"

TestSuite(restart, .init = new_model);

#define exit_code_bits(code) (UINT64_C(1) << (code))

/* ---- restarts ---- */

static uint16_t with_policy(uint8_t policy) {
    uint16_t it = service("it");
    s.services[it].restart = policy, s.services[it].essential = false;
    main_service("web");
    begin();
    return it;
}

static bool comes_again(uint8_t policy, int exit) {
    new_model();
    uint16_t it = with_policy(policy);
    ends(run_slot(it), exit);
    at(100000);
    bool again = spawns(run_slot(it)) == 2;
    cr_assert_eq(unit_state(it), again ? U_UP : exit == 0 ? U_DOWN : U_FAILED);
    return again;
}

Test(restart, each_policy) {
    cr_assert_not(comes_again(RESTART_NO, 0));
    cr_assert_not(comes_again(RESTART_NO, 1));
    cr_assert_not(comes_again(RESTART_NO, -11));
    cr_assert_not(comes_again(RESTART_ON_FAILURE, 0));
    cr_assert(comes_again(RESTART_ON_FAILURE, 1));
    cr_assert(comes_again(RESTART_ON_FAILURE, -11));
    cr_assert_not(comes_again(RESTART_ON_ABNORMAL, 0));
    cr_assert_not(comes_again(RESTART_ON_ABNORMAL, 1));
    cr_assert(comes_again(RESTART_ON_ABNORMAL, -11));
    cr_assert(comes_again(RESTART_ALWAYS, 0));
    cr_assert(comes_again(RESTART_ALWAYS, 1));
}

Test(restart, success_exit_is_success) {
    uint16_t it = service("it");
    s.services[it].essential = false;
    s.services[it].success_codes[0] |= exit_code_bits(5);
    s.services[it].success_codes[3] |= exit_code_bits(200 - 192);
    s.services[it].success_signals = signal_bit(T_USR2);
    main_service("web");
    begin();
    ends(run_slot(it), 5);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(notes(NOTE_ENDED), 1);
    cr_assert_eq(notes(NOTE_FAILED), 0);
}

Test(restart, success_exit_knows_high_codes_and_signals) {
    uint16_t a = service("a"), b = service("b"), c = service("c");
    for (uint16_t i = a; i <= c; i++) {
        s.services[i].essential = false;
        s.services[i].success_codes[3] |= exit_code_bits(200 - 192);
        s.services[i].success_signals = signal_bit(T_USR2);
    }
    main_service("web");
    begin();
    ends(run_slot(a), 200);
    ends(run_slot(b), -T_USR2);
    ends(run_slot(c), 201);
    cr_assert_eq(unit_state(a), U_DOWN);
    cr_assert_eq(unit_state(b), U_DOWN);
    cr_assert_eq(unit_state(c), U_BACKOFF);
}

Test(restart, the_delay_doubles_from_min_to_max) {
    uint16_t it = service("it");
    s.services[it].restart_limit = 100, s.services[it].restart_max = MS(500);
    main_service("web");
    begin();
    static const int64_t delays[] = {100, 200, 400, 500, 500};
    for (unsigned i = 0; i < 5; i++) {
        int64_t now = ms_of(s.now);
        mark();
        ends(run_slot(it), 1);
        cr_assert_eq(unit_state(it), U_BACKOFF);
        cr_assert_eq(notes(NOTE_RESTARTING), 1);
        at(now + delays[i] - 1);
        cr_assert_eq(spawns(run_slot(it)), 0, "delay %u", i);
        at(now + delays[i]);
        cr_assert_eq(spawns(run_slot(it)), 1, "delay %u", i);
    }
    cr_assert_eq(s.core.units[it].restarts, 5);
}

Test(restart, more_restarts_than_the_limit_are_a_failure_for_good) {
    uint16_t it = service("it");
    s.services[it].restart_limit = 2;
    main_service("web");
    begin();
    for (unsigned i = 0; i < 2; i++) {
        ends(run_slot(it), 9);
        at(ms_of(s.now) + 1000);
    }
    cr_assert_eq(spawns(run_slot(it)), 3);
    ends(run_slot(it), 9);
    cr_assert_eq(s.core.walk.cause, BY_SERVICE);
    the_end(9);
}

Test(restart, the_limit_counts_inside_its_window) {
    uint16_t it = service("it");
    s.services[it].restart_limit = 2, s.services[it].restart_window = SEC(10);
    main_service("web");
    begin();
    for (unsigned i = 0; i < 6; i++) {
        at(ms_of(s.now) + 12000);
        ends(run_slot(it), 9);
        cr_assert_eq(unit_state(it), U_BACKOFF, "end %u", i);
    }
}

Test(restart, a_new_window_begins_in_the_instant_when_the_old_one_ends) {
    uint16_t it = service("it");
    s.services[it].restart_limit = 1, s.services[it].restart_window = SEC(10);
    main_service("web");
    begin();
    ends(run_slot(it), 9);
    at(10000);
    ends(run_slot(it), 9);
    cr_assert_eq(unit_state(it), U_BACKOFF);
    at(19999);
    ends(run_slot(it), 9);
    cr_assert_eq(unit_state(it), U_FAILED);
}

Test(restart, the_window_begins_with_the_first_restart_in_it) {
    uint16_t it = service("it");
    s.services[it].restart_limit = 1, s.services[it].restart_window = SEC(10);
    main_service("web");
    begin();
    at(9000);
    ends(run_slot(it), 9);
    at(12000);
    ends(run_slot(it), 9);
    cr_assert_eq(unit_state(it), U_FAILED);
}

Test(restart, a_signal_that_counts_as_success_is_no_abnormal_end) {
    uint16_t it = service("it");
    s.services[it].success_signals = signal_bit(T_USR2), s.services[it].essential = false;
    s.services[it].restart = RESTART_ON_ABNORMAL;
    main_service("web");
    begin();
    ends(run_slot(it), -T_USR2);
    cr_assert_eq(unit_state(it), U_DOWN);
}

Test(restart, what_ends_by_itself_in_a_stop_shows_how) {
    uint16_t good = service("good"), bad = service("bad");
    drain("leave", DO_COMMAND);
    begin();
    tell_signal(T_TERM);
    ends(run_slot(good), 0);
    ends(run_slot(bad), 3);
    cr_assert_eq(unit_state(good), U_DOWN);
    cr_assert_eq(unit_state(bad), U_FAILED);
    cr_assert_eq(spawns(run_slot(bad)), 1);
}

Test(restart, what_dies_in_its_first_millisecond_is_restarted_with_delay) {
    uint16_t it = service("it");
    main_service("web");
    s.slow_exec[0] = true;
    begin();
    cr_assert_eq(run_slot(it), 0);
    for (unsigned i = 0; i < 5; i++) {
        ends(0, 1);
        cr_assert(!due(core_next(&s.core), after(s.now, MS(99))), "not at once");
        s.now = core_next(&s.core);
        tell((struct event){.kind = EV_TICK});
    }
    cr_assert_eq(spawns(0), 6);
}

Test(restart, a_failed_spawn_is_an_end_with_that_code) {
    uint16_t it = service("it");
    s.services[it].restart = RESTART_NO;
    main_service("web");
    s.slow_exec[0] = true;
    begin();
    spawn_failed(0, 127);
    cr_assert_eq(notes(NOTE_SPAWN_FAILED), 1);
    cr_assert_eq(unit_state(it), U_FAILED, "%s", unit_state_name(unit_state(it)));
    the_end(127);
}

Test(restart, a_failed_spawn_of_main_is_the_exit_code) {
    main_service("web");
    s.slow_exec[0] = true;
    begin();
    spawn_failed(0, 126);
    the_end(126);
}

Test(restart, a_failed_spawn_is_tried_again_as_the_policy_says) {
    uint16_t it = service("it");
    main_service("web");
    s.slow_exec[0] = true;
    begin();
    spawn_failed(0, 125);
    at(100);
    cr_assert_eq(spawns(0), 2);
    spawned(0);
    cr_assert_eq(unit_state(it), U_UP);
}

Test(restart, leftovers_of_its_tree_are_cleared_before_a_restart) {
    uint16_t it = service("it");
    s.services[it].stop_timeout = SEC(2);
    main_service("web");
    s.clings[0] = s.deaf[0] = true;
    begin();
    ends(0, 1);
    cr_assert_geq(signals(0, T_TERM), 1, "its group gets TERM");
    at(1999);
    cr_assert_eq(spawns(0), 1, "not while its group lives");
    cr_assert_eq(kills(0), 0);
    at(20000);
    cr_assert_eq(kills(0), 1);
    cr_assert_eq(spawns(0), 2);
    cr_assert_eq(unit_state(it), U_UP);
}

Test(restart, leftovers_that_go_by_themselves_end_the_wait) {
    service("it"), main_service("web");
    s.clings[0] = s.deaf[0] = true;
    begin();
    ends(0, 1);
    at(50);
    group_ends(0);
    at(150);
    cr_assert_eq(spawns(0), 2);
    cr_assert_eq(kills(0), 0);
}

/* ---- what ends lastcall ---- */

Test(restart, an_essential_services_end_for_good_ends_the_container) {
    uint16_t it = service("it");
    s.services[it].restart = RESTART_NO;
    uint16_t web = main_service("web");
    begin();
    ends(run_slot(it), 3);
    cr_assert(signals(run_slot(web), T_TERM));
    the_end(3);
}

Test(restart, also_when_it_ended_well) {
    uint16_t it = service("it");
    uint16_t web = main_service("web");
    begin();
    ends(run_slot(it), 0);
    cr_assert(signals(run_slot(web), T_TERM));
    the_end(0);
}

Test(restart, one_that_is_not_essential_may_end) {
    uint16_t it = service("it");
    s.services[it].essential = false, s.services[it].restart = RESTART_NO;
    main_service("web");
    begin();
    ends(run_slot(it), 3);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    cr_assert_eq(notes(NOTE_FAILED), 1);
    cr_assert(is_never(core_next(&s.core)));
}

Test(restart, all_services_having_ended_is_an_end) {
    uint16_t a = service("a"), b = service("b");
    s.services[a].essential = s.services[b].essential = false;
    s.services[a].restart = s.services[b].restart = RESTART_NO;
    begin();
    ends(run_slot(a), 0);
    cr_assert_not(exited());
    ends(run_slot(b), 6);
    cr_assert_eq(s.core.walk.cause, BY_ALL_ENDED);
    the_end(6);
}

Test(restart, only_oneshots_is_a_batch) {
    uint16_t a = oneshot("a"), b = oneshot("b");
    add_after(b, a);
    begin();
    ends(run_slot(a), 0);
    ends(run_slot(b), 0);
    the_end(0);
}

Test(restart, mains_restart_policy_is_obeyed) {
    uint16_t web = main_service("web");
    s.services[web].restart = RESTART_ALWAYS;
    begin();
    ends(0, 1);
    cr_assert_not(exited());
    at(100);
    cr_assert_eq(spawns(0), 2);
}
