"""Catalogues of ours in CSV: one checked row a line, each row once, overlays on top."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

from device_profiles.errors import DuplicateEntryError, InvalidValueError, UnreadableFileError
from device_profiles.files import Folders, by_content, checked, layers, read_csv
from device_profiles.sections import Section

Row = TypeVar("Row", bound=Section)
Key = TypeVar("Key", bound=str | tuple[str, ...])


def whole_lines(
    path: Path, lines: Iterable[Mapping[str | Any, Any]]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the lines of a CSV file, each with its place as errors name it.

    Args:
        path: The file.
        lines: Its lines as ``read_csv`` returns them.

    Raises:
        InvalidValueError: A line has more or fewer cells than there are headings.
    """
    for number, cells in enumerate(lines, 2):
        where = f"line {number}"
        if None in cells or None in cells.values():
            raise InvalidValueError("more or fewer cells than headings", file=path, key=where)
        yield where, dict(cells)


def rows_of(path: Path, row: type[Row]) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a table whose headings are the fields of ``row``, each with its place.

    Args:
        path: UTF-8, comma separated, one heading line.
        row: Shape of a row.

    Raises:
        DataError: The file cannot be read, its headings are others, or a row is wrong.
    """
    headings, lines = read_csv(path)
    if set(headings) != set(row.model_fields):
        wanted = ", ".join(row.model_fields)
        raise UnreadableFileError(
            f"the headings are {', '.join(headings)}; they must be {wanted}",
            file=path,
            key="line 1",
        )
    for where, cells in whole_lines(path, lines):
        yield where, checked(row, cells, path, where)


class CsvTable(Generic[Row, Key]):
    """A catalogue whose rows have names: a row of an overlay wins over the one of its name."""

    def __init__(self, file: str, row: type[Row], noun: str, key: Callable[[Row], Key]) -> None:
        """Describe the table.

        Args:
            file: Name of its file in ``catalogues``.
            row: Shape of a row.
            noun: What the name of a row is, for messages.
            key: Name of a row; no two rows of one file share one.
        """
        self.file = file
        self._row, self._noun, self._key = row, noun, key
        self._read = by_content(self._each_once)

    def layers(self, overlays: Folders) -> Iterator[Mapping[Key, Row]]:
        """Yield the rows of each file by name, weakest first: shipped, then each overlay's.

        Raises:
            DataError: A file cannot be read, or a row is wrong or stands twice.
        """
        for path in layers("catalogues", self.file, overlays):
            yield self._read(path)

    def load(self, overlays: Folders) -> dict[Key, Row]:
        """Return the rows in force by name.

        Raises:
            DataError: A file cannot be read, or a row is wrong or stands twice.
        """
        rows: dict[Key, Row] = {}
        for own in self.layers(overlays):
            rows |= own
        return rows

    def _each_once(self, path: Path) -> Mapping[Key, Row]:
        rows: dict[Key, Row] = {}
        for where, one in rows_of(path, self._row):
            name = self._key(one)
            if name in rows:
                shown = name if isinstance(name, str) else " ".join(name)
                raise DuplicateEntryError(
                    f"{self._noun} {shown} stands twice", file=path, key=where
                )
            rows[name] = one
        return rows
