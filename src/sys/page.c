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

static uint32_t aligned(size_t bytes) { return (uint32_t)(bytes + 7) & ~7u; }

/* Where things stand; made from the four numbers alone, by writer and reader alike. The strings come last.
 * No sum can leave 32 bits: each number has 16, and no element 128 bytes or more. */
static struct page_head lay_out(uint16_t n_units, uint16_t n_checks, uint16_t n_checkpoints, uint16_t n_rows) {
    struct page_head head = {
        .n_units = n_units, .n_checks = n_checks, .n_checkpoints = n_checkpoints, .n_rows = n_rows,
    };
    head.state_bytes = aligned(sizeof(struct page_state)) + aligned(n_units * sizeof(struct page_unit_state)) +
                       aligned(n_checks * sizeof(struct page_check_state)) +
                       aligned(n_checkpoints * sizeof(struct page_checkpoint_state)) + aligned(n_rows * sizeof(struct row));
    head.checks = aligned(sizeof(struct page_head));
    head.units = head.checks + aligned(n_checks * sizeof(struct page_check));
    head.checkpoints = head.units + aligned(n_units * sizeof(struct page_unit));
    head.rows = head.checkpoints + aligned(n_checkpoints * sizeof(struct page_checkpoint));
    head.state[0] = head.rows + aligned(n_rows * sizeof(struct page_row));
    head.state[1] = head.state[0] + head.state_bytes;
    head.bytes = head.state[1] + head.state_bytes; /* and the strings */
    return head;
}

/* The arrays of one copy. */
struct parts {
    struct page_unit_state *units;
    struct page_check_state *checks;
    struct page_checkpoint_state *checkpoints;
    struct row *rows;
};

static struct parts parts_of(const struct page_head *head, char *copy) {
    struct parts parts;
    copy += aligned(sizeof(struct page_state));
    parts.units = (struct page_unit_state *)copy;
    copy += aligned(head->n_units * sizeof(struct page_unit_state));
    parts.checks = (struct page_check_state *)copy;
    copy += aligned(head->n_checks * sizeof(struct page_check_state));
    parts.checkpoints = (struct page_checkpoint_state *)copy;
    copy += aligned(head->n_checkpoints * sizeof(struct page_checkpoint_state));
    parts.rows = (struct row *)copy;
    return parts;
}

/* ---- PID 1 ---- */

/* The head and the static arrays, being written; strings go to `at`. */
struct writer { struct page_head *head; uint32_t at; };

static uint32_t put(struct writer *writer, const char *text) {
    uint32_t at = writer->at;
    if (text == NULL)
        return 0;
    writer->at += (uint32_t)strlen(text) + 1;
    memcpy((char *)writer->head + at, text, writer->at - at);
    return at;
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
    for (uint16_t i = 0; i < model->n_checkpoints; i++)
        n += bytes_of(model->steps[model->checkpoints[i].step].name) + bytes_of(plan->config->checkpoints[i].dir);
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

static void put_checkpoints(struct writer *writer, const struct page_plan *plan, struct page_checkpoint *into) {
    const struct model *model = &plan->config->model;
    for (uint16_t i = 0; i < model->n_checkpoints; i++) {
        const struct step_policy *step = &model->steps[model->checkpoints[i].step];
        into[i] = (struct page_checkpoint){
            .name = put(writer, step->name), .dir = put(writer, plan->config->checkpoints[i].dir), .service = step->for_service,
        };
    }
}

/* All that never changes. */
static void put_all(struct page_head *head, const struct page_plan *plan, const struct page_head *laid_out) {
    const struct model *model = &plan->config->model;
    struct page_row *rows = (struct page_row *)((char *)head + laid_out->rows);
    struct writer writer = {.head = head, .at = laid_out->bytes};
    *head = *laid_out;
    head->bytes += (uint32_t)string_bytes(plan);
    head->version = put(&writer, LASTCALL_VERSION);
    head->http_prestop = put(&writer, plan->config->http_prestop);
    put_checks(&writer, plan, (struct page_check *)((char *)head + head->checks));
    put_checkpoints(&writer, plan, (struct page_checkpoint *)((char *)head + head->checkpoints));
    put_units(&writer, model, (struct page_unit *)((char *)head + head->units));
    for (uint16_t i = 0; i < plan->n_rows; i++)
        rows[i].name = put(&writer, row_name(model, &plan->rows[i]));
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
    static const int seals[] = {F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_FUTURE_WRITE, F_SEAL_SEAL};
    void *base = MAP_FAILED;
    if (ftruncate(fd, (off_t)bytes) == 0)
        base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return base;
    madvise(base, bytes, MADV_DONTFORK);
    for (size_t i = 0; i < sizeof seals / sizeof *seals; i++)
        syscall(SYS_fcntl, fd, F_ADD_SEALS, seals[i]);
    return base;
}

static void first_state(const struct page_head *head, char *copy, const struct row *rows) {
    struct page_state *state = (struct page_state *)copy;
    struct parts parts = parts_of(head, copy);
    state->started = state->clock = state->asked = NEVER;
    state->phase = PH_N;
    state->exit = -1;
    for (uint16_t i = 0; i < head->n_units; i++)
        parts.units[i].exit = EXIT_UNKNOWN;
    for (uint16_t i = 0; i < head->n_checkpoints; i++)
        parts.checkpoints[i].exit = EXIT_UNKNOWN;
    if (head->n_rows > 0)
        memcpy(parts.rows, rows, head->n_rows * sizeof *rows);
}

int page_create(struct page *page, const struct page_plan *plan) {
    const struct model *model = &plan->config->model;
    struct page_head head = lay_out(model->n_units, model->n_checks, model->n_checkpoints, plan->n_rows);
    uint64_t bytes = head.bytes + string_bytes(plan);
    void *base;
    int error;
    *page = (struct page){.fd = sealable()};
    if (page->fd < 0)
        return errno;
    base = bytes <= INT32_MAX ? map_and_seal(page->fd, bytes) : MAP_FAILED;
    if (base == MAP_FAILED) {
        error = errno;
        close(page->fd);
        return error;
    }
    page->head = base;
    put_all(base, plan, &head);
    for (int i = 0; i < 2; i++)
        first_state(base, (char *)base + head.state[i], plan->rows);
    return 0;
}

struct page_state *page_begin_write(struct page *page) {
    struct page_head *head = page->head;
    uint64_t generation = atomic_load_explicit(&head->generation, memory_order_relaxed);
    char *spare = (char *)head + head->state[(generation + 1) & 1];
    struct parts parts = parts_of(head, spare);
    /* No byte of the spare copy may be seen to change before the generation that retired it. */
    atomic_thread_fence(memory_order_release);
    memcpy(spare, (char *)head + head->state[generation & 1], head->state_bytes);
    page->units = parts.units;
    page->checks = parts.checks;
    page->checkpoints = parts.checkpoints;
    page->rows = parts.rows;
    return (struct page_state *)spare;
}

void page_end_write(struct page *page) {
    uint64_t generation = atomic_load_explicit(&page->head->generation, memory_order_relaxed);
    atomic_store_explicit(&page->head->generation, generation + 1, memory_order_release);
}

/* ---- net ---- */

static bool good_index(uint16_t index, uint16_t n) { return index == NONE || index < n; }

/* A string must start behind the copies and before the page's last byte, which is a NUL. */
static bool good_text(const struct page_head *head, uint32_t offset) {
    return offset == 0 || (offset >= head->state[1] + head->state_bytes && offset < head->bytes);
}

static bool good_arrays(const struct page_view *view) {
    const struct page_head *head = view->head;
    bool good = good_text(head, head->version) && good_text(head, head->http_prestop);
    for (uint16_t i = 0; i < head->n_checks; i++)
        good &= good_text(head, view->checks[i].target) && view->checks[i].unit < head->n_units &&
                view->checks[i].kind < CHECK_N;
    for (uint16_t i = 0; i < head->n_units; i++)
        good &= good_text(head, view->units[i].name) && good_text(head, view->units[i].service_name) &&
                good_index(view->units[i].ready, head->n_checks) && good_index(view->units[i].live, head->n_checks);
    for (uint16_t i = 0; i < head->n_checkpoints; i++)
        good &= good_text(head, view->checkpoints[i].name) && good_text(head, view->checkpoints[i].dir);
    for (uint16_t i = 0; i < head->n_rows; i++)
        good &= good_text(head, view->rows[i].name);
    return good;
}

static bool good_head(const struct page_head *head, uint64_t bytes) {
    struct page_head want = lay_out(head->n_units, head->n_checks, head->n_checkpoints, head->n_rows);
    return head->magic == PAGE_MAGIC && head->bytes == bytes && want.bytes < bytes && head->checks == want.checks &&
           head->units == want.units && head->checkpoints == want.checkpoints && head->rows == want.rows && head->state[0] == want.state[0] &&
           head->state[1] == want.state[1] && head->state_bytes == want.state_bytes &&
           ((const char *)head)[bytes - 1] == 0;
}

bool page_open(struct page_reader *reader, int fd) {
    struct stat st;
    const struct page_head *head;
    if (fstat(fd, &st) < 0 || st.st_size < (off_t)sizeof *head || st.st_size > INT32_MAX)
        return false;
    head = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (head == MAP_FAILED || !good_head(head, (uint64_t)st.st_size))
        return false;
    *reader = (struct page_reader){.base = (const char *)head};
    reader->copy = mmap(NULL, 2 * (size_t)head->state_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                        0);
    if (reader->copy == MAP_FAILED)
        return false;
    reader->view = (struct page_view){
        .head = head,
        .checks = (const struct page_check *)(reader->base + head->checks),
        .units = (const struct page_unit *)(reader->base + head->units),
        .checkpoints = (const struct page_checkpoint *)(reader->base + head->checkpoints),
        .rows = (const struct page_row *)(reader->base + head->rows),
    };
    return good_arrays(&reader->view);
}

/* Texts in the state end, whatever was written there. */
static void end_texts(struct page_state *state, const struct parts *parts, uint16_t n_checkpoints) {
    state->cause[sizeof state->cause - 1] = 0;
    for (uint16_t i = 0; i < n_checkpoints; i++)
        parts->checkpoints[i].latest[CHECKPOINT_ID - 1] = parts->checkpoints[i].restored[CHECKPOINT_ID - 1] = 0;
}

/* The copy that is taken goes to the half that the view does not use, so a failure leaves it whole. */
bool page_refresh(struct page_reader *reader) {
    struct page_view *view = &reader->view;
    const struct page_head *head = view->head;
    char *into = reader->copy + ((const char *)view->state == reader->copy ? head->state_bytes : 0);
    for (int i = 0; i < TRIES; i++) {
        uint64_t generation = atomic_load_explicit(&head->generation, memory_order_acquire);
        struct parts parts = parts_of(head, into);
        if (view->state != NULL && generation == view->generation)
            return true;
        memcpy(into, reader->base + head->state[generation & 1], head->state_bytes);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&head->generation, memory_order_relaxed) != generation)
            continue;
        end_texts((struct page_state *)into, &parts, head->n_checkpoints);
        view->state = (const struct page_state *)into;
        view->unit_states = parts.units;
        view->check_states = parts.checks;
        view->checkpoint_states = parts.checkpoints;
        view->row_states = parts.rows;
        view->generation = generation;
        return true;
    }
    return false;
}
