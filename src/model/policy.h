/* model/policy.h: what the core decides on. Made by conf from files, options and variables, checked
 * there, and frozen: nobody writes to it once the loop has begun.
 *
 * Names and places live in the arena of the configuration and outlive everything. Spans are zero or
 * positive; FOREVER means "no limit was written". Indices are positions in the arrays of struct
 * model, NONE where there is nothing.
 */
#ifndef MODEL_POLICY_H
#define MODEL_POLICY_H

#include "model/instant.h"
#include "model/limits.h"
#include "model/signals.h"

enum { NONE = 0xffff };

/* In this order a shutdown goes; the numbers are compared. */
enum phase { PH_ANNOUNCE, PH_DRAIN, PH_SAVE, PH_STOP, PH_SETTLE, PH_FINISH, PH_SWEEP, PH_N };

/* What a step does. */
enum action_of_step {
    DO_ANNOUNCE, /* wait for its lower bound (until traffic is quiet, in a later release) */
    DO_COMMAND,
    DO_SIGNAL,    /* signal = SERVICE SIG */
    DO_SLEEP,     /* sleep = DUR */
    DO_WAIT_EXIT, /* wait-exit = SERVICE */
    DO_CHECKPOINT, /* a [checkpoint]'s command, and what it saved made durable */
    DO_RECORD,    /* what became of this run, kept for the next one's restores */
    DO_STOP,      /* the stop of one service instance */
    DO_SWEEP,
    DO_N,
};

enum service_type { TYPE_SERVICE, TYPE_ONESHOT };
enum restart_policy { RESTART_NO, RESTART_ON_FAILURE, RESTART_ON_ABNORMAL, RESTART_ALWAYS };
enum check_kind {
    CHECK_HTTP, CHECK_TCP, CHECK_EXEC, CHECK_NOTIFY, CHECK_FD, CHECK_FILE, CHECK_DELAY, CHECK_N
};
enum live_then { THEN_RESTART, THEN_FAIL, THEN_SHUTDOWN };
enum on_failure { FAILURE_CONTINUE, FAILURE_SKIP_REST };
enum run_if { RUN_ALWAYS, RUN_IF_DONE, RUN_IF_FAILED, RUN_IF_TIMEOUT };

/* What a signal sent to lastcall means. */
enum signal_meaning {
    SIGNAL_FORWARD, /* to main, as `to` (its own number, or a rewrite; 0: dropped) */
    SIGNAL_STOP,    /* starts the clock; INT again hurries, a third INT kills */
    SIGNAL_HURRY,
    SIGNAL_RELOAD,  /* every service that has a reload */
    SIGNAL_CHECKPOINT,
    SIGNAL_IGNORE,
};
struct signal_rule { uint8_t meaning, to; };

struct place { const char *file; uint32_t line; }; /* file NULL: an option or a default */

/* A set of exit codes, 0 to 255: a bit each. */
static inline bool codes_have(const uint64_t codes[4], int code) { return codes[code / 64] >> (code % 64) & 1; }

struct escalation { uint8_t signal; span after; }; /* counted from the first signal */

struct service {
    const char *name;
    struct place where, stop_where; /* stop_where: of its stop-timeout, else of the section */
    uint8_t type, restart;         /* enum service_type, enum restart_policy */
    bool main, essential, kill_main; /* kill_main: the stop signal goes to the leader alone */
    bool has_stop_command, has_reload_command;
    uint8_t reload_signal;
    uint8_t n_stop;                /* 1 at least; stop[0].after is zero */
    struct escalation stop[MAX_ESCALATIONS];
    const uint16_t *after;         /* services that must be ready first */
    uint16_t n_after, level;       /* level: the longest `after` path below it, from 0 */
    uint16_t first_unit, n_units;
    span stop_timeout;             /* FOREVER: not written */
    span guarantee;                /* FOREVER: not written */
    span ready_timeout;            /* FOREVER: none */
    span restart_min, restart_max, restart_window;
    uint16_t restart_limit;        /* restarts allowed in restart_window */
    uint64_t success_codes[4];     /* bit per exit code that counts as success, 0 among them */
    signal_set success_signals;
};

/* One instance of a service. */
struct unit_policy {
    const char *name;      /* the service's, or NAME.ORDINAL where there are replicas */
    uint16_t service, ordinal;
    uint16_t ready, live;  /* checks, NONE if there is none */
};

struct check_policy {
    uint8_t kind, then;    /* enum check_kind; enum live_then (of a live check) */
    bool live;
    uint16_t unit;
    uint16_t successes, failures; /* in a row, to turn it; 1 at least */
    span every, timeout;   /* CHECK_DELAY: every is the delay */
    const char *target;    /* URL, ADDR:PORT, unix:PATH or path for net; NULL for the others */
    uint16_t fd;           /* CHECK_FD: the descriptor's number in the service */
};

/* A [drain], [checkpoint] or [finish] section. */
struct step_policy {
    const char *name;
    struct place where, timeout_where;
    uint8_t phase, action;        /* enum phase; PH_N: no row (a checkpoint with when = never); enum action_of_step */
    uint8_t signal;               /* DO_SIGNAL */
    uint8_t on_failure, run_if;
    bool required, has_only_if, has_undo;
    uint16_t stage;               /* within its phase, from 0: the longest `after` path */
    uint16_t target;              /* DO_SIGNAL, DO_WAIT_EXIT: a service */
    uint16_t for_service;         /* skipped when that service is gone; NONE: any */
    uint16_t run_if_step;         /* a step, NONE: no condition */
    uint16_t checkpoint;          /* DO_CHECKPOINT alone */
    uint16_t retries;             /* tries after the first */
    span every;                   /* between tries */
    span sleep;                   /* DO_SLEEP */
    span timeout, guarantee;      /* FOREVER: not written */
};

/* What a [checkpoint] is beyond its step. */
struct checkpoint_policy {
    uint16_t step;                /* its DO_CHECKPOINT; for_service NONE: the whole container's */
    bool has_save;                /* a command; without one it has no row, and only restores */
    bool has_restore;
    bool on_restart;              /* restore-on = restart: before every start of its service, not the first alone */
    bool may_fail;                /* on-failure = continue: a failed restore does not stop the start */
    span every;                   /* FOREVER: no schedule */
};

struct policy {
    span grace;             /* FOREVER: nothing is timed (a single command without --grace) */
    span reserve;
    span announce_min, announce_max, quiet;
    bool single;            /* no file: every signal is forwarded, none counted */
    bool keep_ready;        /* readiness-on-stop = keep */
    bool parallel;          /* order = parallel */
    bool sweep;             /* sweep = off: what is left is left */
    bool pid1;
    bool net;               /* a helper is needed: endpoints, control or its checks */
    bool phases_only;       /* prestop without a running lastcall: announce and drain, then exit */
    uint8_t stop_signal;    /* single command: what a stop delivers; 0: the signal that came */
    uint8_t parting;        /* what the processes that a single command leaves get first; 0: TERM, from the
                               sweep alone */
    uint64_t expect_codes[4]; /* --expect-exit: these become 0 */
    bool expect_failures;   /* also where the command could not be executed */
    struct signal_rule signals[SIGNAL_MAX + 1]; /* by number; 0 unused */
};

struct model {
    struct policy policy;
    const struct service *services;
    const struct unit_policy *units;
    const struct check_policy *checks;
    const struct step_policy *steps;   /* drains in the file's order, then checkpoints, then finishes */
    const struct checkpoint_policy *checkpoints;
    uint16_t n_services, n_units, n_checks, n_steps, n_checkpoints;
    uint16_t main;                     /* service, NONE if there is none */
};

#endif
