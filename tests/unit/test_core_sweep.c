/* The stop goes on: more signals, hurry, KILL now, the sweep, the end. */
#include "support.h"

TestSuite(sweep, .init = new_model);

/* ---- more signals ---- */

Test(sweep, term_again_is_nothing_new) {
    main_service("web");
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    at(1000);
    mark();
    instant deadline = row("web")->deadline;
    tell_signal(T_TERM), tell_signal(T_TERM), tell_signal(T_QUIT);
    cr_assert_eq(notes(NOTE_ALREADY), 3);
    cr_assert_eq(count(A_SIGNAL, NONE, -1) + count(A_KILL, NONE, -1), 0);
    is_at(row("web")->deadline.ns, deadline.ns);
    is_at(ms_of(s.core.walk.clock), 0);
}

Test(sweep, int_again_hurries) {
    drain("long", DO_COMMAND);
    s.model.policy.announce_min = s.model.policy.announce_max = SEC(2);
    main_service("web");
    s.deaf[1] = true;
    begin();
    tell_signal(T_INT);
    cr_assert_eq(core_phase(&s.core), PH_ANNOUNCE);
    at(1000);
    tell_signal(T_INT);
    cr_assert_eq(notes(NOTE_HURRY), 1);
    cr_assert_eq(spawns(step_slot(0)), 0);
    is_state("announce", S_SKIPPED);
    is_state("long", S_SKIPPED);
    is_at(when(A_SIGNAL, 0, T_TERM), 1000);
    the_end(0);
}

Test(sweep, hurry_gives_a_running_drain_term) {
    drain("long", DO_COMMAND);
    main_service("web");
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(spawns(step_slot(0)), 1);
    at(1000);
    tell_signal(T_INT);
    cr_assert(notes(NOTE_HURRY) <= 1);
    if (notes(NOTE_HURRY) == 0)
        tell_signal(T_INT);
    is_state("long", S_SKIPPED);
    is_at(when(A_SIGNAL, step_slot(0), T_TERM), 1000);
    the_end(0);
}

Test(sweep, a_drain_that_ignores_the_hurry_is_killed_and_delays_nothing) {
    drain("long", DO_COMMAND);
    main_service("web");
    begin();
    s.deaf[step_slot(0)] = true;
    tell_signal(T_INT);
    at(1000);
    tell_signal(T_INT);
    is_at(when(A_SIGNAL, 0, T_TERM), 1000);
    at(9000);
    cr_assert(exited());
    nothing_is_left();
}

Test(sweep, a_third_int_kills_now) {
    finish("bye", DO_COMMAND);
    main_service("web"), service("db");
    s.deaf[0] = s.deaf[1] = true;
    begin();
    tell_signal(T_INT);
    at(100);
    tell_signal(T_INT);
    at(200);
    cr_assert_eq(count(A_KILL, NONE, -1), 0);
    tell_signal(T_INT);
    cr_assert_eq(notes(NOTE_KILL_ALL), 1);
    cr_assert_eq(spawns(step_slot(0)), 0, "finish is skipped too");
    is_at(ms_of(s.now), 200);
    the_end(124);
}

/* ---- the end ---- */

Test(sweep, strays_are_swept) {
    main_service("web");
    begin();
    s.strays = 3;
    tell_signal(T_TERM);
    cr_assert_eq(count(A_SWEEP, NONE, -1), 1);
    cr_assert_eq(count(A_SWEEP_KILL, NONE, -1), 0);
    cr_assert_eq(core_verdict(&s.core), VERDICT_CLEAN);
    the_end(0);
}

Test(sweep, deaf_strays_get_kill_after_two_seconds) {
    main_service("web");
    begin();
    s.strays = 3, s.strays_deaf = true;
    tell_signal(T_TERM);
    is_at(when(A_SWEEP, NONE, -1), 0);
    at(1999);
    cr_assert_eq(count(A_SWEEP_KILL, NONE, -1), 0);
    at(2000);
    cr_assert_geq(count(A_SWEEP_KILL, NONE, -1), 1);
    cr_assert_neq(core_verdict(&s.core), VERDICT_CLEAN, "kills in the sweep change the verdict");
    the_end(0); /* and never the code */
}

Test(sweep, the_sweep_keeps_inside_the_grace) {
    uint16_t web = main_service("web");
    s.services[web].stop_timeout = SEC(60);
    s.deaf[0] = true;
    begin();
    s.strays = 3, s.strays_deaf = true;
    tell_signal(T_TERM);
    at(9000);
    is_at(when(A_KILL, 0, -1), 8971); /* 60 s and 200 ms in 9 s: 8970 and 29 */
    is_at(when(A_SWEEP_KILL, NONE, -1), 9000);
    the_end(124);
}

Test(sweep, sweep_off_leaves_what_is_left) {
    main_service("web");
    s.model.policy.sweep = false;
    begin();
    s.strays = 3;
    tell_signal(T_TERM);
    cr_assert(exited());
    cr_assert_eq(exit_code(), 0);
    cr_assert_eq(s.strays, 3);
    cr_assert(is_never(core_next(&s.core)));
}

Test(sweep, off_a_killed_leader_is_still_reaped) {
    uint16_t web = main_service("web");
    s.services[web].stop_timeout = SEC(2);
    s.model.policy.sweep = false;
    s.deaf[0] = s.undying[0] = true;
    begin();
    tell_signal(T_TERM);
    at(2000);
    is_at(when(A_KILL, 0, -1), 2000);
    cr_assert_not(exited(), "it is ours to reap");
    ends(0, -T_KILL);
    cr_assert(exited());
    cr_assert_eq(exit_code(), 124);
}

Test(sweep, off_it_waits_for_a_killed_leader_no_longer_than_there_is) {
    uint16_t web = main_service("web");
    s.services[web].stop_timeout = SEC(2);
    s.model.policy.sweep = false;
    s.deaf[0] = s.undying[0] = true;
    begin();
    tell_signal(T_TERM);
    at(10000);
    cr_assert(exited());
    cr_assert_eq(core_verdict(&s.core), VERDICT_OVERRAN);
}

Test(sweep, what_cannot_be_killed_does_not_hold_the_exit) {
    uint16_t web = main_service("web");
    s.services[web].stop_timeout = SEC(2);
    s.deaf[0] = s.undying[0] = true;
    begin();
    tell_signal(T_TERM);
    at(10000);
    cr_assert(exited());
    cr_assert(is_never(core_next(&s.core)));
    cr_assert_eq(core_verdict(&s.core), VERDICT_OVERRAN);
    cr_assert_eq(exit_code(), 124);
}

Test(sweep, one_that_cannot_be_killed_does_not_hold_the_next_step) {
    uint16_t db = service("db"), web = main_service("web");
    add_after(web, db);
    s.services[web].stop_timeout = SEC(2);
    s.deaf[run_slot(1)] = s.deaf[1] = s.undying[1] = true;
    begin();
    cr_assert_eq(run_slot(web), 1);
    tell_signal(T_TERM);
    at(2000);
    cr_assert_eq(when(A_SIGNAL, run_slot(db), T_TERM), 2000, "a step ends at its deadline, reaped or not");
}

Test(sweep, a_longer_time_by_the_service_itself) {
    uint16_t web = main_service("web");
    s.services[web].stop_timeout = SEC(2);
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    at(1500);
    tell((struct event){.kind = EV_EXTEND, .subject = 0, .more = SEC(3)});
    is_at(ms_of(row("web")->deadline), 4500);
    at(4499);
    cr_assert_eq(kills(0), 0);
    tell((struct event){.kind = EV_EXTEND, .subject = 0, .more = SEC(3600)});
    at(8799);
    cr_assert_eq(kills(0), 0);
    at(8800);
    cr_assert_eq(kills(0), 1, "inside left less later");
    the_end(124);
}

Test(sweep, an_extension_never_shortens) {
    uint16_t web = main_service("web");
    s.services[web].stop_timeout = SEC(5);
    s.deaf[0] = true;
    begin();
    tell_signal(T_TERM);
    tell((struct event){.kind = EV_EXTEND, .subject = 0, .more = MS(10)});
    is_at(ms_of(row("web")->deadline), 5000);
}

Test(sweep, a_facts_stale_generation_is_nothing) {
    uint16_t web = main_service("web");
    s.services[web].restart = RESTART_ALWAYS;
    begin();
    struct job_id old = id_of(0);
    ends(0, 1);
    at(200);
    cr_assert_eq(unit_state(web), U_UP);
    mark();
    tell((struct event){.kind = EV_LEADER, .job = old, .value = 0});
    tell((struct event){.kind = EV_GONE, .job = old});
    tell((struct event){.kind = EV_SPAWN_FAILED, .job = old, .value = 127});
    cr_assert_eq(unit_state(web), U_UP);
    cr_assert_eq(count(A_SPAWN, NONE, -1) + notes(NOTE_FAILED), 0);
    tell_signal(T_TERM);
    cr_assert(exited());
    nothing_is_left();
}

Test(sweep, orphans_are_counted) {
    main_service("web");
    begin();
    tell((struct event){.kind = EV_ORPHAN, .value = 4});
    tell((struct event){.kind = EV_ORPHAN, .value = 1});
    cr_assert_eq(s.core.orphans, 5);
}

Test(sweep, what_is_left_of_the_grace) {
    main_service("web");
    s.deaf[0] = true;
    begin();
    cr_assert(is_forever(core_left(&s.core, s.now)));
    at(1000);
    tell_signal(T_TERM);
    at(3000);
    is_at(span_ms(core_left(&s.core, s.now)), 8000);
}
