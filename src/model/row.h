/* model/row.h: one step of a shutdown, as plan, page, /status, report, simulate and the log print it.
 *
 * A row is made with the plan, before anything happens, and changed by the core alone. Instants are
 * CLOCK_MONOTONIC; printers count them from the clock's start, so a drain that ran before it prints
 * negative.
 */
#ifndef MODEL_ROW_H
#define MODEL_ROW_H

#include "model/policy.h"

enum step_state {
    S_PENDING,
    S_GATE,  /* only-if runs; printed as running */
    S_ACT,   /* printed as running */
    S_PAUSE, /* waits for its next try, or until its slot is free; printed as running */
    S_DONE, S_FAILED, S_TIMEOUT, S_SKIPPED,
    S_N,
};

enum { EXIT_UNKNOWN = INT16_MIN };

struct row {
    uint8_t phase, action, state, tries;
    bool killed;        /* its processes got KILL at its deadline */
    bool had_ended;     /* DO_STOP: when its turn came; at most what it left behind was there to stop */
    uint16_t stage;     /* from 0, over all phases */
    uint16_t subject;   /* DO_STOP: a unit; a drain or finish: a step; else NONE */
    int16_t exit;       /* exit code, -N for death by signal N, EXIT_UNKNOWN */
    instant start, end, deadline; /* NEVER: not yet, none */
    span guarantee;     /* as promised by the plan */
};

static inline bool row_ended(const struct row *row) { return row->state >= S_DONE; }
static inline bool row_running(const struct row *row) { return row->state > S_PENDING && row->state < S_DONE; }

/* "pending", "running", "done", "failed", "timeout", "skipped". */
const char *row_state_name(const struct row *row);
/* "announce", "drain", "save", "stop", "settle", "finish", "sweep". */
const char *phase_name(uint8_t phase);
/* "announce", "sweep", the section's name or the unit's. */
const char *row_name(const struct model *model, const struct row *row);

#endif
