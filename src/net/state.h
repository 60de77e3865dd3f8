/* net/state.h: all that the helper holds, and how its files call one another.
 *
 *   main.c     the order: take less, open, loop, go
 *   clients.c  connections: a fixed pool of each kind, time limits, who gives way
 *   answer.c   an answer's way out, and the end of a connection
 *   route.c    which request means what
 *   asks.c     requests to PID 1, and the clients that wait for their end
 *   life.c     /livez: is PID 1 alive?
 *   checks.c   when a check runs, what its answers mean
 *   dial.c     one try of an http or tcp check
 *   inbox.c    notify sockets and descriptors that announce readiness
 *   post.c     messages to PID 1, sent when it has room
 *
 * Everything is sized when the page has been read; after that nothing allocates. Nothing here waits:
 * whoever waits is a state with a deadline, and the loop sleeps until the earliest of them.
 */
#ifndef NET_STATE_H
#define NET_STATE_H

#include "net/streak.h"
#include "sys/page.h"
#include "text/http.h"
#include "text/out.h"

enum { HEAD_MAX = 4096, SLOTS = 4, HEAD_ROOM = 512 };

/* Where an event of epoll comes from; with an index and a generation it makes the 64 bits. */
enum source { FROM_DOORBELL, FROM_MESSAGES, FROM_LISTENER, FROM_CLIENT, FROM_DIAL, FROM_INBOX };
enum door { DOOR_HTTP, DOOR_CONTROL, DOORS };

enum client_state { C_FREE, C_READING, C_WAITING, C_WRITING, C_LINGERING };

enum wait {
    WAIT_NOTHING,
    WAIT_LIFE,     /* a sign of life from PID 1 */
    WAIT_REPLY,    /* PID 1's answer to an ask */
    WAIT_DRAINED, WAIT_VERDICT, WAIT_UP, WAIT_DOWN, WAIT_SAVED, /* the end of what was begun */
};

struct client {
    int fd;
    uint8_t state;          /* enum client_state */
    uint8_t door;           /* enum door */
    uint8_t wait;           /* enum wait */
    bool head_only;         /* HEAD */
    bool verbose;           /* of a probe */
    bool unsent, patient;   /* the ask has not gone out; the client wants its end, not its beginning */
    int8_t slot;            /* of what is left to write; -1: in[] holds it */
    uint8_t verb;           /* enum ask */
    uint16_t subject;       /* service */
    int32_t value;
    uint32_t number;        /* message.client */
    uint32_t gen;           /* of this place in the pool */
    uint64_t born;          /* order of arrival */
    instant by;             /* when its patience or ours ends; NEVER: it may wait */
    size_t n, done;         /* bytes in in[]; to write: how many there are, how many have gone */
    char in[HEAD_MAX];
};

enum dial_state { D_IDLE, D_CONNECTING, D_READING, D_DISCARDING };

struct check_run {
    int fd;                 /* of the try that is under way, -1: none */
    uint8_t state;          /* enum dial_state */
    bool second;            /* localhost: ::1 after 127.0.0.1 */
    bool on, muted;         /* muted: an inbox that is not read before the page changes */
    bool tell, extend;      /* a verdict, an extension to be posted */
    uint8_t got;            /* bytes in line */
    char line[14];
    uint32_t gen, tries;    /* gen: the page's; tries: marks epoll's events */
    uint32_t discarded;
    int32_t extend_ms;
    instant at, by;         /* next try; end of this one */
    struct streak streak;
};

struct life_signs {
    uint32_t pulse;         /* the newest that was seen in the page */
    uint32_t number;        /* of our newest question */
    bool unsent;
    instant asked, alive;   /* NEVER: not yet */
};

struct net {
    int epoll, doors[DOORS];
    struct page_reader page;
    struct client *clients;    /* DOORS pools, pool_size each */
    uint16_t pool_size, open_clients;
    struct check_run *checks;  /* parallel to the page's */
    uint16_t n_on, dialing, max_dialing;
    char *scratch;             /* the body that is being made */
    char *slots;               /* SLOTS bodies that did not go out at once */
    uint64_t slot_age[SLOTS];  /* 0: free */
    uint32_t room;             /* bytes of a slot; of a body HEAD_ROOM less */
    struct life_signs life;
    uint64_t births;
    uint32_t numbers;          /* last message.client */
    uint32_t sent;             /* messages */
    bool pulse, to_post, blocked; /* pulse: owed; to_post: something is; blocked: PID 1 has no room */
    bool stale;                /* the page could not be read whole */
    bool news;                 /* it has been read, and not been acted on */
    bool leaving;
    uint32_t turns;            /* in the second that began then */
    instant second;
    instant now, rest, go_by;  /* rest: until then nobody is let in, for want of descriptors */
};

/* main.c */
uint64_t source_key(enum source source, uint32_t index, uint32_t gen);
bool watch(struct net *net, int fd, uint32_t events, uint64_t key);    /* add */
void rewatch(struct net *net, int fd, uint32_t events, uint64_t key);  /* change */
void page_look(struct net *net); /* read the page if it has changed */
void page_turn(struct net *net); /* and act on it */

/* clients.c */
void clients_accept(struct net *net, enum door door);
void clients_event(struct net *net, uint32_t index, uint32_t gen, uint32_t events);
void clients_due(struct net *net);
instant clients_next(const struct net *net);
void client_state(struct net *net, struct client *client, enum client_state state, instant by);
void client_close(struct net *net, struct client *client);
bool clients_busy(const struct net *net); /* somebody is still owed an answer */
static inline bool client_waits(const struct client *c, enum wait wait) {
    return c->state == C_WAITING && c->wait == wait;
}
#define EACH_CLIENT(net, c) \
    (struct client *c = (net)->clients, *c##_end = c + DOORS * (net)->pool_size; c < c##_end; c++)

/* answer.c */
struct out body(struct net *net);
void answer(struct net *net, struct client *client, int code, const char *type, const char *allow,
            const struct out *text);
void answer_text(struct net *net, struct client *client, int code, const char *text);
void answer_more(struct net *net, struct client *client);  /* it can be written to again */
void answer_linger(struct net *net, struct client *client);

/* route.c */
void route(struct net *net, struct client *client, const struct http_request *request);

/* asks.c */
void ask_begin(struct net *net, struct client *client, uint8_t verb, uint16_t subject, int32_t value, bool patient);
void asks_turn(struct net *net);                   /* the page has changed */
void ask_overdue(struct net *net, struct client *client);

/* life.c */
void life_probe(struct net *net, struct client *client);
void life_turn(struct net *net);                   /* the page has changed, or it is time */
void life_overdue(struct net *net, struct client *client);
instant life_next(const struct net *net);
void life_answer(struct net *net, struct client *client, bool alive);

/* checks.c */
void checks_turn(struct net *net);                 /* the page has changed */
void checks_due(struct net *net);
instant checks_next(const struct net *net);
void check_fed(struct net *net, uint32_t check, bool pass);
void check_told(struct net *net, uint32_t check, bool pass); /* a verdict without counting */

/* dial.c */
void dial(struct net *net, uint32_t check);
void dial_event(struct net *net, uint32_t check, uint32_t gen);
void dial_overdue(struct net *net, uint32_t check);
void dial_end(struct net *net, uint32_t check);

/* inbox.c */
void inbox_open(struct net *net, uint32_t check);
void inbox_event(struct net *net, uint32_t check);
void inbox_unmute(struct net *net, uint32_t check);

/* post.c */
void post(struct net *net);                        /* all that is owed, as far as there is room */
void post_writable(struct net *net);

#endif
