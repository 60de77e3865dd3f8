#define _GNU_SOURCE
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct launch { char **argv; int out; };

void split(struct commands *commands, char **words)
{
    commands->n = 0;
    commands->v[commands->n++] = words;
    for (; *words; words++)
        if (!strcmp(*words, ",") && commands->n < MAX_COMMANDS) {
            *words = NULL;
            commands->v[commands->n++] = words + 1;
        }
}

int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void die(const char *what, const char *whom)
{
    fprintf(stderr, "%s: %s: %s\n", what, whom, strerror(errno));
    exit(1);
}

/* Runs on the parent's memory until the exec: no fork to pay for. */
static int become(void *data)
{
    struct launch *launch = data;
    prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL, 0, 0, 0);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("proc", "/proc", "proc", 0, NULL))
        _exit(125);
    dup2(launch->out, 1);
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
    execv(launch->argv[0], launch->argv);
    _exit(127);
}

pid_t start(char **argv, int out)
{
    static char stack[65536] __attribute__((aligned(16)));
    struct launch launch = {argv, out};
    pid_t pid = clone(become, stack + sizeof stack,
                      CLONE_VM | CLONE_VFORK | CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, &launch);
    if (pid < 0)
        die("clone", argv[0]);
    return pid;
}

int end_of(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            die("waitpid", "the init");
    return status;
}

void shuffle(int *order, int n)
{
    for (int i = 0; i < n; i++) {
        int with = rand() % (i + 1);
        order[i] = order[with];
        order[with] = i;
    }
}

pid_t first_child(pid_t init)
{
    char path[64], text[32];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", init, init);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;
    for (int64_t bound = now_ns() + 5000 * NS_PER_MS; file >= 0 && now_ns() < bound;) {
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

int children_of(pid_t init)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", init, init);
    int file = open(path, O_RDONLY | O_CLOEXEC), n = 0;
    ssize_t got = read(file, text, sizeof text);
    close(file);
    while (got-- > 0)
        n += text[got] == ' ';
    return n;
}
