"""Dockerfile.example, on a Debian made with debootstrap."""

import pytest

from engine import ROOT, wait_for


@pytest.fixture(scope="module")
def example(engine, debian):
    return engine.build(ROOT, "-f", ROOT / "Dockerfile.example")


def test_it_runs_and_stops(run, example):
    c = run(example)
    wait_for(lambda: c.inspect(".State.Health.Status") == "healthy", what=lambda: c.inspect("json .State"))
    assert c.exec("cat", "/proc/1/comm").stdout == "lastcall\n"
    c.docker("stop", "-t", "50")
    assert c.wait() == 143
    assert "lastcall: CLEAN in " in c.err


def test_it_takes_any_command(docker, example):
    assert docker("run", "--rm", example, "perl", "-e", "print getppid").stdout == "1"


def test_bash_in_a_terminal(terminal, example):
    t = terminal(example, "bash")
    t.shown(r"\$ ")
    t.type("sleep 1000 &\r")
    job = t.shown(r"\[1\] (\d+)")[1]
    t.type("fg\r")             # bash shows the command first, and then gives it the terminal
    wait_for(lambda: t.exec("cut", "-d ", "-f8", f"/proc/{job}/stat").stdout.strip() == job)
    t.type("\x03")
    t.type("echo code $?\r")
    t.shown(r"\bcode 130\r$")
    t.type("exit 4\r")
    assert t.wait() == 4
    assert "job control" not in t.screen.text
