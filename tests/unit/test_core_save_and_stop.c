/* A save and a stop that meet: who is waited for, told, answered, and ended when. */
#include "checkpoint_support.h"

TestSuite(meet, .init = new_model);

/* web may take so long to stop, of 9 s that there are; the record and the sweep are promised 0.2 s each. */
static void asked(uint8_t phase, span stop_timeout) {
    with_checkpoint(phase, false);
    s.services[web].stop_timeout = stop_timeout;
    begin_restored();
    lasts(save);
    tell_ask(ASK_CHECKPOINT, 0, 0);
    mark();
}

/* Two of one service, both asked for. */
static void asked_both(uint16_t slots[2]) {
    new_model();
    web = service("web");
    for (uint16_t i = 0; i < 2; i++)
        slots[i] = checkpoint(i ? "two" : "one", PH_N, web);
    begin();
    recorded();
    for (uint16_t i = 0; i < 2; i++)
        lasts(slots[i]), slots[i] = step_slot(slots[i]);
    tell_ask(ASK_CHECKPOINT, NONE, 0);
    mark();
}

static struct action note_of(uint8_t what) {
    for (uint32_t i = s.mark; i < s.n_said; i++)
        if (s.said[i].action.kind == A_NOTE && s.said[i].action.value == what)
            return s.said[i].action;
    return (struct action){0};
}

/* ---- one that has a row ---- */

Test(meet, the_save_of_the_stop_is_nobodys_answer) {
    asked(PH_SAVE, SEC(3));
    cr_assert_eq(s.core.savers[0].client, 77);
    ends(step_slot(save), 0);
    tell_signal(T_TERM);
    is_state("state", S_ACT);
    cr_assert_eq(s.core.savers[0].client, 0);
    cr_assert_eq(s.core.savers[0].why, WHY_STOP);
    cr_assert_eq(s.core.savers[0].attempts, 2);
    cr_assert_eq(s.core.savers[0].ended, 1);
    mark();
    ends(step_slot(save), 0);
    cr_assert_eq(notes(NOTE_SAVED), 0, "the row tells");
}

/* The verdict of a stop before which, or in which, the save that was asked for failed, or did not. */
static uint8_t verdict(uint8_t phase, bool before, int exit) {
    asked(phase, SEC(3));
    if (before)
        ends(step_slot(save), exit);
    tell_signal(T_TERM);
    recorded_again();
    if (!before)
        ends(step_slot(save), exit);
    if (s.alive[step_slot(save)])
        ends(step_slot(save), 0);
    recorded_again();
    cr_assert(exited());
    return core_verdict(&s.core);
}

Test(meet, one_that_fails_degrades_the_stop_if_that_takes_no_other) {
    cr_assert_eq(verdict(PH_N, false, 1), VERDICT_DEGRADED);
    cr_assert_eq(verdict(PH_N, false, 0), VERDICT_CLEAN);
    cr_assert_eq(verdict(PH_N, true, 1), VERDICT_CLEAN);
    cr_assert_eq(verdict(PH_SAVE, false, 1), VERDICT_CLEAN);
    cr_assert_eq(verdict(PH_SETTLE, false, 1), VERDICT_CLEAN);
}

Test(meet, half_the_time_of_its_row_is_its_own_and_a_quarter_to_tidy_up) {
    asked(PH_SAVE, SEC(3));
    s.steps[save].timeout = SEC(4);
    at(1000);
    tell_signal(T_TERM);
    at(20000);
    is_at(when(A_SIGNAL, step_slot(save), T_TERM), 3000);
    is_at(when(A_KILL, step_slot(save), -1), 4000);
}

Test(meet, a_row_that_is_skipped_ends_no_save_that_began_before) {
    asked(PH_SAVE, SEC(3));
    ends(run_slot(web), 0);
    is_state("state", S_SKIPPED);
    cr_assert_eq(signals(step_slot(save), T_TERM), 0);
    ends(step_slot(save), 0);
    cr_assert_eq(notes(NOTE_SAVED), 1);
}

Test(meet, a_save_without_time_never_began) {
    with_checkpoint(PH_SAVE, false);
    s.steps[save].timeout = MS(49);
    begin_restored();
    tell_signal(T_TERM);
    is_state("state", S_SKIPPED);
    cr_assert(is_never(row("state")->start));
    cr_assert_eq(s.core.savers[0].attempts, 0);
    cr_assert_eq(s.core.savers[0].exit, EXIT_UNKNOWN);
}

Test(meet, what_is_not_what_it_restored_is_not_saved_after_its_stop_either) {
    with_checkpoint(PH_SETTLE, true);
    s.checkpoints[0].on_restart = true;
    s.services[web].restart = RESTART_ALWAYS, s.services[web].main = false, s.model.main = NONE;
    begin_restored();
    ends(run_slot(web), 1);
    at(200);
    ends(step_slot(save), 3);
    cr_assert_eq(s.core.walk.cause, BY_RESTORE);
    is_state("state", S_SKIPPED);
}

/* ---- one that has no row before the stop of the services ---- */

Test(meet, the_stop_of_the_services_waits_and_says_how_long) {
    asked(PH_N, SEC(3));
    tell_signal(T_TERM);
    cr_assert_eq(notes(NOTE_SAVE_AWAITED), 1);
    cr_assert_eq(note_of(NOTE_SAVE_AWAITED).extra, 5600);
    at(20000);
    is_at(when(A_SIGNAL, step_slot(save), T_TERM), 5100);
    is_at(when(A_KILL, step_slot(save), -1), 5600);
    cr_assert_eq(notes(NOTE_SAVE_AWAITED), 1);
}

Test(meet, a_fifth_of_little_time_is_to_tidy_up) {
    asked(PH_N, MS(7600));
    tell_signal(T_TERM);
    at(20000);
    is_at(when(A_SIGNAL, step_slot(save), T_TERM), 800);
    is_at(when(A_KILL, step_slot(save), -1), 1000);
}

Test(meet, nobody_is_told_of_a_wait_where_there_is_none) {
    with_checkpoint(PH_N, false);
    s.services[web].guarantee = SEC(9);
    begin_restored();
    lasts(save);
    tell_ask(ASK_CHECKPOINT, 0, 0);
    tell_signal(T_TERM);
    cr_assert_eq(kills(step_slot(save)), 1);
    cr_assert_eq(notes(NOTE_SAVE_AWAITED), 0);
}

Test(meet, the_save_of_the_second_is_waited_for_too) {
    new_model();
    uint16_t a = service("a"), b = service("b");
    checkpoint("one", PH_N, a);
    save = checkpoint("two", PH_N, b);
    begin();
    recorded();
    lasts(save);
    tell_ask(ASK_CHECKPOINT, 1, 0);
    mark();
    tell_signal(T_TERM);
    cr_assert(s.alive[run_slot(a)] && s.alive[run_slot(b)]);
    cr_assert_eq(notes(NOTE_SAVE_AWAITED), 1);
    ends(step_slot(save), 0);
    cr_assert_not(s.alive[run_slot(a)] || s.alive[run_slot(b)]);
}

Test(meet, one_of_two_that_has_ended_lets_the_other_go_on) {
    for (uint16_t first = 0; first < 2; first++) {
        uint16_t slots[2];
        asked_both(slots);
        tell_signal(T_TERM);
        cr_assert_eq(notes(NOTE_SAVE_AWAITED), 2);
        ends(slots[first], 0);
        cr_assert_eq(notes(NOTE_SAVE_AWAITED), 2, "once each");
        cr_assert(s.alive[run_slot(web)] && s.alive[slots[!first]]);
        ends(slots[!first], 0);
        cr_assert_not(s.alive[run_slot(web)]);
    }
}

Test(meet, one_of_two_that_failed_degrades_the_stop) {
    for (uint16_t failed = 0; failed < 2; failed++) {
        uint16_t slots[2];
        asked_both(slots);
        tell_signal(T_TERM);
        recorded_again();
        ends(slots[0], failed == 0);
        ends(slots[1], failed == 1);
        recorded_again();
        cr_assert(exited());
        cr_assert_eq(core_verdict(&s.core), VERDICT_DEGRADED);
    }
}

Test(meet, the_own_save_of_the_stop_is_not_one_that_it_waits_for) {
    with_checkpoint(PH_SETTLE, false);
    begin_restored();
    lasts(save);
    tell_signal(T_TERM);
    is_state("state", S_ACT);
    at(100);
    tell_signal(T_TERM);
    cr_assert_eq(notes(NOTE_SAVE_AWAITED), 0);
    at(20000);
    is_at(when(A_KILL, step_slot(save), -1), ms_of(row("state")->deadline));
}

/* ---- schedules ---- */

static void scheduled(uint8_t phase, bool restored) {
    with_checkpoint(phase, restored);
    s.services[web].restart = RESTART_ALWAYS, s.services[web].main = false, s.model.main = NONE;
    s.model.policy.grace = SEC(60);
    s.checkpoints[0].every = SEC(10), s.checkpoints[0].on_restart = restored;
    begin_restored();
    lasts(save);
    mark();
}

Test(meet, what_a_sleeping_machine_missed_is_not_told_either) {
    scheduled(PH_N, false);
    s.now = (instant){SEC(95).ns};
    tell((struct event){.kind = EV_TICK});
    cr_assert_eq(spawns(step_slot(save)), 1);
    cr_assert_eq(notes(NOTE_SAVE_MISSED), 0);
}

Test(meet, a_restore_at_work_is_no_save_that_is_late) {
    scheduled(PH_SAVE, true);
    ends(run_slot(web), 1);
    at(15000);
    cr_assert_eq(s.core.savers[0].restore, R_RUNS);
    cr_assert_eq(notes(NOTE_SAVE_MISSED), 0);
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
}

Test(meet, no_schedule_rings_in_a_stop) {
    scheduled(PH_SAVE, false);
    at(9000);
    tell_signal(T_TERM);
    is_state("state", S_ACT);
    cr_assert_gt(ms_of(core_next(&s.core)), 10000);
    at(25000);
    is_state("state", S_ACT);
    cr_assert_eq(notes(NOTE_SAVE_MISSED), 0);
    cr_assert_eq(spawns(step_slot(save)), 1);
}
