"""Which clauses a run put to the test, for which cohort and which shapes of installations."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from device_profiles.words import SupplyShape
from harness.dust.record import DustRecord
from harness.migration.run_rows import step_order
from harness.migration.step_table import load_steps
from harness.verdict import Verdict, combine

_TRIED: Final = frozenset({"ok", "failed", "warned"})


@dataclass(frozen=True, slots=True)
class CoverageCell:
    """One clause for one shape.

    Attributes:
        verdict: Worst of the expectations that name the clause; None where none does.
        judged: Number of those expectations.
        played: Installations in which a step under the clause was taken.
    """

    verdict: Verdict | None
    judged: int
    played: int


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One clause.

    Attributes:
        clause: Its id.
        steps: Steps under it.
        evidence: Marks of the expectations and steps, each once.
        cells: A cell a column.
    """

    clause: str
    steps: tuple[str, ...]
    evidence: tuple[str, ...]
    cells: tuple[CoverageCell, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The grid.

    Attributes:
        cohort: Cohort key: a run has one.
        shapes: Columns.
        homes: Installations of each shape.
        rows: Clauses that were put to the test.
    """

    cohort: str
    shapes: tuple[str, ...]
    homes: tuple[int, ...]
    rows: tuple[CoverageRow, ...]


@dataclass(slots=True)
class _Tally:
    """What is known of one clause so far: verdicts by shape, installations by shape."""

    verdicts: dict[str, list[Verdict]]
    homes: dict[str, set[str]]
    steps: set[str]
    marks: set[str]


def coverage(record: DustRecord) -> Coverage:
    """Return which clauses were judged or played, by shape."""
    shape_of = {one.ref: str(one.shape) for one in record.installations}
    shapes = tuple(dict.fromkeys([*(one.value for one in SupplyShape), *shape_of.values()]))
    tallies: dict[str, _Tally] = {}
    for clause, step, mark, ref in _played(record):
        tally = _of(tallies, clause)
        tally.steps.add(step)
        tally.marks.add(mark)
        tally.homes.setdefault(shape_of[ref], set()).add(ref)
    for case in record.cases:
        for one in case.expected:
            if not one.clause:
                continue
            tally = _of(tallies, one.clause)
            tally.marks.add(one.evidence)
            for shape in {shape_of[ref] for ref in case.refs if ref in shape_of}:
                tally.verdicts.setdefault(shape, []).append(one.verdict)
    return Coverage(
        record.header.cohort,
        shapes,
        tuple(sum(one == shape for one in shape_of.values()) for shape in shapes),
        tuple(_row(name, tally, shapes) for name, tally in sorted(tallies.items(), key=_order)),
    )


def _of(tallies: dict[str, _Tally], clause: str) -> _Tally:
    return tallies.setdefault(clause, _Tally({}, {}, set(), set()))


def _played(record: DustRecord) -> Iterator[tuple[str, str, str, str]]:
    """Yield clause, step, evidence and installation of every step that was taken."""
    steps = load_steps()
    for one in record.installations:
        for step in dict.fromkeys(line.step for line in one.history if line.result in _TRIED):
            row = steps.get(step)
            if row is not None:
                yield row.clause, step, row.evidence, one.ref


def _order(item: tuple[str, _Tally]) -> tuple[tuple[int, int, str], str]:
    clause, tally = item
    return min((step_order(step) for step in tally.steps), default=(99, 0, "")), clause


def _row(clause: str, tally: _Tally, shapes: tuple[str, ...]) -> CoverageRow:
    return CoverageRow(
        clause,
        tuple(sorted(tally.steps, key=step_order)),
        tuple(sorted(tally.marks)),
        tuple(_cell(tally, shape) for shape in shapes),
    )


def _cell(tally: _Tally, shape: str) -> CoverageCell:
    verdicts = tally.verdicts.get(shape, [])
    worst = combine(verdicts) if verdicts else None
    return CoverageCell(worst, len(verdicts), len(tally.homes.get(shape, ())))
