/* core/hear.c: what the helper says, as an event. It is the side that reads what strangers send, so nothing is
 * believed: what is out of order, out of range, or asked at a door that is shut, is no event. */
#include "core/core.h"

enum { MOST_EXTEND_MS = MAX_GRACE_S * 1000 };

/* Those of the core's own it does not answer. */
static bool is_nets(const struct model *model, uint16_t check) {
    uint8_t kind = check < model->n_checks ? model->checks[check].kind : (uint8_t)CHECK_EXEC;
    return kind != CHECK_EXEC && kind != CHECK_DELAY;
}

static bool may_ask(const struct model *model, struct doors doors, const struct message *message) {
    bool service = message->subject < model->n_services, good = false;
    switch ((enum ask)message->verb) {
    case ASK_DRAIN:
    case ASK_RESUME:
    case ASK_STOP:
    case ASK_HURRY: good = doors.control; break;
    case ASK_PRESTOP: good = (doors.control || doors.prestop) && message->value >= 0; break;
    case ASK_START_UNIT:
    case ASK_STOP_UNIT:
    case ASK_RESTART_UNIT:
    case ASK_RELOAD_UNIT: good = doors.control && service; break;
    case ASK_SIGNAL_UNIT: good = doors.control && service && message->value >= 1 && message->value <= SIGNAL_MAX; break;
    case ASK_CHECKPOINT:
        good = doors.control && (message->subject == NONE || message->subject < model->n_checkpoints);
        break;
    case ASK_N: break;
    }
    return good && message->client != 0;
}

static bool to_event(const struct model *model, struct doors doors, const struct message *message,
                     struct event *event) {
    bool good = false;
    *event = (struct event){.verb = message->verb, .subject = message->subject, .value = message->value,
                            .client = message->client, .gen = message->gen};
    switch ((enum message_kind)message->kind) {
    case MSG_CHECK:
        event->kind = EV_CHECK;
        good = is_nets(model, message->subject) && (message->value == 0 || message->value == 1);
        break;
    case MSG_ASK:
        event->kind = EV_ASK;
        good = may_ask(model, doors, message);
        break;
    case MSG_EXTEND:
        event->kind = EV_EXTEND;
        event->more = MS(message->value);
        good = message->subject < model->n_units && message->value > 0 && message->value <= MOST_EXTEND_MS;
        break;
    case MSG_PULSE:
        event->kind = EV_PULSE;
        good = true;
        break;
    case MSG_LIFE:
        event->kind = EV_LIFE;
        good = message->client != 0;
        break;
    case MSG_N: break;
    }
    return good && message->zero == 0;
}

bool core_hear(const struct model *model, struct doors doors, uint32_t *number, const struct message *message,
               size_t bytes, struct event *event) {
    bool newer = bytes == sizeof *message && message->number > *number;
    bool in_order = newer && message->number - *number == 1;
    if (newer)
        *number = message->number;
    return in_order && to_event(model, doors, message, event);
}
