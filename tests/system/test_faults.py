"""Promise 1: every system call that lastcall makes fails, with every error that it can, once and for ever.

programs/fault.c traces lastcall from outside its namespaces, so it may be PID 1, and tells three roles apart: lastcall
itself ("self"), what it forks until it executes something ("child"), and the helper ("net"). A scenario is run once
without a fault, which counts the calls of each role; then one call after the other is made to fail, the Nth alone or
the Nth and all after it. What must hold whatever fails stands in ends_well().

faults.py says which faults there are, and how many of them are taken.
"""
import contextlib
import os
import random
import re
import signal
import subprocess
import time

import pytest

import lc
from cfg import *                           # noqa: F401, F403  (fixtures)
from ckpt import archive, checkpoints, simple
from faults import ALL, MOST_CALLS, TRIES, Fault, counted, faults_of, known, note, tracer
from lc import SANITIZED, read
from terminal import Terminal

pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer does not work under ptrace")

PARTS = 8                                   # tests that all faults of a scenario are shared out to
SAMPLE = 5                                  # faults of a scenario that the ordinary tests take
READY = 1.5                                 # seconds that a scenario has to come up before it is stopped all the same
LATE = 1.5                                  # seconds that the machine may take
LOOPS = 0.7                                 # seconds in which a busy loop makes more than that

WAITS = {"epoll_pwait", "epoll_wait", "poll", "ppoll", "read", "recvfrom", "rt_sigtimedwait", "wait4", "waitid"}
LISTS = {"open", "openat", "read", "readlink", "readlinkat", "getdents64"}     # what /proc is read with
# Errors that are answers: a kernel that gives them wrongly is believed, and some process may be left.
ANSWERS = {("kill", "ESRCH"), ("kill", "EPERM"), ("wait4", "ECHILD"), ("waitid", "ECHILD"), ("pidfd_open", "ESRCH")}


# ---- scenarios ----

class Scenario:
    """words(tools): lastcall's arguments. ready(run, work): it is up, and can be told to stop; None: it ends by itself.
    grace: in seconds; code: the exit code when nothing fails. place: the init that it takes the place of; terminal: it
    has one; wrong(run, work, fault): what else is wrong with a run that has ended."""

    def __init__(self, words, ready, grace, code, place=None, terminal=False, wrong=None):
        self.words, self.ready, self.grace, self.code = words, ready, grace, code
        self.place, self.terminal, self.wrong = place, terminal, wrong


# What escapes the group is the sweep's.
ORPHAN = "{prog} escape {prog} {what} {work}/orphan & while [ ! -e {work}/orphan ]; do sleep 0.01; done; "
CONFIG = """
[lastcall]
grace = 2s
http = 127.0.0.1:9180
restart-delay = 20ms..100ms
[service web]
command = @P svc web http=8080
ready = http http://127.0.0.1:8080/ every 20ms
live = tcp 127.0.0.1:8080 every 50ms
main = yes
[service note]
command = @P svc note notify=READY=1
ready = notify
after = web
cwd = @W
env = A=b
env-file = @W/env
[service pipe]
command = @P svc pipe fd=3
ready = fd 3
[service look]
command = @P svc look child=below
ready = exec @P say seen every 100ms
[drain d]
command = @P say d 20
timeout = 500ms
[finish f]
command = @P say f
timeout = 500ms
"""
KEEPS = """
[lastcall]
grace = 3s
checkpoint-dir = @W/stores
[service web]
command = @P svc web
main = yes
reload-command = touch @W/reloaded
[checkpoint jobs]
for = web
command = sh -c "echo said; echo more > $LASTCALL_CHECKPOINT_DIR/more"
stdout = said
restore = touch @W/restored
restore-if-missing = @W/none
every = 1s
keep = 2
timeout = 1s
"""


def shell(script, *options):
    def words(tools, work):
        return [*options, "--", "/bin/sh", "-c", script.replace("{prog}", str(tools.prog)).replace("{work}", str(work))]
    return words


def with_endpoints(tools, work):
    return ["-v", "-g", "2s", "--http", "127.0.0.1:9180", "--report", work / "report", "--", tools.prog, "record",
            work / "log", "15:4"]


def configured(tools, work):
    (work / "env").write_text("C=d\n")
    (work / "app.ini").write_text(CONFIG.replace("@P", str(tools.base / "cfg")).replace("@W", str(work)))
    return ["-c", work / "app.ini", "--report", work / "report"]


def keeping(tools, work):
    """A store with a checkpoint, which is restored; each second there is another."""
    store = work / "stores/jobs"
    subprocess.run([tools.lastcall, "checkpoint", "import", store], input=archive(*simple()), check=True,
                   stdout=subprocess.DEVNULL)
    (work / "app.ini").write_text(KEEPS.replace("@P", str(tools.base / "cfg")).replace("@W", str(work)))
    return ["-c", work / "app.ini", "--report", work / "report"]


def keeps(run, work):
    if not (work / "reloaded").exists() and run.control("GET", "/readyz", timeout=0.5).code == 200:
        run.control("POST", "/reload/web", timeout=0.5)
    return (work / "reloaded").exists() and len(checkpoints(work / "stores/jobs")) == 2


def store_is_wrong(run, work, fault):
    """What was reported as taken is there, and all of it is whole. Only what seems unreadable was set aside."""
    store = work / "stores/jobs"
    there = checkpoints(store)
    verified = subprocess.run([run.box.tools.lastcall, "checkpoint", "verify", store], capture_output=True, text=True)
    aside = [name for name in os.listdir(store) if name.startswith("damaged-")]
    if verified.returncode != 0 or not there + aside:
        return f"the store has {there}: {verified.stderr}"
    if aside and (not fault or fault.error not in ("EIO", "ENOENT")):
        return f"set aside: {aside}"
    reported = read(work / "report") and lc.report(work / "report").get("checkpoint")
    return f"{reported} was reported, and there are {there}" if reported and reported not in there else None


def resumes(run, work):
    """It stops itself, and lastcall with it."""
    if "ready" in read(work / "log"):
        run.signal(signal.SIGCONT)
    return "cont" in read(work / "log")


def has_begun(run, work):
    return (work / "log").exists()


def answers(run, work):
    return has_begun(run, work) and run.http("GET", "/readyz", timeout=0.5).code == 200


def is_ready(run, work):
    return run.control("GET", "/readyz", timeout=0.5).code == 200 and run.http("GET", "/livez", timeout=0.5).code == 200


OBEYS, DEAF = ORPHAN.replace("{what}", "obey"), ORPHAN.replace("{what}", "deaf")
# It ends by the signal that it has the init forward, or else by itself.
ASKS = "trap 'exit 7' USR1 USR2; kill -USR1 $PPID; sleep 1 & wait; exit 7"
SCENARIOS = {
    "lone": Scenario(shell(OBEYS + "exec {prog} record {work}/log 15:4", "-g", "2s"), has_begun, 2, 4),
    "deaf": Scenario(shell(DEAF + "exec {prog} deaf {work}/log", "-v", "-g", "1s"), has_begun, 1, 137),
    "exit": Scenario(shell(OBEYS + "exit 7"), None, 2 + READY, 7),
    "http": Scenario(with_endpoints, answers, 2, 4),
    "config": Scenario(configured, is_ready, 2, 0),
    "keep": Scenario(keeping, keeps, 3, 0, wrong=store_is_wrong),
    "terminal": Scenario(shell("exec {prog} stopself {work}/log", "-g", "2s"), resumes, 2, 143, terminal=True),
    "tini": Scenario(shell(ASKS, "-vvv", "-g"), None, 2 + READY, 7, place="tini"),
    "dumb-init": Scenario(shell(ASKS, "-v", "-r", "10:12"), None, 2 + READY, 7, place="dumb-init"),
    "catatonit": Scenario(shell(ASKS), None, 2 + READY, 7, place="catatonit"),
}
MODES = ("pid1", "sub")
each_scenario = pytest.mark.parametrize("name,mode", [(name, mode) for name in SCENARIOS for mode in MODES])


# ---- one run ----

class Seen:
    """What a run was like: run; counts {(role, call): n}; hits; begun, told: when it got TERM, None if it had ended."""


@pytest.fixture
def once(start, programs, workdir, cfg_prog):
    """once(name, mode, fault=None): runs the scenario, gives what was seen."""
    trace, runs, terminals = tracer(programs), [], []

    def begin(name, mode, fault=None):
        scenario, work = SCENARIOS[name], workdir / str(len(runs))
        work.mkdir()
        work.chmod(0o1777)
        tracing = [trace, work / "calls", programs.lastcall, *(fault.words() if fault else []), "--"]
        options = {"mode": mode, "cwd": work, "may_leave": True, "around": tracing, "env": {"NOTIFY_SOCKET": "@nobody"}}
        if scenario.place:
            options["binary"] = work / scenario.place
            options["binary"].symlink_to(programs.lastcall)
        if scenario.terminal:
            terminals.append(Terminal())
            options |= {"stdin": terminals[-1].slave, "stdout": terminals[-1].slave, "ctty": True}
        run = start(*scenario.words(programs, work), **options)
        runs.append(run)
        return watch(scenario, run, work, fault)
    yield begin
    for terminal in terminals:
        terminal.close()


def watch(scenario, run, work, fault):
    seen = Seen()
    seen.run, seen.told, seen.begun = run, None, time.monotonic()
    if scenario.ready:
        wait_until(lambda: not run.running or scenario.ready(run, work), READY if fault else lc.BOUND)
        if fault and fault.for_ever and fault.call in WAITS:
            wait_until(lambda: not run.running, LOOPS)
        with contextlib.suppress(ProcessLookupError):   # it has just ended
            run.signal(signal.SIGTERM)
            seen.told = time.monotonic()
    try:
        run.wait(scenario.grace + lc.BOUND)
    except lc.Failed:
        pass
    run.kill()                              # the tracer writes its counts at the end
    seen.counts, seen.hits = counted(work / "calls")
    seen.wrong = scenario.wrong(run, work, fault) if scenario.wrong else None
    return seen


def wait_until(condition, patience):
    def holds():
        try:
            return condition()
        except OSError:
            return False
    try:
        lc.wait_for(holds, patience)
    except lc.Failed:
        pass


def ends_well(scenario, seen, fault):
    """What is wrong with a run that had this fault; None: nothing."""
    run = seen.run
    if scenario.ready is None and fault.text == "self wait4 ECHILD 1+":
        return None                         # the command's end is denied for ever, and there is no deadline
    if run.code is None:
        return f"it hangs {run.failure or ''}"
    if run.signaled:
        return f"died of signal {run.signaled}"
    if seen.wrong:
        return seen.wrong
    # Without the lists of /proc waitid is asked about thousands of numbers, and traced each time.
    blind = seen.counts.get(("self", "waitid"), 0) if fault.call in LISTS else 0
    calls = sum(n for (role, _), n in seen.counts.items() if role == "self") - blind
    if calls > MOST_CALLS:
        return f"a busy loop: {calls} calls"
    if run.exited_at - (seen.told or seen.begun) > scenario.grace + LATE + blind / 1000:
        return f"late: {run.exited_at - (seen.told or seen.begun):.2f} s of {scenario.grace}"
    if run.code in (78, 125, 126, 127) or scenario.place and run.code in (1, 2):     # 78: a file that cannot be read
        prefix = ".*" if scenario.place else "lastcall: "
        return None if re.search(rf"^{prefix}.*\S", run.err, re.M) else f"exit code {run.code} without a word"
    by_itself = scenario.ready and (seen.told is None or run.exited_at < seen.told)
    if by_itself or run.code not in (scenario.code, 124, 137, 143):
        return f"exit code {run.code}"
    slow = blind and "OVERRAN" in run.err   # so many calls that no time was left for KILL to take effect
    spared = scenario.place or slow or (fault.call, fault.error) in ANSWERS or "orphans go past lastcall" in run.err
    return f"left {run.left}" if run.left and not spared else None


def verdict(once, name, mode, fault):
    """The same, as a text, after as many tries as it takes."""
    for tries in range(TRIES):
        seen = once(name, mode, fault)
        wrong = ends_well(SCENARIOS[name], seen, fault)
        text = f"{name} {mode} {fault.text} hit={seen.hits} code={seen.run.code}: {wrong or 'well'}"
        last = tries == TRIES - 1 or seen.wrong or seen.run.signaled        # those are no matter of time
        note(text, wrong, seen.run.err, last)
        if not wrong:
            return None
        if last:
            break
    return f"{text}; said {seen.run.err}"


# ---- many runs ----

def calls_of(once, name, mode):
    """The calls of a run without a fault, which ends as it should; all of them are in one of the two tables."""
    for _ in range(TRIES):
        seen = once(name, mode)
        if seen.run.code == SCENARIOS[name].code:
            break
    assert seen.run.code == SCENARIOS[name].code and (SCENARIOS[name].place or not seen.run.left), \
        seen.run.describe()
    assert known(seen.counts) and not seen.wrong, seen.wrong
    return seen.counts


@pytest.mark.limit(240)
@each_scenario
def test_a_sample(once, name, mode):
    faults = faults_of(calls_of(once, name, mode))
    picked = random.Random(f"{os.environ.get('LASTCALL_SEED', '1')} {name} {mode}").sample(faults, SAMPLE)
    wrong = [verdict(once, name, mode, fault) for fault in picked]
    assert not any(wrong), "\n".join(filter(None, wrong))


if ALL:
    @pytest.mark.limit(6 * 3600)
    @pytest.mark.parametrize("part", range(PARTS))
    @each_scenario
    def test_all(once, name, mode, part):
        faults = faults_of(calls_of(once, name, mode))[part::PARTS]
        wrong = [verdict(once, name, mode, fault) for fault in faults]
        assert not any(wrong), "\n".join(filter(None, wrong))


@pytest.mark.limit(120)
@pytest.mark.parametrize("name,mode,fault", [
    ("exit", "pid1", "self rt_sigtimedwait EINVAL 1+"), ("exit", "sub", "self rt_sigtimedwait EAGAIN 1+"),
    ("lone", "pid1", "self rt_sigtimedwait EINTR 2+"), ("exit", "pid1", "self wait4 EINTR 1+"),
    ("exit", "sub", "self wait4 ENOSYS 1+"), ("exit", "pid1", "self wait4 ECHILD 1"),
    ("lone", "sub", "self getdents64 EIO 1+"), ("exit", "sub", "self open ENFILE 1+"),
    ("lone", "pid1", "self clock_gettime EPERM 1+"), ("lone", "sub", "self vfork EAGAIN 1"),
    ("deaf", "sub", "self read EINTR 1+"), ("deaf", "sub", "self getdents64 EIO 3"),
    ("lone", "sub", "self readlink EACCES 1+"), ("http", "pid1", "self epoll_pwait EINVAL 1+"),
    ("http", "sub", "self read EIO 1+"), ("http", "pid1", "self recvfrom EIO 1+"),
    ("tini", "sub", "self rt_sigaction EINVAL 1"),
], ids=str)
def test_what_once_went_wrong(once, name, mode, fault):
    wrong = verdict(once, name, mode, Fault(fault))
    assert wrong is None, wrong


@pytest.mark.parametrize("fault,code,says", [
    ("self rt_sigprocmask EINVAL 1+", 125, "cannot take signals: invalid argument"),
    ("self rt_sigaction EINVAL 1+", 125, "cannot take signals"),
    ("child rt_sigprocmask EINVAL 1", 126, "cannot reset its signals"),
    ("child rt_sigaction EINVAL 9", 126, "cannot reset its signals"),
    ("child setpgid EPERM 1", 126, "cannot make a session or group: operation not permitted"),
    ("child execve EACCES 1", 126, "cannot execute /bin/sh: "), ("child execve ENOENT 1", 127, "/bin/sh: not found"),
    ("self vfork EAGAIN 1", 125, "cannot fork"), ("self prctl EPERM 1", 7, "warning: orphans go past lastcall"),
])
def test_it_says_what_fails(once, fault, code, says):
    seen = once("exit", "sub", Fault(fault))
    assert seen.run.code == code and says in seen.run.err, seen.run.describe()


@pytest.mark.parametrize("fault,code,says", [
    ("self prlimit64 EPERM 1", 0, ""), ("self epoll_create1 EMFILE 1", 125, "cannot make epoll and signalfd"),
    ("self signalfd4 ENOMEM 1", 125, "cannot make epoll and signalfd"),
    ("self bind EACCES 1", 125, "http = 127.0.0.1:9180: "),
    ("self memfd_create ENOMEM 1+", 125, "cannot make the page"), ("self pipe2 EMFILE 1", 125, "ready of pipe: "),
    ("self fcntl EINVAL 1+", 125, "ready of pipe: "), ("self clone EAGAIN 1+", 125, "cannot fork"),
])
def test_it_says_what_fails_of_a_configuration(once, fault, code, says):
    seen = once("config", "pid1", Fault(fault))
    assert seen.run.code == code and says in seen.run.err, seen.run.describe()
