"""docker stop: the signal arrives, and the report stands in the termination log."""
import json

import pytest

from engine import wait_for, wait_for_text

APP = """
[lastcall]
grace = 30s
[service app]
command = prog record /w/log 15:0
main    = yes
[service deaf]
command      = prog {deaf}
stop-timeout = {limit}
[drain leave]
command = touch /w/left
timeout = 10s
"""
SIGNALS = [("SIGTERM", 15), ("SIGQUIT", 3), ("SIGRTMIN+3", 37)]


@pytest.fixture
def application(run, image, workdir):
    """application(option...): a container with APP, its termination log being workdir/message."""
    def begin(*options, deaf="obey", limit="1s"):
        (workdir / "app.ini").write_text(APP.format(deaf=deaf, limit=limit))
        (workdir / "message").touch()
        c = run("-v", f"{workdir}:/w", "-v", f"{workdir}/message:/dev/termination-log", *options,
                "--entrypoint", "lastcall", image, "-c", "/w/app.ini")
        wait_for_text(workdir / "log", "^ready")
        return c
    return begin


def report(workdir):
    return json.loads((workdir / "message").read_text())


def steps(report):
    return {s["name"]: s["state"] for s in report["steps"]}


@pytest.mark.parametrize("entrypoint, code", [("", 137), ("tini --", 143), ("lastcall --", 143)])
def test_what_a_stop_is_without(run, build, entrypoint, code):
    """The first row is why an init is needed, and shows that a code of 137 would be seen."""
    c = run(build(f"ENTRYPOINT {json.dumps(entrypoint.split())}"), "sleep", "1000")
    c.stop(2)
    assert c.wait() == code


@pytest.mark.parametrize("name, number", SIGNALS)
def test_the_signal_of_the_image(run, build, workdir, name, number):
    c = run("-v", f"{workdir}:/w", build(f"STOPSIGNAL {name}"), "prog", "record", "/w/log", f"{number}:5")
    wait_for_text(workdir / "log", "^ready")
    c.stop()
    assert c.wait() == 5
    assert (workdir / "log").read_text().split("\n")[1:] == [f"{number} 1", ""]


@pytest.mark.parametrize("name, number", SIGNALS)
def test_a_stop_by_each_signal(application, workdir, name, number):
    c = application("--stop-signal", name)
    c.stop()
    assert c.wait() == 0
    assert f"lastcall: {name.removesuffix('+3')}" in c.err and "lastcall: CLEAN in " in c.err
    told = report(workdir)
    assert (told["verdict"], told["cause"], told["exit"]) == ("clean", name, 0)
    assert (told["grace_ms"], told["host"], told["killed"]) == (30000, c.id[:12], [])
    assert steps(told) == {"announce": "done", "leave": "done", "app": "done", "deaf": "done", "sweep": "done"}
    assert (workdir / "left").exists()
    assert (workdir / "log").read_text().split("\n")[1:] == ["15 1", ""]


def test_a_report_of_one_command(run, image, workdir):
    (workdir / "message").touch()
    c = run("-v", f"{workdir}/message:/dev/termination-log", "-e", "LASTCALL_GRACE=30s", image, "sleep", "1000")
    wait_for(lambda: any(row[2] == "sleep 1000" for row in c.ps()))
    c.stop()
    assert c.wait() == 143
    told = report(workdir)
    assert (told["verdict"], told["cause"], told["exit"]) == ("clean", "SIGTERM", 143)


def test_who_does_not_listen_is_killed_and_named(application, workdir):
    c = application(deaf="deaf /w/deaf")
    wait_for_text(workdir / "deaf", "ready")
    c.stop()
    assert c.wait() == 124
    told = report(workdir)
    assert (told["verdict"], told["exit"]) == ("forced", 124)
    assert [(k["service"], k["comm"]) for k in told["killed"]] == [("deaf", "prog")]


def test_the_report_is_there_when_docker_kills(application, workdir):
    c = application(deaf="deaf", limit="25s")
    c.stop(1)
    assert c.wait() == 137
    told = report(workdir)
    assert (told["verdict"], told["cause"]) == ("interrupted", "SIGTERM")
    assert len((workdir / "message").read_text()) <= 4096
    assert steps(told)["leave"] == "done"


def test_a_container_that_was_killed_starts_again(application, workdir):
    """Its file system stays, with the control socket of the one before."""
    c = application()
    wait_for(lambda: c.exec("lastcall", "probe", "ready", check=False).returncode == 0)
    c.signal("KILL")
    assert c.wait() == 137
    c.docker("start")
    wait_for(lambda: c.exec("lastcall", "probe", "ready", check=False).returncode == 0)
    c.stop()
    assert c.wait() == 0
    assert report(workdir)["verdict"] == "clean"
