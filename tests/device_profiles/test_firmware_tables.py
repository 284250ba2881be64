"""Tables of updaters, bilingual decisions, the matrix's axes: wrong ones do not load."""

from collections.abc import Callable
from pathlib import Path

import pytest

from device_profiles.bilingual_table import load_decisions
from device_profiles.errors import DataError
from device_profiles.evidence import EvidenceKind, Mark
from device_profiles.files import SHIPPED
from device_profiles.matrix_axes import load_axes
from device_profiles.updaters import Others, load_updaters
from device_profiles.words import DeviceType, SmetsVersion
from harness.standins import collect

CSV = {"firmware-updaters.csv": load_updaters, "bilingual-decisions.csv": load_decisions}


def overlay(folder: Path, name: str, text: str) -> Path:
    (folder / "catalogues").mkdir()
    (folder / "catalogues" / name).write_text(text, "utf-8")
    return folder


def lines(name: str) -> list[str]:
    return (SHIPPED / "catalogues" / name).read_text("utf-8").splitlines()


def test_every_supplier_updated_device_has_one_row_in_every_kind_of_home() -> None:
    table = load_updaters()
    for device in (DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID, DeviceType.CHF):
        for smets in SmetsVersion:
            for coordinated in (True, False):
                assert table.find(device, smets, coordinated=coordinated) is not None
    silent = [row for row in table.rows if row.others is Others.SILENT]
    assert [Mark.parse(row.evidence).kind for row in silent] == [EvidenceKind.INFERRED]


def test_d1_to_d14_are_all_there() -> None:
    assert {row.id for row in load_decisions()} == {f"D{n}" for n in range(1, 15)}


@pytest.mark.parametrize("name", CSV)
def test_a_row_that_stands_twice_is_refused(tmp_path: Path, name: str) -> None:
    shipped = lines(name)
    folder = overlay(tmp_path, name, "\n".join([*shipped, shipped[1]]) + "\n")
    with pytest.raises(DataError, match="stands twice"):
        CSV[name]([folder])


@pytest.mark.parametrize("name", CSV)
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda rows: [rows[0], rows[1].replace(",", ",nonsense", 1)], "line 2"),
        (lambda rows: [rows[0], rows[1].rpartition(",")[0] + ",guess"], "evidence"),
        (lambda rows: [rows[0], rows[1] + ",one,too,many"], "line 2"),
        (lambda rows: [rows[0].replace("id,", "name,", 1), rows[1]], "headings"),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(
    tmp_path: Path, name: str, spoil: Callable[[list[str]], list[str]], why: str
) -> None:
    folder = overlay(tmp_path, name, "\n".join(spoil(lines(name))) + "\n")
    with pytest.raises(DataError, match=why):
        CSV[name]([folder])


def test_two_rows_about_one_device_are_refused(tmp_path: Path) -> None:
    head, *_ = lines("firmware-updaters.csv")
    row = "MINE,SMETS1,either,CHF,gas-supplier,refused,,mine,user:0123"
    folder = overlay(tmp_path, "firmware-updaters.csv", f"{head}\n{row}\n")
    with pytest.raises(DataError, match="both about a SMETS1 CHF"):
        load_updaters([folder])


def test_a_decision_of_an_overlay_takes_the_place_of_its_name_and_new_ones_come_first(
    tmp_path: Path,
) -> None:
    head, *rows = lines("bilingual-decisions.csv")
    d5 = next(row for row in rows if row.startswith("D5,"))
    changed = d5.replace("UNTARGETABLE,none", "TARGETABLE,GBCS")
    new = d5.replace("D5,", "MINE,")
    folder = overlay(tmp_path, "bilingual-decisions.csv", f"{head}\n{changed}\n{new}\n")
    found = load_decisions([folder])
    assert found[0].id == "MINE"
    assert next(row for row in found if row.id == "D5").outcome == "TARGETABLE"
    assert len(found) == 15


def test_an_overlay_changes_one_device_of_the_matrix(tmp_path: Path) -> None:
    text = '[[target]]\nid = "gas meter"\ncontent_bytes = 4096\n'
    shipped, changed = load_axes(), load_axes([overlay(tmp_path, "firmware-matrix.toml", text)])
    sizes = {one.id: one.content_bytes for one in changed.targets}
    assert sizes["gas meter"] == 4096
    assert [one.id for one in changed.targets] == [one.id for one in shipped.targets]
    mark = next(one.evidence for one in changed.targets if one.id == "gas meter")
    assert Mark.parse(mark).kind is EvidenceKind.USER


@pytest.mark.parametrize(
    "text",
    [
        '[[target]]\nid = "new"\n',
        "[[target]]\ncontent_bytes = 4096\n",
        '[[target]]\nid = "gas meter"\ncontent_bytes = 1\n',
        "[[targets]]\n",
    ],
)
def test_a_wrong_row_of_the_matrix_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError):
        load_axes([overlay(tmp_path, "firmware-matrix.toml", text)])


def test_weak_rows_of_these_tables_stand_in_the_list_of_stand_ins() -> None:
    files = {one.file for one in collect()}
    assert {
        "clauses/effects",
        "catalogues/firmware-updaters",
        "catalogues/bilingual-decisions",
        "catalogues/firmware-matrix",
    } <= files
