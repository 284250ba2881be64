"""Where scenarios and benches come from, and what a run is called."""

import difflib
import fnmatch
import hashlib
import importlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Final

from harness.benches import BENCHES
from harness.errors import UsageError
from harness.files import read_octets
from harness.run_options import RunOptions
from harness.scenario import Scenario

#: Largest bench file read; more is no bench file.
_MAX_BENCH_BYTES: Final = 1024 * 1024
_CRASH: Final = re.compile(r"crash:commit=(?P<number>[1-9][0-9]*)@harness")


@dataclass(frozen=True, slots=True)
class Setting:
    """Where scenarios and benches come from; the tables of the product unless a test says else.

    Attributes:
        catalogue: Scenario id -> ``module:NAME``; None for the product's own.
        benches: Bench kind -> ``module:function``.
    """

    catalogue: Mapping[str, str] | None = None
    benches: Mapping[str, str] = field(default_factory=lambda: BENCHES)

    def table(self) -> Mapping[str, str]:
        """Return the catalogue."""
        if self.catalogue is not None:
            return self.catalogue
        table: Mapping[str, str] = importlib.import_module("harness.scenarios.catalogue").CATALOGUE
        return table

    def scenario(self, name: str) -> Scenario:
        """Return the scenario of that id.

        Raises:
            UsageError: There is none.
        """
        dotted = self.table().get(name)
        if dotted is None:
            raise UsageError(f"there is no scenario {name}", next_command="smetsbench scenarios")
        found: Scenario = named(dotted)
        return found

    def choose(self, wanted: Sequence[str]) -> list[str]:
        """Return the ids that ids and globs stand for, in the order of the catalogue.

        Raises:
            UsageError: One of them stands for none.
        """
        table = self.table()
        chosen: set[str] = set()
        for item in wanted:
            found = [name for name in table if fnmatch.fnmatchcase(name, item.upper())]
            if not found:
                near = difflib.get_close_matches(item.upper(), table, n=3, cutoff=0.8)
                raise UsageError(
                    f"no scenario is called {item}"
                    + (f" (did you mean {', '.join(near)}?)" if near else ""),
                    where="the ids of scenarios",
                    cause="a mistyped id; globs such as 'FM-0*' need quotes in a shell",
                    next_command="smetsbench scenarios",
                )
            chosen.update(found)
        return [name for name in table if name in chosen]


def named(dotted: str) -> Any:
    """Return the object of a dotted name ``module:name``."""
    module, _, name = dotted.partition(":")
    return getattr(importlib.import_module(module), name)


def version() -> str:
    """Return the version of the product, as reports and journals print it."""
    try:
        return metadata.version("smetsbench")
    except metadata.PackageNotFoundError:
        return "0 (not installed)"


def run_id(options: RunOptions, ids: Sequence[str]) -> str:
    """Return the id of a run: the same for the same scenarios, seed and choices."""
    told = json.dumps([options.dump(), list(ids)], sort_keys=True)
    more = f"+{len(ids) - 1}" if len(ids) > 1 else ""
    return f"{ids[0]}{more}-seed{options.seed}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def crash_fault(faults: Sequence[str]) -> tuple[tuple[str, ...], int | None]:
    """Take the harness's own crash fault out of ``faults``; returns the others and its number.

    Raises:
        UsageError: A fault on ``@harness`` that does not exist.
    """
    others = tuple(fault for fault in faults if not fault.endswith("@harness"))
    numbers = []
    for fault in faults:
        if fault.endswith("@harness"):
            match = _CRASH.fullmatch(fault)
            if match is None:
                raise UsageError(
                    f"there is no such fault: {fault}",
                    cause="the harness knows one: crash:commit=N@harness",
                    next_command="smetsbench faults",
                )
            numbers.append(int(match["number"]))
    return others, min(numbers, default=None)


def refuse_unknown_rules(accepted: Iterable[str], scenarios: Sequence[Scenario]) -> None:
    """Refuse accepted ids that are no scenario and no clause of this run.

    Raises:
        UsageError: One of them is none.
    """
    known = {scenario.id for scenario in scenarios}
    known |= {ref.id for scenario in scenarios for ref in scenario.clauses}
    for name in sorted(set(accepted) - known):
        close = difflib.get_close_matches(name, known, n=3)
        raise UsageError(
            f"no rule {name!r} in this run",
            where="--accept",
            cause=f"did you mean {', '.join(close)}?" if close else "no scenario has that clause",
            next_command=f"smetsbench explain {scenarios[0].id}",
        )


def bench_kind(options: RunOptions, benches: Mapping[str, str]) -> str:
    """Return the kind of bench to open.

    Without a bench file ``emulated``; with one, its ``kind`` where it says one, else ``bench``:
    the bench its roles and endpoints describe.

    Raises:
        UsageError: The file cannot be read or names no kind there is.
    """
    if options.bench is None:
        return "emulated"
    try:
        octets = read_octets(options.bench, _MAX_BENCH_BYTES)[:_MAX_BENCH_BYTES]
        kind = tomllib.loads(octets.decode("utf-8")).get("kind", "bench")
    except (ValueError, RecursionError) as error:
        raise UsageError(
            "the bench file cannot be read",
            where=str(options.bench),
            cause=str(error),
            next_command="smetsbench run ID   (without --bench: the emulated bench)",
        ) from error
    if kind not in benches:
        raise UsageError(
            f"the bench file names no kind of bench there is: {kind!r}",
            where=str(options.bench),
            cause=f"kinds here: {', '.join(sorted(benches))}",
            next_command="smetsbench run ID   (without --bench: the emulated bench)",
        )
    return str(kind)
