"""The folders of examples/: each is whole, and those with checkpoints keep what they promise, with the real servers."""
import json
import re
import shutil
import subprocess
import threading

import pytest

import lc
from examples import *

WITH_STATE = ["flink", "postgresql", "queue-worker", "redis", "sqlite"]


# ---- all folders ----

@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("verb", [["check", "--strict"], ["plan"], ["simulate"]], ids=lambda words: words[0])
def test_the_configuration(folder, verb):
    ini = ROOT / "examples" / folder / "lastcall.ini"
    done = subprocess.run([lc.BINARY, *verb, ini], capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "warning" not in done.stdout + done.stderr
    assert verb[0] != "simulate" or "lastcall: CLEAN in" in done.stdout + done.stderr


@pytest.mark.parametrize("folder", WITH_STATE)
def test_the_dockerfile(folder):
    """Every file that the configuration and the scripts name is copied; every volume is made for its user."""
    there = copied(folder)
    for name in there:
        text = (ROOT / "examples" / folder / name).read_text()
        assert set(re.findall(r"(?:= |\. )\./([\w.-]+)", text)) <= set(there), name
    made = instructions(folder, "RUN")
    assert all(path in made for path in instructions(folder, "VOLUME"))
    assert instructions(folder, "ENTRYPOINT") == ['["lastcall",', '"-c",', '"lastcall.ini"]']


# ---- Redis ----

class Redis:
    """A client: one connection, one command at a time."""

    def __init__(self, run):
        self.file = run.connect(6379, timeout=LONG).makefile("rwb")

    def ask(self, *words):
        bulks = [b"$%d\r\n%s\r\n" % (len(w), w) for w in map(str.encode, words)]
        self.file.write(b"*%d\r\n" % len(bulks) + b"".join(bulks))
        self.file.flush()
        return self.answer()

    def answer(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n") or line[:1] == b"-":
            raise ConnectionError(line)
        if line[:1] == b"*":
            return [self.answer() for _ in range(int(line[1:]))]
        if line[:1] == b"$":
            return None if line == b"$-1\r\n" else self.file.read(int(line[1:]) + 2)[:-2].decode()
        return line[1:-2].decode()


class Writer(threading.Thread):
    """Appends 1, 2, 3, ... to a list of its own until the server goes away; counts what was acknowledged."""

    def __init__(self, run, name, begin):
        super().__init__(daemon=True)
        self.client, self.name, self.acknowledged = Redis(run), name, begin
        self.start()

    def run(self):
        try:
            while True:
                self.client.ask("RPUSH", self.name, str(self.acknowledged + 1))
                self.acknowledged += 1
        except OSError:
            pass


def begin_writing(run, numbers):
    return [Writer(run, f"w{i}", n) for i, n in enumerate(numbers)]


def acknowledged(writers):
    return [w.acknowledged for w in writers]


def wait_written(writers, more):
    before = acknowledged(writers)
    wait_for(lambda: all(w.acknowledged >= n + more for w, n in zip(writers, before)), LONG,
             lambda: acknowledged(writers))


def kept(run, n=4):
    """The length of each writer's list. None has a gap."""
    client, lengths = Redis(run), []
    for i in range(n):
        numbers = client.ask("LRANGE", f"w{i}", "0", "-1")
        assert numbers == [str(n + 1) for n in range(len(numbers))]
        lengths.append(len(numbers))
    return lengths


@pytest.mark.limit(180)
def test_redis_keeps_every_write_that_it_acknowledged(image):
    redis, numbers = image("redis"), [0] * 4
    for _ in range(5):
        run = redis.run()
        assert kept(run) == numbers
        writers = begin_writing(run, numbers)
        wait_written(writers, 200)
        redis.stop(run)
        for w in writers:
            w.join(LONG)
        numbers = acknowledged(writers)
    assert kept(redis.run()) == numbers


@pytest.mark.limit(180)
def test_redis_killed_between_two_checkpoints(image):
    """What comes back is what the last one has, and nothing else."""
    redis = image("redis", {"every      = 1m": "every = 1s"})
    run = redis.run()
    writers = begin_writing(run, [0] * 4)
    wait_written(writers, 100)
    before, attempts = acknowledged(writers), checkpoint(run, "rdb")["attempts"]
    wait_for(lambda: checkpoint(run, "rdb")["attempts"] > attempts + 1, LONG, run.describe)     # one began after that
    wait_written(writers, 100)
    latest = checkpoint(run, "rdb")["latest"]
    redis.kill(run)
    for w in writers:
        w.join(LONG)
    run = redis.run()
    assert checkpoint(run, "rdb")["restored_from"] >= latest
    lengths = kept(run)
    assert all(a <= b <= c + 1 for a, b, c in zip(before, lengths, acknowledged(writers))), (before, lengths)
    assert min(lengths) > 0


@pytest.mark.limit(180)
def test_redis_drained_and_put_back(image):
    """While it is drained a write waits and a read does not; then the write goes on. A restart keeps what a
    checkpoint has."""
    redis = image("redis")
    run = redis.run()
    client, other = Redis(run), Redis(run)
    client.ask("SET", "k", "old")
    assert run.verb("drain", timeout=LONG).code == 0
    write = threading.Thread(target=client.ask, args=("SET", "k", "new"), daemon=True)
    write.start()
    wait_for(lambda: "blocked_clients:1" in other.ask("INFO", "clients"), LONG)
    assert other.ask("GET", "k") == "old"
    assert run.verb("resume", timeout=LONG).code == 0
    write.join(LONG)
    assert other.ask("GET", "k") == "new"
    redis.ready(run)
    take(run, "rdb")
    assert run.verb("restart", "redis", timeout=LONG).code == 0
    redis.ready(run)
    assert Redis(run).ask("GET", "k") == "new"
    redis.stop(run)


# ---- PostgreSQL ----

def sql(postgresql, run, text):
    done = run.run("psql", "-h", "/srv/postgres", "-qAtXc", text, uid=postgresql.user.pw_uid, timeout=LONG)
    assert done.code == 0, done
    return done.out


class Rows(threading.Thread):
    """Inserts begin, begin + 1, ... until the server goes away; counts what was acknowledged."""

    def __init__(self, postgresql, run, begin):
        super().__init__(daemon=True)
        self.child = run.popen("sh", "-c", f"seq {begin} 999999 | sed 's/.*/insert into t values (&) returning n;/' | "
                               "exec psql -h /srv/postgres -qAtX -v ON_ERROR_STOP=1", uid=postgresql.user.pw_uid)
        self.acknowledged = begin - 1
        self.start()

    def run(self):
        for line in self.child.stdout:
            self.acknowledged = int(line)

    def wait(self, more):
        least = self.acknowledged + more
        wait_for(lambda: self.acknowledged >= least, LONG, lambda: self.acknowledged)


def rows(postgresql, run):
    """How many there are; none is missing between the first and the last."""
    n, last = sql(postgresql, run, "select count(*), coalesce(max(n), 0) from t").strip().split("|")
    assert n == last
    return int(n)


def recovered(run):
    return "not properly shut down" in run.err + run.out


@pytest.mark.limit(300)
def test_postgresql_stops_fast_and_keeps_everything(image):
    postgresql = image("postgresql")
    run = postgresql.run()
    sql(postgresql, run, "create table t (n int primary key)")
    for n in range(2):
        writer = Rows(postgresql, run, rows(postgresql, run) + 1)
        writer.wait(100)
        if n == 0:
            postgresql.stop(run)
        else:
            postgresql.kill(run)
        writer.join(LONG)
        run = postgresql.run()
        assert 0 <= rows(postgresql, run) - writer.acknowledged <= 1
        assert recovered(run) == (n == 1)
        assert checkpoint(run, "base")["restored_from"] is None
    postgresql.stop(run)


@pytest.mark.limit(300)
def test_postgresql_comes_back_from_a_base_backup(image):
    """Only when its data directory is gone, and as it was then."""
    postgresql = image("postgresql", {"every   = 1h": "every   = 3s"})
    run = postgresql.run()
    sql(postgresql, run, "create table t (n int primary key)")
    writer = Rows(postgresql, run, 1)
    writer.wait(100)
    before, attempts = writer.acknowledged, checkpoint(run, "base")["attempts"]
    wait_for(lambda: checkpoint(run, "base")["attempts"] > attempts + 1, LONG, run.describe)    # one began after that
    writer.wait(1)
    postgresql.kill(run)
    writer.join(LONG)
    shutil.rmtree(postgresql.outside("/srv/postgres/data"))
    postgresql.outside("/srv/postgres/data.new").mkdir()            # of a restore that was cut short
    run = postgresql.run()
    state = checkpoint(run, "base")
    assert state["restored_from"] and before <= rows(postgresql, run) <= writer.acknowledged + 1
    sql(postgresql, run, f"insert into t values ({rows(postgresql, run) + 1})")
    newer = rows(postgresql, run)
    postgresql.stop(run)
    run = postgresql.run()
    assert checkpoint(run, "base")["restored_from"] is None and rows(postgresql, run) == newer
    postgresql.stop(run)


# ---- SQLite ----

class Notes(threading.Thread):
    """Posts notes until the server goes away; the numbers that it was told, in their order."""

    def __init__(self, container):
        super().__init__(daemon=True)
        self.container, self.told = container, []
        self.start()

    def run(self):
        while (answer := self.container.http("POST", "/", 8000, body=b"milk")).code == 200:
            self.told.append(int(answer.body))


def notes(run):
    return int(run.http("GET", "/", 8000).body)


@pytest.mark.limit(180)
def test_sqlite_comes_back_with_every_note(image):
    sqlite, told = image("sqlite"), 0
    for _ in range(3):
        run = sqlite.run()
        assert notes(run) == told
        writers = [Notes(run) for _ in range(3)]
        wait_for(lambda: all(len(w.told) > 20 for w in writers), LONG)
        sqlite.stop(run)
        for w in writers:
            w.join(LONG)
        numbers = sorted(n for w in writers for n in w.told)
        after = sqlite.run()
        told = notes(after)
        assert numbers[0] > told - len(numbers) - 4 and numbers[-1] <= told <= numbers[-1] + 3
        sqlite.stop(after)


@pytest.mark.limit(180)
def test_sqlite_killed(image):
    """The same container goes on with its own file; a new one has the latest checkpoint, taken while notes came in."""
    sqlite = image("sqlite", {"every   = 5m": "every   = 1s"})
    run = sqlite.run()
    writer = Notes(run)
    wait_for(lambda: len(writer.told) > 20, LONG)
    before, attempts = len(writer.told), checkpoint(run, "db")["attempts"]
    wait_for(lambda: checkpoint(run, "db")["attempts"] > attempts + 1, LONG, run.describe)      # one began after that
    sqlite.kill(run)
    writer.join(LONG)
    run = sqlite.run(again=True)
    assert len(writer.told) <= notes(run) <= len(writer.told) + 1 and not checkpoint(run, "db")["restored_from"]
    sqlite.kill(run)
    run = sqlite.run()
    assert checkpoint(run, "db")["restored_from"] and before <= notes(run) <= len(writer.told) + 1
    sqlite.stop(run)


# ---- the queue worker ----

def state_of(worker):
    return json.loads(worker.outside("/srv/worker/state.json").read_text())


def begin_working(image, *changes):
    """The image, and a container that goes on where one with an empty queue was; now there is more than it can do."""
    worker = image("queue-worker", *changes)
    run = worker.run()
    wait_for(worker.outside("/srv/queue/done").exists, LONG, run.describe)
    worker.stop(run)
    run = worker.run()
    assert checkpoint(run, "state")["restored_from"]
    with open(worker.outside("/srv/queue/in"), "a") as queue:
        queue.writelines(f"{n}\n" for n in range(1, 1000001))
    return worker, run


def done(worker):
    return [int(n) for n in lc.read(worker.outside("/srv/queue/done")).split("\n")[:-1]]


@pytest.mark.limit(180)
def test_the_worker_does_each_item_once_over_20_restarts(image):
    worker, run = begin_working(image)
    for _ in range(20):
        place = state_of(worker)["place"]
        wait_for(lambda: state_of(worker)["place"] > place, LONG, run.describe)
        worker.stop(run)
        run = worker.run()
    worker.stop(run)
    items = done(worker)
    assert items == list(range(1, len(items) + 1))
    assert state_of(worker)["sum"] == sum(items)


@pytest.mark.limit(180)
def test_the_worker_killed(image):
    """Nothing is left out, and the sum has each item once; what others see may come twice."""
    worker, run = begin_working(image, {"every   = 1m": "every   = 1s"})
    for _ in range(3):
        attempts = checkpoint(run, "state")["attempts"]
        wait_for(lambda: checkpoint(run, "state")["attempts"] > attempts + 1, LONG, run.describe)
        worker.kill(run)
        run = worker.run()
    worker.stop(run)
    reached = len(set(done(worker)))
    assert set(done(worker)) == set(range(1, reached + 1)) and len(done(worker)) > reached
    state = state_of(worker)
    whole = worker.outside("/srv/queue/in").read_bytes()[:state["place"]].split()
    assert state["sum"] == sum(map(int, whole)) > 0


# ---- Flink, played by examples/flink/stand-in ----

@pytest.fixture
def flink(image, workdir):
    shutil.copytree(ROOT / "examples/flink/stand-in", workdir / "stand-in")
    path = f"{workdir}/stand-in:/usr/local/bin:/usr/bin:/bin"
    return image("flink", {"timeout    = 2m": "timeout    = 6s"}, PATH=path)


def counted(run):
    """Where the stand-in's job began, as it says."""
    return int(re.findall(r"begins at (\d+)", run.out)[-1])


def stopped(run):
    return int(re.findall(r"stopped at (\d+)", run.out)[-1])


@pytest.mark.limit(180)
def test_flink_goes_on_from_its_savepoint(flink):
    begins = 0
    for _ in range(3):
        run = flink.run(STAND_IN_DELAY="0.5")
        assert counted(run) == begins
        flink.stop(run)
        begins = stopped(run)
        assert begins > counted(run)


@pytest.mark.limit(180)
def test_flink_goes_on_while_a_savepoint_is_taken(flink):
    """On demand the job is not stopped; a restart and a crash go on from that savepoint."""
    run = flink.run()
    take(run, "savepoint")
    flink.ready(run)
    assert "stopped at" not in run.out
    assert run.verb("restart", "jobmanager", timeout=LONG).code == 0, run.describe()
    wait_for(lambda: run.out.count("begins at") == 2, LONG, run.describe)
    begins = counted(run)
    flink.kill(run)
    run = flink.run()
    assert counted(run) == begins > 0
    flink.stop(run)


@pytest.mark.limit(180)
@pytest.mark.parametrize("how, code", [({"STAND_IN_FAILS": "yes"}, 0), ({"STAND_IN_DELAY": "60"}, 124)],
                         ids=["fails", "hangs"])
def test_flink_stop_goes_wrong(flink, how, code):
    """The log says so, and the next start has the savepoint before."""
    run = flink.run()
    flink.stop(run)
    before = stopped(run)
    run = flink.run(**how)
    assert counted(run) == before
    run.signal(signal.SIGTERM)
    assert run.wait(LONG) == code, run.describe()
    assert re.search(r"lastcall: DEGRADED in .*savepoint", run.err), run.err
    run = flink.run()
    assert counted(run) == before
    flink.stop(run)


@pytest.mark.limit(180)
def test_flink_keeps_what_is_newer(flink):
    """Where Flink itself knows the latest state, lastcall hands over none."""
    run = flink.run()
    flink.stop(run)
    flink.fresh()
    flink.outside("/srv/flink/ha").mkdir()
    run = flink.run(again=True)
    assert counted(run) == 0
    flink.stop(run)
