"""docker run --init, where the daemon's --init-path is lastcall: it does what Debian's docker-init does."""
import subprocess

import pytest

from engine import wait_for, wait_for_text
from test_signals import send_all

# tini hands on no signal of a fault, and no TTIN and TTOU. A first process that has no handler survives them.
LEFT_OUT = [4, 5, 6, 7, 8, 11, 17, 21, 22, 31]


@pytest.fixture(params=["lastcall", "docker-init"])
def either(request, run, tree):
    """either(argument...): run --init, once under each of the two."""
    engine = request.getfixturevalue("engine" if request.param == "lastcall" else "peer")
    engine.build(tree, "-t", "bar")

    def begin(*args):
        return run("--init", "--entrypoint", "", *args, on=engine)
    return begin


def test_the_daemon_takes_it_for_tini(engine, base):
    version = subprocess.run([base / "docker-init", "--version"], capture_output=True, text=True)
    assert version.returncode == 0
    assert version.stdout.startswith("tini version ")
    # When it is asked for itself, dockerd asks its init; it logs what it cannot read.
    assert engine.docker("info", "--format", "{{.InitBinary}}").stdout.strip() == str(base / "docker-init")
    assert "docker-init version" not in engine.log.read_text()


def test_it_is_lastcall(docker, image):
    done = docker("run", "--rm", "--init", "--entrypoint", "", image, "sh", "-c",
                  "cat /proc/1/comm; cmp /sbin/docker-init /bin/lastcall && echo same")
    assert done.stdout == "docker-init\nsame\n"


@pytest.mark.parametrize("command, out, code", [
    (["echo", "a b", "-s"], "a b -s\n", 0),
    (["sh", "-c", "exit 7"], "", 7),
    (["sh", "-c", "kill -KILL $$"], "", 137),
    (["status"], "", 127),
    (["/bin"], "", 126),
])
def test_any_command(either, command, out, code):
    c = either("bar", *command)
    assert (c.wait(), c.out) == (code, out)
    assert (c.err == "") == (code not in (126, 127))


def test_the_stop_arrives(either, workdir):
    c = either("-v", f"{workdir}:/w", "bar", "prog", "slow", "100", "/w/log")
    wait_for_text(workdir / "log", "^ready")
    c.stop()
    assert c.wait() == 0
    assert "done" in (workdir / "log").read_text()


def test_every_signal(either, workdir):
    """The same ones arrive under both."""
    c = either("-v", f"{workdir}:/w", "bar", "prog", "record", "/w/log")
    send_all(c, workdir / "log", but=LEFT_OUT)
    assert c.inspect(".State.Running") == "true"


def test_orphans_are_collected(either):
    c = either("bar", "sh", "-c", "prog orphans 50 0; echo made; exec sleep 1000")
    wait_for(lambda: c.out == "made\n")
    wait_for(lambda: len(c.ps()) == 2, what=c.ps)
    c.stop()
    assert c.wait() == 143


def test_an_image_that_has_lastcall_already(docker, image):
    """Then it is not the first process, and works all the same, without a word."""
    done = docker("run", "--rm", "--init", image, "sh", "-c", "echo hello")
    assert (done.stdout, done.stderr) == ("hello\n", "")
