/* run/tell.h: what another init would say, in its words, where lastcall is called as that one.
 *
 * Only lines that are parsed somewhere or answer the option that asks for them. Nothing for lastcall
 * itself: see run_say().
 */
#ifndef RUN_TELL_H
#define RUN_TELL_H

#include "sys/spawn.h"

struct run;

enum tale {
    TALE_BEGIN,      /* a variable asked for words */
    TALE_SINGLE,     /* a variable asked for no session */
    TALE_NOT_LEFT,   /* a: errno; lastcall keeps its terminal, or has none */
    TALE_LEFT, TALE_LEFT_AS_MEMBER, /* it does not; it led the session, or not */
    TALE_NOT_TAKEN,  /* a: errno; nor has the command taken it */
    TALE_NO_REAPER,  /* off PID 1, and no subreaper */
    TALE_SESSION,    /* the command has one of its own */
    TALE_SPAWNED,    /* a: pid */
    TALE_FAILED,     /* a: errno, b: pid or 0; the command could not be executed */
    TALE_NOT_FORKED, /* a: errno; it did not come to that */
    TALE_CHILD,      /* SIGCHLD came */
    TALE_SIGNAL,     /* a came */
    TALE_OWN,        /* a, of our own doing, came: it means nothing */
    TALE_REWRITTEN,  /* a, as b */
    TALE_DROPPED,    /* it, as a, which is 0 */
    TALE_FORWARDED,  /* a */
    TALE_SUSPENDED,  /* by a, and the command has been told to stop */
    TALE_EXITED,     /* a: pid, b: code */
    TALE_KILLED,     /* a: pid, b: signal */
    TALE_ORPHAN,     /* a: pid; it was not the command */
    TALE_MAIN_EXITED, TALE_MAIN_KILLED, /* b: code or signal */
    TALE_GOODBYE,    /* a: the exit code */
    TALE_N,
};

void tell(struct run *run, enum tale tale, int a, int b);
/* How a process ended, value as in struct reap_fact. */
void tell_reaped(struct run *run, bool main, int pid, int value);
/* The command could not be executed: for the others it is a child that says so and exits. */
void tell_failed(struct run *run, const struct spawn_error *error);
/* A signal has come, to be forwarded as the policy says. */
void tell_signal(struct run *run, int sig);

/* The exit code for a command that could not be started. */
int failure_code(const struct run *run, const struct spawn_error *error);

#endif
