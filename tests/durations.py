"""How long tests take: noted in a run, kept in ``durations.csv``, read to play long files first.

    SMETSBENCH_DURATIONS=/tmp/notes.tsv make test
    SMETSBENCH_DURATIONS=/tmp/notes.tsv make soak
    python -m tests.durations /tmp/notes.tsv         # table of folders; durations.csv made anew
    python -m tests.durations --show /tmp/notes.tsv  # the table of folders alone

The file of durations need not be complete: a test file it does not name comes after those it names.
"""

import argparse
import csv
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).parent / "durations.csv"
#: Test functions that take less, all their cases together, are not kept (seconds).
_LEAST_S: Final = 1.0
#: A test that computes for less than this share of its time waits for something (a line, a timer).
_WAITS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Taken:
    """How long one test, or several, took.

    Attributes:
        cpu: Seconds of processor, of the commands it started too.
        wall: Seconds on the clock.
    """

    cpu: float
    wall: float

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.cpu + other.cpu, self.wall + other.wall)

    @property
    def seconds(self) -> float:
        """What it takes on a quiet machine: its computing, or its waiting where it waits."""
        return self.wall if self.cpu < _WAITS * self.wall else self.cpu


def now() -> Taken:
    """Return what was used up to now."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = time.process_time() + children.ru_utime + children.ru_stime
    return Taken(cpu, time.perf_counter())


def note(nodeid: str, begun: Taken) -> None:
    """Add a line about a test to the file that ``SMETSBENCH_DURATIONS`` names, if it does."""
    target = os.environ.get("SMETSBENCH_DURATIONS")
    if target:
        ended = now()
        line = f"{nodeid}\t{ended.cpu - begun.cpu:.3f}\t{ended.wall - begun.wall:.3f}\n"
        with Path(target).open("a", encoding="utf-8") as file:  # one write a line: workers share it
            file.write(line)


@dataclass(frozen=True, slots=True)
class Row:
    """A test function in the table.

    Attributes:
        function: Its id, without cases.
        longest: Seconds of its longest case.
        whole: Seconds of all its cases that were noted.
        cases: How many these are.
    """

    function: str
    longest: float
    whole: float
    cases: int


def table() -> dict[str, Row]:
    """Return the table as it is kept; empty where there is none."""
    if not TABLE.is_file():
        return {}
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {
            name: Row(name, float(longest), float(whole), int(cases))
            for name, longest, whole, cases in list(csv.reader(file))[1:]
        }


def longest_of_files() -> Mapping[str, float]:
    """Return the seconds of the longest test of each test file that the table names."""
    longest: dict[str, float] = defaultdict(float)
    for row in table().values():
        name = row.function.partition("::")[0]
        longest[name] = max(longest[name], row.longest)
    return longest


def noted(files: Iterable[Path]) -> Iterator[tuple[str, Taken]]:
    """Yield id and duration of every test noted in the files."""
    for path in files:
        for line in path.read_text("utf-8").splitlines():
            nodeid, cpu, wall = line.rsplit("\t", 2)
            yield nodeid, Taken(float(cpu), float(wall))


def rows(tests: Iterable[tuple[str, Taken]]) -> Iterator[Row]:
    """Yield a row for every test function that was noted."""
    cases: dict[str, dict[str, float]] = defaultdict(dict)
    for nodeid, taken in tests:
        cases[nodeid.partition("[")[0]][nodeid] = taken.seconds
    for function, of in cases.items():
        yield Row(function, max(of.values()), sum(of.values()), len(of))


def folders(tests: Iterable[tuple[str, Taken]], depth: int = 3) -> dict[str, Taken]:
    """Return what the tests of each folder took together, longest first."""
    sums: dict[str, Taken] = defaultdict(lambda: Taken(0, 0))
    for nodeid, taken in tests:
        parts = Path(nodeid.partition("::")[0]).parts[:-1]
        sums["/".join(parts[:depth])] += taken
    return dict(sorted(sums.items(), key=lambda one: -one[1].seconds))


def write(found: Iterable[Row]) -> None:
    """Put rows into the table: a row of more cases stays, and one whose file is gone goes."""
    kept = table()
    for row in found:
        known = kept.get(row.function)
        if known is None or row.cases >= known.cases:
            kept[row.function] = row
    root = TABLE.parent.parent
    long = [
        row
        for row in kept.values()
        if row.whole >= _LEAST_S and (root / row.function.partition("::")[0]).is_file()
    ]
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        written = csv.writer(file, lineterminator="\n")
        written.writerow(["function", "longest_s", "sum_s", "cases"])
        for row in sorted(long, key=lambda row: (-row.longest, row.function)):
            written.writerow([row.function, f"{row.longest:.1f}", f"{row.whole:.1f}", row.cases])


def main(arguments: list[str] | None = None) -> None:
    """Tell how long the folders took, and bring the table up to date."""
    parser = argparse.ArgumentParser(prog="python -m tests.durations", description=__doc__)
    parser.add_argument("--show", action="store_true", help="leave durations.csv as it is")
    parser.add_argument("notes", nargs="+", type=Path, help="what SMETSBENCH_DURATIONS wrote")
    asked = parser.parse_args(arguments)
    tests = list(dict(noted(asked.notes)).items())
    for folder, taken in folders(tests).items():
        sys.stdout.write(f"{taken.cpu:8.1f} s cpu {taken.wall:8.1f} s wall  {folder}\n")
    whole = sum((taken for _nodeid, taken in tests), Taken(0, 0))
    sys.stdout.write(f"{whole.cpu:8.1f} s cpu {whole.wall:8.1f} s wall  {len(tests)} tests\n")
    if not asked.show:
        write(rows(tests))


if __name__ == "__main__":
    main()
