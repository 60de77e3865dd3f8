/* Who lastcall is called as, and what all of them have in common. */
#include "conf/personality.h"

#include <string.h>

#include "conf/findings.h"
#include "conf/making.h"

enum { SIG_INT = 2, SIG_TERM = 15, SIG_STOP = 19, SIG_TSTP = 20, SIG_TTIN = 21, SIG_TTOU = 22 };

/* ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS: a program's own faults, which tini and catatonit do not forward. */
#define FAULTS (signal_bit(4) | signal_bit(5) | signal_bit(6) | signal_bit(7) | signal_bit(8) | signal_bit(11) | signal_bit(31))

static const struct { char name[12]; uint8_t as; } names[] = {
    {"tini", AS_TINI}, {"docker-init", AS_TINI}, {"dumb-init", AS_DUMB_INIT}, {"catatonit", AS_CATATONIT},
    {"podman-init", AS_CATATONIT}, {"lastcall", AS_LASTCALL},
};

/* What is downloaded is called tini-static-amd64, dumb-init_1.2.5_x86_64, catatonit.x86_64. */
static bool begins(const char *name, const char *with) {
    size_t n = strlen(with);
    return strncmp(name, with, n) == 0 && (!name[n] || strchr("-_.", name[n]));
}

enum personality personality_of(const char *argv0) {
    const char *slash = strrchr(argv0, '/'), *name = slash ? slash + 1 : argv0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (begins(name, names[i].name))
            return (enum personality)names[i].as;
    return AS_N;
}

void personality_prefix(struct out *out, enum personality as, int pid, int level) {
    static const char levels[][6] = {"FATAL", "WARN ", "INFO ", "DEBUG", "TRACE"};
    switch (as) {
    case AS_TINI:
        out_char(out, '[');
        out_text(out, levels[level]);
        out_text(out, " tini (");
        out_int(out, pid);
        out_text(out, ")] ");
        break;
    case AS_DUMB_INIT: out_text(out, "[dumb-init] "); break;
    case AS_CATATONIT:
        out_text(out, level == 0 ? "ERROR (catatonit:" : "DEBUG (catatonit:");
        out_int(out, pid);
        out_text(out, "): ");
        break;
    case AS_LASTCALL:
    case AS_N: break;
    }
}

/* ---- for all of them ---- */

void own(struct making *m, const char *option, const char *value) {
    struct out out = text_open(m->arena);
    out_text(&out, option);
    out_text(&out, value);
    m->own[m->n_own++] = text_close(m->arena, &out);
}

struct out *saying(struct making *m) {
    m->out = text_open(m->arena);
    return &m->out;
}

struct out *complaint(struct making *m) {
    struct out *out = saying(m);
    personality_prefix(out, (enum personality)m->calling->manners.as, m->calling->pid, 0);
    return out;
}

bool said(struct making *m, int stream, int code) {
    m->calling->text = text_close(m->arena, &m->out);
    m->calling->stream = stream;
    m->calling->exit = code;
    return false;
}

bool licence(struct making *m) {
    out_text(saying(m), "lastcall " LASTCALL_VERSION ", in the place of another init, whose code it has none of: MIT licence.\n");
    return said(m, STDOUT, 0);
}

void complain(struct making *m, struct out *out) {
    static const char *const why[] = {
        [SCAN_UNKNOWN] = "", [SCAN_NO_VALUE] = " requires an argument", [SCAN_NOT_ONE] = " is ambiguous",
        [SCAN_UNWANTED] = " doesn't allow an argument",
    };
    const struct scan *scan = &m->scan;
    char letter[2] = {scan->letter, 0};
    bool is_long = scan->long_word, unknown = scan->found == SCAN_UNKNOWN;
    const char *word = is_long ? scan->long_word : letter;
    out_text(out, m->self);
    out_text(out, ": ");
    if (is_long)
        out_text(out, unknown ? "unrecognized option" : "option");
    else
        out_text(out, unknown ? "invalid option --" : "option requires an argument --");
    out_text(out, " '");
    out_bytes(out, word, unknown ? strlen(word) : strcspn(word, "="));
    out_char(out, '\'');
    if (is_long)
        out_text(out, why[scan->found]);
    out_char(out, '\n');
}

/* ---- into lastcall's own ---- */

static const struct one { bool (*read)(struct making *m); const struct scan_option *options; bool permutes; } ones[] = {
    [AS_TINI] = {tini, tini_options, true},
    [AS_DUMB_INIT] = {dumb_init, dumb_init_options, false},
    [AS_CATATONIT] = {catatonit, catatonit_options, true},
};
_Static_assert(sizeof ones / sizeof *ones == AS_N, "a row for each");

/* What no variable of lastcall's has asked for is not said: stderr is the other init's. */
static bool is_mute(char *const *envp) {
    for (; *envp; envp++)
        if (conf_is_own_variable(*envp))
            return false;
    return true;
}

/* What execvp(3) says of an empty name; our own words would call it a mistake of the caller. */
static bool has_command(struct making *m) {
    static const struct { const char *failed; int exit; } whats[AS_N] = {
        [AS_TINI] = {"exec  failed", 127}, [AS_DUMB_INIT] = {"", 2}, [AS_CATATONIT] = {"failed to exec pid1", 1},
    };
    uint8_t as = m->calling->manners.as;
    if (m->calling->pause || *m->scan.words[0])
        return true;
    struct out *out = complaint(m);
    out_text(out, whats[as].failed);
    out_text(out, ": No such file or directory\n");
    return said(m, STDERR, whats[as].exit);
}

bool personality_call(enum personality as, struct calling *calling, struct arena *arena) {
    size_t room = (size_t)calling->argc + OWN_MORE;
    struct making m = {
        .calling = calling, .arena = arena, .self = calling->argv[0],
        .own = arena_take(arena, 2 * room * sizeof *m.own),
        .scan = {.options = ones[as].options, .argc = calling->argc, .argv = calling->argv, .at = 1,
                 .words = arena_take(arena, room * sizeof *m.scan.words)},
    };
    if (!m.own || !m.scan.words)
        return false;
    m.scan.permutes = ones[as].permutes && !variable(calling->envp, "POSIXLY_CORRECT");
    calling->manners = (struct manners){.as = (uint8_t)as, .mute = is_mute(calling->envp)};
    own(&m, "lastcall", "");
    if (!ones[as].read(&m) || !has_command(&m))
        return true;
    own(&m, "--", "");
    memcpy(m.own + m.n_own, m.scan.words, (size_t)m.scan.n_words * sizeof *m.own);
    calling->own_argc = m.n_own + m.scan.n_words;
    calling->own_argv = (char **)m.own;
    return true;
}

static void pause(struct config *config) {
    struct model *model = &config->model;
    model->n_services = model->n_units = model->n_checks = 0;
    model->policy.net = config->http || (config->control && strcmp(config->control, "off") != 0);
    model->main = NONE;
    model->policy.single = false;
    for (int sig = 1; sig <= SIGNAL_MAX; sig++)
        model->policy.signals[sig].meaning = sig == SIG_TERM || sig == SIG_INT ? SIGNAL_STOP : SIGNAL_IGNORE;
}

/* In a session of its own the command's group is orphaned, and the kernel would ignore a terminal's stop
 * signals there (setpgid(2)). */
static void stop_with(struct config *config, signal_set rewritten) {
    for (int sig = SIG_TSTP; sig <= SIG_TTOU; sig++)
        if (!(rewritten & signal_bit(sig)))
            config->model.policy.signals[sig].to = SIG_STOP;
}

static void drop(struct config *config, signal_set dropped) {
    for (int sig = 1; sig <= SIGNAL_MAX; sig++)
        if (dropped & signal_bit(sig))
            config->model.policy.signals[sig].to = 0;
}

void personality_apply(const struct calling *calling, struct config *config) {
    struct policy *policy = &config->model.policy;
    config->manners = calling->manners;
    if (calling->manners.mute)
        config->verbosity = -2;
    if (!policy->pid1 && calling->manners.no_subreaper)
        policy->sweep = false; /* what is left behind is not ours to see */
    if ((calling->manners.as == AS_TINI || calling->manners.as == AS_CATATONIT) && (calling->pause || policy->single))
        config->manners.fatal = FAULTS;
    if (calling->pause)
        pause(config);
    if (!policy->single)
        return;
    switch ((enum personality)calling->manners.as) {
    case AS_TINI:
        drop(config, FAULTS | signal_bit(SIG_TTIN) | signal_bit(SIG_TTOU));
        policy->expect_failures = true;
        break;
    case AS_CATATONIT: drop(config, FAULTS | TTY_SIGNALS); break;
    case AS_DUMB_INIT:
        if (!calling->manners.lends_terminal)
            break;
        stop_with(config, calling->rewritten);
        policy->parting = policy->signals[SIG_TERM].to;
        break;
    case AS_LASTCALL:
    case AS_N: break;
    }
}
