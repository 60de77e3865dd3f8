"""The control socket: where it is, who may use it, and what is refused."""
import os
import socket
import stat

import pytest

from cfg import *
from lc import read, wait_for

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
