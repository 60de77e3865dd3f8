/* sys/terminal.h: the foreground of our terminal, lent to a group and taken back.
 *
 * lastcall is in the background of its own terminal as soon as it has lent it; with TTOU blocked it
 * may still take it back. It lends only what its group has, and takes back only what it has lent.
 */
#ifndef SYS_TERMINAL_H
#define SYS_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#include "model/signals.h"

struct terminal {
    bool wanted;    /* who is started at it begins in the foreground, where that is ours */
    bool known;     /* settings are those before anybody got it */
    bool spoilt;    /* who had it was killed, and cannot have put the settings back */
    pid_t given;    /* the group that got it; 0: nobody, -1: one that is gone */
    struct termios settings;
};

/* At the start. Wanted if stdin is a terminal and stdout is no pipeline's: the next in it may be the one that
 * needs the terminal. PID 1 makes a terminal its own that is nobody's yet. */
void terminal_look(struct terminal *terminal, bool pid1);
/* Our terminal's foreground to a group, as it is. */
void terminal_give(pid_t group);
/* Our group has the foreground of our terminal, whichever descriptor that is on: now the other has it. */
bool terminal_lend(struct terminal *terminal, pid_t group);
bool terminal_is_there(void);
bool terminal_is_lent(const struct terminal *terminal);
/* From the group that got it, or from one that is gone, but from nobody else: a shell may have put us
 * into the background meanwhile. With its settings, if one that was killed has had it. */
void terminal_take(struct terminal *terminal, bool killed);
/* We have the foreground of our terminal, whichever descriptor that is on. */
bool terminal_is_ours(void);
/* Lets go of the terminal on stdin, so that another session can have it. A session's leader lets go for
 * all of its session, and the foreground group gets HUP and CONT: those that came to us, which mean nothing
 * and are taken away: *own. Any other process does so for itself alone: then the session keeps it. */
bool terminal_drop(signal_set *own);
/* The leader of a fresh session makes the terminal on stdin its own. It fails, and nothing is lost, if
 * that is no terminal or belongs to another session. */
bool terminal_lead(void);

#endif
