/* The verbs: one row each, for dispatch and for --help. */
#include "verbs/verb.h"

#include <stddef.h>
#include <string.h>

const struct verb verbs[] = {
    {"check", verb_check, "[--platform NAME] FILE...", "read the files, say all that is wrong", false,
     "[--strict] [--json] [--platform NAME] FILE... [-- COMMAND [ARG...]]"},
    {"plan", verb_plan, "[--svg FILE] FILE...", "show how the grace is shared", false,
     "[--json] [--svg FILE] FILE... [-- COMMAND [ARG...]]"},
    {"simulate", verb_simulate, "[--with NAME=HOW] FILE...", "the stop that would be; starts nothing", false,
     "[--with NAME=DUR|hang|fail]... [--late DUR] [--again DUR:SIG]... [--json] FILE... [-- COMMAND [ARG...]]"},
    {"rehearse", verb_rehearse, "[-n RUNS] FILE...", "start all, wait until ready, stop it, and say how long", false,
     "[-n RUNS] FILE... [-- COMMAND [ARG...]]"},
    {"status", verb_status, "[--json] [--watch]", "what runs, what is ready", true, NULL},
    {"drain", verb_drain, "", "take it out of rotation, stop nothing", true, NULL},
    {"resume", verb_resume, "", "put it back into rotation", true, NULL},
    {"prestop", verb_prestop, "[--late DUR] [-c FILE]", "drain on the stop's clock; for preStop", true, NULL},
    {"shutdown", verb_shutdown, "[--now]", "stop everything, wait for the verdict", true, NULL},
    {"start", verb_start, "NAME", "start one service", true, NULL},
    {"stop", verb_stop, "NAME", "stop one service", true, NULL},
    {"restart", verb_restart, "NAME", "restart one service", true, NULL},
    {"reload", verb_reload, "NAME", "have one service reload", true, NULL},
    {"signal", verb_signal, "NAME SIG", "send one service a signal", true, NULL},
    {"checkpoint", verb_checkpoint, "[NAME]", "take one now; list, show, verify, export, import", false, NULL},
    {"probe", verb_probe, "TARGET [--wait DUR]", "ready, live, startup or a URL: exit 0 or 1", false, NULL},
    {NULL, NULL, NULL, NULL, false, NULL},
};

const struct verb *verb_find(const char *word) {
    const struct verb *verb = verbs;
    while (verb->name && strcmp(verb->name, word) != 0)
        verb++;
    return verb->name ? verb : NULL;
}
