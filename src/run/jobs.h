/* run/jobs.h: the processes behind the core's jobs: which pid, which pidfd, which error pipe.
 *
 * A slot holds the newest generation of its job. A pid is in the hash from fork until it has been
 * reaped or its job was forgotten; a reaped pid that is not in it is an orphan. Signals go to pids
 * only while they cannot have been recycled.
 */
#ifndef RUN_JOBS_H
#define RUN_JOBS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/core.h"
#include "model/arena.h"
#include "run/tree.h"
#include "sys/spawn.h"

enum slot_state { SLOT_FREE, SLOT_STARTING, SLOT_RUNS, SLOT_LEFT };

struct slot {
    uint8_t state;          /* enum slot_state */
    uint8_t news;           /* enum spawn_news, known at once and not told yet */
    bool killed;            /* we have sent it KILL */
    bool failed;            /* error says why; told when the process has been reaped */
    bool complained;        /* a check that could not be started: once, until it can; outlives the process */
    uint16_t gen;
    pid_t pid;              /* the leader, also its group's number; stays when it has been reaped */
    int pidfd, error_fd;    /* -1: none */
    struct spawn_error error;
};

struct jobs {
    struct slot *v;
    uint16_t *hash;         /* of pids: slots, HASH_FREE */
    uint32_t mask;
    uint16_t n, n_left, n_news;
    int last_group;         /* pidfd of the leader that was forgotten last, -1: the sweep may reach its group */
    uint64_t pidfd_below;   /* the numbers from here on are kept for what is needed more */
    struct tree tree;
};
enum { HASH_FREE = 0xffff };

bool jobs_layout(struct jobs *jobs, uint16_t n, struct arena *arena);

struct slot *jobs_slot(struct jobs *jobs, struct job_id id); /* NULL: another generation has it */
/* error_fd -1: exec has succeeded already (vfork). pinned: with a pidfd. */
void jobs_born(struct jobs *jobs, uint16_t slot, pid_t pid, int error_fd, bool pinned);
/* It could not be forked at all. */
void jobs_unborn(struct jobs *jobs, uint16_t slot);
void jobs_set_news(struct jobs *jobs, uint16_t slot, enum spawn_news news);
uint16_t jobs_find(const struct jobs *jobs, pid_t pid); /* HASH_FREE: an orphan */
bool jobs_expected(const struct jobs *jobs);            /* one is still to be reaped */
/* The leader was reaped; its slot waits for the rest of its tree. */
void jobs_reaped(struct jobs *jobs, uint16_t slot);
void jobs_forget(struct jobs *jobs, uint16_t slot);

void jobs_signal(struct jobs *jobs, uint16_t slot, int sig, enum whom whom);
void jobs_kill(struct jobs *jobs, uint16_t slot);
/* To what the leader that was forgotten last has left: all that can be reached without /proc. */
void jobs_signal_last(const struct jobs *jobs, int sig);
void jobs_watch(struct jobs *jobs, uint16_t slot);
/* Of a slot that has been left: group and known tree are empty. */
bool jobs_gone(struct jobs *jobs, uint16_t slot);

#endif
