#include "sys/page.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <fcntl.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
enum { NOEXEC_SEAL = 8 }; /* MFD_NOEXEC_SEAL, 6.3: some kernels insist on it, older ones refuse it */
enum { TRIES = 64 };

static uint64_t aligned(uint64_t bytes) { return (bytes + 7) & ~UINT64_C(7); }

/* Where things stand; made from the four numbers alone, by writer and reader alike. */
struct places {
    uint64_t checks, units, rows, state[2], strings;
    uint64_t unit_states, check_states, row_states, state_bytes; /* within a copy */
};

static struct places places_of(uint32_t n_units, uint32_t n_checks, uint32_t n_rows) {
    struct places at;
    at.unit_states = aligned(sizeof(struct page_state));
    at.check_states = at.unit_states + aligned(n_units * (uint64_t)sizeof(struct page_unit_state));
    at.row_states = at.check_states + aligned(n_checks * (uint64_t)sizeof(struct page_check_state));
    at.state_bytes = at.row_states + aligned(n_rows * (uint64_t)sizeof(struct row));
    at.checks = aligned(sizeof(struct page_head));
    at.units = at.checks + aligned(n_checks * (uint64_t)sizeof(struct page_check));
    at.rows = at.units + aligned(n_units * (uint64_t)sizeof(struct page_unit));
    at.state[0] = at.rows + aligned(n_rows * (uint64_t)sizeof(struct page_row));
    at.state[1] = at.state[0] + at.state_bytes;
    at.strings = at.state[1] + at.state_bytes;
    return at;
}

/* ---- PID 1 ---- */

/* The head and the static arrays, being written; strings go to `at`. */
struct writer { struct page_head *head; uint64_t at; };

static uint32_t put(struct writer *writer, const char *text) {
    uint64_t at = writer->at, n;
    if (text == NULL)
        return 0;
    n = strlen(text) + 1;
    memcpy((char *)writer->head + at, text, n);
    writer->at += n;
    return (uint32_t)at;
}

static uint64_t bytes_of(const char *text) { return text == NULL ? 0 : strlen(text) + 1; }

/* All strings, and the page's last byte. */
static uint64_t string_bytes(const struct page_plan *plan) {
    const struct model *model = &plan->config->model;
    uint64_t n = sizeof LASTCALL_VERSION + bytes_of(plan->config->http_prestop) + 1;
    for (uint16_t i = 0; i < model->n_checks; i++)
        n += bytes_of(model->checks[i].target);
    for (uint16_t i = 0; i < model->n_units; i++)
        n += bytes_of(model->units[i].name) + bytes_of(model->services[model->units[i].service].name);
    for (uint16_t i = 0; i < plan->n_rows; i++)
        n += bytes_of(row_name(model, &plan->rows[i]));
    return n;
}

static void put_checks(struct writer *writer, const struct page_plan *plan, struct page_check *into) {
    const struct model *model = &plan->config->model;
    for (uint16_t i = 0; i < model->n_checks; i++) {
        const struct check_policy *check = &model->checks[i];
        into[i] = (struct page_check){
            .target = put(writer, check->target), .kind = check->kind, .live = check->live, .unit = check->unit,
            .successes = check->successes, .failures = check->failures,
            .fd = plan->check_fds != NULL ? plan->check_fds[i] : -1,
            .every = check->every, .timeout = check->timeout,
        };
    }
}

static void put_units(struct writer *writer, const struct model *model, struct page_unit *into) {
    for (uint16_t i = 0; i < model->n_units; i++) {
        const struct unit_policy *unit = &model->units[i];
        into[i] = (struct page_unit){
            .name = put(writer, unit->name), .service_name = put(writer, model->services[unit->service].name),
            .service = unit->service, .ready = unit->ready, .live = unit->live,
        };
    }
}

/* All that never changes. */
static void put_all(struct page_head *head, const struct page_plan *plan, const struct places *at, uint64_t bytes) {
    const struct model *model = &plan->config->model;
    struct page_row *rows = (struct page_row *)((char *)head + at->rows);
    struct writer writer = {.head = head, .at = at->strings};
    head->version = put(&writer, LASTCALL_VERSION);
    head->http_prestop = put(&writer, plan->config->http_prestop);
    put_checks(&writer, plan, (struct page_check *)((char *)head + at->checks));
    put_units(&writer, model, (struct page_unit *)((char *)head + at->units));
    for (uint16_t i = 0; i < plan->n_rows; i++)
        rows[i].name = put(&writer, row_name(model, &plan->rows[i]));
    head->bytes = (uint32_t)bytes;
    head->state[0] = (uint32_t)at->state[0];
    head->state[1] = (uint32_t)at->state[1];
    head->state_bytes = (uint32_t)at->state_bytes;
    head->checks = (uint32_t)at->checks;
    head->units = (uint32_t)at->units;
    head->rows = (uint32_t)at->rows;
    head->n_checks = model->n_checks;
    head->n_units = model->n_units;
    head->n_rows = plan->n_rows;
    head->n_services = model->n_services;
    head->owner = plan->owner;
    head->control = plan->control;
    head->magic = PAGE_MAGIC;
}

static int sealable(void) {
    int fd = memfd_create("lastcall-page", MFD_CLOEXEC | MFD_ALLOW_SEALING | NOEXEC_SEAL);
    return fd < 0 && errno == EINVAL ? memfd_create("lastcall-page", MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

/* The seals are a second fence: kernels before 5.1 have no FUTURE_WRITE, and are used without it. */
static void *map_and_seal(int fd, uint64_t bytes) {
    void *base = MAP_FAILED;
    if (ftruncate(fd, (off_t)bytes) == 0)
        base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return base;
    madvise(base, bytes, MADV_DONTFORK);
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
    fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL);
    return base;
}

static void first_state(char *base, const struct page_plan *plan, const struct places *at) {
    struct page_state *state = (struct page_state *)base;
    struct page_unit_state *units = (struct page_unit_state *)(base + at->unit_states);
    state->started = state->clock = state->asked = NEVER;
    state->phase = PH_N;
    state->exit = -1;
    for (uint16_t i = 0; i < plan->config->model.n_units; i++)
        units[i].exit = EXIT_UNKNOWN;
    if (plan->n_rows > 0)
        memcpy(base + at->row_states, plan->rows, plan->n_rows * sizeof(struct row));
}

int page_create(struct page *page, const struct page_plan *plan) {
    const struct model *model = &plan->config->model;
    struct places at = places_of(model->n_units, model->n_checks, plan->n_rows);
    uint64_t bytes = at.strings + string_bytes(plan);
    void *base;
    int error;
    *page = (struct page){.fd = sealable()};
    if (page->fd < 0)
        return errno;
    base = bytes <= UINT32_MAX ? map_and_seal(page->fd, bytes) : MAP_FAILED;
    if (base == MAP_FAILED) {
        error = errno;
        close(page->fd);
        return error;
    }
    page->head = base;
    put_all(base, plan, &at, bytes);
    for (int copy = 0; copy < 2; copy++)
        first_state((char *)base + at.state[copy], plan, &at);
    return 0;
}

struct page_state *page_begin_write(struct page *page) {
    struct page_head *head = page->head;
    struct places at = places_of(head->n_units, head->n_checks, head->n_rows);
    uint64_t generation = atomic_load_explicit(&head->generation, memory_order_relaxed);
    char *spare = (char *)head + head->state[(generation + 1) & 1];
    /* No byte of the spare copy may be seen to change before the generation that retired it. */
    atomic_thread_fence(memory_order_release);
    memcpy(spare, (char *)head + head->state[generation & 1], head->state_bytes);
    page->units = (struct page_unit_state *)(spare + at.unit_states);
    page->checks = (struct page_check_state *)(spare + at.check_states);
    page->rows = (struct row *)(spare + at.row_states);
    return (struct page_state *)spare;
}

void page_end_write(struct page *page) {
    uint64_t generation = atomic_load_explicit(&page->head->generation, memory_order_relaxed);
    atomic_store_explicit(&page->head->generation, generation + 1, memory_order_release);
}

/* ---- net ---- */

/* A string must start behind the copies and end before the page does; its last byte is a NUL. */
static bool good_text(const struct page_head *head, const struct places *at, uint32_t offset) {
    return offset == 0 || (offset >= at->strings && offset < head->bytes);
}

static bool good_index(uint16_t index, uint16_t n) { return index == NONE || index < n; }

static bool good_arrays(const struct page_view *view, const struct places *at) {
    const struct page_head *head = view->head;
    for (uint16_t i = 0; i < head->n_checks; i++)
        if (!good_text(head, at, view->checks[i].target) || view->checks[i].unit >= head->n_units ||
            view->checks[i].kind >= CHECK_N)
            return false;
    for (uint16_t i = 0; i < head->n_units; i++)
        if (!good_text(head, at, view->units[i].name) || !good_text(head, at, view->units[i].service_name) ||
            !good_index(view->units[i].ready, head->n_checks) || !good_index(view->units[i].live, head->n_checks))
            return false;
    for (uint16_t i = 0; i < head->n_rows; i++)
        if (!good_text(head, at, view->rows[i].name))
            return false;
    return good_text(head, at, head->version) && good_text(head, at, head->http_prestop);
}

static bool good_head(const struct page_head *head, uint64_t bytes, const struct places *at) {
    return head->magic == PAGE_MAGIC && head->bytes == bytes && at->strings < bytes &&
           head->state[0] == at->state[0] && head->state[1] == at->state[1] &&
           head->state_bytes == at->state_bytes && head->checks == at->checks && head->units == at->units &&
           head->rows == at->rows && ((const char *)head)[bytes - 1] == 0;
}

bool page_open(struct page_reader *reader, int fd) {
    struct stat st;
    const struct page_head *head;
    struct places at;
    char *copy;
    if (fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof *head || st.st_size > (off_t)UINT32_MAX)
        return false;
    head = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (head == MAP_FAILED)
        return false;
    at = places_of(head->n_units, head->n_checks, head->n_rows);
    if (!good_head(head, (uint64_t)st.st_size, &at))
        return false;
    copy = mmap(NULL, 2 * at.state_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        return false;
    *reader = (struct page_reader){.base = (const char *)head, .copy = copy};
    reader->view = (struct page_view){
        .head = head,
        .checks = (const struct page_check *)(reader->base + at.checks),
        .units = (const struct page_unit *)(reader->base + at.units),
        .rows = (const struct page_row *)(reader->base + at.rows),
        .state = NULL,
    };
    return good_arrays(&reader->view, &at);
}

/* The copy that is taken goes to the half that the view does not use, so a failure leaves it whole. */
bool page_refresh(struct page_reader *reader) {
    struct page_view *view = &reader->view;
    const struct page_head *head = view->head;
    struct places at = places_of(head->n_units, head->n_checks, head->n_rows);
    char *into = reader->copy + ((const char *)view->state == reader->copy ? at.state_bytes : 0);
    for (int i = 0; i < TRIES; i++) {
        uint64_t generation = atomic_load_explicit(&head->generation, memory_order_acquire);
        if (view->state != NULL && generation == view->generation)
            return true;
        memcpy(into, reader->base + head->state[generation & 1], head->state_bytes);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&head->generation, memory_order_relaxed) != generation)
            continue;
        view->state = (const struct page_state *)into;
        view->unit_states = (const struct page_unit_state *)(into + at.unit_states);
        view->check_states = (const struct page_check_state *)(into + at.check_states);
        view->row_states = (const struct row *)(into + at.row_states);
        view->generation = generation;
        return true;
    }
    return false;
}
