#include "core/budget.h"

/* part of left that falls to `own` out of `all`. Both at most a day each for at most a few hundred
 * stages, so in milliseconds the product fits 64 bits. */
static span share(span own, span all, span left) {
    int64_t ms;
    if (all.ns < NS_PER_MS)
        return NO_TIME;
    ms = (own.ns / NS_PER_MS) * (left.ns / NS_PER_MS) / (all.ns / NS_PER_MS);
    return MS(ms);
}

static span beyond(const struct promise *promise) { return minus(promise->unwritten, promise->written); }

/* What one promise is worth, when `left` is shared among sums of all written and of all beyond. */
static span scaled(const struct promise *promise, span written, span rest, span left) {
    if (written.ns > left.ns)
        return share(promise->written, written, left);
    return plus(promise->written, share(beyond(promise), rest, minus(left, written)));
}

struct allowance budget_allow(const struct promise *promises, uint32_t n, span left) {
    span written = NO_TIME, rest = NO_TIME, own, later = NO_TIME;
    for (uint32_t i = 0; i < n; i++) {
        written = plus(written, promises[i].written);
        rest = plus(rest, beyond(&promises[i]));
    }
    own = longer(promises[0].written, promises[0].unwritten);
    if (plus(written, rest).ns <= left.ns) {
        later = minus(plus(written, rest), own);
    } else {
        own = scaled(&promises[0], written, rest, left);
        for (uint32_t i = 1; i < n; i++)
            later = plus(later, scaled(&promises[i], written, rest, left));
    }
    return (struct allowance){
        .allowed = shorter(left, longer(own, minus(left, later))),
        .later = later,
    };
}

span budget_share(span grace, span reserve, span others, uint32_t stages) {
    span rest = minus(minus(grace, reserve), others);
    if (is_forever(rest))
        return FOREVER;
    return (span){rest.ns / ((int64_t)stages + 1)};
}
