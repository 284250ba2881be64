"""Which day of a ZCL calendar a moment is in, and what counts then."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from emulator.core.clock import UtcMs, to_datetime
from emulator.devices.consumption import DAY_MS
from emulator.devices.gsme.model.store import Store

_MINUTE_MS: Final = 60_000
_UNSAID: Final = 0xFF
_FIRST_YEAR: Final = 1900


@dataclass(frozen=True)
class Calendar:
    """One calendar, read from its tables.

    Attributes:
        days: Day identifier -> (millisecond of the day, value), rising.
        weeks: Week identifier -> seven day identifiers, Monday first.
        seasons: (ZCL date, week identifier).
        special_days: (ZCL date, day identifier).
    """

    days: dict[int, tuple[tuple[int, int], ...]]
    weeks: dict[int, tuple[int, ...]]
    seasons: tuple[tuple[int, int], ...]
    special_days: tuple[tuple[int, int], ...]

    def switches(self, day_start: UtcMs) -> tuple[tuple[UtcMs, int], ...]:
        """Return (moment, value from then on) of the day that begins at ``day_start``."""
        entries = self.days.get(self._day_id(to_datetime(day_start).date()), ())
        return tuple([(UtcMs(day_start + at), value) for at, value in entries])

    def value_at(self, at: UtcMs) -> int | None:
        """Return the value that counts at a moment; None where no day covers it."""
        day_start = UtcMs(at - at % DAY_MS)
        past = [value for since, value in self.switches(day_start) if since <= at]
        if not past:
            past = [value for _, value in self.switches(UtcMs(day_start - DAY_MS))]
        return past[-1] if past else None

    def next_switch(self, at: UtcMs) -> UtcMs:
        """Return when the value may change next: a later switch of the day, or midnight."""
        day_start = UtcMs(at - at % DAY_MS)
        later = [since for since, _ in self.switches(day_start) if since > at]
        return later[0] if later else UtcMs(day_start + DAY_MS)

    def _day_id(self, day: date) -> int:
        for said, day_id in self.special_days:
            if _matches(said, day):
                return day_id
        week = self.weeks.get(self._week_id(day), ())
        return week[day.weekday()] if len(week) == 7 else -1

    def _week_id(self, day: date) -> int:
        """Return the week of the season that began last."""
        latest, week = None, -1
        for said, week_id in self.seasons:
            begins = _began(said, day)
            if begins is not None and (latest is None or begins >= latest):
                latest, week = begins, week_id
        return week


def read_calendar(store: Store, name: str) -> Calendar:
    """Return the calendar ``tariff`` or ``friendly`` as it is in force."""
    days: dict[int, list[tuple[int, int]]] = {}
    for day, minute, value in store.rows(f"{name}_days"):
        days.setdefault(day, []).append((minute * _MINUTE_MS, value))
    return Calendar(
        {day: tuple(sorted(entries)) for day, entries in days.items()},
        {week: tuple(each) for week, *each in store.rows(f"{name}_weeks")},
        tuple([(on, week) for on, week in store.rows(f"{name}_seasons")]),
        tuple([(on, day) for on, day in store.rows(f"{name}_special_days")]),
    )


def _parts(said: int) -> tuple[int, int, int]:
    year, month, day, _ = said.to_bytes(4, "little")
    return year, month, day


def _matches(said: int, day: date) -> bool:
    wanted = (day.year - _FIRST_YEAR, day.month, day.day)
    return all(part in (_UNSAID, real) for part, real in zip(_parts(said), wanted, strict=True))


def _began(said: int, day: date) -> date | None:
    """Return when a season last began before the end of ``day``."""
    year, month, of_month = _parts(said)
    years = (day.year, day.year - 1) if year == _UNSAID else (year + _FIRST_YEAR,)
    for each in years:
        try:
            begins = date(each, 1 if month == _UNSAID else month, _first(of_month))
        except ValueError:
            continue
        if begins <= day:
            return begins
    return None


def _first(of_month: int) -> int:
    return 1 if of_month == _UNSAID else of_month
