#include "sys/reap.h"

#include <errno.h>
#include <sys/wait.h>

/* __WALL: also clones that do not send SIGCHLD, which become ours when their parent dies. */
struct reap_fact reap_next(void) {
    siginfo_t info = {0};
    int result;
    do
        result = waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | __WALL);
    while (result != 0 && errno == EINTR);
    if (result != 0)
        return (struct reap_fact){.kind = errno == ECHILD ? REAP_NO_CHILD : REAP_FAILED};
    if (info.si_pid == 0)
        return (struct reap_fact){.kind = REAP_NOTHING};
    if (info.si_code == CLD_STOPPED || info.si_code == CLD_TRAPPED)
        return (struct reap_fact){.kind = REAP_STOPPED, .pid = info.si_pid, .value = info.si_status};
    return (struct reap_fact){.kind = REAP_ENDED, .pid = info.si_pid,
                              .value = info.si_code == CLD_EXITED ? info.si_status : -info.si_status};
}
