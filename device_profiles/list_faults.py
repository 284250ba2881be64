"""What is wrong with a list, and where it stands in the file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

from pydantic import BaseModel

from device_profiles.errors import (
    BilingualVersionError,
    DanglingReferenceError,
    DataError,
    DuplicateEntryError,
    InconsistentDataError,
    InvalidValueError,
    UnmarkedValueError,
)

Row = TypeVar("Row", bound=BaseModel)
#: Our name of a column -> its number in the file, from 1, and its heading; 0 where it has none.
Place = Callable[[str], tuple[int, str]]

#: Faults kept of one file; what comes after is counted.
MAX_FAULTS: Final = 1_000
_LONGEST_EXCERPT: Final = 60
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


def _nowhere(_name: str) -> tuple[int, str]:
    return 0, ""


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
        place: Our name of a column -> its number (from 1; 0: none) and heading in the file.
    """

    file: str
    rows: list[Row] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: list[ListFault] = field(default_factory=list)
    left_out: int = 0
    broken: set[str] = field(default_factory=set)
    place: Place = _nowhere

    def note(self, fault: ListFault) -> None:
        """Keep a fault, or count it when there are too many."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(fault)
        else:
            self.left_out += 1

    def blame(self, problem: Problem) -> None:
        """Keep a problem between rows as a fault of the file."""
        column, heading = self.place(problem.column)
        value = getattr(self.rows[problem.row], problem.column)
        told = ";".join(value) if isinstance(value, tuple) else str(value or "")
        other = "" if problem.other is None else f" (line {self.lines[problem.other]})"
        line = self.lines[problem.row]
        self.note(ListFault(problem.code, line, column, heading, cut(told), problem.why + other))

    def raise_first(self) -> None:
        """Raise the fault that stands first in the file, if there is one.

        Raises:
            DataError: Of the kind of the fault; with line and column.
        """
        if self.faults:
            raise min(self.faults, key=lambda one: (one.line, one.column)).error(self.file)


def cut(text: str) -> str:
    """Return the beginning of a cell, for messages."""
    return text if len(text) <= _LONGEST_EXCERPT else f"{text[: _LONGEST_EXCERPT - 1]}…"
