/* Any bytes as the page that net opens. The first five say how many units, checks, checkpoints, rows and bytes of
 * strings there are, and the head is laid out for them; then come three bytes each for changes in it, and behind a zero the rest.
 * What is opened is whole: every array, index and string stands inside.
 * For: src/sys/page.c */
#include <sys/mman.h>
#include <sys/stat.h>

#include "fuzz.h"

static char *page_bytes, *taken;
static size_t page_size;

static int fake_fstat(struct stat *st) {
    *st = (struct stat){.st_size = (off_t)page_size};
    return 0;
}

/* The page is read where it is, exactly as large as it is; the reader's own room is taken. */
static void *fake_mmap(size_t size, int fd) {
    if (fd >= 0)
        return page_bytes;
    return taken = calloc(1, size);
}

#define fstat(fd, st) fake_fstat(st)
#define mmap(at, size, rights, flags, fd, offset) fake_mmap(size, fd)
#include "sys/page.c"

static void string_is_inside(const struct page_view *view, uint32_t offset) {
    const char *text = view_text(view, offset);
    MUST(offset == 0 || (text >= page_bytes && text + strlen(text) < page_bytes + page_size));
}

static void all_is_inside(const struct page_view *view) {
    const struct page_head *head = view->head;
    uint64_t sum = 0;
    string_is_inside(view, head->version);
    string_is_inside(view, head->http_prestop);
    for (uint16_t i = 0; i < head->n_checks; i++) {
        string_is_inside(view, view->checks[i].target);
        sum += view->check_states[i].gen + view->unit_states[view->checks[i].unit].restarts;
        MUST(view->checks[i].kind < CHECK_N);
    }
    for (uint16_t i = 0; i < head->n_units; i++) {
        string_is_inside(view, view->units[i].name);
        string_is_inside(view, view->units[i].service_name);
        sum += view->units[i].ready == NONE ? 0 : view->check_states[view->units[i].ready].gen;
        sum += view->units[i].live == NONE ? 0 : view->check_states[view->units[i].live].gen;
    }
    for (uint16_t i = 0; i < head->n_checkpoints; i++) {
        string_is_inside(view, view->checkpoints[i].name);
        string_is_inside(view, view->checkpoints[i].dir);
        sum += view->checkpoint_states[i].attempts;
        MUST(strnlen(view->checkpoint_states[i].latest, CHECKPOINT_ID) < CHECKPOINT_ID);
        MUST(strnlen(view->checkpoint_states[i].restored, CHECKPOINT_ID) < CHECKPOINT_ID);
    }
    for (uint16_t i = 0; i < head->n_rows; i++) {
        string_is_inside(view, view->rows[i].name);
        sum += view->row_states[i].stage;
    }
    for (int i = 0; i < MAX_REPLIES; i++)
        sum += view->state->replies[i].code;
    MUST(memchr(view->state->cause, 0, sizeof view->state->cause) != NULL);
    __asm__ volatile("" : : "r"(sum)); /* all of it is read */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct page_reader reader = {0};
    size_t at = 5;
    if (size < 5)
        return 0;
    struct page_head head = lay_out(data[0] % 8, data[1] % 8, data[2] % 8, data[3] % 8);
    page_size = head.bytes + data[4];
    page_bytes = calloc(1, page_size);
    head.magic = PAGE_MAGIC;
    head.bytes = (uint32_t)page_size;
    memcpy(page_bytes, &head, sizeof head);
    for (; at + 3 <= size && data[at] != 0; at += 3)
        memcpy(page_bytes + data[at] % sizeof head, data + at + 1, 2);
    for (size_t to = sizeof head; ++at < size && to < page_size; to++)
        page_bytes[to] = (char)data[at];
    if (page_open(&reader, 0) && page_refresh(&reader)) {
        all_is_inside(&reader.view);
        MUST(page_refresh(&reader));
    }
    free(page_bytes);
    free(taken);
    taken = NULL;
    return 0;
}
