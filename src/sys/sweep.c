#include "sys/sweep.h"

#include <signal.h>

static size_t signal_children(int sig) {
    pid_t children[1024];
    size_t n = proc_children(0, children, sizeof children / sizeof *children);
    for (size_t i = 0; i < n; i++)
        kill(children[i], sig);
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
    if (n > 0)
        return n;
    n = signal_children(sig); /* where /proc does not tell more */
    signal_children(SIGCONT);
    return n;
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
    signal_children(SIGKILL);
    for (size_t i = children; i < n; i++)
        proc_signal(scratch[i], SIGKILL);
}

size_t sweep_left(pid_t *into, size_t room) {
    size_t n = proc_children(0, into, room), kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct proc_stat stat;
        if (!proc_stat(into[i], &stat) || stat.state != 'Z')
            into[kept++] = into[i];
    }
    return kept;
}
