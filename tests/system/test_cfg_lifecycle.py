"""Which signals and requests do what: stop, hurry, kill, drain, resume, prestop, shutdown, all on one clock."""
import os
import re
import signal
import termios
import textwrap
import time
from pathlib import Path

import pytest

from cfg import *
from lc import wait_for

HELD = f"[drain d]\ncommand = {UNTIL_GO}\n"

WEB = """
    [lastcall]
    {head}
    [service web]
    command = @svc web {web}
    main = yes
"""


def begin(app, body="", head="", web="", **more):
    head = "\n".join([head] if "grace" in head else ["grace = 10s", head])
    run = app(textwrap.dedent(WEB).format(head=head, web=web) + textwrap.dedent(body), **more).ready()
    run.wait_event("web start")
    return run


def took(run, begun):
    return run.exited_at - begun


# ---- signals ----

@pytest.mark.parametrize("sig", [SIGTERM, SIGINT, SIGQUIT, signal.SIGPWR, 37, signal.SIGWINCH])
def test_signals_that_stop(app, both, sig):
    """TERM, INT, QUIT, PWR, RTMIN+3, and WINCH sent by kill: main gets its stop signal, not that one."""
    run = begin(app, mode=both)
    assert run.stop(sig) == 0
    assert run.find("web SIGNAL 15")
    assert int(sig) == 15 or not run.find(f"web SIGNAL {int(sig)}")


@pytest.mark.parametrize("sig", [1, 10, 12, 14, 21, 23, 29, 34, 35, 50, 64])
def test_signals_that_main_gets(app, both, sig):
    run = begin(app, "[service other]\ncommand = @svc other\n", mode=both)
    run.wait_event("other start")
    run.signal(sig)
    run.wait_event(f"web SIGNAL {sig}")
    assert run.status()["state"] == "running"
    assert run.stop() == 0
    assert not run.find(f"other SIGNAL {sig}")


@pytest.mark.parametrize("sig,name", [(1, "HUP"), (10, "USR1"), (40, "RTMIN")])
def test_signals_without_a_main(app, both, sig, name):
    """Ignored, with a line that says so."""
    run = app("[service a]\ncommand = @svc a", mode=both).ready()
    run.wait_event("a start")
    run.signal(sig)
    run.wait_line(name)
    assert run.stop() == 0
    assert not run.find(f"a SIGNAL {sig}")


def test_a_stop_by_a_process_from_inside(app, both):
    run = begin(app, mode=both, may_leave=True)         # the one that signals may still be there
    run.popen("/bin/kill", "-TERM", lc.process(run.pid).inner)
    assert run.wait() == 0
    assert re.search(r"SIGTERM from pid \d+", run.err)


def test_term_again_is_nothing_new(app, both):
    """In mid-hook: the hook ends, one line, the same clock."""
    run = begin(app, "[drain d]\ncommand = @say d 500\n[drain e]\ncommand = @say e\n", mode=both)
    begun = time.monotonic()
    run.signal(SIGTERM)
    run.wait_event("d begin")
    before = wait_for(lambda: Path(run.report_path).exists() and run.step("d"))["deadline_ms"]
    run.signal(SIGTERM)
    run.signal(SIGQUIT)
    wait_for(lambda: len(re.findall("SIGTERM|SIGQUIT", run.err)) >= 2)
    assert run.wait() == 0
    run.happened("d begin", "d end", "e begin", "e end", "web SIGNAL 15")
    assert len(run.find("web SIGNAL 15")) == 1
    assert run.step("d")["deadline_ms"] <= before
    assert took(run, begun) < 5
    assert run.report()["verdict"] == "clean"


def test_int_again_hurries(app, both):
    """Announce and drain end now; the services still get their time."""
    run = begin(app, """
        [drain d]
        command = @svc d
        [drain e]
        command = @say e
        [finish f]
        command = @say f
    """, web="work=300", mode=both)
    begun = time.monotonic()
    run.signal(SIGINT)
    run.wait_event("d start")
    run.signal(SIGINT)
    run.wait()
    assert took(run, begun) < 5
    run.happened("d start", "web SIGNAL 15", "web end 0", "f begin", "f end")
    assert not run.find("e begin")
    assert run.step("d")["state"] in ("skipped", "timeout", "failed")


def test_int_again_ends_the_announce(app):
    run = begin(app, head="announce = 8s")
    begun = time.monotonic()
    run.signal(SIGINT)
    wait_for(lambda: run.status().get("state") == "stopping")
    run.signal(SIGINT)
    assert run.wait() == 0
    assert took(run, begun) < 4 + LATE


@pytest.mark.parametrize("first", [SIGINT, SIGTERM])
def test_a_third_int_kills(app, both, first):
    """The next one after the one that hurries: KILL now. Finish is skipped too."""
    run = begin(app, """
        [drain d]
        command = @svc d deaf=1
        [finish f]
        command = @say f
    """, web="deaf=1", mode=both)
    begun = time.monotonic()
    run.signal(first)
    run.wait_event("d start")
    run.signal(SIGINT)
    run.wait_event("web SIGNAL 15")
    run.signal(SIGINT)
    run.wait()
    assert took(run, begun) < 4 + LATE
    assert not run.find("f begin")
    assert run.report()["verdict"] == "forced"


# ---- shutdown ----

def test_shutdown_waits_for_the_verdict(app, both):
    run = begin(app, "[drain d]\ncommand = @say d 300\n", mode=both, may_leave=True)
    answer = run.verb("shutdown")
    assert answer.code == 0, answer
    assert "clean" in (answer.out + answer.err).lower()
    assert run.wait() == 0
    run.happened("d begin", "d end", "web SIGNAL 15", "web end 0")


def test_shutdown_now(app, both):
    """Skips announce and drain."""
    run = begin(app, may_leave=True, body="[drain d]\ncommand = @say d\n[finish f]\ncommand = @say f\n", head="announce = 8s", mode=both)
    begun = time.monotonic()
    run.verb("shutdown", "--now")
    assert run.wait() == 0
    assert took(run, begun) < 4 + LATE
    run.happened("web SIGNAL 15", "web end 0", "f end")
    assert not run.find("d begin")


def test_shutdown_now_hurries_a_stop(app):
    run = begin(app, "[drain d]\ncommand = @svc d\n")
    begun = time.monotonic()
    run.signal(SIGTERM)
    run.wait_event("d start")
    run.verb("shutdown", "--now")
    run.wait()
    assert took(run, begun) < 5


def test_the_stops_of_many_at_once(app, both):
    """Twenty clients and the signal together: one stop."""
    run = begin(app, "[drain d]\ncommand = @say d 300\n", mode=both, may_leave=True)
    clients = [run.popen(run.box.binary, "shutdown") for _ in range(10)]
    run.signal(SIGTERM)
    assert run.wait() == 0
    for client in clients:
        client.communicate(timeout=BOUND)
    assert len(run.find("d begin")) == 1 and len(run.find("web SIGNAL 15")) == 1


# ---- drain and resume ----

DRAINS = """
    [drain one]
    command = @say one 50
    undo = @say undo-one
    [drain two]
    command = @say two 50
    undo = @say undo-two
"""


def test_drain_and_resume(app, both):
    """Out of rotation and back; the undos in reverse; nothing is stopped; no clock runs."""
    run = begin(app, DRAINS, head="http = :9180", mode=both)
    for _ in range(2):
        assert run.verb("drain").code == 0
        status = run.wait_state("drained")
        assert status["ready"] is False and status["live"] is True
        assert run.http("GET", "/readyz").code == 503
        assert run.http("GET", "/livez").code == 200
        assert run.verb("resume").code == 0
        run.wait_state("running")
        wait_for(lambda: run.http("GET", "/readyz").code == 200)
    run.wait_event("undo-one begin", 2)
    run.happened("one end", "two begin", "two end", "undo-two begin", "undo-one begin", "one begin", "undo-one begin")
    assert not run.find("web SIGNAL")
    assert run.stop() == 0
    assert len(run.find("one begin")) == 3          # the stop drains again


def test_a_stop_after_a_drain_does_not_drain_again(app, both):
    run = begin(app, DRAINS, mode=both)
    assert run.verb("drain").code == 0
    run.wait_state("drained")
    assert run.stop() == 0
    assert len(run.find("one begin")) == 1 and len(run.find("two begin")) == 1
    assert not run.find("undo-one") and not run.find("undo-two")
    assert run.report()["verdict"] == "clean"


def test_a_stop_in_mid_drain_joins(app):
    """The drain that runs goes on; the clock begins with the stop."""
    run = begin(app, "[drain d]\ncommand = @say d 500\n[drain e]\ncommand = @say e\n")
    assert run.control("POST", "/drain").code in (200, 202)
    run.wait_event("d begin")
    assert run.stop() == 0
    run.happened("d begin", "d end", "e begin", "web SIGNAL 15")
    assert len(run.find("d begin")) == 1
    assert run.step("d")["start_ms"] <= 0


def test_resume_in_mid_drain(app, both):
    """Running drain commands get TERM; only what was done or begun is undone, in reverse."""
    run = begin(app, """
        [drain one]
        command = @say one
        undo = @say undo-one
        [drain two]
        command = @svc two
        undo = @say undo-two
        [drain three]
        command = @say three
        undo = @say undo-three
    """, mode=both)
    client = run.popen(run.box.binary, "drain")
    run.wait_event("two start")
    assert run.verb("resume").code == 0
    run.wait_state("running")
    client.communicate(timeout=BOUND)
    run.wait_event("undo-one begin")
    run.happened("two SIGNAL 15", "undo-one begin")
    assert not run.find("three begin") and not run.find("undo-three")
    run.ready()
    assert run.status()["stop"] is None
    assert run.stop() == 0


@pytest.mark.parametrize("state", ["running", "stopping"])
def test_resume_where_there_is_nothing_to_resume(app, state):
    run = begin(app, HELD)
    if state == "stopping":
        run.signal(SIGTERM)
        run.wait_event("d end")
        assert run.control("POST", "/resume").code >= 400
        (run.workdir / "go").touch()
        assert run.wait() == 0
    else:
        run.control("POST", "/resume")
        assert run.status()["state"] == "running"
        (run.workdir / "go").touch()
        assert run.stop() == 0


def test_exits_while_drained_are_acted_on_by_resume(app, both):
    """No service's exit ends lastcall and none is restarted; resume starts again what its policy would."""
    run = app("""
        [lastcall]
        restart-delay = 10ms..20ms
        [service main]
        command = @svc main
        main = yes
        [service a]
        command = @svc a on=10:3
        [service b]
        command = @svc b on=10:0
        restart = always
    """, mode=both).ready()
    for n in ("main", "a", "b"):
        run.wait_event(f"{n} start")
    assert run.verb("drain").code == 0
    run.wait_state("drained")
    for name in "ab":
        assert run.verb("signal", name, "USR1").code == 0
    run.wait_service("a", exit=3)
    run.wait_service("b", exit=0)
    assert run.status()["state"] == "drained"
    assert len(run.find("a start")) == len(run.find("b start")) == 1
    assert run.verb("resume").code == 0
    run.wait_event("a start", 2)
    run.wait_event("b start", 2)
    run.wait_state("running")
    assert run.stop() == 0


def test_mains_exit_while_drained(app, both):
    """Recorded, and acted on at the stop: its code."""
    run = begin(app, web="on=10:5", mode=both)
    assert run.verb("drain").code == 0
    run.wait_state("drained")
    assert run.verb("signal", "web", "USR1").code == 0
    run.wait_service("web", exit=5)
    assert run.status()["state"] == "drained"
    assert run.stop() == 5


def test_mains_exit_while_drained_and_resume(app):
    """By resume: main does not start again, so its end ends it now."""
    run = begin(app, web="on=10:5")
    run.verb("drain")
    run.wait_state("drained")
    run.verb("signal", "web", "USR1")
    run.wait_service("web", exit=5)
    run.control("POST", "/resume")
    assert run.wait() == 5


def test_a_drain_without_a_clock_has_its_timeouts(app, both):
    """A hung drain command ends at its timeout; then it is drained."""
    run = begin(app, """
        [drain hung]
        command = @svc hung deaf=1
        timeout = 3s
        [drain next]
        command = @say next
        timeout = 5s
    """, mode=both)
    run.verb("drain")
    run.wait_state("drained")
    run.wait_event("next end")
    run.happened("hung start", "hung SIGNAL 15", "next begin", "next end")
    assert run.verb("resume").code == 0
    run.wait_state("running")
    assert run.stop() == 0


def test_an_undo_that_fails_stops_nothing(app):
    run = begin(app, DRAINS.replace("undo = @say undo-two", "undo = @say undo-two 0 5"))
    run.verb("drain")
    run.wait_state("drained")
    run.verb("resume")
    run.wait_event("undo-one begin")
    run.happened("undo-two begin", "undo-one begin")
    run.ready()
    assert run.stop() == 0


def test_drain_twice(app):
    """Nothing new; both are answered."""
    run = begin(app, DRAINS)
    clients = [run.popen(run.box.binary, "drain") for _ in range(5)]
    for client in clients:
        client.communicate(timeout=BOUND)
        assert client.returncode == 0
    assert run.status()["state"] == "drained"
    run.wait_event("two end")
    assert len(run.find("one begin")) == 1
    assert run.stop() == 0


def test_requests_that_do_not_wait(app):
    """?wait=no is answered at once."""
    run = begin(app, HELD)
    assert run.control("POST", "/drain?wait=no").code in (200, 202)
    (run.workdir / "go").touch()
    run.wait_event("over end")
    assert run.stop() == 0


# ---- a terminal ----

@pytest.fixture
def terminal():
    master, slave = os.openpty()
    yield master, slave
    for fd in (master, slave):
        try:
            os.close(fd)
        except OSError:
            pass


def test_a_terminals_hang_up_is_a_stop(app, both, terminal):
    """Not a HUP for main."""
    master, slave = terminal
    run = begin(app, mode=both, stdin=slave, ctty=True)
    os.close(slave)
    os.close(master)
    assert run.wait() == 0
    assert run.find("web SIGNAL 15") and not run.find("web SIGNAL 1")


def test_a_terminals_winch_is_no_stop(app, terminal):
    """The window's size changes: nobody wants to stop."""
    master, slave = terminal
    run = begin(app, stdin=slave, ctty=True)
    for rows in range(20, 25):
        termios.tcsetwinsize(master, (rows, 80))
    run.signal(10)
    run.wait_event("web SIGNAL 10")
    assert run.status()["state"] == "running"
    assert run.stop() == 0


# ---- prestop ----

def test_prestop_then_term(app, both):
    """prestop starts the clock, announces, drains, returns; the SIGTERM goes on: nothing runs twice."""
    run = begin(app, "[drain d]\ncommand = @say d 300\nundo = @say undo\n", head="announce = 300ms", mode=both)
    begun = time.monotonic() * 1000
    answer = run.verb("prestop")
    assert answer.code == 0, answer
    run.wait_event("d end")
    assert not run.find("web SIGNAL")
    assert run.running
    status = run.status()
    assert status["ready"] is False and status["stop"]["grace_ms"] == 10000
    assert status["stop"]["left_ms"] < 9600
    assert run.stop() == 0
    assert len(run.find("d begin")) == 1 and not run.find("undo")
    r = run.report()
    assert r["used_ms"] >= 590
    assert run.at("d begin") - begun >= 295
    assert run.step("announce")["end_ms"] >= 295


def test_term_in_mid_prestop(app, both):
    run = begin(app, "[drain d]\ncommand = @say d 500\n", mode=both, may_leave=True)
    client = run.popen(run.box.binary, "prestop")
    run.wait_event("d begin")
    assert run.stop() == 0
    client.communicate(timeout=BOUND)
    run.happened("d begin", "d end", "web SIGNAL 15")
    assert len(run.find("d begin")) == 1


def test_prestop_late(app, both):
    """A part of the grace is gone: it counts from then."""
    run = begin(app, web="deaf=1", mode=both)
    begun = time.monotonic()
    assert run.verb("prestop", "--late", "8s").code == 0
    assert run.status()["stop"]["left_ms"] <= 2000
    assert run.stop() == 124
    assert took(run, begun) < 2 + LATE
    assert run.report()["used_ms"] >= 8000


def test_a_prestop_twice_is_one(app):
    """Hooks are at-least-once: the second one changes nothing."""
    run = begin(app, "[drain d]\ncommand = @say d 100\n")
    assert run.verb("prestop").code == 0
    left = run.status()["stop"]["left_ms"]
    assert run.verb("prestop").code == 0
    assert run.status()["stop"]["left_ms"] <= left
    assert run.stop() == 0
    assert len(run.find("d begin")) == 1


def test_a_prestop_that_nobody_follows(app, both):
    """Undone when the grace has passed, with a line; ready again."""
    run = begin(app, "[drain d]\ncommand = @say d\nundo = @say undo\n", head="http = :9180\ngrace = 4s", mode=both)
    assert run.verb("prestop").code == 0
    assert run.status()["ready"] is False
    run.wait_event("undo begin")
    run.wait_state("running")
    run.ready()
    assert run.http("GET", "/readyz").code == 200
    assert not run.find("web SIGNAL")
    assert "prestop" in run.err.lower()
    assert run.stop() == 0
    assert len(run.find("d begin")) == 2


def test_prestop_then_mains_exit(app):
    """The program ends while prestop is on: PID 1 stays until the stop comes."""
    run = begin(app, web="on=10:0")
    assert run.verb("prestop").code == 0
    run.verb("signal", "web", "USR1")
    run.wait_service("web", exit=0)
    assert run.running
    assert run.stop() == 0


def test_drain_then_prestop_then_term(app):
    run = begin(app, DRAINS)
    assert run.verb("drain").code == 0
    run.wait_state("drained")
    assert run.verb("prestop").code == 0
    assert run.status()["stop"]["left_ms"] > 5000
    assert run.stop() == 0
    assert len(run.find("one begin")) == 1


def test_prestop_without_a_lastcall(start, conf, workdir):
    """With -c FILE and none running it runs those phases itself; it starts and stops no service."""
    ini = conf("""
        [lastcall]
        grace = 5s
        announce = 200ms
        [service web]
        command = @svc web
        [drain one]
        command = @say one
        [drain two]
        command = @say two
    """)
    run = App(start("prestop", "-c", ini, mode="sub"), None, workdir)
    begun = run.started_at * 1000
    assert run.wait() == 0
    run.happened("one begin", "one end", "two begin", "two end")
    assert run.at("one begin") - begun >= 195
    assert not run.find("web")


def test_nothing_is_started_while_a_clock_runs(app, both):
    """What dies stays down."""
    run = app("""
        [service a]
        command = @svc a on=10:3
        restart = always
        restart-delay = 1ms..1ms
        [drain d]
        command = sh -c "@L signal a USR1; @P say d 400"
    """, mode=both).ready()
    run.wait_event("a start")
    run.stop()
    run.happened("a SIGNAL 10", "a end 3", "d end")
    assert len(run.find("a start")) == 1


def test_start_and_restart_are_refused_in_a_stop(app):
    run = begin(app, HELD + "[service b]\ncommand = @svc b\n")
    run.wait_event("b start")
    run.signal(SIGTERM)
    run.wait_event("d end")
    for path in ("/start/b", "/restart/b", "/restart/web"):
        assert 400 <= run.control("POST", path).code < 500, path
    (run.workdir / "go").touch()
    assert run.wait() == 0
    assert len(run.find("b start")) == 1


# ---- status while it stops ----

def test_status_of_a_stop(app, both):
    run = begin(app, HELD + "[finish f]\ncommand = @say f\n", head="http = :9180", mode=both)
    assert run.status()["stop"] is None
    run.signal(SIGTERM)
    run.wait_event("d end")
    status = wait_for(lambda: run.status() if run.status().get("stop") else None)
    stop = status["stop"]
    assert status["state"] == "stopping"
    assert stop["cause"] and stop["phase"] == "drain"
    assert stop["grace_ms"] == 10000 and 0 < stop["left_ms"] <= 10000
    assert [(s["phase"], s["name"]) for s in stop["steps"] if s["phase"] != "announce"] == \
        [("drain", "d"), ("stop", "web"), ("finish", "f"), ("sweep", "sweep")]
    by_name = {s["name"]: s for s in stop["steps"]}
    assert by_name["d"]["state"] == "running" and by_name["web"]["state"] == "pending"
    for s in stop["steps"]:
        assert set(s) >= {"phase", "stage", "name", "state", "start_ms", "end_ms", "deadline_ms", "exit"}
    assert run.http("GET", "/status").json()["stop"]["phase"] == "drain"
    (run.workdir / "go").touch()
    assert run.wait() == 0
