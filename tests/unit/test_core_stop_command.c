/* The stop command of a service: before its stop signal, and never in place of it. */
#include "support.h"

TestSuite(stop_command, .init = new_model);

static uint16_t with_stop_command(void) {
    uint16_t web = main_service("web");
    s.services[web].has_stop_command = true;
    s.services[web].stop_timeout = SEC(4);
    begin();
    return web;
}

Test(stop_command, the_stop_command_comes_first) {
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

Test(stop_command, its_failure_is_followed_by_the_signal_at_once) {
    uint16_t web = with_stop_command();
    tell_signal(T_TERM);
    at(300);
    mark();
    ends(aux_slot(web), 1);
    is_at(when(A_SIGNAL, run_slot(web), T_TERM), 300);
    the_end(0);
}

Test(stop_command, its_end_with_the_service_alive_too) {
    uint16_t web = with_stop_command();
    tell_signal(T_TERM);
    at(300);
    mark();
    ends(aux_slot(web), 0);
    is_at(when(A_SIGNAL, run_slot(web), T_TERM), 300);
    the_end(0);
}

Test(stop_command, if_it_cannot_run_too) {
    uint16_t web = with_stop_command();
    s.slow_exec[aux_slot(web)] = true;
    tell_signal(T_TERM);
    mark();
    spawn_failed(aux_slot(web), 127);
    is_at(when(A_SIGNAL, run_slot(web), T_TERM), 0);
    the_end(0);
}

Test(stop_command, a_hung_stop_command_does_not_outlive_the_deadline) {
    uint16_t web = with_stop_command();
    s.deaf[aux_slot(web)] = s.deaf[run_slot(web)] = true;
    tell_signal(T_TERM);
    at(4000);
    cr_assert_eq(kills(run_slot(web)), 1);
    cr_assert_eq(kills(aux_slot(web)), 1);
    the_end(124);
}

Test(stop_command, by_hand_it_has_ten_seconds) {
    uint16_t it = service("it");
    main_service("web");
    s.deaf[run_slot(it)] = true;
    begin();
    tell_ask(ASK_STOP_UNIT, it, 0);
    at(20000);
    is_at(when(A_KILL, run_slot(it), -1), 10000);
}

Test(stop_command, a_stop_command_that_hangs_ends_in_time_for_the_signal) {
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

Test(stop_command, of_a_short_time_a_fifth_is_kept_for_the_signal) {
    uint16_t web = with_stop_command();
    s.deaf[run_slot(web)] = s.deaf[aux_slot(web)] = true;
    s.services[web].stop_timeout = SEC(1);
    tell_signal(T_TERM);
    at(2000);
    is_at(when(A_SIGNAL, aux_slot(web), T_TERM), 600);
    is_at(when(A_KILL, aux_slot(web), -1), 800);
    is_at(when(A_SIGNAL, run_slot(web), T_TERM), 800);
    is_at(when(A_KILL, run_slot(web), -1), 1000);
    the_end(124);
}

/* A hook in the kernel's hands, which even KILL does not end, is not waited for. */
Test(stop_command, a_stop_command_that_does_not_end_keeps_no_signal_back) {
    uint16_t web = with_stop_command();
    s.undying[aux_slot(web)] = s.deaf[aux_slot(web)] = true;
    tell_signal(T_TERM);
    at(5000);
    is_at(when(A_KILL, aux_slot(web), -1), 3500);
    is_at(when(A_SIGNAL, run_slot(web), T_TERM), 3500);
    cr_assert_eq(kills(run_slot(web)), 0);
}

Test(stop_command, none_for_a_program_that_has_not_begun) {
    uint16_t it = service("it");
    s.services[it].has_stop_command = true;
    s.slow_exec[run_slot(it)] = true;
    begin();
    tell_signal(T_TERM);
    at(200);
    cr_assert_eq(spawns(aux_slot(it)), 0);
    is_at(when(A_KILL, run_slot(it), -1), 200);
    the_end(0);
}

Test(stop_command, none_for_what_a_crash_has_left_behind) {
    uint16_t it = service("it");
    s.services[it].has_stop_command = true, s.services[it].restart = RESTART_ALWAYS;
    begin();
    s.clings[run_slot(it)] = true;
    ends(run_slot(it), 1);
    tell_signal(T_TERM);
    cr_assert_eq(spawns(aux_slot(it)), 0);
    group_ends(run_slot(it));
    cr_assert(exited());
}

Test(stop_command, one_that_somebody_has_begun_by_hand_has_its_say) {
    uint16_t web = with_stop_command();
    s.deaf[aux_slot(web)] = true;
    tell_ask(ASK_STOP_UNIT, web, 0);
    at(1000);
    tell_signal(T_TERM);
    cr_assert_eq(signals(run_slot(web), -1), 0);
    cr_assert_eq(spawns(aux_slot(web)), 1);
    ends(aux_slot(web), 0);
    is_at(when(A_SIGNAL, run_slot(web), T_TERM), 1000);
    the_end(0);
}

Test(stop_command, one_of_the_run_before_keeps_no_signal_back) {
    uint16_t web = with_stop_command();
    s.deaf[aux_slot(web)] = true;
    tell_ask(ASK_RESTART_UNIT, web, 0);
    ends(run_slot(web), 0);
    at(1000);
    cr_assert_eq(spawns(run_slot(web)), 2);
    mark();
    tell_signal(T_TERM);
    is_at(when(A_SIGNAL, run_slot(web), T_TERM), 1000);
    ends(aux_slot(web), 0);
    the_end(0);
}

/* A reload-command has the same slot. */
Test(stop_command, a_reload_that_runs_is_none) {
    uint16_t web = main_service("web");
    s.services[web].has_reload_command = true, s.services[web].stop_timeout = SEC(4);
    begin();
    s.deaf[run_slot(web)] = s.deaf[aux_slot(web)] = true;
    tell_ask(ASK_RELOAD_UNIT, web, 0);
    tell_ask(ASK_STOP_UNIT, web, 0);
    tell_signal(T_TERM);
    at(3999);
    cr_assert_eq(signals(run_slot(web), T_TERM), 1);
    cr_assert_eq(signals(aux_slot(web), T_TERM), 0);
    at(4000);
    cr_assert_eq(kills(run_slot(web)), 1);
}
