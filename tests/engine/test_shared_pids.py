"""Containers that share a pid namespace: lastcall is not its first process, and signals nobody else's."""
import pytest

from engine import wait_for, wait_for_text

SCRIPT = "prog escape prog slow 100 /w/away; exec prog record /w/log 15:0"


@pytest.mark.parametrize("entrypoint", ["lastcall --", "lastcall --grace 30s --"])
@pytest.mark.parametrize("shared", ["container", "host"])
def test_bystanders_survive(run, image, build, workdir, shared, entrypoint):
    bystander = run("-v", f"{workdir}:/w", "--entrypoint", "sh", image, "-c",
                    "sleep 1001 & setsid prog record /w/heard & prog escape sleep 1002; wait")
    wait_for(lambda: len(bystander.ps()) == 4, what=bystander.ps)
    before = bystander.ps()
    wait_for_text(workdir / "heard", "^ready")

    image = build(f"ENTRYPOINT {str(entrypoint.split()).replace(chr(39), chr(34))}")
    c = run("--pid", f"container:{bystander.id}" if shared == "container" else "host", "-v", f"{workdir}:/w", image,
            "sh", "-c", SCRIPT)
    wait_for_text(workdir / "away", "^ready")
    wait_for_text(workdir / "log", "^ready")
    seen = c.ps()
    lastcall = next(pid for pid, _, line in seen if line.startswith("lastcall "))
    assert lastcall != 1
    # What its command has left is its own, not the first process's.
    assert next(ppid for _, ppid, line in seen if line.startswith("prog slow")) == lastcall
    c.stop()
    assert c.wait() == 0
    assert (workdir / "away").read_text().split("\n")[1].startswith("done")
    assert bystander.ps() == before
    assert (workdir / "heard").read_text().split("\n")[1:] == [""]
    assert bystander.inspect(".State.Running") == "true"
