"""`lastcall plan --svg`: an image that is XML, holds its texts as text, and keeps inside its own frame."""
import json
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import lc
from cfg import *

NS = "{http://www.w3.org/2000/svg}"
INI = (Path(__file__).parent / "svg.ini").read_text()


def plan(*words):
    done = subprocess.run([lc.BINARY, "plan", *map(str, words)], capture_output=True, text=True, timeout=60)
    return done.stdout, done.stderr, done.returncode


def draw(path):
    out, err, code = plan("--svg", "-", path)
    assert code == 0, err
    return ElementTree.fromstring(out)


def rects(image, kind):
    return [{k: int(r.get(k)) for k in ("x", "y", "width", "height")} for r in image.iter(NS + "rect") if r.get("class") == kind]


def test_it_keeps_inside_its_frame(conf):
    image = draw(conf(INI))
    width, height = int(image.get("width")), int(image.get("height"))
    assert image.get("viewBox") == f"0 0 {width} {height}"
    boxes = [r for kind in "pmrl" for r in rects(image, kind)]
    assert len(boxes) > 10
    for box in boxes:
        assert 0 <= box["x"] and box["x"] + box["width"] <= width and 0 <= box["y"] and box["y"] + box["height"] <= height, box
    for text in image.iter(NS + "text"):
        assert 0 < int(text.get("x")) <= width and 0 < int(text.get("y")) <= height


def test_a_row_for_each_step_with_its_promise(conf):
    image = draw(conf(INI))
    names = ["".join(t.itertext()) for t in image.iter(NS + "text") if t.get("class") == "n"]
    assert sorted(names) == ["a-name-that-is-muc\u2026 stop", "announce announce", "queue drain", "sweep sweep", "web stop"]
    titles = [t.text for t in image.iter(NS + "title")]
    assert "announce: 5.0 s promised, at most 5.0 s" in titles and "queue: 2.0 s promised, at most 4.0 s" in titles
    assert any(t.startswith("a-name-that-is-much-too-long-for-its-column: ") for t in titles)
    pixels = 500 / 30                                          # of a second
    first = rects(image, "p")[0]
    assert first["x"] == 228 and abs(first["width"] - 5 * pixels) <= 1
    reserve = rects(image, "r")[0]
    assert abs(reserve["width"] - pixels) <= 1 and reserve["x"] + reserve["width"] == 728


def test_light_and_dark(conf):
    style = draw(conf(INI)).find(NS + "style").text
    assert "prefers-color-scheme:dark" in style and "background:#fff" in style


def test_two_hundred_services(conf):
    image = draw(conf("[lastcall]\ngrace = 30s\n" + "".join(f"[service s{n}]\ncommand = ./x\n" for n in range(200))))
    assert len([t for t in image.iter(NS + "text") if t.get("class") == "n"]) == 202  # announce and sweep too


def test_it_is_written_to_a_file(conf, workdir):
    path = conf(INI)
    assert plan("--svg", workdir / "plan.svg", path) == ("", "", 0)
    assert ElementTree.parse(workdir / "plan.svg").getroot().tag == NS + "svg"
    out, err, code = plan("--svg", workdir / "none" / "plan.svg", path)
    assert code == 1 and "plan.svg: no such file or directory" in err and out == ""


def test_where_it_cannot_be_written(conf):
    for path, why in (("/dev/full", "no space left"), ("/nowhere/plan.svg", "no such file or directory")):
        done = subprocess.run([lc.BINARY, "plan", "--svg", path, conf(INI)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and f"{path}: {why}" in done.stderr
    closed = subprocess.run(["sh", "-c", f"exec {lc.BINARY} plan {conf(INI)} >&-"], capture_output=True, text=True, timeout=60)
    assert closed.returncode == 1 and "stdout: it is closed" in closed.stderr


def test_each_step_has_a_mark_in_the_timeline(conf):
    path = conf("[lastcall]\ngrace = 24h\n[service web]\ncommand = x\n[finish bye]\ncommand = y\n")
    out = subprocess.run([lc.BINARY, "plan", path], capture_output=True, text=True, timeout=60).stdout
    bars = [line for line in out.splitlines() if line.endswith("|")]
    assert len(bars) == 4 and all("#" in bar or "=" in bar for bar in bars), out


def test_the_table_for_a_machine_beside_the_image(conf, workdir):
    path = conf(INI)
    out, err, code = plan("--json", "--svg", workdir / "plan.svg", path)
    assert (json.loads(out)["grace_ms"], err, code) == (30000, "", 0)
    assert ElementTree.parse(workdir / "plan.svg").getroot().tag == NS + "svg"
    out, err, code = plan("--json", "--svg", "-", path)
    assert code == 2 and out == "" and err == "lastcall plan: --svg -: stdout is for the JSON; name a file for the image\n"
