"""Promises 5 and 7, descriptors and blocked outputs: what lastcall needs of the world, and what it leaves alone."""
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import time

import pytest

from lc import LATE, SANITIZED, alive, proc_status, read, recorded_signals, report, wait_for, wait_for_text

SURROUNDINGS = {
    "plain": {},
    "another user": {"uid": 65534},
    "read-only": {"ro_root": True, "run": "keep"},
    "no capability": {"drop_caps": True},
    "no new privileges": {"no_new_privs": True},
    "no proc": {"no_proc": True},
    "no run": {"run": "missing"},
    "16 descriptors": {"nofile": 16},
    "restricted": {"uid": 65534, "ro_root": True, "run": "keep", "drop_caps": True, "no_new_privs": True, "nofile": 16},
    "no stdin": {"stdin": "closed"},
    "no stdout": {"stdout": "closed"},
    "no stderr": {"stderr": "closed"},
    "no standard descriptors": {"stdin": "closed", "stdout": "closed", "stderr": "closed"},
    "no environment": {"env": {"PATH": None, "HOME": None}},
}


@pytest.mark.skipif(SANITIZED, reason="a sanitizer needs more of the world than lastcall does")
@pytest.mark.parametrize("surroundings", SURROUNDINGS.values(), ids=SURROUNDINGS.keys())
class TestSurroundings:
    def test_exit_code(self, start, both, surroundings):
        assert start("--", "sh", "-c", "exit 7", mode=both, **surroundings).wait() == 7

    def test_not_found(self, start, both, surroundings):
        assert start("--", "/nonexistent/program", mode=both, **surroundings).wait() == 127

    def test_a_stop(self, start, both, surroundings):
        run = start("--", "sleep", "1000", mode=both, **surroundings)
        wait_for(lambda: [p.comm for p in run.programs()] == ["sleep"])
        run.signal(signal.SIGTERM)
        assert run.wait() == 143

    def test_a_forced_stop(self, start, programs, both, surroundings):
        run = start("-g", "1s", "--", programs.prog, "deaf", mode=both, **surroundings)
        wait_for(lambda: [p for p in run.programs() if p.argv[1:] == ["deaf"]
                          and "f" == (proc_status(p.pid, "SigIgn") or "0")[0]])
        run.signal(signal.SIGTERM)
        assert run.wait() == 137

    def test_orphans(self, start, programs, both, surroundings):
        run = start("--", programs.prog, "escape", "sleep", "1000", mode=both, **surroundings)
        assert run.wait() == 0

    def test_a_deaf_worker_in_the_group(self, start, programs, both, surroundings):
        """The group can be reached without knowing who is in it."""
        run = start("-g", "5s", "--", "sh", "-c", f"{programs.prog} deaf & exec {programs.prog} obey", mode=both,
                    **surroundings)
        wait_for(lambda: {(*p.argv[1:2], *(proc_status(p.pid, "SigIgn") or "")[:1]) for p in run.programs()}
                 == {("deaf", "f"), ("obey", "0")})
        run.signal(signal.SIGTERM)
        assert run.wait() == 143

    def test_many_orphans_are_reaped(self, start, programs, both, surroundings):
        run = start("--", "sh", "-c", f"{programs.prog} orphans 50 1; exec sleep 1000", mode=both, **surroundings)
        wait_for(lambda: [p.comm for p in run.processes() if p.pid not in (run.pid, run.pid1)] == ["sleep"])


# ---- descriptors ----

@pytest.mark.parametrize("closed", [[], ["stdin"], ["stdout"], ["stderr"], ["stdin", "stdout"],
                                    ["stdin", "stdout", "stderr"]], ids=lambda c: "+".join(c) or "none closed")
@pytest.mark.parametrize("options", [[], ["-g", "5s", "--announce", "1s"], ["--http", ":9180"],
                                     ["--control", "/run/c.sock"]], ids=" ".join)
def test_the_child_has_only_the_standard_descriptors(start, workdir, programs, both, closed, options):
    if SANITIZED and closed:
        pytest.skip("a sanitizer wants them open")
    log = workdir / "fds"
    run = start(*options, "--", programs.prog, "fds", log, mode=both, **{name: "closed" for name in closed})
    assert run.wait() == 0
    wait_for_text(log, "^end$")
    opened = {int(line.split()[0]) for line in read(log).splitlines()[:-1]}
    names = ["stdin", "stdout", "stderr"]
    assert opened <= {0, 1, 2}
    assert opened >= {n for n in range(3) if names[n] not in closed}


@pytest.mark.skipif(SANITIZED, reason="a sanitizer wants them open")
def test_with_closed_descriptors_no_line_lands_in_a_file_of_the_commands(start, workdir, programs):
    """The command's first open gets 1 or 2; lastcall's messages must not appear there."""
    out = workdir / "out"
    run = start("-v", "-g", "1s", "--", "sh", "-c", f"exec > {out} 2>&1; echo hello; exec {programs.prog} deaf",
                stdout="closed", stderr="closed", stdin="closed")
    wait_for_text(out, "hello")
    wait_for(lambda: [p for p in run.programs() if p.argv[1:] == ["deaf"]])
    run.signal(signal.SIGTERM)
    run.wait()
    assert out.read_text() == "hello\n"


def test_stdin_is_the_commands(start):
    reader, writer = os.pipe()
    run = start("--", "cat", stdin=reader)
    os.close(reader)
    os.write(writer, b"through\n")
    run.wait_line("^through$", stream="out")
    os.close(writer)
    assert run.wait() == 0


# ---- outputs that block ----

def full_pipe():
    reader, writer = os.pipe()
    again = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
    size = 65536
    while size:
        try:
            os.write(again, b"x" * size)
        except BlockingIOError:
            size //= 2
    os.close(again)
    return reader, writer


def full_socket():
    reader, writer = socket.socketpair()
    try:
        while True:
            writer.send(b"x" * 4096, socket.MSG_DONTWAIT)
    except BlockingIOError:
        pass
    return reader.detach(), writer.detach()


def stopped_terminal():
    import termios
    master, slave = os.openpty()
    termios.tcflow(slave, termios.TCOOFF)
    return master, slave


BLOCKED = {"pipe": full_pipe, "socket": full_socket, "terminal": stopped_terminal}


@pytest.fixture(params=BLOCKED, ids=BLOCKED.keys())
def blocked(request):
    """The end of something that nobody reads and that takes no byte more."""
    reader, writer = BLOCKED[request.param]()
    flags = fcntl.fcntl(writer, fcntl.F_GETFL)
    yield writer
    assert fcntl.fcntl(writer, fcntl.F_GETFL) == flags, "the description's flags were changed"
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("log_format", ["text", "json"])
class TestBlocked:
    def test_signals_are_forwarded(self, start, workdir, programs, both, blocked, log_format):
        log = workdir / "log"
        run = start("-v", "--log", log_format, "-g", "20s", "--", programs.prog, "record", log, "10:4", mode=both,
                    stderr=blocked)
        wait_for_text(log, "ready")
        for sig in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT):
            run.signal(sig)
            wait_for(lambda: sig in recorded_signals(log))
        run.signal(signal.SIGUSR1)
        assert run.wait() == 4

    def test_a_deaf_command_is_killed_in_time(self, start, workdir, programs, both, blocked, log_format):
        log = workdir / "log"
        run = start("-v", "--log", log_format, "-g", "2s", "--", programs.prog, "deaf", log, mode=both, stderr=blocked)
        wait_for_text(log, "ready")
        sent = time.monotonic()
        run.signal(signal.SIGTERM)
        assert run.wait() == 137
        assert run.exited_at - sent < 2 + LATE


def test_blocked_all_three(start, workdir, programs, both, blocked):
    log = workdir / "log"
    run = start("-v", "-g", "2s", "--", programs.prog, "deaf", log, mode=both, stdin=blocked, stdout=blocked,
                stderr=blocked)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 137


def test_blocked_and_not_found(start, both, blocked):
    assert start("--", "/nonexistent/program", mode=both, stderr=blocked).wait() == 127


def test_full_device(start, workdir, programs, both):
    log = workdir / "log"
    run = start("-v", "-g", "20s", "--", programs.prog, "record", log, "15:5", mode=both, stdout="full", stderr="full")
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    assert run.wait() == 5


def test_help_into_a_full_device_is_an_error_or_silent_but_ends(start):
    assert start("--help", mode="sub", stdout="full").wait() in (0, 1, 2, 125)


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_the_descriptions_are_never_made_nonblocking(start, workdir, programs, both, name):
    """The command sees the flags as they were: they share the description."""
    reader, writer = os.pipe()
    mine = reader if name == "stdin" else writer
    before = fcntl.fcntl(mine, fcntl.F_GETFL)
    log = workdir / "log"
    run = start("-v", "-g", "5s", "--", programs.prog, "record", log, "15:0", mode=both, **{name: mine})
    wait_for_text(log, "ready")
    assert fcntl.fcntl(mine, fcntl.F_GETFL) == before
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert fcntl.fcntl(mine, fcntl.F_GETFL) == before
    os.close(reader)
    os.close(writer)


def test_a_line_is_written_once_there_is_room_again(start, workdir, programs):
    """Lines that found no room are dropped and counted, and later ones come through."""
    reader, writer = full_pipe()
    log = workdir / "log"
    run = start("-v", "-g", "20s", "--", programs.prog, "record", log, "10:0", stderr=writer)
    os.close(writer)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    wait_for_text(log, "^15 ")
    # Empty what was in the pipe, then let it say more.
    os.set_blocking(reader, False)
    data = b""

    def drain():
        nonlocal data
        try:
            while piece := os.read(reader, 65536):
                data += piece
        except BlockingIOError:
            pass
    drain()
    run.signal(signal.SIGUSR1)
    assert run.wait() == 0
    drain()
    os.close(reader)
    text = data.decode().lstrip("x")
    assert re.search("^lastcall: .*exit 0$", text, re.M), text
    assert re.search(r"^lastcall: \d+ lines? could not be written", text, re.M), text


# ---- nothing to do, nothing done ----

@pytest.mark.parametrize("options", [[], ["-g", "10s"], ["--announce", "5s", "-g", "10s"], ["--report", "r"]],
                         ids=lambda o: " ".join(o) or "plain")
def test_idle_means_no_wake_up(start, workdir, programs, both, options):
    log = workdir / "log"
    run = start(*options, "--", programs.prog, "obey", log, mode=both)
    wait_for_text(log, "ready")

    def switches():
        return [proc_status(run.pid, key) for key in ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")]

    wait_for(lambda: proc_status(run.pid, "State")[0] == "S")
    time.sleep(0.2)
    before = switches()
    time.sleep(3)
    assert switches() == before


def test_idle_after_an_unanswered_term_is_idle_again(start, workdir, programs):
    log = workdir / "log"
    run = start("--", programs.prog, "deaf", log)
    wait_for_text(log, "ready")
    run.signal(signal.SIGTERM)
    run.wait_line("still running")
    wait_for(lambda: proc_status(run.pid, "State")[0] == "S")
    before = proc_status(run.pid, "voluntary_ctxt_switches")
    time.sleep(2)
    assert proc_status(run.pid, "voluntary_ctxt_switches") == before


def strace(workdir, *more):
    return ["/usr/bin/strace", "-f", "-qq", "-e", "signal=none", *more, "-o", workdir / "trace", "--"]


FORK = re.compile(r"^(clone|clone3|fork|vfork)\(")


def calls(workdir):
    """[(pid, call)] in order; the two halves of a call that was interrupted count once."""
    found = []
    for line in read(workdir / "trace").splitlines():
        pid, _, call = line.partition(" ")
        call = call.strip()
        if not call.startswith(("<...", "+++", "---")):
            found.append((int(pid), call))
    return found


@pytest.mark.skipif(SANITIZED, reason="counts what a plain build does")
@pytest.mark.parametrize("options", [[], ["-g", "30s"]], ids=lambda o: " ".join(o) or "plain")
def test_at_most_20_system_calls_to_the_fork(start, workdir, options):
    run = start(*options, "--", "true", mode="host", before=strace(workdir))
    assert run.wait() == 0
    mine = calls(workdir)
    assert mine[0][1].startswith("execve(")
    fork = next(n for n, (_, call) in enumerate(mine) if FORK.match(call))
    assert fork <= 20, "\n".join(call for _, call in mine[:fork + 1])


@pytest.mark.skipif(SANITIZED, reason="counts what a plain build does")
def test_no_memory_is_taken_after_the_fork(start, workdir, programs):
    """Promise 1: once the loop has begun, nothing is allocated."""
    log = workdir / "log"
    run = start("-v", "-g", "20s", "--report", workdir / "r", "--", "sh", "-c",
                f"{programs.prog} orphans 20 1; setsid {programs.prog} deaf & exec {programs.prog} record {log} 10:0",
                mode="host", before=strace(workdir))
    wait_for_text(log, "ready")
    lastcall = next(p for p in run.processes() if p.argv and p.argv[0] == str(programs.lastcall))
    os.kill(lastcall.pid, signal.SIGTERM)
    wait_for_text(log, "^15 ")
    os.kill(lastcall.pid, signal.SIGUSR1)
    assert run.wait() == 0
    assert not alive(lastcall.pid)
    mine = [call for pid, call in calls(workdir) if pid == lastcall.pid]
    after = mine[next(n for n, call in enumerate(mine) if FORK.match(call)) + 1:]
    assert not [call for call in after if re.match(r"(brk|mmap|mremap)\(", call)]


def test_the_binary_is_static_and_small():
    from lc import BINARY
    if SANITIZED:
        pytest.skip("not a plain build")
    data = BINARY.read_bytes()
    assert b"ld-musl" not in data and b"ld-linux" not in data
    if b"GNU C Library" not in data:
        assert len(data) <= 256 * 1024




# ---- what cannot be done ----

@pytest.mark.skipif(SANITIZED, reason="the leak check makes a process")
def test_no_process_can_be_made(start, workdir):
    run = start("--", "touch", workdir / "ran", uid=65534, before=["/usr/bin/prlimit", "--nproc=0"])
    assert run.wait() == 125
    lines = run.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("lastcall: ")
    assert not (workdir / "ran").exists()


@pytest.fixture
def out_of_reach(workdir, programs):
    """A prog that can become root, and then may not be signalled by others."""
    path = workdir / "suid"
    shutil.copy(programs.prog, path)
    path.chmod(0o4755)
    return path


@pytest.mark.parametrize("kind", ["the command", "a worker"])
def test_what_it_may_not_kill_is_named_and_does_not_hold_it_up(start, workdir, programs, both, out_of_reach, kind):
    log, path = workdir / "log", workdir / "report"
    deaf = f"{out_of_reach} become 0 {programs.prog} deaf {log}"
    command = f"exec {deaf}" if kind == "the command" else f"{deaf} & exec {programs.prog} obey {workdir}/main"
    run = start("-g", "2s", "--report", path, "--", "sh", "-c", command, mode=both, uid=65534, may_leave=True)
    wait_for_text(log, "ready")
    if kind == "a worker":
        wait_for_text(workdir / "main", "ready")
    sent = time.monotonic()
    run.signal(signal.SIGTERM)
    code = run.wait()
    assert run.exited_at - sent < 2 + LATE
    assert code == 143 if kind == "a worker" else code != 0
    r = report(path)
    assert r["verdict"] == "overran"
    assert "prog" in json.dumps(r["left"]) or "prog" in json.dumps(r["killed"])
