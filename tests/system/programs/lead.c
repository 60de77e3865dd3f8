/* lead: what sys/terminal.h and sys/spawn.h do for an init whose command leads a session of its own.
 *
 *   lead [drop] COMMAND [ARG...]  runs COMMAND as the leader of a session with the terminal on stdin, after having
 *                                 let go of it (drop); then says which HUP and CONT had come ("signal N self" or
 *                                 "other") and exits as COMMAND did */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/sigmask.h"
#include "sys/spawn.h"
#include "sys/terminal.h"

int main(int argc, char **argv, char **envp)
{
    bool drop = argc > 1 && !strcmp(argv[1], "drop");
    struct spawn spawn = {.argv = argv + 1 + drop, .envp = envp, .umask = -1, .lead_terminal = true, .exec_fd = -1,
                          .error_fd = -1};
    struct spawn_error error;
    struct signal_taken taken;
    int status = 0;

    sigmask_set(ALL_SIGNALS);
    if (drop)
        terminal_drop();
    pid_t pid = spawn_vfork(&spawn, &error);
    if (pid < 0)
        return spawn_exit_code(&error);
    waitpid(pid, &status, 0);
    while (sigmask_wait(NO_TIME, &taken))
        if (taken.sig == SIGHUP || taken.sig == SIGCONT)
            dprintf(2, "signal %d %s\n", taken.sig, taken.code <= 0 && taken.from == getpid() ? "self" : "other");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
