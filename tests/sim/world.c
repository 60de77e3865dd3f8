/* world.c: processes on a virtual clock. They end by themselves, obey, ignore, leave children behind,
 * hang before exec; what has ended is reaped in batches, as the loop of PID 1 does it. */
#include "sim.h"

static bool sooner(const struct item *a, const struct item *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct item item) {
    uint32_t i = sim.n_items++;
    if (sim.n_items > MOST_ITEMS) {
        sim.n_items--;
        fail("the world is too full");
        return;
    }
    while (i > 0 && sooner(&item, &sim.items[(i - 1) / 2])) {
        sim.items[i] = sim.items[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    sim.items[i] = item;
}

static struct item pop(void) {
    struct item top = sim.items[0], last = sim.items[--sim.n_items];
    uint32_t i = 0;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= sim.n_items)
            break;
        if (child + 1 < sim.n_items && sooner(&sim.items[child + 1], &sim.items[child]))
            child++;
        if (!sooner(&sim.items[child], &last))
            break;
        sim.items[i] = sim.items[child];
        i = child;
    }
    sim.items[i] = last;
    return top;
}

/* What the helper says comes last of an instant, so that it does when it is read, too. */
void world_item(span in, uint8_t kind, uint16_t slot, uint32_t plan) {
    instant at = after(sim.now, in);
    bool last = kind == I_CHECK || (kind == I_OUTSIDE && sim.source == READ && scene.events[plan].event.kind == EV_CHECK);
    if (!is_never(at))
        push((struct item){at.ns, sim.order++ | (last ? UINT32_C(1) << 31 : 0), plan, slot, sim.procs[slot].gen, kind});
}

bool world_next(instant *at) {
    if (sim.n_items == 0)
        return false;
    *at = (instant){sim.items[0].at};
    return true;
}

/* ---- facts: in two piles, so that a batch can be told in either order ---- */

static struct event others[MOST_FACTS], ends[MOST_FACTS], gones[MOST_FACTS];
static uint32_t n_others, n_ends, n_gones, n_orphans;
static bool swept; /* by KILL, which goes another round for whoever comes later */

static void pile(struct event *facts, uint32_t *n, struct event event) {
    if (*n < MOST_FACTS)
        facts[(*n)++] = event;
}

void world_fact(struct event event) { pile(others, &n_others, event); }

static struct job_id id_of(uint16_t slot) { return (struct job_id){slot, sim.procs[slot].gen}; }

/* ---- processes ---- */

static void plan_end(uint16_t slot, span in, int exit) {
    struct proc *proc = &sim.procs[slot];
    proc->exit = exit;
    world_item(in, I_END, slot, ++proc->plan);
}

static void end_tail(uint16_t slot, span in) {
    if (sim.procs[slot].tail)
        world_item(in, I_TAIL_END, slot, 0);
}

static void spawn(const struct action *action) {
    struct proc *proc = &sim.procs[action->job.job];
    uint32_t plan = proc->plan + 1;
    *proc = (struct proc){.state = P_FORKED, .what = (uint8_t)action->value, .owner = action->subject,
                          .gen = action->job.gen, .plan = plan, .born = sim.now, .killed_at = NEVER};
    fate_of(&proc->fate, proc->what, proc->owner);
    sim.worst += proc->fate.worst != M_ANY;
    sim.alive++;
    world_item(proc->fate.exec, I_EXEC, action->job.job, plan);
}

/* A signal that ends processes by default reaches the leader. */
static void leader_hears(uint16_t slot, uint8_t signal) {
    static const uint8_t codes[] = {[OBEYS_DYING] = 0, [OBEYS_WELL] = 0, [OBEYS_CODE] = 128};
    struct proc *proc = &sim.procs[slot];
    const struct fate *fate = &proc->fate;
    if (proc->state == P_FORKED) {
        proc->pending = signal;
        return;
    }
    if (fate->deaf || proc->zombie || proc->was_killed)
        return;
    plan_end(slot, fate->slow, fate->obeys == OBEYS_WELL ? 0 : codes[fate->obeys] ? 128 + signal : -signal);
}

static void kill_proc(uint16_t slot) {
    struct proc *proc = &sim.procs[slot];
    if (proc->state == P_NONE || proc->fate.undying)
        return;
    if ((proc->state == P_FORKED || proc->state == P_UP) && !proc->zombie) {
        proc->was_killed = true;
        plan_end(slot, proc->fate.dies, -K_KILL);
    }
    end_tail(slot, proc->fate.dies);
}

/* ---- the worst moments ---- */

/* All that have waited for it die now. */
static void moment(uint8_t which) {
    for (uint16_t slot = 0; sim.worst > 0 && slot < sim.core.n_jobs; slot++) {
        struct proc *proc = &sim.procs[slot];
        if (proc->fate.worst == which && proc->state == P_UP && !proc->zombie && !proc->was_killed)
            plan_end(slot, NO_TIME, proc->fate.exit);
    }
}

/* In the very instant in which KILL comes. */
static void meet_deadline(uint16_t slot) {
    const struct proc *proc = &sim.procs[slot];
    instant kill = sim.core.jobs[slot].kill_at;
    if (proc->fate.worst == M_DEADLINE && proc->state == P_UP && !proc->zombie && !is_never(kill))
        plan_end(slot, until(sim.now, kill), proc->fate.exit);
}

static void take_note(const struct action *action) {
    switch (action->value) {
    case NOTE_STOP_BEGAN: moment(M_NOTICE); break;
    case NOTE_RESUMED: moment(M_RESUME); break;
    case NOTE_ROW:
        if (action->extra == S_ACT || action->extra == S_GATE)
            moment(M_STAGE);
        break;
    }
}

static void hear(uint16_t slot, uint8_t signal, uint8_t whom) {
    struct proc *proc = &sim.procs[slot];
    bool ends_by_it = signal == K_TERM || signal == K_QUIT || signal == K_INT;
    if (signal == K_KILL)
        kill_proc(slot);
    if (signal == K_CONT && proc->stopped) {
        proc->stopped = false;
        world_item(NO_TIME, I_PULSE, slot, 0);
    }
    if (!ends_by_it || proc->state == P_NONE)
        return;
    if (whom != TO_STRAYS && proc->state != P_LEFT)
        leader_hears(slot, signal);
    if (whom != TO_LEADER && !proc->fate.tail_deaf)
        end_tail(slot, NO_TIME);
    meet_deadline(slot);
}

static void exec_done(uint16_t slot) {
    struct proc *proc = &sim.procs[slot];
    const struct fate *fate = &proc->fate;
    if (fate->fails) {
        proc->zombie = true;
        sim.alive--;
        sim.last_end = sim.now;
        sim.reaped = true;
        pile(ends, &n_ends, (struct event){.kind = EV_SPAWN_FAILED, .job = id_of(slot), .value = fate->exit});
        return;
    }
    proc->state = P_UP;
    pile(others, &n_others, (struct event){.kind = EV_SPAWNED, .job = id_of(slot)});
    proc->tail = fate->tail;
    sim.alive += proc->tail;
    if (!is_forever(fate->life))
        plan_end(slot, fate->life, fate->exit);
    if (proc->pending)
        leader_hears(slot, proc->pending);
    world_item(fate->stops, I_STOPPED, slot, 0);
}

static void leave_strays(uint8_t n, uint8_t deaf, span life) {
    if (n + deaf == 0)
        return;
    sim.alive += n + deaf;
    sim.strays += n;
    sim.deaf_strays += deaf;
    world_item(life, I_STRAY_END, 2, 0);
    if (swept)
        world_item(NO_TIME, I_STRAY_END, 1, 0);
}

static void leader_ends(uint16_t slot) {
    struct proc *proc = &sim.procs[slot];
    const struct fate *fate = &proc->fate;
    proc->zombie = true;
    sim.alive--;
    sim.last_end = sim.now;
    sim.reaped = true;
    leave_strays(fate->strays, fate->deaf_strays, fate->stray_life);
    end_tail(slot, fate->tail_life);
    pile(ends, &n_ends, (struct event){.kind = EV_LEADER, .job = id_of(slot), .value = proc->exit});
    if (proc->what == CMD_RUN && !proc->tail)
        pile(gones, &n_gones, (struct event){.kind = EV_GONE, .job = id_of(slot)});
    proc->state = P_LEFT;
    moment(M_TURN);
    if (proc->what == CMD_STOP && sim.procs[proc->owner].state == P_UP && !sim.procs[proc->owner].fate.deaf)
        leader_hears(proc->owner, K_TERM);
}

static void tail_ends(uint16_t slot) {
    struct proc *proc = &sim.procs[slot];
    proc->tail = false;
    sim.alive--;
    sim.last_end = sim.now;
    if (proc->state != P_LEFT)
        return;
    sim.reaped = true;
    n_orphans++;
    if (proc->what == CMD_RUN)
        pile(gones, &n_gones, (struct event){.kind = EV_GONE, .job = id_of(slot)});
}

static void strays_end(uint16_t which) {
    uint32_t n = which == 0 ? sim.strays : which == 1 ? sim.strays + sim.deaf_strays : sim.strays > 0;
    sim.strays = which == 2 ? sim.strays - n : 0;
    sim.deaf_strays = which == 1 ? 0 : sim.deaf_strays;
    sim.alive -= n;
    n_orphans += n;
    sim.reaped |= n > 0;
    sim.last_end = n > 0 ? sim.now : sim.last_end;
}

/* ---- what the core asks for ---- */

static void sweep(bool kill) {
    uint16_t n = core_jobs(&scene.model), net = core_job_of_net(&sim.core);
    swept = kill;
    for (uint16_t slot = 0; slot < n; slot++) {
        struct proc *proc = &sim.procs[slot];
        if (kill)
            kill_proc(slot);
        else if (slot != net)
            hear(slot, K_TERM, TO_TREE);
        else if (proc->state == P_UP && !proc->zombie && !proc->fate.deaf && !proc->stopped)
            plan_end(slot, proc->fate.slow, 0);
        else if (proc->state == P_FORKED)
            proc->pending = K_TERM;
    }
    world_item(scene.sweep, I_STRAY_END, kill, 0);
    world_item(NO_TIME, I_SWEPT, 0, 0);
}

static void forget(uint16_t slot) {
    struct proc *proc = &sim.procs[slot];
    if (proc->tail && proc->fate.tail_deaf)
        sim.deaf_strays++;
    else if (proc->tail)
        sim.strays++;
    sim.worst -= proc->fate.worst != M_ANY;
    proc->state = P_NONE;
    proc->tail = false;
}

void world_do(const struct action *action) {
    uint16_t slot = action->job.job;
    switch ((enum action_kind)action->kind) {
    case A_SPAWN: spawn(action); break;
    case A_SIGNAL: hear(slot, action->signal, (uint8_t)action->value); break;
    case A_KILL: kill_proc(slot); break;
    case A_FORGET: forget(slot); break;
    case A_SWEEP: sweep(false); break;
    case A_SWEEP_KILL: sweep(true); break;
    case A_PUBLISH:
        slot = core_job_of_net(&sim.core);
        if (scene.model.policy.net && sim.procs[slot].state == P_UP && !sim.procs[slot].fate.deaf && !sim.procs[slot].stopped)
            world_item(sim.procs[slot].fate.pulse, I_PULSE, slot, 0);
        break;
    case A_NOTE: take_note(action); break;
    case A_NOTHING: case A_WATCH_TREE: case A_EXIT: case A_N: break;
    }
}

/* Somebody outside kills the lone command. */
void world_end_main(void) {
    sim.procs[0].fate.undying = false;
    kill_proc(0);
}

/* ---- time ---- */

static void happen(const struct item *item) {
    struct proc *proc = &sim.procs[item->slot];
    bool same = item->gen == proc->gen;
    switch ((enum item_kind)item->kind) {
    case I_EXEC:
        if (same && proc->state == P_FORKED && !proc->zombie && !proc->was_killed)
            exec_done(item->slot);
        break;
    case I_END:
        if (same && item->plan == proc->plan && !proc->zombie && (proc->state == P_FORKED || proc->state == P_UP))
            leader_ends(item->slot);
        break;
    case I_TAIL_END:
        if (same && proc->tail)
            tail_ends(item->slot);
        break;
    case I_STRAY_END: strays_end(item->slot); break;
    case I_SWEPT: sim.reaped = true; break;
    case I_TURN: break;
    case I_OUTSIDE: world_fact(outside((instant){item->at}, item->plan)); break;
    case I_CHECK: check_answers((instant){item->at}, item->slot); break;
    case I_STOPPED:
        if (same && proc->state == P_UP && !proc->zombie) {
            proc->stopped = true;
            world_fact((struct event){.kind = EV_STOPPED, .job = id_of(item->slot), .value = 19});
        }
        break;
    case I_PULSE:
        if (same && proc->state == P_UP && !proc->zombie && !proc->stopped)
            world_fact((struct event){.kind = EV_PULSE});
        break;
    }
}

static void tell(const struct event *facts, uint32_t n) {
    for (uint32_t i = 0; i < n && sim.n_facts < MOST_FACTS; i++)
        sim.facts[sim.n_facts++] = facts[i];
}

static void tell_ends(bool killed) {
    for (uint32_t i = 0; i < n_ends; i++)
        if (sim.procs[ends[i].job.job].was_killed == killed)
            tell(&ends[i], 1);
}

static void tell_batch(void) {
    tell_ends(true);
    if (sim.reaped && sim.alive == 0)
        tell(&(struct event){.kind = EV_EMPTY}, 1);
    tell_ends(false);
    if (n_orphans)
        tell(&(struct event){.kind = EV_ORPHAN, .value = (int32_t)n_orphans}, 1);
    tell(gones, n_gones);
}

void world_turn(void) {
    bool ends_first;
    n_others = n_ends = n_gones = n_orphans = 0;
    sim.n_facts = 0;
    sim.reaped = false;
    while (sim.n_items > 0 && sim.items[0].at <= sim.now.ns) {
        struct item item = pop();
        happen(&item);
    }
    ends_first = turn_ends_first(n_others > 0 && n_ends + n_gones + n_orphans > 0);
    if (!ends_first)
        tell(others, n_others);
    tell_batch();
    if (ends_first)
        tell(others, n_others);
}

void world_begin(void) {
    sim.now = (instant){0};
    sim.turn.at = NEVER;
    swept = false;
    memset(sim.procs, 0, core_jobs(&scene.model) * sizeof *sim.procs);
    for (uint8_t what = 0; what < CMD_N; what++) /* no owner's number is larger than that of the last slot */
        memset(sim.births[what], 0, core_jobs(&scene.model) * sizeof *sim.births[what]);
    sim.alive = sim.strays = sim.deaf_strays = sim.worst = sim.n_items = sim.order = 0;
    for (uint16_t i = 0; i < scene.model.n_checks && sim.source != READ; i++)
        if (scene.checks[i].kind != CHECK_EXEC && scene.checks[i].kind != CHECK_DELAY)
            world_item(about(SEC(1)), I_CHECK, i, 0);
    leave_strays(scene.strays, 0, FOREVER);
}
