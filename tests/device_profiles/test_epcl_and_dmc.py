"""EPCL and DMC lists: shipped ones load; wrong ones are refused by name; the nearest is told."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from device_profiles import dmc, epcl
from device_profiles.cohort import cohort_names, load_cohort
from device_profiles.column_map import load_column_map
from device_profiles.cpl import Cpl, load_cpl
from device_profiles.dmc import Combination
from device_profiles.epcl import EpclBasis, EpclRoute, Misalignment
from device_profiles.errors import DataError
from device_profiles.evidence import EvidenceKind, Mark
from device_profiles.files import SHIPPED

CHF, ESME, GSME, PPMID = (
    f"SYN-DEMO-S1-{kind}-10000001" for kind in ("CHF", "ESME", "GSME", "PPMID")
)
DMC_HEAD = ",".join(dmc.COLUMNS)
EPCL_HEAD = ",".join(epcl.COLUMNS)
DMC_ROW = f"D1,EA,{CHF},{ESME},{GSME},{PPMID},SMETS1,2020-12-01,,,no,,stand-in"
EPCL_ROW = (
    f"E1,EA,{CHF},{ESME},{GSME},{PPMID},SMETS1,tested,D1,sit-mt,2020-12-13,2021-06-01,,stand-in"
)
DAY = date(2021, 3, 1)


@pytest.fixture(scope="module")
def cpl() -> Cpl:
    return load_cpl()


def write(path: Path, head: str, *rows: str) -> Path:
    path.write_text("\n".join((head, *rows)) + "\n", "utf-8")
    return path


def test_the_shipped_lists_load_are_synthetic_and_render_as_they_are(cpl: Cpl) -> None:
    dmcs = dmc.load_dmcs(cpl)
    entries = epcl.load_epcl(cpl, dmcs)
    for row in (*dmcs.entries.values(), *entries.entries.values()):
        assert Mark.parse(row.evidence).kind is EvidenceKind.STAND_IN
        assert "synthetic" in row.notes
    folder = SHIPPED / "catalogues"
    assert dmc.render(dmcs.entries.values(), dmc.COLUMNS) == (folder / "dmc.csv").read_text("utf-8")
    text = dmc.render(entries.entries.values(), epcl.COLUMNS)
    assert text == (folder / "epcl.csv").read_text("utf-8")


def test_every_cohort_that_is_migrated_has_an_entry_for_its_own_models(cpl: Cpl) -> None:
    listed = epcl.load_epcl(cpl)
    groups = {row.group_id for row in listed.entries.values()}
    for key in cohort_names():
        cohort = load_cohort(key)
        assert (cohort.cohort.group_id in groups) == cohort.cohort.migratable


def test_entries_keep_date_route_basis_and_what_they_rely_on(cpl: Cpl, tmp_path: Path) -> None:
    dmcs = dmc.load(write(tmp_path / "dmc.csv", DMC_HEAD, DMC_ROW), cpl)
    entry = epcl.load(write(tmp_path / "epcl.csv", EPCL_HEAD, EPCL_ROW), cpl, dmcs).entries["E1"]
    assert entry.added_on == date(2020, 12, 13)
    assert (entry.basis, entry.route) == (EpclBasis.TESTED, EpclRoute.SIT_MT)
    assert entry.relies_on == "D1"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda row: row.replace(ESME, "NOWHERE"), "dangling-reference"),
        (lambda row: row.replace(GSME, ESME), "inconsistent"),
        (lambda row: row.replace(CHF, "SYN-DEMO-CHF-01000000"), "inconsistent"),
        (lambda row: row.replace(",EA,", ",e,"), "invalid-value"),
        (lambda row: row.replace("tested", "hoped"), "invalid-value"),
        (lambda row: row.replace("2021-06-01", "2020-12-13"), "invalid-value"),
        (lambda row: row.replace("2020-12-13", "13/12/2020"), "invalid-value"),
        (lambda row: row.replace("tested,D1", "substantive-equivalence,"), "invalid-value"),
        (lambda row: row.replace(",D1,", ",D9,"), "dangling-reference"),
        (lambda row: row.removesuffix("stand-in"), "unmarked-value"),
        (lambda row: row.replace("stand-in", "rumour"), "invalid-value"),
        (lambda row: row + ",more", "invalid-value"),
        (lambda row: row + "\n" + row, "duplicate-entry"),
        (lambda row: row + "\n" + row.replace("E1", "E2"), "duplicate-entry"),
    ],
)
def test_each_wrong_epcl_row_has_its_own_error(
    cpl: Cpl, tmp_path: Path, change: Callable[[str], str], code: str
) -> None:
    dmcs = dmc.load(write(tmp_path / "dmc.csv", DMC_HEAD, DMC_ROW), cpl)
    path = write(tmp_path / "epcl.csv", EPCL_HEAD, change(EPCL_ROW))
    with pytest.raises(DataError) as caught:
        epcl.load(path, cpl, dmcs)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda row: row.replace(",,,no", ",,D1,no"), "invalid-value"),
        (lambda row: row.replace(",,,no", ",,D9,no"), "dangling-reference"),
        (lambda row: row.replace(",no,", ",perhaps,"), "invalid-value"),
        (lambda row: row.replace(PPMID, GSME), "inconsistent"),
        (lambda row: row + "\n" + row.replace("D1", "D2"), "duplicate-entry"),
    ],
)
def test_each_wrong_dmc_row_has_its_own_error(
    cpl: Cpl, tmp_path: Path, change: Callable[[str], str], code: str
) -> None:
    with pytest.raises(DataError) as caught:
        dmc.load(write(tmp_path / "dmc.csv", DMC_HEAD, change(DMC_ROW)), cpl)
    assert caught.value.code == code


def test_a_column_that_is_missing_or_strange_is_named(cpl: Cpl, tmp_path: Path) -> None:
    strange = write(tmp_path / "a.csv", EPCL_HEAD + ",colour", EPCL_ROW + ",red")
    with pytest.raises(DataError, match="colour"):
        epcl.load(strange, cpl)
    lacking = write(tmp_path / "b.csv", EPCL_HEAD.replace("csp", "csq"), EPCL_ROW)
    with pytest.raises(DataError, match="csq"):
        epcl.load(lacking, cpl)
    twice = write(tmp_path / "c.csv", EPCL_HEAD.replace("notes", "csp"), EPCL_ROW)
    with pytest.raises(DataError, match="twice"):
        epcl.load(twice, cpl)


def test_a_users_export_loads_through_a_column_map_and_is_marked_his(
    cpl: Cpl, tmp_path: Path
) -> None:
    folder = tmp_path / "mine" / "catalogues"
    folder.mkdir(parents=True)
    write(
        folder / "epcl.csv",
        "Hub|Meter|First".replace("|", ","),
        f"{CHF},{ESME},13/12/2020",
    )
    (folder / "epcl_columns.toml").write_text(
        '[columns]\nchf = "Hub"\nesme = "Meter"\nadded_on = "First"\n'
        '[constants]\nepcl_id = "X1"\ngroup_id = "EA"\ncsp = "SMETS1"\nbasis = "tested"\n'
        'route = "dmct"\n[formats]\ndate = "%d/%m/%Y"\n',
        "utf-8",
    )
    (entry,) = epcl.load_epcl(cpl, None, (tmp_path / "mine",)).entries.values()
    assert entry.combination == Combination(CHF, ESME)
    assert entry.added_on == date(2020, 12, 13)
    assert Mark.parse(entry.evidence).kind is EvidenceKind.USER


@pytest.mark.parametrize(
    "text", ['[columns]\ncolour = "C"\n', "[formats]\nlist_separator = ''\n", "columns = 1\n"]
)
def test_a_wrong_column_map_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError):
        load_column_map(path, epcl.COLUMNS)


def full(**changes: str | None) -> Combination:
    values = {"chf": CHF, "esme": ESME, "gsme": GSME, "ppmids": (PPMID,)} | changes
    return Combination(**values)  # type: ignore[arg-type]  # a table of mixed values


@pytest.fixture
def one(cpl: Cpl, tmp_path: Path) -> epcl.Epcl:
    return epcl.load(write(tmp_path / "epcl.csv", EPCL_HEAD, EPCL_ROW), cpl)


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2020, 12, 12), Misalignment.NOT_YET),
        (date(2020, 12, 13), None),
        (date(2021, 5, 31), None),
        (date(2021, 6, 1), Misalignment.REMOVED),
    ],
)
def test_an_entry_holds_from_its_first_day_to_before_its_last(
    one: epcl.Epcl, day: date, why: Misalignment | None
) -> None:
    found = one.align(full(), group_id="EA", csp="SMETS1", day=day)
    assert found.why is why
    assert (found.entry is None) == (why is not None)


def test_another_group_or_provider_is_not_the_same_combination(one: epcl.Epcl) -> None:
    for group, csp, what in (("EB", "SMETS1", "group"), ("EA", "Other", "provider")):
        found = one.align(full(), group_id=group, csp=csp, day=DAY)
        assert found.why is Misalignment.ELSEWHERE
        assert [name for name, _, _ in found.differing] == [what]


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"gsme": None}, ["GSME"]),
        ({"ppmids": ()}, ["PPMID"]),
        ({"esme": "OTHER", "ppmids": (PPMID, PPMID)}, ["ESME", "PPMID"]),
    ],
)
def test_the_nearest_entry_and_the_differing_component_are_told(
    one: epcl.Epcl, changes: dict[str, str | None], differing: list[str]
) -> None:
    found = one.align(full(**changes), group_id="EA", csp="SMETS1", day=DAY)
    assert found.why is Misalignment.NO_ENTRY
    assert found.nearest is one.entries["E1"]
    assert [name for name, _, _ in found.differing] == differing


def test_the_order_of_ppmids_does_not_matter() -> None:
    assert full(ppmids=("B", "A")) == full(ppmids=("A", "B"))  # type: ignore[arg-type]  # as above


def test_a_model_in_no_entry_is_a_non_epcl_device_model(one: epcl.Epcl) -> None:
    assert one.holds_model(ESME, DAY)
    assert not one.holds_model(ESME, date(2020, 1, 1))
    assert not one.holds_model("SYN-DEMO-ESME-01000000", DAY)


def test_an_empty_list_has_no_nearest_entry(cpl: Cpl) -> None:
    found = epcl.Epcl([], cpl).align(full(), group_id="EA", csp="SMETS1", day=DAY)
    assert (found.why, found.nearest, found.differing) == (Misalignment.NO_ENTRY, None, ())
