"""Damaged authorisations: each kind of damage is repaired with a log, or refused in its cell."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device_profiles.errors import DataError
from harness.formats.authorisation.columns import ColumnMap, Layout, load_column_map, load_layout
from harness.formats.authorisation.faults import AuthorisationFileError
from harness.formats.authorisation.grid import FileKind
from harness.formats.authorisation.read_rows import Authorisation, CellFinding, Row, Severity
from harness.formats.authorisation.reading import read
from harness.formats.authorisation.writing import ENDINGS, write
from tests.harness.formats.authorisations_made import (
    COLUMNS,
    CPL,
    EIS,
    installation,
    lines,
    null_ids,
    write_csv,
    write_workbook,
)
from tests.sampling import examples

LAYOUT = load_layout()
LETTERS = {name: openpyxl.utils.get_column_letter(i) for i, name in enumerate(COLUMNS, 1)}


def cell(column: str, line: int) -> str:
    return f"{LETTERS[column]}{line}"


def found(row: Row, severity: Severity) -> dict[str, str]:
    """Address -> sub-code of the findings of one kind."""
    return {one.cell: one.sub_code for one in row.findings if one.severity is severity}


def made(tmp_path: Path, table: Sequence[Sequence[Any]], **options: Any) -> Authorisation:
    return read(write_workbook(tmp_path / "a.xlsx", table, **options), LAYOUT)


def rewritten(tmp_path: Path, given: Authorisation, layout: Layout = LAYOUT) -> Authorisation:
    path = tmp_path / f"again{ENDINGS[given.grid.kind]}"
    write(given, [row for row in given.rows if row.installation], layout, path)
    return read(path, layout)


def test_a_sound_workbook_needs_nothing(tmp_path: Path) -> None:
    rows = [installation(1), installation(2, gas=False), null_ids(installation(3))]
    given = made(tmp_path, lines(rows))
    assert [row.findings for row in given.rows] == [(), (), ()]
    first, second, third = (row.installation for row in given.rows)
    assert first is not None
    assert first.gsme is not None
    assert first.esme.mpxn == rows[0]["MPAN"]
    assert first.earliest == date(2021, 3, 1)
    assert second is not None
    assert second.gsme is None
    assert third is not None
    assert third.esme.critical_supplier.is_null


def test_values_of_spreadsheets_are_put_into_industry_format_cell_by_cell(tmp_path: Path) -> None:
    row = installation(
        1,
        ESMEDeviceID="0253010000000001",
        CHFDeviceID="02:53:02:00:00:00:00:01".lower(),
        MPAN=int(installation(1)["MPAN"]),
        EarliestMigrationDate=datetime(2021, 3, 1),  # noqa: DTZ001 - a calendar day has no zone
        LatestMigrationDate="31/03/2021",
        PaymentModeESME="credit",
    )
    (read_row,) = made(tmp_path, lines([row])).rows
    assert read_row.installation == made(tmp_path, lines([installation(1)])).rows[0].installation
    assert found(read_row, Severity.REPAIRED) == {
        cell("CHFDeviceID", 2): "02",
        cell("ESMEDeviceID", 2): "02",
        cell("LatestMigrationDate", 2): "05",
        cell("PaymentModeESME", 2): "08",
    }
    for one in read_row.findings:
        assert one.original != one.result


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"MPAN": None}, {"MPAN": "01"}),
        ({"EIS_UserID": "not one"}, {"EIS_UserID": "02"}),
        ({"MPAN": "1234567890123"}, {"MPAN": "11"}),
        ({"GSMEDeviceID": None}, {"MPRN": "14", "GIS_UserID": "14"}),
        ({"MPRN": None, "GIS_UserID": " "}, {"MPRN": "01", "GIS_UserID": "01"}),
        ({"CHFDeviceID": 5302000000000031}, {"CHFDeviceID": "16"}),
        ({"EarliestMigrationDate": "#N/A"}, {"EarliestMigrationDate": "17"}),
        ({"MPAN": "=A1"}, {"MPAN": "12"}),
        ({"LatestMigrationDate": "31/31/2021"}, {"LatestMigrationDate": "05"}),
        ({"PaymentModeGSME": "maybe"}, {"PaymentModeGSME": "08"}),
    ],
)
def test_what_cannot_be_repaired_is_refused_in_its_cell(
    tmp_path: Path, changes: Mapping[str, Any], expected: Mapping[str, str]
) -> None:
    (_, row) = made(tmp_path, lines([installation(1), installation(2, **changes)])).rows
    refused = found(row, Severity.REFUSED)
    assert row.installation is None
    for column, sub_code in expected.items():
        assert refused[cell(column, 3)] == sub_code


def test_one_bad_line_never_stops_the_others(tmp_path: Path) -> None:
    rows = [installation(n) for n in range(1, 6)]
    rows[2]["MPAN"] = "?"
    given = made(tmp_path, lines(rows))
    assert [row.installation is not None for row in given.rows] == [True, True, False, True, True]


def test_headings_may_stand_anywhere_and_on_any_sheet(tmp_path: Path) -> None:
    table = [["", *line] for line in lines([installation(1)])]
    above = [["Guidance"], [], ["Version", "0.6"]]
    path = tmp_path / "a.xlsx"
    write_workbook(path, [*above, *table], sheet="MA", others=("Notes",))
    given = read(path, LAYOUT)
    assert (given.grid.sheet, given.headings.line) == ("MA", 4)
    assert given.rows[0].line == 5
    assert given.cell(given.rows[0], "InstallationRef") == "B5"
    assert any("Notes" in note.text for note in given.grid.notes)


def test_headings_are_recognised_without_case_spaces_and_by_other_names(tmp_path: Path) -> None:
    table = lines([installation(1)])
    table[0] = [name.upper().replace("_", " ") for name in table[0]]
    table[0][COLUMNS.index("CHFDeviceID")] = "Comms Hub ID"
    given = made(tmp_path, table)
    assert given.rows[0].installation is not None


@pytest.mark.parametrize(
    ("change", "sub_code", "named"),
    [
        (lambda t: t[0].__setitem__(3, "Something"), "01", "MPAN"),
        (lambda t: t[0].__setitem__(4, "MPAN"), "02", "D1, E1"),
        (lambda t: t.__setitem__(0, ["x"] * len(t[0])), "04", "--map"),
        (lambda t: t.clear(), "04", "--map"),
    ],
)
def test_wrong_headings_are_faults_of_the_file_with_their_cells(
    tmp_path: Path, change: Any, sub_code: str, named: str
) -> None:
    table = lines([installation(1)])
    change(table)
    with pytest.raises(AuthorisationFileError) as caught:
        made(tmp_path, table)
    assert (caught.value.code, caught.value.sub_code) == ("X-MA-COLUMN", sub_code)
    assert named in str(caught.value)


def test_a_file_without_gas_needs_no_columns_for_it(tmp_path: Path) -> None:
    columns = [name for name in COLUMNS if not LAYOUT.columns[name].need.of_gas]
    given = made(tmp_path, lines([installation(1, gas=False)], columns))
    assert given.rows[0].installation is not None


def test_values_merged_over_lines_are_put_into_each_where_they_may_be_shared(
    tmp_path: Path,
) -> None:
    rows = [installation(n) for n in range(1, 4)]
    area = f"{cell('EIS_UserID', 2)}:{cell('EIS_UserID', 4)}"
    given = made(tmp_path, lines(rows), merged=(area,))
    for row in given.rows:
        assert row.installation is not None
        assert row.installation.esme.user_id == EIS
    repairs = [found(row, Severity.REPAIRED) for row in given.rows]
    assert repairs == [{}, {cell("EIS_UserID", 3): "09"}, {cell("EIS_UserID", 4): "09"}]
    assert area in given.rows[1].findings[0].text


@pytest.mark.parametrize(
    "area",
    [
        f"{cell('CHFDeviceID', 2)}:{cell('CHFDeviceID', 3)}",
        f"{cell('MPAN', 2)}:{cell('GSMEDeviceID', 3)}",
        f"{cell('EIS_UserID', 2)}:{cell('GIS_UserID', 3)}",
    ],
)
def test_merged_cells_whose_meaning_is_open_are_refused_with_their_addresses(
    tmp_path: Path, area: str
) -> None:
    rows = [installation(n) for n in range(1, 4)]
    given = made(tmp_path, lines(rows), merged=(area,))
    for row in given.rows[:2]:
        assert row.installation is None
        merged = [one for one in row.findings if one.sub_code == "09"]
        assert merged
        assert area in merged[0].text
    assert given.rows[2].installation is not None


def slip(line: list[Any], first: int, by: int) -> list[Any]:
    """Insert or delete cells, as a mistaken key does."""
    if by > 0:
        return [*line[:first], *[None] * by, *line[first:]]
    return [*line[:first], *line[first - by :]]


@pytest.mark.parametrize("by", [1, 2, 3])
@pytest.mark.parametrize("first", range(0, 27, 2))
def test_cells_that_slipped_to_the_right_are_put_back_and_told(
    tmp_path: Path, first: int, by: int
) -> None:
    table = lines([installation(1), installation(2)])
    whole = made(tmp_path, table).rows[1].installation
    table[2] = slip(table[2], first, by)
    first_row, row = made(tmp_path, table).rows
    assert first_row.findings == ()
    assert row.installation == whole
    told = [one for one in row.findings if one.sub_code == "10"]
    assert len(told) == 1
    assert f"{by} to the right" in told[0].text


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
@pytest.mark.parametrize("column", ["MPRN", "GSMEDeviceID", "GIS_UserID"])
def test_cells_that_slipped_to_the_left_are_put_back_when_nothing_was_lost(
    tmp_path: Path, column: str, kind: str
) -> None:
    table = lines([installation(1, gas=False)])
    whole = made(tmp_path, table).rows[0].installation
    table[1] = slip(table[1], COLUMNS.index(column), -1)
    write_any = write_workbook if kind == "xlsx" else write_csv
    (row,) = read(write_any(tmp_path / f"b.{kind}", table), LAYOUT).rows
    assert row.installation == whole
    assert "10" in {one.sub_code for one in row.findings}


@pytest.mark.parametrize("column", ["InstallationRef", "CHFDeviceID", "MPAN", "EIS_UserID"])
def test_a_line_that_lost_a_value_is_refused_with_addresses(tmp_path: Path, column: str) -> None:
    table = lines([installation(1)])
    table[1] = slip(table[1], COLUMNS.index(column), -1)
    (row,) = made(tmp_path, table).rows
    assert row.installation is None
    refused = found(row, Severity.REFUSED)
    assert refused
    assert all(address.endswith("2") for address in refused)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, 27), st.integers(-3, 3), st.booleans(), st.booleans())
def test_a_slipped_line_comes_out_whole_or_not_at_all(
    tmp_path: Path, first: int, by: int, gas: bool, null: bool
) -> None:
    values = installation(1, gas=gas)
    values = null_ids(values) if null else values
    table = lines([values])
    path = write_csv(tmp_path / "a.csv", table)
    whole = read(path, LAYOUT).rows[0].installation
    lost = [value for value in table[1][first : first - min(by, 0)] if value]
    table[1] = slip(table[1], first, by)
    row = read(write_csv(tmp_path / "a.csv", table), LAYOUT).rows[0]
    assert row.installation in ({None} if lost else {whole, None})
    if row.installation is None:
        assert found(row, Severity.REFUSED)
    elif seen(table[1]) != seen(lines([values])[1]):
        assert row.findings


def seen(line: list[Any]) -> list[Any]:
    """A line without the empty cells at its end, which nobody can see."""
    last = max((index for index, value in enumerate(line, 1) if value), default=0)
    return [value or "" for value in line[:last]]


def test_a_value_under_no_heading_is_told(tmp_path: Path) -> None:
    table = lines([installation(1)])
    table[1] += [None, "call me back"]
    (row,) = made(tmp_path, table).rows
    assert row.installation is not None
    (note,) = row.findings
    assert (note.severity, note.original) == (Severity.NOTE, "call me back")


def test_a_line_that_fits_in_two_ways_is_refused(tmp_path: Path) -> None:
    columns = [*COLUMNS, "CHFCplEntry"]
    table = lines([{**installation(1), "CHFCplEntry": None}], columns)
    table[1].append("SOME-ENTRY")
    (row,) = made(tmp_path, table).rows
    assert row.installation is None
    assert any("as it stands and moved" in one.text for one in row.findings)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_of_any_separator_is_read_and_addressed_as_a_sheet(
    tmp_path: Path, separator: str
) -> None:
    rows = [installation(1), installation(2, MPAN="?")]
    given = read(write_csv(tmp_path / "a.csv", lines(rows), separator), LAYOUT)
    assert given.rows[0].installation is not None
    assert found(given.rows[1], Severity.REFUSED)[cell("MPAN", 3)] == "03"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_csv_in_other_encodings_is_read_and_told(tmp_path: Path, encoding: str) -> None:
    rows = [installation(1, InstallationRef="café")]
    path = write_csv(tmp_path / "a.csv", lines(rows))
    path.write_bytes(path.read_text("utf-8").encode(encoding))
    given = read(path, LAYOUT)
    assert given.rows[0].ref == "café"
    assert bool(given.grid.notes) == (encoding != "utf-8-sig")


def test_empty_lines_are_passed_over(tmp_path: Path) -> None:
    table = lines([installation(1), installation(2)])
    table.insert(2, [None] * 5)
    assert [row.line for row in made(tmp_path, table).rows] == [2, 4]


OTHER = {
    "InstallationRef": "Job",
    "CHFDeviceID": "Hub",
    "ESMEDeviceID": "Leccy",
    "MPAN": "Supply number",
    "EIS_UserID": "Who",
    "EarliestMigrationDate": "From",
    "LatestMigrationDate": "To",
}


def map_text(headings: Mapping[str, str], more: str = "") -> str:
    table = "\n".join(f"{name} = '{heading}'" for name, heading in headings.items())
    return f"[columns]\n{table}\n{more}"


def mapped(tmp_path: Path, text: str) -> Layout:
    path = tmp_path / "map.toml"
    path.write_text(text, "utf-8")
    return load_layout(column_map=load_column_map(path, LAYOUT.columns))


def test_a_workbook_with_entirely_different_headings_works_through_a_map(tmp_path: Path) -> None:
    columns = [name for name in COLUMNS if not LAYOUT.columns[name].need.of_gas]
    names = {name: OTHER.get(name, f"Col {n}") for n, name in enumerate(columns)}
    del names["EIS_UserID"]
    kept = [name for name in columns if name in names]
    table = lines([installation(1, gas=False, PaymentModeESME="Top-up")], kept)
    table[0] = [names[name] for name in kept]
    table[1][kept.index("EarliestMigrationDate")] = "03/01/2021"
    path = write_workbook(tmp_path / "a.xlsx", [["Title"], *table], sheet="Mine")
    with pytest.raises(AuthorisationFileError):
        read(path, LAYOUT)
    layout = mapped(
        tmp_path,
        map_text(
            names,
            f"[constants]\nEIS_UserID = '{EIS}'\n[sheet]\nname = 'Mine'\nheading_line = 2\n"
            "[formats]\ndate = '%m/%d/%Y'\n[words.payment_mode]\n'Top-up' = 'Prepayment'\n",
        ),
    )
    given = read(path, layout)
    (row,) = given.rows
    assert row.installation is not None
    assert row.installation.esme.user_id == EIS
    assert row.installation.esme.payment_mode == "Prepayment"
    assert row.installation.earliest == date(2021, 3, 1)
    assert given.cell(row, "EIS_UserID") == "--map"
    again = rewritten(tmp_path, given, layout)
    assert [r.installation for r in again.rows] == [row.installation]
    assert again.headings.line == 2
    evidence = openpyxl.load_workbook(tmp_path / "again.xlsx")["Mine"]
    assert str(evidence.cell(3, evidence.max_column).value).startswith("user:")


def test_a_file_without_headings_works_with_column_letters(tmp_path: Path) -> None:
    letters = {name: LETTERS[name] for name in COLUMNS}
    layout = mapped(tmp_path, map_text(letters, "[sheet]\nheading_line = 0\n"))
    path = write_csv(tmp_path / "a.csv", lines([installation(1)])[1:])
    (row,) = read(path, layout).rows
    assert row.line == 1
    assert row.installation is not None
    wrong = mapped(tmp_path, map_text({**letters, "MPAN": "!"}, "[sheet]\nheading_line = 0\n"))
    with pytest.raises(AuthorisationFileError, match="column letter"):
        read(path, wrong)


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_repaired_file_is_read_without_further_repair(tmp_path: Path, kind: str) -> None:
    rows = [installation(n) for n in range(1, 5)]
    rows[0]["ESMEDeviceID"] = rows[0]["ESMEDeviceID"].replace("-", "")
    rows[1]["LatestMigrationDate"] = "31/03/2021"
    rows[2]["MPAN"] = "?"
    table = lines(rows, [*COLUMNS, "Remarks"])
    table[1][-1] = "=1+1" if kind == "csv" else "plain"
    table[4] = slip(table[4], 3, 1)
    path = tmp_path / f"a.{kind}"
    given = read((write_workbook if kind == "xlsx" else write_csv)(path, table), LAYOUT)
    again = rewritten(tmp_path, given)
    expected = [row.installation for row in given.rows if row.installation is not None]
    assert len(expected) == 3
    assert [row.installation for row in again.rows] == expected
    assert all(row.findings == () for row in again.rows)
    assert again.rows[0].values["Evidence"] == "stand-in"


def test_xml_is_read_written_and_says_that_it_is_a_stand_in(tmp_path: Path) -> None:
    given = read(write_csv(tmp_path / "a.csv", lines([installation(1), installation(2)])), LAYOUT)
    path = tmp_path / "a.xml"
    from_csv = given.rows
    write_xml(given, path)
    text = path.read_text("utf-8")
    assert "stand-in" in text.splitlines()[2]
    assert "urn:x-bench:smets1-migration:1" in text
    again = read(path, LAYOUT)
    assert [row.installation for row in again.rows] == [row.installation for row in from_csv]
    broken = text.replace(installation(1)["MPAN"], "?")
    path.write_text(broken, "utf-8")
    assert read(path, LAYOUT).rows[0].installation is None


def write_xml(given: Authorisation, path: Path) -> None:
    grid = replace(given.grid, kind=FileKind.XML)
    write(replace(given, grid=grid), given.rows, LAYOUT, path)


def test_models_of_devices_are_read_where_the_file_has_them(tmp_path: Path) -> None:
    columns = [*COLUMNS, *CPL]
    (row,) = made(tmp_path, lines([installation(1) | CPL], columns)).rows
    assert row.installation is not None
    assert row.installation.chf_cpl_entry == CPL["CHFCplEntry"]
    assert row.installation.ppmid_cpl_entries == (CPL["PPMIDCplEntry"],)


def test_findings_never_lack_an_address_or_a_text(tmp_path: Path) -> None:
    bad = dict.fromkeys(COLUMNS, "?")
    (row,) = made(tmp_path, lines([bad])).rows
    assert row.installation is None
    for one in row.findings:
        assert isinstance(one, CellFinding)
        assert one.cell
        assert one.text


def test_a_map_may_not_name_what_there_is_not(tmp_path: Path) -> None:
    for text in (
        "[columns]\nNothing = 'x'\n",
        "[constants]\nMPAN = ''\n",
        "[sheet]\nheading_line = -1\n",
        "[words.colour]\na = 'b'\n",
        "[columns]\nMPAN = 'x'\nMPRN = 'X'\n",
        "columns = 1\n",
        "[more]\n",
    ):
        with pytest.raises(DataError):
            mapped(tmp_path, text)
    assert ColumnMap().mark == "stand-in"
