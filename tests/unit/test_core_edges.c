/* Facts that come twice, too late or out of range, and steps that the time has left. */
#include "support.h"

TestSuite(edges, .init = new_model);

/* ---- facts ---- */

Test(edges, a_fact_about_a_slot_that_is_not_there) {
    main_service("web");
    begin();
    mark();
    tell((struct event){.kind = EV_LEADER, .job = {core_jobs(&s.model), 0}, .value = 1});
    cr_assert_eq(s.n_said, s.mark);
    cr_assert_eq(unit_state(0), U_UP);
}

Test(edges, what_has_been_told_is_no_news) {
    main_service("web");
    begin();
    tell((struct event){.kind = EV_SPAWN_FAILED, .job = id_of(0), .value = 127});
    cr_assert_eq(unit_state(0), U_UP, "it is up: its spawn has not failed");
    s.clings[0] = true;
    ends(0, 3);
    tell((struct event){.kind = EV_LEADER, .job = id_of(0), .value = 4});
    cr_assert_eq(s.core.jobs[0].exit, 3);
    group_ends(0);
    the_end(3);
}

Test(edges, a_helper_that_is_stopped_before_its_exec_hears_nothing_yet) {
    main_service("web");
    s.model.policy.net = true;
    begin_told();
    s.slow_exec[net_slot()] = true;
    take(NULL);
    tell((struct event){.kind = EV_STOPPED, .job = id_of(net_slot()), .value = 19});
    cr_assert_eq(signals(net_slot(), T_CONT), 0);
    spawned(net_slot());
    tell((struct event){.kind = EV_STOPPED, .job = id_of(net_slot()), .value = 19});
    cr_assert_eq(signals(net_slot(), T_CONT), 1);
}

static void an_exit_of(int told, int kept) {
    new_model();
    main_service("web");
    begin();
    ends(0, told);
    cr_assert_eq(s.core.units[0].exit, kept, "%d became %d", told, s.core.units[0].exit);
}

Test(edges, an_exit_that_no_process_has) {
    an_exit_of(255, 255);
    an_exit_of(256, 255);
    an_exit_of(-SIGNAL_MAX, -SIGNAL_MAX);
    an_exit_of(-SIGNAL_MAX - 1, 255);
    an_exit_of(INT32_MIN, 255);
}

Test(edges, a_signal_that_is_none) {
    main_service("web");
    begin();
    mark();
    tell_signal(0);
    tell_signal(SIGNAL_MAX + 1);
    tell_signal(-1);
    cr_assert_eq(s.n_said, s.mark);
}

Test(edges, a_list_that_is_too_short_is_filled_and_no_more) {
    struct action list[2] = {{.kind = A_NOTHING}, {.kind = A_N}};
    struct actions out = {.v = list, .room = 1};
    main_service("web");
    begin_told();
    core_start(&s.core, s.now, &out);
    cr_assert_eq(out.n, 1);
    cr_assert_eq(list[0].kind, A_PUBLISH);
    cr_assert_eq(list[1].kind, A_N);
}

/* ---- what a terminal sends ---- */

static void tell_terminal(int sig) {
    tell((struct event){.kind = EV_SIGNAL, .value = sig, .flags = SIG_FROM_KERNEL});
}

Test(edges, a_window_size_of_which_nobody_has_said_stop_goes_as_it_was_configured) {
    main_service("web");
    s.model.policy.signals[T_WINCH] = (struct signal_rule){SIGNAL_FORWARD, T_USR2};
    begin();
    tell_terminal(T_WINCH);
    cr_assert_eq(signals(0, T_USR2), 1);
}

Test(edges, a_hang_up_that_was_given_a_meaning_keeps_it) {
    main_service("web");
    s.model.policy.signals[T_HUP] = (struct signal_rule){SIGNAL_FORWARD, T_USR1};
    begin();
    tell_terminal(T_HUP);
    cr_assert_eq(signals(0, T_USR1), 1, "a rewrite");
    cr_assert_eq(core_life(&s.core), LIFE_RUNNING);

    new_model();
    main_service("web");
    s.model.policy.signals[T_HUP].meaning = SIGNAL_IGNORE;
    begin();
    tell_terminal(T_HUP);
    cr_assert_eq(core_life(&s.core), LIFE_RUNNING);
}

/* ---- exit codes as of now ---- */

Test(edges, the_code_before_anything_has_ended) {
    main_service("web");
    drain("sleep", DO_SLEEP);
    s.steps[0].sleep = SEC(1);
    begin();
    cr_assert_eq(core_exit_code(&s.core), 0, "before any cause");
    tell_ask(ASK_DRAIN, 0, 0);
    cr_assert_eq(core_exit_code(&s.core), 0, "of a drain");
    ends(0, 5);
    cr_assert_eq(core_exit_code(&s.core), 5, "of a main that has ended while drained");
    new_single();
    begin();
    cr_assert_eq(core_exit_code(&s.core), 0, "of a command that runs");
}

Test(edges, a_command_that_could_not_be_executed_may_be_expected) {
    new_single();
    s.slow_exec[0] = true;
    s.model.policy.expect_codes[127 / 64] |= UINT64_C(1) << (127 % 64);
    s.model.policy.expect_failures = true;
    begin();
    spawn_failed(0, 127);
    the_end(0);
}

Test(edges, a_command_that_could_not_be_executed_is_not_the_one_that_was_expected) {
    new_single();
    s.slow_exec[0] = true;
    s.model.policy.expect_codes[127 / 64] |= UINT64_C(1) << (127 % 64);
    begin();
    spawn_failed(0, 127);
    the_end(127);
}

/* ---- what is left of a single command ---- */

Test(edges, a_parting_signal_goes_to_the_group_where_no_sweep_will_send_it) {
    new_single();
    s.model.policy.parting = T_HUP;
    s.model.policy.sweep = false;
    begin();
    ends(0, 0);
    cr_assert_eq(signals(0, T_HUP), 1);
    cr_assert_eq(find_said(A_SIGNAL, 0, T_HUP, 0)->action.value, TO_GROUP);

    new_single();
    s.model.policy.parting = T_HUP;
    s.strays = 1;
    begin();
    ends(0, 0);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
    cr_assert_eq(find_said(A_SWEEP, NONE, T_HUP, 0)->action.signal, T_HUP, "the sweep sends it");
}

/* ---- checks ---- */

Test(edges, a_check_that_could_not_be_asked_and_is_off_is_asked_no_more) {
    uint16_t web = main_service("web"), check = check_of(web, CHECK_EXEC, true);
    begin_told();
    s.slow_exec[check_slot(check)] = true;
    take(NULL);
    spawned(0);
    cr_assert_eq(spawns(check_slot(check)), 1);
    s.undying[check_slot(check)] = true; /* the news of its end comes late */
    tell_ask(ASK_STOP_UNIT, web, 0);
    cr_assert_not(s.core.checks[check].on);
    spawn_failed(check_slot(check), 125);
    cr_assert(is_never(core_next(&s.core)), "nothing is armed");
    cr_assert_eq(spawns(check_slot(check)), 1);
}

/* ---- time ---- */

Test(edges, more_time_for_one_that_got_kill_is_none) {
    main_service("web");
    s.services[0].stop_timeout = SEC(2);
    s.slow_exec[0] = s.undying[0] = true;
    begin();
    tell_signal(T_TERM);
    at(200);
    cr_assert_eq(kills(0), 1, "it hung before its exec");
    tell((struct event){.kind = EV_EXTEND, .subject = 0, .more = MS(9000)});
    is_at(s.core.jobs[0].kill_at.ns, NEVER.ns);
    at(12000);
    cr_assert(exited());
}

/* The time for another try is there when it is planned, and has gone when it is due. */
Test(edges, another_try_that_the_clock_has_left_no_time_for) {
    uint16_t hook = drain("hook", DO_COMMAND);
    s.steps[hook].retries = 1, s.steps[hook].every = SEC(1), s.steps[hook].timeout = SEC(5);
    begin();
    tell_ask(ASK_DRAIN, 0, 0);
    ends(step_slot(hook), 1);
    at(300);
    tell_ask(ASK_PRESTOP, 0, 8080); /* 9 s of grace, less 8080 ms, less 200 for the sweep: until 1020 */
    is_at(ms_of(row("hook")->deadline), 1020);
    at(1000);
    is_state("hook", S_FAILED);
    cr_assert_eq(spawns(step_slot(hook)), 1);
}

/* The slot was busy with what an earlier round has left; when it is free there is no time even for the gate. */
Test(edges, a_gate_that_gets_its_slot_too_late) {
    uint16_t hook = drain("hook", DO_COMMAND);
    s.steps[hook].has_only_if = true, s.steps[hook].timeout = MS(900);
    begin();
    s.deaf[step_slot(hook)] = true;
    tell_ask(ASK_DRAIN, 0, 0);
    tell_ask(ASK_RESUME, 0, 0);
    at(20);
    tell_ask(ASK_DRAIN, 0, 0); /* until 920 */
    is_state("hook", S_PAUSE);
    at(900);
    cr_assert_eq(kills(step_slot(hook)), 1);
    is_state("hook", S_SKIPPED);
    cr_assert_eq(spawns(step_slot(hook)), 1);
}

/* ---- plans with next to nothing in them ---- */

Test(edges, drained_is_a_plan_that_has_nothing_but_drains) {
    s.model.policy.sweep = false, s.model.policy.phases_only = true;
    drain("sleep", DO_SLEEP);
    s.steps[0].sleep = SEC(1);
    begin();
    tell_ask(ASK_DRAIN, 0, 0);
    at(1000);
    cr_assert_eq(notes(NOTE_DRAINED), 1);
    the_end(0);
}

Test(edges, no_services_have_not_all_ended) {
    drain("sleep", DO_SLEEP);
    begin();
    tell_ask(ASK_DRAIN, 0, 0);
    tell_ask(ASK_RESUME, 0, 0);
    cr_assert_eq(notes(NOTE_RESUMED), 1);
    cr_assert_eq(s.core.walk.goal, GO_RUN);
    cr_assert_not(exited());
}

/* ---- checkpoints ---- */

Test(edges, a_signal_for_a_main_that_has_ended_is_for_nobody) {
    main_service("web"), service("db");
    s.clings[0] = s.deaf[1] = true;
    begin();
    ends(0, 0);
    mark();
    tell_signal(T_USR1);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
    cr_assert_eq(notes(NOTE_IGNORED), 1);
}

Test(edges, a_reload_signal_is_for_all_that_have_a_reload) {
    uint16_t plain = service("plain"), a = service("a"), b = service("b");
    s.services[a].reload_signal = T_HUP, s.services[b].has_reload_command = true;
    s.model.policy.signals[T_USR1].meaning = SIGNAL_RELOAD;
    begin();
    s.deaf[run_slot(a)] = true;
    tell_signal(T_USR1);
    cr_assert_eq(signals(run_slot(a), T_HUP), 1);
    cr_assert_eq(spawns(aux_slot(b)), 1);
    cr_assert_eq(signals(run_slot(plain), -1), 0);
}

Test(edges, a_hurry_skips_announce_and_drain_and_nothing_else) {
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_HURRY, 0, 0);
    cr_assert_eq(s.core.walk.floor, PH_SAVE);
}

Test(edges, more_time_for_one_that_is_not_there) {
    new_model();
    main_service("web");
    begin();
    mark();
    tell((struct event){.kind = EV_EXTEND, .subject = 1, .more = SEC(1)});
    cr_assert_eq(s.n_said, s.mark);
}
