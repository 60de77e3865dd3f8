/* sys/spawn.h: starts a process, cleanly, and says at which stage it failed.
 *
 * The child gets default dispositions whatever was inherited, an empty mask, a group of its own, and
 * no descriptor of lastcall's but those that it is given. Everything that may hang (a dead NFS
 * directory, a FIFO as env-file) happens in the child: with spawn_fork the parent never waits for it.
 * The caller keeps all signals blocked.
 */
#ifndef SYS_SPAWN_H
#define SYS_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

enum spawn_stage {
    SPAWN_OK, SPAWN_FORK, SPAWN_SESSION, SPAWN_SIGNALS, SPAWN_INPUT, SPAWN_FDS, SPAWN_DIRECTORY, SPAWN_ENV_FILE,
    SPAWN_ENV, SPAWN_WORDS, SPAWN_PRIVILEGES, SPAWN_OUTPUT, SPAWN_EXEC, SPAWN_N,
};

/* Goes up the error pipe in one write. detail: of the stage; SPAWN_ENV_FILE: the line or 0,
 * SPAWN_WORDS, SPAWN_ENV: enum words_error; SPAWN_EXEC, of spawn_vfork: the pid that it had. */
struct spawn_error { int32_t stage, error, detail; };

/* 125, 126 or 127, as shells have it. */
int spawn_exit_code(const struct spawn_error *error);

struct spawn_fd { int from, to; }; /* from is changed by the child */

struct spawn {
    char *const *argv, *const *envp;
    const char *cwd;            /* NULL: as it is */
    int cwd_fd;                 /* it, opened; 0: none */
    int umask;                  /* -1: as it is */
    bool share_group;           /* with keep_session: not even a group of its own */
    bool keep_session;          /* a group of its own only, and stdin as it is; else a session */
    bool foreground;            /* and that group gets the terminal on stdin */
    bool lead_terminal;         /* a session, which takes the terminal on stdin if it can have it, and stdin as it is */
    int lead_error;             /* out, of spawn_vfork: why it could not, 0 */
    int exec_fd;                /* the program; -1: argv[0], looked up in PATH of envp */
    struct spawn_fd *fds;       /* descriptors to be given */
    unsigned n_fds;
    bool close_rest;            /* nothing else above 2 is left open */
    bool null_output;           /* stdout is /dev/null */
    bool drop_privileges;
    bool runs_text;             /* what is no executable is a script of /bin/sh (execvp(3)) */
    uint64_t ignored;           /* these stay ignored if lastcall has inherited them so */
    uint64_t blocked;           /* its signal mask */
    const struct rlimit *nofile; /* to be restored; NULL: as it is */
    /* Runs in the child, when it has its directory; may set argv, envp, umask; false: error is set. */
    bool (*prepare)(struct spawn *spawn, void *with, struct spawn_error *error);
    void *with;
    int error_fd;               /* the child's own: where its error goes, -1: into *error */
};

/* The parent sleeps until exec has succeeded or failed: only before the loop, for the single command.
 * The pid, or -1: error says why, and nothing is left of the child. */
pid_t spawn_vfork(struct spawn *spawn, struct spawn_error *error);

/* The pid, or -1 and error. *error_fd: non-blocking; its end without a byte says that exec succeeded. -1:
 * there was no descriptor for it. */
pid_t spawn_fork(struct spawn *spawn, int *error_fd, struct spawn_error *error);

/* fork(2) without what musl's does for threads. */
pid_t spawn_plain_fork(void);

enum spawn_news { SPAWN_NO_NEWS, SPAWN_RUNS, SPAWN_FAILED };
enum spawn_news spawn_read(int error_fd, struct spawn_error *error);

#endif
