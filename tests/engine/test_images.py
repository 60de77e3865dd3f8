"""The folders of examples/ as images, with Dockerfile and commands as they stand, on stand-ins for official images."""
import json
import re
import shutil
import subprocess

import pytest

import engine as harness
from engine import ROOT, Container, wait_for

# Debian's servers, and a repository in the place of a network.
SERVERS = r"""FROM debian:12-slim
COPY . /packages
RUN printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d \
    && echo 'deb [trusted=yes] file:/packages ./' >/etc/apt/sources.list && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nginx-light redis-server \
       postgresql-15 python3
"""
# What an official image hands on to those that are made from it. Its entry point is not here and must not be called.
OFFICIAL = {
    "python:3-slim": 'CMD ["python3"]',
    "nginx:stable": 'STOPSIGNAL SIGQUIT\nENTRYPOINT ["/entry"]\nCMD ["nginx", "-g", "daemon off;"]',
    "redis:7": 'WORKDIR /data\nVOLUME /data\nENTRYPOINT ["/entry"]\nCMD ["redis-server"]',
    "postgres:15": "ENV PATH=$PATH:/usr/lib/postgresql/15/bin PGDATA=/var/lib/postgresql/data\n"
                   'VOLUME /var/lib/postgresql/data\nSTOPSIGNAL SIGINT\nENTRYPOINT ["/entry"]\nCMD ["postgres"]',
    "flink:1.20": "RUN useradd flink && install -d -o flink -g flink /opt/flink/usrlib\nCOPY . /opt/flink/bin/\n"
                  'ENV PATH=/opt/flink/bin:$PATH\nWORKDIR /opt/flink\nENTRYPOINT ["/entry"]\nCMD ["help"]',
}
HTTP = "import sys, urllib.request as u; print(int(u.urlopen(sys.argv[1], sys.argv[2].encode() or None).read()))"
NOTES = f"python3 -c '{HTTP}' http://127.0.0.1:8000/"
# What is done to the first container, and what then can be seen there, and in the next one.
STATE = {
    "redis": ("redis-cli set key word", "redis-cli get key", "word\n"),
    "sqlite": (f"{NOTES} milk", f"{NOTES} ''", "1\n"),
    "queue-worker": ("seq 1 100 >>/srv/queue/in", "cat /srv/worker/state.json", '{"place": 292, "sum": 5050}'),
    "postgresql": ("psql -c 'create table word ()' && lastcall checkpoint base",
                   "psql -Atc \"select tablename from pg_tables where schemaname = 'public'\"", "word\n"),
}


@pytest.fixture(scope="session")
def official(engine, debian, packages):
    def tag(name, context, lines):
        (context / "Dockerfile").write_text(lines)
        engine.docker("build", "-q", "-t", name, context, timeout=300)
    tag("servers", packages, SERVERS)
    for name, lines in OFFICIAL.items():
        context = shutil.copytree(ROOT / "examples/flink/stand-in", packages.parent / name)
        tag(name, context, f"FROM servers\n{lines}\n")


class Example:
    """A folder, and the commands of its README."""

    def __init__(self, engine, home, folder):
        self.engine, self.home, self.folder, self.container = engine, home, home / "examples" / folder, None
        shutil.copytree(ROOT / "examples" / folder, self.folder)
        for name in ("build/lastcall", "job/target/job.jar"):       # there is no job: Flink's stand-in looks at none
            (home / name).parent.mkdir(parents=True)
            shutil.copy(harness.BINARY, home / name)
        text = re.search(r"(?:^    .*\n)+", (self.folder / "README.md").read_text(), re.M)[0]
        self.lines = [line.strip() for line in text.replace("\\\n", "").splitlines()]

    def line(self, begin):
        """Types the line of the README that begins so."""
        line, = (each for each in self.lines if each.startswith(begin))
        env = {**self.engine.environment, "HOME": self.home, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        done = subprocess.run(["sh", "-ec", line], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, (line, done)
        return done

    def run(self):
        self.container = c = Container(self.engine, self.line("docker run ").stdout.strip())
        wait_for(lambda: c.exec("lastcall", "probe", "ready", check=False).returncode == 0, what=lambda: c.out + c.err)
        return c

    def stop(self):
        """docker stop and docker logs: a clean end. What it has printed."""
        told = self.line("docker stop ")
        assert "lastcall: CLEAN in " in told.stderr and self.container.wait() == 0, told
        self.remove()
        return told.stdout

    def remove(self):
        if self.container:
            self.container.docker("rm", "-f")
        self.container = None


@pytest.fixture
def example(engine, official, workdir):
    made = []

    def build(folder):
        made.append(Example(engine, workdir, folder))
        made[-1].line("cp ")
        made[-1].line("docker build ")
        return made[-1]
    yield build
    for each in made:
        each.remove()
    engine.docker("volume", "prune", "-f")


@pytest.mark.parametrize("folder", ["docker", "nginx"])
def test_it_runs_and_stops(example, folder):
    e = example(folder)
    c = e.run()
    assert c.exec("cat", "/proc/1/comm").stdout == "lastcall\n"
    if folder == "docker":
        wait_for(lambda: e.line("docker inspect ").stdout == "healthy\n", what=lambda: c.inspect("json .State.Health"))
    e.stop()


@pytest.mark.parametrize("folder", STATE)
def test_the_next_container_goes_on(example, folder):
    do, see, seen = STATE[folder]
    e = example(folder)
    c = e.run()
    c.exec("sh", "-c", do)
    wait_for(lambda: c.exec("sh", "-c", see).stdout == seen, what=lambda: c.exec("sh", "-c", see))
    e.stop()
    if folder == "postgresql":
        e.engine.docker("volume", "rm", "db")       # its files are as good as a checkpoint
    c = e.run()
    assert json.loads(c.exec("lastcall", "status", "--json").stdout)["checkpoints"][0]["restored_from"]
    assert c.exec("sh", "-c", see).stdout == seen
    e.stop()


def test_flink_goes_on_from_its_savepoint(example):
    e = example("flink")
    e.run()
    number = re.search(r"stopped at (\d+)", e.stop())[1]
    e.run()
    assert f"begins at {number}\n" in e.stop()
