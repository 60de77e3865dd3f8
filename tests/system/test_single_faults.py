"""Promise 1 and old or narrow kernels: system calls that fail. strace makes them fail, in lastcall alone."""
import os
import signal

import pytest

from lc import SANITIZED, alive, read, wait_for, wait_for_text

KILL_CALL = {"x86_64": "62", "aarch64": "129"}[os.uname().machine]

pytestmark = pytest.mark.skipif(SANITIZED, reason="a sanitizer does not work under ptrace")

# What a kernel, a seccomp profile or a bad moment may refuse, always or from a certain call on.
FAULTS = ["clone3:error=ENOSYS", "pidfd_open:error=ENOSYS", "pidfd_open:error=EMFILE", "pidfd_send_signal:error=ENOSYS",
          "pidfd_send_signal:error=EPERM", "pwritev2:error=EOPNOTSUPP", "pwritev2:error=EAGAIN", "sendto:error=EAGAIN",
          "wait4:error=EINTR:when=1+3", "wait4:error=ENOSYS", "waitid:error=EINTR:when=1+3",
          "epoll_wait:error=EINTR:when=1+3", "epoll_pwait:error=EINTR:when=1+3", "ppoll:error=EINTR:when=1+3",
          "poll:error=EINTR:when=1+3",
          "read:error=EINTR:when=3+3", "read:error=EAGAIN:when=3+3", "rt_sigtimedwait:error=EINTR:when=1+3",
          "rt_sigtimedwait:error=EAGAIN:when=1+3", "madvise:error=EINVAL", "setpgid:error=EACCES", "ioctl:error=EIO",
          "write:error=EIO", "write:error=ENOSPC", "fsync:error=EIO", "ftruncate:error=EINVAL",
          "getdents64:error=EIO", "readlink:error=EACCES", "setrlimit:error=EPERM"]


@pytest.fixture(params=FAULTS)
def faulty(request, start, workdir):
    """start, with the fault; gives the run and lastcall's own pid."""
    call = request.param.split(":")[0]

    def begin(*args, **options):
        run = start(*args, mode="host", before=["/usr/bin/strace", "-qq", "-e", "signal=none", "-o", workdir / "trace",
                                                "-e", f"trace={call}", "-e", f"inject={request.param}", "--"],
                    **options)
        return run
    return begin


def lastcall_of(run):
    return wait_for(run.helpers, what="lastcall under strace")[0].pid


def test_the_commands_code(faulty):
    assert faulty("--", "sh", "-c", "exit 7").wait() == 7


def test_a_stop(faulty, workdir, programs):
    log = workdir / "log"
    run = faulty("-v", "-g", "10s", "--report", workdir / "report", "--", programs.prog, "record", log, "15:4")
    wait_for_text(log, "ready")
    os.kill(lastcall_of(run), signal.SIGTERM)
    assert run.wait() == 4


def test_the_sweep(faulty, workdir, programs):
    log, main = workdir / "log", workdir / "main"
    run = faulty("-v", "-g", "10s", "--", "sh", "-c", f"{programs.prog} deaf {log} & "
                 f"exec {programs.prog} record {main} 15:4")
    wait_for_text(log, "ready")
    wait_for_text(main, "ready")
    os.kill(lastcall_of(run), signal.SIGTERM)
    assert run.wait() == 4


def test_signals_that_cannot_be_sent_do_not_end_it(start, workdir, programs):
    """kill itself fails: lastcall goes on, and is out of the door within its grace."""
    log = workdir / "log"
    run = start("-g", "2s", "--", programs.prog, "record", log, "10:3", mode="host",
                before=["/usr/bin/strace", "-qq", "-e", "signal=none", "-o", workdir / "trace", "-e",
                        "trace=kill,pidfd_send_signal,tgkill,tkill", "-e",
                        "inject=kill,pidfd_send_signal,tgkill,tkill:error=EPERM", "--"])
    recorder = int(wait_for_text(log, r"ready (\d+)")[1])
    pid = lastcall_of(run)
    os.kill(pid, signal.SIGHUP)
    os.kill(pid, signal.SIGTERM)
    assert run.wait() != 0
    assert not alive(pid)
    assert alive(recorder)
    os.kill(recorder, signal.SIGUSR1)
    wait_for(lambda: not alive(recorder))


def test_what_ended_by_itself_while_kill_was_sent_keeps_its_code(start, workdir, programs):
    """KILL is on its way for seconds; the command ends in them, and nothing is left."""
    log, go = workdir / "log", workdir / "go"
    run = start("-g", "12s", "--reserve", "10s", "--", "sh", "-c",
                f"trap '' TERM; echo ready >{log}; until test -e {go}; do sleep 0.05; done; exit 4", mode="host",
                before=["/usr/bin/strace", "-qq", "-e", "signal=none", "-o", workdir / "trace", "-e", "trace=kill",
                        "-e", "inject=kill:delay_enter=5000000:when=3", "--"])
    wait_for_text(log, "ready")
    pid = lastcall_of(run)
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: sends(pid, signal.SIGKILL), what="KILL on its way")
    go.touch()
    assert run.wait() == 4


def sends(pid, sig):
    """It is in kill(2) with this signal, as proc(5) shows the call in which a process stands."""
    call = read(f"/proc/{pid}/syscall").split()
    return len(call) > 2 and call[0] == KILL_CALL and int(call[2], 16) == sig
