/* run/acts.c: carries out what the core has decided, one action after the other. */
#include <signal.h>

#include "model/nearby.h"
#include "run/state.h"
#include "sys/sweep.h"

enum { HELPER_LEAVES_MS = 300 };

static void forget(struct run *run, const struct action *action) {
    if (jobs_slot(&run->jobs, action->job) == NULL)
        return;
    jobs_forget(&run->jobs, action->job.job);
    if (action->job.job == core_job_of_net(&run->core))
        helper_gone(run);
}

static void kill_job(struct run *run, uint16_t slot) {
    ending_killed(run, slot);
    jobs_kill(&run->jobs, slot);
}

/* The page says `leaving` already. The helper has a moment to give its clients the verdict, who would
 * else get their TERM first; then TERM goes to all that is left. After it nothing may be left, which
 * only a look at the children can tell. */
static void sweep(struct run *run, int sig) {
    run->sweep_with = sig != 0 ? sig : SIGTERM;
    run->sweep_at = run->helper.alive ? after(run->now, MS(HELPER_LEAVES_MS)) : run->now;
    acts_sweep_when_due(run);
}

void acts_sweep_when_due(struct run *run) {
    if (is_never(run->sweep_at) || (run->helper.alive && !due(run->sweep_at, run->now)))
        return;
    run->sweep_at = NEVER;
    run->look = true;
    if (sweep_term(run->model->policy.pid1, run->sweep_with, run->jobs.tree.walk, TREE_WALK) > 0)
        return;
    jobs_signal_last(&run->jobs, run->sweep_with);
    jobs_signal_last(&run->jobs, SIGCONT);
}

static void sweep_hard(struct run *run) {
    run->sweep_at = NEVER;
    run->sweep_killed = run->look = true;
    ending_killed(run, NONE);
    sweep_kill(run->model->policy.pid1, run->jobs.tree.walk, TREE_WALK);
    jobs_signal_last(&run->jobs, SIGKILL);
}

static void spawn(struct run *run, const struct action *action) {
    if (action->value == CMD_NET)
        helper_spawn(run, action);
    else
        child_start(run, action);
}

static void note(struct run *run, const struct action *action) {
    run->rested = false;
    if (action->value == NOTE_STOP_BEGAN && run->core.walk.cause == BY_SIGNAL)
        why_asked(run);
    say_note(run, action);
    upward_note(run, action);
    if (action->value == NOTE_ROW || action->value == NOTE_STOP_BEGAN)
        run->ending.due = true;
    if (action->value == NOTE_RESUMED)
        ending_undo(run);
}

static NEARBY void act(struct run *run, const struct action *action) {
    bool known = jobs_slot(&run->jobs, action->job) != NULL;
    switch ((enum action_kind)action->kind) {
    case A_NOTHING: break;
    case A_PUBLISH: publish(run); break;
    case A_SPAWN: spawn(run, action); break;
    case A_SIGNAL:
        if (known) {
            jobs_signal(&run->jobs, action->job.job, action->signal, (enum whom)action->value);
            if (run->jobs.v[action->job.job].state != SLOT_LEFT)
                tell(run, TALE_FORWARDED, action->signal, 0);
        }
        break;
    case A_WATCH_TREE:
        if (known)
            jobs_watch(&run->jobs, action->job.job);
        break;
    case A_KILL:
        if (known)
            kill_job(run, action->job.job);
        break;
    case A_FORGET: forget(run, action); break;
    case A_SWEEP: sweep(run, action->signal); break;
    case A_SWEEP_KILL: sweep_hard(run); break;
    case A_NOTE: note(run, action); break;
    case A_EXIT:
        run->exited = true;
        run->exit = action->value;
        break;
    case A_N: break;
    }
}

/* The report follows once for all that came at the same instant. */
NEARBY void acts(struct run *run) {
    for (uint32_t i = 0; i < run->actions.n; i++)
        act(run, &run->actions.v[i]);
    if (run->ending.due)
        ending_write(run, false);
    run->ending.due = false;
}
