"""The control socket: where it is, who may use it, what it takes, and the verbs that use it."""
import os
import re
import signal
import socket
import stat
import threading
import time
from pathlib import Path

import pytest

from cfg import *
from lc import alive, read, receive, wait_for

ONE = """
    [service a]
    command = @svc a
"""
NOBODY = 65534


def begin(app, ini=ONE, *args, **more):
    run = app(ini, *args, **more).ready()
    run.wait_event("a start")
    return run


def test_its_mode_is_0600(app, both):
    run = begin(app, mode=both)
    info = os.stat(run.path("/run/lastcall.sock"))
    assert stat.S_ISSOCK(info.st_mode) and stat.S_IMODE(info.st_mode) == 0o600
    assert run.stop() == 0


def test_it_is_gone_after_the_end(app, workdir):
    run = app(ONE, "--control", workdir / "ctl")
    wait_for(lambda: (workdir / "ctl").exists())
    run.wait_event("a start")
    assert run.stop() == 0
    assert not (workdir / "ctl").exists()


@pytest.mark.parametrize("umask", ["0", "777", "022"])
def test_its_mode_does_not_come_from_the_umask(app, workdir, umask):
    run = app(ONE, "--control", workdir / "ctl", before=["/bin/sh", "-c", f'umask {umask}; exec "$@"', "sh"])
    wait_for(lambda: (workdir / "ctl").exists())
    wait_for(lambda: stat.S_IMODE(os.stat(workdir / "ctl").st_mode) == 0o600)
    run.wait_event("a start")
    assert run.stop() == 0


def test_another_user_is_refused(app, workdir, both):
    """Even where the file would let it: the socket asks who it is. 403, and nothing happens."""
    run = begin(app, ONE, mode=both)
    os.chmod(run.path("/run/lastcall.sock"), 0o666)
    code = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect('/run/lastcall.sock');"
            "s.sendall(b'POST /shutdown HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 0\\r\\n\\r\\n'); print(s.recv(4096).decode())")
    got = run.run("/usr/bin/python3", "-c", code, uid=NOBODY)
    assert " 403 " in got.out, got
    for verb in (["status"], ["shutdown"], ["drain"], ["stop", "a"]):
        got = run.verb(*verb, uid=NOBODY)
        assert got.code == 1 and got.err.strip(), verb
    assert run.status()["state"] == "running"
    assert run.stop() == 0


def test_another_user_cannot_even_connect(app):
    run = begin(app)
    got = run.verb("status", uid=NOBODY)
    assert got.code == 1 and len(got.err.strip().splitlines()) == 1, got
    assert run.stop() == 0


def test_lastcalls_own_user_may(app, workdir):
    env = {"XDG_RUNTIME_DIR": str(workdir)}
    run = app(ONE, uid=NOBODY, env=env)
    run.wait_event("a start")
    wait_for(lambda: run.verb("status", uid=NOBODY, env=env).code == 0)
    assert run.verb("status", env=env).code == 0          # and root
    assert run.verb("status", uid=NOBODY - 1, env=env).code == 1
    assert run.verb("signal", "a", "USR1", uid=NOBODY, env=env).code == 0
    run.wait_event("a SIGNAL 10")
    assert run.stop() == 0


@pytest.fixture
def second(app, conf):
    """second(run, *args): another lastcall inside the namespaces of run; gives a Popen."""
    def begin_second(run, *args):
        ini = conf("[service z]\ncommand = @svc z", "second.ini")
        return run.popen(run.box.binary, "-c", ini, *args)
    return begin_second


def test_a_live_socket_is_not_stolen(app, second):
    run = begin(app)
    other = second(run, "--control", "/run/lastcall.sock")
    out, err = other.communicate(timeout=BOUND)
    assert other.returncode == 125, err
    assert "/run/lastcall.sock" in err
    assert not events_of(out)
    assert run.status()["services"][0]["name"] == "a"
    assert run.stop() == 0


def test_a_lastcall_under_lastcall(app, conf, cfg_prog):
    """The inner one leaves the outer one's socket and options alone, and is stopped with its services."""
    inner = conf("[service in]\ncommand = @svc in", "inner.ini")
    run = app(f"""
        [service a]
        command = @L -c {inner}
        [service b]
        command = @svc b
    """, "--http", ":9180", env={"LASTCALL_GRACE": "8s"}).ready()
    run.wait_event("in start")
    assert [s["name"] for s in run.status()["services"]] == ["a", "b"]
    assert run.stop() == 0
    run.happened("in SIGNAL 15", "in end 0")
    assert "grace 10.0 s" in run.err


def test_a_stale_socket_is_replaced(app, workdir):
    path = workdir / "ctl"
    stale = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(workdir)
    try:
        stale.bind("ctl")
    finally:
        os.chdir(here)
    stale.close()
    assert path.exists()
    run = app(ONE, "--control", path)
    run.wait_event("a start")
    assert run.verb("status", "--control", path).code == 0
    assert run.stop() == 0


def test_a_file_that_is_no_socket_is_left_alone(app, workdir):
    path = workdir / "ctl"
    path.write_text("precious")
    run = app(ONE, "--control", path)
    assert run.wait() == 125
    assert path.read_text() == "precious" and str(path) in run.err
    assert not run.events()


def test_a_directory_that_is_not_there_is_125(app):
    run = app(ONE, "--control", "/nonexistent/ctl")
    assert run.wait() == 125
    assert "/nonexistent/ctl" in run.err and not run.events()


@pytest.mark.parametrize("options", [{"run": "missing"}, {"run": "missing", "ro_root": True}, {"uid": NOBODY},
                                     {"uid": NOBODY, "run": "missing", "drop_caps": True, "no_new_privs": True}],
                         ids=["no run", "read-only", "non-root", "restricted"])
def test_the_abstract_name(app, both, options):
    """Where /run cannot be used and there is no XDG_RUNTIME_DIR: the verbs still find it, in its namespaces."""
    run = app(ONE, report=False, mode=both, may_leave=True, **options)
    run.wait_event("a start")
    uid = options.get("uid")
    got = wait_for(lambda: (lambda r: r if r.code == 0 else None)(run.verb("status", "--json", uid=uid)))
    assert got.json()["services"][0]["name"] == "a"
    assert "@" in read(f"/proc/{run.pid}/net/unix")
    assert run.verb("shutdown", uid=uid).code == 0
    assert run.wait() == 0


@pytest.mark.parametrize("uid", [None, NOBODY])
def test_xdg_runtime_dir(app, workdir, uid):
    """In place of a /run that cannot be written."""
    env = {"XDG_RUNTIME_DIR": str(workdir)}
    run = app(ONE, report=False, env=env, uid=uid, run="tmpfs" if uid else "missing")
    run.wait_event("a start")
    wait_for(lambda: list(workdir.glob("*lastcall*.sock*")) or list(workdir.glob("lastcall*")))
    assert run.verb("status", env=env, uid=uid).code == 0
    assert run.verb("shutdown", env=env, uid=uid).code == 0
    assert run.wait() == 0
    assert not list(workdir.glob("lastcall*"))


def test_off(app, both):
    run = app(ONE, "--control", "off", mode=both)
    run.wait_event("a start")
    assert not run.path("/run/lastcall.sock").exists()
    got = run.verb("status")
    assert got.code == 1 and len(got.err.strip().splitlines()) == 1
    assert run.stop() == 0


@pytest.mark.parametrize("how", ["option", "LASTCALL_CONTROL", "LASTCALL_SOCKET"])
def test_how_a_verb_finds_it(app, workdir, how):
    run = app(ONE, "--control", workdir / "ctl")
    run.wait_event("a start")
    args, env = (["--control", workdir / "ctl"], {}) if how == "option" else ([], {how: str(workdir / "ctl")})
    assert run.verb("status", *args, env=env).code == 0
    assert run.stop() == 0


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
        [service a]
        command = @svc a work=700
        [service b]
        command = @svc b
    """).ready()
    run.wait_event("a start")
    run.wait_event("b start")
    client = run.popen(run.box.binary, "restart", "a")
    run.wait_event("a SIGNAL 15")
    got = run.control("POST", "/restart/b")
    assert got.code in (409, 423, 503), got
    client.communicate(timeout=BOUND)
    run.wait_event("a start", 2)
    assert run.stop() == 0
    assert len(run.find("b start")) == 1


def test_a_stop_takes_over_from_an_errand(app, both):
    run = app("""
        [lastcall]
        grace = 4s
        [service a]
        command = @svc a work=600
        [service b]
        command = @svc b
    """, mode=both, may_leave=True).ready()
    run.wait_event("a start")
    client = run.popen(run.box.binary, "restart", "a")
    run.wait_event("a SIGNAL 15")
    begun = time.monotonic()
    assert run.stop() == 0
    assert run.exited_at - begun < 4
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


# ---- net ----

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
            except (OSError, IndexError):
                pass

    def end(self):
        self.over.set()
        self.thread.join()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGSEGV])
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
    assert run.exited_at - begun < 4


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
    run = begin(app, mode=both)
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
