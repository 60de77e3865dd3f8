/* All inits run at once, asleep, and are spoken to in turns.
 *
 *   drive signal ROUNDS PAUSE_US COMMAND... [, COMMAND...]...
 *   drive reap ROUNDS ORPHANS WAVE COMMAND... [, COMMAND...]...
 *
 * One line a sample: the command's number, and ns.
 *
 *   signal  from USR1 to the init until `svc ping` below it has it; PAUSE_US between rounds
 *   reap    the init is stopped, `svc storm` below it leaves it WAVE zombies; then from its CONT until
 *           the last of them is gone, the sum over as many waves as make ORPHANS. CPU time of the
 *           init for the same follows on the line */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"

enum { BOUND_MS = 60000 };

struct sleeper { char **argv; pid_t init, child; int from; };

static void take(const struct sleeper *s, void *into, size_t n)
{
    struct pollfd ready = {.fd = s->from, .events = POLLIN};
    if (poll(&ready, 1, BOUND_MS) != 1 || read(s->from, into, n) != (ssize_t)n)
        die("no answer", s->argv[0]);
}

static struct sleeper put_up(char **argv)
{
    int ends[2];
    char ready;
    struct sleeper s = {.argv = argv};
    if (pipe2(ends, O_CLOEXEC))
        die("pipe2", argv[0]);
    s.init = start(argv, ends[1]);
    s.from = ends[0];
    close(ends[1]);
    take(&s, &ready, 1);
    s.child = first_child(s.init);
    return s;
}

static int64_t time_signal(const struct sleeper *s)
{
    int64_t stamp, begin = now_ns();
    kill(s->init, SIGUSR1);
    take(s, &stamp, sizeof stamp);
    return stamp - begin;
}

/* What the scheduler has counted for this process, in ns. */
static int64_t cpu_ns(pid_t pid)
{
    char path[64], text[128] = "";
    snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    return got > 0 ? atoll(text) : 0;
}

static int64_t time_wave(const struct sleeper *s, int orphans)
{
    char made;
    int64_t stamp;
    int status;
    kill(s->init, SIGSTOP);
    if (waitpid(s->init, &status, WUNTRACED) != s->init || !WIFSTOPPED(status))
        die("does not stop", s->argv[0]);
    sigqueue(s->child, SIGUSR1, (union sigval){.sival_int = orphans});
    take(s, &made, 1);
    if (made != '+')
        die("so many processes cannot be had", s->argv[0]);
    int64_t begin = now_ns();
    kill(s->init, SIGCONT);
    take(s, &stamp, sizeof stamp);
    if (children_of(s->init) != 1)
        die("the last orphan went before others", s->argv[0]);
    return stamp - begin;
}

static void reap(const struct sleeper *s, int which, int orphans, int wave)
{
    int64_t took = 0, cpu = cpu_ns(s->init);
    for (int left = orphans; left > 0; left -= wave)
        took += time_wave(s, left < wave ? left : wave);
    usleep(1000); /* it counts its time as it goes to sleep */
    printf("%d %lld %lld\n", which, (long long)took, (long long)(cpu_ns(s->init) - cpu));
}

int main(int argc, char **argv)
{
    struct commands commands;
    int order[MAX_COMMANDS];
    struct sleeper sleepers[MAX_COMMANDS];
    int reaps = argc > 1 && !strcmp(argv[1], "reap"), words = reaps ? 5 : 4;

    if (argc <= words)
        return 2;
    split(&commands, argv + words);
    for (int i = 0; i < commands.n; i++)
        sleepers[i] = put_up(commands.v[i]);
    for (int round = 0; round < atoi(argv[2]); round++) {
        if (!reaps)
            usleep((useconds_t)atoi(argv[3]));
        shuffle(order, commands.n);
        for (int turn = 0; turn < commands.n; turn++) {
            int which = order[turn];
            if (reaps)
                reap(&sleepers[which], which, atoi(argv[3]), atoi(argv[4]));
            else
                printf("%d %lld\n", which, (long long)time_signal(&sleepers[which]));
        }
    }
    for (int i = 0; i < commands.n; i++) {
        kill(sleepers[i].init, SIGKILL);
        end_of(sleepers[i].init);
    }
    return 0;
}
