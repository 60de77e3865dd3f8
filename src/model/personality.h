/* model/personality.h: other inits whose place lastcall takes when it is called by their name, and
 * what it then does their way.
 *
 * As observed: tini 0.19, dumb-init 1.2.5, catatonit 0.1.7. What they do wrong it does not do: no
 * early signal is lost, SIGCHLD and TERM inherited as ignored hurt nobody, and what the command leaves
 * behind gets TERM and time, where a reaper can know of it.
 */
#ifndef MODEL_PERSONALITY_H
#define MODEL_PERSONALITY_H

#include <stdbool.h>

#include "model/signals.h"

enum personality { AS_LASTCALL, AS_TINI, AS_DUMB_INIT, AS_CATATONIT, AS_N };

/* All zero: lastcall's own ways. */
struct manners {
    uint8_t as;              /* enum personality */
    bool mute;               /* nothing of lastcall's own is said: its caller does not know it */
    uint8_t chatter;         /* how much it tells in the words of the other; tini: its verbosity, else 0 or 1 */
    bool asked_by_variable;  /* for its chatter */
    bool single_by_variable; /* so does the command's staying in our session */
    bool warns_of_orphans;   /* a line for each that it reaps */
    bool no_subreaper;       /* off PID 1 orphans are somebody else's */
    bool lends_terminal;     /* the command gets a session of its own, and the terminal with it */
    bool finds_terminal;     /* the command gets the terminal also where stdin is another file */
    bool shares_group;       /* the command stays in lastcall's own process group */
    bool keeps_ignored;      /* what was ignored stays so in the command, but for TERM */
    bool goes_to_root;       /* the command keeps the working directory, lastcall does not */
    bool closes_files;       /* and the descriptors that it has inherited; LISTEN_PID names it */
    bool runs_text;          /* a program that is no executable is a script of /bin/sh (execvp(3)) */
    bool never_stops;        /* when the command stops, lastcall does not */
    signal_set stops_on;     /* these stop lastcall too, once they have been forwarded */
    signal_set blocked;      /* in the command */
    signal_set fatal;        /* to lastcall as to any program */
};

#endif
