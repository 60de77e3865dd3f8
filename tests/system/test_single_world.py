"""What the command inherits, what lastcall's lines do to shared outputs, and odd neighbours."""
import fcntl
import os
import re
import signal
import socket
import threading

import pytest

from lc import (SANITIZED, Stream, alive, proc_status, process, read, recorded_signals, report, wait_for, wait_for_text)


# ---- what the command inherits ----

@pytest.mark.parametrize("options", [[], ["--http", ":9180"], ["--control", "/run/c.sock", "-g", "5s"],
                                     ["--pdeathsig", "TERM"]], ids=" ".join)
def test_the_command_has_what_lastcall_had(start, both, options):
    """None of lastcall's own settings, or of its helper's, reach the command."""
    fields = ["NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "Uid", "Gid", "Groups",
              "Umask"]
    ours = {key: proc_status("self", key) for key in fields}
    run = start(*options, "--", "sh", "-c", "cat /proc/self/status; ulimit -n; ulimit -c; nice", mode=both)
    assert run.wait() == 0
    for key in fields:
        assert re.search(rf"^{key}:[ \t]*{re.escape(ours[key])}$", run.out, re.M), key
    import resource
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert run.out.split("\n")[-4:-2][0] == str(soft)
    assert run.out.split("\n")[-2] == str(os.nice(0))


def test_inherited_descriptors_pass_through(start, programs, workdir):
    """As socket activation by somebody above needs it."""
    opener = "exec 7<>/dev/null; exec \"$@\""
    run = start("--", programs.prog, "fds", workdir / "fds", before=["/bin/sh", "-c", opener, "sh"])
    assert run.wait() == 0
    assert [line.split()[0] for line in read(workdir / "fds").splitlines()] == ["0", "1", "2", "7", "end"]


@pytest.mark.parametrize("mask", ["0000", "0077"])
def test_umask_passes_through(start, mask):
    run = start("--", "sh", "-c", "umask", before=["/bin/sh", "-c", f"umask {mask}; exec \"$@\"", "sh"])
    assert run.wait() == 0
    assert run.out == f"{mask}\n"


# ---- a notify socket above ----

@pytest.fixture
def above(workdir):
    """The notify socket of somebody above lastcall: messages() is what came so far."""
    path = workdir / "above"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.bind(str(path))
    path.chmod(0o777)
    got = []

    def pump():
        while data := sock.recv(4096):
            got.extend(data.decode().splitlines())

    thread = threading.Thread(target=pump, daemon=True)
    thread.start()
    yield path, got
    end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    end.sendto(b"", str(path))
    thread.join()
    end.close()
    sock.close()


def test_upward_notification(start, workdir, programs, both, above):
    path, got = above
    log = workdir / "log"
    run = start("-g", "5s", "--", programs.prog, "record", log, "15:0", mode=both, env={"NOTIFY_SOCKET": path})
    wait_for_text(log, "ready")
    wait_for(lambda: "READY=1" in got)
    assert "STOPPING=1" not in got
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    wait_for(lambda: "STOPPING=1" in got)


def test_the_command_never_gets_the_parents_notify_socket(start, both, above):
    run = start("--", "env", mode=both, env={"NOTIFY_SOCKET": above[0]})
    assert run.wait() == 0
    assert str(above[0]) not in run.out


@pytest.mark.parametrize("where", ["/nonexistent/socket", "@no-such-name", "relative", ""])
def test_a_bad_notify_socket_stops_nothing(start, where):
    assert start("--", "sh", "-c", "exit 3", env={"NOTIFY_SOCKET": where}).wait() == 3


# ---- lines in shared outputs ----

def run_that_talks(start, workdir, programs, **options):
    """The command writes ten lines to stderr, then a stop makes lastcall write its own."""
    log = workdir / "log"
    run = start("-g", "5s", "--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do echo word $i >&2; done; "
                f"exec {programs.prog} record {log} 15:0", **options)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0


def check_lines(text):
    words = [f"word {i}" for i in range(1, 11)]
    lines = text.replace("\r\n", "\n").splitlines()
    assert lines[:10] == words
    assert re.match("lastcall: SIGTERM", lines[10])
    assert re.match("lastcall: CLEAN", lines[-1])


@pytest.mark.parametrize("uid", [None, 65534], ids=["root", "another user"])
class TestLines:
    @pytest.mark.parametrize("flags", [0, os.O_APPEND], ids=["file", "append"])
    def test_in_a_file(self, start, workdir, programs, uid, flags):
        """The file's offset is shared: a description of lastcall's own would write over the command's output."""
        fd = os.open(workdir / "out", os.O_WRONLY | os.O_CREAT | flags, 0o666)
        run_that_talks(start, workdir, programs, uid=uid, stderr=fd)
        os.close(fd)
        check_lines(read(workdir / "out"))

    def test_in_a_pipe(self, start, workdir, programs, uid):
        reader, writer = os.pipe()
        stream = Stream(reader)
        run_that_talks(start, workdir, programs, uid=uid, stderr=writer)
        os.close(writer)
        stream.ended.wait(10)
        check_lines(stream.text)

    def test_in_a_socket(self, start, workdir, programs, uid):
        reader, writer = socket.socketpair()
        stream = Stream(reader.detach())
        run_that_talks(start, workdir, programs, uid=uid, stderr=writer.fileno())
        writer.close()
        stream.ended.wait(10)
        check_lines(stream.text)

    def test_in_a_fifo(self, start, workdir, programs, uid):
        os.mkfifo(workdir / "fifo")
        reader = os.open(workdir / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(reader, True)
        writer = os.open(workdir / "fifo", os.O_WRONLY)
        stream = Stream(reader)
        run_that_talks(start, workdir, programs, uid=uid, stderr=writer)
        os.close(writer)
        stream.ended.wait(10)
        check_lines(stream.text)

    def test_on_a_terminal(self, start, workdir, programs, uid):
        master, slave = os.openpty()
        if uid:
            os.fchown(slave, uid, uid)      # as Docker does
        stream = Stream(master)
        run_that_talks(start, workdir, programs, uid=uid, stderr=slave)
        os.close(slave)
        stream.ended.wait(10)
        check_lines(stream.text)

    @pytest.mark.skipif(SANITIZED, reason="a sanitizer wants /proc")
    def test_without_proc(self, start, workdir, programs, uid):
        reader, writer = os.pipe()
        stream = Stream(reader)
        run_that_talks(start, workdir, programs, uid=uid, stderr=writer, no_proc=True)
        os.close(writer)
        stream.ended.wait(10)
        check_lines(stream.text)


def test_a_nonblocking_stderr_stays_so(start, workdir, programs):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    stream = Stream(reader)
    before = fcntl.fcntl(writer, fcntl.F_GETFL)
    run_that_talks(start, workdir, programs, stderr=writer)
    assert fcntl.fcntl(writer, fcntl.F_GETFL) == before
    os.close(writer)
    stream.ended.wait(10)
    check_lines(stream.text)


# ---- reports in odd places ----

@pytest.mark.parametrize("kind", ["fifo", "full", "socket", "link", "read-only file"])
def test_a_report_in_an_odd_place_holds_nothing_up(start, workdir, programs, kind):
    path, log = workdir / "report", workdir / "log"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "full":
        path = "/dev/full"
    elif kind == "socket":
        s = socket.socket(socket.AF_UNIX)
        s.bind(str(path))
        s.close()
    elif kind == "link":
        path.symlink_to(workdir / "none" / "none")
    else:
        path.touch()
        path.chmod(0o444)
    uid = 65534 if kind == "read-only file" else None
    run = start("--report", path, "-g", "5s", "--", programs.prog, "record", log, "15:3", uid=uid)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 3


def test_a_longer_text_in_the_report_file_does_not_show_through(start, workdir, programs):
    path, log = workdir / "report", workdir / "log"
    path.write_text("x" * 10000)
    run = start("--report", path, "-g", "5s", "--", programs.prog, "record", log, "15:0")
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert report(path)["verdict"] == "clean"


def test_the_report_has_at_most_4096_bytes_with_long_names(start, workdir):
    path, log = workdir / "report", workdir / "log"
    name = workdir / ("n" * 200)
    name.symlink_to("/bin/sh")
    run = start("--report", path, "-g", "5s", "--", name, "-c", f"echo ready > {log}; sleep 1000", "x" * 5000)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143
    assert report(path)["exit"] == 143


# ---- odd neighbours ----

@pytest.mark.parametrize("child", ["sleep 1000", "sh -c 'sleep 0.3; exit 9'", "sh -c 'exit 9'"])
def test_children_from_before_are_not_the_command(start, both, child):
    """What ran in this process before lastcall may have left it children."""
    run = start("--", "sh", "-c", "sleep 0.6; exit 4", mode=both, may_leave=True,
                before=["/bin/sh", "-c", f"{child} & exec \"$@\"", "sh"])
    assert run.wait() == 4


def test_lastcall_inside_lastcall(start, workdir, programs, both):
    log, worker = workdir / "log", workdir / "worker"
    run = start("-g", "20s", "--", programs.lastcall, "-g", "10s", "--", "sh", "-c",
                f"setsid {programs.prog} slow 300 {worker} & exec {programs.prog} record {log} 15:5", mode=both)
    wait_for_text(log, "ready")
    wait_for_text(worker, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 5
    assert "done" in read(worker)


def test_a_worker_of_the_inner_one_is_killed_by_it(start, workdir, programs, both):
    """The outer waits for the inner one's sweep: that is one process's work, and inside its grace."""
    log, worker = workdir / "log", workdir / "worker"
    run = start("-g", "20s", "--", programs.lastcall, "--", "sh", "-c",
                f"setsid {programs.prog} deaf {worker} & exec {programs.prog} record {log} 15:5", mode=both)
    wait_for_text(log, "ready")
    wait_for_text(worker, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 5


def test_a_flood_of_signals_loses_no_other(start, workdir, programs, both):
    log = workdir / "log"
    run = start("-g", "1h", "--", programs.prog, "record", log, "10:0", mode=both)
    wait_for_text(log, "ready")
    for n in range(300):
        run.signal(signal.SIGTERM)
        run.signal(signal.SIGHUP)
        run.signal(40)
    run.signal(signal.SIGUSR2)
    wait_for(lambda: recorded_signals(log).count(40) == 300 and signal.SIGUSR2 in recorded_signals(log))
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


def test_kill_mode_main_still_kills_the_whole_tree(start, workdir, programs, both):
    main, other = workdir / "main", workdir / "other"
    run = start("--kill-mode", "main", "-g", "2s", "--", "sh", "-c",
                f"{programs.prog} deaf {other} & exec {programs.prog} deaf {main}", mode=both)
    wait_for_text(main, "ready")
    wait_for_text(other, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 137


def test_a_second_stop_signal_is_held_back_by_announce_too(start, workdir, programs):
    log = workdir / "log"
    run = start("--announce", "3s", "-g", "20s", "--", programs.prog, "record", log, "10:0")
    wait_for_text(log, "ready")
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        run.signal(sig)
    wait_for_text(log, "^1 ")
    assert recorded_signals(log) == [signal.SIGHUP]
    wait_for_text(log, "^15 ")
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0


def test_the_memory_of_a_waiting_lastcall(start, workdir, programs):
    """Not a figure, but a bound against accidents: it is one small process."""
    if SANITIZED:
        pytest.skip("a sanitizer's shadow is large")
    log = workdir / "log"
    run = start("--", programs.prog, "obey", log)
    wait_for_text(log, "ready")
    rollup = read(f"/proc/{run.pid}/smaps_rollup")
    pss = int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.M)[1])
    assert pss <= 256
    assert alive(run.pid)


def test_ready_by_notify(start, workdir):
    """The command gets a notify socket of lastcall's."""
    script = ("import os, socket, sys, time\n"
              "while not os.path.exists(sys.argv[1]): time.sleep(0.01)\n"
              "to = os.environ['NOTIFY_SOCKET']\n"
              "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
              "s.sendto(b'READY=1', '\\0' + to[1:] if to[0] == '@' else to); time.sleep(1000)")
    run = start("--http", ":9180", "--ready", "notify", "--", "/usr/bin/python3", "-c", script, workdir / "go")
    wait_for(lambda: run.http("GET", "/livez").code == 200)
    assert run.http("GET", "/readyz").code == 503
    (workdir / "go").touch()
    wait_for(lambda: run.http("GET", "/readyz").code == 200)


# ---- what only shows after a while ----

def descriptors(pid):
    return sorted(os.listdir(f"/proc/{pid}/fd"))


def test_descriptors_do_not_leak(start, workdir, programs, both):
    log = workdir / "log"
    run = start("-v", "-g", "1h", "--announce", "100ms", "--report", workdir / "report", "--", "sh", "-c",
                f"trap '{programs.prog} escape {programs.prog} orphans 50 1' USR1; echo ready > {log}; "
                "while :; do sleep 0.05; done", mode=both)
    wait_for_text(log, "ready")
    wait_for(lambda: process(run.pid).state == "S")     # it may still hold what the start needed
    before = descriptors(run.pid)
    for _ in range(10):
        run.signal(signal.SIGUSR1)
        for sig in (signal.SIGWINCH, signal.SIGCONT, signal.SIGURG):
            run.signal(sig)
    wait_for(lambda: not [p for p in run.processes() if p.argv[1:2] == ["orphans"] or p.state == "Z"])
    wait_for(lambda: descriptors(run.pid) == before)    # one may be open for a moment, to read a name


def test_a_recycled_pid_is_not_signalled(start, workdir, programs):
    """While the sweep waits, a stranger gets the pid and the group number that the command had."""
    def in_time(attempt):
        deaf, log, pid = (workdir / f"{name}{attempt}" for name in ("deaf", "log", "pid"))
        run = start("--", "sh", "-c", f"setsid {programs.prog} deaf {deaf} & until test -s {deaf}; do sleep 0.01; "
                    f"done; echo $$ > {pid}", mode="sub", may_leave=True)
        mine = int(wait_for_text(pid, r"^(\d+)\n")[1])
        wait_for(lambda: not [p for p in run.processes() if p.inner == mine])
        run.run("sh", "-c", f"echo {mine - 1} > /proc/sys/kernel/ns_last_pid")
        stranger = run.popen("setsid", programs.prog, "record", log)
        wait_for(lambda: read(log) or stranger.poll() is not None)
        if read(log) != f"ready {mine}\n" or not run.running:
            return False                    # the sweep was over, or somebody else took the pid
        for sig in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGUSR2):
            try:
                run.signal(sig)
            except ProcessLookupError:
                return False
        assert run.wait() == 0
        assert recorded_signals(log) == []
        return True

    assert any(in_time(attempt) for attempt in range(12)), "never in time"


# ---- stops at odd moments ----

@pytest.mark.limit(120)
@pytest.mark.parametrize("options", [["--http", ":9180"], ["--control", "/run/c.sock", "-g", "10s"],
                                     ["--announce", "10ms", "-g", "10s"],
                                     ["--http", ":9180", "--ready", "delay 1h", "--announce", "1ms"]], ids=" ".join)
def test_a_term_while_helper_and_command_start(start, both, options):
    for _ in range(40):
        run = start(*options, "--", "sleep", "1000", mode=both, kill_when_child=signal.SIGTERM)
        assert run.wait() == 143, run.err
        assert run.left == []
        run.kill()


def test_a_stopped_command_is_continued_to_end(start, workdir, programs):
    """With a clock the stop is lastcall's own: CONT follows TERM."""
    log = workdir / "log"
    run = start("-g", "20s", "--", programs.prog, "obey", log)
    wait_for_text(log, "ready")
    [command] = run.programs()
    os.kill(command.pid, signal.SIGSTOP)
    wait_for(lambda: process(command.pid).state == "T")
    run.signal(signal.SIGTERM)
    assert run.wait() == 143


def test_a_slow_worker_is_cut_off_by_the_grace(start, workdir, programs, both):
    log, main = workdir / "log", workdir / "main"
    run = start("-g", "2s", "--", "sh", "-c", f"setsid {programs.prog} slow 10000 {log} & "
                f"exec {programs.prog} record {main} 15:3", mode=both)
    wait_for_text(log, "ready")
    wait_for_text(main, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 3
    assert "done" not in read(log)
