/* sys/terminal.h: the foreground of the terminal on stdin, handed over and taken back.
 *
 * lastcall is in the background of its own terminal as soon as it has handed it over; with TTOU
 * blocked it may still take it back.
 */
#ifndef SYS_TERMINAL_H
#define SYS_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

struct terminal {
    bool ours;      /* it was, at the start */
    pid_t given;    /* the group that got it; 0: nobody, -1: one that is gone */
    struct termios settings;
};

/* Whether stdin is a terminal whose foreground is our group: only then it may be handed on. */
bool terminal_look(struct terminal *terminal);
void terminal_give(pid_t group);
/* Takes it back from the group that got it, or from one that is gone, but from nobody else: a shell
 * may have put us into the background meanwhile. restore: with the settings it had, for a program
 * that was killed cannot have put them back itself. */
void terminal_take(const struct terminal *terminal, bool restore);
bool terminal_in_foreground(void);
/* Lets go of the terminal on stdin, so that another session can have it. A session's leader lets go for
 * all of its session, and the foreground group gets HUP and CONT: if we are in it they come from our own
 * pid, and mean nothing. Any other process does so for itself alone: then the session keeps it. */
void terminal_drop(void);
/* The leader of a fresh session makes the terminal on stdin its own. It fails, and nothing is lost, if
 * that is no terminal or belongs to another session. */
void terminal_lead(void);

#endif
