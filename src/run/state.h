/* run/state.h: all that PID 1 has, and what the files of run/ are to each other.
 *
 *     facts.c   the kernel's news  ->  events       acts.c    actions  ->  the kernel
 *     step()    one event into the core, its actions carried out, and what came of them at once
 *
 * Everything is laid out before the loop begins; after that nothing is allocated, and no error ends it.
 */
#ifndef RUN_STATE_H
#define RUN_STATE_H

#include "conf/spawnwords.h"
#include "core/core.h"
#include "model/arena.h"
#include "model/spec.h"
#include "run/jobs.h"
#include "run/kept.h"
#include "run/tell.h"
#include "sys/control.h"
#include "sys/message_file.h"
#include "sys/page.h"
#include "sys/sigmask.h"
#include "sys/stderr.h"
#include "sys/terminal.h"

/* Tags of what epoll watches; an error pipe has its slot and generation. */
#define TAG_SIGNALS (UINT64_C(1) << 40)
#define TAG_MESSAGES (UINT64_C(2) << 40)

enum { ENV_FILE_BYTES = 131072, VALUE_BYTES = 32768 };

/* Used by children alone, between fork and exec: the parent never touches a page of it. */
struct child_room {
    struct words words;
    struct environment environment;
    char file[ENV_FILE_BYTES];
    char value[VALUE_BYTES];
};

/* What belongs to PID 1 and outlives every helper. */
struct helper_ends {
    bool wanted;
    struct page page;
    int program;           /* our own binary, opened at the start: the helper survives its removal */
    int http;              /* -1: none */
    struct control control; /* fd -1: none */
    int16_t *net_fds;      /* by check: its descriptor in net, -1 */
    int *check_fds;        /* by check: the end that net gets, -1 */
    int *write_fds;        /* by check: the end that the service gets (fd checks), -1 */
    char (*notify)[8];     /* by check: the name of its notify socket, "@0000a" */
    struct spawn_fd *spawn_fds;
    int doorbell, messages; /* of the running helper, -1 */
    uint32_t number;        /* of its last message */
    uint32_t bad_messages;
    bool alive;
};

struct upward {
    const char *address;   /* NOTIFY_SOCKET, NULL: nobody above wants to know */
    span watchdog;         /* FOREVER: none */
    instant next;
};

/* Why it ended. KILLER_OOM: the OOM killer's count had grown. */
enum killer { KILLER_NONE, KILLER_UNKNOWN, KILLER_OOM };
enum { KILLED_BY_OTHERS = 16 };
struct why {
    struct signal_taken asked; /* the notice that began the stop; sig 0: none */
    char asker[PROC_COMM];  /* its sender's name; empty: not known */
    instant asked_at;
    pid_t main_pid;         /* of main, once it has ended */
    struct { uint16_t unit; uint8_t killer; } killed[KILLED_BY_OTHERS]; /* units whose newest end was a SIGKILL that was
                             * not ours, each at its number's remainder */
    bool oom_counted;       /* oom_first was read at the start */
    const char *oom_file;   /* where the count stands; NULL: not known */
    uint64_t oom_first, oom_last;
    uint64_t oom_untold;    /* kills that were counted by oom_grown, and no end of ours has been told by them */
    instant oom_grown;
};

struct killed { uint16_t unit; const char *name; pid_t pid; char comm[PROC_COMM]; }; /* name: of unit or step, NULL */
enum { MAX_KILLED = 16 };

struct ending {
    struct message_file file;
    char host[65];
    bool opened, due, complained;
    struct killed killed[MAX_KILLED];
    uint16_t n_killed;
    uint32_t more_killed;
};

struct run {
    const struct config *config;
    const struct model *model;
    char *const *envp;      /* of the children, less what is ours */
    struct core core;
    struct actions actions;
    struct jobs jobs;
    struct helper_ends helper;
    struct upward upward;
    struct ending ending;
    struct why why;
    struct kept kept;
    struct stderr_out err, out;
    struct terminal terminal;
    signal_set hand_off;   /* came of leaving it to the command, as dumb-init does */
    struct rlimit nofile;   /* before ours was raised */
    struct child_room *room;
    instant now, started;
    instant next_look;      /* when to reap and look at groups without being told; NEVER */
    instant rest;           /* no child is reaped before: see facts_reap */
    instant next_rest;      /* when it may be given back again */
    int watch, signals;     /* epoll and signalfd; -1: the small loop, which has neither */
    pid_t self;
    uint16_t stopped_for;   /* the slot whose process had stopped when we did; NONE */
    struct signal_taken last_stop; /* the newest signal from outside, for the log */
    char listen_pid[24];    /* LISTEN_PID= of the command, where it has to be set */
    uint8_t vain;           /* turns in a row that were too early, and in which nothing had happened */
    bool nofile_raised;
    bool look;              /* there may be children to reap */
    bool quiet;             /* signals: does not tell of children now */
    uint8_t in_a_row;       /* the small loop: SIGCHLDs without another signal between them */
    bool rested;            /* the small loop: memory has been given back, and no more was taken since */
    bool began;             /* the loop has begun: no vfork any more */
    bool sweep_killed;      /* the sweep's KILL has been sent */
    int sweep_with;         /* the signal that it begins with */
    instant sweep_at;       /* its TERM waits for the helper until then; NEVER: it does not */
    bool exited;
    int exit;
};

/* loop.c: an event, then its actions, then what came of them at once. */
void step(struct run *run, const struct event *event);

/* facts.c */
void facts_signal(struct run *run, const struct signal_taken *taken);
void facts_reap(struct run *run);
void facts_reap_when_due(struct run *run);
void facts_watched(struct run *run, span most);
/* Where waiting is no way to the news, for a call fails that cannot: looks for them, after a short rest. */
void facts_searched(struct run *run, span most);
void facts_exec(struct run *run, uint16_t slot);

/* stops.c: job control. */
void stops_stopped(struct run *run, uint16_t slot, int sig);
bool stops_continued(struct run *run);
void stops_ended(struct run *run, uint16_t slot, bool killed);

/* acts.c: carries out run->actions, in order. */
void acts(struct run *run);
void acts_sweep_when_due(struct run *run);

/* child.c: starts what a job runs. */
void child_start(struct run *run, const struct action *action);
/* What a slot runs, for messages. command, in: NULL for the helper. */
struct job_source { const char *name; const struct command *command; const struct surroundings *in; };
struct job_source child_source(struct run *run, uint16_t slot);
/* The base environment, in place: without what belongs to lastcall alone. */
void child_clean_environment(char **envp);

/* manners.c: what another init does around its command, when lastcall is called as it. */
void manners_begin(struct run *run);
void manners_before(struct run *run, struct spawn *spawn);
void manners_after(struct run *run, const struct spawn *spawn, pid_t pid);

/* publish.c */
int publish_open(struct run *run);
void publish(struct run *run);

/* helper.c */
bool helper_open(struct run *run, struct arena *arena);
void helper_spawn(struct run *run, const struct action *action);
void helper_gone(struct run *run);
void helper_ring(struct run *run);
void helper_read(struct run *run);
void helper_empty_checks(struct run *run, uint16_t unit);
void helper_close(struct run *run);

/* say.c: lines for a person. */
void say_note(struct run *run, const struct action *action);
void say_hello(struct run *run);
void say_goodbye(struct run *run);
/* From where the times of a stop are counted. */
instant stop_zero(const struct run *run);
/* One line at level 0 (always), 1 or 2 (with -v), as it is; -1: in another init's place too. */
void run_say(struct run *run, int level, const char *text);
/* trouble.c: why a job could not be started, from its slot. */
void say_spawn_failed(struct run *run, uint16_t slot);
/* Before the loop: what does not go, and errno. Always false. */
bool say_trouble(struct run *run, const char *what);

/* summary.c: one English sentence, and the cause's name. */
struct out;
void summary(struct out *out, const struct run *run);
void cause(struct out *out, const struct run *run);
void cause_short(struct out *out, const struct run *run);
/* "exited 3", "ended by SIGKILL". */
void say_exit(struct out *out, int exit);
/* The same of a unit, with what is known of a SIGKILL. */
void say_end(struct out *out, const struct run *run, uint16_t unit);
/* And why it is not started again. */
void say_last_end(struct out *out, const struct run *run, uint16_t unit);
/* A single command has ended by itself: nobody had asked. */
bool ended_by_itself(const struct run *run);

/* ending.c: the report, kept current. */
struct report_process;
/* As of now, with what is left; the bytes of it. room: MAX_REPORT + 1. */
size_t ending_report(const struct run *run, char into[static MAX_REPORT + 1], const struct report_process *left,
                     uint16_t n_left);
void ending_write(struct run *run, bool last);
void ending_killed(struct run *run, uint16_t slot);
/* What a job is called among the killed. */
struct killed ending_who(const struct run *run, uint16_t slot);
void ending_undo(struct run *run);

/* kept.c: what became of checkpoints. */
bool kept_layout(struct run *run, struct arena *arena);
void kept_fresh(struct run *run, uint16_t checkpoint); /* its next guard is about to be forked */
void kept_ended(struct run *run, uint16_t slot, int exit); /* its guard has, or could not be; before the core knows */
/* "taken: 000042-… (3 files, 1.2 MB)"; why not. */
void kept_taken(struct out *out, const struct run *run, uint16_t checkpoint);
void kept_why(struct out *out, const struct run *run, uint16_t checkpoint, int exit);
/* ": another lastcall writes to this store": at what it was when its time was up, unless at its command. */
void kept_where(struct out *out, const struct run *run, uint16_t checkpoint);
void say_restored(struct run *run, uint16_t checkpoint, int exit);
void say_saved(struct run *run, uint16_t checkpoint, int exit);
void say_volatile(struct run *run);

/* why.c: facts about the end, as they come in. */
void why_begin(struct run *run);
void why_asked(struct run *run);
void why_ended(struct run *run, uint16_t slot, int value);
/* Reads the OOM killer's count again. */
void why_look(struct run *run);
enum killer why_killer(const struct run *run, uint16_t unit);
/* Since the start; -1: not known. */
int64_t why_oom_kills(const struct run *run);

/* upward.c */
void upward_open(struct run *run, char *const *envp);
void upward_note(struct run *run, const struct action *action);
void upward_watchdog(struct run *run);

#endif
