/* walks.c: long ways at random, with and without forgetting. */
#include "every.h"

static uint32_t roll(uint32_t sides) {
    static uint64_t dice = 1;
    dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(((dice >> 32) * sides) >> 32);
}

static void compare(const struct state *same, unsigned length) {
    if (memcmp(&at, same, state_bytes) != 0)
        broken = "what was forgotten makes a difference";
    if (!broken)
        return;
    printf("%s: %s, after %u moves; the core's bytes that differ:", system_text(&what), broken, length);
    for (size_t i = 0; i < state_bytes; i++)
        if (((const char *)&at)[i] != ((const char *)same)[i])
            printf(" %zu", i);
    printf("\n");
    exit(1);
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
        uint8_t verdict;
        move_do(moves[move]);
        verdict = core_verdict(&at.core);
        state_same();
        memcpy(&same, &at, sizeof at);
        memcpy(&at, &all, sizeof at);
        if (moves_of(others) != n || memcmp(moves, others, n * sizeof *moves) != 0)
            broken = "what was forgotten changes what may come";
        move_do(others[move]);
        if (at.core.exited && core_verdict(&at.core) != verdict)
            broken = "what was forgotten changes the verdict";
        memcpy(&all, &at, sizeof at);
        state_same();
        compare(&same, length);
    }
    return length;
}

void walks(const struct system *system, unsigned n) {
    uint64_t moves = 0;
    system_make(system);
    for (unsigned k = 0; k < n; k++)
        moves += walk();
    printf("%s: %u ways, %llu moves, the same with and without forgetting\n", system_text(&what), n, (unsigned long long)moves);
}
