"""The verbs that talk to a running lastcall: their arguments, one service at a time, status and probe."""
import os
import re
import time

import pytest

from cfg import *
from lc import wait_for

ONE = """
    [service a]
    command = @svc a
"""


def begin(app, **more):
    run = app(ONE, **more).ready()
    run.wait_event("a start")
    return run


VERBS = [["status"], ["drain"], ["resume"], ["prestop"], ["shutdown"], ["start", "a"], ["stop", "a"], ["restart", "a"],
         ["reload", "a"], ["signal", "a", "HUP"], ["probe", "ready"], ["probe", "live"], ["status", "--json"]]


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_one_clear_line_where_there_is_none(start, words):
    run = start(*words, mode="sub")
    assert run.wait() == 1
    assert len(run.err.strip().splitlines()) == 1 and "Traceback" not in run.err


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_as_pid_1_a_verb_names_the_dashes(start, words):
    """It is an image's mistake: ENTRYPOINT lastcall, CMD stop. It says what to write."""
    run = start(*words)
    assert run.wait() in (1, 2)
    assert "--" in run.err


@pytest.mark.parametrize("words", [["status", "more"], ["status", "--what"], ["drain", "x"], ["start"], ["stop"],
                                   ["restart", "a", "b"], ["signal", "a"], ["signal"], ["signal", "a", "NOSUCH"],
                                   ["signal", "a", "99"], ["probe"], ["probe", "ready", "--wait"],
                                   ["probe", "ready", "--wait", "soon"], ["probe", "nothing"], ["probe", "ftp://x/"],
                                   ["check"], ["check", "--what", "x"], ["plan"], ["prestop", "--late"],
                                   ["prestop", "--late", "-5s"], ["shutdown", "--later"], ["probe", "ready", "--wait", "5"],
                                   ["status", "--control"], ["reload"]], ids=" ".join)
def test_bad_arguments_are_2(app, words):
    run = begin(app)
    got = run.verb(*words)
    assert got.code == 2, got
    assert got.err.strip() and not got.out.strip()
    assert run.status()["state"] == "running"
    assert run.stop() == 0


# ---- one service ----

TWO = """
    [lastcall]
    restart-delay = 10ms..50ms
    [service a]
    command = @svc a
    [service b]
    command = @svc b
    after = a
"""


def two(app, **more):
    run = app(TWO, **more).ready()
    run.wait_event("b start")
    return run


def test_restart(app, both):
    run = two(app, mode=both)
    old = run.pid_inside("a")
    assert run.verb("restart", "a").code == 0
    run.wait_event("a start", 2)
    assert run.pid_inside("a") != old
    run.happened("a SIGNAL 15", "a end 0", "a start")
    run.ready()
    assert run.stop() == 0
    assert len(run.find("b start")) == 1


def test_restart_behind_a_restore(app, both):
    """The new instance waits for the restore, and so does the operator."""
    run = app("""
        [lastcall]
        checkpoint-dir = @W/store
        [service a]
        command = @svc a
        main = yes
        [checkpoint c]
        for = a
        command = touch ${LASTCALL_CHECKPOINT_DIR}/x
        restore = @say restore 300
        restore-on = restart
    """, mode=both).ready()
    assert run.control("POST", "/checkpoint/c").code == 200
    answer = run.verb("restart", "a")
    assert (answer.code, answer.err) == (0, "")
    run.wait_event("a start", 2)
    run.happened("a start", "a end 0", "restore end", "a start")
    assert run.stop() == 0


def test_stop_and_start(app, both):
    """A service that an operator has stopped stays down, and its end is nobody's end."""
    run = two(app, mode=both)
    assert run.verb("stop", "b").code == 0
    run.wait_event("b end 0")
    run.wait_service("b", pid=None)
    assert run.status()["state"] == "running"
    assert run.verb("start", "b").code == 0
    run.wait_event("b start", 2)
    run.wait_service("b", ready=True)
    assert run.stop() == 0
    assert len(run.find("a start")) == 1


def test_stop_of_one_that_is_deaf(app, both):
    run = app("""
        [service a]
        command = @svc a
        main = yes
        [service b]
        command = @svc b deaf=1
        stop-timeout = 400ms
    """, mode=both).ready()
    run.wait_event("b start")
    run.verb("stop", "b")
    run.wait_service("b", pid=None)
    assert run.status()["state"] == "running"
    assert run.stop() == 0


def test_starting_one_that_runs_changes_nothing(app):
    run = two(app)
    run.verb("start", "a")
    assert run.verb("status").code == 0
    assert run.stop() == 0
    assert len(run.find("a start")) == 1


def test_signal(app, both):
    run = two(app, mode=both)
    for word, number in (("HUP", 1), ("SIGUSR2", 12), ("10", 10), ("RTMIN+1", 35)):
        assert run.verb("signal", "a", word).code == 0
        run.wait_event(f"a SIGNAL {number}")
    assert not run.find("b SIGNAL")
    assert run.stop() == 0


@pytest.mark.parametrize("key,event", [("reload-signal = USR1", "a SIGNAL 10"), ("reload-command = @say again", "again end"),
                                       ("", None)])
def test_reload(app, both, key, event):
    run = app(f"[service a]\ncommand = @svc a\n{key}\n", mode=both).ready()
    run.wait_event("a start")
    got = run.verb("reload", "a")
    if event:
        assert got.code == 0, got
        run.wait_event(event)
    elif got.code != 0:
        assert "reload" in got.err
    assert run.stop() == 0
    assert len(run.find("a start")) == 1


def test_reload_with_a_command_that_fails(app):
    run = app("[service a]\ncommand = @svc a\nreload-command = @say again 0 5\n").ready()
    run.wait_event("a start")
    run.verb("reload", "a")
    run.wait_event("again end")
    assert run.status()["state"] == "running"
    assert run.stop() == 0


@pytest.mark.parametrize("words", [["restart", "nosuch"], ["stop", "nosuch"], ["start", "nosuch"], ["reload", "nosuch"],
                                   ["signal", "nosuch", "HUP"], ["stop", "../a"], ["stop", ""], ["stop", "a/b"],
                                   ["restart", "a" * 300], ["stop", "a%00"], ["signal", "a", "KILL/../x"]], ids=str)
def test_a_name_that_is_not_there(app, words):
    run = two(app)
    got = run.verb(*words)
    assert got.code in (1, 2) and got.err.strip(), got
    assert run.status()["state"] == "running"
    assert run.stop() == 0
    assert len(run.find("a start")) == 1 and len(run.find("a SIGNAL")) == 1


@pytest.mark.parametrize("method,path,code", [
    ("POST", "/nothing", (404,)), ("POST", "/stop/nosuch", (404, 400, 409)), ("POST", "/stop", (404, 400)),
    ("POST", "/stop/", (404, 400)), ("POST", "/signal/a", (400, 404)), ("POST", "/signal/a/NOSUCH", (400, 404)),
    ("GET", "/stop/a", (405,)), ("GET", "/shutdown", (405,)), ("DELETE", "/drain", (405,)), ("PUT", "/stop/a", (405,)),
    ("POST", "/stop/a/b/c", (404, 400)), ("POST", "/status", (405,)), ("GET", "/nothing", (404,))])
def test_requests_that_are_refused(app, method, path, code):
    run = two(app)
    assert run.control(method, path).code in code
    assert run.status()["state"] == "running"
    assert run.stop() == 0
    assert len(run.find("a SIGNAL")) == 1


def test_the_control_socket_serves_what_tcp_does(app):
    run = begin(app)
    for path in ("/livez", "/readyz", "/startupz", "/healthz", "/status", "/readyz?verbose"):
        assert run.control("GET", path).code == 200, path
    assert run.stop() == 0


def test_a_second_errand_is_refused_as_busy(app):
    run = app("""
        [lastcall]
        grace = 1m
        [service a]
        command = @svc a until=@W/go
        [service b]
        command = @svc b
    """).ready()
    run.wait_event("a start")
    run.wait_event("b start")
    client = run.popen(run.box.binary, "restart", "a")
    run.wait_event("a SIGNAL 15")
    got = run.control("POST", "/restart/b")
    assert got.code in (409, 423, 503), got
    (run.workdir / "go").touch()
    client.communicate(timeout=BOUND)
    run.wait_event("a start", 2)
    assert run.stop() == 0
    assert len(run.find("b start")) == 1


def test_a_stop_takes_over_from_an_errand(app, both):
    run = app("""
        [lastcall]
        grace = 10s
        [service a]
        command = @svc a until=@W/go
        [service b]
        command = @svc b
    """, mode=both, may_leave=True).ready()
    run.wait_event("a start")
    client = run.popen(run.box.binary, "restart", "a")
    run.wait_event("a SIGNAL 15")
    run.signal(SIGTERM)
    run.wait_state("stopping")
    (run.workdir / "go").touch()
    assert run.wait() == 0
    client.communicate(timeout=BOUND)
    assert len(run.find("a start")) == 1


def test_many_clients_that_say_nothing(app, both):
    """A hundred open connections to the control socket: the verbs still work, the stop is in time."""
    run = begin(app, mode=both)
    socks = []
    try:
        for _ in range(100):
            try:
                socks.append(run.connect_unix(timeout=2))
            except OSError:
                break
        assert wait_for(lambda: run.verb("status", "--json").code == 0)
        begun = time.monotonic()
        assert run.stop() == 0
        assert run.exited_at - begun < 5
    finally:
        for s in socks:
            s.close()


# ---- status and probe ----

def test_status_for_a_person(app, both):
    run = two(app, mode=both)
    got = run.verb("status")
    assert got.code == 0
    assert "running" in got.out
    assert re.search(r"^.*\ba\b", got.out, re.M) and re.search(r"^.*\bb\b", got.out, re.M)
    assert run.stop() == 0


def test_status_json_is_the_endpoints(app):
    run = two(app)
    got = run.verb("status", "--json").json()
    other = run.status()
    for key in set(got) | set(other):
        if key != "uptime_ms":
            assert got[key] == other[key], key
    assert run.stop() == 0


def test_status_watch(app):
    """Goes on showing it until lastcall ends."""
    run = two(app)
    client = run.popen(run.box.binary, "status", "--watch")
    os.set_blocking(client.stdout.fileno(), False)
    seen = []

    def look():
        try:
            seen.append(os.read(client.stdout.fileno(), 65536).decode())
        except BlockingIOError:
            pass
        return "running" in "".join(seen)
    wait_for(look)
    assert client.poll() is None
    assert run.stop() == 0
    os.set_blocking(client.stdout.fileno(), True)
    client.communicate(timeout=BOUND)


NOT_YET = """
    [service a]
    command = @svc a
    ready = file @W/there every 50ms
"""


def test_probe(app, workdir, both):
    run = app(NOT_YET, mode=both)
    run.wait_event("a start")
    wait_for(run.status)
    assert run.verb("probe", "live").code == 0
    for what in ("ready", "startup"):
        assert run.verb("probe", what).code == 1, what
    (workdir / "there").touch()
    run.ready()
    for what in ("ready", "live", "startup"):
        assert run.verb("probe", what).code == 0, what
    assert run.stop() == 0


def test_probe_wait(app, workdir):
    run = app(NOT_YET)
    run.wait_event("a start")
    client = run.popen(run.box.binary, "probe", "ready", "--wait", "20s")
    (workdir / "there").touch()
    client.communicate(timeout=BOUND)
    assert client.returncode == 0
    (workdir / "there").unlink()
    wait_for(lambda: not run.is_ready())
    begun = time.monotonic()
    assert run.verb("probe", "ready", "--wait", "300ms").code == 1
    assert 0.28 <= time.monotonic() - begun < 5
    assert run.stop() == 0


@pytest.mark.parametrize("target,code", [
    ("http://127.0.0.1:8081/x", 0), ("http://127.0.0.1:8099/", 1), ("tcp://127.0.0.1:8081", 0), ("tcp://127.0.0.1:8099", 1),
    ("unix:/run/lastcall.sock", 0), ("unix:/run/nosuch", 1), ("http://localhost:8081/", 0)])
def test_probe_of_something_else(app, target, code):
    run = app("""
        [service a]
        command = @svc a http=8081
        ready = tcp 127.0.0.1:8081 every 50ms
    """).ready()
    assert run.verb("probe", target).code == code
    assert run.stop() == 0


def test_probe_of_a_bad_status(app, workdir):
    (workdir / "code").write_text("503")
    run = app("""
        [service a]
        command = @svc a http=8081 code=@W/code
        ready = tcp 127.0.0.1:8081 every 50ms
    """).ready()
    assert run.verb("probe", "http://127.0.0.1:8081/").code == 1
    (workdir / "code").write_text("200")
    assert run.verb("probe", "http://127.0.0.1:8081/", "--wait", "5s").code == 0
    assert run.stop() == 0


def test_probe_waits_for_a_lastcall_that_is_not_there_yet(app, second, workdir):
    run = app(ONE, "--control", "off")
    run.wait_event("a start")
    probe = run.popen(run.box.binary, "probe", "ready", "--wait", "20s", "--control", workdir / "other")
    other = second(run, "--control", workdir / "other")
    probe.communicate(timeout=BOUND)
    assert probe.returncode == 0
    run.verb("shutdown", "--control", workdir / "other")
    other.communicate(timeout=BOUND)
    assert run.stop() == 0
