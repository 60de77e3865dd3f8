"""The command line without a configuration: options, their variables, verbs or commands, what is refused."""
import os
import signal

import pytest

from lc import ROOT, recorded_signals, wait_for, wait_for_text

OPTIONS = ["config", "grace", "reserve", "announce", "ports", "ready", "stop-signal", "http", "control", "report",
           "log", "rewrite", "expect-exit", "kill-mode", "pdeathsig", "sweep"]


def one_line(run):
    lines = run.err.splitlines()
    assert len(lines) == 1, run.err
    assert lines[0].startswith("lastcall")
    return lines[0]


def test_help_names_every_option_and_verb(start):
    run = start("--help", mode="host")
    assert run.wait() == 0
    assert run.err == ""
    for name in OPTIONS:
        assert f"--{name}" in run.out
    for verb in ("check", "plan", "status", "drain", "resume", "prestop", "shutdown", "start", "stop", "restart",
                 "reload", "signal", "probe"):
        assert verb in run.out


def test_short_help_is_the_same(start):
    short, long = start("-h", mode="host"), start("--help", mode="host")
    assert (short.wait(), long.wait()) == (0, 0)
    assert short.out == long.out


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("verb", ["check", "prestop", "probe", "signal"])
def test_help_of_a_verb(start, verb, option):
    run = start(verb, option, mode="host")
    assert run.wait() == 0
    assert run.err == ""
    assert run.out.startswith("Usage: lastcall") and f" {verb} " in run.out


@pytest.mark.parametrize("verb, options", [
    ("check", ["--strict", "--json", "--platform NAME"]), ("plan", ["--json", "--svg FILE"]), ("rehearse", ["-n RUNS"]),
    ("simulate", ["--with NAME=DUR|hang|fail", "--late DUR", "--again DUR:SIG", "--json"]),
])
def test_help_of_a_verb_names_its_options(start, verb, options):
    run, wrong = start(verb, "--help", mode="host"), start(verb, "--nonsense", "x", mode="host")
    assert (run.wait(), wrong.wait()) == (0, 2)
    assert all(option in run.out and option in wrong.err for option in options), (run.out, wrong.err)


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version(start, option):
    run = start(option, mode="host")
    assert run.wait() == 0
    assert run.out.startswith("lastcall ")
    assert len(run.out.splitlines()) == 1


def test_version_works_as_pid_1(start):
    assert start("-V").wait() == 0


@pytest.mark.parametrize("words", [
    ["--grace", "5s"], ["--grace=5s"], ["-g", "5s"], ["-g5s"], ["--grace", "auto"], ["--reserve", "200ms"],
    ["--announce", "1s"], ["--announce", "1s..2s"], ["--ports", "3000"], ["--ports", "3000,8080"],
    ["--stop-signal", "QUIT"], ["--stop-signal", "SIGQUIT"], ["--stop-signal", "3"], ["--stop-signal", "RTMIN+3"],
    ["--http", "off"], ["--control", "off"], ["--report", "off"], ["--log", "text"], ["--log", "json"],
    ["--rewrite", "TERM:INT"], ["--rewrite", "15:2"], ["--rewrite", "TERM:INT", "--rewrite", "INT:TERM"],
    ["--expect-exit", "7"], ["--expect-exit", "0"], ["--expect-exit", "255"], ["--kill-mode", "main"],
    ["--kill-mode", "group"], ["--pdeathsig", "TERM"], ["--sweep", "on"], ["--sweep", "off"], ["-v"], ["-q"],
    ["-v", "-v"], ["-g", "1m30s", "-q", "--sweep", "on"]], ids=" ".join)
def test_accepted(start, words):
    assert start(*words, "--", "sh", "-c", "exit 3", mode="sub").wait() == 3


def test_options_end_at_the_command(start):
    run = start("-g", "5s", "echo", "-h", "--grace", "--", "-V", mode="sub")
    assert run.wait() == 0
    assert run.out == "-h --grace -- -V\n"


def test_only_the_first_double_dash_is_taken(start):
    run = start("--", "echo", "--", "x", mode="sub")
    assert run.wait() == 0
    assert run.out == "-- x\n"


def test_arguments_arrive_byte_for_byte(start):
    words = ["", " a b ", "*", "$HOME", 'q"\'', "\\n", "\xff\u2603"]
    run = start("--", "printf", "<%s>", *words)
    assert run.wait() == 0
    assert run.out == "".join(f"<{w}>" for w in words)


@pytest.mark.parametrize("words", [
    ["--nope"], ["--nope=1"], ["-Z"], ["--grace", "10"], ["--grace", "10x"], ["--grace", ""],
    ["--grace", "-5s"], ["--grace", "5s5"], ["--grace", "99999999999999999999s"], ["--reserve", "5"],
    ["--announce", "10"], ["--announce", "5s..2s"], ["--announce", "5s.."], ["--announce", "..5s"],
    ["--announce", "x"], ["--ports", "0"], ["--ports", "65536"], ["--ports", "http"], ["--ports", "80,,81"],
    ["--ready", "maybe"], ["--ready", "tcp"], ["--stop-signal", "NOPE"], ["--stop-signal", "65"],
    ["--stop-signal", "0"], ["--http", "nowhere"], ["--http", ":0x50"], ["--http", ":65536"], ["--http", "1.2.3:80"],
    ["--log", "xml"], ["--rewrite", "TERM"], ["--rewrite", "TERM:"], ["--rewrite", ":TERM"], ["--rewrite", "15::12"],
    ["--rewrite", "15:derp"], ["--rewrite", "65:1"], ["--rewrite", ""], ["--expect-exit", "256"],
    ["--expect-exit", "-1"], ["--expect-exit", "x"], ["--expect-exit", ""], ["--kill-mode", "both"],
    ["--pdeathsig", "NOPE"], ["--sweep", "maybe"]], ids=" ".join)
def test_refused_with_one_line_and_nothing_started(start, workdir, words):
    run = start(*words, "--", "touch", workdir / "ran", mode="sub")
    assert run.wait() == 2
    line = one_line(run)
    assert words[0].split("=")[0] in line
    if len(words) > 1 and words[1]:
        assert words[1] in line
    assert run.out == ""
    assert not (workdir / "ran").exists()


def test_a_bare_number_is_told_what_to_write(start):
    run = start("--grace", "10", "--", "true", mode="sub")
    assert run.wait() == 2
    assert "10s" in run.err


def test_an_unknown_option_is_told_the_nearest(start):
    run = start("--grase", "10s", "--", "true", mode="sub")
    assert run.wait() == 2
    assert "--grace" in run.err


@pytest.mark.parametrize("option", ["--grace", "-g", "--rewrite"])
def test_an_option_without_its_value(start, option):
    run = start(option, mode="sub")
    assert run.wait() == 2
    assert run.err.startswith(f"lastcall: error: {option} needs a value")


@pytest.mark.parametrize("words", [[], ["--"], ["-g", "5s"], ["-g", "5s", "--"], ["--", ""]], ids=" ".join)
def test_no_command(start, words):
    run = start(*words, mode="sub")
    assert run.wait() == 2
    assert run.err.startswith("lastcall: ")
    assert run.out == ""


def test_a_missing_file_is_a_configuration_error(start, workdir):
    run = start("-c", workdir / "none.ini", "--", "touch", workdir / "ran", mode="sub")
    assert run.wait() == 78
    assert "none.ini" in run.err
    assert not (workdir / "ran").exists()


def test_usage_errors_also_as_pid_1(start):
    assert start("--nope", "--", "true").wait() == 2


# ---- variables ----

VALUES = {"GRACE": "5s", "RESERVE": "300ms", "ANNOUNCE": "0s", "PORTS": "3000", "READY": "tcp 127.0.0.1:3000",
          "STOP_SIGNAL": "QUIT", "HTTP": "off", "CONTROL": "off", "REPORT": "off", "LOG": "text",
          "REWRITE": "USR1:USR2", "EXPECT_EXIT": "9", "KILL_MODE": "main", "PDEATHSIG": "TERM", "SWEEP": "on"}


def test_option_variables_are_removed_from_the_child(start, both):
    env = {f"LASTCALL_{k}": v for k, v in VALUES.items()}
    run = start("--", "env", mode=both, env={**env, "LASTCALL": "1", "OTHER": "x"})
    assert run.wait() == 0, run.err
    names = {line.split("=")[0] for line in run.out.splitlines()}
    assert not names & set(env)
    assert {"LASTCALL", "OTHER", "PATH", "HOME"} <= names


def test_a_lastcall_inside_a_lastcall_starts_clean(start, programs):
    run = start("--", programs.lastcall, "--", "sh", "-c", "exit 9", env={"LASTCALL_EXPECT_EXIT": "9"})
    assert run.wait() == 0
    run = start("--", programs.lastcall, "--", "sh", "-c", "exit 8", env={"LASTCALL_EXPECT_EXIT": "9"})
    assert run.wait() == 8


@pytest.mark.parametrize("name, value", [
    ("GRACE", "10"), ("ANNOUNCE", "5s..1s"), ("KILL_MODE", "both"), ("STOP_SIGNAL", "NOPE"), ("REWRITE", "x"),
    ("EXPECT_EXIT", "300"), ("PORTS", "http"), ("LOG", "xml"), ("SWEEP", "maybe"), ("HTTP", "nowhere")])
def test_a_bad_variable_is_named(start, workdir, name, value):
    run = start("--", "touch", workdir / "ran", mode="sub", env={f"LASTCALL_{name}": value})
    assert run.wait() == 2
    line = one_line(run)
    assert f"LASTCALL_{name}" in line and value in line
    assert not (workdir / "ran").exists()


def test_the_environment_is_as_good_as_the_command_line(start, workdir, programs):
    log = workdir / "log"
    run = start("--", programs.prog, "record", log, "12:0", env={"LASTCALL_REWRITE": "TERM:USR2"})
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert recorded_signals(log) == [12]


def test_the_command_line_wins_over_the_environment(start, workdir, programs):
    main, other = workdir / "main", workdir / "other"
    run = start("--kill-mode", "main", "--", "sh", "-c",
                f"{programs.prog} record {other} 10:0 & exec {programs.prog} record {main} 12:0",
                env={"LASTCALL_KILL_MODE": "group"})
    wait_for_text(main, "ready")
    wait_for_text(other, "ready")
    run.signal(signal.SIGUSR1)
    run.signal(signal.SIGUSR2)
    run.wait()
    assert 10 in recorded_signals(main)
    assert 10 not in recorded_signals(other)


# ---- verbs and commands ----

def test_a_first_word_that_is_no_verb_is_the_command(start):
    run = start("echo", "status")
    assert run.wait() == 0
    assert run.out == "status\n"


def test_after_the_dashes_a_verb_is_a_command(start, workdir):
    script = workdir / "status"
    script.write_text("#!/bin/sh\necho mine \"$@\"\n")
    script.chmod(0o755)
    run = start("--", "status", "--json", env={"PATH": f"{workdir}:/usr/bin:/bin"})
    assert run.wait() == 0
    assert run.out == "mine --json\n"


@pytest.mark.parametrize("verb", ["status", "drain", "resume", "prestop", "shutdown"])
def test_as_pid_1_a_verb_names_the_dashes(start, verb):
    run = start(verb)
    assert run.wait() != 0
    assert "--" in one_line(run)


@pytest.mark.parametrize("words", [["status"], ["drain"], ["resume"], ["prestop"], ["shutdown"], ["stop", "web"],
                                   ["signal", "web", "HUP"], ["probe", "ready"]], ids=" ".join)
def test_a_verb_without_a_running_lastcall(start, words):
    run = start(*words, mode="sub")
    assert run.wait() == 1
    assert "lastcall" in one_line(run)


def test_shebang(start, workdir, programs):
    script = workdir / "script"
    script.write_text(f"#!{programs.lastcall} /bin/sh\necho \"$0 $*\"; exit 5\n")
    script.chmod(0o755)
    run = start("a", "b c", mode="sub", binary=script)
    assert run.wait() == 5
    assert run.out == f"{script} a b c\n"


def test_nothing_is_said_about_a_command_that_ends_well(start, both):
    run = start("--", "true", mode=both)
    assert run.wait() == 0
    assert run.err == "" and run.out == ""


def test_the_repository_is_not_the_working_directory(start):
    """The command runs where lastcall was started."""
    run = start("--", "pwd", cwd="/usr")
    assert run.wait() == 0
    assert run.out == "/usr\n" and str(ROOT) not in run.out


def test_json_lines(start, workdir, programs):
    import json
    log = workdir / "log"
    run = start("--log", "json", "-g", "5s", "--", programs.prog, "record", log, "15:0")
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    lines = run.err.splitlines()
    assert lines
    for line in lines:
        assert isinstance(json.loads(line), dict)


def test_quiet_says_nothing_about_a_clean_stop(start, workdir, programs):
    log = workdir / "log"
    run = start("-q", "-g", "5s", "--", programs.prog, "record", log, "15:0")
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert run.err == ""


def test_control_socket_is_told_to_the_command(start, workdir):
    sock = workdir / "c.sock"
    run = start("--control", sock, "--", "sh", "-c", "echo $LASTCALL_SOCKET; exec sleep 1000")
    run.wait_line(f"^{sock}$", stream="out")
    wait_for(sock.exists)
    answer = run.verb("status", env={"LASTCALL_SOCKET": str(sock)})
    assert answer.code == 0 and "running" in answer.out
    run.signal(signal.SIGTERM)
    assert run.wait() == 128 + signal.SIGTERM
    assert not sock.exists()


def test_no_helper_unless_asked_for(start):
    run = start("--", "sh", "-c", "echo up; exec sleep 1000")
    run.wait_line("up", stream="out")
    assert run.helpers() == []
    assert not run.path("/run/lastcall.sock").exists()


def test_http_for_one_command(start, workdir, programs):
    log = workdir / "log"
    run = start("--http", ":9180", "--", programs.prog, "record", log, "10:0")
    wait_for_text(log, "ready")
    wait_for(lambda: run.http("GET", "/readyz").code == 200)
    assert run.http("GET", "/livez").code == 200
    run.signal(signal.SIGTERM)
    wait_for_text(log, "^15 ")
    assert run.http("GET", "/readyz").code == 503
    assert run.http("GET", "/livez").code == 200
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


def test_a_port_in_use_is_125(start, workdir):
    holder = ("import os, socket, sys\ns = socket.socket(); s.bind(('127.0.0.1', 9180)); s.listen()\n"
              "s.set_inheritable(True)\nos.execv(sys.argv[1], sys.argv[1:])")
    run = start("--http", "127.0.0.1:9180", "--", "touch", workdir / "ran", before=["/usr/bin/python3", "-c", holder])
    assert run.wait() == 125
    assert "9180" in one_line(run)
    assert not (workdir / "ran").exists()


def test_pid_is_the_only_process_that_signals_reach(start):
    """The command has a process group of its own."""
    run = start("--", "sh", "-c", "echo up; exec sleep 1000", mode="sub")
    run.wait_line("up", stream="out")
    [command] = run.programs()
    assert command.pgrp == command.pid != os.getpgid(run.pid)
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


# ---- readiness of one command ----

def test_ready_file(start, workdir, programs):
    log, flag = workdir / "log", workdir / "flag"
    run = start("--http", ":9180", "--ready", f"file {flag}", "--", programs.prog, "obey", log)
    wait_for_text(log, "ready")
    wait_for(lambda: run.http("GET", "/livez").code == 200)
    assert run.http("GET", "/readyz").code == 503
    flag.touch()
    wait_for(lambda: run.http("GET", "/readyz").code == 200)


def test_ready_tcp(start, workdir):
    server = "import socket, sys, time, os\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.01)\n" \
             "s = socket.socket(); s.bind(('127.0.0.1', 3000)); s.listen(); time.sleep(1000)"
    run = start("--http", ":9180", "--ready", "tcp 127.0.0.1:3000 every 100ms", "--", "/usr/bin/python3", "-c", server,
                workdir / "go")
    wait_for(lambda: run.http("GET", "/livez").code == 200)
    assert run.http("GET", "/readyz").code == 503
    (workdir / "go").touch()
    wait_for(lambda: run.http("GET", "/readyz").code == 200)


def test_ready_newline_on_a_descriptor(start, workdir, programs):
    go = workdir / "go"
    run = start("--http", ":9180", "--ready", "fd 3", "--", "sh", "-c",
                f"until test -e {go}; do sleep 0.05; done; echo >&3; exec 3>&-; exec sleep 1000")
    wait_for(lambda: run.http("GET", "/livez").code == 200)
    assert run.http("GET", "/readyz").code == 503
    go.touch()
    wait_for(lambda: run.http("GET", "/readyz").code == 200)


# ---- size ----

def test_many_and_long_arguments(start):
    words = [f"{n:05d}" + "x" * 95 for n in range(5000)] + ["y" * 100000]
    run = start("--", "sh", "-c", 'echo $#; eval echo \\${#$#}', "sh", *words)
    assert run.wait() == 0
    assert run.out == "5001\n100000\n"


def test_a_large_environment(start):
    env = {f"V{n}": "x" * 100 for n in range(3000)}
    run = start("--", "env", env={**env, "LASTCALL_GRACE": "5s", "Z": "y" * 100000})
    assert run.wait() == 0
    lines = run.out.splitlines()
    assert len(lines) == 3000 + 4
    assert not [line for line in lines if line.startswith("LASTCALL_")]
