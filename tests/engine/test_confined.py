"""lastcall in containers that may do little, or hold little."""
import json
import re

import pytest

from engine import wait_for, wait_for_text

LOCKED = ["--read-only", "--user", "65534", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
APP = """
[lastcall]
grace = 30s
http  = 127.0.0.1:9180
[service app]
command = prog slow 50 /w/log
main    = yes
"""


def test_a_command_that_may_do_nothing(run, image, workdir):
    c = run(*LOCKED, "-v", f"{workdir}:/w", image, "sh", "-c",
            "prog escape prog slow 100 /w/away; exec prog slow 0 /w/log")
    wait_for_text(workdir / "away", "^ready")
    wait_for_text(workdir / "log", "^ready")
    status = c.exec("cat", "/proc/1/status").stdout
    assert re.findall(r"^(?:CapBnd|CapEff|NoNewPrivs|Seccomp|Uid):\s+(\w+)", status, re.M) == \
        ["65534", "0" * 16, "0" * 16, "1", "2"]
    c.stop()
    assert c.wait() == 0
    assert (workdir / "away").read_text().split("\n")[1].startswith("done")     # what it left heard of the stop, too
    assert c.docker("diff").stdout == ""


def test_services_that_may_do_nothing(run, image, workdir):
    (workdir / "app.ini").write_text(APP)
    (workdir / "message").touch(0o666)
    (workdir / "message").chmod(0o666)
    c = run(*LOCKED, "-v", f"{workdir}:/w", "-v", f"{workdir}/message:/dev/termination-log", "--entrypoint", "lastcall",
            image, "-c", "/w/app.ini")
    wait_for(lambda: c.exec("lastcall", "probe", "ready", check=False).returncode == 0)
    assert c.exec("lastcall", "probe", "http://127.0.0.1:9180/readyz").returncode == 0
    assert json.loads(c.exec("lastcall", "status", "--json").stdout)["ready"] is True
    # Another user may use the socket as little as the files.
    assert c.engine.docker("exec", "--user", "65533", c.id, "lastcall", "drain", check=False).returncode == 1
    wait_for_text(workdir / "log", "^ready")
    c.stop()
    assert c.wait() == 0
    assert json.loads((workdir / "message").read_text())["verdict"] == "clean"
    assert c.docker("diff").stdout == ""


def test_nothing_else_was_said(run, image):
    """No warning about what cannot be written."""
    c = run(*LOCKED, image, "true")
    assert c.wait() == 0
    assert (c.out, c.err) == ("", "")


@pytest.mark.parametrize("manners", ["", "trap \"\" TERM;"])
def test_a_fork_bomb_under_a_limit(run, image, workdir, manners):
    bomb = manners + "bomb() { bomb | bomb & }; while :; do bomb; sleep 0.1; done"
    c = run("--pids-limit", "40", "-v", f"{workdir}:/w", image, "sh", "-c",
            f"(while :; do setsid sh -c '{bomb}'; done 2>/w/bomb &) & exec prog record /w/log 15:3")
    wait_for_text(workdir / "bomb", "can't fork")
    wait_for_text(workdir / "log", "^ready")
    c.stop()
    assert c.wait() == 3


def test_orphans_never_fill_the_limit(run, image):
    """A thousand of them, one after the other, where thirty could wait to be reaped."""
    c = run("--pids-limit", "30", image, "sh", "-c",
            "i=0; while [ $i -lt 100 ]; do prog orphans 10 0 || exit 1; i=$((i + 1)); done; echo done")
    assert (c.wait(), c.out, c.err) == (0, "done\n", "")


def test_a_limit_that_leaves_no_room_for_the_command(docker, image):
    done = docker("run", "--rm", "--pids-limit", "1", image, "true", check=False)
    assert done.returncode == 125
    assert "lastcall: cannot fork" in done.stderr


@pytest.mark.parametrize("command, oom", [("exec tail /dev/zero", True), ("kill -KILL $$", False)])
def test_who_ended_it_is_told_from_the_memory_limit(run, image, command, oom):
    c = run("--memory", "24m", "--memory-swap", "24m", image, "sh", "-c", command)
    assert c.wait() == 137
    assert "ended by SIGKILL" in c.err
    assert ("by the kernel's OOM killer (" in c.err) == oom == (c.inspect(".State.OOMKilled") == "true")
