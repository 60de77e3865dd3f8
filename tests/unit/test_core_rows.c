/* Rows of the plan at their edges: said, hurried, paused, gated, extended, without time. */
#include "support.h"

TestSuite(rows, .init = new_model);

static bool row_said(const char *name, uint8_t state) {
    for (struct said *it = s.said; (it = find_said(A_NOTE, NONE, -1, (uint32_t)(it - s.said))); it++)
        if (it->action.value == NOTE_ROW && it->action.subject == row(name) - s.core.walk.rows && it->action.extra == state)
            return true;
    return false;
}

Test(rows, each_state_of_a_step_is_said) {
    uint16_t a = drain("a", DO_COMMAND);
    main_service("web");
    begin();
    tell_signal(T_TERM);
    cr_assert(row_said("a", S_ACT));
    ends(step_slot(a), 1);
    cr_assert(row_said("a", S_FAILED));
    cr_assert(row_said("web", S_DONE) && !row_said("web", S_TIMEOUT));
    the_end(0);
}

Test(rows, a_step_that_is_hurried_has_a_second) {
    uint16_t a = drain("a", DO_COMMAND);
    main_service("web");
    s.deaf[0] = true;
    begin();
    lasts(a);
    tell_signal(T_TERM);
    tell_signal(T_INT);
    at(999);
    cr_assert_eq(kills(step_slot(a)), 0);
    at(1000);
    cr_assert_eq(kills(step_slot(a)), 1);
}

static uint8_t with_less_than_it_needs(uint8_t action, bool gate) {
    new_model();
    uint16_t a = drain("a", action);
    s.steps[a].timeout = MS(49), s.steps[a].sleep = MS(10), s.steps[a].has_only_if = gate;
    main_service("web");
    begin();
    tell_signal(T_TERM);
    at(1000);
    cr_assert_eq(spawns(step_slot(a)), 0);
    cr_assert_eq(is_never(row("a")->start), row("a")->state == S_SKIPPED);
    return row("a")->state;
}

Test(rows, a_command_without_time_is_skipped_and_anything_else_is_not) {
    cr_assert_eq(with_less_than_it_needs(DO_COMMAND, false), S_SKIPPED);
    cr_assert_eq(with_less_than_it_needs(DO_COMMAND, true), S_SKIPPED);
    cr_assert_eq(with_less_than_it_needs(DO_SLEEP, true), S_SKIPPED);
    cr_assert_eq(with_less_than_it_needs(DO_SLEEP, false), S_DONE);
}

Test(rows, a_signal_step_is_for_all_instances_that_live) {
    uint16_t it = service("it"), a = drain("a", DO_SIGNAL), b = drain("b", DO_SIGNAL);
    s.units[s.model.n_units++] = (struct unit_policy){.name = "it.1", .service = it, .ordinal = 1, .ready = NONE, .live = NONE};
    s.services[it].n_units = 2, s.services[it].restart = RESTART_NO;
    uint16_t other = service("other");
    s.steps[a].target = it, s.steps[a].signal = T_USR1;
    s.steps[b].target = it, s.steps[b].signal = T_USR2;
    begin();
    s.deaf[1] = s.deaf[other + 1] = true;
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(signals(0, T_USR1), 1);
    cr_assert_eq(signals(1, T_USR1), 1);
    cr_assert_eq(signals(s.services[other].first_unit, T_USR1), 0);
    ends(0, -T_USR1);
    ends(1, -T_USR2);
    cr_assert(s.core.units[0].ended_well && s.core.units[1].ended_well, "both were sent to it");
}

Test(rows, a_signal_step_for_nobody_is_skipped) {
    uint16_t it = service("it"), a = drain("a", DO_SIGNAL);
    s.steps[a].target = it, s.steps[a].signal = T_USR1;
    s.services[it].restart = RESTART_NO, s.services[it].essential = false;
    main_service("web");
    begin();
    ends(run_slot(it), 0);
    tell_signal(T_TERM);
    is_state("a", S_SKIPPED);
}

static void stop_of_one_that_ended(int exit) {
    new_model();
    uint16_t it = service("it"), late = service("late");
    s.services[it].restart = RESTART_NO, s.services[it].essential = false;
    main_service("web");
    add_after(late, it);
    check_of(it, CHECK_TCP, false);
    begin();
    ends(run_slot(it), exit);
    tell_signal(T_TERM);
    is_state("it", S_DONE);
    cr_assert_eq(row("it")->exit, exit);
    cr_assert(row("it")->had_ended);
    is_state("late", S_SKIPPED);
    cr_assert_eq(row("late")->exit, EXIT_UNKNOWN);
    cr_assert(!row("late")->had_ended && !row("web")->had_ended);
}

Test(rows, the_stop_of_one_that_has_ended_by_itself_is_done) {
    stop_of_one_that_ended(3);
    stop_of_one_that_ended(0);
}

/* Its row waits for what it left behind. */
Test(rows, one_whose_leader_ended_before_its_turn_had_ended) {
    main_service("web");
    s.clings[0] = s.strays_deaf = true;
    service("other");
    s.deaf[1] = true;
    begin();
    ends(0, 3);
    is_state("web", S_ACT);
    cr_assert(row("web")->had_ended && !row("other")->had_ended);
    ends(1, 4);
    group_ends(0);
    is_state("web", S_DONE);
    cr_assert_eq(row("web")->exit, 3);
    cr_assert(row("web")->had_ended && !row("other")->had_ended);
}

Test(rows, a_step_of_which_there_is_no_row_is_not_done) {
    uint16_t never = step("never", PH_N, DO_COMMAND), a = drain("a", DO_COMMAND);
    s.steps[a].stage = 0, s.steps[a].run_if = RUN_IF_DONE, s.steps[a].run_if_step = never;
    main_service("web");
    begin();
    tell_signal(T_TERM);
    is_state("a", S_SKIPPED);
}

Test(rows, a_pause_ends_with_the_deadline_that_a_clock_brings) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].retries = 3, s.steps[a].every = SEC(60);
    main_service("web");
    s.services[0].stop_timeout = SEC(2);
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 1);
    is_state("a", S_PAUSE);
    tell_signal(T_TERM);
    is_at(ms_of(core_next(&s.core)), 6800);
    at(6800);
    is_state("a", S_TIMEOUT);
    the_end(0);
}

Test(rows, a_pause_that_is_over_before_the_new_deadline_stays) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].retries = 3, s.steps[a].every = SEC(1);
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(a), 1);
    tell_signal(T_TERM);
    at(1000);
    cr_assert_eq(spawns(step_slot(a)), 2);
}

Test(rows, a_gate_gets_term_before_the_deadline_that_a_clock_brings) {
    uint16_t a = drain("a", DO_SIGNAL);
    s.steps[a].has_only_if = true, s.steps[a].target = 0, s.steps[a].signal = T_USR1;
    main_service("web");
    s.services[0].stop_timeout = SEC(2);
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_signal(T_TERM);
    at(6800);
    is_at(when(A_SIGNAL, step_slot(a), T_TERM), 6300);
    is_at(when(A_KILL, step_slot(a), -1), 6800);
    is_state("a", S_TIMEOUT);
}

Test(rows, a_sleep_whose_gate_hangs_has_not_slept) {
    uint16_t a = drain("a", DO_SLEEP);
    s.steps[a].has_only_if = true, s.steps[a].sleep = SEC(1), s.steps[a].timeout = SEC(3);
    main_service("web");
    begin();
    lasts(a);
    tell_signal(T_TERM);
    at(3000);
    is_state("a", S_TIMEOUT);
}

Test(rows, more_time_is_no_second_stop) {
    main_service("web");
    s.services[0].stop_timeout = SEC(2);
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    tell((struct event){.kind = EV_EXTEND, .subject = 0, .more = SEC(5)});
    is_at(ms_of(core_next(&s.core)), 5000);
    mark();
    at(4999);
    cr_assert_eq(s.n_said, s.mark);
    at(5000);
    cr_assert_eq(kills(0), 1);
    is_state("web", S_TIMEOUT);
}

Test(rows, a_third_interrupt_kills_service_and_stop_command) {
    main_service("web");
    s.services[0].has_stop_command = true;
    begin();
    s.deaf[0] = s.deaf[aux_slot(0)] = s.strays_deaf = true;
    s.strays = 1;
    tell_signal(T_INT);
    tell_signal(T_INT);
    mark();
    tell_signal(T_INT);
    cr_assert_eq(kills(0), 1);
    cr_assert_eq(kills(aux_slot(0)), 1);
    is_state("web", S_TIMEOUT);
    is_state("sweep", S_TIMEOUT);
    cr_assert_eq(row("web")->killed, true);
}

Test(rows, a_try_needs_fifty_milliseconds) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].retries = 3, s.steps[a].every = MS(950), s.steps[a].timeout = SEC(1);
    main_service("web");
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 1);
    at(950);
    cr_assert_eq(spawns(step_slot(a)), 2);
}

Test(rows, one_that_ends_by_its_term_was_out_of_time) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].timeout = SEC(5);
    main_service("web");
    begin();
    tell_signal(T_TERM);
    at(4500);
    is_state("a", S_TIMEOUT);
    cr_assert_eq(kills(step_slot(a)), 0);
    cr_assert_eq(core_verdict(&s.core), VERDICT_DEGRADED);
    the_end(0);
}

Test(rows, the_end_of_an_undo_is_no_answer_of_a_sleep) {
    uint16_t a = drain("a", DO_SLEEP);
    s.steps[a].has_undo = true, s.steps[a].sleep = SEC(5);
    main_service("web");
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    at(5000);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert_eq(spawns(step_slot(a)), 1);
    tell_ask(ASK_DRAIN, NONE, 0);
    is_state("a", S_ACT);
    ends(step_slot(a), 0);
    is_state("a", S_ACT);
    at(10000);
    is_state("a", S_DONE);
}

/* One service has ended, the one after it has not. */
static uint16_t one_ended(uint8_t action) {
    uint16_t gone = service("gone"), a = drain("a", action);
    service("here");
    s.services[gone].restart = RESTART_NO, s.services[gone].essential = false;
    s.steps[a].target = gone;
    begin();
    s.deaf[1] = true;
    return a;
}

Test(rows, a_wait_is_for_one_service) {
    uint16_t a = one_ended(DO_WAIT_EXIT);
    s.steps[a].target = 1, s.steps[a].timeout = SEC(1);
    s.deaf[0] = true;
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(0, 0);
    is_state("a", S_ACT);
    ends(1, 0);
    is_state("a", S_DONE);
}

Test(rows, what_has_ended_is_not_waited_for_though_others_live) {
    one_ended(DO_WAIT_EXIT);
    ends(0, 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    is_state("a", S_DONE);
}

Test(rows, a_service_lives_as_long_as_one_of_its_instances) {
    uint16_t it = service("it"), a = drain("a", DO_WAIT_EXIT);
    s.units[s.model.n_units++] = (struct unit_policy){.name = "it.1", .service = it, .ordinal = 1, .ready = NONE, .live = NONE};
    s.services[it].n_units = 2, s.services[it].restart = RESTART_NO;
    s.steps[a].target = it;
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(0, 0);
    is_state("a", S_ACT);
    ends(1, 0);
    is_state("a", S_DONE);
}

Test(rows, a_gate_is_asked_once) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_only_if = true, s.steps[a].retries = 1, s.steps[a].every = SEC(1);
    main_service("web");
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(find_said(A_SPAWN, step_slot(a), -1, 0)->action.value, CMD_ONLY_IF);
    ends(step_slot(a), 0);
    mark();
    ends(step_slot(a), 1);
    at(1000);
    cr_assert_eq(find_said(A_SPAWN, step_slot(a), -1, s.mark)->action.value, CMD_STEP);
}

Test(rows, the_last_try_ends_with_the_deadline_too) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].retries = 1, s.steps[a].every = SEC(1), s.steps[a].timeout = SEC(3);
    main_service("web");
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 1);
    at(1000);
    s.deaf[step_slot(a)] = s.undying[step_slot(a)] = true;
    at(2999);
    is_state("a", S_ACT);
    at(3000);
    is_state("a", S_TIMEOUT);
}

Test(rows, the_exit_of_one_whose_tree_was_killed_is_told) {
    main_service("web");
    s.services[0].stop_timeout = SEC(2);
    s.clings[0] = s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    ends(0, 7);
    at(2000);
    is_state("web", S_TIMEOUT);
    cr_assert_eq(row("web")->exit, 7);
}
