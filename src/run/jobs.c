#include "run/jobs.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "model/nearby.h"
#include "sys/fd.h"
#include "sys/pidfd.h"
#include "sys/sigmask.h"

bool jobs_layout(struct jobs *jobs, uint16_t n, struct arena *arena) {
    uint32_t room = 8;
    while (room < 2u * n)
        room *= 2;
    *jobs = (struct jobs){.n = n, .mask = room - 1, .pidfd_below = UINT64_MAX, .last_group = -1};
    jobs->v = arena_take(arena, n * sizeof *jobs->v);
    jobs->hash = arena_take(arena, room * sizeof *jobs->hash);
    if (jobs->v == NULL || jobs->hash == NULL || !tree_layout(&jobs->tree, arena))
        return false;
    memset(jobs->hash, 0xff, room * sizeof *jobs->hash);
    for (uint16_t i = 0; i < n; i++)
        jobs->v[i].pidfd = jobs->v[i].error_fd = -1;
    return true;
}

/* ---- the hash: open addressing, at most half full ---- */

static uint32_t home(const struct jobs *jobs, pid_t pid) { return ((uint32_t)pid * 0x9e3779b1u >> 7) & jobs->mask; }

static uint32_t place(const struct jobs *jobs, pid_t pid) {
    uint32_t at = home(jobs, pid);
    while (jobs->hash[at] != HASH_FREE && jobs->v[jobs->hash[at]].pid != pid)
        at = (at + 1) & jobs->mask;
    return at;
}

uint16_t jobs_find(const struct jobs *jobs, pid_t pid) { return jobs->hash[place(jobs, pid)]; }

bool jobs_expected(const struct jobs *jobs) {
    for (uint32_t i = 0; i <= jobs->mask; i++)
        if (jobs->hash[i] != HASH_FREE)
            return true;
    return false;
}

/* Entries that stand behind the gap because of it move up, so that nobody looks in vain. */
static void hash_remove(struct jobs *jobs, pid_t pid) {
    uint32_t gap = place(jobs, pid);
    if (jobs->hash[gap] == HASH_FREE)
        return;
    for (uint32_t at = (gap + 1) & jobs->mask; jobs->hash[at] != HASH_FREE; at = (at + 1) & jobs->mask) {
        uint32_t wants = home(jobs, jobs->v[jobs->hash[at]].pid);
        if (((at - wants) & jobs->mask) >= ((at - gap) & jobs->mask)) {
            jobs->hash[gap] = jobs->hash[at];
            gap = at;
        }
    }
    jobs->hash[gap] = HASH_FREE;
}

/* ---- slots ---- */

NEARBY struct slot *jobs_slot(struct jobs *jobs, struct job_id id) {
    struct slot *slot = id.job < jobs->n ? &jobs->v[id.job] : NULL;
    return slot != NULL && slot->state != SLOT_FREE && slot->gen == id.gen ? slot : NULL;
}

/* Without a pidfd (an old kernel, no descriptor left) signals to a group whose leader has gone are
 * given only while a known member lives. */
void jobs_born(struct jobs *jobs, uint16_t slot, pid_t pid, int error_fd, bool pinned) {
    struct slot *s = &jobs->v[slot];
    s->state = SLOT_STARTING;
    s->pid = pid;
    s->error_fd = error_fd;
    s->pidfd = pinned ? fd_above_standard(pidfd_of(pid)) : -1;
    if (s->pidfd >= 0 && (uint64_t)s->pidfd >= jobs->pidfd_below)
        fd_close(&s->pidfd);
    jobs->hash[place(jobs, pid)] = slot;
    if (error_fd < 0)
        jobs_set_news(jobs, slot, SPAWN_RUNS);
}

void jobs_set_news(struct jobs *jobs, uint16_t slot, enum spawn_news news) {
    struct slot *s = &jobs->v[slot];
    if (s->news == SPAWN_NO_NEWS && news != SPAWN_NO_NEWS)
        jobs->n_news++;
    if (s->news != SPAWN_NO_NEWS && news == SPAWN_NO_NEWS)
        jobs->n_news--;
    s->news = (uint8_t)news;
}

void jobs_unborn(struct jobs *jobs, uint16_t slot) {
    jobs->v[slot].state = SLOT_STARTING;
    jobs_set_news(jobs, slot, SPAWN_FAILED);
}

void jobs_reaped(struct jobs *jobs, uint16_t slot) {
    hash_remove(jobs, jobs->v[slot].pid);
    jobs->v[slot].state = SLOT_LEFT;
    jobs->n_left++;
}

void jobs_forget(struct jobs *jobs, uint16_t slot) {
    struct slot *s = &jobs->v[slot];
    if (s->state == SLOT_LEFT)
        jobs->n_left--;
    else if (s->state != SLOT_FREE && s->pid != 0)
        hash_remove(jobs, s->pid);
    jobs_set_news(jobs, slot, SPAWN_NO_NEWS);
    tree_forget(&jobs->tree, slot);
    if (s->state == SLOT_LEFT && s->pidfd >= 0) {
        fd_close(&jobs->last_group);
        jobs->last_group = s->pidfd;
        s->pidfd = -1;
    }
    fd_close(&s->pidfd);
    fd_close(&s->error_fd);
    *s = (struct slot){.gen = s->gen, .complained = s->complained, .pidfd = -1, .error_fd = -1};
}

/* ---- signals ---- */

void jobs_signal_last(const struct jobs *jobs, int sig) {
    if (jobs->last_group >= 0)
        pidfd_signal_group(jobs->last_group, sig);
}

/* A leader that has not been reaped keeps its pid and its group's number from being recycled. Before
 * it has made its session the group does not exist yet, and it is alone. */
static NEARBY void signal_living(const struct slot *slot, int sig, bool group) {
    if (!group || sigmask_send(-slot->pid, sig) != 0)
        sigmask_send(slot->pid, sig);
}

/* kill(2) on a recycled number would hit strangers; the pidfd names the group that was (Linux 6.9).
 * Without it a member must be known to live: what the leader has left are our children now. */
static void signal_left(struct jobs *jobs, uint16_t slot, int sig) {
    const struct slot *s = &jobs->v[slot];
    int result = s->pidfd >= 0 ? pidfd_signal_group(s->pidfd, sig) : ENOSYS;
    if (result == 0 || result == ESRCH || jobs_find(jobs, s->pid) != HASH_FREE)
        return;
    if (kill(-s->pid, 0) == 0)
        tree_adopt(&jobs->tree, slot, s->pid);
    if (tree_holds_group(&jobs->tree, slot, s->pid))
        kill(-s->pid, sig);
}

NEARBY void jobs_signal(struct jobs *jobs, uint16_t slot, int sig, enum whom whom) {
    struct slot *s = &jobs->v[slot];
    bool left = s->state == SLOT_LEFT, group = whom == TO_GROUP || whom == TO_TREE;
    if (s->pid == 0)
        return;
    s->killed |= sig == SIGKILL;
    if (!left && whom != TO_STRAYS)
        signal_living(s, sig, group);
    else if (left && group)
        signal_left(jobs, slot, sig);
    if (whom == TO_STRAYS || whom == TO_TREE)
        tree_signal(&jobs->tree, slot, s->pid, sig);
}

void jobs_watch(struct jobs *jobs, uint16_t slot) {
    const struct slot *s = &jobs->v[slot];
    if (s->pid != 0)
        tree_watch(&jobs->tree, slot, s->state == SLOT_LEFT ? 0 : s->pid);
}

void jobs_kill(struct jobs *jobs, uint16_t slot) {
    jobs_watch(jobs, slot);
    jobs_signal(jobs, slot, SIGKILL, TO_TREE);
}

/* "The group exists" is true of a group of zombies too: so this is asked after everything that could
 * be reaped has been. */
static bool group_empty(struct jobs *jobs, uint16_t slot) {
    const struct slot *s = &jobs->v[slot];
    int result = s->pidfd >= 0 ? pidfd_signal_group(s->pidfd, 0) : ENOSYS;
    if (result != 0 && result != ESRCH) /* an old kernel, or a filter */
        result = kill(-s->pid, 0) == 0 ? 0 : errno;
    return result == ESRCH;
}

bool jobs_gone(struct jobs *jobs, uint16_t slot) {
    return group_empty(jobs, slot) && tree_empty(&jobs->tree, slot);
}
