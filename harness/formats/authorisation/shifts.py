"""Lines whose cells slipped aside: put back where exactly one way of doing so fits.

A cell that was deleted moves all cells behind it to the left, an inserted one to the right. Every
place and up to three cells are tried; a reading counts when each value fits its column and no
value is lost. Two readings that differ in any value are no repair: the line is refused.

Source:
    invented.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.formats.authorisation.columns import ColumnRow
from harness.formats.authorisation.grid import Raw, is_empty

MAX_SHIFT: Final = 3


@dataclass(frozen=True, slots=True)
class Shift:
    """One way of putting a line right.

    Attributes:
        first: First column that is read elsewhere, from 0.
        by: How many cells to the right its value stands; negative: to the left.
        positions: For each column of the file, from 0: where its value stands; -1: nowhere.
    """

    first: int
    by: int
    positions: tuple[int, ...]


#: Says whether a value fits a column.
Fits = Callable[[ColumnRow, Raw], bool]


def find_shifts(
    cells: Sequence[Raw],
    columns: Sequence[ColumnRow | None],
    fits: Fits,
    whole: Callable[[Shift], bool],
) -> list[Shift]:
    """Return the ways in which a line fits, no more than two: one alone is a repair.

    Args:
        cells: The line.
        columns: Column of each place; None where nothing reads the place.
        fits: Judges one cell.
        whole: Judges a reading of the whole line.
    """
    found: list[Shift] = []
    seen: set[tuple[Raw, ...]] = set()
    table = _Table(cells, columns, fits)
    for by in (*range(1, MAX_SHIFT + 1), *range(-1, -MAX_SHIFT - 1, -1)):
        for shift in table.readings(by):
            values = tuple(
                None if is_empty(_at(cells, position)) else _at(cells, position)
                for position, column in zip(shift.positions, columns, strict=True)
                if column is not None
            )
            if values not in seen and whole(shift):
                found.append(shift)
                if len(found) > 1:
                    return found
            seen.add(values)
    return found


class _Table:
    """Which cell fits which column, worked out once for all places of a shift."""

    def __init__(
        self, cells: Sequence[Raw], columns: Sequence[ColumnRow | None], fits: Fits
    ) -> None:
        self._cells = cells
        self._columns = columns
        self._fits = fits
        self._width = len(columns)
        self._in_place = [self._ok(index, index) for index in range(self._width)]

    def _ok(self, index: int, position: int) -> bool:
        column = self._columns[index]
        return column is None or self._fits(column, _at(self._cells, position))

    def _empty(self, start: int, end: int) -> bool:
        return all(is_empty(_at(self._cells, position)) for position in range(start, end))

    def readings(self, by: int) -> list[Shift]:
        """Return the readings of one shift in which every cell fits its column."""
        behind = [False] * self._width + [True]  # whether all columns from a place on fit, moved
        for index in reversed(range(self._width)):
            if not self._ok(index, index + by):
                break  # nor do they from any place before it
            behind[index] = True
        found = []
        for first in range(self._width):
            if first and not self._in_place[first - 1]:
                break
            lost = max(-by, 0)  # columns whose cells were deleted
            resumed = first + lost
            if resumed > self._width or not behind[resumed]:
                continue
            if all(self._ok(index, -1) for index in range(first, resumed)) and self._keeps(
                first, by
            ):
                found.append(self._shift(first, by))
        return found

    def _keeps(self, first: int, by: int) -> bool:
        """Say whether no value would be lost."""
        beyond = max(self._width + by, self._width)
        if by > 0:
            return self._empty(first, first + by) and self._empty(beyond, len(self._cells))
        return self._empty(self._width + by, len(self._cells))

    def _shift(self, first: int, by: int) -> Shift:
        lost = max(-by, 0)
        positions = [
            index if index < first else -1 if index < first + lost else index + by
            for index in range(self._width)
        ]
        return Shift(first, by, tuple(positions))


def _at(cells: Sequence[Raw], position: int) -> Raw:
    return cells[position] if 0 <= position < len(cells) else None
