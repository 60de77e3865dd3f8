/* The page: what PID 1 has written is what net reads, whole, and nobody else can write it. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>

#include "sys/page.c"

enum { UNITS = 3, ROWS = 40, SEEN = 2000 };

static struct service services[UNITS] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
static struct unit_policy units[UNITS];
static struct check_policy checks[1] = {{.kind = CHECK_TCP, .target = "127.0.0.1:80", .unit = 2, .successes = 1,
                                         .failures = 3, .every = {NS_PER_S}, .timeout = {NS_PER_MS}}};
static struct row rows[ROWS];
static struct config config;
static struct page page;
static struct page_reader reader;

static void setup(void) {
    static const int16_t fds[] = {-1};
    for (int i = 0; i < UNITS; i++)
        units[i] = (struct unit_policy){.name = services[i].name, .service = (uint16_t)i, .ready = NONE, .live = NONE};
    units[2].ready = 0;
    for (int i = 0; i < ROWS; i++)
        rows[i] = (struct row){.phase = PH_SWEEP, .subject = NONE, .stage = (uint16_t)i};
    config.model = (struct model){.services = services, .units = units, .checks = checks, .n_services = UNITS,
                                  .n_units = UNITS, .n_checks = 1};
    config.http_prestop = "token";
    struct page_plan plan = {.config = &config, .rows = rows, .n_rows = ROWS, .check_fds = fds, .owner = 7};
    cr_assert_eq(page_create(&page, &plan), 0);
    cr_assert(page_open(&reader, page.fd));
}

TestSuite(page, .init = setup);

Test(page, the_static_half) {
    cr_assert(page_refresh(&reader));
    const struct page_view *view = &reader.view;
    cr_assert_str_eq(view_text(view, view->units[1].name), "b");
    cr_assert_str_eq(view_text(view, view->checks[0].target), "127.0.0.1:80");
    cr_assert_str_eq(view_text(view, view->rows[0].name), "sweep");
    cr_assert_str_eq(view_text(view, view->head->version), LASTCALL_VERSION);
    cr_assert_str_eq(view_text(view, view->head->http_prestop), "token");
    cr_assert_str_eq(view_text(view, 0), "");
    cr_assert_eq(view->head->owner, 7);
    cr_assert_eq(view->units[2].ready, 0);
    cr_assert_eq(view->row_states[ROWS - 1].stage, ROWS - 1);
    cr_assert(is_never(view->state->clock));
    cr_assert_eq(view->unit_states[0].exit, EXIT_UNKNOWN);
}

Test(page, nothing_shows_before_it_is_published) {
    struct page_state *state = page_begin_write(&page);
    state->ready = true;
    page.units[1].pid = 9;
    cr_assert(page_refresh(&reader));
    cr_assert_not(reader.view.state->ready);
    page_end_write(&page);
    cr_assert_not(reader.view.state->ready, "a view changes by page_refresh alone");
    cr_assert(page_refresh(&reader));
    cr_assert(reader.view.state->ready);
    cr_assert_eq(reader.view.unit_states[1].pid, 9);
    cr_assert(page_begin_write(&page)->ready, "the next copy begins as the last one ended");
}

Test(page, a_cause_without_an_end_gets_one) {
    struct page_state *state = page_begin_write(&page);
    memset(state->cause, 'x', sizeof state->cause);
    page_end_write(&page);
    cr_assert(page_refresh(&reader));
    cr_assert_eq(strnlen(reader.view.state->cause, sizeof state->cause), sizeof state->cause - 1);
}

Test(page, nobody_else_can_write) {
    char byte = 1;
    cr_assert_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, page.fd, 0), MAP_FAILED);
    cr_assert_eq(write(page.fd, &byte, 1), -1);
    cr_assert_eq(ftruncate(page.fd, 0), -1);
    cr_assert_eq(syscall(SYS_fcntl, page.fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
}

static _Atomic bool enough;

/* Everything in one state is the same number. Now and then it rests, so that a reader can keep up. */
static void *writer(void *unused) {
    for (uint32_t k = 1; !enough; k++) {
        struct page_state *state = page_begin_write(&page);
        state->orphans = k;
        for (int i = 0; i < UNITS; i++)
            page.units[i].restarts = k;
        for (int i = 0; i < ROWS; i++)
            page.rows[i].start.ns = k;
        state->pulse = k;
        page_end_write(&page);
        if (k % 16 == 0)
            sched_yield();
    }
    return unused;
}

Test(page, no_reader_sees_half_a_state) {
    pthread_t thread;
    uint64_t last = 0, seen = 0;
    cr_assert_eq(pthread_create(&thread, NULL, writer, NULL), 0);
    while (seen < SEEN) {
        const struct page_view *view = &reader.view;
        if (!page_refresh(&reader))
            continue;
        uint64_t k = view->state->orphans;
        cr_assert_geq(k, last);
        seen += k != last;
        last = k;
        cr_assert_eq(view->state->pulse, k);
        for (int i = 0; k > 0 && i < UNITS; i++)
            cr_assert_eq(view->unit_states[i].restarts, k);
        for (int i = 0; k > 0 && i < ROWS; i++)
            cr_assert_eq(view->row_states[i].start.ns, (int64_t)k);
    }
    enough = true;
    pthread_join(thread, NULL);
}

/* PID 1's own mapping stands in for a page that has gone wrong. */
static bool opens(void) {
    struct page_reader another;
    return page_open(&another, page.fd);
}

#define REFUSED(field, bad) do {        \
        struct page_head before = *page.head; \
        page.head->field = (bad);       \
        cr_assert_not(opens(), #field); \
        *page.head = before;            \
    } while (0)

Test(page, a_wrong_page_is_refused) {
    REFUSED(magic, 1);
    REFUSED(bytes, page.head->bytes - 1);
    REFUSED(n_units, UNITS + 1);
    REFUSED(n_rows, UINT16_MAX);
    REFUSED(state[1], 0);
    REFUSED(checks, page.head->checks + 8);
    REFUSED(version, page.head->bytes);
    REFUSED(version, 8);
    cr_assert(opens());
    struct page_unit *unit = (struct page_unit *)((char *)page.head + page.head->units);
    unit[0].name = UINT32_MAX;
    cr_assert_not(opens());
    unit[0].name = 0;
    unit[0].ready = 1;
    cr_assert_not(opens());
    unit[0].ready = NONE;
    cr_assert(opens());
    ((char *)page.head)[page.head->bytes - 1] = 'x';
    cr_assert_not(opens());
    cr_assert_not(page_open(&reader, 0));
}
