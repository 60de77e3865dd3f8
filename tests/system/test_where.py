"""Where lastcall runs: poor, strange and shared surroundings, each with a lone command and with a configuration that
has endpoints, checks, drain steps and restarts. What the two test_..._surroundings.py have is not repeated here."""
import itertools
import os
import re
import signal
import time

import pytest

from cfg import *
from lc import BOUND, SANITIZED, all_pids, compiled, process, read, recorded_signals, report, wait_for, wait_for_text

pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more of the world than lastcall does")

STREAMS = ("stdin", "stdout", "stderr")
CLOSED = [names for n in (1, 2, 3) for names in itertools.combinations(STREAMS, n)]


def closed(*names):
    return {name: "closed" for name in names}


WORLDS = {
    "a uid without a name": {"uid": 1000650000, "gid": 0},
    "no /dev": {"no_dev": True},
    "no /dev, nothing open": {"no_dev": True, **closed(*STREAMS)},
    "nothing writable": {"ro_root": True, "run": "missing"},
    **{f"{'+'.join(names)} closed": closed(*names) for names in CLOSED},
    "Docker's filter": {"filter": "new"},
    "an old filter": {"filter": "old"},
    "no /proc, old filter": {"filter": "old", "no_proc": True},
    "another init": {"before": ["/usr/bin/tini", "--"]},
    "an init with a filter": {"before": ["/usr/bin/dumb-init", "--"], "filter": "new"},
    "all of it": {"uid": 1000650000, "gid": 0, "no_dev": True, "no_proc": True, "ro_root": True, "run": "missing",
                  "drop_caps": True, "no_new_privs": True, "filter": "new", "nofile": 19, **closed(*STREAMS)},
}


@pytest.fixture(params=WORLDS.values(), ids=WORLDS.keys())
def world(request, programs, both):
    """Options of start() for one of the WORLDS."""
    options = dict(request.param)
    if kind := options.pop("filter", None):
        options["before"] = [*options.get("before", []), compiled(programs.base, "seccomp"), kind]
    return {"mode": both, **options}


def blind(world):
    """Off PID 1 descendants that have left are known from /proc alone."""
    return "no_proc" in world and (world["mode"] == "sub" or "before" in world and "tini" in str(world["before"][0]))


def lastcall_of(run):
    """Its pid as outside: under another init it is not the one that the box has started."""
    return min((p.pid for p in run.processes() if p.argv[:1] == [str(run.box.binary)] and p.argv[1:2] != ["-net"]),
               default=run.pid)


# ---- a lone command ----

class TestCommand:
    def test_its_code(self, start, world):
        assert start("--", "sh", "-c", "exit 7", **world).wait() == 7
        assert start("--", "/nonexistent/program", **world).wait() == 127

    def test_a_stop_of_a_deaf_tree(self, start, programs, world):
        """The command and what it has left in its group are killed; orphans of theirs have been reaped before."""
        run = start("-g", "2s", "--", "sh", "-c", f"{programs.prog} orphans 5 1; exec {programs.prog} several 2 "
                    f"{programs.prog} deaf", **world)
        deaf_ones(run, 2)
        wait_for(lambda: not [p for p in run.processes() if p.state == "Z"], what=run.describe)
        os.kill(lastcall_of(run), signal.SIGTERM)
        assert run.wait() == 137


# ---- a configuration ----

INI = """
    [lastcall]
    grace = 6s
    http = :9180
    [service web]
    command = {prog} several 2 {prog} deaf
    ready = exec {prog} orphans 1 1 every 100ms
    main = yes
    stop-timeout = 1s
    [service busy]
    command = {prog} orphans 2 1
    restart = always
    restart-delay = 100ms..100ms
    restart-limit = 1000 in 1s
    essential = no
    [drain d]
    command = {prog} orphans 1 1
    timeout = 2s
    [finish f]
    command = {prog} escape {prog} deaf
    timeout = 2s
"""


def deaf_ones(run, n):
    wait_for(lambda: sum((lc.proc_status(p.pid, "SigIgn") or "0")[0] == "f" for p in run.programs()) == n,
             what=run.describe)


def http_status(run):
    answer = run.http("GET", "/status")
    return answer.json() if answer.code == 200 else {"services": []}


def test_configuration(start, conf, programs, world):
    """Endpoints answer, checks and restarts run, orphans are reaped; a stop has its steps, kills what is deaf, and
    leaves nothing: the finish step's escapee is swept, where lastcall can know of it."""
    run = start("-c", conf(INI.format(prog=programs.prog)), may_leave=blind(world), **world)
    wait_for(lambda: run.http("GET", "/readyz").code == 200, what=run.describe)
    wait_for(lambda: http_status(run).get("orphans_reaped", 0) >= 6, what=lambda: http_status(run))
    wait_for(lambda: [s for s in http_status(run)["services"] if s["name"] == "busy" and s["restarts"] >= 2],
             what=lambda: http_status(run))
    deaf_ones(run, 2)
    begun = time.monotonic()
    os.kill(lastcall_of(run), signal.SIGTERM)
    assert run.wait() == 124
    assert run.exited_at - begun < 6 + LATE


# ---- few descriptors ----

@pytest.mark.parametrize("n", [3, 4, 5, 8, 16])
@pytest.mark.parametrize("options", [[], ["-g", "5s", "--announce", "100ms"]], ids=lambda o: " ".join(o) or "plain")
def test_a_command_needs_no_descriptor(start, programs, both, n, options):
    run = start(*options, "--", programs.prog, "several", 2, programs.prog, "obey", mode=both, nofile=n)
    wait_for(lambda: [p.argv[1:] for p in run.programs()] == [["obey"], ["obey"]], what=run.describe)
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


def test_a_configuration_without_endpoints(start, conf, programs, both):
    """Eight: two of its own, and what a start needs for a moment."""
    ini = INI.format(prog=programs.prog).replace("http = :9180", "control = off").replace("ready = ", "; ")
    run = start("-c", conf(ini), mode=both, nofile=8)
    deaf_ones(run, 2)
    begun = time.monotonic()
    run.signal(signal.SIGTERM)
    assert run.wait() == 124
    assert run.exited_at - begun < 6 + LATE


def nets(run):
    """Its helpers that talk. What it has just forked, for a check or a restart, has its own file as well, until exec."""
    return [p for p in run.helpers() if p.comm == "lastcall-net"]


def test_endpoints_with_16_descriptors(start, conf, programs, both):
    """The helper too: it is killed, its successor answers, and so do as many clients as have room."""
    run = start("-c", conf(INI.format(prog=programs.prog)), mode=both, nofile=16)
    wait_for(lambda: run.http("GET", "/readyz").code == 200, what=run.describe)
    [net] = nets(run)
    os.kill(net.pid, signal.SIGKILL)
    wait_for(lambda: [p for p in nets(run) if p.pid != net.pid], what=run.describe)
    clients = [run.connect() for _ in range(20)]
    wait_for(lambda: run.http("GET", "/readyz").code == 200, what=run.describe)
    assert run.status()["ready"] is True
    for client in clients:
        client.close()
    run.signal(signal.SIGTERM)
    assert run.wait() == 124


@pytest.mark.parametrize("names", CLOSED, ids="+".join)
def test_nothing_lands_in_the_report(start, programs, workdir, both, names):
    """Its file has the number of a closed stream for a moment."""
    log, path = workdir / "log", workdir / "report"
    run = start("-v", "-g", "5s", "--report", path, "--", programs.prog, "record", log, "15:3", mode=both,
                **closed(*names))
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 3
    assert report(path)["exit"] == 3


# ---- no process can be made any more ----

FEW = """
    [lastcall]
    grace = 8s
    http = :9180
    [service web]
    command = {prog} record {log} 15:0
    main = yes
    [service frail]
    command = {prog} record {frail} 10:3 15:0
    restart-delay = 50ms..50ms
    restart-limit = 10000 in 1s
    essential = no
    [drain d]
    command = {prog} orphans 1 1
    timeout = 2s
"""


@pytest.fixture
def few(own_uid, start, spawn, conf, workdir, programs, both):
    """A run of FEW as a user of its own, who may have 20 processes; and what takes them all, or frees them."""
    others = []
    run = start("-c", conf(FEW.format(prog=programs.prog, log=workdir / "log", frail=workdir / "frail")), mode=both,
                uid=own_uid, before=["/usr/bin/prlimit", "--nproc=20", "--"])
    wait_for(lambda: run.http("GET", "/readyz").code == 200, what=run.describe)
    wait_for_text(workdir / "log", "ready")
    wait_for_text(workdir / "frail", "ready")

    def take(all_of_them):
        if all_of_them:
            others.append(spawn(programs.prog, "several", 20, programs.prog, "obey", workdir / "others", user=own_uid,
                                group=own_uid, extra_groups=[], start_new_session=True))
            wait_for(lambda: read(workdir / "others").count("ready") == 20)
        elif others:
            group = others.pop().pid
            os.killpg(group, signal.SIGKILL)
            wait_for(lambda: not [p for p in map(process, all_pids()) if p and p.pgrp == group and p.state not in "ZX"],
                     what="the end of the processes that took all")
    yield run, take
    run.kill()
    take(False)


def test_a_restart_waits_for_a_process(few, workdir):
    run, take = few
    take(True)
    frail = next(p.pid for p in run.programs() if str(workdir / "frail") in p.argv)
    os.kill(frail, signal.SIGUSR1)
    run.wait_line("frail.*fork")
    assert run.http("GET", "/livez").code == 200
    take(False)
    wait_for(lambda: read(workdir / "frail").count("ready") == 2, what=run.describe)
    run.signal(signal.SIGTERM)
    assert run.wait() == 0, run.err


def test_a_drain_step_without_a_process_fails_and_the_stop_goes_on(few, workdir):
    run, take = few
    take(True)
    begun = time.monotonic()
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert run.exited_at - begun < 8 + LATE
    assert "d: cannot fork" in run.err, run.err


def test_the_helper_comes_back_when_there_is_a_process(few):
    run, take = few
    [net] = nets(run)
    take(True)
    os.kill(net.pid, signal.SIGKILL)
    run.wait_line("helper.*fork")
    take(False)
    wait_for(lambda: run.helpers() and run.http("GET", "/readyz").code == 200, what=run.describe)


def test_a_check_that_cannot_be_started_says_so_once(start, conf, programs):
    ini = """
        [service web]
        command = {prog} deaf
        ready = exec /nonexistent every 10ms
        [service busy]
        command = {prog} orphans 1 1
        restart-delay = 100ms..100ms
        restart = always
    """
    run = start("-c", conf(ini.format(prog=programs.prog)))
    wait_for(lambda: run.err.count("busy: exited 0; starts again") >= 4, what=run.describe)
    assert run.err.count("web: its check: cannot execute /nonexistent: not found") == 1, run.err
    run.kill()


# ---- a shared pid namespace ----

def signalled(trace):
    """What kill(2) was given: [(number, signal)]."""
    return [(int(pid), sig) for pid, sig in re.findall(r"^kill\((-?\d+), (\w+)\)", read(trace), re.M)]


@pytest.mark.parametrize("configuration", [False, True], ids=["command", "configuration"])
def test_it_signals_its_own_processes_alone(start, conf, programs, workdir, configuration):
    """Groups that it has made and children of its own: never all, never its own group, never its parent's."""
    trace, beside = workdir / "trace", workdir / "beside"
    run_under = ["/bin/sh", "-c", f"({programs.prog} record {beside} &); exec /usr/bin/strace -qq -e signal=none -e "
                 f"trace=kill,clone,fork,vfork -o {trace} \"$@\"", "sh"]
    ini = INI.format(prog=programs.prog)
    args = ["-c", conf(ini)] if configuration else [
        "-g", "3s", "--", "sh", "-c", f"{programs.prog} escape {programs.prog} deaf; "
        f"exec {programs.prog} several 2 {programs.prog} deaf"]
    run = start(*args, mode="sub", before=run_under, may_leave=True)
    wait_for_text(beside, "ready")
    deaf_ones(run, 2 if configuration else 3)
    os.kill(run.helpers()[0].pid if not configuration else lastcall_of(run), signal.SIGTERM)
    assert run.wait() in (124, 137)
    assert recorded_signals(beside) == []
    made = {int(n) for n in re.findall(r"^v?(?:fork|clone)\(.*\)\s+= (\d+)", read(trace), re.M)}
    sent = signalled(trace)
    assert sent and not [s for s in sent if s[0] in (-1, 0, 1)], sent
    assert {-n for n, _ in sent if n < 0} <= made, (sent, made)


RECYCLED = """
    [service rest]
    command = {prog} slow 3000 {log}
    [service web]
    command = sh -c "exec {recycle} ours {shared} $$PPID"
    main = yes
    after = rest
    stop-timeout = 300ms
"""


@pytest.mark.limit(120)
def test_a_pid_recycled_within_its_tick_is_not_signalled(start, conf, workdir, programs):
    """A stranger with the pid and the start time of one that was seen below a service when its stop began."""
    recycle = compiled(programs.base, "recycle")

    def in_time(attempt):
        shared, log = workdir / f"shared{attempt}", workdir / f"log{attempt}"
        run = start("-c", conf(RECYCLED.format(prog=programs.prog, recycle=recycle, shared=shared, log=log)),
                    "-g", "20s", mode="sub")
        stranger = run.popen(recycle, "stranger", shared)
        code = stranger.wait(BOUND)
        assert code in (0, 3), (code, run.err)
        run.wait_line("web .*KILL") if code == 0 else run.kill()
        return code == 0

    assert any(in_time(attempt) for attempt in range(60)), "never in time"
