"""Lines of the catalogues of GBCS devices: cells, their plain values and marks, and refusals."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from device_profiles.csv_rows import whole_lines
from device_profiles.errors import DuplicateEntryError, InvalidValueError, UnknownNameError
from device_profiles.evidence import Mark
from device_profiles.files import Folders, layers, read_csv


def table_path(name: str, overlays: Folders) -> Path:
    """Return the file of a catalogue; the strongest overlay's replaces the weaker ones.

    Raises:
        UnknownNameError: There is no such file.
    """
    found = layers("catalogues", name, overlays)
    if not found:
        raise UnknownNameError("no catalogue of this name", file=name)
    return found[-1]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a catalogue.

    Attributes:
        path: The file.
        where: The line, as errors name it.
        cells: Column -> text.
    """

    path: Path
    where: str
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        """Return the text of a column."""
        return self.cells[column]

    def refuse(self, why: str, column: str = "") -> NoReturn:
        """Refuse the line, for the cell of a column where one is named.

        Raises:
            InvalidValueError: Always.
        """
        raise InvalidValueError(why, file=self.path, key=f"{self.where} {column}".rstrip())

    def words(self, column: str) -> frozenset[str]:
        """Return the words of a column."""
        return frozenset(self[column].split())

    def identifiers(self, column: str) -> frozenset[int]:
        """Return the hexadecimal numbers of a column.

        Raises:
            InvalidValueError: One of its words is none.
        """
        try:
            return frozenset(int(word, 16) for word in self.words(column))
        except ValueError as error:
            self.refuse(str(error))

    def default(self) -> Any:
        """Return the plain value of the column ``default``; None where it is empty.

        Raises:
            InvalidValueError: It is not JSON.
        """
        try:
            return json.loads(self["default"]) if self["default"] else None
        except ValueError as error:
            self.refuse(str(error))

    def mark(self) -> Mark:
        """Return how well the line is known.

        Raises:
            InvalidValueError: The column ``evidence`` says no mark.
        """
        try:
            return Mark.parse(self["evidence"])
        except ValueError as error:
            self.refuse(str(error))


def lines_of(path: Path, columns: tuple[str, ...]) -> Iterator[Line]:
    """Yield the lines of a catalogue.

    Raises:
        DataError: The file cannot be read, its headings are others, a line has more cells or fewer.
    """
    headings, lines = read_csv(path)
    if tuple(headings) != columns:
        Line(path, "line 1", {}).refuse(f"the headings must be {', '.join(columns)}")
    for where, cells in whole_lines(path, lines):
        yield Line(path, where, cells)


def use_case_lines(path: Path, columns: tuple[str, ...]) -> Iterator[Line]:
    """Yield the lines of a table of use cases, each use case once.

    Raises:
        DataError: As ``lines_of``, or a use case stands twice.
    """
    seen: set[str] = set()
    for line in lines_of(path, columns):
        name = line["use_case"]
        if name in seen:
            raise DuplicateEntryError(f"{name} stands twice", file=path, key=line.where)
        seen.add(name)
        yield line


def check_use_cases(
    path: Path, row: str, used: frozenset[str], known: Mapping[str, object]
) -> None:
    """Check that every use case of a row has a line of its own.

    Raises:
        InvalidValueError: One has none.
    """
    for use_case in sorted(used - set(known)):
        why = f"{use_case} is in no line of the use-case table"
        raise InvalidValueError(why, file=path, key=row)
