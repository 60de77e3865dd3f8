"""Promise 6 with real kills: whoever dies while a checkpoint is taken, what was reported as taken is found again, and
what is found is whole. (Each system call of a commit: test_store.py.)"""
import os
import random
import signal
import threading

import pytest

from lc import BOUND, SANITIZED, read, wait_for, write_ini

ROUNDS = 4 if SANITIZED else 10


@pytest.fixture
def keeper(start, workdir, both):
    """start_again(): the next lastcall on the same volume, ready. Its hook saves the number in the file `n`, twice,
    with something to hash between; its restore says what it found."""
    (workdir / "n").write_text("0")
    (workdir / "save").write_text(f"""#!/bin/sh
n=$(cat {workdir}/n)
echo $n >$LASTCALL_CHECKPOINT_DIR/a
for i in 1 2 3 4 5 6 7 8; do head -c 200000 /dev/zero >$LASTCALL_CHECKPOINT_DIR/$i; done
echo $n >$LASTCALL_CHECKPOINT_DIR/b
""")
    (workdir / "load").write_text(f"#!/bin/sh\ncat $LASTCALL_CHECKPOINT_DIR/a $LASTCALL_CHECKPOINT_DIR/b >{workdir}/found\n")
    for name in ("save", "load"):
        (workdir / name).chmod(0o755)
    ini = write_ini(workdir / "k.ini", "[lastcall]", "grace = 10s", f"checkpoint-dir = {workdir}/store", "[service web]",
                    "command = sleep 1000", "main = yes", "[checkpoint c]", "for = web", f"command = {workdir}/save",
                    f"restore = {workdir}/load", "keep = 2", "when = never")

    def start_again():
        run = start("-c", ini, mode=both, may_leave=True)
        run.wait_state("running")
        return run

    return start_again


def number(workdir):
    """What the last restore found: one number, twice."""
    numbers = read(workdir / "found").split()
    assert len(numbers) == 2 and numbers[0] == numbers[1], numbers
    return int(numbers[0])


def guards(run):
    return [p for p in run.helpers() if p.comm == "lastcall-guard"]


def hooks(run):
    return [p for p in run.programs() if any("save" in a for a in p.argv)]


def kill_one(run, whom):
    if whom == "lastcall":
        os.kill(run.pid, signal.SIGKILL)
        return
    for p in (guards if whom == "guard" else hooks)(run)[:1]:
        try:
            os.kill(p.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


@pytest.mark.limit(240)
@pytest.mark.parametrize("whom", ["lastcall", "guard", "hook"])
def test_what_was_taken_is_found_again_whole(keeper, workdir, whom):
    dice, acknowledged, run = random.Random(whom), 0, keeper()
    for n in range(1, ROUNDS + 1):
        (workdir / "n").write_text(str(2 * n - 1))
        if n % 2:
            assert run.control("POST", "/checkpoint/c").code == 200
            acknowledged = 2 * n - 1
        (workdir / "n").write_text(str(2 * n))
        answer = []
        asks = threading.Thread(target=lambda: answer.append(try_to(lambda: run.control("POST", "/checkpoint/c").code)))
        asks.start()
        # The moment of the kill: from the hook's first write to well into the commit.
        threading.Event().wait(dice.uniform(0, 0.06))
        kill_one(run, whom)
        asks.join(BOUND)
        if answer == [200]:
            acknowledged = 2 * n
        run.kill()
        (workdir / "found").unlink(missing_ok=True)
        run = keeper()
        if acknowledged:
            assert number(workdir) >= acknowledged, run.err
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert not [name for name in os.listdir(workdir / "store" / "c") if name.startswith((".new", ".old", "damaged"))]


def try_to(ask):
    try:
        return ask()
    except OSError:
        return None
    except Exception as error:  # the connection was cut, or the answer was not whole
        return repr(error)


def test_a_hook_without_its_guard_ends(keeper, workdir):
    """It would write into what the next attempt removes."""
    (workdir / "save").write_text("#!/bin/sh\necho begun >&2\nexec sleep 1000\n")
    run = keeper()
    run.control("POST", "/checkpoint/c?wait=no")
    run.wait_line("begun")
    wait_for(lambda: guards(run), what=run.describe)
    kill_one(run, "guard")
    run.wait_line("c: checkpoint FAILED: ended by SIGKILL")
    wait_for(lambda: len([p for p in run.programs() if p.argv[:1] == ["sleep"]]) == 1, what=run.describe)
    (workdir / "save").write_text("#!/bin/sh\necho 1 >$LASTCALL_CHECKPOINT_DIR/a\n")
    assert run.control("POST", "/checkpoint/c").code == 200
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
