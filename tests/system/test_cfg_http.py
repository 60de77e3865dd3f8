"""The endpoints over TCP: what they answer, to whom, and what bad or slow clients can do: nothing."""
import os
import signal
import socket
import threading
import time

import pytest

from cfg import *
from lc import Response, receive, wait_for

PLAIN = """
    [lastcall]
    http = {http}
    grace = 10s
    [service a]
    command = @svc a listen=8081
    ready = tcp 127.0.0.1:8081 every 50ms
    [drain d]
    command = @say d 600
"""
HELD = PLAIN.replace("grace = 10s", "grace = 30s").replace("@say d 600", UNTIL_GO)


def begin(app, http=":9180", text=PLAIN, **more):
    return app(text.format(http=http), **more).ready()


def ask(run, data, timeout=BOUND):
    """Sends these bytes, gives the response (code 0: none)."""
    with run.connect(timeout=timeout) as sock:
        try:
            sock.sendall(data)
        except OSError:
            pass
        try:
            return receive(sock)
        except TimeoutError:
            return Response(b"")


def answers(run):
    """It answers within seconds, and says ready."""
    begun = time.monotonic()
    wait_for(lambda: run.http("GET", "/readyz", timeout=5).code == 200, 8)
    return time.monotonic() - begun


def test_health(app, both):
    run = begin(app, mode=both)
    for path in ("/livez", "/readyz", "/startupz", "/healthz"):
        got = run.http("GET", path)
        assert got.code == 200 and got.body.strip() == "ok", path
        assert got.headers["content-length"] == str(len(got.body_bytes))
        head = run.http("HEAD", path)
        assert head.code == 200 and head.body_bytes == b""
        assert head.headers["content-length"] == got.headers["content-length"]
    assert run.stop() == 0


def test_health_in_a_stop(app, both):
    run = begin(app, text=HELD, mode=both)
    run.signal(SIGTERM)
    run.wait_event("d begin")
    assert run.http("GET", "/livez").code == 200
    not_ready = run.http("GET", "/readyz")
    assert not_ready.code == 503 and not_ready.body.strip() not in ("", "ok")
    assert run.http("GET", "/startupz").code == 200
    (run.workdir / "go").touch()
    assert run.wait() == 0


@pytest.mark.parametrize("query", ["?verbose", "?verbose=1", "?verbose=true"])
def test_verbose_lists_every_check(app, query):
    run = app("""
        [lastcall]
        http = :9180
        [service one]
        command = @svc one
        ready = file @W/one every 50ms
        live = exec true every 100ms
        [service two]
        command = @svc two listen=8081
        ready = tcp 127.0.0.1:8081 every 50ms
    """)
    (run.workdir / "one").touch()
    run.ready()
    body = run.http("GET", "/readyz" + query).body
    assert "one" in body and "two" in body
    (run.workdir / "one").unlink()
    wait_for(lambda: run.http("GET", "/readyz").code == 503)
    got = run.http("GET", "/readyz" + query)
    assert got.code == 503 and "one" in got.body and "two" in got.body
    assert "one" in run.http("GET", "/livez" + query).body
    assert run.stop() == 0


def test_why_it_is_not_ready(app):
    run = app("""
        [lastcall]
        http = :9180
        [service slowpoke]
        command = @svc slowpoke
        ready = file @W/never every 50ms
    """)
    run.wait_event("slowpoke start")
    for path in ("/readyz", "/startupz"):
        wait_for(lambda: run.http("GET", path).code == 503)
        assert "slowpoke" in run.http("GET", path).body
    assert run.stop() == 0


def test_status(app, both):
    """The fields of the specification, and no others are missing."""
    run = begin(app, mode=both)
    got = run.http("GET", "/status")
    assert got.code == 200 and "json" in got.headers["content-type"]
    s = got.json()
    assert set(s) >= {"state", "ready", "live", "uptime_ms", "services", "stop", "orphans_reaped"}
    assert s["state"] == "running" and s["ready"] is True and s["live"] is True and s["stop"] is None
    assert 0 <= s["uptime_ms"] < 60000 and s["orphans_reaped"] >= 0
    [a] = s["services"]
    assert set(a) >= {"name", "state", "pid", "ready", "restarts", "exit"}
    assert a["name"] == "a" and a["ready"] is True and a["restarts"] == 0 and a["exit"] is None
    assert a["pid"] == run.pid_inside("a") or both == "sub"
    assert run.status()["services"] == s["services"]
    assert run.stop() == 0


def test_status_counts_orphans(app):
    run = app("""
        [service a]
        command = sh -c "for i in 1 2 3 4 5; do (sleep 0.1 &) ; done; exec @P svc a"
    """).ready()
    wait_for(lambda: run.status()["orphans_reaped"] >= 5)
    assert run.stop() == 0


@pytest.mark.parametrize("method,path,code", [
    ("GET", "/nothing", 404), ("GET", "/readyz/", 404), ("GET", "/../etc/passwd", 404), ("GET", "/READYZ", 404),
    ("GET", "/livezz", 404), ("HEAD", "/nothing", 404), ("GET", "/drain", (404, 405)), ("GET", "/stop/a", (404, 405)),
    ("POST", "/readyz", 405), ("PUT", "/livez", 405), ("DELETE", "/status", 405), ("OPTIONS", "/readyz", 405),
    ("TRACE", "/readyz", 405), ("PATCH", "/healthz", 405), ("CONNECT", "/readyz", (400, 405)),
    ("BREW", "/readyz", 405)])
def test_what_there_is_not(app, method, path, code):
    run = begin(app)
    assert run.http(method, path).code in (code if isinstance(code, tuple) else (code,))
    answers(run)


@pytest.mark.parametrize("path", ["/drain", "/resume", "/shutdown", "/prestop", "/start/a", "/stop/a", "/restart/a",
                                  "/reload/a", "/signal/a/KILL"])
def test_tcp_is_read_only(app, path):
    run = begin(app)
    assert run.http("POST", path).code in (404, 405)
    assert run.http("GET", path).code in (404, 405)
    assert run.status()["state"] == "running"
    answers(run)
    assert run.stop() == 0
    assert len(run.find("a start")) == 1 and len(run.find("a SIGNAL")) == 1


MALFORMED = {
    "garbage": b"\x00\x01\x02\xff\xfe garbage\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x11" * 60 + b"\r\n\r\n",
    "no version": b"GET /readyz\r\n\r\n",
    "bad version": b"GET /readyz HTTP/9.9\r\n\r\n",
    "word version": b"GET /readyz HELLO\r\n\r\n",
    "four words": b"GET /readyz HTTP/1.1 x\r\nHost: a\r\n\r\n",
    "no slash": b"GET readyz HTTP/1.1\r\nHost: a\r\n\r\n",
    "empty target": b"GET  HTTP/1.1\r\nHost: a\r\n\r\n",
    "nul in target": b"GET /read\x00yz HTTP/1.1\r\nHost: a\r\n\r\n",
    "control in target": b"GET /read\x07yz HTTP/1.1\r\nHost: a\r\n\r\n",
    "header without colon": b"GET /readyz HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n",
    "bad length": b"GET /readyz HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    "word length": b"GET /readyz HTTP/1.1\r\nHost: a\r\nContent-Length: lots\r\n\r\n",
    "two lengths": b"POST /readyz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "folded header": b"GET /readyz HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    "space before colon": b"GET /readyz HTTP/1.1\r\nHost : a\r\n\r\n",
    "only lines": b"\r\n\r\n\r\n\r\nx\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(app, name):
    """400 (or 405, where the method is what is wrong, or 505); it says so and goes on."""
    run = begin(app)
    got = ask(run, MALFORMED[name])
    assert 400 <= got.code < 600 and got.code != 431, got
    answers(run)
    assert run.stop() == 0


@pytest.mark.parametrize("data", [
    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /readyz HTTP/1.1\r\nHost: a\r\nX: " + b"b" * 100000 + b"\r\n\r\n",
    b"GET /readyz HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
    b"A" * 200000], ids=["target", "header", "headers", "word"])
def test_oversized(app, data):
    run = begin(app)
    got = ask(run, data)
    assert got.code in (400, 414, 431, 0) if data[:2] == b"AA" else got.code in (431, 414), got
    answers(run)
    assert run.stop() == 0


def test_a_body_that_never_comes_and_one_that_never_ends(app):
    run = begin(app)
    got = ask(run, b"POST /readyz HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 15)
    assert 400 <= got.code < 500
    got = ask(run, b"GET /readyz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", 15)
    assert got.code == 200 or 400 <= got.code < 600
    answers(run)
    assert run.stop() == 0


@pytest.mark.limit(90)
@pytest.mark.parametrize("data", [b"GET /ready", b"GET /readyz HTTP/1.1\r\nHost: a\r\n"])
def test_slow_is_408(app, data):
    run = begin(app)
    with run.connect(timeout=60) as sock:
        sock.sendall(data)
        assert receive(sock).code == 408
    answers(run)
    assert run.stop() == 0


@pytest.mark.limit(90)
def test_a_byte_at_a_time_is_no_way_around(app):
    """A slowloris that always sends a little is ended too, or gives way."""
    run = begin(app)
    with run.connect(timeout=60) as sock:
        sock.sendall(b"GET /readyz HTTP/1.1\r\n")
        sock.settimeout(0.2)
        code = None
        end = time.monotonic() + 60
        while code is None and time.monotonic() < end:
            try:
                sock.sendall(b"X: y\r\n")
                piece = sock.recv(1000)
                code = Response(piece).code
            except TimeoutError:
                continue
            except OSError:
                code = 0
    assert code in (408, 431, 0)
    answers(run)
    assert run.stop() == 0


def test_a_request_in_pieces(app):
    run = begin(app)
    with run.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert receive(sock).code == 200
    assert run.stop() == 0


@pytest.mark.parametrize("request_line", [b"GET /readyz HTTP/1.0\r\n\r\n", b"GET /readyz HTTP/1.1\r\nhOsT: a\r\n\r\n",
                                          b"GET /readyz?a=b&c HTTP/1.1\r\nHost: a\r\n\r\n",
                                          b"GET /readyz HTTP/1.1\nHost: a\n\n"])
def test_requests_of_all_kinds(app, request_line):
    run = begin(app)
    assert ask(run, request_line, 20).code in ((200,) if b"\r" in request_line else (200, 400))
    assert run.stop() == 0


def test_pipelining(app):
    """Many at once on one connection: what is answered is whole; and it goes on."""
    run = begin(app)
    with run.connect() as sock:
        sock.settimeout(10)
        try:
            sock.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n" * 500)
        except OSError:
            pass
        got = receive(sock)
        assert got.code == 200
    answers(run)
    assert run.stop() == 0


def test_keep_alive_or_close_is_said(app):
    """If the connection stays open, a second request on it is answered; if not, it is closed and said so."""
    run = begin(app)
    with run.connect() as sock:
        sock.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
        got = receive(sock)
        assert got.code == 200
        if got.headers.get("connection", "").lower() == "close":
            assert sock.recv(10) == b""
        else:
            sock.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert receive(sock).code == 200
    assert run.stop() == 0


@pytest.mark.parametrize("what", [b"", b"GET /re", b"GET /readyz HTTP/1.1\r\nHost: a\r\nX: y\r\n"],
                         ids=["silent", "half a line", "half a request"])
@pytest.mark.parametrize("when", ["running", "stopping"])
def test_two_hundred_connections(app, what, when):
    """The oldest idle one gives way: probes are answered, and a stop is as ever."""
    run = begin(app, text=HELD)
    socks = []
    try:
        for _ in range(200):
            socks.append(run.connect(timeout=5))
            try:
                socks[-1].sendall(what)
            except OSError:
                pass
        if when == "running":
            answers(run)
            assert run.verb("status", "--json").json()["state"] == "running"
        begun = time.monotonic()
        run.signal(SIGTERM)
        run.wait_event("d begin")
        assert run.http("GET", "/readyz", timeout=5).code == 503
        (run.workdir / "go").touch()
        assert run.wait() == 0
        assert run.exited_at - begun < 10
    finally:
        for sock in socks:
            sock.close()


@pytest.mark.parametrize("when", ["running", "stopping"])
def test_a_flood(app, when):
    """Four threads ask, send garbage and hang up as fast as they can; the stop is in time."""
    run = begin(app)
    over = threading.Event()
    kinds = [b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n", os.urandom(3000), b"GET /" + b"a" * 9000,
             b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n" * 50]

    def bother(data):
        while not over.is_set():
            try:
                with run.connect(timeout=2) as sock:
                    sock.sendall(data)
                    sock.recv(100)
            except OSError:
                pass

    threads = [threading.Thread(target=bother, args=(data,)) for data in kinds]
    for t in threads:
        t.start()
    try:
        if when == "running":
            wait_for(lambda: run.verb("status", "--json").code == 0, 10)
            run.ready()
        begun = time.monotonic()
        assert run.stop() == 0
        assert run.exited_at - begun < 5
    finally:
        over.set()
        for t in threads:
            t.join()
    assert run.report()["verdict"] == "clean"
    assert len(run.find("a start")) == 1


def test_a_client_that_does_not_read(app):
    """Asks for much and reads nothing: it blocks nobody."""
    run = begin(app)
    socks = [run.connect(timeout=3) for _ in range(20)]
    try:
        for sock in socks:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            sock.setblocking(False)
            try:
                for _ in range(200):
                    sock.send(b"GET /status HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
            except OSError:
                pass
        answers(run)
        begun = time.monotonic()
        assert run.stop() == 0
        assert run.exited_at - begun < 5
    finally:
        for sock in socks:
            sock.close()


# ---- liveness of PID 1 itself, and prestop from outside ----

def test_a_stopped_lastcall_is_not_live(app, both):
    """Its helper answers 503 for it (no sign of life in 500 ms), to many at once; and 200 when it is back."""
    run = begin(app, mode=both)
    os.kill(run.pid, signal.SIGSTOP)
    try:
        assert run.http("GET", "/livez", timeout=10).code == 503
        got = []
        threads = [threading.Thread(target=lambda: got.append(run.http("GET", "/livez", timeout=10).code)) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert set(got) == {503}
    finally:
        os.kill(run.pid, signal.SIGCONT)
    wait_for(lambda: run.http("GET", "/livez").code == 200)
    assert run.http("GET", "/readyz").code == 200
    assert run.stop() == 0
    assert len(run.find("a start")) == 1


def test_prestop_over_tcp(app):
    """Only with the token: 403 without; then the TERM continues on the same clock."""
    token = "a-Token_1234"
    run = app(PLAIN.format(http=f":9180\nhttp-prestop = {token}")).ready()
    for headers in ({}, {"X-Lastcall-Token": "wrong-Token"}, {"X-Lastcall-Token": token[:-1]},
                    {"X-Lastcall-Token": token + "x"}, {"X-Lastcall-Token": ""}, {"Token": token}):
        assert run.http("GET", "/prestop", headers=headers).code == 403, headers
        assert run.http("POST", "/prestop", headers=headers).code == 403, headers
    assert run.status()["state"] == "running" and not run.find("d begin")
    assert run.http("GET", "/prestop", headers={"X-Lastcall-Token": token}).code in (200, 202)
    run.wait_event("d end")
    assert run.http("GET", "/readyz").code == 503
    assert run.stop() == 0
    assert len(run.find("d begin")) == 1


@pytest.mark.parametrize("token", ["short", "a b c d e f g h", "x" * 129, "sieben&acht"])
def test_a_bad_token_is_refused(refused, token):
    refused(f"[lastcall]\nhttp = :9180\nhttp-prestop = {token}\n[service a]\ncommand = @svc a")


# ---- the listener ----

@pytest.mark.parametrize("http,host", [(":9180", "127.0.0.1"), ("127.0.0.1:9180", "127.0.0.1"), ("[::1]:9180", "::1"),
                                       (":9180", "::1")])
def test_addresses(app, http, host):
    run = begin(app, http)
    assert run.http("GET", "/readyz", host=host).code == 200
    assert run.stop() == 0


def test_only_the_address_that_was_asked_for(app):
    run = begin(app, "127.0.0.1:9180")
    assert run.http("GET", "/readyz", host="127.0.0.1").code == 200
    assert run.http("GET", "/readyz", host="127.0.0.2").code == 0
    assert run.stop() == 0


@pytest.mark.parametrize("ini,args,env", [("", [], {}), ("http = off", [], {}), ("http = :9180", ["--http", "off"], {}),
                                          ("http = :9180", [], {"LASTCALL_HTTP": "off"})])
def test_off_unless_asked_for(app, ini, args, env):
    run = app(f"[lastcall]\n{ini}\n[service a]\ncommand = @svc a", *args, env=env).ready()
    assert run.http("GET", "/readyz").code == 0
    assert run.stop() == 0


def test_option_over_file(app):
    run = app("[lastcall]\nhttp = :9180\n[service a]\ncommand = @svc a", "--http", ":9181", env={"LASTCALL_HTTP": ":9182"})
    run.ready()
    assert [run.http("GET", "/readyz", port=p).code for p in (9180, 9181, 9182)] == [0, 200, 0]
    assert run.stop() == 0


def test_a_port_in_use_is_125(app, both):
    """Said with its number; nothing is started."""
    first = begin(app, mode=both)
    got = first.verb("-c", first.workdir / "app.ini", "--control", "off")
    assert got.code == 125
    assert "9180" in got.err and "use" in got.err
    assert not events_of(got.out)
    assert first.stop() == 0


def test_an_address_that_is_not_ours_is_125(app):
    run = app(PLAIN.format(http="203.0.113.9:9180"))
    assert run.wait() == 125
    assert "203.0.113.9" in run.err and not run.events()


@pytest.mark.parametrize("http", ["9180", ":99999", ":0x50", "localhost", "[::1:9180", ":-1", "::1:9180", "1.2.3:80"])
def test_a_bad_address_is_refused(refused, http):
    err = refused(f"[lastcall]\nhttp = {http}\n[service a]\ncommand = @svc a")
    assert "app.ini:2:" in err
