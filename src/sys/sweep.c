#include "sys/sweep.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where /proc does not list our children the kernel is asked about one number after the other. Those that we
 * were handed have higher ones than we do, until the numbers begin again. */
enum { NUMBERS = 4096 };

static bool has_children(void) {
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

static size_t signal_unlisted(int sig) {
    size_t n = 0;
    if (!has_children())
        return 0;
    for (pid_t pid = getpid() + 1, end = pid + NUMBERS; pid < end; pid++)
        if (proc_is_our_child(pid) && kill(pid, sig) == 0) {
            kill(pid, SIGCONT);
            n++;
        }
    return n;
}

static size_t list_unlisted(pid_t *into, size_t room) {
    size_t n = 0;
    for (pid_t pid = getpid() + 1, end = pid + NUMBERS; pid < end && n < room; pid++)
        if (proc_is_our_child(pid))
            into[n++] = pid;
    return n;
}

size_t sweep_term(bool pid1, int sig, struct proc_id *scratch, size_t room) {
    if (pid1) {
        kill(-1, sig);
        kill(-1, SIGCONT); /* a stopped process takes it only then */
        return 1;
    }
    size_t n = proc_descendants(scratch, proc_children_of((struct proc_id){0}, scratch, room), room);
    for (size_t i = 0; i < n; i++)
        if (proc_signal(scratch[i], sig) == 0)
            proc_signal(scratch[i], SIGCONT);
    return n > 0 ? n : signal_unlisted(sig);
}

/* All are listed before the first one dies: what forks without an end must not find time for another
 * generation between two. */
void sweep_kill(bool pid1, struct proc_id *scratch, size_t room) {
    if (pid1) {
        kill(-1, SIGKILL); /* spares the caller */
        return;
    }
    size_t children = proc_children_of((struct proc_id){0}, scratch, room);
    size_t n = proc_descendants(scratch, children, room);
    for (size_t i = 0; i < children; i++)
        kill(scratch[i].pid, SIGKILL);
    for (size_t i = children; i < n; i++)
        proc_signal(scratch[i], SIGKILL);
    if (n == 0)
        signal_unlisted(SIGKILL);
}

size_t sweep_left(pid_t *into, size_t room) {
    size_t n = proc_children(0, into, room), kept = 0;
    n = n > 0 ? n : list_unlisted(into, room);
    for (size_t i = 0; i < n; i++) {
        struct proc_stat stat;
        if (!proc_stat(into[i], &stat) || stat.state != 'Z')
            into[kept++] = into[i];
    }
    return kept;
}
