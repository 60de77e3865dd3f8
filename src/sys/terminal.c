#include "sys/terminal.h"

#include <unistd.h>

bool terminal_in_foreground(void) { return tcgetpgrp(0) == getpgrp(); }

bool terminal_look(struct terminal *terminal) {
    terminal->ours = terminal_in_foreground() && tcgetattr(0, &terminal->settings) == 0;
    return terminal->ours;
}

void terminal_give(pid_t group) { tcsetpgrp(0, group); }

void terminal_take(const struct terminal *terminal, bool restore) {
    if (!terminal->ours)
        return;
    tcsetpgrp(0, getpgrp());
    if (restore)
        tcsetattr(0, TCSADRAIN, &terminal->settings);
}
