#include "sys/sigmask.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "model/nearby.h"
#include "sys/raw.h"

/* The kernel's struct sigaction with everything zero is SIG_DFL on every architecture; this is at
 * least as large as the largest of them. */
struct kernel_sigaction { unsigned long words[8]; };

bool sigmask_set(signal_set blocked, signal_set *before) {
    return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, before, sizeof blocked) == 0;
}

bool sigmask_is_pending(int sig) {
    signal_set pending = 0;
    syscall(SYS_rt_sigpending, &pending, sizeof pending);
    return (pending & signal_bit(sig)) != 0;
}

bool sigmask_drop_own(int sig) {
    signal_set one = signal_bit(sig);
    struct timespec none = {0};
    siginfo_t info;
    if (syscall(SYS_rt_sigtimedwait, &one, &info, &none, sizeof one) != sig)
        return false;
    if (info.si_code <= 0 && info.si_pid == getpid())
        return true;
    syscall(SYS_rt_sigqueueinfo, getpid(), sig, &info); /* another's: back, as it was */
    return false;
}

static bool to_default(int sig) {
    struct kernel_sigaction standard = {{0}};
    return syscall(SYS_rt_sigaction, sig, &standard, NULL, sizeof(signal_set)) == 0;
}

void sigmask_let(int sig) {
    signal_set before;
    to_default(sig);
    if (sigmask_set(ALL_SIGNALS & ~signal_bit(sig), &before))
        sigmask_set(before, NULL);
}

bool sigmask_want_children(void) { return to_default(SIGCHLD); }

/* lastcall has no handlers, so what is not at its default was inherited as ignored. */
bool sigmask_reset(signal_set spared) {
    bool all = true;
    for (int sig = 1; sig <= SIGNAL_MAX; sig++)
        if (sig != SIGKILL && sig != SIGSTOP && (spared & signal_bit(sig)) == 0)
            all &= to_default(sig);
    return all;
}

NEARBY bool sigmask_wait(signal_set wanted, span most, struct signal_taken *taken) {
    siginfo_t info;
    struct timespec time = {.tv_sec = most.ns / NS_PER_S, .tv_nsec = most.ns % NS_PER_S};
    long sig = raw(SYS_rt_sigtimedwait, (long)&wanted, (long)&info, is_forever(most) ? 0 : (long)&time, sizeof wanted);
    if (sig <= 0)
        return false;
    *taken = (struct signal_taken){.sig = (int)sig, .code = info.si_code, .from = info.si_pid, .uid = info.si_uid};
    return true;
}

NEARBY int sigmask_send(pid_t to, int sig) { return (int)raw(SYS_kill, to, sig, 0, 0); }

int sigmask_descriptor(int fd, signal_set wanted) {
    return (int)syscall(SYS_signalfd4, fd, &wanted, sizeof wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

unsigned sigmask_read(int fd, struct signal_taken *taken, unsigned room) {
    struct signalfd_siginfo infos[8];
    size_t want = room < 8 ? room : 8;
    ssize_t got = read(fd, infos, want * sizeof *infos);
    unsigned n = got > 0 ? (unsigned)((size_t)got / sizeof *infos) : 0;
    for (unsigned i = 0; i < n; i++)
        taken[i] = (struct signal_taken){.sig = (int)infos[i].ssi_signo, .code = infos[i].ssi_code,
                                         .from = (pid_t)infos[i].ssi_pid, .uid = infos[i].ssi_uid};
    return n;
}
