/* A program that says by its exit code which signal ended it (128 and the signal), and one that only seems to. */
#include "support.h"

TestSuite(ended_well, .init = new_web);

/* The code that lastcall exits with. */
static int code_after(uint8_t stop_signal, int exit) {
    new_web();
    s.services[WEB].stop[0].signal = stop_signal;
    s.deaf[WEB] = true;
    begin();
    tell_signal(T_TERM);
    cr_assert_eq(signals(WEB, stop_signal), 1);
    ends(WEB, exit);
    cr_assert(exited());
    return exit_code();
}

Test(ended_well, by_the_stop_signal_that_it_was_sent) {
    cr_assert_eq(code_after(T_HUP, 128 + T_HUP), 0);
    cr_assert_eq(code_after(T_TERM, 128 + T_TERM), 0);
    cr_assert_eq(code_after(SIGNAL_MAX, 128 + SIGNAL_MAX), 0);
    cr_assert_eq(code_after(SIGNAL_MAX, -SIGNAL_MAX), 0);
}

Test(ended_well, a_code_that_is_no_signals_is_a_code) {
    cr_assert_eq(code_after(SIGNAL_MAX, 127), 127);
    cr_assert_eq(code_after(SIGNAL_MAX, 128), 128, "there is no signal 0");
    cr_assert_eq(code_after(T_HUP, 128 + SIGNAL_MAX + T_HUP), 128 + SIGNAL_MAX + T_HUP);
    for (int code = 129; code < 256; code++)
        if (code != 128 + T_TERM)
            cr_assert_eq(code_after(T_TERM, code), code);
}
