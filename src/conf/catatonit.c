/* catatonit(1). */
#include "conf/making.h"

const struct scan_option catatonit_options[] = {
    {'g', false, NULL}, {'h', false, NULL}, {'L', false, NULL}, {'P', false, NULL}, {'V', false, "version"},
    {0, false, NULL},
};

/* Docker and podman look for this beginning. */
#define CATATONIT "tini version 0.1.7_catatonit"

static bool usage(struct making *m, struct out *out, bool whole, int code) {
    out_text(out, "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n");
    if (whole)
        out_text(out, "\nRuns progname as its init: forwards signals to it, reaps what others leave.\n\n"
                      "  -g             forward to its process group\n"
                      "  -h             print this\n"
                      "  -L             print the licence\n"
                      "  -P             run nothing: reap until TERM or INT\n"
                      "  -V, --version  print the version\n\n"
                      "CATATONIT_DEBUG tells more. The variables of lastcall(1) work as well.\n");
    return said(m, STDERR, code);
}

static bool take(struct making *m, bool *group) {
    switch (m->scan.letter) {
    case 'g': *group = true; return true;
    case 'P': m->calling->pause = true; return true;
    case 'L': return licence(m);
    case 'V':
        out_text(saying(m), CATATONIT "\n");
        return said(m, STDOUT, 0);
    default: return usage(m, saying(m), true, 0);
    }
}

static struct out *error(struct making *m, const char *text) {
    struct out *out = complaint(m);
    out_text(out, text);
    return out;
}

bool catatonit(struct making *m) {
    struct manners *manners = &m->calling->manners;
    bool group = false;
    manners->chatter = variable(m->calling->envp, "CATATONIT_DEBUG") ? 1 : 0;
    manners->keeps_ignored = manners->never_stops = manners->goes_to_root = manners->closes_files = true;
    manners->runs_text = manners->finds_terminal = true;
    manners->blocked = m->calling->mask | TTY_SIGNALS;
    if (variable(m->calling->envp, "CATATONIT_LOG")) {
        error(m, "CATATONIT_LOG is reserved for future use\n");
        return said(m, STDERR, 1);
    }
    while (scan_next(&m->scan))
        if (!take(m, &group))
            return false;
    if (m->scan.found != SCAN_END) {
        struct out *out = saying(m);
        complain(m, out);
        return usage(m, out, false, 1);
    }
    if (m->calling->pause) {
        m->scan.words[0] = "pause"; /* which will not be run */
        m->scan.n_words = 1;
    }
    if (m->scan.n_words == 0)
        return usage(m, error(m, "missing program name\n"), false, 1);
    own(m, "--kill-mode=", group ? "group" : "main");
    return true;
}
