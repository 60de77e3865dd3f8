"""Which system calls can fail with what, and which of them are made to in a run of programs/fault.c.

    tracing = [tracer(programs), work / "calls", binary, *fault.words(), "--"]
    counts, hits = counted(work / "calls")          # after the run: {(role, call): n}, and how often the fault struck
    faults_of(counts)                               # every fault of every call of a run without one

The ordinary tests take a sample (LASTCALL_SEED picks another one) and what once went wrong. `make faults` takes all:
LASTCALL_FAULTS=all; LASTCALL_FAULTS_ONLY: a regex of "ROLE CALL"; LASTCALL_FAULTS_LOG: a file that gets a line a run.
"""
import errno
import os
import re

import lc

ALL = os.environ.get("LASTCALL_FAULTS") == "all"
MOST_CALLS = 5000                           # of lastcall itself in one run: more is a busy loop
TRIES = 3                                   # a machine that was too busy will not be so every time

# What each call can fail with, by its page, or under a filter (EPERM, ENOSYS); not what only mistakes of lastcall's own
# give (EFAULT, EBADF).
SPAWN = "EAGAIN ENOMEM EPERM ENOSYS"
FILES = "EMFILE ENFILE EACCES ENOENT EINTR EIO ENOMEM EPERM ENOSPC EROFS"
STATUS = "EACCES ENOENT ENOMEM"
NUMBERS = "EMFILE ENFILE ENOMEM EPERM ENOSYS"
SENDS = "EAGAIN EINTR EPIPE ENOBUFS ECONNRESET"
TAKES = "EAGAIN EINTR EIO ECONNRESET ENOMEM"
MAKES = "ENOSPC EROFS EACCES EEXIST"
CHANGES = "EPERM EIO EROFS"
CAN_FAIL = {
    "accept4": "EAGAIN ECONNABORTED EMFILE ENOBUFS EINTR EPERM EPROTO",
    "bind": "EADDRINUSE EACCES EADDRNOTAVAIL EROFS ENOSPC EPERM", "capset": "EPERM EINVAL",
    "chdir": "EACCES ENOENT EIO", "clock_gettime": "EINVAL EPERM", "clone": SPAWN, "close": "EIO EINTR",
    "close_range": "ENOSYS EINVAL ENOMEM", "connect": "EACCES EAGAIN ECONNREFUSED EINTR ETIMEDOUT ENETUNREACH",
    "dup": "EMFILE EBUSY", "dup2": "EMFILE EBUSY EINTR", "dup3": "EMFILE EBUSY EINTR", "epoll_create1": NUMBERS,
    "epoll_ctl": "ENOMEM ENOSPC EPERM ENOSYS", "epoll_pwait": "EINTR EINVAL ENOSYS",
    "epoll_wait": "EINTR EINVAL ENOSYS", "execve": "E2BIG EACCES ENOENT ENOEXEC ENOMEM ETXTBSY EIO EPERM ENFILE",
    "execveat": "EACCES ENOENT ENOMEM ENOSYS EPERM", "fchdir": "EACCES EIO", "fchmod": CHANGES, "fchmodat": CHANGES,
    "fchownat": CHANGES, "fcntl": "EMFILE EINVAL EAGAIN EPERM", "flock": "EINTR ENOLCK EWOULDBLOCK", "fork": SPAWN,
    "fstat": "ENOMEM EACCES", "fstatfs": "EIO ENOSYS", "fsync": "EIO ENOSPC EINVAL",
    "ftruncate": "EINVAL EIO EFBIG EINTR", "getdents64": "EIO ENOENT EINVAL EACCES ENOMEM",
    "getpeername": "ENOTCONN ENOBUFS", "getpgid": "ESRCH EPERM", "getrlimit": "EPERM EINVAL", "getsid": "ESRCH EPERM",
    "getsockname": "ENOBUFS", "getsockopt": "ENOPROTOOPT ENOMEM", "ioctl": "ENOTTY EIO EINVAL", "kill": "EPERM ESRCH",
    "listen": "EADDRINUSE", "lseek": "ESPIPE EINVAL", "lstat": STATUS, "madvise": "EINVAL EAGAIN ENOMEM",
    "memfd_create": "EMFILE ENOMEM EINVAL ENOSYS EACCES EPERM", "mkdir": MAKES, "mkdirat": MAKES,
    "mmap": "ENOMEM EAGAIN EPERM", "munmap": "EINVAL", "nanosleep": "EINTR", "newfstatat": STATUS, "open": FILES,
    "openat": FILES, "openat2": FILES + " ENOSYS", "pidfd_open": "ENOSYS EMFILE ENOMEM ESRCH EPERM",
    "pidfd_send_signal": "EINVAL ENOSYS EPERM ESRCH", "pipe": NUMBERS, "pipe2": NUMBERS, "poll": "EINTR ENOMEM EINVAL",
    "ppoll": "EINTR ENOMEM EINVAL", "prctl": "EINVAL EPERM", "pread64": TAKES, "prlimit64": "EPERM EINVAL",
    "pwrite64": "EAGAIN EIO ENOSPC EINTR", "pwritev2": "EOPNOTSUPP ENOSYS EAGAIN EIO EPIPE",
    "read": "EAGAIN EINTR EIO", "readlink": STATUS, "readlinkat": STATUS, "recvfrom": TAKES, "recvmsg": TAKES,
    "rename": "EACCES ENOSPC EROFS EBUSY", "renameat": "EACCES ENOSPC EROFS EBUSY", "rmdir": "EBUSY EROFS EACCES",
    "rt_sigaction": "EINVAL", "rt_sigpending": "EINVAL", "rt_sigprocmask": "EINVAL",
    "rt_sigtimedwait": "EAGAIN EINTR EINVAL ENOSYS", "sendmsg": SENDS, "sendto": SENDS,
    "setpgid": "EACCES EPERM ESRCH", "setrlimit": "EPERM", "setsid": "EPERM", "setsockopt": "ENOPROTOOPT ENOMEM",
    "shutdown": "ENOTCONN", "signalfd4": "EMFILE ENFILE ENODEV ENOMEM ENOSYS EPERM",
    "socket": "EMFILE ENFILE ENOBUFS ENOMEM EACCES EAFNOSUPPORT EPERM",
    "socketpair": "EMFILE ENFILE ENOMEM EAFNOSUPPORT EPERM", "stat": STATUS, "statx": STATUS, "symlinkat": MAKES,
    "syncfs": "EIO ENOSPC", "tgkill": "EPERM ESRCH EAGAIN", "tkill": "EPERM ESRCH EAGAIN", "uname": "EFAULT",
    "unlink": "EACCES EBUSY EROFS", "unlinkat": "EACCES EBUSY EROFS", "utimensat": CHANGES, "vfork": SPAWN,
    "wait4": "ECHILD EINTR EINVAL ENOSYS", "waitid": "ECHILD EINTR EINVAL ENOSYS",
    "write": "EAGAIN EIO ENOSPC EPIPE EINTR EDQUOT", "writev": "EAGAIN EIO EPIPE EINTR",
}
# The C library's start, the end, and what has no way to fail.
CANNOT_FAIL = {"arch_prctl", "set_tid_address", "exit", "exit_group", "getpid", "getppid", "getuid", "geteuid",
               "getgid", "getegid", "gettid", "getpgrp", "umask", "brk"}
IN_LOOPS = {"rt_sigaction", "prctl", "close", "clock_gettime"}               # many of one kind: some of them are enough


class Fault:
    """The first to the last call of that name by that role fail; last 0: and all after it. From "self open EIO 3+"."""

    def __init__(self, text):
        self.text = text
        self.role, self.call, self.error, number = text.split()
        self.first, self.for_ever = int(number.rstrip("+")), number[-1] == "+"

    def words(self):
        return [self.role, self.call, getattr(errno, self.error), self.first, 0 if self.for_ever else self.first]


def tracer(programs):
    return lc.compiled(programs.base, "fault")


def counted(path):
    found = [line.split() for line in lc.read(path).splitlines()]
    return ({(w[0], w[1]): int(w[2]) for w in found if len(w) == 3}, next((w[1] for w in found if len(w) == 2), "?"))


def known(counts):
    """Whether all of the calls are in one of the two tables."""
    missing = {call for _, call in counts} - set(CAN_FAIL) - CANNOT_FAIL
    assert not missing, missing
    return True


def note(text, wrong, said, last):
    """A line in the log of a long run."""
    if "LASTCALL_FAULTS_LOG" in os.environ:
        with open(os.environ["LASTCALL_FAULTS_LOG"], "a") as file:
            file.write(f"{'WRONG' if wrong and last else 'once' if wrong else 'ok'} {text}"
                       f"{'; said ' + repr(said) if wrong else ''}\n")


def numbers(call, n, for_ever):
    """Which of n calls fail: each, and from some of them on."""
    some = {1, 2, 3, n // 2, n - 1, n} & set(range(1, n + 1))
    return sorted(some) if for_ever or call in IN_LOOPS else range(1, n + 1)


def faults_of(counts, only=os.environ.get("LASTCALL_FAULTS_ONLY", "")):
    made = [(role, call, n) for (role, call), n in sorted(counts.items())
            if call not in CANNOT_FAIL and re.search(only, f"{role} {call}")]
    return [Fault(f"{role} {call} {error} {number}{'+' * for_ever}") for role, call, n in made
            for error in CAN_FAIL[call].split() for for_ever in (False, True) for number in numbers(call, n, for_ever)]
