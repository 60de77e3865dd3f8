"""Runs the folders of examples/ as their Dockerfiles say, with the servers of this machine in the place of an image's.

    def test_something(image):
        redis = image("redis", {"every      = 1m": "every = 1s"})     # lines of the ini, changed for the test
        run = redis.run()                  # the first container: lc.Lastcall as PID 1, ready
        redis.stop(run)                    # SIGTERM; a clean end with exit 0
        run = redis.run()                  # a new one: of /srv only the volumes are still there

/srv is a directory of the test's own in the container's mount namespace. What COPY names is all that the programs see
of the folder; USER is who runs, and owns what `install -d` makes; VOLUME is what outlives a container.
"""
import glob
import os
import pwd
import re
import shutil
import signal
from pathlib import Path

import pytest

from lc import ROOT, wait_for

FOLDERS = sorted(path.name for path in (ROOT / "examples").iterdir())
LONG = 60.0             # real servers on a busy machine
ELSEWHERE = {"lastcall", "job.jar"}                 # copied by a Dockerfile, and not of the folder
INSIDE = 'mount --bind "$1" /srv && mount -t tmpfs none /dev/shm && chmod 1777 /run && shift && exec "$@"'


def instructions(folder, word):
    """The words behind this instruction, of all lines of the Dockerfile that begin with it."""
    text = (ROOT / "examples" / folder / "Dockerfile").read_text().replace("\\\n", " ")
    return [w for line in text.splitlines() if line.split(" ")[0] == word for w in line.split()[1:]]


def copied(folder):
    """What the Dockerfile takes out of the folder."""
    text = (ROOT / "examples" / folder / "Dockerfile").read_text()
    words = [w for line in re.findall(r"^COPY (.*)", text, re.M) for w in line.split()[:-1]]
    return [w for w in words if not w.startswith("--") and w not in ELSEWHERE]


class Image:
    def __init__(self, folder, changes, start, workdir, env):
        self.start, self.env = start, env
        self.app, self.srv = workdir / "app", workdir / "srv"
        self.app.mkdir()
        self.srv.mkdir()
        for name in copied(folder):
            shutil.copy(ROOT / "examples" / folder / name, self.app)
        text = (self.app / "lastcall.ini").read_text()
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (self.app / "lastcall.ini").write_text(text)
        user = instructions(folder, "USER")[-1]
        try:
            self.user = pwd.getpwnam(user)
        except KeyError:                            # only in the image
            self.user = pwd.getpwnam("nobody")
        self.directories = [w for w in instructions(folder, "RUN") if w.startswith("/srv/")]
        self.volumes = [w for w in instructions(folder, "VOLUME") if w.startswith("/srv/")]

    def outside(self, path):
        """A path below /srv, as the test sees it."""
        return self.srv / Path(path).relative_to("/srv")

    def fresh(self):
        """What a new container sees: the image's directories, and the volumes as they are."""
        for path in self.directories:
            path = self.outside(path)
            if path.exists() and f"/srv/{path.name}" not in self.volumes:
                shutil.rmtree(path)
            path.mkdir(exist_ok=True)
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def begin(self, again=False, **env):
        """A container, not ready yet. again: the same one as before (docker start)."""
        if not again:
            self.fresh()
        user = ["setpriv", "--reuid", self.user.pw_uid, "--regid", self.user.pw_gid, "--clear-groups"]
        return self.start("-c", "lastcall.ini", cwd=self.app, env={**self.env, **env},
                          before=["/bin/sh", "-c", INSIDE, "sh", self.srv, *user])

    def run(self, again=False, **env):
        run = self.begin(again, **env)
        self.ready(run)
        return run

    def ready(self, run):
        wait_for(lambda: run.status().get("ready") or not run.running, LONG, run.describe)
        assert run.running, run.describe()

    def stop(self, run):
        run.signal(signal.SIGTERM)
        assert run.wait(LONG) == 0, run.describe()
        assert "lastcall: CLEAN in " in run.err, run.describe()

    def kill(self, run):
        """All of it at once, as when the memory or the machine is gone."""
        run.signal(signal.SIGKILL)
        assert run.wait(LONG) == 128 + signal.SIGKILL


def checkpoint(run, name):
    """What /status says of it."""
    return next(c for c in run.status()["checkpoints"] if c["name"] == name)


def take(run, name):
    """Takes one; it is on the disk when this returns."""
    answer = run.verb("checkpoint", name, timeout=LONG)
    assert answer.code == 0, (answer, run.describe())


@pytest.fixture
def image(start, workdir):
    """image(folder, changes={}, **env): see above. May be called once in a test."""
    def build(folder, changes=None, **env):
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return Image(folder, changes or {}, start, workdir,
                     {"PATH": ":".join([path] + sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1:]), **env})
    return build
