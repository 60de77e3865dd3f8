"""What the tests of the personalities share: lastcall under another init's name, and that init itself beside it.

    init = inits("tini", "/usr/bin/tini", "/usr/bin/tini-static")      # once in a test file: makes the fixture

    def test_something(init, both):
        run = init("-g", "--", "true", mode=both)       # lc.Lastcall of a link of that name in the workdir
        assert init.end("--", "true").code == 0         # the same, and waits for its end

Debian's own programs are the judges of these tests. LASTCALL_PEERS=1 runs each test on them too, LASTCALL_PEERS=only on
nothing else. Every test must pass there, with two exceptions, which must fail there:

    @pytest.mark.defect(N)      it has the N-th of the defects that lastcall does not share:
                                1 SIGCHLD inherited as ignored: it never ends   2 an early signal is lost
                                3 clean-up is cut short                         4 what ignores TERM is left alone
                                5 TERM inherited as ignored: children stay so   6 it wakes once a second
    @pytest.mark.newer          only later versions than Debian 12 has do this
"""
import os
import re
import signal                                           # noqa: F401  (for the tests)
import time

import pytest

from lc import (BOUND, LATE, Failed, alive, proc_status, process, read, recorded, recorded_signals,      # noqa: F401
                signals_of, wait_for, wait_for_text)
from terminal import tty_line                                                                            # noqa: F401

PEERS = os.environ.get("LASTCALL_PEERS", "")
FAULTS = {signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV, signal.SIGSYS}
JOB = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
# What can be forwarded at all. 32 and 33 are kept by the C library of the real ones.
SENDABLE = set(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, 32, 33}
LAST = 64               # of the signals that wait, the kernel delivers the one with this number last
CODES = [0, 1, 2, 32, 64, 127, 254, 255]
DEADLY = [1, 2, 3, 6, 9, 10, 11, 15, 31, 34, 64]
EXECS = {               # what cannot be run, and what the system says about it
    "/nonexistent": "No such file or directory", "no-such-command": "No such file or directory",
    "": "No such file or directory",
    "/etc": "Permission denied", "/etc/passwd": "Permission denied",
}


class Init:
    """One init under test. real: it is Debian's own."""

    def __init__(self, start, workdir, name, target, real):
        self._start, self._workdir, self._target = start, workdir, target
        self.name, self.real = name, real

    def __call__(self, *args, name=None, **options):
        link = self._workdir / (name or self.name)
        if not link.is_symlink():
            link.symlink_to(self._target)
        options.setdefault("may_leave", self.real)
        return self._start(*args, binary=link, **options)

    def end(self, *args, **options):
        """Runs it to its end."""
        run = self(*args, **options)
        run.wait()
        return run


def inits(name, *debian):
    """The fixture `init` of a test file."""
    ours = [] if PEERS == "only" else ["lastcall"]

    @pytest.fixture(params=ours + (list(debian) if PEERS else []), ids=os.path.basename)
    def init(request, start, workdir, programs):
        real = request.param != "lastcall"
        for mark in ("defect", "newer"):
            if real and request.node.get_closest_marker(mark):
                request.applymarker(pytest.mark.xfail(reason=f"Debian's: {mark}", strict=True, raises=AssertionError))
        return Init(start, workdir, name, request.param if real else programs.lastcall, real)

    return init


def ordered(text, *patterns):
    """The patterns are found in this order, each on a line of its own."""
    at = 0
    for pattern in patterns:
        found = re.compile(f"^.*(?:{pattern}).*$", re.M).search(text, at)
        assert found, f"no {pattern!r} after {text[:at]!r} in {text!r}"
        at = found.end()
    return True


# ---- what the child finds ----

class Child:
    """A command that shows itself: pid (inside), ppid, pgrp, session; status("SigBlk")."""

    def __init__(self, run, out):
        stat, self._status = out.split("\n", 1)
        fields = stat.rsplit(")", 1)[1].split()
        self.pid, self.run = int(stat.split()[0]), run
        self.ppid, self.pgrp, self.session = map(int, fields[1:4])

    def status(self, key):
        return re.search(rf"^{key}:\s*(.*)$", self._status, re.M)[1]

    def signals(self, key):
        """The numbers in SigBlk, SigIgn or SigCgt, without the two that libc keeps."""
        return signals_of(self.status(key)) - {32, 33}


@pytest.fixture
def child(init):
    """child(*options): what the command finds when it runs."""
    def look(*options, **more):
        run = init.end(*options, "--", "cat", "/proc/self/stat", "/proc/self/status", **more)
        assert run.code == 0, run.describe()
        return Child(run, run.out)
    return look


def at(terminal):
    """The options that make the terminal the controlling one, and all standard descriptors."""
    return {"stdin": terminal.slave, "stdout": terminal.slave, "stderr": terminal.slave, "ctty": True}


# ---- what it forwards ----

@pytest.fixture
def pair(init, workdir, programs):
    """pair(*options): two recorders, the child and another one in its group; the child exits 0 on USR1."""
    def begin(*options, **more):
        main, other = workdir / "main", workdir / "other"
        run = init(*options, "--", "sh", "-c", f"{programs.prog} record {other} 10:0 & "
                   f"exec {programs.prog} record {main} 10:0", **{"may_leave": True, **more})
        wait_for_text(main, "ready")
        wait_for_text(other, "ready")
        return run, main, other
    return begin


def wait_signal(path, sig):
    wait_for(lambda: sig in recorded_signals(path), what=lambda: f"{path} has {recorded_signals(path)}, no {sig}")


def send_each(run, signals, *logs):
    """Sends the signals one by one, each when the logs have got the one before."""
    for sig in signals:
        run.signal(sig)
        for log in logs:
            wait_signal(log, sig)


def send_in_vain(run, signals, log):
    """Sends signals that are not forwarded, then one that is: the log has got that one alone."""
    for sig in signals:
        run.signal(sig)
    run.signal(LAST)
    wait_signal(log, LAST)
    assert recorded_signals(log) == [LAST]


# ---- the defects ----

def lose_no_early_signal(init, *options, runs=300, **more):
    """A TERM sent as soon as there is a child ends it, every time."""
    for _ in range(runs):
        run = init(*options, "--", "sleep", "1000", kill_when_child=signal.SIGTERM, **more)
        assert run.wait() == 143
        run.kill()


def finish_what_is_left(init, workdir, programs, *options, **more):
    """The child ends at once on TERM; a worker of its group and one in a session of its own need a while."""
    near, far, main = workdir / "near", workdir / "far", workdir / "main"
    run = init(*options, "--", "sh", "-c", f"{programs.prog} slow 400 {near} & setsid {programs.prog} slow 300 {far} & "
               f"exec {programs.prog} obey {main}", **more)
    for log in (near, far, main):
        wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143
    assert "done" in read(near) and "done" in read(far), run.describe()


def end_what_ignores_everything(init, workdir, programs, *options, **more):
    """The child ends; what is left gets TERM and CONT, and 2 s later KILL; only then the init exits."""
    log, main = workdir / "log", workdir / "main"
    run = init(*options, "--", "sh", "-c", f"setsid {programs.prog} record {log} & "
               f"exec {programs.prog} record {main} 10:5", **more)
    wait_for_text(log, "ready")
    wait_for_text(main, "ready")
    began = time.monotonic()
    run.signal(signal.SIGUSR1)
    assert run.wait() == 5
    assert recorded_signals(log) == [15, 18]
    assert not run.left
    assert 1.8 < run.exited_at - began < 2 + 2 * LATE
    assert run.err == ""


def obey_a_grace(init, workdir, programs, *options, **more):
    """lastcall's own variable: the child ignores TERM, and all is over in that time."""
    log = workdir / "log"
    run = init(*options, "--", programs.prog, "deaf", log, env={"LASTCALL_GRACE": "1s"}, **more)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    began = time.monotonic()
    assert run.wait(4 if init.real else BOUND) == 137
    assert run.exited_at - began < 1 + LATE


def exit_at_once_where_orphans_go_elsewhere(init, workdir, programs, *options, gets):
    """The child ends; what it leaves in its group gets these signals and lives on under the shell around."""
    log = workdir / "log"
    around = ["/bin/sh", "-c", f'"$@"; code=$?; kill -{LAST} $(cat {workdir}/pid); '
              f'until grep -q "^{LAST} " {log}; do sleep 0.01; done; exit $code', "sh"]
    command = (f"{programs.prog} record {log} {LAST}:0 & echo $! >{workdir}/pid; "
               f"until test -s {log}; do sleep 0.01; done; exit 4")
    run = init(*options, "--", "sh", "-c", command, mode="sub", before=around, may_leave=True)
    assert run.wait() == 4
    assert recorded_signals(log) == gets + [LAST]


def wake_ups(run, seconds):
    """How often it ran in so many seconds with nothing to do."""
    def count():
        return sum(int(proc_status(run.pid, f"{kind}voluntary_ctxt_switches")) for kind in ("", "non"))
    time.sleep(0.3)
    before = count()
    time.sleep(seconds)
    return count() - before
