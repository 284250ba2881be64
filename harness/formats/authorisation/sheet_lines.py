"""The lines of one sheet, quickly: texts are read here, every other kind of cell by openpyxl.

Nearly all cells of an authorisation are texts. openpyxl builds a tree of described objects for
each of them, which takes longer than all rules together; here they are taken out of the line's
elements as they stand. What is no plain text (numbers, days, formulas, errors, rich text, cells
without an address) goes to openpyxl's own reader of cells, and so does the rest of the sheet.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from lxml import etree
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet._reader import (
    CELL_TAG,
    INLINE_STRING,
    ROW_TAG,
    VALUE_TAG,
    WorkSheetParser,
)
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS

from harness.formats.authorisation.sheet_parser import sheet_parser

_CHUNK: Final = 1 << 16
_TEXT_TAG: Final = f"{{{SHEET_MAIN_NS}}}t"
_STRING_TAG: Final = f"{{{SHEET_MAIN_NS}}}si"
_DIGITS: Final = "0123456789"


class QuickReader(ExcelReader):
    """openpyxl's reader of workbooks, with the table of shared texts read without its objects."""

    def read_strings(self) -> None:
        """Read the table of shared texts; rich ones as openpyxl reads them."""
        package: Any = self.package
        part = package.find(SHARED_STRINGS)
        if part is None:
            return
        texts: list[str] = self.shared_strings
        with self.archive.open(part.PartName[1:]) as source:
            for item in _elements(source.read, _STRING_TAG):
                plain = _plain_text(item)
                text = _rich_text(item) if plain is None else plain
                texts.append(text.replace("x005F_", ""))  # as openpyxl does


def lines_of(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the values of a sheet's lines, from line 1 on, as openpyxl's ``iter_rows`` does.

    Args:
        sheet: The sheet, of a workbook opened for reading only.

    Raises:
        Exception: Whatever openpyxl or lxml meets in a part that is not sound.
    """
    book = sheet.parent
    strings: Sequence[str] = sheet._shared_strings  # noqa: SLF001 -- openpyxl has no other name
    nothing: Any = None  # its lines come from here
    parser = WorkSheetParser(
        nothing,
        strings,
        data_only=True,
        epoch=book.epoch,
        date_formats=book._date_formats,  # noqa: SLF001 -- likewise
        timedelta_formats=book._timedelta_formats,  # noqa: SLF001 -- likewise
    )
    cells = _Cells(parser, strings)
    due = 1
    rest = _Rest()
    with sheet._get_source() as source:  # noqa: SLF001 -- likewise
        for row in _elements(source.read, ROW_TAG, rest):
            number = _number(parser, row)
            values = cells.of(row)
            for _ in range(due, number):  # lines that the sheet leaves out
                yield ()
            due = max(due, number)
            if due == number:
                due += 1
                yield values
        rest.read()


class _Rest:
    """What stands around the lines; openpyxl reads it, so that it refuses what it always did."""

    root: etree._Element | None = None

    def read(self) -> None:
        if self.root is not None:
            source = io.BytesIO(etree.tostring(self.root))
            for _ in WorkSheetParser(source, [], data_only=True).parse():
                pass


class _Cells:
    """Takes the values out of a line's cells."""

    def __init__(self, parser: WorkSheetParser, strings: Sequence[str]) -> None:
        self._parser = parser
        self._strings = strings
        self._columns: dict[str, int] = {}

    def of(self, row: etree._Element) -> tuple[Any, ...]:
        """Return the values of a line, as many as its last cell says."""
        self._parser.col_counter = 0
        found = [self._cell(element) for element in row]
        if not found:
            return ()
        values: list[Any] = [None] * found[-1][0]
        for column, value in found:
            if column <= len(values):
                values[column - 1] = value
        return tuple(values)

    def _cell(self, element: etree._Element) -> tuple[int, Any]:
        """Return column, from 1, and value of a cell."""
        address = element.get("r")
        kind = element.get("t")
        if address and element.tag == CELL_TAG and len(element) == 1:
            child = element[0]
            if kind == "inlineStr" and child.tag == INLINE_STRING:
                text = _plain_text(child)
                if text is not None:
                    column = self._columns.get(address.rstrip(_DIGITS)) or self._column(address)
                    self._parser.col_counter = column
                    return column, text
            elif kind == "s" and child.tag == VALUE_TAG and child.text:
                return self._column(address), self._strings[int(child.text)]
        read = self._parser.parse_cell(element)
        return read["column"], read["value"]

    def _column(self, address: str) -> int:
        letters = address.rstrip(_DIGITS)
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = int(column_index_from_string(letters))
        self._parser.col_counter = column
        return column


def _number(parser: WorkSheetParser, row: etree._Element) -> int:
    """Return the number of a line; openpyxl's own reader says what a number may look like."""
    text = row.get("r", "")
    if text.isdecimal():
        parser.row_counter = int(text)
        return parser.row_counter
    bare: Any = etree.Element(row.tag, {str(name): str(text) for name, text in row.items()})
    return int(parser.parse_row(bare)[0])


def _plain_text(holder: etree._Element) -> str | None:
    """Return the text of an element that holds one ``t`` and nothing else; None for another."""
    if len(holder) != 1 or (text := holder[0]).tag != _TEXT_TAG or len(text):
        return None
    return text.text or ""


def _rich_text(holder: Any) -> str:
    """Return the text of an element without its fonts and readings, as openpyxl reads it."""
    found: Any = Text.from_tree(holder)
    return str(found.content)


def _elements(
    read: Callable[[int], bytes], tag: str, rest: _Rest | None = None
) -> Iterator[etree._Element]:
    """Yield each element of a name as it ends; what it held is forgotten behind it."""
    parser = sheet_parser(["end"], tag)
    while chunk := read(_CHUNK):
        parser.feed(chunk)
        for _, element in parser.read_events():
            yield element
            _forget(element)
    root = parser.close()
    if rest is not None:
        rest.root = root


def _forget(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and (before := element.getprevious()) is not None:
        if before.tag != element.tag:
            break
        parent.remove(before)
