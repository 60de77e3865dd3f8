"""What a service gets: its words, environment, directory, umask, descriptors, session; and what it does not get."""
import re

import pytest

from cfg import *
from lc import proc_status, signals_of

OPTIONS = ["CONFIG", "GRACE", "RESERVE", "ANNOUNCE", "PORTS", "READY", "STOP_SIGNAL", "HTTP", "CONTROL", "REPORT", "LOG",
           "REWRITE", "EXPECT_EXIT", "KILL_MODE", "PDEATHSIG", "SWEEP"]


@pytest.fixture
def words(app):
    """words(text, keys="", env=...): what a command with these words gets, as one text "[a][b]"."""
    def look(text, keys="", **more):
        run = app(f"[service a]\ntype = oneshot\ncommand = @args a {text}\n{keys}\n", **more)
        assert run.wait() == 0, run.describe()
        return run.find("a args")[0][len("a args "):]
    return look


@pytest.mark.parametrize("text,result", [
    ("one two", "[one][two]"), ("  one \t two  ", "[one][two]"), ("'one two' three", "[one two][three]"),
    ('"one two" three', "[one two][three]"), (r"one\ two", "[one two]"), ("''", "[]"), ('"" x ""', "[][x][]"),
    ("a'b c'd", "[ab cd]"), ('a"b c"d', "[ab cd]"), (r'"a\"b"', '[a"b]'), (r"'a\b'", r"[a\b]"), (r'"a\\b"', r"[a\b]"),
    (r"\'", "[']"), ("'it'\\''s'", "[it's]"), ("a;b", "[a;b]"), ('"a ; b"', "[a ; b]"), ("'a ; b' c", "[a ; b][c]"),
    ("a ; a comment", "[a]"), ("a#b", "[a#b]"), ("a = b", "[a][=][b]"), ("*.ini", "[*.ini]"), ("~", "[~]"), ("`ls`", "[`ls`]"),
    ("a | b > c && d", "[a][|][b][>][c][&&][d]"), ("$$", "[$]"), ("a$$b", "[a$b]"), ("'$$'", None), ("ü€", "[ü€]"),
    ("[x] {y}", "[[x]][{y}]"), ("%n%s", "[%n%s]"),
])
def test_words(words, text, result):
    got = words(text)
    assert got == result if result else got in ("[$]", "[$$]")


@pytest.mark.parametrize("text,result", [
    ("${A}", "[one]"), ("x${A}y", "[xoney]"), ("${NONE}", ""), ("x ${NONE} y", "[x][y]"), ('"${NONE}"', "[]"),
    ('x"${NONE}"y', "[xy]"), ("${A}${B}", "[onetwo words]"), ("${B}", "[two words]"), ('"${B}"', "[two words]"),
    ("${NONE:-word}", "[word]"), ("${A:-word}", "[one]"), ("${EMPTY:-word}", "[word]"), ("${A:+word}", "[word]"),
    ("${NONE:+word}", ""), ("${EMPTY:+word}", ""), ("$${A}", "[${A}]"), ("$$${A}", "[$one]"),
    ("--x=${NONE:-a}", "[--x=a]"), ("${QUOTES}", "[a'b\"c]"), ("${DOLLAR}", "[${A}]"),
])
def test_expansion(words, text, result):
    """No word is split or expanded again after the expansion."""
    env = {"A": "one", "B": "two words", "EMPTY": "", "QUOTES": "a'b\"c", "DOLLAR": "${A}"}
    if text == "${B}":
        assert words(text, env=env) in (result, "[two][words]")
    else:
        assert words(text, env=env) == result


def test_expansion_sees_the_services_own_environment(words):
    assert words("${COLOUR} ${LASTCALL_SERVICE}", "env = COLOUR=red") == "[red][a]"


def test_a_command_of_many_words(words):
    many = [f"w{n}" for n in range(60)]
    assert words(" ".join(many)) == "".join(f"[{w}]" for w in many)


@pytest.mark.parametrize("text", ["'open", '"open', "${A", "${}", "${A-b}", "${1}", "${A:=b}", "a\\", "${A:-${B}"])
def test_commands_that_are_refused(refused, text):
    err = refused(f"[service a]\ncommand = @args a {text}\n")
    assert "app.ini:2: error:" in err


# ---- the environment ----

@pytest.fixture
def shown(app):
    """shown(ini, **box): the environment that service a of this configuration got, as a dict."""
    def look(keys, *args, command="@show a all", head="", **more):
        run = app(f"{head}\n[service a]\ntype = oneshot\ncommand = {command}\n{keys}\n", *args, **more)
        assert run.wait() == 0, run.describe()
        return dict(e[2:].split("=", 1) for e in run.events() if re.match(r"a \w+=", e))
    return look


def test_it_inherits(shown):
    env = shown("", env={"COLOUR": "green"})
    assert env["COLOUR"] == "green" and env["PATH"]


def test_lastcalls_variables(shown, both):
    env = shown("", mode=both)
    assert env["LASTCALL_SERVICE"] == "a"
    assert env["LASTCALL_SOCKET"] == "/run/lastcall.sock"
    assert env.get("LASTCALL_REPLICA", "0") == "0"
    assert "NOTIFY_SOCKET" not in env


def test_option_variables_are_removed(shown):
    """So a lastcall inside lastcall starts clean; other names stay."""
    given = {f"LASTCALL_{n}": "1s" for n in OPTIONS if n in ("ANNOUNCE", "RESERVE")}
    given.update(LASTCALL_GRACE="20s", LASTCALL_PORTS="3000", LASTCALL_HTTP="off", LASTCALL_LOG="text", LASTCALL_KILL_MODE="group",
                 LASTCALL_SWEEP="on", LASTCALL_REPORT="off", LASTCALL_STOP_SIGNAL="TERM")
    env = shown("main = yes", env={**given, "LASTCALLED": "yes", "LASTCAL": "x"})
    assert not set(given) & set(env)
    assert env["LASTCALLED"] == "yes" and env["LASTCAL"] == "x"


def test_option_variables_are_removed_from_steps(app):
    run = app("""
        [service a]
        command = @svc a
        [drain d]
        command = @show d LASTCALL_GRACE LASTCALL_HTTP
    """, env={"LASTCALL_GRACE": "9s", "LASTCALL_HTTP": "off"}).ready()
    assert run.stop() == 0
    assert run.find("d LASTCALL_GRACE unset") and run.find("d LASTCALL_HTTP unset")


def test_env(shown):
    env = shown("env = COLOUR=red\nenv = SIZE='very big'\nenv = PATH=/bin:/usr/bin", env={"COLOUR": "green"})
    assert (env["COLOUR"], env["SIZE"], env["PATH"]) == ("red", "very big", "/bin:/usr/bin")


def test_env_of_all_and_of_one(shown):
    """A service key in [lastcall] is the default for all services."""
    env = shown("", head="[lastcall]\nenv = COLOUR=red")
    assert env["COLOUR"] == "red"


def test_env_clear_and_pass(shown):
    env = shown("env-clear = yes\nenv-pass = COLOUR\nenv = SIZE=1", env={"COLOUR": "green", "SECRET": "word"})
    assert env["COLOUR"] == "green" and env["SIZE"] == "1"
    assert "SECRET" not in env and "HOME" not in env
    assert env["LASTCALL_SERVICE"] == "a"


def test_env_file(shown, workdir):
    (workdir / "vars").write_text("# a comment\nCOLOUR=blue\n\nSIZE=two words\nQUOTED=\"a b\"\nEMPTY=\nA=b=c\n")
    env = shown("env-file = @W/vars", env={"COLOUR": "green"})
    assert env["COLOUR"] == "blue" and env["SIZE"] == "two words" and env["EMPTY"] == "" and env["A"] == "b=c"
    assert env["QUOTED"] in ("a b", '"a b"')


def test_env_over_env_file(shown, workdir):
    (workdir / "vars").write_text("COLOUR=blue\nSIZE=1\n")
    env = shown("env-file = @W/vars\nenv = COLOUR=red")
    assert env["COLOUR"] == "red" and env["SIZE"] == "1"


def test_env_file_is_read_at_each_spawn(app, workdir):
    (workdir / "vars").write_text("COLOUR=blue\n")
    run = app("""
        [service a]
        command = sh -c "@P show a COLOUR; exec @P svc a on=10:3"
        env-file = @W/vars
        restart-delay = 10ms..10ms
    """)
    run.wait_event("a COLOUR=blue")
    run.wait_event("a start")
    (workdir / "vars").write_text("COLOUR=red\n")
    assert run.control("POST", "/signal/a/USR1").code == 200
    run.wait_event("a COLOUR=red")
    run.wait_event("a start", 2)
    assert run.stop() == 0


def test_an_env_file_that_may_be_missing(shown):
    assert shown("env-file = -@W/nosuch")["LASTCALL_SERVICE"] == "a"


def test_an_env_file_that_may_not_be_missing(app, workdir):
    run = app("[service a]\ntype = oneshot\ncommand = @say a\nenv-file = @W/nosuch\n")
    assert run.wait() not in (0, None)
    assert str(workdir / "nosuch") in run.err and not run.events()


@pytest.mark.parametrize("content", ["x" * 300000 + "\n", "no equals sign\n", "=value\n", "1A=b\n", "A=\0b\n"])
def test_a_bad_env_file(app, workdir, content):
    """Said, with its name; the service has failed; lastcall goes on to its end."""
    (workdir / "vars").write_text(content)
    run = app("[service a]\ntype = oneshot\ncommand = @say a\nenv-file = @W/vars\n")
    code = run.wait()
    assert (code != 0 and str(workdir / "vars") in run.err) or run.find("a end")


# ---- directory, umask, descriptors, session, signals ----

@pytest.fixture
def inherited(app):
    def look(keys="", **more):
        run = app(f"[lastcall]\nhttp = :9180\n[service z]\ncommand = @svc z notify=READY=1\nready = notify\n"
                  f"[service a]\ntype = oneshot\nafter = z\ncommand = @inherit a\n{keys}\n", **more)
        run.wait_event("a shown")
        assert run.stop() == 0
        return run
    return look


def test_only_its_three_descriptors(inherited, both):
    run = inherited(mode=both)
    assert [str(e) for e in run.find("a fd")] == ["a fd 0", "a fd 1", "a fd 2"]


def test_a_descriptor_that_lastcall_inherited_is_not_lost(app):
    """Only 0, 1 and 2 go on in any case; nothing of lastcall's own does."""
    run = app("[service a]\ncommand = @svc a fd=9\nready = fd 9\n[service b]\ntype = oneshot\ncommand = @inherit b\nafter = a\n")
    run.wait_event("b shown")
    assert [str(e) for e in run.find("b fd")] == ["b fd 0", "b fd 1", "b fd 2"]
    assert run.stop() == 0


def test_session_and_stdin(inherited, both):
    run = inherited(mode=both)
    sid = run.find("a sid")[0].split()
    assert sid[2] == sid[4] == sid[6]
    assert run.find("a stdin 1:3")


def test_cwd_and_umask(inherited, workdir):
    (workdir / "sub").mkdir()
    run = inherited("cwd = @W/sub\numask = 027")
    assert run.find(f"a cwd {workdir}/sub") and run.find("a umask 027")


def test_defaults_of_cwd_and_umask(inherited, workdir):
    run = inherited(before=["/bin/sh", "-c", 'umask 013; exec "$@"', "sh"])
    assert run.find(f"a cwd {workdir}") and run.find("a umask 013")


@pytest.mark.parametrize("value", ["999", "0o22", "u=rwx", "-1", "07777", ""])
def test_a_bad_umask(refused, value):
    assert "app.ini:3:" in refused(f"[service a]\ncommand = @svc a\numask = {value}\n")


@pytest.mark.parametrize("inherited_mask", [{}, {"block": (15, 10, 17, 34, 64), "ignore": (1, 13, 17, 15, 33)}], ids=["", "dirty"])
def test_signals_are_clean(app, both, inherited_mask):
    """No signal blocked or ignored, whatever lastcall inherited."""
    run = app("[service a]\ncommand = @svc a default=1\n", mode=both, **inherited_mask).ready()
    run.wait_event("a start")
    pid = run.pid_of("a")
    assert signals_of(proc_status(pid, "SigBlk")) == set()
    assert signals_of(proc_status(pid, "SigIgn")) == set()
    assert run.stop() == 0


def test_a_relative_program_is_found_in_its_directory(app, workdir, cfg_prog):
    (workdir / "sub").mkdir()
    (workdir / "sub" / "tool").symlink_to(cfg_prog)
    run = app("[service a]\ntype = oneshot\ncwd = @W/sub\ncommand = ./tool say a\n")
    assert run.wait() == 0
    assert run.find("a end")


def test_the_path_of_the_service_finds_its_program(app, workdir, cfg_prog):
    (workdir / "sub").mkdir()
    (workdir / "sub" / "tool-of-mine").symlink_to(cfg_prog)
    run = app(f"[service a]\ntype = oneshot\nenv = PATH={workdir}/sub:/bin\ncommand = tool-of-mine say a\n")
    assert run.wait() == 0
    assert run.find("a end")


def test_nothing_runs_through_a_shell(app, workdir):
    run = app(f"[service a]\ntype = oneshot\ncommand = @args a ; touch {workdir}/made $(touch {workdir}/made) `touch @W/made`\n"
              .replace(" ; ", " \\; "))
    assert run.wait() == 0
    assert not (workdir / "made").exists()
