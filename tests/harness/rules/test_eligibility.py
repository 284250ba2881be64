"""MA110 with its dates, excluded categories, the early-firmware predicate, dormant priority."""

import itertools
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_profiles.cohort import cohort_names
from device_profiles.cpl import Cpl
from device_profiles.dmc import Combination, Dmc, DmcList
from device_profiles.epcl import Epcl, EpclEntry
from device_profiles.words import CplStatus, InstallationClass
from harness.rules.eligibility import (
    EarlyUpdateFacts,
    EligibilityFacts,
    Instructor,
    Lists,
    dormant_first,
    early_update_checks,
    eligibility_checks,
    is_tested,
    migrating,
)
from harness.rules.migration_capacity import Demand, allocate
from harness.rules.outcomes import Outcome, Result
from tests.harness.rules.rule_witnesses import (
    CHF,
    DAY,
    ESME,
    GSME,
    PPMID,
    WHOLE,
    book,
    cohort,
    judge,
    lists,
)


def ask(rule: str, facts: EligibilityFacts, using: Lists | None = None) -> Outcome:
    checks = eligibility_checks(book(), using or lists())
    return judge(facts.day).ask(rule, checks[rule], facts)


def eligible(
    key: str = "EA", day: date = DAY, combination: Combination | None = WHOLE
) -> EligibilityFacts:
    return EligibilityFacts(cohort(key), day, combination, "SMETS1")


@pytest.mark.parametrize("key", [key for key in cohort_names() if key != "EC"])
def test_the_shipped_combination_may_migrate_in_every_cohort(key: str) -> None:
    combination = migrating(WHOLE, cohort(key), lists().cpl)
    told = ask("MA110", eligible(key, date(2022, 3, 1), combination))
    assert told.result is Result.PASSED


@pytest.mark.parametrize(
    ("day", "result"),
    [
        (date(2022, 1, 31), Result.SKIPPED),
        (date(2022, 2, 1), Result.REJECTED),
    ],
)
def test_ma110_holds_for_secure_from_february_2022(day: date, result: Result) -> None:
    assert ask("MA110", eligible("DA", day, Combination(CHF, ESME, ESME))).result is result


@pytest.mark.parametrize(
    ("combination", "day", "sub_code"),
    [
        (None, DAY, "X-05"),
        (Combination(CHF, ESME, ESME), DAY, "X-01"),
        (WHOLE, date(2020, 12, 12), "X-02"),
    ],
)
def test_ma110_says_why_in_its_sub_code(
    combination: Combination | None, day: date, sub_code: str
) -> None:
    told = ask("MA110", eligible("EA", day, combination))
    assert (told.code, told.sub_code) == ("MA110", sub_code)


def test_ma110_tells_another_provider_and_a_removed_entry_apart() -> None:
    entry = lists().epcl.entries["SYN-EPCL-EA-DUAL-PPMID"]
    gone = entry.model_copy(update={"removed_on": date(2021, 2, 1)})
    using = replace(lists(), epcl=Epcl([gone], lists().cpl))
    assert ask("MA110", eligible(), using).sub_code == "X-03"
    elsewhere = replace(eligible(), csp="Another provider")
    assert ask("MA110", elsewhere, using).sub_code == "X-04"


def test_ma110_names_the_nearest_entry_and_the_update_that_leads_there() -> None:
    older = (
        lists()
        .cpl.entries[ESME]
        .model_copy(update={"cpl_entry_id": "OLD", "firmware_version": "0FFFFFFF"})
    )
    newer = lists().cpl.entries[ESME].model_copy(update={"upgrade_from": ("OLD",)})
    entries = {**lists().cpl.entries, "OLD": older, ESME: newer}
    cpl = Cpl(entries.values())
    told = ask(
        "MA110",
        eligible(combination=Combination(CHF, "OLD", GSME, (PPMID,))),
        Lists(cpl, lists().epcl, lists().dmcs),
    )
    assert "nearest is SYN-EPCL-EA-DUAL-PPMID, which differs: ESME OLD" in told.text
    assert told.repair == f"update before migration: ESME: OLD to {ESME}"
    assert told.subject == ("ESMECplEntry",)


def test_new_entries_change_who_may_migrate_and_nothing_else() -> None:
    odd = Combination(CHF, ESME, GSME, (PPMID, PPMID))
    before = ask("MA110", eligible(combination=odd))
    entry = (
        lists()
        .epcl.entries["SYN-EPCL-EA-DUAL-PPMID"]
        .model_copy(
            update={"epcl_id": "LATE", "ppmid": (PPMID, PPMID), "added_on": date(2021, 2, 28)}
        )
    )
    rows: list[EpclEntry] = [*lists().epcl.entries.values(), entry]
    later = replace(lists(), epcl=Epcl(rows, lists().cpl))
    assert before.rejected
    assert ask("MA110", eligible(combination=odd), later).result is Result.PASSED
    assert ask("MA110", eligible(), later) == ask("MA110", eligible())


def test_a_device_that_is_not_active_on_the_cpl_is_refused() -> None:
    cpl = lists().cpl.with_status(GSME, CplStatus.WITHDRAWN)
    told = ask("CPL", eligible(), replace(lists(), cpl=cpl))
    assert (told.sub_code, told.subject) == ("02", ("GSMECplEntry",))
    assert ask("CPL", eligible(combination=None)).result is Result.SKIPPED


def test_secure_leaves_third_party_ppmids_behind_and_others_do_not() -> None:
    assert migrating(WHOLE, cohort("DA"), lists().cpl).ppmids == ()
    assert migrating(WHOLE, cohort("EA"), lists().cpl) == WHOLE
    unknown = replace(WHOLE, chf="NOWHERE")
    assert migrating(unknown, cohort("DA"), lists().cpl) == unknown


@pytest.mark.parametrize("row", book().exclusions, ids=lambda row: row.category)
def test_each_excluded_category_is_reported_as_itself(row: object) -> None:
    category = next(one for one in book().exclusions if one is row)
    told = ask("18", replace(eligible(), exclusions=frozenset({category.category})))
    if category.blocks == "gsme":
        assert (told.code, told.result) == ("GT01", Result.WARNED)
    else:
        assert (told.code, told.sub_code) == ("X-18", category.sub_code)
        assert told.rejected
    assert f"excluded category {category.number}" in told.text


def test_a_category_of_the_whole_home_comes_before_that_of_its_gas_meter() -> None:
    both = frozenset({"gas_han_failure", "contract_ended"})
    assert ask("18", replace(eligible(), exclusions=both)).sub_code == "07"


def test_five_failed_attempts_exclude_and_four_do_not() -> None:
    failed = ("X-H4-7D", "01")
    assert not ask("18", replace(eligible(), failures=(failed,) * 4)).code
    assert ask("18", replace(eligible(), failures=(failed,) * 5)).sub_code == "04"
    not_counted = (("X-5.9.5", "01"), ("X-5.9.10", "01")) * 9
    assert not ask("18", replace(eligible(), failures=not_counted)).code


TESTED, EQUIVALENT = "SYN-DMC-EB-DUAL-PPMID", "SYN-DMC-EB-DUAL"
EARLY_DAY = date(2021, 4, 20)


def early(**changes: object) -> EarlyUpdateFacts:
    values = {
        "installation_class": InstallationClass.DORMANT,
        "meter_dormant": True,
        "instructor": Instructor.DCC,
        "dmc": lists().dmcs.entries[TESTED],
        "group_id": "EB",
        "csp": "SMETS1",
        "day": EARLY_DAY,
    }
    return EarlyUpdateFacts(**{**values, **changes})  # type: ignore[arg-type]  # a table of values


def early_outcome(facts: EarlyUpdateFacts, using: Lists | None = None) -> Outcome:
    checks = early_update_checks(book(), using or lists())
    return judge(facts.day).ask("4.26", checks["4.26"], facts)


@pytest.mark.parametrize(
    ("dormant", "mt", "dmct", "equivalent_mt", "equivalent_dmct"),
    list(itertools.product((False, True), repeat=5)),
)
def test_the_early_update_predicate_is_that_of_migration_md_7_3(
    dormant: bool, mt: bool, dmct: bool, equivalent_mt: bool, equivalent_dmct: bool
) -> None:
    day = date(2021, 4, 1)
    base = (
        lists()
        .dmcs.entries[TESTED]
        .model_copy(
            update={
                "mt_complete_on": day if equivalent_mt else None,
                "dmct_report_on": day if equivalent_dmct else None,
            }
        )
    )
    mine = (
        lists()
        .dmcs.entries[EQUIVALENT]
        .model_copy(
            update={"mt_complete_on": day if mt else None, "dmct_report_on": day if dmct else None}
        )
    )
    dmcs = DmcList([base, mine], lists().cpl)
    using = replace(lists(), dmcs=dmcs)
    told = early_outcome(early(dmc=mine, meter_dormant=dormant), using)
    allowed = dormant and (mt or dmct or equivalent_mt or equivalent_dmct)
    assert (told.result is Result.PASSED) == allowed
    alone = mine.model_copy(update={"equivalent_of": None})
    told = early_outcome(early(dmc=alone, meter_dormant=dormant), using)
    assert (told.result is Result.PASSED) == (dormant and (mt or dmct))


@pytest.mark.parametrize(
    ("changes", "sub_code"),
    [
        ({"installation_class": InstallationClass.ACTIVE}, "01"),
        ({"installation_class": InstallationClass.MIXED, "meter_dormant": False}, "01"),
        ({"dmc": None}, "03"),
        ({"instructor": Instructor.SMSO}, "04"),
        ({"instructor": Instructor.SUPPLIER}, "04"),
        ({"day": date(2021, 4, 14)}, "02"),
        ({"day": date(2020, 9, 17)}, "06"),
    ],
)
def test_an_early_update_is_refused_for_its_own_reason(
    changes: dict[str, object], sub_code: str
) -> None:
    assert early_outcome(early(**changes)).sub_code == sub_code


def test_the_dormant_device_of_a_mixed_installation_may_be_updated_early() -> None:
    told = early_outcome(early(installation_class=InstallationClass.MIXED))
    assert told.result is Result.PASSED


def test_an_entry_on_the_epcl_ends_the_early_path() -> None:
    told = early_outcome(early(day=date(2021, 5, 1)))
    assert told.result is Result.SKIPPED
    assert "ordinary rules" in told.text


def test_an_early_update_opens_no_migration_before_the_entry() -> None:
    assert early_outcome(early()).result is Result.PASSED
    assert ask("MA110", eligible("EB", EARLY_DAY)).sub_code == "X-02"
    assert ask("MA110", eligible("EB", date(2021, 5, 1))).result is Result.PASSED


def test_tests_count_from_the_day_they_were_complete() -> None:
    row: Dmc = lists().dmcs.entries[EQUIVALENT]
    assert not is_tested(lists().dmcs, row, date(2021, 4, 14))
    assert is_tested(lists().dmcs, row, date(2021, 4, 15))


def test_dormant_and_mixed_installations_come_before_active_ones_in_their_order() -> None:
    classes = [
        (InstallationClass.ACTIVE, 1),
        (InstallationClass.DORMANT, 2),
        (InstallationClass.ACTIVE, 3),
        (InstallationClass.MIXED, 4),
    ]
    ordered = sorted(classes, key=lambda one: dormant_first(one[0]))
    assert [number for _, number in ordered] == [2, 4, 1, 3]


def test_the_worked_allocation_comes_out_as_written() -> None:
    found = allocate(Demand(300, {"A": 900, "B": 60, "C": 200}), 1000, 100)
    assert (found.dormant, dict(found.active)) == (300, {"A": 491, "B": 60, "C": 149})
    assert found.total == 1000


DEMANDS = st.builds(
    Demand, st.integers(0, 500), st.dictionaries(st.sampled_from("ABCDEF"), st.integers(0, 400))
)


@given(DEMANDS, st.integers(0, 2000), st.integers(0, 120))
def test_an_allocation_keeps_its_invariants(demand: Demand, capacity: int, dmin: int) -> None:
    found = allocate(demand, capacity, dmin)
    assert found.total <= capacity
    assert found.dormant == min(demand.dormant, capacity)
    assert set(found.active) == set(demand.active)
    assert all(0 <= found.active[s] <= wanted for s, wanted in demand.active.items())
    flat = {s: min(wanted, dmin) for s, wanted in demand.active.items()}
    if sum(flat.values()) <= capacity - found.dormant:
        assert all(found.active[s] >= flat[s] for s in flat)
    wanted = demand.dormant + sum(demand.active.values())
    assert found.total == min(capacity, wanted) or sum(flat.values()) > capacity - found.dormant
    assert found.total <= wanted


def test_scarce_capacity_is_dealt_in_turns() -> None:
    found = allocate(Demand(0, {"A": 100, "B": 2, "C": 100}), 11, 100)
    assert dict(found.active) == {"A": 5, "B": 2, "C": 4}
    with pytest.raises(ValueError, match="not negative"):
        allocate(Demand(-1, {}), 1, 1)
