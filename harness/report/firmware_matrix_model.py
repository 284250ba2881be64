"""The firmware matrix as rows, figures, CSV and grids: what every one of its reports shows."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from device_profiles.evidence import EvidenceKind
from device_profiles.metadata_layout import NO_LAYOUT, MetadataMode
from harness.firmware_cells import MatrixCell
from harness.rules.firmware_case import BasisItem
from harness.words import counted

#: What a layout is called where no layout was recognised.
DAMAGED: Final = "damaged"
_Thing = TypeVar("_Thing")
_COLUMNS: Final = (
    "image",
    "layout",
    "hub",
    "target",
    "cohort",
    "mode",
    "clause_says",
    "implied",
    "reason",
    "basis",
    "observed",
    "agrees",
)


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One cell, for readers.

    Attributes:
        cell: The cell.
        observed: Outcome word that was seen, or None.
    """

    cell: MatrixCell
    observed: str | None = None

    @property
    def agrees(self) -> bool | None:
        """Whether what was seen is what the data imply; None where nobody looked."""
        return None if self.observed is None else self.cell.implied.agrees(self.observed)

    @property
    def layout(self) -> str:
        """Layout of the image."""
        return self.cell.image.facts.layout_id or DAMAGED

    def figures(self) -> dict[str, object]:
        """Return the row as JSON values."""
        cell = self.cell
        return {
            "image": cell.image.facts.name,
            "layout": self.layout,
            "hub": cell.home.hub.name,
            "target": cell.target.name,
            "cohort": cell.home.name,
            "mode": cell.mode.value,
            "clause_says": cell.clause_says.text,
            "implied": cell.implied.word,
            "outcomes": sorted(cell.implied.outcomes),
            "reason": cell.implied.reason,
            "basis": [
                {"item": one.item, "value": one.value, "evidence": str(one.mark)}
                for one in cell.implied.basis
            ],
            "observed": self.observed,
            "agrees": self.agrees,
        }


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row of a grid.

    Attributes:
        label: Layout, or that the image is too large.
        cells: A cell for every home, None where there is none.
    """

    label: str
    cells: tuple[MatrixRow | None, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of one device in one mode: images down, homes across.

    Attributes:
        mode: The mode.
        target: What the device is called.
        homes: Names of the homes.
        hubs: Their hubs' profiles.
        rows: The rows.
        clauses: What the clauses say for each home; empty where there is no cell.
    """

    mode: MetadataMode
    target: str
    homes: tuple[str, ...]
    hubs: tuple[str, ...]
    rows: tuple[GridRow, ...]
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatrixReport:
    """The whole matrix.

    Attributes:
        rows: Its rows, in order.
        verified: Bench the cells were played on; empty where none was.
    """

    rows: tuple[MatrixRow, ...]
    verified: str = ""
    _inputs: dict[str, BasisItem] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found: dict[str, BasisItem] = {}
        for row in self.rows:
            for one in row.cell.implied.basis:
                found.setdefault(one.item, one)
        object.__setattr__(self, "_inputs", found)

    @property
    def inputs(self) -> tuple[BasisItem, ...]:
        """Every value that a cell rests on, once."""
        return tuple(self._inputs.values())

    @property
    def stand_ins(self) -> int:
        """How many of them are stand-ins."""
        return self._count(EvidenceKind.STAND_IN)

    @property
    def headline(self) -> str:
        """How far the matrix can be believed, in one line."""
        inferred = self._count(EvidenceKind.INFERRED)
        more = f"; {inferred} more are inferred" if inferred else ""
        return f"{self.stand_ins} of {len(self.inputs)} inputs are stand-ins{more}"

    @property
    def layout_note(self) -> str:
        """What must be said of layouts that are made up, or nothing (F-059)."""
        made_up = any(
            one.mark.kind is EvidenceKind.STAND_IN and one.item.endswith(" metadata")
            for one in self.inputs
        )
        return "stand-in layouts (real layouts not public)" if made_up else ""

    @property
    def disagreeing(self) -> tuple[MatrixRow, ...]:
        """Rows whose observation is not what the data imply."""
        return tuple(row for row in self.rows if row.agrees is False)

    @property
    def told(self) -> str:
        """What the cells came to, in one line."""
        counts: dict[str, int] = {}
        for row in self.rows:
            word = row.cell.implied.word
            counts[word] = counts.get(word, 0) + 1
        words = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
        checked = ""
        if self.verified:
            seen = sum(row.observed is not None for row in self.rows)
            checked = f"; {seen - len(self.disagreeing)} of {seen} agree with what was observed"
        return f"{counted(len(self.rows), 'cell')}: {words}{checked}"

    def _count(self, kind: EvidenceKind) -> int:
        return sum(one.mark.kind is kind for one in self.inputs)

    def figures(self) -> dict[str, object]:
        """Return the matrix as JSON values."""
        return {
            "stand_ins": self.stand_ins,
            "inputs": len(self.inputs),
            "headline": self.headline,
            "note": self.layout_note,
            "verified_on": self.verified or None,
            "cells": [row.figures() for row in self.rows],
        }

    def csv(self) -> str:
        """Return the matrix as CSV, one line a cell."""
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        for row in self.rows:
            basis = "; ".join(f"{b.item} = {b.value} [{b.mark}]" for b in row.cell.implied.basis)
            agrees = {None: "", True: "yes", False: "no"}[row.agrees]
            told = {"basis": basis, "agrees": agrees, "observed": row.observed or ""}
            writer.writerow({**row.figures(), **told})
        return out.getvalue()

    def resting_on(self) -> Mapping[str, int]:
        """Return for each input how many cells rest on it."""
        counts = dict.fromkeys(self._inputs, 0)
        for row in self.rows:
            for one in row.cell.implied.basis:
                counts[one.item] += 1
        return counts


def grids(report: MatrixReport) -> Iterator[Grid]:
    """Yield a grid for every device and mode, modes first, in the order of the rows."""
    modes = _once(row.cell.mode for row in report.rows)
    targets = _once(row.cell.target_name for row in report.rows)
    for mode in modes:
        for target in targets:
            rows = [
                row
                for row in report.rows
                if row.cell.mode is mode and row.cell.target_name == target
            ]
            if rows:
                yield _grid(mode, target, rows)


def _grid(mode: MetadataMode, target: str, rows: Sequence[MatrixRow]) -> Grid:
    homes = _once((row.cell.home.name, row.cell.home.hub.name) for row in rows)
    lines: dict[str, dict[tuple[str, str], MatrixRow]] = {}
    clauses: dict[tuple[str, str], str] = {}
    for row in rows:
        home = (row.cell.home.name, row.cell.home.hub.name)
        lines.setdefault(label_of(row), {})[home] = row
        clauses[home] = row.cell.clause_says.text
    return Grid(
        mode,
        target,
        tuple(name for name, _ in homes),
        tuple(hub for _, hub in homes),
        tuple(
            GridRow(label, tuple(line.get(home) for home in homes)) for label, line in lines.items()
        ),
        tuple(clauses.get(home, "") for home in homes),
    )


def label_of(row: MatrixRow) -> str:
    """Return what a row of a grid is called: layout, or that the image is too large."""
    name = row.cell.image.facts.name
    if name.endswith("too large"):
        return "one octet too large"
    return "bare" if row.layout == NO_LAYOUT.layout_id else row.layout


def _once(things: Iterable[_Thing]) -> list[_Thing]:
    return list(dict.fromkeys(things))
