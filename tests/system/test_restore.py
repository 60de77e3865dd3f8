"""Checkpoints that are brought back: when, what the hook is told, and what must never be overwritten."""
import shutil
import time

from kept import *
from lc import SANITIZED, read, steps, wait_for, wait_for_text

SAVE = """
command = sh -c "@say save; cp @W/state $LASTCALL_CHECKPOINT_DIR"
timeout = 3s
"""
RESTORE = 'restore = sh -c "@say restore; cp $LASTCALL_CHECKPOINT_DIR/state @W/back"\n'
BOTH = SAVE + RESTORE


@pytest.fixture(autouse=True)
def state(workdir):
    path = workdir / "state"
    path.write_text("one\n")
    return path


@pytest.fixture
def back(workdir):
    """What the restore brings back."""
    return workdir / "back"


@pytest.fixture
def saved(keeps, store, state):
    """saved(text): takes one more checkpoint of that text; gives its id."""
    def save(text="one\n"):
        state.write_text(text)
        assert keeps(SAVE).stop() == 0
        return store.latest_id()
    return save


# ---- what is brought back ----

def test_the_latest_before_its_service_starts(keeps, saved, back, both):
    saved("old\n")
    last = saved("new\n")
    run = keeps(BOTH, mode=both)
    run.happened("restore begin", "restore end", "web start")
    assert read(back) == "new\n"
    run.wait_line(f"jobs: restored from {last} ")
    assert run.status()["checkpoints"][0]["restored_from"] == last
    assert run.stop() == 0


def test_nothing_where_there_is_none(keeps, back):
    run = keeps(BOTH)
    run.wait_line("jobs: no checkpoint to restore from")
    assert not run.find("restore begin") and run.stop() == 0


def test_the_container_is_ready_only_after_its_restores(keeps, saved, workdir):
    saved()
    run = keeps(SAVE + 'restore = sh -c "@say restore; while ! test -e @W/go; do sleep 0.02; done"\n', head="http = :9180", ready=False)
    run.wait_event("restore begin")
    assert run.http("GET", "/readyz").code == 503 and run.status()["state"] == "starting"
    assert run.status()["checkpoints"][0]["state"] == "restoring"
    assert not run.find("web start")
    (workdir / "go").touch()
    run.ready()
    assert run.stop() == 0


def test_only_its_own_service_waits(keeps, saved, workdir):
    saved()
    run = keeps(SAVE + 'for = web\nrestore = sh -c "@say restore; while ! test -e @W/go; do sleep 0.02; done"\n', ready=False,
                more="[service side]\ncommand = @svc side\n")
    run.wait_event("side start")
    run.wait_event("restore begin")
    assert not run.find("web start")
    (workdir / "go").touch()
    run.ready()
    assert run.stop() == 0


def test_services_wait_for_that_of_the_container(keeps, saved):
    saved()
    run = keeps(BOTH, more="[service side]\ncommand = @svc side\n")
    assert run.at("restore end") <= min(run.at("web start"), run.at("side start"))
    assert run.stop() == 0


def test_what_a_restore_is_told(keeps, saved, store):
    last = saved()
    run = keeps(SAVE + 'restore = @show restore LASTCALL_CHECKPOINT_DIR LASTCALL_CHECKPOINT_ID LASTCALL_LAST_VERDICT LASTCALL_LAST_CAUSE '
                       'LASTCALL_STEP\ncwd = /usr\n')
    said = dict(e.split(" ", 1)[1].split("=", 1) for e in run.find("restore") if "=" in e)
    assert said == {"LASTCALL_CHECKPOINT_DIR": str(store.path / last / "data"), "LASTCALL_CHECKPOINT_ID": last,
                    "LASTCALL_LAST_VERDICT": "clean", "LASTCALL_LAST_CAUSE": "SIGTERM", "LASTCALL_STEP": "jobs"}
    assert run.stop() == 0


def test_it_is_told_that_the_last_run_came_to_no_end(keeps, saved, store):
    saved()
    run = keeps(SAVE)
    wait_for_text(store.path / "last-stop.json", "interrupted")
    run.signal(SIGKILL)
    run.wait()
    run = keeps(SAVE + "restore = @show restore LASTCALL_LAST_VERDICT\n")
    assert run.find("restore LASTCALL_LAST_VERDICT=interrupted"), (run.events(), run.err)
    assert run.stop() == 0


def test_a_service_sees_what_a_restore_wrote_for_its_environment(keeps, saved):
    saved("FROM=savepoint-7\n")
    run = keeps(SAVE + 'for = side\nrestore = sh -c "cp $LASTCALL_CHECKPOINT_DIR/state @W/side.env"\n',
                more='[service side]\ncommand = sh -c "@show side FROM; exec @svc side"\nenv-file = @W/side.env\n')
    assert run.find("side FROM=savepoint-7")
    assert run.stop() == 0


def test_only_restoring(keeps, saved, back):
    saved()
    run = keeps(RESTORE + "when = never\n")
    assert read(back) == "one\n"
    assert take(run).code == 409
    assert run.stop() == 0


# ---- what must not be overwritten ----

@pytest.mark.parametrize("what", ["file", "directory", "dangling link"])
def test_not_where_something_newer_is(keeps, saved, workdir, back, what):
    saved()
    new = workdir / "new"
    {"file": new.touch, "directory": new.mkdir, "dangling link": lambda: new.symlink_to("nowhere")}[what]()
    run = keeps(BOTH + "restore-if-missing = @W/new\n")
    run.wait_line(f"jobs: not restored: {new} exists")
    assert not run.find("restore begin") and not back.exists()
    assert run.stop() == 0 and run.step("jobs")["state"] == "done", "it is saved as ever"


def test_where_it_is_missing(keeps, saved, workdir, back):
    saved()
    run = keeps(BOTH + "restore-if-missing = @W/no/such\n")
    assert read(back) == "one\n" and run.stop() == 0


@pytest.mark.parametrize("answer", [0, 1])
def test_only_if(keeps, saved, back, answer):
    saved()
    run = keeps(BOTH + f"only-if = @say gate 0 {answer}\n")
    assert run.find("gate end") and back.exists() == (answer == 0) and bool(run.find("restore begin")) == (answer == 0)
    if answer:
        run.wait_line("jobs: not restored: only-if said no")
    assert run.stop() == 0


def test_an_only_if_that_cannot_be_asked_is_no_answer(keeps, saved, back):
    saved()
    run = keeps(BOTH + "only-if = /no/such/gate\n", ready=False)
    assert run.wait() == 127
    assert not back.exists() and not run.find("web start")


def test_not_at_a_restart(keeps, saved, back):
    saved()
    run = keeps(BOTH + "for = side\n", more="[service side]\ncommand = @svc side\nrestart = always\nrestart-delay = 10ms\n")
    run.run("kill", "-KILL", str(run.pid_inside("side")))
    run.wait_event("side start", 2)
    assert len(run.find("restore begin")) == 1 and run.stop() == 0


def test_at_a_restart_if_it_says_so(keeps, saved):
    saved()
    run = keeps(BOTH + "for = side\nrestore-on = restart\n",
                more="[service side]\ncommand = @svc side\nrestart = always\nrestart-delay = 10ms\n")
    run.run("kill", "-KILL", str(run.pid_inside("side")))
    run.wait_event("side start", 2)
    assert run.stop() == 0
    run.happened("restore end", "side start", "restore begin", "restore end", "side start")


# ---- restores that fail ----

def test_one_that_fails_is_the_end_of_the_start(keeps, saved, both):
    saved()
    run = keeps(SAVE + "restore = sh -c 'exit 3'\n", ready=False, mode=both)
    assert run.wait() == 3
    run.wait_line("jobs: restore FAILED: exited 3")
    assert not run.find("web start") and not run.find("save begin"), "and nothing is saved of what never was"


def test_one_that_fails_and_may(keeps, saved, store):
    last = saved()
    run = keeps(SAVE + "restore = sh -c 'exit 3'\non-failure = continue\n")
    run.wait_line("jobs: restore FAILED: exited 3")
    assert run.find("web start") and run.stop() == 0
    assert store.latest_id() != last


def test_one_that_is_not_there(keeps, saved):
    saved()
    run = keeps(SAVE + "restore = /no/such/restore\n", ready=False)
    assert run.wait() == 127
    assert "/no/such/restore" in run.err


def test_a_stop_cuts_a_restore_off(keeps, saved, store):
    last = saved()
    run = keeps(SAVE + "restore = @svc restore\n", ready=False)
    run.wait_event("restore start")
    begun = time.monotonic()
    run.stop()
    assert time.monotonic() - begun < 5
    run.happened("restore SIGNAL 15", "restore end")
    assert not run.find("web start") and not run.find("save begin") and store.ids() == [last]


# ---- a store that has suffered ----

def test_leftovers_are_removed(keeps, saved, store):
    last = saved()
    (store.path / ".new-000009-20261121T000000Z").mkdir()
    (store.path / ".new-000009-20261121T000000Z" / "x").write_text("half")
    run = keeps(BOTH)
    assert store.ids() == [last] and not store.leftovers(), store.names()
    assert run.stop() == 0


def damage_content(path):
    (path / "data" / "state").write_text("two\n")


def damage_size(path):
    (path / "data" / "state").write_text("")


def damage_more(path):
    (path / "data" / "more").write_text("")


def damage_less(path):
    (path / "data" / "state").unlink()


def damage_manifest(path):
    (path / "manifest.json").write_text((path / "manifest.json").read_text()[:-20])


def damage_no_manifest(path):
    (path / "manifest.json").unlink()


@pytest.mark.parametrize("damage", [damage_content, damage_size, damage_more, damage_less, damage_manifest, damage_no_manifest])
def test_a_damaged_one_is_set_aside(keeps, saved, store, back, damage):
    good, bad = saved("old\n"), saved("new\n")
    damage(store.path / bad)
    run = keeps(BOTH)
    assert read(back) == "old\n" and store.ids() == [good] == [store.latest_id()]
    assert store.damaged() == [f"damaged-{bad}"], "kept, for whoever wants to look"
    run.wait_line(f"jobs: checkpoint {bad} is damaged")
    assert run.stop() == 0
    assert int(store.latest_id().split("-")[0]) > int(bad.split("-")[0]), "its number is not used again"


def test_all_are_damaged(keeps, saved, store, back):
    bad = [saved("old\n"), saved("new\n")]
    for one in bad:
        damage_content(store.path / one)
    run = keeps(BOTH)
    assert store.damaged() == [f"damaged-{one}" for one in bad] and not back.exists()
    assert run.stop() == 0


def test_without_hashes_sizes_are_compared(keeps, store, state, back):
    assert keeps(SAVE + "hash = no\n").stop() == 0
    damage_size(store.path / store.latest_id())
    run = keeps(BOTH)
    assert len(store.damaged()) == 1 and not back.exists() and run.stop() == 0


def test_latest_that_is_missing_or_lies(keeps, saved, store, back):
    saved("old\n")
    last = saved("new\n")
    for wrong in (None, "../..", "000099-20200101T000000Z"):
        (store.path / "latest").unlink()
        if wrong:
            (store.path / "latest").symlink_to(wrong)
        run = keeps(BOTH)
        assert read(back) == "new\n" and run.status()["checkpoints"][0]["restored_from"] == last
        run.signal(SIGKILL)
        run.wait()


def test_a_store_that_cannot_be_read_is_no_empty_one(keeps, store):
    store.path.parent.mkdir()
    store.path.write_text("a file")
    run = keeps(BOTH, ready=False)
    assert run.wait() == 125
    run.wait_line("jobs: restore FAILED: cannot open the store")
    assert not run.find("web start")
    run = keeps(BOTH + "on-failure = continue\n")
    run.wait_line("jobs: restore FAILED: cannot open the store")
    assert run.find("web start") and run.stop() == 0


# ---- what is no answer ----

def test_an_only_if_that_was_killed_is_no_answer(keeps, saved):
    saved()
    run = keeps(BOTH + "only-if = sh -c 'kill -9 $$'\n", ready=False)
    assert run.wait() == 137
    assert "only-if could not be run" in run.err and not run.find("web start")


@pytest.mark.skipif(SANITIZED, reason="a sanitizer does not work under ptrace")
def test_a_store_whose_directory_cannot_be_read_is_not_an_empty_one(keeps, saved, store):
    """Its service would start with nothing, and save that over what is there."""
    last = saved()
    run = keeps(BOTH, ready=False, mode="host", before=["/usr/bin/strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=getdents64",
                                                        "-e", "inject=getdents64:error=EIO"])
    assert run.wait() == 125
    assert "restore FAILED: cannot open the store" in run.err and not run.find("web start"), run.err
    assert store.ids() == [last]
