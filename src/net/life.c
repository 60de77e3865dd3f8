/* /livez: whoever asks waits for a sign of life of PID 1, all for the same one, and for half a second
 * at most. A sign is good for a second, and no more than one question a second is asked, so no crowd
 * of probes can keep PID 1 busy. */
#include "net/state.h"
#include "text/status.h"

enum { GOOD_MS = 1000, PATIENCE_MS = 500 };

static bool alive_now(const struct net *net) {
    return !is_never(net->life.alive) && before(net->now, after(net->life.alive, MS(GOOD_MS)));
}

void life_answer(struct net *net, struct client *client, bool alive) {
    struct out text = body(net);
    status_why(&text, &net->page.view, PROBE_LIVE, alive, client->verbose);
    answer(net, client, status_probe(&net->page.view, PROBE_LIVE, alive) ? 200 : 503, "text/plain", NULL, &text);
}

static void ask(struct net *net) {
    if (!is_never(net->life.asked) && before(net->now, after(net->life.asked, MS(GOOD_MS))))
        return;
    net->life.number = ++net->numbers;
    net->life.asked = net->now;
    net->life.unsent = true;
}

void life_probe(struct net *net, struct client *client) {
    if (alive_now(net) || net->leaving) {
        life_answer(net, client, true);
        return;
    }
    client->wait = WAIT_LIFE;
    client_state(net, client, C_WAITING, after(net->now, MS(PATIENCE_MS)));
    ask(net);
}

static bool anyone(const struct net *net) {
    if (net->open_clients > 0)
        for EACH_CLIENT(net, c)
            if (client_waits(c, WAIT_LIFE))
                return true;
    return false;
}

void life_turn(struct net *net) {
    uint32_t pulse = net->page.view.state->pulse;
    if (pulse != net->life.pulse) {
        net->life.pulse = pulse;
        net->life.alive = net->now;
    }
    if (!anyone(net))
        return;
    if (!alive_now(net) && !net->leaving) {
        ask(net);
        return;
    }
    for EACH_CLIENT(net, c)
        if (client_waits(c, WAIT_LIFE))
            life_answer(net, c, true);
}

void life_overdue(struct net *net, struct client *client) { life_answer(net, client, false); }

/* When the next question may be asked, if somebody waits for one. */
instant life_next(const struct net *net) {
    return anyone(net) && !is_never(net->life.asked) ? after(net->life.asked, MS(GOOD_MS)) : NEVER;
}
