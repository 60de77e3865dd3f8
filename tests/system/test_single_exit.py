"""Exit codes of the single command mode."""
import os
import signal

import pytest

from lc import wait_for_text

DEADLY = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31, 32, 33, 34, 35, 63, 64]


@pytest.mark.parametrize("code", [0, 1, 2, 32, 64, 78, 124, 125, 126, 127, 128, 254, 255])
def test_the_commands_own_code(start, both, code):
    assert start("--", "sh", "-c", f"exit {code}", mode=both).wait() == code


@pytest.mark.parametrize("sig", DEADLY)
def test_death_by_a_signal(start, programs, both, sig):
    run = start("--", programs.prog, "die", sig, mode=both)
    assert run.wait() == 128 + sig
    assert run.signaled is None, "lastcall exits, it does not kill itself"


def test_killed_by_somebody_else(start, both):
    run = start("--", "sh", "-c", "echo up; exec sleep 1000", mode=both)
    run.wait_line("up", stream="out")
    [command] = run.programs()
    os.kill(command.pid, signal.SIGKILL)
    assert run.wait() == 137


@pytest.mark.parametrize("argv, code", [
    (["/nonexistent/program"], 127), (["no-such-program-anywhere"], 127), (["/etc/passwd/x"], 127),
    (["/usr"], 126), (["/etc/passwd"], 126), (["./"], 126)], ids=str)
def test_what_cannot_be_run(start, both, argv, code):
    run = start("--", *argv, mode=both)
    assert run.wait() == code
    lines = run.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("lastcall: ")
    assert argv[0] in lines[0]


def test_a_file_that_is_no_program(start, workdir):
    bad = workdir / "bad"
    bad.write_bytes(b"\x00\x01\x02 no program\n")
    bad.chmod(0o755)
    run = start("--", bad)
    assert run.wait() == 126
    assert str(bad) in run.err


def test_found_in_path_but_not_executable(start, workdir):
    (workdir / "mine").write_text("#!/bin/sh\n")
    run = start("--", "mine", env={"PATH": f"{workdir}:/usr/bin"})
    assert run.wait() == 126


def test_a_later_place_in_path_is_tried(start, workdir):
    first, second = workdir / "1", workdir / "2"
    first.mkdir()
    second.mkdir()
    (first / "mine").write_text("not executable\n")
    (second / "mine").write_text("#!/bin/sh\nexit 6\n")
    (second / "mine").chmod(0o755)
    assert start("--", "mine", env={"PATH": f"{first}:{workdir}/none:{second}"}).wait() == 6


def test_without_path_the_usual_places_are_searched(start):
    assert start("--", "sh", "-c", "exit 4", env={"PATH": None}).wait() == 4


def test_expect_exit(start, both):
    assert start("--expect-exit", "7", "--", "sh", "-c", "exit 7", mode=both).wait() == 0
    assert start("--expect-exit", "7", "--", "sh", "-c", "exit 8", mode=both).wait() == 8


def test_expect_exit_repeats(start):
    options = ["--expect-exit", "143", "--expect-exit", "7", "--expect-exit", "255"]
    for code, wanted in ((143, 0), (7, 0), (255, 0), (142, 142), (0, 0)):
        assert start(*options, "--", "sh", "-c", f"exit {code}", mode="sub").wait() == wanted


def test_expect_exit_counts_signals(start, workdir, programs):
    run = start("--expect-exit", "143", "--", programs.prog, "obey", workdir / "log")
    wait_for_text(workdir / "log", "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0


def test_expect_exit_of_what_cannot_run(start):
    """127 of lastcall itself is not the command's code."""
    run = start("--expect-exit", "127", "--", "/nonexistent/program", mode="sub")
    assert run.wait() == 127


def test_a_stop_that_is_obeyed_gives_143(start, workdir, programs, both):
    run = start("--", programs.prog, "obey", workdir / "log", mode=both)
    wait_for_text(workdir / "log", "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


def test_a_stop_that_is_handled_gives_the_commands_code(start, workdir, programs, both):
    run = start("--", programs.prog, "record", workdir / "log", "15:3", mode=both)
    wait_for_text(workdir / "log", "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 3
