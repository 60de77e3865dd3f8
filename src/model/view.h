/* model/view.h: one whole state of the page, as readers see it.
 *
 * `head` and the static arrays point into the page, the states into the reader's own copy, so a view
 * does not change until page_refresh() is called again.
 */
#ifndef MODEL_VIEW_H
#define MODEL_VIEW_H

#include "model/page.h"

struct page_view {
    const struct page_head *head;
    const struct page_check *checks;
    const struct page_unit *units;
    const struct page_checkpoint *checkpoints;
    const struct page_row *rows;
    const struct page_state *state;
    const struct page_unit_state *unit_states;
    const struct page_check_state *check_states;
    const struct page_checkpoint_state *checkpoint_states;
    const struct row *row_states;
    uint64_t generation;
};

/* A string of the page; "" for offset 0. All strings end inside the page: checked when it was opened. */
static inline const char *view_text(const struct page_view *view, uint32_t offset) {
    return offset == 0 ? "" : (const char *)view->head + offset;
}

#endif
