/* storm: many processes at once, as the tests of storms need them.
 *
 *   storm orphans TOTAL BURST [FILE]  TOTAL orphans (fewer if FILE appears before) in bursts of BURST that all end
 *                                  at the same instant; appends "begin TOTAL", "end MADE" to stdout, exits 0
 *   storm zombies N FILE           N children that end at once and that it never reaps; appends "ready PID" to FILE
 *   storm children N FILE          N children in its own group that only wait; appends "ready PID" to FILE
 *   storm deaf N FILE              the same, and all are deaf to every signal
 *   storm daemons N FILE           the same N, each in a session of its own and nobody's child but init's
 *   storm bomb KIND FILE           every process forks for ever; in KIND: "a" each in a session of its own, "d" deaf
 *                                  to every signal, "p" nothing of these
 *
 * Most of them are clones that share the memory of their maker: that makes them cheap, and not less of a
 * process to whoever reaps them. All are as nice as can be to whatever else this machine does. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK = 4096 };

static char *stacks;
static int gate[2];             /* those that wait read it; the end of file sends them away */

static void tell(const char *file, const char *word, long number)
{
    char line[64];
    int fd = strcmp(file, "-") ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : 1;
    int n = snprintf(line, sizeof line, "%s %ld\n", word, number);

    if (fd < 0 || write(fd, line, (size_t)n) != n)
        _exit(98);
    if (fd != 1)
        close(fd);
}

/* ---- what the clones do: system calls alone, as all share one memory ---- */

static int wait_at_the_gate(void *number)
{
    char byte;

    syscall(SYS_read, gate[0], &byte, 1);
    syscall(SYS_exit, (long)number & 127);
    return 0;
}

static int wait_for_ever(void *alone)
{
    if (alone)
        syscall(SYS_setsid);
    for (;;)
        syscall(SYS_pause);
    return 0;
}

static int end_at_once(void *number)
{
    syscall(SYS_exit, (long)number & 127);
    return 0;
}

static void room_for(int n)
{
    stacks = mmap(NULL, (size_t)n * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED)
        _exit(98);
}

/* Where there is no process left it is tried again: somebody will reap one. */
static void make(int i, int (*what)(void *), long argument)
{
    while (clone(what, stacks + (size_t)(i + 1) * STACK, CLONE_VM | CLONE_FILES | SIGCHLD, (void *)argument) < 0)
        usleep(1000);
}

static void be_deaf(void)
{
    for (int s = 1; s < 32; s++)
        if (s != SIGCHLD)
            signal(s, SIG_IGN);
}

/* ---- orphans ---- */

/* The maker of a burst ends before it: all of them become init's children, and then end together. */
static void burst(int n)
{
    if (pipe(gate) != 0)
        _exit(98);
    pid_t maker;
    while ((maker = fork()) < 0)
        usleep(1000);
    if (maker == 0) {
        close(gate[1]);
        for (int i = 0; i < n; i++)
            make(i, wait_at_the_gate, i);
        _exit(0);
    }
    close(gate[0]);
    waitpid(maker, NULL, 0);
    close(gate[1]);
}

static int orphans(int total, int n, const char *until)
{
    int made = 0;

    room_for(n);
    tell("-", "begin", total);
    for (; made < total && access(until, F_OK) != 0; made += n) {
        n = total - made < n ? total - made : n;
        burst(n);
    }
    tell("-", "end", made);
    return 0;
}

/* ---- children ---- */

static int children(int n, int (*what)(void *), const char *file)
{
    room_for(n);
    for (int i = 0; i < n; i++)
        make(i, what, 0);
    tell(file, "ready", getpid());
    return wait_for_ever(NULL);
}

static int daemons(int n, const char *file)
{
    room_for(n);
    pid_t maker = fork();
    if (maker == 0) {
        for (int i = 0; i < n; i++)
            make(i, wait_for_ever, 1);
        _exit(0);
    }
    waitpid(maker, NULL, 0);
    tell(file, "ready", getpid());
    return wait_for_ever(NULL);
}

/* ---- bomb ---- */

static int bomb(const char *kind, const char *file)
{
    if (strchr(kind, 'd'))
        be_deaf();
    tell(file, "ready", getpid());
    for (;;) {
        pid_t pid = fork();
        if (pid < 0)
            usleep(1000);
        if (pid == 0 && strchr(kind, 'a'))
            setsid();
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    int n = argc > 2 ? atoi(argv[2]) : 0;

    setpriority(PRIO_PROCESS, 0, 19);
    if (!strcmp(verb, "orphans") && (argc == 4 || argc == 5))
        return orphans(n, atoi(argv[3]), argc == 5 ? argv[4] : "");
    if (!strcmp(verb, "zombies") && argc == 4)
        return children(n, end_at_once, argv[3]);
    if (!strcmp(verb, "children") && argc == 4)
        return children(n, wait_for_ever, argv[3]);
    if (!strcmp(verb, "deaf") && argc == 4) {
        be_deaf();
        return children(n, wait_for_ever, argv[3]);
    }
    if (!strcmp(verb, "daemons") && argc == 4)
        return daemons(n, argv[3]);
    if (!strcmp(verb, "bomb") && argc == 4)
        return bomb(argv[2], argv[3]);
    return 2;
}
