/* The part of the bench that must cost little: start a command, and take times.
 *
 *   timing run|early|exit [-1] ROUNDS COMMAND... [, COMMAND...]...
 *
 * The commands take turns, and each round begins with another one, so that what
 * disturbs the machine disturbs all of them. One line a sample: the command's
 * number, and a value.
 *
 *   run    from the start to the end of the command, ns
 *   early  TERM to the init as soon as its child is visible: 1 if that had no
 *          effect within a second, else 0
 *   exit   from the stamp that the program wrote last to the init's end, ns
 *   -1     the command is PID 1 of its own pid and mount namespace */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_COMMANDS = 8, EARLY_BOUND_MS = 1000 };

struct launch {
    char **argv;
    int out, null;
    bool pid1;
};

struct pending {
    pid_t init, child;
    int64_t bound;
    int command;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "timing: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Runs on the parent's memory until the exec: no fork to pay for. */
static int become(void *data)
{
    struct launch *launch = data;
    if (launch->pid1 && (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
                         mount("proc", "/proc", "proc", 0, NULL)))
        _exit(125);
    dup2(launch->out, 1);
    dup2(launch->null, 2);
    execv(launch->argv[0], launch->argv);
    _exit(127);
}

static pid_t start(char **argv, int out, int null, bool pid1)
{
    static char stack[65536] __attribute__((aligned(16)));
    struct launch launch = {argv, out, null, pid1};
    int flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
    if (pid1)
        flags |= CLONE_NEWPID | CLONE_NEWNS;
    pid_t pid = clone(become, stack + sizeof stack, flags, &launch);
    if (pid < 0)
        die("clone");
    return pid;
}

static int end_of(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            die("waitpid");
    return status;
}

static int64_t time_run(char **argv, bool pid1, int null)
{
    int64_t begin = now_ns();
    int status = end_of(start(argv, null, null, pid1));
    int64_t took = now_ns() - begin;
    if (status) {
        fprintf(stderr, "timing: %s: status 0x%x\n", argv[0], status);
        exit(1);
    }
    return took;
}

static int64_t time_exit(char **argv, bool pid1, int null)
{
    int ends[2];
    int64_t stamp;
    if (pipe2(ends, O_CLOEXEC))
        die("pipe2");
    int status = end_of(start(argv, ends[1], null, pid1));
    int64_t end = now_ns();
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (read(ends[0], &stamp, sizeof stamp) != sizeof stamp) {
        fprintf(stderr, "timing: %s: no stamp, status 0x%x\n", argv[0], status);
        exit(1);
    }
    close(ends[0]);
    return end - stamp;
}

static pid_t first_child(pid_t init)
{
    char path[64], text[32];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", init, init);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;
    for (int64_t bound = now_ns() + 5000000000; file >= 0 && now_ns() < bound;) {
        got = pread(file, text, sizeof text - 1, 0);
        if (got != 0)
            break;
    }
    close(file);
    if (got <= 0)
        return 0;
    text[got] = 0;
    return atoi(text);
}

static bool settle(struct pending *run)
{
    if (waitpid(run->init, NULL, WNOHANG) == run->init) {
        printf("%d 0\n", run->command);
        return true;
    }
    if (now_ns() < run->bound)
        return false;
    if (run->child > 0)
        kill(run->child, SIGKILL);
    kill(run->init, SIGKILL);
    end_of(run->init);
    printf("%d 1\n", run->command);
    return true;
}

/* The ones without effect wait out their bound while others run. */
static void early(char ***commands, int count, int rounds, bool pid1, int null)
{
    struct pending *open = calloc((size_t)(count * rounds), sizeof *open);
    int waiting = 0;
    if (!open)
        die("calloc");
    for (int turn = 0; turn < rounds * count || waiting > 0; turn++) {
        if (turn < rounds * count) {
            int which = (turn / count + turn) % count;
            struct pending run = {.command = which};
            run.init = start(commands[which], null, null, pid1);
            run.child = first_child(run.init);
            kill(run.init, SIGTERM);
            run.bound = now_ns() + EARLY_BOUND_MS * INT64_C(1000000);
            open[waiting++] = run;
        }
        usleep(2000);
        for (int i = 0; i < waiting;)
            if (settle(&open[i]))
                open[i] = open[--waiting];
            else
                i++;
    }
    free(open);
}

static void measure(const char *mode, char ***commands, int count, int rounds, bool pid1, int null)
{
    int64_t *took = calloc((size_t)(count * rounds), sizeof *took);
    if (!took)
        die("calloc");
    for (int round = 0; round < rounds; round++)
        for (int turn = 0; turn < count; turn++) {
            int which = (round + turn) % count;
            took[round * count + which] = !strcmp(mode, "run")
                ? time_run(commands[which], pid1, null) : time_exit(commands[which], pid1, null);
        }
    for (int i = 0; i < rounds * count; i++)
        printf("%d %lld\n", i % count, (long long)took[i]);
    free(took);
}

int main(int argc, char **argv)
{
    char **commands[MAX_COMMANDS];
    int count = 0, at = 2;
    bool pid1 = at < argc && !strcmp(argv[at], "-1");
    at += pid1;
    int rounds = at < argc ? atoi(argv[at++]) : 0;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (rounds <= 0 || at >= argc || null < 0)
        return 2;
    commands[count++] = &argv[at];
    for (; at < argc; at++)
        if (!strcmp(argv[at], ",") && count < MAX_COMMANDS) {
            argv[at] = NULL;
            commands[count++] = &argv[at + 1];
        }
    if (!strcmp(argv[1], "early"))
        early(commands, count, rounds, pid1, null);
    else
        measure(argv[1], commands, count, rounds, pid1, null);
    return 0;
}
