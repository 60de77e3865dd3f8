/* The helper that talks: started again, never waited for (DESIGN 8). */
#include "support.h"

static void setup(void) {
    new_model();
    s.model.policy.net = true;
    main_service("web");
}

TestSuite(helper, .init = setup);

static void pulse(void) { tell((struct event){.kind = EV_PULSE}); }

Test(helper, it_is_there_before_the_services) {
    begin();
    struct said *net = find_said(A_SPAWN, net_slot(), -1, 0), *web = find_said(A_SPAWN, 0, -1, 0);
    cr_assert(net && web && net < web);
    cr_assert_eq(net->action.value, CMD_NET);
    cr_assert_eq(net->action.subject, 0);
}

Test(helper, without_need_there_is_none) {
    s.model.policy.net = false;
    begin();
    cr_assert_eq(spawns(net_slot()), 0);
    tell_signal(T_TERM);
    the_end(0);
}

Test(helper, once_it_has_read_the_page_nothing_is_armed) {
    begin();
    pulse();
    cr_assert(is_never(core_next(&s.core)));
}

Test(helper, a_dead_one_is_started_again_and_no_service_notices) {
    begin();
    pulse();
    mark();
    ends(net_slot(), -11);
    cr_assert_eq(notes(NOTE_NET_RESTART), 1);
    at(1000);
    cr_assert_eq(spawns(net_slot()), 1);
    cr_assert_eq(spawns(0), 0);
    cr_assert_eq(signals(0, -1), 0);
    cr_assert(core_ready(&s.core));
    cr_assert(core_live(&s.core));
}

/* It ends; the time until the next one is there. */
static int64_t back_after(void) {
    int64_t died = ms_of(s.now);
    mark();
    ends(net_slot(), 1);
    cr_assert_eq(notes(NOTE_NET_RESTART), 1);
    s.now = core_next(&s.core);
    tell((struct event){.kind = EV_TICK});
    cr_assert_eq(spawns(net_slot()), 1);
    cr_assert_eq(find_said(A_NOTE, NONE, -1, s.mark)->action.extra, ms_of(s.now) - died);
    return ms_of(s.now) - died;
}

Test(helper, its_restarts_come_later_each_time_up_to_an_end) {
    static const int64_t delays[] = {10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5000, 5000};
    begin();
    for (unsigned i = 0; i < sizeof delays / sizeof *delays; i++)
        is_at(back_after(), delays[i]);
    for (unsigned i = 0; i < 300; i++)
        is_at(back_after(), 5000);
}

Test(helper, one_that_has_lived_for_ten_seconds_is_calm) {
    begin();
    pulse();
    back_after();
    pulse();
    at(ms_of(s.now) + 9999);
    is_at(back_after(), 20);
    pulse();
    at(ms_of(s.now) + 10000);
    is_at(back_after(), 10);
}

Test(helper, a_failed_spawn_is_tried_again) {
    s.slow_exec[2] = true;
    begin();
    cr_assert_eq(net_slot(), 2);
    spawn_failed(2, 126);
    at(1000);
    cr_assert_geq(spawns(2), 2);
}

Test(helper, a_stopped_one_gets_cont) {
    begin();
    pulse();
    tell((struct event){.kind = EV_STOPPED, .job = id_of(net_slot()), .value = 19});
    cr_assert_eq(signals(net_slot(), T_CONT), 1);
    cr_assert_eq(find_said(A_SIGNAL, net_slot(), T_CONT, 0)->action.value, TO_LEADER);
    cr_assert_eq(kills(net_slot()), 0);
}

static void stopped(void) { tell((struct event){.kind = EV_STOPPED, .job = id_of(net_slot()), .value = 19}); }

Test(helper, stopped_three_times_in_a_row_it_gets_kill_and_a_successor) {
    begin();
    pulse();
    for (int64_t i = 0; i < 3; i++) {
        at(i * 2000);
        cr_assert_eq(kills(net_slot()), 0);
        stopped();
    }
    cr_assert_eq(signals(net_slot(), T_CONT), 2);
    cr_assert_eq(kills(net_slot()), 1);
    at(5000);
    cr_assert_eq(spawns(net_slot()), 2);
    pulse();
    stopped();
    stopped();
    cr_assert_eq(kills(net_slot()), 1, "the successor is counted from nothing");
    stopped();
    cr_assert_eq(kills(net_slot()), 2);
}

Test(helper, stopped_now_and_then_it_gets_cont) {
    begin();
    pulse();
    for (int64_t i = 0; i < 5; i++) {
        at(i * 2001);
        stopped();
    }
    cr_assert_eq(signals(net_slot(), T_CONT), 5);
    stopped();
    cr_assert_eq(signals(net_slot(), T_CONT), 6);
    cr_assert_eq(kills(net_slot()), 0);
}

Test(helper, a_service_that_is_stopped_is_left_alone) {
    begin();
    mark();
    tell((struct event){.kind = EV_STOPPED, .job = id_of(0), .value = 19});
    cr_assert_eq(count(A_SIGNAL, NONE, -1), 0);
}

Test(helper, a_silent_one_gets_cont_then_kill_and_a_successor) {
    begin();
    s.deaf[net_slot()] = true;
    at(60000);
    is_at(when(A_SIGNAL, net_slot(), T_CONT), 2000);
    cr_assert_eq(find_said(A_SIGNAL, net_slot(), T_CONT, 0)->action.value, TO_LEADER);
    is_at(when(A_KILL, net_slot(), -1), 2500);
    cr_assert_geq(spawns(net_slot()), 2);
    cr_assert_eq(spawns(0), 1);
}

Test(helper, its_time_counts_from_its_exec) {
    begin_told();
    s.slow_exec[net_slot()] = true;
    take(NULL);
    at(5000);
    cr_assert_eq(signals(net_slot(), T_CONT), 0);
    spawned(net_slot());
    at(8000);
    is_at(when(A_SIGNAL, net_slot(), T_CONT), 7000);
}

Test(helper, its_time_counts_from_the_first_change_that_it_owes_a_sign_for) {
    begin();
    pulse();
    at(1000);
    for (int64_t i = 1; i < 5; i++) {
        tell((struct event){.kind = EV_LIFE, .client = 1});
        at(1000 + i * 500);
    }
    is_at(when(A_SIGNAL, net_slot(), T_CONT), 3000);
}

Test(helper, a_sign_of_life_of_the_last_one_starts_no_other) {
    begin();
    ends(net_slot(), 1);
    pulse();
    at(9);
    cr_assert_eq(spawns(net_slot()), 1);
    at(10);
    cr_assert_eq(spawns(net_slot()), 2);
}

Test(helper, cont_is_said_anew_after_a_sign_of_life) {
    begin();
    at(2100);
    cr_assert_eq(signals(net_slot(), T_CONT), 1);
    pulse();
    tell((struct event){.kind = EV_LIFE, .client = 1});
    at(4100);
    cr_assert_eq(signals(net_slot(), T_CONT), 2);
    cr_assert_eq(kills(net_slot()), 0);
}

Test(helper, a_sign_of_life_spares_it) {
    begin();
    for (int i = 1; i < 20; i++) {
        pulse();
        at(i * 1000);
        tell_ask(ASK_RELOAD_UNIT, 0, 0); /* the page changes */
    }
    cr_assert_eq(signals(net_slot(), T_CONT), 0);
    cr_assert_eq(kills(net_slot()), 0);
}

Test(helper, a_question_for_life_is_answered_in_the_page) {
    begin();
    mark();
    tell((struct event){.kind = EV_LIFE, .client = 4711});
    cr_assert_eq(s.core.pulse, 4711);
    cr_assert_eq(count(A_PUBLISH, NONE, -1), 1);
}

Test(helper, it_outlives_the_services_in_a_stop_and_goes_at_the_sweep) {
    s.deaf[0] = true;
    begin();
    pulse();
    tell_signal(T_TERM);
    at(1000);
    cr_assert(s.alive[net_slot()]);
    ends(0, 0);
    cr_assert_eq(count(A_SWEEP, NONE, -1), 1);
    the_end(0);
}

Test(helper, one_that_does_not_go_is_killed_in_the_sweep) {
    begin();
    pulse();
    s.deaf[net_slot()] = true;
    s.undying[net_slot()] = true;
    tell_signal(T_TERM);
    at(20000);
    cr_assert(exited(), "it is never waited for");
}

Test(helper, dead_in_a_stop_it_is_started_again_for_those_who_wait) {
    s.deaf[0] = true;
    begin();
    pulse();
    tell_signal(T_TERM);
    mark();
    ends(net_slot(), -9);
    at(1000);
    cr_assert_eq(spawns(net_slot()), 1);
    ends(0, 0);
    the_end(0);
}

Test(helper, dead_in_the_sweep_it_is_not) {
    begin();
    pulse();
    s.strays = 1, s.strays_deaf = true;
    mark();
    tell_signal(T_TERM);
    at(2000);
    cr_assert_eq(spawns(net_slot()), 0);
    cr_assert_eq(notes(NOTE_NET_RESTART), 0);
    the_end(0);
}

Test(helper, dead_before_the_sweep_it_is_not_started_in_it) {
    begin();
    for (int i = 0; i < 7; i++)
        back_after();
    mark();
    s.strays = 1, s.strays_deaf = true;
    ends(net_slot(), 1);
    tell_signal(T_TERM);
    at(ms_of(s.now) + 2000);
    cr_assert_eq(spawns(net_slot()), 0);
    the_end(0);
}

Test(helper, answers_are_a_ring) {
    begin();
    for (uint32_t i = 0; i < MAX_REPLIES + 3u; i++)
        tell((struct event){.kind = EV_ASK, .verb = ASK_RESUME, .client = 100 + i});
    uint32_t newest = 0;
    for (uint16_t i = 0; i < MAX_REPLIES; i++) {
        cr_assert_gt(s.core.replies[i].client, 102u, "the oldest have given way");
        newest = s.core.replies[i].client > newest ? s.core.replies[i].client : newest;
    }
    cr_assert_eq(newest, 100u + MAX_REPLIES + 2u);
}

Test(helper, nobody_waits_for_the_answer_to_client_0) {
    begin();
    uint16_t next = s.core.next_reply;
    tell((struct event){.kind = EV_ASK, .verb = ASK_DRAIN, .client = 0});
    cr_assert_eq(s.core.next_reply, next);
    cr_assert_eq(s.core.walk.goal, GO_DRAIN);
}
