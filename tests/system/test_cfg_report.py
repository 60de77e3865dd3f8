"""What is left to read: the report, the verdict, the exit code, the lines on stderr, also when something is in the way."""
import fcntl
import json
import os
import re
import signal
import socket
import textwrap
import threading
import time
from pathlib import Path

import pytest

from cfg import *
from lc import report, wait_for

WEB = """
    [lastcall]
    grace = {grace}
    [service web]
    command = @svc web {web}
    main = yes
    {keys}
"""


def begin(app, body="", web="", keys="", grace="8s", *args, **more):
    run = app(textwrap.dedent(WEB).format(web=web, keys=keys, grace=grace) + textwrap.dedent(body), *args, **more).ready()
    run.wait_event("web start")
    return run


# ---- the report ----

def test_its_fields(app, both):
    run = begin(app, "[drain d]\ncommand = @say d 0 1\n[finish f]\ncommand = @say f\n", mode=both)
    before = time.time()
    assert run.stop() == 0
    r = run.report()
    assert set(r) >= {"summary", "verdict", "cause", "exit", "grace_ms", "used_ms", "time", "host", "killed", "left",
                      "steps", "lastcall"}
    assert isinstance(r["summary"], str) and len(r["summary"]) > 10 and "\n" not in r["summary"]
    assert r["verdict"] == "degraded" and r["exit"] == 0 and r["grace_ms"] == 8000
    assert 0 <= r["used_ms"] < 8000
    assert r["killed"] == [] and not r["left"]
    assert r["host"] == socket.gethostname()
    assert str(r["time"])[:4] == time.strftime("%Y", time.gmtime(before))
    assert re.match(r"\d+\.\d+", r["lastcall"])
    for s in r["steps"]:
        assert set(s) >= {"phase", "stage", "name", "state"}
        assert s["phase"] in ("announce", "drain", "save", "stop", "settle", "finish", "sweep")
        assert s["state"] in ("pending", "running", "done", "failed", "timeout", "skipped")
    assert [s["stage"] for s in r["steps"]] == sorted(s["stage"] for s in r["steps"])
    assert [s["name"] for s in r["steps"] if s["phase"] in ("drain", "stop", "finish", "sweep")] == ["d", "web", "f", "sweep"]


@pytest.mark.parametrize("sig,word", [(SIGTERM, "TERM"), (SIGINT, "INT"), (SIGQUIT, "QUIT")])
def test_the_cause_names_the_signal(app, sig, word):
    run = begin(app)
    assert run.stop(sig) == 0
    assert word in run.report()["cause"].upper() + run.report()["summary"]
    assert word in run.err


def test_it_is_current_when_sigkill_comes(app, both):
    """Written at the stop's start and after each step: what is there is whole, and says where it was."""
    run = begin(app, """
        [drain one]
        command = @say one
        [drain two]
        command = @svc two
        timeout = 6s
        guarantee = 5s
    """, mode=both, may_leave=True)
    run.signal(SIGTERM)
    run.wait_event("two start")
    wait_for(lambda: Path(run.report_path).exists() and Path(run.report_path).stat().st_size
             and [s for s in run.report()["steps"] if s["name"] == "two" and s["state"] == "running"])
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    r = run.report()
    assert r["verdict"] == "interrupted"
    states = {s["name"]: s["state"] for s in r["steps"]}
    assert states["one"] == "done" and states["two"] == "running"
    assert "two" in r["summary"] or "drain" in r["summary"]


def test_pending_and_skipped_steps_are_dropped_first(app):
    """Too many steps for 4096 bytes: what has been done and what runs are there, whenever it is cut off."""
    body = "".join(f"[drain {'d' * 40}-{n}]\ncommand = @say d{n}\ntimeout = 1s\n" for n in range(5))
    body += "[drain hung]\ncommand = @svc hung\ntimeout = 6s\nguarantee = 5s\n"
    body += "".join(f"[drain {'e' * 40}-{n}]\ncommand = @say e{n}\ntimeout = 1s\n" for n in range(60))
    run = begin(app, body, grace="30s", may_leave=True)
    run.signal(SIGTERM)
    run.wait_event("hung start")
    wait_for(lambda: [s for s in run.report()["steps"] if s["name"] == "hung" and s["state"] == "running"])
    states = [s["state"] for s in run.report()["steps"]]
    assert states.count("done") >= 5
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert run.report()["verdict"] == "interrupted"


def test_it_is_whole_at_all_times(app, workdir):
    """Someone reads it as fast as he can, all the time."""
    run = begin(app, "".join(f"[drain d{n}]\ncommand = @say d{n} 5\n" for n in range(30)), keys="guarantee = 1s")
    over, seen, wrong = threading.Event(), set(), []

    def look():
        while not over.is_set():
            try:
                data = Path(run.report_path).read_bytes()
            except FileNotFoundError:
                continue
            if not data:                    # it may be the file of before, which was empty
                wrong.append("empty") if seen else None
                continue
            try:
                seen.add(json.loads(data)["verdict"])
                if len(data) > 4096:
                    wrong.append(len(data))
            except ValueError:
                wrong.append(data)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        assert run.stop() == 0
    finally:
        over.set()
        thread.join()
    assert not wrong, wrong[:3]
    assert run.report()["verdict"] == "clean"


def test_the_termination_log_is_the_default(app, workdir):
    (workdir / "message").touch()
    run = begin(app, report=False, termination_log=workdir / "message")
    assert run.stop() == 0
    assert report(workdir / "message")["verdict"] == "clean"


def test_a_longer_report_of_before_is_no_problem(app, workdir):
    """The file keeps nothing of an older text."""
    (workdir / "report").write_text("x" * 20000)
    run = begin(app)
    assert run.stop() == 0
    assert run.report()["verdict"] == "clean"


@pytest.mark.parametrize("args", [["--report", "off"], []])
def test_off(app, workdir, args):
    (workdir / "message").touch()
    run = begin(app, "", "", "", "8s", *args, report=False, termination_log=workdir / "message" if args else None)
    assert run.stop() == 0
    assert (workdir / "message").read_bytes() == b""


@pytest.mark.parametrize("how", ["exit=3", "die=11", "exit=0"])
def test_none_after_a_crash(app, workdir, how):
    """The platform can show the program's own last words."""
    (workdir / "message").write_text("last words")
    run = app(f"[service web]\ncommand = @svc web life=100 {how}\nmain = yes\n[finish f]\ncommand = @say f\n", report=False,
              termination_log=workdir / "message")
    run.wait()
    assert run.find("f end")
    assert (workdir / "message").read_text() == "last words"


@pytest.mark.parametrize("path", ["/nonexistent/report", "/proc/report", "@W"])
def test_one_that_cannot_be_written(app, path, workdir):
    """A line says so; the stop is as ever."""
    run = begin(app, "", "", "", "8s", "--report", path.replace("@W", str(workdir)), report=False)
    assert run.stop() == 0
    assert "report" in run.err
    assert run.find("web end 0")


def test_a_report_that_blocks(app, workdir):
    """It is a FIFO that nobody reads: the stop is in time."""
    os.mkfifo(workdir / "report")
    run = begin(app, grace="3s")
    begun = time.monotonic()
    assert run.stop() == 0
    assert run.exited_at - begun < 3 + LATE


# ---- exit codes of a requested stop ----

@pytest.mark.parametrize("web,keys,code", [
    ("", "", 0), ("exit=143", "", 0), ("default=1", "", 0), ("exit=5", "", 5), ("exit=5", "success-exit = 5", 0),
    ("on=3:131", "stop-signal = QUIT", 0), ("on=15:131", "", 131),
    ("deaf=1", "stop-timeout = 300ms", 124), ("on=10:138", "stop-signal = USR1", 0)])
def test_exit_codes(app, both, web, keys, code):
    run = begin(app, web=web, keys=keys, mode=both)
    assert run.stop() == code
    assert run.report()["exit"] == code
    assert run.report()["verdict"] == ("forced" if code == 124 else "clean")


def test_the_exit_of_one_that_is_not_main(app):
    """With a main, its code counts, not another service's."""
    run = begin(app, "[service other]\ncommand = @svc other exit=9\n")
    run.wait_event("other start")
    assert run.stop() == 0


def test_an_escalation_is_a_signal_that_it_was_sent(app):
    run = begin(app, web="on=3:131", keys="stop-signal = USR1, QUIT after 100ms")
    assert run.stop() == 0


def test_a_clean_stop_with_a_killed_helper_process(app):
    """Kills in the sweep change the verdict, never the code."""
    run = begin(app, web="away=gone,deaf=1", grace="3s")
    run.wait_event("gone start")
    assert run.stop() == 0
    r = run.report()
    assert r["verdict"] != "clean" and [k["pid"] for k in r["killed"]]
    assert set(r["killed"][0]) >= {"service", "pid", "comm"}


def test_overran_never_without_reason(app):
    run = begin(app, web="deaf=1", grace="4s\nreserve = 3s")
    assert run.stop() == 124
    r = run.report()
    assert r["verdict"] == "forced" and r["used_ms"] <= 4000


# ---- stderr ----

def test_the_timeline(app, both):
    """What is said of a stop: the cause and the grace, each step, the verdict with the time and the exit code."""
    run = begin(app, "[drain one]\ncommand = @say one 100\n", mode=both)
    run.stop()
    text = run.err
    assert re.search(r"lastcall: .*TERM.*8(\.0)? ?s", text)
    assert re.search(r"^ +\d+\.\d s +one\b", text, re.M)
    assert re.search(r"^ +\d+\.\d s +web .*TERM", text, re.M)
    assert re.search(r"^ +\d+\.\d s +web .*exited 0", text, re.M)
    assert re.search(r"lastcall: CLEAN in \d+\.\d s of 8\.0.*exit 0", text)


def test_log_json(app, both):
    """Each line is an object."""
    run = begin(app, "[drain one]\ncommand = @say one 0 1\n", "", "", "8s", "--log", "json", mode=both)
    assert run.stop() == 0
    lines = run.err.strip().splitlines()
    assert len(lines) >= 4
    for line in lines:
        assert isinstance(json.loads(line), dict), line


def test_quiet(app):
    run = begin(app, "", "", "", "8s", "-q")
    assert run.stop() == 0
    assert len(run.err.splitlines()) <= 1


def blocked_pipe():
    """A pipe that is full: (read end, write end), blocking as a program expects it."""
    r, w = os.pipe()
    fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(w, False)
    try:
        while True:
            os.write(w, b"x" * 512)
    except BlockingIOError:
        pass
    os.set_blocking(w, True)
    return r, w


@pytest.mark.parametrize("kind", ["pipe", "socket", "full", "closed", "gone"])
def test_a_stderr_that_takes_nothing(app, both, kind):
    """Full, blocked, closed, without a reader: everything else is as ever, and in time."""
    close = []
    if kind == "pipe":
        r, w = blocked_pipe()
        close, err = [r, w], w
    elif kind == "socket":
        a, b = socket.socketpair()
        a.setblocking(False)
        try:
            while True:
                a.send(b"x" * 1000)
        except BlockingIOError:
            pass
        a.setblocking(True)
        close, err = [a.detach(), b.detach()], None
        err = close[0]
    elif kind == "gone":
        r, w = os.pipe()
        os.close(r)
        close, err = [w], w
    else:
        err = kind
    try:
        run = app(textwrap.dedent(WEB).format(web="", keys="", grace="3s") +
                  "".join(f"[drain d{n}]\nsignal = web USR1\n" for n in range(20)), "--http", ":9180", mode=both, stderr=err)
        run.ready()
        run.wait_event("web start")
        assert run.http("GET", "/readyz").code == 200
        begun = time.monotonic()
        assert run.stop() == 0
        assert run.exited_at - begun < 3 + LATE
        assert run.report()["verdict"] == "clean"
        if kind in ("pipe", "socket"):
            assert not fcntl.fcntl(err, fcntl.F_GETFL) & os.O_NONBLOCK
    finally:
        for fd in close:
            os.close(fd)


def test_lines_are_dropped_not_torn(app, workdir):
    """A slow reader: what arrives are whole lines."""
    r, w = os.pipe()
    fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 4096)
    try:
        run = app("[service a]\ncommand = @svc a\n", stderr=w)
        run.ready()
        for _ in range(400):
            run.signal(signal.SIGHUP)
            run.status()
        assert run.stop() == 0
    finally:
        os.close(w)
    with os.fdopen(r, "rb") as reader:
        text = reader.read().decode()
    for line in text.splitlines():
        assert re.match(r"lastcall: | +\d+\.\d s | {4,}", line), line
