"""`lastcall plan --svg` in a real browser: what a person sees of it, in light and in dark, and can select."""
import collections
import itertools
import subprocess

import pytest

from browser import Browser
from engine import BINARY, HERE

INI = (HERE.parent / "system" / "svg.ini").read_text()
# The widest names and times there are.
WIDE = """
[lastcall]
grace = 24h
announce = 1h
[service mmmmmmmmmmmmmmmmmmmmmm]
command = ./x
main = yes
[drain wwwwwwwwwwwwwwwwwwwwww]
command = ./x
timeout = 1h
"""
TEXTS = """[...document.querySelectorAll("text")].map(e => {
    const b = e.getBoundingClientRect();
    return {text: e.textContent, kind: e.className.baseVal, x: b.x, y: b.y, width: b.width, height: b.height};
})"""


@pytest.fixture(scope="module")
def browser():
    it = Browser()
    yield it
    it.close()


@pytest.fixture
def draw(browser, workdir):
    """draw(ini): the page with its image."""
    def begin(ini):
        (workdir / "app.ini").write_text(ini)
        subprocess.run([BINARY, "plan", "--svg", workdir / "plan.svg", workdir / "app.ini"], check=True,
                       capture_output=True, timeout=60)
        return browser.open(workdir / "plan.svg")
    return begin


def luminance(colour):
    """WCAG's relative luminance."""
    parts = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a, b):
    dark, light = sorted(map(luminance, (a, b)))
    return (light + 0.05) / (dark + 0.05)


def colour_at(page, kind):
    """The colour in the middle of the first box of that kind that nothing covers."""
    x, y = page.value(f"""[...document.querySelectorAll("rect.{kind}")].map(e => e.getBoundingClientRect())
        .map(b => [b.right - 3, b.y + b.height / 2])
        .find(at => document.elementFromPoint(...at).className.baseVal == "{kind}")""")
    return page.pixels(x, y, 1, 1)[1][1]


def test_it_opens_without_a_word_and_asks_nobody(draw):
    page = draw(INI)
    assert page.value("document.documentElement.tagName") == "svg"
    assert page.value("document.querySelectorAll('parsererror').length") == 0
    assert page.complaints == []
    assert len(page.requests) == 1 and page.requests[0].startswith("file://")


def test_its_text_can_be_selected(draw):
    page = draw(INI)
    page.value("getSelection().selectAllChildren(document.documentElement)")
    selected = " ".join(page.value("getSelection().toString()").split())
    for text in ("What a stop may take", "web stop", "a-name-that-is-muc\u2026 stop", "queue drain", "announce announce",
                 "sweep sweep", "0.0 s", "30.0 s", "the reserve"):
        assert text in selected


@pytest.mark.parametrize("ini", [INI, WIDE, INI + "".join(f"[service s{n}]\ncommand = ./x\n" for n in range(60))],
                         ids=["common", "wide", "many"])
def test_every_text_has_its_place(draw, ini):
    """Inside of the image, and over no other one."""
    page = draw(ini)
    width, height = page.value("[+document.documentElement.getAttribute('width'), "
                               "+document.documentElement.getAttribute('height')]")
    texts = page.value(TEXTS)
    assert len(texts) > 10
    for t in texts:
        assert 0 <= t["x"] and t["x"] + t["width"] <= width and 0 <= t["y"] and t["y"] + t["height"] <= height, t
    for a, b in itertools.combinations(texts, 2):
        assert a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"] or \
            a["y"] + a["height"] <= b["y"] + 3 or b["y"] + b["height"] <= a["y"] + 3, (a, b)
    bars = page.value("Math.min(...[...document.querySelectorAll('.m')].map(e => e.getBoundingClientRect().x))")
    assert all(t["x"] + t["width"] < bars for t in texts if t["kind"] == "n")


def test_the_legend_shows_what_it_names(draw):
    """Not by words such as dark, which are another's in the other scheme."""
    page = draw(INI)
    texts = {t["text"]: t for t in page.value(TEXTS)}
    for text, kind in (("promised", "p"), ("at most, if nobody else needs it", "m"), ("the reserve", "r")):
        t = texts[text]
        x, y = t["x"] - 8, t["y"] + t["height"] / 2
        assert page.value(f"document.elementFromPoint({x}, {y}).className.baseVal") == kind


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable(draw, scheme):
    """As pixels have it: text by WCAG's measure of 4.5, bars and what lies under them apart from each other."""
    page = draw(INI)
    page.scheme(scheme)
    grounds = set()
    for t in page.value(TEXTS):
        rows = page.pixels(t["x"], t["y"], t["width"], t["height"])
        colours = collections.Counter(itertools.chain.from_iterable(rows))
        ground = colours.most_common(1)[0][0]
        grounds.add(ground)
        assert max(contrast(ground, colour) for colour in colours) >= 4.5, (t, ground)
    ground, = grounds
    assert (luminance(ground) > 0.9) == (scheme == "light") and (luminance(ground) < 0.1) == (scheme == "dark")
    promised, most, reserve = (colour_at(page, kind) for kind in "pmr")
    assert contrast(promised, ground) >= 3 and contrast(promised, most) >= 2
    assert contrast(most, ground) >= 2 and contrast(reserve, ground) >= 1.3


def test_it_follows_the_scheme_in_a_document_too(browser, draw, workdir):
    draw(INI)
    (workdir / "doc.html").write_text("<!doctype html><body style='margin:0'><img src=plan.svg>")
    page = browser.open(workdir / "doc.html")
    assert page.value("document.images[0].complete && document.images[0].naturalWidth") == 760
    corners = []
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        corners.append(page.pixels(2, 2, 1, 1)[0][0])
    assert luminance(corners[0]) > 0.9 and luminance(corners[1]) < 0.1
