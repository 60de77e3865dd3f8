#include "sys/terminal.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_in_foreground(void) { return tcgetpgrp(0) == getpgrp(); }

bool terminal_look(struct terminal *terminal) {
    terminal->ours = terminal_in_foreground() && tcgetattr(0, &terminal->settings) == 0;
    return terminal->ours;
}

void terminal_give(pid_t group) { tcsetpgrp(0, group); }

void terminal_drop(void) { ioctl(0, TIOCNOTTY); }

void terminal_lead(void) { ioctl(0, TIOCSCTTY, 0); }

void terminal_take(const struct terminal *terminal, bool restore) {
    pid_t now;
    if (terminal->given == 0 || (now = tcgetpgrp(0)) < 0)
        return;
    if (now != terminal->given && now != getpgrp() && !(kill(-now, 0) != 0 && errno == ESRCH))
        return;
    tcsetpgrp(0, getpgrp());
    if (restore)
        tcsetattr(0, TCSADRAIN, &terminal->settings);
}
