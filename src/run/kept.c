/* run/kept.c: what guards have found out, for the page, the report and the log. */
#include "run/state.h"

#include <string.h>

#include "sys/clock.h"
#include "sys/shared.h"
#include "text/checkpoint.h"
#include "text/duration.h"
#include "text/out.h"

enum { ALWAYS = 0, NORMAL = 1 };

bool kept_layout(struct run *run, struct arena *arena) {
    uint16_t n = run->model->n_checkpoints;
    struct kept *kept = &run->kept;
    kept->newest = NONE;
    if (n == 0)
        return true;
    kept->v = arena_take(arena, n * sizeof *kept->v);
    kept->shared = shared_memory(n * sizeof *kept->shared + sizeof *kept->last);
    if (kept->v == NULL || kept->shared == NULL)
        return false;
    kept->last = (struct last_run *)(kept->shared + n);
    return true;
}

void kept_fresh(struct run *run, uint16_t checkpoint) { run->kept.shared[checkpoint] = (struct checkpoint_result){0}; }

/* A text of a guard's, ended whatever became of it. */
static const char *ended(char *text, size_t room) {
    text[room - 1] = 0;
    return text;
}

static void take_over(struct run *run, uint16_t checkpoint, bool restored, int exit) {
    struct checkpoint_result *result = &run->kept.shared[checkpoint];
    struct page_checkpoint_state *state = &run->kept.v[checkpoint];
    ended(result->id, sizeof result->id);
    ended(result->damaged_id, sizeof result->damaged_id);
    ended(result->path, sizeof result->path);
    if (exit != 0 || *result->id == 0)
        return;
    memcpy(state->latest, result->id, sizeof state->latest);
    state->files = result->files;
    state->bytes = result->bytes;
    if (restored) {
        memcpy(state->restored, result->id, sizeof state->restored);
        return;
    }
    state->taken_s = clock_wall_s();
    if (run->core.walk.goal == GO_EXIT)
        run->kept.newest = checkpoint;
}

void kept_ended(struct run *run, uint16_t slot, int exit) {
    const struct job *job = &run->core.jobs[slot];
    if (job->what == CMD_SAVE || job->what == CMD_RESTORE)
        take_over(run, run->model->steps[job->owner].checkpoint, job->what == CMD_RESTORE, exit);
}

/* ---- sentences ---- */

static void put_size(struct out *out, const struct checkpoint_result *result) {
    out_text(out, " (");
    checkpoint_amount(out, result->files, result->bytes);
    out_char(out, ')');
}

void kept_why(struct out *out, const struct run *run, uint16_t checkpoint, int exit) {
    if (!checkpoint_wrong(out, &run->kept.shared[checkpoint]))
        say_exit(out, exit);
}

/* Nothing where its command was at work. */
void kept_where(struct out *out, const struct run *run, uint16_t checkpoint) {
    struct out before = *out;
    out_text(out, ": ");
    if (checkpoint_wrong(out, &run->kept.shared[checkpoint]))
        return;
    *out = before;
    out->text[out->n] = 0;
}

void kept_taken(struct out *out, const struct run *run, uint16_t checkpoint) {
    const struct checkpoint_result *result = &run->kept.shared[checkpoint];
    out_text(out, *result->id != 0 ? "taken: " : "taken"); /* simulate has nothing to name */
    out_text(out, result->id);
    if (*result->id != 0)
        put_size(out, result);
}

static void put_damaged(struct run *run, uint16_t checkpoint, const char *name) {
    const struct checkpoint_result *result = &run->kept.shared[checkpoint];
    char text[256];
    struct out out = out_on(text, sizeof text);
    if (result->damaged == 0)
        return;
    out_text(&out, name);
    out_text(&out, ": checkpoint ");
    out_text(&out, result->damaged_id);
    if (result->damaged > 1) {
        out_text(&out, " and ");
        out_uint(&out, result->damaged - 1u);
        out_text(&out, " more");
    }
    out_text(&out, result->damaged > 1 ? " are" : " is");
    out_text(&out, " damaged: kept as damaged-");
    out_text(&out, result->damaged_id);
    out_text(&out, *result->id != 0 ? ", the one before is used" : ", and there is none before");
    run_say(run, ALWAYS, text);
}

static void put_restored(struct out *out, const struct checkpoint_result *result) {
    if (result->skipped) {
        out_text(out, "not restored: ");
        out_safe(out, *result->path != 0 ? result->path : "only-if", strlen(*result->path != 0 ? result->path : "only-if"));
        out_text(out, *result->path != 0 ? " exists" : " said no");
    } else if (*result->id == 0) {
        out_text(out, "no checkpoint to restore from");
    } else {
        out_text(out, "restored from ");
        out_text(out, result->id);
        put_size(out, result);
    }
}

void say_restored(struct run *run, uint16_t checkpoint, int exit) {
    const char *name = run->model->steps[run->model->checkpoints[checkpoint].step].name;
    char text[512];
    struct out out = out_on(text, sizeof text);
    put_damaged(run, checkpoint, name);
    out_text(&out, name);
    out_text(&out, ": ");
    if (exit == 0) {
        put_restored(&out, &run->kept.shared[checkpoint]);
    } else {
        out_text(&out, "restore FAILED: ");
        kept_why(&out, run, checkpoint, exit);
    }
    run_say(run, exit == 0 ? NORMAL : ALWAYS, text);
}

void say_saved(struct run *run, uint16_t checkpoint, int exit) {
    char text[512];
    struct out out = out_on(text, sizeof text);
    out_text(&out, run->model->steps[run->model->checkpoints[checkpoint].step].name);
    out_text(&out, ": checkpoint ");
    if (exit == 0) {
        kept_taken(&out, run, checkpoint);
    } else {
        out_text(&out, "FAILED: ");
        kept_why(&out, run, checkpoint, exit);
    }
    run_say(run, exit == 0 ? NORMAL : ALWAYS, text);
}

/* The first store is looked at when the record is read, the others when they are first used. */
void say_volatile(struct run *run) {
    bool any = run->kept.last != NULL && run->kept.last->volatile_store;
    for (uint16_t i = 0; i < run->model->n_checkpoints; i++)
        any |= run->kept.shared[i].volatile_store;
    if (!any || run->kept.warned)
        return;
    run->kept.warned = true;
    run_say(run, ALWAYS, "the store of checkpoints is on a tmpfs or in the container's own layer: it is gone when the "
                         "container is; checkpoint-dir = a volume");
}
