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

struct sum { span written, rest; };

static struct sum sum_of(const struct promise *promises, uint32_t n) {
    struct sum sum = {NO_TIME, NO_TIME};
    for (uint32_t i = 0; i < n; i++) {
        sum.written = plus(sum.written, promises[i].written);
        sum.rest = plus(sum.rest, beyond(&promises[i]));
    }
    return sum;
}

/* What one promise is worth, when `left` is shared among all that `sum` counts. */
static span worth(const struct promise *promise, struct sum sum, span left) {
    if (plus(sum.written, sum.rest).ns <= left.ns)
        return longer(promise->written, promise->unwritten);
    if (sum.written.ns > left.ns)
        return share(promise->written, sum.written, left);
    return plus(promise->written, share(beyond(promise), sum.rest, minus(left, sum.written)));
}

struct allowance budget_allow(const struct promise *promises, uint32_t n, span left) {
    struct sum sum = sum_of(promises, n);
    span own = worth(&promises[0], sum, left), later = NO_TIME;
    for (uint32_t i = 1; i < n; i++)
        later = plus(later, worth(&promises[i], sum, left));
    return (struct allowance){
        .allowed = shorter(left, longer(own, minus(left, later))),
        .later = later,
    };
}

span budget_later(const struct promise *promises, uint32_t n, span left) {
    struct sum sum = sum_of(promises + 1, n - 1);
    span later = NO_TIME;
    for (uint32_t i = 1; i < n; i++)
        later = plus(later, worth(&promises[i], sum, left));
    return later;
}

span budget_share(span grace, span reserve, span others, uint32_t stages) {
    span rest = minus(minus(grace, reserve), others);
    if (is_forever(rest))
        return FOREVER;
    return (span){rest.ns / ((int64_t)stages + 1)};
}
