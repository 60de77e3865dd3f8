/* Starting, readiness, restarts: DESIGN 4, and the unit's table. */
#include "support.h"

TestSuite(start, .init = new_model);

#define exit_code_bits(code) (UINT64_C(1) << (code))

Test(start, a_service_without_a_check_is_ready_once_exec_has_succeeded) {
    uint16_t web = main_service("web");
    s.slow_exec[0] = true;
    begin();
    cr_assert_eq(run_slot(web), 0);
    cr_assert_eq(spawns(0), 1);
    cr_assert_eq(unit_state(0), U_STARTING);
    cr_assert_eq(core_life(&s.core), LIFE_STARTING);
    cr_assert_not(core_ready(&s.core));
    cr_assert(core_live(&s.core));
    at(300);
    spawned(0);
    cr_assert_eq(unit_state(0), U_UP);
    cr_assert(core_ready(&s.core));
    cr_assert_eq(core_life(&s.core), LIFE_RUNNING);
    cr_assert_eq(notes(NOTE_READY), 1);
}

Test(start, with_nothing_to_do_nothing_is_armed) {
    main_service("web"), service("db");
    begin();
    cr_assert(is_never(core_next(&s.core)));
}

Test(start, waits_until_those_it_comes_after_are_ready) {
    uint16_t db = service("db"), cache = service("cache"), web = main_service("web");
    add_after(web, db), add_after(web, cache);
    s.slow_exec[run_slot(db)] = false;
    begin_told();
    s.slow_exec[run_slot(db)] = s.slow_exec[run_slot(cache)] = true;
    begin();
    cr_assert_eq(spawns(run_slot(db)), 1);
    cr_assert_eq(spawns(run_slot(cache)), 1);
    cr_assert_eq(unit_state(web), U_WAITING);
    spawned(run_slot(db));
    cr_assert_eq(spawns(run_slot(web)), 0);
    spawned(run_slot(cache));
    cr_assert_eq(spawns(run_slot(web)), 1);
}

Test(start, one_that_has_died_is_not_ready) {
    uint16_t db = service("db"), cache = service("cache"), app = main_service("app");
    add_after(app, db), add_after(app, cache);
    s.slow_exec[1] = true;
    begin();
    ends(run_slot(db), 1);
    cr_assert_not(s.core.units[db].ready);
    cr_assert_eq(run_slot(cache), 1);
    spawned(1);
    cr_assert_eq(spawns(run_slot(app)), 0, "db is not ready now");
    at(100);
    cr_assert_eq(unit_state(db), U_UP);
    cr_assert_eq(spawns(run_slot(app)), 1);
}

Test(start, a_oneshot_is_ready_once_it_has_exited_0) {
    uint16_t migrate = oneshot("migrate"), web = main_service("web");
    add_after(web, migrate);
    begin();
    cr_assert_eq(spawns(run_slot(web)), 0);
    cr_assert_not(core_ready(&s.core));
    ends(run_slot(migrate), 0);
    cr_assert_eq(spawns(run_slot(web)), 1);
    cr_assert(core_ready(&s.core));
    cr_assert_not(exited(), "a oneshot's success is no end");
    tell_signal(T_TERM);
    the_end(0);
}

Test(start, a_oneshots_failure_for_good_ends_the_container) {
    uint16_t migrate = oneshot("migrate"), web = main_service("web");
    add_after(web, migrate);
    begin();
    ends(run_slot(migrate), 4);
    cr_assert_eq(spawns(run_slot(web)), 0);
    cr_assert_eq(s.core.walk.cause, BY_SERVICE);
    the_end(4);
}

Test(start, a_oneshot_that_is_not_essential_may_fail) {
    uint16_t warm = oneshot("warm");
    s.services[warm].essential = false;
    main_service("web");
    begin();
    ends(run_slot(warm), 4);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    cr_assert_eq(unit_state(warm), U_FAILED);
}

Test(start, a_oneshot_is_tried_again_as_its_policy_says) {
    uint16_t migrate = oneshot("migrate"), web = main_service("web");
    s.services[migrate].restart = RESTART_ON_FAILURE;
    add_after(web, migrate);
    begin();
    ends(run_slot(migrate), 1);
    at(100);
    cr_assert_eq(spawns(run_slot(migrate)), 2);
    ends(run_slot(migrate), 0);
    cr_assert_eq(spawns(run_slot(web)), 1);
}

Test(start, replicas_come_one_by_one_from_0) {
    uint16_t worker = main_service("worker");
    static const char *const names[] = {"worker.0", "worker.1", "worker.2"};
    s.services[worker].n_units = s.model.n_units = 3;
    for (uint16_t i = 0; i < 3; i++)
        s.units[i] = (struct unit_policy){names[i], worker, i, NONE, NONE}, s.slow_exec[i] = true;
    begin();
    cr_assert_eq(spawns(0), 1);
    cr_assert_eq(spawns(1), 0);
    spawned(0);
    cr_assert_eq(spawns(1), 1);
    cr_assert_eq(spawns(2), 0);
    spawned(1);
    cr_assert_eq(spawns(2), 1);
}

Test(start, a_stop_during_start_stops_what_runs_and_starts_nothing_more) {
    uint16_t db = service("db"), web = main_service("web");
    add_after(web, db);
    check_of(db, CHECK_TCP, false);
    begin();
    cr_assert_eq(unit_state(web), U_WAITING);
    tell_signal(T_TERM);
    cr_assert(signals(run_slot(db), T_TERM));
    cr_assert_eq(spawns(run_slot(web)), 0);
    the_end(0);
}

/* ---- readiness and checks ---- */

Test(start, a_ready_check_makes_it_ready) {
    uint16_t db = service("db"), web = main_service("web");
    uint16_t check = check_of(db, CHECK_TCP, false);
    add_after(web, db);
    begin();
    cr_assert(s.core.checks[check].on);
    cr_assert_eq(unit_state(db), U_STARTING);
    tell_check(check, true);
    cr_assert_eq(unit_state(db), U_UP);
    cr_assert_eq(spawns(run_slot(web)), 1);
}

Test(start, readiness_follows_the_checks_once_all_were_ready) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_HTTP, false);
    begin();
    tell_check(check, true);
    cr_assert(core_ready(&s.core));
    mark();
    tell_check(check, false);
    cr_assert_not(core_ready(&s.core));
    cr_assert_eq(count(A_PUBLISH, NONE, -1), 1);
    cr_assert_eq(core_life(&s.core), LIFE_RUNNING, "it has started once");
    tell_check(check, true);
    cr_assert(core_ready(&s.core));
    cr_assert_eq(notes(NOTE_READY), 0, "that is said for the first time only");
}

Test(start, an_answer_of_an_older_generation_is_no_answer) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_HTTP, false);
    s.services[web].restart = RESTART_ALWAYS;
    begin();
    uint32_t gen = s.core.checks[check].gen;
    ends(0, 1);
    at(100);
    cr_assert_eq(spawns(0), 2);
    tell((struct event){.kind = EV_CHECK, .subject = check, .value = 1, .gen = gen});
    cr_assert_eq(unit_state(web), U_STARTING);
    tell_check(check, true);
    cr_assert_eq(unit_state(web), U_UP);
}

Test(start, what_does_not_become_ready_in_time_ends_abnormally) {
    uint16_t db = service("db");
    main_service("web");
    check_of(db, CHECK_TCP, false);
    s.services[db].ready_timeout = SEC(3), s.services[db].restart = RESTART_ON_ABNORMAL;
    begin();
    at(2999);
    cr_assert_eq(notes(NOTE_NOT_READY), 0);
    at(3000);
    cr_assert_eq(notes(NOTE_NOT_READY), 1);
    cr_assert(signals(run_slot(db), T_TERM));
    at(3100);
    cr_assert_eq(spawns(run_slot(db)), 2, "as gone: the policy says again");
    cr_assert_eq(unit_state(db), U_STARTING);
}

Test(start, also_if_it_then_exits_0) {
    uint16_t db = service("db");
    main_service("web");
    check_of(db, CHECK_TCP, false);
    s.services[db].ready_timeout = SEC(3), s.services[db].restart = RESTART_ON_ABNORMAL;
    s.ends[0] = 1;
    begin();
    at(3100);
    cr_assert_eq(spawns(run_slot(db)), 2, "the policy hears of an abnormal end");
}

Test(start, a_late_one_that_is_deaf_is_killed) {
    uint16_t db = service("db");
    main_service("web");
    check_of(db, CHECK_TCP, false);
    s.services[db].ready_timeout = SEC(3), s.services[db].stop_timeout = SEC(2);
    s.deaf[run_slot(db)] = true;
    begin();
    s.deaf[run_slot(db)] = true;
    at(4999);
    cr_assert_eq(kills(run_slot(db)), 0);
    at(5000);
    cr_assert_eq(kills(run_slot(db)), 1);
    at(5100);
    cr_assert_eq(spawns(run_slot(db)), 2);
}

Test(start, a_hang_before_exec_is_not_ready_in_time) {
    uint16_t db = service("db");
    main_service("web");
    s.services[db].ready_timeout = SEC(3), s.services[db].restart = RESTART_NO, s.services[db].essential = false;
    s.services[db].stop_timeout = SEC(1);
    s.slow_exec[0] = true;
    begin();
    at(4000);
    cr_assert_eq(kills(0), 1);
    cr_assert_eq(unit_state(db), U_FAILED);
}

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

Test(start, each_policy) {
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

Test(start, success_exit_is_success) {
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

Test(start, success_exit_knows_high_codes_and_signals) {
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

Test(start, the_delay_doubles_from_min_to_max) {
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

Test(start, more_restarts_than_the_limit_are_a_failure_for_good) {
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

Test(start, the_limit_counts_inside_its_window) {
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

Test(start, what_dies_in_its_first_millisecond_is_restarted_with_delay) {
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

Test(start, a_failed_spawn_is_an_end_with_that_code) {
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

Test(start, a_failed_spawn_of_main_is_the_exit_code) {
    main_service("web");
    s.slow_exec[0] = true;
    begin();
    spawn_failed(0, 126);
    the_end(126);
}

Test(start, a_failed_spawn_is_tried_again_as_the_policy_says) {
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

Test(start, leftovers_of_its_tree_are_cleared_before_a_restart) {
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

Test(start, leftovers_that_go_by_themselves_end_the_wait) {
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

Test(start, an_essential_services_end_for_good_ends_the_container) {
    uint16_t it = service("it");
    s.services[it].restart = RESTART_NO;
    uint16_t web = main_service("web");
    begin();
    ends(run_slot(it), 3);
    cr_assert(signals(run_slot(web), T_TERM));
    the_end(3);
}

Test(start, also_when_it_ended_well) {
    uint16_t it = service("it");
    uint16_t web = main_service("web");
    begin();
    ends(run_slot(it), 0);
    cr_assert(signals(run_slot(web), T_TERM));
    the_end(0);
}

Test(start, one_that_is_not_essential_may_end) {
    uint16_t it = service("it");
    s.services[it].essential = false, s.services[it].restart = RESTART_NO;
    main_service("web");
    begin();
    ends(run_slot(it), 3);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    cr_assert_eq(notes(NOTE_FAILED), 1);
    cr_assert(is_never(core_next(&s.core)));
}

Test(start, all_services_having_ended_is_an_end) {
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

Test(start, only_oneshots_is_a_batch) {
    uint16_t a = oneshot("a"), b = oneshot("b");
    add_after(b, a);
    begin();
    ends(run_slot(a), 0);
    ends(run_slot(b), 0);
    the_end(0);
}

Test(start, mains_restart_policy_is_obeyed) {
    uint16_t web = main_service("web");
    s.services[web].restart = RESTART_ALWAYS;
    begin();
    ends(0, 1);
    cr_assert_not(exited());
    at(100);
    cr_assert_eq(spawns(0), 2);
}

/* ---- by hand ---- */

Test(start, stopped_by_hand_it_stays_down_and_ends_nothing) {
    uint16_t it = service("it");
    s.services[it].restart = RESTART_ALWAYS;
    main_service("web");
    begin();
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert(signals(run_slot(it), T_TERM));
    cr_assert_eq(unit_state(it), U_DOWN);
    at(60000);
    cr_assert_eq(spawns(run_slot(it)), 1);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    tell_ask(ASK_START_UNIT, it, 0);
    cr_assert_eq(spawns(run_slot(it)), 2);
    cr_assert_eq(unit_state(it), U_UP);
}

Test(start, stopping_main_by_hand_ends_nothing) {
    main_service("web"), service("it");
    begin();
    tell_ask(ASK_STOP_UNIT, 0, 0);
    cr_assert_eq(unit_state(0), U_DOWN);
    cr_assert_not(exited());
    tell_signal(T_TERM);
    the_end(0);
}

Test(start, a_restart_by_hand_stops_and_starts) {
    uint16_t it = service("it");
    s.services[it].stop_timeout = SEC(2);
    main_service("web");
    s.deaf[0] = true;
    begin();
    mark();
    tell_ask(ASK_RESTART_UNIT, it, 0);
    cr_assert_eq(signals(0, T_TERM), 1);
    cr_assert_eq(spawns(0), 0);
    at(2000);
    cr_assert_eq(kills(0), 1);
    cr_assert_eq(spawns(0), 1);
    cr_assert_eq(unit_state(it), U_UP);
    cr_assert_eq(notes(NOTE_FAILED), 0);
}

Test(start, one_errand_at_a_time) {
    uint16_t a = service("a"), b = service("b");
    s.services[a].stop_timeout = SEC(2);
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_RESTART_UNIT, a, 0);
    tell_ask(ASK_RESTART_UNIT, b, 0);
    cr_assert_eq(answer(), REPLY_BUSY);
    cr_assert_eq(signals(run_slot(b), -1), 0);
    at(3000);
    tell_ask(ASK_RESTART_UNIT, b, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    cr_assert_eq(spawns(run_slot(b)), 2);
}

Test(start, a_stop_takes_over_from_an_errand) {
    uint16_t a = service("a");
    s.services[a].stop_timeout = SEC(3);
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_RESTART_UNIT, a, 0);
    at(1000);
    tell_signal(T_TERM);
    mark();
    at(9000);
    cr_assert_eq(spawns(NONE), 0);
    cr_assert(exited());
    nothing_is_left();
}

Test(start, no_errand_in_a_drain_or_stop) {
    uint16_t it = service("it");
    main_service("web");
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    mark();
    tell_ask(ASK_RESTART_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
}

Test(start, reload_by_signal_and_by_command) {
    uint16_t a = service("a"), b = service("b"), c = main_service("c");
    s.services[a].reload_signal = T_HUP, s.services[b].has_reload_command = true;
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_RELOAD_UNIT, a, 0);
    cr_assert_eq(signals(run_slot(a), T_HUP), 1);
    tell_ask(ASK_RELOAD_UNIT, b, 0);
    cr_assert_eq(spawns(aux_slot(b)), 1);
    cr_assert_eq(find_said(A_SPAWN, aux_slot(b), -1, 0)->action.value, CMD_RELOAD);
    tell_ask(ASK_RELOAD_UNIT, b, 0);
    cr_assert_eq(answer(), REPLY_BUSY);
    ends(aux_slot(b), 0);
    mark();
    tell_ask(ASK_RELOAD_UNIT, c, 0);
    cr_assert_eq(answer(), REPLY_REFUSED, "it has none");
    cr_assert_eq(count(A_SIGNAL, NONE, -1) + count(A_SPAWN, NONE, -1), 0);
}

Test(start, no_reload_in_a_stop) {
    uint16_t a = main_service("a");
    s.services[a].has_reload_command = true, s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    mark();
    tell_ask(ASK_RELOAD_UNIT, a, 0);
    cr_assert_eq(spawns(NONE), 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
}

Test(start, a_signal_by_hand) {
    uint16_t it = service("it");
    main_service("web");
    begin();
    tell_ask(ASK_SIGNAL_UNIT, it, T_USR1);
    cr_assert_eq(signals(run_slot(it), T_USR1), 1);
    tell_ask(ASK_SIGNAL_UNIT, it, 65);
    cr_assert_eq(answer(), REPLY_BAD);
    tell_ask(ASK_SIGNAL_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_BAD);
    tell_ask(ASK_RESTART_UNIT, 9, 0);
    cr_assert_eq(answer(), REPLY_BAD);
    tell_ask(ASK_N, 0, 0);
    cr_assert_eq(answer(), REPLY_BAD);
    tell_ask(ASK_PRESTOP, NONE, -1);
    cr_assert_eq(answer(), REPLY_BAD);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
}
