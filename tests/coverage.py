#!/usr/bin/python3
"""Reads what the tests have left of src/core and src/text.  usage: coverage.py DIRECTORY [PROGRAM PATH...]

DIRECTORY holds the programs of the tests, built by clang with -fcoverage-mapping, and beside each what its runs
have counted (NAME.*.raw). It prints a table, and for src/core and src/text every line and every outcome of a
condition that no test has seen. Those that tests/coverage.txt explains are known; another one, or an explanation
that explains nothing any more, is a failure. With a PROGRAM it only prints how much of the PATHs that one has seen.

Clang's data and not gcov's: it counts each outcome of each condition as it is written, whatever the optimiser
does, where gcov counts the edges that the compiler has made. Two of clang's branches are left out: that no case
of a switch over an enum fits, which -Wswitch excludes, as these have no default; and the case of the number of an
enum's values (EV_N), which is none of them.
"""
import collections
import glob
import json
import os
import re
import subprocess
import sys

NO_VALUE = re.compile(r"case [A-Z]+_(N|TYPES)\b")
STRICT, KNOWN = ("src/core/", "src/text/"), "tests/coverage.txt"
ROOMS = ("core", "text", "conf", "world", "model")


def llvm(tool, *words):
    """What it prints. That functions differ is no news: every program has a main of its own."""
    ran = subprocess.run(["llvm-" + tool, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if ran.returncode != 0:
        sys.exit(ran.stderr.decode())
    return ran.stdout


def export(directory, program):
    raws = glob.glob("%s/%s.*.raw" % (directory, program))
    programs = sorted({directory + "/" + os.path.basename(raw).split(".")[0] for raw in raws})
    profile = "%s/%s.profdata" % (directory, program.strip("*") or "all")
    llvm("profdata", "merge", "-sparse", "-o", profile, *raws)
    objects = [word for program in programs[1:] for word in ("-object", program)]
    words = [programs[0], *objects, "-instr-profile", profile]
    return json.loads(llvm("cov", "export", *words)), llvm("cov", "export", "-format=lcov", *words).decode()


class Source:
    def __init__(self, path):
        self.path, self.lines, self.outcomes = path, {}, {}
        with open(path) as file:
            self.text = file.read().split("\n")

    def words(self, start, end):
        """The source between two places, (line, column) from 1, on one line."""
        lines = self.text[start[0] - 1:end[0]]
        lines[-1] = lines[-1][:end[1] - 1]
        lines[0] = lines[0][start[1] - 1:]
        return " ".join(" ".join(lines).split())

    def is_enum(self, text):
        return text.startswith("(enum ") or re.search(r"enum \w+ %s\b" % re.escape(text), "\n".join(self.text))

    def add(self, branch):
        """A condition has two outcomes, a case one."""
        start, end, yes, no = tuple(branch[0:2]), tuple(branch[2:4]), branch[4], branch[5]
        text, before = self.words(start, end), self.text[start[0] - 1][:start[1] - 1]
        if NO_VALUE.match(text) or (before.endswith("switch (") and self.is_enum(text)):
            return
        if re.match(r"(case\b|default\b)", text):
            seen = [("taken", yes)]
        else:
            seen = [("true", yes), ("false", no)]
        for outcome, count in seen:
            key = (start, text, outcome)
            self.outcomes[key] = self.outcomes.get(key, 0) + count

    def missing(self):
        """(line, what, outcome) of all that was not seen; a line only where no outcome on it says so already."""
        found = [(key[0][0], key[1], key[2]) for key, count in sorted(self.outcomes.items()) if count == 0]
        told = {line for line, _, _ in found}
        found += [(line, " ".join(self.text[line - 1].split()), "run") for line, count in sorted(self.lines.items())
                  if count == 0 and line not in told and not NO_VALUE.match(self.text[line - 1].strip())]
        return sorted(found)


def sources(directory, program):
    data, lcov = export(directory, program)
    root, found = os.getcwd() + "/", {}
    for file in data["data"][0]["files"]:
        if not file["filename"].startswith(root + "src/"):
            continue
        source = found[file["filename"]] = Source(file["filename"][len(root):])
        for branch in file["branches"]:
            source.add(branch)
    for line in lcov.splitlines():
        if line.startswith("SF:"):
            source = found.get(line[3:])
        elif line.startswith("DA:") and source:
            number, count = line[3:].split(",")[:2]
            source.lines[int(number)] = int(count)
    return {source.path: source for source in found.values()}


def share(seen, of):
    return "%5d of %5d %6.2f%%" % (seen, of, 100 * seen / of if of else 100)


def row(name, some):
    lines = [count for source in some for count in source.lines.values()]
    outcomes = [count for source in some for count in source.outcomes.values()]
    print("%-26s %s  %s" % (name, share(sum(c > 0 for c in lines), len(lines)),
                            share(sum(c > 0 for c in outcomes), len(outcomes))))


def table(found):
    print("%-26s %22s  %22s" % ("", "lines", "branches"))
    for room in ROOMS:
        some = [found[path] for path in sorted(found) if path.startswith("src/%s/" % room)]
        for source in some:
            if source.path.startswith(STRICT):
                row(source.path, [source])
        row("src/%s, all" % room, some)


def known():
    """FILE | WORDS | OUTCOME | REASON, one a line; as often as it stands there."""
    counter = collections.Counter()
    with open(KNOWN) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                path, words, outcome, reason = (part.strip() for part in line.split(" | "))
                counter[path, words, outcome] += bool(reason)
    return counter


def judge(found):
    expected, bad = known(), 0
    for path in sorted(found):
        if not path.startswith(STRICT):
            continue
        for line, words, outcome in found[path].missing():
            if expected[path, words, outcome] > 0:
                expected[path, words, outcome] -= 1
                continue
            print("%s:%d: not %s: %s" % (path, line, outcome, words))
            bad += 1
    for (path, words, outcome), n in expected.items():
        if n > 0:
            print("%s: %s: this was seen, or is gone: %s: not %s" % (KNOWN, path, words, outcome))
            bad += 1
    return bad


def main():
    found = sources(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "*")
    if len(sys.argv) > 2:
        for path in sys.argv[3:]:
            row("  " + path, [found[name] for name in found if (name + "/").startswith(path + "/")])
        return 0
    table(found)
    bad = judge(found)
    print("coverage: %d explained in %s, %d not" % (sum(known().values()), KNOWN, bad))
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
