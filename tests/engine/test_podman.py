"""podman: its `run --init` and its pods with lastcall in catatonit's place; the same tests with catatonit itself."""
import filecmp

import pytest

from engine import BINARY, Container, wait_for, wait_for_text
from test_init import LEFT_OUT
from test_signals import send_all
from test_stop import APP, report

RECORD = ["prog", "record", "/w/log"]


@pytest.fixture
def begin(run, podman, workdir):
    """begin(argument...): podman run -d with these."""
    return lambda *args: run("-v", f"{workdir}:/w", *args, on=podman)


@pytest.fixture
def init(begin):
    """init(argument...): the same with --init, and without an entry point."""
    return lambda *args: begin("--init", "--entrypoint", "", *args)


@pytest.fixture
def ours(request):
    """Whether it is lastcall that plays catatonit."""
    return "[lastcall" in request.node.name


def test_who_is_the_init(init, ours):
    c = init("bar", "sleep", "1000")
    assert c.exec("cat", "/proc/1/comm").stdout == "podman-init\n"
    assert (c.exec("cmp", "/run/podman-init", "/bin/lastcall", check=False).returncode == 0) == ours


@pytest.mark.parametrize("command, out, code", [
    (["echo", "a b", "-P"], "a b -P\n", 0),
    (["sh", "-c", "exit 7"], "", 7),
    (["sh", "-c", "kill -KILL $$"], "", 137),
    (["/no/such"], "", 1),
])
def test_any_command(init, command, out, code):
    c = init("bar", *command)
    assert (c.wait(), c.out) == (code, out)
    assert (c.err == "") == (command != ["/no/such"])


@pytest.mark.parametrize("options, number", [([], 15), (["--stop-signal", "SIGRTMIN+3"], 37)])
def test_the_stop_arrives(init, workdir, options, number):
    c = init(*options, "bar", *RECORD, f"{number}:5")
    wait_for_text(workdir / "log", "^ready")
    c.stop()
    assert c.wait() == 5
    assert (workdir / "log").read_text().split("\n")[1:] == [f"{number} 1", ""]


def test_who_does_not_listen_is_killed(init, workdir):
    c = init("bar", "prog", "deaf", "/w/log")
    wait_for_text(workdir / "log", "^ready")
    c.stop(1)
    assert c.wait() == 137


def test_every_signal(init, workdir):
    c = init("bar", *RECORD)
    send_all(c, workdir / "log", but=[*LEFT_OUT, 20])
    assert c.inspect(".State.Running") == "true"


@pytest.mark.parametrize("options, signal", [([], "SIGTERM"), (["--systemd", "always"], "SIGRTMIN+3")])
def test_lastcall_as_the_entry_point(begin, workdir, options, signal):
    """podman stops what it takes for systemd with RTMIN+3."""
    (workdir / "app.ini").write_text(APP.format(deaf="obey", limit="1s"))
    (workdir / "message").touch()
    c = begin("-v", f"{workdir}/message:/dev/termination-log", *options, "--entrypoint", "lastcall", "bar", "-c",
              "/w/app.ini")
    wait_for_text(workdir / "log", "^ready")
    c.stop()
    assert c.wait() == 0
    told = report(workdir)
    assert (told["verdict"], told["cause"], told["exit"]) == ("clean", signal, 0)


def test_a_pod(podman, begin, workdir, ours):
    """Its first container is the init and nothing else; it collects what the others leave, and outlives them."""
    podman.docker("pod", "create", *podman.group, "--name", "pod", "--share", "pid,ipc,uts")
    try:
        c = begin("--pod", "pod", "--entrypoint", "", "bar", "sh", "-c",
                  "prog orphans 50 0; prog escape prog slow 0 /w/away; exec prog record /w/log 15:5")
        wait_for_text(workdir / "away", "^ready")
        wait_for_text(workdir / "log", "^ready")
        shown = podman.docker("pod", "inspect", "--format", "{{.InfraContainerID}}", "pod").stdout
        infra = Container(podman, shown.strip())
        podman.docker("cp", f"{infra.id}:/catatonit", workdir / "first")
        assert filecmp.cmp(workdir / "first", BINARY, False) == ours
        assert c.ps()[0] == (1, 0, "/catatonit -P")
        wait_for(lambda: len(c.ps()) == 3, what=c.ps)
        assert next(ppid for _, ppid, line in c.ps() if "away" in line) == 1
        c.stop()
        assert c.wait() == 5
        assert infra.inspect(".State.Running") == "true"
        infra.stop()
        assert infra.wait() == 0
    finally:
        podman.docker("pod", "rm", "-f", "pod")
