"""What the tests of checkpoints share: the store, as a user sees it from outside.

    run = keeps('command = sh -c "echo one >$LASTCALL_CHECKPOINT_DIR/state"', timeout="2s")
    store.ids()                 # ["000001-20261121T031500Z"], the oldest first
    store.latest("state")       # "one\\n"
"""
import json
import os
import re
import textwrap

import pytest

from cfg import *                                              # noqa: F401,F403
from lc import read

ID = r"\d{6,}-\d{8}T\d{6}Z"

HEAD = """
    [lastcall]
    {head}
    checkpoint-dir = @W/store
    [service web]
    command = @svc web
    main = yes
    {web}
    [checkpoint jobs]
"""


class Store:
    """The directory of one checkpoint's store."""

    def __init__(self, path):
        self.path = path

    def names(self):
        return sorted(os.listdir(self.path)) if self.path.exists() else []

    def ids(self):
        return [n for n in self.names() if re.fullmatch(ID, n)]

    def leftovers(self):
        """Attempts that were not finished, and what goes with them."""
        return [n for n in self.names() if n.startswith(".")]

    def damaged(self):
        return [n for n in self.names() if n.startswith("damaged-")]

    def latest_id(self):
        return os.path.basename(os.readlink(self.path / "latest"))

    def latest(self, name):
        """The text of that file of the latest checkpoint."""
        return read(self.path / "latest" / "data" / name)

    def of(self, number, name):
        """The text of that file in the checkpoint with that place in ids()."""
        return read(self.path / self.ids()[number] / "data" / name)

    def manifest(self, which="latest"):
        return json.loads(read(self.path / which / "manifest.json"))


@pytest.fixture
def store(workdir):
    return Store(workdir / "store" / "jobs")


@pytest.fixture
def keeps(app):
    """keeps(lines, head="", web="", more=""): web as the main service with [checkpoint jobs] of these lines, up and
    ready. ready=False: does not wait."""
    def begin(lines, *args, head="", web="", more="", ready=True, **box):
        head = head if "grace" in head else f"grace = 10s\n{head}"
        text = textwrap.dedent(HEAD).format(head=head, web=web) + textwrap.dedent(lines) + "\n" + textwrap.dedent(more)
        run = app(text, *args, **box)
        return run.ready() if ready else run
    return begin


def take(run, name="jobs"):
    """Asks for a checkpoint now, and waits for it; the response."""
    return run.control("POST", f"/checkpoint/{name}")
