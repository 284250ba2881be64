"""Lists as CSV files of ours, or users' exports through a column map: rows, and what is wrong."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from device_profiles.column_map import ColumnMap, ListColumns
from device_profiles.errors import (
    InvalidValueError,
    UnreadableFileError,
)
from device_profiles.files import digest_of, read_octets, unknown_keys
from device_profiles.list_faults import ListFault, Row, Scan, cut

#: A cell that means "none".
NOT_APPLICABLE: Final = "N/A"
#: pydantic's word for an error -> ours; what stands in neither column is ``invalid-value``.
_CODES: Final[Mapping[str, str]] = {
    "missing": "missing-value",
    "string_pattern_mismatch": "broken-pattern",
    "enum": "unknown-word",
    "date_from_datetime_parsing": "broken-date",
    "reversed_dates": "reversed-dates",
}


class _Table:
    """How the cells of one file become the values of rows.

    Attributes:
        columns: Our columns.
    """

    def __init__(
        self, path: Path, headings: list[str], columns: ListColumns, used: ColumnMap, mark: str
    ) -> None:
        self._path = path
        self.columns = columns
        self._map = used
        self._mark = mark
        self._width = len(headings)
        self._headings = headings
        places = {heading: number for number, heading in enumerate(headings)}
        self._places = {
            name: places.get(used.columns.get(name, name), -1) for name in columns.names
        }
        self._days: dict[str, str] = {}
        self._read = [
            (name, place, used.words.get(name, {}), used.constants.get(name, ""))
            for name, place in self._places.items()
            if place >= 0 or name in used.constants
        ]

    def place(self, name: str) -> tuple[int, str]:
        """Return number (from 1) and heading of one of our columns; 0 where the file has none."""
        number = self._places.get(name, -1)
        return (number + 1, self._headings[number]) if number >= 0 else (0, "")

    def content(self, cells: list[str]) -> dict[str, Any]:
        """Return the values of a row by our names.

        Raises:
            _WrongCell: A cell cannot be read at all.
        """
        content: dict[str, Any] = {}
        free = self.columns.free
        for name, place, words, constant in self._read:
            text = (cells[place].strip() if place >= 0 else "") or constant
            if words:
                text = words.get(text, text)
            if text and (text != NOT_APPLICABLE or name in free):
                content[name] = text
        self._convert(content)
        content.setdefault("evidence", self._mark)
        if not content["evidence"]:
            raise _WrongCell("unmarked-value", "evidence", "the row carries no evidence mark")
        return content

    def _convert(self, content: dict[str, Any]) -> None:
        for name in self.columns.lists:
            if name in content:
                parts = content[name].split(self._map.list_separator)
                content[name] = tuple(part.strip() for part in parts if part.strip())
        for name in self.columns.dates:
            if name in content:
                content[name] = self._date(content[name], name)
        if self._map.strip_0x:
            for name in self.columns.hexes.keys() & content.keys():
                content[name] = content[name].removeprefix("0x").removeprefix("0X")

    def _date(self, text: str, name: str) -> str:
        known = self._days.get(text)
        if known is not None:
            return known
        try:
            # A calendar day has no zone.
            day = datetime.strptime(text, self._map.date_format).date()  # noqa: DTZ007 - see above
        except ValueError:
            why = f"not a date of the form {self._map.date_format}: {text!r}"
            raise _WrongCell("broken-date", name, why) from None
        self._days[text] = day.isoformat()
        return self._days[text]

    def fault(self, code: str, line: int, name: str, cells: list[str], why: str) -> ListFault:
        """Return a fault of one cell, by our name of its column."""
        number, heading = self.place(name)
        value = cells[number - 1] if 0 < number <= len(cells) else ""
        if code == "broken-pattern":
            hexes = name in self.columns.hexes
            code, why = ("broken-hex", self.columns.hex_form(name)) if hexes else (code, why)
        return ListFault(code, line, number, heading or name, cut(value), why)

    def width_fault(self, line: int, cells: list[str]) -> ListFault | None:
        """Return the fault of a row that has more or fewer cells than headings, or None."""
        if len(cells) == self._width:
            return None
        why = f"more or fewer cells than headings: {len(cells)}, not {self._width}"
        return ListFault("cell-count", line, 0, "", "", why)


class _WrongCell(Exception):  # noqa: N818 -- caught in this module, never told as it is
    """A cell that cannot be read."""

    def __init__(self, code: str, name: str, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.name = name
        self.why = why


def scan(
    path: Path, row: type[Row], columns: ListColumns, column_map: ColumnMap | None
) -> Scan[Row]:
    """Read a list file to its end; rows that are wrong in themselves are told and left out.

    Args:
        path: The file: one heading line, then one row a line.
        row: What each row is.
        columns: Our columns.
        column_map: Headings of a user's export. Rows of such a file without a mark of their own
            are marked ``user:`` with the hash of the file.

    Raises:
        DataError: The file cannot be read, or a column is missing or not known.
    """
    used = column_map or ColumnMap()
    octets = read_octets(path)
    lines = _lines(_text(octets, used.encoding, path), used, path)
    headings = _headings(lines, path)
    _check_headings(headings, row, columns, column_map, path)
    mark = f"user:{digest_of(octets)}" if column_map is not None else ""
    table = _Table(path, headings, columns, used, mark)
    found: Scan[Row] = Scan(str(path), place=table.place)
    for line, cells in lines:
        _read_row(found, table, row, line, cells)
    return found


def _read_row(found: Scan[Row], table: _Table, row: type[Row], line: int, cells: list[str]) -> None:
    short = table.width_fault(line, cells)
    if short is not None:
        found.note(short)
        return
    try:
        found.rows.append(row.model_validate(table.content(cells)))
    except _WrongCell as error:
        found.note(table.fault(error.code, line, error.name, cells, error.why))
    except ValidationError as error:
        for one in error.errors(include_url=False, include_context=False):
            name = str(one["loc"][0]) if one["loc"] else ""
            why = one["msg"].removeprefix("Value error, ")
            code = _CODES.get(one["type"], "invalid-value")
            found.note(table.fault(code, line, name, cells, why))
    else:
        found.lines.append(line)
        return
    number, _ = table.place(table.columns.names[0])
    if number:
        found.broken.add(cells[number - 1].strip())


def _text(octets: bytes, encoding: str, path: Path) -> str:
    try:
        return octets.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        name = "UTF-8" if encoding == "utf-8" else encoding
        raise UnreadableFileError(
            f"not {name} text (octet {error.start}; a column map may name another encoding)",
            file=path,
            key=f"line {line}",
        ) from error


def _lines(text: str, used: ColumnMap, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield every line that is not empty with its number; cells may span lines."""
    source = io.StringIO(text, newline="")
    for _ in range(used.heading_line - 1):
        source.readline()
    reader = csv.reader(source, delimiter=used.delimiter, strict=True)
    before = used.heading_line - 1
    at = before
    try:
        for cells in reader:
            if cells:
                yield at + 1, cells
            at = before + reader.line_num
    except csv.Error as error:
        why = f"not CSV: {error}"
        raise UnreadableFileError(why, file=path, key=f"line {at + 1}") from error


def _headings(lines: Iterator[tuple[int, list[str]]], path: Path) -> list[str]:
    _, cells = next(lines, (0, []))
    headings = [cell.strip() for cell in cells]
    for number, heading in enumerate(headings, start=1):
        if heading and headings.count(heading) > 1:
            key = f"column {number} ({heading})"
            raise InvalidValueError("this column stands twice", file=path, key=key)
    return headings


def _check_headings(
    headings: list[str],
    row: type[BaseModel],
    columns: ListColumns,
    column_map: ColumnMap | None,
    path: Path,
) -> None:
    if column_map is None:
        unknown_keys(headings, columns.names, path, "column")
    used = column_map or ColumnMap()
    for name, heading in used.columns.items():
        if heading not in headings:
            raise InvalidValueError(
                f"the column map takes {name} from this column, which is not there",
                file=path,
                key=f"column {heading}",
            )
    for name, info in row.model_fields.items():
        free = name in used.constants or (name == "evidence" and column_map is not None)
        if info.is_required() and used.columns.get(name, name) not in headings and not free:
            raise InvalidValueError(
                "this column is missing (a column map gives other headings)",
                file=path,
                key=f"column {used.columns.get(name, name)}",
            )
