"""Configuration files: what is refused, where and with which words; check and plan; nothing is ever started for them."""
import json
import re

import pytest

from cfg import *
from lc import wait_for

GOOD = "[service web]\ncommand = @svc web\nmain = yes\n"

# the text, and for each error: its line, and a word that its message must hold
BAD = {
    "unknown section": ("[servce web]\ncommand = x\n", [(1, "service")]),
    "unknown key": ("[service web]\ncommnd = x\n", [(2, "command")]),
    "unknown key of lastcall": ("[lastcall]\ngrce = 5s\n" + GOOD, [(2, "grace")]),
    "unknown key of a drain": (GOOD + "[drain d]\ncommand = x\ntimeuot = 5s\n", [(6, "timeout")]),
    "a bare number": ("[lastcall]\ngrace = 30\n" + GOOD, [(2, "30s")]),
    "a word for a duration": ("[lastcall]\ngrace = soon\n" + GOOD, [(2, "soon")]),
    "a unit that is none": ("[lastcall]\ngrace = 5 days\n" + GOOD, [(2, "grace")]),
    "a negative duration": ("[lastcall]\ngrace = -5s\n" + GOOD, [(2, "grace")]),
    "a fraction": ("[lastcall]\ngrace = 1.5s\n" + GOOD, [(2, "grace")]),
    "no grace at all": ("[lastcall]\ngrace = 0s\n" + GOOD, [(2, "grace")]),
    "an overflow": ("[lastcall]\ngrace = 99999999999999999999h\n" + GOOD, [(2, "grace")]),
    "a repeated key": (GOOD + "command = y\n", [(4, "command")]),
    "a repeated section": (GOOD + "[service web]\ncommand = y\n", [(4, ":1")]),
    "no command": ("[service web]\nmain = yes\n", [(1, "command")]),
    "an empty command": ("[service web]\ncommand =\n", [(2, "command")]),
    "a name in capitals": ("[service Web]\ncommand = x\n", [(1, "Web")]),
    "a name with a dot": ("[service a.b]\ncommand = x\n", [(1, "a.b")]),
    "a name that begins with a dash": ("[service -a]\ncommand = x\n", [(1, "-a")]),
    "no name": ("[service]\ncommand = x\n", [(1, "name")]),
    "a long name": (f"[service {'a' * 49}]\ncommand = x\n", [(1, "48")]),
    "a very long name": (f"[service {'a' * 500}]\ncommand = x\n", [(1, "48")]),
    "two names": ("[service a b]\ncommand = x\n", [(1, "a b")]),
    "a key before any section": ("command = x\n" + GOOD, [(1, "section")]),
    "a line that is nothing": (GOOD + "what is this\n", [(4, "")]),
    "an open section": ("[service web\ncommand = x\n", [(1, "]")]),
    "a key without a value": ("[service web]\ncommand\n", [(2, "")]),
    "after of nobody": (GOOD + "after = nosuch\n", [(4, "nosuch")]),
    "after with a hint": ("[service database]\ncommand = x\n" + GOOD + "after = databse\n", [(6, "database")]),
    "after itself": (GOOD + "after = web\n", [(4, "web")]),
    "a circle": ("[service a]\ncommand = x\nafter = b\n[service b]\ncommand = x\nafter = a\n", [(None, "a")]),
    "a long circle": ("[service a]\ncommand = x\nafter = c\n[service b]\ncommand = x\nafter = a\n[service c]\ncommand = x\nafter = b\n",
                      [(None, "a")]),
    "drains in a circle": (GOOD + "[drain a]\ncommand = x\nafter = b\n[drain b]\ncommand = x\nafter = a\n", [(None, "a")]),
    "two mains": (GOOD + "[service b]\ncommand = x\nmain = yes\n", [(None, "main")]),
    "two terminals": ("[service a]\ncommand = x\ntty = yes\n[service b]\ncommand = x\ntty = yes\n", [(None, "tty")]),
    "a word that is neither yes nor no": ("[service web]\ncommand = x\nmain = maybe\n", [(3, "yes")]),
    "a type": ("[service web]\ncommand = x\ntype = daemon\n", [(3, "oneshot")]),
    "a policy": (GOOD + "restart = sometimes\n", [(4, "on-failure")]),
    "a signal": (GOOD + "stop-signal = TREM\n", [(4, "TREM")]),
    "a signal number": (GOOD + "stop-signal = 65\n", [(4, "65")]),
    "an escalation without after": (GOOD + "stop-signal = TERM, QUIT\n", [(4, "after")]),
    "an escalation without a unit": (GOOD + "stop-signal = TERM, QUIT after 8\n", [(4, "8")]),
    "an exit code": (GOOD + "success-exit = 256\n", [(4, "256")]),
    "an exit word": (GOOD + "success-exit = fine\n", [(4, "fine")]),
    "a check": (GOOD + "ready = htpp http://127.0.0.1/\n", [(4, "http")]),
    "a check without a target": (GOOD + "ready = tcp\n", [(4, "")]),
    "a check's port": (GOOD + "ready = tcp 127.0.0.1:99999\n", [(4, "99999")]),
    "a check's host name": (GOOD + "ready = http http://example.org/\n", [(4, "example.org")]),
    "https": (GOOD + "ready = http https://127.0.0.1/\n", [(4, "http")]),
    "a check's every": (GOOD + "ready = tcp 127.0.0.1:80 every 5\n", [(4, "5")]),
    "a check's word": (GOOD + "ready = tcp 127.0.0.1:80 evry 5s\n", [(4, "evry")]),
    "zero failures": (GOOD + "ready = tcp 127.0.0.1:80 failures 0\n", [(4, "failures")]),
    "live then": (GOOD + "live = tcp 127.0.0.1:80 then explode\n", [(4, "explode")]),
    "fd 1": (GOOD + "ready = fd 1\n", [(4, "fd")]),
    "fd x": (GOOD + "ready = fd x\n", [(4, "fd")]),
    "a kill-mode": (GOOD + "kill-mode = all\n", [(4, "group")]),
    "a limit": (GOOD + "restart-limit = 5\n", [(4, "in")]),
    "a delay upside down": (GOOD + "restart-delay = 10s..1s\n", [(4, "10s")]),
    "announce upside down": ("[lastcall]\nannounce = 10s..1s\n" + GOOD, [(2, "10s")]),
    "an env without =": (GOOD + "env = COLOUR\n", [(4, "=")]),
    "an open quote": ("[service web]\ncommand = echo 'a\n", [(2, "")]),
    "order": ("[lastcall]\norder = random\n" + GOOD, [(2, "parallel")]),
    "readiness-on-stop": ("[lastcall]\nreadiness-on-stop = off\n" + GOOD, [(2, "keep")]),
    "a drain of nothing": (GOOD + "[drain d]\ntimeout = 1s\n", [(4, "command")]),
    "a drain of two things": (GOOD + "[drain d]\ncommand = x\nsleep = 1s\n", [(None, "action")]),
    "a signal for nobody": (GOOD + "[drain d]\nsignal = nosuch TERM\n", [(5, "nosuch")]),
    "a signal that is none": (GOOD + "[drain d]\nsignal = web NOSUCH\n", [(5, "NOSUCH")]),
    "wait-exit of nobody": (GOOD + "[drain d]\nwait-exit = nosuch\n", [(5, "nosuch")]),
    "for nobody": (GOOD + "[drain d]\ncommand = x\nfor = nosuch\n", [(6, "nosuch")]),
    "run-if nobody": (GOOD + "[drain d]\ncommand = x\nrun-if = nosuch done\n", [(6, "nosuch")]),
    "run-if what": (GOOD + "[drain c]\ncommand = x\n[drain d]\ncommand = x\nrun-if = c maybe\n", [(8, "maybe")]),
    "retry": (GOOD + "[drain d]\ncommand = x\nretry = 5\n", [(6, "every")]),
    "on-failure": (GOOD + "[drain d]\ncommand = x\non-failure = panic\n", [(6, "skip-rest")]),
    "guarantees that do not fit": ("[lastcall]\ngrace = 3s\n" + GOOD + "guarantee = 5s\n", [(None, "guarantee")]),
    "a reserve that leaves nothing": ("[lastcall]\ngrace = 3s\nreserve = 3s\n" + GOOD, [(None, "reserve")]),
    "a nul": ("[service web]\ncommand = a\0b\n", [(2, "")]),
    "a long line": (f"[service web]\ncommand = {'x' * 70000}\n", [(2, "")]),
}


def check(start, *paths, options=()):
    run = start("check", *options, *paths, mode="sub")
    run.wait()
    return run


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused(start, conf, workdir, name):
    """With its line, and what to write; by check and at the start alike; nothing is started."""
    text, errors = BAD[name]
    path = workdir / "app.ini"
    conf(text)
    for args in (["check", path], ["-c", path]):
        run = start(*args, mode="sub")
        assert run.wait() == 78, run.describe()
        said = run.out + run.err
        for line, word in errors:
            place = f"{path}:{line}:" if line else f"{path}"
            found = [s for s in said.splitlines() if s.split("lastcall: ")[-1].startswith(place) and "error" in s]
            assert found or line is None, said
            assert any(word in s for s in (found or said.splitlines())), said
        assert not events_of(run.out)


def test_all_errors_at_once(start, conf):
    """Not the first alone: every one, in the order of the lines, each with its place."""
    path = conf("""
        [lastcall]
        grace = 30
        grce = 5s
        [service web]
        comand = x
        restart = maybe
        [service Web]
        command = y
        [drain d]
        timeout = soon
        command = z
        [nonsense]
    """)
    run = start("check", path, mode="sub")
    assert run.wait() == 78
    said = run.out + run.err
    lines = [int(n) for n in re.findall(rf"{path}:(\d+): error", said)]
    assert {2, 3, 5, 6, 7, 10, 12} <= set(lines), said
    assert lines == sorted(lines)
    for line in said.strip().splitlines():
        assert re.match(rf"(lastcall: )?{path}:\d+: (error|warning|note): .+", line), line


def test_a_hundred_errors(start, conf):
    path = conf("[service web]\ncommand = x\n" + "".join(f"key{n} = x\n" for n in range(100)))
    run = start("check", path, mode="sub")
    assert run.wait() == 78
    assert len(set(re.findall(r":(\d+): error", run.out + run.err))) >= 50


def test_a_good_file(start, conf):
    run = check(start, conf(GOOD))
    assert run.code == 0, run.describe()
    assert not events_of(run.out)


def test_warnings_and_strict(start, conf):
    """A drain without a timeout is warned about: 0, and 78 with --strict."""
    path = conf(GOOD + "[drain d]\ncommand = x\n")
    run = check(start, path)
    assert run.code == 0
    assert re.search(rf"{path}:\d+: warning: .*timeout", run.out + run.err)
    assert check(start, path, options=["--strict"]).code == 78


def test_a_promise_that_is_less_than_the_timeout_is_warned_about(start, conf):
    path = conf("[lastcall]\ngrace = 5s\n" + GOOD + "[drain d]\ncommand = x\ntimeout = 3s\n")
    run = check(start, path)
    assert run.code == 0 and "warning" in run.out + run.err


@pytest.mark.parametrize("args,code", [(["check", "/nonexistent.ini"], 78), (["-c", "/nonexistent.ini"], 78),
                                       (["plan", "/nonexistent.ini"], 78), (["-c", "@W"], 78), (["check"], 2),
                                       (["-c"], 2), (["--config"], 2), (["-c", "/etc/shadow/x"], 78)])
def test_a_file_that_is_not_there(start, workdir, args, code):
    """An empty directory is as bad."""
    run = start(*[a.replace("@W", str(workdir)) for a in args], mode="sub")
    assert run.wait() == code
    assert run.out.strip() or run.err.strip()


@pytest.mark.parametrize("text", ["", "; nothing\n", "[lastcall]\ngrace = 3s\n", "[drain d]\ncommand = x\ntimeout = 1s\n"])
def test_a_file_without_a_service(start, conf, text):
    """There is nothing to run; with a command it is fine."""
    path = conf(text)
    run = start("-c", path, mode="sub")
    assert run.wait() == 78
    assert "service" in run.err
    run = start("-c", path, "--", "sh", "-c", "exit 4", mode="sub")
    assert run.wait() == 4


def test_a_section_that_stands_in_two_files(start, conf):
    """Both places are named."""
    one, two = conf(GOOD, "one.ini"), conf("[lastcall]\ngrace = 5s\n" + GOOD, "two.ini")
    for args in (["check", one, two], ["-c", one, "-c", two]):
        run = start(*args, mode="sub")
        assert run.wait() == 78
        said = run.out + run.err
        assert f"{two}:3:" in said and f"{one}:1" in said


def test_a_base_file_and_the_applications(start, conf):
    base = conf("[lastcall]\ngrace = 5s\n[service base]\ncommand = @svc base\n", "base.ini")
    mine = conf("[service web]\ncommand = @svc web\nafter = base\nmain = yes\n", "mine.ini")
    assert check(start, base, mine).code == 0


def test_crlf_and_a_byte_order_mark(start, conf, workdir):
    """As editors write them: read as they are meant, or refused; never misread."""
    path = workdir / "app.ini"
    path.write_bytes(("\ufeff" + conf(GOOD).read_text().replace("\n", "\r\n")).encode())
    run = start("-c", path)
    wait_for(lambda: run.code is not None or "start" in run.out)
    if run.code is None:
        assert events_of(run.out)[0].startswith("web start")
        run.signal(SIGTERM)
        assert run.wait() == 0
    else:
        assert run.code == 78


def test_comments(app):
    run = app("""
        ; a comment
        [service a]   ; another
        type = oneshot ; a third
        command = @args a "x ; y" ';' z;z ; the end
        ; command = twice
    """)
    assert run.wait() == 0
    assert run.find("a args [x ; y][;][z;z]")


def test_the_longest_name(app):
    name = "a" + "b-1" * 15 + "cd"
    assert len(name) == 48
    run = app(f"[service {name}]\ncommand = @svc web\nmain = yes\n").ready()
    run.wait_event("web start")
    assert run.service(name)["ready"] is True
    assert run.stop() == 0
    assert [s["name"] for s in run.report()["steps"] if s["phase"] == "stop"] == [name]


def test_a_long_value_is_not_cut(app):
    word = "x" * 500
    run = app(f"[service a]\ntype = oneshot\ncommand = @args a {word} end\n")
    assert run.wait() == 0
    assert run.find(f"a args [{word}][end]")


def test_more_than_the_limits_is_an_error(start, conf):
    """The capacities are fixed: too many is said, not cut."""
    path = conf("".join(f"[service s{n}]\ncommand = x\n" for n in range(5000)))
    run = check(start, path)
    assert run.code in (0, 78)
    if run.code == 78:
        assert re.search(rf"{path}:\d+: error: .*\d", run.out + run.err)


def test_two_hundred_services_fit(start, conf):
    assert check(start, conf("".join(f"[service s{n}]\ncommand = x\n" for n in range(200)))).code == 0


# ---- plan ----

PLAN = """
    [lastcall]
    grace = 20s
    announce = 2s..4s
    [service db]
    command = @svc db
    stop-timeout = 3s
    [service web]
    command = @svc web
    after = db
    main = yes
    [drain one]
    command = @say one
    timeout = 4s
    [drain two]
    sleep = 1s
    timeout = 2s
    guarantee = 1s
    [finish f]
    command = @say f
    timeout = 2s
"""


def plan(start, path, *options):
    run = start("plan", *options, path, mode="sub")
    run.wait()
    return run


def test_plan_is_a_table(start, conf):
    run = plan(start, conf(PLAN))
    assert run.code == 0, run.describe()
    assert not events_of(run.out)
    places = [run.out.find(w) for w in ("announce", "one", "two", "web", "db", "sweep")]
    assert -1 not in places
    assert "20" in run.out


def test_plan_json(start, conf):
    run = plan(start, conf(PLAN), "--json")
    assert run.code == 0
    got = json.loads(run.out)
    steps = got["steps"] if isinstance(got, dict) else got
    assert [(s["phase"], s["name"]) for s in steps] == [
        ("announce", "announce"), ("drain", "one"), ("drain", "two"), ("stop", "web"), ("stop", "db"), ("finish", "f"),
        ("sweep", "sweep")]
    assert [s["stage"] for s in steps] == list(range(7))
    assert got.get("grace_ms", 20000) == 20000


def test_the_plan_is_what_is_done(app, start, conf):
    """The steps of the report are those of the plan, in their order."""
    planned = json.loads(plan(start, conf(PLAN.replace("2s..4s", "0s")), "--json").out)["steps"]
    run = app(PLAN.replace("2s..4s", "0s")).ready()
    run.wait_event("web start")
    assert run.stop() == 0
    done = [(s["phase"], s["stage"], s["name"]) for s in run.report()["steps"]]
    assert [d for d in ((s["phase"], s["stage"], s["name"]) for s in planned) if d in done] == done
    assert len(done) >= 5


def test_plan_of_what_does_not_fit(start, conf):
    run = plan(start, conf("[lastcall]\ngrace = 3s\n" + GOOD + "guarantee = 5s\n"))
    assert run.code == 78
    assert "guarantee" in run.out + run.err


def test_plan_of_a_bad_file(start, conf):
    run = plan(start, conf("[service web]\ncommnd = x\n"), "--json")
    assert run.code == 78
    assert "app.ini:2:" in run.err and not run.out.strip().startswith("{")


# ---- the command line ----

@pytest.mark.parametrize("args", [["--nosuch"], ["-c", "@G", "--grace", "5"], ["-c", "@G", "--grace"],
                                  ["--grace=5", "sleep", "1"], ["-c", "@G", "--log", "xml"], ["-c", "@G", "--sweep", "maybe"],
                                  ["-c", "@G", "-x"], ["-c", "@G", "--kill-mode", "all"], []], ids=str)
def test_bad_options_are_2(start, conf, args):
    path = conf(GOOD)
    run = start(*[path if a == "@G" else a for a in args], mode="sub")
    assert run.wait() == 2
    assert run.err.strip() and not events_of(run.out)


@pytest.mark.parametrize("name,value", [("GRACE", "5"), ("LOG", "xml"), ("ANNOUNCE", "x"), ("STOP_SIGNAL", "NOPE"),
                                        ("HTTP", "x"), ("SWEEP", "maybe"), ("RESERVE", "1")])
def test_bad_variables_are_2(start, conf, name, value):
    """Named as the variable, not as an option."""
    run = start("-c", conf(GOOD), env={f"LASTCALL_{name}": value})
    assert run.wait() in (2, 78)
    assert f"LASTCALL_{name}" in run.err and not events_of(run.out)


def test_config_from_the_environment(start, conf):
    run = start(env={"LASTCALL_CONFIG": str(conf(GOOD))})
    wait_for(lambda: "web start" in run.out)
    run.signal(SIGTERM)
    assert run.wait() == 0
