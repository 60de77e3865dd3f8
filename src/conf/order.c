/* The longest path below every node of a graph, and a cycle if there is one. */
#include "conf/load.h"
#include "text/out.h"

enum { UNSEEN, OPEN, CLOSED };

struct order {
    after_of *waits_for;
    const void *context;
    uint16_t *level;
    uint8_t *mark;
    uint16_t *cycle;
};

/* Depth first; as deep as the longest path, 500 at most. false: there is a cycle. */
static bool visit(const struct order *order, uint16_t node) {
    uint16_t level = 0, other;
    if (order->mark[node] == CLOSED)
        return true;
    if (order->mark[node] == OPEN) {
        *order->cycle = node;
        return false;
    }
    order->mark[node] = OPEN;
    for (uint16_t i = 0; (other = order->waits_for(order->context, node, i)) != NONE; i++) {
        if (!visit(order, other))
            return false;
        if (order->level[other] + 1 > level)
            level = (uint16_t)(order->level[other] + 1);
    }
    order->mark[node] = CLOSED;
    order->level[node] = level;
    return true;
}

bool order_levels(after_of *waits_for, const void *context, uint16_t n, uint16_t *level, uint8_t *mark, uint16_t *cycle) {
    struct order order = {waits_for, context, level, mark, cycle};
    for (uint16_t i = 0; i < n; i++)
        if (!visit(&order, i))
            return false;
    return true;
}

/* The first node that an open node waits for and that is open too is the next on the cycle: those
 * before it in the list were closed when the search came to it. */
static uint16_t next_on_cycle(after_of *waits_for, const void *context, const uint8_t *mark, uint16_t node) {
    uint16_t other, i = 0;
    while ((other = waits_for(context, node, i)) != NONE && mark[other] != OPEN)
        i++;
    return other;
}

const char *order_cycle(struct arena *arena, after_of *waits_for, node_name *name, const void *context,
                        const uint8_t *mark, uint16_t start) {
    struct out out = text_open(arena);
    uint16_t node = start;
    do {
        out_text(&out, name(context, node));
        out_text(&out, " -> ");
        node = next_on_cycle(waits_for, context, mark, node);
    } while (node != start && node != NONE);
    out_text(&out, name(context, start));
    return text_close(arena, &out);
}
