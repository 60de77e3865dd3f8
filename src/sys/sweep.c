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

struct pass { int sig; const struct proc_id *below; size_t n_below, n; };

/* One that was seen below us, and whose parent has just ended, gets its own as such. */
static bool signal_child(pid_t child, void *to) {
    struct pass *pass = to;
    for (size_t i = 0; i < pass->n_below; i++)
        if (pass->below[i].pid == child)
            return true;
    pass->n++;
    if (kill(child, pass->sig) == 0 && pass->sig != SIGKILL)
        kill(child, SIGCONT); /* a stopped process takes it only then */
    return true;
}

/* Of our children none is forgotten, however many: they need no room, as no pid of theirs can be recycled before we
 * reap it. What is below them is listed before the first one dies: what forks without an end must not find time for
 * another generation between two. */
static size_t signal_all(int sig, struct proc_id *scratch, size_t room) {
    size_t children = proc_children_of((struct proc_id){0}, scratch, room / 2);
    size_t n = proc_descendants(scratch, children, room);
    struct pass pass = {.sig = sig, .below = scratch + children, .n_below = n - children};
    proc_each_child(signal_child, &pass);
    for (size_t i = children; i < n; i++)
        if (proc_signal(scratch[i], sig) == 0 && sig != SIGKILL)
            proc_signal(scratch[i], SIGCONT);
    return pass.n > 0 ? pass.n : signal_unlisted(sig);
}

size_t sweep_term(bool pid1, int sig, struct proc_id *scratch, size_t room) {
    if (!pid1)
        return signal_all(sig, scratch, room);
    kill(-1, sig);
    kill(-1, SIGCONT);
    return 1;
}

void sweep_kill(bool pid1, struct proc_id *scratch, size_t room) {
    if (pid1)
        kill(-1, SIGKILL); /* spares the caller */
    else
        signal_all(SIGKILL, scratch, room);
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
