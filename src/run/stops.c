/* run/stops.c: job control. The command that has stopped, that wants the terminal or has left it, and
 * whoever continues us. */
#include <signal.h>
#include <unistd.h>

#include "run/state.h"

static bool is_at_terminal(const struct run *run, uint16_t slot) {
    if (slot >= run->model->n_units || run->config->manners.lends_terminal) /* the first jobs are the units' */
        return false;
    return run->model->policy.single || run->config->services[run->model->units[slot].service].in.tty;
}

static void resume(struct run *run, uint16_t slot) { jobs_signal(&run->jobs, slot, SIGCONT, TO_GROUP); }

/* It has reached for the terminal from the background. While we have it there is no reason to keep it; and
 * if it is gone for good, by a hang-up, nobody else would let the command see that. */
static bool lend(struct run *run, uint16_t slot) {
    if (!terminal_lend(&run->terminal, run->jobs.v[slot].pid) && terminal_is_there())
        return false;
    resume(run, slot);
    return true;
}

/* The shell whose job we are shall see it stopped, and with it all others in a pipeline. To them goes what the terminal
 * would have sent them, had the command been in our group, as without us it were: the key's signal if the command has
 * the foreground from us, who had it for our group; that of a try if neither has it. Nothing else is ever sent to
 * others. The same signal sent by hand to the command looks alike; any other stop is for us alone. The foreground comes
 * back first: a lastcall above sees by that whose key it was. The kernel knows whether anybody could continue the group;
 * if not, nothing stops, and the answer is no. */
static bool stop_too(const struct run *run, int sig, bool lent, bool all) {
    if (sigmask_is_pending(SIGCONT))
        return true;
    if (!all)
        return kill(run->self, SIGSTOP), true;
    if (lent)
        terminal_give(getpgrp());
    kill(0, sig);
    sigmask_let(sig);
    return sigmask_is_pending(SIGCONT);
}

/* Nothing stops: nobody could continue it. Whom the key has stopped goes on. What has reached for the terminal can never
 * get it; in our group, an orphan, its try would have failed, but its own is not one, for we are its parent. So it is told
 * as the kernel tells an orphan that has stopped: once. */
static void go_on(struct run *run, uint16_t slot, bool reached) {
    if (!reached) {
        terminal_lend(&run->terminal, run->terminal.given);
    } else if (!run->model->policy.pid1 && run->stopped_for != slot) {
        run->stopped_for = slot;
        jobs_signal(&run->jobs, slot, SIGHUP, TO_GROUP);
    } else {
        return;
    }
    resume(run, slot);
}

/* As PID 1 we never stop, nor while a clock runs. */
void stops_stopped(struct run *run, uint16_t slot, int sig) {
    const struct manners *manners = &run->config->manners;
    bool reached = sig == SIGTTIN || sig == SIGTTOU;
    if (!is_at_terminal(run, slot) || (reached && lend(run, slot)) || !is_never(run->core.walk.clock) ||
        manners->never_stops)
        return;
    bool lent = terminal_is_lent(&run->terminal);
    bool all = reached ? !lent : sig == SIGTSTP && lent; /* to one that is not in front; to the one in front */
    if (!run->model->policy.pid1 && stop_too(run, sig, lent, all))
        run->stopped_for = slot;
    else if (all)
        go_on(run, slot, reached);
}

/* Whoever continues us continues the command, all of its group; it gets the terminal back if we have it.
 * false: we had not stopped for it, and the signal is one like others. */
bool stops_continued(struct run *run) {
    uint16_t slot = run->terminal.given > 0 ? jobs_find(&run->jobs, run->terminal.given) : HASH_FREE;
    if (slot != HASH_FREE)
        terminal_lend(&run->terminal, run->terminal.given);
    slot = run->stopped_for;
    run->stopped_for = NONE;
    if (slot == NONE || run->jobs.v[slot].state == SLOT_LEFT)
        return false;
    resume(run, slot);
    return true;
}

void stops_ended(struct run *run, uint16_t slot, bool killed) {
    if (is_at_terminal(run, slot) && run->terminal.given == run->jobs.v[slot].pid)
        terminal_take(&run->terminal, killed);
}
