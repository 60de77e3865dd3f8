"""Debian's Chromium, without a window and without a network, spoken to over two pipes (Chrome DevTools Protocol).

    page = browser.open(path)
    page.value("document.documentElement.tagName")       # of an expression; JSON values
    page.scheme("dark")                                  # what it prefers from now on
    page.pixels(x, y, width, height)                     # rows of (red, green, blue), ZOOM of them for one CSS pixel
    page.requests, page.complaints                       # what it has asked for; what it has found wrong
"""
import base64
import itertools
import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import zlib

ZOOM = 3
BOUND = 60


def decode(png):
    """Rows of (red, green, blue): what a browser writes, 8 bits a channel and not interlaced."""
    at, data = 8, b""
    while at < len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
        data += body if kind == b"IDAT" else b""
        at += 12 + size
    assert depth == 8 and colour in (2, 6) and not interlaced
    step = 3 if colour == 2 else 4
    raw, before, rows = zlib.decompress(data), bytes(width * step), []
    for y in range(height):
        start = y * (width * step + 1)
        line = bytearray(raw[start + 1:start + 1 + width * step])
        for i in range(len(line)):
            left = line[i - step] if i >= step else 0
            corner = before[i - step] if i >= step else 0
            line[i] = (line[i] + predicted(raw[start], left, before[i], corner)) & 255
        before = bytes(line)
        rows.append([tuple(line[x:x + 3]) for x in range(0, len(line), step)])
    return rows


def predicted(how, left, above, corner):
    """PNG's five filters."""
    if how == 4:
        guess = left + above - corner
        return min((abs(guess - left), 0, left), (abs(guess - above), 1, above), (abs(guess - corner), 2, corner))[2]
    return (0, left, above, (left + above) // 2)[how]


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session
        self.requests, self.complaints = [], []

    def tell(self, method, **params):
        return self.browser.ask(method, self.session, **params)

    def value(self, expression):
        answer = self.tell("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def scheme(self, name):
        self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def pixels(self, x, y, width, height):
        answer = self.tell("Page.captureScreenshot", captureBeyondViewport=True,
                           clip={"x": x, "y": y, "width": width, "height": height, "scale": ZOOM})
        return decode(base64.b64decode(answer["data"]))

    def heard(self, event, params):
        if event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.complaints.append(params)


class Browser:
    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="lcbrowser")
        to_it, ours = os.pipe()
        self.answers, from_it = os.pipe()
        self.commands, self.numbers, self.pages = ours, itertools.count(1), {}
        self.waiting, self.arrived, self.ended = {}, threading.Condition(), False

        def give_pipes():                               # it reads 3 and writes 4
            a, b = os.dup(to_it), os.dup(from_it)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            ["unshare", "--net", "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
             "--window-size=1000,800", f"--user-data-dir={self.home}", "--remote-debugging-pipe", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=give_pipes, start_new_session=True, env={**os.environ, "HOME": self.home})
        os.close(to_it)
        os.close(from_it)
        self.reader = threading.Thread(target=self._listen, daemon=True)
        self.reader.start()

    def _listen(self):
        rest = b""
        while piece := os.read(self.answers, 1 << 16):
            *messages, rest = (rest + piece).split(b"\0")
            for text in messages:
                message = json.loads(text)
                with self.arrived:
                    if "id" in message:
                        self.waiting[message["id"]] = message
                    elif message.get("sessionId") in self.pages:
                        page = self.pages[message["sessionId"]]
                        page.heard(message["method"], message["params"])
                        page.loaded = getattr(page, "loaded", False) or message["method"] == "Page.loadEventFired"
                    self.arrived.notify_all()
        with self.arrived:
            self.ended = True
            self.arrived.notify_all()

    def wait(self, condition):
        with self.arrived:
            assert self.arrived.wait_for(lambda: condition() or self.ended, BOUND) and condition(), "no word from the browser"

    def ask(self, method, session=None, **params):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params, **({"sessionId": session} if session else {})}
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        self.wait(lambda: number in self.waiting)
        answer = self.waiting.pop(number)
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def open(self, path):
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session)
        page.target, page.loaded = target, False
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.tell(f"{domain}.enable")
        page.tell("Page.navigate", url=f"file://{path}")
        self.wait(lambda: page.loaded)
        return page

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.reader.join(BOUND)
        os.close(self.commands)
        os.close(self.answers)
        shutil.rmtree(self.home)
