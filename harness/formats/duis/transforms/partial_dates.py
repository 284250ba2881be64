"""Dates with parts left open, times and days of the week, as DUIS spells them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

from harness.formats.duis import kinds
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.kinds import Simple
from harness.formats.duis.transforms.declared import Body, element, one_of

_DAY: Final = kinds.whole_number(1, 31)
_WEEKDAY: Final = kinds.whole_number(1, 7)
_MONTH: Final = kinds.whole_number(1, 12)
_YEAR: Final = kinds.whole_number(2014, 9999)
_ANY: Final = 0xFF
#: Days of a month counted from its end. Source: DLMS date, IEC 62056-6-2 [known].
_LAST: Final = 0xFE
_SECOND_LAST: Final = 0xFD
#: Names of the days of the week, in order.
WEEKDAYS: Final = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip


def _time(written: str) -> str:
    """Return an xs:time of UTC, whole seconds, as ``HH:MM:SS``."""
    try:
        at = dt.time.fromisoformat(" ".join(written.split()))
    except ValueError as error:
        raise DuisError(DuisFault.BAD_DATE_TIME, f"{written[:40]!r}: {error}") from error
    if at.microsecond or (at.tzinfo is not None and at.utcoffset()):
        raise DuisError(DuisFault.BAD_DATE_TIME, f"{written[:40]!r} is no whole second of UTC")
    return at.replace(tzinfo=None).isoformat()


#: xs:time in UTC, whole seconds; its value is ``HH:MM:SS``.
TIME: Final = Simple("time", _time, _time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsaid(Body):
    """A part of a date that is left open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Last(Body):
    """The last day of a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLast(Body):
    """The last day but one of a month."""


_Part = int | Unsaid


@dataclass(frozen=True, slots=True, kw_only=True)
class Year(Body):
    """A year, or any."""

    said: Annotated[_Part, one_of(("SpecifiedYear", _YEAR), ("NonSpecifiedYear", Unsaid))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Month(Body):
    """A month, or any."""

    said: Annotated[_Part, one_of(("SpecifiedMonth", _MONTH), ("NonSpecifiedMonth", Unsaid))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day(Body):
    """A day of the month, or any."""

    said: Annotated[
        _Part | Last | SecondLast,
        one_of(
            ("SpecifiedDayOfMonth", _DAY),
            ("LastDayOfMonth", Last),
            ("SecondLastDayOfMonth", SecondLast),
            ("NonSpecifiedDayOfMonth", Unsaid),
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class GasDay(Body):
    """A day of the month in a gas calendar, or any."""

    said: Annotated[
        _Part, one_of(("SpecifiedDayOfMonth", _DAY), ("GasNonSpecifiedDayOfMonth", Unsaid))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfWeek(Body):
    """A day of the week (1 is Monday), or any."""

    said: Annotated[
        _Part, one_of(("SpecifiedDayOfWeek", _WEEKDAY), ("NonSpecifiedDayOfWeek", Unsaid))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialDate(Body):
    """A date, parts of which may be left open."""

    year: Annotated[Year, element("Year", Year)]
    month: Annotated[Month, element("Month", Month)]
    day: Annotated[Day, element("DayOfMonth", Day)]
    weekday: Annotated[DayOfWeek, element("DayOfWeek", DayOfWeek)]

    @property
    def octets(self) -> bytes:
        """The date in the five octets of DLMS."""
        year = 0xFFFF if isinstance(self.year.said, Unsaid) else self.year.said
        day = _DAYS.get(type(self.day.said))
        return year.to_bytes(2, "big") + bytes(
            (
                _number(self.month.said),
                _number(self.day.said) if day is None else day,  # type: ignore[arg-type] # told apart by its type
                _number(self.weekday.said),
            )
        )


_DAYS: Final[Mapping[type, int]] = MappingProxyType(
    {Unsaid: _ANY, Last: _LAST, SecondLast: _SECOND_LAST}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GasDate(Body):
    """A date of a gas calendar, parts of which may be left open."""

    year: Annotated[Year, element("GasYearWithWildcards", Year)]
    month: Annotated[Month, element("GasMonthWithWildcards", Month)]
    day: Annotated[GasDay, element("GasDayOfMonthWithWildcards", GasDay)]
    weekday: Annotated[DayOfWeek, element("GasDayOfWeekWithWildcards", DayOfWeek)]

    @property
    def zcl(self) -> int:
        """The date as a ZCL date: year since 1900, month, day, day of the week.

        Source:
            Zigbee Cluster Library, type date [known]; the years 2014 to 2154.
        """
        year = _ANY if isinstance(self.year.said, Unsaid) else self.year.said - 1900
        if not 0 <= year <= _ANY:
            raise DuisError(DuisFault.BAD_NUMBER, f"a gas calendar has no year {year + 1900}")
        said = (self.month.said, self.day.said, self.weekday.said)
        return int.from_bytes(bytes((year, *map(_number, said))), "little")


def _number(said: _Part) -> int:
    return _ANY if isinstance(said, Unsaid) else said


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekday(Body):
    """A day of the week by name."""

    name: Annotated[str, element("DayOfWeekID", kinds.one_of("DayOfWeekID", frozenset(WEEKDAYS)))]

    @property
    def number(self) -> int:
        """0 for Monday."""
        return WEEKDAYS.index(self.name)
