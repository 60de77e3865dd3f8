/* tests/unit/checkpoint_support.h: one checkpoint, of one service.
 */
#ifndef TESTS_CHECKPOINT_SUPPORT_H
#define TESTS_CHECKPOINT_SUPPORT_H

#include "support.h"

static uint16_t web, save;

static UNUSED void with_checkpoint(uint8_t phase, bool has_restore) {
    new_model();
    web = main_service("web");
    save = checkpoint("state", phase, web);
    s.checkpoints[0].has_restore = has_restore;
}

/* The last run's record has been read. */
static UNUSED void recorded(void) { ends(record_slot(), 0); }

static UNUSED void begin_restored(void) {
    begin();
    recorded();
    if (s.checkpoints[0].has_restore)
        ends(step_slot(save), 0);
}

static UNUSED void recorded_again(void) {
    if (s.alive[record_slot()])
        ends(record_slot(), 0);
}

static UNUSED struct action last_spawn(uint16_t slot) {
    struct action last = {0};
    for (uint32_t i = 0; i < s.n_said; i++)
        if (s.said[i].action.kind == A_SPAWN && s.said[i].action.job.job == slot)
            last = s.said[i].action;
    return last;
}

#endif
