/* model/message.h: what net tells PID 1. Fixed size, one way, over a SOCK_SEQPACKET pair.
 *
 * net is the side that reads what strangers send, so PID 1 believes nothing in here: a message whose
 * size, kind, number or ranges are wrong is dropped and counted, and a request is refused unless the
 * configuration opened its door.
 */
#ifndef MODEL_MESSAGE_H
#define MODEL_MESSAGE_H

#include <stdint.h>

enum message_kind {
    MSG_CHECK,  /* subject: check; value: 1 passing, 0 failing; gen: the page's for that check */
    MSG_ASK,    /* verb, subject, value; client: to be answered in the page's replies */
    MSG_EXTEND, /* subject: unit; value: milliseconds more, from now */
    MSG_PULSE,  /* value: the newest generation net has seen, low 31 bits: a sign of life */
    MSG_LIFE,   /* client: answer by `pulse`: is PID 1 alive? */
    MSG_N,
};

/* What may be asked. Names in core/verb.h. */
enum ask {
    ASK_DRAIN, ASK_RESUME, ASK_PRESTOP /* value: milliseconds that are gone */, ASK_STOP, ASK_HURRY,
    ASK_START_UNIT, ASK_STOP_UNIT, ASK_RESTART_UNIT, ASK_RELOAD_UNIT, /* subject: service */
    ASK_SIGNAL_UNIT,                                                  /* value: signal */
    ASK_CHECKPOINT,                                                   /* subject: checkpoint; 0xffff: all */
    ASK_N,
};

/* Answers, as HTTP status codes. */
enum reply {
    REPLY_OK = 200,       /* done, or nothing to do */
    REPLY_STARTED = 202,  /* begun; the page says when it has ended */
    REPLY_REFUSED = 409,  /* not in this state */
    REPLY_BUSY = 423,     /* another errand runs */
    REPLY_FORBIDDEN = 403,
    REPLY_BAD = 400,
};

struct message {
    uint32_t number;  /* counts from 1 in every net; a gap or a repeat is noticed */
    uint32_t client;  /* of net's own choosing, not 0 */
    uint8_t kind, verb;
    uint16_t subject;
    int32_t value;
    uint32_t gen;
    uint32_t zero;    /* must be 0 */
};
_Static_assert(sizeof(struct message) == 24, "the size is part of the protocol");

#endif
