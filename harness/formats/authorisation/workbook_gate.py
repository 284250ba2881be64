"""A workbook looked through before any library opens it: sizes, declarations, merged cells."""

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lxml import etree
from openpyxl.utils import column_index_from_string, get_column_letter

from harness.formats.authorisation.faults import (
    damaged,
    too_large,
    unreadable,
    with_declaration,
)
from harness.formats.authorisation.grid import MAX_COLUMNS, MAX_FILE_BYTES, MAX_ROWS, Merge
from harness.formats.authorisation.sheet_parser import sheet_parser

#: Octets of all parts unpacked; 20,000 installations take some 40 million.
MAX_UNPACKED_BYTES: Final = 512 * 1024 * 1024
MAX_PARTS: Final = 2_000
MAX_MERGES: Final = 20_000
#: Lines before the first installation: instructions, headings.
MAX_EXTRA_LINES: Final = 1_000
_CHUNK: Final = 1 << 16
#: Pieces of the XML that one line may take; the fullest line of a spreadsheet takes a third.
MAX_LINE_CHUNKS: Final = 256
_ENCRYPTED: Final = b"\xd0\xcf\x11\xe0"  # a compound file: an encrypted or a very old workbook
_CELL: Final = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_AREA: Final = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})")
_FORBIDDEN: Final = (b"<!DOCTYPE", b"<!ENTITY")
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class SheetShape:
    """What was seen of one sheet.

    Attributes:
        merges: Merged cells.
        formulas: Addresses of formulas without a stored value.
        lines: How many lines it has.
        hidden_lines: Lines with values that a spreadsheet does not show (hidden, or filtered out).
    """

    merges: tuple[Merge, ...] = ()
    formulas: frozenset[str] = frozenset()
    hidden_lines: tuple[int, ...] = ()
    lines: int = 0


@dataclass(frozen=True, slots=True)
class WorkbookShape:
    """What was seen of a workbook.

    Attributes:
        sheets: Name of a sheet -> what was seen of it, in the workbook's order.
        has_macros: Whether it holds macros, which are never read.
    """

    sheets: dict[str, SheetShape] = field(default_factory=dict)
    has_macros: bool = False


def look_through(path: Path) -> WorkbookShape:
    """Look a workbook through in bounded time and memory.

    Raises:
        AuthorisationFileError: It is no workbook, too large, damaged, or declares entities.
    """
    _refuse_other_files(path)
    try:
        with zipfile.ZipFile(path) as parts:
            _refuse_oversize(parts)
            for name in parts.namelist():
                if name.endswith((".xml", ".rels", ".vml")):
                    _refuse_declarations(parts, name)
            sheets = {title: _sheet(parts, part) for title, part in _sheet_parts(parts).items()}
            macros = any(name.lower().endswith("vbaproject.bin") for name in parts.namelist())
    except _BROKEN as error:
        raise damaged(f"it is no sound zip file: {error}") from error
    if not sheets:
        raise damaged("it has no sheet")
    return WorkbookShape(sheets, macros)


def _refuse_other_files(path: Path) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise unreadable(error.strerror or "it cannot be opened", str(path)) from error
    if size > MAX_FILE_BYTES:
        raise too_large(f"it has {size:,} octets; the limit is {MAX_FILE_BYTES:,}")
    if start.startswith(_ENCRYPTED):
        raise damaged("it is encrypted, or a workbook of before 2007: save it without a password")
    if not start.startswith(b"PK"):
        raise damaged("it is no workbook")


def _refuse_oversize(parts: zipfile.ZipFile) -> None:
    entries = parts.infolist()
    if len(entries) > MAX_PARTS:
        raise too_large(f"it has {len(entries):,} parts; the limit is {MAX_PARTS:,}")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES:
        raise too_large(f"unpacked it has {unpacked:,} octets; the limit is {MAX_UNPACKED_BYTES:,}")
    if any(entry.flag_bits & 1 for entry in entries):
        raise damaged("it is encrypted: save it without a password")


def _refuse_declarations(parts: zipfile.ZipFile, name: str) -> None:
    """Find declarations octet by octet, before any parser sees them; only UTF-8 may be read so."""
    rest = b""
    for number, chunk in enumerate(_chunks(parts, name)):
        if number == 0 and chunk[:2] in {b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<"}:
            raise damaged("a part of it is not UTF-8", name)
        window = rest + chunk
        if any(mark in window for mark in _FORBIDDEN):
            raise with_declaration(name)
        rest = window[-16:]


def _chunks(parts: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with parts.open(name) as part:
        while chunk := part.read(_CHUNK):
            yield chunk


def _sheet_parts(parts: zipfile.ZipFile) -> dict[str, str]:
    """Return the part of each sheet by its title, in order."""
    names = set(parts.namelist())
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        raise damaged("it lacks the list of its sheets")
    targets = {
        element.get("Id", ""): element.get("Target", "")
        for element in _small(parts, "xl/_rels/workbook.xml.rels").iter("{*}Relationship")
    }
    found: dict[str, str] = {}
    for element in _small(parts, "xl/workbook.xml").iter("{*}sheet"):
        identifiers = [value for key, value in element.items() if str(key).endswith("}id")]
        target = targets.get(str(identifiers[0]) if identifiers else "", "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        if part in names and "worksheets" in part:
            found[element.get("name", "")] = part
    return found


def _small(parts: zipfile.ZipFile, name: str) -> etree._Element:
    if parts.getinfo(name).file_size > 16 * _CHUNK:
        raise too_large("its list of sheets is too long", name)
    try:
        return etree.fromstring(parts.read(name), _parser())
    except etree.XMLSyntaxError as error:
        raise damaged(str(error.msg), name) from error


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


class _Sheet:
    """Reads a sheet as it streams by; keeps merged cells and formulas without a value."""

    def __init__(self, part: str) -> None:
        self._part = part
        self._root: etree._Element | None = None
        self._row: etree._Element | None = None  # the line that has begun and not ended
        self._row_chunks = 0
        self.lines = 0
        self._has_formulas = False  # whether the line in hand holds any
        self._letters: set[str] = set()  # of columns that are within the limit
        self.merges: list[Merge] = []
        self.formulas: set[str] = set()
        self.hidden_lines: list[int] = []

    def events(self, events: Iterable[Any]) -> None:
        """Look at what began and ended in one piece of the sheet, and forget it."""
        for event, element in events:
            name = str(element.tag).rpartition("}")[2]
            if event == "start":
                self._begins(name, element)
            elif name == "row":
                self._line(element)
                self.lines += 1
                element.clear()
                self._row = None
            elif name == "f":
                self._has_formulas = True
            elif name == "mergeCell":
                self._merge(element.get("ref", ""))
        self._forget()

    def _begins(self, name: str, element: etree._Element) -> None:
        if name == "worksheet" and self._root is None:
            self._root = element
        elif name == "row":
            self._bound_line(element.get("r", ""))
            self._row, self._row_chunks, self._has_formulas = element, 0, False

    def _forget(self) -> None:
        """Let go of everything that has ended, so that no sheet can fill the memory."""
        if self._root is None:
            raise damaged("a part of it is no sheet", self._part)
        self._row_chunks += 1
        if self._row is not None and self._row_chunks > MAX_LINE_CHUNKS:
            self._refuse(f"a line of more than {MAX_LINE_CHUNKS * _CHUNK >> 20} MiB")
        element = self._root
        while len(element) and element is not self._row:
            del element[:-1]
            element = element[-1]

    def _line(self, row: etree._Element) -> None:
        number = row.get("r", "")
        for cell in row:
            reference = cell.get("r", "")
            # The usual cell: a column that was met before, on the line that it stands on.
            if not number or reference.removesuffix(number) not in self._letters:
                self._bound_cell(reference)
        if self._has_formulas:
            self.formulas |= {
                cell.get("r", "") for cell in row if _has(cell, "{*}f") and not _has_value(cell)
            }
        hidden = row.get("hidden") in {"1", "true"}
        if hidden and number.strip("0") and any(_has_value(cell) for cell in row):
            self.hidden_lines.append(int(number))

    def _bound_line(self, number: str) -> None:
        if number and (not number.isdecimal() or int(number) > MAX_ROWS + MAX_EXTRA_LINES):
            self._refuse(f"line {number[:20]}; the limit is {MAX_ROWS + MAX_EXTRA_LINES:,} lines")

    def _bound_cell(self, reference: str) -> None:
        if not reference:
            return
        found = _CELL.fullmatch(reference)
        if found is None:
            self._refuse(f"a cell at {reference[:20]!r}")
        elif column_index_from_string(found[1]) > MAX_COLUMNS:
            limit = get_column_letter(MAX_COLUMNS)
            self._refuse(f"a cell at {reference}; columns are read up to {limit}")
        else:
            self._bound_line(found[2])
            self._letters.add(found[1])

    def _merge(self, reference: str) -> None:
        found = _AREA.fullmatch(reference)
        if found is None:
            self._refuse(f"merged cells {reference[:20]!r}")
            return
        if len(self.merges) >= MAX_MERGES:
            self._refuse(f"more than {MAX_MERGES:,} merged cells")
        left, right = column_index_from_string(found[1]), column_index_from_string(found[3])
        self.merges.append(Merge(int(found[2]), int(found[4]), left - 1, right - 1))

    def _refuse(self, why: str) -> None:
        raise too_large(why, self._part)


def _has(cell: etree._Element, name: str) -> bool:
    return next(cell.iter(name), None) is not None


def _has_value(cell: etree._Element) -> bool:
    return any("".join(map(str, one.itertext())).strip() for one in cell.iter("{*}v", "{*}is"))


def _sheet(parts: zipfile.ZipFile, part: str) -> SheetShape:
    seen = _Sheet(part)
    told = ("{*}worksheet", "{*}row", "{*}f", "{*}mergeCell")
    parser = sheet_parser(["start", "end"], told)
    try:
        for chunk in _chunks(parts, part):
            parser.feed(chunk)
            seen.events(parser.read_events())
        parser.close()
    except etree.XMLSyntaxError as error:
        raise damaged(str(error.msg), part) from error
    return SheetShape(
        tuple(seen.merges), frozenset(seen.formulas), tuple(seen.hidden_lines), seen.lines
    )
