"""Files that are no authorisations, or mean harm: refused early, each with its own sub-code."""

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.formats.authorisation import csv_grid, grid, workbook_gate, xml_grid
from harness.formats.authorisation.columns import load_layout
from harness.formats.authorisation.faults import AuthorisationFileError
from harness.formats.authorisation.read_rows import Authorisation
from harness.formats.authorisation.reading import read
from tests.harness.formats.authorisations_made import (
    COLUMNS,
    installation,
    lines,
    write_csv,
    write_workbook,
)
from tests.sampling import examples

LAYOUT = load_layout()
SHEET = "xl/worksheets/sheet1.xml"
BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {c} "{f"&{p};" * 10}">' for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)


def sub_code(path: Path) -> str:
    with pytest.raises(AuthorisationFileError) as caught:
        read(path, LAYOUT)
    assert caught.value.why
    return f"{caught.value.code} {caught.value.sub_code}"


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return write_workbook(tmp_path / "sound.xlsx", lines([installation(1), installation(2)]))


def repacked(
    sound: Path, change: Callable[[str, bytes], bytes | None], more: dict[str, bytes] | None = None
) -> Path:
    """Return a copy of a workbook with its parts changed, left out or added."""
    out = sound.with_name("changed.xlsx")
    with zipfile.ZipFile(sound) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        for name, content in (more or {}).items():
            new.writestr(name, content)
    return out


def in_sheet(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    def change(name: str, content: bytes) -> bytes:
        if name != SHEET:
            return content
        assert old in content
        return content.replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "X-MA-FILE 04"),
        (b"PK\x03\x04rubbish", "X-MA-FILE 04"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "X-MA-FILE 04"),
        (b"InstallationRef,MPAN\n", "X-MA-FILE 04"),
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    assert sub_code(path) == expected


def test_a_name_without_a_known_ending_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    assert sub_code(tmp_path / "a.pdf") == "X-MA-FILE 01"
    for name in ("a.xlsx", "a.csv", "a.xml"):
        assert sub_code(tmp_path / name) == "X-MA-FILE 01"


def test_macros_are_not_run_and_are_told_of(sound: Path) -> None:
    path = repacked(sound, lambda _name, content: content, {"xl/vbaProject.bin": b"\x00evil"})
    macro = path.with_suffix(".xlsm")
    path.rename(macro)
    given = read(macro, LAYOUT)
    assert len(given.rows) == 2
    assert [note.sub_code for note in given.grid.notes] == ["01"]


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"])
def test_declarations_in_any_part_are_refused_before_they_are_parsed(
    sound: Path, part: str
) -> None:
    def change(name: str, content: bytes) -> bytes:
        if name != part:
            return content
        head, _, rest = content.partition(b"?>")
        if not rest:
            return BOMB.encode() + content
        return head + b"?>" + BOMB.encode() + rest

    assert sub_code(repacked(sound, change)) == "X-MA-FILE 03"


def test_a_declaration_in_utf_16_is_not_smuggled_past(sound: Path) -> None:
    def change(name: str, content: bytes) -> bytes:
        return content.decode().encode("utf-16") if name == SHEET else content

    assert sub_code(repacked(sound, change)) == "X-MA-FILE 04"


def test_a_zip_bomb_is_refused_by_its_declared_size(
    sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_gate, "MAX_UNPACKED_BYTES", 1_000_000)
    bomb = repacked(sound, lambda _name, content: content, {"xl/media/a.bin": b"\0" * 2_000_000})
    assert bomb.stat().st_size < 20_000
    assert sub_code(bomb) == "X-MA-FILE 02"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<row r="2"', b'<row r="99999999999"'),
        (b'r="A2"', b'r="A9999999"'),
        (b'r="A2"', b'r="ZZZ2"'),
        (b'r="A2"', b'r="2A"'),
        (b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="all"/></mergeCells>'),
    ],
)
def test_cells_beyond_all_bounds_are_refused(sound: Path, old: bytes, new: bytes) -> None:
    assert sub_code(repacked(sound, in_sheet(old, new))) == "X-MA-FILE 02"


@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "xl/_rels/workbook.xml.rels"])
def test_a_workbook_that_lacks_a_part_is_refused(sound: Path, part: str) -> None:
    changed = repacked(sound, lambda name, content: None if name == part else content)
    assert sub_code(changed) == "X-MA-FILE 04"
    spoiled = repacked(sound, lambda name, content: b"<a" if name == part else content)
    assert sub_code(spoiled) == "X-MA-FILE 04"


@pytest.mark.parametrize("name", ["MAX_ROWS"])
def test_more_installations_than_the_limit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = write_csv(tmp_path / "a.csv", lines([installation(n) for n in range(1, 5)]))
    monkeypatch.setattr(f"harness.formats.authorisation.reading.{name}", 3)
    assert sub_code(path) == "X-MA-FILE 02"


def test_files_beyond_the_size_limit_are_refused_without_reading_them(
    tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_grid, "MAX_FILE_BYTES", 100)
    monkeypatch.setattr(workbook_gate, "MAX_FILE_BYTES", 100)
    assert sub_code(write_csv(tmp_path / "a.csv", lines([installation(1)]))) == "X-MA-FILE 02"
    assert sub_code(sound) == "X-MA-FILE 02"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a\x00b,c\n", "X-MA-FILE 01"),
        (b"\xff\xfe\x00", "X-MA-FILE 01"),
        (b"x" * (grid.MAX_CELL_CHARS + 1) + b"\n", "X-MA-FILE 02"),
        (b"," * (grid.MAX_COLUMNS + 1) + b"\n", "X-MA-FILE 02"),
        (b'"' + b"y" * 200_000 + b'"\n', "X-MA-FILE 01"),
        (b"", "X-MA-COLUMN 04"),
    ],
)
def test_csv_that_is_none_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert sub_code(path) == expected


def xml(body: str, root: str = xml_grid.ROOT, namespace: str = xml_grid.NAMESPACE) -> bytes:
    return f'<mig:{root} xmlns:mig="{namespace}">{body}</mig:{root}>'.encode()


ROW = "<mig:Installation><mig:MPAN>1</mig:MPAN></mig:Installation>"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (xml(ROW), "X-MA-COLUMN 04"),
        (xml(ROW, root="Other"), "X-MA-FILE 01"),
        (xml(ROW, namespace="urn:other"), "X-MA-FILE 01"),
        (xml(ROW.replace("<mig:MPAN>", '<mig:MPAN a="1">')), "X-MA-FILE 01"),
        (xml(ROW.replace("1", "<mig:Deep/>")), "X-MA-FILE 01"),
        (xml(ROW.replace("<mig:MPAN>1</mig:MPAN>", "<mig:MPAN>1</mig:MPAN>" * 2)), "X-MA-FILE 01"),
        (xml("<mig:Other/>"), "X-MA-FILE 01"),
        (xml(ROW)[:-5], "X-MA-FILE 01"),
        (xml(ROW) + b"\xff", "X-MA-FILE 01"),
        (BOMB.encode() + xml(ROW), "X-MA-FILE 03"),
        (b"<!DOCTYPE a SYSTEM 'http://example.invalid/a'>" + xml(ROW), "X-MA-FILE 03"),
        (xml(ROW.replace("1", "1" * 2001)), "X-MA-FILE 02"),
        (xml("").decode().encode("utf-16"), "X-MA-FILE 01"),
    ],
)
def test_xml_that_is_none_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "a.xml"
    path.write_bytes(content)
    assert sub_code(path) == expected


def test_xml_has_no_more_installations_than_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml_grid, "MAX_ROWS", 2)
    path = tmp_path / "a.xml"
    path.write_bytes(xml(ROW * 3))
    assert sub_code(path) == "X-MA-FILE 02"


def _read_or_refused(path: Path) -> Authorisation | None:
    try:
        return read(path, LAYOUT)
    except AuthorisationFileError:
        return None


@settings(
    max_examples=examples(80),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_spoiled_workbooks_are_read_or_refused_never_anything_else(
    sound: Path, data: st.DataObject
) -> None:
    content = bytearray(sound.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    path = sound.with_name("spoiled.xlsx")
    path.write_bytes(bytes(content[: cut or None]))
    _read_or_refused(path)


@settings(
    max_examples=examples(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.lists(
            st.sampled_from([*COLUMNS[:12], "?", "", "=1", "0", "\u00a0"]) | st.text(max_size=12),
            max_size=30,
        ),
        max_size=8,
    )
)
def test_any_table_is_read_or_refused_never_anything_else(
    tmp_path: Path, table: list[list[str]]
) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(_csv(table))
    _read_or_refused(path)


def _csv(table: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([COLUMNS, *table])
    return out.getvalue().encode("utf-8", "replace")
