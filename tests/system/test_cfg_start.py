"""Starting a configuration: order, what ready means, oneshots, programs that cannot start, a stop in mid-start."""
import os
import re
import time
from pathlib import Path

import pytest

from cfg import *
from lc import wait_for

READY = {
    "http": ("@svc a delay=300 http=8081", "http http://127.0.0.1:8081/x every 50ms timeout 1s"),
    "tcp": ("@svc a delay=300 listen=8081", "tcp 127.0.0.1:8081 every 50ms"),
    "exec": ("@svc a delay=300 touch=@W/there", "exec test -e @W/there every 50ms"),
    "notify": ("@svc a delay=300 notify=READY=1", "notify"),
    "notify-status": ("@svc a delay=300 notify=STATUS=fine\\\\nREADY=1\\\\n", "notify"),
    "fd": ("@svc a delay=300 fd=3", "fd 3"),
    "fd-far": ("@svc a delay=300 fd=17", "fd 17"),
    "file": ("@svc a delay=300 touch=@W/there", "file @W/there every 50ms"),
    "delay": ("@svc a", "delay 300ms"),
}


@pytest.mark.parametrize("kind", READY)
def test_the_next_waits_until_it_is_ready(app, both, kind):
    command, check = READY[kind]
    run = app(f"""
        [service b]
        command = @svc b
        after = a
        [service a]
        command = {command}
        ready = {check}
    """, mode=both).ready()
    run.wait_event("b start")
    since = run.at("a start") if kind != "delay" else run.started_at * 1000     # a may say "start" late
    assert run.at("b start") - since >= 295
    assert [s["ready"] for s in run.status()["services"]] == [True, True]
    assert run.stop() == 0


@pytest.mark.parametrize("kind", READY)
def test_not_ready_before_it_is(app, kind):
    """The check has not passed: not ready, the next has not started, /readyz and /startupz are 503."""
    command, check = READY[kind]
    run = app(f"""
        [lastcall]
        http = :9180
        [service a]
        command = {command.replace("delay=300", "delay=600000")}
        ready = {check.replace("300ms", "10m")}
        [service b]
        command = @svc b
        after = a
    """)
    run.wait_event("a start")
    wait_for(lambda: run.http("GET", "/readyz").code == 503)
    assert run.http("GET", "/startupz").code == 503
    assert run.http("GET", "/livez").code == 200
    assert run.status()["ready"] is False
    assert run.status()["state"] == "starting"
    assert not run.find("b start")
    assert run.stop() == 0
    assert not run.find("b start")


@pytest.mark.parametrize("code,ready", [(200, True), (204, True), (399, True), (400, False), (503, False), (199, False)])
def test_which_codes_are_success(app, workdir, code, ready):
    (workdir / "code").write_text(str(code))
    run = app("""
        [service a]
        command = @svc a http=8081 code=@W/code
        ready = http http://127.0.0.1:8081/ every 50ms timeout 2s
        [service b]
        command = @svc b
        after = a
    """)
    if ready:
        run.wait_event("b start")
    else:
        run.wait_event("a start")
        at = time.monotonic()
        wait_for(lambda: time.monotonic() - at > 0.4 and run.status()["state"] == "starting")
        assert not run.find("b start")
        (workdir / "code").write_text("200")
        run.wait_event("b start")
    assert run.stop() == 0


def test_readiness_follows_the_check(app, workdir):
    """failures in a row turn it off, successes in a row on again; nothing is restarted."""
    (workdir / "there").touch()
    run = app("""
        [lastcall]
        http = :9180
        [service a]
        command = @svc a
        ready = file @W/there every 50ms failures 2 successes 2
    """).ready()
    for _ in range(2):
        (workdir / "there").unlink()
        wait_for(lambda: run.http("GET", "/readyz").code == 503)
        assert "a" in run.http("GET", "/readyz").body
        assert run.http("GET", "/startupz").code == 200
        (workdir / "there").touch()
        wait_for(lambda: run.http("GET", "/readyz").code == 200)
    assert run.service("a")["restarts"] == 0
    assert run.stop() == 0
    assert len(run.find("a start")) == 1


def test_a_check_of_a_hung_program_times_out(app, workdir):
    """The exec check hangs until the file is there: each try ends at its timeout, and leaves nothing."""
    run = app("""
        [service a]
        command = @svc a
        ready = exec sh -c "test -e @W/there || exec sleep 1000" every 50ms timeout 200ms
    """)
    run.wait_event("a start")
    wait_for(lambda: any(p.comm == "sleep" for p in run.programs()))
    wait_for(lambda: not any(p.comm == "sleep" for p in run.programs()))
    (workdir / "there").touch()
    run.ready()
    assert run.stop() == 0


def test_a_diamond_starts_and_stops_by_level(app, both):
    run = app("""
        [service top]
        command = @svc top
        after = left, right
        main = yes
        [service left]
        command = @svc left
        after = base
        ready = delay 50ms
        [service right]
        command = @svc right
        after = base
        ready = delay 50ms
        [service base]
        command = @svc base
        ready = delay 50ms
    """, mode=both).ready()
    run.wait_event("top start")
    assert run.stop() == 0
    for side in ("left", "right"):
        run.happened("base start", f"{side} start", "top start", "top SIGNAL 15", "top end 0", f"{side} SIGNAL 15",
                     f"{side} end 0", "base SIGNAL 15", "base end 0")


def test_a_oneshot_is_ready_once_it_has_exited_0(app, both):
    run = app("""
        [service migrate]
        type = oneshot
        command = @say migrate 200
        [service web]
        command = @svc web
        after = migrate
    """, mode=both).ready()
    run.wait_event("web start")
    run.happened("migrate begin", "migrate end", "web start")
    assert run.service("migrate")["exit"] == 0
    assert run.service("migrate")["pid"] in (0, None)
    assert run.stop() == 0


def test_a_failed_oneshot_ends_it_all(app, both):
    """Its failure for good is an essential service's end: its code, and what waits for it never starts."""
    run = app("""
        [service migrate]
        type = oneshot
        command = @say migrate 0 9
        [service web]
        command = @svc web
        after = migrate
        [service other]
        command = @svc other
    """, mode=both)
    assert run.wait() == 9
    assert not run.find("web start")
    assert "migrate" in run.err


def test_a_oneshot_may_be_tried_again(app):
    run = app("""
        [service migrate]
        type = oneshot
        command = @nth 3
        restart = on-failure
        restart-delay = 10ms..50ms
        [service web]
        command = @svc web
        after = migrate
    """).ready()
    assert len(run.find("nth try")) == 3
    assert run.stop() == 0


def test_a_failed_oneshot_that_is_not_essential(app):
    run = app("""
        [service cache]
        type = oneshot
        essential = no
        command = @say cache 0 9
        [service web]
        command = @svc web
        main = yes
    """)
    run.wait_event("web start")
    run.wait_service("cache", exit=9)
    assert run.status()["state"] in ("running", "starting")
    assert run.stop() == 0


def test_oneshots_alone_end_it(app, both):
    run = app("""
        [service a]
        type = oneshot
        command = @say a
        [service b]
        type = oneshot
        after = a
        command = @say b
    """, mode=both)
    assert run.wait() == 0
    run.happened("a end", "b begin", "b end")


def test_ready_timeout(app):
    """Never ready: it is stopped and tried again, as if it had failed, until the limit; then it has failed for good."""
    run = app("""
        [service a]
        command = @svc a
        ready = file @W/never every 50ms
        ready-timeout = 1500ms
        restart-delay = 10ms..20ms
        restart-limit = 2 in 1m
    """)
    run.wait()
    starts = run.find("a start")
    assert len(starts) == 3
    assert all(b.ms - a.ms >= 100 for a, b in zip(starts, starts[1:]))
    assert "ready" in run.err


@pytest.mark.parametrize("command,code", [("/nonexistent/program", 127), ("nosuchprogram", 127), ("@W", 126),
                                          ("@W/plain", 126)])
def test_a_program_that_cannot_start(app, workdir, both, command, code):
    """The essential one: its code; said with its name. It is not tried again for ever."""
    (workdir / "plain").write_text("text")
    run = app(f"""
        [service a]
        command = {command}
        main = yes
    """, mode=both)
    assert run.wait() == code
    assert re.search(r"\ba\b", run.err)
    assert Path(command.replace("@W", str(workdir))).name in run.err


def test_a_program_that_cannot_start_in_its_directory(app):
    run = app("""
        [service a]
        command = @svc a
        cwd = /nonexistent
        main = yes
    """)
    assert run.wait() != 0
    assert "/nonexistent" in run.err
    assert not run.find("a start")


def test_dies_in_its_first_millisecond(app, both):
    """Before anything can look at it: seen, restarted with back-off, its limit reached, nothing left."""
    run = app("""
        [service flash]
        command = /bin/false
        restart = always
        restart-delay = 1ms..2ms
        restart-limit = 20 in 1m
    """, mode=both)
    assert run.wait() == 1
    assert "flash" in run.err


def test_dies_in_its_first_millisecond_beside_others(app):
    run = app("""
        [service flash]
        command = /bin/true
        restart = always
        restart-delay = 1ms..5ms
        restart-limit = 1000 in 1s
        [service web]
        command = @svc web
    """)
    run.wait_event("web start")
    wait_for(lambda: run.service("flash").get("restarts", 0) > 50)
    assert run.stop() == 0
    assert len(run.find("web start")) == 1


def fifo(workdir):
    os.mkfifo(workdir / "fifo", 0o666)


def test_a_child_that_hangs_before_exec_stops_nothing(app, workdir):
    """Its env-file is a FIFO without a writer. The others start, signals and requests are answered."""
    fifo(workdir)
    run = app("""
        [lastcall]
        grace = 2s
        http = :9180
        [service stuck]
        command = @svc stuck
        env-file = @W/fifo
        [service web]
        command = @svc web
    """)
    run.wait_event("web start")
    wait_for(lambda: run.http("GET", "/livez").code == 200)
    assert run.http("GET", "/readyz").code == 503
    begun = time.monotonic()
    run.stop()
    assert (run.exited_at - begun) < 2.5 + LATE
    assert run.find("web end 0")
    assert not run.find("stuck start")


def test_a_child_that_hangs_before_exec_goes_on(app, workdir):
    fifo(workdir)
    run = app("""
        [service slow]
        command = @show slow COLOUR
        env-file = @W/fifo
        type = oneshot
        [service web]
        command = @svc web
        after = slow
    """)
    wait_for(lambda: run.status())
    fd = os.open(workdir / "fifo", os.O_WRONLY)
    os.write(fd, b"COLOUR=blue\n")
    os.close(fd)
    run.wait_event("web start")
    run.happened("slow COLOUR=blue", "web start")
    assert run.stop() == 0


@pytest.mark.parametrize("sig", [SIGTERM, SIGINT, SIGQUIT])
def test_a_stop_in_mid_start(app, both, sig):
    """What runs is stopped, what has not started never does."""
    run = app("""
        [service a]
        command = @svc a
        ready = file @W/never every 50ms
        [service b]
        command = @svc b
        after = a
        main = yes
    """, mode=both)
    run.wait_event("a start")
    assert run.stop(sig) == 0
    run.happened("a SIGNAL 15", "a end 0")
    assert not run.find("b start")


def test_a_stop_while_a_oneshot_runs(app):
    run = app("""
        [service migrate]
        type = oneshot
        command = @say migrate 600000
        [service web]
        command = @svc web
        after = migrate
    """)
    run.wait_event("migrate begin")
    run.stop()
    assert not run.find("migrate end") and not run.find("web start")


def test_a_stop_in_the_back_off(app):
    run = app("""
        [service a]
        command = @svc a life=1 exit=3
        restart-delay = 1h..1h
    """)
    run.wait_event("a end 3")
    wait_for(lambda: run.service("a").get("pid") in (0, None))
    begun = time.monotonic()
    run.stop()
    assert run.exited_at - begun < 5
    assert len(run.find("a start")) == 1


@pytest.mark.parametrize("n", range(5))
def test_a_stop_as_early_as_can_be(app, both, n):
    """The TERM comes as soon as the first child is visible; nothing is left, and it ends."""
    run = app("""
        [service a]
        command = @svc a
        [service b]
        command = @svc b
        after = a
        [service c]
        command = @svc c
        after = b
        main = yes
    """, mode=both, kill_when_child=SIGTERM)
    assert run.wait() == 0
    for name in "abc":
        assert len(run.find(f"{name} start")) <= 1
    assert run.report()["verdict"] == "clean"


def test_command_line_and_file(app, both):
    """-c FILE -- COMMAND: the command is the main service; its exit ends it, with its code."""
    run = app("""
        [service helper]
        command = @svc helper
    """, after=["sh", "-c", "until test -e go; do sleep 0.02; done; exit 7"], mode=both)
    run.wait_event("helper start")
    (run.workdir / "go").touch()
    assert run.wait() == 7
    run.happened("helper start", "helper SIGNAL 15", "helper end 0")


def test_command_line_and_file_with_a_stop(app, cfg_prog):
    run = app("""
        [service helper]
        command = @svc helper
    """, after=[cfg_prog, "svc", "prog"]).ready()
    run.wait_event("prog start")
    assert run.stop() == 0
    assert run.find("prog end 0") and run.find("helper end 0")
    assert len(run.find("prog SIGNAL 15")) == 1


def test_command_line_and_a_file_with_a_main_service(refused):
    err = refused("""
        [service web]
        command = @svc web
        main = yes
    """, "--", "sleep", "1")
    assert "main" in err


def test_several_files_and_a_directory(start, conf, workdir):
    (workdir / "d.d").mkdir()
    conf("[service c]\ncommand = @svc c\nafter = b", "d.d/20-c.ini")
    conf("[service b]\ncommand = @svc b\nafter = a", "d.d/10-b.ini")
    conf("nothing that is read", "d.d/10-b.ini.bak")
    one = conf("[service a]\ncommand = @svc a", "one.ini")
    run = App(start("-c", one, "-c", workdir / "d.d"), None, workdir).ready()
    run.wait_event("c start")
    assert run.stop() == 0
    run.happened("c SIGNAL 15", "c end", "b SIGNAL 15", "b end", "a SIGNAL 15", "a end")


def test_the_first_line_says_the_grace_and_where_it_is_from(app):
    run = app("[service a]\ncommand = @svc a")
    run.wait_event("a start")
    run.stop()
    assert re.search(r"10(\.0)? ?s", run.err)


PLATFORMS = {"KUBERNETES_SERVICE_HOST": 30, "ECS_CONTAINER_METADATA_URI_V4": 30, "K_SERVICE": 10, "DYNO": 30,
             "NOMAD_ALLOC_ID": 5, "FLY_APP_NAME": 5, None: 10}


@pytest.mark.parametrize("name", PLATFORMS)
@pytest.mark.parametrize("ini", ["[service a]\ncommand = @svc a", "[lastcall]\ngrace = auto\n[service a]\ncommand = @svc a"],
                         ids=["unset", "auto"])
def test_grace_auto(app, name, ini):
    run = app(ini, env={name: "x"} if name else {}).ready()
    run.stop()
    assert run.report()["grace_ms"] == PLATFORMS[name] * 1000


@pytest.mark.parametrize("args,env,grace", [([], {}, 7000), ([], {"LASTCALL_GRACE": "8s"}, 8000),
                                            (["--grace", "9s"], {"LASTCALL_GRACE": "8s"}, 9000),
                                            (["-g", "1m1s"], {}, 61000), (["--grace=500ms"], {}, 500)])
def test_command_line_over_environment_over_file(app, args, env, grace):
    run = app("[lastcall]\ngrace = 7s\n[service a]\ncommand = @svc a", *args, env=env).ready()
    run.stop()
    assert run.report()["grace_ms"] == grace
