"""An authorisation written back: repaired values in the file's own columns, in its own kind."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from lxml import etree
from openpyxl import Workbook

from harness.formats.authorisation.cells import shown
from harness.formats.authorisation.columns import Heading, Layout
from harness.formats.authorisation.grid import FileKind, Raw
from harness.formats.authorisation.read_rows import Authorisation, Row
from harness.formats.authorisation.sheet_data import EMPTY, sheet_data
from harness.formats.authorisation.xml_grid import NAMESPACE, ROOT, ROW

#: Ending of the file name of each kind.
ENDINGS: Final = {FileKind.WORKBOOK: ".xlsx", FileKind.CSV: ".csv", FileKind.XML: ".xml"}
#: Column that says that the columns are stand-ins, or the user's.
EVIDENCE: Final = "Evidence"
_COMMENT: Final = (
    " smetsbench: stand-in. The namespace and the elements are the project's own; "
    "the real schema of authorisations is not public. "
)
#: Part of a workbook that says when it was made and changed.
_PROPERTIES: Final = "docProps/core.xml"
_MOMENT: Final = re.compile(
    rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:(?:created|modified)>)"
)
_FIRST_SHEET: Final = "xl/worksheets/sheet1.xml"
#: The earliest moment that an archive can name.
_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)
_NO_MOMENT: Final = b"1980-01-01T00:00:00Z"
#: A spreadsheet takes text that begins so for a formula.
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")


def write(authorisation: Authorisation, rows: Iterable[Row], layout: Layout, path: Path) -> None:
    """Write installations with their repaired values.

    The file's own lines above the headings, its headings and its columns stay; values of columns
    that nothing reads go along as they are. A column says where the columns come from.

    Args:
        authorisation: The file as it was read.
        rows: Its installations that are written, in their order.
        layout: Columns, words and the user's map.
        path: Where to; the kind is that of the file.

    Raises:
        OSError: It cannot be written.
    """
    if authorisation.grid.kind is FileKind.XML:
        path.write_bytes(_xml(rows, layout))
        return
    lines = _lines(authorisation, rows, layout.column_map.mark)
    if authorisation.grid.kind is FileKind.CSV:
        path.write_text(csv_of(lines), encoding="utf-8", newline="")
    else:
        path.write_bytes(workbook_of(lines, authorisation.grid.sheet))


def render_lines(headings: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return a CSV file whose cells no spreadsheet takes for formulas."""
    return csv_of([headings, *([_harmless(str(cell)) for cell in line] for line in lines)])


def _lines(authorisation: Authorisation, rows: Iterable[Row], mark: str) -> Iterator[Sequence[str]]:
    for line in authorisation.preamble:
        if line.number != authorisation.headings.line:
            yield [shown(cell) for cell in line.cells]
    headings = authorisation.headings
    columns = list(headings.columns)
    width = max((heading.index for heading in columns), default=-1) + 1
    evidence = headings.index_of(EVIDENCE)
    if evidence is None and headings.line:
        evidence = width
        width += 1
    if headings.line:
        titles = [""] * width
        for heading in columns:
            titles[heading.index] = heading.text
        if evidence is not None:
            titles[evidence] = titles[evidence] or EVIDENCE
        yield titles
    for row in rows:
        cells = [""] * width
        for heading in columns:
            cells[heading.index] = _cell(row, heading)
        if evidence is not None:
            cells[evidence] = mark
        yield cells


def _cell(row: Row, heading: Heading) -> str:
    if heading.column is not None:
        return row.values[heading.column.column]
    position = heading.index
    if row.shift is not None and position < len(row.shift.positions):
        position = row.shift.positions[position]
    return shown(row.original[position]) if 0 <= position < len(row.original) else ""


def csv_of(lines: Iterable[Sequence[str]]) -> str:
    """Return lines of cells as CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(lines)
    return out.getvalue()


def workbook_of(lines: Iterable[Sequence[str]], sheet: str) -> bytes:
    """Return lines of cells as a workbook with one sheet; the same lines give the same octets."""
    workbook = Workbook(write_only=True)
    workbook.create_sheet(sheet)
    held = io.BytesIO()
    workbook.save(held)
    return without_time(held.getvalue(), sheet_data(lines))


def without_time(workbook: bytes, lines: bytes = b"") -> bytes:
    """Return a workbook whose octets say nothing of when it was written.

    openpyxl stamps the present moment into its properties and into every part of the archive.

    Args:
        workbook: What openpyxl wrote.
        lines: Lines that its empty sheet is given; none: it stays as it is.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as stamped, zipfile.ZipFile(out, "w") as plain:
        for name in stamped.namelist():
            part = stamped.read(name)
            if name == _PROPERTIES:
                part = _MOMENT.sub(rb"\g<1>" + _NO_MOMENT + rb"\g<2>", part)
            elif name == _FIRST_SHEET and lines:
                part = part.replace(EMPTY, lines)
            info = zipfile.ZipInfo(name, _NO_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            plain.writestr(info, part)
    return out.getvalue()


def _xml(rows: Iterable[Row], layout: Layout) -> bytes:
    root = etree.Element(f"{{{NAMESPACE}}}{ROOT}", nsmap={"mig": NAMESPACE})
    root.append(etree.Comment(_COMMENT))
    for row in rows:
        element = etree.SubElement(root, f"{{{NAMESPACE}}}{ROW}")
        for name in layout.columns:
            text = row.values.get(name, "")
            if name == EVIDENCE:
                text = layout.column_map.mark
            if text:
                etree.SubElement(element, f"{{{NAMESPACE}}}{name}").text = text
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def original(row: Row) -> list[str]:
    """Return the cells of a line as they stood in the file."""
    cells: Sequence[Raw] = row.original
    return [shown(cell) for cell in cells]
