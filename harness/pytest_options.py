"""Options and ini settings of the pytest plugin, and what they came to."""

import re
import zlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

import pytest

#: Markers of this plugin, as ``pytest --markers`` prints them.
MARKERS: Final = (
    "home(file=, shape=, of_class=, models=, seed=, faults=, defects=, world=): the home of a test",
    "cohort(KEY, …): run once for each cohort; globs, and none at all, mean those that migrate",
    "clause(ID, …): what a test shows (device_profiles/clauses)",
    "needs(WORD, …): skip where bench, tools or test data lack it",
    "known_issue(ID, until=DATE): expected to fail until that day, and a failure afterwards",
)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person at the command line chose.

    Attributes:
        seed: Seed of every run.
        out: Folder for what tests leave behind; None: temporary folders.
        as_of: The day of the run, by which known issues are judged; None: nobody said.
        data: Overlay folders, the strongest last.
        accepted: Clauses whose inferred or stand-in rules may carry a FAIL.
        bench: Bench file; None: the emulated bench.
    """

    seed: int = 1
    out: Path | None = None
    as_of: date | None = None
    data: tuple[Path, ...] = ()
    accepted: frozenset[str] = field(default_factory=frozenset)
    bench: Path | None = None


_NO_NAME: Final = re.compile(r"[^A-Za-z0-9]+")
CHOICES: Final = pytest.StashKey[Choices]()


def add_options(parser: pytest.Parser) -> None:
    """Add the options and settings of this plugin."""
    group = parser.getgroup("smetsbench")
    add = group.addoption
    add("--smetsbench-seed", type=int, default=1, metavar="N", help="seed of every run (default 1)")
    add(
        "--smetsbench-run",
        action="append",
        default=[],
        metavar="ID",
        help="run scenarios (ids or globs) as tests, and nothing else; repeatable",
    )
    add("--smetsbench-out", metavar="DIR", help="keep a folder of each test (wire.pcapng) in DIR")
    add("--smetsbench-as-of", metavar="DATE", help="day of the run, by which known issues expire")
    add(
        "--smetsbench-data",
        action="append",
        default=[],
        metavar="DIR",
        help="overlay folder whose values win; repeatable, the last wins",
    )
    add(
        "--smetsbench-accept",
        action="append",
        default=[],
        metavar="CLAUSE",
        help="let an inferred or stand-in rule carry a FAIL; repeatable",
    )
    add("--bench", metavar="FILE", help="bench file: tests run against it (docs/bench.md)")
    parser.addini("smetsbench_as_of", "day of the run (ISO 8601), by which known issues expire")


def choices(config: pytest.Config) -> Choices:
    """Return what was chosen; read once.

    Raises:
        pytest.UsageError: A value means nothing, or several processes would share a bench.
    """
    if CHOICES not in config.stash:
        config.stash[CHOICES] = _read(config)
    return config.stash[CHOICES]


def _read(config: pytest.Config) -> Choices:
    out, bench = config.getoption("--smetsbench-out"), config.getoption("--bench")
    if bench and (config.getoption("numprocesses", None) or 0) > 1:
        raise pytest.UsageError(f"several processes cannot share the bench {bench}: leave out -n")
    root = config.invocation_params.dir
    return Choices(
        seed=int(config.getoption("--smetsbench-seed")),
        out=None if not out else root / out,
        as_of=day_of(config.getoption("--smetsbench-as-of") or config.getini("smetsbench_as_of")),
        data=tuple(root / folder for folder in config.getoption("--smetsbench-data")),
        accepted=frozenset(config.getoption("--smetsbench-accept")),
        bench=None if not bench else root / bench,
    )


def day_of(text: str) -> date | None:
    """Return a day; None for nothing.

    Raises:
        pytest.UsageError: It is none.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise pytest.UsageError(f"--smetsbench-as-of {text!r} is no day (2023-01-31)") from error


def slug(nodeid: str) -> str:
    """Return the name of a test's folder: readable, and no other test's."""
    short = _NO_NAME.sub("-", nodeid).strip("-")[-80:]
    return f"{short}-{zlib.crc32(nodeid.encode()):08x}"
