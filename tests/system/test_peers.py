"""What lastcall does alike under the names of several other inits. LASTCALL_PEERS=1 runs the tests on Debian's too."""
from peers import *

CODES = [0, 1, 2, 32, 64, 127, 254, 255]
DEADLY = [1, 2, 3, 6, 9, 10, 11, 15, 31, 34, 64]
DROPPED = {"tini": FAULTS | {signal.SIGCHLD, signal.SIGTTIN, signal.SIGTTOU}, "dumb-init": {signal.SIGCHLD},
           "catatonit": FAULTS | JOB | {signal.SIGCHLD}}


# ---- command line ----

@each("tini -s", "catatonit -g")
@pytest.mark.parametrize("value", ["1", ""])
def test_posixly_correct_ends_the_options_at_the_command(init, value):
    run = init.end("echo", "-l", "--", "-x", env={"POSIXLY_CORRECT": value})
    assert (run.code, run.out, run.err) == (0, "-l -- -x\n", "")


@each("tini", "tini -s", "catatonit", "catatonit -g")
@pytest.mark.parametrize("args", [["--", "echo", "-l", "-h"], ["echo", "--", "-l", "-h"], ["echo", "-g", "--", "-l", "-h"]],
                         ids=" ".join)
def test_two_dashes_end_the_options(init, args):
    run = init.end(*args)
    assert (run.code, run.out) == (0, "-l -h\n")


# ---- exit codes ----

@each("tini", "dumb-init", "dumb-init -c", "catatonit")
@pytest.mark.parametrize("code", CODES)
def test_the_childs_code(init, both, code):
    assert init.end("--", "sh", "-c", f"exit {code}", mode=both).code == code


@each("tini", "dumb-init", "catatonit")
@pytest.mark.parametrize("sig", DEADLY)
def test_the_childs_signal(init, both, programs, sig):
    assert init.end("--", programs.prog, "die", sig, mode=both).code == 128 + sig


@each("tini", "dumb-init", "catatonit")
def test_a_script_without_an_interpreter_is_the_shells(init, workdir):
    script = workdir / "script"
    script.write_text("echo $0 $1; exit 7\n")
    script.chmod(0o755)
    run = init.end("--", script, "word")
    assert (run.code, run.out) == (7, f"{script} word\n")


# ---- what it says ----

@each("tini -s", "dumb-init", "dumb-init -c", "catatonit", "catatonit -g")
def test_it_says_nothing_unasked(init, both):
    run = init.end("--", "true", mode=both)
    assert (run.code, run.out, run.err) == (0, "", "")


# ---- signals ----

@each("tini", "catatonit", "dumb-init -c", "dumb-init --single-child", "DUMB_INIT_SETSID=0 dumb-init")
def test_each_signal_goes_to_the_child_alone(init, pair, both):
    run, main, other = pair(mode=both)
    signals = FORWARDED[init.name] - {signal.SIGUSR1}
    send_each(run, signals, main)
    assert set(recorded_signals(main)) == signals
    assert process(run.pid).state != "T"
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert not set(recorded_signals(other)) - {signal.SIGTERM, signal.SIGCONT}      # those are of the end


@each("tini -g", "TINI_KILL_PROCESS_GROUP= tini", "TINI_KILL_PROCESS_GROUP=0 tini", "dumb-init", "catatonit -g")
def test_each_signal_goes_to_the_group(init, pair, both):
    run, main, other = pair(mode=both)
    signals = FORWARDED[init.name] - {signal.SIGUSR1}
    send_each(run, signals, main, other)
    assert set(recorded_signals(main)) == signals
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


@each("tini", "tini -g", "dumb-init", "dumb-init -c", "catatonit", "catatonit -g")
def test_what_is_not_forwarded(init, pair, both):
    """As PID 1 the signals of faults neither. (A sanitizer takes them for its own.)"""
    run, main, _ = pair(mode=both)
    send_in_vain(run, DROPPED[init.name] - (FAULTS if both == "sub" or SANITIZED else set()), main)
    assert process(run.pid).state != "T"


@each("tini -s", "tini -g", "catatonit", "catatonit -g", "catatonit -P")
@pytest.mark.parametrize("sig", [signal.SIGABRT, signal.SIGSYS])
def test_elsewhere_the_signal_of_a_fault_ends_it(init, workdir, programs, sig):
    """Somebody sends it so that it may: a watchdog, timeout(1)."""
    log = workdir / "log"
    run = init("--", programs.prog, "record", log, mode="sub", may_leave=True)
    run.may_crash = True
    wait_for(lambda: read(log) or signal.SIGTERM in signals_of(proc_status(run.pid, "SigBlk")) and "-P" in init.options)
    run.signal(sig)
    assert run.wait() == 128 + sig and run.signaled == sig
    assert recorded_signals(log) == []


@each("tini", "dumb-init", "catatonit")
def test_signals_from_inside(init, pair, both):
    run, main, _ = pair(mode=both)
    for sig in sorted(FORWARDED[init.name] & {1, 11, 15, 34, 64}):
        assert run.run("/bin/kill", f"-{sig}", process(run.pid).inner).code == 0
        wait_signal(main, sig)


@each("tini", "dumb-init", "catatonit")
def test_queued_signals_are_not_merged(pair):
    run, main, _ = pair()
    for _ in range(50):
        run.signal(40)
    wait_for(lambda: recorded_signals(main).count(40) == 50)


@each("tini", "catatonit")
def test_signals_that_it_got_blocked_are_forwarded(init, pair, both):
    run, main, _ = pair(mode=both, block=FORWARDED[init.name])
    send_each(run, {1, 2, 12, 15, 34, 64}, main)


@each("tini -s", "catatonit")
def test_a_stopped_child_is_left_alone(init, workdir, programs, both):
    """The init does not stop with it, nor wake it."""
    log = workdir / "log"
    run = init("--", programs.prog, "stopself", log, mode=both)
    wait_for_text(log, "ready")
    [command] = run.programs()
    wait_for(lambda: process(command.pid).state == "T")
    assert process(run.pid).state != "T"
    run.signal(signal.SIGCONT)
    wait_for_text(log, "cont")


# ---- the child's world ----

@each("tini -s", "catatonit")
def test_the_child_leads_a_group_in_the_same_session(child, both):
    it = child(mode=both)
    assert it.pgrp == it.pid
    assert it.session != it.pid


@each("tini", "dumb-init", "catatonit")
def test_the_child_keeps_directory_and_descriptors(init, workdir):
    before = ["/bin/sh", "-c", 'exec 7</dev/zero; exec "$@"', "sh"]
    run = init.end("--", "sh", "-c", "pwd; readlink /proc/self/fd/7", before=before)
    assert run.out == f"{workdir}\n/dev/zero\n"


@each("dumb-init", ("catatonit", pytest.mark.newer))
def test_it_lives_in_the_root_directory(init, both):
    run = init("--", "sh", "-c", "echo up; exec sleep 1000", mode=both)
    run.wait_line("up", stream="out")
    wait_for(lambda: os.readlink(f"/proc/{run.pid}/cwd") == "/", timeout=2 if init.real else BOUND)


def escaped(init, programs, mode):
    """The run of a command that a process has escaped from, and that process."""
    run = init("--", "sh", "-c", f"{programs.prog} escape sleep 1000; echo up; exec sleep 2000", mode=mode)
    run.wait_line("up", stream="out")
    return run, wait_for(lambda: next((p for p in run.programs() if p.argv == ["sleep", "1000"]), None))


@each("tini -s", "TINI_SUBREAPER= tini", "TINI_SUBREAPER=0 tini", "catatonit")
def test_a_subreaper_gets_the_orphans(init, programs, both):
    run, orphan = escaped(init, programs, both)
    assert orphan.ppid == run.pid
    os.kill(orphan.pid, signal.SIGKILL)
    wait_for(lambda: process(orphan.pid) is None, what="the orphan's reaping")
    assert run.running


@each("tini", "dumb-init")
def test_without_a_subreaper_orphans_go_elsewhere(init, programs):
    run, orphan = escaped(init, programs, "sub")
    assert orphan.ppid == run.pid1


# ---- at a terminal ----

@each("tini -s", "catatonit")
def test_the_child_is_in_the_foreground(init, terminal, programs, both):
    run = init("--", programs.prog, "tty", mode=both, **at(terminal))
    shown = tty_line(terminal)
    assert shown["pgrp"] == shown["pid"] == shown["foreground"] != shown["sid"]
    assert run.wait() == 0


@each("tini -s", "catatonit")
def test_the_interrupt_key_reaches_the_child_once(init, terminal, workdir, programs, both):
    log = workdir / "log"
    run = init("--", programs.prog, "record", log, "10:0", mode=both, **at(terminal))
    wait_for_text(log, "ready")
    terminal.type("\x03")
    wait_for_text(log, "^2 ")
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert recorded_signals(log) == [2, 10]


@each("tini -s", "catatonit")
def test_a_terminal_that_controls_nobody_is_no_error(init, terminal, both):
    run = init("--", "true", mode=both, stdin=terminal.slave)
    assert run.wait() == 0
    assert run.err == ""


# ---- the end, and what theirs does wrong ----

@each("tini -s", "dumb-init", "dumb-init -c", "catatonit")
def test_with_nothing_left_it_exits_at_once(init, both):
    took = []
    for _ in range(3):
        run = init.end("--", "true", mode=both)
        took.append(run.exited_at - run.started_at)
    assert min(took) < 2


@each(("tini -s", defect(1)), "dumb-init", "dumb-init -c", ("catatonit", defect(1)))
def test_an_ignored_sigchld_does_not_matter(init, both):
    run = init("--", "sh", "-c", "exit 3", mode=both, ignore=[signal.SIGCHLD])
    assert run.wait(2 if init.real else BOUND) == 3


@pytest.mark.limit(300)
@each("tini -s", ("tini -s -g", defect(2)), ("dumb-init", defect(2)), ("dumb-init -c", defect(2)), "catatonit",
      ("catatonit -g", defect(2)))
def test_no_early_signal_is_lost(init, both):
    """A TERM sent as soon as there is a child ends it, every time."""
    for _ in range(300):
        run = init("--", "sleep", "1000", kill_when_child=signal.SIGTERM, mode=both)
        assert run.wait() == 143
        run.kill()


def finish_what_is_left(init, workdir, programs, **more):
    """The child ends at once on TERM; a worker of its group and one in a session of its own need a while."""
    near, far, main = workdir / "near", workdir / "far", workdir / "main"
    run = init("--", "sh", "-c", f"{programs.prog} slow 400 {near} & setsid {programs.prog} slow 300 {far} & "
               f"exec {programs.prog} obey {main}", **more)
    for log in (near, far, main):
        wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143
    assert "done" in read(near) and "done" in read(far), run.describe()


@defect(3)
@each("tini -s", "tini -s -g", "catatonit", "catatonit -g")
def test_what_is_left_may_finish(init, workdir, programs, both):
    finish_what_is_left(init, workdir, programs, mode=both)


@defect(3)
@each("tini", "dumb-init", "dumb-init -c")
def test_as_pid_1_what_is_left_may_finish(init, workdir, programs):
    finish_what_is_left(init, workdir, programs)


def end_what_ignores_everything(init, workdir, programs, **more):
    """The child ends; what is left gets TERM and CONT, and 2 s later KILL; only then the init exits."""
    log, main = workdir / "log", workdir / "main"
    run = init("--", "sh", "-c", f"setsid {programs.prog} record {log} & exec {programs.prog} record {main} 10:5", **more)
    wait_for_text(log, "ready")
    wait_for_text(main, "ready")
    began = time.monotonic()
    run.signal(signal.SIGUSR1)
    assert run.wait() == 5
    assert recorded_signals(log) == [15, 18]
    assert not run.left
    assert 1.8 < run.exited_at - began < 2 + 2 * LATE
    assert run.err == ""


@defect(4)
@each("tini -s", "catatonit")
def test_what_is_left_and_ignores_everything_is_killed(init, workdir, programs, both):
    end_what_ignores_everything(init, workdir, programs, mode=both)


@defect(4)
@each("dumb-init")
def test_as_pid_1_what_is_left_and_ignores_everything_is_killed(init, workdir, programs):
    end_what_ignores_everything(init, workdir, programs)


@defect(4)
@each("tini", "tini -s", "tini -g", "dumb-init", "dumb-init -c", "catatonit", "catatonit -g")
def test_a_grace_is_kept(init, workdir, programs, both):
    """lastcall's own variable: the child ignores TERM, and all is over in that time."""
    log = workdir / "log"
    run = init("--", programs.prog, "deaf", log, env={"LASTCALL_GRACE": "1s"}, mode=both)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    began = time.monotonic()
    assert run.wait(4 if init.real else BOUND) == 137
    assert run.exited_at - began < 1 + LATE


@each(("tini -s", defect(5)), "dumb-init", "dumb-init -c", ("catatonit", defect(5)))
def test_a_term_that_was_ignored_reaches_the_child(init, workdir, programs, both):
    log = workdir / "log"
    run = init("--", programs.prog, "obey", log, mode=both, ignore=[signal.SIGTERM])
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait(2 if init.real else BOUND) == 143


@each(("tini -s", defect(6)), ("tini -s -g -w -vvv", defect(6)), "dumb-init", "dumb-init -c -v", "catatonit",
      "catatonit -g")
def test_it_does_not_wake_up_for_nothing(init, workdir, programs, both):
    log = workdir / "log"
    run = init("--", programs.prog, "obey", log, mode=both)
    wait_for_text(log, "ready")
    assert wake_ups(run, 3) == 0
