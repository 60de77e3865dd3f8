/* shrink.c: a scene that fails becomes a small one that breaks the same rule. Whatever may be left out is tried, in
 * halves, quarters and so on; then every word that is left is made plain, or at least round. */
#include "fields.h"

enum { MOST_TRIES = 40000 };

static struct scene best;
static const char *rule;
static uint32_t tries;

/* Does it still fail? If not, all is as before. */
static bool still_fails(void) {
    scene_finish();
    if (tries++ < MOST_TRIES && scene_valid() && !story(sim.seed, READ) && sim.rule == rule) {
        best = scene;
        return true;
    }
    scene = best;
    return false;
}

/* ---- leaving out ---- */

/* The new number of `index` where n from `first` on are gone; NONE: it is one of them. */
static uint16_t moved(uint16_t index, uint16_t first, uint16_t n) {
    if (index == NONE || index < first)
        return index;
    return index < first + n ? (uint16_t)NONE : (uint16_t)(index - n);
}

static void cut(uint8_t kind, uint16_t first, uint16_t n) {
    uint16_t *count = part_count(kind);
    memmove(part_at(kind, first), part_at(kind, (uint16_t)(first + n)), (size_t)(*count - first - n) * parts[kind].size);
    *count = (uint16_t)(*count - n);
}

/* Processes whose owners are gone go too. commands: a set of enum command_kind. */
static void move_fates(uint32_t commands, uint16_t first, uint16_t n) {
    for (uint16_t i = scene.n_fates; i > 0; i--) {
        struct born *it = &scene.fates[i - 1];
        if (!(commands >> it->what & 1))
            continue;
        it->owner = moved(it->owner, first, n);
        if (it->owner == NONE)
            cut(PART_PROCESS, (uint16_t)(i - 1), 1);
    }
}

static bool asks_service(const struct event *event) {
    return event->kind == EV_ASK && event->verb >= ASK_START_UNIT && event->verb <= ASK_SIGNAL_UNIT;
}
static bool is_extension(const struct event *event) { return event->kind == EV_EXTEND; }
static bool is_answer(const struct event *event) { return event->kind == EV_CHECK; }

static void move_events(bool (*concerned)(const struct event *event), uint16_t first, uint16_t n) {
    for (uint16_t i = scene.n_events; i > 0; i--) {
        struct event *it = &scene.events[i - 1].event;
        if (!concerned(it))
            continue;
        it->subject = moved(it->subject, first, n);
        if (it->subject == NONE)
            cut(PART_EVENT, (uint16_t)(i - 1), 1);
    }
}

static void drop_checks(uint16_t first, uint16_t n) {
    move_fates(1u << CMD_CHECK, first, n);
    move_events(is_answer, first, n);
    cut(PART_CHECK, first, n);
}

static void drop_units(uint16_t first, uint16_t n) {
    move_fates(1u << CMD_RUN | 1u << CMD_STOP | 1u << CMD_RELOAD, first, n);
    move_events(is_extension, first, n);
    for (uint16_t i = scene.model.n_checks; i > 0; i--) {
        scene.checks[i - 1].unit = moved(scene.checks[i - 1].unit, first, n);
        if (scene.checks[i - 1].unit == NONE)
            drop_checks((uint16_t)(i - 1), 1);
    }
}

static void drop_steps(uint16_t first, uint16_t n) {
    move_fates(1u << CMD_STEP | 1u << CMD_ONLY_IF | 1u << CMD_UNDO | 1u << CMD_SAVE | 1u << CMD_RESTORE, first, n);
    cut(PART_STEP, first, n);
    for (uint16_t i = 0; i < scene.model.n_steps; i++) {
        struct step_policy *it = &scene.steps[i];
        it->run_if_step = moved(it->run_if_step, first, n);
        if (it->run_if_step == NONE)
            it->run_if = RUN_ALWAYS;
    }
}

static void drop_services(uint16_t first, uint16_t n) {
    uint16_t unit = scene.services[first].first_unit, units = 0, left = (uint16_t)(scene.model.n_services - first - n);
    for (uint16_t i = first; i < first + n; i++)
        units = (uint16_t)(units + scene.services[i].n_units);
    drop_units(unit, units);
    move_events(asks_service, first, n);
    scene.model.main = moved(scene.model.main, first, n);
    memmove(scene.afters + first, scene.afters + first + n, left * sizeof *scene.afters);
    cut(PART_SERVICE, first, n);
    for (uint16_t i = 0; i < scene.model.n_services; i++) {
        uint16_t kept = 0;
        for (uint16_t k = 0; k < scene.services[i].n_after; k++)
            if ((scene.afters[i][kept] = moved(scene.afters[i][k], first, n)) != NONE)
                kept++;
        scene.services[i].n_after = kept;
    }
    for (uint16_t i = 0; i < scene.model.n_steps; i++) {
        scene.steps[i].for_service = moved(scene.steps[i].for_service, first, n);
        scene.steps[i].target = moved(scene.steps[i].target, first, n);
    }
}

static void drop(uint8_t kind, uint16_t first, uint16_t n) {
    if (kind == PART_SERVICE)
        drop_services(first, n);
    else if (kind == PART_CHECK)
        drop_checks(first, n);
    else if (kind == PART_STEP)
        drop_steps(first, n);
    else
        cut(kind, first, n);
}

static bool leave_out(uint8_t kind) {
    bool any = false;
    for (uint16_t n = *part_count(kind); n > 0; n /= 2)
        for (int first = *part_count(kind) - n; first >= 0; first -= n) {
            drop(kind, (uint16_t)first, n);
            any |= still_fails();
            if (first > *part_count(kind) - n)
                first = *part_count(kind); /* more went than was asked for */
        }
    return any;
}

/* Replicas, and what a service waits for. */
static bool leave_out_of_services(void) {
    bool any = false;
    for (uint16_t i = 0; i < scene.model.n_services; i++) {
        for (bool less = true; less && scene.services[i].n_units > 1; any |= less) {
            drop_units((uint16_t)(scene.services[i].first_unit + scene.services[i].n_units - 1), 1);
            scene.services[i].n_units--;
            less = still_fails();
        }
        for (uint16_t k = scene.services[i].n_after; k > 0; k--) {
            scene.afters[i][k - 1] = scene.afters[i][scene.services[i].n_after - 1];
            scene.services[i].n_after--;
            any |= still_fails();
        }
    }
    return any;
}

/* ---- making plain ---- */

static bool put(uint8_t kind, uint16_t which, const struct field *field, int64_t value) {
    field_set(part_at(kind, which), field, value);
    return still_fails();
}

static bool make_plain(uint8_t kind, uint16_t which, const struct field *field) {
    static const int64_t units[] = {10 * NS_PER_S, NS_PER_S, NS_PER_S / 10, NS_PER_MS};
    const void *it = part_at(kind, which);
    int64_t value = field_get(it, field);
    bool is_list = field->type == F_AFTER || field->type == F_STOP;
    if (kind == PART_PROCESS && field - parts[kind].fields < 3)
        return false; /* which process it is */
    if (field->type == F_U16 && kind == PART_SERVICE && field->offset == offsetof(struct service, n_units))
        return false;
    if (field->type == F_STOP && scene.services[which].n_stop == 1 && scene.services[which].stop[0].signal == K_TERM)
        return false;
    if (field->type == F_AFTER && scene.services[which].n_after == 0)
        return false;
    if ((value != field->plain || is_list) && put(kind, which, field, field->plain))
        return true;
    for (unsigned i = 0; i < 4 && field->type == F_TIME && value > 0 && value != INT64_MAX && value != field->plain; i++) {
        int64_t round = value / units[i] * units[i];
        if (round == value)
            return false;
        if (put(kind, which, field, round) || put(kind, which, field, round + units[i]))
            return true;
    }
    return false;
}

static bool make_all_plain(void) {
    bool any = false;
    for (uint8_t kind = 0; kind < PARTS; kind++)
        for (uint16_t i = 0; i < (part_count(kind) ? *part_count(kind) : 1); i++)
            for (unsigned f = 0; f < parts[kind].n_fields; f++)
                any |= make_plain(kind, i, &parts[kind].fields[f]);
    return any;
}

/* The scene has been recorded or read, and fails when it is played. The number of tries. */
uint32_t shrink(void) {
    bool any = true;
    bool trace = sim.trace;
    rule = sim.rule;
    best = scene;
    sim.trace = false;
    for (tries = 0; any && tries < MOST_TRIES;) {
        any = leave_out(PART_EVENT);
        any |= leave_out(PART_SERVICE);
        any |= leave_out(PART_STEP);
        any |= leave_out(PART_CHECK);
        any |= leave_out(PART_PROCESS);
        any |= leave_out(PART_TURN);
        any |= leave_out_of_services();
        any |= make_all_plain();
    }
    sim.trace = trace;
    story(sim.seed, READ);
    return tries;
}
