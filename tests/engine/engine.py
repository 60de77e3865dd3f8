"""The harness of the tests with real Docker and podman: a dockerd of our own, an image from scratch, containers.

    def test_something(run, image, workdir):
        c = run("-v", f"{workdir}:/w", image, "prog", "record", "/w/log", "15:7")   # docker run -d ...: a Container
        wait_for_text(workdir / "log", "ready")
        c.stop()                                # docker stop
        assert c.wait() == 7                    # docker wait: the exit code
        assert "..." in c.err                   # docker logs

    def test_another(docker, image, build):
        assert docker("run", "--rm", image, "true").returncode == 0     # any docker command; its texts are captured
        other = build("ENTRYPOINT []", "CMD echo hello")                # an image made from `image`

The image has busybox with all its links, lastcall, tini and prog (tests/system/programs/prog.c) in /bin, and
ENTRYPOINT ["lastcall", "--"]. Files that a container and a test share stand in workdir.

The daemon lives in pid, mount and net namespaces. When the first process of these ends, and it ends with the
process that runs the tests, however that ends, there is no process, mount, image, container or interface left. What
stays of a run that was killed itself, its directory in /tmp and empty cgroups, the next run removes.
"""
import fcntl
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
from lc import BINARY, ROOT, Stream, Failed, read, wait_for as wait_here, _pid_namespace, all_pids   # noqa: E402

BOUND = 60              # seconds that one wait may take on a busy machine before it counts as never
CLIENT = "/usr/bin/docker"      # Debian's, whatever else is called docker here
PREFIX = "lastcall-engine-"     # of a run's directory in /tmp, and of its cgroups
NAMESPACES = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--kill-child", "--mount-proc"]


class NoEngine(Exception):
    """No engine can run here; says why."""


def wait_for(condition, timeout=BOUND, what="condition"):
    return wait_here(condition, timeout, what)


def wait_for_text(path, regex):
    return wait_for(lambda: re.search(regex, read(path), re.M), what=lambda: f"{regex!r} in {read(path)!r}")


def cgroups(prefix):
    """The directories in every cgroup hierarchy whose name begins so."""
    mounts = [line.split() for line in read("/proc/mounts").splitlines()]
    return [d for m in mounts if m[2] in ("cgroup", "cgroup2") for d in Path(m[1]).glob(prefix + "*") if d.is_dir()]


def remove_cgroups(prefix):
    def gone():
        for top in cgroups(prefix):
            for directory, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:                 # its last process is not reaped yet
                    pass
        return not cgroups(prefix)
    wait_for(gone, what=lambda: f"the end of {cgroups(prefix)}")


def remove_killed_runs():
    """What stays of runs that were killed before they could clean up."""
    for old in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        if lock(old):
            remove_cgroups(old.name)
            shutil.rmtree(old)


def new_base():
    """A directory for one run, locked while its owner lives."""
    remove_killed_runs()
    base = Path(tempfile.mkdtemp(prefix=PREFIX))
    base.chmod(0o755)
    lock(base)
    return base


def lock(directory):
    """The descriptor is kept, and inherited by nobody: the lock ends with this process."""
    fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        os.close(fd)
        return False


def bar_tree(into):
    """What the image from scratch holds."""
    binaries = into / "bin"
    binaries.mkdir(parents=True)
    for name, source in (("busybox", "/bin/busybox"), ("lastcall", BINARY), ("tini", "/usr/bin/tini-static")):
        shutil.copy(source, binaries / name)
    subprocess.run([os.environ.get("TEST_CC", "gcc"), "-std=gnu11", "-static", "-O1", "-o", binaries / "prog",
                    HERE.parent / "system" / "programs" / "prog.c"], check=True)
    for applet in subprocess.check_output([binaries / "busybox", "--list"], text=True).split():
        if not (binaries / applet).exists():
            (binaries / applet).symlink_to("busybox")
    if subprocess.run(["chroot", into, "busybox", "true"], capture_output=True).returncode != 0:
        raise NoEngine("busybox here needs libraries: make test-engine installs busybox-static in its place")
    for name in ("tmp", "w"):
        (into / name).mkdir()
        (into / name).chmod(0o1777)
    (into / "Dockerfile").write_text('FROM scratch\nCOPY . /\nENTRYPOINT ["lastcall", "--"]\n')


class Engine:
    """A dockerd. with Engine(base, options...) as engine: ..."""
    SCRIPT, NAME, CLIENT = "daemon.sh", "dockerd", [CLIENT]

    def __init__(self, base, *options):
        self.base = Path(base)
        self.socket = self.base / "docker.sock"
        self.log = self.base / "dockerd.log"
        self.cgroup = f"{self.base.parent.name}-{self.base.name}"
        self.options = options
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.base), "DOCKER_HOST": f"unix://{self.socket}",
                            "DOCKER_BUILDKIT": "0", "TERM": "dumb"}
        self.namespace = None

    def __enter__(self):
        self.base.mkdir()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*NAMESPACES, "--net", "sh", HERE / self.SCRIPT, self.socket, "/" + self.cgroup, *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(self.answers, what=f"a {self.NAME} that answers")
        except BaseException as error:
            self.__exit__()
            if isinstance(error, (Failed, NoEngine)):
                raise NoEngine(f"no {self.NAME} can run here: {error}\n{read(self.log)[-3000:]}") from None
            raise
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise NoEngine(f"{self.NAME} exited {self.process.returncode}")
        self.namespace = self.namespace or self.find_namespace()
        return self.namespace and self.docker("version", check=False).returncode == 0

    def find_namespace(self):
        first = read(f"/proc/{self.process.pid}/task/{self.process.pid}/children").split()
        found = _pid_namespace(first[0]) if first else None
        return found if found != os.readlink("/proc/self/ns/pid") else None

    def __exit__(self, *_):
        self.process.kill()                     # and with it all that is in its namespaces
        self.process.wait()
        if self.namespace:
            wait_for(lambda: not self.processes(), what=lambda: f"the end of {self.processes()}")
        remove_cgroups(self.cgroup)
        self.socket.unlink(missing_ok=True)

    def processes(self):
        return [pid for pid in all_pids() if _pid_namespace(pid) == self.namespace]

    def docker(self, *args, check=True, timeout=BOUND):
        """Any docker command, to its end; the CompletedProcess has its texts."""
        done = subprocess.run([*self.CLIENT, *map(str, args)], env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"docker {args}: {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def build(self, directory, *options):
        """docker build; returns the image's id."""
        return self.docker("build", "-q", *options, directory).stdout.strip()


class Podman(Engine):
    """A podman, asked as Docker is. Podman(base, init): its init, a file that is called catatonit."""
    SCRIPT, NAME, CLIENT = "podman.sh", "podman", ["/usr/bin/podman", "--remote"]

    def __init__(self, *args):
        super().__init__(*args)
        self.environment["CONTAINER_HOST"] = f"unix://{self.socket}"
        self.environment["CONTAINERS_CONF"] = str(self.base / "containers.conf")
        self.group = ["--cgroup-parent", f"/{self.cgroup}"]     # of each container and each pod
        self.words = {"run": self.group, "rm": ["-t", "0"]}

    def docker(self, verb, *args, **options):
        return super().docker(verb, *self.words.get(verb, []), *args, **options)


class Container:
    """What a `docker run -d` started."""

    def __init__(self, engine, cid):
        self.engine, self.id = engine, cid

    def docker(self, verb, *args, **options):
        return self.engine.docker(verb, *args, self.id, **options)

    def inspect(self, what):
        return self.docker("inspect", "--format", "{{%s}}" % what).stdout.strip()

    def signal(self, name):
        self.docker("kill", "-s", name)

    def stop(self, seconds=BOUND - 10):
        """docker stop. The time is long: a KILL by Docker shows as exit code 137."""
        self.docker("stop", "-t", seconds)

    def wait(self):
        return int(self.docker("wait").stdout)

    def exec(self, *command, **options):
        return self.engine.docker("exec", self.id, *command, **options)

    def ps(self):
        """The processes that it sees: [(pid, ppid, command line)]."""
        rows = [row.split(None, 2) for row in self.exec("ps", "-o", "pid,ppid,args").stdout.splitlines()[1:]]
        return [(int(pid), int(ppid), line.strip()) for pid, ppid, line in rows if not line.startswith("ps ")]

    @property
    def out(self):
        return self.docker("logs").stdout

    @property
    def err(self):
        return self.docker("logs").stderr


class Terminal(Container):
    """docker run -it at a pseudo terminal: what is typed, and what is shown."""

    def __init__(self, engine, *args):
        super().__init__(engine, uuid.uuid4().hex)
        self.master, slave = os.openpty()
        self.resize(24, 80)
        self.client = subprocess.Popen([CLIENT, "run", "-it", "--name", self.id, *map(str, args)], env=engine.environment, stdin=slave, stdout=slave,
                                       stderr=slave, start_new_session=True,
                                       preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.screen = Stream(os.dup(self.master))

    def type(self, text):
        os.write(self.master, text.encode())

    def resize(self, rows, columns):
        """The kernel tells the client, the client tells dockerd."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def shown(self, regex):
        return wait_for(lambda: re.search(regex, self.screen.text, re.M),
                        what=lambda: f"{regex!r} on the terminal, which has {self.screen.text!r}")

    def wait(self):
        """The client's exit code, which is the container's."""
        return self.client.wait(BOUND)

    def close(self):
        self.docker("rm", "-f", check=False)
        self.client.kill()
        self.client.wait()
        os.close(self.master)
