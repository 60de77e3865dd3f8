/* run/why.c: why it ended: who asked for it, and what the kernel's OOM killer had to do with it.
 *
 * The cgroup counts OOM kills before it sends them, so the count is looked at when a program has ended by
 * a SIGKILL that is not ours, and when a last word is due: never while nothing happens. With a
 * configuration the first look is at the start. A lone command is not kept waiting for that: there the
 * count begins with the cgroup, which is the container.
 */
#include <signal.h>
#include <string.h>

#include "run/state.h"
#include "sys/cgroup.h"
#include "text/cgroup.h"
#include "text/out.h"

enum { SAME_KILL_MS = 1000 };

/* ---- who asked ---- */

/* The name is looked up now: a sender is often gone the next moment. */
void why_asked(struct run *run) {
    struct why *why = &run->why;
    struct proc_stat stat;
    why->asked = run->last_stop;
    why->asked_at = run->now;
    why->asker[0] = 0;
    if (why->asked.code <= 0 && why->asked.from != 0 && proc_stat(why->asked.from, &stat))
        memcpy(why->asker, stat.comm, sizeof why->asker);
}

/* ---- the OOM killer ---- */

static bool read_kills(const struct cgroup_file *file, uint64_t *kills) {
    char path[CGROUP_PATH], text[CGROUP_TEXT];
    struct out out = out_on(path, sizeof path);
    cgroup_path(&out, file);
    return !out.cut && cgroup_read(path, text, sizeof text) && cgroup_oom_kills(text, kills);
}

/* By its whole path where the host's hierarchy is mounted; in a container its own group is the mount's root. */
static const char *find_kills(uint64_t *kills) {
    char text[CGROUP_TEXT];
    struct cgroup_file file;
    if (!cgroup_read("/proc/self/cgroup", text, sizeof text))
        return read_kills(&cgroup_v2, kills) ? cgroup_v2.name : read_kills(&cgroup_v1, kills) ? cgroup_v1.name : NULL;
    if (!cgroup_memory(text, &file))
        return NULL;
    if (read_kills(&file, kills))
        return file.name;
    file.n = 0;
    return read_kills(&file, kills) ? file.name : NULL;
}

void why_begin(struct run *run) {
    struct why *why = &run->why;
    why->oom_file = find_kills(&why->oom_first);
    why->oom_last = why->oom_first;
    why->oom_counted = why->oom_file != NULL;
}

void why_look(struct run *run) {
    struct why *why = &run->why;
    uint64_t before = why->oom_last;
    const char *file = find_kills(&why->oom_last);
    why->oom_file = file == NULL ? why->oom_file : file;
    if (due(after(why->oom_grown, MS(SAME_KILL_MS)), run->now))
        why->oom_untold = 0;
    if (why->oom_last > before) {
        why->oom_untold += why->oom_last - before;
        why->oom_grown = run->now;
    }
}

/* Off PID 1 a cgroup may be older than we are. */
int64_t why_oom_kills(const struct run *run) {
    const struct why *why = &run->why;
    if (why->oom_file == NULL || (!why->oom_counted && !run->model->policy.pid1 && why->oom_last > 0))
        return -1;
    return why->oom_last > why->oom_first ? (int64_t)(why->oom_last - why->oom_first) : 0;
}

/* One kill that was counted just now explains one end. */
static uint8_t killer_now(struct run *run) {
    why_look(run);
    if (run->why.oom_untold == 0)
        return KILLER_UNKNOWN;
    run->why.oom_untold--;
    return KILLER_OOM;
}

void why_ended(struct run *run, uint16_t slot, int value) {
    struct why *why = &run->why;
    const struct job *job = &run->core.jobs[slot];
    if (job->what != CMD_RUN)
        return;
    if (run->model->units[job->owner].service == run->model->main)
        why->main_pid = run->jobs.v[slot].pid;
    bool by_other = value == -SIGKILL && !run->jobs.v[slot].killed && !run->sweep_killed;
    if (!by_other && why_killer(run, job->owner) == KILLER_NONE)
        return;
    why->killed[job->owner % KILLED_BY_OTHERS].unit = job->owner;
    why->killed[job->owner % KILLED_BY_OTHERS].killer = by_other ? killer_now(run) : KILLER_NONE;
}

enum killer why_killer(const struct run *run, uint16_t unit) {
    uint16_t at = unit % KILLED_BY_OTHERS;
    return run->why.killed[at].unit == unit ? (enum killer)run->why.killed[at].killer : KILLER_NONE;
}
