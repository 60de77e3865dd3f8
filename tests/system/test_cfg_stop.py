"""Stopping services: order, signals, stop commands, time limits, who gets what, and what has escaped."""
import os
import signal
import time

import pytest

from cfg import *
from lc import alive, wait_for

CHAIN = """
    [service a]
    command = @svc a {0}
    [service b]
    command = @svc b {0}
    after = a
    [service c]
    command = @svc c {0}
    after = b
"""
LINGERS = "until=@W/go"


def used(run, begun):
    return run.exited_at - begun


def timed_stop(run, sig=SIGTERM):
    begun = time.monotonic()
    code = run.stop(sig)
    return code, run.exited_at - begun


def test_reverse_order(app, both):
    """The next level gets its signal once the one before it is gone."""
    run = app(CHAIN.format("work=100"), mode=both).ready()
    run.wait_event("c start")
    assert run.stop() == 0
    run.happened("c SIGNAL 15", "c end 0", "b SIGNAL 15", "b end 0", "a SIGNAL 15", "a end 0")
    r = run.report()
    assert r["verdict"] == "clean" and r["exit"] == 0
    stops = [s for s in r["steps"] if s["name"] in "abc"]
    assert [s["name"] for s in stops] == ["c", "b", "a"]
    assert all(s["state"] == "done" and s["phase"] == "stop" for s in stops)
    assert [s["stage"] for s in stops] == sorted({s["stage"] for s in stops})


def stops_together(run):
    """Each has its signal before one of them has ended: none ends until the test says so."""
    run.signal(SIGTERM)
    for name in "abc":
        run.wait_event(f"{name} SIGNAL 15", timeout=8)
    assert not [e for e in run.events() if " end " in e]
    (run.workdir / "go").touch()
    assert run.wait() == 0


def test_one_level_stops_together(app, both):
    stops_together(app(CHAIN.replace("after = a\n", "\n").replace("after = b\n", "\n").format(LINGERS), mode=both).ready())


def test_order_parallel(app):
    stops_together(app("[lastcall]\norder = parallel\n" + CHAIN.format(LINGERS).replace("\n    ", "\n")).ready())


@pytest.mark.parametrize("name,number", [("QUIT", 3), ("SIGINT", 2), ("USR1", 10), ("WINCH", 28), ("RTMIN+3", 37),
                                         ("RTMAX", 64), ("HUP", 1)])
def test_stop_signal(app, name, number):
    run = app(f"""
        [service a]
        command = @svc a on={number}:0
        stop-signal = {name}
    """).ready()
    run.wait_event("a start")
    assert run.stop() == 0
    assert [str(e) for e in run.find("a SIGNAL")] in ([f"a SIGNAL {number}", "a SIGNAL 18"], [f"a SIGNAL {number}"],
                                                      ["a SIGNAL 18", f"a SIGNAL {number}"])


def test_stop_signal_with_escalation(app):
    run = app("""
        [lastcall]
        grace = 20s
        [service a]
        command = @svc a deaf=1
        stop-timeout = 2s
        [service b]
        command = @svc b on=15:1 on=3:0
        stop-signal = USR1, TERM after 300ms, QUIT after 10m
        after = a
        [service c]
        command = @svc c deaf=1
        stop-signal = INT, QUIT after 200ms, USR2 after 500ms
        stop-timeout = 3s
        after = b
    """).ready()
    run.wait_event("c start")
    begun = time.monotonic() * 1000
    assert run.stop() == 124
    run.happened("c SIGNAL 2", "c SIGNAL 3", "c SIGNAL 12", "b SIGNAL 10", "b SIGNAL 15", "b end 1", "a SIGNAL 15")
    assert run.at("c SIGNAL 3") - begun >= 195 and run.at("c SIGNAL 12") - begun >= 495
    assert not run.find("b SIGNAL 3")


def test_a_stopped_service_gets_cont(app):
    """The stop signal comes with CONT, so one that is stopped can end."""
    run = app("[service a]\ncommand = @svc a").ready()
    run.wait_event("a start")
    pid = run.pid_of("a")
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: lc.process(pid).state == "T")
    assert run.stop() == 0
    assert run.find("a end 0")


# ---- stop-command ----

def test_stop_command(app, both):
    """It stops the service itself: no stop signal comes."""
    run = app("""
        [service a]
        command = @svc a on=10:0
        main = yes
        stop-command = sh -c "kill -USR1 $$LASTCALL_MAIN_PID; while kill -0 $$LASTCALL_MAIN_PID 2>&-; do sleep 0.02; done"
    """, mode=both).ready()
    run.wait_event("a start")
    assert run.stop() == 0
    run.happened("a SIGNAL 10", "a end 0")
    assert not run.find("a SIGNAL 15")


@pytest.mark.parametrize("command,what", [("@say cmd 100 0", "ends with the service alive"), ("@say cmd 0 1", "fails"),
                                          ("/nonexistent", "cannot run"), ("@P", "bad usage")])
def test_stop_command_that_does_not_stop_it(app, both, command, what):
    """The stop signal follows at once."""
    run = app(f"""
        [lastcall]
        grace = 20s
        [service a]
        command = @svc a
        stop-command = {command}
    """, mode=both).ready()
    run.wait_event("a start")
    code, took = timed_stop(run)
    assert code == 0
    assert took < 5
    run.happened("a SIGNAL 15", "a end 0")
    if "say" in command:
        run.happened("cmd end", "a SIGNAL 15")


def test_a_stop_command_that_hangs(app, both):
    """It does not take the time that the service's own stop needs: the service is gone within the step."""
    run = app("""
        [lastcall]
        grace = 3s
        [service a]
        command = @svc a
        stop-command = sh -c "trap '' TERM; sleep 1000 & wait; sleep 1000"
        stop-timeout = 1500ms
        [service b]
        command = @svc b
    """, mode=both).ready()
    run.wait_event("a start")
    run.wait_event("b start")
    code, took = timed_stop(run)
    assert took < 3 + LATE
    assert run.find("b end 0")


# ---- time limits ----

def test_a_deaf_service_is_killed_at_its_stop_timeout(app, both):
    run = app("""
        [lastcall]
        grace = 20s
        [service a]
        command = @svc a deaf=1
        stop-timeout = 500ms
        [service b]
        command = @svc b
    """, mode=both).ready()
    run.wait_event("a start")
    code, took = timed_stop(run)
    assert code == 124
    assert 0.5 <= took < 5
    r = run.report()
    assert r["verdict"] == "forced"
    assert [k["service"] for k in r["killed"]] == ["a"]
    assert run.step("a")["state"] == "timeout"
    assert "KILL" in run.err


def test_deaf_services_one_level(app, both):
    run = app("""
        [lastcall]
        grace = 2s
        [service a]
        command = @svc a deaf=1
        [service b]
        command = @svc b deaf=1
        [service c]
        command = @svc c
    """, mode=both).ready()
    for n in "abc":
        run.wait_event(f"{n} start")
    code, took = timed_stop(run)
    assert code == 124
    assert took < 2 + LATE
    assert run.find("c end 0")
    assert sorted(k["service"] for k in run.report()["killed"]) == ["a", "b"]


def test_a_chain_longer_than_the_deadline(app, both):
    """Eight deaf services one after another, each with a timeout of 10 s: all within the grace of 10 s."""
    text = "[lastcall]\ngrace = 10s\n"
    for n in range(8):
        text += f"[service s{n}]\ncommand = @svc s{n} deaf=1\n" + (f"after = s{n - 1}\n" if n else "")
    run = app(text, mode=both).ready()
    run.wait_event("s7 start")
    code, took = timed_stop(run)
    assert code == 124
    assert took < 10 + LATE
    for n in range(8):
        assert run.find(f"s{n} SIGNAL 15"), f"s{n} was killed without its stop signal"
    r = run.report()
    assert r["verdict"] in ("forced", "overran") and r["used_ms"] <= 10000 + 1000 * LATE


def test_an_equal_share(app):
    """Without times, each level of a chain gets its share: the last one has as much time as the first had."""
    run = app("[lastcall]\ngrace = 4s\n" + CHAIN.format("deaf=1").replace("\n    ", "\n")).ready()
    run.wait_event("c start")
    assert run.stop() == 124
    run.happened(*(f"{n} SIGNAL 15" for n in "cba"))
    assert all(run.step(n)["end_ms"] - run.step(n)["start_ms"] >= 800 for n in "cba")
    deadlines = [run.step(n)["deadline_ms"] for n in "cba"]
    assert deadlines == sorted(deadlines) and deadlines[-1] < 4000


def test_unused_time_passes_on(app):
    """b uses nothing: a, after it, may work for longer than its equal share."""
    run = app("""
        [lastcall]
        grace = 8s
        [service a]
        command = @svc a work=3500
        [service b]
        command = @svc b
        after = a
    """).ready()
    run.wait_event("b start")
    assert run.stop() == 0
    assert run.find("a end 0")


@pytest.mark.parametrize("n", [1, 3])
def test_a_guarantee_is_kept(app, n):
    """n greedy levels before it use all that they may: the one with the guarantee still has its time."""
    text = "[lastcall]\ngrace = 8s\n[service state]\ncommand = @svc state work=2500\nguarantee = 5s\n"
    for i in range(n):
        text += f"[service g{i}]\ncommand = @svc g{i} deaf=1\nafter = {'state' if i == 0 else f'g{i - 1}'}\n"
    run = app(text).ready()
    run.wait_event(f"g{n - 1} start")
    code, took = timed_stop(run)
    assert code == 124
    assert took < 8 + LATE
    assert run.find("state end 0")
    assert run.step("state")["state"] == "done"


def test_a_late_notice_scales_all_down(app):
    """The guarantees do not fit any more: each still gets its stop signal, and it ends in time."""
    run = app("""
        [lastcall]
        grace = 30s
        [service a]
        command = @svc a deaf=1
        guarantee = 12s
        [service b]
        command = @svc b deaf=1
        guarantee = 12s
        after = a
    """).ready()
    run.wait_event("b start")
    begun = time.monotonic()
    assert run.verb("prestop", "--late", "24s").code in (0, 1)
    run.signal(SIGTERM)
    assert run.wait() == 124
    assert used(run, begun) < 6 + LATE
    assert run.find("a SIGNAL 15") and run.find("b SIGNAL 15")


def test_extend_timeout(app):
    """EXTEND_TIMEOUT_USEC moves a service's deadline later, inside what is left."""
    run = app("""
        [lastcall]
        grace = 10s
        [service a]
        command = @svc a notify=READY=1 work=4000 extend=100:3000000
        ready = notify
        stop-timeout = 3s
    """).ready()
    assert run.stop() == 0
    assert run.find("a end 0")


def test_extend_timeout_stays_inside_the_deadline(app):
    run = app("""
        [lastcall]
        grace = 2s
        [service a]
        command = @svc a notify=READY=1 work=60000 extend=50:60000000
        ready = notify
        stop-timeout = 300ms
    """).ready()
    code, took = timed_stop(run)
    assert code == 124
    assert took < 2 + LATE


def test_an_idle_stop_waits_for_nothing(app, both):
    """Long grace, long timeouts: it ends as soon as all has ended."""
    run = app("""
        [lastcall]
        grace = 1h
        [service a]
        command = @svc a
        stop-timeout = 10m
        [service b]
        command = @svc b
        stop-timeout = 10m
        after = a
    """, mode=both).ready()
    run.wait_event("b start")
    code, took = timed_stop(run)
    assert code == 0
    assert took < 1.5 + LATE


# ---- who gets what ----

@pytest.mark.parametrize("kill_mode,kid", [("group", True), ("main", False)])
def test_kill_mode(app, both, kill_mode, kid):
    """The stop signal goes to the group, or to the leader alone; what stays behind is gone in the end all the same."""
    run = app(f"""
        [lastcall]
        grace = 8s
        [service a]
        command = @svc a until=@W/go child=kid,deaf=1
        kill-mode = {kill_mode}
        stop-timeout = 4s
    """, mode=both).ready()
    run.wait_event("kid start")
    run.wait_event("a start")
    run.signal(SIGTERM)
    run.wait_event("a SIGNAL 15")
    if kid:
        run.wait_event("kid SIGNAL 15")
    (run.workdir / "go").touch()
    run.wait()
    first = [e.ms for e in run.find("kid SIGNAL 15") if e.ms < run.at("a end")]
    assert bool(first) == kid


def test_a_stop_step_waits_for_the_whole_group(app, both):
    """The leader exits at once, its child works on: what is stopped after it waits for the child too."""
    run = app("""
        [service base]
        command = @svc base
        [service a]
        command = @svc a child=kid,work=2000
        after = base
    """, mode=both).ready()
    run.wait_event("kid start")
    run.wait_event("a start")
    assert run.stop() == 0
    run.happened("a end 0", "kid end 0", "base SIGNAL 15")


def test_a_deaf_child_is_killed_with_its_service(app, both):
    run = app("""
        [lastcall]
        grace = 20s
        [service base]
        command = @svc base
        [service a]
        command = @svc a child=kid,deaf=1
        stop-timeout = 500ms
        after = base
    """, mode=both).ready()
    run.wait_event("kid start")
    run.wait_event("a start")
    kid = run.pid_of("kid")
    code, took = timed_stop(run)
    assert code == 124
    assert 0.5 <= took < 5
    assert not alive(kid)
    run.happened("a end 0", "base SIGNAL 15")


def test_a_child_in_a_session_of_its_own_belongs_to_the_tree(app, both):
    """The stop signal is the group's alone, but the stop waits for it, and KILL takes it: it is no matter of the sweep."""
    run = app("""
        [lastcall]
        grace = 20s
        [service base]
        command = @svc base
        [service a]
        command = @svc a work=700 own=kid,deaf=1
        stop-timeout = 500ms
        after = base
    """, mode=both).ready()
    kid = run.pid_of("kid")
    run.signal(SIGTERM)
    run.wait_event("base SIGNAL 15")
    assert run.wait() == 124
    assert not alive(kid)
    assert run.step("a")["state"] == "timeout"


@pytest.mark.parametrize("deaf", [0, 1], ids=["obedient", "deaf"])
def test_an_escapee(app, both, deaf):
    """setsid and double fork: TERM in the sweep, then KILL. It changes the verdict, not the code."""
    run = app(f"""
        [lastcall]
        grace = 6s
        [service a]
        command = @svc a away=gone,deaf={deaf}
    """, mode=both).ready()
    run.wait_event("gone start")
    run.wait_event("a start")
    code, took = timed_stop(run)
    assert code == 0
    assert took < 6 + LATE
    assert run.find("gone SIGNAL 15")
    assert bool(run.find("gone end 0")) == (not deaf)
    r = run.report()
    assert r["exit"] == 0
    if deaf:
        assert r["verdict"] in ("forced", "degraded")
        assert r["killed"], r


def test_a_crowd_escaped(app, both):
    """Fifty that have left everything, all deaf."""
    run = app("""
        [lastcall]
        grace = 3s
        [service a]
        command = sh -c "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do @P svc x away=gone$$i,deaf=1 & done; exec @P svc a"
        kill-mode = main
    """, mode=both).ready()
    for i in range(1, 21):
        run.wait_event(f"gone{i} start")
    code, took = timed_stop(run)
    assert took < 3 + LATE
    assert not run.left


def test_a_grandchild_that_holds_the_stdout_pipe(app):
    """It is ended with the rest, so a reader of the output sees the end of the stream."""
    run = app("""
        [lastcall]
        grace = 3s
        [service a]
        command = sh -c "@P svc gone away=kid,deaf=1 & exec @P svc a"
    """).ready()
    run.wait_event("kid start")
    run.wait_event("a start")
    run.stop()
    assert run._streams["out"].ended.wait(5)


def test_an_http_client_connected_at_the_stop(app):
    """An open connection to lastcall delays nothing."""
    run = app("""
        [lastcall]
        http = :9180
        grace = 10s
        [service a]
        command = @svc a
    """).ready()
    with run.connect() as idle, run.connect() as half:
        half.sendall(b"GET /ready")
        code, took = timed_stop(run)
    assert code == 0
    assert took < 3 + LATE


# ---- two hundred ----

def two_hundred(levels, how):
    text = f"[lastcall]\ngrace = {'3s' if how else '10m'}\nannounce = 0s\n"
    for n in range(200):
        text += f"[service s{n}]\ncommand = @svc s{n} {how}\n"
        if n >= 200 // levels:
            text += f"after = s{n - 200 // levels}\n"
    return text


@pytest.mark.parametrize("levels", [1, 4, 200], ids=["one level", "four levels", "a chain"])
@pytest.mark.parametrize("how,code", [("", 0), ("deaf=1", 124)], ids=["obedient", "deaf"])
def test_two_hundred_services(app, both, levels, how, code):
    run = app(two_hundred(levels, how), mode=both)
    wait_for(lambda: sum(" start " in e for e in run.events()) == 200, 40)
    run.ready()
    status = run.status()
    assert len(status["services"]) == 200 and all(s["state"] for s in status["services"])
    got, took = timed_stop(run)
    assert got == code
    if not lc.SANITIZED:
        assert took < (3 + LATE if how else 20), run.err[-2000:]
    r = run.report()                        # at most 4096 bytes, and whole
    assert r["verdict"] in (("forced", "overran") if how else ("clean",))
    assert r["steps"] and r["exit"] == code
    if run.left:                            # the kernel was too slow to end them all: it says so, and is in time
        assert r["verdict"] == "overran" and r["left"]
        run.lc.may_leave = True
