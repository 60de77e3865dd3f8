"""A pseudo terminal for tests: what is typed, and what is shown."""
import os
import re
import termios

from lc import Stream, wait_for


class Terminal:
    """Descriptors for a program: slave. Everything that was shown: screen.text."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        self.screen = Stream(os.dup(self.master))

    def type(self, text):
        os.write(self.master, text.encode())

    def shown(self, regex):
        return wait_for(lambda: re.search(regex, self.screen.text, re.M),
                        what=lambda: f"{regex!r} on the terminal, which has {self.screen.text!r}")

    def canonical(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ICANON)

    def hang_up(self):
        if self.slave is not None:
            os.close(self.slave)
            self.slave = None

    def close(self):
        self.hang_up()
        os.close(self.master)


def tty_line(terminal, number=0):
    """The number-th line that `prog tty` showed, as a dict."""
    def look():
        found = re.findall(r"pid (\d+) pgrp (\d+) sid (\d+) foreground (-?\d+)", terminal.screen.text)
        return dict(zip(("pid", "pgrp", "sid", "foreground"), map(int, found[number]))) if len(found) > number else None
    return wait_for(look, what=lambda: f"a line of `prog tty`; the terminal has {terminal.screen.text!r}")
