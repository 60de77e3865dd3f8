"""What programs, clients and the system do badly: nothing of it gets through to PID 1, its helper, or the other services."""
import os
import signal
import time
from pathlib import Path

import pytest

from cfg import *
from lc import read, wait_for

PROGRAMS = Path(__file__).parent / "programs"
BAD_ANSWERS = ["closes", "garbage", "half a line", "a code that is none", "a code that is too long", "other protocol",
               "drip", "silent"]


@pytest.fixture
def copied(workdir):
    """copied(name): a copy of the program in workdir, which others can read."""
    def copy(name):
        path = workdir / name
        path.write_text((PROGRAMS / name).read_text())
        path.chmod(0o755)
        return path
    return copy


@pytest.mark.parametrize("kind,ready", [(k, False) for k in BAD_ANSWERS] + [("no reason", True), ("long body", True)])
def test_what_a_checked_program_answers(app, copied, kind, ready):
    """Not ready, or ready; the helper is the same one after many of them."""
    run = app(f"""
        [lastcall]
        http = :9180
        grace = 3s
        [service a]
        command = /usr/bin/python3 {copied("cfg_server.py")} '{kind}'
        ready = http http://127.0.0.1:8081/ every 20ms timeout {"3s" if ready else "300ms"}
        stop-timeout = 1s
        [service b]
        command = @svc b
        after = listens
        main = yes
        [service listens]
        type = oneshot
        command = @L probe tcp://127.0.0.1:8081 --wait 20s
    """)
    run.wait_event("b start")
    net = wait_for(run.net)
    if ready:
        run.ready()
    else:
        at = time.monotonic()
        wait_for(lambda: time.monotonic() - at > 0.8 and run.http("GET", "/readyz").code == 503)
    assert run.http("GET", "/readyz").code == (200 if ready else 503)
    assert run.net() == net
    assert run.stop() == 0


def test_an_endless_header(app, copied):
    """Whatever it is taken for, it is taken within its time."""
    run = app(f"""
        [service a]
        command = /usr/bin/python3 {copied("cfg_server.py")} 'endless header'
        ready = http http://127.0.0.1:8081/ every 20ms timeout 300ms
        [service b]
        command = @svc b
        main = yes
    """)
    run.wait_event("b start")
    net = wait_for(run.net)
    for _ in range(30):
        assert run.status()["state"]
    assert run.net() == net
    assert run.stop() == 0


NOTIFY = """
    [service a]
    command = sh -c "echo $$NOTIFY_SOCKET > @W/address; exec @P svc a"
    ready = notify
    [service b]
    command = @svc b
"""


@pytest.mark.parametrize("kind,uid,ready", [("ready", None, True), ("ready", 65534, False), ("garbage", None, False),
                                            ("descriptors", None, False), ("descriptors", 65534, False)])
def test_datagrams(app, workdir, copied, kind, uid, ready):
    """Only the word counts, and only from lastcall's own user; passed descriptors are closed."""
    run = app(NOTIFY)
    run.wait_event("a start")
    run.wait_event("b start")
    net = wait_for(run.net)
    done = run.run("/usr/bin/python3", copied("cfg_notify.py"), read(workdir / "address").strip(), kind, uid=uid)
    assert done.code == 0, done
    if ready:
        run.ready()
    else:
        at = time.monotonic()
        wait_for(lambda: time.monotonic() - at > 0.3 and run.service("a").get("state") == "starting")
    assert run.net() == net
    wait_for(lambda: len(os.listdir(f"/proc/{net}/fd")) < 40)
    assert len(os.listdir(f"/proc/{run.pid}/fd")) < 40
    assert run.stop() == 0


@pytest.mark.parametrize("killed", ["client", "net"])
@pytest.mark.parametrize("verb", ["prestop", "drain", "shutdown"])
def test_one_is_killed_while_a_client_waits(app, verb, killed):
    """What it has asked for is done all the same; the client does not wait for ever."""
    run = app("""
        [service a]
        command = @svc a
        [drain d]
        command = @say d 600
        timeout = 4s
    """, may_leave=True).ready()
    client = run.popen(run.box.binary, verb)
    run.wait_event("d begin")
    os.kill(wait_for(run.net) if killed == "net" else client.pid, signal.SIGKILL)
    client.communicate(timeout=BOUND)
    run.wait_event("d end")
    if verb != "shutdown":
        run.signal(SIGTERM)
    assert run.wait() == 0
    assert len(run.find("d begin")) == 1 and run.find("a end 0")


def test_stopped_for_longer_than_the_grace(app, both):
    """Someone stops lastcall itself in mid-stop: when it runs again it ends at once, and says that it is late."""
    run = app("""
        [lastcall]
        grace = 3s
        [service a]
        command = @svc a deaf=1
    """, mode=both).ready()
    run.signal(SIGTERM)
    run.wait_event("a SIGNAL 15")
    os.kill(run.pid, signal.SIGSTOP)
    begun = time.monotonic()
    wait_for(lambda: time.monotonic() - begun > 3.2)
    os.kill(run.pid, signal.SIGCONT)
    begun = time.monotonic()
    assert run.wait() == 124
    assert run.exited_at - begun < 1 + LATE
    assert run.report()["verdict"] == "overran"


def test_the_report_on_a_full_disk(app):
    run = app("[service a]\ncommand = @svc a", "--report", "/dev/full", report=False).ready()
    assert run.stop() == 0
    assert "/dev/full" in run.err


def test_no_process_can_be_made(app, both, own_uid):
    """The user has no process left: it says so, tries again, and goes on when there is room."""
    run = app("""
        [lastcall]
        grace = 3s
        restart-delay = 50ms..100ms
        restart-limit = 100 in 1s
        [service hog]
        command = sh -c "sleep 1000 & sleep 1000 & sleep 1000 & : > @W/there; wait; exec @P svc hog"
        ready = file @W/there every 20ms
        main = yes
        [service late]
        command = @svc late
        after = hog
    """, report=False, mode=both, uid=own_uid, before=["/usr/bin/prlimit", "--nproc=6", "--"])
    run.wait_line("late.*fork")
    for sleep in [p.pid for p in run.programs() if p.argv == ["sleep", "1000"]]:
        os.kill(sleep, signal.SIGKILL)
    run.wait_event("late start")
    run.wait_event("hog start")
    assert run.stop() == 0
    assert run.find("late end 0")


def test_a_helper_that_is_not_hurt(app):
    """One net for a whole life of bad clients."""
    run = app("[lastcall]\nhttp = :9180\n[service a]\ncommand = @svc a").ready()
    net = run.net()
    junk = [b"", b"\r\n" * 5000, b"GET", b"GET / HTTP/1.1\r\n" + b"a" * 9000, b"\x00" * 5000, b"GET /" + b"%00" * 500,
            b"GET /readyz?" + b"v" * 900 + b" HTTP/1.1\r\n\r\n", b"POST /status HTTP/1.1\r\nContent-Length: 5\r\n\r\nabcdefgh",
            b"GET /readyz HTTP/1.1\r\nExpect: 100-continue\r\n\r\n", b"GET http://a/readyz HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET /readyz HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET * HTTP/1.1\r\n\r\n", b": : :\r\n\r\n", b"GET /signal/a/9 HTTP/1.1\r\n\r\n", os.urandom(20000)]
    for data in junk * 3:
        for where in (run.connect, run.connect_unix):
            with where() as sock:
                try:
                    sock.sendall(data)
                    sock.shutdown(1)
                    sock.settimeout(3)
                    while sock.recv(65536):
                        pass
                except OSError:
                    pass
    assert run.net() == net
    assert run.http("GET", "/readyz").code == 200
    assert run.status()["state"] == "running"
    assert run.stop() == 0
    assert len(run.find("a SIGNAL")) == 1


@pytest.mark.parametrize("what", ["deaf", "obey"])
def test_a_process_entered_from_outside_delays_nothing(app, programs, workdir, what):
    """`docker exec`: its parent is not of this pid namespace, it never shows in a wait. PID 1 takes it along."""
    run = app("[lastcall]\ngrace = 5s\n[service a]\ncommand = @svc a").ready()
    guest = run.popen(programs.prog, what, workdir / "guest")
    lc.wait_for_text(workdir / "guest", "ready")
    begun = time.monotonic()
    assert run.stop() == 0
    assert run.exited_at - begun < 5
    guest.communicate(timeout=BOUND)
    assert guest.returncode < 0 or guest.returncode > 128


def test_two_lastcalls_beside_each_other(app, conf, cfg_prog):
    """As two containers of a pod: they share namespaces, and neither touches the other's programs or socket."""
    run = app("[service a]\ncommand = @svc a").ready()
    other = run.popen(run.box.binary, "-c", conf("[service z]\ncommand = @svc z deaf=1\nstop-timeout = 200ms\n", "z.ini"),
                      "--control", run.workdir / "other")
    wait_for(lambda: run.verb("status", "--control", run.workdir / "other").code == 0)
    wait_for(lambda: run.verb("probe", "ready", "--control", run.workdir / "other").code == 0)
    assert [s["name"] for s in run.status()["services"]] == ["a"]
    assert run.verb("shutdown", "--now", "--control", run.workdir / "other").code in (0, 1)
    other.communicate(timeout=BOUND)
    assert other.returncode == 124
    assert run.status()["ready"] is True and not run.find("a SIGNAL")
    assert run.stop() == 0
