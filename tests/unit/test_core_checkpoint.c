/* Checkpoints, as the core decides on them: saves at a stop, and the record. */
#include "checkpoint_support.h"

/* ---- at a stop ---- */

Test(stop, saves_before_it_stops) {
    with_checkpoint(PH_SAVE, false);
    s.deaf[0] = true; /* slot of web */
    begin_restored();
    tell_signal(T_TERM);
    recorded_again();
    is_state("state", S_ACT);
    cr_assert_eq(last_spawn(step_slot(save)).value, CMD_SAVE);
    cr_assert_eq(signals(run_slot(0), T_TERM), 0);
    ends(step_slot(save), 0);
    is_state("state", S_DONE);
    cr_assert_eq(signals(run_slot(0), T_TERM), 1);
    ends(run_slot(0), 0);
    is_state("record", S_ACT);
    ends(record_slot(), 0);
    the_end(0);
}

Test(stop, saves_after_it_stopped) {
    with_checkpoint(PH_SETTLE, false);
    begin_restored();
    tell_signal(T_TERM);
    recorded_again();
    cr_assert_not(s.alive[run_slot(0)]);
    is_state("state", S_ACT);
    ends(step_slot(save), 0);
    is_state("state", S_DONE);
    recorded_again();
    the_end(0);
}

Test(stop, that_main_caused_skips_its_save_and_still_settles) {
    new_model();
    web = main_service("web");
    uint16_t db = service("db"), before = checkpoint("before", PH_SAVE, web), other = checkpoint("other", PH_SAVE, db),
             all = checkpoint("all", PH_SAVE, NONE), after_ = checkpoint("after", PH_SETTLE, web);
    (void)before, (void)all;
    begin(), recorded();
    ends(run_slot(web), 2);
    recorded_again();
    is_state("before", S_SKIPPED);
    is_state("all", S_SKIPPED);
    is_state("other", S_ACT);
    ends(step_slot(other), 0);
    is_state("after", S_ACT);
    ends(step_slot(after_), 0);
    recorded_again();
    the_end(2);
}

Test(stop, does_not_save_what_was_never_ready) {
    with_checkpoint(PH_SAVE, false);
    check_of(0, CHECK_TCP, false);
    begin_restored();
    tell_signal(T_TERM);
    recorded_again(), recorded_again();
    is_state("state", S_SKIPPED);
    the_end(0);
}

Test(stop, kills_a_save_at_its_deadline_and_goes_on) {
    with_checkpoint(PH_SAVE, false);
    s.steps[save].timeout = SEC(2);
    begin_restored();
    s.deaf[step_slot(save)] = true;
    tell_signal(T_TERM);
    recorded_again();
    at(2000);
    is_state("state", S_TIMEOUT);
    cr_assert(row("state")->killed);
    recorded_again();
    the_end(0);
    cr_assert_eq(core_verdict(&s.core), VERDICT_FORCED);
}

Test(stop, with_a_required_save_that_was_killed_exits_124) {
    with_checkpoint(PH_SAVE, false);
    s.steps[save].timeout = SEC(2), s.steps[save].required = true;
    begin_restored();
    s.deaf[step_slot(save)] = true;
    tell_signal(T_TERM);
    recorded_again();
    at(2000);
    recorded_again();
    the_end(124);
}

Test(stop, is_told_what_a_failed_save_was) {
    with_checkpoint(PH_SAVE, false);
    begin_restored();
    tell_signal(T_TERM);
    recorded_again();
    ends(step_slot(save), 9);
    is_state("state", S_FAILED);
    cr_assert_eq(row("state")->exit, 9);
    recorded_again();
    cr_assert_eq(core_verdict(&s.core), VERDICT_DEGRADED);
    the_end(0);
}

Test(stop, keeps_its_end_within_its_second) {
    with_checkpoint(PH_SAVE, false);
    begin_restored();
    tell_signal(T_TERM);
    recorded_again();
    s.deaf[record_slot()] = true;
    ends(step_slot(save), 0);
    is_state("record", S_ACT);
    int64_t begun = ms_of(s.now);
    at(begun + 999);
    is_state("record", S_ACT);
    at(begun + 1000);
    is_state("record", S_TIMEOUT);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN, "a store that cannot be written to may be meant so");
    the_end(0);
}

Test(stop, without_time_keeps_nothing) {
    with_checkpoint(PH_SAVE, false);
    begin_restored();
    s.deaf[step_slot(save)] = true;
    tell_signal(T_INT);
    recorded_again();
    tell_signal(T_INT), tell_signal(T_INT);
    is_state("record", S_SKIPPED);
    the_end(124);
}

/* ---- the plan ---- */

Test(plan, has_the_phases_in_their_order_with_their_promises) {
    with_checkpoint(PH_SAVE, false);
    uint16_t settle = checkpoint("files", PH_SETTLE, web), later = checkpoint("later", PH_N, web);
    s.steps[settle].timeout = SEC(3);
    (void)later;
    lay_out();
    cr_assert_lt(row("state")->stage, row("web")->stage);
    cr_assert_lt(row("web")->stage, row("files")->stage);
    cr_assert_lt(row("files")->stage, row("record")->stage);
    is_at(row("state")->guarantee.ns, SEC(1).ns);
    is_at(row("files")->guarantee.ns, SEC(3).ns);
    is_at(row("record")->guarantee.ns, MS(200).ns);
    for (uint16_t i = 0; i < s.core.walk.n_rows; i++)
        cr_assert_neq(strcmp(row_name(&s.model, &s.core.walk.rows[i]), "later"), 0);
}

Test(plan, of_a_run_without_checkpoints_keeps_no_record) {
    new_model();
    main_service("web");
    begin();
    for (uint16_t i = 0; i < s.core.walk.n_rows; i++)
        cr_assert_neq(s.core.walk.rows[i].action, DO_RECORD);
    cr_assert(s.core.recorded);
}

Test(record, that_cannot_be_read_holds_nobody_up_for_long) {
    with_checkpoint(PH_SAVE, true);
    begin();
    s.deaf[record_slot()] = true;
    at(9999);
    cr_assert_eq(spawns(step_slot(save)), 0);
    at(10000);
    cr_assert_eq(kills(record_slot()), 1);
    cr_assert_eq(spawns(step_slot(save)), 1);
}

/* All has ended in a prestop of which 2 s are left, one of them kept for KILL and the exit. */
static void stop_after(int64_t ms) {
    with_checkpoint(PH_SAVE, false);
    begin_restored();
    tell_ask(ASK_PRESTOP, 0, 8000);
    ends(run_slot(0), 0);
    at(ms);
    mark();
    tell_signal(T_TERM);
}

Test(record, of_a_stop_is_begun_while_there_is_time) {
    stop_after(999);
    cr_assert_eq(spawns(record_slot()), 1);
    the_end(0);
}

Test(record, of_a_stop_is_not_begun_without_time) {
    stop_after(1000);
    the_end(0);
    cr_assert_eq(spawns(record_slot()), 0);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
}
