/* The stop: signals, levels, deadlines, KILL. */
#include "support.h"

TestSuite(stop, .init = new_model);

Test(stop, an_idle_stop_takes_no_time) {
    main_service("web");
    begin();
    at(500);
    mark();
    tell_signal(T_TERM);
    cr_assert_eq(when(A_SIGNAL, 0, T_TERM), 500);
    cr_assert_eq(notes(NOTE_STOP_BEGAN), 1);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
    is_state("web", S_DONE);
    is_at(row("web")->exit, -T_TERM);
    the_end(0);
}

Test(stop, readiness_is_off_and_published_before_anything_else) {
    main_service("web");
    s.deaf[0] = true;
    begin();
    cr_assert(core_ready(&s.core));
    mark();
    tell_signal(T_TERM);
    cr_assert_not(core_ready(&s.core));
    cr_assert(core_live(&s.core));
    cr_assert_eq(s.said[s.mark].action.kind, A_PUBLISH);
    cr_assert_eq(core_life(&s.core), LIFE_STOPPING);
}

Test(stop, readiness_on_stop_keep) {
    main_service("web");
    s.model.policy.keep_ready = true;
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    cr_assert(core_ready(&s.core));
}

/* ---- levels ---- */

Test(stop, goes_by_level_in_the_reverse_of_start) {
    uint16_t db = service("db"), app = service("app"), web = main_service("web"), side = service("side");
    add_after(app, db), add_after(web, app);
    for (int i = 0; i < 4; i++)
        s.deaf[i] = true;
    begin();
    mark();
    tell_signal(T_TERM);
    cr_assert_eq(signals(run_slot(web), T_TERM), 1);
    cr_assert_eq(count(A_SIGNAL, NONE, T_TERM), 1, "web alone is on the highest level");
    at(500);
    ends(run_slot(web), 0);
    cr_assert_eq(when(A_SIGNAL, run_slot(app), T_TERM), 500);
    cr_assert_eq(signals(run_slot(db), T_TERM), 0);
    at(700);
    ends(run_slot(app), 0);
    cr_assert_eq(when(A_SIGNAL, run_slot(db), T_TERM), 700);
    cr_assert_eq(when(A_SIGNAL, run_slot(side), T_TERM), 700);
    ends(run_slot(db), 0);
    cr_assert_not(exited());
    ends(run_slot(side), 0);
    is_at(ms_of(s.now), 700);
    the_end(0);
}

Test(stop, order_parallel_is_one_level) {
    uint16_t db = service("db"), web = main_service("web");
    add_after(web, db);
    s.model.policy.parallel = true;
    s.deaf[0] = s.deaf[1] = true;
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(signals(run_slot(db), T_TERM), 1);
    cr_assert_eq(signals(run_slot(web), T_TERM), 1);
    cr_assert_eq(row("db")->stage, row("web")->stage);
    ends(0, 0), ends(1, 0);
    the_end(0);
}

Test(stop, replicas_from_the_highest_down) {
    static const char *const names[] = {"worker.0", "worker.1", "worker.2"};
    uint16_t worker = service("worker");
    s.services[worker].n_units = s.model.n_units = 3;
    for (uint16_t i = 0; i < 3; i++)
        s.units[i] = (struct unit_policy){names[i], worker, i, NONE, NONE}, s.deaf[i] = true;
    begin();
    mark();
    tell_signal(T_TERM);

    struct said *two = find_said(A_SIGNAL, 2, T_TERM, s.mark), *one = find_said(A_SIGNAL, 1, T_TERM, s.mark),
                *zero = find_said(A_SIGNAL, 0, T_TERM, s.mark);
    cr_assert(two && one && zero && two < one && one < zero);
}

/* ---- one service ---- */

Test(stop, the_stop_signal_comes_with_cont_and_the_tree_is_remembered_first) {
    uint16_t web = main_service("web");
    s.services[web].stop[0].signal = T_QUIT;
    s.deaf[0] = true;
    begin();
    mark();
    tell_signal(T_TERM);
    struct said *watch = find_said(A_WATCH_TREE, 0, -1, s.mark), *quit = find_said(A_SIGNAL, 0, T_QUIT, s.mark),
                *cont = find_said(A_SIGNAL, 0, T_CONT, s.mark);
    cr_assert(watch && quit && cont && watch < quit && quit < cont);
    cr_assert_eq(quit->action.value, TO_GROUP);
    cr_assert_eq(signals(0, T_TERM), 0);
}

Test(stop, kill_mode_main_signals_the_leader_and_kills_all) {
    uint16_t web = main_service("web");
    s.services[web].kill_main = true;
    s.services[web].stop_timeout = SEC(2);
    s.deaf[0] = true;
    begin();
    mark();
    tell_signal(T_TERM);
    cr_assert_eq(find_said(A_SIGNAL, 0, T_TERM, s.mark)->action.value, TO_LEADER);
    at(2000);
    cr_assert_eq(kills(0), 1);
    the_end(124);
}

Test(stop, escalations_count_from_the_first_signal) {
    uint16_t web = main_service("web");
    s.services[web].n_stop = 3;
    s.services[web].stop[1] = (struct escalation){T_INT, SEC(1)};
    s.services[web].stop[2] = (struct escalation){T_QUIT, SEC(3)};
    s.deaf[0] = true;
    begin();
    at(1000);
    mark();
    tell_signal(T_TERM);
    at(9999);
    is_at(when(A_SIGNAL, 0, T_TERM), 1000);
    is_at(when(A_SIGNAL, 0, T_INT), 2000);
    is_at(when(A_SIGNAL, 0, T_QUIT), 4000);
    cr_assert_eq(signals(0, T_TERM) + signals(0, T_INT) + signals(0, T_QUIT), 3);
}

Test(stop, an_escalation_beyond_the_deadline_never_comes) {
    uint16_t web = main_service("web");
    s.services[web].n_stop = 2;
    s.services[web].stop[1] = (struct escalation){T_QUIT, SEC(3)};
    s.services[web].stop_timeout = SEC(2);
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    at(9999);
    cr_assert_eq(signals(0, T_QUIT), 0);
    is_at(when(A_KILL, 0, -1), 2000);
    the_end(124);
}

Test(stop, at_its_deadline_it_gets_kill) {
    uint16_t web = main_service("web");
    s.services[web].stop_timeout = SEC(3);
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    at(2999);
    cr_assert_eq(kills(0), 0);
    is_at(ms_of(row("web")->deadline), 3000);
    at(3000);
    cr_assert_eq(kills(0), 1);
    is_state("web", S_TIMEOUT);
    cr_assert(row("web")->killed);
    cr_assert_eq(core_verdict(&s.core), VERDICT_FORCED);
    the_end(124);
}

Test(stop, without_a_stop_timeout_it_may_use_what_the_others_leave) {
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    is_at(ms_of(row("web")->deadline), 8800); /* 10 - 1 reserve - 0.2 sweep */
    at(8800);
    the_end(124);
}

Test(stop, levels_share_and_unused_time_passes_on) {
    uint16_t db = service("db"), web = main_service("web");
    add_after(web, db);
    s.deaf[0] = s.deaf[1] = true;
    begin();
    tell_signal(T_TERM);
    /* each is promised (10 - 1 - .2) / 3 = 2.933; web may use all but db's and the sweep's */
    is_at(ms_of(row("web")->deadline), 5866);
    at(1000);
    ends(run_slot(web), 0);
    is_at(ms_of(row("db")->deadline), 8800);
    at(8800);
    the_end(124);
}

Test(stop, a_chain_longer_than_the_deadline_ends_in_time) {
    static char names[20][8];
    for (uint16_t i = 0; i < 20; i++) {
        snprintf(names[i], sizeof names[i], "s%d", i);
        service(names[i]);
        s.services[i].stop_timeout = SEC(5);
        s.deaf[i] = true;
        if (i)
            add_after(i, (uint16_t)(i - 1));
    }
    begin();
    tell_signal(T_TERM);
    at(9000);
    for (uint16_t i = 0; i < 20; i++) {
        cr_assert_eq(signals(i, T_TERM), 1, "each gets its signal");
        cr_assert_geq(row(names[i])->deadline.ns - row(names[i])->start.ns, MS(400).ns, "and its part: %s", names[i]);
    }
    the_end(124);
}

Test(stop, it_is_done_when_the_whole_group_is_empty) {
    uint16_t web = main_service("web");
    s.services[web].stop_timeout = SEC(4);
    s.clings[0] = true;
    begin();
    tell_signal(T_TERM);
    cr_assert_not(row_ended(row("web")));
    cr_assert_not(exited());
    at(700);
    group_ends(0);
    is_state("web", S_DONE);
    cr_assert_not(row("web")->killed);
    is_at(ms_of(row("web")->end), 700);
    the_end(0);
}

Test(stop, a_group_that_stays_is_killed_at_the_deadline) {
    uint16_t web = main_service("web");
    s.services[web].stop_timeout = SEC(4);
    s.clings[0] = true;
    begin();
    tell_signal(T_TERM);
    at(4000);
    cr_assert_eq(kills(0), 1);
    the_end(124);
}

Test(stop, a_hang_before_exec_is_killed_at_the_deadline_at_the_latest) {
    uint16_t db = service("db");
    main_service("web");
    s.services[db].stop_timeout = SEC(2);
    s.slow_exec[0] = true;
    begin();
    tell_signal(T_TERM);
    at(2000);
    cr_assert_geq(kills(0) + signals(0, T_KILL), 1);
    cr_assert(exited());
    nothing_is_left();
}

Test(stop, what_hangs_before_exec_is_given_its_moment) {
    main_service("web");
    s.slow_exec[0] = true;
    begin();
    tell_signal(T_TERM);
    at(199);
    cr_assert_eq(kills(0), 0);
    at(200);
    cr_assert_eq(kills(0), 1);
    cr_assert_eq(signals(0, -1), 0);
}

Test(stop, what_kill_does_not_end_before_exec_is_not_looked_at_again) {
    uint16_t it = service("it");
    main_service("web");
    s.slow_exec[run_slot(it)] = s.undying[run_slot(it)] = true;
    begin();
    tell_ask(ASK_STOP_UNIT, it, 0);
    at(200);
    cr_assert_eq(kills(run_slot(it)), 1);
    cr_assert(is_never(core_next(&s.core)));
}

Test(stop, what_a_leader_leaves_behind_gets_term_and_kill) {
    uint16_t it = service("it");
    main_service("web");
    s.services[it].stop[0].signal = T_QUIT, s.services[it].n_stop = 2;
    s.services[it].stop[1] = (struct escalation){T_INT, MS(500)};
    s.clings[run_slot(it)] = true;
    begin();
    ends(run_slot(it), 1);
    cr_assert_eq(signals(run_slot(it), T_TERM), 1);
    at(1999);
    cr_assert_eq(signals(run_slot(it), T_QUIT) + signals(run_slot(it), T_INT), 0);
    cr_assert_eq(signals(run_slot(it), T_TERM), 1);
    cr_assert_eq(kills(run_slot(it)), 0);
    at(2000);
    cr_assert_eq(kills(run_slot(it)), 1);
}

Test(stop, what_reaches_exec_after_the_notice_still_gets_its_signal) {
    uint16_t db = service("db");
    main_service("web");
    s.services[db].stop_timeout = SEC(2);
    s.slow_exec[0] = true;
    begin();
    tell_signal(T_TERM);
    at(100);
    cr_assert(s.alive[0], "it is given a moment");
    s.slow_exec[0] = false;
    mark();
    spawned(0);
    is_at(when(A_SIGNAL, 0, T_TERM), 100);
    cr_assert_eq(kills(0), 0);
    the_end(0);
}

Test(stop, what_waits_for_its_next_start_never_starts) {
    uint16_t db = service("db");
    main_service("web");
    s.deaf[1] = true;
    begin();
    ends(run_slot(db), 1);
    cr_assert_eq(unit_state(db), U_BACKOFF);
    mark();
    tell_signal(T_TERM);
    at(8800);
    cr_assert_eq(spawns(NONE), 0);
    the_end(124);
}

Test(stop, what_dies_under_the_clock_stays_down) {
    uint16_t db = service("db"), web = main_service("web");
    add_after(web, db);
    s.services[db].restart = RESTART_ALWAYS;
    s.deaf[0] = s.deaf[1] = true;
    begin();
    mark();
    tell_signal(T_TERM);
    at(100);
    ends(run_slot(db), 1);
    at(3000);
    cr_assert_eq(spawns(NONE), 0);
    ends(run_slot(web), 0);
    is_at(ms_of(s.now), 3000);
    cr_assert(exited());
    nothing_is_left();
}

Test(stop, an_earlier_kill_stands) {
    uint16_t db = service("db");
    main_service("web");
    check_of(db, CHECK_TCP, false);
    s.services[db].ready_timeout = SEC(1), s.services[db].stop_timeout = SEC(3);
    s.deaf[0] = true;
    begin();
    at(2000);
    cr_assert(signals(0, T_TERM), "it was not ready in time");
    tell_signal(T_TERM);
    is_at(ms_of(row("db")->deadline), 4000);
    at(4000);
    is_at(when(A_KILL, 0, -1), 4000);
}

Test(stop, live_checks_are_off_in_a_stop) {
    uint16_t web = main_service("web"), live = check_of(web, CHECK_EXEC, true);
    s.deaf[0] = true;
    begin();
    cr_assert(s.core.checks[live].on);
    mark();
    tell_signal(T_TERM);
    cr_assert_not(s.core.checks[live].on);
    at(8000);
    cr_assert_eq(spawns(check_slot(live)), 0);
}

/* Nobody would start it again: it stops in its turn, like all others. */
Test(stop, no_service_need_be_ready_in_time_any_more) {
    uint16_t db = service("db");
    main_service("web");
    check_of(db, CHECK_TCP, false);
    s.services[db].ready_timeout = SEC(1);
    s.model.policy.announce_min = SEC(3);
    begin();
    tell_signal(T_TERM);
    at(2999);
    cr_assert_eq(notes(NOTE_NOT_READY), 0);
    cr_assert_eq(signals(run_slot(db), -1), 0);
    at(3000);
    the_end(0);
}
