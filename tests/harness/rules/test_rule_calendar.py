"""Days: the TMAD's end, releases, closure, weeks, and the seven days of waiting."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from device_profiles.cohort import cohort_names
from harness.rules.migration_calendar import (
    CONTACT_CHECKS,
    MS_A_DAY,
    ContactFacts,
    FileDayFacts,
    calendar_checks,
    migration_week,
    tmad_on,
)
from harness.rules.outcomes import Outcome, Result
from tests.harness.rules.rule_witnesses import book, cohort, judge, with_dates


def ask(rule: str, facts: FileDayFacts, **switches: frozenset[str]) -> Outcome:
    return judge(facts.day, **switches).ask(rule, calendar_checks(book())[rule], facts)


@pytest.mark.parametrize(
    ("day", "version", "expires"),
    [
        (date(2018, 10, 11), None, None),
        (date(2020, 7, 24), "6.0", date(2020, 12, 31)),
        (date(2020, 9, 17), "6.0", date(2020, 12, 31)),
        (date(2020, 9, 18), "7.0", date(2020, 12, 31)),
        (date(2020, 12, 21), "9.0", date(2021, 12, 31)),
        (date(2023, 6, 1), "2024-03", date(2024, 3, 31)),
        (date(2024, 12, 31), "2024-12", date(2024, 12, 31)),
    ],
)
def test_each_day_knows_its_tmad_and_its_end(
    day: date, version: str | None, expires: date | None
) -> None:
    found = tmad_on(book(), day)
    assert (None if found is None else found.version) == version
    assert (None if found is None else found.expires_on) == expires


@pytest.mark.parametrize(
    ("day", "sub_code"),
    [
        (date(2018, 10, 11), "02"),
        (date(2020, 12, 31), ""),
        (date(2024, 12, 31), ""),
        (date(2025, 1, 1), "01"),
    ],
)
def test_a_run_after_the_end_needs_an_explicit_override(day: date, sub_code: str) -> None:
    facts = FileDayFacts(cohort("DA"), day)
    assert ask("1.3", facts).sub_code == sub_code
    told = ask("1.3", facts, overridden=frozenset({"1.3"}))
    assert not told.rejected


def test_only_ec_is_refused_with_its_own_reason() -> None:
    for key in cohort_names():
        told = ask("GROUP", FileDayFacts(cohort(key), date(2021, 6, 1)))
        assert told.rejected == (key == "EC")
    refused = ask("GROUP", FileDayFacts(cohort("EC"), date(2021, 6, 1)))
    assert refused.evidence == "source:S001 §5"
    assert "MAM v3.0" in refused.text


@pytest.mark.parametrize(
    ("key", "day", "sub_code"),
    [
        ("EA", date(2020, 12, 12), "01"),
        ("EA", date(2020, 12, 13), ""),
        ("EB", date(2020, 12, 13), "01"),
        ("EB", date(2021, 5, 1), ""),
        ("EC", date(2024, 1, 1), "02"),
    ],
)
def test_a_cohort_is_planned_from_its_release_on(key: str, day: date, sub_code: str) -> None:
    assert ask("RELEASE", FileDayFacts(cohort(key), day)).sub_code == sub_code


def test_a_closed_requesting_party_takes_no_file_from_that_day() -> None:
    closed = with_dates("EA", requesting_party_closed=date(2023, 5, 1))
    assert ask("RP", FileDayFacts(closed, date(2023, 4, 30))).result is Result.PASSED
    assert ask("RP", FileDayFacts(closed, date(2023, 5, 1))).rejected
    assert ask("RP", FileDayFacts(cohort("EA"), date(2024, 1, 1))).result is Result.PASSED


def test_migration_weeks_run_from_monday_to_sunday() -> None:
    assert migration_week(date(2021, 3, 1)) == "2021-W09"
    assert migration_week(date(2021, 3, 7)) == "2021-W09"
    assert migration_week(date(2021, 3, 8)) == "2021-W10"
    assert migration_week(date(2021, 1, 3)) == "2020-W53"


@pytest.mark.parametrize("key", ["IOC", "MDS", "DA", "EA", "EB"])
def test_a_file_in_the_next_week_passes_where_migrations_run_over_days(key: str) -> None:
    sunday = date(2021, 6, 6)
    facts = FileDayFacts(cohort(key), sunday, sunday)
    assert ask("4.15", facts).result is Result.PASSED
    later = replace(facts, day=sunday + timedelta(days=1))
    assert ask("4.15", later).rejected != cohort(key).cohort.multi_day
    assert ask("4.15", replace(facts, started=None)).result is Result.SKIPPED


def test_a_file_of_a_week_before_its_mcf_is_refused_everywhere() -> None:
    facts = FileDayFacts(cohort("EA"), date(2021, 3, 1), date(2021, 3, 8))
    assert ask("4.15", facts).rejected


@pytest.mark.parametrize("days", [1, 7])
@pytest.mark.parametrize(
    ("heard", "now", "result"),
    [
        (-1, 0, Result.PASSED),
        (0, 0, Result.REJECTED),
        (None, -1, Result.SKIPPED),
        (None, 0, Result.REJECTED),
    ],
)
def test_contact_wins_to_the_last_millisecond_and_loses_at_the_deadline(
    days: int, heard: int | None, now: int, result: Result
) -> None:
    deadline = 1_000 + days * MS_A_DAY
    facts = ContactFacts(1_000, None if heard is None else deadline + heard, deadline + now, days)
    assert facts.deadline_ms == deadline
    assert judge().ask("H4", CONTACT_CHECKS["H4"], facts).result is result
