"""The figures that no other work on the machine changes: what lastcall costs while nothing happens, and
how its costs grow. The bench measures them; here they may not get worse."""
import subprocess
import sys

import pytest

from lc import BINARY, ROOT, SANITIZED


@pytest.mark.limit(180)
@pytest.mark.skipif(SANITIZED, reason="a sanitizer has its own memory, system calls and threads")
def test_structural_figures(workdir):
    run = subprocess.run([sys.executable, ROOT / "tests" / "bench" / "run", "--check", "--lastcall", BINARY],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=workdir)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "cost of an orphan" in run.stdout, run.stdout + run.stderr
