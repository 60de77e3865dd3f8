/* recycle: a process whose number goes to a stranger within the very tick (1/100 s) in which it began to be lastcall's,
 * so that /proc tells the two apart by nothing but their parents. Both sides map FILE.
 *
 *   recycle ours FILE LASTCALL  under lastcall: has a child, has LASTCALL stopped, ends the child as soon as TERM is
 *                               there, and stays
 *   recycle stranger FILE       beside lastcall: takes the child's number. Exits with 3 if that came a tick too late,
 *                               1 if the stranger has got a signal within a second, else 0 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK = 10000000 };
struct shared { volatile int waits, pid; volatile long start; };
static const uint64_t all = ~0ULL;

static long now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

static long start_of(pid_t pid)
{
    char path[40], text[512], *at;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    fd = open(path, O_RDONLY);
    text[read(fd, text, sizeof text - 1)] = 0;
    close(fd);
    at = strrchr(text, ')') + 1;
    for (int i = 0; i < 20; i++)
        at = strchr(at, ' ') + 1;
    return atol(at);
}

static void ours(struct shared *shared, pid_t lastcall)
{
    pid_t child;

    while (!shared->waits || now() % TICK > TICK / 20)
        ;
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    shared->start = start_of(child);
    shared->pid = child;
    kill(lastcall, SIGTERM);
    while (syscall(SYS_rt_sigtimedwait, &all, NULL, NULL, 8) != SIGTERM)
        ;
    for (long end = now() + TICK / 20; now() < end;)
        ; /* lastcall looks and signals within one turn */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    for (;;)
        pause();
}

static int stranger(struct shared *shared)
{
    pid_t pid, wanted;
    int status;

    shared->waits = 1;
    while (!shared->pid)
        ;
    wanted = shared->pid;
    struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1 };
    do
        pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    while (pid < 0);
    if (pid == 0) {
        struct timespec second = { 1, 0 };
        _exit(syscall(SYS_rt_sigtimedwait, &all, NULL, &second, 8) > 0);
    }
    if (start_of(pid) != shared->start) {
        kill(pid, SIGKILL);
        return 3;
    }
    waitpid(pid, &status, 0);
    return status != 0;
}

int main(int argc, char **argv)
{
    int fd = argc > 2 ? open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
    struct shared *shared;

    if (fd < 0 || ftruncate(fd, sizeof *shared) != 0)
        return 98;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
    if (argc > 3)
        ours(shared, atoi(argv[3]));
    return stranger(shared);
}
