"""What the program prints is whole, however long it is, or it says that it is not."""
import fcntl
import json
import os
import subprocess

import lc
from cfg import *

GOOD = "[lastcall]\ngrace = 5s\n[service web]\ncommand = sleep 1\nmain = yes\n"


def call(*words, **options):
    return subprocess.run([lc.BINARY, *map(str, words)], capture_output="stdout" not in options, text=True, timeout=60,
                          **({"stderr": subprocess.PIPE} if "stdout" in options else {}), **options)


def ring(n):
    """Services that wait for each other in a circle: the finding names them all."""
    return "".join(f"[service a-service-with-quite-a-long-name-{i}]\ncommand = true\n"
                   f"after = a-service-with-quite-a-long-name-{(i + 1) % n}\n" for i in range(n))


# ---- long lines ----

@pytest.mark.parametrize("n", [40, 80, 400], ids=lambda n: f"{n} services")
def test_a_long_finding_is_whole_in_the_log(conf, n):
    """It is about the start, so json lines are for a machine that parses them."""
    path = conf(ring(n))
    done = call("--log", "json", "-c", path)
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 78 and [s["level"] for s in said] == ["error"]
    text = call("-c", path).stderr
    for i in range(n):
        assert f"-name-{i} " in said[0]["message"] + " " and f"-name-{i} " in text.replace("\n", " ")
    assert text.count("\n") == 1


def test_a_long_finding_waits_for_who_reads_slowly(conf):
    """The pipe takes less than the line has; it is whole all the same."""
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    run = subprocess.Popen([lc.BINARY, "--log", "json", "-c", conf(ring(400))], stderr=theirs)
    os.close(theirs)
    pieces = []
    while piece := os.read(ours, 1000):
        pieces.append(piece)
    os.close(ours)
    assert run.wait(lc.BOUND) == 78
    assert json.loads(b"".join(pieces))["message"].count("-name-") > 400


@pytest.mark.parametrize("name", ["\x01", '"', "\xff".encode("latin-1"), "\u20ac"], ids=ascii)
def test_a_line_of_the_log_keeps_its_form_whatever_a_name_holds(name):
    name = name if isinstance(name, bytes) else name.encode()
    done = subprocess.run([lc.BINARY, "--log", "json", "--", name * 2000], capture_output=True, timeout=60)
    assert done.returncode in (126, 127)
    for line in done.stderr.splitlines():
        assert json.loads(line)["message"]


# ---- a file that cannot be read ----

@pytest.mark.parametrize("path", ["none.ini", "file/none.ini"])
def test_a_file_that_cannot_be_read_is_a_finding(workdir, path):
    (workdir / "file").write_text(GOOD)
    done = call("check", "--json", workdir / path)
    assert done.returncode == 78 and done.stderr == ""
    finding, = json.loads(done.stdout)
    assert finding["file"] == str(workdir / path) and finding["level"] == "error"
    assert call("check", workdir / path).stdout == f"{workdir / path}:1: error: {finding['message']}\n"


# ---- a disk that is full ----

RESULTS = [["--help"], ["--version"], ["check", "@"], ["check", "--json", "@"], ["plan", "@"], ["plan", "--json", "@"],
           ["plan", "--svg", "-", "@"], ["simulate", "@"], ["simulate", "--json", "@"], ["plan", "--help"],
           ["rehearse", "@"]]


@pytest.mark.parametrize("words", RESULTS, ids=" ".join)
def test_a_result_that_cannot_be_written_is_an_error(conf, words):
    words = [conf(GOOD + "[drain d]\ncommand = true\n") if word == "@" else word for word in words]
    with open("/dev/full", "w") as full:
        done = call(*words, stdout=full)
    lines = [line for line in done.stderr.splitlines() if "stdout" in line]
    assert done.returncode == 1 and len(lines) == 1, done
    assert "no space left" in lines[0]


@pytest.mark.parametrize("where,why", [(">/dev/full", "no space left"), (">&-", "it is closed")])
@pytest.mark.parametrize("words", ["status", "status --json", "status --watch", "status --json --watch", "drain",
                                   "checkpoint list", "checkpoint export"])
def test_an_answer_that_cannot_be_written_is_an_error(app, programs, words, where, why):
    """A closed stdout is not the first thing that is opened: that would be the socket, or a checkpoint's file."""
    run = app("[lastcall]\ncheckpoint-dir = @W\n[service a]\ncommand = @svc a\n[checkpoint j]\n"
              "command = touch ${LASTCALL_CHECKPOINT_DIR}/f\ntimeout = 4s\n").ready()
    assert run.verb("checkpoint", "j").code == 0
    done = run.run("/bin/sh", "-c", f"{programs.lastcall} {words} {where}")
    what = "the archive cannot be written" if "export" in words else "stdout"
    assert done.code == 1 and done.err == f"lastcall {words.split()[0]}: {what}: {why}\n"
    assert run.stop() == 0
