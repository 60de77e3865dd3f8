/* model/page.h: all that net must know, in shared memory that PID 1 alone can write.
 *
 * One memfd: a head that is written once, before the first net is born, and two copies of the state.
 * `generation` says which copy is whole: (generation & 1) is its index. PID 1 writes the other copy,
 * then stores generation + 1 with release; a reader loads generation with acquire, copies what it
 * wants, and loads it again: if it has moved the copy may be torn (PID 1 may be writing the one after),
 * read again, a bounded number of times. See sys/page.h.
 *
 * Everything is addressed by offsets from the start of the page; net checks them against `bytes`.
 */
#ifndef MODEL_PAGE_H
#define MODEL_PAGE_H

#include "model/checkpoint.h"
#include "model/message.h"
#include "model/row.h"

enum { PAGE_MAGIC = 0x4c435031 };

/* Descriptors of net, made so by the spawn: nothing else is open but 0, 1 (/dev/null), 2. */
enum {
    NET_PAGE = 3,
    NET_DOORBELL = 4, /* pipe, read end: a byte says that the page has changed; end of file: go away */
    NET_MESSAGES = 5, /* SOCK_SEQPACKET, to PID 1 */
    NET_HTTP = 6,     /* listening TCP socket, or not open */
    NET_CONTROL = 7,  /* listening unix socket, or not open */
    NET_FIRST_CHECK = 8, /* from here: one a notify or fd check, see page_check.fd */
};

struct page_check {       /* static */
    uint32_t target;      /* offset of a string; 0: none */
    uint8_t kind;         /* enum check_kind */
    bool live;
    uint16_t unit, successes, failures;
    int16_t fd;           /* notify socket or read end of the pipe; -1: none */
    span every, timeout;
};
struct page_unit { uint32_t name, service_name; uint16_t service, ready, live, zero; }; /* static; offsets; check indices */
struct page_checkpoint { uint32_t name, dir; uint16_t service, zero; }; /* static; offsets; service NONE: all */
struct page_row { uint32_t name; };                             /* static; offset */

struct page_head {
    uint32_t magic, bytes;
    _Atomic uint64_t generation;
    uint32_t state[2];                  /* offsets of the two copies of struct page_state */
    uint32_t state_bytes;
    uint32_t checks, units, checkpoints, rows; /* offsets of the static arrays */
    uint16_t n_checks, n_units, n_checkpoints, n_rows, n_services;
    uint32_t version, http_prestop;     /* offsets of strings; http_prestop 0: closed */
    uint32_t owner;                     /* uid that may use the control socket, beside root */
    bool control;                       /* POST is open on the control socket */
};

enum unit_state {
    U_WAITING, U_STARTING, U_UP, U_BACKOFF, U_STOPPING, U_DOWN, U_FAILED, U_N
};

struct page_unit_state {
    int32_t pid;             /* 0: none */
    int16_t exit;            /* of its last end: as row.exit */
    uint8_t state;           /* enum unit_state */
    bool ready;
    uint32_t restarts;
};
struct page_check_state {
    uint32_t gen;            /* a new one each time it is switched on: net starts afresh */
    bool on;                 /* net shall run it now */
    bool passing;            /* as PID 1 believes */
};
enum checkpoint_state { CS_WAITING /* for its restore */, CS_RESTORING, CS_IDLE, CS_SAVING, CS_FAILED, CS_N };

struct page_checkpoint_state {
    uint8_t state;           /* enum checkpoint_state */
    int16_t exit;            /* of its newest save or restore: as row.exit */
    uint32_t attempts;       /* to save, that have begun */
    uint32_t ended;          /* the newest that has ended */
    uint32_t client;         /* of net's, who asked for the newest; 0: nobody who waits */
    uint64_t files, bytes;   /* of the latest */
    int64_t taken_s;         /* when this lastcall took the latest, seconds since 1970; 0: it did not */
    char latest[CHECKPOINT_ID];   /* empty: not known */
    char restored[CHECKPOINT_ID]; /* from which its service came; empty: none */
};
struct page_reply { uint32_t client; uint16_t code, zero; };

/* State names of DESIGN 4: derived by the core. */
enum life { LIFE_STARTING, LIFE_RUNNING, LIFE_DRAINED, LIFE_STOPPING, LIFE_EXITED, LIFE_N };

enum verdict { VERDICT_NONE, VERDICT_CLEAN, VERDICT_DEGRADED, VERDICT_FORCED, VERDICT_OVERRAN, VERDICT_INTERRUPTED, VERDICT_N };

/* One copy; the arrays stand behind it in this order: units, checks, checkpoints, rows. */
struct page_state {
    instant started;         /* of lastcall */
    instant clock;           /* NEVER: no clock runs */
    instant asked;           /* when the drain or stop began; NEVER: none */
    span grace, reserve;
    uint64_t orphans;
    uint32_t pulse;          /* the client of the newest MSG_LIFE that was answered */
    uint8_t life;            /* enum life */
    bool ready, live, startup, leaving; /* leaving: answer your clients now and go */
    bool draining;           /* goal is not RUN: drain steps run or have run */
    uint8_t phase;           /* of the running stage; PH_N: none */
    uint8_t verdict;         /* enum verdict, VERDICT_NONE until it is known */
    int16_t exit;            /* lastcall's own exit code, once known; else -1 */
    uint16_t next_reply;     /* replies are a ring; this is the next to be written */
    char cause[64];          /* "SIGTERM", "prestop", …; empty: none */
    struct page_reply replies[MAX_REPLIES];
};

#endif
