#include "sys/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sys/fd.h"
#include "sys/sigmask.h"

static int open_tty(int flags) { return fd_above_standard(open("/dev/tty", flags | O_NOCTTY | O_CLOEXEC)); }

/* Our terminal, also where stdin is a file; -1: we have none. */
static int enter(void) {
    for (int fd = 0; fd < 3; fd++)
        if (tcgetpgrp(fd) >= 0)
            return fd;
    return open_tty(O_RDWR);
}

static void leave(int fd) {
    if (fd > 2)
        close(fd);
}

/* In a pid namespace all groups outside of it have the number 0, ours too if we came in alone. Then a read
 * of no bytes tells: it fails in the background. */
static bool has_foreground(int fd) {
    pid_t now = tcgetpgrp(fd);
    if (now != 0 || getpgrp() != 0)
        return now == getpgrp();
    int probe = open_tty(O_RDONLY | O_NONBLOCK);
    bool background = probe >= 0 && read(probe, &now, 0) < 0 && errno == EIO;
    fd_close(&probe);
    return !background;
}

bool terminal_is_ours(void) {
    int fd = enter();
    bool ours = fd >= 0 && has_foreground(fd);
    leave(fd);
    return ours;
}

bool terminal_is_there(void) {
    int fd = enter();
    leave(fd);
    return fd >= 0;
}

/* As the first process of a machine or a namespace we may be in no session that could have one. */
static void acquire(void) {
    if (terminal_is_there())
        return;
    setsid();
    terminal_lead();
}

void terminal_look(struct terminal *terminal, bool pid1) {
    terminal->known = tcgetattr(0, &terminal->settings) == 0;
    if (terminal->known && pid1)
        acquire();
    terminal->wanted = terminal->known && isatty(1);
}

void terminal_give(pid_t group) {
    int fd = enter();
    tcsetpgrp(fd, group);
    leave(fd);
}

bool terminal_lend(struct terminal *terminal, pid_t group) {
    int fd = enter();
    bool can = fd >= 0 && has_foreground(fd);
    if (can && !terminal->known)
        terminal->known = tcgetattr(fd, &terminal->settings) == 0;
    can = can && tcsetpgrp(fd, group) == 0;
    if (can)
        terminal->given = group;
    leave(fd);
    return can;
}

bool terminal_is_lent(const struct terminal *terminal) {
    int fd = terminal->given > 0 ? enter() : -1;
    bool lent = fd >= 0 && tcgetpgrp(fd) == terminal->given;
    leave(fd);
    return lent;
}

void terminal_take(struct terminal *terminal, bool killed) {
    terminal->spoilt |= killed;
    int fd = terminal->given != 0 ? enter() : -1;
    pid_t now = fd < 0 ? -1 : tcgetpgrp(fd);
    bool has_gone = now > 0 && kill(-now, 0) != 0 && errno == ESRCH;
    if (now == terminal->given || has_gone || (now >= 0 && has_foreground(fd))) {
        tcsetpgrp(fd, getpgrp());
        if (terminal->spoilt && terminal->known)
            tcsetattr(fd, TCSANOW, &terminal->settings); /* output may be held up for good: it is not waited for */
        terminal->given = 0;
        terminal->spoilt = false;
    }
    leave(fd);
}

bool terminal_drop(signal_set *own) {
    if (ioctl(0, TIOCNOTTY) != 0)
        return false;
    *own = (sigmask_drop_own(SIGHUP) ? signal_bit(SIGHUP) : 0) | (sigmask_drop_own(SIGCONT) ? signal_bit(SIGCONT) : 0);
    return true;
}

bool terminal_lead(void) { return ioctl(0, TIOCSCTTY, 0) == 0; }
