/* Requests to PID 1. The client is held until PID 1 has answered in the page, and, where it wants to
 * wait, until the page shows the end of what was begun. A PID 1 that is slow to answer keeps its
 * client, not us. */
#include "net/state.h"

#include "model/names.h"
#include "text/status.h"

enum { REPLY_S = 5, IN_FLIGHT = MAX_REPLIES / 2 };

static enum wait end_of(uint8_t verb) {
    switch ((enum ask)verb) {
    case ASK_DRAIN: case ASK_PRESTOP: return WAIT_DRAINED;
    case ASK_STOP: case ASK_HURRY: return WAIT_VERDICT;
    case ASK_START_UNIT: case ASK_RESTART_UNIT: return WAIT_UP;
    case ASK_STOP_UNIT: return WAIT_DOWN;
    case ASK_RESUME: case ASK_RELOAD_UNIT: case ASK_SIGNAL_UNIT: case ASK_N: return WAIT_NOTHING;
    case ASK_CHECKPOINT: return WAIT_SAVED;
    }
    return WAIT_NOTHING;
}

/* ---- ends ---- */

/* The verdict may still get worse while steps run; it stands once the exit code does. */
static bool verdict_stands(const struct page_state *state) {
    return state->verdict != VERDICT_NONE && (state->exit >= 0 || state->leaving || state->life == LIFE_EXITED);
}

static bool tell_verdict(struct net *net, struct client *client) {
    struct out text = body(net);
    if (!verdict_stands(net->page.view.state))
        return false;
    status_verdict(&text, &net->page.view, net->now);
    answer(net, client, 200, "text/plain", NULL, &text);
    return true;
}

static bool tell_drained(struct net *net, struct client *client) {
    const struct page_state *state = net->page.view.state;
    if (!state->draining && state->life <= LIFE_RUNNING)
        answer_text(net, client, 409, "it was resumed before it was drained");
    else if (status_drained(&net->page.view) || state->life == LIFE_EXITED)
        answer_text(net, client, 200, "drained");
    else
        return false;
    return true;
}

static bool is_up(const struct page_unit_state *unit) {
    return unit->state == U_UP || (unit->state == U_DOWN && unit->ready); /* a oneshot that has done its work */
}

static bool at_rest(const struct page_unit_state *unit) {
    return unit->state == U_DOWN || unit->state == U_FAILED || unit->state == U_WAITING;
}

static void tell_unit(struct net *net, struct client *client, uint16_t unit) {
    const struct page_view *view = &net->page.view;
    const struct page_unit_state *state = &view->unit_states[unit];
    struct out text = body(net);
    out_text(&text, view_text(view, view->units[unit].name));
    out_text(&text, " is ");
    out_text(&text, unit_state_name(state->state));
    if (state->exit != EXIT_UNKNOWN) {
        out_text(&text, state->exit < 0 ? ", its last end: signal " : ", its last exit: ");
        out_int(&text, state->exit < 0 ? -state->exit : state->exit);
    }
    out_char(&text, '\n');
    answer(net, client, 503, "text/plain", NULL, &text);
}

/* One that was told to start and waits does so for its restore, unless a stop came in between. */
static bool is_coming(const struct page_state *state, const struct page_unit_state *unit) {
    return unit->state == U_WAITING ? state->life <= LIFE_RUNNING : !at_rest(unit) && unit->state != U_BACKOFF;
}

/* All units of the service are up; or one of them will not be without more ado. */
static bool tell_up(struct net *net, struct client *client) {
    const struct page_view *view = &net->page.view;
    bool all = true;
    for (uint16_t i = 0; i < view->head->n_units; i++) {
        const struct page_unit_state *unit = &view->unit_states[i];
        if (view->units[i].service != client->subject || is_up(unit))
            continue;
        all = false;
        if (!is_coming(view->state, unit)) {
            tell_unit(net, client, i);
            return true;
        }
    }
    if (all)
        answer_text(net, client, 200, "up");
    return all;
}

static bool tell_down(struct net *net, struct client *client) {
    const struct page_view *view = &net->page.view;
    for (uint16_t i = 0; i < view->head->n_units; i++)
        if (view->units[i].service == client->subject && !at_rest(&view->unit_states[i]))
            return false;
    answer_text(net, client, 200, "down");
    return true;
}

/* None of those that this client has begun is under way any more. */
static bool tell_saved(struct net *net, struct client *client) {
    const struct page_view *view = &net->page.view;
    struct out text = body(net);
    bool well = true;
    for (uint16_t i = 0; i < view->head->n_checkpoints; i++) {
        const struct page_checkpoint_state *state = &view->checkpoint_states[i];
        if (state->client != client->number)
            continue;
        if (state->ended != state->attempts)
            return false;
        well = well && state->exit == 0;
        out_text(&text, view_text(view, view->checkpoints[i].name));
        out_text(&text, state->exit == 0 ? ": taken: " : ": not taken: the log says why");
        out_text(&text, state->exit == 0 ? state->latest : "");
        out_char(&text, '\n');
    }
    if (text.n == 0)
        answer_text(net, client, 503, "the next was begun before the end of this was seen: see the status");
    else
        answer(net, client, well ? 200 : 503, "text/plain", NULL, &text);
    return true;
}

/* Answers if what the client waits for has come. */
static bool try_end(struct net *net, struct client *client) {
    switch ((enum wait)client->wait) {
    case WAIT_DRAINED: return tell_drained(net, client);
    case WAIT_VERDICT: return tell_verdict(net, client);
    case WAIT_UP: return tell_up(net, client);
    case WAIT_DOWN: return tell_down(net, client);
    case WAIT_SAVED: return tell_saved(net, client);
    case WAIT_NOTHING: case WAIT_LIFE: case WAIT_REPLY: break;
    }
    return false;
}

/* ---- replies ---- */

static const char *words_for(uint16_t code) {
    switch (code) {
    case REPLY_OK: return "ok";
    case REPLY_STARTED: return "started";
    case REPLY_REFUSED: return "refused: not in this state";
    case REPLY_BUSY: return "busy: another start, stop, restart or checkpoint is under way";
    case REPLY_FORBIDDEN: return "forbidden: the configuration does not open this";
    default: return "PID 1 did not take this request";
    }
}

static uint16_t reply_to(const struct page_state *state, uint32_t number) {
    for (int i = 0; i < MAX_REPLIES; i++)
        if (state->replies[i].client == number)
            return state->replies[i].code;
    return 0;
}

static void replied(struct net *net, struct client *client, uint16_t code) {
    if (code == REPLY_STARTED && client->patient && end_of(client->verb) != WAIT_NOTHING) {
        client->wait = (uint8_t)end_of(client->verb);
        client_state(net, client, C_WAITING, NEVER);
        try_end(net, client);
    } else {
        bool resumed = code == REPLY_STARTED && client->verb == ASK_RESUME;
        answer_text(net, client, code, resumed ? "resumed" : words_for(code));
    }
}

/* lastcall is on its way out and takes no more requests; some are answered by what has happened. */
static void too_late(struct net *net, struct client *client) {
    if (end_of(client->verb) == WAIT_VERDICT && tell_verdict(net, client))
        return;
    if (end_of(client->verb) == WAIT_DRAINED && tell_drained(net, client))
        return;
    if (client->wait == WAIT_DOWN && tell_down(net, client))
        return;
    answer_text(net, client, 409, "refused: lastcall is exiting");
}

void asks_turn(struct net *net) {
    if (net->open_clients == 0)
        return;
    for EACH_CLIENT(net, c) {
        uint16_t code;
        if (c->state != C_WAITING || c->wait == WAIT_LIFE)
            continue;
        code = c->wait == WAIT_REPLY ? reply_to(net->page.view.state, c->number) : 0;
        if (code != 0)
            replied(net, c, code);
        else if (c->wait != WAIT_REPLY)
            try_end(net, c);
        if (net->leaving && c->state == C_WAITING && c->wait != WAIT_LIFE)
            too_late(net, c);
    }
}

static unsigned in_flight(const struct net *net) {
    unsigned n = 0;
    for EACH_CLIENT(net, c)
        n += client_waits(c, WAIT_REPLY);
    return n;
}

void ask_begin(struct net *net, struct client *client, uint8_t verb, uint16_t subject, int32_t value, bool patient) {
    client->verb = verb;
    client->subject = subject;
    client->value = value;
    client->patient = patient;
    if (net->leaving) {
        too_late(net, client);
        return;
    }
    if (in_flight(net) >= IN_FLIGHT) { /* more would push each other's answers out of the page */
        answer_text(net, client, 503, "too many requests wait for an answer: try again");
        return;
    }
    client->number = ++net->numbers;
    client->unsent = net->to_post = true;
    client->wait = WAIT_REPLY;
    client_state(net, client, C_WAITING, after(net->now, SEC(REPLY_S)));
}

void ask_overdue(struct net *net, struct client *client) {
    client->unsent = false;
    answer_text(net, client, 503, "PID 1 has not answered within 5 s");
}
