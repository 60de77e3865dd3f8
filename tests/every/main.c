/* main.c: the search.
 *
 *   every [-e EVENTS] [-s SECONDS] [-b BITS] [SYSTEM...]   all states, with so many events from outside at most, in
 *                                                       so much time; BITS: a table of 2^BITS states
 *   every -w WALKS                                      long ways, with and without forgetting: are they the same?
 */
#include <time.h>
#include <unistd.h>

#include "every.h"

static const struct system systems[] = {
    {1, 1, 0, 0}, {1, 1, 1, MAIN | UNDO}, {2, 1, 0, CHAINED}, {2, 2, 1, 0}, {2, 2, 1, CHAINED}, {2, 2, 1, MAIN},
    {2, 2, 1, CHAINED | MAIN | UNDO}, {2, 2, 1, MAIN | RESTART}, {2, 2, 1, CHAINED | UNDO | RESTART},
    {2, 2, 1, MAIN | STRAYS}, {2, 2, 1, CHAINED | UNDYING}, {2, 1, 0, BY_HAND | RESTART}, {1, 2, 1, UNDO},
    {1, 2, 1, MAIN | UNDO | STRAYS | UNDYING},
    {1, 1, 0, SAVE | ON_DEMAND | REQUIRED}, {1, 0, 0, SETTLE | RESTORE | ON_DEMAND},
    {1, 0, 0, BESIDE | MAIN | SCHEDULE | ON_DEMAND}, {1, 0, 0, SETTLE | RESTORE | MAY_FAIL | EACH_START | RESTART | ON_DEMAND},
    {1, 1, 0, SETTLE | SCHEDULE | UNDYING}, {2, 1, 0, SAVE | RESTORE | EACH_START | RESTART | ON_DEMAND},
    {2, 1, 0, SAVE | RESTORE | MAY_FAIL | EACH_START | BY_HAND},
    {2, 2, 0, SETTLE | RESTORE | CHAINED | UNDO | SCHEDULE}, {2, 2, 0, MAIN | SAVE | RESTORE | SCHEDULE | ON_DEMAND},
};
enum { N_SYSTEMS = sizeof systems / sizeof *systems };

static unsigned most_events = 1, bits = 20;
static double most_seconds = 1e9;
static uint64_t n_moves, n_visited, n_exits;

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The way from the first state to this one is gone again, and told. */
static void tell_way(uint32_t place, unsigned last) {
    static uint8_t way[4096];
    struct move moves[MOST_MOVES];
    unsigned n = 0;
    for (way[n++] = (uint8_t)last; store_at(place)->parent != place && n < sizeof way; place = store_at(place)->parent)
        way[n++] = store_at(place)->move;
    printf("%s: %s\n", system_text(&what), broken);
    state_begin();
    state_same();
    while (n-- > 0) {
        moves_of(moves);
        move_say(moves[way[n]]);
        move_do(moves[way[n]]);
        state_same();
    }
    exit(1);
}

/* Its place in the table, if nobody has been here with as few events. */
static void meet(unsigned layer, uint32_t parent, unsigned move) {
    struct visited *here;
    state_same();
    here = store_find(state_name());
    if (here->name != 0 && (here->done || here->layer <= layer))
        return;
    *here = (struct visited){.name = state_name(), .parent = parent, .layer = (uint8_t)layer, .move = (uint8_t)move};
    if (at.core.exited)
        n_exits++, n_visited++, here->done = true;
    else
        store_push(layer, store_place(here));
}

static void expand(unsigned layer, uint32_t place) {
    static struct state here;
    struct move moves[MOST_MOVES];
    unsigned n = moves_of(moves);
    memcpy(&here, &at, state_bytes);
    for (unsigned i = 0; i < n; i++) {
        bool outside = moves[i].kind == M_OUTSIDE;
        if (outside && layer == most_events)
            continue;
        if (i > 0)
            memcpy(&at, &here, state_bytes);
        n_moves++;
        move_do(moves[i]);
        if (broken)
            tell_way(place, i);
        meet(layer + outside, place, i);
    }
}

static bool search(const struct system *system) {
    double began = seconds();
    struct visited *first;
    uint32_t place;
    system_make(system);
    state_begin();
    state_same();
    store_clear();
    n_moves = n_visited = n_exits = 0;
    first = store_find(state_name());
    *first = (struct visited){.name = state_name(), .parent = store_place(first)};
    store_push(0, store_place(first));
    printf("%s\n", system_text(system));
    for (unsigned layer = 0; layer <= most_events; layer++) {
        uint64_t before_it = n_moves;
        while (store_pop(layer, &place)) {
            if (store_at(place)->done)
                continue;
            store_at(place)->done = true;
            if (n_visited++ % 4096 == 0 && seconds() - began > most_seconds)
                return false;
            expand(layer, place);
        }
        printf("  %u events: %llu states, %llu moves, %llu ends, %.1f s\n", layer, (unsigned long long)n_visited,
               (unsigned long long)n_moves, (unsigned long long)n_exits, seconds() - began);
        fflush(stdout);
        if (n_moves == before_it)
            break;
    }
    return true;
}

/* ---- is forgetting allowed? ---- */

static uint32_t roll(uint32_t sides) {
    static uint64_t dice = 1;
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(((dice >> 32) * sides) >> 32);
}

/* The same way twice: one never forgets, the other does after each move. What is left of both must be the same. */
static unsigned walk(void) {
    static struct state all, same;
    struct move moves[MOST_MOVES], others[MOST_MOVES];
    unsigned n, length = 0;
    state_begin();
    memcpy(&all, &at, sizeof at);
    state_same();
    for (; (n = moves_of(moves)) > 0 && length < 400; length++) {
        unsigned move = roll(roll(8) ? n - outsides() * (moves[n - 1].kind == M_OUTSIDE) : n);
        move_do(moves[move]);
        state_same();
        memcpy(&same, &at, sizeof at);
        memcpy(&at, &all, sizeof at);
        if (moves_of(others) != n || memcmp(moves, others, n * sizeof *moves) != 0)
            broken = "what was forgotten changes what may come";
        move_do(others[move]);
        memcpy(&all, &at, sizeof at);
        state_same();
        if (memcmp(&at, &same, state_bytes) != 0)
            broken = "what was forgotten makes a difference";
        if (broken) {
            printf("%s: %s, after %u moves; the core's bytes that differ:", system_text(&what), broken, length);
            for (size_t i = 0; i < state_bytes; i++)
                if (((char *)&at)[i] != ((char *)&same)[i])
                    printf(" %zu", i);
            printf("\n");
            exit(1);
        }
    }
    return length;
}

static void walks(unsigned n) {
    for (unsigned i = 0; i < N_SYSTEMS; i++) {
        uint64_t moves = 0;
        system_make(&systems[i]);
        for (unsigned k = 0; k < n; k++)
            moves += walk();
        printf("%s: %u ways, %llu moves, the same with and without forgetting\n", system_text(&what), n, (unsigned long long)moves);
    }
}

static bool is_chosen(unsigned system, int n, char **chosen) {
    for (int i = 0; i < n; i++)
        if ((unsigned)atoi(chosen[i]) == system)
            return true;
    return n == 0;
}

int main(int argc, char **argv) {
    unsigned n_walks = 0;
    int option;
    while ((option = getopt(argc, argv, "e:s:b:w:")) != -1) {
        if (option == '?')
            return 2;
        if (option == 's')
            most_seconds = atof(optarg);
        else if (option == 'w')
            n_walks = (unsigned)atoi(optarg);
        else
            *(option == 'e' ? &most_events : &bits) = (unsigned)atoi(optarg);
    }
    if (n_walks > 0) {
        walks(n_walks);
        return 0;
    }
    if (most_events >= MOST_LAYERS)
        return 2;
    store_open(bits);
    for (unsigned i = 0; i < N_SYSTEMS; i++) {
        if (!is_chosen(i, argc - optind, argv + optind))
            continue;
        printf("%u: ", i);
        if (!search(&systems[i]))
            printf("  out of time\n");
    }
    return 0;
}
