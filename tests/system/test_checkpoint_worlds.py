"""Checkpoints where the world is poor, and where much happens at once."""
import os
import signal
import time

from kept import *
from lc import SANITIZED, read, steps, wait_for

SAVE = """
command = sh -c "@say save; cp @W/state $LASTCALL_CHECKPOINT_DIR"
timeout = 3s
"""
RESTORE = 'restore = sh -c "@say restore; cp $LASTCALL_CHECKPOINT_DIR/state @W/back"\n'
SLOW = 'command = sh -c "@say save; while ! test -e @W/go; do sleep 0.02; done; cp @W/state $LASTCALL_CHECKPOINT_DIR"\n'


@pytest.fixture(autouse=True)
def state(workdir):
    path = workdir / "state"
    path.write_text("one\n")
    path.chmod(0o644)
    return path


# ---- poor worlds ----

@pytest.mark.parametrize("world", [
    {"uid": 1234}, {"drop_caps": True, "no_new_privs": True}, {"no_dev": True}, {"run": "missing"},
    pytest.param({"no_proc": True}, marks=pytest.mark.skipif(SANITIZED, reason="a sanitizer reads /proc")),
], ids=lambda world: next(iter(world)))
def test_in_a_poor_world(keeps, store, workdir, world):
    for n in (1, 2):
        run = keeps(SAVE + RESTORE, "--control", workdir / f"sock{n}", ready=False, **world)
        run.wait_event("web start")
        run.wait_line("ready after")
        assert run.stop() == 0
        assert len(store.ids()) == n and store.latest("state") == "one\n", run.err
    assert read(workdir / "back") == "one\n" and run.report()["verdict"] == "clean"


def test_a_store_that_can_only_be_read(keeps, store, workdir):
    assert keeps(SAVE).stop() == 0
    last = store.latest_id()
    mount = ["/bin/sh", "-c", f"mount --bind -o ro {workdir}/store {workdir}/store && exec \"$@\"", "-"]
    run = keeps(SAVE + RESTORE, before=mount)
    assert read(workdir / "back") == "one\n"
    assert take(run).code == 503
    run.wait_line("jobs: checkpoint FAILED: .*read-only")
    assert run.stop() == 0 and run.step("jobs")["state"] == "failed"
    assert store.ids() == [last]


def test_a_store_with_blanks_in_its_name(keeps, workdir):
    path = workdir / "a  b" / "c d"
    for _ in range(2):
        run = keeps('command = cp @W/state ${LASTCALL_CHECKPOINT_DIR}\ntimeout = 3s\n'
                    f'restore = cp ${{LASTCALL_CHECKPOINT_DIR}}/state @W/back\ndir = {path}\n')
        assert run.stop() == 0
    assert len(Store(path).ids()) == 2 and read(workdir / "back") == "one\n"


def test_an_output_of_many_bytes(keeps, store):
    run = keeps("command = head -c 20000000 /dev/zero\nstdout = zeros\ntimeout = 9s\n")
    assert run.stop() == 0
    assert os.stat(store.path / "latest" / "data" / "zeros").st_size == 20000000


def test_what_a_hook_leaves_running_writes_no_more(keeps, store):
    """What it wrote until its end is kept; it is ended before anything is read, even out of its session."""
    run = keeps('command = sh -c "cd $LASTCALL_CHECKPOINT_DIR; echo one >a; setsid sh -c \'while :; do echo >>a; done\' & exit 0"\n'
                "timeout = 3s\nwhen = never\n")
    assert take(run).code == 200
    assert not [p for p in run.programs() if p.comm == "sh"]
    assert store.latest("a").startswith("one\n") and run.stop() == 0


def test_a_store_that_goes_with_the_container_is_told_of(keeps):
    """The second store lies on the tmpfs of the box; one line is enough."""
    said = "it is gone when the container is"
    run = keeps(SAVE, more="[checkpoint b]\ndir = /run/b\n" + SAVE)
    assert take(run, "b").code == 200
    run.wait_line(said)
    assert take(run, "b").code == 200 and run.stop() == 0
    assert run.err.count(said) == 1


# ---- much at once ----

@pytest.mark.parametrize("when", ["never", "after-stop"])
def test_a_stop_lets_one_end_before_it_stops_the_services(keeps, store, workdir, when):
    run = keeps(SLOW + f"timeout = 4s\nwhen = {when}\n", more="[drain d]\ncommand = @say drain\ntimeout = 1s\n")
    assert run.control("POST", "/checkpoint/jobs?wait=no").code == 202
    run.wait_event("save begin")
    run.signal(SIGTERM)
    run.wait_event("drain end")
    assert not run.find("web SIGNAL 15") and run.service("web")["state"] == "up"
    (workdir / "go").touch()
    assert run.wait() == 0
    assert "jobs: checkpoint taken: 000001-" in run.err and len(store.ids()) == (1 if when == "never" else 2)
    assert run.report()["verdict"] == "clean"


def test_a_stop_is_not_late_for_one_that_hangs(keeps, store):
    """web is promised 2 s of the 4 s that there are."""
    run = keeps(SLOW + "timeout = 60s\nwhen = never\n", "--grace", "4s", web="stop-timeout = 2s")
    assert run.control("POST", "/checkpoint/jobs?wait=no").code == 202
    run.wait_event("save begin")
    begun = time.monotonic()
    assert run.stop() == 0
    assert 0.8 <= run.exited_at - begun <= 4 + LATE
    assert store.ids() == [] and "jobs: checkpoint FAILED: ended by SIGTERM" in run.err


def test_hurry_does_not_skip_it(keeps, store):
    run = keeps(SAVE, more="[drain d]\ncommand = @svc drain\ntimeout = 8s\n")
    run.signal(SIGINT)
    run.wait_event("drain start")
    run.signal(SIGINT)
    assert run.wait() == 0 and len(store.ids()) == 1


def test_kill_now_kills_it(keeps, store, workdir):
    assert keeps(SAVE).stop() == 0
    run = keeps(SLOW + "timeout = 9s\n")
    for n in range(3):
        run.signal(SIGINT)
        run.wait_line(f"({'|'.join(['SIGINT', 'hurry|now', 'KILL'][:n + 1])})")
    run.wait()
    assert len(store.ids()) == 1 and store.latest("state") == "one\n"


def test_none_on_demand_while_it_stops(keeps, store, workdir):
    run = keeps(SAVE + "when = never\n", more='[drain d]\ncommand = sh -c "while ! test -e @W/go; do sleep 0.02; done"\ntimeout = 9s\n')
    run.signal(SIGTERM)
    run.wait_state("stopping")
    assert take(run).code == 409
    (workdir / "go").touch()
    assert run.wait() == 0 and store.ids() == []


def test_one_while_it_is_drained(keeps, store):
    run = keeps(SAVE)
    assert run.verb("drain").code == 0
    assert take(run).code == 200
    assert run.verb("resume").code == 0 and run.stop() == 0
    assert len(store.ids()) == 2


def test_once_by_a_prestop_and_its_stop(keeps, store):
    run = keeps(SAVE)
    assert run.verb("prestop").code == 0
    assert run.stop() == 0 and len(store.ids()) == 1


def test_not_of_the_container_when_main_has_ended(keeps, store):
    run = keeps(SAVE, web="success-exit = 15", more="[checkpoint after]\nwhen = after-stop\n" + SAVE.replace("say save", "say after"))
    os.kill(run.pid_of("web"), signal.SIGTERM)
    assert run.wait() == 0
    assert not run.find("save begin") and run.find("after begin"), "what stays behind is there still"


def test_a_guard_that_is_killed_takes_its_hook_along(keeps, store):
    run = keeps(SLOW + "timeout = 9s\nwhen = never\n")
    assert run.control("POST", "/checkpoint/jobs?wait=no").code == 202
    run.wait_event("save begin")
    guard = next(p for p in run.helpers() if p.comm == "lastcall-guard")
    os.kill(guard.pid, signal.SIGKILL)
    run.wait_line("jobs: checkpoint FAILED: ended by SIGKILL")
    wait_for(lambda: not [p for p in run.programs() if p.comm in ("sh", "sleep")])
    assert run.stop() == 0 and store.ids() == []


def test_restores_of_several_run_at_once_and_all_are_waited_for(keeps, store, workdir):
    assert keeps(SAVE, more="[checkpoint b]\n" + SAVE).stop() == 0
    hook = 'restore = sh -c "@say {0}; while ! test -e @W/go-{0}; do sleep 0.02; done"\n'
    run = keeps(SAVE + "for = web\n" + hook.format("one"), more="[checkpoint b]\nfor = web\n" + SAVE + hook.format("two"), ready=False)
    run.wait_event("one begin")
    run.wait_event("two begin")
    (workdir / "go-two").touch()
    wait_for(lambda: {c["name"]: c["state"] for c in run.status()["checkpoints"]} == {"jobs": "restoring", "b": "idle"},
             what=lambda: f"{run.status()} {run.describe()}")
    assert not run.find("web start")
    (workdir / "go-one").touch()
    run.ready()
    assert run.stop() == 0


def test_a_schedule_goes_on_after_failures(keeps, store, workdir):
    run = keeps('command = sh -c "@say save; test -e @W/go && cp @W/state $LASTCALL_CHECKPOINT_DIR"\ntimeout = 3s\nevery = 1s\nwhen = never\n')
    run.wait_line("jobs: checkpoint FAILED: exited 1")
    run.wait_event("save begin", 2)
    (workdir / "go").touch()
    wait_for(store.ids)
    assert run.stop() == 0


def test_a_restore_writes_the_position_from_which_a_worker_goes_on(keeps, workdir, store):
    """A program that counts; each container goes on where the one before was stopped."""
    (workdir / "count").write_text('#!/bin/sh\nn=$(cat "$1" 2>/dev/null || echo 0)\ntrap \'exit 0\' TERM\n'
                                   'while :; do n=$((n + 1)); echo $n >"$1.new"; mv "$1.new" "$1"; sleep 0.01; done\n')
    (workdir / "count").chmod(0o755)
    reached = 0
    for n in range(3):
        position = workdir / f"position{n}"
        run = keeps(f"for = counter\nwhen = after-stop\ntimeout = 3s\ncommand = cp {position} ${{LASTCALL_CHECKPOINT_DIR}}/position\n"
                    f'restore = sh -c "cp $LASTCALL_CHECKPOINT_DIR/position {position}.tmp && mv {position}.tmp {position}"\n'
                    f"restore-if-missing = {position}\n", more=f"[service counter]\ncommand = @W/count {position}\n")
        wait_for(lambda: int(read(position) or 0) >= reached + 10)
        assert int(read(position)) >= reached + 10 and run.stop() == 0
        last = int(read(position))
        assert last > reached and store.latest("position") == f"{last}\n", "not one count is lost"
        reached = last
