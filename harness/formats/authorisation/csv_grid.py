"""CSV authorisations as lines of cells, addressed as a spreadsheet shows them."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from harness.formats.authorisation.faults import too_large, unreadable
from harness.formats.authorisation.grid import (
    MAX_CELL_CHARS,
    MAX_COLUMNS,
    MAX_FILE_BYTES,
    FileKind,
    Grid,
    Line,
    Note,
)

SUFFIXES: Final = (".csv", ".txt", ".tsv")
_SEPARATORS: Final = ",;\t|"
#: Characters of the beginning in which the separator is looked for.
_SAMPLE: Final = 16_384


def open_csv(path: Path) -> list[Grid]:
    """Read a CSV file: separated by comma, semicolon, tab or bar, in UTF-8 or Windows-1252.

    Raises:
        AuthorisationFileError: It cannot be read, or is too large.
    """
    text, notes = _text(read_bounded(path))
    return [Grid(FileKind.CSV, "", _Lines(text, separator_of(text)), (), tuple(notes))]


def read_bounded(path: Path) -> bytes:
    """Return the octets of a file.

    Raises:
        AuthorisationFileError: It cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise unreadable(reason, str(path)) from error
    if len(content) > MAX_FILE_BYTES:
        raise too_large(f"it has more than {MAX_FILE_BYTES:,} octets")
    return content


def separator_of(text: str) -> str:
    """Return the separator that the beginning of a text uses most."""
    sample = text[:_SAMPLE]
    return max(_SEPARATORS, key=sample.count)


def _text(content: bytes) -> tuple[str, list[Note]]:
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        try:
            return content.decode("utf-16"), [Note("03", "the text is UTF-16")]
        except UnicodeDecodeError as error:
            raise unreadable("it is neither UTF-8 nor sound UTF-16") from error
    if b"\x00" in content:
        raise unreadable("it holds zero octets: it is no text")
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        note = Note("03", f"octet {error.start} is not UTF-8; the text is read as Windows-1252")
        return content.decode("cp1252", errors="replace"), [note]


class _Lines:
    """The lines of a text; may be gone through more than once."""

    def __init__(self, text: str, separator: str) -> None:
        self._text = text
        self._separator = separator

    def __iter__(self) -> Iterator[Line]:
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._separator)
        number = 0
        while True:
            number += 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise unreadable(f"it is not CSV: {error}", f"line {number}") from error
            if cells is None:
                return
            if len(cells) > MAX_COLUMNS:
                raise too_large(f"more than {MAX_COLUMNS} columns", f"line {number}")
            if any(len(cell) > MAX_CELL_CHARS for cell in cells):
                raise too_large(
                    f"a cell of more than {MAX_CELL_CHARS} characters", f"line {number}"
                )
            yield Line(number, tuple(cells))
