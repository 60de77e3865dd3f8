#include "model/row.h"

static const char *const state_names[] = {
    [S_PENDING] = "pending", [S_GATE] = "running", [S_ACT] = "running", [S_PAUSE] = "running",
    [S_DONE] = "done", [S_FAILED] = "failed", [S_TIMEOUT] = "timeout", [S_SKIPPED] = "skipped",
};
_Static_assert(sizeof state_names / sizeof *state_names == S_N, "a name for every state");

static const char *const phase_names[] = {
    [PH_ANNOUNCE] = "announce", [PH_DRAIN] = "drain", [PH_SAVE] = "save", [PH_STOP] = "stop",
    [PH_SETTLE] = "settle", [PH_FINISH] = "finish", [PH_SWEEP] = "sweep",
};
_Static_assert(sizeof phase_names / sizeof *phase_names == PH_N, "a name for every phase");

const char *row_state_name(const struct row *row) { return state_names[row->state]; }
const char *phase_name(uint8_t phase) { return phase_names[phase]; }

const char *row_name(const struct model *model, const struct row *row) {
    if (row->action == DO_RECORD)
        return "record";
    if (row->subject == NONE)
        return phase_name(row->phase);
    return row->action == DO_STOP ? model->units[row->subject].name : model->steps[row->subject].name;
}
