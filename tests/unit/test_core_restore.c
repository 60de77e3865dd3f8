/* Restores, as the core decides on them: who waits for one, and what its failure means. */
#include "checkpoint_support.h"

Test(restore, waits_for_the_record_and_its_service_for_it) {
    with_checkpoint(PH_SAVE, true);
    begin();
    cr_assert_eq(spawns(step_slot(save)), 0);
    recorded();
    cr_assert_eq(last_spawn(step_slot(save)).value, CMD_RESTORE);
    cr_assert_eq(spawns(run_slot(0)), 0);
    cr_assert_not(core_ready(&s.core));
    ends(step_slot(save), 0);
    cr_assert_eq(spawns(run_slot(0)), 1);
    cr_assert(core_ready(&s.core));
}

Test(restore, waits_until_its_service_may_start) {
    new_model();
    uint16_t db = oneshot("db");
    web = main_service("web"), add_after(web, db);
    save = checkpoint("state", PH_SAVE, web), s.checkpoints[0].has_restore = true;
    begin(), recorded();
    cr_assert_eq(spawns(step_slot(save)), 0);
    ends(run_slot(db), 0);
    cr_assert_eq(spawns(step_slot(save)), 1);
    cr_assert_not(exited(), "what waits for a restore has not ended");
    ends(step_slot(save), 0);
    cr_assert_eq(spawns(run_slot(web)), 1);
}

Test(restore, of_no_service_comes_before_all) {
    new_model();
    uint16_t db = service("db");
    web = main_service("web");
    save = checkpoint("state", PH_SAVE, NONE), s.checkpoints[0].has_restore = true;
    begin(), recorded();
    cr_assert_eq(spawns(run_slot(db)) + spawns(run_slot(web)), 0);
    ends(step_slot(save), 0);
    cr_assert_eq(spawns(run_slot(db)) + spawns(run_slot(web)), 2);
}

Test(restore, holds_back_nobody_else) {
    new_model();
    uint16_t other = service("other");
    web = main_service("web");
    save = checkpoint("state", PH_SAVE, web), s.checkpoints[0].has_restore = true;
    begin();
    cr_assert_eq(spawns(run_slot(other)), 1);
    cr_assert_eq(spawns(run_slot(web)), 0);
}

Test(restore, that_fails_stops_the_start) {
    with_checkpoint(PH_SAVE, true);
    begin(), recorded();
    ends(step_slot(save), 3);
    cr_assert_eq(s.core.walk.cause, BY_RESTORE);
    cr_assert_eq(spawns(run_slot(0)), 0);
    recorded_again(), recorded_again();
    the_end(3);
    is_state("state", S_SKIPPED);
}

Test(restore, that_may_fail_is_followed_by_the_start) {
    with_checkpoint(PH_SAVE, true);
    s.checkpoints[0].may_fail = true;
    begin(), recorded();
    ends(step_slot(save), 3);
    cr_assert_eq(spawns(run_slot(0)), 1);
    cr_assert_eq(notes(NOTE_RESTORED), 1);
}

Test(restore, that_could_not_be_run_is_a_failure) {
    with_checkpoint(PH_SAVE, true);
    begin();
    s.slow_exec[step_slot(save)] = true;
    recorded();
    spawn_failed(step_slot(save), 127);
    recorded_again(), recorded_again();
    the_end(127);
}

Test(restore, is_cut_off_by_a_stop_and_nothing_is_saved) {
    with_checkpoint(PH_SAVE, true);
    begin(), recorded();
    tell_signal(T_TERM);
    cr_assert_geq(signals(step_slot(save), T_TERM), 1);
    recorded_again(), recorded_again();
    cr_assert_eq(spawns(run_slot(0)), 0);
    is_state("state", S_SKIPPED);
    the_end(0);
}

Test(restore, comes_once_unless_it_is_wanted_on_restart) {
    with_checkpoint(PH_SAVE, true);
    s.services[web].restart = RESTART_ALWAYS, s.services[web].main = false, s.model.main = NONE;
    begin_restored();
    ends(run_slot(0), 1);
    at(150);
    cr_assert_eq(spawns(run_slot(0)), 2);
    cr_assert_eq(spawns(step_slot(save)), 1);
}

Test(restore, on_restart_comes_before_each_start) {
    with_checkpoint(PH_SAVE, true);
    s.checkpoints[0].on_restart = true;
    s.services[web].restart = RESTART_ALWAYS, s.services[web].main = false, s.model.main = NONE;
    begin_restored();
    ends(run_slot(0), 1);
    at(150);
    cr_assert_eq(spawns(step_slot(save)), 2);
    cr_assert_eq(spawns(run_slot(0)), 1);
    ends(step_slot(save), 0);
    cr_assert_eq(spawns(run_slot(0)), 2);
}

Test(restore, at_work_when_its_service_is_started_by_hand_is_cut_off_by_a_stop_all_the_same) {
    with_checkpoint(PH_SAVE, true);
    s.checkpoints[0].on_restart = true;
    begin(), recorded();
    s.deaf[step_slot(save)] = true;
    tell_ask(ASK_START_UNIT, web, 0);
    tell_signal(T_TERM);
    cr_assert_eq(signals(step_slot(save), T_TERM), 1);
}

Test(restore, during_a_drain_goes_on_and_its_failure_counts_when_resumed) {
    with_checkpoint(PH_SAVE, true);
    begin(), recorded();
    tell_ask(ASK_DRAIN, 0, 0);
    cr_assert_eq(signals(step_slot(save), T_TERM), 0);
    ends(step_slot(save), 4);
    cr_assert_not(exited());
    tell_ask(ASK_RESUME, 0, 0);
    cr_assert_eq(s.core.walk.cause, BY_RESTORE);
    recorded_again(), recorded_again();
    the_end(4);
}

/* As a restart without one would not wait either. */
Test(restore, on_restart_waits_for_nobody_else) {
    with_checkpoint(PH_SAVE, true);
    uint16_t db = service("db");
    s.services[db].essential = false;
    s.services[web].restart = RESTART_ALWAYS;
    s.checkpoints[0].on_restart = true;
    add_after(web, db);
    begin_restored();
    cr_assert_eq(unit_state(web), U_UP);
    ends(run_slot(db), 0);
    ends(run_slot(web), 1);
    at(200);
    cr_assert_eq(spawns(step_slot(save)), 2);
    ends(step_slot(save), 0);
    cr_assert_eq(spawns(run_slot(web)), 2);
    cr_assert_eq(unit_state(web), U_UP);
}
