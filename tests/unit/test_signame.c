/* Names of signals. RTMIN is 34, whatever the libc says. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "text/signame.h"

static int parse(const char *text) { return signame_parse(text, strlen(text)); }

Test(signame, names_with_and_without_sig_in_any_case) {
    cr_assert_eq(parse("TERM"), SIGTERM);
    cr_assert_eq(parse("SIGTERM"), SIGTERM);
    cr_assert_eq(parse("term"), SIGTERM);
    cr_assert_eq(parse("SigQuit"), SIGQUIT);
    cr_assert_eq(parse("15"), 15);
    cr_assert_eq(parse("64"), 64);
    cr_assert_eq(parse("32"), 32);
}

Test(signame, the_names_are_the_systems) {
    static const struct { const char *name; int sig; } known[] = {
        {"HUP", SIGHUP}, {"INT", SIGINT}, {"QUIT", SIGQUIT}, {"ILL", SIGILL}, {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},
        {"BUS", SIGBUS}, {"FPE", SIGFPE}, {"KILL", SIGKILL}, {"USR1", SIGUSR1}, {"SEGV", SIGSEGV}, {"USR2", SIGUSR2},
        {"PIPE", SIGPIPE}, {"ALRM", SIGALRM}, {"TERM", SIGTERM}, {"STKFLT", SIGSTKFLT}, {"CHLD", SIGCHLD},
        {"CONT", SIGCONT}, {"STOP", SIGSTOP}, {"TSTP", SIGTSTP}, {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU}, {"URG", SIGURG},
        {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}, {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH},
        {"IO", SIGIO}, {"PWR", SIGPWR}, {"SYS", SIGSYS},
    };
    char buffer[SIGNAME_ROOM];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        cr_assert_eq(parse(known[i].name), known[i].sig, "%s", known[i].name);
        cr_assert_str_eq(signame(known[i].sig, buffer), known[i].name);
    }
    cr_assert_eq(parse("IOT"), SIGABRT);
    cr_assert_eq(parse("CLD"), SIGCHLD);
    cr_assert_eq(parse("SIGPOLL"), SIGIO);
}

Test(signame, real_time_signals_count_from_34) {
    cr_assert_eq(parse("RTMIN"), 34);
    cr_assert_eq(parse("SIGRTMIN+3"), 37);
    cr_assert_eq(parse("rtmin+30"), 64);
    cr_assert_eq(parse("RTMAX"), 64);
    cr_assert_eq(parse("RTMAX-1"), 63);
    cr_assert_eq(parse("RTMAX-30"), 34);
}

Test(signame, what_is_no_signal) {
    static const char *const bad[] = {"", "0", "65", "99", "100", "-1", "SIG", "SIG15", "TERMS", "TER", "RTMIN+31", "RTMAX-31",
                                      "RTMIN-1", "RTMAX+1", "RTMIN+", "RTMIN+1x", "RTMI", "TER{", " TERM", "TERM ", "015"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(parse(bad[i]), 0, "%s", bad[i]);
    cr_assert_eq(signame_parse("TERMINAL", 4), SIGTERM);
}

Test(signame, every_signal_is_read_back) {
    char buffer[SIGNAME_ROOM];
    for (int sig = 1; sig <= 64; sig++)
        cr_assert_eq(parse(signame(sig, buffer)), sig, "%s", buffer);
    cr_assert_str_eq(signame(32, buffer), "32");
    cr_assert_str_eq(signame(34, buffer), "RTMIN");
    cr_assert_str_eq(signame(37, buffer), "RTMIN+3");
    cr_assert_str_eq(signame(64, buffer), "RTMAX");
    cr_assert_str_eq(signame(0, buffer), "0");
    cr_assert_str_eq(signame(65, buffer), "65");
    cr_assert_str_eq(signame(-2147483647 - 1, buffer), "-2147483648");
}
