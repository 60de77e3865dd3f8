/* core/core.h: decides. Tell it a fact and the time; it changes its state and says what to do.
 *
 * The core is a value: it has no clock, no descriptor, no pid and no memory of its own. The same
 * code runs PID 1, `plan` and the simulator. Everything it knows comes in as an event, everything
 * it wants goes out as an action, in the order in which it is to be done.
 *
 * It knows processes as jobs: slots with generations. A fact about an old generation is no fact.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include <stddef.h>

#include "core/agenda.h"
#include "core/budget.h"
#include "model/message.h"
#include "model/page.h"
#include "model/policy.h"
#include "model/row.h"

struct job_id { uint16_t job, gen; };

/* What a job's process runs. With the slot's owner it names one command of the configuration. */
enum command_kind {
    CMD_RUN,     /* a unit's command; owner: unit */
    CMD_STOP,    /* its stop-command */
    CMD_RELOAD,  /* its reload-command */
    CMD_CHECK,   /* an exec check; owner: check */
    CMD_ONLY_IF, /* of a step; owner: step */
    CMD_STEP,
    CMD_UNDO,
    CMD_SAVE,    /* a checkpoint's command, and what makes it durable; owner: step */
    CMD_RESTORE, /* of a checkpoint; owner: step */
    CMD_RECORD,  /* the result of the run, read or kept; owner: enum record */
    CMD_NET,     /* the helper; owner: 0 */
    CMD_N,
};

enum job_state { J_NONE, J_ASKED, J_UP, J_LEFT /* the leader has gone, its tree has not */, J_N };

struct job {
    uint8_t state, what;     /* enum command_kind */
    uint8_t rung;            /* stop signals sent so far */
    bool killed;             /* got KILL */
    uint8_t leftovers;       /* enum whom: who gets TERM once the leader has gone */
    bool hurried;            /* is to stop, and has not reached exec yet */
    uint16_t gen, owner;
    int16_t exit;            /* of the leader, once it has ended: exit code or -signal */
    instant term_at, kill_at; /* NEVER: not planned */
    instant first;           /* once rung is not 0: when the first stop signal was sent; escalations count from it */
    signal_set sent;         /* which stop signals it was sent */
};

/* What becomes of a unit once its tree has gone. */
enum next { NEXT_DOWN, NEXT_FAILED, NEXT_AGAIN, NEXT_BACKOFF };

struct unit {
    uint8_t state;           /* enum unit_state */
    uint8_t next;            /* enum next, while its leader has gone and its tree has not */
    bool was_ready;          /* has been ready once; stays */
    bool ready;              /* now */
    bool held;               /* an operator stopped it */
    bool again;              /* start it once it has gone: a restart was asked for */
    bool timed_out;          /* not ready in time, or its live check failed: an abnormal end */
    bool relive;             /* its live check failed: it starts again whatever the policy */
    bool ended_well;         /* its last end: success, or the stop signal that it was sent */
    bool for_good;           /* its last end was for good: policy starts it no more */
    bool at_rest;            /* it was not running when the drain or stop began: its end is no part of it */
    bool never_ran;          /* it could not be executed: exit is 125, 126 or 127, and ours */
    int16_t exit;            /* of its last end; EXIT_UNKNOWN */
    uint16_t burst;          /* restarts in the current window */
    uint32_t restarts;
    instant window;          /* when the window began; NEVER: none yet */
};

struct check {
    bool on, passing;
    uint16_t streak;         /* answers in a row against `passing` */
    uint32_t gen;
    instant asked;           /* when the running exec check began */
};

enum record { RECORD_START, RECORD_STOP, RECORD_END };

/* One checkpoint, beside its row. */
enum restore_state { R_DONE, R_WAITING, R_RUNS, R_FAILED };
enum why_saved { WHY_STOP, WHY_SCHEDULE, WHY_REQUEST, WHY_SIGNAL };
struct saver {
    uint8_t restore;         /* enum restore_state; R_DONE also where there is nothing to restore */
    uint8_t why;             /* enum why_saved: of the newest attempt */
    int16_t exit;            /* of the newest save or restore; EXIT_UNKNOWN */
    uint32_t attempts;       /* to save, that have begun */
    uint32_t ended;          /* the newest that has ended */
    uint32_t client;         /* who asked for the newest; 0: nobody who waits */
    instant next;            /* by schedule; NEVER */
};

enum goal { GO_RUN, GO_DRAIN, GO_EXIT }; /* joins by max; resume alone lowers it, from DRAIN */

enum cause { BY_NOTHING, BY_SIGNAL, BY_PRESTOP, BY_SHUTDOWN, BY_DRAIN, BY_MAIN, BY_SERVICE, BY_ALL_ENDED, BY_LIVE,
             BY_RESTORE, BY_N };

struct stage { uint16_t first, n; uint8_t phase; };

struct walk {
    uint8_t goal, floor;     /* enum goal; rows of phases below floor end now */
    uint8_t cause;           /* enum cause */
    uint8_t hurries;         /* SIGINTs that came while a stop was under way */
    uint16_t cause_value;    /* BY_SIGNAL: the signal; BY_SERVICE, BY_LIVE: the unit; BY_RESTORE: the checkpoint */
    uint16_t stage;          /* the open or next one; n_stages: all have ended */
    uint16_t n_stages, n_rows;
    uint16_t open_rows;      /* rows of the open stage that have not ended */
    uint16_t undo;           /* rows below this are still to be undone */
    bool open;               /* the stage has begun */
    bool forced;             /* something got KILL since the drain or stop began */
    bool no_time;            /* kill was asked: nothing is left of the grace */
    bool undoing, undo_runs; /* a resume is at work; the undo command of row `undo` runs */
    bool skip_rest[PH_N];    /* a step said on-failure = skip-rest */
    bool said_drained;
    bool awaits_saves;       /* the stop of the services waits for saves that it found at work, and has said so */
    instant clock;           /* when the grace began; NEVER: no clock */
    instant asked;           /* when the drain or stop began; NEVER */
    struct row *rows;        /* sorted by stage */
    struct stage *stages;
    struct promise *promises; /* by stage */
};

/* The helper that talks. */
struct helper {
    uint8_t stops;           /* SIGSTOPs in a row that CONT has answered */
    uint8_t burst;           /* deaths in a row, for its back-off */
    bool warned;             /* got CONT because it gave no sign of life */
    bool waiting;            /* in back-off */
    instant since, stopped;
};

struct core {
    const struct model *model;
    struct walk walk;
    struct helper net;
    struct job *jobs;        /* see core_job_of_* */
    struct unit *units;
    struct check *checks;
    struct saver *savers;    /* by checkpoint */
    struct agenda agenda;
    uint16_t n_jobs;
    uint8_t stop_signal;     /* single command: what its stop step delivers */
    signal_set held;         /* single command: more notices, held back until then */
    bool cut_save;           /* one failed during the stop, which takes none of its own */
    bool recorded;           /* the last run's record has been read, or could not be */
    bool started;            /* every service has been ready once */
    bool no_children;
    bool sweeping;           /* the sweep's TERM has been said */
    bool left_behind;        /* it gave up: something is still there */
    bool told_to_stop;       /* single command: TERM, INT or QUIT has been forwarded */
    bool exited, dirty, was_ready;
    int16_t exit_code;
    uint64_t orphans;
    bool uncounted;          /* more orphans than others have been told of */
    uint32_t pulse;
    instant now;             /* during core_step only */
    struct actions *out;     /* during core_step only */
    struct page_reply replies[MAX_REPLIES];
    uint16_t next_reply;
};

enum event_kind {
    EV_TICK,         /* nothing but the time */
    EV_SPAWNED,      /* job: exec has succeeded */
    EV_SPAWN_FAILED, /* job: value: 125, 126 or 127; no process is left of it */
    EV_LEADER,       /* job: value: exit code, or -signal; its leader has been reaped */
    EV_GONE,         /* job: after EV_LEADER: its group and known tree are empty */
    EV_STOPPED,      /* job: the leader was stopped by a signal (the helper alone matters) */
    EV_CHECK,        /* subject: check; value: 1 passing, 0 failing; gen: of the check */
    EV_SIGNAL,       /* value: signal; flags: SIG_FROM_* */
    EV_ORPHAN,       /* value: so many processes that are no job's leader were reaped */
    EV_EMPTY,        /* lastcall has no child left: said before the other facts of its batch, but for the ends of what
                        got KILL, and after A_SWEEP */
    EV_EXTEND,       /* subject: unit; more: asked from now */
    EV_PULSE,        /* the helper gave a sign of life */
    EV_LIFE,         /* the helper asks for one; client */
    EV_ASK,          /* verb: enum ask; subject; value; client (0: nobody waits) */
    EV_N,
};
enum { SIG_FROM_KERNEL = 1, SIG_FROM_OUTSIDE = 2 };

struct event {
    uint8_t kind, verb, flags;
    uint16_t subject;
    struct job_id job;
    int32_t value;
    uint32_t client, gen;
    span more;
};

enum action_kind {
    A_NOTHING,
    A_PUBLISH,     /* the state that others see has changed; said first */
    A_SPAWN,       /* job, subject: owner, value: command_kind */
    A_SIGNAL,      /* job, signal, value: enum whom */
    A_WATCH_TREE,  /* job: remember its descendants, they belong to it from now on */
    A_KILL,        /* job: KILL to its tree */
    A_FORGET,      /* job: its slot is free; what is left of its group belongs to the sweep */
    A_SWEEP,       /* the helper shall answer its clients and go; signal (0: TERM) and CONT to all
                      that is left */
    A_SWEEP_KILL,  /* KILL to all that is left, again and again until there is none */
    A_NOTE,        /* value: enum note, subject, extra: tell a person */
    A_EXIT,        /* value: the exit code; the last action ever */
    A_N,
};
enum whom {
    TO_LEADER,
    TO_GROUP,
    TO_STRAYS, /* its known descendants outside the group */
    TO_TREE,   /* group and strays */
};

enum note {
    NOTE_STOP_BEGAN,    /* a stop, drain or prestop began: cause is in the walk */
    NOTE_ALREADY,       /* extra: signal; a stop was under way */
    NOTE_HURRY, NOTE_KILL_ALL,
    NOTE_IGNORED,       /* extra: signal; nobody to forward it to */
    NOTE_RESTARTING,    /* subject: unit; extra: ms until then */
    NOTE_FAILED,        /* subject: unit; it ended for good, and not well */
    NOTE_ENDED,         /* subject: unit; a oneshot or service ended as it should */
    NOTE_SPAWN_FAILED,  /* subject: job; extra: 125..127 */
    NOTE_NOT_READY,     /* subject: unit; its ready-timeout has passed */
    NOTE_UNHEALTHY,     /* subject: unit; its live check failed */
    NOTE_WAITING,       /* eight seconds after a TERM that nobody answered; subject: unit */
    NOTE_RESUMED, NOTE_PRESTOP_LAPSED, NOTE_DRAINED,
    NOTE_RESTORED,      /* subject: checkpoint; extra: exit code or -signal */
    NOTE_SAVED,         /* a save that was no step of a stop; likewise */
    NOTE_SAVE_AWAITED,  /* subject: checkpoint; extra: ms at most until the services are stopped */
    NOTE_SAVE_MISSED,   /* subject: checkpoint; the save before is still at work */
    NOTE_READY,         /* for the first time */
    NOTE_NET_RESTART,   /* extra: ms until then */
    NOTE_ROW,           /* subject: row; extra: its new enum step_state */
    NOTE_N,
};

struct action {
    uint8_t kind, signal;
    uint16_t subject;
    struct job_id job;
    int32_t value, extra;
};
/* The caller's buffer; room = core_actions_max(model). It never overflows. */
struct actions { struct action *v; uint32_t n, room; };

/* Lays core out in arena, and makes its plan; false if the arena is too small. core_bytes() is enough. */
bool core_layout(struct core *core, const struct model *model, void *arena, uint64_t bytes);
uint64_t core_bytes(const struct model *model);
uint32_t core_actions_max(const struct model *model);

/* Once, before the first event: what is to be started at the beginning. */
void core_start(struct core *core, instant now, struct actions *out);

/* First the event, then all that is due at now, to a fixpoint. `out` is emptied first. */
void core_step(struct core *core, const struct event *event, instant now, struct actions *out);

/* Which requests the configuration has opened a door for. */
struct doors { bool control, prestop; };

/* What the helper says; bytes: as many as came. number: of the last message, 0 before the first. false: it is no event,
 * and nothing of it counts. */
bool core_hear(const struct model *model, struct doors doors, uint32_t *number, const struct message *message,
               size_t bytes, struct event *event);

/* The earliest instant at which EV_TICK would change something; > now after core_step(now). */
instant core_next(const struct core *core);

/* Derived, never stored. */
bool core_ready(const struct core *core);
bool core_live(const struct core *core);
uint8_t core_life(const struct core *core);    /* enum life */
uint8_t core_phase(const struct core *core);   /* of the open stage, PH_N if none */
uint8_t core_verdict(const struct core *core); /* as of now; VERDICT_NONE before a stop */
int core_exit_code(const struct core *core);   /* that it would exit with as of now */
span core_left(const struct core *core, instant now); /* of the grace; FOREVER without a clock */

/* Slots: units' main jobs, their aux jobs (stop and reload commands), steps, checks, net, record. */
uint16_t core_job_of_unit(const struct core *core, uint16_t unit);
uint16_t core_job_of_aux(const struct core *core, uint16_t unit);
uint16_t core_job_of_step(const struct core *core, uint16_t step);
uint16_t core_job_of_check(const struct core *core, uint16_t check);
uint16_t core_job_of_net(const struct core *core);
uint16_t core_job_of_record(const struct core *core); /* none without a checkpoint */
uint16_t core_jobs(const struct model *model);

#endif
