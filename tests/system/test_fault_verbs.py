"""The verbs while the system fails: each ends, says what was wrong, and claims no success that it did not have.

Each runs under programs/fault.c, as lastcall does in test_faults.py, in the namespaces of a lastcall that is well,
which some of them talk to. What must hold whatever fails stands in ends_well().
"""
import contextlib
import random
import re
import shutil
import subprocess

import pytest

import lc
from ckpt import archive, checkpoints, simple
from cfg import *                           # noqa: F401, F403  (fixtures)
from faults import ALL, MOST_CALLS, TRIES, Fault, counted, faults_of, known, note, tracer

pytestmark = pytest.mark.skipif(lc.SANITIZED, reason="a sanitizer does not work under ptrace")

SAMPLE = 6
PATIENCE = 15                               # seconds; the longest wait of a verb is ten
RUNNING = """
    [lastcall]
    grace = 2s
    checkpoint-dir = @W/stores
    [service web]
    command = @svc web listen=8080
    main = yes
    reload-signal = HUP
    [service other]
    command = @svc other
    essential = no
    [checkpoint jobs]
    command = touch ${LASTCALL_CHECKPOINT_DIR}/f
    when = never
"""
FILE = """
    [lastcall]
    grace = 5s
    [service web]
    command = @svc web
    [drain d]
    command = touch @W/drained
    timeout = 3s
"""


# ---- what must be true where a verb says that all went well ----

def imported(place, out):
    new = out.decode().split(":")[0]
    return new == checkpoints(place.store)[0] and verifies(place.store, new)


def exported(place, out):
    other = place.work / "moved"
    moved = subprocess.run([lc.BINARY, "checkpoint", "import", other], input=out, capture_output=True)
    return moved.returncode == 0 and verifies(other, checkpoints(other)[0])


def verifies(store, one):
    return subprocess.run([lc.BINARY, "checkpoint", "verify", one, store], capture_output=True).returncode == 0


def drawn(place, out):
    return lc.read(place.work / "svg") == place.svg


def drained(place, out):
    return (place.work / "drained").exists()


def taken(place, out):
    return out.decode().split()[-1] in checkpoints(place.work / "stores/jobs")


def ended(place, out):
    return place.run.wait() == 0


def state(wanted):
    return lambda place, out: place.run.status().get("state") == wanted


def other(wanted):
    return lambda place, out: place.run.service("other").get("state") == wanted


# The words, and what must be true then. @: what it works on.
VERBS = {
    "--help": None, "--version": None, "check @ini": None, "check --json @ini": None, "plan @ini": None,
    "plan --json @ini": None, "plan --svg @svg @ini": drawn, "simulate @ini": None, "simulate --json @ini": None,
    "rehearse @ini": drained, "prestop --control /none -c @ini": None, "probe tcp://127.0.0.1:8080": None,
    "checkpoint list @store": None, "checkpoint list --json @store": None, "checkpoint show @store": None,
    "checkpoint verify @store": None, "checkpoint export @store": exported, "checkpoint import @store": imported,
    "status": None, "status --json": None, "probe ready": None, "drain": state("drained"), "prestop": state("drained"),
    "resume": state("running"), "stop other": other("down"), "start other": None, "restart other": None,
    "reload web": None, "signal web USR1": None, "checkpoint jobs": taken, "checkpoint verify": None,
    "shutdown --now": ended,
}
VARY = ("rehearse", "checkpoint export")     # times, and hashes of times
BEFORE = {"resume": "drain", "start other": "stop other"}
AFTER = {"drain": "resume", "prestop": "resume", "stop other": "start other"}


# ---- one run ----

class Place:
    """Where verbs are tried: their files, and the lastcall that they talk to. It is no PID 1: its sweep spares us."""

    def __init__(self, run, ini, work):
        self.run, self.work, self.store, self.archive = run, work, work / "bare", archive(*simple())
        self.words = {"@ini": ini, "@svg": work / "svg", "@store": self.store}
        run.verb("plan", "--svg", work / "svg", ini)
        self.svg = lc.read(work / "svg")

    def refresh(self, verb):
        for path in (self.store, self.work / "moved"):
            shutil.rmtree(path, ignore_errors=True)
        subprocess.run([lc.BINARY, "checkpoint", "import", self.store], input=self.archive, check=True,
                       stdout=subprocess.DEVNULL)
        for name in ("svg", "drained"):
            (self.work / name).unlink(missing_ok=True)
        if verb in BEFORE:
            assert self.run.verb(*BEFORE[verb].split()).code == 0

    def execute(self, verb, trace, fault):
        """(code, stdout, stderr); code None: it hangs."""
        tracing = [trace, self.work / "calls", self.run.box.binary, *(fault.words() if fault else []), "--"]
        words = ["/usr/bin/nsenter", "-t", str(self.run.pid), "-p", "-m", "-n", "-i", "--", *tracing,
                 self.run.box.binary, *(self.words.get(word, word) for word in verb.split())]
        try:
            done = subprocess.run([*map(str, words)], input=self.archive, capture_output=True, timeout=PATIENCE,
                                  env=self.run.box.environment, cwd=self.work)
        except subprocess.TimeoutExpired as late:
            return None, late.stdout or b"", late.stderr or b""
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def place(conf, app, workdir):
    """place(): made anew where the last one is used up."""
    made = []

    def make():
        if not made or not made[0].run.running:
            made[:] = [Place(app(RUNNING, mode="sub", may_leave=True).ready(), conf(FILE, "file.ini"), workdir)]
        return made[0]
    return make


def form(out):
    """What does not differ from one run to the next."""
    return re.sub(rb"[0-9.]+", b"", out)


def ends_well(place, verb, fault, done, usual):
    """What is wrong with a run; None: nothing. usual: what it prints when nothing fails; None: that differs."""
    code, out, err = done
    counts, _ = counted(place.work / "calls")
    calls = sum(n for (role, _), n in counts.items() if role == "self")
    if code is None:
        return "it hangs"
    if code >= 128 or code < 0:
        return f"died of signal {abs(code) % 128}"
    if calls > MOST_CALLS:
        return f"a busy loop: {calls} calls"
    if code != 0:
        mute = fault and fault.call == "write" and fault.for_ever
        return None if mute or re.search(rb"\S", err + out) else f"exit code {code} without a word"
    believed = verb.startswith("checkpoint list") and fault and fault.error in ("EIO", "ENOENT", "EWOULDBLOCK")
    if usual is not None and form(out) != usual and not believed and not verb.startswith(VARY):
        return f"it printed {out!r}, and that all is well"
    return None if VERBS[verb] is None or VERBS[verb](place, out) else "it says that it is done, and it is not"


def tried(place, verb, trace, fault, usual):
    """ends_well of one run, and how often it was hit."""
    here = place()
    here.refresh(verb)
    done = here.execute(verb, trace, fault)
    wrong = ends_well(here, verb, fault, done, usual)
    if verb in AFTER and here.run.running:
        here.run.verb(*AFTER[verb].split())
    if verb.startswith("shutdown"):
        with contextlib.suppress(ProcessLookupError):       # it has done what it was asked for
            here.run.stop()
    return wrong, done, counted(here.work / "calls")


def can_be(verb, fault):
    """No interruption lasts for ever, what poll promises comes; and rehearse has a patience of minutes."""
    comes = fault.error == "EINTR" or (fault.error == "EAGAIN" and fault.call in ("recvfrom", "sendto"))
    waits = verb.startswith("rehearse") and (fault.for_ever or fault.call in ("kill", "wait4"))
    return fault.role == "self" and not waits and not (fault.for_ever and comes)


def verdict(place, verb, trace, fault, usual):
    for tries in range(TRIES):
        wrong, done, (_, hits) = tried(place, verb, trace, fault, usual)
        text = f"{verb}: {fault.text} hit={hits} code={done[0]}: {wrong or 'well'}"
        note(text, wrong, done, tries == TRIES - 1)
        if not wrong:
            return None
    return f"{text}; {done}"


def usually(place, verb, trace):
    """The calls and the output of a run without a fault."""
    wrong, done, (counts, _) = tried(place, verb, trace, None, None)
    assert wrong is None and done[0] == 0 and known(counts), (wrong, done)
    _, again, _ = tried(place, verb, trace, None, None)
    return counts, form(done[1]) if form(done[1]) == form(again[1]) else None


@pytest.mark.limit(6 * 3600 if ALL else 240)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb(place, programs, verb):
    trace = tracer(programs)
    counts, usual = usually(place, verb, trace)
    faults = [fault for fault in faults_of(counts) if can_be(verb, fault)]
    if not ALL:
        faults = random.Random(f"{os.environ.get('LASTCALL_SEED', '1')} {verb}").sample(faults, SAMPLE)
    wrong = [verdict(place, verb, trace, fault, usual) for fault in faults]
    assert not any(wrong), "\n".join(filter(None, wrong))


@pytest.mark.parametrize("verb", ["check @ini", "rehearse @ini", "prestop --control /none -c @ini"])
def test_without_memory_it_is_lastcall_that_failed(place, programs, verb):
    """1 is the answer no: a file that has warnings, a run that was not clean."""
    code, _, err = place().execute(verb, tracer(programs), Fault("self mmap ENOMEM 1+"))
    assert (code, err.decode()) == (125, f"lastcall {verb.split()[0]}: not enough memory\n")


@pytest.mark.parametrize("verb,fault", [
    ("plan @ini", "self mmap ENOMEM 1"), ("plan @ini", "self mmap ENOMEM 2+"), ("plan @ini", "self mmap ENOMEM 5"),
    ("plan --svg @svg @ini", "self mmap ENOMEM 6"), ("check @ini", "self mmap ENOMEM 3"),
    ("simulate @ini", "self mmap EAGAIN 2+"), ("simulate @ini", "self write ENOSPC 3"),
    ("prestop --control /none -c @ini", "self mmap ENOMEM 1"), ("checkpoint jobs", "self write EIO 1"),
    ("checkpoint export @store", "self read EIO 5"),
    ("checkpoint export @store", "self lseek EINVAL 4"), ("checkpoint list @store", "self openat2 EMFILE 3"),
])
def test_what_once_went_wrong(place, programs, verb, fault):
    trace = tracer(programs)
    wrong = verdict(place, verb, trace, Fault(fault), usually(place, verb, trace)[1])
    assert wrong is None, wrong
