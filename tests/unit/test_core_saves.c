/* Two checkpoints of two services: who waits for whom, and when saves are told, hurried and ended. */
#include "support.h"

TestSuite(saves, .init = new_model);

static uint16_t a, b, ca, cb;

static void two(bool restored) {
    new_model();
    a = service("a"), b = service("b");
    ca = checkpoint("ca", PH_SAVE, a), cb = checkpoint("cb", PH_SAVE, b);
    s.steps[cb].stage = s.steps[ca].stage;
    s.services[a].restart = s.services[b].restart = RESTART_ALWAYS;
    s.checkpoints[0].has_restore = s.checkpoints[1].has_restore = restored;
    begin();
    ends(record_slot(), 0);
}

static uint32_t published(void) { return count(A_PUBLISH, NONE, -1); }

Test(saves, each_service_waits_for_its_own_restore) {
    two(true);
    cr_assert_eq(spawns(step_slot(ca)) + spawns(step_slot(cb)), 2);
    ends(step_slot(ca), 0);
    cr_assert_eq(spawns(run_slot(a)), 1);
    cr_assert_eq(spawns(run_slot(b)), 0);
    ends(step_slot(cb), 0);
    cr_assert_eq(spawns(run_slot(b)), 1);
}

Test(saves, any_restore_that_fails_is_the_end) {
    two(true);
    ends(step_slot(cb), 3);
    cr_assert_eq(s.core.walk.cause, BY_RESTORE);
    cr_assert_eq(s.core.walk.cause_value, 1);
}

Test(saves, a_restart_waits_for_its_own_restore_if_it_wants_one) {
    two(true);
    s.checkpoints[1].on_restart = true;
    ends(step_slot(ca), 0), ends(step_slot(cb), 0);
    mark();
    ends(run_slot(a), 1);
    at(1000);
    cr_assert_eq(spawns(run_slot(a)), 1);
    cr_assert_eq(spawns(step_slot(ca)) + spawns(step_slot(cb)), 0);
    ends(run_slot(b), 1);
    at(2000);
    cr_assert_eq(spawns(run_slot(b)), 0);
    cr_assert_eq(spawns(step_slot(cb)), 1);
    ends(step_slot(cb), 0);
    cr_assert_eq(spawns(run_slot(b)), 1);
}

Test(saves, what_has_no_restore_has_none_on_restart) {
    two(false);
    s.checkpoints[1].on_restart = true;
    ends(run_slot(b), 1);
    at(1000);
    cr_assert_eq(spawns(run_slot(b)), 2);
}

Test(saves, a_restore_that_fails_in_a_drain_ends_nothing_yet) {
    two(true);
    ends(step_slot(ca), 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(cb), 1);
    cr_assert_eq(s.core.walk.goal, GO_DRAIN);
}

Test(saves, nothing_is_saved_after_a_restore_that_failed) {
    two(true);
    s.checkpoints[1].on_restart = true;
    ends(step_slot(ca), 0), ends(step_slot(cb), 0);
    tell_ask(ASK_DRAIN, NONE, 0);
    tell_ask(ASK_RESUME, NONE, 0);
    ends(run_slot(b), 1);
    at(1000);
    ends(step_slot(cb), 1);
    cr_assert_eq(s.core.walk.cause, BY_RESTORE);
    is_state("cb", S_SKIPPED);
}

Test(saves, a_restore_that_a_stop_cuts_off_has_failed_though_it_may) {
    two(true);
    s.checkpoints[1].may_fail = true;
    ends(step_slot(ca), 0);
    tell_signal(T_TERM);
    cr_assert_eq(s.core.savers[1].restore, R_FAILED);
}

/* The second one's, on demand. */
static uint16_t demanded(span timeout) {
    two(false);
    s.steps[cb].timeout = timeout;
    lasts(cb);
    at(1000);
    mark();
    tell_ask(ASK_CHECKPOINT, 1, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    return step_slot(cb);
}

Test(saves, one_on_demand_gets_term_before_its_time_is_up) {
    uint16_t slot = demanded(SEC(4));
    at(20000);
    is_at(when(A_SIGNAL, slot, T_TERM), 4500);
    is_at(when(A_KILL, slot, -1), 5000);
    slot = demanded(SEC(1));
    at(20000);
    is_at(when(A_SIGNAL, slot, T_TERM), 1800);
    is_at(when(A_KILL, slot, -1), 2000);
}

Test(saves, all_are_saved_on_demand_and_by_signal) {
    two(false);
    s.model.policy.signals[T_USR2].meaning = SIGNAL_CHECKPOINT;
    s.model.policy.signals[T_USR1].meaning = SIGNAL_RELOAD;
    tell_signal(T_USR1);
    cr_assert_eq(spawns(step_slot(ca)) + spawns(step_slot(cb)), 0);
    tell_signal(T_USR2);
    cr_assert(s.core.savers[0].client == 0 && s.core.savers[1].client == 0, "nobody waits");
    cr_assert_eq(spawns(step_slot(ca)) + spawns(step_slot(cb)), 2);
    cr_assert(s.core.savers[0].why == WHY_SIGNAL && s.core.savers[1].why == WHY_SIGNAL);
    ends(step_slot(ca), 0);
    tell_ask(ASK_CHECKPOINT, NONE, 0);
    cr_assert_eq(answer(), REPLY_STARTED, "one is");
    cr_assert_eq(spawns(step_slot(ca)), 2);
    cr_assert_eq(s.core.savers[0].why, WHY_REQUEST);
    cr_assert_eq(s.core.savers[0].client, 77);
}

Test(saves, a_schedule_is_told_and_asked_for_by_nobody) {
    two(false);
    s.checkpoints[1].every = SEC(10);
    lasts(cb);
    tell((struct event){.kind = EV_TICK});
    tell_ask(ASK_CHECKPOINT, 1, 0);
    cr_assert_eq(s.core.savers[1].why, WHY_REQUEST);
    mark();
    ends(step_slot(cb), 0);
    cr_assert_eq(published(), 1);
    cr_assert_eq(s.core.savers[1].ended, 1);
}

static void scheduled(void) {
    new_model();
    a = service("a"), b = service("b");
    ca = checkpoint("ca", PH_SAVE, a), cb = checkpoint("cb", PH_SAVE, b);
    s.steps[cb].stage = s.steps[ca].stage;
    s.checkpoints[1].every = SEC(10);
    begin();
    ends(record_slot(), 0);
    lasts(cb);
}

Test(saves, a_schedule_is_of_one) {
    scheduled();
    at(9999);
    mark();
    at(10000);
    cr_assert_eq(spawns(step_slot(ca)), 0);
    cr_assert_eq(spawns(step_slot(cb)), 1);
    cr_assert_eq(published(), 1);
    cr_assert_eq(s.core.savers[1].why, WHY_SCHEDULE);
    cr_assert_eq(s.core.savers[1].client, 0);
    is_at(ms_of(core_next(&s.core)), 20000);
    at(20000);
    cr_assert_eq(notes(NOTE_SAVE_MISSED), 1);
}

Test(saves, a_schedule_ends_with_a_stop) {
    scheduled();
    s.deaf[run_slot(a)] = s.deaf[run_slot(b)] = true;
    s.model.policy.grace = SEC(60);
    at(9000);
    tell_signal(T_TERM);
    cr_assert(is_never(s.core.savers[1].next));
    at(9500);
    ends(step_slot(ca), 0), ends(step_slot(cb), 0);
    mark();
    at(40000);
    cr_assert_eq(spawns(step_slot(cb)) + notes(NOTE_SAVE_MISSED), 0);
}

static uint16_t records(void) { return find_said(A_SPAWN, record_slot(), -1, s.mark)->action.subject; }

Test(saves, the_record_is_read_and_written_and_kept) {
    new_model();
    a = service("a");
    ca = checkpoint("ca", PH_SETTLE, a);
    begin();
    cr_assert_eq(records(), RECORD_START);
    ends(record_slot(), 0);
    mark();
    tell_signal(T_TERM);
    cr_assert_eq(records(), RECORD_STOP);
    ends(record_slot(), 0);
    mark();
    ends(step_slot(ca), 0);
    cr_assert_eq(records(), RECORD_END);
    cr_assert_eq(s.core.savers[0].why, WHY_STOP);
    ends(record_slot(), 0);
    is_state("record", S_DONE);
}

uint16_t plan_rows(const struct model *model);

Test(saves, the_record_is_one_row_and_one_process) {
    two(false);
    cr_assert_eq(s.core.walk.n_rows, 7);
    cr_assert_eq(plan_rows(&s.model), 7);
    cr_assert_eq(core_jobs(&s.model), record_slot() + 1);
}
