#include "sys/reap.h"

#include <errno.h>
#include <stddef.h>
#include <sys/wait.h>

#include "sys/raw.h"

static struct reap_fact failed(int error) {
    return (struct reap_fact){.kind = error == ECHILD ? REAP_NO_CHILD : REAP_FAILED};
}

/* The younger call, for what refuses the other. */
static struct reap_fact by_waitid(void) {
    siginfo_t info;
    info.si_pid = 0; /* the kernel fills in the rest, if there is any */
    if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | __WALL) != 0)
        return failed(errno);
    if (info.si_pid == 0)
        return (struct reap_fact){.kind = REAP_NOTHING};
    if (info.si_code == CLD_STOPPED || info.si_code == CLD_TRAPPED)
        return (struct reap_fact){.kind = REAP_STOPPED, .pid = info.si_pid, .value = info.si_status};
    return (struct reap_fact){.kind = REAP_ENDED, .pid = info.si_pid,
                              .value = info.si_code == CLD_EXITED ? info.si_status : -info.si_status};
}

/* __WALL: also clones that do not send SIGCHLD, which become ours when their parent dies. */
struct reap_fact reap_next(void) {
    int status = 0;
    long pid = raw(SYS_wait4, -1, (long)&status, WUNTRACED | WNOHANG | __WALL, 0);
    if (pid < 0)
        return pid == -ECHILD ? failed(ECHILD) : by_waitid();
    if (pid == 0)
        return (struct reap_fact){.kind = REAP_NOTHING};
    if (WIFSTOPPED(status))
        return (struct reap_fact){.kind = REAP_STOPPED, .pid = (pid_t)pid, .value = WSTOPSIG(status)};
    return (struct reap_fact){.kind = REAP_ENDED, .pid = (pid_t)pid,
                              .value = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)};
}
