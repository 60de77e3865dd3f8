"""net, the helper that talks: killed and stopped under load, its rights, and what there is without it."""
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from cfg import *
from lc import alive, receive, wait_for

NOBODY = 65534

LOAD = """
    [lastcall]
    http = :9180
    [service a]
    command = @svc a http=8081
    ready = http http://127.0.0.1:8081/ every 50ms timeout 1s failures 3
    live = http http://127.0.0.1:8081/ every 50ms timeout 1s failures 3 then restart
    [service b]
    command = @svc b notify=READY=1
    ready = notify
"""


class Load:
    """A client that asks /readyz all the time: counts the answers, and the connections that were refused."""

    def __init__(self, run):
        self.run, self.good, self.refused, self.over = run, 0, 0, threading.Event()
        self.thread = threading.Thread(target=self._ask)
        self.thread.start()

    def _ask(self):
        while not self.over.is_set():
            try:
                with self.run.connect(timeout=5) as sock:
                    sock.sendall(lc.request_bytes("GET", "/readyz"))
                    self.good += receive(sock).code == 200
            except ConnectionRefusedError:
                self.refused += 1
            except OSError:
                pass

    def end(self):
        self.over.set()
        self.thread.join()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGABRT])
def test_net_dies_or_hangs_under_load(app, both, how):
    """Its listeners survive (nobody is refused), no service notices, /readyz answers again within seconds."""
    run = app(LOAD, mode=both).ready()
    run.wait_event("b start")
    load = Load(run)
    try:
        for _ in range(2):
            old = wait_for(run.net)
            good = load.good
            os.kill(old, how)
            if how == signal.SIGTERM:       # a net that takes no notice of TERM is as good
                wait_for(lambda: load.good > good + 20)
                continue
            wait_for(lambda: run.net() not in (None, old) or how == signal.SIGSTOP and lc.process(old).state != "T", 15)
            good = load.good
            wait_for(lambda: load.good > good + 20, 10)
    finally:
        load.end()
    assert load.refused == 0
    run.ready()
    assert [s["restarts"] for s in run.status()["services"]] == [0, 0]
    assert run.stop() == 0
    assert len(run.find("a start")) == len(run.find("b start")) == 1
    assert run.report()["verdict"] == "clean"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_stop_with_net_gone(app, both, how):
    """The stop does not need it."""
    run = app(LOAD, "-g", "4s", mode=both).ready()
    os.kill(run.net(), how)
    begun = time.monotonic()
    assert run.stop() == 0
    assert run.exited_at - begun < 4 + LATE


def test_net_is_killed_again_and_again(app):
    """With back-off; it comes back, nothing else is touched."""
    run = app(LOAD).ready()
    for _ in range(6):
        old = wait_for(run.net)
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: run.net() not in (None, old), 15)
    wait_for(lambda: run.http("GET", "/readyz", timeout=5).code == 200, 15)
    assert run.stop() == 0
    assert len(run.find("a start")) == 1


def test_the_rights_of_net(app, both):
    """An empty environment, no capability, no new privileges, no program's descriptors."""
    run = app(LOAD, mode=both, env={"SECRET": "word"}).ready()
    net = run.net()
    assert net
    assert Path(f"/proc/{net}/environ").read_bytes().strip(b"\0") == b""
    for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        value = lc.proc_status(net, field)
        assert int(value, 16) == 0, (field, value)
    assert lc.proc_status(net, "NoNewPrivs") == "1"
    assert b"SECRET" not in Path(f"/proc/{net}/cmdline").read_bytes()
    assert run.stop() == 0


@pytest.mark.parametrize("field", ["CapPrm", "CapEff", "CapAmb"])
def test_the_rights_of_net_without_privileges(app, field):
    run = app(LOAD, "--control", "off", "--report", "off", uid=NOBODY, report=False)
    run.wait_event("b start")
    wait_for(lambda: run.http("GET", "/readyz").code == 200)
    assert int(lc.proc_status(run.net(), field), 16) == 0
    assert run.stop() == 0


def test_without_endpoints_there_is_no_helper(start, programs):
    """A single command: one process more, and no socket."""
    run = start("--", "sleep", "1000")
    wait_for(lambda: run.programs())
    assert run.helpers() == []
    assert not run.path("/run/lastcall.sock").exists()
    run.signal(SIGTERM)
    assert run.wait() == 143


def test_pid_1_is_not_dumpable(app, both):
    run = app(LOAD, mode=both).ready()
    assert os.stat(f"/proc/{run.pid}/environ").st_uid == 0
    got = run.run("cat", f"/proc/{lc.process(run.pid).inner}/environ", uid=NOBODY)
    assert got.code != 0
    assert run.stop() == 0


def test_nothing_is_lost_while_net_is_stopped(app):
    """A oneshot's READY datagram that comes while net is stopped counts when it is back."""
    run = app("""
        [service b]
        command = @svc b delay=300 notify=READY=1
        ready = notify
        [service c]
        command = @svc c
        after = b
    """)
    run.wait_event("b start")
    os.kill(wait_for(run.net), signal.SIGSTOP)
    run.wait_event("c start")
    assert run.stop() == 0
    assert alive(run.pid) is False
