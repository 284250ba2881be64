"""The grid of a migration run: a row for every course that installations took, folded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.migration.record import InstallationRecord
from harness.migration.run_rows import step_order
from harness.migration.totals import resting_code
from harness.report.migration_model import Played

#: Results of a step, gravest last; a cell shows the gravest of its step.
_RANKS: Final = {"ok": 1, "skipped": 0, "warned": 2, "failed": 3}
#: Refs shown beside a folded row.
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Cell:
    """One step of a row.

    Attributes:
        result: ``ok``, ``failed``, ``warned``, ``skipped``, or empty: not reached.
        title: What to show when asked: codes and first sentence.
    """

    result: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """Installations that took the same course.

    Attributes:
        state: Where they rest.
        cause: Why they are stranded; empty else.
        code: Code they rest on; empty else.
        cells: A cell a step, in the grid's order.
        members: The installations; the first one stands for all.
    """

    state: str
    cause: str
    code: str
    cells: tuple[Cell, ...]
    members: tuple[Played, ...]

    @property
    def first(self) -> Played:
        """The installation that stands for all of them."""
        return self.members[0]

    @property
    def named(self) -> str:
        """The first refs, and how many more there are."""
        refs = [one.ref for one in self.members[:_NAMED]]
        more = len(self.members) - len(refs)
        return ", ".join(refs) + (f" and {more} more" if more else "")


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps, and the rows over them.

    Attributes:
        steps: Step ids in the order of the course.
        rows: Rows, the commonest first.
    """

    steps: tuple[str, ...]
    rows: tuple[Row, ...]


def grid(installations: Sequence[Played]) -> Grid:
    """Fold installations that took the same course into one row each."""
    courses: dict[tuple[object, ...], list[Played]] = {}
    seen: set[str] = set()
    for one in installations:
        courses.setdefault(_course(one), []).append(one)
        if one.record is not None:
            seen.update(entry.step for entry in one.record.history if entry.step)
    steps = tuple(sorted(seen, key=step_order))
    rows = [_row(members, steps) for members in courses.values()]
    return Grid(steps, tuple(sorted(rows, key=lambda row: -len(row.members))))


def _course(one: Played) -> tuple[object, ...]:
    """Return what makes two installations alike: state, cause, and each line but for its words."""
    record = one.record
    if record is None:
        return ("", one.reason)
    types = {str(device.eui64): device.device_type.value for device in record.devices}
    lines = tuple(
        (entry.step, entry.result, types.get(entry.device, ""), entry.code, entry.sub_code)
        for entry in record.history
    )
    return (record.state, record.stranded_cause, one.error.get("what", ""), lines)


def _row(members: Sequence[Played], steps: Sequence[str]) -> Row:
    first = members[0]
    record = first.record
    if record is None:
        blank = tuple(Cell("", "not reached") for _step in steps)
        return Row("not played", "", "", blank, tuple(members))
    cause = "" if record.stranded_cause is None else record.stranded_cause.value
    cells = tuple(_cell(record, step) for step in steps)
    state = "broken" if first.error else record.state.value
    return Row(state, cause, resting_code(record), cells, tuple(members))


def _cell(record: InstallationRecord, step: str) -> Cell:
    entries = [one for one in record.history if one.step == step and one.result in _RANKS]
    if not entries:
        return Cell("", f"{step}: not reached")
    worst = max(entries, key=lambda one: _RANKS[one.result])
    code = f" {worst.code}" if worst.code else ""
    return Cell(worst.result, f"{step} {worst.result}{code}: {worst.text}")
