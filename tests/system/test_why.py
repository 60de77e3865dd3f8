"""The last line: what ended whom, how long the stop took, what was killed; and the report's `oom`."""
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from cfg import *
from lc import SANITIZED, read, wait_for, wait_for_text

needs_proc = pytest.mark.skipif(SANITIZED, reason="a sanitizer needs /proc")
TIME = r"\d+\.\d s"


def rows_of(run, name):
    """What the timeline of the stop says for it."""
    return [line.split(None, 3)[3] for line in run.err.splitlines() if re.match(rf" +\d+\.\d s  {name} ", line)]


def last_line(run):
    lines = run.err.splitlines()
    assert lines, run.describe()
    return lines[-1]


def ends_with(run, regex):
    """The last line is exactly that."""
    assert re.fullmatch(f"lastcall: {regex}", last_line(run)), run.err
    return True


# ---- a counter of OOM kills that the test writes ----

class Counter:
    """A memory cgroup's file, in a tmpfs over /sys/fs/cgroup of the box."""

    def __init__(self, kills, v1=False, workdir=None):
        self.name = "memory.oom_control" if v1 else "memory.events"
        self.path = "/sys/fs/cgroup/memory/memory.oom_control" if v1 else "/sys/fs/cgroup/memory.events"
        group = workdir / "group"
        group.write_text("9:name=systemd:/\n4:memory:/docker/x\n0::/\n" if v1 else "0::/docker/x\n")
        text = self.text(kills).replace("\n", "\\n")
        self.before = ["/bin/sh", "-c", f"mount -t tmpfs none /sys/fs/cgroup && mkdir -p {os.path.dirname(self.path)} && "
                       f"printf '{text}' >{self.path} && mount --bind {group} /proc/$$/cgroup && exec \"$@\"", "sh"]

    def text(self, kills):
        if self.name == "memory.events":
            return f"low 0\nhigh 0\nmax 7\noom {kills}\noom_kill {kills}\noom_group_kill 0\n"
        return f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n"

    def set(self, run, kills):
        run.path(self.path).write_text(self.text(kills))


@pytest.fixture(params=["v2", "v1"])
def counter(request, workdir):
    """counter(kills): a fake one, of either version."""
    return lambda kills: Counter(kills, request.param == "v1", workdir)


@pytest.fixture
def no_counter(workdir):
    """There is no memory cgroup at all."""
    return ["/bin/sh", "-c", 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"', "sh"]


# ---- a single command that ends by itself ----

@pytest.mark.parametrize("script,line", [
    ("exit 3", r"sh \(pid %d\) exited 3\. exit 3"),
    ("exit 255", r"sh \(pid %d\) exited 255\. exit 255"),
    ("kill -SEGV $$", r"sh \(pid %d\) ended by SIGSEGV\. exit 139"),
    ("kill -ABRT $$", r"sh \(pid %d\) ended by SIGABRT\. exit 134"),
    ("kill -TERM $$", r"sh \(pid %d\) ended by SIGTERM\. exit 143"),
])
def test_a_bad_end(start, both, script, line):
    run = start("--", "sh", "-c", f"ulimit -c 0; echo $$; {script}", mode=both)
    run.wait()
    assert len(run.err.splitlines()) == 1
    ends_with(run, line % int(run.out))


@pytest.mark.parametrize("options", [[], ["--log", "json"], ["-v"], ["-g", "5s"]])
def test_a_good_end_is_silent(start, both, options):
    run = start(*options, "--", "true", mode=both)
    assert run.wait() == 0
    assert run.err == ""


def test_an_expected_end_is_silent(start):
    run = start("--expect-exit", "3", "--", "sh", "-c", "exit 3")
    assert run.wait() == 0
    assert run.err == ""


def test_one_that_cannot_run_has_had_its_line(start):
    run = start("--", "/nonexistent/program")
    assert run.wait() == 127
    assert len(run.err.splitlines()) == 1 and "exit 127" not in run.err


def test_by_another_name_nothing_more_is_said(start, workdir, programs):
    for name in ("tini", "catatonit", "dumb-init"):
        (workdir / name).symlink_to(programs.lastcall)
        run = start("--", "sh", "-c", "exit 4", binary=workdir / name)
        assert run.wait() == 4
        assert run.err == ""


def test_as_an_object(start):
    run = start("--log", "json", "--", "sh", "-c", "exit 3")
    run.wait()
    line = json.loads(last_line(run))
    assert set(line) == {"time", "level", "message"} and line["level"] == "warning"
    assert re.fullmatch(r"sh \(pid \d+\) exited 3\. exit 3", line["message"])


def test_quiet_says_what_went_wrong(start):
    run = start("-q", "--", "sh", "-c", "exit 3")
    run.wait()
    ends_with(run, r"sh \(pid \d+\) exited 3\. exit 3")


def test_a_signal_that_was_handed_on(start, workdir, programs, both):
    run = start("--", programs.prog, "obey", workdir / "log", mode=both)
    wait_for_text(workdir / "log", "ready")
    run.signal(signal.SIGHUP)
    assert run.wait() == 129
    ends_with(run, r"prog \(pid \d+\) ended by SIGHUP from outside\. exit 129")


@pytest.mark.skipif(SANITIZED, reason="a sanitizer does not work under ptrace")
def test_no_look_without_need(start, workdir, programs):
    """What ends well costs no system call for the count, and the start of a command none."""
    for script, looks in (("exit 0", 0), ("exit 3", 1)):
        trace = workdir / f"trace{looks}"
        start("--", "sh", "-c", script, mode="host",
              before=["/usr/bin/strace", "-qq", "-e", "signal=none", "-o", trace]).wait()
        assert ("cgroup" in read(trace)) == bool(looks)
        assert "fork" in read(trace).split("cgroup")[0]


# ---- by a KILL ----

def kill_main(run, programs):
    [main] = [p for p in run.programs() if p.comm == "prog"]
    os.kill(main.pid, signal.SIGKILL)


def test_killed_by_someone(start, workdir, programs, both, counter):
    """Not called the OOM killer's doing: its count is 0."""
    run = start("--", programs.prog, "obey", workdir / "log", mode=both, before=counter(0).before)
    wait_for_text(workdir / "log", "ready")
    kill_main(run, programs)
    assert run.wait() == 137
    ends_with(run, r"prog \(pid \d+\) ended by SIGKILL, sent by neither lastcall nor the kernel's OOM killer\. exit 137")


@pytest.mark.parametrize("no_proc", [False, pytest.param(True, marks=needs_proc)])
def test_killed_and_nobody_counts(start, workdir, programs, no_counter, no_proc):
    run = start("--", programs.prog, "obey", workdir / "log", before=no_counter, no_proc=no_proc)
    wait_for_text(workdir / "log", "ready")
    kill_main(run, programs)
    assert run.wait() == 137
    ends_with(run, r"prog \(pid \d+\) ended by SIGKILL, not sent by lastcall\. exit 137")


def test_a_count_that_was_not_read_at_the_start(start, workdir, programs, both, counter):
    """As PID 1 the cgroup is as old as lastcall is; elsewhere it may be older."""
    count = counter(0)
    run = start("--", programs.prog, "obey", workdir / "log", mode=both, before=count.before)
    wait_for_text(workdir / "log", "ready")
    count.set(run, 1)
    kill_main(run, programs)
    assert run.wait() == 137
    guess = "it seems" if both == "pid1" else "perhaps"
    ends_with(run, rf"prog \(pid \d+\) ended by SIGKILL, {guess} by the kernel's OOM killer \({count.name} oom_kill 1\)"
              r"\. exit 137")


def test_the_oom_killer_took_a_child(start, workdir, counter):
    """A shell turns it into 137."""
    count = counter(0)
    os.mkfifo(workdir / "gate")
    run = start("--", "sh", "-c", f"echo up; read x <{workdir}/gate; exit 137", before=count.before)
    run.wait_line("up", stream="out")
    count.set(run, 2)
    (workdir / "gate").write_text("\n")
    assert run.wait() == 137
    ends_with(run, r"sh \(pid \d+\) exited 137; the kernel's OOM killer ended 2 "
              rf"\({count.name} oom_kill 2\)\. exit 137")


@pytest.mark.parametrize("grown", [True, False])
def test_main_of_a_configuration(app, both, counter, grown):
    count = counter(5)
    run = app("[service web]\ncommand = @svc web\nmain = yes\n", mode=both, before=count.before).ready()
    count.set(run, 6 if grown else 5)
    os.kill(run.pid_of("web"), signal.SIGKILL)
    assert run.wait() == 137
    why = (rf": the kernel's OOM killer \({count.name} oom_kill 5 -> 6\)" if grown else
           ", sent by neither lastcall nor the kernel's OOM killer")
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after web ended by SIGKILL{why}\. exit 137")
    assert re.search(rf"^lastcall: web ended by SIGKILL{why}; 10\.0 s", run.err, re.M), run.err


def test_a_service_that_starts_again(app, counter):
    """Each end has its own cause: the second KILL is not the OOM killer's."""
    count = counter(0)
    run = app("[service a]\ncommand = @svc a\nrestart-delay = 10ms..10ms\n", before=count.before).ready()
    count.set(run, 1)
    os.kill(run.pid_of("a"), signal.SIGKILL)
    run.wait_line(rf"a: ended by SIGKILL: the kernel's OOM killer \({count.name} oom_kill 0 -> 1\); starts again in 10ms$")
    run.wait_event("a start", 2)
    os.kill(run.pid_of("a"), signal.SIGKILL)
    run.wait_line(r"a: ended by SIGKILL, sent by neither lastcall nor the kernel's OOM killer; starts again in 10ms$")
    run.wait_event("a start", 3)
    assert run.stop() == 0
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after SIGTERM from outside: the kernel's OOM killer ended 1 "
              rf"\({count.name} oom_kill 0 -> 1\)\. exit 0")
    assert run.report()["oom"] == 1


TWO = """
    [service web]
    command = @svc web
    main = yes
    [service worker]
    command = @svc worker
    restart = no
"""


@pytest.mark.parametrize("kills", [0, 2])
def test_two_at_once(app, counter, kills):
    """Each has its own cause: what is known of the second does not take the place of the first."""
    count = counter(0)
    run = app(TWO, before=count.before).ready()
    count.set(run, kills)
    run.lc.run("kill", "-9", run.pid_inside("web"), run.pid_inside("worker"))
    assert run.wait() == 137
    line = last_line(run)
    why = "ended by SIGKILL: the kernel's OOM killer" if kills else "ended by SIGKILL, sent by neither lastcall"
    assert f"web {why}" in line and line.count("SIGKILL") == line.count(why), run.err


def test_our_own_kill_is_not_asked_about(app, counter):
    run = app("[service web]\ncommand = @svc web deaf=1\nmain = yes\nstop-timeout = 300ms\n", before=counter(0).before).ready()
    assert run.stop() == 124
    assert "OOM" not in run.err and "neither" not in run.err


def test_kill_as_the_stop_signal(app, counter):
    run = app("[service web]\ncommand = @svc web\nmain = yes\nstop-signal = KILL\n", before=counter(0).before).ready()
    assert run.stop() == 0
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after SIGTERM from outside: web ended by SIGKILL\. exit 0")


# ---- the report ----

def test_the_report_counts_from_the_start(app, counter):
    count = counter(5)
    run = app("[service web]\ncommand = @svc web\nmain = yes\n", before=count.before).ready()
    count.set(run, 7)
    run.stop()
    assert run.report()["oom"] == 2
    assert run.report()["summary"] == last_line(run).removeprefix("lastcall: ")


def test_the_report_of_none(app, counter):
    run = app("[service web]\ncommand = @svc web\nmain = yes\n", before=counter(5).before).ready()
    run.stop()
    assert run.report()["oom"] == 0


def test_the_report_where_nobody_counts(app, no_counter):
    run = app("[service web]\ncommand = @svc web\nmain = yes\n", before=no_counter).ready()
    run.stop()
    assert run.report()["oom"] is None


def test_the_report_of_a_single_command(start, workdir, programs, both, counter):
    """As PID 1 the cgroup's count is ours; elsewhere an older one is nobody's."""
    for kills, wanted in ((0, 0), (3, 3 if both == "pid1" else None)):
        log, path = workdir / f"log{kills}", workdir / f"report{kills}"
        run = start("-g", "5s", "--report", path, "--", programs.prog, "obey", log, mode=both, before=counter(kills).before)
        wait_for_text(log, "ready")
        run.signal(SIGTERM)
        run.wait()
        assert json.loads(path.read_text())["oom"] == wanted


# ---- a real one ----

@pytest.fixture
def small_group(request):
    """A memory cgroup of the test's own, below the one that it runs in: the words that enter it."""
    line = re.search(r"^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(/.*)$", read("/proc/self/cgroup"), re.M)
    version_1 = line is not None
    line = line or re.search(r"^0::(/.*)$", read("/proc/self/cgroup"), re.M)
    root = Path("/sys/fs/cgroup/memory" if version_1 else "/sys/fs/cgroup")
    group = root / line[1].lstrip("/") / f"lastcall-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no memory cgroup of our own here: {error}")

    def remove():
        try:
            group.rmdir()
            return True
        except OSError:
            return False

    request.addfinalizer(lambda: wait_for(remove, what=f"an empty {group}"))
    names = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes") if version_1 else ("memory.max", "memory.swap.max")
    if not (group / names[0]).exists():
        pytest.skip("the memory controller is not ours to use here")
    for name, limit in zip(names, ("64M", "64M" if version_1 else "0")):
        if (group / name).exists():
            (group / name).write_text(limit)
    return ["/bin/sh", "-c", f'echo 0 >{group}/cgroup.procs && exec "$@"', "sh"]


def test_the_kernel_kills_a_command(start, programs, small_group, both):
    run = start("--", programs.prog, "eat", "400", before=small_group, mode=both)
    assert run.wait() == 137
    ends_with(run, rf"prog \(pid \d+\) ended by SIGKILL, {'it seems' if both == 'pid1' else 'perhaps'} by "
              r"the kernel's OOM killer \(memory\.\w+ oom_kill 1\)\. exit 137")


def test_the_kernel_kills_a_service(app, programs, small_group):
    run = app(f"""
        [service web]
        command = @svc web
        main = yes
        [service hungry]
        command = {programs.prog} eat 400
        restart = no
        essential = no
    """, before=small_group)
    run.wait_line(r"hungry FAILED for good: ended by SIGKILL: the kernel's OOM killer \(memory\.\w+ oom_kill 0 -> 1\)$")
    run.wait_event("web start")
    assert run.stop() == 0
    assert run.report()["oom"] == 1
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after SIGTERM from outside: web exited 0; the kernel's OOM killer ended 1 "
              r"\(memory\.\w+ oom_kill 0 -> 1\)\. exit 0")


# ---- who asked ----

def test_from_outside(start, workdir, programs, both):
    run = start("--", programs.prog, "slow", "600", workdir / "log", mode=both)
    wait_for_text(workdir / "log", "ready")
    run.signal(SIGTERM)
    assert run.wait() == 0
    assert len(run.err.splitlines()) == 1
    ends_with(run, rf"CLEAN in {TIME} after SIGTERM from outside: prog \(pid \d+\) exited 0\. exit 0")
    assert float(re.search(r"in (\d+\.\d) s", run.err)[1]) >= 0.6


def from_inside(run, pid, sig="TERM", **more):
    """A shell inside sends it, and stays: so its name can be looked up. Its pid inside."""
    child = run.popen("/bin/sh", "-c", f"echo $$; kill -{sig} {pid}; exec sleep 1000", **more)
    return int(child.stdout.readline())


def inner(run):
    return next(p.inner for p in run.processes() if p.pid == run.pid)


@pytest.mark.parametrize("grace", [[], ["-g", "5s"]])
def test_from_inside(start, workdir, programs, both, grace):
    run = start(*grace, "--", programs.prog, "obey", workdir / "log", mode=both, may_leave=True)   # the sender stays
    wait_for_text(workdir / "log", "ready")
    pid = from_inside(run, inner(run))
    assert run.wait() == 143
    of = r" of 5\.0" if grace else ""
    ends_with(run, rf"CLEAN in {TIME}{of} after SIGTERM from pid {pid} \((sh|sleep)\): prog \(pid \d+\) ended by SIGTERM\."
              " exit 143")


def test_by_the_command_itself(start):
    run = start("--", "sh", "-c", "trap 'exit 9' TERM; kill $PPID; while :; do sleep 0.01; done")
    assert run.wait() == 9
    ends_with(run, rf"CLEAN in {TIME} after SIGTERM from pid (\d+) \(sh\): sh \(pid \1\) exited 9\. exit 9")


def test_by_another_user(start, workdir, programs):
    run = start("--", programs.prog, "obey", workdir / "log", uid=65534)
    wait_for_text(workdir / "log", "ready")
    pid = from_inside(run, 1)
    assert run.wait() == 143
    ends_with(run, rf"CLEAN in {TIME} after SIGTERM from pid {pid} \((sh|sleep)\) of user 0: prog \(pid \d+\) ended by "
              r"SIGTERM\. exit 143")


@needs_proc
def test_without_proc_the_sender_has_no_name(app):
    run = app("[service web]\ncommand = @svc web\nmain = yes\n", no_proc=True).ready()
    run.signal(SIGTERM)
    assert run.wait() == 0
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after SIGTERM from outside: web exited 0\. exit 0")


def test_the_first_notice_counts(start, workdir, programs):
    """What comes later changes neither the time nor the sender."""
    run = start("--", programs.prog, "record", workdir / "log", "3:7")
    wait_for_text(workdir / "log", "ready")
    pid = from_inside(run, 1)
    wait_for_text(workdir / "log", "^15 ")
    run.signal(signal.SIGQUIT)
    assert run.wait() == 7
    ends_with(run, rf"CLEAN in {TIME} after SIGTERM from pid {pid} \(\w+\): prog \(pid \d+\) exited 7\. exit 7")


def test_a_later_notice_of_a_configuration(app):
    run = app("[service web]\ncommand = @svc web work=500\nmain = yes\n").ready()
    pid = from_inside(run, 1)
    run.wait_event("web SIGNAL 15")
    run.signal(SIGTERM)
    run.wait_line("again: the stop is under way")
    assert run.wait() == 0
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after SIGTERM from pid {pid} \(\w+\): web exited 0\. exit 0")


def test_ctrl_c_of_a_command(at_terminal, terminal, programs, workdir):
    """The terminal tells the command alone: nobody knows more than its signal."""
    run = at_terminal("--", programs.prog, "obey", workdir / "log")
    wait_for_text(workdir / "log", "ready")
    terminal.type("\x03")
    terminal.shown(r"lastcall: prog \(pid \d+\) ended by SIGINT\. exit 130")
    assert run.wait() == 130


def test_ctrl_c_of_a_configuration(at_terminal, terminal, conf):
    ini = conf("[service web]\ncommand = @svc web\nmain = yes\n")
    run = at_terminal("-c", ini)
    wait_for(lambda: run.status().get("ready"))
    terminal.shown("web start")
    terminal.type("\x03")
    terminal.shown(rf"lastcall: CLEAN in {TIME} of 10\.0 after SIGINT from the terminal: web exited 0\. exit 0")
    assert run.wait() == 0


def test_the_shutdown_verb(app, both):
    run = app("[service web]\ncommand = @svc web\nmain = yes\n", mode=both, may_leave=True).ready()  # the verb itself
    assert run.verb("shutdown").code == 0
    assert run.wait() == 0
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after shutdown: web exited 0\. exit 0")


def test_prestop_and_then_a_signal(app):
    run = app("[service web]\ncommand = @svc web\nmain = yes\n").ready()
    assert run.verb("prestop").code == 0
    assert run.stop() == 0
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after prestop: web exited 0\. exit 0")


@pytest.mark.parametrize("end,says,code", [("exit=3", "exited 3", 3), ("exit=0", "exited 0", 0),
                                           ("die=11", "ended by SIGSEGV", 139)])
def test_main_ends(app, both, end, says, code):
    run = app(f"[service web]\ncommand = @svc web life=100 {end}\nmain = yes\n", mode=both)
    assert run.wait() == code
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after web {says}\. exit {code}")
    assert rows_of(run, "web") == [f"not running: {says}"]


def test_an_essential_service_ends(app):
    run = app("""
        [service web]
        command = @svc web notify=READY=1
        ready = notify
        main = yes
        [service worker]
        command = @svc worker life=100 exit=4
        after = web
        restart = no
    """)
    assert run.wait() == 4
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after worker has ended for good: exited 4: web exited 0\. exit 4")


@pytest.mark.parametrize("keys,says", [
    ("command = @svc worker life=50 exit=4\nrestart-delay = 10ms..10ms\nrestart-limit = 2 in 1m",
     "exited 4; restart-limit 2 in 1m is used up"),
    ("command = @svc worker\nready = exec false every 50ms\nready-timeout = 2s\nrestart = no",
     "exited 0; it was not ready in time"),
    ("command = /nonexistent\nrestart = no", "could not be started"),
], ids=["limit", "ready-timeout", "exec"])
def test_why_an_essential_service_is_given_up(app, keys, says):
    run = app(f"[service web]\ncommand = @svc web\nmain = yes\n[service worker]\n{keys}\n")
    code = run.wait()
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after worker has ended for good: {says}: web .*\. exit {code}")


def test_main_that_cannot_be_started(app):
    run = app("[service web]\ncommand = /nonexistent\nmain = yes\n")
    assert run.wait() == 127
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after web could not be started\. exit 127")


def test_which_one_gave_the_code_when_all_have_ended(app):
    run = app("""
        [lastcall]
        essential = no
        restart = no
        [service a]
        command = @svc a life=50
        [service b]
        command = @svc b life=50 exit=3
    """)
    assert run.wait() == 3
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after all services have ended, b not well: exited 3\. exit 3")


@pytest.mark.parametrize("options", [[], ["--log", "json"]], ids=["text", "json"])
def test_the_code_is_there_behind_long_names(app, workdir, options):
    deep = workdir / "/".join(c * 250 for c in "abc")
    deep.mkdir(parents=True)
    (deep / "drain.ini").write_text("[drain one]\ncommand = false\n")
    run = app("[service web]\ncommand = @svc web exit=7\nmain = yes\n", "-c", deep / "drain.ini", *options).ready()
    assert run.stop() == 7
    line = json.loads(last_line(run))["message"] if options else last_line(run).removeprefix("lastcall: ")
    assert re.fullmatch(rf"DEGRADED in {TIME} of 10\.0 .*one failed: exited 1 \(.*/a*/b*/c*\.\.\. exit 7", line), line
    assert run.report()["summary"] == line


# ---- what a stop finds ended has one row, which says how ----

def test_what_had_ended_before_the_stop(app):
    run = app("""
        [lastcall]
        essential = no
        restart = no
        [service main]
        command = @svc main
        main = yes
        [service gone]
        command = @svc gone life=50 exit=3
        [service never]
        command = /nonexistent
    """)
    wait_for(lambda: "gone FAILED for good: exited 3" in run.err and "never FAILED" in run.err, what=run.describe)
    run.wait_event("main start")
    assert run.stop() == 0
    assert rows_of(run, "gone") == ["not running: exited 3"]
    assert rows_of(run, "never") == ["not running: could not be started"]
    assert [(step["state"], step["exit"]) for step in run.report()["steps"] if step["name"] == "gone"] == [("done", 3)]


def test_what_ends_in_the_stop_before_its_turn(app):
    """Nothing else says how."""
    run = app("""
        [service main]
        command = @svc main
        main = yes
        [service early]
        command = @svc early
        [drain tell]
        signal = early TERM
        [drain wait]
        wait-exit = early
        timeout = 9s
    """).ready()
    run.wait_event("early start")
    run.wait_event("main start")
    assert run.stop() == 0
    assert rows_of(run, "early") == ["not running: exited 0"]


@pytest.mark.parametrize("keys,more", [("", []), ("stop-timeout = 300ms", ["TIMEOUT at its 0.3 s: KILL, going on"])],
                         ids=["in-time", "timeout"])
def test_what_its_leader_left_behind_is_still_there(app, keys, more):
    run = app(f"[service web]\ncommand = @svc web child=kid,deaf=1 on=10:3\nmain = yes\n{keys}\n")
    run.wait_event("web start")
    run.wait_event("kid start")
    os.kill(run.pid_of("web"), signal.SIGUSR1)
    assert run.wait() == 3
    assert rows_of(run, "web") == ["not running: exited 3", *more]


def test_quiet_and_a_bad_end(app):
    """A stop that was asked for and went well is no news; an end that nobody asked for is."""
    run = app("[service web]\ncommand = @svc web life=100 exit=3\nmain = yes\n", "-q")
    run.wait()
    assert len(run.err.splitlines()) == 1
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after web exited 3\. exit 3")


def test_the_level_of_an_object(app):
    run = app("[service web]\ncommand = @svc web\nmain = yes\n", "--log", "json").ready()
    run.stop()
    line = json.loads(last_line(run))
    assert line["level"] == "info"
    assert re.fullmatch(rf"CLEAN in {TIME} of 10\.0 after SIGTERM from outside: web exited 0\. exit 0", line["message"])


# ---- what was killed ----

def test_a_command_that_used_up_its_grace(start, workdir, programs, both):
    run = start("-g", "4s", "--reserve", "3s", "--", programs.prog, "deaf", workdir / "log", mode=both)
    wait_for_text(workdir / "log", "ready")
    run.signal(SIGTERM)
    assert run.wait() == 137
    ends_with(run, rf"FORCED in {TIME} of 4\.0 after SIGTERM from outside: killed prog \(pid \d+\)\. Raise --grace\."
              " exit 137")


@pytest.mark.parametrize("options", [[], ["--log", "json"]])
def test_what_a_command_left_behind(start, workdir, programs, both, options):
    run = start(*options, "--", "sh", "-c", f"{programs.prog} deaf {workdir}/log & until [ -s {workdir}/log ]; do :; done",
                mode=both)
    assert run.wait() == 0
    pid = int(re.search(r"ready (\d+)", read(workdir / "log"))[1])
    line = json.loads(last_line(run))["message"] if options else last_line(run).removeprefix("lastcall: ")
    assert re.fullmatch(rf"FORCED in [23]\.\d s after sh exited 0: killed prog \(pid {pid}\)\. exit 0", line)


def test_killed_as_asked(app):
    """The third SIGINT: no time has run out, so none is to be raised."""
    run = app("""
        [service web]
        command = @svc web deaf=1
        main = yes
        [drain one]
        command = @svc one deaf=1
        timeout = 5s
    """).ready()
    for _ in range(2):
        run.signal(SIGINT)
        run.wait_event("one start")
    run.wait_line("web .*TERM")
    run.signal(SIGINT)
    assert run.wait() == 124
    ends_with(run, rf"FORCED in {TIME} of 10\.0 after SIGINT from outside: killed as asked: "
              rf"(web|one) \(pid \d+ cfg\), (web|one) \(pid \d+ cfg\)\. exit 124")
    assert {k["pid"] for k in run.report()["killed"]} == {run.pid_inside("web"), run.pid_inside("one")}


def test_many_are_counted(start, workdir, programs):
    script = f"for i in 1 2 3 4 5 6 7; do {programs.prog} deaf {workdir}/$i & done; " \
             f"for i in 1 2 3 4 5 6 7; do until [ -s {workdir}/$i ]; do :; done; done; exit 3"
    run = start("--", "sh", "-c", script)
    assert run.wait() == 3
    ends_with(run, rf"FORCED in {TIME} after sh exited 3: killed (prog \(pid \d+\), ){{4}}prog \(pid \d+\) and 2 more\."
              " exit 3")


def test_an_end_that_is_seen_after_its_deadline(app, programs, workdir, both):
    """Nobody killed it: lastcall stands still meanwhile."""
    log = workdir / "log"
    run = app(f"[service web]\ncommand = {programs.prog} slow 300 {log}\nmain = yes\nstop-timeout = 2s\n", mode=both)
    wait_for_text(log, "ready")
    begun = time.monotonic()
    run.signal(SIGTERM)
    run.wait_line("web .*TERM to pid")
    os.kill(run.lc.pid, signal.SIGSTOP)
    wait_for_text(log, "done")
    wait_for(lambda: time.monotonic() > begun + 2.2)
    os.kill(run.lc.pid, signal.SIGCONT)
    assert run.wait() == 0
    ends_with(run, rf"CLEAN in {TIME} of 10\.0 after SIGTERM from outside: web exited 0\. exit 0")


def test_a_service_and_what_is_beside_it(app):
    run = app("""
        [lastcall]
        grace = 9s
        [service web]
        command = @svc web away=gone,deaf=1
        main = yes
        [service deaf]
        command = @svc deaf deaf=1
        stop-timeout = 500ms
    """).ready()
    run.wait_event("gone start")
    deaf, gone = run.pid_inside("deaf"), run.pid_inside("gone")
    assert run.stop() == 124
    ends_with(run, rf"FORCED in {TIME} of 9\.0 after SIGTERM from outside: web exited 0; killed deaf \(pid {deaf} cfg\), "
              rf"cfg \(pid {gone}\)\. Raise \[service deaf\] stop-timeout \(.*app\.ini:8\)\. exit 124")


def test_the_leader_ends_and_its_child_does_not(app):
    """What is killed then is the child, by its own pid."""
    run = app("""
        [lastcall]
        grace = 4s
        [service web]
        command = @svc web child=kid,deaf=1
        main = yes
        stop-timeout = 500ms
    """).ready()
    run.wait_event("kid start")
    kid = run.pid_inside("kid")
    run.stop()
    ends_with(run, rf"FORCED in {TIME} of 4\.0 after SIGTERM from outside: .*killed web \(pid {kid} cfg\)\. Raise .* exit 124")
    assert [k["pid"] for k in run.report()["killed"]] == [kid]


@needs_proc
def test_without_proc_the_killed_have_a_pid(app):
    run = app("[service web]\ncommand = @svc web deaf=1\nmain = yes\nstop-timeout = 300ms\n", no_proc=True).ready()
    assert run.stop() == 124
    ends_with(run, rf"FORCED in {TIME} of 10\.0 after SIGTERM from outside: killed web \(pid {run.pid_inside('web')}\)\. "
              r"Raise \[service web\] stop-timeout \(.*app\.ini:4\)\. exit 124")


def test_a_step_that_failed_comes_first(app):
    run = app("""
        [service web]
        command = @svc web
        main = yes
        [drain one]
        command = @say one 0 3
        [drain two]
        command = @say two 0 4
    """).ready()
    assert run.stop() == 0
    ends_with(run, rf"DEGRADED in {TIME} of 10\.0 after SIGTERM from outside: web exited 0; one failed: exited 3 "
              r"\(.*app\.ini:4\); and 1 more\. exit 0")
