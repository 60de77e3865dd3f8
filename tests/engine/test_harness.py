"""The daemon of these tests: what it leaves behind, and what it says where it cannot start."""
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import engine as harness
from engine import Engine, NoEngine, cgroups, read, wait_for

OWNER = """
import sys, time
sys.path.insert(0, sys.argv[1])
import engine
base = engine.new_base()
try:
    with getattr(engine, sys.argv[3])(base / "engine", *sys.argv[4:]) as e:
        c = e.docker("run", "-d", e.build(sys.argv[2]), "sleep", "1000").stdout.strip()
        print(base, e.namespace, e.cgroup, e.docker("inspect", "-f", "{{.State.Status}}", c).stdout, flush=True)
        time.sleep(1000)
finally:
    engine.shutil.rmtree(base)
"""

NAMES = ["docker*", "containerd*", "containers*", "libpod*", "cni*"]


def host():
    """What a daemon could leave on the machine."""
    files = {p for top in ("/opt", "/run", "/var/lib") for name in NAMES for p in Path(top).glob(name)}
    mounts = re.findall("^.*(?:docker|container|libpod|lastcall-engine).*$", read("/proc/self/mountinfo"), re.M)
    interfaces = [name for name in os.listdir("/sys/class/net") if re.match("docker|br-|veth|cni", name)]
    return files, mounts, interfaces, read("/proc/sys/net/ipv4/ip_forward"), read("/etc/docker/key.json")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("kind", [["Engine"], ["Podman", "/usr/libexec/podman/catatonit"]], ids=["docker", "podman"])
def test_nothing_is_left(end, kind, tree):
    before = host()
    owner = subprocess.Popen([sys.executable, "-c", OWNER, harness.HERE, tree, *kind], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
    try:
        base, namespace, cgroup, status = owner.stdout.readline().split()
        assert cgroups(cgroup) and status == "running"
        assert len([p for p in harness.all_pids() if harness._pid_namespace(p) == namespace]) >= 3
        owner.send_signal(end)
        owner.wait(harness.BOUND)
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()
    wait_for(lambda: not [p for p in harness.all_pids() if harness._pid_namespace(p) == namespace])
    if end == signal.SIGKILL:
        assert Path(base).exists()
        harness.remove_killed_runs()
    assert not Path(base).exists()
    assert not cgroups(Path(base).name)
    assert host() == before


def test_a_daemon_that_cannot_start_says_why(workdir):
    with pytest.raises(NoEngine, match="(?s)no dockerd can run here.*no-such-option"):
        Engine(workdir / "none", "--no-such-option").__enter__()
    assert not cgroups(workdir.name)
