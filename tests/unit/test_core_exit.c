/* Exit codes and verdicts: the table of DESIGN 9. */
#include "support.h"

static void setup(void) {
    new_web();
    s.services[WEB].stop_timeout = SEC(2);
}

TestSuite(exits, .init = setup);

/* ---- main's own exit ---- */

static int own(int exit) {
    setup();
    s.services[WEB].success_codes[0] |= UINT64_C(1) << 5;
    s.services[WEB].success_codes[2] |= UINT64_C(1) << (150 - 128);
    s.services[WEB].success_signals = signal_bit(T_USR2);
    begin();
    ends(0, exit);
    cr_assert_eq(s.core.walk.cause, BY_MAIN);
    cr_assert(exited());
    nothing_is_left();
    return exit_code();
}

Test(exits, mains_own_exit_is_its_code) {
    cr_assert_eq(own(0), 0);
    cr_assert_eq(own(1), 1);
    cr_assert_eq(own(255), 255);
    cr_assert_eq(own(-11), 139);
    cr_assert_eq(own(-15), 143, "nobody told it to");
    cr_assert_eq(own(143), 143);
}

Test(exits, success_exit_is_0) {
    cr_assert_eq(own(5), 0);
    cr_assert_eq(own(150), 0);
    cr_assert_eq(own(-12), 0);
}

Test(exits, mains_code_stands_though_others_had_to_be_killed) {
    uint16_t db = service("db");
    s.services[db].stop_timeout = SEC(1);
    s.deaf[1] = true;
    begin();
    ends(0, 3);
    at(1000);
    the_end(3);
}

Test(exits, main_skips_announce_and_drain_but_not_the_rest) {
    uint16_t a = drain("a", DO_COMMAND), f = finish("f", DO_COMMAND), db = service("db");
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(3);
    begin();
    ends(0, 3);
    cr_assert_eq(spawns(step_slot(a)), 0);
    is_state("announce", S_SKIPPED);
    is_state("a", S_SKIPPED);
    cr_assert(signals(run_slot(db), T_TERM));
    cr_assert_eq(spawns(step_slot(f)), 1);
    ends(step_slot(f), 0);
    is_at(ms_of(s.now), 0);
    the_end(3);
}

Test(exits, a_required_finish_that_fails_does_not_change_mains_code) {
    uint16_t f = finish("f", DO_COMMAND);
    s.steps[f].required = true;
    begin();
    ends(0, 3);
    ends(step_slot(f), 9);
    the_end(3);
}

/* ---- a requested stop ---- */

static int requested(int exit) {
    setup();
    s.services[WEB].success_codes[0] |= UINT64_C(1) << 5;
    s.services[WEB].n_stop = 2;
    s.services[WEB].stop[1] = (struct escalation){T_QUIT, MS(500)};
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    at(1000);
    ends(0, exit);
    cr_assert(exited());
    nothing_is_left();
    return exit_code();
}

Test(exits, requested_and_ended_as_told_is_0) {
    cr_assert_eq(requested(0), 0);
    cr_assert_eq(requested(5), 0);
    cr_assert_eq(requested(-T_QUIT), 0);
    cr_assert_eq(requested(128 + T_QUIT), 0);
    cr_assert_eq(requested(-T_TERM), 0, "any of those it was sent");
    cr_assert_eq(requested(143), 0);
}

Test(exits, requested_and_ended_otherwise_is_mains_code) {
    cr_assert_eq(requested(1), 1);
    cr_assert_eq(requested(-11), 139);
    cr_assert_eq(requested(-T_INT), 130, "it was not sent INT");
    cr_assert_eq(requested(77), 77);
}

Test(exits, an_escalation_that_never_came_was_not_sent) {
    s.services[WEB].n_stop = 2;
    s.services[WEB].stop[1] = (struct escalation){T_QUIT, SEC(1)};
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    at(500);
    ends(0, -T_QUIT);
    the_end(131);
}

Test(exits, requested_and_killed_is_124) {
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    at(2000);
    cr_assert_eq(core_verdict(&s.core), VERDICT_FORCED);
    the_end(124);
}

Test(exits, another_service_that_had_to_be_killed_is_124_too) {
    uint16_t db = service("db");
    s.services[db].stop_timeout = SEC(1);
    s.deaf[1] = true;
    begin();
    tell_signal(T_TERM);
    at(1000);
    the_end(124);
}

Test(exits, a_required_step_that_had_to_be_killed_is_124) {
    uint16_t f = finish("f", DO_COMMAND);
    s.steps[f].required = true, s.steps[f].timeout = SEC(1);
    begin();
    lasts(f);
    tell_signal(T_TERM);
    at(1000);
    the_end(124);
}

Test(exits, one_that_is_not_required_is_not) {
    uint16_t f = finish("f", DO_COMMAND);
    s.steps[f].timeout = SEC(1);
    begin();
    lasts(f);
    tell_signal(T_TERM);
    at(1000);
    cr_assert_eq(core_verdict(&s.core), VERDICT_FORCED);
    the_end(0);
}

Test(exits, kills_in_the_sweep_change_the_verdict_never_the_code) {
    begin();
    s.strays = 1, s.strays_deaf = true;
    tell_signal(T_TERM);
    at(2000);
    cr_assert_eq(core_verdict(&s.core), VERDICT_FORCED);
    the_end(0);
}

Test(exits, without_main_everything_counts) {
    new_model();
    uint16_t a = service("a"), b = service("b");
    s.deaf[a] = s.deaf[b] = true;
    begin();
    tell_signal(T_TERM);
    ends(a, -T_TERM);
    ends(b, 6);
    the_end(6);
}

Test(exits, what_had_ended_before_a_requested_stop_is_no_part_of_it) {
    new_model();
    uint16_t a = service("a"), b = service("b");
    s.services[a].essential = false, s.services[a].restart = RESTART_NO;
    begin();
    ends(run_slot(a), 9);
    at(60000);
    tell_signal(T_TERM);
    cr_assert_eq(unit_state(b), U_DOWN);
    the_end(0);
}

Test(exits, a_main_that_never_ran_is_0) {
    uint16_t db = service("db");
    add_after(WEB, db);
    check_of(db, CHECK_TCP, false);
    begin();
    tell_signal(T_TERM);
    the_end(0);
}

Test(exits, every_way_of_asking_is_a_requested_stop) {
    static const uint8_t verbs[] = {ASK_STOP, ASK_HURRY};
    for (unsigned i = 0; i < 2; i++) {
        setup();
        begin();
        tell_ask(verbs[i], NONE, 0);
        the_end(0);
    }
    setup();
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    tell_signal(T_TERM);
    the_end(0);
}

Test(exits, expect_exit_counts_with_a_file_too) {
    s.model.policy.expect_codes[0] |= UINT64_C(1) << 3;
    begin();
    ends(0, 3);
    the_end(0);
}

/* ---- others that end it ---- */

Test(exits, an_essential_services_code) {
    uint16_t db = service("db");
    s.services[db].restart = RESTART_NO;
    s.deaf[0] = true;
    begin();
    ends(run_slot(db), 42);
    at(2000);
    the_end(42);
}

Test(exits, the_end_of_all_is_the_first_code_that_is_not_0) {
    new_model();
    for (uint16_t i = 0; i < 3; i++) {
        static const char *const names[] = {"a", "b", "c"};
        service(names[i]);
        s.services[i].essential = false, s.services[i].restart = RESTART_NO;
    }
    begin();
    ends(0, 0), ends(2, 4), ends(1, -9);
    the_end(137);
}

/* ---- verdicts ---- */

Test(exits, no_verdict_before_a_stop) {
    begin();
    cr_assert_eq(core_verdict(&s.core), VERDICT_NONE);
}

Test(exits, clean) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND);
    s.steps[b].run_if = RUN_IF_FAILED, s.steps[b].run_if_step = a;
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 0);
    is_state("b", S_SKIPPED);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
    the_end(0);
}

Test(exits, degraded_by_a_failure) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    tell_signal(T_TERM);
    ends(step_slot(a), 1);
    cr_assert_eq(core_verdict(&s.core), VERDICT_DEGRADED);
    the_end(0);
}

Test(exits, degraded_by_a_timeout) {
    uint16_t a = drain("a", DO_WAIT_EXIT);
    s.steps[a].target = WEB, s.steps[a].timeout = SEC(1);
    begin();
    tell_signal(T_TERM);
    at(1000);
    cr_assert_eq(core_verdict(&s.core), VERDICT_DEGRADED);
    the_end(0);
}

Test(exits, overran_when_something_cannot_be_killed) {
    s.deaf[0] = s.undying[0] = true;
    begin();
    tell_signal(T_TERM);
    at(10000);
    cr_assert_eq(core_verdict(&s.core), VERDICT_OVERRAN);
    cr_assert_eq(exit_code(), 124);
    cr_assert(is_never(core_next(&s.core)));
}

/* ---- prestop by itself: no running lastcall ---- */

static void phases_only(void) {
    new_model();
    s.model.policy.phases_only = true, s.model.policy.sweep = false;
}

Test(exits, the_phases_alone_announce_drain_and_go) {
    phases_only();
    uint16_t a = drain("a", DO_COMMAND);
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(1);
    uint16_t db = service("db");
    s.steps[a].for_service = db;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    cr_assert_eq(spawns(run_slot(db)), 0, "the services are another's");
    at(1000);
    cr_assert_eq(spawns(step_slot(a)), 1);
    ends(step_slot(a), 0);
    the_end(0);
}

Test(exits, a_notice_does_not_cut_the_phases_alone_short) {
    phases_only();
    uint16_t a = drain("a", DO_COMMAND);
    service("db");
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    at(500);
    tell_signal(T_TERM);
    cr_assert_eq(signals(step_slot(a), T_TERM), 0);
    at(700);
    ends(step_slot(a), 0);
    the_end(0);
}

Test(exits, a_main_that_is_a_oneshot) {
    new_model();
    uint16_t job = oneshot("job"), side = service("side");
    s.services[job].main = true, s.model.main = job;
    begin();
    ends(run_slot(job), 0);
    cr_assert(signals(run_slot(side), T_TERM));
    cr_assert_eq(s.core.walk.cause, BY_MAIN);
    the_end(0);
}

static int live_fails(bool deaf, int exit) {
    setup();
    uint16_t db = service("db"), live = check_of(db, CHECK_TCP, true);
    s.checks[live].then = THEN_SHUTDOWN, s.services[db].stop_timeout = SEC(2), s.services[db].restart = RESTART_NO;
    s.deaf[run_slot(db)] = deaf;
    if (exit)
        s.ends[0] = exit + 1;
    begin();
    tell_check(live, false);
    at(9000);
    cr_assert_eq(s.core.walk.cause, BY_LIVE);
    cr_assert(exited());
    return exit_code();
}

Test(exits, a_live_check_that_shuts_down_is_never_0) {
    cr_assert_eq(live_fails(false, 0), 1);
    cr_assert_eq(live_fails(false, 7), 7);
    cr_assert_eq(live_fails(true, 0), 124);
    cr_assert_eq(live_fails(true, 7), 124);
}

static int service_ends(int before, int exit) {
    setup();
    uint16_t a = service("a"), b = service("b");
    s.services[a].essential = false;
    s.services[a].restart = s.services[b].restart = RESTART_NO;
    begin();
    ends(run_slot(a), before);
    ends(run_slot(b), exit);
    cr_assert_eq(s.core.walk.cause, BY_SERVICE);
    cr_assert(exited());
    return exit_code();
}

Test(exits, an_essential_services_end_is_its_own_code_alone) {
    cr_assert_eq(service_ends(3, 5), 5);
    cr_assert_eq(service_ends(3, 0), 0);
}

/* All end at once, of which it hears so late. */
static uint8_t verdict_at(int64_t ms) {
    setup();
    s.services[WEB].stop_timeout = FOREVER;
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    s.now = (instant){ms * NS_PER_MS}; /* the machine slept */
    ends(0, 0);
    cr_assert(exited() && !s.core.left_behind);
    return core_verdict(&s.core);
}

Test(exits, a_grace_that_is_over_is_overrun) {
    cr_assert_neq(verdict_at(9999), VERDICT_OVERRAN);
    cr_assert_eq(verdict_at(10000), VERDICT_OVERRAN);
    cr_assert_eq(verdict_at(12000), VERDICT_OVERRAN);
}
