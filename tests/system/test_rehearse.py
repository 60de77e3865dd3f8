"""`lastcall rehearse`: everything really starts and stops, and the summary says how it went."""
import os
import re
import signal
import time

import pytest

import lc
from cfg import *

GOOD = """
    [lastcall]
    grace = 8s
    [service web]
    command = @svc web work=300
    main = yes
    ready = exec true every 100ms
    [drain queue]
    command = @say queue 500
    timeout = 3s
"""


@pytest.fixture
def rehearse(conf, spawn, workdir):
    """rehearse(ini, *words): the finished process, with out, err and code. Its report's folder is in workdir."""
    def begin(ini, *words, **more):
        os.environ["TMPDIR"] = str(workdir)
        try:
            return spawn(lc.BINARY, "rehearse", *words, conf(ini), **more)
        finally:
            del os.environ["TMPDIR"]
    return begin


def finish(child):
    out, err = child.communicate(timeout=60)
    return out, err, child.returncode


def summary(out):
    found = re.search(r"rehearsed (\d+) stops?, (\d+) clean(?:: median ([\d.]+) s, worst ([\d.]+) s of ([\d.]+) s; "
                      r"the longest step was (\S+), ([\d.]+) s)?", out)
    assert found, out
    return found


def folders(workdir):
    return list(workdir.glob("lastcall-rehearse.*"))


def test_runs_that_go_well(rehearse, workdir):
    out, err, code = finish(rehearse(GOOD, "-n", "3"))
    found = summary(out)
    assert code == 0, err
    assert found[1] == "3" and found[2] == "3" and found[5] == "8.0" and found[6] == "queue"
    assert 0.8 <= float(found[3]) <= float(found[4]) < 8 and float(found[7]) >= 0.5
    assert out.count("web start") == 3 and err.count("lastcall: CLEAN in") == 3
    assert re.findall(r"run \d of 3", err) == ["run 1 of 3", "run 2 of 3", "run 3 of 3"]
    assert not folders(workdir)


def test_a_run_that_is_not_clean(rehearse):
    out, err, code = finish(rehearse(GOOD.replace("@say queue 500", "@say queue 500 1")))
    assert code == 1 and summary(out)[2] == "0" and "DEGRADED" in err


def test_a_service_that_ends_before_it_was_ready(rehearse, workdir):
    out, err, code = finish(rehearse(GOOD.replace("@svc web work=300", "@svc web life=200 exit=3").replace("exec true", "exec false"), "-n", "2"))
    assert code == 1 and "it ended by itself" in err
    assert summary(out)[1] == "0" and summary(out)[2] == "0"
    assert not folders(workdir)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_a_person_ends_it(rehearse, workdir, sig):
    child = rehearse(GOOD.replace("exec true", "exec false"), "-n", "5")
    lc.wait_for(lambda: folders(workdir) and (folders(workdir)[0] / "control").exists())
    os.kill(child.pid, sig)
    out, err, code = finish(child)
    assert code == 1 and summary(out)[1] == "0", err
    assert not folders(workdir)


def test_when_it_is_killed_so_is_what_it_started(rehearse, workdir, registry):
    child = rehearse(GOOD.replace("exec true", "exec false"))
    lc.wait_for(lambda: folders(workdir) and (folders(workdir)[0] / "control").exists())
    child.kill()
    child.wait()
    lc.wait_for(lambda: not [p for p in map(lc.process, lc.marked_pids(registry.test_id)) if p and p.state not in "ZX"])


@pytest.mark.parametrize("words", [["-n", "0"], ["-n", "x"], ["-n", "1001"], ["-n"], ["--runs", "3"]])
def test_words_that_mean_nothing(rehearse, words):
    out, err, code = finish(rehearse(GOOD, *words))
    assert code == 2 and not out, err


def test_a_file_with_errors(rehearse):
    out, err, code = finish(rehearse("[lastcall]\ngrace = 10\n"))
    assert code == 78 and "error:" in err


def test_a_service_that_does_not_last(rehearse):
    """Without `ready` it counts as ready once it has been executed; a clean stop of what has crashed is none."""
    out, err, code = finish(rehearse("[lastcall]\ngrace = 3s\n[service web]\ncommand = @svc web life=150 exit=1\n"))
    assert code == 1 and summary(out)[1] == "1" and summary(out)[2] == "0", err
    assert "lastcall rehearse: web has ended, or was started again, before the stop" in err


def test_a_job_has_no_stop_to_rehearse(rehearse):
    out, err, code = finish(rehearse("[lastcall]\ngrace = 3s\n[service job]\ncommand = @say job 100\ntype = oneshot\nmain = yes\n"))
    assert code == 1 and summary(out)[1] == "0" and "it ended by itself" in err


def test_a_oneshot_that_has_ended_is_no_crash(rehearse):
    out, err, code = finish(rehearse(GOOD + "[service job]\ncommand = @say job\ntype = oneshot\n"))
    assert code == 0 and "before the stop" not in err


def test_an_interrupt_hurries_the_stop(rehearse, workdir):
    child = rehearse(GOOD.replace("@say queue 500", "@say queue 20000").replace("timeout = 3s", "timeout = 7s"))
    while not child.stdout.readline().endswith("queue begin\n"):
        assert child.poll() is None
    begun = time.monotonic()
    child.send_signal(signal.SIGINT)
    out, err, code = finish(child)
    assert code == 1 and time.monotonic() - begun < 5 and "announce and drain end now" in err, err
    assert not folders(workdir)


def test_a_folder_that_was_left_behind(workdir, conf, spawn):
    words = f"mkdir $TMPDIR/lastcall-rehearse.$$; exec {lc.BINARY} rehearse {conf(GOOD)}"
    out, err, code = finish(spawn("sh", "-c", f"TMPDIR={workdir}; export TMPDIR; {words}"))
    assert code == 0, err
    assert len(folders(workdir)) == 1


def test_a_folder_that_cannot_be(workdir, conf, spawn):
    deep = workdir / ("d" * 100)
    deep.mkdir()
    for folder, why in ((deep, "file name too long"), (workdir / "none", "no such file")):
        out, err, code = finish(spawn("env", f"TMPDIR={folder}", lc.BINARY, "rehearse", conf(GOOD)))
        assert code == 125 and f"{folder}/lastcall-rehearse." in err and why in err and "TMPDIR" in err, err
    assert not list(deep.iterdir())


def test_a_pipe_is_no_file_for_many_runs(conf, spawn):
    out, err, code = finish(spawn("sh", "-c", f"cat {conf(GOOD)} | {lc.BINARY} rehearse /dev/stdin"))
    assert code == 2 and "/dev/stdin: it can be read once" in err and not out


def test_a_clean_stop_that_looks_like_a_failure(rehearse):
    out, err, code = finish(rehearse(GOOD.replace("work=300", "exit=3")))
    assert code == 1 and summary(out)[2] == "1" and "the exit code is 3" in err
    out, err, code = finish(rehearse(GOOD.replace("work=300", "exit=3\n    success-exit = 3")))
    assert code == 0 and "the exit code" not in err


# ---- at a terminal ----

SHELL = "[lastcall]\ngrace = 3s\n[service web]\ncommand = bash --norc -i\nmain = yes\ntty = yes\n"


def test_a_service_that_has_the_terminal(at_terminal, terminal, conf):
    """Once the rehearsal stood before it in a group of its own: the shell stopped at its first read, and all with it."""
    run = at_terminal("rehearse", conf(SHELL), mode="sub")
    terminal.expect("web +TERM to pid")
    terminal.expect("rehearsed 1 stop, 0 clean: ")       # an interactive shell ignores TERM
    assert run.wait() == 1


def test_the_keys_of_a_terminal(at_terminal, terminal, conf, cfg_prog):
    ini = GOOD.replace("@say queue 500", f"{cfg_prog} say queue 20000").replace("@svc", f"{cfg_prog} svc").replace("3s", "7s")
    run = at_terminal("rehearse", "-n", "2", conf(ini), mode="sub")
    terminal.expect("run 1 of 2")
    terminal.expect("queue begin")
    terminal.type("\x1a")                                 # the stop key stops nothing here
    terminal.type("\x03")
    terminal.expect("SIGINT: announce and drain end now")
    terminal.expect("rehearsed 0 stops, 0 clean")
    assert run.wait() == 1
