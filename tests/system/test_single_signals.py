"""Signals in the single command mode: all reach the command's group, early ones too, and only what came from others."""
import os
import signal
import time

import pytest

from lc import alive, proc_status, process, recorded, recorded_signals, signals_of, wait_for, wait_for_text

FORWARDED = [n for n in range(1, 65) if n not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD)]
# The kernel itself drops a pending CONT when a stop signal comes. USR1 ends the test.
AT_ONCE = [n for n in FORWARDED if n not in (signal.SIGCONT, signal.SIGUSR1)]
GROUP = "{prog} record {other} & exec {prog} record {main} 10:0"


def wait_signals(path, wanted):
    wait_for(lambda: set(recorded_signals(path)) >= set(wanted),
             what=lambda: f"{path} lacks {sorted(set(wanted) - set(recorded_signals(path)))}")


@pytest.fixture
def group(start, workdir, programs):
    """Two recorders in the command's group; the main one exits 0 on USR1."""
    def begin(*options, **more):
        main, other = workdir / "main", workdir / "other"
        run = start(*options, "--", "sh", "-c", GROUP.format(prog=programs.prog, main=main, other=other), **more)
        wait_for_text(main, "ready")
        wait_for_text(other, "ready")
        return run, main, other
    return begin


def test_each_signal_reaches_the_group(group, both):
    run, main, other = group(mode=both)
    for sig in FORWARDED:
        if sig == signal.SIGUSR1:
            continue
        run.signal(sig)
        wait_for_text(main, f"^{sig} ")
        wait_for_text(other, f"^{sig} ")
    wanted = [sig for sig in FORWARDED if sig != signal.SIGUSR1]
    assert recorded_signals(main) == wanted
    assert recorded_signals(other) == wanted
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


def test_all_signals_at_once_reach_the_group(group, both):
    run, main, other = group(mode=both)
    for sig in AT_ONCE:
        run.signal(sig)
    wait_signals(main, AT_ONCE)
    wait_signals(other, AT_ONCE)
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


@pytest.mark.parametrize("sig", [1, 2, 15, 32, 33, 34, 35, 64])
def test_signals_from_inside(group, both, sig):
    """From a process of the same pid namespace, the sender's pid is known."""
    run, main, other = group(mode=both)
    inner = process(run.pid).inner
    assert run.run("/bin/kill", f"-{sig}", inner).code == 0
    wait_signals(main, [sig])
    wait_signals(other, [sig])


def test_queued_signals_are_not_merged(group):
    run, main, other = group()
    for _ in range(50):
        run.signal(34)
    wait_for(lambda: recorded_signals(main).count(34) == 50)
    wait_for(lambda: recorded_signals(other).count(34) == 50)


def test_the_first_of_the_real_time_signals_has_its_dockers_number(group):
    """RTMIN is 34, whatever the C library says."""
    run, main, _ = group("--rewrite", "USR2:RTMIN", "--rewrite", "HUP:RTMIN+3", "--rewrite", "RTMAX:WINCH")
    run.signal(signal.SIGUSR2)
    run.signal(signal.SIGHUP)
    run.signal(64)
    wait_signals(main, [34, 37, signal.SIGWINCH])


@pytest.mark.parametrize("rules, sent, got", [
    (["15:2"], 15, 2), (["TERM:INT"], 15, 2), (["SIGTERM:SIGINT"], 15, 2), (["TERM:INT"], 1, 1),
    (["TERM:QUIT", "QUIT:TERM"], 15, 3), (["TERM:QUIT", "QUIT:TERM"], 3, 15), (["1:31", "31:1"], 31, 1),
    (["34:TERM"], 34, 15), (["WINCH:QUIT"], 28, 3)], ids=str)
def test_rewrite(group, rules, sent, got):
    run, main, other = group(*[w for rule in rules for w in ("--rewrite", rule)])
    run.signal(sent)
    wait_signals(main, [got])
    wait_signals(other, [got])
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert recorded_signals(main) == [got, signal.SIGUSR1]


def test_kill_mode_main(group, both):
    run, main, other = group("--kill-mode", "main", mode=both)
    for sig in AT_ONCE:
        run.signal(sig)
    wait_signals(main, AT_ONCE)
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    # What remains was swept; before that it got nothing.
    assert set(recorded_signals(other)) <= {signal.SIGTERM, signal.SIGCONT}


def test_stop_signal(group):
    run, main, other = group("--stop-signal", "QUIT")
    run.signal(signal.SIGTERM)
    wait_signals(main, [signal.SIGQUIT])
    assert signal.SIGTERM not in recorded_signals(main)


def test_child_and_stop_signals_are_not_forwarded(group, both):
    run, main, other = group(mode=both)
    run.signal(signal.SIGCHLD)
    run.signal(signal.SIGUSR2)
    wait_signals(main, [signal.SIGUSR2])
    wait_signals(other, [signal.SIGUSR2])
    assert recorded_signals(main) == [signal.SIGUSR2]
    assert recorded_signals(other) == [signal.SIGUSR2]


def test_its_own_sigpipe_is_not_forwarded(start, workdir, programs, both):
    """stderr's reader is gone: each line that lastcall writes raises SIGPIPE in itself."""
    reader, writer = os.pipe()
    os.close(reader)
    log = workdir / "log"
    run = start("-v", "-g", "20s", "--", programs.prog, "record", log, "10:0", mode=both, stderr=writer)
    os.close(writer)
    wait_for_text(log, "ready")
    for sig in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM, signal.SIGUSR2):
        run.signal(sig)
        wait_signals(log, [sig])
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert signal.SIGPIPE not in recorded_signals(log)


def test_sigpipe_of_others_is_forwarded_as_any(group):
    run, main, _ = group()
    run.signal(signal.SIGPIPE)
    wait_signals(main, [signal.SIGPIPE])


@pytest.mark.limit(300)
@pytest.mark.parametrize("options", [[], ["--kill-mode", "main"], ["-g", "20s"]], ids=" ".join)
def test_a_term_as_soon_as_the_child_shows_is_never_lost(start, both, options):
    for _ in range(300 if not options else 100):
        run = start(*options, "--", "sleep", "1000", mode=both, kill_when_child=signal.SIGTERM)
        assert run.wait() == 143
        run.kill()


@pytest.mark.limit(120)
@pytest.mark.parametrize("sig", [1, 2, 3, 10, 34])
def test_any_signal_as_soon_as_the_child_shows(start, sig):
    for _ in range(50):
        run = start("--", "sleep", "1000", kill_when_child=sig)
        assert run.wait() == 128 + sig
        run.kill()


EVERYTHING = [n for n in range(1, 65) if n not in (signal.SIGKILL, signal.SIGSTOP)]
INHERITED = [{}, {"block": EVERYTHING}, {"ignore": EVERYTHING}, {"block": EVERYTHING, "ignore": EVERYTHING},
             {"ignore": [signal.SIGCHLD]}, {"ignore": [signal.SIGTERM]}, {"ignore": [signal.SIGPIPE]},
             {"block": [signal.SIGCHLD]}, {"ignore": [32, 33, 34]}]


@pytest.mark.parametrize("inherited", INHERITED, ids=lambda i: "+".join(f"{k}{len(v)}:{v[0]}" for k, v in i.items())
                         or "nothing")
class TestInherited:
    def test_the_childs_signals_are_clean(self, start, both, inherited):
        run = start("--", "cat", "/proc/self/status", mode=both, **inherited)
        assert run.wait() == 0
        fields = dict(line.split(":\t", 1) for line in run.out.splitlines() if ":\t" in line)
        assert signals_of(fields["SigBlk"]) == set()
        nohup = both == "sub" and signal.SIGHUP in inherited.get("ignore", [])
        assert signals_of(fields["SigIgn"]) == ({signal.SIGHUP} if nohup else set())
        assert signals_of(fields["SigCgt"]) == set()
        assert signals_of(fields["SigPnd"]) == set()

    def test_the_childs_end_is_seen(self, start, both, inherited):
        assert start("--", "sh", "-c", "exit 7", mode=both, **inherited).wait() == 7

    def test_a_stop_works(self, start, workdir, programs, both, inherited):
        run = start("--", programs.prog, "obey", workdir / "log", mode=both, **inherited)
        wait_for_text(workdir / "log", "ready")
        run.signal(signal.SIGTERM)
        assert run.wait() == 143

    def test_orphans_are_reaped(self, start, workdir, programs, both, inherited):
        run = start("--", "sh", "-c", f"{programs.prog} orphans 20 1; echo up; exec sleep 1000", mode=both, **inherited)
        run.wait_line("up", stream="out")
        wait_for(lambda: [p.comm for p in run.processes() if p.pid not in (run.pid, run.pid1)] == ["sleep"])


def test_lastcall_itself_ignores_no_child(start, both):
    run = start("--", "sh", "-c", "echo up; exec sleep 1000", mode=both, ignore=[signal.SIGCHLD])
    run.wait_line("up", stream="out")
    assert signal.SIGCHLD not in signals_of(proc_status(run.pid, "SigIgn"))


# ---- stop and continue ----

def state(pid):
    found = process(pid)
    return found.state if found else None


def test_if_the_command_stops_lastcall_stops_too(start, workdir, programs):
    log = workdir / "log"
    run = start("--", programs.prog, "stopself", log, mode="sub")
    wait_for_text(log, "ready")
    wait_for(lambda: state(run.pid) == "T")
    [command] = run.programs()
    assert command.state == "T"
    run.signal(signal.SIGCONT)
    wait_for_text(log, "cont")
    wait_for(lambda: state(run.pid) != "T")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


def test_pid_1_does_not_stop_with_the_command(start, workdir, programs):
    log = workdir / "log"
    run = start("--", programs.prog, "stopself", log)
    wait_for_text(log, "ready")
    wait_for(lambda: any(p.state == "T" for p in run.processes()))
    # It still takes a signal: were it stopped, CONT from outside would not be forwarded by it.
    assert state(run.pid) != "T"
    run.signal(signal.SIGCONT)
    wait_for_text(log, "cont")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


def test_tstp_stops_both_and_cont_resumes_both(start, workdir, programs):
    log = workdir / "log"
    run = start("--", programs.prog, "obey", log, mode="sub")
    wait_for_text(log, "ready")
    [command] = run.programs()
    for _ in range(3):
        run.signal(signal.SIGTSTP)
        wait_for(lambda: state(command.pid) == "T" and state(run.pid) == "T")
        run.signal(signal.SIGCONT)
        wait_for(lambda: state(command.pid) not in "TZ" and state(run.pid) not in "TZ")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


def test_a_stopped_command_can_still_be_ended(start, workdir, programs):
    """Both are stopped: TERM is noted, CONT lets it act."""
    log = workdir / "log"
    run = start("-g", "20s", "--", programs.prog, "obey", log, mode="sub")
    wait_for_text(log, "ready")
    [command] = run.programs()
    os.kill(command.pid, signal.SIGSTOP)
    wait_for(lambda: state(command.pid) == "T" and state(run.pid) == "T")
    run.signal(signal.SIGTERM)
    run.signal(signal.SIGCONT)
    assert run.wait() == 143


# ---- lastcall's own parent ----

ORPHANED = 'sh -c \'"$@"; :\' sh "$@" & wait; exec sleep 1000'


@pytest.mark.parametrize("name", ["TERM", "USR2"])
def test_pdeathsig_is_lastcalls_own(start, workdir, programs, name):
    log = workdir / "log"
    sig = getattr(signal, f"SIG{name}")
    run = start("--pdeathsig", name, "--", programs.prog, "record", log, "10:0", mode="sub",
                before=["/bin/sh", "-c", ORPHANED, "sh"], may_leave=True)
    wait_for_text(log, "ready")
    [lastcall] = run.helpers()
    parent = lastcall.ppid
    os.kill(parent, signal.SIGKILL)
    wait_signals(log, [sig])
    assert [got for got, _ in recorded(log)] == [sig]
    os.kill(lastcall.pid, signal.SIGUSR1)
    wait_for(lambda: not alive(lastcall.pid))


def test_pdeathsig_none_by_default(start, workdir, programs):
    log = workdir / "log"
    run = start("--", programs.prog, "record", log, mode="sub", before=["/bin/sh", "-c", ORPHANED, "sh"],
                may_leave=True)
    wait_for_text(log, "ready")
    [lastcall] = run.helpers()
    os.kill(lastcall.ppid, signal.SIGKILL)
    wait_for(lambda: process(lastcall.pid).ppid == run.pid1)
    os.kill(lastcall.pid, signal.SIGUSR2)
    wait_signals(log, [signal.SIGUSR2])
    assert recorded_signals(log) == [signal.SIGUSR2]


# ---- any moment ----

@pytest.mark.limit(120)
def test_a_term_at_any_moment_of_the_start_leaves_nothing(start):
    """Before its signals are blocked lastcall itself may die of it; a command that has started never stays behind."""
    for step in range(150):
        run = start("--", "sleep", "1000", mode="sub")
        end = time.monotonic() + step * 0.00002
        while time.monotonic() < end:
            pass
        run.signal(signal.SIGTERM)
        assert run.wait() == 143
        assert run.left == []
        run.kill()


@pytest.mark.limit(120)
def test_a_command_that_ends_at_once_is_never_missed(start, both):
    for _ in range(150):
        run = start("--", "/bin/false", mode=both)
        assert run.wait() == 1
        run.kill()


def test_signals_while_the_sweep_waits(start, workdir, programs, both):
    log = workdir / "log"
    run = start("--", "sh", "-c", f"setsid {programs.prog} deaf {log} & until test -s {log}; do :; done; exit 6",
                mode=both)
    wait_for_text(log, "ready")
    wait_for(lambda: [p.argv[1:2] for p in run.programs()] == [["deaf"]])
    for sig in (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1, 34, signal.SIGCHLD, signal.SIGWINCH):
        run.signal(sig)
    assert run.wait() == 6
