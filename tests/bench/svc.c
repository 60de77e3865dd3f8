/* The programs that the bench puts under the inits. One file, so that 200 of
 * them share every page, and static, so that their own start costs little.
 *
 *   svc serve      one byte to stdout, then wait; ends at TERM
 *   svc deaf       the same, and ignores TERM
 *   svc stamp MS   after MS write the time to stdout as the last deed, exit 0
 *   svc orphan MS  leave a child in a session of its own; that one writes the
 *                  time and exits MS after it was told to end
 *   svc ping       one byte; then write the time at each USR1
 *   svc storm      one byte; then, at each USR1 with a number: leave so many
 *                  zombies to the init, write "+", and the time when the last
 *                  of them is gone; "-" if they cannot be made */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void wait_ns(long ns)
{
    struct timespec span = {ns / 1000000000, ns % 1000000000};
    nanosleep(&span, NULL);
}

static void wait_ms(long ms)
{
    wait_ns(ms * 1000000);
}

static void say(const void *what, size_t n)
{
    if (write(1, what, n) != (ssize_t)n)
        _exit(1);
}

static void stamp(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
    say(&ns, sizeof ns);
}

static void serve(void)
{
    say("+", 1);
    for (;;)
        pause();
}

static void orphan(long ms)
{
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    pid_t child = fork();
    if (child < 0)
        _exit(1);
    if (child > 0) {
        wait_ms(20);
        _exit(0);
    }
    setsid();
    int number;
    sigwait(&term, &number);
    wait_ms(ms);
    stamp();
    _exit(0);
}

static pid_t zombie(void)
{
    pid_t pid = vfork();
    if (pid == 0)
        _exit(0);
    return pid;
}

/* The parent's end gives them all to the init, in the order of their birth. They are in no group that
 * an init signals: the CONT that it gets would cost it for each of them. */
static pid_t leave_zombies(int count)
{
    static pid_t *last;
    if (!last)
        last = mmap(NULL, sizeof *last, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t parent = fork();
    if (parent == 0) {
        setsid();
        for (*last = 0; count > 0 && *last >= 0; count--)
            *last = zombie();
        _exit(0);
    }
    waitpid(parent, NULL, 0);
    return parent < 0 ? -1 : *last;
}

/* The init takes them in their order, so the last one's end is the end of all. */
static void storm(int count)
{
    pid_t last = leave_zombies(count);
    say(last > 0 ? "+" : "-", 1);
    while (last > 0 && kill(last, 0) == 0)
        wait_ns(10000);
    stamp();
}

static void on_signal(int storms)
{
    sigset_t usr1;
    siginfo_t info;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
    say("+", 1);
    for (;;)
        if (sigwaitinfo(&usr1, &info) != SIGUSR1)
            continue;
        else if (storms)
            storm(info.si_value.sival_int);
        else
            stamp();
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long ms = argc > 2 ? atol(argv[2]) : 0;

    if (!strcmp(mode, "deaf"))
        signal(SIGTERM, SIG_IGN);
    if (!strcmp(mode, "serve") || !strcmp(mode, "deaf"))
        serve();
    if (!strcmp(mode, "ping") || !strcmp(mode, "storm"))
        on_signal(!strcmp(mode, "storm"));
    if (!strcmp(mode, "stamp")) {
        wait_ms(ms);
        stamp();
        return 0;
    }
    if (!strcmp(mode, "orphan"))
        orphan(ms);
    return 2;
}
