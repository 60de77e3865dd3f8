/* core/parts.h: how the core's files call one another. Nobody outside core includes this.
 *
 *   core.c    layout, and the step: one event, then all that is due
 *   slots.c   the numbers of jobs and alarms; how actions are said
 *   state.c   what others ask for, derived
 *   job.c     one process: asked, up, its ladder of signals, gone
 *   unit.c    one service instance: start, ready, end, restart
 *   restart.c what becomes of a unit that has ended
 *   errand.c  what an operator asks of one service
 *   check.c   ready and live
 *   step.c    one row of the plan
 *   checkpoint.c  restores before a start, saves by schedule and on demand, the record of the run
 *   walk.c    the cursor through the stages: goal, floor, clock, resume
 *   signal.c  what a signal or a request means
 *   helper.c  the process that talks
 *   hear.c    what it says
 *   end.c     exit code and verdict
 *
 * job, check call up into unit and step (who owns the process?); unit and step call up into walk
 * (has the stage ended?). Nobody calls core.c.
 */
#ifndef CORE_PARTS_H
#define CORE_PARTS_H

#include "core/core.h"
#include "model/nearby.h"

/* slots.c */
void emit(struct core *core, struct action action);
void note(struct core *core, uint8_t what, uint16_t subject, int32_t extra);
void set_alarm(struct core *core, uint16_t alarm, instant at);
uint16_t alarm_of_unit(const struct core *core, uint16_t unit);
uint16_t alarm_of_check(const struct core *core, uint16_t check);
uint16_t alarm_of_row(const struct core *core, uint16_t row);
enum misc_alarm { ALARM_LAPSE, ALARM_GIVE_UP, ALARM_WAITING, ALARM_NET, ALARM_ORPHANS, MISC_ALARMS };
uint16_t alarm_of_misc(const struct core *core, uint8_t which);
uint16_t alarm_of_checkpoint(const struct core *core, uint16_t checkpoint);
NEARBY static inline struct service const *service_of(const struct core *core, uint16_t unit) {
    return &core->model->services[core->model->units[unit].service];
}

/* plan.c */
void plan_make(struct core *core);
uint16_t plan_rows(const struct model *model);

/* job.c */
void job_start(struct core *core, uint16_t slot, uint8_t what, uint16_t owner);
/* Stop it: its first signal at `term`, KILL at `kill`; an earlier plan stands. */
void job_stop(struct core *core, uint16_t slot, instant term, instant kill);
/* Its leader has gone: TERM to what is left of its tree, KILL at `kill` unless that is planned. */
void job_stop_leftovers(struct core *core, uint16_t slot, instant kill);
/* As job_stop, but `kill` may be later than planned. */
void job_extend(struct core *core, uint16_t slot, instant kill);
void job_kill(struct core *core, uint16_t slot);
void job_signal(struct core *core, uint16_t slot, uint8_t signal, uint8_t whom);
void job_event(struct core *core, const struct event *event);
void job_due(struct core *core, uint16_t slot);
static inline bool job_live(const struct core *core, uint16_t slot) { return core->jobs[slot].state != J_NONE; }

/* unit.c */
void units_wake(struct core *core);  /* start every unit whose time has come */
void unit_spawned(struct core *core, uint16_t unit);
void unit_leader(struct core *core, uint16_t unit); /* job.exit is known */
void unit_gone(struct core *core, uint16_t unit);
void unit_due(struct core *core, uint16_t unit);
void unit_check_turned(struct core *core, uint16_t check);
void unit_stop(struct core *core, uint16_t unit, instant deadline);
void unit_stop_alone(struct core *core, uint16_t unit); /* within its stop-timeout, or 10 s */
void unit_start(struct core *core, uint16_t unit);
void unit_aux_ended(struct core *core, uint16_t unit);
void unit_extend(struct core *core, uint16_t unit, span more);
void units_noticed(struct core *core); /* a drain or stop began: whose end is part of it */
void units_rest(struct core *core);   /* a stop began: what has not started never does */
void units_resume(struct core *core); /* act on what ended while drained */
bool unit_live(const struct core *core, uint16_t unit);
bool service_live(const struct core *core, uint16_t service);
bool unit_waits_for_restore(const struct core *core, uint16_t unit); /* all else that it waits for is there */
uint8_t unit_whom(const struct core *core, uint16_t unit);

/* restart.c */
uint8_t restart_next(struct core *core, uint16_t unit); /* enum next; counts a restart */
span restart_delay(const struct service *service, uint16_t burst);

/* errand.c: a request about a service; an enum reply. */
uint16_t errand_ask(struct core *core, const struct event *event);

/* check.c */
void check_on(struct core *core, uint16_t check);
void check_off(struct core *core, uint16_t check);
void check_answer(struct core *core, uint16_t check, bool pass); /* of an exec check: one try */
void check_unasked(struct core *core, uint16_t check);
void check_verdict(struct core *core, uint16_t check, bool passing); /* from net: a turn */
void check_due(struct core *core, uint16_t check);

/* step.c */
void step_begin(struct core *core, uint16_t row, instant deadline);
void step_shorten(struct core *core, uint16_t row, instant deadline);
void step_extend(struct core *core, uint16_t row, instant deadline);
void step_skip(struct core *core, uint16_t row);
void step_due(struct core *core, uint16_t row);
void step_answer(struct core *core, uint16_t step, int exit); /* its job has ended */
void steps_unit_ended(struct core *core, uint16_t unit);
void step_swept(struct core *core);
span step_timeout(const struct core *core, const struct row *row);

void step_recorded(struct core *core, int exit);

/* checkpoint.c */
void checkpoints_start(struct core *core);
void checkpoints_restore(struct core *core);  /* start every restore whose time has come */
void checkpoints_judge(struct core *core);
void checkpoints_schedule(struct core *core); /* something has become ready for the first time */
void checkpoints_rest(struct core *core);     /* a stop began */
bool checkpoints_hold(struct core *core);     /* saves are at work that the services' stop waits for */
uint16_t checkpoints_ask(struct core *core, uint16_t which, uint8_t why, uint32_t client); /* NONE: all; an enum reply */
bool checkpoint_restored(const struct core *core, uint16_t service);
void checkpoint_again(struct core *core, uint16_t service); /* who restores on restart waits for that */
bool checkpoint_wanted(const struct core *core, uint16_t checkpoint, uint8_t phase);
void checkpoint_begins(struct core *core, uint16_t checkpoint, uint8_t why, uint32_t client);
void checkpoint_answer(struct core *core, uint16_t checkpoint, uint8_t what, int exit);
void checkpoint_due(struct core *core, uint16_t checkpoint);
void record_begin(struct core *core, uint16_t which);
void record_stop(struct core *core);
void record_ended(struct core *core, int exit);

/* walk.c */
void walk_stop(struct core *core, uint8_t cause, uint16_t value);
void walk_drain(struct core *core, uint8_t cause, instant clock);
bool walk_resume(struct core *core);
void walk_raise_floor(struct core *core, uint8_t floor);
void walk_advance(struct core *core);
void walk_row_ended(struct core *core);
void walk_undo_ended(struct core *core);
void walk_lapse(struct core *core);
void walk_give_up(struct core *core);
void walk_kill(struct core *core);    /* no time is left: what is running gets KILL */
void walk_extend(struct core *core, uint16_t unit, span more);
bool walk_wants_services(const struct core *core); /* goal RUN, no clock, no undo at work */
instant walk_end(const struct core *core); /* clock + grace - reserve */
span walk_spare(const struct core *core);  /* what neither the next stage nor a later one is promised */

/* signal.c */
void signal_event(struct core *core, const struct event *event);
void ask_event(struct core *core, const struct event *event);

/* helper.c */
void helper_start(struct core *core);
void helper_spawned(struct core *core);
void helper_ended(struct core *core);
void helper_stopped(struct core *core);
void helper_pulse(struct core *core);
void helper_published(struct core *core);
void helper_due(struct core *core);

/* end.c */
void end_now(struct core *core);

#endif
