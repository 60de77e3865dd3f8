/* Requests about a service of several instances, which are not all in the same state. */
#include "support.h"

enum { A, B };

/* Three of `it`, deaf, so that a stop takes its time; and main. */
static void replicas(void) {
    new_model();
    uint16_t it = service("it");
    s.services[it].n_units = s.model.n_units = 3, s.services[it].stop_timeout = SEC(5);
    for (uint16_t i = 0; i < 3; i++)
        s.units[i] = (struct unit_policy){.name = "it", .service = it, .ordinal = i, .ready = NONE, .live = NONE};
    main_service("web");
    begin();
    for (uint16_t i = 0; i < 3; i++)
        s.deaf[run_slot(i)] = true;
}

TestSuite(replicas, .init = replicas);

static uint16_t asked(uint8_t verb, uint16_t it, int32_t value) {
    tell_ask(verb, it, value);
    return answer();
}

Test(replicas, a_stop_has_begun_if_one_of_them_lives) {
    ends(run_slot(2), 1);
    cr_assert_eq(unit_state(2), U_BACKOFF);
    cr_assert_eq(asked(ASK_STOP_UNIT, A, 0), REPLY_STARTED);
    cr_assert_eq(unit_state(0), U_STOPPING);
    cr_assert_eq(unit_state(2), U_DOWN);
    cr_assert_eq(asked(ASK_RESTART_UNIT, B, 0), REPLY_BUSY);
}

Test(replicas, a_start_has_begun_if_one_of_them_does) {
    ends(run_slot(1), 1);
    cr_assert_eq(asked(ASK_START_UNIT, A, 0), REPLY_STARTED);
    cr_assert_eq(unit_state(1), U_UP);
    cr_assert_eq(asked(ASK_START_UNIT, A, 0), REPLY_OK);
}

Test(replicas, the_errand_is_over_when_all_have_ended) {
    cr_assert_eq(asked(ASK_STOP_UNIT, A, 0), REPLY_STARTED);
    ends(run_slot(0), 0);
    cr_assert_eq(asked(ASK_RESTART_UNIT, B, 0), REPLY_BUSY);
    ends(run_slot(2), 0);
    cr_assert_eq(asked(ASK_RESTART_UNIT, B, 0), REPLY_BUSY);
    ends(run_slot(1), 0);
    cr_assert_eq(asked(ASK_RESTART_UNIT, B, 0), REPLY_STARTED);
}

Test(replicas, or_have_started_again) {
    ends(run_slot(0), 1);
    cr_assert_eq(asked(ASK_RESTART_UNIT, A, 0), REPLY_STARTED);
    cr_assert_eq(unit_state(0), U_UP);
    cr_assert_eq(asked(ASK_STOP_UNIT, B, 0), REPLY_BUSY);
    ends(run_slot(1), 0), ends(run_slot(2), 0);
    cr_assert_eq(unit_state(2), U_UP);
    cr_assert_eq(asked(ASK_STOP_UNIT, B, 0), REPLY_STARTED);
}

Test(replicas, a_signal_was_heard_if_one_of_them_lives) {
    ends(run_slot(2), 1);
    cr_assert_eq(asked(ASK_SIGNAL_UNIT, A, T_USR1), REPLY_OK);
    cr_assert_eq(signals(NONE, T_USR1), 2);
    ends(run_slot(0), 1), ends(run_slot(1), 1);
    cr_assert_eq(asked(ASK_SIGNAL_UNIT, A, T_USR1), REPLY_REFUSED);
}
