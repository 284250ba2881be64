"""Which day of a calendar counts: dates that say all, some or nothing of themselves."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl.price import PublishPriceMatrix
from emulator.devices.calendars import DayTables, PartialDate, partial_date
from emulator.devices.gsme.model.kept_fields import KeptFields
from tests.sampling import examples

DAYS = st.dates(date(2000, 1, 1), date(2090, 12, 31))


class Tables(DayTables[PartialDate, int]):
    """Tables whose dates are read already."""

    def read_date(self, said: PartialDate) -> PartialDate:
        return said

    def week_without_season(self) -> int:
        return 0


def tables(seasons: Any = (), special: Any = ()) -> Tables:
    weeks = {0: (9,) * 7, 1: (1, 2, 3, 4, 5, 6, 7), 2: (20,) * 7}
    return Tables(seasons, weeks, special, {n: ((0, n),) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 20)})


def counts(made: Tables, day: date) -> int:
    [(_, value)] = made.switches_on(day)
    return value


@settings(max_examples=examples(50), deadline=None)
@given(DAYS)
def test_a_date_without_a_year_begins_every_year(day: date) -> None:
    begins = PartialDate(None, 3, 15).begins(day)
    assert begins is not None
    assert begins <= day < begins.replace(year=begins.year + 1)
    assert PartialDate(None, None, None).begins(day) == date(day.year, 1, 1)
    assert PartialDate(day.year + 1, 1, 1).begins(day) is None


@settings(max_examples=examples(50), deadline=None)
@given(DAYS, st.booleans(), st.booleans(), st.booleans())
def test_a_date_matches_whatever_it_leaves_out(day: date, y: bool, m: bool, d: bool) -> None:
    said = PartialDate(day.year if y else None, day.month if m else None, day.day if d else None)
    assert said.matches(day)
    assert not (d and said.matches(day + timedelta(days=1)))
    read = partial_date(said.year, day.month if m else 0xFF, day.day if d else 0xFF)
    assert read == said


@settings(max_examples=examples(50), deadline=None)
@given(DAYS)
def test_special_days_go_before_seasons_and_the_latest_season_counts(day: date) -> None:
    whole = PartialDate(day.year, day.month, day.day)
    spring, always = PartialDate(None, 3, 15), PartialDate(None, None, None)
    made = tables(seasons=((always, 1), (spring, 2)), special=((whole, 8),))
    assert counts(made, day) == 8
    made = tables(seasons=((always, 1), (spring, 2)))
    after = (day.month, day.day) >= (3, 15)
    assert counts(made, day) == (20 if after else day.weekday() + 1)
    assert counts(tables(), day) == 9
    assert tables(seasons=((always, 5),)).switches_on(day) == ()


def test_a_field_that_a_command_does_not_have_is_refused_when_the_table_is_made() -> None:
    with pytest.raises(ValueError, match="PublishPriceMatrix has no colour"):
        KeptFields(PublishPriceMatrix, dated=True, price="colour")
