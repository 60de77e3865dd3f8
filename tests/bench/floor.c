/* The least that can stand as PID 1: starts a command, collects whatever ends, exits as the command
 * did. It hands on no signal, so it is no init; no init can do with less. */
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int status = 0;
    pid_t ended, child = argc > 1 ? vfork() : -1;

    if (child == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    while (child > 0 && (ended = wait(&status)) != child)
        if (ended < 0)
            return 125;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
