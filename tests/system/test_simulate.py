"""`lastcall simulate` against the truth: configurations by chance, run for real under programs that behave as told,
and the report of each beside the one that simulate prints. LASTCALL_SEEDS=FROM-TO runs other seeds."""
import json
import os
import random
import signal
import subprocess

import pytest

import lc
from cfg import *

FIRST, LAST = (int(n) for n in os.environ.get("LASTCALL_SEEDS", "1-16").split("-"))
NOISE_MS = 1500 if lc.SANITIZED else 600        # a busy machine starts a process late; each step may add a little
SERVICES = [("", None), ("", None), ("work=300", "300ms"), ("exit=1", "fail"), ("deaf=1", "hang")]
COMMANDS = [("@say NAME", None), ("@say NAME 300", "300ms"), ("@say NAME 60000", "60s"), ("@say NAME 0 1", "fail"),
            ("@svc NAME deaf=1", "hang")]
SAVE = "sh -c 'echo >$LASTCALL_CHECKPOINT_DIR/a; exec {}'"


def told(r, name, choices, withs):
    """A command for it; what simulate is to know of it is added to withs."""
    command, how = r.choice(choices)
    if how:
        withs += ["--with", f"{name}={how}"]
    return command.replace("NAME", name)


def configuration(r):
    """The text, the words for simulate, and whether main is a service of it."""
    withs, names = [], []
    lines = ["[lastcall]", "grace = 12s", f"order = {r.choice(['ordered', 'parallel'])}",
             f"announce = {r.choice(['0s', '200ms'])}"]
    for n in range(r.randint(1, 4)):
        how, habit = r.choice(SERVICES)
        lines += [f"[service s{n}]", f"command = @svc s{n} {how}", f"stop-signal = {r.choice(['TERM', 'QUIT'])}"]
        if n == 0:
            lines.append("main = yes")
        if habit:
            withs += ["--with", f"s{n}={habit}"]
        if names and r.random() < 0.5:
            lines.append(f"after = {r.choice(names)}")
        if r.random() < 0.6:
            lines.append("stop-timeout = 1s")
        names.append(f"s{n}")
    for kind, most in (("drain", 3), ("finish", 2)):
        for n in range(r.randint(0, most)):
            name = f"{kind}{n}"
            lines += [f"[{kind} {name}]", f"command = {told(r, name, COMMANDS, withs)}", "timeout = 1500ms"]
            for chance, line in ((0.2, "after = none"), (0.2, "on-failure = skip-rest"), (0.2, "required = yes"),
                                 (0.2, "guarantee = 300ms"), (0.2, "only-if = true")):
                if r.random() < chance:
                    lines.append(line)
    for n in range(r.choice([0, 0, 1, 2])):
        name, when = f"save{n}", r.choice(["before-stop", "after-stop", "never"])
        lines += [f"[checkpoint {name}]", f"command = {SAVE.format(told(r, name, COMMANDS, withs))}", "timeout = 1500ms",
                  f"when = {when}", f"dir = @W/{name}"]
        for chance, line in ((0.5, f"for = {r.choice(names)}"), (0.2, "required = yes"), (0.2, "guarantee = 300ms")):
            if r.random() < chance and (when != "never" or line.startswith("for")):
                lines.append(line)
    return "\n".join(lines), withs


def simulate(*words):
    done = subprocess.run([lc.BINARY, "simulate", *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def compare(real, simulated):
    for key in ("verdict", "cause", "exit", "grace_ms"):
        assert real[key] == simulated[key], (key, real, simulated)
    assert len(real["killed"]) == len(simulated["killed"]), (real, simulated)
    assert len(real["steps"]) == len(simulated["steps"])
    for ours, theirs in zip(real["steps"], simulated["steps"]):
        for key in ("phase", "stage", "name", "state", "exit"):
            assert ours[key] == theirs[key], (key, ours, theirs, real, simulated)
        for key in ("start_ms", "end_ms"):
            if ours[key] is None or theirs[key] is None:
                assert ours[key] == theirs[key], (key, ours, theirs)
            else:
                assert -20 <= ours[key] - theirs[key] <= NOISE_MS, (key, ours, theirs, real, simulated)


@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_what_it_says_is_what_happens(app, conf, seed):
    text, withs = configuration(random.Random(seed))
    path = conf(text, name="simulated.ini")
    said = json.loads(simulate("--json", *withs, path))
    run = app(text, may_leave=True).ready()
    assert run.stop() == said["exit"], run.describe()
    compare(run.report(), said)


INI = """
    [lastcall]
    grace = 20s
    announce = 2s
    [service web]
    command = nginx
    main = yes
    stop-timeout = 4s
    [service worker]
    command = worker
    after = web
    [drain queue]
    command = leave
    timeout = 3s
    [finish bye]
    command = bye
    [finish pause]
    sleep = 0s
"""


def lines_of(text):
    return [line.split(None, 3) for line in text.splitlines() if line.startswith("   ")]


def test_the_timeline_is_that_of_a_real_stop(conf):
    said = simulate("--with", "queue=1500ms", conf(INI))
    assert lines_of(said) == [
        ["0.0", "s", "announce", "readiness off; waiting 2.0 s for balancers to see it"], ["2.0", "s", "announce", "done"],
        ["2.0", "s", "queue", "leave"], ["3.5", "s", "queue", "exited 0"],
        ["3.5", "s", "worker", "TERM to worker"], ["3.5", "s", "worker", "exited 0"],
        ["3.5", "s", "web", "TERM to web"], ["3.5", "s", "web", "exited 0"],
        ["3.5", "s", "bye", "bye"], ["3.5", "s", "bye", "exited 0"], ["3.5", "s", "pause", "sleeping 0.0 s"],
        ["3.5", "s", "pause", "done"]]
    assert said.splitlines()[-1] == "lastcall: CLEAN in 3.5 s of 20.0 after SIGTERM from outside: web exited 0. exit 0"


def test_what_had_ended_before_has_one_row(conf):
    said = simulate(conf("""
        [service job]
        type = oneshot
        command = job
        [service web]
        command = nginx
        main = yes
        after = job
    """))
    assert lines_of(said) == [["0.0", "s", "web", "TERM to web"], ["0.0", "s", "web", "exited 0"],
                              ["0.0", "s", "job", "not running: exited 0"]]


def test_a_step_and_a_service_that_hang(conf):
    said = simulate("--with=queue=hang", "--with", "web=hang", conf(INI))
    assert "    5.0 s  queue        TIMEOUT at its 3.0 s: KILL, going on" in said
    assert "    9.0 s  web          TIMEOUT at its 4.0 s" in said
    assert said.splitlines()[-1].startswith("lastcall: FORCED in 9.0 s of 20.0 after SIGTERM from outside: "
                                             "killed queue, web; queue ran out of time. Raise [drain queue] timeout (")
    assert said.endswith("exit 124\n")


def test_a_second_signal_hurries(conf):
    report = json.loads(simulate("--json", "--with", "queue=3s", "--again", "1s:INT", conf(INI)))
    assert [s["state"] for s in report["steps"][:2]] == ["skipped", "skipped"] and report["used_ms"] == 1000


def test_of_a_notice_that_comes_late_less_is_left(conf):
    report = json.loads(simulate("--json", "--late", "17s", "--with", "queue=hang", conf(INI)))
    assert report["used_ms"] <= 20000 and report["steps"][0]["start_ms"] == 17000
    assert [s for s in report["steps"] if s["name"] == "worker"][0]["state"] == "done"


def test_of_an_option_that_stands_twice_the_last_counts(conf):
    late = json.loads(simulate("--json", "--late=9s", "--late=17s", "--with=queue=1s", "--with=queue=fail", conf(INI)))
    assert late["steps"][0]["start_ms"] == 17000
    assert [s["state"] for s in late["steps"] if s["name"] == "queue"] != ["done"]


@pytest.mark.parametrize("words, says", [
    (["--with", "nobody=1s"], "nobody=1s: there is no step or service of that name"),
    (["--with", "queue"], "write NAME=10s, NAME=hang or NAME=fail"),
    (["--with", "queue=10"], "write NAME=10s, NAME=hang or NAME=fail"),
    (["--again", "5s"], "write 5s:INT"),
    (["--again", "5:INT"], "write 5s:INT"),
    (["--again", "5s:NOPE"], "write 5s:INT"),
    (["--late", "7"], "write --late 5s"),
    (["--again", "5s:KILL"], "no program hears of it"),
    (["--again", "1s:HUP"] * 17, "--again stands more than 16 times"),
    (["--with", "queue=1s"] * 257, "--with stands more than 256 times"),
    (["--with", "pause=hang"], "pause=hang: it runs no command"),
    (["--latest", "7"], "there is no option --latest"),
])
def test_words_that_mean_nothing(conf, words, says):
    done = subprocess.run([lc.BINARY, "simulate", *words, conf(INI)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and says in done.stderr and done.stdout == ""


def test_a_file_with_errors(conf):
    done = subprocess.run([lc.BINARY, "simulate", conf("[lastcall]\ngrace = 10\n")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 78 and "app.ini:2: error:" in done.stderr


def test_services_that_end_by_themselves_need_no_signal(conf):
    said = simulate(conf("[service job]\ntype = oneshot\ncommand = job\n"))
    assert said.splitlines()[-1].endswith("exit 0")


# ---- what else programs may do, and what nothing would ever end ----

ENDS = """
    [lastcall]
    grace = 6s
    [service web]
    command = @svc web {how}
    main = yes
    {more}
"""


@pytest.mark.parametrize("how, more, withs", [
    ("deaf=1", "stop-signal = KILL", ["web=hang"]),
    ("deaf=1", "stop-signal = TERM, KILL after 300ms", ["web=hang"]),
    ("", "[drain cut]\nsignal = web KILL\n[drain gone]\nwait-exit = web\ntimeout = 2s", []),
    ("", "[service job]\ncommand = @svc job deaf=1\ntype = oneshot\nstop-timeout = 400ms", ["job=hang"]),
    ("work=1000", "stop-timeout = 300ms\nstop-command = true", ["web=1s"]),
    ("", "[service job]\ncommand = @say job\ntype = oneshot\n[service late]\ncommand = @svc late work=200\nafter = job", ["late=200ms"]),
])
def test_signals_that_kill_and_oneshots(app, conf, how, more, withs):
    text = ENDS.format(how=how, more=more)
    said = json.loads(simulate("--json", *(f"--with={word}" for word in withs), conf(text, name="simulated.ini")))
    run = app(text, may_leave=True)
    if "job=hang" in withs:                     # never ready: the stop comes while it works
        lc.wait_for(lambda: run.find("web start") and run.find("job start"))
    else:
        run.ready()
    assert run.stop() == said["exit"], run.describe()
    compare(run.report(), said)


def test_what_is_killed_hears_nothing_more(conf):
    path = conf(ENDS.format(how="", more="[drain cut]\nsignal = web KILL"))
    for words in ([], ["--late", "1s"]):                    # then both signals come at the same instant
        assert "web ended by SIGKILL" in simulate(*words, path)


def test_the_stop_waits_for_a_oneshot(conf):
    path = conf(ENDS.format(how="", more="[service job]\ncommand = job\ntype = oneshot\n[service late]\ncommand = late\nafter = job"))
    assert "late         TERM to late" in simulate("--with", "job=60s", path)
    assert "late         TERM to late" not in simulate("--with", "job=hang", path)


def test_a_oneshot_that_fails_is_the_end(conf):
    said = simulate("--with", "job=fail", conf(ENDS.format(how="", more="[service job]\ncommand = job\ntype = oneshot")))
    assert "job has ended for good: exited 1" in said and said.endswith("exit 1\n")


@pytest.mark.parametrize("meaning, again, code", [
    ("ignore", [], 1), ("checkpoint", [], 1), ("USR2", [], 1), ("forward", [], 0), ("ignore", ["--again", "2s:INT"], 0),
    ("ignore", ["--late", "2s"], 1),
])
def test_a_signal_that_does_not_stop(conf, meaning, again, code):
    path = conf(ENDS.format(how="", more="[checkpoint save]\ncommand = save\nevery = 1s\ntimeout = 1s")
                .replace("grace = 6s", f"grace = 6s\nsignals = TERM {meaning}"))
    done = subprocess.run([lc.BINARY, "simulate", *again, path], capture_output=True, text=True, timeout=60)
    assert done.returncode == code and ("nothing has stopped it" in done.stderr) == (code == 1), done


def test_what_never_becomes_ready_is_stopped_nevertheless(conf):
    said = simulate(conf(ENDS.format(how="", more="ready = delay 3s\nready-timeout = 1s\nrestart = always\n"
                                                  "restart-delay = 10ms\nrestart-limit = 1000 in 1s")))
    assert "after SIGTERM" in said.splitlines()[-1]


def test_more_killed_than_are_named(conf):
    services = "".join(f"[service s{n}]\ncommand = x\nstop-timeout = 100ms\n" for n in range(20))
    said = simulate(*[w for n in range(20) for w in ("--with", f"s{n}=hang")], conf("[lastcall]\ngrace = 6s\n" + services))
    assert " and 15 more" in said.splitlines()[-1]
