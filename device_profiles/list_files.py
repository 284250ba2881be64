"""Lists as CSV files of ours, or users' exports through a column map: rows, and what is wrong."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from device_profiles.column_map import ColumnMap, ListColumns
from device_profiles.errors import (
    BilingualVersionError,
    DanglingReferenceError,
    DataError,
    DuplicateEntryError,
    InconsistentDataError,
    InvalidValueError,
    UnmarkedValueError,
    UnreadableFileError,
)
from device_profiles.files import digest_of, read_octets, unknown_keys

Row = TypeVar("Row", bound=BaseModel)

#: A cell that means "none".
NOT_APPLICABLE: Final = "N/A"
#: Faults kept of one file; what comes after is counted.
MAX_FAULTS: Final = 1_000
_LONGEST_EXCERPT: Final = 60
#: pydantic's word for an error -> ours; what stands in neither column is ``invalid-value``.
_CODES: Final[Mapping[str, str]] = {
    "missing": "missing-value",
    "string_pattern_mismatch": "broken-pattern",
    "enum": "unknown-word",
    "date_from_datetime_parsing": "broken-date",
    "reversed_dates": "reversed-dates",
    "broken_mark": "unmarked-value",
}
_ERRORS: Final[Mapping[str, type[DataError]]] = {
    one.code: one
    for one in (
        BilingualVersionError,
        DanglingReferenceError,
        DuplicateEntryError,
        InconsistentDataError,
        UnmarkedValueError,
    )
}


@dataclass(frozen=True, slots=True)
class ListFault:
    """One thing wrong with a list, and where it stands in the file.

    Attributes:
        code: ``broken-hex``, ``duplicate-entry``, ``dangling-reference``, ``reversed-dates`` …
        line: Line of the file, from 1; of the row's first line where a cell holds several.
        column: Number of the column, from 1; 0 where no single one is to blame.
        heading: Its heading in the file, or empty.
        value: What stands there, cut to 60 characters.
        why: What is wrong, and what would be right.
    """

    code: str
    line: int
    column: int
    heading: str
    value: str
    why: str

    @property
    def where(self) -> str:
        """Line and column for a reader."""
        told = f", column {self.column} ({self.heading})" if self.column else ""
        return f"line {self.line}{told}"

    def error(self, file: Path | str) -> DataError:
        """Return the fault as an error."""
        return _ERRORS.get(self.code, InvalidValueError)(self.why, file=file, key=self.where)


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that does not go with the others.

    Attributes:
        row: Number of the row among the rows, from 0.
        column: Our name of the column to blame.
        code: As in :class:`ListFault`.
        key: The row and what it names, for errors of lists that are no file.
        why: What is wrong.
        other: The row it does not go with, or None.
    """

    row: int
    column: str
    code: str
    key: str
    why: str
    other: int | None = None

    def error(self, file: Path | str) -> DataError:
        """Return the problem as an error of a list that is no file."""
        return _ERRORS.get(self.code, InvalidValueError)(self.why, file=file, key=self.key)


@dataclass(slots=True)
class Scan(Generic[Row]):
    """A list file, read to its end.

    Attributes:
        file: The file.
        rows: The rows that are right in themselves.
        lines: Line of each of them.
        faults: What is wrong, in the order found; at most :data:`MAX_FAULTS`.
        left_out: How many more faults there are.
        broken: Identifiers of rows that are wrong in themselves.
    """

    file: str
    rows: list[Row] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: list[ListFault] = field(default_factory=list)
    left_out: int = 0
    broken: set[str] = field(default_factory=set)
    _table: "_Table | None" = None

    def note(self, fault: ListFault) -> None:
        """Keep a fault, or count it when there are too many."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(fault)
        else:
            self.left_out += 1

    def blame(self, problem: Problem) -> None:
        """Keep a problem between rows as a fault of the file."""
        column, heading = (0, "") if self._table is None else self._table.place(problem.column)
        value = getattr(self.rows[problem.row], problem.column)
        told = value if isinstance(value, str) else ";".join(map(str, value or ()))
        other = "" if problem.other is None else f" (line {self.lines[problem.other]})"
        line = self.lines[problem.row]
        self.note(
            ListFault(problem.code, line, column, heading, _cut(told), problem.why + other)
        )

    def raise_first(self) -> None:
        """Raise the fault that stands first in the file, if there is one.

        Raises:
            DataError: Of the kind of the fault; with line and column.
        """
        if self.faults:
            raise min(self.faults, key=lambda one: (one.line, one.column)).error(self.file)


class _Table:
    """How the cells of one file become the values of rows."""

    def __init__(
        self, path: Path, headings: list[str], columns: ListColumns, used: ColumnMap, mark: str
    ) -> None:
        self._path = path
        self._columns = columns
        self._map = used
        self._mark = mark
        self._width = len(headings)
        self._headings = headings
        places = {heading: number for number, heading in enumerate(headings)}
        self._places = {
            name: places.get(used.columns.get(name, name), -1) for name in columns.names
        }
        self._plain = [
            (name, place, used.words.get(name, {}))
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
        constants = self._map.constants
        for name, place, words in self._plain:
            text = cells[place].strip() if place >= 0 else ""
            text = text or constants.get(name, "")
            if words:
                text = words.get(text, text)
            if not text or (text == NOT_APPLICABLE and name not in self._columns.free):
                continue
            content[name] = text
        for name in self._columns.lists & content.keys():
            parts = content[name].split(self._map.list_separator)
            content[name] = tuple(part.strip() for part in parts if part.strip())
        for name in self._columns.dates & content.keys():
            content[name] = self._date(content[name], name)
        for name in self._columns.hexes & content.keys() if self._map.strip_0x else ():
            content[name] = content[name].removeprefix("0x").removeprefix("0X")
        content.setdefault("evidence", self._mark)
        if not content["evidence"]:
            raise _WrongCell("unmarked-value", "evidence", "the row carries no evidence mark")
        return content

    def _date(self, text: str, name: str) -> str:
        try:
            # A calendar day has no zone.
            day = datetime.strptime(text, self._map.date_format).date()  # noqa: DTZ007 - see above
        except ValueError:
            why = f"not a date of the form {self._map.date_format}: {text!r}"
            raise _WrongCell("broken-date", name, why) from None
        return day.isoformat()

    def fault(self, code: str, line: int, name: str, cells: list[str], why: str) -> ListFault:
        """Return a fault of one cell, by our name of its column."""
        number, heading = self.place(name)
        value = cells[number - 1] if 0 < number <= len(cells) else ""
        if code == "broken-pattern":
            hexes = name in self._columns.hexes
            code, why = ("broken-hex", self._columns.hex_form(name)) if hexes else (code, why)
        return ListFault(code, line, number, heading or name, _cut(value), why)

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


def scan(path: Path, row: type[Row], columns: ListColumns, column_map: ColumnMap | None) -> Scan[Row]:
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
    found: Scan[Row] = Scan(str(path), _table=table)
    for line, cells in lines:
        _read_row(found, table, row, line, cells)
    return found


def _read_row(
    found: Scan[Row], table: _Table, row: type[Row], line: int, cells: list[str]
) -> None:
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
    number, _ = table.place(next(iter(row.model_fields)))
    if number:
        found.broken.add(cells[number - 1].strip())


def _text(octets: bytes, encoding: str, path: Path) -> str:
    try:
        return octets.decode("utf-8-sig" if encoding == "utf-8" else encoding)
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


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_EXCERPT else f"{text[: _LONGEST_EXCERPT - 1]}…"
