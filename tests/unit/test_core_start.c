/* Starting and readiness: DESIGN 4, and the unit's table. */
#include "support.h"

TestSuite(start, .init = new_model);

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
