/* sys/sigmask.h: the signal mask, dispositions, and taking signals one by one.
 *
 * Raw system calls with the kernel's eight-byte mask throughout: musl's sigset functions refuse the
 * signals 32 to 34, which users do send. lastcall keeps every signal blocked from its first
 * instruction on and takes them here; it never has a handler.
 */
#ifndef SYS_SIGMASK_H
#define SYS_SIGMASK_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "model/instant.h"
#include "model/signals.h"

#define ALL_SIGNALS (~(signal_set)0)
#define ALL_BUT_CHILDREN (ALL_SIGNALS & ~signal_bit(SIGCHLD))

/* before: the mask that was there; may be NULL. false and errno: it is as it was. */
bool sigmask_set(signal_set blocked, signal_set *before);
bool sigmask_is_pending(int sig);
/* A signal that is blocked and pending does what it does to any process, also if it was inherited as ignored. */
void sigmask_let(int sig);
/* A pending signal that we have sent ourselves is gone; true: there was one. While it is pending the same
 * signal from anybody else is lost. */
bool sigmask_drop_own(int sig);
/* SIGCHLD inherited as ignored would make the kernel reap for us: nothing to wait for, ever. */
bool sigmask_want_children(void);
/* In a child: every disposition to its default, those inherited as ignored too, but for the spared. */
bool sigmask_reset(signal_set spared);

struct signal_taken { int sig, code; pid_t from; uid_t uid; };

/* Waits for one of these, at most `span` (FOREVER: without end); false: none came. Of several that are
 * pending the kernel gives the one with the lowest number. */
bool sigmask_wait(signal_set wanted, span most, struct signal_taken *taken);

/* kill(2): 0 or -errno. */
int sigmask_send(pid_t to, int sig);

/* A descriptor (fd, or a new one for -1) that is readable while one of these is pending; -1 and errno. */
int sigmask_descriptor(int fd, signal_set wanted);
/* Up to `room` signals that are pending; 0: none. */
unsigned sigmask_read(int fd, struct signal_taken *taken, unsigned room);

#endif
