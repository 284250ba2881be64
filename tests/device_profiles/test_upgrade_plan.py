"""Nearest EPCL entry, what differs, and what to upgrade before an installation may migrate."""

from datetime import date

import pytest

from device_profiles.combination_diff import Differs, differences
from device_profiles.cpl import Cpl
from device_profiles.upgrade_plan import plans
from device_profiles.words import CplStatus
from tests.device_profiles.eligible_lists import DAY, ROWS, entry, home, listed, lists

DUAL = ("CHF-1", "ESME-1", "GSME-1")


def shown(*models: str, **more: str) -> list[tuple[str, Differs, str, str]]:
    cpl, _ = lists()
    row = listed("E", "CHF-1", "ESME-1", "GSME-1", "PPMID-1")
    found = differences(cpl, home(*models, **more), row)
    return [(one.component, one.kind, one.installed, one.listed) for one in found]


def test_what_differs_is_named_component_by_component() -> None:
    assert shown("CHF-1", "ESME-1", "GSME-1", "PPMID-1") == []
    assert shown("CHF-1", "ESME-2", "GSME-1", "PPMID-1") == [
        ("ESME", Differs.FIRMWARE, "ESME-2", "ESME-1")
    ]
    assert shown("CHF-1", "FFF9:00010100:00000001", "GSME-1", "PPMID-1")[0][1] is Differs.MODEL
    assert shown("CHF-1", "ESME-1", "PPMID-1") == [
        ("GSME", Differs.NOT_INSTALLED, "none", "GSME-1")
    ]
    assert shown(*DUAL) == [("PPMID", Differs.NOT_INSTALLED, "none", "PPMID-1")]
    assert shown(*DUAL, "PPMID-1", csp="North", group="EB") == [
        ("provider", Differs.PROVIDER, "North", "SMETS1"),
        ("group", Differs.GROUP, "EB", "EA"),
    ]


def test_ppmids_are_paired_like_with_like() -> None:
    cpl = Cpl([*ROWS, entry("PPMID", 9, model_id="0009")])
    row = listed("E", *DUAL, "PPMID-9", "PPMID-1")
    found = differences(cpl, home(*DUAL, "PPMID-2", "PPMID-9"), row)
    assert [(one.kind, one.installed, one.listed) for one in found] == [
        (Differs.FIRMWARE, "PPMID-2", "PPMID-1")
    ]
    found = differences(cpl, home(*DUAL, "PPMID-1", "PPMID-1", "PPMID-9"), row)
    assert [(one.kind, one.installed) for one in found] == [(Differs.NOT_LISTED, "PPMID-1")]
    single = listed("E", *DUAL, "PPMID-9")
    found = differences(cpl, home(*DUAL, "PPMID-1"), single)
    assert [(one.kind, one.listed) for one in found] == [(Differs.MODEL, "PPMID-9")]


def test_the_nearest_entry_is_the_one_that_firmware_alone_reaches() -> None:
    rows = (
        listed("A-OTHER-PROVIDER", *DUAL, csp="North"),
        listed("B-OTHER-FIRMWARE", "CHF-1", "ESME-2", "GSME-1"),
        listed("C-TWO", "CHF-2", "ESME-2", "GSME-1"),
    )
    _, epcl = lists(*rows)
    near = epcl.nearest(home(*DUAL), DAY)
    assert near is not None
    assert near.entry.epcl_id == "B-OTHER-FIRMWARE"
    aligned = epcl.align(home(*DUAL).combination, group_id="EA", csp="SMETS1", day=DAY)
    assert aligned.nearest == near.entry
    assert aligned.differing == (("ESME", "ESME-1", "ESME-2"),)


def test_an_entry_in_force_is_nearer_than_one_that_is_not() -> None:
    rows = (
        listed("A-REMOVED", "CHF-1", "ESME-2", "GSME-1", removed_on=date(2021, 1, 1)),
        listed("B-IN-FORCE", "CHF-1", "ESME-3", "GSME-1"),
    )
    _, epcl = lists(*rows)
    near = epcl.nearest(home(*DUAL), DAY)
    assert near is not None
    assert (near.entry.epcl_id, near.in_force) == ("B-IN-FORCE", True)
    assert lists()[1].nearest(home(*DUAL), DAY) is None


def test_the_plan_takes_the_shortest_pathway_and_the_fewest_images() -> None:
    cpl, epcl = lists(
        listed("LATER", "CHF-2", "ESME-3", "GSME-1"), listed("NEXT", "CHF-1", "ESME-3", "GSME-1")
    )
    found = plans(cpl, epcl, home(*DUAL), DAY)
    assert [(plan.entry.epcl_id, plan.steps) for plan in found.possible] == [
        ("NEXT", 2),
        ("LATER", 3),
    ]
    assert found.best is not None
    assert [one.pathway for one in found.best.updates] == [("ESME-1", "ESME-2", "ESME-3")]
    later = found.possible[1].updates
    assert [(one.component, one.steps) for one in later] == [("CHF", 1), ("ESME", 2)]
    assert found.blocked == ()


def test_a_step_that_may_not_be_installed_is_gone_around_or_blocks() -> None:
    row = listed("NEXT", "CHF-1", "ESME-3", "GSME-1")
    without = Cpl(ROWS).with_status("ESME-2", CplStatus.WITHDRAWN)
    cpl, epcl = lists(row, cpl=without)
    best = plans(cpl, epcl, home(*DUAL), DAY).best
    assert best is not None
    assert best.updates[0].pathway == ("ESME-1", "ESME-4", "ESME-5", "ESME-3")
    cpl, epcl = lists(row, cpl=without.with_status("ESME-3", CplStatus.CANCELLED))
    found = plans(cpl, epcl, home(*DUAL), DAY)
    assert found.best is None
    assert "ESME-3 is Cancelled" in found.blocked[0].why[0]
    early = plans(*lists(row), home(*DUAL), date(2020, 12, 12))
    assert (early.possible, early.blocked) == ((), ())


def test_a_withdrawn_version_that_runs_is_upgraded_all_the_same() -> None:
    cpl, epcl = lists(
        listed("NEXT", "CHF-1", "ESME-2", "GSME-1"),
        cpl=Cpl(ROWS).with_status("ESME-1", CplStatus.WITHDRAWN),
    )
    best = plans(cpl, epcl, home(*DUAL), DAY).best
    assert best is not None
    assert best.updates[0].pathway == ("ESME-1", "ESME-2")


def test_versions_without_a_step_between_them_block_and_say_so() -> None:
    cpl, epcl = lists(listed("NEXT", "CHF-2", "ESME-1", "GSME-2"))
    found = plans(cpl, epcl, home(*DUAL), DAY)
    assert found.possible == ()
    assert found.blocked[0].why == ("GSME: no pathway from GSME-1 to GSME-2: none in upgrade_from",)
    back = plans(*lists(listed("OLD", *DUAL)), home("CHF-2", "ESME-1", "GSME-1"), DAY)
    assert back.possible == ()
    assert "no pathway from CHF-2 to CHF-1" in back.blocked[0].why[0]


@pytest.mark.parametrize("more", [{"csp": "North"}, {"group_id": "EB"}])
def test_no_firmware_changes_provider_or_group(more: dict[str, str]) -> None:
    found = plans(*lists(listed("NEXT", "CHF-1", "ESME-2", "GSME-1", **more)), home(*DUAL), DAY)
    assert (found.possible, found.blocked) == ((), ())


def test_a_ppmid_too_is_upgraded_into_the_list() -> None:
    cpl, epcl = lists(listed("NEXT", *DUAL, "PPMID-2"))
    best = plans(cpl, epcl, home(*DUAL, "PPMID-1"), DAY).best
    assert best is not None
    assert [(one.component, one.pathway) for one in best.updates] == [
        ("PPMID", ("PPMID-1", "PPMID-2"))
    ]


def test_a_pathway_on_a_day_asks_every_step_but_the_first() -> None:
    cpl = Cpl([*ROWS, entry("ESME", 6, 3, effective_from=date(2022, 1, 1))])
    assert cpl.pathway("ESME-1", "ESME-6") == ("ESME-1", "ESME-2", "ESME-3", "ESME-6")
    assert cpl.pathway("ESME-1", "ESME-6", DAY) is None
    assert cpl.pathway("ESME-1", "ESME-6", date(2022, 1, 1)) is not None
    assert cpl.pathway("ESME-1", "ESME-1", DAY) == ("ESME-1",)


def test_bilingual_models_are_paired() -> None:
    other = entry("PPMID", 32, cpl_entry_id="TWO", smets="SMETS2+")
    pairs = Cpl([*ROWS, other]).bilingual()
    assert [(one.cpl_entry_id, two.cpl_entry_id) for one, two in pairs] == [
        ("PPMID-1", "TWO"),
        ("PPMID-2", "TWO"),
    ]
