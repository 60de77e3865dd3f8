#include "sys/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/privileges.h"
#include "sys/sigmask.h"
#include "sys/terminal.h"

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

int spawn_exit_code(const struct spawn_error *error) {
    if (error->stage != SPAWN_EXEC)
        return error->stage == SPAWN_FORK || error->stage == SPAWN_FDS ? 125 : 126;
    return error->error == ENOENT || error->error == ENOTDIR ? 127 : 126;
}

static bool fail(struct spawn_error *error, enum spawn_stage stage) {
    *error = (struct spawn_error){.stage = stage, .error = errno};
    return false;
}

static bool own_session(struct spawn *spawn, struct spawn_error *error) {
    if (!spawn->keep_session && setsid() < 0)
        return fail(error, SPAWN_SESSION);
    if (spawn->lead_terminal && !terminal_lead())
        spawn->lead_error = errno;
    if (!spawn->keep_session)
        return true;
    if (spawn->share_group)
        return true;
    if (setpgid(0, 0) != 0)
        return fail(error, SPAWN_SESSION);
    if (spawn->foreground)
        terminal_give(getpid()); /* TTOU is blocked still */
    return true;
}

/* /dev/null may be missing in a bare root: then a pipe without a writer reads as its end too. */
static int open_null(int flags) {
    int fd = open("/dev/null", flags | O_CLOEXEC), ends[2];
    if (fd >= 0 || pipe2(ends, O_CLOEXEC) != 0)
        return fd;
    close(ends[flags == O_RDONLY ? 1 : 0]);
    return ends[flags == O_RDONLY ? 0 : 1];
}

/* Closed first: where no descriptor is left it makes room for itself. */
static bool null_onto(int target, int flags) {
    close(target);
    int fd = open_null(flags);
    if (fd < 0 || (fd != target && dup2(fd, target) < 0))
        return false;
    return fd != target || fcntl(fd, F_SETFD, 0) == 0;
}

static bool standard_streams(const struct spawn *spawn, struct spawn_error *error) {
    if (!spawn->keep_session && !spawn->lead_terminal && !null_onto(0, O_RDONLY))
        return fail(error, SPAWN_INPUT);
    if (spawn->null_output && !null_onto(1, O_WRONLY))
        return fail(error, SPAWN_INPUT);
    return true;
}

/* What stands in the way of a target makes room for the next one: numbers may be scarce. */
static bool move_above(int *fd, int above) {
    if (*fd < 0 || *fd >= above)
        return *fd >= 0;
    int high = fcntl(*fd, F_DUPFD_CLOEXEC, above);
    close(*fd);
    *fd = high;
    return high >= 0;
}

static bool is_source(const struct spawn *spawn, int fd) {
    for (unsigned i = 0; i < spawn->n_fds; i++)
        if (spawn->fds[i].from == fd)
            return true;
    return fd == spawn->error_fd || fd == spawn->exec_fd;
}

static void close_others(const struct spawn *spawn, int below) {
    for (int fd = 3; fd < below; fd++)
        if (!is_source(spawn, fd))
            close(fd);
}

static bool is_target(const struct spawn *spawn, int fd) {
    for (unsigned i = 0; i < spawn->n_fds; i++)
        if (spawn->fds[i].to == fd)
            return true;
    return false;
}

/* What lastcall has opened is close-on-exec anyway; this is for what it inherited. */
static void hide_others(const struct spawn *spawn, int above) {
    enum { CLOEXEC_FLAG = 1 << 2 }; /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */
    for (int fd = 3; fd < above; fd++)
        if (!is_target(spawn, fd))
            fcntl(fd, F_SETFD, FD_CLOEXEC);
    syscall(SYS_close_range, above, ~0u, CLOEXEC_FLAG);
}

/* Sources and targets may overlap: everything goes above every target first. */
static bool give_descriptors(struct spawn *spawn, struct spawn_error *error) {
    int above = 3;
    if (spawn->n_fds == 0)
        return true;
    for (unsigned i = 0; i < spawn->n_fds; i++)
        above = spawn->fds[i].to >= above ? spawn->fds[i].to + 1 : above;
    if (spawn->close_rest)
        close_others(spawn, 2 * above);
    if (spawn->error_fd >= 0 && !move_above(&spawn->error_fd, above))
        return fail(error, SPAWN_FDS);
    if (spawn->exec_fd >= 0 && !move_above(&spawn->exec_fd, above))
        return fail(error, SPAWN_FDS);
    for (unsigned i = 0; i < spawn->n_fds; i++)
        if (!move_above(&spawn->fds[i].from, above))
            return fail(error, SPAWN_FDS);
    for (unsigned i = 0; i < spawn->n_fds; i++)
        if (dup2(spawn->fds[i].from, spawn->fds[i].to) < 0)
            return fail(error, SPAWN_FDS);
    if (spawn->close_rest)
        hide_others(spawn, above);
    return true;
}

static const char *path_of(char *const *envp) {
    for (; *envp != NULL; envp++)
        if (strncmp(*envp, "PATH=", 5) == 0)
            return *envp + 5;
    return "/usr/local/bin:/usr/bin:/bin";
}

/* A script without "#!": /bin/sh gets its path and its words. */
static void exec_text(const char *path, struct spawn *spawn) {
    enum { WORDS = 512 };
    const char *words[WORDS] = {"/bin/sh", path};
    unsigned n = 1;
    while (spawn->argv[n] != NULL && n + 2 < WORDS) {
        words[n + 1] = spawn->argv[n];
        n++;
    }
    if (spawn->argv[n] != NULL)
        errno = E2BIG;
    else
        execve(words[0], (char **)words, spawn->envp);
}

static void exec_file(const char *path, struct spawn *spawn) {
    execve(path, spawn->argv, spawn->envp);
    if (errno == ENOEXEC && spawn->runs_text)
        exec_text(path, spawn);
}

/* One directory of PATH, an empty one is the current; errno says why not. */
static void exec_in(const char *directory, size_t n, struct spawn *spawn) {
    char path[PATH_MAX];
    size_t name = strlen(spawn->argv[0]);
    if (n + 1 + name + 1 > sizeof path) {
        errno = ENOENT;
        return;
    }
    memcpy(path, directory, n);
    path[n] = '/';
    memcpy(path + n + (n > 0), spawn->argv[0], name + 1);
    exec_file(path, spawn);
}

/* As execvp(3), but for a script without "#!": no shell is assumed unless asked for. A file that was found
 * and must not be run counts more than directories in which there is none: 126, not 127. */
static void exec_program(struct spawn *spawn) {
    int found = 0;
    if (spawn->exec_fd >= 0) {
        syscall(SYS_execveat, spawn->exec_fd, "", spawn->argv, spawn->envp, AT_EMPTY_PATH);
        return;
    }
    if (strchr(spawn->argv[0], '/') != NULL) {
        exec_file(spawn->argv[0], spawn);
        return;
    }
    errno = ENOENT;
    for (const char *at = path_of(spawn->envp); spawn->argv[0][0] != 0;) {
        size_t n = strcspn(at, ":");
        exec_in(at, n, spawn);
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
            return;
        found = errno == EACCES ? EACCES : found;
        if (at[n] == 0)
            break;
        at += n + 1;
    }
    errno = found != 0 ? found : ENOENT;
}

/* Between fork and exec. Dispositions go to their defaults before anything is unblocked, and the mask
 * is set last: a signal that came meanwhile then does what it would do to the program. */
static bool become(struct spawn *spawn, struct spawn_error *error) {
    if (!own_session(spawn, error))
        return false;
    if (!sigmask_reset(spawn->ignored))
        return fail(error, SPAWN_SIGNALS);
    if (!standard_streams(spawn, error) || !give_descriptors(spawn, error))
        return false;
    if ((spawn->cwd_fd > 0 && fchdir(spawn->cwd_fd) != 0) || (spawn->cwd != NULL && chdir(spawn->cwd) != 0))
        return fail(error, SPAWN_DIRECTORY);
    if (spawn->prepare != NULL && !spawn->prepare(spawn, spawn->with, error))
        return false;
    if (spawn->umask >= 0)
        umask((mode_t)spawn->umask);
    if (spawn->drop_privileges && !privileges_drop())
        return fail(error, SPAWN_PRIVILEGES);
    if (spawn->nofile != NULL)
        fd_set_limit(spawn->nofile);
    if (!sigmask_set(spawn->blocked, NULL))
        return fail(error, SPAWN_SIGNALS);
    exec_program(spawn);
    return fail(error, SPAWN_EXEC);
}

/* vfork: the child borrows our memory and stack until it execs, so the parent needs no setpgid of its
 * own (the child has done it before we run again), no pipe, and no copy of the page tables. */
pid_t spawn_vfork(struct spawn *spawn, struct spawn_error *error) {
    *error = (struct spawn_error){0};
    pid_t pid = vfork();
    if (pid == 0) {
        become(spawn, error);
        _exit(127);
    }
    if (pid < 0)
        fail(error, SPAWN_FORK);
    if (pid < 0 || error->stage == SPAWN_OK)
        return pid;
    waitpid(pid, NULL, 0);
    if (error->stage == SPAWN_EXEC)
        error->detail = pid;
    return -1;
}

static _Noreturn void child(struct spawn *spawn, int error_fd) {
    struct spawn_error error = {0};
    spawn->error_fd = error_fd;
    become(spawn, &error);
    ssize_t wrote = spawn->error_fd < 0 ? 0 : write(spawn->error_fd, &error, sizeof error);
    _exit(wrote < 0 ? 125 : spawn_exit_code(&error));
}

/* Raw: musl's fork(2) is made for threads, and drags in what it needs for them. */
pid_t spawn_plain_fork(void) { return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }

pid_t spawn_fork(struct spawn *spawn, int *error_fd, struct spawn_error *error) {
    int ends[2] = {-1, -1};
    *error = (struct spawn_error){0};
    if (pipe2(ends, O_CLOEXEC) != 0)
        ends[0] = ends[1] = -1; /* none left: it starts all the same, its exit code will have to tell */
    pid_t pid = spawn_plain_fork();
    if (pid == 0)
        child(spawn, ends[1]);
    fd_close(&ends[1]);
    if (pid < 0) {
        fail(error, SPAWN_FORK);
        fd_close(&ends[0]);
        return -1;
    }
    if (spawn->keep_session && !spawn->share_group)
        setpgid(pid, pid); /* in both: whoever comes first. EACCES once the child has exec'd */
    if (ends[0] >= 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) /* our end alone: they are separate descriptions */
        fd_close(&ends[0]);
    *error_fd = ends[0];
    return pid;
}

enum spawn_news spawn_read(int error_fd, struct spawn_error *error) {
    ssize_t n = read(error_fd, error, sizeof *error);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return SPAWN_NO_NEWS;
    return n == (ssize_t)sizeof *error ? SPAWN_FAILED : SPAWN_RUNS;
}
