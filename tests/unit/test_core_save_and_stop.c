/* A save and a stop that meet: who is waited for, told, answered, and ended when. */
#include "checkpoint_support.h"

TestSuite(meet, .init = new_model);

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
