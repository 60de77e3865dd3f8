/* dumb-init(1). */
#include <string.h>

#include "conf/making.h"
#include "text/number.h"

const struct scan_option dumb_init_options[] = {
    {'h', false, "help"}, {'v', false, "verbose"}, {'V', false, "version"}, {'c', false, "single-child"},
    {'r', true, "rewrite"}, {0, false, NULL},
};

enum { MOST_REWRITTEN = 31, SIG_KILL = 9, SIG_CHLD = 17, SIG_STOP = 19 };

#define DUMB_INIT "dumb-init v1.2.5"

/* To the byte: its users compare it. */
static bool help(struct making *m) {
    struct out *out = saying(m);
    out_text(out, DUMB_INIT "\nUsage: ");
    out_text(out, m->self);
    out_text(out, " [option] command [[arg] ...]\n\n"
                  "dumb-init is a simple process supervisor that forwards signals to children.\n"
                  "It is designed to run as PID1 in minimal container environments.\n\n"
                  "Optional arguments:\n"
                  "   -c, --single-child   Run in single-child mode.\n"
                  "                        In this mode, signals are only proxied to the\n"
                  "                        direct child and not any of its descendants.\n"
                  "   -r, --rewrite s:r    Rewrite received signal s to new signal r before proxying.\n"
                  "                        To ignore (not proxy) a signal, rewrite it to 0.\n"
                  "                        This option can be specified multiple times.\n"
                  "   -v, --verbose        Print debugging information to stderr.\n"
                  "   -h, --help           Print this help message and exit.\n"
                  "   -V, --version        Print the current version and exit.\n\n"
                  "Full help is available online at https://github.com/Yelp/dumb-init\n");
    return said(m, STDERR, 0);
}

static bool bad_rewrite(struct making *m) {
    out_text(saying(m), "Usage: -r option takes <signum>:<signum>, where <signum> is between 1 and 31.\n"
                        "This option can be specified multiple times.\n"
                        "Use --help for full usage.\n");
    return said(m, STDERR, 1);
}

/* As scanf(3) reads "%d:%d". Of KILL, STOP and CHLD none ever comes to be forwarded. */
static bool rewrite(struct making *m, const char *value) {
    int64_t from = number_loose(&value);
    const char *start = value + (*value == ':'), *end = start;
    int64_t to = number_loose(&end);
    char pair[8];
    struct out out = out_on(pair, sizeof pair);
    if (from < 1 || from > MOST_REWRITTEN || start == value || end == start || to < 0 || to > MOST_REWRITTEN)
        return bad_rewrite(m);
    out_int(&out, from);
    out_char(&out, ':');
    out_int(&out, to);
    m->calling->rewritten |= signal_bit((int)from);
    if (from != SIG_KILL && from != SIG_CHLD && from != SIG_STOP)
        own(m, "--rewrite=", pair);
    return true;
}

static bool take(struct making *m) {
    struct manners *manners = &m->calling->manners;
    switch (m->scan.letter) {
    case 'v': manners->chatter = 1; return true;
    case 'c': manners->lends_terminal = false; return true;
    case 'r': return rewrite(m, m->scan.value);
    case 'V':
        out_text(saying(m), DUMB_INIT "\n");
        return said(m, STDERR, 0);
    default: return help(m);
    }
}

static bool is(const char *value, const char *wanted) { return value && strcmp(value, wanted) == 0; }

bool dumb_init(struct making *m) {
    struct manners *manners = &m->calling->manners;
    manners->chatter = manners->asked_by_variable = is(variable(m->calling->envp, "DUMB_INIT_DEBUG"), "1");
    manners->single_by_variable = is(variable(m->calling->envp, "DUMB_INIT_SETSID"), "0");
    manners->lends_terminal = !manners->single_by_variable;
    manners->no_subreaper = manners->never_stops = manners->goes_to_root = manners->runs_text = true;
    manners->stops_on = TTY_SIGNALS;
    while (scan_next(&m->scan))
        if (!take(m))
            return false;
    if (m->scan.found != SCAN_END) {
        complain(m, saying(m));
        return said(m, STDERR, 1);
    }
    if (m->scan.n_words == 0) {
        struct out *out = saying(m);
        out_text(out, "Usage: ");
        out_text(out, m->self);
        out_text(out, " [option] program [args]\nTry ");
        out_text(out, m->self);
        out_text(out, " --help for full usage.\n");
        return said(m, STDERR, 1);
    }
    manners->shares_group = !manners->lends_terminal;
    own(m, "--kill-mode=", manners->lends_terminal ? "group" : "main");
    return true;
}
