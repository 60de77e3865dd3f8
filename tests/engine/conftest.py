"""Fixtures of the tests with real Docker; the harness itself, with its documentation, is engine.py."""
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path

import pytest

import engine as harness
from engine import Container, Engine, NoEngine, Podman, Terminal

SERVERS = ["nginx-light", "redis-server", "postgresql-15", "python3", "sqlite3"]


def pytest_configure():
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, signal.default_int_handler)      # clean up then, as at Ctrl-C


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: "debian" in item.fixturenames)      # last: it is made while the others run


@pytest.fixture(scope="session")
def base():
    if os.geteuid() != 0:
        pytest.exit("a dockerd needs root", 2)
    if not harness.BINARY.exists():
        pytest.exit(f"no {harness.BINARY}: run make, or set LASTCALL_BIN", 2)
    path = harness.new_base()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def tree(base):
    """The context of the image from scratch."""
    try:
        harness.bar_tree(base / "bar")
    except NoEngine as error:
        pytest.exit(str(error), 1)
    return base / "bar"


def started(base, name, *options, kind=Engine):
    """An engine; where there can be none, the run fails at once and says why."""
    try:
        return kind(base / name, *options).__enter__()
    except NoEngine as error:
        pytest.exit(str(error), 1)


@pytest.fixture(scope="session")
def engine(base, tree):
    """The dockerd of nearly all tests. What `docker run --init` starts is lastcall."""
    shutil.copy(harness.BINARY, base / "docker-init")
    daemon = started(base, "engine", "--init-path", base / "docker-init")
    yield daemon
    daemon.__exit__()


@pytest.fixture(scope="session")
def peer(base, tree):
    """A dockerd as it comes: its --init is Debian's docker-init."""
    daemon = started(base, "peer", "--init-path", "/usr/bin/docker-init")
    yield daemon
    daemon.__exit__()


@pytest.fixture(scope="session", params=["lastcall", "catatonit"])
def podman(base, tree, request):
    """Two of them: one's init is lastcall, the other's Debian's catatonit. Both have the image `bar`."""
    (base / "init").mkdir(exist_ok=True)
    shutil.copy(harness.BINARY, base / "init" / "catatonit")
    init = base / "init" if request.param == "lastcall" else Path("/usr/libexec/podman")
    engine = started(base, f"podman-{request.param}", init / "catatonit", kind=Podman)
    engine.build(tree, "-t", "bar")
    yield engine
    engine.__exit__()


@pytest.fixture(scope="session", autouse=True)
def bootstrap(engine, request):
    """A Debian and a repository in the making: half a minute for which tests that do not need them need not wait."""
    if not any("debian" in item.fixturenames for item in request.session.items):
        yield
        return
    log = engine.base / "debian.log"
    script = ["sh", harness.HERE / "debian.sh", engine.base / "packages", *SERVERS]
    maker = subprocess.Popen([*harness.NAMESPACES, *script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=log.open("w"), start_new_session=True)
    taker = subprocess.Popen([harness.CLIENT, "import", "-", "debian:12-slim"], stdin=maker.stdout,
                             stdout=subprocess.DEVNULL, stderr=log.open("a"), env=engine.environment)
    maker.stdout.close()
    yield maker, taker, log
    for process in (maker, taker):
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def debian(bootstrap):
    maker, taker, log = bootstrap
    assert (maker.wait(600), taker.wait(60)) == (0, 0), harness.read(log)[-3000:]


@pytest.fixture(scope="session")
def packages(engine, debian):
    """A directory with those of SERVERS, a repository for apt."""
    return engine.base / "packages"


@pytest.fixture(scope="session")
def image(engine, tree):
    return engine.build(tree, "-t", "bar")


@pytest.fixture
def docker(engine):
    return engine.docker


@pytest.fixture
def build(engine, image, workdir):
    """build(line...): an image made from `image` with these lines; NAME=TEXT options are files of the context."""
    def make(*lines, **files):
        context = workdir / uuid.uuid4().hex
        context.mkdir()
        (context / "Dockerfile").write_text("\n".join(["FROM bar", *lines]) + "\n")
        for name, text in files.items():
            (context / name).write_text(text)
            (context / name).chmod(0o755)
        return engine.build(context)
    return make


@pytest.fixture
def workdir(base):
    path = Path(tempfile.mkdtemp(dir=base, prefix="t"))
    path.chmod(0o1777)
    return path


@pytest.fixture
def run(engine):
    """run(argument...): docker run -d with these; a Container. All are removed when the test ends."""
    made = []

    def begin(*args, on=engine):
        made.append(Container(on, on.docker("run", "-d", *args).stdout.strip()))
        return made[-1]
    yield begin
    for container in made:
        container.docker("rm", "-f")


@pytest.fixture
def terminal(engine):
    """terminal(argument...): docker run -it with these, at a pseudo terminal of its own."""
    made = []

    def begin(*args):
        made.append(Terminal(engine, *args))
        return made[-1]
    yield begin
    for each in made:
        each.close()
