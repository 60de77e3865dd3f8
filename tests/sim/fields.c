/* fields.c: the parts of a scene by name. */
#include "fields.h"

static const char *const types[] = {"service", "oneshot", NULL};
static const char *const restarts[] = {"no", "on-failure", "on-abnormal", "always", NULL};
static const char *const checks[] = {"http", "tcp", "exec", "notify", "fd", "file", "delay", NULL};
static const char *const thens[] = {"restart", "fail", "shutdown", NULL};
static const char *const phases[] = {"announce", "drain", "save", "stop", "settle", "finish", "sweep", "never", NULL};
static const char *const step_actions[] = {
    "announce", "command", "signal", "sleep", "wait-exit", "checkpoint", "record", "stop", "sweep", NULL,
};
static const char *const failures[] = {"continue", "skip-rest", NULL};
static const char *const conditions[] = {"always", "done", "failed", "timeout", NULL};
static const char *const commands[] = {"run", "stop", "reload", "check", "only-if", "step", "undo", "save", "restore", "record",
                                       "net", NULL};
static const char *const obediences[] = {"dying", "well", "code", NULL};
static const char *const moments[] = {"any", "notice", "stage", "resume", "deadline", "turn", NULL};
static const char *const events[] = {
    "tick", "spawned", "spawn-failed", "leader", "gone", "stopped", "check", "signal", "orphan", "empty", "extend",
    "pulse", "life", "ask", NULL,
};
static const char *const asks[] = {
    "drain", "resume", "prestop", "stop", "hurry", "start-unit", "stop-unit", "restart-unit", "reload-unit", "signal-unit",
    "checkpoint", NULL,
};
#define WORDS(list, n) _Static_assert(sizeof list / sizeof *list == (n) + 1, "a word for each of " #list)
WORDS(checks, CHECK_N);
WORDS(phases, PH_N + 1);
WORDS(step_actions, DO_N);
WORDS(commands, CMD_N);
WORDS(moments, M_N);
WORDS(events, EV_N);
WORDS(asks, ASK_N);

#define S(n) ((n) * NS_PER_S)
#define OF(type, member) offsetof(struct type, member)
static const struct field of_policy[] = {
    {"grace", OF(scene, model.policy.grace), F_TIME, S(30), NULL},
    {"reserve", OF(scene, model.policy.reserve), F_TIME, S(1), NULL},
    {"announce", OF(scene, model.policy.announce_min), F_TIME, 0, NULL},
    {"keep-ready", OF(scene, model.policy.keep_ready), F_BOOL, 0, NULL},
    {"parallel", OF(scene, model.policy.parallel), F_BOOL, 0, NULL},
    {"sweep", OF(scene, model.policy.sweep), F_BOOL, 1, NULL},
    {"pid1", OF(scene, model.policy.pid1), F_BOOL, 1, NULL},
    {"net", OF(scene, model.policy.net), F_BOOL, 0, NULL},
    {"single", OF(scene, model.policy.single), F_BOOL, 0, NULL},
    {"phases-only", OF(scene, model.policy.phases_only), F_BOOL, 0, NULL},
    {"stop-signal", OF(scene, model.policy.stop_signal), F_U8, 0, NULL},
    {"rewrite", OF(scene, rewrite), F_U8, 0, NULL},
    {"main", OF(scene, model.main), F_INDEX, NONE, NULL},
    {"expect-0", OF(scene, model.policy.expect_codes[0]), F_U64, 0, NULL},
    {"expect-64", OF(scene, model.policy.expect_codes[1]), F_U64, 0, NULL},
    {"expect-128", OF(scene, model.policy.expect_codes[2]), F_U64, 0, NULL},
    {"expect-failures", OF(scene, model.policy.expect_failures), F_BOOL, 0, NULL},
    {"latency", OF(scene, latency), F_TIME, 0, NULL},
    {"horizon", OF(scene, horizon), F_TIME, 0, NULL},
    {"late-ms", OF(scene, late_ms), F_I32, 0, NULL},
    {"strays", OF(scene, strays), F_U8, 0, NULL},
    {"sweep-takes", OF(scene, sweep), F_TIME, 0, NULL},
};
static const struct field of_service[] = {
    {"type", OF(service, type), F_U8, TYPE_SERVICE, types},
    {"restart", OF(service, restart), F_U8, RESTART_NO, restarts},
    {"essential", OF(service, essential), F_BOOL, 1, NULL},
    {"after", 0, F_AFTER, 0, NULL},
    {"stop", 0, F_STOP, 0, NULL},
    {"kill-main", OF(service, kill_main), F_BOOL, 0, NULL},
    {"stop-command", OF(service, has_stop_command), F_BOOL, 0, NULL},
    {"reload-command", OF(service, has_reload_command), F_BOOL, 0, NULL},
    {"reload-signal", OF(service, reload_signal), F_U8, 0, NULL},
    {"units", OF(service, n_units), F_U16, 1, NULL},
    {"stop-timeout", OF(service, stop_timeout), F_TIME, INT64_MAX, NULL},
    {"guarantee", OF(service, guarantee), F_TIME, INT64_MAX, NULL},
    {"ready-timeout", OF(service, ready_timeout), F_TIME, INT64_MAX, NULL},
    {"restart-min", OF(service, restart_min), F_TIME, S(1) / 10, NULL},
    {"restart-max", OF(service, restart_max), F_TIME, S(10), NULL},
    {"restart-window", OF(service, restart_window), F_TIME, S(60), NULL},
    {"restart-limit", OF(service, restart_limit), F_U16, 5, NULL},
    {"success-codes", OF(service, success_codes[0]), F_U64, 1, NULL},
    {"success-signals", OF(service, success_signals), F_U64, 0, NULL},
};
static const struct field of_check[] = {
    {"unit", OF(check_policy, unit), F_U16, 0, NULL},
    {"kind", OF(check_policy, kind), F_U8, CHECK_HTTP, checks},
    {"live", OF(check_policy, live), F_BOOL, 0, NULL},
    {"then", OF(check_policy, then), F_U8, THEN_RESTART, thens},
    {"successes", OF(check_policy, successes), F_U16, 1, NULL},
    {"failures", OF(check_policy, failures), F_U16, 1, NULL},
    {"every", OF(check_policy, every), F_TIME, S(1), NULL},
    {"timeout", OF(check_policy, timeout), F_TIME, S(1), NULL},
};
static const struct field of_step[] = {
    {"phase", OF(step_policy, phase), F_U8, PH_DRAIN, phases},
    {"action", OF(step_policy, action), F_U8, DO_COMMAND, step_actions},
    {"stage", OF(step_policy, stage), F_U16, 0, NULL},
    {"signal", OF(step_policy, signal), F_U8, K_TERM, NULL},
    {"target", OF(step_policy, target), F_INDEX, 0, NULL},
    {"for", OF(step_policy, for_service), F_INDEX, NONE, NULL},
    {"run-if-step", OF(step_policy, run_if_step), F_INDEX, NONE, NULL},
    {"run-if", OF(step_policy, run_if), F_U8, RUN_ALWAYS, conditions},
    {"on-failure", OF(step_policy, on_failure), F_U8, FAILURE_CONTINUE, failures},
    {"required", OF(step_policy, required), F_BOOL, 0, NULL},
    {"only-if", OF(step_policy, has_only_if), F_BOOL, 0, NULL},
    {"undo", OF(step_policy, has_undo), F_BOOL, 0, NULL},
    {"retries", OF(step_policy, retries), F_U16, 0, NULL},
    {"every", OF(step_policy, every), F_TIME, 0, NULL},
    {"sleep", OF(step_policy, sleep), F_TIME, 0, NULL},
    {"timeout", OF(step_policy, timeout), F_TIME, INT64_MAX, NULL},
    {"guarantee", OF(step_policy, guarantee), F_TIME, INT64_MAX, NULL},
};
static const struct field of_process[] = {
    {"what", OF(born, what), F_U8, CMD_RUN, commands},
    {"of", OF(born, owner), F_U16, 0, NULL},
    {"nth", OF(born, nth), F_U16, 0, NULL},
    {"exec", OF(born, fate.exec), F_TIME, 0, NULL},
    {"fails", OF(born, fate.fails), F_BOOL, 0, NULL},
    {"life", OF(born, fate.life), F_TIME, -1, NULL},
    {"exit", OF(born, fate.exit), F_I16, 0, NULL},
    {"slow", OF(born, fate.slow), F_TIME, 0, NULL},
    {"deaf", OF(born, fate.deaf), F_BOOL, 0, NULL},
    {"obeys", OF(born, fate.obeys), F_U8, OBEYS_DYING, obediences},
    {"worst", OF(born, fate.worst), F_U8, M_ANY, moments},
    {"dies", OF(born, fate.dies), F_TIME, 0, NULL},
    {"undying", OF(born, fate.undying), F_BOOL, 0, NULL},
    {"tail", OF(born, fate.tail), F_BOOL, 0, NULL},
    {"tail-deaf", OF(born, fate.tail_deaf), F_BOOL, 0, NULL},
    {"tail-life", OF(born, fate.tail_life), F_TIME, INT64_MAX, NULL},
    {"strays", OF(born, fate.strays), F_U8, 0, NULL},
    {"deaf-strays", OF(born, fate.deaf_strays), F_U8, 0, NULL},
    {"stray-life", OF(born, fate.stray_life), F_TIME, INT64_MAX, NULL},
    {"pulse", OF(born, fate.pulse), F_TIME, 0, NULL},
    {"stops", OF(born, fate.stops), F_TIME, INT64_MAX, NULL},
};
static const struct field of_event[] = {
    {"at", OF(told, at), F_TIME, 0, NULL},
    {"kind", OF(told, event.kind), F_U8, EV_SIGNAL, events},
    {"verb", OF(told, event.verb), F_U8, ASK_DRAIN, asks},
    {"flags", OF(told, event.flags), F_U8, 0, NULL},
    {"subject", OF(told, event.subject), F_U16, 0, NULL},
    {"job", OF(told, event.job.job), F_U16, 0, NULL},
    {"ago", OF(told, event.job.gen), F_U16, 0, NULL},
    {"value", OF(told, event.value), F_I32, 0, NULL},
    {"client", OF(told, event.client), F_U32, 0, NULL},
    {"gen", OF(told, event.gen), F_U32, 0, NULL},
    {"more", OF(told, event.more), F_TIME, 0, NULL},
};
static const struct field of_turn[] = {
    {"at", OF(odd_turn, at), F_TIME, 0, NULL},
    {"nth", OF(odd_turn, nth), F_U32, 0, NULL},
    {"late", OF(odd_turn, late), F_TIME, 0, NULL},
    {"ends-first", OF(odd_turn, ends_first), F_BOOL, 0, NULL},
};

#define PART(name, fields, type, most) {name, fields, sizeof fields / sizeof *fields, sizeof(struct type), most}
const struct part parts[PARTS] = {
    [PART_POLICY] = PART("policy", of_policy, scene, 1),
    [PART_SERVICE] = PART("service", of_service, service, MOST_SERVICES),
    [PART_CHECK] = PART("check", of_check, check_policy, MOST_CHECKS_),
    [PART_STEP] = PART("step", of_step, step_policy, MOST_STEPS_),
    [PART_PROCESS] = PART("process", of_process, born, MOST_FATES),
    [PART_EVENT] = PART("event", of_event, told, MOST_EVENTS),
    [PART_TURN] = PART("turn", of_turn, odd_turn, MOST_TURNS),
};

uint16_t *part_count(uint8_t kind) {
    uint16_t *const counts[PARTS] = {
        [PART_SERVICE] = &scene.model.n_services, [PART_CHECK] = &scene.model.n_checks, [PART_STEP] = &scene.model.n_steps,
        [PART_PROCESS] = &scene.n_fates, [PART_EVENT] = &scene.n_events, [PART_TURN] = &scene.n_turns,
    };
    return counts[kind];
}

void *part_at(uint8_t kind, uint16_t which) {
    void *const firsts[PARTS] = {
        [PART_POLICY] = &scene, [PART_SERVICE] = scene.services, [PART_CHECK] = scene.checks, [PART_STEP] = scene.steps,
        [PART_PROCESS] = scene.fates, [PART_EVENT] = scene.events, [PART_TURN] = scene.turns,
    };
    return (char *)firsts[kind] + which * parts[kind].size;
}

#define GET(type) (*(const type *)(const void *)((const char *)it + field->offset))
int64_t field_get(const void *it, const struct field *field) {
    switch ((enum field_type)field->type) {
    case F_BOOL: return GET(bool);
    case F_U8: return GET(uint8_t);
    case F_U16: case F_INDEX: return GET(uint16_t);
    case F_I16: return GET(int16_t);
    case F_I32: return GET(int32_t);
    case F_U32: return GET(uint32_t);
    case F_U64: case F_TIME: return GET(int64_t);
    case F_AFTER: case F_STOP: break;
    }
    return 0;
}

#define SET(type) (*(type *)(void *)((char *)it + field->offset) = (type)value)
void field_set(void *it, const struct field *field, int64_t value) {
    switch ((enum field_type)field->type) {
    case F_BOOL: SET(bool); break;
    case F_U8: SET(uint8_t); break;
    case F_U16: case F_INDEX: SET(uint16_t); break;
    case F_I16: SET(int16_t); break;
    case F_I32: SET(int32_t); break;
    case F_U32: SET(uint32_t); break;
    case F_U64: case F_TIME: SET(int64_t); break;
    case F_AFTER: ((struct service *)it)->n_after = 0; break;
    case F_STOP:
        ((struct service *)it)->n_stop = 1;
        ((struct service *)it)->stop[0] = (struct escalation){K_TERM, NO_TIME};
        break;
    }
}

void part_plain(uint8_t kind, void *it) {
    for (unsigned i = 0; i < parts[kind].n_fields; i++)
        field_set(it, &parts[kind].fields[i], parts[kind].fields[i].plain);
}
