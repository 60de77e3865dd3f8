/* Prestop and the stop that follows, shutdown, finish: DESIGN 4. */
#include "support.h"

TestSuite(prestop, .init = new_web);

/* ---- prestop ---- */

Test(prestop, prestop_and_the_later_term_share_one_clock) {
    uint16_t a = drain("a", DO_COMMAND);
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    cr_assert_eq(s.core.walk.goal, GO_DRAIN);
    is_at(ms_of(s.core.walk.clock), 0);
    at(2000);
    ends(step_slot(a), 0);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
    cr_assert_eq(signals(0, -1), 0);
    at(4000);
    tell_signal(T_TERM);
    is_at(ms_of(s.core.walk.clock), 0);
    is_at(when(A_SIGNAL, 0, T_TERM), 4000);
    is_at(ms_of(row("web")->deadline), 8800);
    at(8800);
    the_end(124);
}

Test(prestop, prestop_with_late_has_less) {
    s.deaf[0] = true;
    begin();
    at(5000);
    tell_ask(ASK_PRESTOP, NONE, 3000);
    is_at(ms_of(s.core.walk.clock), 2000);
    tell_signal(T_TERM);
    is_at(ms_of(row("web")->deadline), 10800);
    at(10800);
    the_end(124);
}

Test(prestop, without_a_grace_never_lapses_however_early_in_the_machines_life) {
    s.model.policy.grace = FOREVER;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 4000); /* it began before the clock of the machine did */
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
    cr_assert(is_never(core_next(&s.core)));
}

Test(prestop, a_prestop_that_nobody_follows_is_undone_and_said) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_undo = true;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    ends(step_slot(a), 0);
    at(9999);
    cr_assert_eq(notes(NOTE_PRESTOP_LAPSED), 0);
    at(10000);
    cr_assert_eq(notes(NOTE_PRESTOP_LAPSED), 1);
    cr_assert_eq(spawns(step_slot(a)), 2);
    ends(step_slot(a), 0);
    cr_assert(core_ready(&s.core));
    cr_assert(is_never(s.core.walk.clock));
    cr_assert(is_never(core_next(&s.core)));
    cr_assert_not(exited());
    at(20000);
    tell_signal(T_TERM);
    is_at(ms_of(s.core.walk.clock), 20000);
    ends(step_slot(a), 0);
    the_end(0);
}

Test(prestop, a_stop_while_a_lapsed_prestop_is_undone_has_a_clock_of_its_own) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_undo = true, s.steps[a].timeout = SEC(5);
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    ends(step_slot(a), 0);
    at(10000);
    cr_assert_eq(spawns(step_slot(a)), 2);
    at(11000);
    mark();
    tell_signal(T_TERM);
    is_at(ms_of(s.core.walk.clock), 11000);
    cr_assert_eq(count(A_KILL, NONE, -1), 0);
    cr_assert_eq(s.core.walk.cause, BY_SIGNAL);
    at(11010);
    while (!exited() && s.alive[step_slot(a)])
        ends(step_slot(a), 0);
    the_end(0);
}

Test(prestop, nothing_starts_under_a_prestops_clock) {
    uint16_t worker = service("worker");
    s.services[worker].restart = RESTART_ALWAYS;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    mark();
    ends(run_slot(worker), 1);
    at(9999);
    cr_assert_eq(spawns(NONE), 0);
    at(11000);
    cr_assert_eq(spawns(run_slot(worker)), 1);
}

Test(prestop, prestop_in_a_drain_adds_the_clock) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    lasts(a);
    tell_ask(ASK_DRAIN, NONE, 0);
    at(30000);
    tell_ask(ASK_PRESTOP, NONE, 0);
    is_at(ms_of(s.core.walk.clock), 30000);
    is_at(ms_of(row("a")->deadline), 30000 + 8800 - 4400);
}

Test(prestop, prestop_in_a_stop_changes_nothing) {
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    at(1000);
    tell_ask(ASK_PRESTOP, NONE, 5000);
    is_at(ms_of(s.core.walk.clock), 0);
    cr_assert_eq(s.core.walk.goal, GO_EXIT);
}

Test(prestop, a_stop_one_millisecond_before_a_prestops_end_is_in_time) {
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    at(9999);
    tell_signal(T_TERM);
    at(10000);
    cr_assert(exited());
}

Test(prestop, resume_under_a_prestops_clock_stops_the_clock) {
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    at(500);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(is_never(s.core.walk.clock));
    cr_assert(core_ready(&s.core));
    cr_assert(is_never(core_next(&s.core)));
}

/* ---- shutdown ---- */

Test(prestop, shutdown_is_as_sigterm) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    tell_ask(ASK_STOP, NONE, 0);
    cr_assert_eq(s.core.walk.cause, BY_SHUTDOWN);
    cr_assert_eq(spawns(step_slot(a)), 1);
    ends(step_slot(a), 0);
    the_end(0);
}

Test(prestop, shutdown_now_skips_announce_and_drain) {
    uint16_t a = drain("a", DO_COMMAND), f = finish("f", DO_COMMAND);
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(2);
    begin();
    tell_ask(ASK_HURRY, NONE, 0);
    cr_assert_eq(spawns(step_slot(a)), 0);
    cr_assert_eq(spawns(step_slot(f)), 1);
    ends(step_slot(f), 0);
    is_at(ms_of(s.now), 0);
    the_end(0);
}

Test(prestop, shutdown_now_hurries_a_stop_that_runs) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    tell_signal(T_TERM);
    at(100);
    tell_ask(ASK_HURRY, NONE, 0);
    is_at(when(A_SIGNAL, step_slot(a), T_TERM), 100);
    is_at(when(A_SIGNAL, 0, T_TERM), 100);
    the_end(0);
}

/* ---- finish ---- */

Test(prestop, finish_runs_after_the_services_at_every_end) {
    uint16_t f = finish("f", DO_COMMAND);
    begin();
    ends(0, 9);
    cr_assert_eq(spawns(step_slot(f)), 1);
    at(300);
    ends(step_slot(f), 0);
    the_end(9);
}

Test(prestop, finish_is_promised_a_second) {
    uint16_t f = finish("f", DO_COMMAND);
    s.services[WEB].stop_timeout = SEC(60);
    s.deaf[0] = true;
    begin();
    lasts(f);
    tell_signal(T_TERM);
    is_at(span_ms(row("f")->guarantee), 1000);
    at(10000);
    cr_assert_eq(spawns(step_slot(f)), 1);
    the_end(124);
}

/* Announce and drain, for another's services: what comes after them is not ours, whatever signal comes. */
Test(prestop, the_phases_alone_end_with_the_drain_also_after_a_stop_signal) {
    new_model();
    s.model.policy.phases_only = true, s.model.policy.sweep = false;
    uint16_t a = drain("a", DO_COMMAND), last = finish("last", DO_COMMAND);
    checkpoint("state", PH_N, service("db"));
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    tell_signal(T_TERM);
    at(700);
    ends(step_slot(a), 0);
    cr_assert_eq(spawns(step_slot(last)) + spawns(record_slot()), 0);
    the_end(0);
}
