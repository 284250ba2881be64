"""Lists read to their end: each fault with line and column, in our headings or a user's."""

from pathlib import Path

import pytest

from device_profiles import dmc, epcl
from device_profiles.column_map import ColumnMap
from device_profiles.cpl import COLUMNS, Cpl, load, load_cpl, load_map, scan
from device_profiles.errors import DataError, InvalidValueError, UnreadableFileError
from device_profiles.list_faults import MAX_FAULTS
from device_profiles.words import CplStatus, DeviceType, SmetsVersion

HEAD = ",".join(COLUMNS)
HASH = "ab" * 32
ROW = dict(
    zip(
        COLUMNS,
        f"A1,ESME,SMETS2+,Acme,FFF2,0010,0100,01000000,A,SMETS2 V5.1,4.2,{HASH},image,Active,"
        "2014-01-01,,N/A,note,stand-in".split(","),
        strict=True,
    )
)


def written(path: Path, *changes: dict[str, str], head: str = HEAD) -> Path:
    rows = [",".join((ROW | change).values()) for change in changes]
    path.write_text("\n".join([head, *rows]) + "\n", "utf-8")
    return path


def number(column: str) -> int:
    return COLUMNS.index(column) + 1


def faults(path: Path, used: ColumnMap | None = None) -> list[tuple[str, int, int, str]]:
    found = scan(path, used)
    return sorted((one.code, one.line, one.column, one.heading) for one in found.faults)


SECOND = {"cpl_entry_id": "A2", "firmware_version": "01000001"}


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        ({"manufacturer_id": "FFG2"}, "broken-hex", "manufacturer_id"),
        ({"model_id": "010"}, "broken-hex", "model_id"),
        ({"hardware_version": "0x0100"}, "broken-hex", "hardware_version"),
        ({"firmware_version": "1.0.0"}, "broken-hex", "firmware_version"),
        ({"manufacturer_image_hash": HASH[:-1]}, "broken-hex", "manufacturer_image_hash"),
        ({"device_type": "METER"}, "unknown-word", "device_type"),
        ({"status": "active"}, "unknown-word", "status"),
        ({"status": ""}, "missing-value", "status"),
        ({"effective_from": "01/02/2014"}, "broken-date", "effective_from"),
        ({"effective_to": "2013-12-31"}, "reversed-dates", "effective_to"),
        ({"evidence": ""}, "unmarked-value", "evidence"),
        ({"evidence": "rumour"}, "invalid-value", "evidence"),
        ({"cpl_entry_id": "A1"}, "duplicate-entry", "cpl_entry_id"),
        ({"firmware_version": "01000000"}, "duplicate-entry", "firmware_version"),
        (
            {"firmware_version": "01000000", "smets": "SMETS1"},
            "bilingual-same-version",
            "firmware_version",
        ),
        ({"upgrade_from": "A9"}, "dangling-reference", "upgrade_from"),
        ({"upgrade_from": "A2"}, "dangling-reference", "upgrade_from"),
        ({"upgrade_from": "A1", "model_id": "0011"}, "dangling-reference", "upgrade_from"),
    ],
)
def test_each_fault_has_its_word_its_line_and_its_column(
    tmp_path: Path, change: dict[str, str], code: str, column: str
) -> None:
    path = written(tmp_path / "cpl.csv", {}, SECOND | change)
    assert faults(path) == [(code, 3, number(column), column)]
    with pytest.raises(DataError) as caught:
        load(path)
    assert caught.value.key == f"line 3, column {number(column)} ({column})"


def test_a_row_of_too_few_or_too_many_cells_is_told_by_its_line(tmp_path: Path) -> None:
    path = written(tmp_path / "cpl.csv", {}, SECOND | {"notes": "one,two"})
    path.write_text(path.read_text("utf-8") + "A3,ESME\n", "utf-8")
    assert faults(path) == [("cell-count", 3, 0, ""), ("cell-count", 4, 0, "")]


def test_all_faults_of_a_list_are_told_not_only_the_first(tmp_path: Path) -> None:
    wrong = {"manufacturer_id": "X", "status": "x", "cpl_entry_id": "A2"}
    path = written(tmp_path / "cpl.csv", wrong, {}, {"cpl_entry_id": "A3"}, {})
    assert [one[:2] for one in faults(path)] == [
        ("broken-hex", 2),
        ("duplicate-entry", 4),
        ("duplicate-entry", 5),
        ("unknown-word", 2),
    ]
    found = scan(path)
    assert [row.cpl_entry_id for row in found.rows] == ["A1", "A3", "A1"]
    twice = next(one for one in found.faults if one.line == 5)
    assert twice.why == "this identifier stands twice (line 3)"
    assert (twice.value, twice.heading) == ("A1", "cpl_entry_id")


def test_a_reference_to_a_row_that_is_wrong_itself_is_no_second_fault(tmp_path: Path) -> None:
    path = written(tmp_path / "cpl.csv", {"model_id": "?"}, SECOND | {"upgrade_from": "A1"})
    assert [one[0] for one in faults(path)] == ["broken-hex"]


def test_lines_are_those_of_the_file_across_empty_lines_and_long_cells(tmp_path: Path) -> None:
    path = written(
        tmp_path / "cpl.csv",
        {"notes": '"two\nlines"'},
        SECOND | {"notes": '"three\n\nlines"', "status": "?"},
        {"cpl_entry_id": "A3", "status": "?"},
    )
    path.write_text(path.read_text("utf-8").replace(HEAD, HEAD + "\n\n"), "utf-8")
    assert [(one[0], one[1]) for one in faults(path)] == [
        ("unknown-word", 6),
        ("unknown-word", 9),
    ]


def test_too_many_faults_are_counted_not_kept(tmp_path: Path) -> None:
    rows = [{"cpl_entry_id": f"A{n}", "status": "?"} for n in range(MAX_FAULTS + 7)]
    found = scan(written(tmp_path / "cpl.csv", *rows))
    assert (len(found.faults), found.left_out) == (MAX_FAULTS, 7)


def test_a_long_cell_is_cut_in_the_message(tmp_path: Path) -> None:
    path = written(tmp_path / "cpl.csv", {"manufacturer_image_hash": "f" * 500})
    assert [len(one.value) for one in scan(path).faults] == [60]


@pytest.mark.parametrize("text", ['"open\n', 'A1,"x"y,\n'])
def test_quotes_that_do_not_close_are_refused_with_the_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cpl.csv"
    path.write_text(HEAD + "\n" + text, "utf-8")
    with pytest.raises(UnreadableFileError, match=r"at line 2: not CSV"):
        scan(path)


MAP = """
[columns]
cpl_entry_id = "Entry"
device_type = "Kind"
manufacturer_id = "Maker"
model_id = "Model"
hardware_version = "HW"
firmware_version = "FW"
manufacturer_image_hash = "Hash"
status = "State"
effective_from = "From"
effective_to = "To"
upgrade_from = "Previous"
[constants]
smets = "SMETS1"
manufacturer_name = "not told"
image_hash_scope = "metadata+image"
[words.device_type]
"Electricity Smart Meter" = "ESME"
[words.status]
Current = "Active"
[formats]
date = "%d/%m/%Y"
list_separator = "|"
delimiter = ";"
encoding = "cp1252"
heading_line = 3
strip_0x = true
"""
EXPORT_HEAD = "Entry;Kind;Maker;Model;HW;FW;Hash;State;From;To;Previous;Remarks"
EXPORT = "E1;Electricity Smart Meter;0xfff2;0010;0100;10000001;N/A;Current;01/02/2014;;N/A;café"


def export(folder: Path, *rows: str) -> tuple[Path, ColumnMap]:
    lines = ["Exported by a tool", "", EXPORT_HEAD, *rows]
    (folder / "export.csv").write_bytes("\r\n".join(lines).encode("cp1252"))
    (folder / "map.toml").write_text(MAP, "utf-8")
    return folder / "export.csv", load_map(folder / "map.toml")


def test_a_users_export_is_read_in_its_own_words(tmp_path: Path) -> None:
    second = EXPORT.replace("E1", "E2").replace("10000001", "10000002").replace("N/A;café", "E1;")
    cpl = load(*export(tmp_path, EXPORT, second))
    entry = cpl.entry("E2")
    assert (entry.device_type, entry.smets) == (DeviceType.ESME, SmetsVersion.SMETS1)
    assert (entry.manufacturer_id, entry.status) == ("FFF2", CplStatus.ACTIVE)
    assert str(entry.effective_from) == "2014-02-01"
    assert entry.upgrade_from == ("E1",)
    assert entry.manufacturer_image_hash == ""
    assert entry.evidence.startswith("user:")
    assert cpl.pathway("E1", "E2") == ("E1", "E2")


def test_faults_of_an_export_are_told_in_its_own_headings(tmp_path: Path) -> None:
    path, used = export(
        tmp_path,
        EXPORT.replace("0xfff2", "0xfg"),
        EXPORT.replace("Current", "Old").replace("E1", "E2"),
        EXPORT.replace(";;N/A", ";31/01/2014;N/A").replace("E1", "E3"),
        EXPORT.replace("E1", "E4"),
        EXPORT.replace("E1", "E4"),
    )
    assert faults(path, used) == [
        ("broken-hex", 4, 3, "Maker"),
        ("duplicate-entry", 8, 1, "Entry"),
        ("reversed-dates", 6, 10, "To"),
        ("unknown-word", 5, 8, "State"),
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (('"Maker"', '"Manufacturer"'), "takes manufacturer_id from this column"),
        (('"Maker"', '"Model"'), "given to more than one column"),
        (("smets =", "smets9 ="), "unknown key"),
        (("[words.status]", "[words.colour]"), "unknown key"),
        (('[words.status]\nCurrent = "Active"', '[words]\nstatus = "Active"'), "must be a table"),
        (("%d/%m/%Y", "%d/%m"), "does not hold a whole day"),
        (('";"', '";;"'), "one character"),
        (('";"', '"\\n"'), "one character"),
        (("cp1252", "cp9999"), "is no encoding"),
        (("cp1252", "hex"), "is no encoding"),
        (("= 3", "= 0"), "no line of a file"),
        (("= 3", '= "3"'), "must be like 1"),
        (('"|"', '""'), "must not be empty"),
        (("strip_0x = true", "strip_0x = 1"), "must be like False"),
        (("cp1252", "ascii"), "not ascii text"),
    ],
)
def test_a_column_map_that_cannot_be_used_is_refused(
    tmp_path: Path, change: tuple[str, str], why: str
) -> None:
    path, _ = export(tmp_path, EXPORT)
    assert change[0] in MAP
    (tmp_path / "map.toml").write_text(MAP.replace(*change), "utf-8")
    with pytest.raises(DataError, match=why):
        scan(path, load_map(tmp_path / "map.toml"))


def test_octets_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    path = written(tmp_path / "cpl.csv", {})
    path.write_bytes(path.read_bytes() + b"A2,\xff\n")
    with pytest.raises(UnreadableFileError, match=r"line 3: not UTF-8 text"):
        scan(path)


CHF, ESME = "SYN-DEMO-S1-CHF-10000001", "SYN-DEMO-S1-ESME-10000001"
EPCL_ROW = f"E1,EA,{CHF},{ESME},,,SMETS1,tested,D1,sit-mt,2020-12-13,,,stand-in"


@pytest.fixture(scope="module")
def cpl() -> Cpl:
    return load_cpl()


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        ((ESME, "NOWHERE"), "dangling-reference", "esme"),
        ((CHF, ESME), "inconsistent", "chf"),
        ((",EA,", ",E,"), "broken-pattern", "group_id"),
        (("tested", "hoped"), "unknown-word", "basis"),
        (("2020-12-13,,", "2020-12-13,2020-12-13,"), "reversed-dates", "removed_on"),
        (("2020-12-13", "13/12/2020"), "broken-date", "added_on"),
        ((",E1", ",E1"), "duplicate-entry", "epcl_id"),
    ],
)
def test_faults_of_an_epcl_have_line_and_column_too(
    cpl: Cpl, tmp_path: Path, change: tuple[str, str], code: str, column: str
) -> None:
    path = tmp_path / "epcl.csv"
    second = EPCL_ROW.replace(*change)
    if code != "duplicate-entry":
        second = second.replace("E1,", "E2,", 1).replace(",EA,", ",EB,")
    path.write_text("\n".join([",".join(epcl.COLUMNS), EPCL_ROW, second]), "utf-8")
    found = epcl.scan(path, cpl).faults
    place = epcl.COLUMNS.index(column) + 1
    assert (found[0].code, found[0].line, found[0].column) == (code, 3, place)


def test_faults_of_a_list_of_combinations_have_line_and_column_too(
    cpl: Cpl, tmp_path: Path
) -> None:
    path = tmp_path / "dmc.csv"
    row = f"D1,EA,{CHF},{ESME},,,SMETS1,2020-12-01,,D9,no,,stand-in"
    path.write_text("\n".join([",".join(dmc.COLUMNS), row, row]), "utf-8")
    found = [(one.code, one.where) for one in dmc.scan(path, cpl).faults]
    assert ("dangling-reference", "line 2, column 10 (equivalent_of)") in found
    assert ("duplicate-entry", "line 3, column 1 (dmc_id)") in found


def test_a_list_made_without_a_file_is_checked_all_the_same() -> None:
    entry = load_cpl().entry(ESME)
    with pytest.raises(DataError, match="stands twice") as caught:
        Cpl([entry, entry], "made up")
    assert (caught.value.file, caught.value.key) == ("made up", ESME)


def test_a_missing_column_is_told_in_the_words_of_the_file(tmp_path: Path) -> None:
    path, used = export(tmp_path, EXPORT)
    path.write_text(path.read_text("cp1252").replace("State;", "Status;"), "cp1252")
    with pytest.raises(InvalidValueError, match="takes status from this column"):
        scan(path, used)
