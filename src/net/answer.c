/* An answer's way out. Most go with the first write; what does not fit into the socket waits in the
 * client's own buffer if it is short, else in one of a few slots, the oldest of which gives way.
 *
 * A connection ends politely: our end is closed, then what the peer still sends is read and thrown
 * away for a moment, for a close with unread bytes would reset it and destroy the answer. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "net/state.h"

enum { WRITE_S = 10, LINGER_S = 1, LINGER_READS = 16 };

struct out body(struct net *net) { return out_on(net->scratch, net->room - HEAD_ROOM); }

static struct client *owner_of(struct net *net, int slot) {
    for EACH_CLIENT(net, c)
        if (c->state == C_WRITING && c->slot == slot)
            return c;
    return NULL;
}

static int take_slot(struct net *net) {
    int oldest = 0;
    struct client *owner;
    for (int i = 1; i < SLOTS; i++)
        if (net->slot_age[i] < net->slot_age[oldest])
            oldest = i;
    owner = net->slot_age[oldest] != 0 ? owner_of(net, oldest) : NULL;
    if (owner != NULL)
        client_close(net, owner);
    net->slot_age[oldest] = ++net->births;
    return oldest;
}

/* Keeps what of head and text has not been sent; they are one after the other in parts. */
static void keep(struct net *net, struct client *client, const struct iovec *parts, int n_parts, size_t sent) {
    size_t whole = parts[0].iov_len + (n_parts > 1 ? parts[1].iov_len : 0);
    char *into = client->in;
    client->slot = -1;
    if (whole - sent > HEAD_MAX) {
        client->slot = (int8_t)take_slot(net);
        into = net->slots + (size_t)client->slot * net->room;
    }
    client->n = 0;
    client->done = 0;
    for (int i = 0; i < n_parts; i++) {
        size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;
        size_t n = parts[i].iov_len - skip;
        memcpy(into + client->n, (char *)parts[i].iov_base + skip, n);
        client->n += n;
        sent -= skip;
    }
    client_state(net, client, C_WRITING, after(net->now, SEC(WRITE_S)));
}

void answer(struct net *net, struct client *client, int code, const char *type, const char *allow,
            const struct out *text) {
    char buffer[HEAD_ROOM];
    struct out head = out_on(buffer, sizeof buffer);
    struct iovec parts[2];
    int n_parts = client->head_only ? 1 : 2;
    ssize_t sent;
    http_head(&head, code, type, text->n, allow);
    parts[0] = (struct iovec){head.text, head.n};
    parts[1] = (struct iovec){text->text, text->n};
    client->wait = WAIT_NOTHING;
    sent = writev(client->fd, parts, n_parts); /* non-blocking, and SIGPIPE is ignored */
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        client_close(net, client);
    else if ((size_t)(sent < 0 ? 0 : sent) < head.n + (client->head_only ? 0 : text->n))
        keep(net, client, parts, n_parts, sent < 0 ? 0 : (size_t)sent);
    else
        answer_linger(net, client);
}

void answer_text(struct net *net, struct client *client, int code, const char *text) {
    struct out out = body(net);
    out_text(&out, text);
    out_char(&out, '\n');
    answer(net, client, code, "text/plain", NULL, &out);
}

void answer_more(struct net *net, struct client *client) {
    const char *from = client->slot < 0 ? client->in : net->slots + (size_t)client->slot * net->room;
    ssize_t sent = send(client->fd, from + client->done, client->n - client->done, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR)
            client_close(net, client);
        return;
    }
    client->done += (size_t)sent;
    if (client->done < client->n)
        return;
    if (client->slot >= 0)
        net->slot_age[client->slot] = 0;
    client->slot = -1;
    answer_linger(net, client);
}

/* Reads on until the peer's end; closes at once if that is here already. */
void answer_linger(struct net *net, struct client *client) {
    char waste[4096];
    ssize_t n = 1;
    if (client->state != C_LINGERING) {
        shutdown(client->fd, SHUT_WR);
        client_state(net, client, C_LINGERING, after(net->now, SEC(LINGER_S)));
    }
    for (int i = 0; i < LINGER_READS && n > 0; i++)
        n = recv(client->fd, waste, sizeof waste, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        client_close(net, client);
}
