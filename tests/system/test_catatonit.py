"""Called as catatonit, lastcall is catatonit. LASTCALL_PEERS=1 runs the tests on Debian's as well: see peers.py."""
from peers import *

init = inits("catatonit")


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

@pytest.mark.parametrize("path", EXECS)
def test_what_cannot_be_run(init, both, path):
    run = init.end("-g", "--", path, mode=both)
    assert (run.code, run.out) == (1, "")
    assert re.search(rf"^ERROR \(catatonit:\d+\): failed to exec pid1: {EXECS[path]}$", run.err, re.M)


# ---- what it says ----

@pytest.mark.parametrize("value", ["", "0", "1", "yes"])
def test_debug_needs_presence_only(init, both, value):
    run = init.end("--", "true", mode=both, env={"CATATONIT_DEBUG": value})
    assert (run.code, run.out) == (0, "")
    assert "DEBUG (catatonit:" in run.err


# ---- the child's world ----

INHERITED = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGPIPE, 34, 64} | JOB


def test_dispositions_are_as_they_were(child, both):
    assert child(mode=both, ignore=INHERITED).signals("SigIgn") == INHERITED
    assert child(mode=both).signals("SigIgn") == set()


def test_the_mask_is_as_it_was_plus_job_control(child, both):
    assert child(mode=both).signals("SigBlk") == JOB
    blocked = {signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD, signal.SIGTTIN, 40}
    assert child(mode=both, block=blocked).signals("SigBlk") == blocked | JOB


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


def test_pause_does_not_wake_up_for_nothing(init, both):
    run = init("-P", mode=both)
    wait_for(lambda: takes(run, signal.SIGTERM))
    assert wake_ups(run, 3) == 0


def test_pause_reaps(init, programs):
    run = init("-P")
    wait_for(lambda: takes(run, signal.SIGTERM))
    assert run.run(programs.prog, "escape", "true").code == 0
    wait_for(lambda: [p.pid for p in run.processes()] == [run.pid], what=run.describe)


# ---- at a terminal ----

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


def test_the_terminal_is_found_where_it_is_not_stdin(init, terminal, programs, both):
    """A shell has read its word from it first, and made another stdin."""
    run = init("--", programs.prog, "tty", mode=both, before=["/bin/sh", "-c", 'exec "$@" </dev/null', "sh"],
               **at(terminal))
    shown = tty_line(terminal)
    assert shown["pgrp"] == shown["foreground"]
    assert run.wait() == 0
