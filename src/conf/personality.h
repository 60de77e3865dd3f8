/* conf/personality.h: the command lines and variables of other inits, in lastcall's own words.
 *
 * Their options become lastcall's options, so that all of lastcall's variables work with them: an
 * image that calls tini gets a deadline from LASTCALL_GRACE. What has no option is in the manners.
 */
#ifndef CONF_PERSONALITY_H
#define CONF_PERSONALITY_H

#include "conf/conf.h"
#include "text/out.h"

struct calling {
    /* In: */
    int argc;
    char *const *argv, *const *envp;
    int pid;                  /* lastcall's own */
    bool subreaper;           /* it is one already: its parent became one, and then exec'd it */
    signal_set mask;          /* as it was inherited */
    /* Out: */
    const char *text;         /* not NULL: this is all there is to do; print it and exit */
    int stream, exit;         /* where to (1, 2), and with which code */
    int own_argc;             /* else: lastcall's own command line that means the same */
    char **own_argv;
    struct manners manners;
    signal_set rewritten;     /* by an option */
    bool pause;               /* there is no command: reap, and wait for TERM or INT */
};

/* By the last component of argv[0]: tini, docker-init, dumb-init, catatonit, podman-init or lastcall, alone or before
 * one of "-_.", as tini-static. AS_N: it names none of them. */
enum personality personality_of(const char *argv0);

/* What its lines begin with; level 0 is an error, and tini has more of them. */
void personality_prefix(struct out *out, enum personality as, int pid, int level);

/* Reads argv and the variables as the other init does. false: the arena is full. */
bool personality_call(enum personality as, struct calling *calling, struct arena *arena);

/* What lastcall has no option for, into a configuration that has been loaded. */
void personality_apply(const struct calling *calling, struct config *config);

#endif
