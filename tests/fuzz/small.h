/* small.h: a small system for the machine, of which the first byte of the input chooses one. */
#ifndef TESTS_FUZZ_SMALL_H
#define TESTS_FUZZ_SMALL_H

#include "core/core.h"

enum { UNITS = 3, STEPS = 5, CHECKS = 3, CHECKPOINTS = 2 };

static const uint16_t after_db[] = {1};
static struct service services[UNITS];
static const struct unit_policy units[UNITS] = {
    {.name = "web", .service = 0, .ready = 0, .live = 1},
    {.name = "db", .service = 1, .ready = 2, .live = NONE},
    {.name = "job", .service = 2, .ready = NONE, .live = NONE},
};
static const struct check_policy checks[CHECKS] = {
    {.kind = CHECK_EXEC, .unit = 0, .successes = 1, .failures = 2, .every = {NS_PER_S}, .timeout = {NS_PER_S}},
    {.kind = CHECK_TCP, .live = true, .unit = 0, .successes = 1, .failures = 1, .every = {NS_PER_S}, .timeout = {NS_PER_S}},
    {.kind = CHECK_DELAY, .unit = 1, .successes = 1, .failures = 1, .every = {NS_PER_S}},
};
static struct step_policy steps[STEPS];
static struct checkpoint_policy checkpoints[CHECKPOINTS];

static void make_model(struct model *model, uint8_t variant) {
    for (int i = 0; i < UNITS; i++)
        services[i] = (struct service){
            .name = units[i].name, .restart = (uint8_t)(i + variant) % 4, .essential = variant & 1, .n_stop = 2,
            .stop = {{15, NO_TIME}, {3, MS(300)}}, .first_unit = (uint16_t)i, .n_units = 1,
            .stop_timeout = variant & 2 ? MS(700) : FOREVER, .guarantee = FOREVER,
            .ready_timeout = variant & 4 ? SEC(1) : FOREVER, .restart_min = MS(100), .restart_max = SEC(1),
            .restart_window = SEC(10), .restart_limit = 3, .success_codes = {1},
            .has_stop_command = variant & 8, .has_reload_command = variant & 16,
        };
    services[0].main = variant & 32;
    services[0].after = after_db;
    services[0].n_after = services[0].level = 1;
    services[2].type = TYPE_ONESHOT;
    for (int i = 0; i < STEPS; i++)
        steps[i] = (struct step_policy){
            .name = "step", .phase = i < 2 ? PH_DRAIN : i == 2 ? PH_FINISH : i == 3 ? PH_SAVE : PH_SETTLE,
            .action = i < 3 ? DO_COMMAND : DO_CHECKPOINT, .stage = i == 1, .checkpoint = i < 4 ? 0 : 1,
            .retries = 1, .every = MS(100), .has_only_if = variant & 64, .has_undo = i == 0, .target = NONE,
            .for_service = i == 1 || i == 3 ? 0 : NONE, .run_if_step = NONE, .timeout = SEC(1), .guarantee = FOREVER,
        };
    for (int i = 0; i < CHECKPOINTS; i++)
        checkpoints[i] = (struct checkpoint_policy){
            .step = (uint16_t)(3 + i), .has_save = true, .has_restore = i == 0 || variant & 4, .on_restart = variant & 8,
            .may_fail = variant & 16, .every = i == 0 ? SEC(1) : FOREVER,
        };
    *model = (struct model){
        .services = services, .units = units, .checks = checks, .steps = steps, .n_services = UNITS,
        .n_units = UNITS, .n_checks = CHECKS, .n_steps = variant & 1 ? STEPS : STEPS - CHECKPOINTS,
        .checkpoints = checkpoints, .n_checkpoints = variant & 1 ? CHECKPOINTS : 0, .main = variant & 32 ? 0 : NONE,
        .policy = {.grace = SEC(5), .reserve = MS(500), .sweep = true, .net = variant & 128},
    };
    for (int i = 1; i <= SIGNAL_MAX; i++)
        model->policy.signals[i] = (struct signal_rule){i % 3 ? SIGNAL_FORWARD : SIGNAL_STOP, (uint8_t)i};
    model->policy.signals[2].meaning = SIGNAL_STOP;
    model->policy.signals[10].meaning = SIGNAL_CHECKPOINT;
}

#endif
