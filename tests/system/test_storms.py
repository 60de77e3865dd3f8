"""Storms: very many processes that end at once. Every one is reaped, each costs the same, nothing waits for the end.

The full sizes run each time: 100,000 orphans, 10,000 children of one service. Storms beside other tests are rough:
what is asserted of times is a share of the storm's own length, and of costs the CPU time of lastcall alone.
"""
import fcntl
import os
import re
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from cfg import *
from lc import LATE, SANITIZED, alive, compiled, read, recorded_signals, report, wait_for, wait_for_text

pytestmark = [pytest.mark.limit(180), pytest.mark.skipif(SANITIZED, reason="a sanitizer's processes are too heavy")]

MANY, BURST = 100_000, 2_000
PATIENCE = 150          # seconds that a storm may take on a busy machine
RTMIN_6 = 40            # above SIGCHLD, which the kernel hands out first


@pytest.fixture
def storm(programs):
    """The path of the compiled programs/storm.c."""
    return compiled(programs.base, "storm")


@pytest.fixture
def one_at_a_time():
    """Only one of the largest storms on a machine: there are no more pids than that, as a rule 32,768."""
    place = os.open("/tmp", os.O_RDONLY | os.O_CLOEXEC)
    fcntl.flock(place, fcntl.LOCK_EX)
    yield
    os.close(place)


def cpu_us(pid):
    """The CPU time that this process has used, in microseconds (its clock, as clock_getcpuclockid(3) names it)."""
    return time.clock_gettime_ns(~pid << 3 | 2) / 1000


def children(pid):
    return [int(word) for word in read(f"/proc/{pid}/task/{pid}/children").split()]


def only_these_are_left(run, *pids):
    """All others have been reaped: not even a zombie of them is left."""
    wait_for(lambda: set(children(run.pid)) <= set(pids), PATIENCE, lambda: f"{len(children(run.pid))} children left")


def begin(start, app, programs, workdir, configuration, first="", more="", **options):
    """A lastcall whose main program records its signals: as a command (after `first`, for a shell), or as a service
    with endpoints (and `more` in the file)."""
    log = workdir / "log"
    if configuration:
        run = app(f"""
            [lastcall]
            grace = 20s
            http = :9180
            [service web]
            command = {programs.prog} record {log} 10:0
            main = yes
            {more}
        """, **options).lc
    else:
        run = start("-g", "20s", "--", "sh", "-c", f"{first} exec {programs.prog} record {log} 10:0", **options)
    wait_for_text(log, "ready")
    if configuration:
        wait_for(lambda: run.http("GET", "/readyz").code == 200)
    return run


# ---- orphans ----

@pytest.mark.parametrize("configuration", [False, True], ids=["command", "configuration"])
def test_each_orphan_costs_the_same(one_at_a_time, start, app, programs, workdir, storm, configuration):
    """1,000 orphans or 100,000, a heap of 1,000 zombies or one of 5,000: the CPU time for one of them is the same.
    lastcall is held until all have ended: else it is the scheduler that says how many it finds at a time."""
    run = begin(start, app, programs, workdir, configuration)
    mine = set(children(run.pid))
    before_all = run.status().get("orphans_reaped", 0)

    def cost(heap):
        run.signal(signal.SIGSTOP)
        done = run.run(storm, "orphans", heap, heap, timeout=PATIENCE)
        assert done.code == 0, done
        wait_for(lambda: not any(alive(pid) for pid in set(children(run.pid)) - mine), PATIENCE)
        before = cpu_us(run.pid)
        run.signal(signal.SIGCONT)
        only_these_are_left(run, *mine)
        return (cpu_us(run.pid) - before) / heap

    few = min(cost(1_000) for _ in range(3))
    many = min(cost(5_000) for _ in range(MANY // 5_000))   # the least: a busy machine's caches are not ours
    if configuration:
        wait_for(lambda: run.status()["orphans_reaped"] - before_all == MANY + 3_000, what=run.status)
        assert run.http("GET", "/readyz").code == 200
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert many < 3 * max(few, 3), f"{few:.1f} us for one of 1,000, {many:.1f} us for one of {MANY}"


@pytest.mark.parametrize("sig", [signal.SIGHUP, RTMIN_6], ids=["below SIGCHLD", "above it"])
@pytest.mark.parametrize("configuration", [False, True], ids=["command", "configuration"])
def test_no_signal_waits_for_the_end_of_a_storm(start, app, programs, workdir, storm, both, configuration, sig):
    """They go out and arrive one after the other, while processes end all the time: it ends when they are there."""
    log, out, go, enough = (workdir / name for name in ("log", "out", "go", "enough"))
    storming = f"until test -e {go}; do sleep 0.05; done; exec {storm} orphans 1000000000 {BURST} {enough} > {out}"
    run = begin(start, app, programs, workdir, configuration, mode=both,
                first=f"{programs.prog} escape sh -c '{storming}';",
                more=f"[service storm]\n{' ' * 12}essential = no\n{' ' * 12}command = sh -c \"{storming}\"")
    go.touch()
    wait_for_text(out, "begin")
    for sent in range(10):
        run.signal(sig)
        wait_for(lambda: recorded_signals(log).count(sig) > sent, PATIENCE)
    enough.touch()
    wait_for_text(out, "end", PATIENCE)
    only_these_are_left(run, *(p.pid for p in run.programs() if p.argv[1:2] == ["record"]),
                        *(p.pid for p in run.helpers()))
    if configuration:
        made = int(read(out).split()[-1])
        wait_for(lambda: run.status()["orphans_reaped"] == made, what=run.status)
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


def slowly(trace="/dev/null"):
    """What stands before a lastcall that needs 300 us for each of its children."""
    return ["/usr/bin/strace", "-qq", "-o", trace, "-e", "signal=none", "-e", "trace=wait4,rt_sigtimedwait", "-e",
            "inject=wait4:delay_exit=300", "--"]


def test_sigchld_hides_no_signal(start, programs, workdir, storm):
    """The kernel hands out the lowest number first. Where children end faster than they can be reaped, there is always
    a SIGCHLD: the signals above it must have their turn all the same."""
    log, out, go = workdir / "log", workdir / "out", workdir / "go"
    run = start("--", "sh", "-c", f"{programs.prog} escape sh -c 'until test -e {go}; do sleep 0.05; done; "
                f"exec {storm} orphans 20000 10 > {out}'; exec {programs.prog} record {log} 10:0",
                mode="host", before=slowly())
    wait_for_text(log, "ready")
    [lastcall] = run.helpers()
    go.touch()
    wait_for_text(out, "begin")
    os.kill(lastcall.pid, RTMIN_6)
    wait_for(lambda: RTMIN_6 in recorded_signals(log), PATIENCE)
    assert "end" not in read(out), "it waited for the end of the storm"
    wait_for_text(out, "end", PATIENCE)
    os.kill(lastcall.pid, signal.SIGUSR1)
    assert run.wait(PATIENCE) == 0


def test_nobody_rests_while_zombies_are_there(start, programs, workdir, storm):
    """Looking in vain may take long and is done seldom then. Looks that each find one are not in vain."""
    heap, log, trace = workdir / "heap", workdir / "log", workdir / "trace"
    run = start("--", "sh", "-c", f"{programs.prog} escape {storm} zombies 1000 {heap}; "
                f"exec {programs.prog} record {log} 10:0", mode="host", before=slowly(trace))
    wait_for_text(log, "ready")
    wait_for_text(heap, "ready", PATIENCE)
    parent = int(read(heap).split()[1])
    zombies = children(parent)
    wait_for(lambda: not any(alive(pid) for pid in zombies), PATIENCE)
    os.kill(parent, signal.SIGKILL)
    [lastcall] = run.helpers()
    only_these_are_left(lastcall, *(p.pid for p in run.programs()))
    os.kill(lastcall.pid, signal.SIGUSR1)
    assert run.wait(PATIENCE) == 0
    calls = read(trace).splitlines()
    reaped = [i for i, call in enumerate(calls) if re.match(r"wait4\(.* = [1-9]", call)]
    assert len(reaped) > len(zombies) == 1000
    middle = calls[reaped[100]:reaped[900]]
    assert not [call for call in middle if call.startswith("rt_sig") and "tv_sec=0, tv_nsec=0}" not in call]


def test_zombies_while_a_drain_runs(app, programs, workdir, storm, both):
    """2,000 that their parent never reaps, 20,000 orphans that end meanwhile: the drain has its length, and all are
    reaped before the end."""
    heap, out = workdir / "heap", workdir / "out"
    run = app(f"""
        [lastcall]
        grace = 60s
        [service heap]
        command = {storm} zombies 2000 {heap}
        [drain d]
        command = sh -c "exec {storm} orphans 20000 {BURST} > {out}"
        timeout = 40s
        [drain e]
        command = @say e
        timeout = 4s
    """, mode=both).ready(PATIENCE)
    wait_for_text(heap, "ready", PATIENCE)
    drain = run.verb("drain", timeout=PATIENCE)
    assert drain.code == 0 and "end" in read(out), drain
    run.wait_event("e end", timeout=PATIENCE)
    wait_for(lambda: run.status()["orphans_reaped"] == 20_000, PATIENCE, run.status)
    assert run.status()["state"] == "drained"
    run.signal(SIGTERM)
    assert run.wait(PATIENCE) == 0
    assert run.report()["verdict"] == "clean", run.err


# ---- one service with very many children ----

def with_many(app, programs, workdir, storm, n, kind, *words, **options):
    """A service with so many children beside one that records its signals; and where that does so."""
    many, log = workdir / f"many{n}", workdir / f"log{n}"
    run = app(f"""
        [lastcall]
        grace = 20s
        [service web]
        command = {programs.prog} record {log} 10:0
        main = yes
        [service many]
        command = {storm} {kind} {n} {many}
        essential = no
        restart = no
        stop-timeout = 2s
    """, *words, **options)
    wait_for_text(many, "ready", PATIENCE)
    wait_for_text(log, "ready")
    return run, log


def stop_of_many(app, programs, workdir, storm, n, kind, mode="pid1"):
    """A service with so many children is stopped by hand, while another is sent signals; returns the CPU time of
    lastcall for each of the many."""
    run, log = with_many(app, programs, workdir, storm, n, kind, mode=mode)
    before, sent = cpu_us(run.pid), 0
    stop = run.popen(run.box.binary, "stop", "many")
    while stop.poll() is None:
        run.lc.signal(signal.SIGHUP)
        sent += 1
        wait_for(lambda: recorded_signals(log).count(signal.SIGHUP) == sent, PATIENCE)
    keep = [p.pid for p in run.programs() if p.argv[1:2] == ["record"]] + [p.pid for p in run.helpers()]
    only_these_are_left(run, *keep)
    cost = (cpu_us(run.pid) - before) / n
    wait_for(lambda: run.status()["orphans_reaped"] >= n, what=run.status)
    wait_for(lambda: run.service("many")["state"] in ("down", "failed"), what=run.status)
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    return cost


@pytest.mark.parametrize("kind", ["children", "deaf"])
def test_ten_thousand_children_of_one_service(one_at_a_time, app, programs, workdir, storm, both, kind):
    """They end with it. Each costs the same as one of 1,000 does."""
    few = stop_of_many(app, programs, workdir, storm, 1_000, kind, both)
    many = stop_of_many(app, programs, workdir, storm, 10_000, kind, both)
    assert many < 3 * max(few, 5), f"{few:.1f} us for one of 1,000, {many:.1f} us for one of 10,000"


WATCHED = 1024          # so many of a service's processes are followed when it is stopped; the group gets the rest


@pytest.mark.parametrize("kind", ["children", "deaf"])
def test_no_signal_waits_for_each_of_ten_thousand(one_at_a_time, app, programs, workdir, storm, kind):
    """What lastcall does between two looks at its signals has a bound, however many it stops. System calls are counted:
    times would tell of the scheduler, as all that end want a processor, too."""
    trace, control = workdir / "trace", workdir / "control"
    run, _ = with_many(app, programs, workdir, storm, 10_000, kind, "--control", control, mode="host",
                       before=["/usr/bin/strace", "-qq", "-y", "-s", "1", "-o", trace, "-e", "signal=none", "--"])
    assert run.verb("stop", "--control", control, "many", timeout=PATIENCE).code == 0
    [lastcall] = run.helpers()
    os.kill(lastcall.pid, signal.SIGUSR1)
    assert run.wait(PATIENCE) == 0
    between = re.split(r"^read\(\d+<anon_inode:\[signalfd\]>", read(trace), flags=re.MULTILINE)

    assert max(len(re.findall("^wait4", calls, re.MULTILINE)) for calls in between) <= 3 * 64
    assert max(calls.count("\n") for calls in between) < 64 * WATCHED
    lists = [Counter(re.findall(r"^read\(\d+<([^>]*/children)>", calls, re.MULTILINE)) for calls in between]
    assert max(map(len, lists)) >= WATCHED
    assert max(n for pages in lists for n in pages.values()) <= 32, "a list is read by the page, no further than need be"


# ---- fork bombs ----

LIMIT = 200


@pytest.fixture
def pids_cgroup(registry):
    """A cgroup of the test's own with room for LIMIT processes; None where none can be made."""
    name = f"lastcall-test-{registry.test_id}"
    roots = map(Path, ("/sys/fs/cgroup/pids", "/sys/fs/cgroup"))
    path = next((root / name for root in roots if (root / "cgroup.procs").exists()), None)
    try:
        path.mkdir()
        (path / "pids.max").write_text(str(LIMIT))
    except (AttributeError, OSError):       # no such controller, or not for us
        yield None
        if path and path.is_dir():
            path.rmdir()
        return
    yield path

    def gone():
        try:
            path.rmdir()
        except OSError:
            return False
        return True
    for run in registry.runs:
        run.kill()
    wait_for(gone, what=lambda: f"the end of all in {path}: {read(path / 'cgroup.procs')}")


@pytest.fixture
def limited_user(own_uid):
    """Options of start() that leave lastcall and its programs LIMIT processes, those of a user that nobody else is."""
    return {"uid": own_uid, "before": ["/usr/bin/prlimit", f"--nproc={LIMIT}", "--"]}


@pytest.fixture
def limited(pids_cgroup, limited_user):
    """The same by a cgroup of ours, where there can be one."""
    if pids_cgroup is None:
        return limited_user
    return {"before": ["/bin/sh", "-c", f"echo 0 > {pids_cgroup}/cgroup.procs; exec \"$@\"", "sh"]}


def stop_the_bomb(run):
    """lastcall goes on while all processes are taken, and is out within the grace with all of them."""
    wait_for(lambda: len(run.processes()) >= LIMIT, PATIENCE, lambda: f"{len(run.processes())} processes")
    sent = time.monotonic()
    run.signal(signal.SIGTERM)
    code = run.wait(PATIENCE)
    assert run.exited_at - sent < 10 + LATE, run.err
    return code


@pytest.mark.parametrize("kind", ["p", "ad"], ids=["in the group", "deaf and away"])
class TestForkBombs:
    def test_of_a_command(self, start, workdir, storm, both, limited, kind):
        run = start("-g", "10s", "--reserve", "8s", "--", storm, "bomb", kind, workdir / "boom", mode=both, **limited)
        assert stop_the_bomb(run) == (143 if kind == "p" else 137), run.err

    def test_of_a_service(self, app, workdir, storm, both, limited, kind):
        run = app(f"""
            [lastcall]
            grace = 10s
            http = :9180
            [service bomb]
            command = {storm} bomb {kind} {workdir / "boom"}
            stop-timeout = {5 if kind == "p" else 1}s
        """, mode=both, **limited).lc
        wait_for(lambda: run.http("GET", "/livez").code == 200)
        assert stop_the_bomb(run) == (0 if kind == "p" else 124), run.err

    def test_of_an_orphan(self, start, workdir, programs, storm, both, limited, kind):
        """Nobody's job: the sweep finds it."""
        run = start("-g", "10s", "--reserve", "5s", "--", "sh", "-c", f"{programs.prog} escape {storm} bomb {kind} "
                    f"{workdir}/boom; exec {programs.prog} obey {workdir}/main", mode=both, **limited)
        wait_for_text(workdir / "main", "ready")
        assert stop_the_bomb(run) == 143, run.err

    def test_of_a_user(self, start, workdir, storm, both, limited_user, kind):
        run = start("-g", "10s", "--reserve", "8s", "--", storm, "bomb", kind, workdir / "boom", mode=both,
                    **limited_user)
        assert stop_the_bomb(run) == (143 if kind == "p" else 137), run.err
