/* systems.c: small systems. Their times are few and round, so that they meet. */
#include "every.h"

struct model model;
struct system what;
static struct service services[2];
static const uint16_t first_one[] = {0};
static struct unit_policy units[2];
static struct step_policy steps[4];

static void make_service(uint16_t i) {
    bool chained = what.has & CHAINED && i == 1;
    services[i] = (struct service){
        .name = i ? "b" : "a", .restart = what.has & RESTART && i == 1 ? RESTART_ON_FAILURE : RESTART_NO,
        .essential = i == 0, .main = what.has & MAIN && i == 0, .n_stop = 1, .stop[0].signal = K_TERM,
        .after = first_one, .n_after = chained, .level = chained, .first_unit = i, .n_units = 1,
        .stop_timeout = i ? SEC(2) : FOREVER, .guarantee = FOREVER, .ready_timeout = FOREVER,
        .restart_min = SEC(1), .restart_max = SEC(1), .restart_window = SEC(3), .restart_limit = 1,
        .success_codes[0] = 1,
    };
    units[i] = (struct unit_policy){.name = services[i].name, .service = i, .ready = NONE, .live = NONE};
}

/* Drains one after the other, then finishes. */
static void make_step(uint16_t i) {
    static const char *const names[] = {"x", "y", "z", "f"};
    bool finish = i >= what.drains;
    steps[i] = (struct step_policy){
        .name = finish ? "f" : names[i], .phase = finish ? PH_FINISH : PH_DRAIN, .action = DO_COMMAND,
        .has_undo = what.has & UNDO && i == 0, .stage = finish ? 0 : i, .target = NONE,
        .for_service = i == 1 && !finish && what.services > 1 ? 1 : NONE, .run_if_step = NONE, .sleep = NO_TIME,
        .every = NO_TIME, .on_failure = i == 0 ? FAILURE_SKIP_REST : FAILURE_CONTINUE,
        .timeout = i == 0 ? SEC(1) : FOREVER, .guarantee = FOREVER,
    };
}

void system_make(const struct system *system) {
    what = *system;
    for (uint16_t i = 0; i < what.services; i++)
        make_service(i);
    for (uint16_t i = 0; i < what.drains + what.finishes; i++)
        make_step(i);
    model = (struct model){
        .services = services, .units = units, .steps = steps, .n_services = what.services, .n_units = what.services,
        .n_steps = (uint16_t)(what.drains + what.finishes), .main = what.has & MAIN ? 0 : NONE,
        .policy = {.grace = SEC(10), .reserve = SEC(1), .announce_min = SEC(1), .announce_max = SEC(1),
                   .sweep = true, .pid1 = true},
    };
    for (uint8_t sig = 1; sig <= SIGNAL_MAX; sig++)
        model.policy.signals[sig] = (struct signal_rule){sig == K_TERM || sig == K_INT ? SIGNAL_STOP : SIGNAL_FORWARD, sig};
}

const char *system_text(const struct system *system) {
    static const char *const words[] = {"chained", "main", "undo", "restart", "strays", "undying", "by-hand"};
    static char text[160];
    int n = snprintf(text, sizeof text, "%u service%s, %u drain%s, %u finish", system->services,
                     system->services == 1 ? "" : "s", system->drains, system->drains == 1 ? "" : "s", system->finishes);
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (system->has & 1u << i)
            n += snprintf(text + n, sizeof text - (size_t)n, ", %s", words[i]);
    return text;
}

/* Signals that mean the same are not tried twice. Those by hand come last. */
static const struct { const char *name; struct event event; } from_outside[] = {
    {"TERM", {.kind = EV_SIGNAL, .value = K_TERM, .flags = SIG_FROM_OUTSIDE}},
    {"INT", {.kind = EV_SIGNAL, .value = K_INT, .flags = SIG_FROM_OUTSIDE}},
    {"drain", {.kind = EV_ASK, .verb = ASK_DRAIN}},
    {"resume", {.kind = EV_ASK, .verb = ASK_RESUME}},
    {"prestop", {.kind = EV_ASK, .verb = ASK_PRESTOP}},
    {"prestop, 4 s late", {.kind = EV_ASK, .verb = ASK_PRESTOP, .value = 4000}},
    {"hurry", {.kind = EV_ASK, .verb = ASK_HURRY}},
    {"stop b", {.kind = EV_ASK, .verb = ASK_STOP_UNIT, .subject = 1}},
    {"start b", {.kind = EV_ASK, .verb = ASK_START_UNIT, .subject = 1}},
    {"restart b", {.kind = EV_ASK, .verb = ASK_RESTART_UNIT, .subject = 1}},
};
enum { HANDS = 3 };

unsigned outsides(void) { return sizeof from_outside / sizeof *from_outside - (what.has & BY_HAND ? 0 : HANDS); }
const struct event *outside(unsigned which) { return &from_outside[which].event; }
const char *outside_name(unsigned which) { return from_outside[which].name; }
