/* store.c: the table of states that have been seen, and those that wait their turn.
 *
 * Of a state that waits only the bytes are kept in which it differs from the first of all. What does not fit into
 * a gigabyte waits in a file without a name. */
#include <unistd.h>

#include "every.h"

enum { CHUNK = 1 << 20, MOST_IN_MEMORY = 1024, MOST_RECORD = 2 * sizeof(struct state) };
struct chunk { struct chunk *next; uint32_t used, read, slot; unsigned char *bytes; /* NULL: in the file */ };
struct queue { struct chunk *first, *last; };

static struct { FILE *file; uint32_t *free, n_free, room, n, in_memory; } apart;
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

static void *memory(void *old, size_t bytes) {
    void *new = realloc(old, bytes);
    if (!new) {
        printf("no memory for the states that wait\n");
        exit(2);
    }
    return new;
}

/* ---- what waits in the file ---- */

static void must(bool done) {
    if (done)
        return;
    printf("no room on disk for the states that wait\n");
    exit(2);
}

static void put_apart(struct chunk *chunk) {
    if (!apart.file)
        must((apart.file = tmpfile()) != NULL);
    chunk->slot = apart.n_free > 0 ? apart.free[--apart.n_free] : apart.n++;
    must(pwrite(fileno(apart.file), chunk->bytes, CHUNK, (off_t)chunk->slot * CHUNK) == CHUNK);
    free(chunk->bytes);
    chunk->bytes = NULL;
    apart.in_memory--;
}

static void get_back(struct chunk *chunk) {
    chunk->bytes = memory(NULL, CHUNK);
    must(pread(fileno(apart.file), chunk->bytes, CHUNK, (off_t)chunk->slot * CHUNK) == CHUNK);
    if (apart.n_free == apart.room)
        apart.free = memory(apart.free, (apart.room = 2 * apart.room + 64) * sizeof *apart.free);
    apart.free[apart.n_free++] = chunk->slot;
    apart.in_memory++;
}

/* ---- the queues ---- */

static struct chunk *room(struct queue *queue) {
    struct chunk *chunk = queue->last;
    if (chunk && chunk->used + MOST_RECORD < CHUNK)
        return chunk;
    if (chunk && chunk != queue->first && apart.in_memory > MOST_IN_MEMORY)
        put_apart(chunk);
    chunk = memory(NULL, sizeof *chunk);
    *chunk = (struct chunk){.bytes = memory(NULL, CHUNK)};
    apart.in_memory++;
    if (queue->last)
        queue->last->next = chunk;
    else
        queue->first = chunk;
    return queue->last = chunk;
}

/* Words that differ: which, which of its bytes, the bytes. The last has none. */
void store_push(unsigned layer, uint32_t place) {
    struct chunk *chunk = room(&queues[layer]);
    unsigned char *out = chunk->bytes + chunk->used;
    const unsigned char *mine = (const unsigned char *)&at;
    memcpy(out, &place, sizeof place);
    out += sizeof place;
    for (size_t word = 0; word < state_bytes / 8; word++) {
        unsigned char *head = out;
        if (memcmp(mine + word * 8, first_of_all + word * 8, 8) == 0)
            continue;
        *out++ = (unsigned char)word, *out++ = (unsigned char)(word >> 8), *out++ = 0;
        for (unsigned i = 0; i < 8; i++)
            if (mine[word * 8 + i] != first_of_all[word * 8 + i])
                head[2] |= (unsigned char)(1 << i), *out++ = mine[word * 8 + i];
    }
    memset(out, 0, 3);
    chunk->used = (uint32_t)(out + 3 - chunk->bytes);
}

static bool skip_to_unread(struct queue *queue) {
    while (queue->first && queue->first->read == queue->first->used) {
        struct chunk *chunk = queue->first;
        queue->first = chunk->next;
        if (!queue->first)
            queue->last = NULL;
        free(chunk->bytes);
        free(chunk);
        apart.in_memory--;
    }
    if (queue->first && !queue->first->bytes)
        get_back(queue->first);
    return queue->first != NULL;
}

bool store_pop(unsigned layer, uint32_t *place) {
    struct queue *queue = &queues[layer];
    const unsigned char *in;
    if (!skip_to_unread(queue))
        return false;
    in = queue->first->bytes + queue->first->read;
    memcpy(place, in, sizeof *place);
    memcpy(&at, first_of_all, state_bytes);
    for (in += sizeof *place; in[2] != 0;) {
        unsigned char *word = (unsigned char *)&at + 8 * (in[0] | in[1] << 8);
        unsigned char which = in[2];
        in += 3;
        for (unsigned i = 0; i < 8; i++)
            if (which >> i & 1)
                word[i] = *in++;
    }
    queue->first->read = (uint32_t)(in + 3 - queue->first->bytes);
    return true;
}
