/* verbs/timetable.h: when each step of the plan runs if everything takes as long as it may.
 */
#ifndef VERBS_TIMETABLE_H
#define VERBS_TIMETABLE_H

#include "conf/conf.h"
#include "core/core.h"
#include "verbs/verb.h"

struct timetable {
    struct core core;         /* core.walk.rows are the plan */
    struct slot { instant start, end; span guaranteed, wrote; } *slots; /* by row; wrote FOREVER: nothing */
    span total;               /* until the last has ended */
};

/* From the configuration alone. */
void timetable_make(struct timetable *timetable, const struct verb_call *call, const struct model *model);

/* Adds a warning for each step that may get less time than was written for it. */
void timetable_lint(const struct timetable *timetable, struct arena *arena, struct findings *findings);

#endif
