/* sys/control.h: the control socket: where it is looked for, and how PID 1 takes its place.
 *
 * PID 1 and the verbs go through the same candidates in the same order, so they meet without having
 * been told anything. A socket that answers is never taken over; one that nobody listens on is
 * replaced; anything else at the path is left alone and is an error.
 */
#ifndef SYS_CONTROL_H
#define SYS_CONTROL_H

#include <stdint.h>

enum { CONTROL_NAME = 108 }; /* bytes of a name with its NUL; "@name" is an abstract one */

struct control_names {
    char v[3][CONTROL_NAME];
    uint8_t n;
};

struct control {
    int fd;                  /* listening, non-blocking, close-on-exec; -1: none */
    char name[CONTROL_NAME]; /* for LASTCALL_SOCKET */
    uint64_t device, inode;  /* of the file, to know it again; 0: abstract */
};

/* /run/lastcall.sock, $XDG_RUNTIME_DIR/lastcall.sock (runtime_dir NULL or relative: left out), and an
 * abstract name made from the mount namespace: programs entered into the container find it, and two
 * containers of a pod, which share abstract names, do not collide. */
void control_candidates(const char *runtime_dir, struct control_names *names);

/* Binds `wanted` (a path or "@name") with mode 0600, or, where it is NULL, the first candidate that
 * can be had; then an abstract name of this process's own is tried last, so a second lastcall in a
 * shell has one too. 0; or errno, and control->name is the one that it is about: EADDRINUSE another
 * lastcall answers there; EEXIST what is there is no socket; ENAMETOOLONG. */
int control_bind(const char *wanted, const char *runtime_dir, struct control *control);

/* Removes the file if it is still the one that was made. Leaves control->fd alone. */
void control_unlink(const struct control *control);

/* A connected stream socket (blocking, close-on-exec), or -1 and errno. Never waits for a listener
 * whose backlog is full: that is EAGAIN. */
int control_connect(const char *name);

#endif
