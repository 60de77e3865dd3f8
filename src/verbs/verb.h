/* verbs/verb.h: one row a verb; dispatch and help are made from the same table.
 *
 * A verb returns the exit code. It may allocate and block: it is a short-lived client or a checker,
 * never PID 1.
 */
#ifndef VERBS_VERB_H
#define VERBS_VERB_H

#include <stdbool.h>

struct verb_call { int argc; char **argv; char **envp; }; /* argv[0] is the verb */

struct verb {
    const char *name;
    int (*run)(const struct verb_call *call);
    const char *arguments, *help; /* as --help prints them */
    bool needs_running;           /* as PID 1: an error that names "--" */
    const char *usage;            /* all that may follow it; NULL: the arguments are all */
};

/* NULL if the word is no verb. */
const struct verb *verb_find(const char *word);
/* All rows in the order of --help; ends with a name of NULL. */
extern const struct verb verbs[];

/* lastcall --help, lastcall --version: to stdout; the exit code. */
int help_print(void);
int version_print(void);
int verb_print(const struct verb *verb); /* its usage and its line of the help */
const char *verb_usage(const struct verb *verb);

int verb_check(const struct verb_call *call);
int verb_plan(const struct verb_call *call);
int verb_rehearse(const struct verb_call *call);
int verb_simulate(const struct verb_call *call);
int verb_status(const struct verb_call *call);
int verb_drain(const struct verb_call *call);
int verb_resume(const struct verb_call *call);
int verb_prestop(const struct verb_call *call);
int verb_shutdown(const struct verb_call *call);
int verb_start(const struct verb_call *call);
int verb_stop(const struct verb_call *call);
int verb_restart(const struct verb_call *call);
int verb_reload(const struct verb_call *call);
int verb_signal(const struct verb_call *call);
int verb_checkpoint(const struct verb_call *call);
int ask_checkpoint(const struct verb_call *call); /* takes one now */
int verb_probe(const struct verb_call *call);

#endif
