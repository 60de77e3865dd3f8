/* The verbs: one row each, for dispatch and for --help. */
#include "verbs/verb.h"

#include <stddef.h>
#include <string.h>

const struct verb verbs[] = {
    {"check", verb_check, "[--platform NAME] FILE...", "read the files, say all that is wrong", false},
    {"plan", verb_plan, "[--svg FILE] FILE...", "show how the grace is shared", false},
    {"simulate", verb_simulate, "[--with NAME=HOW] FILE...", "the stop that would be; starts nothing", false},
    {"rehearse", verb_rehearse, "[-n RUNS] FILE...", "start all, wait until ready, stop it, and say how long", false},
    {"status", verb_status, "[--json] [--watch]", "what runs, what is ready", true},
    {"drain", verb_drain, "", "take it out of rotation, stop nothing", true},
    {"resume", verb_resume, "", "put it back into rotation", true},
    {"prestop", verb_prestop, "[--late DUR] [-c FILE]", "drain on the stop's clock; for preStop", true},
    {"shutdown", verb_shutdown, "[--now]", "stop everything, wait for the verdict", true},
    {"start", verb_start, "NAME", "start one service", true},
    {"stop", verb_stop, "NAME", "stop one service", true},
    {"restart", verb_restart, "NAME", "restart one service", true},
    {"reload", verb_reload, "NAME", "have one service reload", true},
    {"signal", verb_signal, "NAME SIG", "send one service a signal", true},
    {"checkpoint", verb_checkpoint, "[NAME]", "take one now; list, show, verify, export, import", false},
    {"probe", verb_probe, "TARGET [--wait DUR]", "ready, live, startup or a URL: exit 0 or 1", false},
    {NULL, NULL, NULL, NULL, false},
};

const struct verb *verb_find(const char *word) {
    const struct verb *verb = verbs;
    while (verb->name && strcmp(verb->name, word) != 0)
        verb++;
    return verb->name ? verb : NULL;
}
