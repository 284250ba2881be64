"""Time of use: which rate counts when, and how a register's energy divides among the rates.

A rate's share is made of whole watt-hours of the total register between two switching times, so
the rates add up to the total at every instant.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from emulator.core.clock import UtcMs, to_datetime
from emulator.core.errors import IllegalEventError
from emulator.core.values import quick
from emulator.devices.consumption import DAY_MS
from emulator.devices.saved import Json, Saved

#: Rates a meter has, numbered from 1. Source: serial-dlms.md 8.2 (registers 1.8.1 to 1.8.48).
MAX_RATES: Final = 48

#: Days from one kept sum to the next.
_KEEP_EVERY: Final = 16

#: A total register at an instant, in Wh.
Register = Callable[[UtcMs], int]
#: What it counts from one instant to another, in Wh.
Between = Callable[[UtcMs, UtcMs], int]


@quick
@dataclass(frozen=True, slots=True)
class SwitchingTable:
    """Which rate counts at each time of a day, in UTC.

    Attributes:
        days: Schedules: (milliseconds of the day, rate), first at 0, rising.
        weeks: For each week profile an index into ``days`` for Monday to Sunday.
        seasons: (month x 100 + day, index into ``weeks``), rising; each lasts until the next, the
            last one over the turn of the year.
        special: (year x 10,000 + month x 100 + day, index into ``days``); year 0 is every year.
    """

    days: tuple[tuple[tuple[int, int], ...], ...]
    weeks: tuple[tuple[int, ...], ...]
    seasons: tuple[tuple[int, int], ...] = ((101, 0),)
    special: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        used = [
            *(index for _, index in self.special),
            *(day for week in self.weeks for day in week),
        ]
        if any(len(week) != 7 for week in self.weeks) or not _within(used, self.days):
            raise ValueError("a week has seven days, each with a schedule of this table")
        if not self.seasons or not _within([week for _, week in self.seasons], self.weeks):
            raise ValueError("a year has seasons, each with a week of this table")
        for schedule in self.days:
            times = [time for time, _ in schedule]
            rising = sorted(set(times)) == times and times[:1] == [0] and times[-1] < DAY_MS
            if not rising or any(not 1 <= rate <= MAX_RATES for _, rate in schedule):
                raise ValueError(f"a day's schedule begins at 0 and rises: {schedule!r}")

    @property
    def only_rate(self) -> int | None:
        """The rate that counts at all times; None where several do."""
        rates = {rate for schedule in self.days for _time, rate in schedule}
        return next(iter(rates)) if len(rates) == 1 else None

    def schedule(self, day: int) -> tuple[tuple[int, int], ...]:
        """Return the schedule of a day since 1970."""
        when = to_datetime(UtcMs(day * DAY_MS))
        of_year = when.month * 100 + when.day
        special = dict(self.special)
        index = special.get(when.year * 10_000 + of_year, special.get(of_year))
        if index is None:
            begun = [week for start, week in self.seasons if start <= of_year]
            week = begun[-1] if begun else self.seasons[-1][1]
            index = self.weeks[week][when.weekday()]
        return self.days[index]

    def rate_at(self, at: UtcMs) -> int:
        """Return the rate that counts at an instant."""
        day, inside = divmod(at, DAY_MS)
        schedule = self.schedule(day)
        return schedule[bisect_right([time for time, _ in schedule], inside) - 1][1]

    def edges(self, day: int) -> Iterator[tuple[UtcMs, UtcMs, int]]:
        """Yield begin, end and rate of each part of a day."""
        schedule = self.schedule(day)
        ends = [*(time for time, _ in schedule[1:]), DAY_MS]
        for (begin, rate), end in zip(schedule, ends, strict=True):
            yield UtcMs(day * DAY_MS + begin), UtcMs(day * DAY_MS + end), rate


def _within(indexes: Iterable[int], items: Sequence[object]) -> bool:
    return all(0 <= index < len(items) for index in indexes)


#: One rate day and night.
FLAT: Final = SwitchingTable((((0, 1),),), ((0,) * 7,))


@dataclass(slots=True)
class _Era:
    """A span of time under one table; the sums before every 16th of its days are kept."""

    since: UtcMs
    table: SwitchingTable
    sums: list[Counter[int]] = field(default_factory=lambda: [Counter()])
    #: The day asked about last, and the sum before it.
    recent: tuple[int, Counter[int]] | None = None


class Rates:
    """The rates of one register, under the tables that were ever in force.

    Sums of days that are over are kept, so nobody may ask about a day before it is over and then
    let its consumption be interrupted: time runs forward.

    Attributes:
        register: The total, which the rates divide.
    """

    def __init__(
        self,
        register: Register,
        start: UtcMs,
        table: SwitchingTable = FLAT,
        between: Between | None = None,
    ) -> None:
        self.register = register
        self._between = between or (lambda since, to: register(to) - register(since))
        self._eras = [_Era(start, table)]
        #: The eras as they look to who counts from a later moment than the start.
        self._later: dict[UtcMs, list[_Era]] = {}

    @property
    def table(self) -> SwitchingTable:
        """The table in force."""
        return self._eras[-1].table

    def switch_table(self, table: SwitchingTable, at: UtcMs) -> None:
        """Put another table in force.

        Raises:
            IllegalEventError: ``at`` is before the present table came into force.
        """
        if at < self._eras[-1].since:
            raise IllegalEventError("a table cannot come into force in the past")
        self._eras.append(_Era(at, table))
        self._later.clear()

    def rate_at(self, at: UtcMs) -> int:
        """Return the rate that counts at an instant."""
        index = bisect_right([era.since for era in self._eras], at) - 1
        return self._eras[max(index, 0)].table.rate_at(at)

    def split_wh(self, at: UtcMs) -> Counter[int]:
        """Return the energy by rate since the start; rates that never counted are left out."""
        return self._split(self._eras, at)

    def used_wh(self, since: UtcMs, at: UtcMs) -> Counter[int]:
        """Return the energy by rate between two moments; what was before them is not looked at."""
        if since not in self._later:
            self._later.clear()
            ends = [*(era.since for era in self._eras[1:]), None]
            self._later[since] = [
                _Era(UtcMs(max(era.since, since)), era.table)
                for era, end in zip(self._eras, ends, strict=True)
                if end is None or end > since
            ]
        return self._split(self._later[since], at)

    def _split(self, eras: Sequence[_Era], at: UtcMs) -> Counter[int]:
        total: Counter[int] = Counter()
        for era, following in zip(eras, [*eras[1:], None], strict=True):
            if era.since >= at:
                break
            end = at if following is None else UtcMs(min(at, following.since))
            total.update(self._in_era(era, end))
        return total

    def _in_era(self, era: _Era, end: UtcMs) -> Counter[int]:
        """Return the energy by rate from the era's beginning to ``end``."""
        first, last = era.since // DAY_MS, end // DAY_MS
        kept = (last - first) // _KEEP_EVERY
        while len(era.sums) <= kept:
            day = first + (len(era.sums) - 1) * _KEEP_EVERY
            era.sums.append(era.sums[-1] + self._of_days(era, day, day + _KEEP_EVERY))
        if era.recent is None or era.recent[0] != last:
            begun = first + kept * _KEEP_EVERY
            era.recent = (last, era.sums[kept] + self._of_days(era, begun, last))
        return era.recent[1] + self._of_day(era, last, end)

    def _of_days(self, era: _Era, first: int, after: int) -> Counter[int]:
        total: Counter[int] = Counter()
        only = era.table.only_rate
        if only is not None:  # one rate all day, every day: the days between cancel out
            since, to = UtcMs(max(first * DAY_MS, era.since)), UtcMs(after * DAY_MS)
            if since < to:
                total[only] = self.register(to) - self.register(since)
            return total
        for day in range(first, after):
            total.update(self._of_day(era, day, UtcMs((day + 1) * DAY_MS)))
        return total

    def _of_day(self, era: _Era, day: int, until: UtcMs) -> Counter[int]:
        found: Counter[int] = Counter()
        for begin, end, rate in era.table.edges(day):
            since, to = max(begin, era.since), min(end, until)
            if since < to:
                found[rate] += self._between(UtcMs(since), UtcMs(to))
        return found

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> Json:
        """Return the tables and since when each was in force."""
        return [
            {
                "since": era.since,
                "days": [_text(day) for day in era.table.days],
                "weeks": [" ".join(str(day) for day in week) for week in era.table.weeks],
                "seasons": _text(era.table.seasons),
                "special": _text(era.table.special),
            }
            for era in self._eras
        ]

    def load(self, rows: list[Saved]) -> None:
        """Take over dumped tables.

        Raises:
            IllegalEventError: They are not what ``dump`` gives.
        """
        if not rows:
            raise IllegalEventError("a meter has a switching table")
        self._eras = [_Era(row.moment("since"), _table(row)) for row in rows]
        self._later.clear()


def _table(row: Saved) -> SwitchingTable:
    days = tuple(_pairs(text) for text in row.texts("days"))
    weeks = tuple(tuple(int(day) for day in text.split()) for text in row.texts("weeks"))
    return SwitchingTable(days, weeks, _pairs(row.text("seasons")), _pairs(row.text("special")))


def _text(pairs: Iterable[tuple[int, int]]) -> str:
    return " ".join(f"{left}={right}" for left, right in pairs)


def _pairs(text: str) -> tuple[tuple[int, int], ...]:
    parts = [pair.partition("=") for pair in text.split()]
    return tuple((int(left), int(right)) for left, _, right in parts)
