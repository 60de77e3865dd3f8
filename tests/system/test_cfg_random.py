"""Configurations and lives by chance, from a seed: whatever they are, it ends within the grace, with nothing left, and
the report is whole. LASTCALL_SEEDS=FROM-TO runs other seeds than the few of every day."""
import os
import random
import signal
import time
from pathlib import Path

import pytest

from cfg import *
from lc import wait_for

FIRST, LAST = (int(n) for n in os.environ.get("LASTCALL_SEEDS", "1-12").split("-"))
HOW = ["", "", "", "deaf=1", "work=200", "work=5000", "default=1", "exit=3", "child=kid,deaf=1", "child=kid",
       "away=gone,deaf=1", "away=gone,life=300", "own=kid,deaf=1", "life=150", "life=400 exit=2", "life=300 die=9", "delay=300 listen=PORT"]
COMMANDS = ["@say NAME", "@say NAME 150", "@say NAME 0 1", "@say NAME 60000", "@svc NAME deaf=1",
            "@svc NAME away=demon,deaf=1 life=100", "/nonexistent", "@svc NAME child=kid,deaf=1"]


def service(r, n, before):
    how = r.choice(HOW).replace("PORT", str(9000 + n))
    lines = [f"[service s{n}]", f"command = @svc s{n} {how}", f"essential = {r.choice(['no', 'no', 'yes'])}"]
    if "listen" in how:
        lines.append(f"ready = tcp 127.0.0.1:{9000 + n} every 50ms")
    if before and r.random() < 0.5:
        lines.append("after = " + ", ".join(sorted(set(r.choices(before, k=2)))))
    for chance, line in ((0.3, "stop-timeout = 400ms"), (0.2, "guarantee = 200ms"), (0.2, "restart = always"),
                         (0.2, "kill-mode = main"), (0.2, "stop-signal = INT, TERM after 100ms"), (0.2, "stop-command = " + r.choice(COMMANDS)),
                         (0.1, "live = exec false every 100ms failures 2")):
        if r.random() < chance:
            lines.append(line.replace("NAME", f"c{n}"))
    return lines


def step(r, kind, n):
    lines = [f"[{kind} {kind[0]}{n}]"]
    lines.append(r.choice(["sleep = 200ms", "wait-exit = s0", "signal = s0 USR1"]) if r.random() < 0.2
                 else "command = " + r.choice(COMMANDS).replace("NAME", f"{kind[0]}{n}"))
    for chance, line in ((0.5, "timeout = 400ms"), (0.2, "guarantee = 100ms"), (0.2, "required = yes"), (0.2, "after = none"),
                         (0.2, "on-failure = skip-rest"), (0.1, "for = s0")):
        if r.random() < chance:
            lines.append(line)
    if lines[1].startswith("command") and r.random() < 0.3:
        lines += [r.choice(["retry = 3 every 50ms", "only-if = true", "only-if = false", "only-if = sleep 100"])]
    return lines


def configuration(r):
    lines = ["[lastcall]", "grace = 3s", "restart-delay = 10ms..100ms", f"order = {r.choice(['ordered', 'parallel'])}",
             f"announce = {r.choice(['0s', '200ms'])}"]
    names = []
    for n in range(r.randint(1, 7)):
        lines += service(r, n, names)
        names.append(f"s{n}")
    if r.random() < 0.5:
        lines += ["[service main]", "command = @svc main " + r.choice(HOW[:7]), "main = yes"]
    for kind, most in (("drain", 4), ("finish", 2)):
        for n in range(r.randint(0, most)):
            lines += step(r, kind, n)
    return "\n".join(lines)


def live(r, run, clients):
    """Some things happen to it, then it is asked to stop in one way or another; gives when that was."""
    def verb(*words):
        clients.append(run.popen(run.box.binary, *words))

    def kill_net(sig):
        net = run.net()
        if net:
            try:
                os.kill(net, sig)
            except ProcessLookupError:
                pass

    for _ in range(r.randint(0, 4)):
        if run.code is not None:
            return
        r.choice([lambda: verb("drain"), lambda: verb("resume"), lambda: verb("restart", "s0"), lambda: verb("stop", "s0"),
                  lambda: verb("start", "s0"), lambda: verb("signal", "s0", "USR1"), lambda: kill_net(signal.SIGKILL),
                  lambda: kill_net(signal.SIGSTOP), lambda: run.signal(signal.SIGHUP), lambda: None])()
        time.sleep(r.choice([0, 0.05, 0.2]))


@pytest.mark.parametrize("seed", range(FIRST, LAST + 1))
def test_a_life_by_chance(app, both, seed):
    r = random.Random(seed)
    clients = []
    run = app(configuration(r), mode=both, may_leave=True)
    wait_for(lambda: run.code is not None or run.events())
    begun = time.monotonic()
    try:
        live(r, run, clients)
        begun = time.monotonic()
        for n, sig in enumerate(r.choice([[SIGTERM], [SIGTERM], [SIGTERM, SIGTERM], [SIGINT, SIGINT], [SIGINT] * 3])):
            if run.code is None:
                run.signal(sig)
                time.sleep(r.choice([0, 0.1, 0.4]))
    except ProcessLookupError:                  # it has ended by itself
        pass
    run.wait()
    if not lc.SANITIZED:
        assert run.exited_at - begun < 3 + LATE, run.err
    late = False
    if Path(run.report_path).exists():
        report = run.report()
        late = report["verdict"] == "overran"
        assert report["exit"] == run.code and report["verdict"] != "interrupted", run.describe()
        assert not [s for s in report["steps"] if s["state"] == "running"]
    assert late or not [left for left in run.left if left[1] != "lastcall"], run.left      # clients may be there
    for client in clients:
        client.communicate(timeout=BOUND)
