/* Notices: what each begins, what it skips, and what it leaves its time. */
#include "support.h"

TestSuite(notice, .init = new_web);

static struct action *began(void) {
    for (uint32_t i = s.mark; i < s.n_said; i++)
        if (s.said[i].action.kind == A_NOTE && s.said[i].action.value == NOTE_STOP_BEGAN)
            return &s.said[i].action;
    cr_assert_fail("nothing began");
    return NULL;
}

/* ---- what is said ---- */

Test(notice, a_drain_is_said_once_and_with_its_cause) {
    drain("a", DO_COMMAND);
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(began()->subject, BY_DRAIN);
    cr_assert_eq(began()->extra, 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(notes(NOTE_STOP_BEGAN), 1);
    mark();
    tell_ask(ASK_PRESTOP, NONE, 0);
    cr_assert_eq(began()->subject, BY_PRESTOP);
    tell_ask(ASK_PRESTOP, NONE, 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(notes(NOTE_STOP_BEGAN), 1);
    mark();
    tell_signal(T_TERM);
    cr_assert_eq(began()->subject, BY_SIGNAL);
    cr_assert_eq(began()->extra, T_TERM);
}

/* Others see who is stopping, whatever has changed beside it. */
Test(notice, each_is_told) {
    drain("a", DO_COMMAND);
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    mark();
    tell_ask(ASK_PRESTOP, NONE, 0);
    cr_assert_eq(count(A_PUBLISH, NONE, -1), 1);
    tell_signal(T_TERM);
    cr_assert_eq(count(A_PUBLISH, NONE, -1), 2);
}

/* ---- what an end that nobody asked for skips ---- */

static void with_announce_and_drain(void) {
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(2);
    drain("a", DO_COMMAND);
}

Test(notice, when_all_have_ended_there_is_nobody_to_announce_for) {
    new_model();
    with_announce_and_drain();
    s.services[oneshot("job")].essential = false;
    begin();
    ends(run_slot(0), 3);
    cr_assert_eq(s.core.walk.cause, BY_ALL_ENDED);
    is_at(when(A_EXIT, NONE, -1), 0);
    is_state("announce", S_SKIPPED);
    is_state("a", S_SKIPPED);
    the_end(3);
}

static void with_restore(void) {
    new_model();
    with_announce_and_drain();
    service("db");
    s.services[0].restart = RESTART_ALWAYS;
    checkpoint("state", PH_N, 0);
    s.checkpoints[0].has_restore = s.checkpoints[0].on_restart = true;
    begin();
    ends(record_slot(), 0);
}

Test(notice, a_restore_that_fails_before_the_start_stops_at_once) {
    with_restore();
    ends(step_slot(1), 6);
    is_state("announce", S_SKIPPED);
    is_state("a", S_SKIPPED);
}

Test(notice, a_restore_that_fails_later_does_not) {
    with_restore();
    ends(step_slot(1), 0);
    ends(run_slot(0), 1);
    at(100);
    ends(step_slot(1), 6);
    cr_assert_eq(s.core.walk.cause, BY_RESTORE);
    is_state("announce", S_ACT);
    at(2100);
    is_state("a", S_ACT);
}

/* A service beside it that ended for good has served others: they are told. */
Test(notice, an_essential_services_end_is_announced) {
    with_announce_and_drain();
    uint16_t db = service("db");
    s.services[db].restart = RESTART_NO;
    begin();
    ends(run_slot(db), 1);
    cr_assert_eq(s.core.walk.cause, BY_SERVICE);
    is_state("announce", S_ACT);
}

/* ---- hurry ---- */

Test(notice, a_hurry_ends_all_that_run_together) {
    uint16_t a = drain("a", DO_COMMAND), b = drain("b", DO_COMMAND), c = drain("c", DO_COMMAND);
    s.steps[b].stage = s.steps[c].stage = s.steps[a].stage;
    begin();
    lasts(a), lasts(b), lasts(c);
    tell_signal(T_TERM);
    at(100);
    tell_ask(ASK_HURRY, NONE, 0);
    cr_assert_eq(signals(step_slot(a), T_TERM) + signals(step_slot(b), T_TERM) + signals(step_slot(c), T_TERM), 3);
    is_at(when(A_SIGNAL, 0, T_TERM), 100);
}

Test(notice, a_hurry_leaves_a_save_its_time) {
    uint16_t save = checkpoint("state", PH_SAVE, WEB);
    s.steps[save].timeout = SEC(3);
    begin();
    ends(record_slot(), 0);
    tell_signal(T_TERM);
    ends(record_slot(), 0);
    is_state("state", S_ACT);
    at(100);
    tell_ask(ASK_HURRY, NONE, 0);
    is_state("state", S_ACT);
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
    ends(step_slot(save), 0);
    is_state("state", S_DONE);
    is_at(when(A_SIGNAL, 0, T_TERM), 100);
}

/* ---- what a stop has to do with what it does itself ---- */

Test(notice, the_save_after_the_services_stop_holds_up_nothing) {
    uint16_t save = checkpoint("state", PH_SETTLE, WEB);
    s.steps[save].timeout = SEC(5);
    begin();
    ends(record_slot(), 0);
    lasts(save);
    tell_signal(T_TERM);
    ends(record_slot(), 0);
    is_state("state", S_ACT);
    at(1000);
    tell((struct event){.kind = EV_ORPHAN, .value = 1});
    at(6000);
    cr_assert_eq(notes(NOTE_SAVE_AWAITED), 0);
    is_at(when(A_SIGNAL, step_slot(save), T_TERM), 4500);
    is_at(when(A_KILL, step_slot(save), -1), 5000);
}

/* ---- more time ---- */

Test(notice, more_time_for_a_stop_is_that_services_own) {
    uint16_t db = service("db");
    s.services[WEB].stop_timeout = s.services[db].stop_timeout = SEC(2);
    s.deaf[run_slot(WEB)] = s.deaf[run_slot(db)] = true;
    begin();
    tell_signal(T_TERM);
    at(1000);
    tell((struct event){.kind = EV_EXTEND, .subject = WEB, .more = SEC(4)});
    is_at(ms_of(row("web")->deadline), 5000);
    is_at(ms_of(row("db")->deadline), 2000);
    tell((struct event){.kind = EV_EXTEND, .subject = db, .more = SEC(3)});
    is_at(ms_of(row("db")->deadline), 4000);
    is_at(ms_of(row("web")->deadline), 5000);
}

/* Drained, the next stage would stop it: it has not begun. */
Test(notice, more_time_for_a_start_counts_in_a_drain_too) {
    check_of(WEB, CHECK_TCP, false);
    s.services[WEB].ready_timeout = SEC(5);
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    cr_assert_eq(core_life(&s.core), LIFE_DRAINED);
    tell((struct event){.kind = EV_EXTEND, .subject = WEB, .more = SEC(8)});
    at(7999);
    cr_assert_eq(notes(NOTE_NOT_READY), 0);
    at(8000);
    cr_assert_eq(notes(NOTE_NOT_READY), 1);
}
