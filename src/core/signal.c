/* core/signal.c: what a signal means, and what a request does.
 *
 * With a file: stop signals start the clock; TERM or QUIT again is nothing new, INT again hurries, one
 * more INT kills. Without one every signal is forwarded and none is counted; where --grace or
 * --announce was given, TERM, INT and QUIT begin a stop that delivers that same signal.
 */
#include "core/parts.h"

enum { SIG_HUP = 1, SIG_INT = 2, SIG_QUIT = 3, SIG_TERM = 15, SIG_WINCH = 28 };
enum { UNANSWERED_MS = 8000 };

static NEARBY uint16_t main_slot(const struct core *core) {
    uint16_t main = core->model->main;
    return main == NONE ? NONE : core_job_of_unit(core, core->model->services[main].first_unit);
}

static NEARBY void forward(struct core *core, uint8_t signal) {
    uint16_t slot = main_slot(core);
    if (slot == NONE || core->jobs[slot].state == J_NONE || core->jobs[slot].state == J_LEFT) {
        if (!core->model->policy.single)
            note(core, NOTE_IGNORED, NONE, signal);
        return;
    }
    job_signal(core, slot, signal, unit_whom(core, core->jobs[slot].owner));
}

static void again(struct core *core, uint8_t signal) {
    struct walk *walk = &core->walk;
    if (signal != SIG_INT) {
        note(core, NOTE_ALREADY, NONE, signal);
        return;
    }
    if (walk->hurries < 2)
        walk->hurries++;
    if (walk->hurries == 1) {
        note(core, NOTE_HURRY, NONE, signal);
        walk_raise_floor(core, PH_SAVE);
    } else {
        note(core, NOTE_KILL_ALL, NONE, signal);
        walk_kill(core);
    }
}

static void stop(struct core *core, uint8_t signal) {
    if (core->walk.goal == GO_EXIT)
        again(core, signal);
    else
        walk_stop(core, BY_SIGNAL, signal);
}

static void hurry(struct core *core, uint8_t cause, uint16_t value) {
    walk_stop(core, cause, value);
    walk_raise_floor(core, PH_SAVE);
}

static bool is_notice(uint8_t signal) { return signal == SIG_TERM || signal == SIG_INT || signal == SIG_QUIT; }

/* A single command: is this the notice that begins a timed stop, or one more while it is held back? */
static bool begins_stop(struct core *core, uint8_t signal, uint8_t delivered) {
    const struct policy *policy = &core->model->policy;
    bool timed = !is_forever(policy->grace) || policy->announce_min.ns > 0;
    if (!is_notice(signal) || !timed)
        return false;
    if (core->walk.goal != GO_EXIT) {
        core->stop_signal = policy->stop_signal ? policy->stop_signal : delivered;
        walk_stop(core, BY_SIGNAL, signal);
        return true;
    }
    if (core_phase(core) != PH_ANNOUNCE)
        return false;
    if (delivered != core->stop_signal)
        core->held |= signal_bit(delivered);
    return true;
}

static NEARBY void single_command(struct core *core, uint8_t signal) {
    const struct policy *policy = &core->model->policy;
    uint8_t to = policy->signals[signal].to;
    if (to == 0 || begins_stop(core, signal, to))
        return;
    if (signal == SIG_TERM && policy->stop_signal)
        to = policy->stop_signal;
    core->told_to_stop |= is_notice(signal);
    if (is_notice(signal) && core->jobs[main_slot(core)].state == J_NONE) {
        walk_stop(core, BY_SIGNAL, signal); /* between two runs: nobody else would hear it */
        return;
    }
    forward(core, to);
    if (signal == SIG_TERM && is_never(agenda_when(&core->agenda, alarm_of_misc(core, ALARM_WAITING))) &&
        core->walk.goal == GO_RUN)
        set_alarm(core, alarm_of_misc(core, ALARM_WAITING), after(core->now, MS(UNANSWERED_MS)));
}

static void reload_all(struct core *core) {
    for (uint16_t i = 0; i < core->model->n_services; i++) {
        struct event event = {.verb = ASK_RELOAD_UNIT, .subject = i};
        if (core->model->services[i].reload_signal || core->model->services[i].has_reload_command)
            errand_ask(core, &event);
    }
}

/* A terminal's window size is main's business; the same signal sent by hand is httpd's stop signal.
 * A terminal that hangs up is a stop; a HUP sent by hand is main's. */
static struct signal_rule rule_of(const struct core *core, const struct event *event) {
    struct signal_rule rule = core->model->policy.signals[event->value];
    if (!(event->flags & SIG_FROM_KERNEL))
        return rule;
    if (event->value == SIG_WINCH && rule.meaning == SIGNAL_STOP)
        return (struct signal_rule){.meaning = SIGNAL_FORWARD, .to = SIG_WINCH};
    if (event->value == SIG_HUP && rule.meaning == SIGNAL_FORWARD && rule.to == SIG_HUP)
        return (struct signal_rule){.meaning = SIGNAL_STOP};
    return rule;
}

NEARBY void signal_event(struct core *core, const struct event *event) {
    struct signal_rule rule;
    uint8_t signal = (uint8_t)event->value;
    if (event->value < 1 || event->value > SIGNAL_MAX)
        return;
    if (core->model->policy.single) {
        single_command(core, signal);
        return;
    }
    rule = rule_of(core, event);
    switch ((enum signal_meaning)rule.meaning) {
    case SIGNAL_FORWARD:
        if (rule.to)
            forward(core, rule.to);
        break;
    case SIGNAL_STOP: stop(core, signal); break;
    case SIGNAL_HURRY: hurry(core, BY_SIGNAL, signal); break;
    case SIGNAL_RELOAD: reload_all(core); break;
    case SIGNAL_CHECKPOINT: checkpoints_ask(core, NONE, WHY_SIGNAL, 0); break;
    case SIGNAL_IGNORE: break;
    }
}

static uint16_t answer(struct core *core, const struct event *event) {
    bool stopping = core->walk.goal == GO_EXIT;
    switch ((enum ask)event->verb) {
    case ASK_DRAIN:
        walk_drain(core, BY_DRAIN, NEVER);
        return stopping ? REPLY_REFUSED : REPLY_STARTED;
    case ASK_RESUME:
        return walk_resume(core) ? REPLY_STARTED : REPLY_REFUSED;
    case ASK_PRESTOP:
        if (event->value < 0)
            return REPLY_BAD;
        walk_drain(core, BY_PRESTOP, ago(core->now, MS(event->value)));
        return REPLY_STARTED;
    case ASK_STOP:
        walk_stop(core, BY_SHUTDOWN, 0);
        return REPLY_STARTED;
    case ASK_HURRY:
        hurry(core, BY_SHUTDOWN, 0);
        return REPLY_STARTED;
    case ASK_CHECKPOINT: return checkpoints_ask(core, event->subject, WHY_REQUEST, event->client);
    case ASK_START_UNIT:
    case ASK_STOP_UNIT:
    case ASK_RESTART_UNIT:
    case ASK_RELOAD_UNIT:
    case ASK_SIGNAL_UNIT:
        return errand_ask(core, event);
    case ASK_N:
        break;
    }
    return REPLY_BAD;
}

void ask_event(struct core *core, const struct event *event) {
    uint16_t code = answer(core, event);
    if (event->client == 0)
        return;
    core->replies[core->next_reply] = (struct page_reply){.client = event->client, .code = code};
    core->next_reply = (uint16_t)((core->next_reply + 1) % MAX_REPLIES);
    core->dirty = true;
}
