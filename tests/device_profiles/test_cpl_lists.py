"""The Central Products List: columns, integrity, resolution, update checks."""

from datetime import date
from pathlib import Path

import pytest

from device_profiles.cpl import COLUMNS, ColumnMap, Cpl, CplEntry, load, load_cpl, load_map, render
from device_profiles.errors import DataError
from device_profiles.words import CplStatus, DeviceType, SmetsVersion

DAY = date(2026, 1, 1)
HASH = "ab" * 32
HEAD = ",".join(COLUMNS)
ROW = dict(
    zip(
        COLUMNS,
        f"A1,ESME,SMETS2+,Acme,FFF2,0010,0100,01000000,A,SMETS2 V5.1,4.2,{HASH},image,Active,"
        "2014-01-01,,N/A,note,stand-in".split(","),
        strict=True,
    )
)


def text_of(*changes: dict[str, str]) -> str:
    rows = [",".join((ROW | change).values()) for change in changes]
    return "\n".join([HEAD, *rows]) + "\n"


def load_text(folder: Path, text: str, column_map: ColumnMap | None = None) -> Cpl:
    path = folder / "list.csv"
    path.write_text(text, "utf-8")
    return load(path, column_map)


SECOND = {"cpl_entry_id": "A2", "firmware_version": "01000001", "upgrade_from": "A1"}
THIRD = {"cpl_entry_id": "A3", "firmware_version": "01000002", "upgrade_from": "A2"}


def three(folder: Path, **changes: str) -> Cpl:
    return load_text(folder, text_of({}, SECOND, THIRD | changes))


@pytest.mark.parametrize(
    ("change", "code", "key"),
    [
        ({"manufacturer_id": "FFF"}, "invalid-value", "line 2, column 5 (manufacturer_id)"),
        ({"manufacturer_id": "FFG2"}, "invalid-value", "line 2, column 5 (manufacturer_id)"),
        ({"model_id": "00100"}, "invalid-value", "line 2, column 6 (model_id)"),
        ({"hardware_version": ""}, "invalid-value", "line 2, column 7 (hardware_version)"),
        ({"firmware_version": "9001"}, "invalid-value", "line 2, column 8 (firmware_version)"),
        (
            {"manufacturer_image_hash": "ab"},
            "invalid-value",
            "line 2, column 12 (manufacturer_image_hash)",
        ),
        ({"device_type": "TV"}, "invalid-value", "line 2, column 2 (device_type)"),
        ({"smets": "SMETS3"}, "invalid-value", "line 2, column 3 (smets)"),
        ({"status": "active"}, "invalid-value", "line 2, column 14 (status)"),
        ({"image_hash_scope": "all"}, "invalid-value", "line 2, column 13 (image_hash_scope)"),
        ({"effective_from": "01/02/2014"}, "invalid-value", "line 2, column 15 (effective_from)"),
        ({"effective_from": ""}, "invalid-value", "line 2, column 15 (effective_from)"),
        ({"effective_to": "2013-12-31"}, "invalid-value", "line 2, column 16 (effective_to)"),
        ({"evidence": ""}, "unmarked-value", "line 2, column 19 (evidence)"),
        ({"evidence": "hearsay"}, "invalid-value", "line 2, column 19 (evidence)"),
        ({"notes": "one,two"}, "invalid-value", "line 2"),
        ({"upgrade_from": "A9"}, "dangling-reference", "line 2, column 17 (upgrade_from)"),
        ({"upgrade_from": "A1"}, "dangling-reference", "line 2, column 17 (upgrade_from)"),
    ],
)
def test_each_wrong_row_has_its_own_error(
    tmp_path: Path, change: dict[str, str], code: str, key: str
) -> None:
    with pytest.raises(DataError) as caught:
        load_text(tmp_path, text_of(change))
    assert (caught.value.code, caught.value.key) == (code, key)
    assert caught.value.file.endswith("list.csv")


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"firmware_version": "01000001"}, "duplicate-entry"),
        ({"cpl_entry_id": "A2"}, "duplicate-entry"),
        ({"cpl_entry_id": "A2", "smets": "SMETS1"}, "bilingual-same-version"),
        (
            {"cpl_entry_id": "A2", "model_id": "0011", "upgrade_from": "A1"},
            "dangling-reference",
        ),
    ],
)
def test_rows_that_contradict_each_other_are_refused(
    tmp_path: Path, other: dict[str, str], code: str
) -> None:
    with pytest.raises(DataError, match=code):
        load_text(tmp_path, text_of({}, other))


def test_a_bilingual_model_with_two_versions_may_share_its_hash(tmp_path: Path) -> None:
    other = {"cpl_entry_id": "A2", "smets": "SMETS1", "firmware_version": "11000000"}
    cpl = load_text(tmp_path, text_of({}, other))
    assert cpl.entry("A1").manufacturer_image_hash == cpl.entry("A2").manufacturer_image_hash


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (text_of({}).replace("smets,", "smetz,", 1), r"column\.smetz: unknown key"),
        (text_of({}).replace(",status", ",smets", 1), "stands twice"),
        ("cpl_entry_id\nA1\n", "this column is missing"),
        ("", "this column is missing"),
    ],
)
def test_wrong_columns_are_refused_by_name(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(DataError, match=why):
        load_text(tmp_path, text)


def test_hex_is_read_in_either_case_and_a_byte_order_mark_is_no_column(tmp_path: Path) -> None:
    change = {"manufacturer_id": "fff2", "manufacturer_image_hash": HASH.upper()}
    entry = load_text(tmp_path, "\ufeff" + text_of(change)).entry("A1")
    assert (entry.manufacturer_id, entry.manufacturer_image_hash) == ("FFF2", HASH)


def test_a_list_written_and_read_is_the_same(tmp_path: Path) -> None:
    cpl = load_cpl()
    again = load_text(tmp_path, render(cpl.entries.values()))
    assert dict(again.entries) == dict(cpl.entries)


def test_resolution_finds_exactly_one_row(tmp_path: Path) -> None:
    cpl = three(tmp_path)
    found = cpl.resolve(
        manufacturer="fff2",
        model="00100100",
        device_type=DeviceType.ESME,
        firmware_version="1000001",
    )
    assert found.entry is cpl.entry("A2")
    assert found.entry.smets is SmetsVersion.SMETS2


@pytest.mark.parametrize(
    "change",
    [
        {"manufacturer": "FFF3"},
        {"model": "00100101"},
        {"device_type": DeviceType.GSME},
        {"firmware_version": "01000009"},
        {"smets": SmetsVersion.SMETS1},
    ],
)
def test_what_differs_in_one_thing_resolves_to_nothing(
    tmp_path: Path, change: dict[str, object]
) -> None:
    asked = {
        "manufacturer": "FFF2",
        "model": "00100100",
        "device_type": DeviceType.ESME,
        "firmware_version": "01000001",
    }
    found = three(tmp_path).resolve(**(asked | change))  # type: ignore[arg-type]  # mixed values
    assert found.entry is None
    assert found.why == "unknown-device-model"


def check(cpl: Cpl, version: str, image_hash: str = HASH, day: date = DAY) -> list[str]:
    findings = cpl.check_update(cpl.entry("A1"), version, bytes.fromhex(image_hash), day)
    return [f"{finding.word}{'!' if finding.refuses else ''}" for finding in findings]


def test_an_update_that_nothing_speaks_against(tmp_path: Path) -> None:
    assert check(three(tmp_path), "01000001") == []


def test_a_skipped_step_is_a_warning(tmp_path: Path) -> None:
    cpl = three(tmp_path)
    assert check(cpl, "01000002") == ["pathway"]
    assert cpl.pathway("A1", "A3") == ("A1", "A2", "A3")
    assert cpl.pathway("A3", "A1") is None
    assert cpl.pathway("A2", "A2") == ("A2",)


def test_what_is_not_listed_active_and_equal_is_refused(tmp_path: Path) -> None:
    cpl = three(tmp_path)
    assert check(cpl, "01000009") == ["not-on-cpl!"]
    assert check(cpl, "01000001", "cd" * 32) == ["hash-mismatch!"]
    for status in (CplStatus.WITHDRAWN, CplStatus.CANCELLED, CplStatus.EXPIRED):
        assert check(cpl.with_status("A2", status), "01000001") == ["status!"]


def test_a_row_without_hash_is_a_warning_only(tmp_path: Path) -> None:
    cpl = load_text(tmp_path, text_of({}, SECOND | {"manufacturer_image_hash": ""}))
    assert check(cpl, "01000001") == ["hash-not-listed"]


def test_dates_decide_on_the_day(tmp_path: Path) -> None:
    change = {"effective_from": "2025-06-01", "effective_to": "2025-06-30"}
    cpl = load_text(tmp_path, text_of({}, SECOND | change))
    entry = cpl.entry("A2")
    assert check(cpl, "01000001", day=date(2025, 5, 31)) == ["not-yet-effective!"]
    assert check(cpl, "01000001", day=date(2025, 6, 1)) == []
    assert check(cpl, "01000001", day=date(2025, 6, 30)) == []
    assert check(cpl, "01000001", day=date(2025, 7, 1)) == ["status!"]
    assert entry.status_on(date(2025, 7, 1)) is CplStatus.EXPIRED
    withdrawn = entry.model_copy(update={"status": CplStatus.WITHDRAWN})
    assert withdrawn.status_on(date(2025, 7, 1)) is CplStatus.WITHDRAWN


def test_withdrawing_a_row_leaves_the_first_list_as_it_was(tmp_path: Path) -> None:
    cpl = three(tmp_path)
    changed = cpl.with_status("A2", CplStatus.WITHDRAWN)
    assert changed.entry("A2").status is CplStatus.WITHDRAWN
    assert cpl.entry("A2").status is CplStatus.ACTIVE
    assert [e.cpl_entry_id for e in cpl.versions_of(cpl.entry("A1"))] == ["A1", "A2", "A3"]


def test_an_unknown_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Z9"):
        three(tmp_path).entry("Z9")
    with pytest.raises(DataError, match="Z9"):
        three(tmp_path).pathway("A1", "Z9")


def test_a_cycle_of_steps_ends_the_search(tmp_path: Path) -> None:
    cpl = load_text(tmp_path, text_of({"upgrade_from": "A2"}, SECOND))
    assert cpl.pathway("A1", "A2") == ("A1", "A2")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[columns]\nsize = 'x'\n", "columns.size"),
        ("[constants]\nsize = 'x'\n", "constants.size"),
        ("[formats]\nsize = 'x'\n", "formats.size"),
        ("[column]\n", "column: unknown key"),
        ("[columns\n", "not TOML"),
    ],
)
def test_a_wrong_column_map_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "cpl_columns.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=why):
        load_map(path)


def test_a_mapped_export_may_have_columns_of_its_own(tmp_path: Path) -> None:
    text = text_of({"evidence": ""}).replace(",notes,", ",Remarks of the lab,", 1)
    cpl = load_text(tmp_path, text, ColumnMap())
    assert cpl.entry("A1").evidence.startswith("user:")
    assert cpl.entry("A1").notes == ""


def test_the_entry_model_refuses_unknown_fields() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        CplEntry.model_validate(ROW | {"upgrade_from": (), "effective_to": None, "colour": "red"})
