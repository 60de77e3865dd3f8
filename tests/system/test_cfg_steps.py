"""The steps of a stop: announce, drains, finish; their order, tries, limits, conditions, and what they see."""
import json
import re
import textwrap
import time
from pathlib import Path

import pytest

from cfg import *
from lc import alive, steps, wait_for

WEB = """
    [service web]
    command = @svc web
    main = yes
"""


def names(report, phase=None):
    return [s["name"] for s in report["steps"] if phase in (None, s["phase"])]


def begin(app, body, head="grace = 10s", web=WEB, **more):
    """Starts web with these steps and waits until it runs."""
    run = app(f"[lastcall]\n{head}\n" + textwrap.dedent(web) + textwrap.dedent(body), **more).ready()
    if "@svc web" in web:
        run.wait_event("web start")
    return run


def timed_stop(run, sig=SIGTERM):
    begun = time.monotonic()
    code = run.stop(sig)
    return code, run.exited_at - begun


# ---- announce ----

def test_announce_lasts_for_its_lower_bound(app, both):
    """Readiness is off at once, and nothing else happens before the bound."""
    run = begin(app, "[drain d]\ncommand = @say d\n", "grace = 10s\nhttp = :9180\nannounce = 4s..6s", mode=both)
    assert run.http("GET", "/readyz").code == 200
    begun = time.monotonic() * 1000
    run.signal(SIGTERM)
    wait_for(lambda: run.http("GET", "/readyz").code == 503, 3.5)
    assert run.http("GET", "/livez").code == 200
    assert run.status()["state"] == "stopping"
    assert run.wait() == 0
    assert run.at("d begin") - begun >= 3995
    run.happened("d begin", "d end", "web SIGNAL 15")
    s = run.step("announce")
    assert s["phase"] == "announce" and s["stage"] == 0 and s["state"] == "done"
    assert s["deadline_ms"] == 4000 and 3995 <= s["end_ms"] < 6000


def test_readiness_is_off_before_the_first_drain(app):
    """Promise 9: what the first drain sees is a readiness that is off."""
    run = app("""
        [lastcall]
        grace = 10s
        http = :9180
        [service web]
        command = @svc web
        [drain look]
        command = @L probe ready
        on-failure = continue
    """).ready()
    run.wait_event("web start")
    assert run.stop() == 0
    assert run.step("look")["exit"] == 1


def test_readiness_on_stop_keep(app):
    run = app("""
        [lastcall]
        grace = 10s
        http = :9180
        readiness-on-stop = keep
        [service web]
        command = @svc web
        [drain look]
        command = @L probe ready
    """).ready()
    run.wait_event("web start")
    assert run.stop() == 0
    assert run.step("look")["exit"] == 0


def test_announce_from_the_environment(app):
    run = begin(app, "", env={"LASTCALL_ANNOUNCE": "500ms"})
    code, took = timed_stop(run)
    assert code == 0 and 0.5 <= took < 5


def test_services_run_on_while_it_is_announced(app):
    run = begin(app, "", "grace = 10s\nannounce = 400ms")
    begun = time.monotonic() * 1000
    assert run.stop() == 0
    assert run.at("web SIGNAL 15") - begun >= 395


# ---- drains: order ----

def test_drains_run_in_the_order_of_the_file(app, both):
    run = begin(app, """
        [drain one]
        command = @say one 100
        [drain two]
        command = @say two 100
        [drain three]
        command = @say three
    """, mode=both)
    assert run.stop() == 0
    run.happened("one begin", "one end", "two begin", "two end", "three begin", "three end", "web SIGNAL 15")
    r = run.report()
    assert names(r, "drain") == ["one", "two", "three"]
    assert [s["exit"] for s in steps(r, phase="drain")] == [0, 0, 0]
    assert r["verdict"] == "clean"


def test_after_none_runs_at_once(app):
    run = begin(app, """
        [drain one]
        command = @say one 400
        [drain two]
        command = @say two 400
        after = none
        [drain three]
        command = @say three 10
        after = one
    """)
    assert run.stop() == 0
    assert max(run.at("one begin"), run.at("two begin")) < min(run.at("one end"), run.at("two end"))
    run.happened("one end", "three begin")
    stages = {s["name"]: s["stage"] for s in run.report()["steps"]}
    assert stages["one"] == stages["two"] < stages["three"]


def test_after_names_a_drain(app):
    """The longest path decides the stage, not the order of the file."""
    run = begin(app, """
        [drain last]
        command = @say last
        after = middle
        [drain middle]
        command = @say middle 50
        after = first
        [drain first]
        command = @say first 50
        after = none
    """)
    assert run.stop() == 0
    run.happened("first end", "middle begin", "middle end", "last begin")


# ---- drains: what goes wrong ----

def test_a_drain_that_fails(app, both):
    """exit 1: it is recorded and the next step begins; nothing is killed for it."""
    run = begin(app, """
        [drain bad]
        command = @say bad 0 1
        [drain good]
        command = @say good
    """, mode=both)
    assert run.stop() == 0
    run.happened("bad end", "good begin", "good end", "web SIGNAL 15", "web end 0")
    s = run.step("bad")
    assert s["state"] == "failed" and s["exit"] == 1
    assert run.report()["verdict"] == "degraded"
    assert "bad" in run.err


@pytest.mark.parametrize("command", ["/nonexistent/drain", "@W"])
def test_a_drain_that_cannot_run(app, command):
    run = begin(app, f"""
        [drain bad]
        command = {command}
        [drain good]
        command = @say good
    """)
    assert run.stop() == 0
    assert run.find("good end")
    assert run.step("bad")["state"] == "failed"


def test_skip_rest(app):
    """on-failure = skip-rest: the drains after it are skipped, the stop goes on."""
    run = begin(app, """
        [drain bad]
        command = @say bad 0 1
        on-failure = skip-rest
        [drain next]
        command = @say next
        [finish f]
        command = @say f
    """)
    assert run.stop() == 0
    assert not run.find("next")
    run.happened("bad end", "web SIGNAL 15", "web end 0", "f begin")
    assert run.report()["verdict"] == "degraded"


def test_a_hung_drain(app, both):
    """It takes only what nobody else is promised; TERM, then KILL; the state is still saved in its guarantee."""
    run = begin(app, """
        [drain hung]
        command = @svc hung deaf=1
    """, "grace = 6s", """
        [service web]
        command = @svc web work=900
        main = yes
        guarantee = 3500ms
    """, mode=both)
    code, took = timed_stop(run)
    assert took < 6 + LATE
    run.happened("hung start", "hung SIGNAL 15", "web SIGNAL 15", "web end 0")
    assert run.step("hung")["deadline_ms"] == 6000 - 600 - 200 - 3500     # the reserve, the sweep, web
    assert run.step("hung")["state"] == "timeout"
    assert run.step("web")["state"] == "done"
    assert code == 0
    assert run.report()["verdict"] in ("degraded", "forced")


def test_a_hung_drain_ends_at_its_timeout(app):
    run = begin(app, """
        [drain hung]
        command = @svc hung exit=1
        timeout = 3s
    """, "grace = 20s")
    begun = time.monotonic() * 1000
    code, took = timed_stop(run)
    assert code == 0 and took < 8
    assert run.at("hung SIGNAL 15") - begun >= 2495         # TERM shortly before its deadline
    assert run.step("hung")["state"] in ("timeout", "failed") and run.step("hung")["deadline_ms"] == 3000


def test_a_drain_and_its_group_are_killed(app, both):
    run = begin(app, """
        [drain hung]
        command = @svc hung deaf=1 child=kid,deaf=1
        timeout = 3s
    """, "grace = 30s", """
        [service web]
        command = @svc web until=@W/go
        main = yes
        stop-timeout = 25s
    """, mode=both)
    run.signal(SIGTERM)
    run.wait_event("kid start")
    run.wait_event("hung start")
    kid = run.pid_of("kid")
    run.wait_event("web SIGNAL 15")
    wait_for(lambda: not alive(kid))
    assert not run.find("web end")            # so it was not the sweep
    (run.workdir / "go").touch()
    assert run.wait() == 0


def test_required(app, both):
    """A required step that ran out of time: 124."""
    run = begin(app, """
        [drain save]
        command = @svc save deaf=1
        timeout = 2s
        required = yes
    """, mode=both)
    assert run.stop() == 124
    assert run.find("web end 0")
    assert run.report()["verdict"] == "forced"


def test_a_drain_that_forks_a_daemon_and_exits(app, both):
    """The step is done when its command has exited; the daemon is stopped at the end, and delays nothing."""
    run = begin(app, """
        [drain d]
        command = sh -c "@P svc x away=daemon & exec @P say d 100"
        [drain next]
        command = @say next
    """, mode=both)
    code, took = timed_stop(run)
    assert code == 0 and took < 5
    run.happened("d end", "next begin", "web SIGNAL 15")
    assert run.step("d")["state"] == "done"
    assert run.find("daemon start") and run.find("daemon SIGNAL 15")


def test_main_ends_because_a_drain_told_it_to(app, both):
    """Nothing is cancelled or skipped: the drain ends, the next runs, the code is 0."""
    run = begin(app, """
        [drain quit]
        command = sh -c "@P say quit; kill -USR1 $$LASTCALL_MAIN_PID; while kill -0 $$LASTCALL_MAIN_PID 2>&-; do sleep 0.02; done; @P say told"
        [drain next]
        command = @say next
        [drain for-web]
        command = @say for-web
        for = web
        [finish f]
        command = @say f
    """, web="""
        [service web]
        command = @svc web on=10:0
        main = yes
        [service other]
        command = @svc other
    """, mode=both)
    assert run.stop() == 0
    run.happened("web SIGNAL 10", "web end 0", "told end", "next begin", "next end", "other SIGNAL 15", "f begin")
    assert not run.find("for-web")
    assert run.report()["verdict"] == "clean"
    states = {s["name"]: s["state"] for s in run.report()["steps"]}
    assert states["quit"] == "done" and states.get("for-web", "skipped") == "skipped"


def test_mains_own_exit_skips_announce_and_drain(app, both):
    run = app("""
        [lastcall]
        announce = 5s
        [service web]
        command = @svc web life=300 exit=3
        main = yes
        [service other]
        command = @svc other
        [drain d]
        command = @say d
        [finish f]
        command = @say f
    """, mode=both)
    begun = time.monotonic()
    assert run.wait() == 3
    assert run.exited_at - begun < 4.5
    run.happened("web end 3", "other SIGNAL 15", "other end 0", "f begin", "f end")
    assert not run.find("d begin")


# ---- drains: the keys ----

def test_retry(app, both):
    run = begin(app, """
        [drain d]
        command = @nth 3
        retry = 5 every 100ms
    """, mode=both)
    assert run.stop() == 0
    tries = run.find("nth try")
    assert len(tries) == 3
    assert all(b.ms - a.ms >= 50 for a, b in zip(tries, tries[1:]))
    assert run.step("d")["state"] == "done"
    assert run.report()["verdict"] == "clean"


def test_retries_have_an_end(app):
    run = begin(app, """
        [drain d]
        command = @nth 100
        retry = 3 every 10ms
    """)
    assert run.stop() == 0
    assert len(run.find("nth try")) in (3, 4)      # N tries in all, or N more: DESIGN does not say
    assert run.step("d")["state"] == "failed"


def test_all_tries_are_inside_one_timeout(app):
    run = begin(app, """
        [drain d]
        command = @nth 1000000
        retry = 1000 every 50ms
        timeout = 3s
    """, "grace = 30s")
    code, took = timed_stop(run)
    assert code == 0 and took < 8
    assert 2 <= len(run.find("nth try")) <= 62
    assert run.step("d")["state"] in ("timeout", "failed")


@pytest.mark.parametrize("gate,runs", [("true", True), ("false", False), ("/nonexistent", False)])
def test_only_if(app, gate, runs):
    run = begin(app, f"""
        [drain d]
        command = @say d
        only-if = {gate}
        [drain e]
        command = @say e
    """)
    assert run.stop() == 0
    assert bool(run.find("d begin")) == runs
    assert run.find("e begin")
    assert runs or not steps(run.report(), name="d") or run.step("d")["state"] == "skipped"


def test_an_only_if_that_hangs(app):
    run = begin(app, """
        [drain d]
        command = @say d
        only-if = sleep 1000
        timeout = 500ms
        [drain e]
        command = @say e
    """)
    code, took = timed_stop(run)
    assert code == 0 and took < 5
    assert not run.find("d begin") and run.find("e begin")


@pytest.mark.parametrize("first,what,runs", [
    ("command = @say first 0 0", "done", True), ("command = @say first 0 0", "failed", False),
    ("command = @say first 0 1", "failed", True), ("command = @say first 0 1", "done", False),
    ("command = @svc first deaf=1\ntimeout = 2s", "timeout", True), ("command = @say first", "timeout", False)])
def test_run_if(app, first, what, runs):
    run = begin(app, f"[drain first]\n{first}\n[drain then]\ncommand = @say then\nrun-if = first {what}\n")
    assert run.stop() == 0
    assert bool(run.find("then begin")) == runs


def test_for_a_service_that_is_gone(app):
    run = app("""
        [service web]
        command = @svc web
        [service once]
        command = @svc once life=50
        essential = no
        restart = no
        [drain gone]
        command = @say gone
        for = once
        [drain there]
        command = @say there
        for = web
    """)
    run.wait_event("web start")
    run.wait_service("once", exit=0, pid=None)
    assert run.stop() == 0
    assert run.find("there end") and not run.find("gone")


# ---- the other actions ----

def test_signal_action(app, both):
    run = begin(app, """
        [drain d]
        signal = web USR2
        [drain e]
        command = @say e 100
    """, mode=both)
    assert run.stop() == 0
    run.happened("web SIGNAL 12", "e end", "web SIGNAL 15")
    assert re.search(r" d +USR2 to web$", run.err, re.MULTILINE), run.err
    assert run.step("d")["state"] == "done"


def test_sleep_action(app):
    run = begin(app, "[drain d]\nsleep = 400ms\n")
    code, took = timed_stop(run)
    assert code == 0 and 0.4 <= took < 5
    s = run.step("d")
    assert s["state"] == "done" and s["end_ms"] - s["start_ms"] >= 395


def test_wait_exit_action(app):
    """Done as soon as the service has exited."""
    run = begin(app, """
        [drain tell]
        signal = web USR1
        [drain wait]
        wait-exit = web
        timeout = 8s
        [drain e]
        command = @say e
    """, web="""
        [service web]
        command = @svc web on=10:0
        main = yes
        [service other]
        command = @svc other
    """)
    code, took = timed_stop(run)
    assert code == 0 and took < 4 + LATE
    run.happened("web end 0", "e begin", "other SIGNAL 15")
    assert run.step("wait")["state"] == "done"


def test_wait_exit_in_vain(app):
    """A wait just ends at its deadline."""
    run = begin(app, "[drain wait]\nwait-exit = web\ntimeout = 400ms\n")
    code, took = timed_stop(run)
    assert code == 0 and 0.4 <= took < 5
    assert run.step("wait")["state"] in ("timeout", "done")


# ---- finish ----

def test_finish_runs_after_all_services(app, both):
    run = begin(app, "[finish f]\ncommand = @say f 100\n[finish g]\ncommand = @say g\n", mode=both)
    assert run.stop() == 0
    run.happened("web end 0", "f begin", "f end", "g begin", "g end")
    assert names(run.report(), "finish") == ["f", "g"]


@pytest.mark.parametrize("how,code", [("exit=7", 7), ("die=9", 137)])
def test_finish_runs_after_a_crash_of_main(app, how, code):
    run = app(f"""
        [service web]
        command = @svc web life=100 {how}
        main = yes
        [finish f]
        command = @show f LASTCALL_EXIT LASTCALL_CAUSE LASTCALL_STEP
    """)
    assert run.wait() == code
    assert run.find("f LASTCALL_STEP=f")
    assert run.find(f"f LASTCALL_EXIT={code}")


def test_a_hung_finish_step(app, both):
    """It has its second, or what is left, and ends; the code is main's."""
    run = begin(app, "[finish f]\ncommand = @svc f deaf=1\ntimeout = 500ms\n", mode=both)
    code, took = timed_stop(run)
    assert code == 0 and took < 6
    assert run.step("f")["state"] == "timeout"


def test_finish_has_its_guarantee(app):
    """The service before it takes all that it may; the finish step still runs."""
    run = begin(app, "[finish f]\ncommand = @say f 500\nguarantee = 3s\n", "grace = 6s", """
        [service web]
        command = @svc web deaf=1
        main = yes
    """)
    code, took = timed_stop(run)
    assert code == 124 and took < 6 + LATE
    assert run.find("f end")


# ---- what commands of steps see ----

def test_variables_of_steps(app, both):
    run = begin(app, """
        [drain d]
        command = @show d LASTCALL_CAUSE LASTCALL_STEP LASTCALL_LEFT_MS LASTCALL_MAIN_PID LASTCALL_SOCKET LASTCALL_EXIT
        [finish f]
        command = @show f LASTCALL_STEP LASTCALL_EXIT LASTCALL_CAUSE
    """, mode=both)
    run.wait_event("web start")
    pid = run.pid_inside("web")
    assert run.stop() == 0
    assert run.find("d LASTCALL_STEP=d") and run.find("f LASTCALL_STEP=f")
    assert run.find(f"d LASTCALL_MAIN_PID={pid}")
    assert run.find("d LASTCALL_SOCKET=/run/lastcall.sock")
    assert run.find("d LASTCALL_EXIT unset")
    assert run.find("f LASTCALL_EXIT=0")
    left = int(next(e for e in run.events() if e.startswith("d LASTCALL_LEFT_MS=")).split("=")[1])
    assert 1000 < left <= 10000
    cause = [e.split("=", 1)[1] for e in run.events() if "LASTCALL_CAUSE=" in e]
    assert len(set(cause)) == 1 and cause[0] == run.report()["cause"]


def test_steps_have_their_own_cwd_and_env(app, workdir):
    (workdir / "sub").mkdir()
    run = begin(app, """
        [drain d]
        command = @inherit d
        cwd = @W/sub
        [drain e]
        command = @show e COLOUR
        env = COLOUR=red
    """)
    assert run.stop() == 0
    assert run.find(f"d cwd {workdir}/sub")
    assert run.find("e COLOUR=red")


def test_what_a_step_inherits(app, both):
    """Only 0, 1, 2; a session of its own; stdin is /dev/null; no blocked signal."""
    run = begin(app, "[drain d]\ncommand = @inherit d\n", "grace = 10s\nhttp = :9180", mode=both)
    assert run.stop() == 0
    assert [str(e) for e in run.find("d fd")] == ["d fd 0", "d fd 1", "d fd 2"]
    sid = run.find("d sid")[0].split()
    assert sid[2] == sid[6], sid
    assert run.find("d blocked 0") and run.find("d stdin 1:3")


def test_a_hook_is_never_silent(app):
    """What it says on stdout and stderr is where lastcall's own goes."""
    run = begin(app, '[drain d]\ncommand = sh -c "echo from the hook; echo its error >&2"\n')
    assert run.stop() == 0
    assert "from the hook" in run.out + run.err
    assert "its error" in run.err


def test_too_little_time_is_no_time(app):
    """A command with less than 50 ms allowed is not started."""
    run = begin(app, """
        [drain hung]
        command = @svc hung deaf=1
        [drain late]
        command = @say late
    """, "grace = 5s\nreserve = 500ms", """
        [service web]
        command = @svc web
        main = yes
        guarantee = 4300ms
    """)
    code, took = timed_stop(run)
    assert took < 1.5 + LATE
    assert run.find("web SIGNAL 15")
    assert not run.find("late begin")


def test_a_long_plan(app):
    """Forty drains, one failing, one retried, some skipped: each has its row, in order."""
    body = ""
    for n in range(40):
        body += f"[drain d{n}]\ncommand = @say d{n} 0 {1 if n == 7 else 0}\n"
        body += "only-if = false\n" if n % 10 == 3 else ""
    run = begin(app, body, "grace = 1m")
    assert run.stop() == 0
    begun = [e.split()[0] for e in run.events() if e.endswith("begin")]
    assert begun == [f"d{n}" for n in range(40) if n % 10 != 3]
    assert json.loads(Path(run.report_path).read_text())["verdict"] == "degraded"
