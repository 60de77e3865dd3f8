"""What is measured of every init, all of them in turns. One function a theme; each gives rows:
label -> {init: figure}. Times come from timing.c and drive.c, which start and stop nothing else.

Times are taken on one processor, as a real-time process where that is allowed: there what an init
does counts, and neither the machine's other work nor the time a sleeping processor needs to wake."""
import os
import re
import signal
import statistics
import subprocess
import time

from boxes import FLOOR, INITS, OWN, WORK, Boxed, Failure, argv, children, wait_for, write_ini

CROWDS = {1000: 100, 10000: 20, 100000: 9}  # orphans: rounds
READERS = 4                         # inits of each kind that rest at once


def alone():
    """The words before a command that measures times."""
    words = ["taskset", "-c", str(max(os.sched_getaffinity(0)))]
    if subprocess.run(["chrt", "-f", "1", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        words = ["chrt", "-f", "1", *words]
    return words


def sampled(program, mode, numbers, commands, before=()):
    """One list of samples for each command, in the order of the commands; a sample is a list of numbers."""
    words = [*before, f"{WORK}/{program}", mode, *map(str, numbers)]
    for n, each in enumerate(commands):
        words += ([","] if n else []) + each
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise Failure(f"{program} {mode}: {done.stderr.strip().splitlines()[-1:]}")
    samples = [[] for _ in commands]
    for line in done.stdout.splitlines():
        which, *values = map(int, line.split())
        samples[which].append(values)
    return samples


def times(samples):
    return [[values[0] for values in each] for each in samples]


def percentile(samples, percent):
    return sorted(samples)[min(len(samples) - 1, len(samples) * percent // 100)]


def sizes(_options):
    """bytes: of the program alone; the dynamic ones map a C library as well."""
    return {"bytes": {name: os.path.getsize(argv(name)[0]) for name in (*INITS, FLOOR)}}


def syscalls(options):
    """From the exec of PID 1 to the fork of its child, both ends counted."""
    figures = {}
    for name in options.inits:
        trace = f"{WORK}/trace"
        subprocess.run(["strace", "-f", "-o", trace, "unshare", "--mount", "--pid", "--fork",
                        "--mount-proc", *argv(name, "true")], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        with open(trace) as file:
            figures[name] = calls_to_fork(file.read(), f'execve("{argv(name)[0]}"')
    return {"system calls, exec to fork": figures}


def calls_to_fork(text, begin):
    pid, count = None, 0
    for line in text.splitlines():
        who, call = line.split(maxsplit=1)
        if pid is None and call.startswith(begin):
            pid = who
        if who != pid or call.startswith(("<...", "---", "+++")):
            continue
        count += 1
        if re.match(r"(clone3?|v?fork)\b", call):
            return count
    raise Failure(f"no fork after {begin}")


def memory(options):
    """Of PID 1 with a sleeping child, one init at a time, so that copies of one program share nothing. What
    is private and dirty is what is anonymous: a program's own pages count as dirty on a tmpfs."""
    pss, dirty = {}, {}
    for name in options.inits:
        box = Boxed(argv(name, "sleep", "1000"))
        wait_for("the child", lambda box=box: children(box.pid))
        come_to_rest([box])
        with open(f"/proc/{box.pid}/smaps_rollup") as file:
            text = file.read()
        pss[name], dirty[name] = (int(re.search(rf"^{key}:\s+(\d+)", text, re.M).group(1))
                                  for key in ("Pss", "Anonymous"))
        box.kill()
    return {"memory idle (Pss), kB": pss, "of it private and dirty, kB": dirty}


def faults(_options):
    """Pages that have to come back before a signal can be handed on: lastcall gives its own away."""
    box = Boxed(argv("lastcall", f"{WORK}/svc", "ping"), stdout=subprocess.PIPE)
    box.holder.stdout.read(1)
    counts = []
    for _ in range(3):
        time.sleep(1.2)
        before = minor_faults(box.pid)
        os.kill(box.pid, signal.SIGUSR1)
        box.holder.stdout.read(8)
        time.sleep(0.1)
        counts.append(minor_faults(box.pid) - before)
    box.kill()
    box.holder.stdout.close()
    return {"page faults for a signal after a rest": {"lastcall": max(counts)}}


def minor_faults(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[7])


def switches(pid):
    with open(f"/proc/{pid}/status") as file:
        return sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", file.read()))


def come_to_rest(boxes):
    """What the start has left to do has been done: PID 1 has not run for a while. Some inits never come to that."""
    for _ in range(30):
        before = [switches(box.pid) for box in boxes]
        time.sleep(0.3)
        if [switches(box.pid) for box in boxes] == before:
            break


def wakeups(options):
    """How often PID 1 ran in ten seconds in which nothing happened."""
    doors = write_ini("doors", [f"control = {WORK}/idle.sock", "http = 127.0.0.1:9181"])
    commands = {name: argv(name, "sleep", "1000") for name in options.inits}
    commands["with endpoints"] = [f"{WORK}/lastcall", "-q", "-c", doors, "--", "sleep", "1000"]
    boxes = {name: Boxed(words) for name, words in commands.items()}
    for box in boxes.values():
        wait_for("the child", lambda box=box: children(box.pid))
    time.sleep(1)
    come_to_rest(boxes.values())
    before = {name: switches(box.pid) for name, box in boxes.items()}
    time.sleep(10)
    figures = {name: switches(box.pid) - before[name] for name, box in boxes.items()}
    for box in boxes.values():
        box.kill()
    figures["lastcall -c"] = max(figures["lastcall -c"], figures.pop("with endpoints"))
    return {"wake-ups in 10 s idle": figures}


def early(options):
    """TERM as soon as a child is visible. Group mode for all: what is sent to the child alone can only
    be lost on fewer ways, and reaches less."""
    names = [name for name in options.inits if name != FLOOR]
    lost = sampled("timing", "early", [options.early],
                   [argv(name, "sleep", "100", group=True) for name in names])
    return {f"early TERMs lost, of {options.early}": dict(zip(names, map(sum, times(lost))))}


def run_true(options):
    samples = times(sampled("timing", "run", [options.rounds],
                            [argv(name, "true") for name in options.inits], alone()))
    return {"run of `true`, ms": {name: statistics.median(s) / 1e6
                                  for name, s in zip(options.inits, samples)}}


def exits(options):
    samples = times(sampled("timing", "exit", [options.exits],
                            [argv(name, f"{WORK}/svc", "stamp", "10") for name in options.inits], alone()))
    return {"child's exit to the init's, µs": {name: statistics.median(s) / 1e3
                                               for name, s in zip(options.inits, samples)}}


def signals(options):
    """While signals come often; and each after more than a second of rest, for which lastcall gives its
    memory back: several of each kind rest at once."""
    names = [name for name in options.inits if name != FLOOR]
    commands = [argv(name, f"{WORK}/svc", "ping") for name in names]
    rows = {}
    for label, numbers, copies, percent in (("signal to child", [options.signals, 500], 1, 99),
                                            ("signal to child, rested", [options.rests, 1100000], READERS, 90)):
        samples = times(sampled("drive", "signal", numbers, commands * copies, alone()))
        by_name = {name: sum(samples[n::len(names)], []) for n, name in enumerate(names)}
        rows[f"{label}, µs"] = {name: statistics.median(s) / 1e3 for name, s in by_name.items()}
        rows[f"{label}, {percent} %, µs"] = {name: percentile(s, percent) / 1e3 for name, s in by_name.items()}
    return rows


def reaps(options, crowd, rounds):
    """(time, CPU time of the init) for each orphan, ns; the lower quartile, for what else happens only adds. As many
    at once as there are numbers for: a namespace does not know what those around it have left, so it is tried."""
    commands, wave = [argv(name, f"{WORK}/svc", "storm") for name in options.inits], crowd
    while True:
        try:
            samples = sampled("drive", "reap", [rounds, crowd, wave], commands, alone())
            break
        except Failure as failure:
            if wave < 500 or "cannot be had" not in str(failure):
                raise
            wave //= 2
    return {name: [percentile(values, 25) / crowd for values in zip(*each)]
            for name, each in zip(options.inits, samples)}


def storms(options):
    rows, cost = {}, {}
    for crowd, rounds in CROWDS.items():
        cost[crowd] = reaps(options, crowd, rounds)
        rows[f"orphans reaped in 1 s, of {crowd:,}"] = {name: 1e9 / each[0] for name, each in cost[crowd].items()}
    rows["cost of an orphan, 100,000 : 1,000"] = {
        name: cost[max(CROWDS)][name][0] / cost[min(CROWDS)][name][0] for name in options.inits}
    return rows


def growth(options):
    """The same in CPU time, which other work on the machine does not lengthen; fewer, as it is a test."""
    few, many = (reaps(options, crowd, 5) for crowd in (1000, 8000))
    return {"cost of an orphan, 8,000 : 1,000": {name: many[name][1] / few[name][1] for name in OWN}}


MEASURES = [sizes, memory, syscalls, run_true, signals, storms, exits, wakeups, early]
CHECKED = [syscalls, memory, faults, wakeups, early, growth]
