"""Calendars of meters: the day table that counts on a day, by special days, seasons and weeks.

DLMS and ZCL write dates in octets of their own; a date may leave out its year, month or day.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Generic, TypeVar

#: How a date is written: octets in DLMS, a number in ZCL.
Said = TypeVar("Said")
#: Name of a week, likewise.
Week = TypeVar("Week")
_DAYS_OF_WEEK: Final = 7
#: Octet of a part of a date that is not said.
UNSAID: Final = 0xFF


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date of which parts may be unsaid.

    Attributes:
        year: The year, or None for any.
        month: 1 to 12 where it is one, or None for any.
        day: Day of the month, or None for any.
    """

    year: int | None
    month: int | None
    day: int | None

    def matches(self, day: date) -> bool:
        """Say whether a day is one of those meant."""
        said = (self.year, self.month, self.day)
        real = (day.year, day.month, day.day)
        return all(part in (None, wanted) for part, wanted in zip(said, real, strict=True))

    def begins(self, day: date) -> date | None:
        """Return when what begins at this date last began before the end of ``day``."""
        years = (day.year, day.year - 1) if self.year is None else (self.year,)
        for each in years:
            try:
                begins = date(
                    each,
                    1 if self.month is None else self.month,
                    1 if self.day is None else self.day,
                )
            except ValueError:
                continue
            if begins <= day:
                return begins
        return None


def partial_date(year: int | None, month: int, day: int) -> PartialDate:
    """Return a date from its year and its octets of month and day."""
    return PartialDate(year, None if month == UNSAID else month, None if day == UNSAID else day)


@dataclass(frozen=True)
class DayTables(ABC, Generic[Said, Week]):
    """Which day table counts when.

    Attributes:
        seasons: (date it begins at, its week).
        weeks: Week -> seven day ids, Monday first.
        special_days: (date, day id).
        days: Day id -> (milliseconds of the day, what counts from then on), rising.
    """

    seasons: tuple[tuple[Said, Week], ...]
    weeks: Mapping[Week, tuple[int, ...]]
    special_days: tuple[tuple[Said, int], ...]
    days: Mapping[int, tuple[tuple[int, int], ...]]

    @abstractmethod
    def read_date(self, said: Said) -> PartialDate:
        """Return a date as it is meant."""

    @abstractmethod
    def week_without_season(self) -> Week:
        """Return the week that counts before any season has begun."""

    def switches_on(self, day: date) -> tuple[tuple[int, int], ...]:
        """Return (milliseconds of the day, what counts from then on); empty where nothing does."""
        return self.days.get(self._day_id(day), ())

    def _day_id(self, day: date) -> int:
        for said, day_id in self.special_days:
            if self.read_date(said).matches(day):
                return day_id
        week = self.weeks.get(self._week(day), ())
        return week[day.weekday()] if len(week) == _DAYS_OF_WEEK else -1

    def _week(self, day: date) -> Week:
        """Return the week of the season that began last; of two on one day, the later row's."""
        latest, week = None, self.week_without_season()
        for said, name in self.seasons:
            begins = self.read_date(said).begins(day)
            if begins is not None and (latest is None or begins >= latest):
                latest, week = begins, name
        return week
