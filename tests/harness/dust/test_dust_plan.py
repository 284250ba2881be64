"""Plans: the MSM's worked check and invariants, days, weeks, carried demand, and the picture."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from lxml import etree

from harness.dust.closing import run_days
from harness.dust.definition import Definition
from harness.dust.definition_homes import homes
from harness.dust.plan import Plan, plan
from harness.dust.plan_picture import MAX_ROWS, draw
from harness.rules.migration_capacity import REMAINDERS, Demand, allocate
from tests.harness.dust.definitions_given import given
from tests.sampling import examples

SUPPLIERS = st.dictionaries(st.sampled_from("ABCDEFG"), st.integers(0, 2000), max_size=7)


def _plan(definition: Definition) -> Plan:
    return plan(definition, homes(definition), run_days(definition))


def test_the_worked_check_of_the_msm() -> None:
    found = allocate(Demand(300, {"A": 900, "B": 60, "C": 200}), 1000, 100)
    assert (found.dormant, found.active) == (300, {"A": 491, "B": 60, "C": 149})
    assert found.total == 1000


@pytest.mark.parametrize("remainder", sorted(REMAINDERS))
@settings(max_examples=examples(300), deadline=None)
@drawn(
    dormant=st.integers(0, 3000),
    active=SUPPLIERS,
    capacity=st.integers(0, 4000),
    dmin=st.integers(0, 300),
)
def test_whatever_the_rule_for_the_rest_the_invariants_hold(
    remainder: str, dormant: int, active: dict[str, int], capacity: int, dmin: int
) -> None:
    found = allocate(Demand(dormant, active), capacity, dmin, remainder)
    assert found.total <= capacity
    assert found.dormant == min(dormant, capacity)  # never starved by active ones
    assert all(0 <= found.active[who] <= wanted for who, wanted in active.items())
    least = {who: min(wanted, dmin) for who, wanted in active.items()}
    if found.dormant + sum(least.values()) <= capacity:
        assert all(found.active[who] >= least[who] for who in active)
    assert found.total == min(capacity, dormant + sum(active.values()))  # nothing lies idle


def test_a_rule_for_the_rest_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        allocate(Demand(0, {"A": 5}), 3, 1, "by-lot")


def test_what_a_day_cannot_take_is_asked_for_on_the_next(tmp_path: Path) -> None:
    more = '[capacity]\nper_day = 4\nother_demand = {dormant = 1, "SUPPLIER-B" = 2}\ndays = 4\n'
    found = _plan(given(tmp_path, more))
    first = {one.who: (one.demand, one.allocated) for one in found.days[0].shares}
    # dormant: the Mixed home and one of others; the two suppliers in turn get what is left
    assert first == {"dormant": (2, 2), "Example Supplier": (5, 1), "SUPPLIER-B": (2, 1)}
    for before, after in zip(found.days, found.days[1:], strict=False):
        new = {"dormant": 1, "Example Supplier": 0, "SUPPLIER-B": 2}
        for earlier, later in zip(before.shares, after.shares, strict=True):
            assert later.demand == earlier.carried + new[earlier.who]
    assert found.days[0].starts[0] == "mixed-001"  # dormant first
    assert all(one.total <= 4 for one in found.days)
    starts = [ref for day in found.days for ref in day.starts]
    assert len(starts) + len(found.unplanned) == 6
    assert len(set(starts)) == len(starts)


def test_homes_without_a_day_are_named(tmp_path: Path) -> None:
    found = _plan(given(tmp_path, "[capacity]\nper_day = 1\ndays = 2\n"))
    assert len(found.unplanned) == 4
    assert "4 homes have no day" in found.remarks[0]


def test_a_migration_counts_to_the_week_it_started_in(tmp_path: Path) -> None:
    run = "as_of = 2021-06-14"  # a Monday; the last one starts on Monday the 7th
    found = _plan(given(tmp_path, "[capacity]\nper_day = 2\ndays = 3\n", cohort="EA", run=run))
    assert [one.day for one in found.days] == [date(2021, 6, d) for d in (5, 6, 7)]
    assert [one.week for one in found.days] == ["2021-W22", "2021-W22", "2021-W23"]
    home = found.homes[0]
    assert (home.week, home.ends_by) == ("2021-W22", date(2021, 6, 12))
    assert found.days[2].under_way == 4


def test_a_home_that_changes_its_supplier_keeps_its_day(tmp_path: Path) -> None:
    found = _plan(given(tmp_path, '[[change_of_supplier]]\nrefs = ["dual-002"]\n'))
    changing = {one.ref: one.changes_to for one in found.homes if one.changes_to}
    assert list(changing) == ["dual-002"]
    assert found.day_of("dual-002") == found.day_of("dual-001")


def test_the_flat_allocation_is_the_rules_own_unless_it_is_given(tmp_path: Path) -> None:
    assert _plan(given(tmp_path)).dmin == 100
    assert _plan(given(tmp_path, "[capacity]\ndmin = 7\n")).dmin == 7


def test_the_picture_shows_every_share_and_fetches_nothing(tmp_path: Path) -> None:
    more = '[capacity]\nper_day = 3\nother_demand = {"B & <Co>" = 2}\n'
    found = _plan(given(tmp_path, more))
    text = draw(found)
    root = etree.fromstring(text.encode())
    assert not re.search(r"(href|src|url)\s*=|https?://(?!www\.w3\.org/2000/svg)|<script", text)
    titles = {one.text for one in root.iter("{*}title")}
    for day in found.days:
        for share in day.shares:
            told = f"{day.day}, {share.who}: {share.allocated} of {share.demand}"
            assert (told in titles) is bool(share.allocated)
    drawn_homes = [one for one in titles if one and one.startswith(("dual", "mixed"))]
    assert len(drawn_homes) == 4
    fills = {one.get("fill") for one in root.iter("{*}rect")}
    assert {"url(#f0)", "url(#f1)", "url(#f2)"} <= fills
    assert draw(found) == text


def test_a_picture_of_many_homes_says_how_many_are_left_out(tmp_path: Path) -> None:
    sets = '[[devices]]\nname = "many"\ncount = 230\nshape = "ESME-only"\n'
    found = _plan(given(tmp_path, "[capacity]\nper_day = 300\n", sets=sets))
    assert f"and {230 - MAX_ROWS} more homes" in draw(found)
