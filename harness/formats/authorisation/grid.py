"""An authorisation as lines of cells, whatever kind of file it came in."""

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from openpyxl.utils import get_column_letter

from emulator.core.values import quick

#: Installations of one file; the busiest month saw some 17,000 a day (migration.md §10).
MAX_ROWS: Final = 50_000
#: Columns looked at; ours are some thirty.
MAX_COLUMNS: Final = 200
MAX_FILE_BYTES: Final = 64 * 1024 * 1024
#: Characters of one cell; the longest of ours are names of issuers.
MAX_CELL_CHARS: Final = 2_000
_UNSEEN: Final = "\ufeff\u200b\u00a0 \t\r\n'"


class FileKind(enum.StrEnum):
    """Kinds of authorisation files."""

    WORKBOOK = "workbook"
    CSV = "csv"
    XML = "xml"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A cell whose value cannot be used at all.

    Attributes:
        shown: What stands there.
        is_formula: Whether it is a formula without a stored value; else an error value.
    """

    shown: str
    is_formula: bool = False

    def __str__(self) -> str:
        return self.shown


#: Told how far the work is: the stage, how much of it is done, of how much.
Watch = Callable[[str, int, int], None]
#: What a cell may hold; None for an empty one.
Raw = str | int | float | bool | datetime | date | time | Unusable | None


@quick
@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file.

    Attributes:
        number: Counted from 1, as spreadsheets show it.
        cells: Its cells, from the first column on.
    """

    number: int
    cells: tuple[Raw, ...]

    def at(self, index: int) -> Raw:
        """Return the cell of a column, counted from 0; None beyond the end."""
        return self.cells[index] if 0 <= index < len(self.cells) else None


@dataclass(frozen=True, slots=True)
class Merge:
    """Cells that were merged into one.

    Attributes:
        top: First line, from 1.
        bottom: Last line.
        left: First column, from 0.
        right: Last column.
    """

    top: int
    bottom: int
    left: int
    right: int

    def __str__(self) -> str:
        return f"{address(self.top, self.left)}:{address(self.bottom, self.right)}"


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell of a file that stops nothing.

    Attributes:
        sub_code: Sub-code of ``X-MA-NOTE``.
        text: The particulars.
    """

    sub_code: str
    text: str


def unwatched(_stage: str, _done: int, _total: int) -> None:
    """Nobody looks on."""


def _nothing() -> None:
    """A file that was read whole needs no letting go."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet, or what takes its place.

    Attributes:
        kind: Kind of file.
        sheet: Name of the sheet; empty for CSV and XML.
        lines: Its lines, in order; read once.
        merges: Merged cells.
        notes: What else is to be told.
        serial_epoch: Day 0 of day numbers.
        hidden: Whether a spreadsheet hides the sheet from its reader.
        count: How many lines there are, as far as that is known beforehand; 0: it is not.
        close: Lets go of the file; its lines can be read until then.
    """

    kind: FileKind
    sheet: str
    lines: Iterable[Line]
    merges: Sequence[Merge] = ()
    notes: Sequence[Note] = ()
    serial_epoch: datetime = datetime(1899, 12, 30)  # noqa: DTZ001 - a calendar day has no zone
    hidden: bool = False
    count: int = 0
    close: Callable[[], None] = _nothing


def address(line: int, column: int) -> str:
    """Return the address of a cell as spreadsheets write it.

    Args:
        line: From 1.
        column: From 0.
    """
    return f"{get_column_letter(column + 1)}{line}"


def is_empty(raw: Raw) -> bool:
    """Say whether a cell holds nothing that can be seen."""
    return raw is None or (isinstance(raw, str) and not raw.strip(_UNSEEN))
