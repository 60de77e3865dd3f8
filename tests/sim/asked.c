/* asked.c: what must follow from a signal, a request, an end; and what a person must be told of it. */
#include "sim.h"

static const struct policy *policy(void) { return &scene.model.policy; }
static bool is_free(uint16_t slot) { return sim.procs[slot].state == P_NONE; }
static bool is_there(uint16_t slot) { return sim.procs[slot].state != P_NONE && !sim.procs[slot].told_end; }
static bool is_notice(int32_t signal) { return signal == K_TERM || signal == K_INT || signal == K_QUIT; }
static uint16_t main_unit(void) { return scene.model.main == NONE ? (uint16_t)NONE : scene.services[scene.model.main].first_unit; }

static bool was_said(uint8_t note, uint16_t subject, int32_t extra) {
    const struct said *it = &sim.said[note];
    return it->n == 1 && it->subject == subject && it->extra == extra;
}

/* Did the signal go to that unit, and to all that shall have it? */
static bool was_sent(uint16_t unit, int32_t signal, bool to_leader) {
    for (uint32_t i = 0; i < sim.out.n; i++) {
        const struct action *it = &sim.out.v[i];
        if (it->kind == A_SIGNAL && it->job.job == unit && it->signal == signal && it->value == (to_leader ? TO_LEADER : TO_GROUP))
            return true;
    }
    return false;
}

static const struct service *service_of(uint16_t unit) { return &scene.services[scene.units[unit].service]; }

/* Who was the first is the cause. */
static void rules_cause(uint8_t cause) {
    if (sim.goal == GO_RUN && !sim.undoing && sim.said[NOTE_RESUMED].n == 0 && sim.core.walk.cause != cause)
        fail("the cause is %u, not %u", sim.core.walk.cause, cause);
}

/* ---- signals ---- */

static void rules_forward(uint8_t signal) {
    uint16_t unit = main_unit();
    if (unit != NONE && is_there(unit) && sim.procs[unit].born.ns == sim.now.ns) {
        return; /* perhaps after the signal came */
    } else if (unit != NONE && is_there(unit)) {
        if (!was_sent(unit, signal, service_of(unit)->kill_main))
            fail("signal %u is not forwarded", signal);
    } else if (!policy()->single && !was_said(NOTE_IGNORED, NONE, signal)) {
        fail("signal %u is nobody's, and nobody is told", signal);
    }
}

static void rules_stop_signal(int32_t signal) {
    if (sim.goal != GO_EXIT) {
        if (sim.core.walk.goal != GO_EXIT || sim.said[NOTE_STOP_BEGAN].n == 0)
            fail("a stop signal, and no stop");
        if (is_never(sim.clock) && (sim.core.walk.cause != BY_SIGNAL || sim.core.walk.cause_value != signal))
            fail("stopped by signal %d, and the cause is another", signal);
        sim.ints = 0;
    } else if (signal != K_INT) {
        if (!was_said(NOTE_ALREADY, NONE, signal))
            fail("one more signal %d, and nobody is told", signal);
    } else {
        bool last = ++sim.ints > 1;
        if (!was_said(last ? NOTE_KILL_ALL : NOTE_HURRY, NONE, K_INT))
            fail("INT for the %s time, and nothing follows", last ? "third" : "second");
        sim.kill_all |= last;
    }
}

static void rules_reload(void) {
    for (uint16_t unit = 0; unit < scene.model.n_units && sim.goal != GO_EXIT; unit++) {
        const struct service *service = service_of(unit);
        bool aux_free = is_free(core_job_of_aux(&sim.core, unit));
        if (!is_there(unit) || sim.procs[unit].born.ns == sim.now.ns)
            continue;
        if (service->has_reload_command ? aux_free : service->reload_signal && aux_free && !was_sent(unit, service->reload_signal, true))
            fail("unit %u is not told to reload", unit);
    }
}

/* A lone command: all is forwarded; a notice that is timed begins the stop. */
static void rules_single(int32_t signal) {
    uint8_t to = policy()->signals[signal].to;
    bool timed = !is_forever(policy()->grace) || policy()->announce_min.ns > 0;
    if (!is_notice(signal) || !timed) {
        if (signal == K_TERM && policy()->stop_signal)
            to = policy()->stop_signal;
        if (is_there(0) && to && !was_sent(0, to, service_of(0)->kill_main))
            fail("signal %d is not forwarded", signal);
    } else if (sim.core.walk.goal != GO_EXIT && to) {
        fail("a stop signal, and no stop");
    }
}

static void rules_signalled(const struct event *event) {
    const struct signal_rule *rule = &policy()->signals[event->value];
    bool kernel = event->flags & SIG_FROM_KERNEL;
    if (policy()->single) {
        rules_single(event->value);
        return;
    }
    switch ((enum signal_meaning)rule->meaning) {
    case SIGNAL_FORWARD:
        if (kernel && event->value == 1) /* a terminal that hangs up */
            rules_stop_signal(1);
        else
            rules_forward(rule->to);
        break;
    case SIGNAL_STOP:
        if (kernel && event->value == 28) /* a terminal's size */
            rules_forward(28);
        else
            rules_stop_signal(event->value);
        break;
    case SIGNAL_HURRY:
        if (sim.core.walk.goal != GO_EXIT)
            fail("a hurry, and no stop");
        rules_cause(BY_SIGNAL);
        break;
    case SIGNAL_RELOAD: rules_reload(); break;
    case SIGNAL_CHECKPOINT: case SIGNAL_IGNORE: break;
    }
}

/* ---- requests ---- */

static void rules_drain_asked(const struct event *event) {
    const struct walk *walk = &sim.core.walk;
    bool prestop = event->verb == ASK_PRESTOP;
    if ((prestop && event->value < 0) || sim.said[NOTE_PRESTOP_LAPSED].n > 0)
        return;
    if (walk->goal == GO_RUN)
        fail("a drain is asked for, and none begins");
    if (!prestop && sim.goal == GO_DRAIN && sim.said[NOTE_STOP_BEGAN].n > 0)
        fail("a drain begins, and is under way");
    rules_cause(prestop ? BY_PRESTOP : BY_DRAIN);
    if (prestop && is_never(walk->clock))
        fail("a prestop without a clock");
    if (prestop && walk->goal == GO_DRAIN && is_never(sim.clock) && walk->clock.ns != ago(sim.now, MS(event->value)).ns)
        fail("the clock of a prestop began at another time");
}

static void rules_signal_asked(const struct event *event) {
    const struct service *service = &scene.services[event->subject];
    for (uint16_t u = service->first_unit; u < service->first_unit + service->n_units && sim.answer == REPLY_OK; u++)
        if (is_there(u) && sim.procs[u].born.ns != sim.now.ns && !was_sent(u, event->value, service->kill_main))
            fail("unit %u is not sent signal %d", u, event->value);
}

static void rules_request(const struct event *event) {
    switch ((enum ask)event->verb) {
    case ASK_DRAIN: case ASK_PRESTOP: rules_drain_asked(event); break;
    case ASK_RESUME:
        if (sim.core.walk.goal == GO_DRAIN)
            fail("a resume, and the drain goes on");
        break;
    case ASK_STOP: case ASK_HURRY:
        if (sim.core.walk.goal != GO_EXIT)
            fail("a stop is asked for, and none begins");
        rules_cause(BY_SHUTDOWN);
        break;
    case ASK_SIGNAL_UNIT: rules_signal_asked(event); break;
    case ASK_START_UNIT: case ASK_STOP_UNIT: case ASK_RESTART_UNIT: case ASK_RELOAD_UNIT: case ASK_CHECKPOINT: case ASK_N: break;
    }
}

static void rules_asked(const struct event *event) {
    const struct page_reply *reply = &sim.core.replies[(sim.core.next_reply + MAX_REPLIES - 1) % MAX_REPLIES];
    rules_request(event);
    if (event->client == 0)
        return;
    if (reply->client != event->client || sim.core.next_reply == sim.next_reply)
        fail("client %u gets no answer", event->client);
    if (reply->code != sim.answer)
        fail("client %u gets the answer %u, not %u", event->client, reply->code, sim.answer);
}

/* ---- ends ---- */

/* The end of a service that is not started again is told, but for one that a stop has ended. */
static void rules_end_said(uint16_t unit) {
    const struct unit *u = &sim.core.units[unit];
    bool again = u->next == NEXT_AGAIN || u->next == NEXT_BACKOFF;
    bool expected = sim.goal != GO_EXIT && !again && !policy()->single;
    uint8_t note = u->next == NEXT_FAILED ? NOTE_FAILED : NOTE_ENDED;
    if (expected && !was_said(note, unit, u->exit))
        fail("unit %u has ended for good, and nobody is told", unit);
    if (!expected && sim.said[NOTE_FAILED].n + sim.said[NOTE_ENDED].n > 0)
        fail("unit %u has ended, and too much is told", unit);
}

static void rules_ended(const struct event *event) {
    const struct proc *proc = &sim.procs[event->job.job];
    uint16_t owner = proc->owner, checkpoint = scene.steps[proc->what == CMD_RUN ? 0 : owner % MOST_STEPS_].checkpoint;
    if (event->kind == EV_SPAWN_FAILED && !was_said(NOTE_SPAWN_FAILED, event->job.job, event->value))
        fail("slot %u could not be started, and nobody is told", event->job.job);
    if (sim.ended == CMD_RUN && proc->state == P_LEFT && proc->gen == event->job.gen && !proc->tail_told && is_never(proc->killed_at) && !policy()->single)
        fail("what unit %u leaves behind is not told", owner);
    if (sim.ended == CMD_RUN) {
        rules_end_said(event->job.job);
        rules_unit_ended(event->job.job);
    }
    if (sim.ended == CMD_RESTORE && !was_said(NOTE_RESTORED, checkpoint, event->value))
        fail("checkpoint %u has been restored, and nobody is told", checkpoint);
    if (sim.ended == CMD_SAVE && sim.core.savers[checkpoint].why != WHY_STOP && !was_said(NOTE_SAVED, checkpoint, event->value))
        fail("checkpoint %u has been saved, and nobody is told", checkpoint);
}

/* ---- after the step, before its state becomes the one that was ---- */

void rules_follow(const struct event *event) {
    if (event->kind == EV_SIGNAL && event->value >= 1 && event->value <= SIGNAL_MAX)
        rules_signalled(event);
    else if (event->kind == EV_ASK)
        rules_asked(event);
    else if (sim.ended != CMD_N)
        rules_ended(event);
    if (sim.undoing && !sim.core.walk.undoing && sim.core.walk.goal != GO_RUN && sim.said[NOTE_RESUMED].n == 0)
        rules_undo_cut();
    sim.next_reply = sim.core.next_reply;
    sim.undoing = sim.core.walk.undoing;
}
