"""The helper alone: programs/one.c plays PID 1, so that every answer, late word and silence of PID 1 can be had."""
import array
import glob
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from lc import Response, Stream, proc_status, receive, request_bytes, wait_for, wait_for_rest

ROOT = Path(__file__).resolve().parents[2]
PURE = ["page", "listen", "control", "clock", "fd", "sigmask", "privileges", "watch"]
SAN = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1"]


@pytest.fixture(scope="session")
def one_binary(programs):
    sources = [file for room in ("net", "text", "model") for file in glob.glob(f"{ROOT}/src/{room}/*.c")]
    sources += [f"{ROOT}/src/sys/{name}.c" for name in PURE]
    flags = ["-std=gnu11", "-D_GNU_SOURCE", '-DLASTCALL_VERSION="0.1.0"', *SAN, "-iquote", ROOT / "src"]
    subprocess.run(["gcc", *flags, "-o", programs.base / "one", ROOT / "tests/system/programs/one.c", *sources],
                   check=True)
    return programs.base / "one"


class One:
    """one.c under test: say() gives it commands, messages() are what the helper has told PID 1."""

    def __init__(self, binary, workdir, *checks, token="-", http=True, control=True, nofile=None):
        self.path = str(workdir / "s")
        self.kept = kept_port()
        self.port = self.kept.getsockname()[1] if http else 0
        argv = [binary, f"127.0.0.1:{self.port}" if http else "off", self.path if control else "off", token]
        for check in checks:
            argv += [str(word) for word in check]
        out, theirs = os.pipe2(os.O_CLOEXEC)
        err, their_err = os.pipe2(os.O_CLOEXEC)
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=theirs, stderr=their_err,
                                        env={**os.environ, **({"ONE_NOFILE": str(nofile)} if nofile else {})})
        os.close(theirs)
        os.close(their_err)
        self.stream, self.errors = Stream(out), Stream(err)
        self.helper = int(self.line(r"helper (\d+)")[1])

    def say(self, *commands):
        self.process.stdin.write(("\n".join(commands) + "\n").encode())
        self.process.stdin.flush()

    def line(self, regex, n=1):
        """Waits for the n-th line with the regex; returns the match."""
        def look():
            found = list(re.finditer(rf"^{regex}$", self.stream.text, re.M))
            return found[n - 1] if len(found) >= n else None
        return wait_for(look, what=f"{regex} in {self.stream.text!r} {self.errors.text!r}")

    def messages(self, kind):
        return [line for _, line in self.stream.lines() if line.startswith(kind)]

    def connect(self, control=False):
        if control:
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.path)
        else:
            sock = socket.create_connection(("127.0.0.1", self.port))
        sock.settimeout(20)
        return sock

    def ask(self, method, path, control=False, headers=(), raw=None):
        with self.connect(control) as sock:
            sock.sendall(raw if raw is not None else request_bytes(method, path, headers))
            return receive(sock)

    def begin(self, method, path, control=True, headers=()):
        """A request whose answer is not waited for: the socket."""
        sock = self.connect(control)
        sock.sendall(request_bytes(method, path, headers))
        return sock

    def end(self):
        self.process.stdin.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.kept.close()
        for stream in (self.stream, self.errors):
            stream.ended.wait(5)
        assert not re.search("Sanitizer|runtime error", self.errors.text), self.errors.text


def kept_port():
    """A socket that keeps a free port from others, but not from one that listens there with SO_REUSEADDR."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    return sock


@pytest.fixture
def one(one_binary, workdir):
    made = []

    def make(*checks, **more):
        made.append(One(one_binary, workdir, *checks, **more))
        return made[-1]

    yield make
    for each in made:
        each.end()


def quiet(sock):
    """True if nothing comes on the socket for a moment (not a proof, but a failure is one)."""
    sock.settimeout(0.2)
    try:
        return sock.recv(1) is None
    except TimeoutError:
        return True
    finally:
        sock.settimeout(20)


# ---- endpoints ----

def test_probes_follow_the_page(one):
    o = one()
    assert o.ask("GET", "/readyz").code == 503
    o.say("ready 1", "startup 1", "publish")
    wait_for(lambda: o.ask("GET", "/readyz").code == 200)
    assert o.ask("GET", "/readyz").body == "ok\n"
    assert o.ask("GET", "/startupz").code == 200
    assert o.ask("HEAD", "/readyz").raw.endswith(b"\r\n\r\n")
    o.say("ready 0", "draining 1", "life 3", "asked", "publish")
    wait_for(lambda: o.ask("GET", "/readyz").code == 503)
    assert o.ask("GET", "/readyz").body == "stopping: SIGTERM\n"


def test_verbose_lists_every_check(one):
    o = one(("tcp", "127.0.0.1:1", 60000, 1000, 1, 1, "ready"), ("file", "/nowhere", 60000, 1000, 1, 1, "ready"))
    o.say("check 0 1 1 1", "check 1 1 1 0", "unit 2 1 77 0", "publish")
    wait_for(lambda: "[+]" in o.ask("GET", "/readyz?verbose").body)
    assert o.ask("GET", "/readyz?verbose").body.split("\n") == [
        "[+] web ready tcp 127.0.0.1:1: passing", "[-] worker ready file /nowhere: failing",
        "[-] job: starting", "not ready: web, worker, job", ""]


def test_status_is_as_designed(one):
    o = one()
    o.say("ready 1", "unit 0 2 7 1", "unit 1 3 0 0 -9", "publish")
    wait_for(lambda: o.ask("GET", "/status").json()["ready"])
    status = o.ask("GET", "/status").json()
    assert status["state"] == "running" and status["live"] is True and status["stop"] is None
    assert status["uptime_ms"] >= 0 and status["orphans_reaped"] == 0
    assert status["services"][:2] == [
        {"name": "web", "state": "up", "pid": 7, "ready": True, "restarts": 0, "exit": None},
        {"name": "worker", "state": "backoff", "pid": None, "ready": False, "restarts": 0, "exit": -9}]
    o.say("life 3", "asked", "phase 1", "row 0 4", "row 1 2", "publish")
    stop = wait_for(lambda: o.ask("GET", "/status", control=True).json()["stop"])
    assert stop["cause"] == "SIGTERM" and stop["grace_ms"] == 30000 and stop["phase"] == "drain"
    assert 0 < stop["left_ms"] <= 30000
    assert [(s["name"], s["phase"], s["stage"], s["state"]) for s in stop["steps"]] == [
        ("announce", "announce", 0, "done"), ("broker", "drain", 1, "running"), ("web", "stop", 2, "pending"),
        ("worker", "stop", 2, "pending"), ("sweep", "sweep", 3, "pending")]
    assert set(stop["steps"][1]) == {"phase", "stage", "name", "state", "start_ms", "end_ms", "deadline_ms", "exit"}
    assert stop["steps"][1]["start_ms"] >= 0 and stop["steps"][1]["end_ms"] is None
    table = o.ask("GET", "/status?table").body
    assert "web" in table and "backoff" in table and "SIGTERM" in table and "broker" in table


@pytest.mark.parametrize("raw, code", [
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"GET /metricsx HTTP/1.0\r\n\r\n", 404),
    (b"POST /readyz HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (b"DELETE /status HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (b"POST /drain HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (b"POST /shutdown HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", 405),
    (b"GET /prestop HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    (b"GET\r\n\r\n", 400),
    (b"GET /readyz\r\n\r\n", 400),
    (b"GET /readyz HTTP/2.0\r\n\r\n", 400),
    (b"GET /readyz HTTP/1.1\r\n\r\n", 400),
    (b"GET /readyz HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n", 400),
    (b"GET /readyz HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
    (b"GET /readyz HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    (b"GET /" + b"a" * 5000, 431),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 1000 + b"\r\n", 431),
    (b"GET /readyz HTTP/1.1\nHost: x\n\n", 503),
    (b"GET http://x/readyz HTTP/1.1\r\nHost: x\r\n\r\n", 503),
    (b"\r\nGET /readyz?x=y HTTP/1.1\r\nhOsT: x\r\n\r\n", 503),
])
def test_every_request_has_its_code(one, raw, code):
    assert one().ask("", "", raw=raw).code == code


def test_the_answer_survives_what_follows_the_request(one):
    """Pipelined requests and bodies are not read, but must not reset the connection under the answer either."""
    o = one()
    raw = request_bytes("GET", "/readyz") * 50 + b"x" * 100000
    for _ in range(20):
        answer = o.ask("", "", raw=raw)
        assert answer.code == 503 and answer.headers["connection"] == "close"
        assert answer.raw.count(b"HTTP/1.1") == 1


def test_a_slow_client_is_told_408(one):
    o = one()
    start = time.monotonic()
    with o.connect() as sock:
        sock.sendall(b"GET /readyz HT")
        assert receive(sock).code == 408
        assert time.monotonic() - start >= 4


def test_a_full_pool_lets_the_oldest_idle_client_go(one):
    o = one()
    idle = [o.connect() for _ in range(64)]
    o.say("ready 1", "publish")
    wait_for(lambda: o.ask("GET", "/readyz").code == 200)
    assert receive(idle[0]).raw == b""
    idle[-1].sendall(request_bytes("GET", "/readyz"))
    assert receive(idle[-1]).code == 200
    assert o.ask("GET", "/status", control=True).code == 200
    for sock in idle:
        sock.close()


def test_a_reader_that_does_not_read_hurts_nobody(one):
    o = one()
    deaf = []
    for _ in range(100):
        sock = o.connect()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        sock.sendall(request_bytes("GET", "/status"))
        deaf.append(sock)
    assert o.ask("GET", "/status").code == 200
    assert o.ask("GET", "/status", control=True).code == 200
    for sock in deaf:
        sock.close()


def test_few_descriptors(one):
    o = one(("tcp", "127.0.0.1:1", 50, 1000, 1, 1, "ready"), nofile=24)
    o.say("check 0 1 1", "publish")
    many = [o.connect() for _ in range(40)]
    o.line(r"CHECK .* value=0 gen=1")
    o.say("ready 1", "publish")
    wait_for(lambda: o.ask("GET", "/readyz").code == 200)
    for sock in many:
        sock.close()


# ---- life ----

def test_livez_asks_pid_1(one):
    o = one()
    start = time.monotonic()
    for _ in range(50):
        assert o.ask("GET", "/healthz").code == 200
    o.line(r"LIFE .*")
    assert len(o.messages("LIFE")) <= 1 + (time.monotonic() - start)


def test_livez_without_an_answer_is_503(one):
    o = one()
    o.say("pulses 0")
    start = time.monotonic()
    waiting = [o.begin("GET", "/livez", control=False) for _ in range(20)]
    assert [receive(sock).code for sock in waiting] == [503] * 20
    assert 0.4 < time.monotonic() - start < 15
    assert len(o.messages("LIFE")) <= 1 + (time.monotonic() - start)
    for sock in waiting:
        sock.close()
    o.say("pulses 1")
    wait_for(lambda: o.ask("GET", "/livez").code == 200)
    o.say("live 0", "publish")
    wait_for(lambda: o.ask("GET", "/livez").code == 503)


def test_a_word_to_pid_1_after_each_doorbell(one):
    o = one()
    o.line(r"PULSE 1 .*")
    o.say("ready 1", "publish")
    o.line(r"PULSE 2 .*")


# ---- asking ----

ASKS = [("/drain", 0), ("/resume", 1), ("/prestop", 2), ("/shutdown", 3), ("/shutdown?now", 4), ("/start/web", 5),
        ("/stop/worker", 6), ("/restart/job", 7), ("/reload/web", 8), ("/signal/web/HUP", 9)]


@pytest.mark.parametrize("path, verb", ASKS, ids=[a[0] for a in ASKS])
def test_each_request_becomes_its_message(one, path, verb):
    o = one()
    o.say("auto 200")
    assert o.ask("POST", path, control=True).code == 200
    subject = {"/stop/worker": 1, "/restart/job": 2}.get(path, 0)
    o.line(rf"ASK \d+ client=\d+ verb={verb} subject={subject} value={1 if 'HUP' in path else 0} gen=0")
    assert o.ask("GET", path, control=True).code == 405


@pytest.mark.parametrize("path, code", [("/stop/nobody", 404), ("/signal/web/NOPE", 400), ("/signal/web", 400),
                                        ("/prestop?late=5", 400), ("/nothing", 404), ("/stop/", 404)])
def test_a_bad_request_never_reaches_pid_1(one, path, code):
    o = one()
    assert o.ask("POST", path, control=True).code == code
    assert o.messages("ASK") == []


def test_late_is_passed_on(one):
    o = one()
    o.say("auto 200")
    assert o.ask("POST", "/prestop?late=1m2s&wait=no", control=True).code == 200
    o.line(r"ASK .* value=62000 .*")


@pytest.mark.parametrize("code", [409, 423, 403, 400])
def test_a_refusal_is_passed_on(one, code):
    o = one()
    o.say(f"auto {code}")
    assert o.ask("POST", "/drain", control=True).code == code


def test_drain_answers_when_it_is_drained(one):
    o = one()
    o.say("auto 202", "draining 1")
    sock = o.begin("POST", "/drain")
    o.line(r"ASK .*")
    assert quiet(sock)
    o.say("row 0 4", "publish")
    assert quiet(sock)
    o.say("row 1 5", "life 2", "publish")
    answer = receive(sock)
    assert (answer.code, answer.body) == (200, "drained\n")
    assert o.ask("POST", "/drain?wait=no", control=True).code == 202
    sock = o.begin("POST", "/shutdown")
    o.line(r"ASK .*", 3)
    o.say("verdict 1 -1", "publish")
    assert quiet(sock)
    o.say("asked", "verdict 2 0", "publish")
    assert re.fullmatch(r"degraded in \d+\.\d s of 30\.0, exit 0\n", receive(sock).body)


def test_restart_answers_when_it_is_up_again(one):
    o = one()
    o.say("auto 202", "unit 0 4 7 0")
    sock = o.begin("POST", "/restart/web")
    o.line(r"ASK .*")
    o.say("unit 0 1 9 0", "publish")
    assert quiet(sock)
    o.say("unit 0 2 9 1", "publish")
    assert receive(sock).code == 200
    o.say("unit 0 1 9 0")
    sock = o.begin("POST", "/start/web")
    o.line(r"ASK .*", 2)
    o.say("unit 0 3 0 0 1", "publish")
    answer = receive(sock)
    assert (answer.code, answer.body) == (503, "web is backoff, its last exit: 1\n")


def test_pid_1_that_does_not_answer(one):
    o = one()
    o.say("hear 0")
    o.line("hears 0")
    assert o.ask("POST", "/drain", control=True).code == 503
    assert o.ask("GET", "/readyz").code == 503


def test_a_full_message_socket_loses_nothing(one):
    o = one(("file", "/", 60000, 1000, 1, 1, "ready"))
    o.say("hear 0")
    o.line("hears 0")
    o.say(*["ready 1", "publish"] * 600)
    sock = o.begin("POST", "/resume")
    o.say("check 0 1 5", "publish")
    wait_for(lambda: o.ask("GET", "/readyz").code == 200)
    assert quiet(sock)
    o.say("auto 200", "hear 1")
    assert receive(sock).code == 200
    o.line(r"CHECK .* subject=0 value=1 gen=5")
    numbers = [int(line.split()[1]) for _, line in o.stream.lines() if "client=" in line]
    assert numbers == list(range(1, len(numbers) + 1))


def test_another_user_is_refused(one, programs):
    o = one()
    os.chmod(o.path, 0o777)
    assert os.stat(o.path).st_mode & 0o777 == 0o777
    script = ("import socket,sys;s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);"
              "s.sendall(b'POST /shutdown HTTP/1.0\\r\\n\\r\\n');print(s.recv(999).decode())")
    done = subprocess.run(["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                           "/usr/bin/python3", "-c", script, o.path], capture_output=True, text=True)
    assert "403" in done.stdout.split("\n")[0], done
    assert o.messages("ASK") == []


def test_the_socket_is_private(one):
    assert os.stat(one().path).st_mode & 0o777 == 0o600


def test_prestop_by_token(one):
    o = one(token="s3cret")
    assert o.ask("GET", "/prestop").code == 403
    assert o.ask("GET", "/prestop", headers={"X-Lastcall-Token": "s3cre"}).code == 403
    assert o.ask("GET", "/prestop", headers={"X-Lastcall-Token": "s3cretx"}).code == 403
    assert o.messages("ASK") == []
    o.say("auto 200")
    assert o.ask("GET", "/prestop", headers={"x-lastcall-token": "s3cret"}).code == 200
    o.line(r"ASK .* verb=2 .*")


# ---- going ----

def test_leaving_answers_everybody_first(one):
    o = one()
    o.say("auto 202", "draining 1", "life 3", "asked")
    waiting = {path: o.begin("POST", path) for path in ("/drain", "/shutdown", "/stop/web")}
    o.line(r"ASK .*", 3)
    o.say("row 0 4", "row 1 4", "verdict 1 0", "leave", "publish")
    answers = {path: receive(sock) for path, sock in waiting.items()}
    assert answers["/drain"].code == 200 and answers["/shutdown"].code == 200
    assert answers["/shutdown"].body.startswith("clean in ")
    assert o.line(r"end (\d+)")[1] == "0"


def test_the_closed_doorbell_ends_it(one):
    o = one()
    sock = o.connect()
    o.say("close")
    assert o.line(r"end (\d+)")[1] == "0"
    sock.close()


def test_signals_do_not_end_it(one):
    o = one()
    o.line(r"PULSE .*")
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGALRM):
        os.kill(o.helper, sig)
    assert o.ask("GET", "/readyz").code == 503


def test_it_has_no_rights(one):
    o = one()
    o.line(r"PULSE .*")
    assert proc_status(o.helper, "CapEff") == "0" * 16
    assert proc_status(o.helper, "CapBnd") == "0" * 16
    assert proc_status(o.helper, "NoNewPrivs") == "1"
    assert proc_status(o.helper, "Name") == "lastcall-net"


def test_the_page_is_sealed(one):
    o = one()
    o.say("writable")
    o.line("writable -1")


def test_with_nothing_to_do_it_sleeps(one):
    o = one(("tcp", "127.0.0.1:1", 100, 1000, 1, 1, "ready"))
    o.line(r"PULSE .*")
    o.ask("GET", "/readyz")

    def switches():
        return int(proc_status(o.helper, "voluntary_ctxt_switches"))
    wait_for(lambda: proc_status(o.helper, "State").startswith("S"))
    before = wait_for_rest(switches, 1.5)   # whatever lingers has ended
    time.sleep(1.5)
    assert switches() == before


# ---- checks ----

class Server:
    """A little server of the test's own: answers every connection with the same bytes, or not at all. at_most: how many
    it answers; the next one waits until there may be more."""

    def __init__(self, answer=b"", family=socket.AF_INET, path=None, at_most=None):
        self.sock = socket.socket(socket.AF_UNIX if path else family)
        self.sock.bind(path or ("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self.sock.listen(16)
        self.port = 0 if path else self.sock.getsockname()[1]
        self.answer, self.requests, self.at_most = answer, [], at_most
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        held = []
        while True:
            try:
                peer, _ = self.sock.accept()
            except OSError:
                return
            if self.answer is None:
                held.append(peer)
                continue
            try:
                peer.settimeout(1)
                if self.answer:
                    self.requests.append(peer.recv(4096))
                    while self.at_most is not None and len(self.requests) > self.at_most:
                        time.sleep(0.005)
                    peer.sendall(self.answer)
            except OSError:
                pass
            peer.close()

    def close(self):
        self.at_most = None
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


@pytest.fixture
def server():
    made = []

    def make(*args, **more):
        made.append(Server(*args, **more))
        return made[-1]
    yield make
    for each in made:
        each.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_http_check(one, server):
    s = server(OK)
    o = one(("http", f"http://127.0.0.1:{s.port}/health?x=1", 30, 1000, 1, 3, "ready"))
    assert s.requests == []
    o.say("check 0 1 7", "publish")
    o.line(r"CHECK .* subject=0 value=1 gen=7")
    assert s.requests[0].startswith(f"GET /health?x=1 HTTP/1.1\r\nHost: 127.0.0.1:{s.port}\r\n".encode())
    wait_for(lambda: len(s.requests) > 5)
    assert len(o.messages("CHECK")) == 1
    s.answer = b"HTTP/1.1 500 no\r\n\r\n"
    o.line(r"CHECK .* value=0 gen=7")
    s.answer = b"HTTP/1.0 302 there\r\n\r\n"
    o.line(r"CHECK .* value=1 gen=7", 2)
    o.say("check 0 0 7", "publish")
    o.line(r"PULSE .*", 3)
    n = len(s.requests)
    time.sleep(0.2)                         # six times the interval: one request may have been on its way
    assert len(s.requests) <= n + 1
    o.say("check 0 1 8", "publish")
    o.line(r"CHECK .* value=1 gen=8")


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 2", None],
                         ids=["close", "ssh", "short", "silence"])
def test_http_check_of_what_is_no_http(one, server, answer):
    s = server(answer)
    o = one(("http", f"http://127.0.0.1:{s.port}/", 50, 100, 1, 2, "ready"))
    o.say("check 0 1 1", "publish")
    o.line(r"CHECK .* value=0 gen=1")


def test_successes_and_failures_in_a_row(one, server):
    s = server(OK, at_most=2)
    o = one(("http", f"http://127.0.0.1:{s.port}/", 20, 60000, 3, 2, "ready"))
    o.say("check 0 1 1", "publish")
    wait_for(lambda: len(s.requests) == 3)
    o.say("ready 1", "publish")
    wait_for(lambda: o.ask("GET", "/readyz").code == 200)
    assert o.messages("CHECK") == []        # two have been good, the third has no answer yet
    s.at_most = 3
    o.line(r"CHECK .* value=1 gen=1")


def test_localhost_is_both_families(one, server):
    s = server(OK, family=socket.AF_INET6)
    o = one(("http", f"http://localhost:{s.port}/", 50, 1000, 1, 1, "ready"),
            ("tcp", f"localhost:{s.port}", 50, 1000, 1, 1, "ready"))
    o.say("check 0 1 1", "check 1 1 1", "publish")
    o.line(r"CHECK .* subject=0 value=1 gen=1")
    o.line(r"CHECK .* subject=1 value=1 gen=1")


def test_tcp_file_and_unix_checks(one, server, workdir):
    s, u = server(), server(path=str(workdir / "u"))
    there = workdir / "there"
    o = one(("tcp", f"127.0.0.1:{s.port}", 50, 1000, 1, 1, "ready"), ("file", there, 20, 1000, 1, 1, "ready"),
            ("tcp", f"unix:{workdir}/u", 50, 1000, 1, 1, "ready"))
    o.say("check 0 1 1", "check 1 1 1", "check 2 1 1", "publish")
    o.line(r"CHECK .* subject=0 value=1 gen=1")
    o.line(r"CHECK .* subject=1 value=0 gen=1")
    o.line(r"CHECK .* subject=2 value=1 gen=1")
    there.touch()
    o.line(r"CHECK .* subject=1 value=1 gen=1")
    there.unlink()
    o.line(r"CHECK .* subject=1 value=0 gen=1", 2)
    assert u.port == 0


def test_fd_check(one):
    o = one(("fd", "", 1000, 1000, 1, 1, "ready"))
    o.say("check 0 1 4", "publish", "line 0")
    o.line(r"CHECK .* subject=0 value=1 gen=4")


def test_words_before_the_check_is_on_are_kept(one):
    """The service runs before PID 1 has heard of its exec."""
    o = one(("fd", "", 1000, 1000, 1, 1, "ready"))
    o.say("unit 0 1 77 0", "publish", "line 0")
    o.line(r"PULSE .*", 2)
    o.say("check 0 1 4", "publish")
    o.line(r"CHECK .* subject=0 value=1 gen=4")


def test_words_of_a_predecessor_do_not_count(one):
    o = one(("fd", "", 1000, 1000, 1, 1, "ready"), ("fd", "", 1000, 1000, 1, 1, "ready"))
    o.say("unit 0 5 0 0", "publish", "line 0")
    o.line(r"PULSE .*", 2)
    time.sleep(0.2)
    o.say("check 0 1 4", "check 1 1 4", "publish", "line 1")
    o.line(r"CHECK .* subject=1 value=1 gen=4")
    assert len(o.messages("CHECK")) == 1


def notify(path, text, fds=()):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.connect(path)
    control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    sock.sendmsg([text], control)
    sock.close()


def test_notify(one, workdir):
    path = str(workdir / "n")
    o = one(("notify", path, 1000, 1000, 1, 1, "ready"))
    o.say("unit 0 1 77 0", "check 0 1 3", "publish")
    o.line(r"PULSE .*", 2)
    for foreign in (b"READY=2", b"READY=1" + b"\nX=" + b"y" * 5000, b"READY=1\nrubbish", b"READY=1\0STATUS=x", b""):
        notify(path, foreign)
    notify(path, b"EXTEND_TIMEOUT_USEC=2500000\n")
    o.line(r"EXTEND .* subject=0 value=2500 gen=0")
    assert o.messages("CHECK") == []
    notify(path, b"STATUS=half way\nREADY=1\n")
    o.line(r"CHECK .* subject=0 value=1 gen=3")


def test_barrier_and_foreign_descriptors_are_closed(one, workdir):
    path = str(workdir / "n")
    o = one(("notify", path, 1000, 1000, 1, 1, "ready"))
    o.say("unit 0 2 77 0", "check 0 1 3", "publish")
    for text in (b"BARRIER=1", b"READY=1", b"X=" + b"y" * 6000):
        ours, theirs = os.pipe()
        notify(path, text, [theirs, theirs, theirs])
        os.close(theirs)
        assert os.read(ours, 1) == b""      # every copy has been closed
        os.close(ours)
    assert len(os.listdir(f"/proc/{o.helper}/fd")) < 16


def test_notify_of_another_user_is_ignored(one, workdir):
    path = str(workdir / "n")
    o = one(("notify", path, 1000, 1000, 1, 1, "ready"))
    os.chmod(path, 0o777)
    o.say("unit 0 1 77 0", "check 0 1 3", "publish")
    o.line(r"PULSE .*", 2)
    script = "import socket,sys;s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);s.sendto(b'READY=1',sys.argv[1])"
    subprocess.run(["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c",
                    script, path], check=True)
    notify(path, b"EXTEND_TIMEOUT_USEC=1000")
    o.line(r"EXTEND .*")
    assert o.messages("CHECK") == []
