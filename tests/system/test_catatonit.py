"""Called as catatonit, lastcall is catatonit. LASTCALL_PEERS=1 runs the tests on Debian's as well: see peers.py."""
from peers import *

init = inits("catatonit", "/usr/bin/catatonit")
FORWARDED = SENDABLE - FAULTS - JOB


# ---- command line ----

@pytest.mark.parametrize("args", [[], ["-g"], ["--"], ["-g", "--"]], ids=str)
def test_no_command_is_an_error_with_usage(init, both, args):
    run = init.end(*args, mode=both)
    assert (run.code, run.out) == (1, "")
    assert re.search("^usage: .*catatonit ", run.err, re.M | re.I)


@pytest.mark.parametrize("args", [["-h"], ["-gh"], ["-h", "touch", "it"], ["touch", "it", "-h"]], ids=" ".join)
def test_help_goes_to_stderr(init, workdir, args):
    run = init.end(*args)
    assert (run.code, run.out) == (0, "")
    assert re.search("^usage: ", run.err, re.M | re.I)
    for word in ("-g ", "-h ", "-L ", "-P ", "-V, --version"):
        assert word in run.err
    assert not (workdir / "it").exists()


@pytest.mark.parametrize("args", [["-V"], ["--version"], ["--vers"], ["-gV"], ["-V", "touch", "it"],
                                  ["touch", "it", "-V"], ["touch", "it", "--version"]], ids=" ".join)
def test_version(init, workdir, args):
    """dockerd and podman read this line, and look for tini's."""
    run = init.end(*args)
    assert (run.code, run.err) == (0, "")
    assert re.fullmatch(r"tini version \d+\.\d+\.\d+\S*_catatonit\n", run.out)
    assert not (workdir / "it").exists()


def test_licence(init, workdir):
    run = init.end("-L", "touch", "it")
    assert (run.code, run.err) == (0, "")
    assert re.search("licen[cs]e|warranty", run.out, re.I)
    assert not (workdir / "it").exists()


@pytest.mark.parametrize("args", [["-x"], ["-gx", "touch", "it"], ["--foo", "touch", "it"], ["touch", "it", "-x"],
                                  ["--help"], ["touch", "it", "-l"]], ids=" ".join)
def test_bad_options_are_an_error_with_usage(init, workdir, args):
    """Also behind the command: options are found anywhere before two dashes."""
    run = init.end(*args)
    assert (run.code, run.out) == (1, "")
    assert re.search("^usage: ", run.err, re.M | re.I)
    assert not (workdir / "it").exists()


@pytest.mark.parametrize("value", ["1", ""])
def test_posixly_correct_ends_the_options_at_the_command(init, value):
    run = init.end("-g", "echo", "-l", "--", "-x", env={"POSIXLY_CORRECT": value})
    assert (run.code, run.out, run.err) == (0, "-l -- -x\n", "")


@pytest.mark.parametrize("args", [["--", "echo", "-l", "-h"], ["echo", "--", "-l", "-h"],
                                  ["-g", "--", "echo", "-l", "-h"], ["echo", "-g", "--", "-l", "-h"]], ids=" ".join)
def test_two_dashes_end_the_options(init, args):
    run = init.end(*args)
    assert (run.code, run.out) == (0, "-l -h\n")


def test_only_the_first_two_dashes_are_taken(init):
    assert init.end("--", "echo", "--", "a", "--").out == "-- a --\n"
    run = init.end("--", "--", "true")
    assert run.code == 1
    assert "No such file or directory" in run.err


def test_the_name_may_be_podman_init(init, both):
    assert init.end("-V", name="podman-init", mode=both).out.startswith("tini version ")
    assert init.end("true", "-x", name="podman-init", mode=both).code == 1
    assert init.end("--", "/nonexistent", name="podman-init", mode=both).code == 1


# ---- exit codes ----

@pytest.mark.parametrize("code", CODES)
def test_the_childs_code(init, both, code):
    assert init.end("--", "sh", "-c", f"exit {code}", mode=both).code == code


@pytest.mark.parametrize("sig", DEADLY)
def test_the_childs_signal(init, both, programs, sig):
    assert init.end("--", programs.prog, "die", sig, mode=both).code == 128 + sig


@pytest.mark.parametrize("path", EXECS)
def test_what_cannot_be_run(init, both, path):
    run = init.end("-g", "--", path, mode=both)
    assert (run.code, run.out) == (1, "")
    assert re.search(rf"^ERROR \(catatonit:\d+\): failed to exec pid1: {EXECS[path]}$", run.err, re.M)


def test_a_script_without_an_interpreter_is_the_shells(init, workdir):
    script = workdir / "script"
    script.write_text("echo $0 $1; exit 7\n")
    script.chmod(0o755)
    run = init.end("--", script, "word")
    assert (run.code, run.out) == (7, f"{script} word\n")


# ---- what it says ----

@pytest.mark.parametrize("options", [[], ["-g"]], ids=str)
def test_it_says_nothing_unasked(init, both, options):
    run = init.end(*options, "--", "true", mode=both)
    assert (run.code, run.out, run.err) == (0, "", "")


@pytest.mark.parametrize("value", ["", "0", "1", "yes"])
def test_debug_needs_presence_only(init, both, value):
    run = init.end("--", "true", mode=both, env={"CATATONIT_DEBUG": value})
    assert (run.code, run.out) == (0, "")
    assert "DEBUG (catatonit:" in run.err


# ---- signals ----

def test_each_signal_goes_to_the_child_alone(pair, both):
    run, main, other = pair(mode=both)
    send_each(run, FORWARDED - {signal.SIGUSR1}, main)
    assert set(recorded_signals(main)) == FORWARDED - {signal.SIGUSR1}
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert not set(recorded_signals(other)) - {signal.SIGTERM, signal.SIGCONT}      # those are of the end


def test_each_signal_goes_to_the_group(pair, both):
    run, main, other = pair("-g", mode=both)
    send_each(run, FORWARDED - {signal.SIGUSR1}, main, other)
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


@pytest.mark.parametrize("options", [[], ["-g"]], ids=str)
def test_what_is_not_forwarded(pair, both, options):
    """CHLD, job control, which is swallowed; as PID 1 the signals of faults (elsewhere they end it)."""
    run, main, _ = pair(*options, mode=both)
    send_in_vain(run, {signal.SIGCHLD} | JOB | (FAULTS if both == "pid1" else set()), main)
    assert process(run.pid).state != "T"


def test_signals_from_inside(pair, both):
    run, main, _ = pair(mode=both)
    for sig in (1, 15, 34, 64):
        assert run.run("/bin/kill", f"-{sig}", process(run.pid).inner).code == 0
        wait_signal(main, sig)


def test_queued_signals_are_not_merged(pair):
    run, main, _ = pair()
    for _ in range(50):
        run.signal(40)
    wait_for(lambda: recorded_signals(main).count(40) == 50)


def test_a_stopped_child_is_left_alone(init, workdir, programs, both):
    log = workdir / "log"
    run = init("--", programs.prog, "stopself", log, mode=both)
    wait_for_text(log, "ready")
    [command] = run.programs()
    wait_for(lambda: process(command.pid).state == "T")
    assert process(run.pid).state != "T"
    run.signal(signal.SIGCONT)
    wait_for_text(log, "cont")


# ---- the child's world ----

def test_the_child_leads_a_group_in_the_same_session(child, both):
    it = child(mode=both)
    assert it.pgrp == it.pid
    assert it.session != it.pid


INHERITED = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGPIPE, 34, 64} | JOB


def test_dispositions_are_as_they_were(child, both):
    assert child(mode=both, ignore=INHERITED).signals("SigIgn") == INHERITED
    assert child(mode=both).signals("SigIgn") == set()


def test_the_mask_is_as_it_was_plus_job_control(child, both):
    assert child(mode=both).signals("SigBlk") == JOB
    blocked = {signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD, signal.SIGTTIN, 40}
    assert child(mode=both, block=blocked).signals("SigBlk") == blocked | JOB


def test_signals_that_it_got_blocked_are_forwarded(pair, both):
    run, main, _ = pair(mode=both, block=FORWARDED)
    send_each(run, {1, 2, 12, 15, 34, 64}, main)


def test_it_is_always_a_subreaper(init, programs, both):
    run = init("--", "sh", "-c", f"{programs.prog} escape sleep 1000; echo up; exec sleep 2000", mode=both)
    run.wait_line("up", stream="out")
    orphan = wait_for(lambda: next((p for p in run.programs() if p.argv == ["sleep", "1000"]), None))
    assert orphan.ppid == run.pid
    os.kill(orphan.pid, signal.SIGKILL)
    wait_for(lambda: process(orphan.pid) is None, what="the orphan's reaping")
    assert run.running


def test_the_child_keeps_directory_and_descriptors(init, workdir):
    before = ["/bin/sh", "-c", 'exec 7</dev/zero; exec "$@"', "sh"]
    run = init.end("--", "sh", "-c", "pwd; readlink /proc/self/fd/7", before=before)
    assert run.out == f"{workdir}\n/dev/zero\n"


@pytest.mark.newer
def test_it_lives_in_the_root_directory(init, both):
    run = init("--", "sh", "-c", "echo up; exec sleep 1000", mode=both)
    run.wait_line("up", stream="out")
    wait_for(lambda: os.readlink(f"/proc/{run.pid}/cwd") == "/", timeout=2 if init.real else BOUND)


def test_it_holds_none_of_the_childs_descriptors(init, workdir, both):
    """The pipe's reader sees its end when the child closes it."""
    fifo = workdir / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    before = ["/bin/sh", "-c", f'exec 7>{fifo}; exec "$@"', "sh"]
    run = init("--", "sh", "-c", "exec 7>&-; echo up; exec sleep 1000", mode=both, before=before)
    run.wait_line("up", stream="out")

    def ended():
        try:
            return os.read(reader, 1) == b""
        except BlockingIOError:                         # somebody has the other end
            return False

    wait_for(ended)
    os.close(reader)


def listen_pid(init, shells_pid, mode):
    """What the child sees: its own pid, LISTEN_PID, LISTEN_FDS and descriptor 3."""
    before = ["/bin/sh", "-c", f'LISTEN_PID={shells_pid} LISTEN_FDS=1 exec "$@" 3</dev/zero', "sh"]
    command = "echo $$ $LISTEN_PID $LISTEN_FDS $(readlink /proc/self/fd/3)"
    run = init.end("--", "sh", "-c", command, mode=mode, before=before)
    return run.out.split()


def test_listen_pid_becomes_the_childs(init, both):
    """Socket activation, when it is meant for the init: the shell that becomes it."""
    pid, listen, *rest = listen_pid(init, "$$", both)
    assert (pid, rest) == (listen, ["1", "/dev/zero"])


def test_anothers_listen_pid_stays(init, both):
    assert listen_pid(init, "999", both)[1:] == ["999", "1", "/dev/zero"]


# ---- pause ----

def takes(run, sig):
    """The signal no longer has its default action there."""
    return sig in signals_of(proc_status(run.pid, "SigBlk")) | signals_of(proc_status(run.pid, "SigCgt"))


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("args", [["-P"], ["-gP"], ["-P", "touch", "it"], ["touch", "it", "-P"]], ids=" ".join)
def test_pause_starts_nothing_and_ends_well(init, workdir, both, args, sig):
    run = init(*args, mode=both)
    wait_for(lambda: takes(run, sig))
    assert not run.programs()
    run.signal(sig)
    assert run.wait() == 0
    assert (run.out, run.err) == ("", "")
    assert not (workdir / "it").exists()


def test_pause_ignores_the_rest(init, both):
    run = init("-P", mode=both)
    wait_for(lambda: takes(run, signal.SIGTERM))
    for sig in SENDABLE - FAULTS - {signal.SIGTERM, signal.SIGINT}:
        run.signal(sig)
        assert process(run.pid).state != "T"
    assert wake_ups(run, 0.5) == 0
    assert run.running
    run.signal(signal.SIGTERM)
    assert run.wait() == 0


def test_pause_reaps(init, programs):
    run = init("-P")
    wait_for(lambda: takes(run, signal.SIGTERM))
    assert run.run(programs.prog, "escape", "true").code == 0
    wait_for(lambda: [p.pid for p in run.processes()] == [run.pid], what=run.describe)


# ---- at a terminal ----

def test_the_child_is_in_the_foreground(init, terminal, programs, both):
    run = init("--", programs.prog, "tty", mode=both, **at(terminal))
    shown = tty_line(terminal)
    assert shown["pgrp"] == shown["pid"] == shown["foreground"] != shown["sid"]
    assert run.wait() == 0


def test_the_interrupt_key_reaches_the_child_once(init, terminal, workdir, programs, both):
    log = workdir / "log"
    run = init("--", programs.prog, "record", log, "10:0", mode=both, **at(terminal))
    wait_for_text(log, "ready")
    terminal.type("\x03")
    wait_for_text(log, "^2 ")
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert recorded_signals(log) == [2, 10]


def test_the_stop_key_stops_nobody(init, terminal, workdir, programs, both):
    """The child has it blocked: it waits there."""
    log = workdir / "log"
    run = init("--", programs.prog, "obey", log, mode=both, **at(terminal))
    wait_for_text(log, "ready")
    [command] = run.programs()
    terminal.type("\x1a")
    wait_for(lambda: signal.SIGTSTP in signals_of(proc_status(command.pid, "ShdPnd")))
    assert process(command.pid).state == process(run.pid).state == "S"
    terminal.type("\x03")
    assert run.wait() == 130


def test_a_terminal_that_controls_nobody_is_no_error(init, terminal, both):
    run = init("--", "true", mode=both, stdin=terminal.slave)
    assert run.wait() == 0
    assert run.err == ""


# ---- the end, and what theirs does wrong ----

def test_with_nothing_left_it_exits_at_once(init, both):
    took = []
    for _ in range(3):
        run = init.end("--", "true", mode=both)
        took.append(run.exited_at - run.started_at)
    assert min(took) < 1


@pytest.mark.defect(1)
def test_an_ignored_sigchld_does_not_matter(init, both):
    run = init("--", "sh", "-c", "exit 3", mode=both, ignore=[signal.SIGCHLD])
    assert run.wait(2 if init.real else BOUND) == 3


@pytest.mark.limit(300)
@pytest.mark.parametrize("options", [[], pytest.param(["-g"], marks=pytest.mark.defect(2))], ids=str)
def test_no_early_signal_is_lost(init, both, options):
    lose_no_early_signal(init, *options, mode=both)


@pytest.mark.defect(3)
@pytest.mark.parametrize("options", [[], ["-g"]], ids=str)
def test_what_is_left_may_finish(init, workdir, programs, both, options):
    finish_what_is_left(init, workdir, programs, *options, mode=both)


@pytest.mark.defect(4)
@pytest.mark.parametrize("options", [[], ["-g"]], ids=str)
def test_a_grace_is_kept(init, workdir, programs, both, options):
    obey_a_grace(init, workdir, programs, *options, mode=both)


@pytest.mark.defect(4)
def test_what_is_left_and_ignores_everything_is_killed(init, workdir, programs, both):
    end_what_ignores_everything(init, workdir, programs, mode=both)


@pytest.mark.defect(5)
def test_a_term_that_was_ignored_reaches_the_child(init, workdir, programs, both):
    log = workdir / "log"
    run = init("--", programs.prog, "obey", log, mode=both, ignore=[signal.SIGTERM])
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait(2 if init.real else BOUND) == 143


@pytest.mark.parametrize("options", [[], ["-g"], ["-P"]], ids=str)
def test_it_does_not_wake_up_for_nothing(init, workdir, programs, both, options):
    log = workdir / "log"
    run = init(*options, "--", programs.prog, "obey", log, mode=both)
    if options != ["-P"]:
        wait_for_text(log, "ready")
    assert wake_ups(run, 3) == 0


def test_the_terminal_is_found_where_it_is_not_stdin(init, terminal, programs, both):
    """A shell has read its word from it first, and made another stdin."""
    run = init("--", programs.prog, "tty", mode=both, before=["/bin/sh", "-c", 'exec "$@" </dev/null', "sh"],
               **at(terminal))
    shown = tty_line(terminal)
    assert shown["pgrp"] == shown["foreground"]
    assert run.wait() == 0
