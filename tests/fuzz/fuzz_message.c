/* Any bytes as what the helper says, to a system and with doors as the first two bytes say: what is heard is in range,
 * what is not changes nothing, and the machine stays sane.
 * For: src/core/hear.c */
#include "fuzz.h"
#include "small.h"

enum { ANSWERS_MS = 300, ROOM = 4096 };

static void in_range(const struct model *model, struct doors doors, const struct message *message, const struct event *event) {
    switch ((enum event_kind)event->kind) {
    case EV_CHECK:
        MUST(event->subject < model->n_checks && model->checks[event->subject].kind == CHECK_TCP);
        MUST(event->value == 0 || event->value == 1);
        break;
    case EV_ASK:
        MUST(doors.control || (doors.prestop && event->verb == ASK_PRESTOP));
        MUST(event->client != 0 && event->verb < ASK_N);
        MUST(event->verb < ASK_START_UNIT || event->verb > ASK_SIGNAL_UNIT || event->subject < model->n_services);
        MUST(event->verb != ASK_SIGNAL_UNIT || (event->value >= 1 && event->value <= SIGNAL_MAX));
        MUST(event->verb != ASK_PRESTOP || event->value >= 0);
        break;
    case EV_EXTEND: MUST(event->subject < model->n_units && event->more.ns > 0); break;
    case EV_PULSE: break;
    case EV_LIFE: MUST(event->client != 0); break;
    default: abort();
    }
    MUST(message->zero == 0);
}

/* The leader of what was asked for is up at once. */
static void spawn_all(struct core *core, struct actions *out, instant now) {
    for (uint16_t slot = 0; slot < core->n_jobs; slot++) {
        struct event up = {.kind = EV_SPAWNED, .job = {slot, core->jobs[slot].gen}};
        if (core->jobs[slot].state == J_ASKED)
            core_step(core, &up, now, out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static _Alignas(8) char memory[65536];
    static struct action list[ROOM];
    struct actions out = {.v = list};
    struct model model;
    struct core core;
    uint32_t number = 0;
    instant now = {NS_PER_S};
    if (size < 2)
        return 0;
    make_model(&model, data[0]);
    struct doors doors = {.control = data[1] & 1, .prestop = data[1] & 2};
    out.room = core_actions_max(&model);
    MUST(out.room <= ROOM && core_layout(&core, &model, memory, sizeof memory));
    core_start(&core, now, &out);
    for (size_t at = 2; at < size && !core.exited; at += sizeof(struct message)) {
        size_t bytes = size - at < sizeof(struct message) ? size - at : sizeof(struct message);
        struct message message = {0};
        struct event event;
        uint32_t before_it = number;
        memcpy(&message, data + at, bytes);
        if (data[1] & 4)
            message.number = number + 1; /* as an honest one counts */
        bool heard = core_hear(&model, doors, &number, &message, bytes, &event);
        MUST(number >= before_it && (!heard || number == before_it + 1));
        if (!heard)
            continue;
        in_range(&model, doors, &message, &event);
        now = after(now, MS(ANSWERS_MS));
        core_step(&core, &event, now, &out);
        spawn_all(&core, &out, now);
        MUST(out.n < out.room && (core.exited || before(now, core_next(&core))));
    }
    return 0;
}
