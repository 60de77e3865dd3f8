#include "model/names.h"

#include "model/page.h"

static const char *const lives[] = {
    [LIFE_STARTING] = "starting", [LIFE_RUNNING] = "running", [LIFE_DRAINED] = "drained",
    [LIFE_STOPPING] = "stopping", [LIFE_EXITED] = "exited",
};
_Static_assert(sizeof lives / sizeof *lives == LIFE_N, "a name for every life");

static const char *const unit_states[] = {
    [U_WAITING] = "waiting", [U_STARTING] = "starting", [U_UP] = "up", [U_BACKOFF] = "backoff",
    [U_STOPPING] = "stopping", [U_DOWN] = "down", [U_FAILED] = "failed",
};
_Static_assert(sizeof unit_states / sizeof *unit_states == U_N, "a name for every state");

static const char *const verdicts[] = {
    [VERDICT_NONE] = "none", [VERDICT_CLEAN] = "clean", [VERDICT_DEGRADED] = "degraded",
    [VERDICT_FORCED] = "forced", [VERDICT_OVERRAN] = "overran", [VERDICT_INTERRUPTED] = "interrupted",
};
_Static_assert(sizeof verdicts / sizeof *verdicts == VERDICT_N, "a name for every verdict");

static const char *const kinds[] = {
    [CHECK_HTTP] = "http", [CHECK_TCP] = "tcp", [CHECK_EXEC] = "exec", [CHECK_NOTIFY] = "notify",
    [CHECK_FD] = "fd", [CHECK_FILE] = "file", [CHECK_DELAY] = "delay",
};
_Static_assert(sizeof kinds / sizeof *kinds == CHECK_N, "a name for every kind");

static const char *const checkpoint_states[] = {
    [CS_WAITING] = "waiting", [CS_RESTORING] = "restoring", [CS_IDLE] = "idle", [CS_SAVING] = "saving",
    [CS_FAILED] = "failed",
};
_Static_assert(sizeof checkpoint_states / sizeof *checkpoint_states == CS_N, "a name for every state");

const char *life_name(uint8_t life) { return life < LIFE_N ? lives[life] : "?"; }
const char *unit_state_name(uint8_t state) { return state < U_N ? unit_states[state] : "?"; }
const char *verdict_name(uint8_t verdict) { return verdict < VERDICT_N ? verdicts[verdict] : "?"; }
const char *check_kind_name(uint8_t kind) { return kind < CHECK_N ? kinds[kind] : "?"; }
const char *checkpoint_state_name(uint8_t state) { return state < CS_N ? checkpoint_states[state] : "?"; }
