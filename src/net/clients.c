/* Connections. Each door has a pool of its own, so strangers on the port can never keep an operator
 * away from the control socket. A client that has connected and says nothing is the first to give way
 * to a new one, and nobody is idle for longer than its time limit. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/state.h"

enum { ACCEPTS_A_TURN = 16, READ_S = 5, REST_MS = 100 };

static struct client *pool_of(const struct net *net, enum door door) {
    return net->clients + door * net->pool_size;
}

static uint64_t key_of(const struct net *net, const struct client *client) {
    return source_key(FROM_CLIENT, (uint32_t)(client - net->clients), client->gen);
}

/* Hang-ups and errors are always told, whatever is asked for. */
static uint32_t events_of(enum client_state state) {
    switch (state) {
    case C_READING: case C_LINGERING: return EPOLLIN;
    case C_WRITING: return EPOLLOUT;
    case C_FREE: case C_WAITING: return 0;
    }
    return 0;
}

void client_state(struct net *net, struct client *client, enum client_state state, instant by) {
    if (events_of(state) != events_of(client->state))
        rewatch(net, client->fd, events_of(state), key_of(net, client));
    client->state = (uint8_t)state;
    client->by = by;
}

void client_close(struct net *net, struct client *client) {
    if (client->slot >= 0)
        net->slot_age[client->slot] = 0;
    client->slot = -1;
    close(client->fd);
    client->fd = -1;
    client->state = C_FREE;
    client->wait = WAIT_NOTHING;
    client->unsent = false;
    net->open_clients--;
}

/* ---- who is let in ---- */

/* Those who owe us something give way before those to whom we owe something. */
static int worth(const struct client *client) {
    switch ((enum client_state)client->state) {
    case C_FREE: return 0;
    case C_READING: case C_LINGERING: return 1;
    case C_WRITING: return 2;
    case C_WAITING: return 3;
    }
    return 0;
}

/* The oldest of the least worth. */
static struct client *cheapest(const struct net *net, enum door door) {
    struct client *pool = pool_of(net, door), *found = pool;
    for (struct client *c = pool + 1; c < pool + net->pool_size; c++)
        if (worth(c) < worth(found) || (worth(c) == worth(found) && c->born < found->born))
            found = c;
    return found;
}

/* The lowest free place is the warmest memory. */
static struct client *place(struct net *net, enum door door) {
    struct client *pool = pool_of(net, door), *victim;
    for (struct client *c = pool; c < pool + net->pool_size; c++)
        if (c->state == C_FREE)
            return c;
    victim = cheapest(net, door);
    client_close(net, victim);
    return victim;
}

static void rest(struct net *net) {
    net->rest = after(net->now, MS(REST_MS));
    for (int door = 0; door < DOORS; door++)
        if (net->doors[door] >= 0)
            rewatch(net, net->doors[door], 0, source_key(FROM_LISTENER, (uint32_t)door, 0));
}

static void wake(struct net *net) {
    net->rest = NEVER;
    for (int door = 0; door < DOORS; door++)
        if (net->doors[door] >= 0)
            rewatch(net, net->doors[door], EPOLLIN, source_key(FROM_LISTENER, (uint32_t)door, 0));
}

/* root or lastcall's own user; the kernel says who connected, not the client. */
static bool allowed(const struct net *net, int fd) {
    struct ucred peer;
    socklen_t n = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0)
        return false;
    return peer.uid == 0 || peer.uid == net->page.view.head->owner;
}

static void read_some(struct net *net, struct client *client);

static void let_in(struct net *net, enum door door, int fd) {
    struct client *client = place(net, door);
    uint32_t gen = client->gen + 1;
    client->fd = fd;
    client->state = C_READING;
    client->door = (uint8_t)door;
    client->wait = WAIT_NOTHING;
    client->head_only = client->verbose = client->unsent = client->patient = false;
    client->slot = -1;
    client->gen = gen;
    client->born = ++net->births;
    client->by = after(net->now, SEC(READ_S));
    client->n = client->done = 0;
    net->open_clients++;
    if (!watch(net, fd, EPOLLIN, key_of(net, client))) {
        client_close(net, client);
        return;
    }
    if (door == DOOR_CONTROL && !allowed(net, fd))
        answer_text(net, client, 403, "only root and lastcall's own user may use this socket");
    else
        read_some(net, client); /* what has come with the connection is answered before anybody is turned out */
}

/* Out of descriptors: an idle client of any door makes room, else nobody is let in for a moment (the
 * listener would wake us at once, again and again). */
static bool make_room(struct net *net) {
    for (int door = 0; door < DOORS; door++) {
        struct client *pool = pool_of(net, (enum door)door), *oldest = NULL;
        for (struct client *c = pool; c < pool + net->pool_size; c++)
            if (worth(c) == 1 && (oldest == NULL || c->born < oldest->born))
                oldest = c;
        if (oldest != NULL) {
            client_close(net, oldest);
            return true;
        }
    }
    rest(net);
    return false;
}

void clients_accept(struct net *net, enum door door) {
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int fd = (int)syscall(SYS_accept4, net->doors[door], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            let_in(net, door, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (make_room(net))
                continue;
            return;
        }
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            rest(net);
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO)
            return;
    }
}

/* ---- what they send ---- */

/* A request is answered from the page as it is now: whoever asks after PID 1 has turned readiness off
 * must hear of it, though the doorbell's byte be still on its way. */
static void take_head(struct net *net, struct client *client) {
    struct http_request request;
    page_look(net);
    switch (http_read(client->in, client->n, HEAD_MAX, &request)) {
    case HTTP_MORE: break;
    case HTTP_WHOLE: route(net, client, &request); break;
    case HTTP_BAD: answer_text(net, client, 400, "this is no HTTP/1.1 request"); break;
    case HTTP_TOO_LARGE: answer_text(net, client, 431, "a request's head may have 4096 bytes"); break;
    }
}

static void read_some(struct net *net, struct client *client) {
    ssize_t n = recv(client->fd, client->in + client->n, HEAD_MAX - client->n, MSG_DONTWAIT);
    if (n > 0) {
        client->n += (size_t)n;
        take_head(net, client);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        client_close(net, client);
    }
}

void clients_event(struct net *net, uint32_t index, uint32_t gen, uint32_t events) {
    struct client *client = &net->clients[index];
    if (client->gen != gen)
        return; /* its place was given away in this very turn */
    switch ((enum client_state)client->state) {
    case C_FREE: break;
    case C_READING: read_some(net, client); break;
    case C_WAITING:
        if (events & (EPOLLHUP | EPOLLERR))
            client_close(net, client);
        break;
    case C_WRITING: answer_more(net, client); break;
    case C_LINGERING: answer_linger(net, client); break;
    }
}

/* ---- time ---- */

static void overdue(struct net *net, struct client *client) {
    if (client->state == C_READING)
        answer_text(net, client, 408, "the request took longer than 5 s");
    else if (client->state != C_WAITING)
        client_close(net, client);
    else if (client->wait == WAIT_LIFE)
        life_overdue(net, client);
    else
        ask_overdue(net, client);
}

void clients_due(struct net *net) {
    if (due(net->rest, net->now))
        wake(net);
    if (net->open_clients > 0)
        for EACH_CLIENT(net, c)
            if (c->state != C_FREE && due(c->by, net->now))
                overdue(net, c);
}

instant clients_next(const struct net *net) {
    instant next = net->rest;
    if (net->open_clients > 0)
        for EACH_CLIENT(net, c)
            if (c->state != C_FREE)
                next = earlier(next, c->by);
    return next;
}

/* Who has sent nothing yet is owed nothing. A verb has its answer once it has closed its end: until then it
 * has not printed it, and as soon as PID 1 goes the kernel kills what was entered into the container. */
bool clients_busy(const struct net *net) {
    if (net->open_clients > 0)
        for EACH_CLIENT(net, c) {
            bool has_spoken = c->state == C_READING && c->n > 0;
            bool verb = c->state == C_LINGERING && c->door == DOOR_CONTROL;
            if (c->state == C_WRITING || c->state == C_WAITING || has_spoken || verb)
                return true;
        }
    return false;
}
