"""The store of checkpoints, through tests/store/driver.c: each checkpoint whole or not there, whatever happens.

A strike is a SIGKILL or an error at one call to the system, by strace's injection: at the Nth of its kind. The ordinary
tests take a sample (LASTCALL_SEED picks another one), LASTCALL_FAULTS=all takes every call. What random histories and
lost power do to a store is tried inside one process, by tests/store/histories.c and power.c.
"""
import collections
import contextlib
import errno
import fcntl
import json
import os
import random
import re
import signal
import subprocess
from pathlib import Path

import pytest

import lc
from lc import wait_for

pytestmark = [pytest.mark.skipif(lc.SANITIZED, reason="it is not the binary that is tested here"),
              pytest.mark.limit(150)]

ALL = os.environ.get("LASTCALL_FAULTS") == "all"
SAMPLE = 12
PATIENCE = 100      # seconds: a sync waits for all that a busy machine has written
ROOM = ["src/store", "src/text", "src/model"]
SOURCES = ["tests/store/driver.c", "src/sys/fd.c", "src/sys/clock.c"]
ERRORS = ["EIO", "ENOSPC", "EROFS"]
# What the C library's start and the driver's own talk make.
NOT_OURS = {"execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "mprotect", "mmap",
            "munmap", "getrandom", "exit_group", "readlink", "uname"}


@pytest.fixture(scope="session")
def driver(programs):
    path = programs.base / "store-driver"
    if not path.exists():
        new = path.with_suffix(".new")
        sources = [*SOURCES, *(p for room in ROOM for p in (lc.ROOT / room).glob("*.c"))]
        subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", '-DLASTCALL_VERSION="0"', "-static", "-O1", "-iquote", "src",
                        "-o", new, *sources, "-lmd"], check=True, cwd=lc.ROOT)
        new.rename(path)
    return path


Line = collections.namedtuple("Line", "what good stage errno id files bytes damaged damaged_id volatile path")
Done = collections.namedtuple("Done", "code lines text")


def parsed(text):
    form = (r"(\w+) (ok|failed) stage=(\w+) errno=(\d+) id=(\S*) files=(\d+) bytes=(\d+) damaged=(\d+) damaged_id=(\S*) "
            r"volatile=(\d) path=(.*)")
    found = (re.fullmatch(form, line) for line in text.splitlines())
    return [Line(m[1], m[2] == "ok", m[3], int(m[4]), m[5], int(m[6]), int(m[7]), int(m[8]), m[9], m[10] == "1", m[11])
            for m in found if m]


class Store:
    def __init__(self, driver, path):
        self.driver, self.path = driver, path

    def run(self, *words, before=()):
        done = subprocess.run([*map(str, before), str(self.driver), str(self.path), *map(str, words)], timeout=PATIENCE,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="surrogateescape")
        return Done(done.returncode, parsed(done.stdout), done.stdout)

    def take(self, *words, keep=3, before=()):
        """The last line of a checkpoint taken, or of what failed."""
        return self.run("make", "keep", keep, "begin", *words, "commit", before=before).lines[-1]

    def latest(self):
        line = self.run("open", "latest").lines[-1]
        assert line.good, line
        return line

    def ids(self):
        return sorted(p.name for p in self.path.iterdir() if re.fullmatch(r"\d+-\w+", p.name))

    def leftovers(self):
        return [p.name for p in self.path.iterdir() if p.name.startswith(".")]


@pytest.fixture
def store(driver, workdir):
    return Store(driver, workdir / "state" / "jobs")


def files_of(data):
    """path: bytes, link's target or None, of all below."""
    found = {}
    for path in Path(data).rglob("*"):
        name = str(path.relative_to(data))
        found[name] = os.readlink(path) if path.is_symlink() else None if path.is_dir() else path.read_bytes()
    return found


OLD = ["file", "a", "10", "sh", "mkdir d; ln -s ../a d/up; cp a d/b"]
NEW = ["file", "a", "300000", "file", "z", "0", "sh", "mkdir -p d/e f; echo new > d/e/b; ln -s d/e l"]


# ---- what it holds ----

def test_what_a_checkpoint_holds(store):
    line = store.take("cause", "SIGTERM \"x\"\n", "sh", "umask 22; mkdir -p d/empty; printf abc > d/f; chmod 4750 d/f; "
                      "ln -s f d/l; touch -d 1960-01-01T00:00:00.5Z old; printf x > \"$(printf 'no\\377')\"; chown 12:34 old")
    assert line.good and line.files == 3 and line.bytes == 4 and line.path == str(store.path / line.id / "data")
    assert os.readlink(store.path / "latest") == line.id and store.leftovers() == []
    text = (store.path / line.id / "manifest.json").read_bytes()
    manifest = json.loads(text)
    assert {k: manifest[k] for k in ("format", "lastcall", "name", "id", "host", "cause", "files", "bytes")} == {
        "format": 1, "lastcall": "0", "name": "jobs", "id": line.id, "host": "host", "cause": "SIGTERM \"x\"\n",
        "files": 3, "bytes": 4}
    entries = {e.get("path") or bytes.fromhex(e["path_hex"]): e for e in manifest["entries"]}
    assert set(entries) == {"d", "d/empty", "d/f", "d/l", "old", b"no\xff"}
    assert entries["d/empty"]["type"] == "dir" and entries["d/empty"]["mode"] == "0755"
    assert entries["d/f"]["mode"] == "4750" and entries["d/f"]["size"] == 3
    assert entries["d/f"]["sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert entries["d/l"]["type"] == "link" and entries["d/l"]["target"] == "f"
    assert (entries["old"]["uid"], entries["old"]["gid"]) == (12, 34)
    assert (entries["old"]["mtime"], entries["old"]["mtime_ns"]) == (-315619200, 500000000)
    seal = subprocess.run(["sha256sum"], input=text[:text.rindex(b"\"sha256\"")], stdout=subprocess.PIPE, check=True)
    assert manifest["sha256"] == seal.stdout.split()[0].decode()
    assert store.latest().id == line.id


def test_without_hashes_sizes_are_looked_at(store):
    first = store.take("file", "a", "10")
    line = store.run("open", "hash", "0", "begin", "file", "a", "10", "commit").lines[-1]
    assert line.good and b"sha256" not in (store.path / line.id / "manifest.json").read_bytes().splitlines()[1]
    data = store.path / line.id / "data" / "a"
    data.write_bytes(b"x" * 10)
    assert store.latest().id == line.id
    data.write_bytes(b"x" * 9)
    assert store.latest().id == first.id


def test_modes_are_private_and_parents_are_made(store):
    store.take("file", "a", "1")
    assert [store.path.stat().st_mode & 0o7777, store.path.parent.stat().st_mode & 0o7777] == [0o700, 0o755]
    top = store.path / "latest"
    assert [(p.name, p.stat().st_mode & 0o7777) for p in sorted(top.iterdir())] == [("data", 0o700), ("manifest.json", 0o600)]


def test_numbers_go_on_and_keep_is_kept(store):
    ids = [store.take("file", "a", i + 1, keep=3).id for i in range(5)]
    assert [int(i.split("-")[0]) for i in ids] == [1, 2, 3, 4, 5] and store.ids() == ids[2:]
    assert store.take("file", "a", "1", keep=1).good and len(store.ids()) == 1
    (store.path / "damaged-000041-20200101T000000Z").mkdir()
    assert store.take("file", "a", "1").id.startswith("000042-")
    (store.path / "4294967295-20200101T000000Z").mkdir()
    line = store.take("file", "a", "1")
    assert (line.good, line.stage, line.errno) == (False, "begin", errno.EOVERFLOW)


def test_many_files_deep_and_long(store):
    deep = "/".join(["d"] * 63)
    name = "n" * 255
    line = store.take("sh", f"mkdir -p {deep}; echo x > {deep}/f; for i in $(seq 1000); do echo $i > f$i; done; "
                      f"mkdir {name}; echo > {name}/{name}")
    assert line.good and line.files == 1002
    assert store.latest().files == 1002
    assert store.run("look", "pick", line.id).text.count("\nentry file ") == 1002


def test_memory_does_not_grow(store):
    def peak(*words):
        return int(re.search(r"took \d+ us, (\d+) kB", store.run("make", "begin", *words, "commit", "took").text)[1])

    least = peak("file", "a", "1")
    assert least > 0
    assert peak("file", "a", "30000000") < least + 512
    assert peak("sh", "mkdir d; for i in $(seq 2000); do echo > d/$i; done") < least + 512


# ---- what is refused ----

@pytest.mark.parametrize("words, stage, number, path", [
    (["sh", "mkfifo d/p"], "refused", 0, "d/p"),
    (["sh", "mknod null c 1 3"], "refused", 0, "null"),
    (["sh", "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"d/s\")'"], "refused", 0, "d/s"),
    (["sh", "ln -s /etc/passwd d/l"], "refused", 0, "d/l"),
    (["sh", "ln -s ../../x d/l"], "refused", 0, "d/l"),
    (["sh", "ln -s d/../.. l"], "refused", 0, "l"),
    (["sh", "mkdir -p " + "/".join(["d"] * 64) + "; echo > " + "/".join(["d"] * 64) + "/f"], "refused", 0, None),
    (["sh", "rm -r d"], "empty", 0, ""),
    (["sh", "rm -r ../data"], "empty", errno.ENOENT, "data"),
    (["sh", "rm -r ../data; ln -s /etc ../data"], "changed", errno.ENOTDIR, "data"),
    (["sh", "rm -r ../../.new*"], "empty", errno.ENOENT, "data"),
])
def test_what_is_refused(store, words, stage, number, path):
    good = store.take("file", "a", "10")
    line = store.take("sh", "mkdir d", *words)
    assert (line.good, line.stage, line.errno) == (False, stage, number)
    assert path is None or line.path == path
    assert store.latest().id == good.id and store.ids() == [good.id] and store.leftovers() == []


def test_an_empty_directory_is_something(store):
    assert store.take("sh", "mkdir d").good and store.latest().files == 0


@pytest.mark.parametrize("mount", ["mount -t tmpfs none d", "mount --bind {work} d", "touch f; mount --bind {work}/kept f"])
def test_other_mounts_are_refused_and_left_alone(store, workdir, mount):
    (workdir / "kept").write_text("kept")
    line = store.take("sh", "mkdir d; echo > a; " + mount.format(work=workdir), before=["unshare", "-m"])
    assert (line.good, line.stage, line.errno, line.path) == (False, "refused", errno.EXDEV, mount.split()[-1])
    assert (workdir / "kept").read_text() == "kept"
    assert store.latest().id == "" and store.leftovers() == []


def test_a_file_that_changes_is_refused(store, workdir):
    good = store.take("file", "a", "10")
    pid = workdir / "pid"
    try:
        line = store.take("file", "big", "20000000", "sh", f"(while :; do echo; done >> f) > /dev/null 2>&1 & echo $! > {pid}")
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)
    assert (line.good, line.stage) == (False, "changed")
    assert line.path in ("f", "big"), "where f came late, what is named is whichever is one too many"
    assert store.latest().id == good.id


def test_another_user_clears_what_it_may_not_enter(store, workdir):
    os.chown(workdir, 65534, 65534)
    user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    line = store.take("sh", "mkdir -p d/e/f d/g; echo > d/e/f/x; chmod 0 d/e/f d/e d", before=user)
    assert (line.good, line.stage, line.errno, line.path) == (False, "read", errno.EACCES, "d")
    assert store.leftovers() == []
    assert store.take("file", "a", "1", before=user).good


# ---- who else is there ----

def test_one_at_a_time(store, spawn):
    store.take("file", "a", "1")
    with open(store.path / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = spawn(store.driver, store.path, "open", "begin", "file", "a", "2", "commit")
        wait_for(lambda: any(f" {waiting.pid} " in line and "->" in line for line in open("/proc/locks")))
        assert len(store.ids()) == 1
    assert waiting.wait(PATIENCE) == 0 and len(store.ids()) == 2


def test_who_reads_one_keeps_it(store):
    first = store.take("file", "a", "1")
    fd = os.open(store.path / first.id, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)
    second = store.take("file", "a", "2", keep=1)
    assert second.good and store.ids() == [first.id, second.id]
    os.close(fd)
    third = store.take("file", "a", "3", keep=1)
    assert store.ids() == [third.id]


def test_looking_needs_no_lock_and_changes_nothing(store):
    store.take("file", "a", "1")
    (store.path / ".new-000007-20200101T000000Z").mkdir()
    with open(store.path / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = store.run("look", "list", "verify", store.ids()[0])
    assert done.code == 0 and f"has {store.ids()[0]}\n" in done.text
    assert store.leftovers() == [".new-000007-20200101T000000Z"]


def test_leftovers_go_and_strangers_stay(store):
    store.take("file", "a", "1")
    for name in (".new-000007-20200101T000000Z", ".old-000003-20200101T000000Z", ".new-x", "notes"):
        (store.path / name / "d/e").mkdir(parents=True)
        (store.path / name / "d/e/f").write_text("x")
    deep = store.path / ".new-000007-20200101T000000Z"
    subprocess.run(["sh", "-c", "mkdir 1; i=0; while [ $i -lt 300 ]; do mkdir d f; echo > x; cd d; i=$((i+1)); done"],
                   cwd=deep, stderr=subprocess.DEVNULL)
    os.symlink("x", store.path / ".latest-000003-20200101T000000Z")
    assert store.run("open").code == 0
    assert sorted(store.leftovers()) == [".new-x"] and (store.path / "notes/d/e/f").exists()


# ---- damage ----

def flip(path):
    text = bytearray(path.read_bytes())
    text[len(text) // 2] ^= 1
    path.write_bytes(text)


DAMAGE = {
    "flip": lambda top: flip(top / "data/a"),
    "cut": lambda top: os.truncate(top / "data/a", 100),
    "longer": lambda top: os.truncate(top / "data/a", 300001),
    "gone": lambda top: (top / "data/d/e/b").unlink(),
    "more": lambda top: (top / "data/d/more").touch(),
    "link": lambda top: ((top / "data/l").unlink(), os.symlink("d", top / "data/l")),
    "link for a file": lambda top: ((top / "data/z").unlink(), os.symlink("a", top / "data/z")),
    "directory for a file": lambda top: ((top / "data/z").unlink(), (top / "data/z").mkdir()),
    "link for a directory": lambda top: ((top / "data/f").rmdir(), os.symlink("d", top / "data/f")),
    "manifest flip": lambda top: flip(top / "manifest.json"),
    "manifest cut": lambda top: os.truncate(top / "manifest.json", 300),
    "manifest empty": lambda top: os.truncate(top / "manifest.json", 0),
    "manifest longer": lambda top: (top / "manifest.json").open("a").write("\n"),
    "manifest gone": lambda top: (top / "manifest.json").unlink(),
    "no data": lambda top: (top / "data").rename(top / "atad"),
    "another's name": lambda top: (top / "manifest.json").write_bytes((top / "../latest/../latest/manifest.json").read_bytes()
                                                                       .replace(b"jobs", b"jobz")),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_damage_is_set_aside(store, how):
    old = store.take(*OLD)
    new = store.take(*NEW)
    assert store.run("look", "verify", new.id).lines[-1].good
    DAMAGE[how](store.path / new.id)
    assert not store.run("look", "verify", new.id).lines[-1].good
    line = store.latest()
    assert (line.id, line.damaged, line.damaged_id) == (old.id, 1, new.id)
    assert store.ids() == [old.id] and (store.path / f"damaged-{new.id}").is_dir()
    assert os.readlink(store.path / "latest") == old.id
    assert store.take(*NEW).good and store.latest().damaged == 0


def test_all_damaged_is_none(store):
    for _ in range(3):
        store.take("file", "a", "10")
    for name in store.ids():
        flip(store.path / name / "data/a")
    line = store.latest()
    assert (line.id, line.damaged, line.path, line.stage) == ("", 3, "", "ok")


def test_a_store_that_cannot_be_written_can_be_read(store):
    old = store.take(*OLD)
    new = store.take(*NEW)
    DAMAGE["flip"](store.path / new.id)
    done = store.run("open", "latest", before=["unshare", "-m", "sh", "-c", "mount --bind \"$0\" \"$0\" && mount -o "
                                               "remount,ro,bind \"$0\" && exec \"$@\"", store.path.parent])
    assert done.lines[-1].good and done.lines[-1].id == old.id and done.lines[-1].damaged == 1
    assert store.ids() == [old.id, new.id]


def test_rolls_forward_to_what_latest_does_not_name(store):
    old, new = store.take(*OLD), store.take(*NEW)
    (store.path / "latest").unlink()
    os.symlink(old.id, store.path / "latest")
    assert store.latest().id == new.id and os.readlink(store.path / "latest") == new.id


# ---- a full disk ----

def test_a_full_disk(store, workdir):
    script = ("mount -t tmpfs -o size=256k none \"$0\" && cd \"$0\" || exit 9; \"$1\" s make begin file a 1000 commit; "
              "\"$1\" s make begin sh 'cat /dev/zero > b 2>/dev/null; true' commit; \"$1\" s make begin sh "
              "'head -c 100000 /dev/zero > b; cat /dev/zero > ../c 2>/dev/null; true' commit; \"$1\" s open latest; "
              "\"$1\" s make begin file a 2000 commit; ls -A s; cat s/latest/data/a | wc -c")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, workdir, store.driver], stdout=subprocess.PIPE, text=True)
    commits = [line for line in parsed(done.stdout) if line.what in ("commit", "latest")]
    assert [(line.good, line.stage, line.errno) for line in commits] == [
        (True, "ok", 0), (False, "manifest", errno.ENOSPC), (False, "manifest", errno.ENOSPC), (True, "ok", 0), (True, "ok", 0)]
    assert commits[0].volatile and commits[3].id == commits[0].id
    assert done.stdout.splitlines()[-5:] == [commits[0].id, commits[4].id, "latest", "lock", "2000"]


# ---- strikes ----

def calls_of(store, words, log):
    """[(call, how many)] of what the driver asks the system for."""
    done = store.run(*words, before=["strace", "-qq", "-o", log])
    assert done.code == 0, done.text
    counts = collections.Counter(re.findall(r"^(\w+)\(", Path(log).read_text(), re.M))
    return [(call, n) for call, n in sorted(counts.items()) if call not in NOT_OURS]


def struck(store, words, call, n, how):
    return store.run(*words, before=["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                     f"inject={call}:{how}:when={n}"])


def prepared(driver, path):
    """A store with one checkpoint, and what is struck: one is taken, the first one is removed."""
    store = Store(driver, path)
    store.take(*OLD)
    return store


TAKE = ["make", "keep", "1", "begin", "file", "a", "3000", "file", "z", "0", "commit"]
MANY = ["make", "keep", "1", "begin", *(w for i in range(70) for w in ("file", f"f{i}", "20")), "commit"]
AGAIN = ["open", "latest"]
STORIES = {"take": TAKE, "many": MANY, "restore": AGAIN}


def picked(counts, story, how):
    """Which calls are struck: all, or a sample; of the many alike the first and the last ones."""
    places = []
    for call, n in counts:
        numbers = range(1, n + 1) if story != "many" else sorted({1, 2, n // 2, n - 1, n} & set(range(1, n + 1)))
        places += [(call, i) for i in numbers]
    seed = os.environ.get("LASTCALL_SEED", "1")
    return places if ALL else random.Random(f"{seed}{story}{how}").sample(places, min(SAMPLE, len(places)))


@pytest.mark.limit(3600 if ALL else 300)
@pytest.mark.parametrize("how", ["signal=KILL", *(f"error={name}" for name in ERRORS)])
@pytest.mark.parametrize("story", STORIES)
def test_strikes(driver, workdir, story, how):
    def fresh(name):
        store = prepared(driver, workdir / name)
        if story == "restore":
            flip(store.path / store.take(*NEW).id / "data/a")
        return store

    counts = calls_of(fresh("count"), STORIES[story], workdir / "log")
    for number, (call, n) in enumerate(picked(counts, story, how)):
        store = fresh(f"s{number}")
        old = store.ids()[0]
        first = files_of(store.path / old / "data")
        done = struck(store, STORIES[story], call, n, how)
        why = f"{call} {n} {how}: {done.text}"
        if done.code == 1:       # a clear result
            line = done.lines[-1]
            assert not line.good and line.errno == getattr(errno, how[6:]), why
        line = store.latest()
        if story == "restore":
            assert line.id == old and files_of(line.path) == first, why
        elif line.id == old:
            assert files_of(line.path) == first, why
            assert done.code != 0 and not any(x.what == "commit" and x.good for x in done.lines), why
        else:
            assert line.files == STORIES[story].count("file") and line.id > old, why
            assert done.code in (0, -signal.SIGKILL), why
        assert line.damaged == 0 or story == "restore", why
        assert store.leftovers() == [], why
        assert store.take("file", "a", "5").good, why
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(["rm", "-r", store.path])
