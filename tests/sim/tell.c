/* tell.c: a run as a person reads it. */
#include "sim.h"

static const char *const event_names[] = {
    "tick", "spawned", "spawn-failed", "leader", "gone", "stopped", "check", "signal", "orphan", "empty", "extend",
    "pulse", "life", "ask",
};
_Static_assert(sizeof event_names / sizeof *event_names == EV_N, "a name for every event");
static const char *const action_names[] = {
    "nothing", "publish", "spawn", "signal", "watch-tree", "kill", "forget", "sweep", "sweep-kill", "note", "exit",
};
_Static_assert(sizeof action_names / sizeof *action_names == A_N, "a name for every action");

void say_event(const struct event *event) {
    printf("%12.6f %s job %u.%u subject %u value %d verb %u gen %u more %lld\n", (double)sim.now.ns / 1e9,
           event_names[event->kind], event->job.job, event->job.gen, event->subject, event->value, event->verb,
           event->gen, (long long)span_ms(event->more));
}

void say_action(const struct action *action) {
    if (action->kind != A_NOTHING)
        printf("                 -> %s job %u.%u signal %u subject %u value %d extra %d\n", action_names[action->kind],
               action->job.job, action->job.gen, action->signal, action->subject, action->value, action->extra);
}
