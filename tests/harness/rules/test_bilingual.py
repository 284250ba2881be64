"""D1 to D14 for every cohort and mode, what reading brings, and the conflict with A2.13."""

import itertools
from dataclasses import replace

import pytest

from device_profiles.bilingual_table import (
    BilingualOutcome,
    InventoryVersion,
    Listed,
    NotifiedAs,
    TableRoute,
    load_decisions,
)
from device_profiles.cohort import load_cohort
from device_profiles.cpl import Cpl
from device_profiles.loader import load_profile
from device_profiles.metadata_layout import MetadataMode
from device_profiles.words import SmetsVersion
from harness.rules.bilingual import (
    BilingualCase,
    ReadBrings,
    association_conflict,
    judge,
    listing_of,
)
from tests.device_profiles.eligible_lists import entry

TACTICAL, ENDURING = MetadataMode.TACTICAL, MetadataMode.ENDURING
S1, S2 = SmetsVersion.SMETS1, SmetsVersion.SMETS2
BOTH, AS_1, AS_2 = Listed.BOTH, NotifiedAs.SMETS1, NotifiedAs.SMETS2

#: Row -> the case it is about, as firmware.md 9.2 has it.
CASES = {
    "D1": BilingualCase(TACTICAL, Listed.SMETS1, AS_1, S1),
    "D2": BilingualCase(TACTICAL, Listed.SMETS2, AS_2, S2),
    "D3": BilingualCase(TACTICAL, BOTH, AS_1, S1),
    "D4": BilingualCase(TACTICAL, BOTH, AS_2, S2),
    "D5": BilingualCase(TACTICAL, BOTH, AS_1, S2),
    "D6": BilingualCase(TACTICAL, BOTH, AS_2, S1),
    "D7": BilingualCase(TACTICAL, Listed.BOTH_SAME_VERSION, AS_1, S1),
    "D8": BilingualCase(TACTICAL, Listed.SMETS2, AS_2, S1),
    "D9": BilingualCase(TACTICAL, Listed.SMETS1, NotifiedAs.EXECUTING_VERSION, S1),
    "D10": BilingualCase(TACTICAL, BOTH, NotifiedAs.NONE, S1),
    "D11": BilingualCase(ENDURING, BOTH, AS_2, S1),
    "D12": BilingualCase(ENDURING, BOTH, AS_1, S2),
    "D13": BilingualCase(TACTICAL, BOTH, AS_1, S1, in_dmc=False),
    "D14": BilingualCase(TACTICAL, BOTH, AS_1, S2, moved=True),
}
OUTCOMES = {
    "D1": (BilingualOutcome.TARGETABLE, TableRoute.S1SP, InventoryVersion.NOMINAL),
    "D2": (BilingualOutcome.TARGETABLE, TableRoute.GBCS, InventoryVersion.ACTUAL),
    "D3": (BilingualOutcome.TARGETABLE, TableRoute.S1SP, InventoryVersion.NOMINAL),
    "D4": (BilingualOutcome.TARGETABLE, TableRoute.GBCS, InventoryVersion.ACTUAL),
    "D5": (BilingualOutcome.UNTARGETABLE, TableRoute.NONE, InventoryVersion.NOMINAL),
    "D6": (BilingualOutcome.UNTARGETABLE, TableRoute.NONE, InventoryVersion.ACTUAL),
    "D7": (BilingualOutcome.LIST_ERROR, TableRoute.NONE, InventoryVersion.NONE),
    "D8": (BilingualOutcome.UNTARGETABLE, TableRoute.NONE, InventoryVersion.ACTUAL),
    "D9": (BilingualOutcome.NOTIFICATION_REFUSED, TableRoute.NONE, InventoryVersion.NONE),
    "D10": (BilingualOutcome.JOIN_REFUSED, TableRoute.NONE, InventoryVersion.NONE),
    "D11": (BilingualOutcome.TARGETABLE, TableRoute.S1SP, InventoryVersion.ACTUAL),
    "D12": (BilingualOutcome.TARGETABLE, TableRoute.GBCS, InventoryVersion.ACTUAL),
    "D13": (BilingualOutcome.NOT_MIGRATABLE, TableRoute.NONE, InventoryVersion.NONE),
    "D14": (BilingualOutcome.UNTARGETABLE, TableRoute.NONE, InventoryVersion.NOMINAL),
}


@pytest.mark.parametrize("cohort", ["IOC", "MDS", "DA", "EA", "EB"])
@pytest.mark.parametrize("row", CASES)
def test_each_row_decides_its_case_in_every_cohort(row: str, cohort: str) -> None:
    found = judge(CASES[row], load_cohort(cohort).ppmid)
    assert found.row == row
    assert (found.outcome, found.route, found.inventory) == OUTCOMES[row]
    assert found.is_targetable == (found.read is not ReadBrings.NOTHING)


@pytest.mark.parametrize("row", ["D9", "D10"])
def test_who_was_not_announced_with_an_entry_of_the_list_is_refused_in_either_mode(
    row: str,
) -> None:
    found = judge(replace(CASES[row], mode=ENDURING), load_cohort("EA").ppmid)
    assert (found.row, found.outcome) == (row, OUTCOMES[row][0])


@pytest.mark.parametrize("row", sorted(CASES.keys() - {"D9", "D10"}))
def test_in_enduring_mode_the_home_decides_and_nothing_else(row: str) -> None:
    case = replace(CASES[row], mode=ENDURING)
    found = judge(case, load_cohort("EA").ppmid)
    assert found.row == ("D11" if case.installation is S1 else "D12")
    assert found.is_targetable
    assert not found.conflict


@pytest.mark.parametrize("row", CASES)
def test_without_its_row_no_other_takes_the_case_for_its_own(row: str) -> None:
    """Every row counts: taken out, the case falls to a row of another outcome, or to none."""
    rest = [one for one in load_decisions() if one.id != row]
    found = judge(CASES[row], load_cohort("IOC").ppmid, rest)
    assert (found.row, found.outcome) != (row, OUTCOMES[row][0])
    assert not found.is_targetable or found.outcome is not OUTCOMES[row][0]


def test_two_rows_never_fit_one_case() -> None:
    """But for the order of D9, D10 and D7, which come first on purpose, rows exclude each other."""
    rows = load_decisions()
    for case in _all_cases():
        fitting = [one.id for one in rows if judge(case, None, [one]).row]
        assert len(fitting) <= 1, (case, fitting)


def _all_cases() -> list[BilingualCase]:
    return [
        BilingualCase(mode, listed, notified, smets, moved, in_dmc)
        for mode, listed, notified, smets, moved, in_dmc in itertools.product(
            MetadataMode, Listed, NotifiedAs, SmetsVersion, (True, False), (True, False)
        )
        if listed is not Listed.BOTH_SAME_VERSION
    ]


@pytest.mark.parametrize(
    ("cohort", "third_party", "read", "mismatch"),
    [
        ("EA", False, ReadBrings.EXECUTING, True),
        ("EB", False, ReadBrings.EXECUTING, True),
        ("IOC", False, ReadBrings.NOMINAL, False),
        ("MDS", False, ReadBrings.NOMINAL, False),
        ("DA", False, ReadBrings.NOMINAL, False),
        ("DA", True, ReadBrings.NOTHING, False),
        ("IOC", True, ReadBrings.NOMINAL, False),
    ],
)
def test_what_reading_a_bilingual_display_brings(
    cohort: str, read: ReadBrings, *, third_party: bool, mismatch: bool
) -> None:
    """F-091 and F-097."""
    case = replace(CASES["D3"], third_party=third_party)
    found = judge(case, load_cohort(cohort).ppmid)
    assert (found.read, found.mismatch) == (read, mismatch)


def test_a_display_of_one_generation_never_mismatches() -> None:
    assert not judge(CASES["D1"], load_cohort("EA").ppmid).mismatch


@pytest.mark.parametrize("row", CASES)
def test_the_conflict_with_a213_is_told_where_the_inventory_says_otherwise(row: str) -> None:
    """F-094."""
    found = judge(CASES[row], load_cohort("EA").ppmid)
    assert bool(found.conflict) == (row in {"D5", "D6", "D8", "D14"})
    if found.conflict:
        assert "A2.13" in found.conflict


def test_a_display_whose_generation_fits_its_hub_is_in_no_conflict() -> None:
    assert association_conflict(S1, S1) == ""
    assert "as SMETS2+" in association_conflict(S2, S1)


def test_a_case_of_no_row_is_untargetable_and_says_so() -> None:
    found = judge(BilingualCase(TACTICAL, Listed.SMETS1, AS_2, S2))
    assert found.row == ""
    assert not found.is_targetable
    assert "no row fits" in found.says
    assert found.evidence.startswith("inferred:")


def test_the_list_tells_which_entries_a_model_has() -> None:
    identity = load_profile("demo-bilingual-ppmid").identity
    same = {
        "manufacturer_id": identity.manufacturer_hex,
        "model_id": f"{identity.model_id:04X}",
        "hardware_version": f"{identity.hardware_version:04X}",
    }
    one = entry("PPMID", 1, **same)
    other = entry("PPMID", 2, smets="SMETS2+", **same)
    meter = entry("ESME", 3, **same)
    assert listing_of(Cpl([one, other]), identity) is Listed.BOTH
    assert listing_of(Cpl([one, meter]), identity) is Listed.SMETS1
    assert listing_of(Cpl([other]), identity) is Listed.SMETS2
    assert listing_of(Cpl([meter]), identity) is None
    clash = other.model_copy(update={"firmware_version": one.firmware_version})
    assert listing_of(Cpl([one, clash], checked=True), identity) is Listed.BOTH_SAME_VERSION
