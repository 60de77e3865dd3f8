"""lastcall checkpoint list, show, verify, export and import, on bare directories and by a file; against GNU tar and
bsdtar, and against archives that lie."""
import fcntl
import io
import json
import os
import pty
import random
import re
import shutil
import signal
import subprocess
import tarfile
import termios

import pytest

import lc
from ckpt import *
from cfg import *

TARS = {"GNU tar": ["tar"], "bsdtar": ["bsdtar"]}


def tar(name, *words, **options):
    done = subprocess.run([*TARS[name], *map(str, words)], capture_output=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}, **options)
    return done


@pytest.fixture
def store(workdir):
    """A store with one checkpoint."""
    assert checkpoint("import", workdir / "store", stdin=archive(*simple())).returncode == 0
    return workdir / "store"


@pytest.fixture
def odd_tree(workdir):
    """All that may lie in a checkpoint."""
    tree = workdir / "odd"
    deep = "/".join(["x" * 200] * 15)
    for folder in ("empty", "a/b", "closed", "deep", f"deep/{deep}", "ä"):
        (tree / folder).mkdir(parents=True)
    names = [b"bad\xff\xfename", b"new\nline", b'quo"te\\', b"-rf", b"sp ace ", "ä/ö".encode(), b"n" * 255, b"=", b"\x01\x7f",
             b"a/100" + b"c" * 95, b"a/b/101" + b"c" * 94]
    for n, name in enumerate(names):
        with open(os.path.join(os.fsencode(tree), name), "wb") as f:
            f.write(name * (n * 100))
        os.utime(os.path.join(os.fsencode(tree), name), ns=(0, 1600000000_000000000 + n * 123456789))
    (tree / "deep" / deep / "f").write_bytes(b"deep")
    for mode in (0o4755, 0o2600, 0o000, 0o1777, 0o444):
        (tree / f"mode{mode:o}").write_bytes(b"m")
        (tree / f"mode{mode:o}").chmod(mode)
    with open(tree / "sparse", "wb") as f:
        f.seek(64 << 20)
        f.write(b"end")
        f.seek(32 << 20)
        f.write(b"middle")
    (tree / "zeros").write_bytes(bytes(70000))
    (tree / "block").write_bytes(b"b" * 512)
    os.symlink("b", tree / "a/l")
    os.symlink("../ä/ö", tree / "a/up")
    os.symlink(b"\xff" + b"l" * 300, os.fsencode(tree) + b"/a/badlink")
    os.symlink("nowhere", tree / "dangling")
    os.utime(tree / "dangling", ns=(0, 5), follow_symlinks=False)
    os.chown(tree / "block", 77, 4000000000)
    os.utime(tree / "empty", (0, 0))
    (tree / "closed").chmod(0o500)
    (tree / "a").chmod(0o2775)
    return tree


def data_of(store):
    return store / checkpoints(store)[0] / "data"


# ---- round trips ----

def test_an_odd_tree_comes_back(workdir, odd_tree):
    """By import, verify, export and import again: all is as it was, and holes stay holes."""
    first = checkpoint("import", workdir / "one", stdin=archive(*entries_of(odd_tree)))
    assert first.returncode == 0, first.stderr
    assert look(data_of(workdir / "one")) == look(odd_tree)
    assert (data_of(workdir / "one") / "sparse").stat().st_blocks < 4000
    exported = checkpoint("export", workdir / "one")
    assert exported.returncode == 0, exported.stderr
    assert checkpoint("import", workdir / "two", stdin=exported.stdout).returncode == 0
    assert look(data_of(workdir / "two")) == look(odd_tree)
    assert checkpoint("verify", workdir / "two").returncode == 0


@pytest.mark.parametrize("name", TARS)
def test_others_read_what_we_write(workdir, odd_tree, name):
    checkpoint("import", workdir / "store", stdin=archive(*entries_of(odd_tree)))
    path = workdir / "out.tar"
    path.write_bytes(checkpoint("export", workdir / "store").stdout)
    listed = tar(name, "-tf", path)
    assert listed.returncode == 0, listed.stderr
    lines = listed.stdout.splitlines()
    assert len(lines) == len(look(odd_tree)) + 1 and lines[0].endswith(b"Z/manifest.json")
    (workdir / "out").mkdir()
    done = tar(name, "-xpf", path, "-C", workdir / "out")
    assert done.returncode == 0, done.stderr
    theirs = look(next((workdir / "out").iterdir()) / "data")
    assert theirs.keys() == look(odd_tree).keys()
    for path, seen in look(odd_tree).items():
        if path == b"dangling" and name == "GNU tar":      # it gives links no time of long ago
            seen = theirs[path][:3] + (theirs[path][3],) + seen[4:]
        assert theirs[path] == seen, path


def test_python_reads_what_we_write(workdir, odd_tree):
    checkpoint("import", workdir / "store", stdin=archive(*entries_of(odd_tree)))
    exported = checkpoint("export", workdir / "store").stdout
    with tarfile.open(fileobj=io.BytesIO(exported), errorlevel=2) as t:
        found = {os.fsencode(m.name).split(b"/data/")[1]: m for m in t.getmembers()[1:]}
    seen = look(odd_tree)
    assert found.keys() == seen.keys()
    for path, m in found.items():
        mode, uid, gid, mtime_ns, body = seen[path]
        assert (m.uid, m.gid, m.mode) == (uid, gid, int(mode, 8) & 0o7777)
        assert abs(m.mtime - mtime_ns / 1e9) < 1e-6
        assert not m.issym() or os.fsencode(m.linkname) == body


@pytest.mark.parametrize("name,form", [("GNU tar", "--format=posix"), ("GNU tar", "--format=gnu"),
                                       ("GNU tar", "--format=oldgnu"), ("bsdtar", "--format=pax"),
                                       ("bsdtar", "--format=gnutar")])
def test_we_read_what_others_write(workdir, odd_tree, name, form):
    """Unpacked and packed again by them, in the manifest's order."""
    checkpoint("import", workdir / "store", stdin=archive(*entries_of(odd_tree)))
    (workdir / "out").mkdir()
    exported = workdir / "one.tar"
    exported.write_bytes(checkpoint("export", workdir / "store").stdout)
    assert tar(name, "-xpf", exported, "-C", workdir / "out").returncode == 0
    with tarfile.open(exported) as t:
        names = [os.fsencode(m.name) for m in t.getmembers()]
    (workdir / "names").write_bytes(b"".join(n + b"\0" for n in names))
    again = tar(name, "-cf", workdir / "two.tar", form, "-C", workdir / "out", "--null",
                "--no-recursion" if name == "GNU tar" else "-n", "-T", workdir / "names")
    assert again.returncode == 0, again.stderr
    done = checkpoint("import", workdir / "other", stdin=(workdir / "two.tar").read_bytes())
    assert done.returncode == 0, done.stderr
    assert look(data_of(workdir / "other")) == look(odd_tree)


def test_import_is_the_newest_and_says_where_it_comes_from(workdir, store):
    other = archive([entry("x", data=b"x")], {b"x": b"x"}, host="elsewhere", cause="by hand", time="2020-01-02T03:04:05Z")
    done = checkpoint("import", store, stdin=other)
    assert re.fullmatch(rb"000002-\d{8}T\d{6}Z: 1 file, 1 byte\n", done.stdout), done
    assert os.readlink(store / "latest") == checkpoints(store)[0]
    found = json.loads(checkpoint("list", store, "--json").stdout)[0]["checkpoints"]
    assert [(c["state"], c["cause"]) for c in found] == [("latest", "by hand"), ("whole", "a test")]
    assert found[0]["host"] == "elsewhere" and found[0]["time"] == "2020-01-02T03:04:05Z"
    assert json.loads(checkpoint("show", store, "--json").stdout)["id"] == checkpoints(store)[0]


# ---- archives that lie ----

def evil(change):
    """An archive whose entries a function changes: it gets manifest entries, contents, members, and returns bytes."""
    entries, data = simple()
    return change(entries, data, members(entries, data))


def packed(entries, parts, end=END, **head):
    return b"".join([member(f"{ID}/manifest.json", manifest(entries, **head)), *parts, end])


def put(entries, data, parts, at, part):
    return packed(entries, parts[:at] + [part] + parts[at + 1:])


PATH = f"{ID}/data/"
DEVICE = dict(type=tarfile.CHRTYPE, devmajor=1, devminor=3)
LIES = {
    "an absolute path": lambda e, d, m: put(e, d, m, 1, member("/d/f", d[b"d/f"])),
    "a path that leads up": lambda e, d, m: put(e, d, m, 1, member(PATH + "../d/f", d[b"d/f"])),
    "another path": lambda e, d, m: put(e, d, m, 1, member(PATH + "d/g", d[b"d/f"])),
    "outside of data": lambda e, d, m: put(e, d, m, 1, member(f"{ID}/d/f", d[b"d/f"])),
    "another checkpoint": lambda e, d, m: put(e, d, m, 1, member(PATH.replace("42", "43") + "d/f", d[b"d/f"])),
    "twice": lambda e, d, m: packed(e, m[:2] + m[1:]),
    "not in its order": lambda e, d, m: packed(e, [m[0], m[2], m[1], m[3]]),
    "one is missing": lambda e, d, m: packed(e, m[:1] + m[2:]),
    "the last is missing": lambda e, d, m: packed(e, m[:-1]),
    "one too many": lambda e, d, m: packed(e, m + [member(PATH + "z")]),
    "a longer file": lambda e, d, m: put(e, d, m, 1, member(PATH + "d/f", d[b"d/f"] + b"x")),
    "a shorter file": lambda e, d, m: put(e, d, m, 1, member(PATH + "d/f", d[b"d/f"][:-1])),
    "other bytes": lambda e, d, m: put(e, d, m, 1, member(PATH + "d/f", b"J" + d[b"d/f"][1:])),
    "a link for a file": lambda e, d, m: put(e, d, m, 3, member(PATH + "e", type=tarfile.SYMTYPE, target="d")),
    "a hard link": lambda e, d, m: put(e, d, m, 3, member(PATH + "e", type=tarfile.LNKTYPE, target=PATH + "d/f")),
    "a device": lambda e, d, m: put(e, d, m, 3, member(PATH + "e", **DEVICE)),
    "a FIFO": lambda e, d, m: put(e, d, m, 3, member(PATH + "e", type=tarfile.FIFOTYPE)),
    "a directory for a file": lambda e, d, m: put(e, d, m, 3, member(PATH + "e", type=tarfile.DIRTYPE)),
    "a file for a directory": lambda e, d, m: put(e, d, m, 0, member(PATH + "d")),
    "a link elsewhere": lambda e, d, m: put(e, d, m, 2, member(PATH + "d/l", type=tarfile.SYMTYPE, target="g")),
    "a sparse file": lambda e, d, m: put(e, d, m, 3, member(PATH + "e", pax_headers={"GNU.sparse.major": "1"})),
    "something behind the end": lambda e, d, m: packed(e, m, END + b"x" * 512),
    "another archive behind it": lambda e, d, m: packed(e, m, END + packed(e, m)),
    "half a block behind the end": lambda e, d, m: packed(e, m, END + bytes(100)),
    "half an end": lambda e, d, m: packed(e, m, bytes(512)),
    "half an end, then more": lambda e, d, m: packed(e, m, bytes(512) + m[0] + END),
    "no end": lambda e, d, m: packed(e, m, b""),
    "no manifest": lambda e, d, m: b"".join(m) + END,
    "the manifest last": lambda e, d, m: b"".join(m) + packed(e, []),
    "an empty archive": lambda e, d, m: END,
    "nothing": lambda e, d, m: b"",
    "no archive": lambda e, d, m: b"hello\n" * 500,
    "a manifest without its directory": lambda e, d, m: member("manifest.json", manifest(e)) + b"".join(m) + END,
    "a manifest in another": lambda e, d, m: member(f"x/{ID}/manifest.json", manifest(e)) + b"".join(m) + END,
    "a manifest that is a link": lambda e, d, m:
        member(f"{ID}/manifest.json", type=tarfile.SYMTYPE, target="/etc/passwd") + b"".join(m) + END,
    "another id": lambda e, d, m: packed(e, m, id=ID.replace("42", "43")),
    "another format": lambda e, d, m: packed(e, m, format=2),
    "a wrong seal": lambda e, d, m: packed(e, m, seal="0" * 64),
    "a wrong count": lambda e, d, m: packed(e, m, files=3),
    "a wrong sum": lambda e, d, m: packed(e, m, size=601),
    "a manifest with more behind it": lambda e, d, m: member(f"{ID}/manifest.json", manifest(e) + b"x") + b"".join(m) + END,
    "an empty checkpoint": lambda e, d, m: packed([], []),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_refused(store, lie):
    before = look(store)
    done = checkpoint("import", store, stdin=evil(LIES[lie]))
    assert done.returncode == 1 and done.stdout == b""
    assert done.stderr.startswith(b"lastcall checkpoint: ") and done.stderr.count(b"\n") == 1, done.stderr
    assert look(store) == before
    assert checkpoint("import", store, stdin=archive(*simple())).returncode == 0, "the good one is refused, too"


def bad_manifest(*entries):
    """An archive that has what its manifest says; that alone is wrong."""
    data = {e["path"].encode(): b"x" for e in entries if e["type"] == "file"}
    return packed(list(entries), members(list(entries), data))


BAD = {
    "absolute": [entry("/tmp/x", data=b"x")],
    "up": [entry("../x", data=b"x")],
    "up inside": [entry("a", "dir"), entry("a/../x", data=b"x")],
    "a dot": [entry("./x", data=b"x")],
    "an empty name": [entry("a", "dir"), entry("a//x", data=b"x")],
    "twice": [entry("x", data=b"x"), entry("x", data=b"x")],
    "twice a directory": [entry("x", "dir"), entry("x", "dir")],
    "a file in a file": [entry("x", data=b"x"), entry("x/y", data=b"x")],
    "a file in a link": [entry("a", "dir"), entry("l", "link", target="a"), entry("l/y", data=b"x")],
    "a directory over a link": [entry("a", "dir"), entry("l", "link", target="a"), entry("l", "dir")],
    "no parent": [entry("a/x", data=b"x")],
    "the parent later": [entry("a/x", data=b"x"), entry("a", "dir")],
    "an absolute link": [entry("l", "link", target="/etc/passwd")],
    "a link that leaves": [entry("l", "link", target="../x")],
    "a link that leaves by a name": [entry("a", "dir"), entry("a/l", "link", target="b/../../x")],
    "a link to nothing": [entry("l", "link", target="")],
    "a very long name": [entry("n" * 256, data=b"x")],
}


@pytest.mark.parametrize("what", BAD)
def test_manifests_that_lead_away_are_refused(store, what):
    before = look(store)
    done = checkpoint("import", store, stdin=bad_manifest(*BAD[what]))
    assert done.returncode == 1, done
    assert done.stderr.count(b"\n") == 1
    assert look(store) == before and os.listdir(store.parent) == ["store"]


def test_cut_anywhere_it_is_refused(store):
    """At every block and in the midst of some: nothing is installed, nothing is left."""
    whole = archive(*simple())
    before = look(store)
    for n in [*range(0, len(whole), 512), 1, 511, 513, 2000, len(whole) - 1]:
        done = checkpoint("import", store, stdin=whole[:n])
        assert done.returncode == 1, n
    assert look(store) == before
    assert checkpoint("import", store, stdin=whole + bytes(9 * 1024)).returncode == 0


def test_any_changed_byte_is_refused(store):
    """Unless it changes nothing that an archive says: what fills a block, times, owners and names of theirs."""
    whole, r = archive(*simple()), random.Random(7)
    good = look(data_of(store))
    for n in r.sample(range(len(whole)), 120):
        for name in checkpoints(store)[:-1]:
            shutil.rmtree(store / name)
        done = checkpoint("import", store, stdin=whole[:n] + bytes([whole[n] ^ 1 << r.randrange(8)]) + whole[n + 1:])
        if done.returncode == 0:
            assert look(data_of(store)) == good, n
        else:
            assert len(checkpoints(store)) == 1


# ---- export of what is damaged ----

def change(path, how):
    def spoil(data):
        if how == "bytes":
            data.joinpath(path).write_bytes(b"J" + data.joinpath(path).read_bytes()[1:])
        elif how == "shorter":
            os.truncate(data / path, 10)
        elif how == "gone":
            (data / path).unlink()
        elif how == "link":
            (data / path).unlink()
            os.symlink("/etc/passwd", data / path)
        elif how == "directory":
            (data / path).unlink()
            (data / path).mkdir()
    return spoil


DAMAGE = {f"{how} {path}": change(path, how) for path in ("d/f", "e") for how in ("bytes", "shorter", "gone", "link", "directory")
          if path != "e" or how not in ("shorter",)}
DAMAGE["bytes e"] = lambda data: (data / "e").write_bytes(b"x")
DAMAGE["another link"] = lambda data: ((data / "d/l").unlink(), os.symlink("g", data / "d/l"))
DAMAGE["no directory"] = lambda data: shutil.rmtree(data / "d")
DAMAGE["manifest"] = lambda data: (data.parent / "manifest.json").write_bytes(
    (data.parent / "manifest.json").read_bytes().replace(b'"a test"', b'"b test"'))
DAMAGE["no manifest"] = lambda data: (data.parent / "manifest.json").unlink()


@pytest.mark.parametrize("how", DAMAGE)
def test_what_is_damaged_is_not_exported(workdir, store, how):
    """verify and export say so; whatever has come out by then no reader takes for whole."""
    DAMAGE[how](data_of(store))
    checked = checkpoint("verify", store)
    assert checked.returncode == 1 and checkpoints(store)[0].encode() in checked.stderr, checked
    done = checkpoint("export", store)
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1
    assert checkpoint("import", workdir / "other", stdin=done.stdout).returncode == 1
    assert checkpoints(workdir / "other") == []
    if done.stdout:
        (workdir / "broken.tar").write_bytes(done.stdout)
        for name in TARS:
            assert tar(name, "-tf", workdir / "broken.tar").returncode != 0, name


def test_a_file_that_shrinks_breaks_the_export(workdir):
    """What is missing would fill its last block: nothing may come in its place."""
    big = b"x" * (4 << 20) + b"y" * 100
    store = workdir / "store"
    checkpoint("import", store, stdin=archive([entry("big", data=big)], {b"big": big}))
    out = subprocess.Popen([lc.BINARY, "checkpoint", "export", store], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    start = out.stdout.read(100000)
    os.truncate(data_of(store) / "big", 4 << 20)
    rest, said = out.stdout.read(), out.stderr.read()
    assert out.wait(30) == 1 and b"big is shorter than its manifest says" in said
    (workdir / "broken.tar").write_bytes(start + rest)
    for name in TARS:
        assert tar(name, "-tf", workdir / "broken.tar").returncode != 0, name


def test_a_full_disk_breaks_the_export(store):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([lc.BINARY, "checkpoint", "export", store], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1 and b"no space left" in done.stderr


# ---- killed ----

def syscalls(workdir):
    """Each call that an import makes into a store with one checkpoint: its name, and which of its kind it is."""
    store = workdir / "traced"
    checkpoint("import", store, stdin=archive(*simple()))
    log = workdir / "strace"
    subprocess.run(["strace", "-qq", "-o", log, lc.BINARY, "checkpoint", "import", store], input=archive(*simple()),
                   check=True, capture_output=True, timeout=60)
    seen, found = {}, []
    for name in re.findall(r"^(\w+)\(", log.read_text(), re.M)[1:]:
        seen[name] = seen.get(name, 0) + 1
        found.append((name, seen[name]))
    assert ("rename" in seen or "renameat" in seen) and "fsync" in seen, seen
    return found


@pytest.mark.limit(600)
@pytest.mark.skipif(lc.SANITIZED, reason="its runtime has system calls of its own")
def test_killed_at_any_call_an_import_is_whole_or_not_there(workdir):
    """Then the next one finds the store in order. A sample; with LASTCALL_FAULTS=all every call."""
    found = syscalls(workdir)
    every = 1 if os.environ.get("LASTCALL_FAULTS") == "all" else 7
    outcomes = set()
    for name, n in found[random.randrange(every)::every]:
        store = workdir / "store"
        checkpoint("import", store, stdin=archive(*simple()))
        old = checkpoints(store)
        killed = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", f"inject={name}:signal=KILL:when={n}", lc.BINARY,
                                 "checkpoint", "import", store], input=archive(*simple()), capture_output=True, timeout=60)
        assert killed.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), (name, n, killed)
        ids = checkpoints(store)
        assert ids[-1:] == old and len(ids) <= 2, (name, n, ids)
        whole = checkpoint("verify", store)
        assert whole.returncode == 0 and whole.stdout.count(b": whole, ") == len(ids), (name, n, whole)
        assert not killed.stdout or len(ids) == 2, (name, n)
        outcomes.add(len(ids))
        assert checkpoint("import", store, stdin=archive(*simple())).returncode == 0, (name, n)
        assert sorted(os.listdir(store)) == sorted([*checkpoints(store), "latest", "lock"]), (name, n)
        assert os.readlink(store / "latest") == checkpoints(store)[0]
        shutil.rmtree(store)
    assert outcomes == {1, 2}


# ---- names and words ----

@pytest.fixture
def named(workdir, store):
    """A file with two checkpoints, of which one has a store."""
    ini = workdir / "app.ini"
    ini.write_text(f"[lastcall]\ngrace = 5s\ncheckpoint-dir = {workdir}/all\n[service web]\ncommand = sleep 9\nmain = yes\n"
                   f"[checkpoint jobs]\ncommand = true\ndir = {store}\n[checkpoint other]\ncommand = true\n")
    return ini


def test_names_come_from_a_file(workdir, named, store):
    listed = json.loads(checkpoint("list", "--json", "-c", named).stdout)
    assert [(s["name"], s["dir"], len(s["checkpoints"])) for s in listed] == \
        [("jobs", str(store), 1), ("other", f"{workdir}/all/other", 0)]
    text = checkpoint("list", "-c", named).stdout.decode()
    assert f"jobs  {store}\n  {checkpoints(store)[0]} " in text and f"other  {workdir}/all/other\n  none\n" in text
    assert checkpoint("verify", checkpoints(store)[0], "jobs", "-c", named).stdout.count(b"whole") == 1
    assert checkpoint("verify", "jobs", "-c", named).returncode == 0
    exported = checkpoint("export", "jobs", "-c", named)
    assert exported.returncode == 0
    wrong = checkpoint("import", "other", "-c", named, stdin=exported.stdout)
    assert wrong.returncode == 1 and b"jobs is the name" in wrong.stderr and b"--name" in wrong.stderr, wrong
    right = checkpoint("import", "other", "--name", "jobs", "-c", named, stdin=exported.stdout)
    assert right.returncode == 0, right
    assert json.loads(checkpoint("show", "latest", "other", "--json", "-c", named).stdout)["name"] == "other"
    assert checkpoint("import", f"{workdir}/free", "--name", "other", stdin=exported.stdout).returncode == 1
    assert checkpoint("import", f"{workdir}/free", "--name", "jobs", stdin=exported.stdout).returncode == 0


def test_list_marks_what_is_damaged(workdir, store):
    for _ in range(2):
        checkpoint("import", store, stdin=archive(*simple()))
    newest, middle, oldest = checkpoints(store)
    (store / newest).rename(store / f"damaged-{newest}")
    (store / oldest / "manifest.json").write_text("{}")
    found = json.loads(checkpoint("list", store, "--json").stdout)[0]["checkpoints"]
    assert [(c["id"], c["state"]) for c in found] == [(middle, "latest"), (oldest, "damaged"), (newest, "set aside")]
    text = checkpoint("list", store).stdout.decode()
    assert re.search(rf"{oldest} +damaged\n", text) and re.search(rf"{newest} +set aside\n", text)
    assert len({re.search("latest|damaged|set aside", line).start() for line in text.splitlines()[1:]}) == 1, text
    assert checkpoint("show", oldest, store).returncode == 1
    assert checkpoint("verify", middle, store).returncode == 0
    assert checkpoint("verify", "latest", store).stdout.decode().split(":")[0] == middle
    assert checkpoint("verify", store).returncode == 1


def test_show_is_the_manifest(workdir, odd_tree):
    checkpoint("import", workdir / "store", stdin=archive(*entries_of(odd_tree)))
    name = checkpoints(workdir / "store")[0]
    as_json = checkpoint("show", name, workdir / "store", "--json").stdout
    assert as_json == (workdir / "store" / name / "manifest.json").read_bytes()
    assert len(json.loads(as_json)["entries"]) == len(look(odd_tree))
    text = checkpoint("show", workdir / "store").stdout
    assert re.search(rb"\n-rw-r--r-- +77:4000000000 +512 \d{4}-\S+Z block\n", text), text
    assert b" a/l -> b\n" in text and b"new?line\n" in text and b"host      h\n" in text
    assert text.count(b"\n") == 7 + len(look(odd_tree))


WORDS = {
    "no such option": (("list", "--name", "x"), 2, "there is no option --name"),
    "a word too many": (("list", "./a", "./b"), 2, "one word too many: ./b"),
    "no id": (("show", "000042", "./a"), 2, "there is no such id"),
    "no directory": (("list", "./none"), 1, "cannot open the store: ./none: no such file or directory"),
    "no directory to export": (("export", "./none"), 1, "./none"),
    "no directory to verify": (("verify", "./none"), 1, "./none"),
    "an empty one": (("export", "."), 2, None),
    "nobody": (("list", "jobs", "--control", "/none/x"), 1, "no lastcall answers at /none/x"),
    "nobody to take one": (("--control", "/none/x"), 1, "no lastcall answers at /none/x"),
    "a name like a verb": (("--", "list", "--control", "/none/x"), 1, "no lastcall answers at /none/x"),
    "no name": (("Jobs", "--control", "/none/x"), 2, "that is no name"),
    "two names": (("a", "b", "--control", "/none/x"), 2, "one word too many: b"),
    "no file": (("list", "-c", "/none/app.ini"), 1, "/none/app.ini"),
    "a name that is none": (("list", "nope", "-c", "NAMED"), 1, "there is no [checkpoint nope], but jobs, other; a directory"),
    "which of them": (("export", "-c", "NAMED"), 1, "say which checkpoint: jobs, other"),
    "an id that is gone": (("show", "000077-20261121T031500Z", "STORE"), 1, "000077-20261121T031500Z"),
}


@pytest.mark.parametrize("what", WORDS)
def test_wrong_words(workdir, store, named, what):
    words, code, said = WORDS[what]
    words = [{"NAMED": named, "STORE": store}.get(w, w) for w in words]
    if said is None:
        words, code, said = ["export", f"{workdir}/"], 1, f"there is no checkpoint in {workdir}/"
    done = checkpoint(*words)
    assert (done.returncode, done.stdout) == (code, b"") and said in done.stderr.decode(), done
    assert done.stderr.count(b"\n") == 1


def test_an_archive_is_not_for_a_terminal(store):
    main, end = pty.openpty()
    done = subprocess.run([lc.BINARY, "checkpoint", "export", store], stdout=end, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 2 and b">FILE" in done.stderr
    done = subprocess.run([lc.BINARY, "checkpoint", "import", store], stdin=end, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 2 and b"<FILE" in done.stderr
    os.close(main)
    os.close(end)


# ---- beside others ----

def test_import_waits_for_the_lock(workdir, store):
    holder = subprocess.Popen(["flock", store / "lock", "sh", "-c", "echo held; read wait"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    before = look(store)
    waiting = subprocess.Popen([lc.BINARY, "checkpoint", "import", store], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    waiting.stdin.write(archive(*simple()))
    waiting.stdin.close()
    lc.wait_for(lambda: lc.read(f"/proc/{waiting.pid}/syscall").startswith("73 "), what="the wait in flock(2)")
    assert look(store) == before
    holder.communicate(b"\n")
    assert waiting.wait(30) == 0 and len(checkpoints(store)) == 2


def test_export_into_import_under_load(workdir, odd_tree):
    """Several at a time, between two directories: each arrives whole."""
    checkpoint("import", workdir / "a", stdin=archive(*entries_of(odd_tree)))
    runs = []
    for _ in range(4):
        out = subprocess.Popen([lc.BINARY, "checkpoint", "export", workdir / "a"], stdout=subprocess.PIPE)
        into = subprocess.Popen([lc.BINARY, "checkpoint", "import", workdir / "b"], stdin=out.stdout)
        out.stdout.close()
        runs += [out, into]
        checkpoint("import", workdir / "a", stdin=archive(*entries_of(odd_tree)))
    assert [r.wait(60) for r in runs] == [0] * 8
    assert len(checkpoints(workdir / "b")) == 4
    assert checkpoint("verify", workdir / "b").stdout.count(b": whole, ") == 4
    for name in checkpoints(workdir / "b"):
        assert look(workdir / "b" / name / "data") == look(odd_tree)


def test_an_export_holds_its_checkpoint(workdir):
    """While it is read somebody else who asks for the lock on the directory, as pruning does, does not get it."""
    big = b"x" * (8 << 20)
    checkpoint("import", workdir / "s", stdin=archive([entry("big", data=big)], {b"big": big}))
    name = checkpoints(workdir / "s")[0]
    out = subprocess.Popen([lc.BINARY, "checkpoint", "export", workdir / "s"], stdout=subprocess.PIPE)
    start = out.stdout.read(100000)
    assert subprocess.run(["flock", "-n", workdir / "s" / name, "true"]).returncode == 1
    whole = start + out.stdout.read()
    assert out.wait(30) == 0
    assert subprocess.run(["flock", "-n", workdir / "s" / name, "true"]).returncode == 0
    assert checkpoint("import", workdir / "t", stdin=whole).returncode == 0


@pytest.mark.limit(200)
@pytest.mark.skipif(lc.SANITIZED, reason="its runtime keeps what it should give back")
def test_many_entries_need_no_memory(workdir):
    """The manifest is read from the disk, an entry at a time."""
    def peak(n):
        """In KB, when all but the archive's end has been read."""
        entries = [entry(f"d{i // 1000}/f{i}" if i % 1000 else f"d{i // 1000}", "file" if i % 1000 else "dir") for i in range(n)]
        child = subprocess.Popen([lc.BINARY, "checkpoint", "import", workdir / f"s{n}"], stdin=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL)
        child.stdin.write(archive(entries, {})[:-len(END)])
        child.stdin.flush()
        lc.wait_for(lambda: lc.read(f"/proc/{child.pid}/syscall").startswith("0 0x0 ")
                    and fcntl.ioctl(child.stdin, termios.FIONREAD, bytes(4)) == bytes(4), 100, "all of it to be read")
        used = int(lc.proc_status(child.pid, "VmHWM").split()[0])
        child.communicate(END)
        assert child.returncode == 0
        return used
    few, many = peak(100), peak(8000)
    assert many < few + 500, (few, many)


# ---- a running lastcall ----

@pytest.fixture
def running(app, workdir):
    """With three checkpoints: one that works, one with the name of a verb, one whose command fails."""
    return app(f"""
        [lastcall]
        grace = 5s
        checkpoint-dir = {workdir}/all
        [service web]
        command = @svc web
        main = yes
        [checkpoint jobs]
        command = sh -c "echo $$0 >$LASTCALL_CHECKPOINT_DIR/f" saved
        when = never
        [checkpoint list]
        command = touch ${{LASTCALL_CHECKPOINT_DIR}}/g
        when = never
        [checkpoint bad]
        command = false
        when = never
        """)


def test_beside_a_running_lastcall(running, workdir):
    """Names, and which there are, come from it; what is imported is there for its next start."""
    running.ready()
    taken = running.verb("checkpoint", "jobs")
    assert (taken.code, taken.err) == (0, "") and re.fullmatch(r"jobs: taken: 000001-\S+Z\n", taken.out), taken
    assert running.verb("checkpoint", "--", "list").out.startswith("list: taken: 000001-")
    assert running.verb("checkpoint", "--no-wait", "jobs").code == 0
    lc.wait_for(lambda: len(checkpoints(workdir / "all/jobs")) == 2, what="the second")
    failed = running.verb("checkpoint", "bad")
    assert failed.code == 1 and "bad: not taken" in failed.err
    assert running.verb("checkpoint", "nope").err == "lastcall checkpoint: there is no such checkpoint\n"
    listed = json.loads(running.verb("checkpoint", "list", "--json").out)
    assert [(s["name"], s["dir"], len(s["checkpoints"])) for s in listed] == \
        [(n, f"{workdir}/all/{n}", k) for n, k in (("jobs", 2), ("list", 1), ("bad", 0))]
    assert running.verb("checkpoint", "list", "jobs").out.startswith(f"jobs  {workdir}/all/jobs\n  000002-")
    assert " f\n" in running.verb("checkpoint", "show", "latest", "jobs").out
    assert running.verb("checkpoint", "verify").out.count(": whole, ") == 3
    several = running.verb("checkpoint", "export")
    assert several.code == 1 and several.err == "lastcall checkpoint: say which checkpoint: jobs, list, bad\n"
    shell = f"{running.box.binary} checkpoint export jobs | {running.box.binary} checkpoint import jobs"
    moved = running.run("sh", "-c", shell)
    assert moved.code == 0 and moved.out.startswith("000003-"), moved
    assert look(workdir / "all/jobs" / checkpoints(workdir / "all/jobs")[0] / "data").keys() == {b"f"}
    everything = running.verb("checkpoint")
    assert everything.code == 1 and "jobs: taken: 000004-" in everything.err and "bad: not taken" in everything.err
    assert running.stop() == 0


def test_nobody_waits_for_an_import(running, workdir):
    """While its archive comes slowly checkpoints are taken, others imported, and it is left alone. Then it is the newest."""
    running.ready()
    store = workdir / "all/jobs"
    whole = archive(*simple())
    slow = subprocess.Popen([lc.BINARY, "checkpoint", "import", store], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    slow.stdin.write(whole[:-2048])
    slow.stdin.flush()
    lc.wait_for(lambda: any((store / n / "data" / "d").exists() for n in os.listdir(store)), what="its beginning")
    assert running.verb("checkpoint", "jobs").code == 0
    assert checkpoint("import", store, stdin=whole).returncode == 0
    assert [n for n in os.listdir(store) if n.startswith(".new-000001-")]
    out, _ = slow.communicate(whole[-2048:])
    assert slow.returncode == 0 and out.startswith(b"000004-"), out
    assert [n[:6] for n in checkpoints(store)] == ["000004", "000003", "000002"]
    assert os.readlink(store / "latest") == checkpoints(store)[0]
    assert checkpoint("verify", store).stdout.count(b": whole, ") == 3
    cut = subprocess.Popen([lc.BINARY, "checkpoint", "import", store], stdin=subprocess.PIPE)
    cut.stdin.write(whole[:-2048])
    cut.stdin.flush()
    lc.wait_for(lambda: any(n.startswith(".new-") for n in os.listdir(store)), what="another")
    cut.kill()
    cut.wait()
    assert running.verb("checkpoint", "jobs").code == 0
    assert not [n for n in os.listdir(store) if n.startswith(".")]
    assert running.stop() == 0


def test_an_export_is_not_pruned_away(running, workdir):
    """Its reader is slow, and meanwhile more are taken than are kept: it comes out whole, and is pruned later."""
    running.ready()
    big = b"x" * (4 << 20)
    store = workdir / "all/jobs"
    assert checkpoint("import", store, stdin=archive([entry("big", data=big)], {b"big": big})).returncode == 0
    held = checkpoints(store)[0]
    out = subprocess.Popen([lc.BINARY, "checkpoint", "export", held, store], stdout=subprocess.PIPE)
    start = out.stdout.read(100000)
    for _ in range(5):
        assert running.verb("checkpoint", "jobs").code == 0
    assert held in checkpoints(store) and len(checkpoints(store)) == 4
    rest = out.stdout.read()
    assert out.wait(30) == 0
    assert checkpoint("import", workdir / "other", stdin=start + rest).returncode == 0
    assert running.verb("checkpoint", "jobs").code == 0
    lc.wait_for(lambda: len(checkpoints(store)) == 3, what="pruning")
    assert held not in checkpoints(store)
    assert running.stop() == 0


def test_a_directory_that_cannot_be_read_is_not_an_empty_one(store):
    checkpoint("import", store, stdin=archive(*simple()))
    for verb in ("verify", "list", "show", "export"):
        done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", "inject=getdents64:error=EIO", lc.BINARY, "checkpoint",
                               verb, store], capture_output=True, timeout=60)
        assert done.returncode == 1 and b"input/output error" in done.stderr, (verb, done)
