"""Fixtures of the system tests; the harness itself, with its documentation, is lc.py."""
import faulthandler
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import types
import uuid
from pathlib import Path

import pytest

import lc
from terminal import Terminal

LIMIT = 60


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(seconds): the hard time limit of this test")
    config.addinivalue_line("markers", "defect(number): the init that lastcall stands in for has this one (peers.py)")
    config.addinivalue_line("markers", "newer: Debian's version does not have this yet (peers.py)")


@pytest.fixture(scope="session")
def programs():
    """The binaries that tests use: lastcall (a copy: a build under way must not change it), box, prog."""
    if os.geteuid() != 0:
        pytest.exit("the system tests make namespaces: run them as root", 2)
    if not lc.BINARY.exists():
        pytest.exit(f"no {lc.BINARY}: run make, or set LASTCALL_BIN", 2)
    # Not pytest's own directory: that one is closed to other users, and its paths are too long for sockets.
    base = Path(tempfile.mkdtemp(prefix="lc"))
    base.chmod(0o755)
    tools = types.SimpleNamespace(base=base, lastcall=base / "lastcall", box=base / "box", prog=base / "prog",
                                  newroot=base / "root")
    tools.newroot.mkdir()
    shutil.copy(lc.BINARY, tools.lastcall)
    tools.lastcall.chmod(0o755)
    for name in ("box", "prog"):
        lc.compiled(base, name)
    yield tools
    shutil.rmtree(base)


@pytest.fixture
def workdir(programs):
    path = Path(tempfile.mkdtemp(dir=programs.base, prefix="t"))
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path)


@pytest.fixture(params=["pid1", "sub"])
def both(request):
    return request.param


class OutOfTime(BaseException):
    """The test's hard limit; no assertion's handler may swallow it."""


@pytest.fixture(autouse=True)
def hard_limit(request):
    mark = request.node.get_closest_marker("limit")
    seconds = mark.args[0] if mark else LIMIT
    in_main = threading.current_thread() is threading.main_thread()

    def expire(_sig, _frame):
        raise OutOfTime(f"the test took more than {seconds} s")

    if in_main:
        before = signal.signal(signal.SIGALRM, expire)
        signal.alarm(seconds)
    faulthandler.dump_traceback_later(seconds + 60, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()
    if in_main:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def own_uid(registry):
    """A user that no other test is: limits on processes count for each user."""
    return 1 << 28 | int(registry.test_id[:6], 16)


@pytest.fixture
def registry(hard_limit, programs, workdir):
    """Everything that this test started. Its teardown is the check that nothing is left."""
    reg = types.SimpleNamespace(test_id=uuid.uuid4().hex, runs=[], popens=[])
    yield reg
    wrong = []
    for run in reg.runs:
        if not run.running and run.code is not None:
            if run.left and not run.may_leave:
                wrong.append(f"left behind by lastcall: {run.left}")
            if run.signaled in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGSYS,
                                signal.SIGFPE) and not run.may_crash:
                wrong.append(f"lastcall died of signal {run.signaled}")
        inside = [p.pid for p in run.processes()] if run.pid1 and run.running else []
        run.kill()
        reg.popens += run.box.children
        # Not "none has that namespace": the next test's may have got its number.
        lc.wait_for(lambda: not [p for p in inside if lc._pid_namespace(p) == run._ns],
                    what="the end of the pid namespace")
        for stream in run._streams.values():
            stream.ended.wait(1)
            if re.search("AddressSanitizer|LeakSanitizer|runtime error:", stream.text):
                wrong.append(f"a sanitizer complained: {stream.text}")
    for child in reg.popens:
        if child.poll() is None:
            child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe:
                pipe.close()
    # In mode host a run that was cut short may leave programs: those are the test's to end, by id.
    cut_short = any(r.box.mode == "host" and r.code is None for r in reg.runs)
    alive = [p for p in map(lc.process, lc.marked_pids(reg.test_id)) if p and p.state not in "ZX"]
    for p in alive:
        os.kill(p.pid, signal.SIGKILL)
    if alive and not cut_short:
        wrong.append(f"still alive: {alive}")
    mounts = [line for line in lc.read("/proc/self/mountinfo").splitlines() if str(workdir) in line]
    if mounts:
        wrong.append(f"mounts left: {mounts}")
    assert not wrong, "; ".join(wrong)


@pytest.fixture(autouse=True)
def nothing_left(registry):
    """After every test: no process and no mount of it is left."""
    yield


@pytest.fixture
def start(registry, programs, workdir):
    """start(*args, **options): runs lastcall; the options are those of lc.Box."""
    def begin(*args, **options):
        run = lc.Lastcall(lc.Box(registry.test_id, programs, workdir, args, **options))
        registry.runs.append(run)
        return run
    return begin


@pytest.fixture
def spawn(registry, workdir):
    """spawn(*argv): a process of the test's own, outside every namespace; a subprocess.Popen with text pipes."""
    def begin(*argv, **options):
        child = subprocess.Popen([str(a) for a in argv], cwd=workdir, env={**os.environ, lc.MARK: registry.test_id},
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 **options)
        registry.popens.append(child)
        return child
    return begin


@pytest.fixture
def terminal():
    t = Terminal()
    yield t
    t.close()


@pytest.fixture
def at_terminal(start, terminal):
    """start, with the terminal as standard descriptors and controlling terminal."""
    def begin(*args, **options):
        return start(*args, **{"stdin": terminal.slave, "stdout": terminal.slave, "stderr": terminal.slave,
                               "ctty": True, **options})
    return begin
