"""docker run -it: a shell with job control, Ctrl-C, Ctrl-Z, and the window's size."""
import itertools
import re

import pytest

from engine import wait_for


@pytest.fixture(params=["entrypoint", "init"])
def options(request):
    """What makes lastcall the first process: the image's entrypoint, or docker run --init."""
    return ["--entrypoint", "", "--init"] if request.param == "init" else []


def recorded(terminal):
    """The signals that `prog record` has shown; the terminal shows the keys as well. WINCH comes when it will."""
    found = re.findall(r"^(?:\^.)*(\d+) \d+\r$", terminal.screen.text, re.M)
    return [int(n) for n in found if n != "28"]


def test_a_shell(image, terminal, options):
    t = terminal(*options, image, "sh")
    t.shown("/ # ")

    def sleeping(state):
        wait_for(lambda: re.search(rf"^{state}\S* +sleep 1000", t.exec("ps", "-o", "stat,args").stdout, re.M))

    def answers(question, answer):
        t.type(f"echo {question}\r")
        t.shown(f"^{answer}\r$")
    t.type("prog tty\r")
    tty = t.shown(r"pid (\d+) pgrp (\d+) sid \d+ foreground (\d+)")
    assert tty[1] == tty[2] == tty[3]
    t.type("sleep 1000\r")
    sleeping("S")
    t.type("\x03")
    answers("one $?", "one 130")
    t.type("sleep 1000\r")
    sleeping("S")
    t.type("\x1a")
    sleeping("T")
    answers("two $((1 + 1))", "two 2")
    t.type("fg\r")
    sleeping("S")
    t.type("\x03")
    answers("three $?", "three 130")
    t.type("exit 3\r")
    assert t.wait() == 3
    assert not re.search("job control|can't|cannot", t.screen.text), t.screen.text


def test_a_key_is_one_signal(image, terminal, options):
    t = terminal(*options, image, "prog", "record", "-", "3:6")
    t.shown("^ready")
    t.type("\x03")
    wait_for(lambda: recorded(t))
    t.type("\x1c")
    assert t.wait() == 6
    wait_for(lambda: 3 in recorded(t))
    assert recorded(t) == [2, 3]


def test_ctrl_c_ends_the_command(image, terminal, options):
    t = terminal(*options, image, "sh", "-c", "echo ready; exec sleep 1000")
    t.shown("^ready")
    t.type("\x03")
    assert t.wait() == 130


def test_the_window_changes(image, terminal, options):
    t = terminal(*options, image, "sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done")
    t.shown("^ready")
    sizes = itertools.cycle([33, 34])

    def arrived():
        t.resize(next(sizes), 77)       # again, as the client may not have listened yet
        return re.search("^3[34] 77\r$", t.screen.text, re.M)
    wait_for(arrived)
    t.type("\x03")
    assert t.wait() == 130


def test_a_stop_with_a_terminal(image, terminal, options):
    t = terminal(*options, image, "sh", "-c", "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    t.shown("^ready")
    t.stop()
    assert t.wait() == 7
    t.shown("^bye")
