"""Days of a run: Table 17.6, its override, and what stock is for (R-141, R-142)."""

from datetime import date
from pathlib import Path

import pytest

from device_profiles.cohort import cohort_names, load_cohort
from harness.dust.closing import migration_days, run_days, window_of
from harness.dust.definition_homes import homes, stock_of
from harness.dust.stock_file import Stock, StockHome
from harness.errors import UsageError
from harness.migration.states import State
from harness.rules.migration_rulebook import load_rule_book
from tests.harness.dust.definitions_given import given

END = date(2023, 1, 31)


def test_left_to_itself_a_run_is_of_the_cohort_s_last_open_day(tmp_path: Path) -> None:
    found = run_days(given(tmp_path))
    assert (found.as_of, found.is_default) == (END, True)
    assert found.migration[-1] == END
    assert len(found.migration) == 5
    assert "2023-01-31" in found.header()
    assert "Table 17.6" in found.header()


def test_a_cohort_without_an_end_is_open_until_the_tmad_ceases(tmp_path: Path) -> None:
    found = run_days(given(tmp_path, cohort="EA"))
    assert found.as_of == date(2024, 12, 30)
    assert "TMAD 1.3" in found.header()


def test_hubs_that_may_be_waited_for_are_settled_by_the_last_day(tmp_path: Path) -> None:
    days = migration_days(given(tmp_path, cohort="EA"), date(2021, 6, 30))
    assert days[-1] == date(2021, 6, 23)


@pytest.mark.parametrize("key", [one for one in cohort_names() if one != "EC"])
def test_the_default_days_of_every_cohort_are_open(tmp_path: Path, key: str) -> None:
    found = run_days(given(tmp_path, cohort=key))
    assert not found.historical
    window = window_of(load_cohort(key), load_rule_book())
    assert window.first is not None
    assert window.first <= found.migration[0] <= found.as_of == window.last


def test_the_day_after_the_end_is_refused_and_the_end_itself_is_not(tmp_path: Path) -> None:
    assert run_days(given(tmp_path, run="as_of = 2023-01-31")).as_of == END
    with pytest.raises(UsageError) as caught:
        run_days(given(tmp_path, run="as_of = 2023-02-01"))
    told = " ".join(caught.value.lines())
    for word in ("MTAD Table 17.6", "2023-01-31", "2023-02-01", "from_stock", "dust stock"):
        assert word in told


def test_before_the_cohort_s_release_is_refused_likewise(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        run_days(given(tmp_path, run="as_of = 2020-07-25"))  # its first day is the 21st
    told = " ".join(caught.value.lines())
    for word in ("2020-07-24", "2020-07-21", "--historical"):
        assert word in told
    assert run_days(given(tmp_path, run="as_of = 2020-07-28")).migration[0] == date(2020, 7, 24)


def test_the_override_is_explicit_and_told_in_the_header(tmp_path: Path) -> None:
    early = given(tmp_path, run="as_of = 2020-07-25")
    found = run_days(early, historical=True)
    assert found.historical
    assert "historical" in found.header()
    assert any("2020-07-24" in one for one in found.remarks)


def test_no_override_puts_new_devices_into_a_closed_cohort(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="dual, split, elec, mixed would be enrolled"):
        run_days(given(tmp_path, run="as_of = 2023-02-01"), historical=True)


def test_homes_of_the_stock_are_told_to_migrate_once_more(tmp_path: Path) -> None:
    _stock(tmp_path, date(2022, 6, 1))
    definition = given(tmp_path, run='stock = "stock.json"\nas_of = 2023-06-01', sets=STOCKED)
    (told,) = run_days(definition, stock=stock_of(definition)).remarks
    assert "dual are of the stock: they migrated on 2022-06-01" in told


def test_the_override_changes_nothing_within_the_days(tmp_path: Path) -> None:
    assert run_days(given(tmp_path), historical=True) == run_days(given(tmp_path))


STOCKED = """
[[devices]]
name = "dual"
count = 3
from_stock = true
"""


def _stock(folder: Path, day: date, *, state: State = State.MIGRATED) -> None:
    made = [one for one in homes(given(folder)) if one.ref.startswith("dual")]
    kept = tuple(
        StockHome(set="dual", enrolled_on=day, state=state, run="T-0", installation=one)
        for one in made
    )
    (folder / "stock.json").write_bytes(Stock(cohort="DA", homes=kept).render())


def test_a_closed_cohort_s_stock_stays_usable_without_an_override(tmp_path: Path) -> None:
    _stock(tmp_path, date(2022, 6, 1))
    late = 'stock = "stock.json"\nas_of = 2023-06-01'
    definition = given(tmp_path, run=late, sets=STOCKED)
    assert not run_days(definition, stock=stock_of(definition)).historical
    assert [one.ref for one in homes(definition)] == ["dual-001", "dual-002", "dual-003"]


def test_one_new_device_beside_the_stock_is_refused(tmp_path: Path) -> None:
    _stock(tmp_path, date(2022, 6, 1))
    late = 'stock = "stock.json"\nas_of = 2023-06-01'
    more = '[[devices]]\nname = "fresh"\n'
    definition = given(tmp_path, run=late, sets=STOCKED + more)
    with pytest.raises(UsageError, match=r"Table 17\.6"):
        run_days(definition, stock=stock_of(definition))


def test_homes_enrolled_after_the_closure_are_no_stock(tmp_path: Path) -> None:
    _stock(tmp_path, date(2023, 3, 1))
    late = 'stock = "stock.json"\nas_of = 2023-06-01'
    definition = given(tmp_path, run=late, sets=STOCKED)
    with pytest.raises(UsageError, match=r"Table 17\.6"):
        run_days(definition, stock=stock_of(definition))


def test_homes_that_were_not_migrated_are_no_stock(tmp_path: Path) -> None:
    _stock(tmp_path, date(2022, 6, 1), state=State.STRANDED)
    definition = given(tmp_path, run='stock = "stock.json"', sets=STOCKED)
    with pytest.raises(UsageError, match="0 migrated homes"):
        homes(definition)


def test_a_file_that_is_no_stock_is_told_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "stock.json").write_text('{"form": "smetsbench stock 9", "cohort": "DA"}')
    definition = given(tmp_path, run='stock = "stock.json"', sets=STOCKED)
    with pytest.raises(UsageError, match="smetsbench stock 1"):
        homes(definition)
