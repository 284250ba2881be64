"""Merged cells taken apart: a value that may hold for several lines is put into each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.formats.authorisation.columns import ColumnRow
from harness.formats.authorisation.grid import Line, Merge, Raw, address, is_empty


@dataclass(frozen=True, slots=True)
class Unmerged:
    """What became of merged cells on one line.

    Attributes:
        index: Column, from 0.
        merge: The merged cells.
        value: The value put in; None where it is refused.
        refused: Why it cannot be told what the cells mean; empty where it can.
    """

    index: int
    merge: Merge
    value: Raw
    refused: str = ""


class MergedCells:
    """Goes through the lines from above and takes merged cells apart."""

    def __init__(self, merges: Sequence[Merge], columns: Mapping[int, ColumnRow]) -> None:
        self._waiting = sorted(merges, key=lambda merge: merge.top, reverse=True)
        self._columns = columns
        self._open: list[tuple[Merge, Raw]] = []

    def of_line(self, line: Line) -> list[Unmerged]:
        """Return what merged cells mean on a line; lines come in order, each once."""
        while self._waiting and self._waiting[-1].top <= line.number:
            merge = self._waiting.pop()
            value = line.at(merge.left) if merge.top == line.number else None
            self._open.append((merge, value))
        self._open = [(m, value) for m, value in self._open if m.bottom >= line.number]
        found: list[Unmerged] = []
        for merge, value in self._open:
            if not is_empty(value):
                found += self._meaning(merge, value, line)
        return found

    def _meaning(self, merge: Merge, value: Raw, line: Line) -> list[Unmerged]:
        inside = [i for i in range(merge.left, merge.right + 1) if i in self._columns]
        if not inside:
            return []
        if refused := self._refusal(merge, inside):
            return [Unmerged(inside[0], merge, None, refused)]
        return [] if line.number == merge.top else [Unmerged(inside[0], merge, value)]

    def _refusal(self, merge: Merge, inside: Sequence[int]) -> str:
        """Return why it cannot be told what merged cells mean, or empty."""
        column = self._columns[inside[0]]
        if len(inside) > 1:
            names = ", ".join(self._columns[index].column for index in inside)
            return f"it cannot be told which of {names} it is"
        if inside[0] != merge.left:
            return "the value belongs to a column that is not read"
        if merge.top != merge.bottom and not column.shared:
            return f"{column.column} is each installation's own"
        return ""


def told(unmerged: Unmerged) -> str:
    """Return what was done, in words."""
    corner = address(unmerged.merge.top, unmerged.merge.left)
    return f"merged cells {unmerged.merge}: the value of {corner} put in"
