"""The arithmetic of the one deadline, as plan prints it and as a stop keeps it; announce = auto; the signals key."""
import json
import time

import pytest

from cfg import *
from lc import wait_for


@pytest.fixture
def plan(start, conf):
    """plan(ini, env={}): what plan --json says: ({name: step}, all of it)."""
    def ask(ini, env=None):
        run = start("plan", "--json", conf(ini), mode="sub", env=env or {})
        assert run.wait() == 0, run.describe()
        got = json.loads(run.out)
        return {s["name"]: s for s in got["steps"]}, got
    return ask


def services(n, keys=""):
    return "".join(f"[service s{i}]\ncommand = x\n{keys}\n" + (f"after = s{i - 1}\n" if i else "") for i in range(n))


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_equal_shares(plan, levels):
    """(grace - reserve - all other guarantees) / (such stages + 1)"""
    steps, _ = plan("[lastcall]\ngrace = 30s\nannounce = 2s..9s\n" + services(levels)
                    + "[finish f]\ncommand = x\ntimeout = 5s\n")
    share = (30000 - 1000 - 2000 - 1000 - 200) // (levels + 1)
    for i in range(levels):
        assert abs(steps[f"s{i}"]["guaranteed_ms"] - share) <= 1


def test_what_is_guaranteed(plan):
    steps, whole = plan("""
        [lastcall]
        grace = 30s
        reserve = 2s
        announce = 2s..9s
        [service a]
        command = x
        stop-timeout = 3s
        [service b]
        command = x
        stop-timeout = 9s
        guarantee = 4s
        after = a
        [drain one]
        command = x
        timeout = 5s
        [drain two]
        command = x
        timeout = 5s
        guarantee = 1500ms
        [finish f]
        command = x
        timeout = 5s
        [finish g]
        command = x
        timeout = 5s
        guarantee = 2s
    """)
    assert {n: s["guaranteed_ms"] for n, s in steps.items()} == {
        "announce": 2000, "one": 0, "two": 1500, "b": 4000, "a": 3000, "f": 1000, "g": 2000, "sweep": 200}
    assert (whole["grace_ms"], whole["reserve_ms"]) == (30000, 2000)
    assert whole["steps"][-1]["end_ms"] <= 28000


@pytest.mark.parametrize("grace,reserve", [("30s", 1000), ("10s", 1000), ("5s", 500), ("2s", 200), ("1h", 1000)])
def test_the_reserve(plan, grace, reserve):
    """The smaller of a second and a tenth of the grace."""
    assert plan(f"[lastcall]\ngrace = {grace}\n" + services(1))[1]["reserve_ms"] == reserve


def test_parallel_is_one_stage(plan):
    steps, _ = plan("[lastcall]\ngrace = 30s\norder = parallel\n" + services(4))
    assert len({steps[f"s{i}"]["stage"] for i in range(4)}) == 1


@pytest.mark.parametrize("env,ports,lower,upper", [
    ("KUBERNETES_SERVICE_HOST", "ports = 80", 5000, 15000), ("ECS_CONTAINER_METADATA_URI_V4", "ports = 80", 5000, 15000),
    ("KUBERNETES_SERVICE_HOST", "", 0, 0), ("K_SERVICE", "ports = 80", 0, 0), ("DYNO", "ports = 80", 0, 0), (None, "ports = 80", 0, 0),
    ("KUBERNETES_SERVICE_HOST", "ready = tcp 127.0.0.1:80", 5000, 15000)])
def test_announce_auto(plan, env, ports, lower, upper):
    steps, _ = plan(f"[lastcall]\ngrace = 30s\n[service a]\ncommand = x\n{ports}\n", {env: "x"} if env else {})
    got = steps.get("announce", {"guaranteed_ms": 0, "wrote_ms": 0})
    assert got["guaranteed_ms"] == lower and (got["wrote_ms"] or 0) == upper


def test_it_all_fits_in_whatever_is_written(plan):
    """The worst case ends before the reserve, however long the timeouts."""
    text = "[lastcall]\ngrace = 10s\n" + services(20, "stop-timeout = 400ms")
    text += "".join(f"[drain d{i}]\ncommand = x\ntimeout = 1h\n" for i in range(20))
    assert plan(text)[1]["worst_ms"] <= 9000


@pytest.mark.parametrize("grace,late", [("3s", "0s"), ("13s", "10s"), ("60s", "57s")])
def test_a_stop_ends_within_the_grace_however_late(app, grace, late):
    """Everything is deaf, and a part of the grace is gone already."""
    run = app(f"""
        [lastcall]
        grace = {grace}
        [service a]
        command = @svc a deaf=1
        [service b]
        command = @svc b deaf=1
        after = a
        [drain d]
        command = @svc d deaf=1
        [finish f]
        command = @svc f deaf=1
    """).ready()
    begun = time.monotonic()
    client = run.popen(run.box.binary, "prestop", "--late", late)
    wait_for(lambda: run.status()["state"] != "running")
    run.signal(SIGTERM)
    assert run.wait() == 124
    assert run.exited_at - begun < 3 + LATE
    client.communicate(timeout=BOUND)


def test_a_deadline_never_moves_later(app):
    """As seen in /status, all through a stop."""
    run = app("""
        [lastcall]
        grace = 8s
        [service a]
        command = @svc a deaf=1
        [service b]
        command = @svc b work=1500
        after = a
        [drain d]
        command = @say d 1500
        timeout = 4s
    """).ready()
    run.signal(SIGTERM)
    seen = {}

    def look():
        stop = run.status().get("stop")
        for s in (stop or {"steps": []})["steps"]:
            if s["state"] == "running":
                seen.setdefault(s["name"], []).append(s["deadline_ms"])
        return run.code is not None
    wait_for(look)
    assert set(seen) >= {"a", "b", "d"}
    for name, deadlines in seen.items():
        assert deadlines == sorted(deadlines, reverse=True), name
        assert max(deadlines) <= 7200, name
    assert run.code == 124


# ---- the signals key ----

def with_signals(app, value, **more):
    return app(f"""
        [lastcall]
        grace = 6s
        signals = {value}
        [service web]
        command = @svc web
        main = yes
        reload-signal = USR2
        [drain d]
        command = @say d
        timeout = 2s
    """, **more).ready()


def test_signals_stop_and_hurry(app):
    run = with_signals(app, "USR1 stop")
    assert run.stop(10) == 0
    run.happened("d begin", "web SIGNAL 15")
    assert not run.find("web SIGNAL 10")


def test_signals_hurry(app):
    run = with_signals(app, "USR1 hurry")
    assert run.stop(10) == 0
    assert run.find("web SIGNAL 15") and not run.find("d begin")


@pytest.mark.parametrize("value,sent,got", [("TERM forward", 15, 15), ("HUP USR1", 1, 10), ("HUP reload", 1, 12),
                                            ("QUIT forward, HUP USR1", 1, 10), ("RTMIN+5 HUP", 39, 1)])
def test_signals_elsewhere(app, value, sent, got):
    run = with_signals(app, value)
    run.signal(sent)
    run.wait_event(f"web SIGNAL {got}")
    assert got == 15 or not run.find(f"web SIGNAL {sent}") or sent == got
    if got != 15:                              # TERM ends the program by itself
        assert run.stop(SIGINT) == 0
        assert run.find("d begin")
    else:
        assert run.wait() == 0
        assert not run.find("d begin")         # main's own exit was the cause


def test_signals_ignore(app):
    run = with_signals(app, "USR1 ignore, QUIT ignore")
    run.signal(10)
    run.signal(SIGQUIT)
    run.signal(12)
    run.wait_event("web SIGNAL 12")
    assert run.status()["state"] == "running"
    assert run.stop() == 0
    assert not run.find("web SIGNAL 10") and not run.find("web SIGNAL 3")


@pytest.mark.parametrize("value", ["x", "HUP", "HUP jump", "KILL stop", "65 stop"])
def test_bad_signals(refused, value):
    assert "app.ini:2: error" in refused(f"[lastcall]\nsignals = {value}\n[service a]\ncommand = @svc a\n")


# ---- options that are about main, with a configuration ----

def test_options_about_main(app, cfg_prog):
    """--ready, --stop-signal, --expect-exit, --announce, beside a file, for the command that is main."""
    run = app("[service z]\ncommand = @svc z\n", "--ready", "tcp 127.0.0.1:8081 every 50ms",
              "--stop-signal", "USR1", "--expect-exit", "9", "--announce", "300ms",
              after=[cfg_prog, "svc", "prog", "delay=200", "listen=8081", "on=10:9"]).ready()
    begun = time.monotonic()
    run.wait_event("prog start")
    assert run.stop() == 0
    assert run.find("prog SIGNAL 10") and not run.find("prog SIGNAL 15")
    assert run.exited_at - begun >= 0.295


def test_rewrite_with_a_configuration(app):
    run = app("[service web]\ncommand = @svc web\nmain = yes\n", "--rewrite", "HUP:USR1").ready()
    run.signal(1)
    run.wait_event("web SIGNAL 10")
    assert run.stop() == 0
