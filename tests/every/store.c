/* store.c: the table of states that have been seen, and those that wait their turn.
 *
 * Of a state that waits only the bytes are kept in which it differs from the first of all. */
#include "every.h"

enum { CHUNK = 1 << 20, MOST_RECORD = 2 * sizeof(struct state) };
struct chunk { struct chunk *next; uint32_t used, read; unsigned char bytes[CHUNK]; };
struct queue { struct chunk *first, *last; };

static uint64_t n_states;
static struct visited *table;
static uint64_t mask;
static struct queue queues[MOST_LAYERS];
static unsigned char first_of_all[sizeof(struct state)];

void store_open(unsigned bits) {
    mask = (UINT64_C(1) << bits) - 1;
    table = calloc(mask + 1, sizeof *table);
    if (!table) {
        printf("no memory for 2^%u states\n", bits);
        exit(2);
    }
}

void store_clear(void) {
    if (n_states > 0)
        memset(table, 0, (mask + 1) * sizeof *table);
    n_states = 0;
    memcpy(first_of_all, &at, state_bytes);
}

struct visited *store_at(uint32_t place) { return &table[place]; }
uint32_t store_place(const struct visited *visited) { return (uint32_t)(visited - table); }

struct visited *store_find(uint64_t name) {
    uint64_t place = name & mask;
    while (table[place].name != 0 && table[place].name != name)
        place = (place + 1) & mask;
    if (table[place].name == 0 && ++n_states > mask / 8 * 7) {
        printf("more states than the table holds; a larger one: -b\n");
        exit(2);
    }
    return &table[place];
}

static struct chunk *room(struct queue *queue) {
    struct chunk *chunk = queue->last;
    if (chunk && chunk->used + MOST_RECORD < CHUNK)
        return chunk;
    chunk = malloc(sizeof *chunk);
    if (!chunk) {
        printf("no memory for the states that wait\n");
        exit(2);
    }
    chunk->next = NULL, chunk->used = chunk->read = 0;
    if (queue->last)
        queue->last->next = chunk;
    else
        queue->first = chunk;
    return queue->last = chunk;
}

/* Runs of words that differ: where, how many, the words; the last is empty. */
void store_push(unsigned layer, uint32_t place) {
    struct chunk *chunk = room(&queues[layer]);
    unsigned char *out = chunk->bytes + chunk->used;
    const uint64_t *mine = (const uint64_t *)(const void *)&at, *first = (const uint64_t *)(const void *)first_of_all;
    uint16_t words = (uint16_t)(state_bytes / 8), i = 0;
    memcpy(out, &place, sizeof place);
    out += sizeof place;
    for (;;) {
        uint16_t from, n;
        while (i < words && mine[i] == first[i])
            i++;
        from = i;
        while (i < words && mine[i] != first[i])
            i++;
        n = (uint16_t)(i - from);
        memcpy(out, &from, 2), memcpy(out + 2, &n, 2), memcpy(out + 4, mine + from, n * 8u);
        out += 4 + n * 8u;
        if (n == 0)
            break;
    }
    chunk->used = (uint32_t)(out - chunk->bytes);
}

static bool skip_to_unread(struct queue *queue) {
    while (queue->first && queue->first->read == queue->first->used) {
        struct chunk *chunk = queue->first;
        queue->first = chunk->next;
        if (!queue->first)
            queue->last = NULL;
        free(chunk);
    }
    return queue->first != NULL;
}

bool store_pop(unsigned layer, uint32_t *place) {
    struct queue *queue = &queues[layer];
    const unsigned char *in;
    uint16_t from, n = 1;
    if (!skip_to_unread(queue))
        return false;
    in = queue->first->bytes + queue->first->read;
    memcpy(place, in, sizeof *place);
    in += sizeof *place;
    memcpy(&at, first_of_all, state_bytes);
    while (n != 0) {
        memcpy(&from, in, 2), memcpy(&n, in + 2, 2), memcpy((uint64_t *)(void *)&at + from, in + 4, n * 8u);
        in += 4 + n * 8u;
    }
    queue->first->read = (uint32_t)(in - queue->first->bytes);
    return true;
}
