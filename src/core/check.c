/* core/check.c: ready and live. A check is on or off, passing or not, and turns after so many
 * answers in a row. net counts for its kinds and tells the turns; exec checks are counted here. */
#include "core/parts.h"

static const struct check_policy *policy_of(const struct core *core, uint16_t check) {
    return &core->model->checks[check];
}

static void ask(struct core *core, uint16_t check) {
    uint16_t slot = core_job_of_check(core, check);
    instant kill = after(core->now, policy_of(core, check)->timeout);
    if (job_live(core, slot))
        return; /* the run before's: its end asks */
    core->checks[check].asked = core->now;
    job_start(core, slot, CMD_CHECK, check);
    job_stop(core, slot, NEVER, kill);
}

/* A live check starts from good, a ready check from bad: both have to be convinced. */
void check_on(struct core *core, uint16_t check) {
    struct check *c = &core->checks[check];
    const struct check_policy *policy = policy_of(core, check);
    c->on = true;
    c->passing = policy->live;
    c->streak = 0;
    c->gen++;
    c->asked = NEVER;
    core->dirty = true;
    if (policy->kind == CHECK_EXEC)
        ask(core, check);
    else if (policy->kind == CHECK_DELAY)
        set_alarm(core, alarm_of_check(core, check), after(core->now, policy->every));
}

void check_off(struct core *core, uint16_t check) {
    struct check *c = &core->checks[check];
    if (check == NONE)
        return;
    c->on = c->passing = false;
    core->dirty = true;
    set_alarm(core, alarm_of_check(core, check), NEVER);
    job_stop(core, core_job_of_check(core, check), NEVER, core->now);
}

void check_verdict(struct core *core, uint16_t check, bool passing) {
    struct check *c = &core->checks[check];
    if (!c->on || c->passing == passing)
        return;
    c->passing = passing;
    c->streak = 0;
    core->dirty = true;
    unit_check_turned(core, check);
}

void check_answer(struct core *core, uint16_t check, bool pass) {
    struct check *c = &core->checks[check];
    const struct check_policy *policy = policy_of(core, check);
    if (!c->on)
        return;
    if (is_never(c->asked)) { /* the question was the run before's; now the slot is free */
        ask(core, check);
        return;
    }
    set_alarm(core, alarm_of_check(core, check), later_of(after(c->asked, policy->every), core->now));
    if (pass == c->passing)
        c->streak = 0;
    else if (++c->streak >= (pass ? policy->successes : policy->failures))
        check_verdict(core, check, pass);
}

/* It could not be started, for a fault of ours: neither pass nor fail. */
void check_unasked(struct core *core, uint16_t check) {
    if (core->checks[check].on)
        set_alarm(core, alarm_of_check(core, check), after(core->now, policy_of(core, check)->every));
}

void check_due(struct core *core, uint16_t check) {
    if (policy_of(core, check)->kind == CHECK_DELAY)
        check_verdict(core, check, true);
    else
        ask(core, check);
}
