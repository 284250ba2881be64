"""Sheets read and written without openpyxl's objects: what openpyxl itself reads and writes."""

import gc
import io
import json
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from harness.cli.output import indented
from harness.formats.authorisation.faults import AuthorisationFileError
from harness.formats.authorisation.grid import Grid, Line
from harness.formats.authorisation.sheet_lines import QuickReader, lines_of
from harness.formats.authorisation.workbook import open_workbook
from harness.formats.authorisation.writing import without_time, workbook_of

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
STRINGS = (
    "<si><t>plain</t></si><si><t/></si><si><r><t>ri</t></r><r><rPr><b/></rPr><t>ch</t></r></si>"
    "<si><t>kana</t><rPh sb='0' eb='1'><t>x</t></rPh></si><si><t>_x005F_x</t></si>"
    '<si><t xml:space="preserve"> a &amp; b\n</t></si>'
)
SHARED = (
    b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
    b'officedocument.spreadsheetml.sharedStrings+xml"/>'
)
#: Lines as other programs write them; each is read as openpyxl reads it.
LINES = {
    "inline": '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>',
    "inline, empty": '<row r="1"><c r="A1" t="inlineStr"><is><t/></is></c></row>',
    "inline, nothing": '<row r="1"><c r="A1" t="inlineStr"/>'
    '<c r="B1" t="inlineStr"><is/></c></row>',
    "inline, rich": '<row r="1"><c r="B1" t="inlineStr"><is>'
    "<r><t>a</t></r><r><t>b</t></r></is></c></row>",
    "inline, comment": '<row r="1"><c r="A1" t="inlineStr"><is><t>a<!-- x -->b</t></is></c></row>',
    "shared": "".join(
        f'<row r="{n + 1}"><c r="C{n + 1}" t="s"><v>{n}</v></c></row>' for n in range(6)
    ),
    "shared, no value": '<row r="1"><c r="A1" t="s"/><c r="B1" t="s"><v/></c></row>',
    "numbers": '<row r="1"><c r="A1"><v>1</v></c>'
    '<c r="B1"><v>1.50</v></c><c r="C1"><v>1E3</v></c></row>',
    "days": '<row r="1"><c r="A1" s="1"><v>44256</v></c><c r="B1" s="1"><v>1e9</v></c></row>',
    "ISO day": '<row r="1"><c r="A1" t="d"><v>2021-03-01</v></c></row>',
    "words": '<row r="1"><c r="A1" t="b"><v>1</v></c><c r="B1" t="e"><v>#N/A</v></c></row>',
    "formula": '<row r="1"><c r="A1" t="str"><f>B1</f><v>x</v></c><c r="B1"><f>1+1</f></c></row>',
    "empty": '<row r="1"/><row r="2"><c r="D2"/></row>',
    "left out": '<row r="3"><c r="B3"><v>3</v></c></row><row r="6"><c r="A6"><v>6</v></c></row>',
    "out of order": '<row r="1"><c r="C1"><v>3</v></c><c r="A1"><v>1</v></c></row>',
    "twice": '<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>'
    '<row r="1"><c r="A1"><v>3</v></c></row><row r="2"><c r="A2"><v>4</v></c></row>',
    "no addresses": '<row><c><v>1</v></c><c t="s"><v>0</v></c></row><row><c r="C2"><v>1</v></c>'
    "<c><v>2</v></c></row>",
    "something else": '<row r="1" hidden="1" ht="12"><x/><c r="B1"><v>1</v><x/></c></row>',
}


def book(path: Path, lines: str, strings: str = STRINGS, tail: str = "") -> Path:
    """A workbook whose sheet holds these lines, a table of shared texts and a style of days."""
    made = openpyxl.Workbook()
    page = made.active
    assert page is not None
    page["A1"] = 1
    page["A1"].number_format = "yyyy-mm-dd"
    held = io.BytesIO()
    made.save(held)
    with zipfile.ZipFile(held) as parts, zipfile.ZipFile(path, "w") as out:
        for name in parts.namelist():
            text = parts.read(name)
            if name == "xl/worksheets/sheet1.xml":
                text = (
                    f"<worksheet {MAIN}><sheetData>{lines}</sheetData>{tail}</worksheet>".encode()
                )
            elif name == "[Content_Types].xml":
                text = text.replace(b"</Types>", SHARED + b"</Types>")
            out.writestr(name, text)
        out.writestr("xl/sharedStrings.xml", f"<sst {MAIN}>{strings}</sst>")
    return path


def theirs(path: Path) -> list[tuple[Any, ...]]:
    # openpyxl leaves a file open that it opened itself and then refuses: whichever test runs when
    # its memory is cleared up would be told of it.
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = openpyxl.load_workbook(file, read_only=True, data_only=True)
        page: Any = opened.worksheets[0]
        page.reset_dimensions()
        return [tuple(line) for line in page.iter_rows(values_only=True)]


def ours(path: Path) -> list[tuple[Any, ...]]:
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reader = QuickReader(file, read_only=True, data_only=True, keep_vba=False, keep_links=False)
        reader.read()
        return list(lines_of(reader.wb.worksheets[0]))


def typed(lines: Sequence[Sequence[Any]]) -> list[list[tuple[str, str]]]:
    return [[(type(cell).__name__, repr(cell)) for cell in line] for line in lines]


def read_all(path: Path) -> list[tuple[Grid, list[Line]]]:
    grids = open_workbook(path)
    try:
        return [(grid, list(grid.lines)) for grid in grids]
    finally:
        for grid in grids:
            grid.close()


@pytest.mark.parametrize("name", LINES)
def test_a_sheet_is_read_as_openpyxl_reads_it(tmp_path: Path, name: str) -> None:
    path = book(tmp_path / "a.xlsx", LINES[name])
    assert typed(ours(path)) == typed(theirs(path))


def test_a_sheet_of_many_pieces_is_read_as_openpyxl_reads_it(tmp_path: Path) -> None:
    lines = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>{"x" * (n % 977)}</t></is></c>'
        f'<c r="C{n}" t="s"><v>{n % 6}</v></c></row>'
        for n in range(1, 1500)
    )
    path = book(tmp_path / "a.xlsx", lines)
    assert typed(ours(path)) == typed(theirs(path))


@pytest.mark.parametrize(
    "line",
    [
        '<row r="1"><c r="A1" t="s"><v>99</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>x</v></c></row>',
        '<row r="1"><c r="A1"><v>x</v></c></row>',
        '<row r="1"><c r="A1" t="inlineStr"><is><t>a',
    ],
)
def test_what_openpyxl_refuses_is_refused_as_damaged(tmp_path: Path, line: str) -> None:
    path = book(tmp_path / "a.xlsx", line)
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- openpyxl lets through what it meets
        theirs(path)
    files = (one for one in gc.get_objects() if type(one) is io.FileIO and not one.closed)
    assert str(path) not in [one.name for one in files], caught.value
    with pytest.raises(AuthorisationFileError):
        read_all(path)


def test_what_stands_around_the_lines_is_judged_as_before(tmp_path: Path) -> None:
    tail = '<pageMargins left="wide" right="1" top="1" bottom="1" header="1" footer="1"/>'
    path = book(tmp_path / "a.xlsx", LINES["inline"], tail=tail)
    with pytest.raises(AuthorisationFileError, match="TypeError"):
        read_all(path)


def test_formulas_hidden_lines_and_merges_are_seen_across_pieces(tmp_path: Path) -> None:
    lines = "".join(
        f'<row r="{n}"{" hidden=" + chr(34) + "1" + chr(34) if n % 100 == 0 else ""}>'
        f'<c r="A{n}" t="inlineStr"><is><t>{"x" * 500}</t></is></c>'
        f'<c r="B{n}"><f>A{n}</f>{"" if n % 50 == 0 else "<v>1</v>"}</c></row>'
        for n in range(1, 601)
    )
    tail = '<mergeCells count="1"><mergeCell ref="A3:B4"/></mergeCells>'
    ((grid, read),) = read_all(book(tmp_path / "a.xlsx", lines, tail=tail))
    assert [str(merge) for merge in grid.merges] == ["A3:B4"]
    assert [note.text for note in grid.notes] == ["100, 200, 300, 400, 500, 600"]
    unusable = [line.number for line in read if str(line.at(1)) == "a formula"]
    assert unusable == list(range(50, 601, 50))
    assert grid.count == 600


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ('<row r="1">' + '<c r="A1"><x/></c>' * 1_000_000 + "</row>", "a line of more than 16 MiB"),
        ('<row r="1"><c r="A\uff11"/><c r="GS1"/></row>', "columns are read up to GR"),
        ('<row r="1"><c r="A"/></row>', "a cell at 'A'"),
        ('<row r="1"><c r="A1"/><c r="A99999"/></row>', "line 99999"),
        ('<row><c r="A"/></row>', "a cell at 'A'"),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_read(
    tmp_path: Path, lines: str, why: str
) -> None:
    with pytest.raises(AuthorisationFileError, match=why):
        open_workbook(book(tmp_path / "a.xlsx", lines))


def test_a_part_that_is_no_sheet_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", "")
    with zipfile.ZipFile(path) as parts:
        held = {name: parts.read(name) for name in parts.namelist()}
    held["xl/worksheets/sheet1.xml"] = b"<other>" + b"<x/>" * 1000 + b"</other>"
    with zipfile.ZipFile(path, "w") as out:
        for name, text in held.items():
            out.writestr(name, text)
    with pytest.raises(AuthorisationFileError, match="no sheet"):
        open_workbook(path)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"))


@settings(max_examples=60)
@given(
    st.lists(st.lists(_TEXTS | st.sampled_from(["#N/A", "=1+1", "=", " a ", "\u00a0", "a\r\nb"])))
)
@example([["é & < > \" '", "", "x" * 40_000], [], ["#REF!", "\x01", "\u2028"]])
def test_lines_are_written_with_the_octets_of_openpyxl(lines: list[list[str]]) -> None:
    made = openpyxl.Workbook(write_only=True)
    page: Any = made.create_sheet("Sheet")
    for line in lines:
        cells: list[Any] = [ILLEGAL_CHARACTERS_RE.sub("", text) for text in line]
        for index, text in enumerate(cells):
            if text.startswith("="):
                cells[index] = WriteOnlyCell(page, text)
                cells[index].data_type = "s"
        page.append(cells)
    held = io.BytesIO()
    made.save(held)
    assert workbook_of(lines, "Sheet") == without_time(held.getvalue())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@given(_JSON)
def test_json_is_indented_as_the_standard_library_does(value: object) -> None:
    assert indented(value) == json.dumps(value, indent=2, ensure_ascii=False)
