/* run/facts.c: what the kernel has to say, as events. */
#include <signal.h>
#include <unistd.h>

#include "model/nearby.h"
#include "run/state.h"
#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/reap.h"
#include "sys/sweep.h"
#include "sys/watch.h"

enum {
    REAP_BATCH = 64,    /* so many in a turn, then signals are looked at again: a storm delays none */
    SIGNAL_BATCH = 64,
    TAG_BATCH = 16,
    LOOK_AGAIN_MS = 50,
    LONG_LOOK_NS = 6000, /* for each that was found */
    MOST_REST_MS = 5,
};

/* ---- signals ---- */

/* Called as dumb-init: the command has been told, and lastcall stops as well. */
static void suspend(struct run *run, int sig) {
    if (!(run->config->manners.stops_on & signal_bit(sig)))
        return;
    tell(run, TALE_SUSPENDED, sig, 0);
    kill(run->self, SIGSTOP);
}

/* Signals that lastcall sent to itself (its own SIGPIPE comes this way) mean nothing. */
NEARBY void facts_signal(struct run *run, const struct signal_taken *taken) {
    struct event event = {.kind = EV_SIGNAL, .value = taken->sig};
    run->vain = 0;
    if (taken->sig == SIGCHLD) {
        run->look = true;
        tell(run, TALE_CHILD, 0, 0);
        return;
    }
    if (taken->code <= 0 && taken->from == run->self) {
        if (taken->sig != SIGPIPE) /* of a line that nobody reads: another would bring the next */
            tell(run, TALE_OWN, taken->sig, 0);
        return;
    }
    if ((run->config->manners.fatal & signal_bit(taken->sig)) != 0) { /* it is not blocked, but was waited for */
        sigmask_send(run->self, taken->sig);
        return;
    }
    tell(run, TALE_SIGNAL, taken->sig, 0);
    tell_signal(run, taken->sig);
    if (taken->sig == SIGCONT && stops_continued(run))
        return;
    if (taken->code > 0)
        event.flags = SIG_FROM_KERNEL;
    else if (taken->from == 0)
        event.flags = SIG_FROM_OUTSIDE;
    run->last_stop = *taken;
    step(run, &event);
    if (run->core.told_to_stop && run->why.asked.sig == 0)
        why_asked(run); /* only now: it must not make the signal late */
    suspend(run, taken->sig);
}

static void read_signals(struct run *run) {
    struct signal_taken taken[8];
    unsigned n = 8;
    for (unsigned total = 0; n == 8 && total < SIGNAL_BATCH && !run->exited; total += n) {
        n = sigmask_read(run->signals, taken, 8);
        for (unsigned i = 0; i < n && !run->exited; i++)
            facts_signal(run, &taken[i]);
    }
}

/* ---- children ---- */

struct ended { struct job_id id; int value; bool stopped, told; };
struct batch { struct ended v[REAP_BATCH]; unsigned n, orphans; bool empty, failed; };

/* Jobs are found at the instant of reaping: from then on a new child may get the same pid. */
static void take(struct run *run, struct batch *batch, const struct reap_fact *fact) {
    uint16_t slot = jobs_find(&run->jobs, fact->pid);
    bool stopped = fact->kind == REAP_STOPPED;
    if (!stopped)
        tell_reaped(run, slot != HASH_FREE, fact->pid, fact->value);
    if (slot == HASH_FREE) {
        batch->orphans += !stopped;
        return;
    }
    if (stopped) {
        stops_stopped(run, slot, fact->value);
    } else {
        stops_ended(run, slot, fact->value < 0);
        jobs_reaped(&run->jobs, slot);
    }
    batch->v[batch->n++] = (struct ended){
        .id = {slot, run->jobs.v[slot].gen}, .value = fact->value, .stopped = stopped};
}

static void fill(struct run *run, struct batch *batch) {
    run->look = false;
    for (unsigned i = 0; i < REAP_BATCH; i++) {
        struct reap_fact fact = reap_next();
        if (fact.kind == REAP_NO_CHILD && jobs_expected(&run->jobs))
            fact.kind = REAP_FAILED; /* it cannot be */
        batch->empty = fact.kind == REAP_NO_CHILD;
        batch->failed = fact.kind == REAP_FAILED;
        if (fact.kind == REAP_NO_CHILD || fact.kind == REAP_NOTHING || fact.kind == REAP_FAILED)
            return;
        take(run, batch, &fact);
    }
    run->look = true;
}

void facts_exec(struct run *run, uint16_t slot) {
    struct slot *s = &run->jobs.v[slot];
    enum spawn_news news = s->error_fd < 0 ? SPAWN_NO_NEWS : spawn_read(s->error_fd, &s->error);
    if (news == SPAWN_NO_NEWS)
        return;
    watch_remove(run->watch, s->error_fd);
    fd_close(&s->error_fd);
    if (news == SPAWN_FAILED) {
        s->failed = true; /* told when it has been reaped */
        return;
    }
    s->complained = false;
    if (s->state == SLOT_STARTING)
        s->state = SLOT_RUNS;
    step(run, &(struct event){.kind = EV_SPAWNED, .job = {slot, s->gen}});
}

/* A process that has ended says on its error pipe what had become of its exec. */
static void tell_end(struct run *run, const struct ended *ended) {
    struct slot *slot = jobs_slot(&run->jobs, ended->id);
    if (slot != NULL && !ended->stopped)
        facts_exec(run, ended->id.job);
    slot = jobs_slot(&run->jobs, ended->id);
    if (slot == NULL)
        return;
    struct event event = {.kind = EV_LEADER, .job = ended->id, .value = ended->value};
    if (ended->stopped)
        event.kind = EV_STOPPED;
    else if (slot->failed)
        event = (struct event){.kind = EV_SPAWN_FAILED, .job = ended->id, .value = failure_code(run, &slot->error)};
    if (event.kind == EV_LEADER)
        why_ended(run, ended->id.job, ended->value);
    if (!ended->stopped)
        kept_ended(run, ended->id.job, event.value);
    step(run, &event);
}

static void look_at_groups(struct run *run) {
    for (uint16_t i = 0; i < run->jobs.n && run->jobs.n_left > 0 && !run->exited; i++)
        if (run->jobs.v[i].state == SLOT_LEFT && jobs_gone(&run->jobs, i))
            step(run, &(struct event){.kind = EV_GONE, .job = {i, run->jobs.v[i].gen}});
}

/* A member that another process reaps, or that becomes our child, gives us no SIGCHLD. */
static bool look_again(const struct run *run) { return run->jobs.n_left > 0 || run->sweep_killed; }

static bool was_killed(struct run *run, const struct ended *ended) {
    const struct slot *slot = jobs_slot(&run->jobs, ended->id);
    return slot != NULL && slot->killed;
}

static void tell_ends(struct run *run, struct batch *batch, bool all) {
    for (unsigned i = 0; i < batch->n && !run->exited; i++) {
        struct ended *ended = &batch->v[i];
        if (ended->told || (!all && !was_killed(run, ended)))
            continue;
        ended->told = true;
        tell_end(run, ended);
    }
}

/* That nothing is left comes before the last end, which then waits for nobody; but behind the end of what got KILL:
 * lastcall may be waiting for nothing else, and would exit without knowing how that ended. What such an end has begun is
 * a child again. */
static void tell_batch(struct run *run, struct batch *batch) {
    tell_ends(run, batch, false);
    if (batch->empty && !run->exited && !jobs_expected(&run->jobs))
        step(run, &(struct event){.kind = EV_EMPTY});
    tell_ends(run, batch, true);
    if (batch->orphans > 0 && !run->exited)
        step(run, &(struct event){.kind = EV_ORPHAN, .value = (int32_t)batch->orphans});
}

/* Off PID 1 each reaping may have made grandchildren our children, so KILL goes another round. */
static void look_around(struct run *run, const struct batch *batch) {
    look_at_groups(run);
    if (run->sweep_killed && !batch->empty && !run->exited)
        sweep_kill(run->model->policy.pid1, run->jobs.tree.walk, TREE_WALK);
    run->next_look = NEVER;
}

/* The kernel looks at one child after the other until it finds one that has ended, and at every member
 * of a group: with many of them each look is long. In a storm looking in vain may take a tenth of the time and
 * no more, so that what has ended meanwhile is taken in handfuls, and costs the same however many there are. */
static void rest(struct run *run, const struct batch *batch, span took) {
    span nine = {took.ns * 9};
    bool is_long = !run->look && batch->orphans > 0 && took.ns / (batch->orphans + 1) >= LONG_LOOK_NS;
    run->rest = is_long ? after(clock_now(), shorter(nine, MS(MOST_REST_MS))) : run->now;
}

/* Reaps until there is nothing, then looks at groups: a group of zombies still exists. */
void facts_reap(struct run *run) {
    struct batch batch = {.n = 0};
    run->rested = false;
    instant begun = clock_now();
    fill(run, &batch);
    span took = until(begun, clock_now());
    tell_batch(run, &batch);
    if (!run->look || due(run->next_look, run->now)) {
        begun = clock_now();
        look_around(run, &batch);
        took = plus(took, until(begun, clock_now()));
    }
    if (is_never(run->next_look) && (batch.failed || look_again(run)))
        run->next_look = after(run->now, MS(LOOK_AGAIN_MS));
    rest(run, &batch, took);
}

NEARBY void facts_reap_when_due(struct run *run) {
    instant at = run->look ? run->rest : run->next_look;
    if (due(at, run->now) && !run->exited)
        facts_reap(run);
}

/* ---- descriptors ---- */

/* While reaping rests, another child that ends is no news. */
static void listen_for_children(struct run *run, bool on) {
    if (on == run->quiet && sigmask_descriptor(run->signals, on ? ALL_SIGNALS : ALL_BUT_CHILDREN) >= 0)
        run->quiet = !on;
}

void facts_watched(struct run *run, span most) {
    uint64_t tags[TAG_BATCH];
    listen_for_children(run, !run->look || most.ns == 0);
    unsigned n = watch_wait(run->watch, most, tags, TAG_BATCH);
    run->now = clock_now();
    read_signals(run); /* first, whatever else there is */
    if (run->look)
        facts_reap_when_due(run);
    for (unsigned i = 0; i < n && !run->exited; i++) {
        uint32_t slot = (uint32_t)tags[i] & 0xffff, gen = (uint32_t)(tags[i] >> 16) & 0xffff;
        if (tags[i] == TAG_MESSAGES)
            helper_read(run);
        else if (tags[i] != TAG_SIGNALS && run->jobs.v[slot].gen == gen)
            facts_exec(run, (uint16_t)slot);
    }
}

void facts_searched(struct run *run, span most) {
    struct signal_taken taken;
    watch_nothing(shorter(most, MS(LOOK_AGAIN_MS)));
    run->now = clock_now();
    if (run->signals < 0)
        run->signals = fd_above_standard(sigmask_descriptor(-1, ALL_SIGNALS));
    for (int i = 0; i < SIGNAL_BATCH && !run->exited && sigmask_wait(ALL_SIGNALS, NO_TIME, &taken); i++)
        facts_signal(run, &taken);
    read_signals(run);
    helper_read(run);
    for (uint16_t i = 0; i < run->jobs.n && !run->exited; i++)
        facts_exec(run, i);
    run->look = true;
}
