"""The order in which the core is told of what has ended."""
import os
import signal

import pytest

from cfg import *
from lc import SANITIZED, wait_for

pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer does not work under ptrace")


def test_what_the_end_of_a_killed_command_begins_is_a_child(app, workdir):
    """A finish step gets KILL while it waits for its exec, as the last child that there is. At its end the next one
    begins, so there is a child again; what that leaves behind is swept."""
    slow = workdir / "slow"
    slow.mkdir()
    run = app("""
        [service web]
        command = @svc web
        [finish slow]
        command = true
        cwd = @W/slow
        timeout = 3s
        [finish leaves]
        command = sh -c "(trap 'echo swept >@W/swept; exit' TERM; : >@W/set; for i in $$(seq 100); do sleep 0.1; done) & until test -e @W/set; do sleep 0.02; done"
    """, "--control", "off", "-g", "20s", mode="host",
              before=["/usr/bin/strace", "-f", "-qq", "-e", "signal=none", "-o", workdir / "trace", "-P", slow, "-e",
                      "trace=chdir", "-e", "inject=chdir:signal=STOP", "--"])
    run.wait_event("web start")
    lastcall = wait_for(run.helpers, what="lastcall under strace")[0].pid
    os.kill(lastcall, signal.SIGTERM)
    assert run.wait() == 0
    assert run.step("slow")["state"] == "timeout"
    assert run.step("leaves")["state"] == "done"
    assert (workdir / "swept").exists()
