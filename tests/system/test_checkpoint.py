"""Checkpoints that are taken: at a stop, by schedule and on demand; what becomes of bad ones."""
import json
import os
import signal
import subprocess
import time

from kept import *
import lc
from lc import read, steps, wait_for, wait_for_text

SAVE = """
command = sh -c "@say save; cp @W/state $LASTCALL_CHECKPOINT_DIR"
timeout = 3s
"""


@pytest.fixture(autouse=True)
def state(workdir):
    """What the hooks save."""
    path = workdir / "state"
    path.write_text("one\n")
    return path


# ---- at a stop ----

def test_before_the_services_are_stopped(keeps, store, both):
    run = keeps(SAVE, mode=both)
    assert run.stop() == 0
    run.happened("save begin", "save end", "web SIGNAL 15", "web end 0")
    step = run.step("jobs")
    assert (step["phase"], step["state"], step["exit"]) == ("save", "done", 0)
    assert store.ids() == [store.latest_id()] == [run.report()["checkpoint"]]
    assert store.latest("state") == "one\n" and not store.leftovers()
    assert f"taken: {store.latest_id()} (1 file, 4 bytes)" in run.err
    assert run.report()["verdict"] == "clean"


def test_after_the_services_have_been_stopped(keeps, store, both):
    run = keeps(SAVE + "when = after-stop\n", mode=both)
    assert run.stop() == 0
    run.happened("web SIGNAL 15", "web end 0", "save begin")
    assert run.step("jobs")["phase"] == "settle" and store.latest("state") == "one\n"
    assert run.report()["checkpoint"] == store.latest_id()


def test_never_is_not_at_a_stop(keeps, store):
    run = keeps(SAVE + "when = never\n")
    assert run.stop() == 0
    assert not run.find("save begin") and not steps(run.report(), name="jobs")
    assert store.ids() == [] and run.report()["checkpoint"] is None


def test_behind_the_drains_and_before_the_finishes(keeps):
    run = keeps(SAVE, more="[drain d]\ncommand = @say drain\ntimeout = 2s\n[finish f]\ncommand = @say finish\n")
    assert run.stop() == 0
    run.happened("drain end", "save begin", "save end", "web SIGNAL 15", "web end 0", "finish begin")


def test_all_at_the_same_time_unless_one_comes_after(keeps, workdir):
    """Neither of the first two ends before the other has begun."""
    hook = 'command = sh -c "@say {0}; date >$LASTCALL_CHECKPOINT_DIR/x; : >@W/{0}; until test -e @W/{1}; do sleep 0.02; done; @say {0}-over"\n' \
           "timeout = 6s\n"
    run = keeps(hook.format("a", "b"), head="grace = 20s",
                more="[checkpoint b]\n" + hook.format("b", "a") + "[checkpoint c]\nafter = b\n" + hook.format("c", "b"))
    assert run.stop() == 0
    run.happened("b-over end", "c begin")
    assert all(run.step(name)["state"] == "done" for name in ("jobs", "b", "c"))
    assert [len(os.listdir(workdir / "store" / name)) >= 2 for name in ("jobs", "b", "c")] == [True] * 3


def test_not_when_main_has_ended(keeps, store):
    run = keeps(SAVE + "for = web\n", web="success-exit = 3")
    run.run("kill", "-TERM", str(run.pid_inside("web")))
    assert run.wait() == 0
    assert not run.find("save begin") and store.ids() == []


def test_not_of_a_service_that_is_gone(keeps, store):
    run = keeps(SAVE + "for = side\n", more="[service side]\ncommand = @svc side life=100\nessential = no\nrestart = no\n", ready=False)
    run.wait_event("side end")
    run.wait_service("side", state="down")
    assert run.stop() == 0
    assert run.step("jobs")["state"] == "skipped" and store.ids() == []


def test_what_a_hook_is_told(keeps, store):
    run = keeps('command = sh -c "@show save LASTCALL_CAUSE LASTCALL_STEP LASTCALL_LEFT_MS LASTCALL_MAIN_PID LASTCALL_CHECKPOINT_DIR '
                'LASTCALL_LAST_VERDICT; echo >$LASTCALL_CHECKPOINT_DIR/x"\ntimeout = 3s\ncwd = /usr\nenv = A=b\n')
    assert run.stop() == 0
    said = dict(e.split(" ", 1)[1].split("=", 1) for e in run.events() if e.startswith("save ") and "=" in e)
    assert said["LASTCALL_CAUSE"] == "SIGTERM" and said["LASTCALL_STEP"] == "jobs"
    assert int(said["LASTCALL_MAIN_PID"]) == run.pid_inside("web") and 0 < int(said["LASTCALL_LEFT_MS"]) <= 3000
    assert said["LASTCALL_CHECKPOINT_DIR"].startswith(str(store.path)) and "LASTCALL_LAST_VERDICT" not in said


def test_the_manifest_says_what_there_is(keeps, store, state):
    run = keeps('command = sh -c "cd $LASTCALL_CHECKPOINT_DIR && cp @W/state a && mkdir d && ln -s ../a d/link"\ntimeout = 3s\n')
    assert run.stop() == 0
    manifest = store.manifest()
    assert manifest["name"] == "jobs" and manifest["id"] == store.latest_id() and manifest["cause"] == "SIGTERM"
    assert {"time", "host", "lastcall"} <= manifest.keys()
    text = json.dumps(manifest)
    assert subprocess.run(["sha256sum", state], capture_output=True, text=True).stdout.split()[0] in text


def test_the_directory_is_private(keeps, store):
    run = keeps(SAVE)
    assert run.stop() == 0
    assert oct(os.stat(store.path).st_mode & 0o777) == "0o700"
    assert os.stat(store.path / store.latest_id()).st_mode & 0o077 == 0


def test_what_the_command_prints_becomes_a_file(keeps, store):
    run = keeps('command = sh -c "echo savepoint-7; echo aside >&2"\nstdout = path\ntimeout = 3s\n')
    assert run.stop() == 0
    assert store.latest("path") == "savepoint-7\n" and "savepoint-7" not in run.out and "aside" in run.err


@pytest.mark.parametrize("why, head, lines", [
    ("request", "", ""), ("signal", "signals = USR2 checkpoint", ""), ("schedule", "", "every = 1s\n"),
])
def test_what_a_hook_is_told_without_a_stop(keeps, store, why, head, lines):
    run = keeps('command = sh -c "@show save LASTCALL_CAUSE LASTCALL_LEFT_MS LASTCALL_STEP; echo >$LASTCALL_CHECKPOINT_DIR/x"\n'
                "timeout = 3s\nwhen = never\n" + lines, head=head)
    if why == "request":
        assert take(run).code == 200
    elif why == "signal":
        run.signal(signal.SIGUSR2)
    run.wait_event("save shown")
    said = dict(e.split(" ", 1)[1].split("=", 1) for e in run.find("save") if "=" in e)
    assert said["LASTCALL_CAUSE"] == why and said["LASTCALL_STEP"] == "jobs" and 1000 < int(said["LASTCALL_LEFT_MS"]) <= 3000
    run.wait_line("jobs: checkpoint taken: ")
    assert store.manifest()["cause"] == why
    assert run.stop() == 0


# ---- by schedule ----

@pytest.mark.limit(90)
def test_every_so_often_and_the_oldest_go(keeps, store, state):
    run = keeps(SAVE + "when = never\nevery = 1s\nkeep = 2\n")
    for n in range(4):
        state.write_text(f"{n}\n")
        wait_for(lambda: store.ids() and store.latest("state") == f"{n}\n", what=store.names)
    wait_for(lambda: len(store.ids()) == 2 and not store.leftovers(), what=store.names)
    assert int(store.latest_id().split("-")[0]) >= 4
    run.wait_line(r"jobs: checkpoint taken: ")
    assert run.stop() == 0
    assert store.of(1, "state") == "3\n"


def test_a_schedule_never_overlaps(keeps, store):
    run = keeps('command = sh -c "@say save 1400; date >$LASTCALL_CHECKPOINT_DIR/x"\ntimeout = 5s\nevery = 1s\n')
    run.wait_event("save end", 2)
    run.wait_line("the checkpoint before is still at work; none now")
    assert run.stop() == 0
    said = [e.split()[1] for e in run.find("save")]
    assert said == ["begin", "end"] * (len(said) // 2), said


def test_a_scheduled_one_ends_before_that_of_the_stop_begins(keeps, store, workdir):
    run = keeps('command = sh -c "@say save; until test -e @W/go; do sleep 0.02; done; @say over; date >$LASTCALL_CHECKPOINT_DIR/x"\n'
                "timeout = 8s\nevery = 1s\n")
    run.wait_event("save begin")
    run.signal(SIGTERM)
    run.wait_line("jobs +waits for the one before to end")
    (workdir / "go").touch()
    assert run.wait() == 0
    run.happened("save begin", "over end", "save begin", "over end", "web SIGNAL 15")
    assert len(store.ids()) == 2 and run.step("jobs")["state"] == "done"
    assert re.search(r"jobs +waits for the one before to end$", run.err, re.M) and "failed" not in run.err


# ---- on demand ----

def test_by_a_request(keeps, store):
    run = keeps(SAVE + "when = never\n", head="http = :9180")
    done = take(run)
    assert done.code == 200 and done.body == f"jobs: taken: {store.latest_id()}\n", done
    assert store.latest("state") == "one\n"
    assert run.control("POST", "/checkpoint/").code == 200 and len(store.ids()) == 2, "all that there are"
    assert take(run, "other").code == 404
    assert run.control("GET", "/checkpoint/jobs").code == 405
    assert run.http("POST", "/checkpoint/jobs").code in (404, 405), "the port can only be read"
    assert run.stop() == 0 and len(store.ids()) == 2


def test_by_a_request_that_does_not_wait(keeps, store, workdir):
    run = keeps('command = sh -c "while ! test -e @W/go; do sleep 0.02; done; date >$LASTCALL_CHECKPOINT_DIR/x"\ntimeout = 9s\nwhen = never\n')
    assert run.control("POST", "/checkpoint/jobs?wait=no").code == 202
    wait_for(lambda: run.status()["checkpoints"][0]["state"] == "saving")
    assert take(run).code == 423, "one at a time"
    (workdir / "go").touch()
    wait_for(store.ids)
    assert run.stop() == 0 and len(store.ids()) == 1


def test_by_a_request_that_fails(keeps, store):
    run = keeps("command = sh -c 'exit 3'\ntimeout = 3s\nwhen = never\n")
    done = take(run)
    assert done.code == 503 and "jobs" in done.body, done
    run.wait_line("jobs: checkpoint FAILED: exited 3")
    assert store.ids() == [] and run.stop() == 0


def test_a_request_for_all_tells_of_those_that_it_began(keeps):
    """The other has failed, and now cannot be taken: its service was stopped."""
    run = keeps(SAVE + "when = never\n", more="[service side]\ncommand = @svc side\nessential = no\n[checkpoint bad]\n"
                "for = side\ncommand = false\ntimeout = 2s\nwhen = never\n")
    assert take(run, "bad").code == 503
    assert run.control("POST", "/stop/side").code == 200
    done = run.control("POST", "/checkpoint/")
    assert done.code == 200 and done.body.startswith("jobs: taken: ") and "bad" not in done.body, done
    assert run.stop() == 0


def test_one_on_demand_knows_its_time(keeps):
    run = keeps("command = sh -c '@show save LASTCALL_LEFT_MS; date >$LASTCALL_CHECKPOINT_DIR/x'\ntimeout = 3s\nwhen = never\n")
    assert take(run).code == 200
    [left] = wait_for(lambda: [e for e in run.events() if e.startswith("save LASTCALL_LEFT_MS=")])
    assert 0 < int(left.split("=")[1]) <= 3000
    assert run.stop() == 0


def test_by_a_signal(keeps, store):
    run = keeps(SAVE + "when = never\n", head="signals = USR2 checkpoint")
    run.signal(signal.SIGUSR2)
    wait_for(store.ids)
    run.wait_line("jobs: checkpoint taken: ")
    assert run.stop() == 0 and not run.find("web SIGNAL 12")


def test_what_the_status_says(keeps, store):
    run = keeps(SAVE + "when = never\n")
    entry = lambda: run.status()["checkpoints"][0]
    assert entry()["name"] == "jobs" and entry()["latest"] is None
    assert take(run).code == 200
    assert wait_for(lambda: entry()["latest"] or None) == store.latest_id()
    assert run.stop() == 0


# ---- bad ones ----

BAD = {
    "fails": ("sh -c 'echo >$LASTCALL_CHECKPOINT_DIR/x; exit 3'", "failed", "exited 3"),
    "dies": ("sh -c 'echo >$LASTCALL_CHECKPOINT_DIR/x; kill -9 $$'", "failed", "ended by SIGKILL"),
    "is not there": ("/no/such/program", "failed", "No such file|cannot"),
    "leaves nothing": ("true", "failed", "left nothing"),
    "runs for ever": ("sh -c 'echo >$LASTCALL_CHECKPOINT_DIR/x; exec sleep 1000'", "timeout", ""),
    "is deaf": ("sh -c 'trap \"\" TERM; echo >$LASTCALL_CHECKPOINT_DIR/x; while :; do sleep 1; done'", "timeout", ""),
    "removes its directory": ("sh -c 'rmdir $LASTCALL_CHECKPOINT_DIR'", "failed", ""),
    "leaves a socket": ("python3 -c \"import os, socket; os.chdir(os.environ['LASTCALL_CHECKPOINT_DIR']); "
                        "socket.socket(socket.AF_UNIX).bind('s')\"", "failed", "no file, directory or link"),
    "leaves a pipe": ("sh -c 'mkfifo $LASTCALL_CHECKPOINT_DIR/p'", "failed", "no file, directory or link"),
    "mounts": ("sh -c 'cd $LASTCALL_CHECKPOINT_DIR && mkdir m && mount -t tmpfs none m'", "failed", "m: on another file system"),
    "links away": ("ln -s /etc ${LASTCALL_CHECKPOINT_DIR}/l", "failed", "no file, directory or link"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_one_replaces_no_good_one(keeps, store, what):
    command, state, says = BAD[what]
    assert keeps(SAVE).stop() == 0
    good = store.latest_id()
    run = keeps(f"command = {command}\ntimeout = {1 if state == 'timeout' else 6}s\n")
    assert run.stop() == 0, "a checkpoint that is not required changes no exit code"
    assert run.step("jobs")["state"] == state, run.err
    assert re.search(says, "".join(line for _, line in run.lines() if "jobs" in line)), run.err
    assert store.ids() == [good] == [store.latest_id()] and store.latest("state") == "one\n"
    assert run.report()["checkpoint"] is None and run.report()["verdict"] in ("degraded", "forced")
    run = keeps(SAVE)
    assert run.stop() == 0
    assert len(store.ids()) == 2 and not store.leftovers(), "what was left over is removed"


def test_one_that_is_required_and_hangs(keeps):
    run = keeps("command = sh -c 'trap \"\" TERM; while :; do sleep 1; done'\ntimeout = 500ms\nrequired = yes\n")
    assert run.stop() == 124
    assert run.step("jobs")["state"] == "timeout"


def test_one_that_leaves_a_daemon_behind(keeps, store):
    """Its output stays open and its group alive: the checkpoint is what the command made until it exited."""
    run = keeps('command = sh -c "echo x >$LASTCALL_CHECKPOINT_DIR/x; sleep 1000 & setsid sleep 1000 &"\nstdout = out\ntimeout = 2s\n')
    begun = time.monotonic()
    assert run.stop() == 0
    assert time.monotonic() - begun < 9 and len(store.ids()) == 1 and run.step("jobs")["state"] == "done"


def test_a_full_disk(start, keeps, store, workdir):
    """A file system of its own that holds one checkpoint and half of the next."""
    (workdir / "store").mkdir()
    mount = ["/bin/sh", "-c", f"mount -t tmpfs -o size=1m none {workdir}/store && exec \"$@\"", "-"]
    run = keeps('command = sh -c "head -c 600000 /dev/urandom >$LASTCALL_CHECKPOINT_DIR/x"\ntimeout = 5s\nwhen = never\n', before=mount)
    assert take(run).code == 200
    inside = Store(run.path(store.path))
    good = inside.latest_id()
    for _ in range(2):
        assert take(run).code == 503
        run.wait_line("jobs: checkpoint FAILED: exited 1")
        wait_for(lambda: not inside.leftovers(), what=inside.names)
    assert inside.ids() == [good] and len(inside.latest("x").encode()) > 0
    assert run.stop() == 0


def test_a_store_that_cannot_be_written(keeps, workdir):
    (workdir / "store").write_text("a file")
    run = keeps(SAVE)
    assert run.stop() == 0
    assert run.step("jobs")["state"] == "failed"
    run.wait_line("cannot open the store: .*not a directory")


# ---- two lastcalls, one directory ----

@pytest.fixture
def held(registry, store):
    """held(): a process that holds the store's lock until its stdin ends."""
    def hold():
        child = subprocess.Popen(["flock", store.path / "lock", "sh", "-c", "echo held; read x"], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, env={**os.environ, lc.MARK: registry.test_id}, text=True)
        registry.popens.append(child)
        assert child.stdout.readline() == "held\n"
        return child
    return hold


def test_another_ones_lock_is_waited_for(keeps, store, held):
    assert keeps(SAVE).stop() == 0
    holder = held()
    run = keeps(SAVE + "when = never\n")
    assert run.control("POST", "/checkpoint/jobs?wait=no").code == 202
    wait_for(lambda: run.status()["checkpoints"][0]["state"] == "saving")
    assert not run.find("save begin"), "the hook does not run while another one writes"
    holder.stdin.close()
    wait_for(lambda: len(store.ids()) == 2)
    assert run.stop() == 0


def test_a_lock_that_never_comes_free(keeps, store, held):
    assert keeps(SAVE).stop() == 0
    holder = held()
    run = keeps("command = true\ntimeout = 3s\n")
    assert run.stop() == 0
    assert run.step("jobs")["state"] == "timeout" and len(store.ids()) == 1
    assert "another lastcall writes to this store" in run.err
    holder.stdin.close()


@pytest.mark.limit(120)
def test_two_that_write_to_one_store(keeps, store, state):
    """Each takes one a second; nothing is lost, nothing is damaged, and the numbers rise."""
    hook = 'command = sh -c "@say save 200; cp @W/state $LASTCALL_CHECKPOINT_DIR; cp @W/state $LASTCALL_CHECKPOINT_DIR/b"\ntimeout = 5s\n'
    runs = [keeps(hook + "every = 1s\nkeep = 100\n") for _ in range(2)]
    for run in runs:
        run.wait_event("save end", 3)
    assert [run.stop() for run in runs] == [0, 0]
    ids = store.ids()
    assert len(ids) == sum(len(run.find("save end")) for run in runs) and not store.leftovers()
    assert [int(i.split("-")[0]) for i in ids] == list(range(1, len(ids) + 1)) and store.latest_id() == ids[-1]
    spans = sorted((a.ms, b.ms) for run in runs for a, b in zip(run.find("save begin"), run.find("save end")))
    assert all(first[1] <= second[0] for first, second in zip(spans, spans[1:])), "never at the same time"
