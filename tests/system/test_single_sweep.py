"""Orphans, the sweep, the grace, the announce and the report of the single command mode."""
import os
import re
import signal
import time

import pytest

from lc import (LATE, SANITIZED, alive, process, recorded_signals, report, steps, wait_for, wait_for_text)


def running(run, *comms):
    """The programs of the run are just these, by name."""
    return sorted(p.comm for p in run.programs()) == sorted(comms)


# ---- reaping ----

def test_orphans_become_its_children_and_are_reaped(start, programs, both):
    run = start("--", "sh", "-c", f"{programs.prog} escape sleep 1000; echo up; exec sleep 2000", mode=both)
    run.wait_line("up", stream="out")
    wait_for(lambda: running(run, "sleep", "sleep"))
    orphan = next(p for p in run.programs() if p.argv == ["sleep", "1000"])
    assert orphan.ppid == run.pid
    os.kill(orphan.pid, signal.SIGKILL)
    wait_for(lambda: process(orphan.pid) is None, what="the orphan's reaping")
    assert run.running


def test_a_storm_of_orphans_is_reaped_and_delays_no_signal(start, workdir, programs, both):
    log = workdir / "log"
    run = start("--", "sh", "-c", f"{programs.prog} escape {programs.prog} orphans 1000 200; "
                f"exec {programs.prog} record {log} 10:0", mode=both)
    wait_for_text(log, "ready")
    for n in range(20):
        run.signal(signal.SIGWINCH)
        wait_for(lambda: recorded_signals(log).count(signal.SIGWINCH) == n + 1)
    wait_for(lambda: [p.argv[1:2] for p in run.processes() if p.pid not in (run.pid, run.pid1)] == [["record"]],
             what=run.describe)
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


# ---- nothing left, immediate exit ----

def test_with_nothing_left_the_exit_is_immediate(start, both):
    """The sweep's two seconds are not slept out. The best of three: the machine may be busy."""
    took = []
    for _ in range(3):
        run = start("--", "true", mode=both)
        run.wait()
        took.append(run.exited_at - run.started_at)
    assert min(took) < 2


def test_a_left_worker_that_obeys_costs_no_two_seconds(start, workdir, programs, both):
    took = []
    for n in range(3):
        log = workdir / f"log{n}"
        run = start("--", "sh", "-c", f"setsid {programs.prog} obey {log} & while ! test -s {log}; do :; done",
                    mode=both)
        assert run.wait() == 0
        took.append(run.exited_at - run.started_at)
    assert min(took) < 2


def test_all_that_is_left_gets_its_term(start, programs, both):
    """More than any table has room for: none of them waits for its KILL."""
    run = start("--", "sh", "-c", f"{programs.prog} orphans 1200 600000; exit 3", mode=both)
    assert run.wait() == 3
    assert re.fullmatch(r"lastcall: sh \(pid \d+\) exited 3\. exit 3\n", run.err)


# ---- what is left is swept ----

WORKERS = {
    "in the group": "{prog} {what} {log} &",
    "in a session of its own": "setsid {prog} {what} {log} &",
    "escaped": "{prog} escape {prog} {what} {log};",
    "an orphan's child": "{prog} escape sh -c '{prog} {what} {log} & wait';",
}


def with_worker(programs, kind, what, log, main):
    worker = WORKERS[kind].format(prog=programs.prog, what=what, log=log)
    return ["sh", "-c", f"{worker} while ! test -s {log}; do sleep 0.01; done; exec {main}"]


@pytest.mark.parametrize("kind", WORKERS)
class TestWorkers:
    def test_a_worker_that_needs_a_while_gets_it(self, start, workdir, programs, both, kind):
        log, main = workdir / "log", workdir / "main"
        run = start("--", *with_worker(programs, kind, "slow 500", log, f"{programs.prog} obey {main}"), mode=both)
        wait_for_text(main, "ready")
        run.signal(signal.SIGTERM)
        assert run.wait() == 143
        assert re.search("^done", log.read_text(), re.M), "it was cut short"

    def test_a_deaf_worker_is_killed_after_two_seconds(self, start, workdir, programs, both, kind):
        log = workdir / "log"
        run = start("--", *with_worker(programs, kind, "deaf", log, "sh -c 'exit 5'"), mode=both)
        wait_for_text(log, "ready")
        assert run.wait() == 5, "a kill in the sweep never changes the code"
        assert run.exited_at - run.started_at > 2

    def test_no_process_is_left_when_the_command_exits_by_itself(self, start, workdir, programs, both, kind):
        log = workdir / "log"
        run = start("--", *with_worker(programs, kind, "obey", log, "true"), mode=both)
        assert run.wait() == 0


@pytest.mark.skipif(SANITIZED, reason="a sanitizer does not work under ptrace")
@pytest.mark.parametrize("what", ["deaf", "obey", "slow 300"])
def test_pid_1_exits_last(start, workdir, programs, what):
    """The kernel would kill the rest; lastcall does not leave it to that."""
    logs = [workdir / f"log{n}" for n in range(4)]
    script = " ".join(WORKERS[kind].format(prog=programs.prog, what=what, log=log)
                      for kind, log in zip(WORKERS, logs))
    trace = workdir / "trace"
    run = start("--", "sh", "-c", f"{script} exec {programs.prog} obey {workdir}/main",
                around=["/usr/bin/strace", "-f", "-q", "-e", "trace=exit_group", "-o", trace])
    for log in [*logs, workdir / "main"]:
        wait_for_text(log, "ready")
    inside = {p.pid for p in run.processes()} - {run.pid}
    assert len(inside) >= 6
    run.signal(signal.SIGTERM)
    assert run.wait() == 143
    lines = trace.read_text().splitlines()
    last = next(n for n, line in enumerate(lines) if re.match(rf"{run.pid} +exit_group", line))
    ended = {int(line.split()[0]) for line in lines[:last] if "+++" in line}
    assert inside <= ended


def test_the_sweep_sends_term_and_then_cont(start, workdir, programs, both):
    log = workdir / "log"
    run = start("--", *with_worker(programs, "escaped", "record", log, "true"), mode=both)
    assert run.wait() == 0
    assert recorded_signals(log) == [signal.SIGTERM, signal.SIGCONT]


def test_a_stopped_worker_gets_its_chance(start, workdir, programs, both):
    """A stopped process does not act on TERM before CONT."""
    log = workdir / "log"
    run = start("--", "sh", "-c", f"setsid {programs.prog} slow 0 {log} & echo $! > {workdir}/pid; exec sleep 1000",
                mode=both)
    wait_for_text(log, "ready")
    pid = run.outer(int(wait_for_text(workdir / "pid", r"^(\d+)\n")[1]))
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: process(pid).state == "T")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143
    assert "done" in log.read_text()


def test_a_worker_that_hides_others_while_it_is_swept(start, workdir, programs, both):
    """On TERM it starts something deaf in a new session: that must go too."""
    log, late = workdir / "log", workdir / "late"
    script = f"trap '{programs.prog} escape {programs.prog} deaf {late}; exit' TERM; echo ready > {log}; " \
             "while :; do sleep 0.05; done"
    run = start("--", "sh", "-c", f"setsid sh -c \"{script}\" & while ! test -s {log}; do sleep 0.01; done",
                mode=both)
    assert run.wait() == 0
    assert late.exists(), "the test did not do what it is for"


def test_many_deaf_workers(start, workdir, programs, both):
    script = f"for i in $(seq 100); do {programs.prog} escape {programs.prog} deaf {workdir}/log; done; " \
             f"while test $(grep -c ready {workdir}/log) -lt 100; do sleep 0.05; done"
    run = start("--", "sh", "-c", script, mode=both)
    assert run.wait() == 0


def test_sweep_off_leaves_things_alone(start, workdir, programs):
    log = workdir / "log"
    run = start("--sweep", "off", "--", *with_worker(programs, "escaped", "record", log, "true"), mode="sub",
                may_leave=True)
    assert run.wait() == 0
    assert [comm for _, comm in run.left] == ["prog"]
    assert recorded_signals(log) == []


# ---- bystanders ----

BESIDE = '{prog} record {log} & "$@"; echo $? > {code}; exec sleep 1000'


def test_bystanders_survive(start, workdir, programs):
    """A process of lastcall's own process group and session, its parent, one from outside, and their children."""
    log, code, other = workdir / "beside", workdir / "code", workdir / "other"
    run = start("--", "sh", "-c", f"{programs.prog} escape {programs.prog} deaf {workdir}/deaf; exec "
                f"{programs.prog} record {workdir}/own 10:6", mode="sub", may_leave=True,
                before=["/bin/sh", "-c", BESIDE.format(prog=programs.prog, log=log, code=code), "sh"])
    wait_for_text(log, "ready")
    wait_for_text(workdir / "own", "ready")
    wait_for_text(workdir / "deaf", "ready")
    outside = run.popen(programs.prog, "record", other)
    wait_for_text(other, "ready")
    [lastcall] = run.helpers()
    os.kill(lastcall.pid, signal.SIGHUP)
    wait_for_text(workdir / "own", "^1 ")
    os.kill(lastcall.pid, signal.SIGUSR1)
    wait_for_text(code, "^6$")
    assert recorded_signals(log) == []
    assert recorded_signals(other) == []
    assert outside.poll() is None
    assert alive(run.pid)
    assert not [p for p in run.processes() if p.argv[1:2] == ["deaf"]]


def test_a_process_from_outside_does_not_hold_up_pid_1(start, workdir, programs):
    log = workdir / "log"
    run = start("-g", "3s", "--", programs.prog, "obey", workdir / "main")
    wait_for_text(workdir / "main", "ready")
    run.popen(programs.prog, "deaf", log)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


@pytest.mark.parametrize("options", [{"drop_caps": True}, {"uid": 65534}], ids=["no capability", "another user"])
def test_what_may_not_be_signalled_does_not_hold_up_pid_1(start, workdir, programs, options):
    log = workdir / "log"
    run = start("-g", "3s", "--", "sleep", "1000", **options)
    wait_for(lambda: running(run, "sleep"))
    run.popen(programs.prog, "record", log, uid=12345)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143
    assert recorded_signals(log) == []


# ---- the grace ----

@pytest.mark.parametrize("sig", ["TERM", "INT", "QUIT"])
def test_a_deaf_command_is_killed_within_the_grace(start, workdir, programs, both, sig):
    log = workdir / "log"
    run = start("-g", "2s", "--", programs.prog, "deaf", log, mode=both)
    wait_for_text(log, "ready")
    sent = time.monotonic()
    run.signal(getattr(signal, f"SIG{sig}"))
    assert run.wait() == 137
    assert run.exited_at - sent < 2 + LATE, "the grace is the time to exit, not to KILL"


def test_only_stop_signals_start_the_clock(start, workdir, programs):
    log = workdir / "log"
    run = start("-g", "300ms", "--", programs.prog, "record", log, "10:0")
    wait_for_text(log, "ready")
    for sig in (signal.SIGHUP, signal.SIGUSR2, signal.SIGWINCH, 34):
        run.signal(sig)
        wait_for_text(log, f"^{int(sig)} ")
    time.sleep(1)
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


def test_a_second_stop_signal_is_forwarded_and_moves_no_deadline(start, workdir, programs):
    log = workdir / "log"
    run = start("-g", "5s", "--", programs.prog, "record", log)
    wait_for_text(log, "ready")
    sent = time.monotonic()
    run.signal(signal.SIGTERM)
    wait_for_text(log, "^15 ")
    run.signal(signal.SIGINT)
    wait_for_text(log, "^2 ")
    run.signal(signal.SIGINT)
    wait_for(lambda: recorded_signals(log).count(2) == 2)
    run.signal(signal.SIGINT)
    wait_for(lambda: recorded_signals(log).count(2) == 3)
    assert run.running, "without a configuration none is counted"
    assert run.wait() == 137
    assert run.exited_at - sent < 5 + LATE


def test_the_whole_tree_goes_within_the_grace(start, workdir, programs, both):
    """Deaf command, deaf workers everywhere: one grace, not one and a sweep."""
    logs = [workdir / f"log{n}" for n in range(4)]
    script = " ".join(WORKERS[kind].format(prog=programs.prog, what="deaf", log=log)
                      for kind, log in zip(WORKERS, logs))
    run = start("-g", "3s", "--reserve", "2s", "--", "sh", "-c", f"{script} exec {programs.prog} deaf {workdir}/main",
                mode=both)
    for log in [*logs, workdir / "main"]:
        wait_for_text(log, "ready")
    sent = time.monotonic()
    run.signal(signal.SIGTERM)
    assert run.wait() == 137
    assert run.exited_at - sent < 3, "KILL comes after one second; two more, of a sweep, would be too many"


def test_a_grace_that_is_not_needed_is_not_used(start, workdir, programs, both):
    log = workdir / "log"
    run = start("-g", "1h", "--", programs.prog, "record", log, "15:4", mode=both)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 4


def test_without_a_grace_nothing_is_timed(start, workdir, programs):
    """Eight seconds after a TERM without an answer one line says who is still there; it is not killed."""
    log = workdir / "log"
    run = start("--", programs.prog, "deaf", log)
    wait_for_text(log, "ready")
    [command] = run.programs()
    run.signal(signal.SIGTERM)
    line = run.wait_line(f"still running.*{command.inner} prog").string
    assert "SIGTERM" in line
    assert alive(command.pid)
    assert len([1 for _, text in run.lines() if "still running" in text]) == 1


def test_the_first_and_the_last_line_of_a_stop(start, workdir, programs):
    log = workdir / "log"
    run = start("-g", "5s", "--", programs.prog, "record", log, "15:0")
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    lines = run.err.splitlines()
    assert re.match(r"lastcall: SIGTERM from outside; 5\.0 s", lines[0]), run.err
    assert re.match(r"lastcall: CLEAN in \d\.\d s of 5\.0.*exit 0$", lines[-1]), run.err


def test_a_forced_stop_says_so(start, workdir, programs):
    log = workdir / "log"
    run = start("-g", "4s", "--reserve", "3s", "--", programs.prog, "deaf", log)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 137
    assert "KILL" in run.err and "prog" in run.err
    assert re.match(r"lastcall: FORCED in \d\.\d s of 4\.0.*exit 137", run.err.splitlines()[-1]), run.err


# ---- announce ----

def test_announce_holds_the_stop_signal_back(start, workdir, programs, both):
    log = workdir / "log"
    run = start("--announce", "700ms", "-g", "20s", "--", programs.prog, "record", log, "15:0", mode=both)
    wait_for_text(log, "ready")
    sent = time.monotonic()
    run.signal(signal.SIGTERM)
    run.signal(signal.SIGHUP)
    wait_for_text(log, "^1 ")
    assert run.wait() == 0
    assert recorded_signals(log) == [signal.SIGHUP, signal.SIGTERM]
    assert run.exited_at - sent >= 0.7


def test_announce_without_a_grace(start, workdir, programs):
    log = workdir / "log"
    run = start("--announce", "300ms", "--", programs.prog, "record", log, "15:0")
    wait_for_text(log, "ready")
    sent = time.monotonic()
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert run.exited_at - sent >= 0.3


def test_announce_is_inside_the_grace(start, workdir, programs):
    log = workdir / "log"
    run = start("--announce", "4s", "-g", "5s", "--", programs.prog, "deaf", log)
    wait_for_text(log, "ready")
    sent = time.monotonic()
    run.signal(signal.SIGTERM)
    assert run.wait() == 137
    assert run.exited_at - sent < 5 + LATE


def test_a_command_that_ends_during_announce(start, workdir, programs):
    """There is nobody left to announce for."""
    log = workdir / "log"
    run = start("--announce", "15s", "-g", "40s", "--", programs.prog, "record", log, "10:9")
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    run.signal(signal.SIGUSR1)
    assert run.wait(12) == 9, "with nothing left the exit is immediate"
    assert recorded_signals(log) == [signal.SIGUSR1]


def test_announce_with_readiness(start, workdir, programs):
    """Not ready at once, and the command learns of the stop only later."""
    log = workdir / "log"
    run = start("--announce", "2s", "--http", ":9180", "-g", "20s", "--", programs.prog, "record", log, "15:0")
    wait_for_text(log, "ready")
    wait_for(lambda: run.http("GET", "/readyz").code == 200)
    run.signal(signal.SIGTERM)
    wait_for(lambda: run.http("GET", "/readyz").code == 503)
    assert recorded_signals(log) == []
    assert run.wait() == 0


# ---- report ----

def test_report_of_a_clean_stop(start, workdir, programs, both):
    log, path = workdir / "log", workdir / "report"
    run = start("--report", path, "-g", "5s", "--", programs.prog, "record", log, "15:3", mode=both)
    wait_for_text(log, "ready")
    assert not path.exists()
    run.signal(signal.SIGTERM)
    assert run.wait() == 3
    r = report(path)
    assert r["verdict"] == "clean"
    assert r["exit"] == 3
    assert r["grace_ms"] == 5000
    assert 0 <= r["used_ms"] <= 5000
    assert "TERM" in r["cause"]
    assert r["killed"] == []
    assert r["summary"] and r["time"] and r["host"] and r["lastcall"]
    assert steps(r)


def test_report_of_a_forced_stop(start, workdir, programs, both):
    log, path = workdir / "log", workdir / "report"
    run = start("--report", path, "-g", "4s", "--reserve", "3s", "--", programs.prog, "deaf", log, mode=both)
    wait_for_text(log, "ready")
    [command] = run.programs()
    run.signal(signal.SIGTERM)
    assert run.wait() == 137
    r = report(path)
    assert r["verdict"] == "forced"
    assert r["exit"] == 137
    assert [(k["pid"], k["comm"]) for k in r["killed"]] == [(command.inner, "prog")]


def test_a_kill_in_the_sweep_changes_the_verdict_not_the_code(start, workdir, programs, both):
    log, path = workdir / "log", workdir / "report"
    main = workdir / "main"
    run = start("--report", path, "-g", "5s", "--",
                *with_worker(programs, "escaped", "deaf", log, f"{programs.prog} record {main} 15:0"), mode=both)
    wait_for_text(main, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert report(path)["verdict"] != "clean"


def test_the_report_is_current_when_kill_comes(start, workdir, programs, both):
    log, path = workdir / "log", workdir / "report"
    run = start("--report", path, "-g", "30s", "--", programs.prog, "deaf", log, mode=both, may_leave=True)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    wait_for(lambda: path.exists() and path.stat().st_size)
    run.signal(signal.SIGKILL)
    assert run.wait() == 137
    r = report(path)
    assert r["verdict"] == "interrupted"
    assert r["grace_ms"] == 30000


def test_no_report_without_a_requested_stop(start, workdir, both):
    path = workdir / "report"
    assert start("--report", path, "--", "sh", "-c", "exit 9", mode=both).wait() == 9
    assert not path.exists()


def test_the_termination_log_is_the_default(start, workdir, programs):
    log, path = workdir / "log", workdir / "termination"
    path.touch()
    run = start("-g", "5s", "--", programs.prog, "record", log, "15:0", termination_log=path)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert report(path)["verdict"] == "clean"


def test_the_commands_last_words_stay(start, workdir):
    path = workdir / "termination"
    path.touch()
    run = start("--", "sh", "-c", "echo why > /dev/termination-log; exit 4", termination_log=path)
    assert run.wait() == 4
    assert path.read_text() == "why\n"


def test_report_off(start, workdir, programs):
    log, path = workdir / "log", workdir / "termination"
    path.touch()
    run = start("--report", "off", "-g", "5s", "--", programs.prog, "record", log, "15:0", termination_log=path)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert path.read_text() == ""


@pytest.mark.parametrize("place", ["none/report", "."], ids=["no such directory", "a directory"])
def test_a_report_that_cannot_be_written_stops_nothing(start, workdir, programs, place):
    log = workdir / "log"
    run = start("--report", workdir / place, "-g", "5s", "--", programs.prog, "record", log, "15:3")
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 3
