/* systems.c: small systems. Their times are few and round, so that they meet. */
#include "every.h"

struct model model;
struct system what;
static struct service services[2];
static const uint16_t first_one[] = {0};
static struct unit_policy units[2];
static struct step_policy steps[5];
static struct checkpoint_policy checkpoint;

static void make_service(uint16_t i) {
    bool chained = what.has & CHAINED && i == 1;
    services[i] = (struct service){
        .name = i ? "b" : "a", .restart = what.has & RESTART && i == what.services - 1 ? RESTART_ON_FAILURE : RESTART_NO,
        .essential = i == 0, .main = what.has & MAIN && i == 0, .n_stop = 1, .stop[0].signal = K_TERM,
        .after = first_one, .n_after = chained, .level = chained, .first_unit = i, .n_units = 1,
        .stop_timeout = i ? SEC(2) : FOREVER, .guarantee = FOREVER, .ready_timeout = FOREVER,
        .restart_min = SEC(1), .restart_max = SEC(1), .restart_window = SEC(3), .restart_limit = 1,
        .success_codes[0] = 1,
    };
    units[i] = (struct unit_policy){.name = services[i].name, .service = i, .ready = NONE, .live = NONE};
}

/* Drains one after the other, then the checkpoint, then finishes. */
static void make_step(uint16_t i, bool finish) {
    static const char *const names[] = {"x", "y", "z"};
    steps[i] = (struct step_policy){
        .name = finish ? "f" : names[i], .phase = finish ? PH_FINISH : PH_DRAIN, .action = DO_COMMAND,
        .has_undo = what.has & UNDO && i == 0, .stage = finish ? 0 : i, .target = NONE,
        .for_service = i == 1 && !finish && what.services > 1 ? 1 : NONE, .run_if_step = NONE, .sleep = NO_TIME,
        .every = NO_TIME, .on_failure = i == 0 ? FAILURE_SKIP_REST : FAILURE_CONTINUE,
        .timeout = i == 0 ? SEC(1) : FOREVER, .guarantee = FOREVER,
    };
}

static void make_checkpoint(uint16_t i) {
    checkpoint = (struct checkpoint_policy){
        .step = i, .has_save = true, .has_restore = what.has & RESTORE, .on_restart = what.has & EACH_START,
        .may_fail = what.has & MAY_FAIL, .every = what.has & SCHEDULE ? SEC(2) : FOREVER,
    };
    steps[i] = (struct step_policy){
        .name = "c", .phase = what.has & SAVE ? PH_SAVE : what.has & SETTLE ? PH_SETTLE : PH_N,
        .action = DO_CHECKPOINT, .required = what.has & REQUIRED, .target = NONE,
        .for_service = (uint16_t)(what.services - 1), .run_if_step = NONE,
        .timeout = what.has & BESIDE ? FOREVER : SEC(1), .guarantee = FOREVER,
    };
}

static uint16_t make_steps(void) {
    uint16_t n = 0;
    while (n < what.drains)
        make_step(n++, false);
    if (what.has & KEEPS)
        make_checkpoint(n++);
    for (uint16_t i = 0; i < what.finishes; i++)
        make_step(n++, true);
    return n;
}

/* Signals that mean the same are not tried twice. */
static const struct { const char *name; uint32_t needs; struct event event; } from_outside[] = {
    {"TERM", 0, {.kind = EV_SIGNAL, .value = K_TERM, .flags = SIG_FROM_OUTSIDE}},
    {"INT", 0, {.kind = EV_SIGNAL, .value = K_INT, .flags = SIG_FROM_OUTSIDE}},
    {"drain", 0, {.kind = EV_ASK, .verb = ASK_DRAIN}},
    {"resume", 0, {.kind = EV_ASK, .verb = ASK_RESUME}},
    {"prestop", 0, {.kind = EV_ASK, .verb = ASK_PRESTOP}},
    {"prestop, 4 s late", 0, {.kind = EV_ASK, .verb = ASK_PRESTOP, .value = 4000}},
    {"hurry", 0, {.kind = EV_ASK, .verb = ASK_HURRY}},
    {"checkpoint", ON_DEMAND, {.kind = EV_ASK, .verb = ASK_CHECKPOINT}},
    {"stop b", BY_HAND, {.kind = EV_ASK, .verb = ASK_STOP_UNIT, .subject = 1}},
    {"start b", BY_HAND, {.kind = EV_ASK, .verb = ASK_START_UNIT, .subject = 1}},
    {"restart b", BY_HAND, {.kind = EV_ASK, .verb = ASK_RESTART_UNIT, .subject = 1}},
};
static unsigned n_outside, its[sizeof from_outside / sizeof *from_outside];

unsigned outsides(void) { return n_outside; }
const struct event *outside(unsigned which) { return &from_outside[its[which]].event; }
const char *outside_name(unsigned which) { return from_outside[its[which]].name; }

void system_make(const struct system *system) {
    uint16_t n_steps;
    what = *system;
    for (uint16_t i = 0; i < what.services; i++)
        make_service(i);
    n_steps = make_steps();
    n_outside = 0;
    for (unsigned i = 0; i < sizeof from_outside / sizeof *from_outside; i++)
        if (!(from_outside[i].needs & ~what.has))
            its[n_outside++] = i;
    model = (struct model){
        .services = services, .units = units, .steps = steps, .checkpoints = &checkpoint, .n_services = what.services, .n_units = what.services,
        .n_steps = n_steps, .n_checkpoints = what.has & KEEPS ? 1 : 0, .main = what.has & MAIN ? 0 : NONE,
        .policy = {.grace = SEC(10), .reserve = SEC(1), .announce_min = SEC(1), .announce_max = SEC(1),
                   .sweep = true, .pid1 = true},
    };
    for (uint8_t sig = 1; sig <= SIGNAL_MAX; sig++)
        model.policy.signals[sig] = (struct signal_rule){sig == K_TERM || sig == K_INT ? SIGNAL_STOP : SIGNAL_FORWARD, sig};
}

const char *system_text(const struct system *system) {
    static const char *const words[] = {"chained", "main", "undo", "restart", "strays", "undying", "by-hand",
        "save", "settle", "beside", "restore", "may-fail", "each-start", "schedule", "on-demand", "required"};
    static char text[240];
    int n = snprintf(text, sizeof text, "%u service%s, %u drain%s, %u finish", system->services,
                     system->services == 1 ? "" : "s", system->drains, system->drains == 1 ? "" : "s", system->finishes);
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (system->has & 1u << i)
            n += snprintf(text + n, sizeof text - (size_t)n, ", %s", words[i]);
    return text;
}
