/* Checkpoints, as the core decides on them: restores before a start, saves at a stop, by schedule and on demand. */
#include "support.h"

static uint16_t web, save;

static void with_checkpoint(uint8_t phase, bool has_restore) {
    new_model();
    web = main_service("web");
    save = checkpoint("state", phase, web);
    s.checkpoints[0].has_restore = has_restore;
}

/* The last run's record has been read. */
static void recorded(void) { ends(record_slot(), 0); }

static void begin_restored(void) {
    begin();
    recorded();
    if (s.checkpoints[0].has_restore)
        ends(step_slot(save), 0);
}

static void recorded_again(void) {
    if (s.alive[record_slot()])
        ends(record_slot(), 0);
}

static struct action last_spawn(uint16_t slot) {
    struct action last = {0};
    for (uint32_t i = 0; i < s.n_said; i++)
        if (s.said[i].action.kind == A_SPAWN && s.said[i].action.job.job == slot)
            last = s.said[i].action;
    return last;
}

/* ---- the way back ---- */

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
    cr_assert_eq(answer(), REPLY_BUSY, "its restore runs");
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
    cr_assert_eq(core_verdict(&s.core), VERDICT_DEGRADED);
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
