"""What the tests of the personalities share: lastcall under another init's name, and that init itself beside it.

    init = inits("tini")                                # once in a test file: makes the fixture

    def test_something(init, both):
        run = init("-g", "--", "true", mode=both)       # lc.Lastcall of a link of that name in the workdir
        assert init.end("--", "true").code == 0         # the same, and waits for its end

test_peers.py has what several of them do: there a test names the calls that it is about.

    @each("tini -s", "TINI_SUBREAPER= tini", ("catatonit -g", defect(2)))
    def test_something(init, both):
        run = init("--", "true", mode=both)             # these options and variables stand before

Debian's own programs are the judges of these tests. LASTCALL_PEERS=1 runs each test on them too, LASTCALL_PEERS=only on
nothing else. Every test must pass there, with two exceptions, which must fail there:

    @pytest.mark.defect(N)      it has the N-th of the defects that lastcall does not share:
                                1 SIGCHLD inherited as ignored: it never ends   2 an early signal is lost
                                3 clean-up is cut short                         4 what ignores TERM is left alone
                                5 TERM inherited as ignored: children stay so   6 it wakes once a second
    @pytest.mark.newer          only later versions than Debian 12 has do this

In each() such a mark may stand beside one call.
"""
import os
import re
import signal                                           # noqa: F401  (for the tests)
import time

import pytest

from lc import (BOUND, LATE, SANITIZED, Failed, alive, proc_status, process, read, recorded,      # noqa: F401
                recorded_signals, signals_of, wait_for, wait_for_rest, wait_for_text)
from terminal import tty_line                                                                            # noqa: F401

PEERS = os.environ.get("LASTCALL_PEERS", "")
FAULTS = {signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV, signal.SIGSYS}
JOB = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
# What can be forwarded at all. 32 and 33 are kept by the C library of the real ones.
SENDABLE = set(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, 32, 33}
FORWARDED = {"tini": SENDABLE - FAULTS - {signal.SIGTTIN, signal.SIGTTOU}, "dumb-init": SENDABLE - JOB,
             "catatonit": SENDABLE - FAULTS - JOB}
LAST = 64               # of the signals that wait, the kernel delivers the one with this number last
EXECS = {               # what cannot be run, and what the system says about it
    "/nonexistent": "No such file or directory", "no-such-command": "No such file or directory",
    "": "No such file or directory",
    "/etc": "Permission denied", "/etc/passwd": "Permission denied",
}


DEBIAN = {
    "tini": ["/usr/bin/tini", "/usr/bin/tini-static"], "dumb-init": ["/usr/bin/dumb-init"],
    "catatonit": ["/usr/bin/catatonit"],
}
defect = pytest.mark.defect


class Init:
    """One init under test. real: it is Debian's own; options and env: what stands before, whatever it runs."""

    def __init__(self, start, workdir, name, target, options=(), env=()):
        self._start, self._workdir, self._target = start, workdir, target
        self.name, self.real = name, target in DEBIAN[name]
        self.options, self.env = options, dict(env)

    def __call__(self, *args, name=None, env=(), **options):
        link = self._workdir / (name or self.name)
        if not link.is_symlink():
            link.symlink_to(self._target)
        options.setdefault("may_leave", self.real)
        return self._start(*self.options, *args, binary=link, env={**self.env, **dict(env)}, **options)

    def end(self, *args, **options):
        """Runs it to its end."""
        run = self(*args, **options)
        run.wait()
        return run


def _binaries(name):
    return ([] if PEERS == "only" else ["lastcall"]) + (DEBIAN[name] if PEERS else [])


def _begin(request, start, workdir, programs, name, binary, *more):
    for mark in ("defect", "newer"):
        if binary != "lastcall" and request.node.get_closest_marker(mark):
            request.applymarker(pytest.mark.xfail(reason=f"Debian's: {mark}", strict=True, raises=AssertionError))
    return Init(start, workdir, name, programs.lastcall if binary == "lastcall" else binary, *more)


def inits(name):
    """The fixture `init` of a test file about one of them."""
    @pytest.fixture(params=_binaries(name), ids=os.path.basename)
    def init(request, start, workdir, programs):
        return _begin(request, start, workdir, programs, name, request.param)

    return init


@pytest.fixture
def init(request, start, workdir, programs):
    """For each()."""
    return _begin(request, start, workdir, programs, *request.param)


def each(*calls):
    """Parametrizes a test over calls, as a shell has them; one that is a pair has a mark as well."""
    params = []
    for call, *marks in (call if isinstance(call, tuple) else (call,) for call in calls):
        words = call.split()
        env = [word.split("=", 1) for word in words if "=" in word]
        name, *options = words[len(env):]
        params += [pytest.param((name, binary, options, env), marks=marks, id=f"{os.path.basename(binary)} as {call}")
                   for binary in _binaries(name)]
    return pytest.mark.parametrize("init", params, indirect=True)


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
    before = wait_for_rest(count, 0.3)      # what it had to do has been done
    time.sleep(seconds)
    return count() - before
