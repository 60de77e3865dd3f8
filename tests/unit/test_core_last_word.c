/* What an operator says last of a service counts, whatever is becoming of it at that moment. */
#include "support.h"

TestSuite(last_word, .init = new_model);

/* A service of many instances of lives, beside main: what it leaves behind outlives its leader. */
static uint16_t clinging(bool essential) {
    uint16_t it = service("it");
    s.services[it].essential = essential;
    main_service("web");
    s.clings[it] = s.deaf[it] = true;
    begin();
    return it;
}

Test(last_word, a_stop_of_one_that_was_not_ready_in_time_is_a_stop) {
    uint16_t it = service("it"), web = main_service("web");
    s.services[it].ready_timeout = SEC(1), s.services[it].restart = RESTART_ALWAYS;
    check_of(it, CHECK_TCP, false);
    begin();
    s.deaf[run_slot(it)] = true;
    at(2000);
    cr_assert_eq(notes(NOTE_NOT_READY), 1);
    tell_ask(ASK_STOP_UNIT, it, 0);
    at(60000);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(spawns(run_slot(it)), 1);
    cr_assert_eq(unit_state(web), U_UP);
}

Test(last_word, a_stop_of_one_that_did_not_live_is_a_stop) {
    uint16_t it = service("it");
    main_service("web");
    uint16_t live = check_of(it, CHECK_TCP, true);
    begin();
    s.deaf[run_slot(it)] = true;
    tell_check(live, false);
    cr_assert_eq(notes(NOTE_UNHEALTHY), 1);
    tell_ask(ASK_STOP_UNIT, it, 0);
    at(60000);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(spawns(run_slot(it)), 1);
}

Test(last_word, a_stop_while_the_tree_ends_takes_back_the_restart) {
    uint16_t it = clinging(true);
    ends(it, 1);
    tell_ask(ASK_STOP_UNIT, it, 0);
    cr_assert_eq(answer(), REPLY_STARTED);
    group_ends(it);
    at(60000);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(spawns(it), 1);
    cr_assert_eq(notes(NOTE_RESTARTING), 0);
}

Test(last_word, a_stop_while_the_tree_ends_takes_back_a_start_by_hand) {
    uint16_t it = clinging(true);
    tell_ask(ASK_RESTART_UNIT, it, 0);
    ends(it, 0);
    tell_ask(ASK_STOP_UNIT, it, 0);
    group_ends(it);
    cr_assert_eq(unit_state(it), U_DOWN);
    cr_assert_eq(spawns(it), 1);
}
