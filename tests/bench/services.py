"""What the peers cannot be asked: lastcall with services under it."""
import os
import select
import statistics
import subprocess
import time

from boxes import WORK, Boxed, Failure, Plain, write_ini

MANY = 200


def read_starts(box, count):
    """Every service says one byte when it runs."""
    pipe, end = box.holder.stdout, time.monotonic() + 15
    while count > 0:
        ready, _, _ = select.select([pipe], [], [], max(0, end - time.monotonic()))
        data = os.read(pipe.fileno(), 4096) if ready else b""
        if not data:
            raise Failure(f"{count} services have not started")
        count -= len(data)


def idle_stop(options):
    program = f"command = {WORK}/svc serve"
    bare = write_ini("stop", ["grace = 10s", "control = off"], [["web", program, "main = yes"]])
    doors = write_ini("ready", ["grace = 10s", "http = 127.0.0.1:9180", f"control = {WORK}/socket"],
                      [["web", program, "main = yes", "ready = tcp 127.0.0.1:9180 every 1s"]])
    rows = {}
    for label, ini in (("stop of one idle service, ms", bare), ("the same with endpoints, ms", doors)):
        took = []
        for _ in range(options.stops):
            box = Boxed([f"{WORK}/lastcall", "-q", "-c", ini], stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL)
            read_starts(box, 1)
            time.sleep(0.1)
            ms, code = box.stop()
            if code:
                raise Failure(f"{label}: exit code {code}, expected 0")
            took.append(ms)
        rows[label] = {"median": statistics.median(took), "worst": max(took), "asked": 20}
    return rows


def many(mode, chain):
    services = []
    for n in range(MANY):
        lines = [f"s{n:03}", f"command = {WORK}/svc {mode}"]
        if chain and n:
            lines.append(f"after = s{n - 1:03}")
        services.append(lines)
    return write_ini(f"{mode}-{'chain' if chain else 'level'}", ["grace = 3s", "control = off"], services)


def left_over():
    """The service processes that still exist in this namespace."""
    count = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                count += file.read().split("(")[1].startswith("svc)")
        except OSError:
            pass
    return count


def start_and_stop(make, ini):
    begin = time.monotonic()
    box = make([f"{WORK}/lastcall", "-q", "-c", ini], stdout=subprocess.PIPE,
               stderr=subprocess.DEVNULL)
    read_starts(box, MANY)
    start = (time.monotonic() - begin) * 1000
    stop, _code = box.stop()
    left = left_over()
    box.holder.stdout.close()
    return start, stop, left


def many_services(options):
    """The obedient end at once, the deaf at their deadline: 3 s."""
    rows, left, before = {}, 0, left_over()
    for mode, what, asked in (("serve", "obedient", 1000), ("deaf", "deaf", 3000)):
        for chain in (False, True):
            ini = many(mode, chain)
            for make, where in ((Boxed, "PID 1"), (Plain, "subreaper")):
                runs = [start_and_stop(make, ini) for _ in range(options.many)]
                took = [start + stop if mode == "serve" else stop for start, stop, _ in runs]
                rows[f"{MANY} {what}, {'chain' if chain else 'level'}, {where}: "
                     f"{'start and stop' if mode == 'serve' else 'stop'}, ms"] = {
                         "median": statistics.median(took), "worst": max(took), "asked": asked}
                left += sum(each for _, _, each in runs) - len(runs) * before
    rows["processes left over by all of these"] = {"median": left, "worst": left, "asked": 0}
    return rows


MEASURES = [idle_stop, many_services]
