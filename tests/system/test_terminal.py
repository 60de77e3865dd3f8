"""Shells and other programs of a person at a terminal."""
import os
import re
import signal
import termios

import pytest

from lc import alive, marked_pids, process, read, recorded_signals, wait_for, wait_for_text, write_ini
from terminal import Shell, tty_line

INNER = {"bash": "bash --norc --noprofile", "dash": "dash -i", "ash": "busybox sh"}
ENV = {"PS1": "inner> ", "TERM": "dumb", "INPUTRC": "/dev/null", "HISTFILE": ""}
COMPLAINTS = ("no job control", "job control turned off", "can't access tty", "cannot set terminal process group")


@pytest.fixture
def shell_at(at_terminal, terminal):
    """An interactive bash at the terminal, in which a person types. its run: that of its box."""
    def begin(mode):
        run = at_terminal("--norc", "--noprofile", binary="/bin/bash", mode=mode, env={**ENV, "PS1": "outer> "})
        shell = Shell(terminal, "outer")
        shell.run = run
        return shell
    return begin


@pytest.fixture
def bash(shell_at):
    return shell_at("sub")


@pytest.fixture
def inner(workdir):
    """The words that start a shell which prompts with "inner> "."""
    (workdir / "inner").write_text("PS1='inner> ' exec bash --norc --noprofile\n")
    return f"sh {workdir}/inner"


def all_of(run):
    """Its processes, also those in namespaces of their own below; without the box's and the outer shell."""
    found = [process(pid) for pid in marked_pids(run.box.test_id)]
    return [p for p in found if p and p.state != "Z" and p.pid not in (run.pid, run.pid1, run.process.pid)]


def in_front(run, *argv):
    """Waits until the program with these words runs in the foreground of its terminal (cat: leads it); its Process."""
    def look():
        return next((p for p in all_of(run) if p.argv == list(map(str, argv)) and p.state != "T" and
                     p.foreground == p.pgrp and (p.pid == p.pgrp or p.argv != ["cat"])), None)
    return wait_for(look, what=lambda: f"{argv} in the foreground, of {all_of(run)}")


def work(run, terminal, name="inner", code=7):
    """What a person does at a shell that has job control."""
    shell = Shell(terminal, name)
    shell.type("sleep 1000")
    in_front(run, "sleep", 1000)
    shell.stop()
    shell.type("fg")
    in_front(run, "sleep", 1000)
    shell.key("c")
    shell.expect_prompt()
    shell.type("cat &")                 # it reads, and is in the background
    [cat] = wait_for(lambda: [p for p in all_of(run) if p.argv == ["cat"] and p.state == "T"])
    shell.expect_prompt()
    shell.type("kill -9 %1")
    wait_for(lambda: not alive(cat.pid))
    shell.expect_prompt()
    termios.tcsetwinsize(terminal.slave, (33, 177))
    shell.type("stty size >&2")
    terminal.expect("^33 177")
    shell.expect_prompt()
    shell.type(f"exit {code}")
    assert not [c for c in COMPLAINTS if c in terminal.screen.text]


WAYS = {
    "pid1": ("pid1", []),
    "no-ctty": ("pid1", []),
    "sub": ("sub", []),
    "kill-mode-main": ("pid1", ["--kill-mode", "main"]),
    "grace": ("sub", ["--grace", "5s"]),
    "helper": ("pid1", ["--http", ":9180"]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shell", INNER)
def test_a_shell_has_job_control(at_terminal, terminal, way, shell):
    mode, options = WAYS[way]
    run = at_terminal(*options, "--", *INNER[shell].split(), mode=mode, env=ENV, ctty=way != "no-ctty")
    work(run, terminal)
    assert run.wait() == 7


@pytest.mark.parametrize("line", [
    "{lc} -- {shell}", "{lc} --kill-mode main {shell}", "{lc} --grace 9s --http :9180 {shell}", "{lc} {lc} {shell}",
    "{lc} -- {shell} | cat", "{lc} -- {shell} </dev/tty", "(cd /; {lc} -- {shell})",
    "unshare --fork --pid --mount-proc {lc} {shell}"])
def test_a_shell_in_a_shell_has_job_control(bash, terminal, programs, inner, line):
    bash.type(line.format(lc=programs.lastcall, shell=inner))
    work(bash.run, terminal)
    assert bash.code() == (0 if "cat" in line.split() else 7)


def test_a_shell_in_another_terminal_has_job_control(bash, terminal, programs, inner, workdir):
    bash.type(f"script -qec '{programs.lastcall} {inner}' /dev/null")
    shell = Shell(terminal, "inner")
    shell.type("sleep 1000")
    in_front(bash.run, "sleep", 1000)
    shell.stop()
    shell.type("exit; exit 7")
    assert bash.code() == 7


@pytest.mark.parametrize("mode", ["pid1", "sub"])
def test_a_shell_that_is_a_service_has_job_control(at_terminal, terminal, workdir, mode):
    ini = write_ini(workdir / "a.ini", "[lastcall]", "grace = 5s", "control = off", "[service shell]", "main = yes",
                    "tty = yes", "command = bash --norc --noprofile", "[service other]", "command = sleep 2000")
    run = at_terminal("-c", ini, mode=mode, env=ENV)
    work(run, terminal)
    assert run.wait() == 7


# ---- the interrupt key ----

@pytest.mark.parametrize("how", ["{}", "{} </dev/null", "{} | cat", "true | {}", "(true; {}; true)",
                                 "script -qec '{}' /dev/null"])
def test_the_interrupt_key_arrives_once(bash, terminal, workdir, programs, how):
    log = workdir / "log"
    bash.type(how.format(f"{programs.lastcall} {programs.prog} record {log} 10:0"))
    wait_for_text(log, "ready")
    [command] = [p for p in all_of(bash.run) if p.argv[1:2] == ["record"]]
    bash.key("c")
    wait_for_text(log, "^2 ")
    os.kill(command.pid, signal.SIGUSR1)
    bash.expect_prompt()
    assert recorded_signals(log) == [2, 10]


@pytest.mark.parametrize("line", ["for i in 1 2 3; do {}; done", "{}; sleep 2000", "{} | cat; sleep 2000"])
def test_the_interrupt_key_ends_what_the_shell_does(bash, programs, line):
    """It goes by its child's death: the key's signal has reached the command alone."""
    bash.type(line.format(f"{programs.lastcall} sleep 1000"))
    in_front(bash.run, "sleep", 1000) if "cat" not in line else wait_for(lambda: len(all_of(bash.run)) == 3)
    bash.key("c")
    assert bash.code() == 130


@pytest.mark.parametrize("how", ["{}", "{} </dev/null", "{} | cat"])
def test_a_resize_arrives_once(bash, terminal, workdir, programs, how):
    log = workdir / "log"
    bash.type(how.format(f"{programs.lastcall} {programs.prog} record {log} 10:0"))
    wait_for_text(log, "ready")
    [command] = [p for p in all_of(bash.run) if p.argv[1:2] == ["record"]]
    termios.tcsetwinsize(terminal.slave, (33, 77))
    wait_for_text(log, "^28 ")
    os.kill(command.pid, signal.SIGUSR1)
    bash.expect_prompt()
    assert recorded_signals(log) == [28, 10]


# ---- the stop key ----

@pytest.mark.parametrize("options", ["", "--kill-mode main", "--grace 9s", "--http :9180", "-- {lc}", "-c {ini} --"])
@pytest.mark.parametrize("command", ["{prog} obey {log}", "sh -c '{prog} obey {log}; exit $?'"], ids=["alone", "group"])
def test_the_stop_key_gives_the_prompt_back_and_fg_resumes(bash, terminal, workdir, programs, options, command):
    log = workdir / "log"
    ini = write_ini(workdir / "a.ini", "[lastcall]", "control = off", "tty = yes")
    options = options.format(lc=programs.lastcall, ini=ini)
    bash.type(f"{programs.lastcall} {options} {command.format(prog=programs.prog, log=log)}")
    wait_for_text(log, "ready")
    for _ in range(3):
        bash.stop()
        assert "T" not in process(bash.run.pid).state
        wait_for(lambda: {p.state for p in all_of(bash.run) if p.argv != ["lastcall-net"]} == {"T"})
        bash.type("fg")
        wait_for(lambda: not [p for p in all_of(bash.run) if p.state == "T"])
        in_front(bash.run, programs.prog, "obey", log)
    bash.key("c")
    assert bash.code() == 130 if "ini" not in options else True


@pytest.mark.parametrize("line", ["{lc} cat | cat", "{lc} {lc} cat | cat", "cat | {lc} {lc} cat",
                                  "{lc} {lc} cat | {lc} {lc} cat"])
def test_the_stop_key_stops_a_whole_pipeline(bash, terminal, programs, line):
    bash.type(line.format(lc=programs.lastcall))
    in_front(bash.run, "cat")
    terminal.type("one\n")
    terminal.expect("^one\\s+one")
    bash.stop()
    bash.type("fg")
    in_front(bash.run, "cat")
    terminal.type("two\n")
    terminal.expect("^two\\s+two")
    bash.key("d")
    assert bash.code() == 0


def test_the_stop_key_stops_a_whole_script(bash, terminal, workdir, programs):
    log = workdir / "log"
    (workdir / "script").write_text(f"{programs.lastcall} {programs.prog} obey {log}\necho after $?\n")
    bash.type("sh script")
    wait_for_text(log, "ready")
    bash.stop()
    bash.type("fg")
    in_front(bash.run, str(programs.prog), "obey", str(log))
    bash.key("c")
    terminal.expect("after 130")
    assert bash.code() == 0


# Not sh: it would wait for its vfork, unstoppable, if the key came in the middle of one.
RESUMES = "trap 'echo resumed' CONT; echo up; while :; do sleep 0.02; done"


def test_the_stop_key_stops_nobody_that_nobody_could_resume(at_terminal, terminal, both):
    """A session's leader, as after `ssh -t` and as PID 1: no shell is above."""
    run = at_terminal("--", "bash", "-c", RESUMES, mode=both)
    terminal.expect("^up")
    for _ in range(3):
        terminal.type("\x1a")
        terminal.expect("resumed")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


def test_bg_and_fg_of_a_command_that_runs(bash, terminal, programs):
    """fg of a job that runs gives it the terminal and sends no signal."""
    until = "echo up; while :; do sleep 0.02; test -e go && break; done; read x; echo got $x"
    bash.type(f"{programs.lastcall} bash -c '{until}'")
    terminal.expect("^up")
    bash.stop()
    bash.type("bg")
    bash.expect_prompt()
    wait_for(lambda: not [p for p in all_of(bash.run) if p.state == "T"])
    assert terminal.foreground == bash.run.pid
    bash.type("fg")
    wait_for(lambda: terminal.foreground != bash.run.pid)
    bash.run.box.workdir.joinpath("go").touch()
    terminal.type("word\n")
    terminal.expect("^got word")
    assert bash.code() == 0


def test_a_stop_tells_others_what_the_terminal_would_have_told_them(bash, terminal, workdir, programs):
    """The key: its signal, once, to those in the pipeline. A stop by hand: nothing. To another job: nothing ever."""
    logs = [workdir / name for name in ("log", "pipeline", "other")]
    records = [f"{programs.prog} record {log} 10:0" for log in logs[1:]]
    bash.type(records[1] + " &")
    bash.expect_prompt()
    bash.type(f"{programs.lastcall} {programs.prog} obey {logs[0]} </dev/tty | {records[0]}")
    for log in logs:
        wait_for_text(log, "ready")
    [command] = [p for p in all_of(bash.run) if p.argv[1:2] == ["obey"]]
    [lastcall] = [p for p in all_of(bash.run) if p.argv[0] == str(programs.lastcall)]
    os.kill(command.pid, signal.SIGTTIN)    # not to be told from a try: it gets the terminal, as one that waits for it
    in_front(bash.run, programs.prog, "obey", logs[0])

    def stop(how):
        how()
        wait_for(lambda: [process(p.pid).state for p in (command, lastcall)] == ["T", "T"])
        os.kill(lastcall.pid, signal.SIGCONT)
        wait_for(lambda: [process(p.pid).state for p in (command, lastcall)] == ["S", "S"])
        in_front(bash.run, programs.prog, "obey", logs[0])

    stop(lambda: os.kill(command.pid, signal.SIGSTOP))
    stop(lambda: os.kill(command.pid, signal.SIGTTOU))
    stop(lambda: bash.key("z"))
    for p in all_of(bash.run):
        if "record" in p.argv:
            os.kill(p.pid, signal.SIGUSR1)
    for log in logs[1:]:
        wait_for_text(log, "^10 ")
    bash.key("c")
    bash.expect_prompt()
    assert [recorded_signals(log) for log in logs[1:]] == [[20, 10], [10]]


@pytest.mark.parametrize("sig", [signal.SIGSTOP, signal.SIGTTIN])
def test_a_stop_by_hand_where_the_key_is_ignored(bash, programs, sig):
    """Whoever has started it ignores TSTP: it stops with its command all the same."""
    bash.type(f"(trap '' TSTP; exec {programs.lastcall} sleep 1000)")
    in_front(bash.run, "sleep", "1000")
    [command] = [p for p in all_of(bash.run) if p.argv == ["sleep", "1000"]]
    os.kill(command.pid, sig)
    bash.expect_prompt()
    bash.type("fg")
    in_front(bash.run, "sleep", "1000")
    bash.key("c")
    assert bash.code() == 130


def test_stop_and_continue_at_once(start, workdir, programs):
    """Whatever of it comes first, both run in the end."""
    log = workdir / "log"
    run = start("--", programs.prog, "obey", log, mode="sub")
    wait_for_text(log, "ready")
    for _ in range(200):
        run.signal(signal.SIGTSTP)
        run.signal(signal.SIGCONT)
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


# ---- programs that want the terminal ----

@pytest.mark.parametrize("line", ["{lc} sleep 1000 &", "unshare --fork --pid --mount-proc {lc} sleep 1000 &",
                                  "{lc} {lc} sleep 1000 &", "{lc} -c {ini} -- sleep 1000 &",
                                  "(set -m; {lc} sleep 1000 &)"])
def test_in_the_background_it_takes_nothing(bash, terminal, programs, workdir, line):
    """In a pid namespace of its own all groups outside have the same number, 0."""
    ini = write_ini(workdir / "a.ini", "[lastcall]", "control = off", "tty = yes")
    bash.type(line.format(lc=programs.lastcall, ini=ini))
    bash.expect_prompt()
    wait_for(lambda: [p for p in all_of(bash.run) if p.argv[0] == "sleep"])
    assert terminal.foreground == bash.run.pid
    bash.type("echo still here")
    terminal.expect("^still here")



def test_in_the_background_it_stops_when_it_reads(bash, terminal, programs):
    bash.type(f"{programs.lastcall} cat &")
    bash.expect_prompt()
    wait_for(lambda: [p.state for p in all_of(bash.run)] == ["T", "T"])
    bash.type("fg")
    in_front(bash.run, "cat")
    terminal.type("hello\n")
    terminal.expect("^hello\\s+hello")
    bash.key("d")
    assert bash.code() == 0


def test_where_nobody_could_bring_it_forward_it_does_not_wait_for_ever(bash, terminal, programs, workdir):
    """Its group is an orphan, and alone its read would fail: here it is hung up, as all that an orphan has stopped."""
    script = 'trap "echo hup >told" HUP; until test -e go; do sleep 0.02; done; read x </dev/tty; exit 3'
    bash.type(f"({programs.lastcall} -- sh -c '{script}' &)")
    bash.expect_prompt()                # until then its group has the foreground, and the read would wait for a key
    (workdir / "go").touch()
    wait_for(lambda: read(workdir / "told") == "hup\n")
    wait_for(lambda: not all_of(bash.run), what=lambda: f"the end of {all_of(bash.run)}")


ASKS = "sh -c 'cat; read x </dev/tty; echo got $x'"


@pytest.mark.parametrize("line", [f"echo hi | {{lc}} {ASKS}", f"{{lc}} echo hi | {ASKS}",
                                  f"{{lc}} echo hi | {{lc}} {ASKS}",
                                  f"(echo hi; {{lc}} true) | {ASKS}",
                                  f"sh -c 'echo hi | {{lc}} {ASKS[:5]} '\\''{ASKS[7:-1]}'\\'"],
                         ids=["last", "first", "both", "group", "script"])
def test_in_a_pipeline_who_asks_gets_the_terminal(bash, terminal, programs, line):
    bash.type(line.format(lc=programs.lastcall))
    terminal.expect("^hi")
    terminal.type("word\n")
    terminal.expect("^got word")
    assert bash.code() == 0


def test_in_a_pipeline_the_first_keeps_nothing_that_the_last_asks_for(bash, terminal, programs):
    asks = "read y; echo $y; read x </dev/tty; echo got $x"
    bash.type(f"{programs.lastcall} sh -c 'echo hi; exec sleep 1000' | sh -c '{asks}'")
    terminal.expect("^hi")
    terminal.type("word\n")
    terminal.expect("^got word")
    bash.key("c")
    bash.expect_prompt()


@pytest.mark.parametrize("line", ["seq 500 | {lc} busybox less", "{lc} seq 500 | busybox less",
                                  "{lc} busybox less numbers",
                                  "{lc} -- {lc} busybox less numbers", "{lc} {lc} seq 500 | {lc} {lc} busybox less"])
def test_less(bash, terminal, programs, workdir, line):
    (workdir / "numbers").write_text("".join(f"{n}\n" for n in range(1, 501)))
    termios.tcsetwinsize(terminal.slave, (24, 80))
    bash.type(line.format(lc=programs.lastcall))
    terminal.expect(r"23\r")
    terminal.type("G")
    terminal.expect(r"500\r")
    terminal.type("q")
    assert bash.code() == 0
    bash.type("stty -a")
    terminal.expect(r"[^-]icanon")


@pytest.mark.parametrize("options", ["", "--kill-mode main", "-- {lc}"])
def test_vi(bash, terminal, programs, workdir, options):
    bash.type(f"{programs.lastcall} {options.format(lc=programs.lastcall)} busybox vi text")
    terminal.expect("~")
    wait_for(lambda: not terminal.canonical())
    terminal.type("ihello")
    terminal.expect("hello")
    terminal.type("\x1b")
    terminal.expect(r"- text \[Mod")
    bash.stop()
    bash.type("fg")
    terminal.expect(r"- text \[Mod")
    terminal.type("A world")
    terminal.expect("world")
    terminal.type("\x1b")
    terminal.expect(r"- text \[Mod")
    terminal.type(":wq\r")
    assert bash.code() == 0
    assert read(workdir / "text") == "hello world\n"


def test_a_password_is_not_shown(bash, terminal, programs):
    bash.type(f"{programs.lastcall} -- bash -c 'read -s -p word: x; echo; test $x = secret && echo right'")
    terminal.expect("^word:")
    wait_for(lambda: not termios.tcgetattr(terminal.slave)[3] & termios.ECHO)
    terminal.type("secret\n")
    terminal.expect("^right")
    assert bash.code() == 0
    assert terminal.screen.text.count("secret") == 1    # in the command line


def test_a_password_from_the_terminal_while_input_is_a_file(bash, terminal, programs):
    asks = 'import getpass; print(getpass.getpass() == "word")'
    bash.type(f"{programs.lastcall} /usr/bin/python3 -c '{asks}' </dev/null")
    terminal.expect("^Password:")
    wait_for(lambda: not termios.tcgetattr(terminal.slave)[3] & termios.ECHO)
    terminal.type("word\n")
    terminal.expect("^True")
    assert bash.code() == 0


# ---- the end ----

@pytest.mark.parametrize("sig", [signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("line", ["{lc} busybox vi text", "seq 500 | {lc} busybox less", "{lc} {lc} busybox vi text"])
def test_after_a_crash_the_terminal_is_as_it_was(bash, terminal, programs, line, sig):
    bash.type("ulimit -c 0; stty -a >before; " + line.format(lc=programs.lastcall))
    terminal.expect("~|23")
    wait_for(lambda: not terminal.canonical())
    [command] = [p for p in all_of(bash.run) if p.argv[0] == "busybox"]
    os.kill(command.pid, sig)
    assert bash.code() == 128 + sig
    bash.type("stty -a >after")
    bash.expect_prompt()
    assert read(bash.run.box.workdir / "after") == read(bash.run.box.workdir / "before") != ""


def test_after_a_shell_was_killed_the_terminal_is_as_it_was(bash, terminal, programs, inner):
    """The terminal is neither the shell's nor lastcall's then, but that of the shell's job, which ends with it."""
    bash.type("stty -a >before")
    bash.expect_prompt()
    bash.type(f"{programs.lastcall} {inner}")
    Shell(terminal, "inner").type("busybox vi text")
    terminal.expect("~")
    wait_for(lambda: not terminal.canonical())
    [shell] = [p for p in all_of(bash.run) if p.argv == ["bash", "--norc", "--noprofile"]]
    os.kill(shell.pid, signal.SIGKILL)
    assert bash.code() == 137
    bash.type("stty -a >after")
    bash.expect_prompt()
    assert read(bash.run.box.workdir / "after") == read(bash.run.box.workdir / "before") != ""


def test_a_service_that_crashed_starts_again_with_the_terminal_as_it_was(at_terminal, terminal, workdir, programs):
    ini = write_ini(workdir / "a.ini", "[lastcall]", "grace = 5s", "control = off", "[service vi]", "main = yes",
                    "tty = yes", "restart = always", "command = sh -c 'stty -a >>settings; exec busybox vi text'")
    run = at_terminal("-c", ini, env=ENV)
    for n in (1, 2):
        wait_for(lambda: read(workdir / "settings").count("icanon") == n and not terminal.canonical())
        os.kill(in_front(run, "busybox", "vi", "text").pid, signal.SIGKILL)
    wait_for(lambda: read(workdir / "settings").count("icanon") == 3)
    run.signal(signal.SIGTERM)
    run.wait()
    assert "-icanon" not in read(workdir / "settings")


def test_in_a_session_without_terminal(bash, terminal, programs):
    bash.type(f"setsid --wait {programs.lastcall} -- sh -c '{programs.prog} tty; exit 4'")
    shown = tty_line(terminal)
    assert shown["foreground"] == -1 and shown["pid"] != shown["sid"]
    assert bash.code() == 4


@pytest.mark.parametrize("how", ["cut", "told"])
@pytest.mark.parametrize("line", ["{lc} sleep 1000", "{lc} sh inner", "{lc} {lc} sleep 1000",
                                  "{lc} --grace 5s sleep 1000",
                                  "{lc} sleep 1000 &", "{lc} cat | cat"])
def test_a_hang_up_ends_everything(shell_at, terminal, programs, inner, line, how):
    """The line goes dead, or the shell alone is told so.

    A bash forgets a HUP that comes while it writes its prompt, under lastcall and without: it looks for one, and
    then waits for a key. `strace -e inject=write:delay_exit=600000:when=1 bash` shows it. So it is told once it waits.
    """
    bash = shell_at("host")
    bash.type(line.format(lc=programs.lastcall))
    if "inner" in line:
        Shell(terminal, "inner")
    if "&" in line:
        bash.expect_prompt()
    wait_for(lambda: [p for p in all_of(bash.run) if p.argv[:1] in (["sleep"], ["bash"], ["cat"])])
    wait_for(lambda: all("S" in process(pid).state and re.search("poll|select|wait", read(f"/proc/{pid}/wchan"))
                         for pid in [bash.run.pid] + [p.pid for p in all_of(bash.run) if p.argv[0] == "bash"]))
    if how == "cut":
        terminal.cut()
    else:
        os.kill(bash.run.pid, signal.SIGHUP)
    assert bash.run.wait() == 129
    wait_for(lambda: not all_of(bash.run), what=lambda: f"the end of {all_of(bash.run)}")


@pytest.mark.parametrize("how", ["cut", "told"])
@pytest.mark.parametrize("line", ["{lc} sleep 1000", "{lc} cat | cat", "{lc} {lc} sleep 1000",
                                  "{lc} --kill-mode main sh -c 'sleep 1000; :'"])
def test_a_hang_up_ends_what_has_stopped(shell_at, terminal, programs, line, how):
    bash = shell_at("host")
    bash.type(line.format(lc=programs.lastcall))
    in_front(bash.run, *(["cat"] if "cat" in line else ["sleep", 1000]))
    bash.stop()
    if how == "cut":
        terminal.cut()
    else:
        os.kill(bash.run.pid, signal.SIGHUP)
    assert bash.run.wait() == 129
    wait_for(lambda: not all_of(bash.run), what=lambda: f"the end of {all_of(bash.run)}")


def test_under_nohup_a_hang_up_ends_nothing(shell_at, terminal, programs, workdir):
    bash = shell_at("host")
    bash.type(f"nohup {programs.lastcall} sh -c 'until test -e go; do sleep 0.05; done; echo over >told' >out 2>&1")
    wait_for(lambda: [p for p in all_of(bash.run) if p.argv[:1] == ["sleep"]])
    terminal.cut()
    wait_for(lambda: not alive(bash.run.pid))
    (workdir / "go").touch()
    wait_for(lambda: read(workdir / "told") == "over\n", what=lambda: read(workdir / "out"))
    assert bash.run.wait() == 129
    wait_for(lambda: not all_of(bash.run), what=lambda: f"the end of {all_of(bash.run)}")


def test_who_reached_for_a_terminal_that_has_gone_is_not_left_waiting(start, both):
    """The stop of a command that reads just when the line goes dead: its next try tells it."""
    run = start("--", "bash", "-c", RESUMES, mode=both)
    run.wait_line("up", stream="out")
    [command] = [p for p in run.programs() if p.pid == p.pgrp]
    for sig in (signal.SIGTTIN, signal.SIGTTOU):
        os.kill(command.pid, sig)
        wait_for(lambda: run.out.count("resumed") == sig - signal.SIGTSTP)
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


def test_a_hang_up_ends_the_shell_that_stands_alone(at_terminal, terminal, both):
    run = at_terminal("--", "bash", "--norc", "--noprofile", mode=both, env=ENV)
    shell = Shell(terminal, "inner")
    shell.type("sleep 1000 & cat")
    in_front(run, "cat")
    terminal.cut()
    assert run.wait() in (129, 0, 1)    # it was told so, or has seen the end of its input before
    assert run.left == []


# ---- as dumb-init: the command leads a session of its own ----

@pytest.fixture
def dumb_init(programs, workdir):
    (workdir / "dumb-init").symlink_to(programs.lastcall)
    return workdir / "dumb-init"


def test_as_dumb_init_the_command_leads_a_session_with_the_terminal(at_terminal, terminal, programs, dumb_init, both):
    run = at_terminal(programs.prog, "tty", binary=dumb_init, mode=both)
    shown = tty_line(terminal)
    assert shown["pid"] == shown["pgrp"] == shown["sid"] == shown["foreground"]
    assert run.wait() == 0


@pytest.mark.parametrize("shell", INNER)
def test_as_dumb_init_a_shell_has_job_control(at_terminal, terminal, dumb_init, shell, both):
    run = at_terminal(*INNER[shell].split(), binary=dumb_init, mode=both, env=ENV)
    work(run, terminal)
    assert run.wait() == 7


def test_as_dumb_init_what_comes_of_letting_the_terminal_go_is_not_forwarded(at_terminal, programs, workdir, dumb_init,
                                                                            both):
    log = workdir / "log"
    run = at_terminal(programs.prog, "record", log, "10:0", binary=dumb_init, mode=both)
    wait_for_text(log, "ready")
    for sig in (signal.SIGHUP, signal.SIGCONT):     # the first that others send are
        run.signal(sig)
        wait_for_text(log, f"^{int(sig)} ")
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    assert recorded_signals(log) == [1, 18, 10]


def test_as_dumb_init_who_leads_no_session_lets_go_for_itself_alone(at_terminal, terminal, programs, dumb_init):
    script = f'"$@"; {programs.prog} tty'
    run = at_terminal(programs.prog, "tty", binary=dumb_init, before=["/bin/sh", "-c", script, "sh"])
    command, shell = tty_line(terminal), tty_line(terminal, 1)
    assert command["pid"] == command["sid"] and command["foreground"] == -1
    assert shell["foreground"] == shell["pgrp"]
    assert run.wait() == 0


def test_as_dumb_init_the_command_keeps_an_input_that_is_no_terminal(start, dumb_init, both):
    ours, theirs = os.pipe()
    os.write(theirs, b"hello\n")
    os.close(theirs)
    run = start("sh", "-c", "read word; echo got $word", binary=dumb_init, mode=both, stdin=ours)
    os.close(ours)
    assert run.wait() == 0
    assert run.out == "got hello\n"
