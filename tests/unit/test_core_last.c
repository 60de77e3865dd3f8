/* The last moments: what is waited for once all stages have ended, how long, and what is told of it. */
#include "support.h"

TestSuite(last, .init = new_web);

static void stray_that_nothing_ends(void) { s.strays = 1, s.strays_deaf = s.strays_undying = true; }

/* ---- the end of all patience ---- */

Test(last, without_a_grace_it_gives_up_two_seconds_after_kill) {
    new_single();
    begin();
    stray_that_nothing_ends();
    ends(0, 5);
    at(1999);
    cr_assert_eq(count(A_SWEEP_KILL, NONE, -1), 0);
    at(3999);
    cr_assert_eq(count(A_SWEEP_KILL, NONE, -1), 1);
    cr_assert_not(exited());
    at(4000);
    cr_assert(exited());
    cr_assert_eq(exit_code(), 5);
    cr_assert_eq(core_verdict(&s.core), VERDICT_OVERRAN);
}

Test(last, what_happens_while_it_waits_is_no_reason_to_wait_longer) {
    new_single();
    begin();
    stray_that_nothing_ends();
    ends(0, 5);
    for (int64_t ms = 2500; ms < 4000; ms += 500) {
        at(ms);
        tell((struct event){.kind = EV_ORPHAN, .value = 1});
    }
    at(4000);
    cr_assert(exited());
}

Test(last, an_interrupt_while_it_waits_changes_nothing) {
    add_after(service("db"), WEB), service("other");
    begin();
    stray_that_nothing_ends();
    tell_signal(T_TERM);
    at(2500);
    mark();
    for (int i = 0; i < 3; i++)
        tell_signal(T_INT);
    cr_assert_eq(s.core.walk.stage, s.core.walk.n_stages);
    cr_assert_eq(count(A_SIGNAL, NONE, -1) + count(A_KILL, NONE, -1) + count(A_SWEEP_KILL, NONE, -1), 0);
    cr_assert_not(exited());
    at(9900);
    cr_assert(exited());
    cr_assert_eq(core_verdict(&s.core), VERDICT_OVERRAN);
}

Test(last, a_third_interrupt_in_the_sweep_is_kill_and_nothing_else) {
    for (int i = 0; i < 4; i++)
        drain((const char *[]){"a", "b", "c", "d"}[i], DO_SIGNAL);
    for (int i = 0; i < 4; i++)
        s.steps[i].target = WEB, s.steps[i].signal = T_USR1;
    begin();
    s.strays = 1, s.strays_deaf = true;
    tell_signal(T_TERM);
    is_state("sweep", S_ACT);
    at(100);
    mark();
    tell_signal(T_INT), tell_signal(T_INT);
    is_at(when(A_SWEEP_KILL, NONE, -1), 100);
    cr_assert_eq(notes(NOTE_HURRY) + notes(NOTE_KILL_ALL), 2);
    cr_assert_eq(notes(NOTE_PRESTOP_LAPSED), 0);
    the_end(0);
}

/* A container that was paused wakes up behind all deadlines: they come in their order, and the stop has begun. */
Test(last, a_stop_that_was_asleep_does_not_take_its_prestop_for_forgotten) {
    s.deaf[0] = true;
    begin();
    tell_ask(ASK_PRESTOP, NONE, 0);
    at(1000);
    tell_signal(T_TERM);
    s.now = (instant){SEC(3600).ns};
    tell((struct event){.kind = EV_TICK});
    cr_assert_eq(notes(NOTE_PRESTOP_LAPSED), 0);
    cr_assert_eq(kills(0), 1);
    the_end(124);
}

/* ---- who is waited for ---- */

static void without_sweep(void) {
    s.model.policy.sweep = false;
    s.services[WEB].stop_timeout = SEC(2);
}

Test(last, off_every_leader_that_got_kill_is_reaped) {
    uint16_t db = service("db");
    without_sweep();
    s.services[db].stop_timeout = SEC(2);
    s.deaf[run_slot(db)] = s.undying[run_slot(db)] = true;
    begin();
    tell_signal(T_TERM);
    at(3000);
    is_at(when(A_KILL, run_slot(db), -1), 2000);
    cr_assert_not(exited());
    ends(run_slot(db), -T_KILL);
    the_end(124);
}

Test(last, off_one_that_got_kill_before_its_exec_is_reaped) {
    without_sweep();
    s.slow_exec[0] = s.undying[0] = true;
    begin();
    tell_signal(T_TERM);
    at(3000);
    is_at(when(A_KILL, 0, -1), 200);
    cr_assert_not(exited());
    ends(0, -T_KILL);
    the_end(124);
}

/* The helper that talks lives on, and so may a hook: nobody told them to go. */
Test(last, off_who_got_no_kill_is_not_waited_for) {
    uint16_t a = drain("a", DO_COMMAND);
    without_sweep();
    s.model.policy.net = true;
    begin();
    lasts(a);
    tell_signal(T_TERM);
    at(100);
    tell_ask(ASK_HURRY, NONE, 0);
    is_at(when(A_SIGNAL, step_slot(a), T_TERM), 100);
    is_at(when(A_EXIT, NONE, -1), 100);
    cr_assert(s.alive[step_slot(a)] && s.alive[net_slot()]);
}

Test(last, off_what_a_leader_leaves_behind_is_not_waited_for) {
    without_sweep();
    s.clings[0] = s.undying[0] = true;
    begin();
    tell_signal(T_TERM);
    at(2000);
    is_at(when(A_KILL, 0, -1), 2000);
    is_at(when(A_EXIT, NONE, -1), 2000);
}

Test(last, off_a_restore_that_never_began_is_not_waited_for) {
    without_sweep();
    checkpoint("all", PH_N, NONE);
    s.checkpoints[0].has_restore = true;
    begin();
    s.strays = 1;
    tell_signal(T_TERM);
    ends(record_slot(), 0); /* how the last run ended */
    ends(record_slot(), 0);
    is_at(when(A_EXIT, NONE, -1), 0);
}

/* It hears so late that its patience would be over. */
Test(last, off_when_no_child_is_left_nobody_is_left_behind) {
    without_sweep();
    s.deaf[0] = s.undying[0] = true;
    begin();
    tell_signal(T_TERM);
    at(2000);
    s.now = (instant){SEC(9).ns + MS(950).ns};
    ends(0, -T_KILL);
    cr_assert(exited());
    cr_assert_eq(core_verdict(&s.core), VERDICT_FORCED);
}
