/* sys/page.h: the page in shared memory: PID 1's half, which writes, and net's half, which reads.
 *
 * Invariants: PID 1 has the only writable mapping there will ever be (F_SEAL_FUTURE_WRITE), no child
 * inherits it (MADV_DONTFORK), and the size is fixed. The copy with the index (generation & 1) is
 * never written to. A reader that finds the generation moved while it copied has a torn copy, for the
 * writer may have begun on it as soon as the next generation was out: it copies again.
 */
#ifndef SYS_PAGE_H
#define SYS_PAGE_H

#include "model/spec.h"
#include "model/view.h"

/* ---- PID 1 ---- */

struct page {
    int fd;                    /* memfd, close-on-exec; becomes NET_PAGE in the helper */
    struct page_head *head;
    struct page_unit_state *units;   /* of the copy that page_begin_write() gave */
    struct page_check_state *checks;
    struct page_checkpoint_state *checkpoints;
    struct row *rows;
};

/* What is written once. */
struct page_plan {
    const struct config *config;
    const struct row *rows;    /* the plan's, all of them */
    uint16_t n_rows;
    const int16_t *check_fds;  /* by check: its descriptor in net, NET_FIRST_CHECK and up; -1, or NULL: none */
    uint32_t owner;            /* uid that may use the control socket, beside root */
    bool control;
};

/* Makes the memfd, maps it, writes the head, and seals it. Both copies are zero and generation is 0,
 * but for instants, which are NEVER. 0, or errno. */
int page_create(struct page *page, const struct page_plan *plan);

/* The spare copy, which holds what the current one holds; change it as you like, then publish it.
 * The doorbell is the caller's. */
struct page_state *page_begin_write(struct page *page);
void page_end_write(struct page *page);

/* ---- net ---- */

struct page_reader {
    struct page_view view;     /* valid after the first page_refresh() that returned true */
    const char *base;
    char *copy;
};

/* Maps the page read-only and checks every offset, size and string in it; takes the room for its
 * copy, so nothing allocates later. false: it is no page. */
bool page_open(struct page_reader *reader, int fd);

/* Copies the newest state into the view; false: PID 1 writes faster than we read (the view still
 * holds the last whole state if there was one), try again later. */
bool page_refresh(struct page_reader *reader);

#endif
