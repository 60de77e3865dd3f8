/* One start a sample: how long commands take to run, to end, and to be ready for a signal.
 *
 *   timing run|early|exit ROUNDS COMMAND... [, COMMAND...]...
 *
 * The commands take turns, in another order each round, so that what disturbs
 * the machine disturbs all of them. One line a sample: the command's
 * number, and a value.
 *
 *   run    from the start to the end of the command, ns
 *   early  TERM to the init as soon as its child is visible: 1 if that had no
 *          effect within ten seconds, else 0
 *   exit   from the stamp that the program wrote last to the init's end, ns */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"

enum { EARLY_BOUND_MS = 10000 };

struct pending {
    pid_t init, child;
    int64_t bound;
    int command;
};

static int64_t time_run(char **argv, int null)
{
    int64_t begin = now_ns();
    int status = end_of(start(argv, null));
    int64_t took = now_ns() - begin;
    if (status)
        die("did not exit with 0", argv[0]);
    return took;
}

/* The mount namespace is held, or its end, which is long and the same for all, would be timed too. */
static int64_t time_exit(char **argv, int null)
{
    char path[64];
    int ends[2];
    int64_t stamp;
    (void)null;
    if (pipe2(ends, O_CLOEXEC))
        die("pipe2", argv[0]);
    pid_t init = start(argv, ends[1]);
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", init);
    int held = open(path, O_RDONLY | O_CLOEXEC);
    end_of(init);
    int64_t end = now_ns();
    close(held);
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (read(ends[0], &stamp, sizeof stamp) != sizeof stamp)
        die("no stamp", argv[0]);
    close(ends[0]);
    return end - stamp;
}

static bool settle(struct pending *run)
{
    if (waitpid(run->init, NULL, WNOHANG) == run->init) {
        printf("%d 0\n", run->command);
        return true;
    }
    if (now_ns() < run->bound)
        return false;
    kill(run->init, SIGKILL);
    end_of(run->init);
    printf("%d 1\n", run->command);
    return true;
}

static struct pending send_early(const struct commands *commands, int which, int null)
{
    struct pending run = {.command = which};
    run.init = start(commands->v[which], null);
    run.child = first_child(run.init);
    kill(run.init, SIGTERM);
    run.bound = now_ns() + EARLY_BOUND_MS * NS_PER_MS;
    return run;
}

/* The ones without effect wait out their bound while others run. */
static void early(const struct commands *commands, int rounds, int null)
{
    int all = rounds * commands->n, waiting = 0;
    struct pending *open = calloc((size_t)all, sizeof *open);
    if (!open)
        die("calloc", "early");
    for (int turn = 0; turn < all || waiting > 0; turn++) {
        if (turn < all)
            open[waiting++] = send_early(commands, (turn / commands->n + turn) % commands->n, null);
        usleep(2000);
        for (int i = 0; i < waiting;)
            if (settle(&open[i]))
                open[i] = open[--waiting];
            else
                i++;
    }
    free(open);
}

static void measure(int64_t (*once)(char **, int), const struct commands *commands, int rounds, int null)
{
    int order[MAX_COMMANDS];
    for (int round = 0; round < rounds; round++) {
        shuffle(order, commands->n);
        for (int turn = 0; turn < commands->n; turn++)
            printf("%d %lld\n", order[turn], (long long)once(commands->v[order[turn]], null));
    }
}

int main(int argc, char **argv)
{
    struct commands commands;
    int rounds = argc > 3 ? atoi(argv[2]) : 0;
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (rounds <= 0 || null < 0)
        return 2;
    split(&commands, argv + 3);
    if (!strcmp(argv[1], "early"))
        early(&commands, rounds, null);
    else
        measure(!strcmp(argv[1], "run") ? time_run : time_exit, &commands, rounds, null);
    return 0;
}
