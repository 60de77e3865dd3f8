/* Bytes to events: whatever is said to the core, in whatever order, it stays sane.
 * For: src/core */
#include "fuzz.h"
#include "small.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static _Alignas(8) char memory[65536];
    static struct action list[4096];
    struct model model;
    struct core core;
    struct actions out = {.v = list};
    instant now = {NS_PER_S};
    if (size < 1)
        return 0;
    make_model(&model, data[0]);
    out.room = core_actions_max(&model);
    if (out.room > 4096 || !core_layout(&core, &model, memory, sizeof memory))
        abort();
    core_start(&core, now, &out);
    for (size_t i = 1; i + 4 <= size && !core.exited; i += 4) {
        uint16_t slot = data[i + 1] % core.n_jobs;
        struct event event = {
            .kind = data[i] % EV_N, .verb = data[i + 2] % ASK_N, .flags = data[i + 3] & 3, .subject = data[i + 1] % 4,
            .job = {slot, core.jobs[slot].gen}, .value = (int8_t)data[i + 2], .client = 1,
            .gen = data[i + 1] % CHECKS < CHECKS ? core.checks[data[i + 1] % CHECKS].gen : 0, .more = MS(data[i + 3]),
        };
        now = after(now, MS(data[i + 3]));
        core_step(&core, &event, now, &out);
        if (out.n >= out.room || (!core.exited && !before(now, core_next(&core))))
            abort();
    }
    return 0;
}
