/* Checkpoints among facts that come in an order that is rare. */
#include "support.h"

TestSuite(checkpoint_edges, .init = new_model);

static uint16_t web, save;

static void with_checkpoint(bool has_restore, bool on_restart) {
    new_model();
    web = service("web");
    s.services[web].restart = RESTART_ALWAYS;
    save = checkpoint("state", PH_SAVE, web);
    s.checkpoints[0].has_restore = has_restore, s.checkpoints[0].on_restart = on_restart;
}

static void begin_restored(void) {
    begin();
    ends(record_slot(), 0);
    if (s.checkpoints[0].has_restore)
        ends(step_slot(save), 0);
}

/* Whatever is asked of it, the record is there. */
static void keep_record(void) {
    while (s.alive[record_slot()])
        ends(record_slot(), 0);
}

Test(checkpoint_edges, a_restore_waits_for_the_save_that_has_its_slot) {
    with_checkpoint(true, true);
    begin_restored();
    tell_ask(ASK_CHECKPOINT, save, 0);
    ends(run_slot(web), 1);
    at(200);
    cr_assert_eq(spawns(step_slot(save)), 2, "the restore, the save");
    ends(step_slot(save), 0);
    cr_assert_eq(spawns(step_slot(save)), 3);
    cr_assert_eq(s.core.jobs[step_slot(save)].what, CMD_RESTORE);
}

Test(checkpoint_edges, no_restore_for_one_that_was_stopped_while_it_waited_for_it) {
    with_checkpoint(true, true);
    begin_restored();
    tell_ask(ASK_CHECKPOINT, save, 0);
    ends(run_slot(web), 1);
    at(200);
    tell_ask(ASK_STOP_UNIT, web, 0);
    ends(step_slot(save), 0);
    cr_assert_eq(spawns(step_slot(save)), 2);
    cr_assert_eq(unit_state(0), U_DOWN);
}

Test(checkpoint_edges, another_services_restart_brings_no_restore) {
    with_checkpoint(true, true);
    uint16_t other = service("other");
    s.services[other].restart = RESTART_ALWAYS;
    begin_restored();
    ends(run_slot(other), 1);
    at(200);
    cr_assert_eq(spawns(run_slot(other)), 2);
    cr_assert_eq(spawns(step_slot(save)), 1);
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_STARTED, "nor is there less to save");
}

Test(checkpoint_edges, a_restore_that_may_fail_and_was_cut_off_has_failed) {
    with_checkpoint(true, false);
    s.checkpoints[0].may_fail = true;
    begin();
    ends(record_slot(), 0);
    tell_signal(T_TERM);
    keep_record();
    is_state("state", S_SKIPPED);
    keep_record();
    the_end(0);
}

Test(checkpoint_edges, a_restore_that_fails_after_the_start_stops_all) {
    with_checkpoint(true, true);
    begin_restored();
    ends(run_slot(web), 1);
    at(200);
    ends(step_slot(save), 6);
    cr_assert_eq(s.core.walk.cause, BY_RESTORE);
    keep_record(), keep_record();
    the_end(6);
}

Test(checkpoint_edges, a_start_by_hand_waits_for_the_restore_too) {
    with_checkpoint(true, false);
    begin();
    tell_ask(ASK_START_UNIT, web, 0);
    cr_assert_eq(spawns(run_slot(web)), 0);
    ends(record_slot(), 0);
    ends(step_slot(save), 0);
    cr_assert_eq(spawns(run_slot(web)), 1);
}

Test(checkpoint_edges, when_all_have_ended_nothing_of_all_is_saved) {
    new_model();
    oneshot("job");
    checkpoint("all", PH_SAVE, NONE);
    begin();
    keep_record();
    ends(run_slot(0), 0);
    keep_record();
    is_state("all", S_SKIPPED);
    keep_record();
    the_end(0);
}

Test(checkpoint_edges, a_save_of_all_on_demand) {
    new_model();
    service("web");
    uint16_t all = checkpoint("all", PH_SAVE, NONE), ready = check_of(0, CHECK_TCP, false);
    begin();
    keep_record();
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_REFUSED, "not all has been ready");
    tell_check(ready, true);
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    cr_assert_eq(spawns(step_slot(all)), 1);
}

Test(checkpoint_edges, nothing_is_saved_while_drains_are_undone) {
    with_checkpoint(false, false);
    uint16_t hook = drain("hook", DO_COMMAND);
    s.steps[hook].has_undo = true, s.steps[hook].stage = 0;
    begin_restored();
    tell_ask(ASK_DRAIN, 0, 0);
    ends(step_slot(hook), 0);
    tell_ask(ASK_RESUME, 0, 0);
    cr_assert(s.core.walk.undoing);
    tell_ask(ASK_CHECKPOINT, save, 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
}

Test(checkpoint_edges, of_several_one_that_begins_is_the_answer) {
    for (int first = 0; first < 2; first++) {
        new_model();
        service("web");
        uint16_t one = checkpoint("one", PH_SAVE, 0), two = checkpoint("two", PH_SAVE, 0);
        begin();
        keep_record();
        tell_ask(ASK_CHECKPOINT, first ? one : two, 0);
        tell_ask(ASK_CHECKPOINT, NONE, 0);
        cr_assert_eq(answer(), REPLY_STARTED);
        tell_ask(ASK_CHECKPOINT, NONE, 0);
        cr_assert_eq(answer(), REPLY_BUSY);
    }
}

Test(checkpoint_edges, each_schedule_begins_once_with_its_own_service) {
    new_model();
    uint16_t one = service("one"), two = service("two"), ready = check_of(two, CHECK_TCP, false);
    uint16_t first = checkpoint("first", PH_SAVE, one), second = checkpoint("second", PH_SAVE, two);
    s.checkpoints[0].every = s.checkpoints[1].every = SEC(10);
    begin();
    keep_record();
    at(4000);
    tell_check(ready, true);
    at(10000);
    cr_assert_eq(spawns(step_slot(first)), 1);
    cr_assert_eq(spawns(step_slot(second)), 0);
    at(14000);
    cr_assert_eq(spawns(step_slot(second)), 1);
}

Test(checkpoint_edges, phases_alone_keep_no_record) {
    new_model();
    s.model.policy.phases_only = true;
    checkpoint("state", PH_SAVE, NONE);
    drain("sleep", DO_SLEEP);
    begin();
    tell_ask(ASK_DRAIN, 0, 0);
    cr_assert_eq(spawns(record_slot()), 0);
    the_end(0);
}

Test(checkpoint_edges, a_stop_before_the_record_was_read_does_not_write_it_twice) {
    with_checkpoint(true, false);
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(spawns(record_slot()), 1);
    keep_record();
    cr_assert_eq(spawns(run_slot(web)), 0);
}

Test(checkpoint_edges, a_record_that_could_not_be_kept_is_told_and_judged_by_nobody) {
    with_checkpoint(false, false);
    begin_restored();
    tell_signal(T_TERM);
    ends(record_slot(), 0);
    ends(step_slot(save), 0);
    is_state("record", S_ACT);
    ends(record_slot(), 1);
    is_state("record", S_FAILED);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
    the_end(0);
}

Test(checkpoint_edges, a_save_that_has_not_reached_exec_holds_up_a_stop_as_one_that_has) {
    with_checkpoint(false, false);
    s.steps[save].phase = PH_N; /* no row of the plan waits for it */
    begin_restored();
    s.slow_exec[step_slot(save)] = true;
    tell_ask(ASK_CHECKPOINT, save, 0);
    tell_signal(T_TERM);
    keep_record();
    cr_assert_eq(signals(run_slot(web), T_TERM), 0);
    cr_assert(s.alive[step_slot(save)]);
}
