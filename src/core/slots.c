/* core/slots.c: the numbers of jobs and alarms, and how actions are said. */
#include "core/parts.h"

/* Slots, in this order: units, their aux jobs, steps, checks, net, record. Alarms likewise: jobs, units,
 * checks, rows, misc, checkpoints. */
NEARBY uint16_t core_job_of_unit(const struct core *core, uint16_t unit) { (void)core; return unit; }
uint16_t core_job_of_aux(const struct core *core, uint16_t unit) { return (uint16_t)(core->model->n_units + unit); }
uint16_t core_job_of_step(const struct core *core, uint16_t step) { return (uint16_t)(2 * core->model->n_units + step); }
uint16_t core_job_of_check(const struct core *core, uint16_t check) {
    return (uint16_t)(2 * core->model->n_units + core->model->n_steps + check);
}
uint16_t core_job_of_net(const struct core *core) {
    return (uint16_t)(2 * core->model->n_units + core->model->n_steps + core->model->n_checks);
}
uint16_t core_job_of_record(const struct core *core) { return (uint16_t)(core_job_of_net(core) + 1); }
uint16_t core_jobs(const struct model *model) {
    return (uint16_t)(2 * model->n_units + model->n_steps + model->n_checks + 1 + (model->n_checkpoints ? 1 : 0));
}

uint16_t alarm_of_unit(const struct core *core, uint16_t unit) { return (uint16_t)(core->n_jobs + unit); }
uint16_t alarm_of_check(const struct core *core, uint16_t check) {
    return (uint16_t)(core->n_jobs + core->model->n_units + check);
}
uint16_t alarm_of_row(const struct core *core, uint16_t row) {
    return (uint16_t)(core->n_jobs + core->model->n_units + core->model->n_checks + row);
}
uint16_t alarm_of_misc(const struct core *core, uint8_t which) {
    return (uint16_t)(alarm_of_row(core, core->walk.n_rows) + which);
}

uint16_t alarm_of_checkpoint(const struct core *core, uint16_t checkpoint) {
    return (uint16_t)(alarm_of_misc(core, MISC_ALARMS) + checkpoint);
}

void set_alarm(struct core *core, uint16_t alarm, instant at) { agenda_set(&core->agenda, alarm, at); }

NEARBY void emit(struct core *core, struct action action) {
    if (core->out->n < core->out->room)
        core->out->v[core->out->n++] = action;
}

void note(struct core *core, uint8_t what, uint16_t subject, int32_t extra) {
    emit(core, (struct action){.kind = A_NOTE, .subject = subject, .value = what, .extra = extra});
}
