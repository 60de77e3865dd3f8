"""The harness of the system tests: runs the real binary in a box and looks at it from outside.

Quick start (the fixtures are in conftest.py)::

    def test_something(start, workdir, programs):
        lc = start("--grace", "5s", "--", programs.prog, "record", workdir / "log")   # as PID 1
        wait_for_text(workdir / "log", "ready")
        lc.signal(signal.SIGTERM)          # from outside the pid namespace
        assert lc.wait() == 143            # shell style: 128 + signal if it was killed by one
        assert "forced" in lc.err          # all of stderr so far

    def test_configuration(start, workdir):
        ini = write_ini(workdir / "a.ini", "[lastcall]", "grace = 5s", "http = :9180", ...)
        lc = start("-c", ini)
        wait_for(lambda: lc.http("GET", "/readyz").code == 200)
        assert lc.verb("status", "--json").json()["state"] == "running"
        assert lc.control("POST", "/drain").code == 200

What there is
  start(*args, mode=..., ...)   fixture: starts lastcall with these arguments, gives a Lastcall (options: see Box)
  workdir                       fixture: a fresh directory with a short path, mode 1777, removed after the test; the
                                working directory of everything that start() runs. Every file goes here
  programs                      fixture: programs.prog, the path of programs/prog.c's binary (its verbs: see there)
  both                          fixture: parametrizes a test over mode="pid1" and mode="sub"; pass it on as mode=both
  spawn(*argv)                  fixture: a process of the test's own, outside every namespace (subprocess.Popen)
  @pytest.mark.limit(90)        the test's hard time limit in seconds (default 60)
  SANITIZED                     the binary under test is a sanitizer build (skip what only a plain build promises)

Modes
  "pid1"  lastcall is PID 1 of fresh pid, mount, net and ipc namespaces (the default)
  "sub"   the same namespaces, in a session of its own, but an ordinary process: an init of the box is PID 1 and its
          parent. Orphans that lastcall does not catch go to that init; `lc.left` names what was alive when it exited
  "host"  no namespaces but for the mounts (for strace and the like)
In the namespaces: loopback is up, /run is a private tmpfs (so /run/lastcall.sock is private, and nothing of it stays),
/proc is their own. /run is private in mode "host" too.

After every test (autouse, in conftest.py): whatever still runs is killed by its id, then it is an error if a process
of the test is alive, a mount is left, lastcall left a process behind (`left`, unless may_leave=True), or a sanitizer
has complained. A crash of lastcall by SEGV, ABRT and so on is always an error.

No sleeping: wait_for(condition), lc.wait_line(regex), wait_for_text(path, regex), lc.wait(). Bounds are generous.
"""
import collections
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("LASTCALL_BIN") or ROOT / "build" / "lastcall").resolve()
SANITIZED = BINARY.exists() and b"__asan_" in BINARY.read_bytes()
LATE = 2.0              # seconds after a grace that the news of an exit may take on a busy machine
BOUND = 20.0            # seconds that a wait may take on a busy machine before it counts as never
MARK = "LC_TEST_ID"     # in the environment of everything that a test starts

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


class Failed(AssertionError):
    """A wait that was in vain; says what was there instead."""


def wait_for(condition, timeout=BOUND, what="condition"):
    """Calls condition until it gives something true, and returns that. what: a text, or a function that gives one."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what() if callable(what) else what}: not within {timeout} s")
        time.sleep(0.005)


def wait_for_rest(count, seconds):
    """Waits until count() has not changed for so long; returns it."""
    def same():
        before = count()
        time.sleep(seconds)
        return count() == before
    wait_for(same)
    return count()


def read(path):
    """The text of a file, "" while it does not exist."""
    try:
        return Path(path).read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_for_text(path, regex, timeout=BOUND):
    """Waits until the file holds the regex (MULTILINE); returns the match."""
    try:
        return wait_for(lambda: re.search(regex, read(path), re.M), timeout)
    except Failed:
        raise Failed(f"no {regex!r} in {path} within {timeout} s; it has: {read(path)!r}") from None


def write_ini(path, *lines):
    """Writes an ini file from lines (each may hold several), returns its path."""
    Path(path).write_text("\n".join(str(line) for line in lines) + "\n")
    return Path(path)


def compiled(base, name, source=None):
    """The path of the binary made from programs/NAME.c, in the directory base; made once."""
    path, new = base / name, base / f"{name}.new"
    if not path.exists():
        subprocess.run([os.environ.get("TEST_CC", "gcc"), "-std=gnu11", "-static", "-O1", "-Wall", "-Wextra", "-o", new,
                        Path(__file__).parent / "programs" / f"{source or name}.c"], check=True)
        new.rename(path)
    return path


# ---- processes, as /proc of the host shows them ----

Process = collections.namedtuple("Process", "pid inner ppid pgrp session state comm argv foreground")
# pid: outside; inner: inside the pid namespace (0: dying, unknown); ppid, pgrp, session, foreground (group
# of its terminal): as outside


def _process(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return None
    comm, rest = stat.rsplit(")", 1)
    f = rest.split()
    inner = re.search(r"^NSpid:.*\s(\d+)$", status, re.M)
    return Process(pid, int(inner[1]) if inner else 0, int(f[1]), int(f[2]), int(f[3]), f[0],
                   comm.split("(", 1)[1], [a.decode(errors="replace") for a in argv], int(f[5]))


def process(pid):
    """The Process with this pid (as outside), or None."""
    return _process(pid)


def alive(pid):
    """True while the process (pid as outside) runs: neither gone nor a zombie."""
    p = _process(pid)
    return p is not None and p.state not in "ZX"


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _pid_namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def marked_pids(test_id):
    """All processes whose environment carries this test's mark."""
    wanted = f"{MARK}={test_id}".encode()
    found = []
    for pid in all_pids():
        try:
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
        except OSError:
            pass
    return found


def proc_status(pid, key):
    """One field of /proc/PID/status as text, for example proc_status(pid, "SigBlk")."""
    found = re.search(rf"^{key}:[ \t]*(.*)$", read(f"/proc/{pid}/status"), re.M)
    return found[1] if found else None


def signals_of(mask):
    """The signal numbers in a mask as /proc/PID/status prints it."""
    bits = int(mask, 16)
    return {n for n in range(1, 65) if bits >> (n - 1) & 1}


# ---- http ----

class Response:
    """A response: code (0: none came), headers (names in lower case), body; raw is everything."""

    def __init__(self, raw):
        self.raw = raw
        head, _, self.body_bytes = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        found = re.match(r"HTTP/1\.\d (\d{3})", lines[0])
        self.code = int(found[1]) if found else 0
        self.headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}

    @property
    def body(self):
        return self.body_bytes.decode(errors="replace")

    def json(self):
        return json.loads(self.body_bytes)

    def __repr__(self):
        return f"<Response {self.code} {self.body[:300]!r}>"


def receive(sock):
    """One whole response: up to Content-Length, or to the end of the stream. A reset counts as the end."""
    raw = b""
    while True:
        head, found, body = raw.partition(b"\r\n\r\n")
        length = re.search(rb"(?im)^content-length:\s*(\d+)", head) if found else None
        if length and len(body) >= int(length[1]):
            break
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            break
        if not piece:
            break
        raw += piece
    return Response(raw)


def request_bytes(method, path, headers=(), body=b""):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"{k}: {v}" for k, v in dict(headers).items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def socket_in(pid, family, kind=socket.SOCK_STREAM):
    """A socket of the network namespace of that process (a thread of ours visits it for a moment)."""
    made = []

    def visit():
        fd = -1
        try:
            fd = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
            if libc.setns(fd, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            made.append(socket.socket(family, kind))
        except OSError as error:
            made.append(error)
        finally:
            if fd >= 0:
                os.close(fd)

    thread = threading.Thread(target=visit)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


# ---- what a stream of lastcall says ----

class Stream:
    """Reads a pipe to its end in a thread; keeps the bytes, and each line with the time that it came."""

    def __init__(self, fd):
        self.fd = fd
        self.data = b""
        self.stamps = []                    # (monotonic time, length of data then)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._pump, daemon=True)
        self.thread.start()

    def _pump(self):
        while True:
            try:
                piece = os.read(self.fd, 65536)
            except OSError:                 # a terminal without a user: EIO
                piece = b""
            if not piece:
                break
            self.stamps.append((time.monotonic(), len(self.data) + len(piece)))     # first: see lines()
            self.data += piece
        os.close(self.fd)
        self.ended.set()

    @property
    def text(self):
        return self.data.decode(errors="replace")

    def lines(self):
        """[(monotonic time, line)] of the whole lines so far."""
        data, found, at = self.data, [], 0
        stamps = list(self.stamps)
        for line in data.split(b"\n")[:-1]:
            at += len(line) + 1
            when = next(t for t, size in stamps if size >= at)
            found.append((when, line.decode(errors="replace")))
        return found


class Lastcall:
    """One run of lastcall in its box. Made by the start fixture.

    pid         of lastcall, as seen outside; pid1: of PID 1 of its namespaces (the same in mode "pid1", 0 in "host")
    code        None while it runs, then its exit code (128 + n if signal n killed it); signaled: that signal or None
    left        names of the processes alive inside when it had exited (mode "sub"), [(pid inside, comm)]
    out, err    all that it and its programs wrote so far; lines("err") with times
    """

    def __init__(self, box):
        self.box = box
        self.pid = self.pid1 = 0
        self.code = self.signaled = None
        self.exited_at = None               # monotonic
        self.left = []
        self.failure = None
        self.may_leave = box.may_leave
        self.may_crash = False
        self._known = threading.Event()
        self._done = threading.Event()
        self._streams = {}
        self._start()

    # -- starting and ending --

    def _start(self):
        box = self.box
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        opened = []

        def stream(what, name, number):
            if isinstance(what, int):
                return what
            if what == "pipe":
                r, w = os.pipe2(os.O_CLOEXEC)
                self._streams[name] = Stream(r)
                opened.append(w)
                return w
            path = "/dev/null" if what in ("null", "closed") else "/dev/full" if what == "full" else str(what)
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | (os.O_CREAT if path[:5] != "/dev/" else 0)
            opened.append(os.open(path, flags | os.O_CLOEXEC, 0o666))
            return opened[-1]

        closed = [n for n, what in enumerate((box.stdin, box.stdout, box.stderr)) if what == "closed"]
        argv = box.command_line(theirs.fileno(), closed)
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(argv, cwd=box.cwd, env=box.environment, pass_fds=[theirs.fileno()],
                                        stdin=stream(box.stdin, "in", 0), stdout=stream(box.stdout, "out", 1),
                                        stderr=stream(box.stderr, "err", 2))
        theirs.close()
        for fd in opened:
            os.close(fd)
        self._status = ours
        threading.Thread(target=self._listen, daemon=True).start()
        if not self._known.wait(BOUND) or self.failure:
            self.kill()
            raise Failed(f"the box did not start: {self.failure or 'no word from it'}")

    def _listen(self):
        while True:
            try:
                words = self._status.recv(512).decode(errors="replace").split(" ", 2)
            except OSError:
                break
            if words[0] == "pid":
                self.pid, self.pid1 = int(words[1]), int(words[2])
                self._known.set()
            elif words[0] == "left":
                self.left.append((int(words[1]), words[2]))
            elif words[0] == "exit":
                status = int(words[1])
                self.exited_at = time.monotonic()
                self.signaled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
                self.code = 128 + self.signaled if self.signaled else os.WEXITSTATUS(status)
                self._done.set()
            elif words[0] == "fail":
                self.failure = " ".join(words[1:])
            else:
                break
        self._known.set()
        self._done.set()

    def signal(self, sig):
        """Sends a signal to lastcall from outside its pid namespace."""
        os.kill(self.pid, sig)

    @property
    def running(self):
        return self.code is None and not self._done.is_set()

    def wait(self, timeout=BOUND):
        """Waits for its end; returns its exit code (128 + n if signal n killed it)."""
        if not self._done.wait(timeout):
            raise Failed(f"lastcall still runs after {timeout} s; {self.describe()}")
        if self.code is None:
            raise Failed(f"no exit status: {self.failure or 'the box is gone'}; {self.describe()}")
        self.process.wait(BOUND)
        for s in self._streams.values():
            s.ended.wait(BOUND if self.pid1 else 5)
        return self.code

    def kill(self):
        """Ends everything of this run, whatever its state (the box kills what it has started)."""
        if self._status.fileno() < 0:
            return
        self._status.shutdown(socket.SHUT_RDWR)
        try:
            self.process.wait(BOUND)
        except subprocess.TimeoutExpired:
            for pid in (self.pid1 or self.pid, self.process.pid):
                if pid:
                    os.kill(pid, signal.SIGKILL)
            self.process.wait(BOUND)
        self._status.close()

    # -- what it says --

    @property
    def out(self):
        return self._streams["out"].text

    @property
    def err(self):
        return self._streams["err"].text

    def lines(self, stream="err"):
        """[(seconds since the start, line)]"""
        return [(t - self.started_at, line) for t, line in self._streams[stream].lines()]

    def wait_line(self, regex, timeout=BOUND, stream="err"):
        """Waits for a line that holds the regex; returns the match (its .string is the line)."""
        def look():
            for _, line in self._streams[stream].lines():
                found = re.search(regex, line)
                if found:
                    return found
            return None
        try:
            return wait_for(look, timeout)
        except Failed:
            raise Failed(f"no line {regex!r} on {stream} within {timeout} s; {self.describe()}") from None

    def describe(self):
        texts = {n: s.text for n, s in self._streams.items()}
        return f"{' '.join(map(str, self.box.argv))} -> {self.code}, said {texts}, has {self.processes()}"

    # -- what is in its namespaces --

    def processes(self):
        """All processes of its pid namespace, zombies too (mode "host": all of the test); lastcall included."""
        if not self.pid1:
            found = [_process(pid) for pid in marked_pids(self.box.test_id)]
        else:
            ns = self._namespace()
            found = [_process(pid) for pid in all_pids() if ns and _pid_namespace(pid) == ns]
        return sorted((p for p in found if p), key=lambda p: p.inner)

    def _namespace(self):
        if not hasattr(self, "_ns"):
            self._ns = _pid_namespace(self.pid1)
        return self._ns

    def programs(self):
        """Its living processes, without lastcall itself, its helpers and the box's init."""
        mine = {self.pid, self.pid1}
        return [p for p in self.processes()
                if p.pid not in mine and p.state not in "ZX" and not self._is_helper(p)]

    def _is_helper(self, p):
        try:
            return os.stat(f"/proc/{p.pid}/exe").st_ino == os.stat(self.box.binary).st_ino
        except OSError:
            return False

    def helpers(self):
        """Its own helper processes (net): same executable, not lastcall itself."""
        return [p for p in self.processes() if p.pid not in (self.pid, self.pid1) and self._is_helper(p)]

    def outer(self, inner):
        """The pid outside of the process that is pid `inner` inside, or None."""
        return next((p.pid for p in self.processes() if p.inner == inner), None)

    def path(self, path):
        """A path inside its mount namespace, as a path that works outside (while it runs)."""
        return Path(f"/proc/{self.pid}/root") / str(path).lstrip("/")

    def run(self, *argv, timeout=BOUND, uid=None, env=None, stdin=None):
        """Runs a command inside its namespaces (as `docker exec`); returns a Result (code, out, err, json())."""
        enter = ["/usr/bin/nsenter", "-t", str(self.pid1 or self.pid)]
        enter += ["-p", "-m", "-n", "-i"] if self.pid1 else []
        enter += ["-S", str(uid), "-G", str(uid)] if uid is not None else []
        done = subprocess.run(enter + ["--"] + [str(a) for a in argv], capture_output=True, timeout=timeout,
                              env={**self.box.environment, **(env or {})}, input=stdin or b"")
        return Result(done)

    def popen(self, *argv, uid=None, env=None):
        """As run, but does not wait: a subprocess.Popen with text pipes."""
        enter = ["/usr/bin/nsenter", "-t", str(self.pid1 or self.pid)]
        enter += ["-p", "-m", "-n", "-i"] if self.pid1 else []
        enter += ["-S", str(uid), "-G", str(uid)] if uid is not None else []
        child = subprocess.Popen(enter + ["--"] + [str(a) for a in argv], stdin=subprocess.DEVNULL, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env={**self.box.environment, **(env or {})})
        self.box.children.append(child)
        return child

    def verb(self, *argv, **more):
        """Runs `lastcall VERB ...` inside its namespaces."""
        return self.run(self.box.binary, *argv, **more)

    # -- endpoints --

    def connect(self, port=9180, host="127.0.0.1", timeout=BOUND):
        """A connected TCP socket in its network namespace."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket_in(self.pid, family)
        sock.settimeout(timeout)
        try:
            sock.connect((host, port))
        except OSError:
            sock.close()
            raise
        return sock

    def connect_unix(self, path="/run/lastcall.sock", timeout=BOUND):
        """A connected unix socket; "@name" is an abstract one in its network namespace."""
        sock = socket_in(self.pid, socket.AF_UNIX)
        sock.settimeout(timeout)
        directory = None
        try:
            if str(path).startswith("@"):
                sock.connect("\0" + str(path)[1:])
            else:                           # through a descriptor: the path may be too long for an address
                directory = os.open(self.path(path).parent, os.O_PATH | os.O_CLOEXEC)
                sock.connect(f"/proc/self/fd/{directory}/{Path(path).name}")
        except OSError:
            sock.close()
            raise
        finally:
            if directory is not None:
                os.close(directory)
        return sock

    def http(self, method="GET", path="/readyz", port=9180, host="127.0.0.1", headers=(), body=b"", timeout=BOUND):
        """One request over TCP; a refused or reset connection is a Response with code 0."""
        try:
            with self.connect(port, host, timeout) as sock:
                sock.sendall(request_bytes(method, path, headers, body))
                return receive(sock)
        except (ConnectionError, FileNotFoundError, ProcessLookupError):
            return Response(b"")

    def control(self, method="GET", path="/status", sock="/run/lastcall.sock", headers=(), body=b"", timeout=BOUND):
        """One request over the control socket; none there is a Response with code 0."""
        try:
            with self.connect_unix(sock, timeout) as s:
                s.sendall(request_bytes(method, path, headers, body))
                return receive(s)
        except (ConnectionError, FileNotFoundError, ProcessLookupError):
            return Response(b"")

    def status(self, sock="/run/lastcall.sock"):
        """/status as a dict, {} while there is none."""
        answer = self.control("GET", "/status", sock)
        return answer.json() if answer.code == 200 else {}

    def wait_state(self, state, timeout=BOUND, sock="/run/lastcall.sock"):
        """Waits until /status says this state; returns the whole status."""
        def look():
            now = self.status(sock)
            return now if now.get("state") == state else None
        try:
            return wait_for(look, timeout)
        except Failed:
            raise Failed(f"never {state!r} within {timeout} s: {self.status(sock)}; {self.describe()}") from None


class Result:
    """What a command that has ended gave: code, out, err."""

    def __init__(self, done):
        self.code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"<Result {self.code} out={self.out!r} err={self.err!r}>"


def report(path):
    """The report as a dict; it must be one whole JSON of at most 4096 bytes."""
    data = Path(path).read_bytes()
    assert len(data) <= 4096, f"the report has {len(data)} bytes"
    return json.loads(data)


def steps(of, **wanted):
    """The steps of a report (or of status()["stop"]) with these values: steps(r, name="web", state="done")."""
    return [s for s in of["steps"] if all(s.get(k) == v for k, v in wanted.items())]


class Box:
    """Where and how one lastcall runs. The keyword arguments of start():

    mode            "pid1" (default), "sub", "host"
    env             variables to add (None as a value: to remove). The environment is small and fixed otherwise
    stdin           "null" (default); stdout, stderr: "pipe" (default). Each also: "closed", "full", a path, a
                    descriptor of the test's (give a blocked pipe's write end, or a terminal)
    uid, gid        run lastcall as these
    drop_caps       no capability at all, also for root; no_new_privs
    ro_root         every mount read-only (but for /proc, and for /run while run="tmpfs")
    run             /run: "tmpfs" (default), "missing" (there is none), "keep" (the host's; read-only with ro_root)
    no_proc, no_dev /proc, /dev is empty
    termination_log a file of workdir that appears as /dev/termination-log
    nofile          RLIMIT_NOFILE
    block, ignore   signals that lastcall inherits as blocked, as ignored
    setsid          False: stays in the session and group of the test
    ctty            True: stdin (a terminal) becomes the controlling terminal
    kill_when_child a signal that lastcall gets as soon as a child of it shows in /proc
    before          words to put before lastcall's path (strace, setpriv); pid is then theirs
    around          words to put before the box itself (strace -f, to see all of it from outside)
    cwd             working directory (default workdir)
    may_leave       processes may be left behind (mode "sub")
    """

    def __init__(self, test_id, tools, workdir, args, *, mode="pid1", env=None, stdin="null", stdout="pipe",
                 stderr="pipe", uid=None, gid=None, drop_caps=False, no_new_privs=False, ro_root=False, run="tmpfs",
                 no_proc=False, no_dev=False, termination_log=None, nofile=None, block=(), ignore=(), setsid=True,
                 ctty=False, kill_when_child=None, before=(), around=(), cwd=None, binary=None, may_leave=False):
        self.test_id, self.workdir, self.mode = test_id, workdir, mode
        self.binary = Path(binary or tools.lastcall)
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.cwd = cwd or workdir
        self.may_leave = may_leave
        self.around = [str(w) for w in around]
        self.children = []
        self.argv = [str(w) for w in before] + [str(self.binary)] + [str(a) for a in args]
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/",
                            MARK: test_id}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        for name, value in (env or {}).items():
            if value is None:
                self.environment.pop(name, None)
            else:
                self.environment[name] = str(value)
        self.options = {"mode": mode, "uid": uid, "gid": gid if gid is not None else uid, "drop-caps": int(drop_caps),
                        "no-new-privs": int(no_new_privs), "ro-root": int(ro_root), "no-proc": int(no_proc),
                        "no-dev": int(no_dev), "run": run, "termination-log": termination_log, "nofile": nofile,
                        "block": ",".join(str(int(s)) for s in block) or None,
                        "ignore": ",".join(str(int(s)) for s in ignore) or None,
                        "setsid": int(setsid), "ctty": int(ctty),
                        "kill-when-child": int(kill_when_child) if kill_when_child else None,
                        "newroot": tools.newroot if run == "missing" else None}
        self.tools = tools

    def command_line(self, status_fd, closed):
        line = self.around + [str(self.tools.box), "--status", str(status_fd)]
        for name, value in self.options.items():
            if value is not None:
                line += [f"--{name}", str(value)]
        for fd in closed:
            line += ["--close", str(fd)]
        return line + ["--"] + self.argv


def recorded(path):
    """What `prog record` got so far: [(signal, pid of the sender as it saw it)]."""
    pairs = [line.split() for line in read(path).splitlines()]
    return [(int(sig), int(sender)) for sig, sender in pairs if sig != "ready"]


def recorded_signals(path):
    return [sig for sig, _ in recorded(path)]
