"""The report after a drain that was undone."""
import signal

from lc import report, wait_for, write_ini


def test_what_an_undone_drain_has_killed_is_no_part_of_the_stop(start, workdir, programs):
    run = start("-c", write_ini(workdir / "a.ini", "[lastcall]", "grace = 20s", f"report = {workdir}/report",
                                "[service web]", "command = sleep 1000", "[drain slow]",
                                f"command = {programs.prog} deaf", "timeout = 2s"))
    run.wait_state("running")
    assert run.verb("drain").code == 0
    wait_for(lambda: "slow         TIMEOUT" in run.err)
    assert run.verb("resume").code == 0
    run.wait_state("running")
    run.signal(signal.SIGTERM)
    assert run.wait() == 0
    assert len(report(workdir / "report")["killed"]) == 1
