/* The programs that the bench puts under the inits. One file, so that 200 of
 * them share every page, and static, so that their own start costs little.
 *
 *   svc serve      one byte to stdout, then wait; ends at TERM
 *   svc deaf       the same, and ignores TERM
 *   svc stamp MS   after MS write the time to stdout as the last deed, exit 0
 *   svc orphan MS  leave a child in a session of its own; that one writes the
 *                  time and exits MS after it was told to end */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void wait_ms(long ms)
{
    struct timespec span = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&span, NULL);
}

static void stamp_and_exit(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
    _exit(write(1, &ns, sizeof ns) == sizeof ns ? 0 : 1);
}

static void serve(void)
{
    if (write(1, "+", 1) != 1)
        _exit(1);
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
    stamp_and_exit();
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long ms = argc > 2 ? atol(argv[2]) : 0;

    if (!strcmp(mode, "deaf"))
        signal(SIGTERM, SIG_IGN);
    if (!strcmp(mode, "serve") || !strcmp(mode, "deaf"))
        serve();
    if (!strcmp(mode, "stamp")) {
        wait_ms(ms);
        stamp_and_exit();
    }
    if (!strcmp(mode, "orphan"))
        orphan(ms);
    return 2;
}
