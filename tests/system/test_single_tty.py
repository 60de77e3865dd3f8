"""A command at a terminal."""
import os
import signal
import termios

import pytest

from lc import process, recorded_signals, wait_for, wait_for_text
from terminal import tty_line


SHELL = ["/bin/sh", "-c", '"$@"; echo code $?; {prog} tty', "sh"]


def test_the_command_is_in_the_foreground(at_terminal, terminal, programs, both):
    run = at_terminal("--", programs.prog, "tty", mode=both)
    shown = tty_line(terminal)
    assert shown["pgrp"] == shown["pid"] == shown["foreground"]
    assert run.wait() == 0


@pytest.mark.parametrize("command, code", [("exit 3", 3), ("kill -TERM $$", 143), ("kill -KILL $$", 137)])
def test_the_foreground_is_given_back(at_terminal, terminal, programs, both, command, code):
    before = [w.format(prog=programs.prog) for w in SHELL]
    run = at_terminal("--", "sh", "-c", f"{programs.prog} tty; {command}", mode=both, before=before)
    during = tty_line(terminal)
    assert during["pgrp"] == during["foreground"]
    after = tty_line(terminal, 1)
    assert after["foreground"] == after["pgrp"] != during["pgrp"]
    terminal.shown(f"code {code}")
    assert run.wait() == 0


def test_the_foreground_is_given_back_when_the_command_is_not_found(at_terminal, terminal, programs):
    before = [w.format(prog=programs.prog) for w in SHELL]
    run = at_terminal("--", "/nonexistent/program", mode="sub", before=before)
    after = tty_line(terminal)
    assert after["foreground"] == after["pgrp"]
    terminal.shown("code 127")
    assert run.wait() == 0


def test_in_the_background_it_takes_nothing(at_terminal, terminal, programs):
    script = f'set -m; "$@" & wait; {programs.prog} tty'
    run = at_terminal("--", programs.prog, "tty", mode="sub", before=["/bin/bash", "-c", script, "bash"])
    mine, shells = tty_line(terminal), tty_line(terminal, 1)
    assert mine["foreground"] != mine["pgrp"]
    assert shells["foreground"] == shells["pgrp"]
    run.wait()


def test_the_command_can_read_from_the_terminal(at_terminal, terminal, both):
    run = at_terminal("--", "sh", "-c", "echo up; read word; echo got $word", mode=both)
    terminal.shown("up")
    terminal.type("hello\n")
    terminal.shown("got hello")
    assert run.wait() == 0


def test_interrupt_key_reaches_the_command_once(at_terminal, terminal, workdir, programs, both):
    log = workdir / "log"
    run = at_terminal("--", programs.prog, "record", log, "10:0", mode=both)
    wait_for_text(log, "ready")
    terminal.type("\x03")
    wait_for_text(log, "^2 ")
    terminal.type("\x1c")
    wait_for_text(log, "^3 ")
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert recorded_signals(log) == [2, 3, 10]


def test_interrupt_key_ends_the_command(at_terminal, terminal, workdir, programs, both):
    log = workdir / "log"
    run = at_terminal("--", programs.prog, "obey", log, mode=both)
    wait_for_text(log, "ready")
    terminal.type("\x03")
    assert run.wait() == 130


def test_stop_key_stops_both_and_the_shell_gets_the_terminal(at_terminal, terminal, workdir, programs):
    """Ctrl-Z, then `fg`, as a person at a shell does."""
    log, go = workdir / "log", workdir / "go"
    script = f'set -m; "$@"; {programs.prog} tty; until test -e {go}; do sleep 0.05; done; fg; echo code $?'
    before = ["/bin/bash", "-c", script, "bash"]
    run = at_terminal("--", programs.prog, "obey", log, mode="sub", before=before)
    wait_for_text(log, "ready")
    [lastcall] = run.helpers()
    [command] = [p for p in run.programs() if p.argv[1:2] == ["obey"]]
    terminal.type("\x1a")
    wait_for(lambda: process(command.pid).state == "T" and process(lastcall.pid).state == "T")
    shells = tty_line(terminal)
    assert shells["foreground"] == shells["pgrp"]
    go.touch()
    wait_for(lambda: process(command.pid).state == "S" and process(lastcall.pid).state == "S")
    wait_for(lambda: process(command.pid).foreground == command.pgrp, what="the command in the foreground again")
    terminal.type("\x1c")     # an interrupt would end the script too
    terminal.shown("code 131")
    run.wait()


def test_window_changes_reach_the_command(at_terminal, terminal, workdir, programs, both):
    log = workdir / "log"
    at_terminal("--", programs.prog, "record", log, mode=both)
    wait_for_text(log, "ready")
    termios.tcsetwinsize(terminal.slave, (33, 77))
    wait_for_text(log, f"^{int(signal.SIGWINCH)} ")


def test_settings_are_restored_if_the_command_died_of_a_signal(at_terminal, terminal, programs, both):
    run = at_terminal("--", programs.prog, "raw", "s9", mode=both)
    assert run.wait() == 137
    assert terminal.canonical()


def test_settings_are_the_commands_if_it_exited(at_terminal, terminal, programs, both):
    """stty is such a command."""
    run = at_terminal("--", programs.prog, "raw", "4", mode=both)
    assert run.wait() == 4
    assert not terminal.canonical()


def test_a_hang_up_reaches_the_command(start, workdir, programs, both):
    log = workdir / "log"
    master, slave = os.openpty()
    run = start("--", programs.prog, "record", log, "1:0", mode=both, stdin=slave, stdout=slave, stderr=slave,
                ctty=True)
    os.close(slave)
    wait_for_text(log, "ready")
    os.close(master)
    assert run.wait() == 0


def test_a_terminal_that_is_not_the_controlling_one(start, terminal, workdir, programs, both):
    log = workdir / "log"
    run = start("--", programs.prog, "record", log, "15:6", mode=both, stdin=terminal.slave, stdout=terminal.slave,
                stderr=terminal.slave)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 6
