/* Whoever got KILL since the drain or stop began: the verdict says so. */
#include "support.h"

enum { API = 1 };

static void two(void) {
    new_web();
    service("api");
    s.services[API].stop_timeout = SEC(3);
}

TestSuite(forced, .init = two);

static void verdict_is(uint8_t verdict) {
    cr_assert(exited());
    cr_assert_eq(core_verdict(&s.core), verdict, "%s", verdict_name(core_verdict(&s.core)));
}

/* Told to stop at 1 s, by hand, and a stop at 2 s. */
static void overtaken(uint16_t unit) {
    s.deaf[run_slot(unit)] = true;
    s.services[unit].stop_timeout = SEC(3);
    at(1000);
    tell_ask(ASK_RESTART_UNIT, unit, 0);
    at(2000);
    tell_signal(T_TERM);
}

Test(forced, by_who_was_being_put_down_before_the_stop) {
    begin();
    overtaken(WEB);
    is_at(ms_of(row("web")->deadline), 4000);
    at(4000);
    is_state("web", S_TIMEOUT);
    cr_assert(row("web")->killed);
    verdict_is(VERDICT_FORCED);
    the_end(124);
}

Test(forced, not_by_one_that_asks_for_more_time) {
    begin();
    overtaken(WEB);
    at(3000);
    tell((struct event){.kind = EV_EXTEND, .subject = WEB, .more = SEC(2)});
    is_at(ms_of(row("web")->deadline), 5000);
    at(4500);
    ends(run_slot(WEB), 0);
    verdict_is(VERDICT_CLEAN);
    the_end(0);
}

Test(forced, by_a_command_that_a_hurry_ended) {
    uint16_t a = drain("a", DO_COMMAND);
    begin();
    lasts(a);
    tell_signal(T_INT);
    tell_signal(T_INT);
    is_state("a", S_SKIPPED);
    at(1000);
    cr_assert_eq(kills(step_slot(a)), 1);
    verdict_is(VERDICT_FORCED);
    the_end(0);
}

Test(forced, by_a_stop_command_that_hangs) {
    s.services[API].has_stop_command = true;
    begin();
    s.deaf[aux_slot(API)] = true;
    tell_signal(T_TERM);
    at(3000);
    is_state("api", S_DONE);
    cr_assert_eq(kills(aux_slot(API)), 1);
    cr_assert_eq(kills(run_slot(API)), 0);
    verdict_is(VERDICT_FORCED);
    the_end(0);
}

Test(forced, by_what_main_leaves_behind) {
    begin();
    s.clings[run_slot(WEB)] = true;
    ends(run_slot(WEB), 3);
    at(2000);
    is_state("web", S_DONE);
    verdict_is(VERDICT_FORCED);
    the_end(3);
}

static void undone(uint16_t step) {
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    ends(step_slot(step), 0);
    lasts(step);
    at(1000);
    tell_ask(ASK_RESUME, NONE, 0);
    cr_assert(s.alive[step_slot(step)]);
}

Test(forced, by_an_undo_that_the_stop_cuts_short) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_undo = true, s.steps[a].timeout = SEC(5);
    undone(a);
    at(2000);
    tell_signal(T_TERM);
    at(3000);
    cr_assert_eq(kills(step_slot(a)), 1);
    ends(step_slot(a), 0);
    verdict_is(VERDICT_FORCED);
    the_end(0);
}

Test(forced, a_resume_forgets_it) {
    uint16_t a = drain("a", DO_COMMAND);
    s.steps[a].has_undo = true, s.steps[a].timeout = SEC(5);
    undone(a);
    at(6000);
    cr_assert_eq(kills(step_slot(a)), 1);
    cr_assert(core_ready(&s.core));
    tell_signal(T_TERM);
    ends(step_slot(a), 0);
    verdict_is(VERDICT_CLEAN);
    the_end(0);
}

Test(forced, not_by_who_was_killed_before) {
    begin();
    s.deaf[run_slot(API)] = true;
    tell_ask(ASK_STOP_UNIT, API, 0);
    at(3000);
    cr_assert_eq(kills(run_slot(API)), 1);
    tell_signal(T_TERM);
    verdict_is(VERDICT_CLEAN);
    the_end(0);
}

Test(forced, not_by_a_check) {
    uint16_t check = check_of(WEB, CHECK_EXEC, false);
    begin();
    tell_ask(ASK_DRAIN, NONE, 0);
    s.deaf[check_slot(check)] = true;
    at(5000);
    cr_assert_gt(kills(check_slot(check)), 0);
    tell_signal(T_TERM);
    verdict_is(VERDICT_CLEAN);
    the_end(0);
}

Test(forced, not_by_a_service_that_has_not_run_yet) {
    s.slow_exec[run_slot(API)] = true;
    begin();
    tell_signal(T_TERM);
    at(200);
    cr_assert_eq(kills(run_slot(API)), 1);
    verdict_is(VERDICT_CLEAN);
    the_end(0);
}
