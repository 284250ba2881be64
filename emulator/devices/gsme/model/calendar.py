"""Which day of a ZCL calendar a moment is in, and what counts then."""

from dataclasses import dataclass
from typing import Final

from emulator.core.clock import UtcMs, to_datetime
from emulator.devices.calendars import UNSAID, DayTables, PartialDate, partial_date
from emulator.devices.consumption import DAY_MS
from emulator.devices.gsme.model.store import Store

_MINUTE_MS: Final = 60_000
_FIRST_YEAR: Final = 1900


@dataclass(frozen=True)
class Calendar(DayTables[int, int]):
    """One calendar, read from its tables."""

    def switches(self, day_start: UtcMs) -> tuple[tuple[UtcMs, int], ...]:
        """Return (moment, value from then on) of the day that begins at ``day_start``."""
        entries = self.switches_on(to_datetime(day_start).date())
        return tuple([(UtcMs(day_start + at), value) for at, value in entries])

    def read_date(self, said: int) -> PartialDate:
        """Return a ZCL date as it is meant."""
        year, month, day, _ = said.to_bytes(4, "little")
        return partial_date(None if year == UNSAID else year + _FIRST_YEAR, month, day)

    def week_without_season(self) -> int:
        """Return a number that no week has."""
        return -1

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


def read_calendar(store: Store, name: str) -> Calendar:
    """Return the calendar ``tariff`` or ``friendly`` as it is in force."""
    days: dict[int, list[tuple[int, int]]] = {}
    for day, minute, value in store.rows(f"{name}_days"):
        days.setdefault(day, []).append((minute * _MINUTE_MS, value))
    return Calendar(
        tuple([(on, week) for on, week in store.rows(f"{name}_seasons")]),
        {week: tuple(each) for week, *each in store.rows(f"{name}_weeks")},
        tuple([(on, day) for on, day in store.rows(f"{name}_special_days")]),
        {day: tuple(sorted(entries)) for day, entries in days.items()},
    )
