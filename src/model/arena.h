/* model/arena.h: storage that is handed out once and never taken back.
 *
 * All that lives as long as the program is carved from one arena before the loop begins; after that
 * nobody allocates. The caller owns the bytes.
 */
#ifndef MODEL_ARENA_H
#define MODEL_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena { char *at, *end; };

/* Zeroed, aligned to 8 bytes; NULL when the arena is full. The bytes behind `at` must be zero. */
static inline void *arena_take(struct arena *arena, size_t bytes) {
    size_t need = (bytes + 7) & ~(size_t)7;
    char *start = (char *)(((uintptr_t)arena->at + 7) & ~(uintptr_t)7);
    if (start > arena->end || need > (size_t)(arena->end - start))
        return NULL;
    arena->at = start + need;
    return start;
}

#endif
