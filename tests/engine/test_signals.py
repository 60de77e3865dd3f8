"""docker kill -s: every signal that Docker can send arrives in the program, once, as itself."""
import re

import pytest

from engine import read, wait_for, wait_for_text

# Docker knows no 32 and 33, its SIGRTMIN is 34.
SENT = sorted({*range(1, 65)} - {32, 33})
# KILL ends the container and STOP stops it; CHLD would be taken for a child's end.
KEPT = {9, 17, 19}


def recorded(path):
    return [int(line.split()[0]) for line in read(path).split("\n")[1:-1]]


def send_all(container, log, but=()):
    """Sends those that arrive, then the others. The HUP at the end shows that none of these was on its way."""
    wait_for_text(log, "^ready")
    arrives = [n for n in SENT if n not in KEPT and n not in but]
    for count, number in enumerate(arrives, 1):
        container.signal(number)
        wait_for(lambda: len(recorded(log)) >= count, what=lambda: f"signal {number} after {recorded(log)}")
    for number in but:
        container.signal(number)
    container.signal("HUP")
    wait_for(lambda: recorded(log)[1:].count(1) == 1)
    assert recorded(log) == arrives + [1]


def test_every_signal_arrives(run, image, workdir):
    c = run("-v", f"{workdir}:/w", image, "prog", "record", "/w/log")
    send_all(c, workdir / "log", but=[17])
    c.signal("KILL")
    assert c.wait() == 137


def test_docker_sends_no_other(run, image):
    c = run(image, "sleep", "1000")
    for number in (32, 33, 65):
        assert c.docker("kill", "-s", number, check=False).returncode != 0
    assert c.inspect(".State.Running") == "true"


@pytest.mark.parametrize("name, number", [("RTMIN", 34), ("SIGRTMIN+15", 49), ("RTMAX-14", 50), ("SIGRTMAX", 64),
                                          ("SIGWINCH", 28), ("USR2", 12)])
def test_names_mean_the_same_on_both_sides(run, image, workdir, name, number):
    c = run("-v", f"{workdir}:/w", image, "prog", "record", "/w/log", f"{number}:0")
    wait_for_text(workdir / "log", "^ready")
    c.signal(name)
    assert c.wait() == 0


def test_a_container_that_is_stopped_goes_on(run, image, workdir):
    c = run("-v", f"{workdir}:/w", image, "prog", "record", "/w/log", "15:4")
    wait_for_text(workdir / "log", "^ready")
    c.signal("STOP")
    wait_for(lambda: re.search(r"State:\s+T", c.exec("cat", "/proc/1/status").stdout))
    c.signal("TERM")
    c.signal("CONT")
    assert c.wait() == 4
