"""What the tests of a configuration share: a short way to write one, and the events that its programs report.

    def test_order(app):
        run = app('''
            [service web]
            command = @svc web listen=8080
            ready   = tcp 127.0.0.1:8080 every 50ms
            main    = yes
        ''')
        run.ready()                        # all that the configuration starts has become ready
        run.signal(SIGTERM)
        assert run.wait() == 0
        assert run.happened("web start", "web SIGNAL 15", "web end 0")

In the text: @svc, @say, @nth, @show, @args, @inherit are those verbs of programs/cfg_prog.c; @P is that
program, @L lastcall, @W the workdir. Programs report on stdout, with the milliseconds of CLOCK_MONOTONIC, so the test
sees in which order things happened. app() passes --report WORKDIR/report.
"""
import os
import re
import textwrap
from signal import SIGINT, SIGKILL, SIGQUIT, SIGTERM            # noqa: F401  (for the tests)

import pytest

import lc
from lc import BOUND, LATE, Failed, wait_for                   # noqa: F401  (LATE: for the tests)

# A command that says "d" at once and lasts until the test touches go.
UNTIL_GO = 'sh -c "@say d; until test -e @W/go; do sleep 0.02; done; @say over"'
SVC_VERBS = ("svc", "say", "show", "args", "inherit")


class Event(str):
    """"NAME WORDS..." with the time in ms (CLOCK_MONOTONIC) as .ms"""
    ms = 0


def events_of(text):
    found = []
    for line in text.split("\n")[:-1]:
        match = re.match(r"(\d+) (.*)$", line)
        if match:
            event = Event(match[2])
            event.ms = int(match[1])
            found.append(event)
    return found


def service_names(ini):
    """The names that the svc programs of the services in this text report with, their children's too."""
    names, inside = [], False
    for line in ini.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line.startswith("[service ")
        elif inside and re.match(r"command\s*=", line):
            found = re.findall(r"\bsvc (\S+)", line) + re.findall(r"\b(?:child|away|own)=([^,\s]+)", line)
            names += [n.strip("'\"") for n in found if "$" not in n]
    return names


class App:
    """One lastcall with a configuration: everything of lc.Lastcall, and what its programs reported."""

    def __init__(self, run, report_path, workdir, names=()):
        self.lc, self.report_path, self.workdir, self.names = run, report_path, workdir, names

    def __getattr__(self, name):
        return getattr(self.lc, name)

    # -- events --

    def events(self):
        return events_of(self.lc.out)

    def find(self, start):
        """The events that begin with this, in the order of their times."""
        return [e for e in self.events() if e == start or e.startswith(start + " ")]

    def at(self, start):
        """The time in ms of the one event that begins with this."""
        found = self.find(start)
        assert found, f"no event {start!r} in {self.events()}; {self.lc.err}"
        return found[0].ms

    def happened(self, *starts):
        """True if all these events are there, in this order (others between them do not matter)."""
        times = [(e.ms, n, e) for n, e in enumerate(self.events())]
        position = -1
        for start in starts:
            place = next((n for _, n, e in times if n > position and (e == start or e.startswith(start + " "))), None)
            if place is None:
                raise Failed(f"{start!r} is not there (after the ones before it): {self.events()}; {self.lc.err}")
            position = place
        return True

    def wait_event(self, start, count=1, timeout=BOUND):
        """Waits until count events begin with this; returns the last of them."""
        def look():
            found = self.find(start)
            return found[count - 1] if len(found) >= count else None
        return wait_for(look, timeout, lambda: f"{count} x {start!r} in {self.events()}, {self.lc.describe()}")

    def pid_inside(self, name):
        """The pid inside of the newest instance of that service of ours."""
        return int(self.find(f"{name} start")[-1].split()[2])

    def pid_of(self, name):
        """The same, as outside. None if it is gone."""
        return self.lc.outer(self.pid_inside(name))

    # -- lastcall --

    def status(self, *args):
        """/status as a dict, {} where there is none (any more)."""
        try:
            return self.lc.status(*args)
        except (OSError, ValueError):
            return {}

    def is_ready(self):
        return self.status().get("ready") is True

    def ready(self, timeout=BOUND):
        """Waits until /status says ready (at its default place), and all services have said that they have begun:
        before that they do not mind signals as they should."""
        wait_for(self.is_ready, timeout, lambda: f"ready: {self.status()}, {self.lc.describe()}")
        for name in self.names:
            self.wait_event(f"{name} start", timeout=timeout)
        return self

    def report(self):
        return lc.report(self.report_path)

    def stop(self, sig=SIGTERM, timeout=BOUND):
        """Sends the signal, waits for the end; returns the exit code."""
        self.lc.signal(sig)
        return self.lc.wait(timeout)

    def service(self, name):
        """Its entry in /status."""
        return next((s for s in self.status().get("services", []) if s["name"] == name), {})

    def wait_service(self, name, timeout=BOUND, **wanted):
        """Waits until /status says this of the service; returns the entry."""
        def look():
            entry = self.service(name)
            return entry if entry and all(entry.get(k) == v for k, v in wanted.items()) else None
        return wait_for(look, timeout, lambda: f"{name} {wanted}: {self.status()}, {self.lc.describe()}")

    def net(self):
        """The pid (outside) of the helper that talks."""
        found = [p for p in self.lc.helpers() if lc.proc_status(p.pid, "NoNewPrivs") == "1" and p.state not in "ZX"]
        return found[0].pid if found else None

    def step(self, name):
        """The step of that name in the report; there must be exactly one."""
        found = lc.steps(self.report(), name=name)
        assert len(found) == 1, f"{name}: {self.report()}"
        return found[0]


@pytest.fixture
def cfg_prog(programs):
    """The path of the compiled programs/cfg_prog.c."""
    return lc.compiled(programs.base, "cfg", "cfg_prog")


@pytest.fixture
def fill(workdir, cfg_prog, programs):
    """fill(ini): the text with the words that begin with @ replaced."""
    def replace(ini):
        ini = textwrap.dedent(ini).strip("\n") + "\n"
        ini = re.sub(rf"@({'|'.join(SVC_VERBS)})\b", rf"{cfg_prog} \1", ini)
        ini = re.sub(r"@nth\b", f"{cfg_prog} nth {workdir}/count", ini)
        ini = re.sub(r"@L\b", str(programs.lastcall), ini)
        return re.sub(r"@W\b", str(workdir), re.sub(r"@P\b", str(cfg_prog), ini))
    return replace


@pytest.fixture
def conf(workdir, fill):
    """conf(ini, name="app.ini"): writes it into workdir, returns the path."""
    def write(ini, name="app.ini"):
        path = workdir / name
        path.write_text(fill(ini))
        path.chmod(0o644)
        return path
    return write


@pytest.fixture
def app(start, conf, workdir):
    """app(ini, *args, after=(), **box): starts lastcall with that configuration and these options; after: words
    behind the --. Gives an App."""
    def begin(ini, *args, after=(), report=True, **box):
        path = workdir / "report"
        words = ["-c", conf(ini)] + (["--report", path] if report else []) + list(args)
        if after:
            words += ["--"] + list(after)
        return App(start(*words, **box), path, workdir, service_names(ini))
    return begin


@pytest.fixture
def refused(start, conf):
    """refused(ini, *args): such a file is refused: nothing starts, exit 78. Gives what stderr says."""
    def run(ini, *args):
        one = start("-c", conf(ini), *args)
        assert one.wait() == 78, one.describe()
        assert not events_of(one.out), "something was started"
        return one.err
    return run


@pytest.fixture
def second(app, conf):
    """second(run, *args): another lastcall inside the namespaces of run; gives a Popen."""
    def begin_second(run, *args):
        ini = conf("[service z]\ncommand = @svc z", "second.ini")
        return run.popen(run.box.binary, "-c", ini, *args)
    return begin_second
