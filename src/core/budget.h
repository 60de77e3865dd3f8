/* core/budget.h: the arithmetic of one deadline (DESIGN 5). Pure, saturating, 64-bit.
 *
 * A stage promises `written` (the largest `guarantee =` of its steps) and `unwritten` (the largest
 * of the others, which a default or a timeout gives). When the promises still to come do not fit
 * into what is left, what the unwritten ones ask beyond the written ones is scaled down first, by one
 * factor for all stages; if that is not enough the written ones are, likewise.
 */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H

#include "model/instant.h"

struct promise { span written, unwritten; };

struct allowance {
    span allowed; /* for the first stage: max(its promise, left - later), never more than left */
    span later;   /* promised to the others, after scaling */
};

/* promises[0] is the stage that begins; left may be FOREVER. n >= 1. Rounds down to milliseconds
 * when it scales. */
struct allowance budget_allow(const struct promise *promises, uint32_t n, span left);

/* What the stages after promises[0] are worth, when that one has begun and asks for more: it has had
 * what it was promised. */
span budget_later(const struct promise *promises, uint32_t n, span left);

/* What a service's stop is promised without a stop-timeout: an equal share of what all others leave. */
span budget_share(span grace, span reserve, span others, uint32_t stages);

#endif
