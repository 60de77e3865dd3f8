/* prog: the small programs that the tests run under lastcall, in one binary.
 *
 *   prog record FILE [SIG:CODE...]  blocks every signal and appends "ready PID" and then "SIG SENDER" a line for
 *                                   each one it gets to FILE ("-": stdout); exits with CODE on SIG
 *   prog deaf [FILE]                ignores every signal; appends "ready PID" to FILE
 *   prog slow MS FILE               appends "ready PID" to FILE; on TERM works on for MS, appends "done PID", exits 0
 *   prog obey [FILE]                appends "ready PID" to FILE and pauses, all signals at their defaults
 *   prog escape CMD...              double fork and setsid, then CMD; itself exits 0 at once
 *   prog orphans N MS               leaves N grandchildren that exit after MS, then exits 0 itself
 *   prog several N CMD...           CMD as N processes of one group, itself among them
 *   prog fds FILE                   writes the open descriptors and their F_GETFL (octal) to FILE, without /proc
 *   prog die SIG                    dies of SIG, without a core
 *   prog tty                        prints pid, process group, session and the terminal's foreground group
 *   prog become UID CMD...          CMD as that user (from a set-user-ID copy of prog, to get out of reach)
 *   prog raw SIG|CODE               takes the terminal out of canonical mode, then dies of SIG (name "s9") or exits
 *   prog eat MB                     writes to that much memory, then pauses
 *   prog stopself FILE              appends "ready PID", stops itself (STOP), appends "cont PID" when resumed */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static void append(const char *file, const char *word, int number)
{
    char line[64];
    int fd = strcmp(file, "-") ? open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : 1;
    int n = snprintf(line, sizeof line, "%s %d\n", word, number);

    if (fd < 0 || write(fd, line, (size_t)n) != n)
        _exit(98);
    if (fd != 1)
        close(fd);
}

static void rest(long ms)
{
    struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

static void forever(void)
{
    for (;;)
        pause();
}

/* Raw, because libc refuses the signals that it keeps for itself. */
static void block_all(void)
{
    uint64_t all = ~0ULL;

    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
}

static int record(int argc, char **argv)
{
    uint64_t all = ~0ULL;
    siginfo_t info;
    char word[16];

    block_all();
    append(argv[0], "ready", getpid());
    for (;;) {
        int sig = (int)syscall(SYS_rt_sigtimedwait, &all, &info, NULL, 8);
        if (sig <= 0)
            continue;
        snprintf(word, sizeof word, "%d", sig);
        append(argv[0], word, info.si_pid);
        for (int i = 1; i < argc; i++)
            if (atoi(argv[i]) == sig)
                return atoi(strchr(argv[i], ':') + 1);
    }
}

static int deaf(int argc, char **argv)
{
    struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } action = { (void *)SIG_IGN, 0, 0, 0 };

    for (int s = 1; s <= 64; s++)
        syscall(SYS_rt_sigaction, s, &action, NULL, 8);
    if (argc > 0)
        append(argv[0], "ready", getpid());
    forever();
    return 0;
}

static int slow(int argc, char **argv)
{
    sigset_t term;
    int sig;

    (void)argc;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    append(argv[1], "ready", getpid());
    sigwait(&term, &sig);
    rest(atol(argv[0]));
    append(argv[1], "done", getpid());
    return 0;
}

static int escape(int argc, char **argv)
{
    (void)argc;
    if (fork() == 0) {
        setsid();
        if (fork() == 0) {
            execvp(argv[0], argv);
            _exit(98);
        }
        _exit(0);
    }
    wait(NULL);
    return 0;
}

static int orphans(int argc, char **argv)
{
    (void)argc;
    for (int i = 0; i < atoi(argv[0]); i++) {
        if (fork() == 0) {
            if (fork() == 0) {
                rest(atol(argv[1]));
                _exit(i & 127);
            }
            _exit(0);
        }
        wait(NULL);
    }
    return 0;
}

static int several(char **argv)
{
    for (int i = 1; i < atoi(argv[0]) && fork() != 0; i++)
        ;
    execvp(argv[1], argv + 1);
    return 98;
}

static int fds(char **argv)
{
    static int flags[4096];

    for (int fd = 0; fd < 4096; fd++)
        flags[fd] = fcntl(fd, F_GETFL);
    int out = open(argv[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (out < 0)
        return 98;
    for (int fd = 0; fd < 4096; fd++)
        if (flags[fd] >= 0)
            dprintf(out, "%d %o\n", fd, (unsigned)flags[fd]);
    dprintf(out, "end\n");
    return 0;
}

static int die(char **argv)
{
    struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    kill(getpid(), atoi(argv[0]));
    return 97;
}

static int become(char **argv)
{
    uid_t uid = (uid_t)atoi(argv[0]);

    if (setresuid(uid, uid, uid) != 0)
        return 98;
    execvp(argv[1], argv + 1);
    return 98;
}

static int tty(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC);

    dprintf(1, "pid %d pgrp %d sid %d foreground %d\n", getpid(), getpgrp(), getsid(0), tcgetpgrp(fd < 0 ? 0 : fd));
    return 0;
}

static int raw(char **argv)
{
    struct termios t;

    if (tcgetattr(0, &t) != 0)
        return 98;
    t.c_lflag &= (tcflag_t)~(ICANON | ECHO);
    tcsetattr(0, TCSANOW, &t);
    if (argv[0][0] != 's')
        return atoi(argv[0]);
    kill(getpid(), atoi(argv[0] + 1));
    return 97;
}

static int stopself(char **argv)
{
    append(argv[0], "ready", getpid());
    raise(SIGSTOP);
    append(argv[0], "cont", getpid());
    forever();
    return 0;
}

static int eat(char **argv)
{
    size_t bytes = (size_t)atol(argv[0]) << 20;
    char *all = malloc(bytes);

    for (size_t i = 0; all && i < bytes; i += 4096)
        ((volatile char *)all)[i] = 1;
    forever();
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";

    argc -= 2;
    argv += 2;
    if (!strcmp(verb, "record"))
        return record(argc, argv);
    if (!strcmp(verb, "deaf"))
        return deaf(argc, argv);
    if (!strcmp(verb, "slow"))
        return slow(argc, argv);
    if (!strcmp(verb, "obey")) {
        if (argc > 0)
            append(argv[0], "ready", getpid());
        forever();
    }
    if (!strcmp(verb, "escape"))
        return escape(argc, argv);
    if (!strcmp(verb, "orphans"))
        return orphans(argc, argv);
    if (!strcmp(verb, "several"))
        return several(argv);
    if (!strcmp(verb, "fds"))
        return fds(argv);
    if (!strcmp(verb, "die"))
        return die(argv);
    if (!strcmp(verb, "become"))
        return become(argv);
    if (!strcmp(verb, "tty"))
        return tty();
    if (!strcmp(verb, "raw"))
        return raw(argv);
    if (!strcmp(verb, "eat"))
        return eat(argv);
    if (!strcmp(verb, "stopself"))
        return stopself(argv);
    return 2;
}
