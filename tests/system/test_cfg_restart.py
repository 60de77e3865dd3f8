"""Services that end while it runs: restarts, back-off, the limit, essential, main, success-exit, live checks."""
import itertools
import os
import re
import signal
import time

import pytest

from cfg import *
from lc import alive, wait_for

OTHER = """
    [service keep]
    command = @svc keep notify=READY=1
    ready = notify
"""
KEEP = OTHER + "    main = yes\n"

# how it ends, and which policies start it again
ENDS = {"0": ("life=30", {"always"}), "3": ("life=30 exit=3", {"always", "on-failure"}),
        "TERM": ("life=30 die=15", {"always", "on-failure", "on-abnormal"}),
        "KILL": ("life=30 die=9", {"always", "on-failure", "on-abnormal"}),
        "SEGV": ("life=30 die=11", {"always", "on-failure", "on-abnormal"})}
POLICIES = ("no", "on-failure", "on-abnormal", "always")


@pytest.mark.parametrize("end,policy", itertools.product(ENDS, POLICIES))
def test_policy(app, end, policy):
    how, again = ENDS[end]
    run = app(f"""
        [service a]
        command = @svc a {how}
        restart = {policy}
        restart-delay = 10ms..10ms
        restart-limit = 1000 in 1m
        essential = no
        {KEEP}
    """)
    run.wait_event("keep start")
    if policy in again:
        run.wait_event("a start", 3)
        wait_for(lambda: run.service("a").get("restarts", 0) >= 2)
    else:
        run.wait_event("a start")
        wait_for(lambda: run.service("a").get("exit") is not None and not run.service("a").get("pid"))
        assert run.service("a")["restarts"] == 0
    assert run.stop() == 0
    assert policy in again or len(run.find("a start")) == 1


@pytest.mark.parametrize("which,again", [("plain", True), ("main", False), ("oneshot", False)])
def test_default_policy(app, which, again):
    """Services: on-failure; main and oneshots: no."""
    extra = {"plain": "", "main": "main = yes", "oneshot": "type = oneshot"}[which]
    run = app(f"""
        [service a]
        command = @svc a life=30 exit=3
        restart-delay = 10ms..10ms
        restart-limit = 3 in 1m
        {extra}
        {OTHER}
    """)
    assert run.wait() == 3
    assert len(run.find("a start")) == (4 if again else 1)


def test_a_service_that_exits_0_is_its_end_for_good(app):
    """restart = on-failure, exit 0: an essential service's end ends the container, with 0."""
    run = app(f"""
        [service a]
        command = @svc a life=50
        after = keep
        {KEEP}
    """)
    assert run.wait() == 0
    run.happened("a end 0", "keep SIGNAL 15")


def test_back_off_grows_to_its_maximum(app):
    run = app("""
        [service a]
        command = @svc a life=1 exit=3
        restart-delay = 50ms..400ms
        restart-limit = 6 in 1m
    """)
    assert run.wait() == 3
    ends, starts = run.find("a end"), run.find("a start")
    assert len(starts) == 7
    gaps = [s.ms - e.ms for e, s in zip(ends, starts[1:])]
    least = [50, 100, 200, 400, 400, 400]
    assert all(g >= m - 5 for g, m in zip(gaps, least)), gaps


def test_the_limit_is_an_end_for_good(app, both):
    """More than N restarts in the time: an essential service then ends the container with its code."""
    run = app(f"""
        [service a]
        command = @svc a life=1 exit=3
        restart-delay = 1ms..1ms
        restart-limit = 4 in 1m
        after = keep
        {KEEP}
    """, mode=both)
    assert run.wait() == 3
    assert len(run.find("a start")) == 5
    assert run.find("keep end 0")
    assert re.search(r"\ba\b.*(limit|times|restart)", run.err)


def test_the_limit_of_one_that_is_not_essential(app):
    run = app(f"""
        [service a]
        command = @svc a life=1 exit=3
        restart-delay = 1ms..1ms
        restart-limit = 2 in 1m
        essential = no
        {KEEP}
    """)
    run.wait_event("a start", 3)
    run.wait_service("a", exit=3, restarts=2, pid=None)
    assert run.running and run.status()["state"] == "running"
    assert run.stop() == 0
    assert len(run.find("a start")) == 3


def test_the_limit_counts_in_its_time_only(app):
    """Two in 100 ms is never reached by one that lives for 100 ms."""
    run = app("""
        [service a]
        command = @svc a life=100 exit=3
        restart-delay = 20ms..20ms
        restart-limit = 2 in 100ms
    """)
    run.wait_event("a start", 6)
    run.stop()


@pytest.mark.parametrize("how,code", [("exit=0", 0), ("exit=5", 5), ("die=9", 137), ("die=15", 143)])
@pytest.mark.parametrize("life", [1, 200])
def test_mains_exit_ends_it_with_its_code(app, both, how, code, life):
    run = app(f"""
        [service main]
        command = @svc main life={life} {how}
        main = yes
        {OTHER}
    """, mode=both)
    assert run.wait() == code


@pytest.mark.parametrize("how,listed,code", [("exit=5", "5", 0), ("exit=5", "4, 5", 0), ("exit=5", "4", 5),
                                             ("die=15", "TERM", 0), ("die=10", "SIGUSR1, 3", 0)])
def test_success_exit(app, how, listed, code):
    run = app(f"""
        [service main]
        command = @svc main life=50 {how}
        main = yes
        success-exit = {listed}
    """)
    assert run.wait() == code


def test_success_exit_is_no_failure(app):
    """restart = on-failure does not start again what has exited with a code of success."""
    run = app(f"""
        [service a]
        command = @svc a life=20 exit=5
        success-exit = 5
        essential = no
        {KEEP}
    """)
    run.wait_event("keep start")
    run.wait_event("a end 5")
    run.wait_service("a", exit=5, restarts=0, pid=None)
    assert run.stop() == 0
    assert len(run.find("a start")) == 1


def test_an_essential_service_ends_it_with_its_code(app, both):
    run = app("""
        [service main]
        command = @svc main notify=READY=1
        ready = notify
        main = yes
        [service a]
        command = @svc a life=100 exit=6
        after = main
        restart = no
    """, mode=both)
    assert run.wait() == 6
    run.happened("a end 6", "main SIGNAL 15", "main end 0")
    assert "a" in run.err


def test_the_first_code_that_is_not_0(app):
    """All services' end: the first that is not 0."""
    run = app("""
        [lastcall]
        essential = no
        restart = no
        [service a]
        command = @svc a life=50
        [service b]
        command = @svc b life=150 exit=8
        [service c]
        command = @svc c on=10:9
    """)
    run.wait_event("c start")
    run.wait_service("b", exit=8)
    assert run.control("POST", "/signal/c/USR1").code == 200
    assert run.wait() == 8


def test_all_ended_well(app):
    run = app("""
        [lastcall]
        essential = no
        restart = no
        [service a]
        command = @svc a life=50
        [service b]
        command = @svc b life=100
    """)
    assert run.wait() == 0


def test_main_may_be_restarted(app):
    run = app("""
        [service main]
        command = @svc main life=30 exit=3
        main = yes
        restart = on-failure
        restart-delay = 10ms..10ms
        restart-limit = 2 in 1m
    """)
    assert run.wait() == 3
    assert len(run.find("main start")) == 3


def test_leftovers_are_cleared_before_a_restart(app):
    """What the ended instance has left in its group, deaf or not, is gone when the next one starts."""
    run = app(f"""
        [service a]
        command = @svc a life=200 exit=3 child=kid,deaf=1
        restart-delay = 20ms..20ms
        restart-limit = 1000 in 1m
        stop-timeout = 300ms
        {KEEP}
    """)
    run.wait_event("kid start", 3)
    living = [p for p in run.programs() if "child=kid,deaf=1" in p.argv]
    assert len(living) <= 2, living
    run.stop()


def test_a_group_without_a_leader_does_not_hide_its_end(app, both):
    """The leader exits while its group lives: the service has ended; main's end ends it all."""
    run = app("""
        [service main]
        command = @svc main on=10:4 child=kid
        main = yes
    """, mode=both)
    run.wait_event("main start")
    run.wait_event("kid start")
    os.kill(run.pid_of("main"), signal.SIGUSR1)
    assert run.wait() == 4
    run.happened("main end 4", "kid SIGNAL 15", "kid end 0")


# ---- live ----

def live(then, extra=""):
    return f"""
        [lastcall]
        http = :9180
        [service a]
        command = @svc a http=8081 code=@W/code
        ready = tcp 127.0.0.1:8081 every 50ms
        live = http http://127.0.0.1:8081/ every 50ms timeout 1s failures 3{then}
        restart-delay = 10ms..10ms
        restart-limit = 1000 in 1m
        {extra}
        {KEEP}
    """


@pytest.mark.parametrize("then", ["", " then restart"])
def test_live_then_restart(app, workdir, then):
    run = app(live(then)).ready()
    assert run.http("GET", "/livez").code == 200
    (workdir / "code").write_text("500")
    run.wait_event("a start", 2)
    (workdir / "code").write_text("200")
    wait_for(lambda: run.service("a").get("restarts", 0) >= 1 and run.service("a")["ready"])
    assert run.http("GET", "/livez").code == 200
    assert run.stop() == 0
    assert len(run.find("keep start")) == 1
    assert "a" in run.err and "live" in run.err


def test_live_then_fail(app, workdir):
    """Liveness turns false; nothing is restarted; it comes back when the check passes."""
    run = app(live(" then fail")).ready()
    (workdir / "code").write_text("500")
    wait_for(lambda: run.http("GET", "/livez").code == 503)
    assert run.status()["live"] is False
    (workdir / "code").write_text("200")
    wait_for(lambda: run.http("GET", "/livez").code == 200)
    assert run.stop() == 0
    assert len(run.find("a start")) == 1


def test_live_then_shutdown(app, workdir):
    run = app(live(" then shutdown")).ready()
    (workdir / "code").write_text("500")
    run.wait()
    assert run.find("a SIGNAL 15") and run.find("keep SIGNAL 15")
    assert len(run.find("a start")) == 1


def test_live_only_once_ready(app):
    """A live check that would fail while the program is not ready yet restarts nothing."""
    run = app("""
        [service a]
        command = @svc a delay=600 listen=8081
        ready = tcp 127.0.0.1:8081 every 50ms
        live = tcp 127.0.0.1:8081 every 20ms failures 2 then restart
    """).ready()
    assert len(run.find("a start")) == 1
    assert run.stop() == 0


def test_live_tolerates_fewer_failures(app, workdir):
    run = app(live("").replace("failures 3", "failures 1000")).ready()
    (workdir / "code").write_text("500")
    begun = time.monotonic()
    wait_for(lambda: time.monotonic() - begun > 0.5)
    assert run.stop() == 0
    assert len(run.find("a start")) == 1


def test_a_hung_service_is_restarted_by_its_live_check(app):
    """Stopped, it accepts nothing: the check times out; TERM (and CONT) ends it."""
    run = app(live("").replace("failures 3", "failures 2")).ready()
    pid = run.pid_of("a")
    os.kill(pid, signal.SIGSTOP)
    run.wait_event("a start", 2)
    assert not alive(pid)
    run.ready()
    assert run.stop() == 0


@pytest.mark.parametrize("kind", ["exec", "tcp", "file"])
def test_live_of_each_kind(app, workdir, kind):
    (workdir / "there").touch()
    check = {"exec": "exec test -e @W/there", "tcp": "tcp 127.0.0.1:8082", "file": "file @W/there"}[kind]
    run = app(f"""
        [service a]
        command = @svc a
        live = {check} every 50ms failures 2 then shutdown
        [service b]
        command = @svc b listen=8082 life={700 if kind == "tcp" else 0} exit=1
        ready = tcp 127.0.0.1:8082 every 20ms
        restart = no
        essential = no
    """)
    run.wait_event("a start")
    (workdir / "there").unlink()
    run.wait()
    assert run.find("a SIGNAL 15")
