"""A configuration where the world gives little: read-only, no /run, non-root, no /proc, no capability, few descriptors."""
import os
import re
import socket
import time

import pytest

from cfg import *
from lc import SANITIZED, wait_for

INI = """
    [lastcall]
    grace = 5s
    http = :9180
    [service base]
    command = @svc base listen=8081
    ready = tcp 127.0.0.1:8081 every 50ms
    [service web]
    command = @svc web delay=100 notify=READY=1
    ready = notify
    after = base
    main = yes
    {keys}
    [drain d]
    command = @say d
    timeout = 1s
    [finish f]
    command = @say f
"""

SURROUNDINGS = {
    "another user": {"uid": 65534},
    "read-only": {"ro_root": True, "run": "keep"},
    "read-only with /run": {"ro_root": True},
    "no capability": {"drop_caps": True},
    "no new privileges": {"no_new_privs": True},
    "no proc": {"no_proc": True},
    "no run": {"run": "missing"},
    "restricted": {"uid": 65534, "ro_root": True, "run": "keep", "drop_caps": True, "no_new_privs": True},
    "no stdin": {"stdin": "closed"},
    "no stderr": {"stderr": "closed"},
    "no environment": {"env": {"PATH": None, "HOME": None}},
    "128 descriptors": {"nofile": 128},
}
pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more of the world than lastcall does")


def begin(app, keys="", **more):
    run = app(INI.format(keys=keys), report=False, **more)
    wait_for(lambda: run.http("GET", "/readyz").code == 200, what=run.describe)
    return run


@pytest.mark.parametrize("surroundings", SURROUNDINGS.values(), ids=SURROUNDINGS.keys())
class TestSurroundings:
    def test_a_stop(self, app, both, surroundings):
        run = begin(app, mode=both, **surroundings)
        assert run.stop() == 0
        run.happened("d begin", "d end", "web SIGNAL 15", "web end 0", "base SIGNAL 15", "base end 0", "f begin", "f end")

    def test_a_deaf_service(self, app, both, surroundings):
        run = app("""
            [lastcall]
            grace = 2s
            [service a]
            command = @svc a deaf=1 child=kid,deaf=1
            stop-timeout = 400ms
            [service b]
            command = @svc b
        """, report=False, mode=both, **surroundings)
        for name in ("a", "kid", "b"):
            run.wait_event(f"{name} start")
        begun = time.monotonic()
        assert run.stop() == 124
        assert run.exited_at - begun < 2 + LATE

    def test_a_restart(self, app, surroundings):
        run = app("""
            [service a]
            command = @svc a life=50 exit=3
            restart-delay = 10ms..10ms
            restart-limit = 2 in 1m
        """, report=False, **surroundings)
        assert run.wait() == 3
        assert len(run.find("a start")) == 3


@pytest.mark.parametrize("n", [8, 16, 18])
def test_too_few_descriptors_are_125(app, n):
    """It never runs without the probes that were asked for: said at the start, with a number; nothing is started."""
    run = app(INI.format(keys=""), report=False, nofile=n)
    assert run.wait() == 125
    assert not run.events()
    assert re.search(r"NOFILE|descriptor|open files", run.err)


def test_an_escapee_of_a_user(app, both):
    run = app("""
        [lastcall]
        grace = 2s
        [service a]
        command = @svc a away=gone,deaf=1
    """, report=False, mode=both, uid=65534, drop_caps=True)
    run.wait_event("gone start")
    run.wait_event("a start")
    begun = time.monotonic()
    assert run.stop() == 0
    assert run.exited_at - begun < 2 + LATE


def test_a_foreign_notify_socket_is_not_handed_on(app, workdir):
    """Services get a socket of lastcall's, or none, never its parent's."""
    run = app("""
        [service a]
        type = oneshot
        command = @show a NOTIFY_SOCKET
        [service b]
        command = @svc b delay=100 notify=READY=1
        ready = notify
        after = a
    """, env={"NOTIFY_SOCKET": str(workdir / "parent")})
    run.wait_event("b start")
    run.ready()
    assert run.find("a NOTIFY_SOCKET unset")
    assert run.stop() == 0


@pytest.mark.parametrize("watchdog, beats", [({"WATCHDOG_USEC": "100000"}, True), ({"WATCHDOG_USEC": "100000 "}, False),
                                             ({"WATCHDOG_USEC": "100000", "WATCHDOG_PID": "999999"}, False)], ids=str)
def test_it_tells_its_parent(app, workdir, watchdog, beats):
    """With NOTIFY_SOCKET set: READY=1 once all are ready, STOPPING=1 with the stop; WATCHDOG=1 where that is meant."""
    parent = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    here = os.getcwd()
    os.chdir(workdir)
    try:
        parent.bind("parent")
    finally:
        os.chdir(here)
    os.chmod(workdir / "parent", 0o666)
    parent.settimeout(BOUND)
    got = []

    def until(word):
        while not any(word in g.split("\n") for g in got):
            got.append(parent.recv(4096).decode())
        return True

    run = app("""
        [service a]
        command = @svc a delay=200 listen=8081
        ready = tcp 127.0.0.1:8081 every 50ms
    """, env={"NOTIFY_SOCKET": str(workdir / "parent"), **watchdog}, mode="sub")
    run.wait_event("a start")
    assert until("READY=1")
    assert not beats or until("WATCHDOG=1")
    run.ready()
    run.signal(SIGTERM)
    assert until("STOPPING=1")
    assert run.wait() == 0
    assert beats == ("WATCHDOG=1" in got)
    parent.close()


@pytest.mark.limit(90)
def test_with_nothing_to_do_it_does_nothing(app):
    """Promise 5: no timer, no wake-up of PID 1 while nothing is checked."""
    run = app("[service a]\ncommand = @svc a\n[service b]\ncommand = @svc b\nafter = a\n").ready()
    run.wait_event("b start")

    def switches(pid):
        return int(lc.proc_status(pid, "voluntary_ctxt_switches"))

    wait_for(lambda: (lambda n: time.sleep(0.3) or switches(run.pid) == n)(switches(run.pid)))
    before = switches(run.pid)
    time.sleep(2)                              # the time in which nothing may happen
    assert switches(run.pid) - before <= 1
    assert run.stop() == 0


def test_a_storm_of_orphans_delays_no_signal(app, both, programs):
    """Promise 4: every zombie is reaped, and main gets its signal in the midst of it."""
    run = app(f"""
        [service storm]
        command = {programs.prog} orphans 400 300
        restart = always
        restart-delay = 50ms..50ms
        restart-limit = 1000 in 1s
        essential = no
        [service web]
        command = @svc web
        main = yes
    """, mode=both)
    run.wait_event("web start")
    wait_for(lambda: run.status().get("orphans_reaped", 0) > 500)
    run.signal(10)
    run.wait_event("web SIGNAL 10")
    assert run.verb("stop", "storm").code in (0, 1)
    wait_for(lambda: not [p for p in run.processes() if p.state == "Z" or "orphans" in p.argv])
    assert run.stop() == 0


def test_it_signals_nobody_else(app, programs):
    """Promise 8: a process entered from outside (docker exec) is not stopped as a service; in mode sub not at all."""
    run = app("[service a]\ncommand = @svc a\n", mode="sub", may_leave=True)
    run.wait_event("a start")
    guest = run.popen(programs.prog, "record", run.workdir / "guest")
    lc.wait_for_text(run.workdir / "guest", "ready")
    assert run.stop() == 0
    assert lc.recorded_signals(run.workdir / "guest") == []
    guest.kill()
    guest.wait()
