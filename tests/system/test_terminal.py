"""Shells and other programs of a person at a terminal."""
import os
import subprocess
from pathlib import Path

import pytest

from lc import ROOT
from terminal import tty_line


# ---- a command that leads a session of its own ----

@pytest.fixture(scope="session")
def lead(programs):
    """The binary of programs/lead.c."""
    sources = [ROOT / "src" / "sys" / f"{name}.c" for name in ("spawn", "terminal", "sigmask", "privileges", "fd")]
    subprocess.run([os.environ.get("TEST_CC", "gcc"), "-std=gnu11", "-D_GNU_SOURCE", "-static", "-O1", "-Wall",
                    "-iquote", ROOT / "src", "-o", programs.base / "lead",
                    Path(__file__).parent / "programs" / "lead.c", *sources], check=True)
    return programs.base / "lead"


def test_a_session_of_its_own_gets_the_terminal(at_terminal, terminal, programs, lead, both):
    run = at_terminal("drop", programs.prog, "tty", binary=lead, mode=both)
    shown = tty_line(terminal)
    assert shown["pid"] == shown["pgrp"] == shown["sid"] == shown["foreground"]
    assert run.wait() == 0
    terminal.shown("signal 1 self")     # what comes of having let go is told from what others send
    terminal.shown("signal 18 self")
    assert "other" not in terminal.screen.text


def test_a_session_of_its_own_goes_without_where_the_terminal_is_not_let_go(at_terminal, terminal, programs, lead):
    run = at_terminal(programs.prog, "tty", binary=lead)
    shown = tty_line(terminal)
    assert shown["pid"] == shown["sid"] and shown["foreground"] == -1
    assert run.wait() == 0


def test_who_leads_no_session_lets_go_for_itself_alone(at_terminal, terminal, programs, lead):
    script = f'"$@"; {programs.prog} tty'
    run = at_terminal("drop", programs.prog, "tty", binary=lead, before=["/bin/sh", "-c", script, "sh"])
    command, shell = tty_line(terminal), tty_line(terminal, 1)
    assert command["pid"] == command["sid"] and command["foreground"] == -1
    assert shell["foreground"] == shell["pgrp"]
    assert run.wait() == 0 and "signal" not in terminal.screen.text


def test_a_session_of_its_own_keeps_an_input_that_is_no_terminal(start, lead, both):
    ours, theirs = os.pipe()
    os.write(theirs, b"hello\n")
    os.close(theirs)
    run = start("drop", "sh", "-c", "read word; echo got $word", binary=lead, mode=both, stdin=ours)
    os.close(ours)
    assert run.wait() == 0
    assert run.out == "got hello\n"
