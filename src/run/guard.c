/* run/guard.c: the process that stands around a checkpoint's command, and makes what it does whole or undone.
 *
 * PID 1 forks it; it opens the store, which may take its time on a dead server's volume or behind another's
 * lock, then forks the command beside itself in the same group, waits for it and makes the outcome durable. All
 * signals stay blocked in it: TERM to the group is for the command, KILL is for both. What it found out stands in
 * memory that PID 1 shares.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run/guard.h"
#include "run/state.h"
#include "store/store.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/sweep.h"
#include "text/out.h"
#include "text/report.h"
#include "text/utc.h"

enum { NOT_DONE = 125, ROUNDS = 1000 };

/* ---- a command beside the guard ---- */

/* The exit code, or -signal. */
static int wait_for(pid_t pid) {
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return NOT_DONE;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* PID 1 sees the end that the command has had. */
static _Noreturn void leave(int exit) {
    store_close(&store_room);
    if (exit < 0) {
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        kill(getpid(), -exit);
        sigmask_let(-exit);
    }
    _exit(exit < 0 ? 128 - exit : exit);
}

/* What the command prints becomes a file of the checkpoint. */
static bool catch_output(const struct guard *guard) {
    int directory, fd;
    if (guard->spec->output == NULL)
        return true;
    directory = open(guard->result->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fd = directory < 0 ? -1 : openat(directory, guard->spec->output, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd >= 0 && dup2(fd, 1) == 1;
}

/* What the command has left running might write still: it is ended before anything is read. All that descends
 * from it comes to us, the subreaper. */
static void end_the_rest(void) {
    struct proc_id scratch[128];
    pid_t ended;
    for (int round = 0; round < ROUNDS && (ended = waitpid(-1, NULL, WNOHANG)) >= 0; round++) {
        if (ended > 0)
            continue;
        sweep_kill(false, scratch, sizeof scratch / sizeof *scratch);
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    }
}

static _Noreturn void commit(const struct guard *guard, int exit) {
    if (exit != 0)
        store_abandon(&store_room);
    else if (!store_commit(&store_room, &guard->label, guard->spec->keep, guard->result))
        exit = NOT_DONE;
    leave(exit);
}

enum guard_side guard_part(struct guard *guard, struct spawn *spawn, struct spawn_error *error) {
    pid_t pid;
    guard->result->stage = CHECKPOINT_COMMAND;
    if (guard->saves)
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid = spawn_plain_fork();
    if (pid < 0) {
        *error = (struct spawn_error){.stage = SPAWN_FORK, .error = errno};
        return GUARD_FAILED;
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* without its guard there is nobody to keep what it does */
        if (guard->saves && !catch_output(guard)) {
            *error = (struct spawn_error){.stage = SPAWN_OUTPUT, .error = errno};
            return GUARD_FAILED;
        }
        return GUARD_COMMAND;
    }
    fd_close(&spawn->error_fd); /* the command has its own: its exec is what PID 1 waits for */
    int exit = wait_for(pid);
    if (guard->saves) {
        end_the_rest();
        commit(guard, exit);
    }
    if (exit == 0)
        guard->result->stage = CHECKPOINT_OK;
    leave(exit);
}

/* ---- before the command ---- */

void guard_begin(const struct spawn *spawn) {
    fd_close_others(spawn->error_fd);
    prctl(PR_SET_NAME, "lastcall-guard", 0, 0, 0);
}

static _Noreturn void nothing_to_restore(void) {
    store_close(&store_room);
    _exit(0);
}

/* Whatever is there (a link that leads nowhere, too) is newer than a checkpoint. */
static bool is_there(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

static _Noreturn void skip(const struct guard *guard, const char *because) {
    struct out out = out_on(guard->result->path, sizeof guard->result->path);
    guard->result->skipped = true;
    guard->result->stage = CHECKPOINT_OK;
    out_text(&out, because);
    _exit(0);
}

/* The gate of a restore runs before the store is looked at: most often the answer is no. */
bool guard_gate(struct guard *guard, struct spawn *only_if, struct spawn_error *error) {
    int error_fd;
    pid_t pid;
    if (guard->spec->if_missing != NULL && is_there(guard->spec->if_missing))
        skip(guard, guard->spec->if_missing);
    if (only_if == NULL)
        return true;
    pid = spawn_fork(only_if, &error_fd, error);
    if (pid < 0)
        return false;
    fd_close(&error_fd);
    int exit = wait_for(pid);
    if (exit < 0 || exit == 125 || exit == 126 || exit == 127) { /* it was killed, or could not be asked: no answer */
        guard->result->stage = CHECKPOINT_GATE;
        _exit(exit < 0 ? 128 - exit : exit);
    }
    if (exit != 0)
        skip(guard, "");
    return true;
}

void guard_open(struct guard *guard) {
    struct checkpoint_result *result = guard->result;
    bool opened = store_open(&store_room, guard->spec->dir, guard->saves, result);
    if (!opened && !guard->saves && result->error == ENOENT) {
        *result = (struct checkpoint_result){0}; /* no store yet: as one without a checkpoint */
        _exit(0);
    }
    if (!opened || !(guard->saves ? store_begin(&store_room, result) : store_latest(&store_room, result)))
        _exit(NOT_DONE);
    if (!guard->saves && *result->id == 0)
        nothing_to_restore();
}

/* ---- the record of the run ---- */

/* Until something better is written: whoever finds this knows that no stop came to its end. */
static size_t unfinished(char *into, size_t room) {
    char time[UTC_ROOM];
    struct out out = out_on(into, room);
    out_text(&out, "{\"verdict\":\"interrupted\",\"cause\":\"\",\"time\":\"");
    out_text(&out, utc_print(time, clock_wall_s()));
    out_text(&out, "\"}\n");
    return out.n;
}

static void read_last(struct last_run *last) {
    char text[MAX_REPORT + 1];
    size_t n = store_record(&store_room, text, sizeof text);
    if (!report_read(text, n, last->verdict, sizeof last->verdict, last->cause, sizeof last->cause))
        *last->verdict = *last->cause = 0;
}

_Noreturn void guard_record(struct run *run, uint16_t which) {
    char text[MAX_REPORT + 1];
    size_t n;
    struct utsname names = {0};
    struct checkpoint_result result = {0};
    if (!store_open_to_look(&store_room, run->config->checkpoints[0].dir, true, &result))
        _exit(NOT_DONE);
    uname(&names);
    memcpy(run->ending.host, names.nodename, sizeof run->ending.host); /* this process's copy, as all that follows */
    if (which == RECORD_START) {
        run->kept.last->volatile_store = result.volatile_store;
        read_last(run->kept.last);
        n = unfinished(text, sizeof text);
    } else {
        run->exited = which == RECORD_END; /* the verdict as it stands */
        run->exit = core_exit_code(&run->core);
        n = ending_report(run, text, NULL, 0);
    }
    _exit(store_keep_record(&store_room, text, n) ? 0 : NOT_DONE);
}
