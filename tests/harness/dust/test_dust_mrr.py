"""Daily and weekly figures follow from histories; whatever does not is said."""

import csv
import io
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.dust import mrr
from harness.dust.record import DustRecord
from harness.migration.record import InstallationRecord
from harness.migration.states import State
from tests.harness.dust import dust_sample
from tests.sampling import examples

RECORD = dust_sample.record()


def rows(octets: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(octets.decode())))


def every(record: DustRecord, kind: str) -> list[dict[str, str]]:
    made = mrr.tables(record)
    return [row for name, octets in made.items() if kind in name for row in rows(octets)]


def changed(record: DustRecord, number: int, **more: Any) -> DustRecord:
    """The record with something else in one installation."""
    homes = [InstallationRecord.restore(one.dump()) for one in record.installations]
    for name, value in more.items():
        setattr(homes[number], name, value)
    return replace(record, installations=tuple(homes))


def test_days_and_weeks_count_the_same() -> None:
    counted = [*mrr._STEPS, *mrr._STATES, "resubmitted"]
    daily, weekly = Counter[str](), Counter[str]()
    for total, kind in ((daily, "daily"), (weekly, "weekly")):
        for row in every(RECORD, kind):
            total.update({name: int(row[name]) for name in counted})
    assert daily == weekly
    assert daily["migrated"] == sum(one.state is State.MIGRATED for one in RECORD.installations)
    assert (daily["rejected"], daily["stranded"], daily["rolled_back"]) == (4, 4, 4)
    assert daily["planned"] == len(RECORD.installations)


def test_every_state_but_the_first_has_its_column() -> None:
    assert {*mrr._STATES.values()} == {*State} - {State.PLANNED}


def test_every_row_is_marked_and_named() -> None:
    told = every(RECORD, "daily")
    assert {row["evidence"] for row in told} == {"stand-in"}
    assert {row["supplier"] for row in told} == {"Example Supplier", "SUPPLIER-B"}
    assert {row["requesting_party"] for row in told} == {"SMSO-BG"}


def test_what_waits_for_its_hub_grows_older_and_then_strands() -> None:
    made = mrr.tables(RECORD)
    ages = [
        (row["period"], row["awaiting_chf"], row["awaiting_chf_oldest_days"], row["stranded"])
        for name in sorted(made)
        if "daily" in name
        for row in rows(made[name])
        if row["supplier"] == "Example Supplier"
    ]
    assert ages[4] == ("2023-01-27", "4", "3", "0")
    assert ages[-1] == ("2023-02-03", "0", "", "1")


def test_codes_and_causes_are_split() -> None:
    week = next(row for row in every(RECORD, "weekly-2023-W04") if row["rejected"] != "0")
    assert week["rejected_by_code"] == "MA110=4"
    later = next(row for row in every(RECORD, "weekly-2023-W05") if row["stranded"] != "0")
    assert later["stranded_by_cause"] == "NoCHFComms=4"


def test_a_sound_record_reconciles_with_what_was_written(tmp_path: Path) -> None:
    names = mrr.write(tmp_path, RECORD)
    written = {name: (tmp_path / name).read_bytes() for name in names}
    assert mrr.reconcile_mrr(RECORD, written) == ()


def test_one_state_moved_is_noticed() -> None:
    said = mrr.reconcile_mrr(changed(RECORD, 0, state=State.VIABLE))
    assert "home-0001: stands in Viable, by its history in Migrated" in said
    assert "Migrated: 38 by histories, 37 by records" in said


def test_a_cause_without_a_stranding_is_noticed() -> None:
    assert mrr.reconcile_mrr(changed(RECORD, 7, stranded_cause=None))


def test_a_table_that_says_something_else_is_noticed() -> None:
    made = mrr.tables(RECORD)
    name = next(iter(made))
    row = made[name].decode().splitlines()[1]
    other = row.replace(",10,", ",11,", 1)
    assert other != row
    altered = made[name].replace(row.encode(), other.encode())
    said = mrr.reconcile_mrr(RECORD, made | {name: altered})
    assert said == (f"{name}, line 2: planned is 11, by histories 10",)


def test_a_missing_and_an_added_table_are_noticed() -> None:
    made = mrr.tables(RECORD)
    name = next(iter(made))
    without = {one: octets for one, octets in made.items() if one != name}
    assert mrr.reconcile_mrr(RECORD, without) == (f"{name}: missing",)
    more = made | {"mrr/daily-1999-01-01.csv": b"x\n"}
    assert mrr.reconcile_mrr(RECORD, more) == ("mrr/daily-1999-01-01.csv: of no day of this run",)


def test_a_day_that_gives_more_than_it_has_is_noticed() -> None:
    day = replace(RECORD.days[0], capacity=1)
    said = mrr.reconcile_mrr(replace(RECORD, days=(day, *RECORD.days[1:])))
    assert said == ("2023-01-23: 17 places given, 1 there are",)


@settings(max_examples=examples(200), deadline=None)
@given(st.data())
def test_any_line_of_a_history_moved_or_lost_is_noticed(data: st.DataObject) -> None:
    record = dust_sample.record(12)
    made = mrr.tables(record)
    number = data.draw(st.integers(0, 11))
    home = InstallationRecord.restore(record.installations[number].dump())
    moves = [at for at, line in enumerate(home.history) if line.state]
    at = data.draw(st.sampled_from(moves))
    if data.draw(st.booleans()):
        del home.history[at]
    else:
        line = home.history[at]
        other = data.draw(st.sampled_from([one for one in State if one.value != line.state]))
        home.history[at] = replace(line, state=other.value)
    homes = [*record.installations]
    homes[number] = home
    assert mrr.reconcile_mrr(replace(record, installations=tuple(homes)), made)
