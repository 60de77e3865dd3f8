/* Saves by schedule and on demand, and a stop that finds one at work. */
#include "checkpoint_support.h"

/* ---- by schedule and on demand ---- */

static void schedule(int64_t seconds) {
    with_checkpoint(PH_SAVE, false);
    s.checkpoints[0].every = SEC(seconds);
    begin_restored();
}

Test(schedule, counts_from_when_there_is_something_to_save) {
    with_checkpoint(PH_SAVE, false);
    s.checkpoints[0].every = SEC(10);
    uint16_t ready = check_of(0, CHECK_TCP, false);
    begin_restored();
    at(30000);
    cr_assert_eq(spawns(step_slot(save)), 0);
    tell_check(ready, true);
    at(39999);
    cr_assert_eq(spawns(step_slot(save)), 0);
    at(40000);
    cr_assert_eq(spawns(step_slot(save)), 1);
    ends(step_slot(save), 0);
    at(50000);
    cr_assert_eq(spawns(step_slot(save)), 2);
}

Test(schedule, never_overlaps_itself) {
    schedule(10);
    s.deaf[step_slot(save)] = true;
    at(10000);
    at(30000);
    cr_assert_eq(spawns(step_slot(save)), 1);
    cr_assert_eq(notes(NOTE_SAVE_MISSED), 2);
    ends(step_slot(save), 0);
    cr_assert_eq(notes(NOTE_SAVED), 1);
    at(40000);
    cr_assert_eq(spawns(step_slot(save)), 2);
}

Test(schedule, does_not_make_up_for_what_a_sleeping_machine_missed) {
    schedule(10);
    s.now = (instant){SEC(95).ns};
    tell((struct event){.kind = EV_TICK});
    cr_assert_eq(spawns(step_slot(save)), 1);
    ends(step_slot(save), 0);
    at(99999);
    cr_assert_eq(spawns(step_slot(save)), 1);
    at(100000);
    cr_assert_eq(spawns(step_slot(save)), 2);
}

Test(schedule, ends_with_a_stop_and_its_timeout_ends_a_save) {
    schedule(10);
    s.steps[save].timeout = SEC(4);
    at(10000);
    at(13500);
    cr_assert_eq(signals(step_slot(save), T_TERM), 1);
    cr_assert_eq(s.core.savers[0].exit, -T_TERM);
    tell_signal(T_TERM);
    recorded_again();
    ends(step_slot(save), 0);
    recorded_again();
    the_end(0);
}

Test(schedule, is_given_time_by_a_stop_and_then_the_stop_saves_itself) {
    schedule(10);
    at(10000);
    tell_signal(T_TERM);
    recorded_again();
    is_state("state", S_PAUSE);
    cr_assert_eq(signals(step_slot(save), T_TERM), 0);
    ends(step_slot(save), 0);
    is_state("state", S_ACT);
    cr_assert_eq(spawns(step_slot(save)), 2);
    ends(step_slot(save), 0);
    recorded_again();
    the_end(0);
}

Test(schedule, that_hangs_leaves_time_for_the_save_of_the_stop) {
    schedule(10);
    s.steps[save].timeout = SEC(4);
    s.deaf[step_slot(save)] = true;
    at(10000);
    tell_signal(T_TERM);
    recorded_again();
    at(13000);
    cr_assert_eq(kills(step_slot(save)), 1);
    is_state("state", S_ACT);
    ends(step_slot(save), 0);
    is_state("state", S_DONE);
    recorded_again();
    the_end(0);
}

Test(schedule, that_ends_after_its_service_is_followed_by_no_save) {
    schedule(10);
    at(10000);
    tell_signal(T_TERM);
    recorded_again();
    is_state("state", S_PAUSE);
    ends(run_slot(0), 0);
    ends(step_slot(save), 0);
    is_state("state", S_SKIPPED);
    cr_assert_eq(spawns(step_slot(save)), 1);
    recorded_again();
    the_end(0);
}

Test(schedule, starts_nothing_while_a_clock_runs) {
    schedule(10);
    s.model.policy.grace = SEC(60);
    at(9000);
    tell_ask(ASK_PRESTOP, 0, 0);
    at(30000);
    cr_assert_eq(spawns(step_slot(save)), 0);
}

Test(demand, takes_one_now_and_says_when_it_is_done) {
    with_checkpoint(PH_N, false);
    begin_restored();
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    cr_assert_eq(s.core.savers[0].attempts, 1);
    cr_assert_eq(s.core.savers[0].ended, 0);
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_BUSY);
    ends(step_slot(save), 0);
    cr_assert_eq(s.core.savers[0].ended, 1);
    cr_assert_eq(notes(NOTE_SAVED), 1);
    tell_ask(ASK_CHECKPOINT, 1, 0);
    cr_assert_eq(answer(), REPLY_BAD);
    tell_ask(ASK_CHECKPOINT, NONE, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
}

Test(demand, is_refused_when_there_is_nothing_to_save) {
    with_checkpoint(PH_SAVE, true);
    begin(), recorded();
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_REFUSED, "its restore runs");
    ends(step_slot(save), 0);
    s.deaf[run_slot(0)] = true;
    tell_signal(T_TERM);
    recorded_again();
    ends(step_slot(save), 0);
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
}

Test(demand, is_refused_of_a_service_that_starts_again) {
    with_checkpoint(PH_SAVE, false);
    s.services[web].restart = RESTART_ALWAYS, s.services[web].main = false, s.model.main = NONE;
    uint16_t ready = check_of(0, CHECK_TCP, false);
    begin_restored();
    tell_check(ready, true);
    ends(run_slot(0), 1);
    at(200);
    cr_assert_eq(unit_state(0), U_STARTING);
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
    tell_check(ready, true);
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
}

Test(demand, of_one_without_a_command_is_refused) {
    with_checkpoint(PH_N, false);
    s.checkpoints[0].has_save = false;
    begin_restored();
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_REFUSED);
}

Test(demand, may_come_while_drained) {
    with_checkpoint(PH_SAVE, false);
    begin_restored();
    tell_ask(ASK_DRAIN, 0, 0);
    tell_ask(ASK_CHECKPOINT, 0, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
}

Test(demand, by_a_signal) {
    with_checkpoint(PH_SAVE, false);
    s.model.policy.signals[T_USR2].meaning = SIGNAL_CHECKPOINT;
    begin_restored();
    tell_signal(T_USR2);
    cr_assert_eq(spawns(step_slot(save)), 1);
    cr_assert_eq(s.core.savers[0].why, WHY_SIGNAL);
}

/* ---- a stop that finds a save at work which has no row before it ---- */

/* web may take 3 s to stop, of 9 s that there are. */
static void ask_and_stop(uint8_t phase) {
    with_checkpoint(phase, false);
    s.services[0].stop_timeout = SEC(3);
    begin_restored();
    tell_ask(ASK_CHECKPOINT, 0, 0);
    tell_signal(T_TERM);
    recorded_again();
}

Test(held, the_service_stops_when_the_save_has_ended) {
    ask_and_stop(PH_N);
    at(2000);
    cr_assert(s.alive[run_slot(0)]);
    cr_assert_eq(signals(step_slot(save), T_TERM), 0);
    ends(step_slot(save), 0);
    cr_assert_eq(s.core.savers[0].ended, 1);
    cr_assert_not(s.alive[run_slot(0)]);
    recorded_again();
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
    the_end(0);
    cr_assert_leq(s.said[s.n_said - 1].at.ns, SEC(2).ns);
}

Test(held, before_one_that_comes_after_the_stop) {
    ask_and_stop(PH_SETTLE);
    cr_assert(s.alive[run_slot(0)]);
    ends(step_slot(save), 0);
    cr_assert_not(s.alive[run_slot(0)]);
    cr_assert_eq(spawns(step_slot(save)), 2, "and then its own");
    ends(step_slot(save), 0);
    recorded_again();
    the_end(0);
}

Test(held, no_longer_than_there_is_time_that_nobody_was_promised) {
    ask_and_stop(PH_N);
    s.deaf[step_slot(save)] = true;
    at(5599); /* 9 s without 3 s of web, 0.2 s each of record and sweep */
    cr_assert_eq(kills(step_slot(save)), 0);
    cr_assert_eq(signals(step_slot(save), T_TERM), 1);
    cr_assert(s.alive[run_slot(0)]);
    at(5600);
    cr_assert_eq(kills(step_slot(save)), 1);
    cr_assert_not(s.alive[run_slot(0)]);
    cr_assert_eq(notes(NOTE_SAVE_AWAITED), 1);
    recorded_again();
    cr_assert_eq(core_verdict(&s.core), VERDICT_FORCED);
    the_end(0);
}

Test(held, not_by_one_that_even_kill_does_not_end) {
    ask_and_stop(PH_N);
    s.deaf[step_slot(save)] = s.undying[step_slot(save)] = true;
    at(5600);
    cr_assert_not(s.alive[run_slot(0)]);
    recorded_again();
    at(20000);
    cr_assert(exited());
    cr_assert_leq(s.said[s.n_said - 1].at.ns, SEC(10).ns);
}

/* What it was is told after there is no child left, and then it has exited. */
static uint8_t verdict_when_it_goes_last(void) {
    recorded_again();
    cr_assert_eq(row("sweep")->state, S_ACT);
    ends(step_slot(save), -T_KILL);
    cr_assert(exited());
    return core_verdict(&s.core);
}

Test(held, and_cut_off_it_counts_also_when_it_goes_last) {
    ask_and_stop(PH_N);
    s.deaf[step_slot(save)] = s.undying[step_slot(save)] = true;
    at(5600);
    cr_assert_eq(verdict_when_it_goes_last(), VERDICT_FORCED);
}

Test(held, and_cut_off_it_counts_also_where_it_has_a_row) {
    with_checkpoint(PH_SAVE, false);
    s.services[0].stop_timeout = SEC(3);
    begin_restored();
    tell_ask(ASK_CHECKPOINT, 0, 0);
    s.deaf[step_slot(save)] = s.undying[step_slot(save)] = true;
    ends(run_slot(0), 0);
    recorded_again();
    at(5600);
    cr_assert_eq(kills(step_slot(save)), 1);
    cr_assert_eq(verdict_when_it_goes_last(), VERDICT_FORCED);
}

Test(held, and_cut_off_a_restore_is_no_save) {
    with_checkpoint(PH_N, true);
    begin(), recorded();
    s.deaf[step_slot(save)] = s.undying[step_slot(save)] = true;
    tell_signal(T_TERM);
    recorded_again();
    cr_assert_eq(verdict_when_it_goes_last(), VERDICT_CLEAN);
}

Test(held, not_where_nothing_is_spare) {
    with_checkpoint(PH_N, false);
    s.services[web].guarantee = SEC(9);
    begin_restored();
    tell_ask(ASK_CHECKPOINT, 0, 0);
    s.deaf[step_slot(save)] = s.undying[step_slot(save)] = true;
    s.slow_exec[record_slot()] = true; /* nothing else happens that would move the stop on */
    tell_signal(T_TERM);
    cr_assert_eq(kills(step_slot(save)), 1);
    cr_assert_not(s.alive[run_slot(0)], "KILL is not waited for");
    at(20000);
    cr_assert(exited());
}

Test(held, not_by_a_restore) {
    new_model();
    web = main_service("web");
    uint16_t side = service("side");
    save = checkpoint("state", PH_N, web), s.checkpoints[0].has_restore = true;
    begin(), recorded();
    s.deaf[step_slot(save)] = true;
    tell_signal(T_TERM);
    recorded_again();
    cr_assert_eq(signals(step_slot(save), T_TERM), 1);
    cr_assert_not(s.alive[run_slot(side)]);
    ends(step_slot(save), 0);
    recorded_again();
    cr_assert(exited());
}

Test(held, not_when_no_time_is_left) {
    ask_and_stop(PH_N);
    s.deaf[step_slot(save)] = true;
    at(1000);
    tell_signal(T_INT), tell_signal(T_INT), tell_signal(T_INT);
    recorded_again();
    cr_assert_eq(kills(step_slot(save)), 1);
    cr_assert(exited());
}

Test(schedule, what_becomes_ready_in_a_stop_begins_none) {
    with_checkpoint(PH_SAVE, false);
    s.checkpoints[0].every = SEC(1);
    s.model.policy.announce_min = SEC(3);
    uint16_t ready = check_of(0, CHECK_TCP, false);
    begin_restored();
    tell_signal(T_TERM);
    tell_check(ready, true);
    cr_assert(is_never(s.core.savers[0].next));
}
