/* Messages to PID 1. There is no queue: what is owed stands where it belongs (a client's ask, a check's
 * verdict) until it has gone out, so a slow PID 1 costs no memory and only the newest word is told. */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "net/state.h"

/* false: not now. A PID 1 that has gone shows at the doorbell. */
static bool send_message(struct net *net, struct message message) {
    message.number = net->sent + 1;
    if (send(NET_MESSAGES, &message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof message) {
        net->sent++;
        return true;
    }
    net->blocked = true;
    rewatch(net, NET_MESSAGES, EPOLLOUT, source_key(FROM_MESSAGES, 0, 0));
    return false;
}

static bool post_signs(struct net *net) {
    if (net->pulse) {
        int32_t seen = (int32_t)(net->page.view.generation & INT32_MAX);
        if (!send_message(net, (struct message){.kind = MSG_PULSE, .client = 1, .value = seen}))
            return false;
        net->pulse = false;
    }
    if (net->life.unsent) {
        if (!send_message(net, (struct message){.kind = MSG_LIFE, .client = net->life.number}))
            return false;
        net->life.unsent = false;
    }
    return true;
}

static bool post_asks(struct net *net) {
    for EACH_CLIENT(net, c) {
        struct message ask = {
            .kind = MSG_ASK, .client = c->number, .verb = c->verb, .subject = c->subject, .value = c->value,
        };
        if (!client_waits(c, WAIT_REPLY) || !c->unsent)
            continue;
        if (!send_message(net, ask))
            return false;
        c->unsent = false;
    }
    return true;
}

static bool post_checks(struct net *net) {
    for (uint16_t i = 0; i < net->page.view.head->n_checks; i++) {
        struct check_run *run = &net->checks[i];
        struct message more = {.kind = MSG_EXTEND, .client = 1, .subject = net->page.view.checks[i].unit,
                               .value = run->extend_ms};
        struct message turn = {.kind = MSG_CHECK, .client = 1, .subject = i, .value = run->streak.passing,
                               .gen = run->gen};
        if (run->tell && !send_message(net, turn))
            return false;
        run->tell = false;
        if (run->extend && !send_message(net, more))
            return false;
        run->extend = false;
    }
    return true;
}

void post(struct net *net) {
    if (net->blocked || !(net->to_post || net->pulse || net->life.unsent))
        return;
    if (post_signs(net) && post_asks(net) && post_checks(net))
        net->to_post = false;
}

void post_writable(struct net *net) {
    net->blocked = false;
    rewatch(net, NET_MESSAGES, 0, source_key(FROM_MESSAGES, 0, 0));
}
