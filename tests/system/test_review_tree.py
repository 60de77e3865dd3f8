"""The tree of a service: deep ones cost little, and what a leader leaves in its group is cleared away."""
import os
import re
import signal

import pytest

from lc import SANITIZED, read, wait_for, wait_for_text, write_ini

CHAIN = """#!/bin/sh
trap '' TERM
if [ $1 = 0 ]; then echo yes > ready; exec sleep 1000; fi
$0 $(($1 - 1)) &
wait
"""
LEAVES = """#!/bin/sh
sleep 1000 &
exit 1
"""


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.limit(120)
@pytest.mark.skipif(SANITIZED, reason="a sanitizer does not work under ptrace")
def test_a_deep_tree_does_not_eat_the_grace(start, workdir):
    """Each process is listed once: below every one of them all the others would be looked at again."""
    script(workdir / "chain", CHAIN)
    strace = ["/usr/bin/strace", "-qq", "-o", workdir / "trace", "-e", "signal=none", "-e", "trace=open,openat"]
    run = start("-c", write_ini(workdir / "a.ini", "[lastcall]", "grace = 30s", "control = off", "[service a]",
                                "command = ./chain 700", "stop-timeout = 1s"), mode="host", before=[*strace, "--"])
    wait_for_text(workdir / "ready", "yes", timeout=60)
    [lastcall] = run.helpers()
    os.kill(lastcall.pid, signal.SIGTERM)
    assert run.wait(60) == 124
    lists = len(re.findall(r"/children\", ", read(workdir / "trace")))
    assert "lastcall: FORCED in" in run.err and 700 < lists < 700 * 20, (lists, run.err)


@pytest.mark.skipif(SANITIZED, reason="a sanitizer does not work under ptrace")
def test_what_a_leader_leaves_is_cleared_where_no_pidfd_names_its_group(start, workdir):
    """Before Linux 6.9: the members have become our children, and hold their group's number."""
    script(workdir / "leaves", LEAVES)
    strace = ["/usr/bin/strace", "-qq", "-o", workdir / "trace", "-e", "signal=none", "-e", "trace=pidfd_send_signal",
              "-e", "inject=pidfd_send_signal:error=EINVAL"]
    run = start("-c", write_ini(workdir / "a.ini", "[lastcall]", "control = off", "[service a]", "command = ./leaves",
                                "restart-delay = 10ms..10ms", "restart-limit = 3 in 1h"), mode="host", before=strace)
    assert run.wait() == 1
    assert "restart-limit 3 in 1h is used up" in run.err


ZOMBIE = """#!/usr/bin/python3
import os, time
r, w = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        os._exit(0)
    os.setsid()
    os.write(w, b"x")
    time.sleep(1000)
os.read(r, 1)
os._exit(1)
"""


def test_a_zombie_that_nobody_reaps_holds_up_no_restart(start, workdir):
    """It stands in the leader's group, and its parent has left that: KILL to the group ends nothing."""
    script(workdir / "zombie", ZOMBIE)
    run = start("-c", write_ini(workdir / "a.ini", "[lastcall]", "control = off", "[service a]", "command = ./zombie"))
    wait_for(lambda: "a: exited 1; starts again" in run.err)
    run.signal(signal.SIGTERM)
    run.wait()
