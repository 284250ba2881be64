"""Early firmware of dormant homes: every gate refuses by its own name; the rest is ordered."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from device_profiles.cpl import Cpl
from device_profiles.dmc import Combination, Dmc, DmcList
from device_profiles.epcl import Epcl
from device_profiles.words import InstallationClass
from harness.rules.early_firmware import (
    DEVICE_ACTIVE,
    GATES,
    EarlyCase,
    EarlyRefusal,
    judge_early,
    order_batch,
)
from harness.rules.eligibility import Instructor, Lists
from harness.rules.migration_rulebook import load_rule_book
from tests.device_profiles.eligible_lists import ROWS, listed

BOOK = load_rule_book()
DAY = date(2020, 11, 2)
CPL = Cpl(ROWS)
NEXT = Combination("CHF-2", "ESME-2", "GSME-1")
DEVICES = {"CHF": True, "ESME": True, "GSME": True}


def dmc(**more: object) -> Dmc:
    return Dmc.model_validate(
        {
            "dmc_id": "D1",
            "group_id": "EA",
            "chf": "CHF-2",
            "esme": "ESME-2",
            "gsme": "GSME-1",
            "csp": "SMETS1",
            "mt_complete_on": date(2020, 10, 1),
            "evidence": "stand-in",
            **more,
        }
    )


OTHER = dmc(dmc_id="D2", esme="ESME-3")


def lists(*dmcs: Dmc, listed_on: date | None = date(2020, 12, 13)) -> Lists:
    rows = [] if listed_on is None else [listed("P1", *NEXT_ROW, added_on=listed_on)]
    return Lists(CPL, Epcl(rows, CPL), DmcList(dmcs or (dmc(),), CPL))


NEXT_ROW = ("CHF-2", "ESME-2", "GSME-1")
CASE = EarlyCase("home 1", InstallationClass.DORMANT, DEVICES, NEXT, "EA", "SMETS1", DAY)


def test_a_dormant_home_is_updated_after_its_tests_and_before_its_entry() -> None:
    """FM-50."""
    found = judge_early(CASE, lists(), BOOK)
    assert found.refusal is None
    assert found.devices == ("CHF", "ESME", "GSME")
    assert found.instructs == "DCC instructs, SMSO executes"
    assert found.relies_on == "D1"


def test_a_dmct_epcl_report_alone_will_do() -> None:
    """FM-51."""
    report = dmc(mt_complete_on=None, dmct_report_on=DAY)
    assert judge_early(CASE, lists(report), BOOK).refusal is None


def test_the_tests_of_an_equivalent_combination_will_do() -> None:
    argued = replace(CASE, equivalence_argued=True)
    mine = dmc(mt_complete_on=None, equivalent_of="D2")
    assert judge_early(argued, lists(mine, OTHER), BOOK).refusal is None
    unlinked = lists(dmc(mt_complete_on=None), OTHER)
    assert judge_early(argued, unlinked, BOOK).refusal is EarlyRefusal.EQUIVALENCE_MISSING


TESTED_EARLY = lists(dmc(mt_complete_on=date(2020, 8, 1)))
UNTESTED = lists(dmc(mt_complete_on=None))
#: One gate each: what is changed, the lists, and the name of the refusal.
REFUSED: list[tuple[dict[str, Any], Lists, EarlyRefusal]] = [
    ({"installation_class": InstallationClass.ACTIVE}, lists(), EarlyRefusal.ACTIVE_INSTALLATION),
    ({"devices": {"ESME": False}}, lists(), EarlyRefusal.ACTIVE_INSTALLATION),
    ({}, UNTESTED, EarlyRefusal.TESTS_NOT_COMPLETE),  # FM-52
    ({"day": date(2020, 9, 30)}, lists(), EarlyRefusal.TESTS_NOT_COMPLETE),
    ({"day": date(2020, 9, 17)}, TESTED_EARLY, EarlyRefusal.BEFORE_TMAD_7),
    ({"day": date(2025, 1, 1)}, lists(listed_on=None), EarlyRefusal.AFTER_TMAD),
    ({"day": date(2020, 12, 13)}, lists(), EarlyRefusal.ALREADY_ELIGIBLE),  # FM-55
    ({"instructor": Instructor.SMSO}, lists(), EarlyRefusal.NOT_INSTRUCTED_BY_DCC),
    ({"instructor": Instructor.SUPPLIER}, lists(), EarlyRefusal.NOT_INSTRUCTED_BY_DCC),
    ({"wan_connected": False}, lists(), EarlyRefusal.NO_WAN),
    ({"combination": Combination("CHF-1", "ESME-1")}, lists(), EarlyRefusal.NO_COMBINATION),
    ({"group_id": "EB"}, lists(), EarlyRefusal.NO_COMBINATION),
    ({"equivalence_argued": True}, lists(), EarlyRefusal.EQUIVALENCE_MISSING),
]


@pytest.mark.parametrize(("changes", "using", "refusal"), REFUSED)
def test_every_gate_refuses_by_its_own_name(
    changes: dict[str, Any], using: Lists, refusal: EarlyRefusal
) -> None:
    found = judge_early(replace(CASE, **changes), using, BOOK)
    assert found.refusal is refusal
    assert found.detail
    assert found.devices == ()
    assert found.instructs == ""


@pytest.mark.parametrize(("changes", "using", "refusal"), REFUSED)
def test_without_its_gate_nothing_else_refuses(
    changes: dict[str, Any], using: Lists, refusal: EarlyRefusal
) -> None:
    """Each case breaks one gate and one alone."""
    others = {name: gate for name, gate in GATES.items() if name is not refusal}
    case = replace(CASE, **changes)
    assert judge_early(case, using, BOOK, others).refusal is None


def test_every_gate_has_a_case() -> None:
    assert {refusal for _, _, refusal in REFUSED} == set(GATES)


def test_the_active_devices_of_a_mixed_home_are_left_out() -> None:
    """FM-54."""
    mixed = replace(
        CASE,
        installation_class=InstallationClass.MIXED,
        devices={"CHF": True, "ESME": True, "GSME": False},
    )
    found = judge_early(mixed, lists(), BOOK)
    assert found.devices == ("CHF", "ESME")
    assert found.left_out == {"GSME": DEVICE_ACTIVE}


def test_a_scarce_day_goes_to_dormant_homes_first() -> None:
    """F-104."""
    mixed = replace(CASE, ref="mixed", installation_class=InstallationClass.MIXED)
    late = replace(CASE, ref="late")
    active = replace(CASE, ref="active", installation_class=InstallationClass.ACTIVE)
    batch = order_batch([mixed, active, CASE, late], 2, lists(), BOOK)
    assert [ref for ref, _ in batch.planned] == ["home 1", "late"]
    assert [(ref, one.refusal) for ref, one in batch.waiting] == [
        ("mixed", EarlyRefusal.NO_CAPACITY)
    ]
    assert [ref for ref, _ in batch.refused] == ["active"]


@pytest.mark.parametrize("capacity", [0, 1, 5])
def test_no_home_is_lost_between_planned_waiting_and_refused(capacity: int) -> None:
    cases = [
        replace(CASE, ref=f"home {n}", day=DAY + timedelta(days=n * 20), wan_connected=n != 1)
        for n in range(5)
    ]
    batch = order_batch(cases, capacity, lists(), BOOK)
    refs = [ref for part in (batch.planned, batch.waiting, batch.refused) for ref, _ in part]
    assert sorted(refs) == sorted(case.ref for case in cases)
    assert len(batch.planned) <= capacity
