/* main.c: the search.
 *
 *   every [-e EVENTS] [-s SECONDS] [-b BITS] [SYSTEM...]   all states, with so many events from outside at most, in
 *                                                       so much time; BITS: a table of 2^BITS states
 *   every -t [-e EVENTS] [SYSTEM...]                    twice, with and without forgetting: do they end the same?
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
    {2, 2, 0, SETTLE | RESTORE | CHAINED | UNDO | SCHEDULE}, {2, 2, 0, MAIN | SAVE | RESTORE | ON_DEMAND},
    {2, 2, 0, MAIN | SAVE | RESTORE | SCHEDULE | ON_DEMAND},
};
enum { N_SYSTEMS = sizeof systems / sizeof *systems };

static unsigned most_events = 1, bits = 20;
static double most_seconds = 1e9;
static struct found found[2 * N_SYSTEMS], *now;

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

/* What others learn of an end: by how few events it is reached. */
static void look_how_it_ends(unsigned layer) {
    static const uint8_t of_cause[BY_N] = {[BY_MAIN] = 1, [BY_SERVICE] = 2, [BY_ALL_ENDED] = 3, [BY_RESTORE] = 4};
    int code = at.core.exit_code;
    unsigned how = core_verdict(&at.core) * 16u + of_cause[at.core.walk.cause] * 3u + (code == 0 ? 0 : code == 124 ? 1 : 2);
    if (now->how[how] == 0)
        now->n_how++;
    if (now->how[how] == 0 || now->how[how] > layer + 1)
        now->how[how] = (uint8_t)(layer + 1);
}

/* Its place in the table, if nobody has been here with as few events. */
static void meet(unsigned layer, uint32_t parent, unsigned move) {
    struct visited *here;
    uint64_t name;
    if (at.core.exited)
        look_how_it_ends(layer);
    state_same();
    name = state_name();
    here = store_find(name);
    if (here->name != 0 && (here->done || here->layer <= layer))
        return;
    *here = (struct visited){.name = name, .parent = parent, .layer = (uint8_t)layer, .move = (uint8_t)move};
    if (at.core.exited)
        now->ends++, now->states++, here->done = true;
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
        now->moves++;
        move_do(moves[i]);
        if (broken)
            tell_way(place, i);
        meet(layer + outside, place, i);
    }
}

static void say(const char *what_of, const struct found *it) {
    printf("%s: %llu states, %llu moves, %llu ends of %u kinds, %.1f s\n", what_of, (unsigned long long)it->states,
           (unsigned long long)it->moves, (unsigned long long)it->ends, it->n_how, it->seconds);
    fflush(stdout);
}

static void begin(const struct system *system) {
    struct visited *first;
    system_make(system);
    state_begin();
    state_same();
    store_clear();
    *now = (struct found){0};
    first = store_find(state_name());
    *first = (struct visited){.name = state_name(), .parent = store_place(first)};
    store_push(0, store_place(first));
}

/* All states with so many events from outside. false: out of time */
static bool visit(unsigned layer, double began) {
    uint32_t place;
    while (store_pop(layer, &place)) {
        if (store_at(place)->done)
            continue;
        store_at(place)->done = true;
        if (now->states++ % 4096 == 0 && seconds() - began > most_seconds)
            return false;
        expand(layer, place);
    }
    return true;
}

static bool search(const struct system *system, bool layers) {
    double began = seconds();
    begin(system);
    for (unsigned layer = 0; layer <= most_events; layer++) {
        char text[32];
        uint64_t before_it = now->moves;
        bool in_time = visit(layer, began);
        now->seconds = seconds() - began;
        snprintf(text, sizeof text, "  %u events", layer);
        if (layers)
            say(text, now);
        if (!in_time)
            return false;
        if (now->moves == before_it)
            break;
    }
    return true;
}

static void each(unsigned i) {
    printf("%u: %s\n", i, system_text(&systems[i]));
    now = &found[i];
    if (!search(&systems[i], true))
        printf("  out of time\n");
}

/* Visited twice: what is forgotten makes fewer states, and the same ends, by as few events. */
static void twice(unsigned i) {
    struct found *with = &found[i], *without = &found[N_SYSTEMS + i];
    now = with;
    search(&systems[i], false);
    forgets = false;
    now = without;
    search(&systems[i], false);
    forgets = true;
    if (memcmp(with->how, without->how, sizeof with->how) != 0) {
        printf("%u: %s: what is forgotten changes how it ends\n", i, system_text(&systems[i]));
        exit(1);
    }
    printf("%u: %s: %llu states for %llu, the same %u kinds of ends\n", i, system_text(&systems[i]),
           (unsigned long long)with->states, (unsigned long long)without->states, with->n_how);
}

static void summary(void) {
    struct found all = {0};
    for (unsigned i = 0; i < N_SYSTEMS; i++) {
        char text[240];
        snprintf(text, sizeof text, "%u: %s", i, system_text(&systems[i]));
        if (found[i].states > 0)
            say(text, &found[i]);
        for (unsigned how = 0; how < sizeof all.how; how++)
            all.n_how += found[i].how[how] && !all.how[how], all.how[how] |= found[i].how[how];
        all.states += found[i].states, all.moves += found[i].moves, all.ends += found[i].ends, all.seconds += found[i].seconds;
    }
    say("all", &all);
}

static bool is_chosen(unsigned system, int n, char **chosen) {
    for (int i = 0; i < n; i++)
        if ((unsigned)atoi(chosen[i]) == system)
            return true;
    return n == 0;
}

int main(int argc, char **argv) {
    unsigned n_walks = 0;
    bool both = false;
    int option;
    while ((option = getopt(argc, argv, "e:s:b:w:t")) != -1) {
        switch (option) {
        case 'e': most_events = (unsigned)atoi(optarg); break;
        case 's': most_seconds = atof(optarg); break;
        case 'b': bits = (unsigned)atoi(optarg); break;
        case 'w': n_walks = (unsigned)atoi(optarg); break;
        case 't': both = true; break;
        default: return 2;
        }
    }
    if (most_events >= MOST_LAYERS)
        return 2;
    if (n_walks == 0)
        store_open(bits);
    for (unsigned i = 0; i < N_SYSTEMS; i++) {
        if (!is_chosen(i, argc - optind, argv + optind))
            continue;
        if (n_walks > 0)
            walks(&systems[i], n_walks);
        else
            (both ? twice : each)(i);
    }
    if (n_walks == 0 && !both)
        summary();
    return 0;
}
