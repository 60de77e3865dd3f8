"""Called as tini or docker-init, lastcall is tini. LASTCALL_PEERS=1 runs the tests on Debian's too: see peers.py."""
from peers import *

init = inits("tini")
PDEATH = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGSEGV",
          "SIGPIPE", "SIGALRM", "SIGTERM", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG",
          "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGSYS"]
WARNING = "zombie reaping won't work"


# ---- command line ----

def test_no_command_is_an_error_with_usage(init, both):
    run = init.end(mode=both)
    assert (run.code, run.out) == (1, "")
    assert re.search(r"^Usage: ", run.err, re.M)


@pytest.mark.parametrize("args", [["-s"], ["-v", "--"], ["--"]], ids=" ".join)
def test_options_alone_are_an_error_too(init, args):
    run = init.end(*args)
    assert (run.code, run.out) == (1, "")
    assert "Usage: " in run.err


@pytest.mark.parametrize("args", [["-h"], ["-sh"], ["-s", "-h", "true"], ["true", "-h"]], ids=" ".join)
def test_help(init, args):
    run = init.end(*args)
    assert (run.code, run.err) == (0, "")
    assert "Usage: " in run.out
    for word in ("--version", "-h", "-s", "-p ", "-v", "-w", "-g", "-e ", "-l", "TINI_SUBREAPER", "TINI_VERBOSITY",
                 "TINI_KILL_PROCESS_GROUP"):
        assert word in run.out


def test_version(init):
    """dockerd reads this line."""
    run = init.end("--version")
    assert (run.code, run.err) == (0, "")
    assert re.match(r"tini version \d+\.\d+\.\d+( - git\.\w+)?\n$", run.out)


@pytest.mark.parametrize("args", [["--version", "true"], ["-s", "--version"], ["--version", "--"],
                                  ["true", "--version"]], ids=" ".join)
def test_version_is_for_the_sole_argument(init, args):
    run = init.end(*args)
    assert (run.code, run.out) == (1, "")
    assert "Usage: " in run.err


@pytest.mark.parametrize("args", [["-l"], ["-sl", "touch", "it"], ["touch", "it", "-l"]], ids=" ".join)
def test_licence(init, workdir, args):
    run = init.end(*args)
    assert (run.code, run.err) == (0, "")
    assert re.search("licen[cs]e|warranty", run.out, re.I)
    assert not (workdir / "it").exists()


@pytest.mark.parametrize("args", [["-x"], ["-sx", "touch", "it"], ["--foo", "touch", "it"], ["touch", "it", "-x"],
                                  ["-e"], ["-p"], ["touch", "it", "-se"]], ids=" ".join)
def test_bad_options_are_an_error_with_usage(init, workdir, args):
    run = init.end(*args)
    assert (run.code, run.out) == (1, "")
    assert "Usage: " in run.err
    assert not (workdir / "it").exists()


def test_options_are_found_behind_the_command(init):
    """As GNU getopt does it: `tini ls -l` is about tini's own -l."""
    assert init.end("sh", "-e", "3", "--", "-c", "exit 3").code == 0
    assert "Usage: " in init.end("sh", "-c", "exit 0").err


def test_only_the_first_two_dashes_are_taken(init):
    assert init.end("--", "echo", "--", "a", "--").out == "-- a --\n"
    run = init.end("--", "--", "true")
    assert run.code == 127
    assert "exec -- failed: No such file or directory" in run.err


def test_options_bundle_and_repeat(init):
    """-v once is -v, thrice is more; an argument may follow its letter directly."""
    assert init.end("-swge3", "-e", "4", "-s", "-pSIGTERM", "--", "sh", "-c", "exit 3").code == 0
    run = init.end("-gsvvv", "--", "true", mode="sub")
    assert len(run.out.splitlines()) > len(init.end("-sgv", "--", "true", mode="sub").out.splitlines()) > 0


@pytest.mark.parametrize("name", ["docker-init", "tini-static"])
def test_other_names(init, both, name):
    assert init.end("--version", name=name, mode=both).out.startswith("tini version ")
    assert init.end("-e", "3", "--", "sh", "-c", "exit 3", name=name, mode=both).code == 0
    assert init.end("true", "-x", name=name, mode=both).code == 1


# ---- exit codes ----

@pytest.mark.parametrize("given, code, exits", [
    (["3"], 3, 0), (["3"], 4, 4), (["3", "4"], 3, 0), (["3", "4"], 4, 0), (["3", "4"], 5, 5), (["0"], 0, 0),
    (["255"], 255, 0), (["1", "1"], 1, 0), (["003"], 3, 0),
    ([" 5", "\t+6"], 6, 0), ([""], 0, 0)], ids=str)
def test_remapped_codes(init, given, code, exits):
    assert init.end(*[w for e in given for w in ("-e", e)], "--", "sh", "-c", f"exit {code}").code == exits


@pytest.mark.parametrize("given, exits", [("143", 0), ("15", 143)])
def test_remapped_signals(init, programs, given, exits):
    """It is the code that is remapped: 128 + n."""
    assert init.end("-e", given, "--", programs.prog, "die", 15).code == exits


def test_a_failed_exec_is_remapped_too(init):
    assert init.end("-e", "127", "--", "/nonexistent").code == 0


@pytest.mark.parametrize("code", ["256", "-1", "x", "3x", " ", "3 ", "99999999999999999999"])
def test_bad_codes_to_remap(init, workdir, code):
    run = init.end("-e", code, "touch", "it")
    assert (run.code, run.out) == (1, "")
    assert f"Not a valid option for -e: {code}" in run.err
    assert not (workdir / "it").exists()


@pytest.mark.parametrize("path", EXECS)
def test_what_cannot_be_run(init, both, path):
    run = init.end("-s", "--", path, mode=both)
    assert run.code == (127 if EXECS[path].startswith("No such") else 126)
    assert run.out == ""
    assert re.search(rf"^\[FATAL tini \(\d+\)\] exec {path} failed: {EXECS[path]}$", run.err, re.M)


def test_other_failures_of_exec_are_1(init, workdir):
    (workdir / "loop").symlink_to("loop")
    for path in (workdir / "loop", "/etc/passwd/file"):
        run = init.end("--", path)
        assert run.code == 1
        assert f"exec {path} failed: " in run.err


# ---- what it says ----

def test_the_warning_where_it_reaps_nothing(init):
    """Not PID 1 and no subreaper."""
    run = init.end("--", "true", mode="sub")
    assert (run.code, run.out) == (0, "")
    assert WARNING in run.err
    assert re.match(r"\[WARN  tini \(\d+\)\] Tini is not running as PID 1 and isn't registered as a child subreaper\.\n", run.err)


def test_no_warning_where_it_reaps(init, both):
    run = init.end("-s", "--", "true", mode=both)
    assert (run.code, run.out, run.err) == (0, "", "")
    assert init.end("--", "true").err == ""


@pytest.mark.parametrize("value", ["", "0", "no"])
def test_subreaper_by_environment_needs_presence_only(init, value):
    assert init.end("--", "true", mode="sub", env={"TINI_SUBREAPER": value}).err == ""


def test_verbosity_0_silences_warnings_not_failures(init):
    quiet = {"TINI_VERBOSITY": "0"}
    assert init.end("--", "true", mode="sub", env=quiet).err == ""
    assert "exec /nonexistent failed" in init.end("--", "/nonexistent", mode="sub", env=quiet).err


def test_verbosity_in_the_environment_wins(init):
    assert init.end("-svvv", "--", "true", mode="sub", env={"TINI_VERBOSITY": "1"}).out == ""
    run = init.end("-s", "--", "true", mode="sub", env={"TINI_VERBOSITY": "2"})
    assert run.out == init.end("-s", "--", "true", mode="sub", env={"TINI_VERBOSITY": "2"}).out != ""


@pytest.mark.parametrize("value, levels", [("", set()), ("x", set()), (" 2", {"INFO "}), ("+3x", {"INFO ", "DEBUG"}),
                                           ("-1", {"INFO ", "DEBUG", "TRACE"}), ("99999999999", {"INFO ", "DEBUG", "TRACE"})])
def test_verbosity_is_a_number_with_something_around_it(init, value, levels):
    assert {line[1:6] for line in init.end("-s", "true", env={"TINI_VERBOSITY": value}).out.splitlines()} == levels


def test_verbose_lines_go_to_stdout(init, both):
    """The child's name and pid, and how it ended."""
    run = init.end("-sv", "--", "sh", "-c", "echo $$ >&2; exit 3", mode=both)
    assert run.code == 3
    assert all(re.match(r"\[INFO  tini \(\d+\)\] ", line) for line in run.out.splitlines())
    assert ordered(run.out, rf"'sh' with pid '{run.err.strip()}'", "'3'")


def test_verbose_lines_of_signals(init, both):
    """Words for them, where a code is a number. What is not forwarded is not said to be."""
    run = init("-svv", "--", "sh", "-c", "echo up; exec sleep 1000", mode=both)
    run.wait_line("up", stream="out")
    run.signal(signal.SIGTTIN)
    run.signal(signal.SIGTERM)
    assert run.wait() == 143
    assert ordered(run.out, r"\] Passing signal: 'Terminated'", r"Main child exited with signal \(with signal 'Terminated'\)")
    assert run.out.count("Passing") == 1


def test_verbose_lines_of_what_cannot_be_run(init, both):
    """It is a child like others that fails."""
    run = init.end("-svv", "--", "/nonexistent", mode=both)
    pid = re.search(r"^\[FATAL tini \((\d+)\)\] exec ", run.err, re.M)[1]
    assert ordered(run.out, f"Spawned child process '/nonexistent' with pid '{pid}'", f"Reaped child with pid: '{pid}'",
                   r"Main child exited normally \(with status '127'\)")


def test_very_verbose_lines(init, workdir, both):
    once, twice, thrice = (init.end("-s", "-" + "v" * n, "--", "true", mode=both).out for n in (1, 2, 3))
    assert {line[1:6] for line in once.splitlines()} == {"INFO "}
    assert {line[1:6] for line in twice.splitlines()} == {"INFO ", "DEBUG"}
    assert {line[1:6] for line in thrice.splitlines()} == {"INFO ", "DEBUG", "TRACE"}


def test_w_warns_of_each_zombie_but_the_child(init, workdir, programs, both):
    log = workdir / "log"
    command = f"{programs.prog} orphans 3 10; exec {programs.prog} record {log} 10:0"
    run = init("-sw", "--", "sh", "-c", command, mode=both)
    wait_for_text(log, "ready")
    wait_for(lambda: len(run.err.splitlines()) == 3, what=run.describe)
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert re.fullmatch(r"(\[WARN  tini \(\d+\)\] Reaped zombie process with pid=\d+\n){3}", run.err)
    assert run.out == ""


def test_without_w_zombies_go_in_silence(init, workdir, programs, both):
    log = workdir / "log"
    command = f"{programs.prog} orphans 3 10; exec {programs.prog} record {log} 10:0"
    run = init("-s", "--", "sh", "-c", command, mode=both)
    wait_for_text(log, "ready")
    wait_for(lambda: [p.argv[1:2] for p in run.processes() if p.pid not in (run.pid, run.pid1)] == [["record"]])
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert run.err == ""


# ---- the child's world ----

INHERITED = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGPIPE, 34, 64} | JOB


def test_mask_and_dispositions_are_as_they_were(child, both):
    it = child("-s", mode=both, ignore=INHERITED, block={signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD, 40})
    assert it.signals("SigIgn") == INHERITED
    assert it.signals("SigBlk") == {signal.SIGTERM, signal.SIGUSR2, signal.SIGCHLD, 40}


def test_nothing_is_blocked_nor_ignored_otherwise(child, both):
    it = child("-s", mode=both)
    assert it.signals("SigBlk") == it.signals("SigIgn") == it.signals("SigCgt") == set()


def test_it_stays_in_its_directory(init, workdir):
    run = init("--", "sh", "-c", "echo up; exec sleep 1000")
    run.wait_line("up", stream="out")
    assert os.readlink(f"/proc/{run.pid}/cwd") == str(workdir)


# ---- subreaper, parent's death ----

@pytest.mark.parametrize("name", PDEATH)
def test_names_for_p(init, name):
    run = init.end("-p", name, "-s", "true", mode="sub")
    assert (run.code, run.err) == (0, "")


@pytest.mark.parametrize("name", ["TERM", "15", "sigterm", "SIGFOO", "SIG", "SIGTERM ", ""])
def test_bad_names_for_p(init, workdir, name):
    run = init.end("-p", name, "touch", "it")
    assert (run.code, run.out) == (1, "")
    assert f"Not a valid option for -p: {name}" in run.err
    assert not (workdir / "it").exists()


def test_p_tells_it_of_its_parents_death(init, workdir, programs):
    """The parent is a shell that ends once the child is up."""
    log = workdir / "log"
    script = f'("$@" & until test -s {log}; do sleep 0.01; done); until grep -q "^15 " {log}; do sleep 0.01; done'
    run = init("-s", "-p", "SIGTERM", "--", programs.prog, "record", log, mode="sub", may_leave=True,
               before=["/bin/sh", "-c", script, "sh"])
    assert run.wait() == 0


# ---- at a terminal ----

def test_the_stop_key_stops_the_child_alone(init, terminal, workdir, programs, both):
    log = workdir / "log"
    run = init("-s", "--", programs.prog, "obey", log, mode=both, **at(terminal))
    wait_for_text(log, "ready")
    [command] = run.programs()
    terminal.type("\x1a")
    wait_for(lambda: process(command.pid).state == "T")
    assert process(run.pid).state != "T"
    run.signal(signal.SIGCONT)
    wait_for(lambda: process(command.pid).state == "S")
    terminal.type("\x03")
    assert run.wait() == 130


# ---- the end, and what theirs does wrong ----

@pytest.mark.parametrize("options", [[], ["-g"]], ids=str)
def test_what_is_left_to_another_reaper_is_left_alone(init, workdir, programs, options):
    exit_at_once_where_orphans_go_elsewhere(init, workdir, programs, *options, gets=[])
