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

Test(stop, every_stop_signal_stops) {
    static const int stops[] = {T_TERM, T_INT, T_QUIT, T_PWR, RTMIN_BASE + 3, T_WINCH};
    for (unsigned i = 0; i < sizeof stops / sizeof *stops; i++) {
        new_model();
        main_service("web");
        begin();
        tell_signal(stops[i]);
        cr_assert_eq(s.core.walk.cause, BY_SIGNAL);
        cr_assert_eq(s.core.walk.cause_value, stops[i]);
        the_end(0);
    }
}

Test(stop, a_window_change_of_the_terminal_is_no_stop) {
    main_service("web");
    begin();
    tell((struct event){.kind = EV_SIGNAL, .value = T_WINCH, .flags = SIG_FROM_KERNEL});
    cr_assert_eq(s.core.walk.goal, GO_RUN);
}

Test(stop, a_terminals_hang_up_is_a_stop) {
    main_service("web");
    begin();
    tell((struct event){.kind = EV_SIGNAL, .value = T_HUP, .flags = SIG_FROM_KERNEL});
    the_end(0);
}

Test(stop, a_hang_up_from_outside_goes_to_main) {
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_signal(T_HUP);
    cr_assert_eq(signals(0, T_HUP), 1);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    tell_signal(T_USR1);
    cr_assert_eq(signals(0, T_USR1), 1);
}

Test(stop, with_no_main_they_are_ignored_with_a_line) {
    service("a");
    begin();
    tell_signal(T_USR1);
    cr_assert_eq(signals(0, T_USR1), 0);
    cr_assert_eq(notes(NOTE_IGNORED), 1);
}

Test(stop, each_meaning_of_a_signal) {
    uint16_t web = main_service("web");
    s.services[web].reload_signal = T_HUP;
    s.model.policy.signals[T_USR1] = (struct signal_rule){SIGNAL_FORWARD, T_USR2};
    s.model.policy.signals[T_USR2] = (struct signal_rule){SIGNAL_IGNORE, 0};
    s.model.policy.signals[40] = (struct signal_rule){SIGNAL_RELOAD, 0};
    s.model.policy.signals[41] = (struct signal_rule){SIGNAL_FORWARD, 0};
    s.deaf[0] = true;
    begin();
    tell_signal(T_USR1);
    cr_assert_eq(signals(0, T_USR2), 1);
    cr_assert_eq(signals(0, T_USR1), 0);
    tell_signal(T_USR2);
    cr_assert_eq(signals(0, T_USR2), 1);
    tell_signal(40);
    cr_assert_eq(signals(0, T_HUP), 1);
    mark();
    tell_signal(41);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
}

Test(stop, a_signal_can_mean_hurry) {
    s.model.policy.signals[T_USR1] = (struct signal_rule){SIGNAL_HURRY, 0};
    drain("long", DO_COMMAND);
    main_service("web");
    begin();
    tell_signal(T_USR1);
    cr_assert_eq(spawns(step_slot(0)), 0);
    is_state("long", S_SKIPPED);
    the_end(0);
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
    is_at(ms_of(row("db")->deadline), 5000);
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

/* ---- stop-command ---- */

static uint16_t with_stop_command(void) {
    uint16_t web = main_service("web");
    s.services[web].has_stop_command = true;
    s.services[web].stop_timeout = SEC(4);
    begin();
    return web;
}

Test(stop, the_stop_command_comes_first) {
    uint16_t web = with_stop_command();
    mark();
    tell_signal(T_TERM);
    cr_assert_eq(spawns(aux_slot(web)), 1);
    cr_assert_eq(find_said(A_SPAWN, aux_slot(web), -1, s.mark)->action.value, CMD_STOP);
    cr_assert_eq(signals(run_slot(web), -1), 0);
    at(1000);
    cr_assert_eq(signals(run_slot(web), -1), 0);
    ends(run_slot(web), 0);
    the_end(0);
}

Test(stop, its_failure_is_followed_by_the_signal_at_once) {
    uint16_t web = with_stop_command();
    tell_signal(T_TERM);
    at(300);
    mark();
    ends(aux_slot(web), 1);
    is_at(when(A_SIGNAL, run_slot(web), T_TERM), 300);
    the_end(0);
}

Test(stop, its_end_with_the_service_alive_too) {
    uint16_t web = with_stop_command();
    tell_signal(T_TERM);
    at(300);
    mark();
    ends(aux_slot(web), 0);
    is_at(when(A_SIGNAL, run_slot(web), T_TERM), 300);
    the_end(0);
}

Test(stop, if_it_cannot_run_too) {
    uint16_t web = with_stop_command();
    s.slow_exec[aux_slot(web)] = true;
    tell_signal(T_TERM);
    mark();
    spawn_failed(aux_slot(web), 127);
    is_at(when(A_SIGNAL, run_slot(web), T_TERM), 0);
    the_end(0);
}

Test(stop, a_hung_stop_command_does_not_outlive_the_deadline) {
    uint16_t web = with_stop_command();
    s.deaf[aux_slot(web)] = s.deaf[run_slot(web)] = true;
    tell_signal(T_TERM);
    at(4000);
    cr_assert_eq(kills(run_slot(web)), 1);
    cr_assert_eq(kills(aux_slot(web)), 1);
    the_end(124);
}

Test(stop, by_hand_it_has_ten_seconds) {
    uint16_t it = service("it");
    main_service("web");
    s.deaf[run_slot(it)] = true;
    begin();
    tell_ask(ASK_STOP_UNIT, it, 0);
    at(20000);
    is_at(when(A_KILL, run_slot(it), -1), 10000);
}

Test(stop, a_stop_command_that_hangs_ends_in_time_for_the_signal) {
    uint16_t it = service("it");
    main_service("web");
    s.services[it].has_stop_command = true;
    begin();
    s.deaf[run_slot(it)] = s.deaf[aux_slot(it)] = true;
    tell_ask(ASK_STOP_UNIT, it, 0);
    at(20000);
    is_at(when(A_SIGNAL, aux_slot(it), T_TERM), 9000);
    is_at(when(A_KILL, aux_slot(it), -1), 9500);
    is_at(when(A_SIGNAL, run_slot(it), T_TERM), 9500);
    is_at(when(A_KILL, run_slot(it), -1), 10000);
}

/* ---- who gets what ---- */

static uint8_t to_whom(uint16_t slot, int signal) {
    struct said *it = find_said(A_SIGNAL, slot, signal, s.mark);
    cr_assert(it, "signal %d to slot %u", signal, slot);
    return it->action.value;
}

static uint16_t clinging(void) {
    uint16_t it = service("it");
    main_service("web");
    s.services[it].restart = RESTART_NO, s.services[it].essential = false;
    s.clings[run_slot(it)] = true;
    begin();
    return it;
}

Test(stop, term_to_what_is_left_goes_to_all_that_have_not_had_it) {
    uint16_t it = clinging();
    ends(run_slot(it), 0);
    cr_assert_eq(to_whom(run_slot(it), T_TERM), TO_TREE, "nobody has");

    new_model();
    it = clinging();
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert_eq(signals(run_slot(it), T_TERM), 2);
    cr_assert_eq(to_whom(run_slot(it), T_TERM), TO_GROUP);
    s.mark = (uint32_t)(find_said(A_SIGNAL, run_slot(it), T_TERM, 0) - s.said) + 1;
    cr_assert_eq(to_whom(run_slot(it), T_TERM), TO_STRAYS, "the group has");

    new_model();
    it = service("it");
    s.services[it].kill_main = true;
    main_service("web");
    s.clings[run_slot(it)] = true;
    begin();
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert_eq(to_whom(run_slot(it), T_TERM), TO_LEADER);
    s.mark = (uint32_t)(find_said(A_SIGNAL, run_slot(it), T_TERM, 0) - s.said) + 1;
    cr_assert_eq(to_whom(run_slot(it), T_TERM), TO_TREE, "the leader alone has");
}

Test(stop, a_tree_that_kill_does_not_end_is_left_to_the_sweep_after_a_while) {
    uint16_t it = clinging();
    s.deaf[run_slot(it)] = s.undying[run_slot(it)] = true;
    tell_ask(ASK_STOP_UNIT, it, 0);
    at(12000);
    cr_assert_eq(kills(run_slot(it)), 1);
    ends(run_slot(it), 0);
    at(13999);
    cr_assert_eq(unit_state(it), U_STOPPING);
    at(14000);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(count(A_FORGET, run_slot(it), -1), 1);
}

Test(stop, a_step_that_is_hurried_gets_term_whatever_services_get) {
    uint16_t a = drain("a", DO_COMMAND);
    main_service("web");
    s.services[0].stop[0].signal = T_QUIT;
    begin();
    tell_signal(T_TERM);
    tell_signal(T_INT);
    cr_assert_eq(to_whom(step_slot(a), T_TERM), TO_GROUP);
}

Test(stop, what_died_of_a_signal_that_it_was_sent_before_exec_ended_well) {
    uint16_t a = drain("a", DO_SIGNAL);
    main_service("web");
    s.steps[a].target = 0, s.steps[a].signal = T_USR1;
    s.slow_exec[0] = s.undying[0] = true;
    begin();
    tell_signal(T_TERM);
    at(500);
    cr_assert_eq(kills(0), 1);
    ends(0, -T_USR1);
    the_end(0);
}
