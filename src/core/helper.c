/* core/helper.c: keeps the process that talks alive, and never waits for it.
 *
 * A stopped helper gets CONT; stopped again and again it gets KILL. After each change of the page it
 * owes a sign of life: without one it gets CONT, then KILL. A dead one is started again, later each
 * time. Nothing here runs while nothing changes.
 */
#include "core/parts.h"

enum { PULSE_MS = 2000, LAST_CHANCE_MS = 500, STOPS = 3, CALM_MS = 10000, FIRST_MS = 10, MOST_MS = 5000 };
enum { SIG_CONT = 18 };

static uint16_t slot_of(const struct core *core) { return core_job_of_net(core); }

static void alarm_in(struct core *core, span when) {
    set_alarm(core, alarm_of_misc(core, ALARM_NET), after(core->now, when));
}

void helper_start(struct core *core) {
    core->net.waiting = core->net.warned = false;
    core->net.stops = 0;
    core->net.since = core->now;
    job_start(core, slot_of(core), CMD_NET, 0);
}

void helper_spawned(struct core *core) { core->dirty = true; }

/* It will read the page: say within a while that it has. */
void helper_published(struct core *core) {
    if (core->jobs[slot_of(core)].state == J_UP && is_never(agenda_when(&core->agenda, alarm_of_misc(core, ALARM_NET))))
        alarm_in(core, MS(PULSE_MS));
}

void helper_pulse(struct core *core) {
    core->net.warned = false;
    if (!core->net.waiting)
        set_alarm(core, alarm_of_misc(core, ALARM_NET), NEVER);
}

void helper_stopped(struct core *core) {
    struct helper *net = &core->net;
    if (before(after(net->stopped, MS(PULSE_MS)), core->now))
        net->stops = 0;
    net->stopped = core->now;
    if (++net->stops >= STOPS)
        job_kill(core, slot_of(core));
    else
        job_signal(core, slot_of(core), SIG_CONT, TO_LEADER);
}

void helper_ended(struct core *core) {
    struct helper *net = &core->net;
    span delay = MS(FIRST_MS);
    if (core->sweeping)
        return;
    if (!before(core->now, after(net->since, MS(CALM_MS))))
        net->burst = 0;
    for (uint8_t i = 0; i < net->burst; i++)
        delay = shorter(plus(delay, delay), MS(MOST_MS));
    if (net->burst < 16)
        net->burst++;
    net->waiting = true;
    note(core, NOTE_NET_RESTART, NONE, (int32_t)span_ms(delay));
    alarm_in(core, delay);
}

void helper_due(struct core *core) {
    struct helper *net = &core->net;
    if (core->sweeping)
        return;
    if (net->waiting) {
        helper_start(core);
    } else if (!net->warned) {
        net->warned = true;
        job_signal(core, slot_of(core), SIG_CONT, TO_LEADER);
        alarm_in(core, MS(LAST_CHANCE_MS));
    } else {
        job_kill(core, slot_of(core));
    }
}
