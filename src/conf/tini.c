/* tini(1), which docker-init is too. */
#include <string.h>

#include "conf/making.h"
#include "text/number.h"
#include "text/signame.h"

const struct scan_option tini_options[] = {
    {'h', false, NULL}, {'s', false, NULL}, {'p', true, NULL}, {'v', false, NULL}, {'w', false, NULL},
    {'g', false, NULL}, {'e', true, NULL}, {'l', false, NULL}, {0, false, NULL},
};

enum { MOST_CHATTER = 4 };

#define TINI "tini version 0.19.0"

static bool usage(struct making *m, struct out *out, int stream, int code) {
    const char *slash = strrchr(m->self, '/'), *name = slash ? slash + 1 : m->self;
    out_text(out, name);
    out_text(out, " (" TINI ")\nUsage: ");
    out_text(out, name);
    out_text(out, " [OPTIONS] PROGRAM -- [ARGS] | --version\n\n"
                  "Runs PROGRAM under the supervision of a valid init process: lastcall " LASTCALL_VERSION ".\n\n"
                  "  --version  print the version\n"
                  "  -h         print this\n"
                  "  -s         be a subreaper where it is not PID 1\n"
                  "  -p SIGNAL  get SIGNAL (SIGKILL, ...) when the parent ends\n"
                  "  -v         be more verbose; up to three times\n"
                  "  -w         warn of every process that is reaped, but PROGRAM\n"
                  "  -g         forward to PROGRAM's process group\n"
                  "  -e CODE    exit with 0 where PROGRAM exits with CODE (0 to 255; may repeat)\n"
                  "  -l         print the licence\n\n"
                  "Variables: TINI_SUBREAPER is -s, TINI_KILL_PROCESS_GROUP is -g, TINI_VERBOSITY is a\n"
                  "number (1 unless set). Those of lastcall(1) work as well.\n");
    return said(m, stream, code);
}

static bool fatal(struct making *m, const char *option, const char *value) {
    struct out *out = complaint(m);
    out_text(out, "Not a valid option for ");
    out_text(out, option);
    out_text(out, ": ");
    out_text(out, value);
    out_char(out, '\n');
    return said(m, STDERR, 1);
}

/* Nothing is 0: an unset variable. */
static bool expect(struct making *m, const char *value) {
    char code[4];
    struct out out = out_on(code, sizeof code);
    int64_t number = number_loose(&value);
    if (*value || number < 0 || number > 255)
        return false;
    out_int(&out, number);
    own(m, "--expect-exit=", code);
    return true;
}

struct wishes { bool group; const char *parent_death; };

static bool take(struct making *m, struct wishes *wishes) {
    struct manners *manners = &m->calling->manners;
    const char *value = m->scan.value;
    switch (m->scan.letter) {
    case 's': manners->no_subreaper = false; return true;
    case 'v': manners->chatter += manners->chatter < MOST_CHATTER; return true;
    case 'w': manners->warns_of_orphans = true; return true;
    case 'g': wishes->group = true; return true;
    case 'p':
        wishes->parent_death = value;
        return (strncmp(value, "SIG", 3) == 0 && signame_parse(value, strlen(value))) || fatal(m, "-p", value);
    case 'e': return expect(m, value) || fatal(m, "-e", value);
    case 'l': return licence(m);
    default: return usage(m, saying(m), STDOUT, 0);
    }
}

bool tini(struct making *m) {
    struct manners *manners = &m->calling->manners;
    const char *verbosity = variable(m->calling->envp, "TINI_VERBOSITY");
    struct wishes wishes = {.group = variable(m->calling->envp, "TINI_KILL_PROCESS_GROUP")};
    manners->chatter = 1;
    manners->no_subreaper = !variable(m->calling->envp, "TINI_SUBREAPER") && !m->calling->subreaper;
    manners->keeps_ignored = manners->never_stops = manners->runs_text = true;
    manners->blocked = m->calling->mask;
    if (m->calling->argc == 2 && strcmp(m->calling->argv[1], "--version") == 0) {
        out_text(saying(m), TINI "\n");
        return said(m, STDOUT, 0);
    }
    while (scan_next(&m->scan))
        if (!take(m, &wishes))
            return false;
    if (m->scan.found != SCAN_END || m->scan.n_words == 0) {
        struct out *out = saying(m);
        if (m->scan.found != SCAN_END)
            complain(m, out);
        return usage(m, out, STDERR, 1);
    }
    if (verbosity) {
        int64_t level = number_loose(&verbosity);
        manners->chatter = (uint8_t)(level < 0 || level > MOST_CHATTER ? MOST_CHATTER : level); /* it has no sign there */
    }
    own(m, "--kill-mode=", wishes.group ? "group" : "main");
    if (wishes.parent_death)
        own(m, "--pdeathsig=", wishes.parent_death);
    return true;
}
