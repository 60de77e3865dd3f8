#!/usr/bin/env python3
"""Breaks the decision code in small ways, one at a time, and shows that the tests notice.

    mutants.py [--sample N] [--seed S] [--only TEXT] [--quick] [--jobs N] [--cache FILE]

Each way to break it (breaks.py) is compiled into a shared object, and the tests run on that: the unit tests
(Criterion's place is taken by criterion/), the simulated shutdowns, all of them with sanitizers, and all that can
happen to small systems. The cheapest come first; the first that fails is enough, and so is an endless loop. What
does not compile, and what compiles to the code of the original or of an earlier way, does not count.

Fails if a way survives that the file `survivors` does not explain. The cache remembers which test noticed, so that
the next run asks this one first.
"""

import argparse
import collections
import concurrent.futures
import glob
import hashlib
import json
import os
import queue
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import breaks

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CC = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", '-DLASTCALL_VERSION="0"', "-w", "-fPIC"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
LEAST = 95  # percent
WALL = 300  # seconds; a test is held to its processor time, this is for one that sleeps

Mutant = collections.namedtuple("Mutant", "file it identity")
Test = collections.namedtuple("Test", "name words again")  # again: what of its output names the case that failed

QUICK = [Test("unit", ["unit"], None), Test("sim", ["sim", "-q", "-n", "3000"], r"seed (\d+)")]
SLOW = [Test("unit, sanitized", ["unit-san"], None), Test("sim, more", ["sim", "-q", "-n", "20000", "-b", "50", "-s", "10000"], r"seed (\d+)"),
        Test("sim, sanitized", ["sim-san", "-q", "-n", "1000"], None),
        Test("every", ["every", "-e", "2", "0", "1", "6", "11", "12", "14", "15", "16", "17"], None)]


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def digest(*paths):
    total = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as f:
            total.update(f.read())
    return total.hexdigest()


class Interrupted(Exception):
    """Somebody ends it: what has been found is told."""


def interrupt(*_):
    raise Interrupted


class Bench:
    """The programs and objects of the unbroken core, in a directory of their own."""

    def __init__(self, place, quick):
        self.place, self.src = place, os.path.join(place, "src")
        self.quick, self.tests = quick, QUICK if quick else QUICK + SLOW
        shutil.copytree(ROOT + "/src", self.src)  # the tree may change while this runs
        self.sources = sorted(glob.glob(self.src + "/core/*.c") + glob.glob(self.src + "/model/*.c"))
        self.limits = {}

    def path(self, *parts):
        return os.path.join(self.place, *parts)

    def compile(self, source, target, *flags):
        done = subprocess.run(CC + list(flags) + ["-iquote", self.src, "-c", "-o", target, source],
                              stderr=subprocess.DEVNULL, check=False)
        return done.returncode == 0

    def build(self, pool):
        jobs = []
        os.mkdir(self.path("bin"))
        for kind, flags in (("O0", ["-O0"]), ("O2", ["-O2"]), ("san", ["-O0"] + SANITIZE)):
            if kind == "san" and self.quick:
                break
            os.mkdir(self.path(kind))
            for source in self.sources:
                jobs.append(pool.submit(self.compile, source, self.object(kind, source), *flags))
        if not all(job.result() for job in jobs):
            sys.exit("mutants: the unbroken code does not compile")
        for kind in ("O0",) if self.quick else ("O0", "san"):
            self.link(kind, self.path(kind), {})
        tests = {test.words[0] for test in self.tests}
        jobs = [pool.submit(self.program, *program) for program in self.programs() if program[0] in tests]
        for job in jobs:
            job.result()
        self.name = digest(*sorted(glob.glob(self.path("bin", "*"))), *[self.object("O0", s) for s in self.sources])

    def object(self, kind, source):
        return self.path(kind, os.path.basename(source) + ".o")

    def link(self, kind, place, instead):
        """The core as a shared object; some of its objects may be others."""
        objects = [instead.get(s, self.object(kind, s)) for s in self.sources]
        subprocess.run(["ld", "-shared", "-o", os.path.join(place, "libcore.so")] + objects, check=True)

    def programs(self):
        unit = [t for t in glob.glob(ROOT + "/tests/unit/test_*.c") if re.search('"(checkpoint_)?support.h"|"core/', read(t))]
        unit.sort(key=lambda path: ("test_core" not in path, path))  # who kills most comes first
        unit = ["-I", HERE, "-iquote", ROOT + "/tests/unit"] + unit + [HERE + "/criterion/main.c"]
        sim = sorted(glob.glob(ROOT + "/tests/sim/*.c"))
        for name, flags in (("", ["-O2"]), ("-san", ["-O1"] + SANITIZE)):
            yield "unit" + name, flags + unit, "san" if name else "O0"
            yield "sim" + name, flags + sim, "san" if name else "O0"
        yield "every", ["-O2"] + glob.glob(ROOT + "/tests/every/*.c"), "O0"

    def program(self, name, words, kind):
        subprocess.run(CC + words + ["-iquote", self.src, "-o", self.path("bin", name), "-L", self.path(kind), "-lcore"],
                       check=True)

    def measure(self):
        """All tests pass on the unbroken core; ten times their time is an endless loop."""
        for test in self.tests:
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.limits[test.words[0]] = 600
            code, output = self.run(test.words, self.path("san" if "-san" in test.words[0] else "O0"))
            if code != 0:
                sys.exit("mutants: %s fails on the unbroken core: %d\n%s" % (test.name, code, output))
            now = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.limits[test.words[0]] = int((now.ru_utime - used.ru_utime + now.ru_stime - used.ru_stime) * 10) + 1

    def run(self, words, library):
        output = os.path.join(library, "output")
        environment = dict(os.environ, LD_LIBRARY_PATH=library, ASAN_OPTIONS="detect_leaks=0")
        with open(output, "wb") as file:
            child = subprocess.Popen([self.path("bin", words[0])] + words[1:], stdout=file, stderr=subprocess.DEVNULL,
                                     env=environment, cwd=library)
            for what, most in ((resource.RLIMIT_CPU, self.limits[words[0]]), (resource.RLIMIT_FSIZE, 1 << 18),
                               (resource.RLIMIT_CORE, 0)):
                try:
                    resource.prlimit(child.pid, what, (most, most))
                except ProcessLookupError:
                    pass
            try:
                code = child.wait(WALL)
            except subprocess.TimeoutExpired:
                child.kill()
                code = child.wait()
        with open(output, errors="replace", encoding="utf-8") as file:
            return code, file.read()


class Run:
    def __init__(self, bench, cache, jobs, quick):
        self.bench, self.cache, self.quick = bench, cache, quick
        self.places = queue.Queue()
        self.lock, self.seen, self.skipped = threading.Lock(), set(), collections.Counter()
        self.known, self.unexplained = explanations(), 0
        for i in range(jobs):
            place = bench.path("worker%d" % i)
            os.makedirs(place + "/see/model")
            self.places.put(place)

    def with_place(self, what, *arguments):
        place = self.places.get()
        try:
            return what(place, *arguments)
        finally:
            self.places.put(place)

    def objects(self, place, mutant, kind, *flags):
        """{source: object} of the broken core, {} if it does not compile."""
        text = read(os.path.join(self.bench.src, mutant.file))
        text = text[:mutant.it.at] + mutant.it.new + text[mutant.it.end:]
        header = mutant.file.endswith(".h")
        written = os.path.join(place, "see", mutant.file) if header else os.path.join(place, os.path.basename(mutant.file))
        with open(written, "w", encoding="utf-8") as file:
            file.write(text)
        sources = {s: s for s in self.bench.sources} if header else {os.path.join(self.bench.src, mutant.file): written}
        made = {}
        for original, source in sources.items():
            made[original] = os.path.join(place, kind + os.path.basename(original) + ".o")
            if not self.bench.compile(source, made[original], *flags, "-iquote", place + "/see"):
                made = {}
                break
        os.unlink(written)
        return made

    def name(self, made, kind):
        """A digest of what it compiles to; None: nothing, "same": what the original compiles to."""
        if not made:
            return None
        broken = digest(*made.values())
        return "same" if broken == digest(*[self.bench.object(kind, source) for source in made]) else broken

    def judge(self, place, mutant):
        """The test that noticed; "" if none did, None if it does not count."""
        made = self.objects(place, mutant, "O0", "-O0")
        name = self.name(made, "O0")
        with self.lock:
            if name is None or name == "same" or name in self.seen:
                self.skipped["do not compile" if name is None else "change nothing" if name == "same" else "repeat another"] += 1
                return None
            self.seen.add(name)
        found = self.cache["verdicts"].get(self.bench.name + name)
        if found is None:
            found = self.notice(place, mutant, made)
            if not self.quick:
                self.cache["verdicts"][self.bench.name + name] = found
        if found == "same":
            self.skipped["change nothing"] += 1
            return None
        if not found:
            self.say_survivor(mutant)
        return found

    def say_survivor(self, mutant):
        if place_of(mutant) in self.known:
            self.known[place_of(mutant)] = True
        else:
            self.unexplained += 1
            print("%s\n  - %s\n  + %s" % place_of(mutant), flush=True)

    def notice(self, place, mutant, made):
        hint = self.cache["hints"].get(key_of(mutant))
        self.bench.link("O0", place, made)
        if hint and hint[1][0] in self.bench.limits and "-san" not in hint[1][0] and self.bench.run(hint[1], place)[0] != 0:
            return hint[0]
        if self.fails(place, mutant, QUICK):
            return self.cache["hints"][key_of(mutant)][0]
        if self.name(self.objects(place, mutant, "O2", "-O2"), "O2") == "same":
            return "same"
        if self.quick or place_of(mutant) in self.known:
            return ""
        os.makedirs(place + "/san", exist_ok=True)
        self.bench.link("san", place + "/san", self.objects(place, mutant, "san", "-O0", *SANITIZE))
        return self.cache["hints"][key_of(mutant)][0] if self.fails(place, mutant, SLOW) else ""

    def fails(self, place, mutant, tests):
        for test in tests:
            code, output = self.bench.run(test.words, place + "/san" if "-san" in test.words[0] else place)
            if code != 0:
                self.cache["hints"][key_of(mutant)] = [test.name, again(test, output)]
                return True
        return False


def again(test, output):
    """The shortest command that notices it too."""
    found = test.again and re.search(test.again, output)
    if found:
        return [test.words[0], "-q", "-n", "1", "-s", found.group(1)]
    if test.name == "unit" and output.split():
        return [test.words[0], output.split()[-1]]
    return test.words


def key_of(mutant):
    return "\n".join([mutant.file] + [str(part) for part in mutant.identity])


def place_of(mutant):
    function, old, new, _ = mutant.identity
    return "%s %s" % (mutant.file, function), old, new


def all_mutants(src, only):
    headers = [read(h) for h in glob.glob(src + "/model/*.h") + glob.glob(src + "/core/*.h")]
    found = []
    for path in sorted(glob.glob(src + "/core/*.c")) + [src + "/model/instant.h"]:
        text = read(path)
        following = breaks.successors(headers + [text])
        file = os.path.relpath(path, src)
        found += [Mutant(file, it, identity) for it, identity in breaks.breaks_of(text, following)]
    return [m for m in found if any(part in key_of(m) for part in only.split(","))]


def explanations():
    """(file function, old line, new line) of the survivors that are explained; the syntax is at the file's top."""
    known, where, old = {}, "", ""
    for line in read(os.path.join(HERE, "survivors")).splitlines():
        mark, words = line.strip()[:1], " ".join(line.strip()[1:].split())
        if not line.strip() or mark == "#":
            continue
        if not line.startswith(" "):
            where = " ".join(line.split())
        elif mark == "-":
            old = words
        elif mark == "+":
            known[where, old, words] = False
        elif mark != "=":
            sys.exit("survivors: what is this? %s" % line)
    return known


def report(run, verdicts, whole):
    """Prints the figures; True if all is well."""
    killed, survived = collections.Counter(), collections.Counter()
    for mutant, verdict in verdicts:
        (killed if verdict else survived)[mutant.file] += 1
    for place in [p for p, used in run.known.items() if not used and whole]:
        print("survivors: this does not survive any more: %s: %s" % (place[0], place[2]))
    print("left out: " + ", ".join("%d %s" % (n, what) for what, n in run.skipped.items()))
    print("noticed by: " + ", ".join("%s %d" % pair for pair in
                                     collections.Counter(v for m, v in verdicts if v).most_common()))
    for file in sorted({m.file for m, v in verdicts}):
        print("%-18s %s" % (file, figures(killed[file], survived[file])))
    print("%-18s %s, %d not explained" % ("all", figures(killed.total(), survived.total()), run.unexplained))
    return run.unexplained == 0 and (not whole or killed.total() * 100 >= LEAST * len(verdicts))


def figures(killed, survived):
    return "%4d killed, %3d survived: %5.1f %%" % (killed, survived, 100 * killed / max(1, killed + survived))


def load_cache(path, name):
    cache = json.loads(read(path)) if path and os.path.exists(path) else {"hints": {}, "verdicts": {}}
    cache["verdicts"] = {k: v for k, v in cache["verdicts"].items() if k.startswith(name)}
    return cache


def save_cache(path, cache):
    if path:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(cache, file)
        os.replace(path + ".new", path)


def run_all(options, place):
    pool = concurrent.futures.ThreadPoolExecutor(options.jobs)
    bench = Bench(place, options.quick)
    bench.build(pool)
    bench.measure()
    run = Run(bench, load_cache(options.cache, bench.name), options.jobs, options.quick)
    mutants = all_mutants(bench.src, options.only)
    whole = not options.only and not 0 < options.sample < len(mutants)
    if 0 < options.sample < len(mutants):
        mutants = random.Random(options.seed).sample(mutants, options.sample)
    mutants.sort(key=lambda mutant: key_of(mutant) in run.cache["hints"])  # the unknown first
    found = []
    try:
        for mutant, verdict in zip(mutants, pool.map(lambda mutant: run.with_place(run.judge, mutant), mutants)):
            found.append((mutant, verdict))
    except Interrupted:
        whole = False
        print("interrupted after %d of %d" % (len(found), len(mutants)))
    finally:
        pool.shutdown(cancel_futures=True)
        save_cache(options.cache, run.cache)
    return report(run, [pair for pair in found if pair[1] is not None], whole)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--sample", type=int, default=0, help="so many, drawn by the seed; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="those whose file, function or lines contain one of these, parted by commas")
    parser.add_argument("--quick", action="store_true", help="the cheapest tests alone: for a first look")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--cache", default="")
    options = parser.parse_args()
    os.nice(19)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    place = tempfile.mkdtemp(prefix="lastcall-mutants-")
    try:
        well = run_all(options, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    sys.exit(not well)


if __name__ == "__main__":
    main()
