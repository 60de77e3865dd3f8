"""Called as dumb-init, lastcall is dumb-init. LASTCALL_PEERS=1 runs the tests on Debian's as well: see peers.py."""
from peers import *

init = inits("dumb-init")


# ---- command line ----

def test_no_command_is_an_error_with_usage(init, both):
    run = init.end(mode=both)
    assert (run.code, run.out) == (1, "")
    assert re.search(r"^Usage: .*dumb-init \[option\] ", run.err, re.M)
    assert "--help" in run.err


@pytest.mark.parametrize("args", [["-v"], ["-c", "--"], ["--"], ["-r", "15:2"]], ids=" ".join)
def test_options_alone_are_an_error_too(init, args):
    run = init.end(*args)
    assert (run.code, run.out) == (1, "")
    assert "Usage: " in run.err


@pytest.mark.parametrize("args", [["-h"], ["--help"], ["--he"], ["-ch"], ["-h", "touch", "it"], ["-hx"]], ids=" ".join)
def test_help_goes_to_stderr(init, workdir, args):
    run = init.end(*args)
    assert (run.code, run.out) == (0, "")
    assert "Usage: " in run.err
    for word in ("-c, --single-child", "-r, --rewrite", "-v, --verbose", "-h, --help", "-V, --version"):
        assert word in run.err
    assert not (workdir / "it").exists()


@pytest.mark.parametrize("args", [["-V"], ["--version"], ["--vers"], ["-cV"], ["-V", "touch", "it"]], ids=" ".join)
def test_version_goes_to_stderr(init, workdir, args):
    run = init.end(*args)
    assert (run.code, run.out) == (0, "")
    assert re.fullmatch(r"dumb-init v\d+\.\d+\.\d+.*\n", run.err)
    assert not (workdir / "it").exists()


@pytest.mark.parametrize("args", [["-x"], ["-cx", "touch", "it"], ["--foo", "touch", "it"], ["--ver", "touch", "it"],
                                  ["-r"], ["--rewrite"], ["--verbose=yes", "touch", "it"]], ids=" ".join)
def test_bad_options_are_errors(init, workdir, args):
    run = init.end(*args)
    assert (run.code, run.out) == (1, "")
    assert run.err
    assert not (workdir / "it").exists()


def test_options_end_at_the_command(init):
    run = init.end("-c", "echo", "-c", "-x", "--help", "--", "-V")
    assert (run.code, run.out, run.err) == (0, "-c -x --help -- -V\n", "")


def test_two_dashes_end_the_options(init):
    assert init.end("--", "echo", "-c").out == "-c\n"
    assert init.end("-c", "--", "echo", "--").out == "--\n"
    run = init.end("--", "--", "true")
    assert run.code == 2
    assert "[dumb-init] --: No such file or directory" in run.err


@pytest.mark.parametrize("options", [["-cv"], ["-vc"], ["-c", "-v", "-c"], ["--single-child", "--verbose"],
                                     ["--s", "--verb"], ["-vcr15:2"], ["-r", "15:2", "-cvr", "1:2"]], ids=" ".join)
def test_options_bundle_repeat_and_shorten(init, options):
    run = init.end(*options, "true")
    assert run.code == 0
    assert "Goodbye." in run.err
    assert "setsid complete." not in run.err


# ---- exit codes ----

@pytest.mark.parametrize("options", [[], ["-c"]], ids=str)
@pytest.mark.parametrize("path", EXECS)
def test_what_cannot_be_run(init, both, options, path):
    run = init.end(*options, path, mode=both)
    assert (run.code, run.out) == (2, "")
    assert f"[dumb-init] {path}: {EXECS[path]}\n" in run.err


# ---- what it says ----

DEBUG = pytest.mark.parametrize("options, env", [(["-v"], {}), ([], {"DUMB_INIT_DEBUG": "1"})], ids=["-v", "variable"])


@DEBUG
def test_verbose_lines_of_a_life(init, both, options, env):
    run = init.end(*options, "sh", "-c", "echo $$; exit 3", mode=both, env=env)
    pid = run.out.strip()
    assert run.code == 3
    assert all(line.startswith("[dumb-init] ") for line in run.err.splitlines())
    assert ordered(run.err, rf"\[dumb-init\] Child spawned with PID {pid}\.$")
    assert ordered(run.err, r"\[dumb-init\] setsid complete\.$")
    assert ordered(run.err, r"\[dumb-init\] Received signal 17\.$",
                   rf"\[dumb-init\] A child with PID {pid} exited with exit status 3\.$",
                   r"\[dumb-init\] Forwarded signal 15 to children\.$",
                   r"\[dumb-init\] Child exited with status 3\. Goodbye\.$")


@DEBUG
def test_verbose_lines_of_a_single_child(init, both, options, env):
    run = init.end("-c", *options, "sh", "-c", "echo $$; kill -KILL $$", mode=both, env=env)
    pid = run.out.strip()
    assert run.code == 137
    assert "setsid complete" not in run.err
    assert ordered(run.err, rf"\[dumb-init\] Child spawned with PID {pid}\.$", r"\[dumb-init\] Received signal 17\.$",
                   rf"\[dumb-init\] A child with PID {pid} was terminated by signal 9\.$",
                   r"\[dumb-init\] Child exited with status 137\. Goodbye\.$")


NO_TTY = ["Unable to detach from controlling tty (errno=25 Inappropriate ioctl for device).",
          "Unable to attach to controlling tty (errno=25 Inappropriate ioctl for device)."]


def ending(code):
    return ["Received signal 17.", f"A child with PID N exited with exit status {code}.", "Forwarded signal 15 to children.",
            f"Child exited with status {code}. Goodbye."]


@pytest.mark.parametrize("words, env, lines", [
    (["-v", "true"], {}, NO_TTY + ["setsid complete.", *ending(0)]),
    (["-vc", "true"], {}, ending(0)),
    (["true"], {"DUMB_INIT_DEBUG": "1", "DUMB_INIT_SETSID": "0"},
     ["Running in debug mode.", "Not running in setsid mode.", *ending(0)]),
    (["-v", "/nope"], {}, NO_TTY + ["setsid complete.", "/nope: No such file or directory", *ending(2)]),
    (["-vc", "/nope"], {}, ["/nope: No such file or directory", *ending(2)])], ids=str)
def test_verbose_lines_are_these_alone(init, both, words, env, lines):
    """Child and init write at the same time: their lines have no order."""
    run = init.end(*words, mode=both, env=env)
    said = [re.sub(r"PID \d+", "PID N", line) for line in run.err.splitlines()]
    assert sorted(said) == sorted("[dumb-init] " + line for line in ["Child spawned with PID N.", *lines])
    assert said[-3:] == ["[dumb-init] " + line for line in ending(2 if "/nope" in words else 0)[1:]]


def test_verbose_lines_of_the_terminals_hand_over(init, terminal, both):
    run = init.end("-v", "true", mode=both, stdin=terminal.slave, stdout=terminal.slave, ctty=True)
    assert ordered(run.err, "Detached from controlling tty, ignoring the first SIGHUP and SIGCONT we receive", "Child spawned")
    for sig in (1, 18):
        assert ordered(run.err, "Child spawned", rf"Received signal {sig}\.", rf"Ignoring tty hand-off signal {sig}\.")


def test_verbose_lines_of_signals(pair, both):
    run, main, _ = pair("-v", "-r", "15:2", "-r", "1:0", mode=both)
    for sig, becomes, said in ((12, 12, "Forwarded signal 12 to children"), (15, 2, "Forwarded signal 2 to children"),
                               (1, 0, "Not forwarding signal 0 to children")):
        run.signal(sig)
        run.wait_line(said)
        if becomes:
            wait_signal(main, becomes)
        assert ordered(run.err, rf"Received signal {sig}\.$",
                       *([rf"Translating signal {sig} to {becomes}\.$"] if becomes != sig else []), said)
    assert recorded_signals(main) == [12, 2]


def test_verbose_lines_of_other_children(init, workdir, programs):
    """As PID 1 it reaps what comes to it, and says so."""
    log = workdir / "log"
    run = init("-v", "sh", "-c", f"{programs.prog} orphans 3 10; exec {programs.prog} record {log} 10:0")
    wait_for_text(log, "ready")
    for status in (0, 1, 2):
        run.wait_line(rf"\[dumb-init\] A child with PID \d+ exited with exit status {status}\.$")
    assert run.running
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


@pytest.mark.parametrize("value", ["", "0", "11", "true", " 1"])
def test_debug_must_be_exactly_1(init, value):
    assert init.end("true", env={"DUMB_INIT_DEBUG": value}).err == ""


@pytest.mark.parametrize("value, single", [("0", True), ("1", False), ("", False), ("00", False), ("no", False)])
def test_setsid_must_be_exactly_0_to_be_off(init, value, single):
    err = init.end("-v", "true", env={"DUMB_INIT_SETSID": value}).err
    assert ("setsid complete." not in err) == single


# ---- rewriting ----

@pytest.mark.parametrize("rules, sends, gets", [
    (["15:2"], [15, 2, 1], [2, 2, 1]),
    (["15:2", "2:15", "3:3"], [15, 2, 3], [2, 15, 3]),
    (["1:31", "31:1"], [1, 31], [31, 1]),
    (["15:3", "2:0", "28:0"], [2, 28, 15, 12], [3, 12]),
    (["15:2", "15:12"], [15], [12]),
    (["1:0", "2:0", "3:0", "15:0"], [1, 2, 3, 15, 40], [40]),
    (["12:9"], [15], [15])], ids=str)
@pytest.mark.parametrize("options", [[], ["-c"]], ids=str)
def test_rewrites(pair, both, options, rules, sends, gets):
    """One step, not a chain; the last rule for a signal counts; 0 drops it."""
    run, main, _ = pair(*options, *[w for rule in rules for w in ("-r", rule)], mode=both)
    for sig in sends:
        before = len(recorded_signals(main))
        run.signal(sig)
        wait_for(lambda: len(recorded_signals(main)) > before or f"{sig}:0" in rules)
    wait_signal(main, gets[-1])
    assert recorded_signals(main) == gets


@pytest.mark.parametrize("option", [["-r", "15:10"], ["-r15:10"], ["--rewrite", "15:10"], ["--rewrite=15:10"],
                                    ["--rew=15:10"], ["-cr", "15:10"], ["-r", " 15:\t+10 "], ["-r+15:10x"]], ids=" ".join)
def test_ways_to_write_a_rewrite(pair, option):
    run, main, _ = pair(*option)
    run.signal(signal.SIGTERM)
    assert run.wait() == 0


@pytest.mark.parametrize("rule", ["", "herp", "herp:derp", "15", "15:", ":15", "15::12", "15:derp", "0", "0:1", "32:1",
                                  "1:32", "-1:2", "1:-1", "TERM:INT", "99999999999:1", "15 : 2"])
def test_bad_rewrites(init, workdir, both, rule):
    run = init.end("-r", rule, "touch", "it", mode=both)
    assert (run.code, run.out) == (1, "")
    assert "-r option takes <signum>:<signum>" in run.err
    assert "--help" in run.err
    assert not (workdir / "it").exists()


# ---- job control ----

def test_a_stop_signal_stops_both_and_cont_resumes_both(init, workdir, programs):
    log = workdir / "log"
    run = init("--", programs.prog, "obey", log, mode="sub")
    wait_for_text(log, "ready")
    [command] = run.programs()
    for sig in sorted(JOB):
        run.signal(sig)
        wait_for(lambda: process(command.pid).state == "T" and process(run.pid).state == "T", what=run.describe)
        run.signal(signal.SIGCONT)
        wait_for(lambda: process(command.pid).state == "S" and process(run.pid).state == "S", what=run.describe)


def test_a_stop_signal_reaches_the_whole_group_as_stop(pair):
    """Nobody can block that one."""
    run, main, other = pair(mode="sub")
    commands = run.programs()
    assert len(commands) == 2
    for sig in sorted(JOB):
        run.signal(sig)
        wait_for(lambda: {process(pid).state for pid in (run.pid, *(p.pid for p in commands))} == {"T"}, what=run.describe)
        run.signal(signal.SIGCONT)
        wait_for(lambda: {process(p.pid).state for p in commands} == {"S"}, what=run.describe)
    assert set(recorded_signals(main)) - {signal.SIGCHLD} == set(recorded_signals(other)) == {signal.SIGCONT}


def test_as_pid_1_a_stop_signal_stops_only_the_child(init, workdir, programs):
    log = workdir / "log"
    run = init("--", programs.prog, "obey", log)
    wait_for_text(log, "ready")
    [command] = run.programs()
    run.signal(signal.SIGTSTP)
    wait_for(lambda: process(command.pid).state == "T")
    assert process(run.pid).state != "T"
    run.signal(signal.SIGCONT)
    wait_for(lambda: process(command.pid).state == "S")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


def test_a_rewritten_stop_signal_still_stops_the_init(pair):
    run, main, _ = pair("-r", "21:15", "-r", "22:2", "-r", "20:1", mode="sub")
    for sig, got in ((21, 15), (22, 2), (20, 1)):
        run.signal(sig)
        wait_signal(main, got)
        wait_for(lambda: process(run.pid).state == "T", what=run.describe)
        before = recorded_signals(main).count(signal.SIGCONT)
        run.signal(signal.SIGCONT)
        wait_for(lambda: process(run.pid).state == "S", what=run.describe)
        wait_for(lambda: recorded_signals(main).count(signal.SIGCONT) == before + 1)
    assert recorded_signals(main) == [15, 18, 2, 18, 1, 18]


def test_a_single_childs_stop_signals_are_forwarded_as_they_are(pair):
    """The init stops all the same."""
    run, main, other = pair("-c", mode="sub")
    for n, sig in enumerate(sorted(JOB)):
        run.signal(sig)
        wait_signal(main, sig)
        wait_for(lambda: process(run.pid).state == "T", what=run.describe)
        run.signal(signal.SIGCONT)
        wait_for(lambda: process(run.pid).state == "S", what=run.describe)
        wait_for(lambda: recorded_signals(main).count(18) == n + 1)     # a stop signal drops a pending CONT
    assert recorded_signals(other) == []


# ---- the child's world ----

def test_the_child_leads_a_session(child, both):
    it = child(mode=both)
    assert it.pid == it.pgrp == it.session


def test_a_single_child_stays_in_session_and_group(child, both):
    it = child("-c", mode=both)
    assert it.pgrp == it.session != it.pid


@pytest.mark.parametrize("options", [[], ["-c"]], ids=str)
def test_nothing_is_blocked_nor_ignored(child, both, options):
    """Whatever it inherited, but for real-time signals that were ignored."""
    it = child(*options, mode=both, ignore=set(range(1, 32)), block=SENDABLE)
    assert it.signals("SigBlk") == it.signals("SigIgn") == it.signals("SigCgt") == set()


def test_what_was_ignored_or_blocked_is_forwarded(pair, both):
    run, main, _ = pair(mode=both, ignore=SENDABLE - {signal.SIGCHLD}, block=SENDABLE)
    send_each(run, {1, 2, 12, 15, 34, 64}, main)


# ---- at a terminal ----

def controlled(pid):
    """The process has a controlling terminal."""
    return read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[4] != "0"


def test_the_terminal_becomes_the_childs(init, terminal, programs, both):
    run = init("sh", "-c", f"{programs.prog} tty; exec sleep 1000", mode=both, **at(terminal))
    shown = tty_line(terminal)
    assert shown["foreground"] == shown["pgrp"] == shown["sid"] != process(run.pid).inner
    command = wait_for(lambda: next((p for p in run.programs() if p.argv[:1] == ["sleep"]), None))
    assert controlled(command.pid)
    assert not controlled(run.pid)
    terminal.type("\x03")
    assert run.wait() == 130


def test_a_single_child_shares_the_terminal(init, terminal, programs, both):
    run = init("-c", "sh", "-c", f"{programs.prog} tty; exec sleep 1000", mode=both, **at(terminal))
    shown = tty_line(terminal)
    assert shown["foreground"] == shown["pgrp"] == shown["sid"]
    assert controlled(run.pid)
    terminal.type("\x03")
    assert run.wait() == 130


def test_the_hand_over_of_the_terminal_is_not_seen_by_the_child(init, terminal, workdir, programs, both):
    """It costs the init a HUP and a CONT; later ones are forwarded as ever."""
    log = workdir / "log"
    run = init("--", programs.prog, "record", log, "10:0", mode=both, **at(terminal))
    wait_for_text(log, "ready")
    send_each(run, [12], log)
    assert recorded_signals(log) == [12]
    send_each(run, [1], log)
    send_each(run, [18], log)
    assert recorded_signals(log) == [12, 1, 18]
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


def test_without_a_terminal_the_first_hup_and_cont_are_forwarded(pair, both):
    run, main, _ = pair(mode=both)
    send_each(run, [1], main)
    send_each(run, [18], main)
    assert recorded_signals(main) == [1, 18]


# ---- the end, and what theirs does wrong ----

@pytest.mark.parametrize("options, gets", [([], [15]), (["-r", "15:1"], [1]), (["-r", "15:0"], []), (["-c"], [])],
                         ids=str)
def test_what_is_left_to_another_reaper_gets_what_theirs_sends(init, workdir, programs, options, gets):
    exit_at_once_where_orphans_go_elsewhere(init, workdir, programs, *options, gets=gets)
