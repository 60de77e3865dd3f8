"""Programs as PID 1 of namespaces of their own, and how each init is called."""
import os
import select
import shutil
import signal
import subprocess
import time

WORK = "/run/bench"
PEERS = ["tini", "tini-static", "dumb-init", "catatonit"]
OWN = ["lastcall", "lastcall -c"]       # a single command; and the same with a file
INITS = [*OWN, *PEERS]
FLOOR = "floor"                         # the least that can be PID 1; hands on no signal


class Failure(Exception):
    pass


def argv(name, *words, group=False):
    """How each is called. group: signals to the command's group, which is lastcall's default."""
    if name == FLOOR:
        return [f"{WORK}/{name}", *words]
    if name == "lastcall -c":
        return [f"{WORK}/lastcall", "-q", "-c", f"{WORK}/quiet.ini", "--", *words]
    options = ["-g"] if group and name in ("tini", "tini-static", "catatonit") else []
    return [f"{WORK}/{name}", *options, "--", *words]


def write_ini(name, general, services=()):
    """One configuration file; a service is its name and its lines."""
    path = f"{WORK}/{name}.ini"
    lines = ["[lastcall]", "report = off", *general]
    for service in services:
        lines += ["", f"[service {service[0]}]", *service[1:]]
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


def command(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"{' '.join(words)}: {done.stderr.strip() or done.returncode}")


def prepare(lastcall, source, names):
    """Files stand on a tmpfs that goes with the namespace. Copies of the inits: pages shared with a
    program that others run would make Pss too small."""
    command("mount", "-t", "tmpfs", "tmpfs", "/run")
    os.mkdir(WORK)
    command("ip", "link", "set", "lo", "up")
    shutil.copy(lastcall, f"{WORK}/lastcall")
    for name in names:
        shutil.copy(shutil.which(name), f"{WORK}/{name}")
    compiler = shutil.which("musl-gcc") or shutil.which("gcc")
    for name, more in (("svc", []), ("floor", []), ("timing", ["launch.c"]), ("drive", ["launch.c"])):
        command(compiler, "-O2", "-static", "-s", "-o", f"{WORK}/{name}",
                *(f"{source}/{file}" for file in (f"{name}.c", *more)))
    write_ini("quiet", ["control = off"])
    os.chdir("/")


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def wait_for(what, condition, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.002)
    raise Failure(f"waited {seconds} s in vain: {what}")


class Boxed:
    """A command as PID 1 of a pid and a mount namespace of its own."""

    def __init__(self, words, **streams):
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", *words],
            stdin=subprocess.DEVNULL, **streams)
        base = os.path.basename(words[0])[:15]
        self.pid = wait_for(f"{base} as PID 1", lambda: self.exec_done(base))

    def exec_done(self, base):
        for child in children(self.holder.pid):
            with open(f"/proc/{child}/comm") as file:
                if file.read().strip() == base:
                    return child
        return 0

    def stop(self, seconds=10.0):
        """TERM from outside; the milliseconds until PID 1 has ended, and its exit code."""
        handle = os.pidfd_open(self.pid)
        begin = time.monotonic()
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        ended, _, _ = select.select([handle], [], [], seconds)
        took = time.monotonic() - begin
        os.close(handle)
        if not ended:
            self.kill()
            raise Failure(f"did not end within {seconds} s of TERM")
        code = self.holder.wait()
        return took * 1000, 128 - code if code < 0 else code

    def kill(self):
        """The holder's end kills PID 1, and that one's end all the others."""
        handle = os.pidfd_open(self.pid)
        self.holder.kill()
        self.holder.wait()
        select.select([handle], [], [], 10)
        os.close(handle)


class Plain(Boxed):
    """The same without a namespace: lastcall as the subreaper."""

    def __init__(self, words, **streams):
        self.holder = subprocess.Popen(words, stdin=subprocess.DEVNULL, **streams)
        self.pid = self.holder.pid

    def kill(self):
        self.holder.kill()
        self.holder.wait()

    def stop(self, seconds=10.0):
        begin = time.monotonic()
        self.holder.terminate()
        try:
            code = self.holder.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"did not end within {seconds} s of TERM") from None
        return (time.monotonic() - begin) * 1000, 128 - code if code < 0 else code
