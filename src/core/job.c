/* core/job.c: one process, from the wish to start it until nothing of it is left.
 *
 *          | SPAWNED | FAILED     | LEADER        | GONE       | term due     | kill due
 *   NONE   | ·       | ·          | ·             | ·          | ·            | ·
 *   ASKED  | UP      | NONE, tell | LEFT, tell    | ·          | see below    | KILL
 *   UP     | ·       | ·          | LEFT, tell    | ·          | next signal  | KILL
 *   LEFT   | ·       | ·          | ·             | NONE, tell | TERM         | KILL
 *
 * A process that has not reached exec holds its signals back and has done nothing yet: it is given
 * a moment to get there, then KILL. What a leader leaves behind gets TERM once: the group does not
 * get it again if it was the group that got the stop signal. What KILL does not end (a process in the
 * kernel's hands, a zombie whose parent does not reap it) is left to the sweep after a while.
 */
#include "core/parts.h"

enum {
    SIG_KILL = 9,
    EXEC_MS = 200,
    FORSAKE_MS = 2000, /* after KILL, what is left by then is not waited for */
    CANNOT_ASK = 125,  /* lastcall itself had no process or descriptor left */
};

static const struct escalation term_only = {.signal = 15};

static bool runs_unit(const struct job *job) { return job->what == CMD_RUN; }

NEARBY static struct job_id id_of(const struct core *core, uint16_t slot) {
    return (struct job_id){slot, core->jobs[slot].gen};
}

static uint8_t ladder(const struct core *core, const struct job *job, const struct escalation **rungs) {
    const struct service *service;
    if (!runs_unit(job) || job->state == J_LEFT) {
        *rungs = &term_only;
        return 1;
    }
    service = service_of(core, job->owner);
    *rungs = service->stop;
    return service->n_stop;
}

static void arm(struct core *core, uint16_t slot) {
    const struct job *job = &core->jobs[slot];
    set_alarm(core, slot, earlier(job->term_at, job->kill_at));
}

void job_start(struct core *core, uint16_t slot, uint8_t what, uint16_t owner) {
    struct job *job = &core->jobs[slot];
    *job = (struct job){
        .state = J_ASKED, .what = what, .owner = owner, .gen = (uint16_t)(job->gen + 1),
        .term_at = NEVER, .kill_at = NEVER,
    };
    core->no_children = false;
    emit(core, (struct action){.kind = A_SPAWN, .job = id_of(core, slot), .subject = owner, .value = what});
}

void job_stop(struct core *core, uint16_t slot, instant term, instant kill) {
    struct job *job = &core->jobs[slot];
    if (job->state == J_NONE || job->killed)
        return;
    if (job->rung == 0)
        job->term_at = earlier(job->term_at, term);
    job->kill_at = earlier(job->kill_at, kill);
    job_due(core, slot); /* at once, so that signals go out in the order in which they were asked for */
}

void job_stop_leftovers(struct core *core, uint16_t slot, instant kill) {
    struct job *job = &core->jobs[slot];
    job->leftovers = job->rung && unit_whom(core, job->owner) == TO_GROUP ? TO_STRAYS : TO_TREE;
    job->rung = 0;
    if (job->killed) {
        job->term_at = after(core->now, MS(FORSAKE_MS));
        arm(core, slot);
    }
    job_stop(core, slot, core->now, is_never(job->kill_at) ? kill : NEVER);
}

void job_extend(struct core *core, uint16_t slot, instant kill) {
    struct job *job = &core->jobs[slot];
    job->kill_at = later_of(job->kill_at, kill); /* NEVER stays */
    arm(core, slot);
}

/* The helper, checks and the record are no part of a stop, and of a service that has not reached exec nothing has run. */
static bool forces(const struct core *core, const struct job *job) {
    bool part = job->what != CMD_NET && job->what != CMD_CHECK && job->what != CMD_RECORD;
    return part && !is_never(core->walk.asked) && !(runs_unit(job) && job->state == J_ASKED);
}

void job_kill(struct core *core, uint16_t slot) {
    struct job *job = &core->jobs[slot];
    if (job->state == J_NONE || job->killed)
        return;
    job->killed = true;
    core->walk.forced |= forces(core, job);
    if (job->state == J_ASKED)
        job->sent |= signal_bit(SIG_KILL); /* nothing of it has run: this is its stop signal */
    job->kill_at = NEVER;
    job->term_at = job->state == J_LEFT ? after(core->now, MS(FORSAKE_MS)) : NEVER;
    arm(core, slot);
    emit(core, (struct action){.kind = A_KILL, .job = id_of(core, slot)});
}

NEARBY void job_signal(struct core *core, uint16_t slot, uint8_t signal, uint8_t whom) {
    if (whom == TO_LEADER && core->jobs[slot].state == J_LEFT)
        return; /* it has been reaped: its number may be another's */
    emit(core, (struct action){.kind = A_SIGNAL, .job = id_of(core, slot), .signal = signal, .value = whom});
}

static void free_slot(struct core *core, uint16_t slot) {
    core->jobs[slot].state = J_NONE;
    core->jobs[slot].term_at = core->jobs[slot].kill_at = NEVER;
    arm(core, slot);
}

static void forget(struct core *core, uint16_t slot) {
    emit(core, (struct action){.kind = A_FORGET, .job = id_of(core, slot)});
    free_slot(core, slot);
}

static void gone(struct core *core, uint16_t slot) {
    uint16_t owner = core->jobs[slot].owner;
    forget(core, slot);
    unit_gone(core, owner);
}

/* CONT goes along, so that a stopped process gets to see its stop signal. */
static void send_rung(struct core *core, uint16_t slot) {
    enum { CONT = 18 };
    struct job *job = &core->jobs[slot];
    const struct escalation *rungs;
    uint8_t n = ladder(core, job, &rungs), whom = TO_GROUP;
    uint8_t signal = rungs[job->rung].signal;
    if (runs_unit(job))
        whom = unit_whom(core, job->owner);
    if (runs_unit(job) && core->stop_signal)
        signal = core->stop_signal;
    if (job->state == J_LEFT)
        whom = job->leftovers;
    if (job->rung == 0)
        job->first = core->now;
    job->sent |= signal_bit(signal);
    job->rung++;
    job->term_at = job->rung < n ? after(job->first, rungs[job->rung].after) : NEVER;
    job_signal(core, slot, signal, whom);
    for (uint8_t held = 1; held <= SIGNAL_MAX; held++)
        if (core->held & signal_bit(held))
            job_signal(core, slot, held, whom);
    core->held = 0;
    job_signal(core, slot, CONT, whom);
}

/* A process that has not reached exec would see its signal late, or never. */
static void not_yet(struct core *core, uint16_t slot) {
    struct job *job = &core->jobs[slot];
    if (job->hurried) {
        job_kill(core, slot);
        return;
    }
    job->hurried = true;
    job->term_at = after(core->now, MS(EXEC_MS));
}

void job_due(struct core *core, uint16_t slot) {
    struct job *job = &core->jobs[slot];
    if (due(job->term_at, core->now) && job->killed && job->state == J_LEFT) {
        gone(core, slot);
        return;
    }
    if (due(job->term_at, core->now)) {
        if (job->state == J_ASKED)
            not_yet(core, slot);
        else
            send_rung(core, slot);
    }
    if (due(job->kill_at, core->now))
        job_kill(core, slot);
    arm(core, slot);
}

static void spawned(struct core *core, uint16_t slot) {
    struct job *job = &core->jobs[slot];
    job->state = J_UP;
    if (job->hurried)
        job->term_at = core->now;
    arm(core, slot);
    if (job->what == CMD_RUN)
        unit_spawned(core, job->owner);
    else if (job->what == CMD_NET)
        helper_spawned(core);
}

/* The leader has ended (or never began). Only a service waits for the rest of its tree; what a hook
 * leaves behind belongs to the sweep, and what a check leaves behind is killed. */
static void ended(struct core *core, uint16_t slot, bool is_gone) {
    struct job *job = &core->jobs[slot];
    uint16_t owner = job->owner;
    switch ((enum command_kind)job->what) {
    case CMD_RUN:
        job->state = J_LEFT;
        if (!is_gone && core->model->policy.parting && !core->model->policy.sweep)
            job_signal(core, slot, core->model->policy.parting, TO_GROUP);
        if (is_gone || core->model->policy.single) {
            forget(core, slot);
            unit_leader(core, owner);
            unit_gone(core, owner);
        } else {
            unit_leader(core, owner);
        }
        return;
    case CMD_CHECK:
        if (!is_gone)
            emit(core, (struct action){.kind = A_KILL, .job = id_of(core, slot)});
        forget(core, slot);
        if (is_gone && job->exit == CANNOT_ASK)
            check_unasked(core, owner);
        else
            check_answer(core, owner, job->exit == 0);
        return;
    case CMD_STOP:
    case CMD_RELOAD:
        forget(core, slot);
        unit_aux_ended(core, owner);
        return;
    case CMD_ONLY_IF:
    case CMD_STEP:
    case CMD_UNDO:
    case CMD_SAVE:
    case CMD_RESTORE:
        forget(core, slot);
        step_answer(core, owner, job->exit);
        return;
    case CMD_RECORD:
        forget(core, slot);
        record_ended(core, job->exit);
        return;
    case CMD_NET:
        forget(core, slot);
        helper_ended(core);
        return;
    case CMD_N: return;
    }
}

void job_event(struct core *core, const struct event *event) {
    uint16_t slot = event->job.job;
    struct job *job;
    if (slot >= core->n_jobs || core->jobs[slot].gen != event->job.gen)
        return;
    job = &core->jobs[slot];
    if (event->kind == EV_SPAWNED && job->state == J_ASKED)
        spawned(core, slot);
    if (event->kind == EV_STOPPED && job->state == J_UP && job->what == CMD_NET)
        helper_stopped(core);
    if ((event->kind == EV_SPAWN_FAILED && job->state == J_ASKED) ||
        (event->kind == EV_LEADER && (job->state == J_ASKED || job->state == J_UP))) {
        if (job->what == CMD_RUN)
            core->units[job->owner].never_ran = event->kind == EV_SPAWN_FAILED;
        job->exit = (int16_t)(event->value < -SIGNAL_MAX || event->value > 255 ? 255 : event->value);
        if (event->kind == EV_SPAWN_FAILED)
            note(core, NOTE_SPAWN_FAILED, slot, event->value);
        ended(core, slot, event->kind == EV_SPAWN_FAILED);
    }
    if (event->kind == EV_GONE && job->state == J_LEFT)
        gone(core, slot);
}
