"""Where the headings of an authorisation stand, and which of our columns they are."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

from openpyxl.utils import column_index_from_string

from harness.formats.authorisation.cells import shown
from harness.formats.authorisation.columns import ColumnRow, Heading, Headings, Layout, Need, plain
from harness.formats.authorisation.faults import column_fault
from harness.formats.authorisation.grid import MAX_COLUMNS, Grid, Line, address

#: Lines in which the headings are looked for.
SEARCHED_LINES: Final = 60
#: A line with fewer of our headings is no line of headings.
_ENOUGH: Final = 3


def find_headings(grids: Sequence[Grid], layout: Layout) -> tuple[Grid, Headings]:
    """Return the sheet with the authorisation, and its columns.

    Raises:
        AuthorisationFileError: There are no headings, one is missing, or two are the same.
    """
    column_map = layout.column_map
    candidates = [grid for grid in grids if column_map.sheet in {"", grid.sheet}]
    if not candidates:
        there = ", ".join(repr(grid.sheet) for grid in grids)
        raise column_fault("04", f"no sheet {column_map.sheet!r}; there are: {there}")
    if column_map.heading_line == 0:
        return min(candidates, key=lambda one: one.hidden), _by_letter(layout)
    spellings = layout.spellings()
    enough = min(_ENOUGH, len(column_map.headings) or _ENOUGH)
    best: tuple[int, Grid, Line] | None = None
    for grid in sorted(candidates, key=lambda one: one.hidden):
        if grid.hidden and best is not None and best[0] >= enough:
            break  # what its supplier sees comes before what the workbook hides
        found = _best_line(_searched(grid, column_map.heading_line), spellings)
        if found is not None and (best is None or found[0] > best[0]):
            best = (found[0], grid, found[1])
    if best is None or best[0] < enough:
        raise column_fault(
            "04",
            "no line holds headings that are known; give them with --map",
            f"first {SEARCHED_LINES} lines",
        )
    headings = _of_line(best[2], layout.columns, spellings)
    _refuse_two(headings, best[2])
    _refuse_missing(headings, layout)
    return best[1], headings


def _searched(grid: Grid, heading_line: int | None) -> Iterable[Line]:
    lines = islice(grid.lines, SEARCHED_LINES if heading_line is None else heading_line)
    return (line for line in lines if heading_line is None or line.number == heading_line)


def _best_line(lines: Iterable[Line], spellings: Mapping[str, str]) -> tuple[int, Line] | None:
    best: tuple[int, Line] | None = None
    for line in lines:
        known = {spellings.get(plain(shown(cell)), "") for cell in line.cells[:MAX_COLUMNS]}
        score = len(known - {""})
        if score and (best is None or score > best[0]):
            best = (score, line)
    return best


def _of_line(
    line: Line, columns: Mapping[str, ColumnRow], spellings: Mapping[str, str]
) -> Headings:
    found = []
    for index, cell in enumerate(line.cells[:MAX_COLUMNS]):
        text = " ".join(shown(cell).split())
        if text:
            found.append(Heading(index, text, columns.get(spellings.get(plain(text), ""))))
    return Headings(line.number, tuple(found))


def _by_letter(layout: Layout) -> Headings:
    """Return the columns of a file without headings: the map gives letters."""
    found = []
    for name, letters in layout.column_map.headings.items():
        try:
            index = column_index_from_string(letters.strip().upper()) - 1
        except ValueError as error:
            raise column_fault(
                "04", f"without headings, {name} needs a column letter, not {letters!r}", "--map"
            ) from error
        found.append(Heading(index, letters.strip().upper(), layout.columns[name]))
    headings = Headings(0, tuple(sorted(found, key=lambda heading: heading.index)))
    _refuse_missing(headings, layout)
    return headings


def _refuse_two(headings: Headings, line: Line) -> None:
    counted = Counter(row.column for _, row in headings.read())
    for name, count in counted.items():
        if count > 1:
            cells = [
                address(line.number, heading.index)
                for heading in headings.columns
                if heading.column is not None and heading.column.column == name
            ]
            raise column_fault("02", f"{count} columns are {name}", ", ".join(cells))


def _refuse_missing(headings: Headings, layout: Layout) -> None:
    """Refuse a file without a column it needs; those of gas where it has a GSMEDeviceID."""
    there = {row.column for _, row in headings.read()} | set(layout.column_map.constants)
    has_gas = any(layout.columns[name].need is Need.GAS_KEY for name in there)
    missing = [
        name
        for name, row in layout.columns.items()
        if name not in there and row.need.needs_heading and (has_gas or not row.need.of_gas)
    ]
    if missing:
        unread = [repr(h.text) for h in headings.columns if h.column is None]
        there_is = f"; columns that nothing reads: {', '.join(unread)}" if unread else ""
        where = f"line {headings.line}" if headings.line else "--map"
        raise column_fault("01", f"missing: {', '.join(missing)}{there_is}", where)
