#include "sys/reap.h"

#include <errno.h>
#include <stddef.h>
#include <sys/wait.h>

static struct reap_fact failed(void) {
    return (struct reap_fact){.kind = errno == ECHILD ? REAP_NO_CHILD : REAP_FAILED};
}

/* The older call, for what may refuse the other (a filter that does not know it). */
static struct reap_fact by_wait4(void) {
    int status = 0;
    pid_t pid = wait4(-1, &status, WUNTRACED | WNOHANG | __WALL, NULL);
    if (pid < 0)
        return failed();
    if (pid == 0)
        return (struct reap_fact){.kind = REAP_NOTHING};
    if (WIFSTOPPED(status))
        return (struct reap_fact){.kind = REAP_STOPPED, .pid = pid, .value = WSTOPSIG(status)};
    return (struct reap_fact){.kind = REAP_ENDED, .pid = pid,
                              .value = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status)};
}

/* __WALL: also clones that do not send SIGCHLD, which become ours when their parent dies. */
struct reap_fact reap_next(void) {
    siginfo_t info;
    info.si_pid = 0; /* the kernel fills in the rest, if there is any */
    if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | __WALL) != 0)
        return errno == ECHILD ? failed() : by_wait4();
    if (info.si_pid == 0)
        return (struct reap_fact){.kind = REAP_NOTHING};
    if (info.si_code == CLD_STOPPED || info.si_code == CLD_TRAPPED)
        return (struct reap_fact){.kind = REAP_STOPPED, .pid = info.si_pid, .value = info.si_status};
    return (struct reap_fact){.kind = REAP_ENDED, .pid = info.si_pid,
                              .value = info.si_code == CLD_EXITED ? info.si_status : -info.si_status};
}
