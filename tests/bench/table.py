"""Prints rows, and judges them."""
from boxes import FLOOR, INITS, PEERS

EQUAL, RARE = 1.05, 1.15 # so near is equal: two runs of one program differ by as much; RARE: in the rarest
UNJUDGED = ("bytes",)   # builds that do a hundredth of the work are smaller

# What does not depend on how busy the machine is: the most that is allowed.
STRUCTURE = {
    "system calls, exec to fork": {"lastcall": 11, "lastcall -c": 30},
    "memory idle (Pss), kB": {"lastcall": 56, "lastcall -c": 304},
    "of it private and dirty, kB": {"lastcall": 48, "lastcall -c": 64},
    "page faults for a signal after a rest": {"lastcall": 0},
    "wake-ups in 10 s idle": {"lastcall": 0, "lastcall -c": 0},
    "early TERMs lost": {"lastcall": 0, "lastcall -c": 0},
    "cost of an orphan, 8,000 : 1,000": {"lastcall": 4, "lastcall -c": 4},
}


def ratio(label, row):
    """lastcall's figure to the best peer's; None where that says nothing."""
    figures = [row[name] for name in PEERS if name in row]
    more_is_better = "reaped in" in label
    best = max(figures) if more_is_better else min(figures)
    return row["lastcall"] / best if best else None


def verdict(label, row):
    if label in UNJUDGED:
        return ""
    value = ratio(label, row)
    if value is None:
        return "best" if not row["lastcall"] and any(row[name] for name in PEERS) else \
            "equal" if not row["lastcall"] else "WORSE"
    value = 1 / value if "reaped in" in label else value
    near = RARE if " %, " in label or "100,000" in label else EQUAL
    return "best" if value < 1 / near else "equal" if value <= near else "WORSE"


def cell(value):
    if value is None:
        return ""
    if isinstance(value, float) and value < 100:
        return f"{value:.2f}"
    return f"{value:,.0f}"


def print_inits(rows):
    columns = [*INITS, FLOOR]
    width = max(map(len, rows))
    print(f"{'':{width}}" + "".join(f"{c:>12}" for c in columns) + f"{'to best':>9}")
    for label, row in rows.items():
        value = ratio(label, row)
        print(f"{label:{width}}" + "".join(f"{cell(row.get(c)):>12}" for c in columns)
              + f"{'' if value is None else f'{value:.2f}':>9}  {verdict(label, row)}")


def print_markdown(rows):
    """The README's table: the rows that say which init to take."""
    columns = ["lastcall", *PEERS]
    print("| | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
    for label, row in rows.items():
        print(f"| {label} | " + " | ".join(cell(row.get(c)) for c in columns) + " |")


def print_services(rows):
    width = max(map(len, rows))
    print(f"\n{'':{width}}{'median':>9}{'worst':>9}{'asked':>9}")
    for label, row in rows.items():
        met = "ok" if row["worst"] <= row["asked"] else "MISSED"
        print(f"{label:{width}}" + "".join(f"{cell(row[c]):>9}" for c in ("median", "worst", "asked")) + f"  {met}")


def complaints(rows):
    """Of the structural figures: what got worse than it must be."""
    found = []
    for label, row in rows.items():
        limits = STRUCTURE[label.partition(", of ")[0]]
        found += [f"{label}: {name} {cell(row[name])}, at most {most}"
                  for name, most in limits.items() if row[name] > most]
    return found
