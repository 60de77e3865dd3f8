/* run/ending.c: the report of a requested stop, current at every instant until the platform's KILL. */
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "run/state.h"
#include "sys/clock.h"
#include "sys/sweep.h"
#include "text/errtext.h"
#include "text/out.h"
#include "text/report.h"

static const char default_path[] = "/dev/termination-log";

/* After a crash that nobody asked for, the platform shall show the program's own last words. */
static bool was_asked_for(const struct run *run) {
    uint8_t why = run->core.walk.cause;
    return why == BY_SIGNAL || why == BY_PRESTOP || why == BY_SHUTDOWN;
}

/* Once: a report that was asked for and cannot be written. */
static void complain(struct run *run, int error) {
    char text[512];
    struct out out = out_on(text, sizeof text);
    if (error == 0 || run->config->report == NULL || run->ending.complained)
        return;
    run->ending.complained = true;
    out_text(&out, "cannot write the report ");
    out_text(&out, run->config->report);
    out_text(&out, ": ");
    out_text(&out, errtext(error));
    run_say(run, 0, text);
}

static void open_once(struct run *run) {
    struct ending *ending = &run->ending;
    const char *path = run->config->report;
    struct utsname names;
    ending->opened = true;
    if (path != NULL && strcmp(path, "off") == 0)
        return;
    if (uname(&names) == 0)
        memcpy(ending->host, names.nodename, sizeof ending->host);
    complain(run, message_file_open(&ending->file, path == NULL ? default_path : path, path != NULL));
}

static void list_left(struct report_process *left, struct proc_stat *stats, uint16_t room, uint16_t *n) {
    pid_t pids[8];
    size_t found = sweep_left(pids, room < 8 ? room : 8);
    for (size_t i = 0; i < found; i++) {
        stats[i] = (struct proc_stat){0};
        proc_stat(pids[i], &stats[i]);
        left[i] = (struct report_process){.pid = pids[i], .comm = stats[i].comm};
    }
    *n = (uint16_t)found;
}

static void list_killed(const struct run *run, struct report_process *killed) {
    for (uint16_t i = 0; i < run->ending.n_killed; i++) {
        const struct killed *one = &run->ending.killed[i];
        killed[i] = (struct report_process){.pid = one->pid, .comm = one->comm,
                                            .service = one->unit == NONE ? NULL : run->model->units[one->unit].name};
    }
}

size_t ending_report(const struct run *run, char into[static MAX_REPORT + 1], const struct report_process *left,
                     uint16_t n_left) {
    char sentence[768], why[64];
    struct out out = out_on(sentence, sizeof sentence), why_out = out_on(why, sizeof why);
    struct report_process killed[MAX_KILLED];
    summary(&out, run);
    cause_short(&why_out, run);
    list_killed(run, killed);
    struct report report = {
        .model = run->model, .rows = run->core.walk.rows, .n_rows = run->core.walk.n_rows,
        .summary = sentence, .cause = why, .host = run->ending.host, .version = LASTCALL_VERSION,
        .verdict = run->exited ? core_verdict(&run->core) : VERDICT_INTERRUPTED,
        .exit = run->exited ? (int16_t)run->exit : -1,
        .zero = stop_zero(run), .grace = run->model->policy.grace, .used = until(stop_zero(run), run->now),
        .time_s = clock_wall_s(), .killed = killed, .n_killed = run->ending.n_killed, .left = left, .n_left = n_left,
        .oom = why_oom_kills(run),
        .checkpoint = run->kept.newest == NONE ? NULL : run->kept.v[run->kept.newest].latest,
    };
    return report_make(into, &report);
}

void ending_write(struct run *run, bool last) {
    char text[MAX_REPORT + 1];
    struct report_process left[8];
    struct proc_stat stats[8];
    uint16_t n_left = 0;
    if (!was_asked_for(run))
        return;
    if (!run->ending.opened)
        open_once(run);
    if (!run->ending.file.usable || (run->ending.file.stream && !last))
        return;
    if (!last)
        why_look(run);
    if (last && run->core.left_behind)
        list_left(left, stats, 8, &n_left);
    size_t n = ending_report(run, text, left, n_left);
    complain(run, message_file_write(&run->ending.file, text, n, last)); /* a full disk: the next step tries again */
}

/* It was undone: a later crash must not be explained by this. */
void ending_undo(struct run *run) {
    run->ending.n_killed = 0;
    run->ending.more_killed = 0;
    if (run->ending.file.usable && !run->ending.file.stream)
        message_file_write(&run->ending.file, "", 0, false);
}

/* Without /proc a pid is all that is known. */
static void remember(struct ending *ending, struct killed who, pid_t pid) {
    struct proc_stat stat = {0};
    proc_stat(pid, &stat);
    if (stat.state == 'Z')
        return;
    if (ending->n_killed == MAX_KILLED) {
        ending->more_killed++;
        return;
    }
    who.pid = pid;
    memcpy(who.comm, stat.comm, sizeof who.comm);
    ending->killed[ending->n_killed++] = who;
}

struct killed ending_who(const struct run *run, uint16_t slot) {
    const struct job *job = &run->core.jobs[slot];
    if (job->what == CMD_RUN || job->what == CMD_STOP || job->what == CMD_RELOAD)
        return (struct killed){.unit = job->owner, .name = run->model->units[job->owner].name};
    if (job->what == CMD_RECORD)
        return (struct killed){.unit = NONE};
    return (struct killed){.unit = NONE, .name = run->model->steps[job->owner].name};
}

/* By its leader; where that has gone, by what is known to be left of it. */
static void remember_job(struct run *run, uint16_t slot) {
    const struct slot *s = &run->jobs.v[slot];
    const struct tree *tree = &run->jobs.tree;
    if (s->state != SLOT_LEFT) {
        remember(&run->ending, ending_who(run, slot), s->pid);
        return;
    }
    for (uint32_t i = 0; i < tree->n; i++)
        if (tree->v[i].job == slot && proc_alive(tree->v[i].id))
            remember(&run->ending, ending_who(run, slot), tree->v[i].id.pid);
}

static void remember_children(struct run *run) {
    pid_t children[64];
    size_t n = proc_children(0, children, sizeof children / sizeof *children);
    for (size_t i = 0; i < n; i++) {
        uint16_t slot = jobs_find(&run->jobs, children[i]);
        if (slot == HASH_FREE)
            remember(&run->ending, (struct killed){.unit = NONE}, children[i]);
        else if (!run->jobs.v[slot].killed)
            ending_killed(run, slot);
    }
}

/* Called before the KILL: afterwards nobody knows its name. slot NONE: all children, by the sweep. */
void ending_killed(struct run *run, uint16_t slot) {
    uint8_t what = slot == NONE ? CMD_N : run->core.jobs[slot].what;
    if (is_never(run->core.walk.asked) || what == CMD_NET || what == CMD_CHECK)
        return;
    if (slot == NONE)
        remember_children(run);
    else
        remember_job(run, slot);
}
