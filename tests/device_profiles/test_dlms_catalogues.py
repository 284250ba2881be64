"""Catalogues of DLMS objects: shipped ones load, and each wrong cell is refused by name."""

from pathlib import Path

import pytest

from device_profiles.dlms_catalogue import (
    COLUMNS,
    Catalogue,
    catalogue_names,
    load_catalogue,
    refuse_row,
)
from device_profiles.errors import (
    BadMarkError,
    DataError,
    DuplicateEntryError,
    InconsistentDataError,
    InvalidValueError,
    OverlayError,
    UnknownNameError,
    UnmarkedValueError,
    UnreadableFileError,
)
from device_profiles.evidence import EvidenceKind
from device_profiles.overlay import open_overlay

GOOD = {
    "obis": "1-0:1.8.0.255", "class": "3", "version": "0", "member": "a2", "name": "value",
    "type": "u32", "unit": "Wh", "scaler": "-1", "binding": "energy", "value": "import",
    "evidence": "stand-in", "public": "r", "all": "rw!",
}  # fmt: skip


def write(path: Path, *rows: dict[str, str]) -> Path:
    headings = list(rows[0])
    lines = [",".join(row.get(name, "") for name in headings) for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([",".join(headings), *lines]) + "\n")
    return path


def load(tmp_path: Path, *rows: dict[str, str]) -> Catalogue:
    return load_catalogue(str(write(tmp_path / "own.csv", *rows)), (), {"energy", "reset"})


@pytest.mark.parametrize("name", catalogue_names())
def test_every_shipped_catalogue_is_a_stand_in_and_says_so(name: str) -> None:
    catalogue = load_catalogue(name)
    assert catalogue.rows
    assert {row.mark.kind for row in catalogue.rows} == {EvidenceKind.STAND_IN}
    assert {"public", "reader", "installer", "management", "strict-public"} == catalogue.rights


def test_a_row_is_read_cell_by_cell(tmp_path: Path) -> None:
    (row,) = load(tmp_path, GOOD).rows
    assert row.obis == bytes((1, 0, 1, 8, 0, 255))
    assert row.obis_text == "1-0:1.8.0.255"
    assert (row.class_id, row.version, row.member, row.type) == (3, 0, "a2", "u32")
    assert (row.unit, row.scaler, row.binding, row.value) == (30, -1, "energy", "import")
    assert row.rights == {"public": "r", "all": "rw!"}


def test_a_range_of_logical_names_is_a_row_for_each(tmp_path: Path) -> None:
    rows = load(tmp_path, {**GOOD, "obis": "1-0:1.8.1~3.255", "value": "{n}", "name": "r{n}"}).rows
    assert [(row.obis[4], row.value, row.name) for row in rows] == [
        (1, "1", "r1"), (2, "2", "r2"), (3, "3", "r3"),
    ]  # fmt: skip


def test_objects_gather_their_attributes_and_methods(tmp_path: Path) -> None:
    method = {**GOOD, "member": "m1", "binding": "reset", "public": "", "all": "x!"}
    objects = load(tmp_path, GOOD, {**GOOD, "member": "a3"}, method).objects
    (entry,) = objects.values()
    assert sorted(entry.attributes) == [2, 3]
    assert sorted(entry.methods) == [1]


@pytest.mark.parametrize(
    ("column", "cell", "error", "why"),
    [
        ("obis", "1.8.0", InvalidValueError, "no logical name"),
        ("obis", "1-0:1.8.0.256", InvalidValueError, "from 0 to 255"),
        ("obis", "1-0:1.8.9~3.255", InvalidValueError, "a range rises"),
        ("class", "three", InvalidValueError, "no whole number"),
        ("class", "0", InvalidValueError, "not from 1"),
        ("version", "", InvalidValueError, "no whole number"),
        ("member", "a1", InvalidValueError, "a2 to a127"),
        ("member", "a128", InvalidValueError, "a2 to a127"),
        ("member", "m0", InvalidValueError, "a2 to a127"),
        ("member", "2", InvalidValueError, "a2 to a127"),
        ("type", "u24", InvalidValueError, "no type"),
        ("type", "u8(3)", InvalidValueError, "no type"),
        ("unit", "furlong", InvalidValueError, "no unit"),
        ("scaler", "200", InvalidValueError, "not from -128"),
        ("binding", "", InvalidValueError, "where its value comes from"),
        ("binding", "magic", InvalidValueError, "is no binding"),
        ("public", "x", InvalidValueError, "no right of this member"),
        ("public", "wr", InvalidValueError, "no right of this member"),
        ("evidence", "", UnmarkedValueError, "no evidence mark"),
        ("evidence", "rumour", BadMarkError, "no evidence mark"),
        ("evidence", "observed:", BadMarkError, "must name"),
    ],
)
def test_a_wrong_cell_is_refused_with_line_and_column(
    tmp_path: Path, column: str, cell: str, error: type[DataError], why: str
) -> None:
    with pytest.raises(error, match=why) as caught:
        load(tmp_path, GOOD, {**GOOD, "member": "a3", column: cell})
    assert "line 3" in str(caught.value)
    assert str(tmp_path / "own.csv") in str(caught.value)


def test_a_method_is_called_and_not_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="no right of this member"):
        load(tmp_path, {**GOOD, "member": "m1", "public": "r"})


def test_rows_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DuplicateEntryError, match="stands twice"):
        load(tmp_path, GOOD, GOOD)
    with pytest.raises(InconsistentDataError, match="two versions"):
        load(tmp_path, GOOD, {**GOOD, "member": "a3", "version": "1"})


@pytest.mark.parametrize("missing", COLUMNS)
def test_a_missing_column_is_named(tmp_path: Path, missing: str) -> None:
    row = {name: cell for name, cell in GOOD.items() if name != missing}
    with pytest.raises(InvalidValueError, match="this column is missing") as caught:
        load(tmp_path, row)
    assert missing in str(caught.value)


def test_a_file_without_rights_or_with_ragged_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="rights word"):
        load(tmp_path, {name: GOOD[name] for name in COLUMNS})
    path = tmp_path / "ragged.csv"
    path.write_text(",".join(GOOD) + "\n1-0:1.8.0.255,3\n")
    with pytest.raises(InvalidValueError, match="more or fewer cells"):
        load_catalogue(str(path))
    path.write_text(",".join([*GOOD, "public"]) + "\n")
    with pytest.raises(InvalidValueError, match="stands twice"):
        load_catalogue(str(path))


def test_a_name_that_nobody_ships_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnknownNameError, match="dlms-smets1"):
        load_catalogue("dlms-unheard-of")
    with pytest.raises(UnknownNameError):
        load_catalogue("cpl")
    with pytest.raises(UnreadableFileError):
        load_catalogue("/nowhere/at/all.csv")


def test_an_overlay_s_catalogue_replaces_the_shipped_one_and_is_the_user_s(tmp_path: Path) -> None:
    path = tmp_path / "catalogues" / "dlms-smets1.csv"
    write(path, {**GOOD, "evidence": ""}, {**GOOD, "member": "a3", "evidence": "observed:abc"})
    catalogue = load_catalogue("dlms-smets1", (tmp_path,))
    assert [row.mark.kind for row in catalogue.rows] == [EvidenceKind.USER, EvidenceKind.OBSERVED]
    write(path, {**GOOD, "evidence": "known"})
    with pytest.raises(BadMarkError, match="user: or observed:"):
        load_catalogue("dlms-smets1", (tmp_path,))


def test_an_overlay_may_hold_a_catalogue_of_a_new_name(tmp_path: Path) -> None:
    write(tmp_path / "catalogues" / "dlms-mine.csv", {**GOOD, "evidence": ""})
    overlay = open_overlay(tmp_path)
    assert "dlms-mine" in catalogue_names((overlay,))
    assert len(load_catalogue("dlms-mine", (overlay,)).rows) == 1
    (tmp_path / "catalogues" / "dlms-mine.txt").write_text("x")
    with pytest.raises(OverlayError, match="nothing reads"):
        open_overlay(tmp_path)


def test_a_row_can_be_refused_later_for_what_it_is_bound_to(tmp_path: Path) -> None:
    (row,) = load(tmp_path, GOOD).rows
    error = refuse_row(row, "value", "is none")
    assert "line 2 value" in str(error)
    assert str(tmp_path / "own.csv") in str(error)
