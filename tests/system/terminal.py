"""A pseudo terminal for tests: what is typed, and what is shown.

    terminal.type("echo $((6 * 7))\n")
    terminal.expect("^42")                  # after what the last expect has found

A shell at the terminal is driven by its prompt (Shell); each command's exit code is seen as "=CODE=".
"""
import fcntl
import os
import re
import termios

from lc import Stream, wait_for


class Terminal:
    """Descriptors for a program: slave. Everything that was shown: screen.text."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        termios.tcsetwinsize(self.slave, (24, 200))
        self.screen = Stream(os.dup(self.master))
        self.at = 0                         # what is shown from here on is still to be expected

    def type(self, text):
        os.write(self.master, text.encode())

    def shown(self, regex):
        return wait_for(lambda: re.search(regex, self.screen.text, re.M),
                        what=lambda: f"{regex!r} on the terminal, which has {self.screen.text!r}")

    def expect(self, regex):
        """Waits until this is shown after what was expected last."""
        found = wait_for(lambda: re.compile(regex, re.M).search(self.screen.text, self.at),
                         what=lambda: f"{regex!r} on the terminal, which has {self.screen.text[self.at:]!r} after "
                                      f"{self.screen.text[:self.at]!r}")
        self.at = found.end()
        return found

    @property
    def foreground(self):
        """The foreground group, as the test's own pid namespace has it."""
        return os.tcgetpgrp(self.master)

    def canonical(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ICANON)

    def cut(self):
        """The line goes dead, as when a modem hangs up or a window is closed."""
        fcntl.ioctl(self.slave, 0x5437)     # TIOCVHANGUP

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


class Shell:
    """A shell that prompts with its name and "> ", at a terminal."""

    def __init__(self, terminal, name):
        self.terminal, self.prompt = terminal, f"{name}> "
        self.expect_prompt()

    def expect_prompt(self):
        self.terminal.expect(re.escape(self.prompt))

    def type(self, line):
        self.terminal.type(line + "\n")

    def key(self, letter):
        """A control key, as Ctrl-C is "c"."""
        self.terminal.type(chr(ord(letter) & 31))

    def stop(self):
        """The stop key, and what the shell says of what has stopped."""
        self.key("z")
        self.terminal.expect("Stopped")
        self.expect_prompt()

    def code(self):
        """The exit code of what was typed last."""
        self.expect_prompt()
        self.type("echo =$?=")
        found = self.terminal.expect(r"^=(\d+)=")
        self.expect_prompt()
        return int(found[1])
