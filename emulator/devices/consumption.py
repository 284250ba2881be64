"""One household's energy: a pure function of seed and time, less what interruptions took away.

Power is constant within a half hour of UTC; a day's energy is drawn once and shared out over its
half hours by a shape, so any register at any instant costs one look-up. Integers only.
"""

import enum
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.errors import IllegalEventError
from emulator.core.values import quick
from emulator.devices.saved import Saved, State

DAY_MS: Final = 86_400_000
HALF_HOUR_MS: Final = 1_800_000
HALF_HOURS: Final = 48
#: A watt for a millisecond is the unit of work here; so many make a watt-hour.
_WORK_PER_WH: Final = 3_600_000
#: Days whose half hours are kept, counted once for each kind.
_KEPT_DAYS: Final = 16
_MONDAY_OF_1970: Final = 3  # 1970-01-01 was a Thursday
#: Parts of a thousand: how much a household uses in each month of the year.
_SEASON: Final = (1250, 1200, 1100, 980, 900, 850, 840, 850, 900, 1000, 1120, 1230)
#: Days before each month of a common year, for the month of a day (leap days shift it by one).
_MONTH_STARTS: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_YEAR_DAYS_X4: Final = 1461


class Kind(enum.StrEnum):
    """What is metered."""

    IMPORT = "import"
    EXPORT = "export"
    REACTIVE_IMPORT = "reactive-import"
    REACTIVE_EXPORT = "reactive-export"
    GAS = "gas"  # its "Wh" are dm³, its "W" dm³ an hour


_PLACE: Final = {kind: place for place, kind in enumerate(Kind)}
_NOTHING_LOST: Final = (0,) * len(Kind)
_BY_SUN: Final = frozenset({Kind.EXPORT, Kind.REACTIVE_EXPORT})


def _spread(*spans: tuple[int, int]) -> tuple[int, ...]:
    """Return 48 weights from (half hours, weight) spans."""
    weights = tuple(weight for count, weight in spans for _ in range(count))
    if len(weights) != HALF_HOURS:
        raise ValueError(f"a shape has {HALF_HOURS} half hours, not {len(weights)}")
    return weights


#: Night, morning, day, evening, late. Source: invented (the usual two humps of a home).
_WEEKDAY: Final = _spread((12, 20), (2, 45), (4, 80), (14, 40), (10, 110), (4, 70), (2, 30))
_WEEKEND: Final = _spread((14, 22), (4, 60), (16, 75), (10, 100), (4, 60))
_SUN: Final = _spread((14, 0), (4, 20), (4, 60), (4, 90), (4, 60), (4, 20), (14, 0))


@quick
@dataclass(frozen=True, slots=True)
class Household:
    """How much a household uses.

    Attributes:
        import_wh: Active import of a middling day.
        export_wh: Active export of a middling day (a small solar array).
        reactive_percent: Reactive import beside 100 of active.
        gas_dm3: Gas of a middling day, in dm³.
        spread_percent: How far a day strays from the middle, each way.

    Source:
        invented, of the order of a GB home.
    """

    import_wh: int = 9_000
    export_wh: int = 2_000
    reactive_percent: int = 22
    gas_dm3: int = 4_000
    spread_percent: int = 30


class Consumption:
    """What a household has drawn and fed in since ``start``, at any instant.

    Registers stand at 0 at ``start``. An interruption is a span of time in which nothing flows;
    it has one or more causes (``switch``, ``power``) and ends when the last of them ends.

    Attributes:
        start: Midnight (UTC) at which registers stood at 0.
        household: How much it uses.

    Source:
        invented.
    """

    def __init__(
        self,
        seed: int,
        name: str,
        start: UtcMs,
        household: Household | None = None,
        *,
        kept_days: int = _KEPT_DAYS,
    ) -> None:
        """Begin at the midnight before ``start``; the half hours of ``kept_days`` are kept."""
        self.household = Household() if household is None else household
        self._seed, self._name, self._kept_days = seed, name, kept_days
        self._begin(UtcMs(start - start % DAY_MS))

    def _begin(self, start: UtcMs) -> None:
        self.start = start
        self._first_day = start // DAY_MS
        self._sums = {kind: array("Q", (0,)) for kind in Kind}
        #: Energy in Wh of a day before each half hour, and after the last.
        self._days: dict[tuple[Kind, int], array[int]] = {}
        self._causes: set[str] = set()
        self._from: list[int] = []
        self._to: list[int] = []
        #: Work lost in the closed interruptions before each one, in the order of ``Kind``.
        self._lost: list[tuple[int, ...]] = [_NOTHING_LOST]

    # -- what flows ----------------------------------------------------------------------------

    def energy_wh(self, kind: Kind, at: UtcMs) -> int:
        """Return a register at an instant: Wh or varh since ``start``, rounded down."""
        return self._work(kind, at) // _WORK_PER_WH

    def energy_between_wh(self, kind: Kind, since: UtcMs, until: UtcMs) -> int:
        """Return what a register counts between two instants: the difference of its readings.

        Within one day it comes of that day alone: whole days before it, of which there are hundreds
        in front of a home that was just built, cancel out.
        """
        (begin, lost_before), (end, lost) = self._stands(since), self._stands(until)
        day = begin // DAY_MS
        if day < self._first_day or not begin <= end <= (day + 1) * DAY_MS:
            return self.energy_wh(kind, until) - self.energy_wh(kind, since)
        place = _PLACE[kind]
        before = self._work_of_day(kind, day, begin) - lost_before[place]
        after = self._work_of_day(kind, day, end) - lost[place]
        return after // _WORK_PER_WH - before // _WORK_PER_WH

    def power_w(self, at: UtcMs, kind: Kind = Kind.IMPORT) -> int:
        """Return what flows at an instant, in W or var; 0 while interrupted."""
        if at < self.start or self.interrupted_at(at):
            return 0
        day, inside = divmod(at, DAY_MS)
        before = self._day(kind, day)
        half_hour = inside // HALF_HOUR_MS
        return 2 * (before[half_hour + 1] - before[half_hour])

    def demand_w(self, since: UtcMs, until: UtcMs, kind: Kind = Kind.IMPORT) -> int:
        """Return the mean power between two instants, rounded down.

        Raises:
            ValueError: ``until`` is not after ``since``.
        """
        if until <= since:
            raise ValueError("a mean needs time to pass")
        return (self._work(kind, until) - self._work(kind, since)) // (until - since)

    def half_hours_wh(self, kind: Kind, since: UtcMs, until: UtcMs) -> list[int]:
        """Return the energy in each half hour that touches the span.

        The first and the last count only from and up to the ends of the span, so that the sum is
        the register's difference over it.
        """
        edges = [since, *range((since // HALF_HOUR_MS + 1) * HALF_HOUR_MS, until, HALF_HOUR_MS)]
        readings = [self.energy_wh(kind, UtcMs(edge)) for edge in [*edges, until]]
        return [after - before for before, after in pairwise(readings)]

    def voltage_mv(self, at: UtcMs) -> int:
        """Return the supply voltage: 230 V give or take 4, another value each minute."""
        draw = Stream(self._seed, f"voltage/{self._name}/{at // 60_000}")
        return 226_000 + draw.below(8_001)

    def current_ma(self, at: UtcMs) -> int:
        """Return the current that power and voltage make."""
        return self.power_w(at) * 1_000_000 // self.voltage_mv(at)

    def most_w(self, since: UtcMs, until: UtcMs, kind: Kind = Kind.IMPORT) -> tuple[int, UtcMs]:
        """Return the greatest half-hour demand of a span and the end of that half hour.

        Only whole half hours count; without one, 0 at ``since``.
        """
        most, at = 0, since
        first = -(-since // HALF_HOUR_MS) * HALF_HOUR_MS
        for edge in range(first, until - HALF_HOUR_MS + 1, HALF_HOUR_MS):
            demand = self.demand_w(UtcMs(edge), UtcMs(edge + HALF_HOUR_MS), kind)
            if demand > most:
                most, at = demand, UtcMs(edge + HALF_HOUR_MS)
        return most, at

    # -- interruptions -------------------------------------------------------------------------

    def interrupt(self, cause: str, at: UtcMs) -> None:
        """Let nothing flow from ``at`` on, until this cause ends; a running cause goes on.

        Raises:
            IllegalEventError: ``at`` is before the last interruption ended.
        """
        if not self._causes:
            if self._to and at < self._to[-1]:
                raise IllegalEventError("an interruption cannot begin in the past")
            self._from.append(max(at, self.start))
        self._causes.add(cause)

    def restore(self, cause: str, at: UtcMs) -> None:
        """End one cause of interruption; energy flows again when it was the last."""
        if cause not in self._causes:
            return
        self._causes.discard(cause)
        if not self._causes:
            self._close(max(UtcMs(self._from[-1]), at))

    def _close(self, until: UtcMs) -> None:
        self._to.append(until)
        since = UtcMs(self._from[len(self._to) - 1])
        if until <= since:
            self._lost.append(self._lost[-1])
            return
        lost = (self._between(kind, since, until) for kind in Kind)
        self._lost.append(
            tuple(before + now for before, now in zip(self._lost[-1], lost, strict=True))
        )

    def _between(self, kind: Kind, since: UtcMs, until: UtcMs) -> int:
        """Return the work of a span; within one half hour no other day is asked."""
        half_hour = since // HALF_HOUR_MS
        if since < self.start or until // HALF_HOUR_MS != half_hour:
            return self._gross(kind, until) - self._gross(kind, since)
        day, number = divmod(half_hour, HALF_HOURS)
        before = self._day(kind, day)
        return 2 * (before[number + 1] - before[number]) * (until - since)

    def interrupted_at(self, at: UtcMs) -> bool:
        """Say whether nothing flows at an instant."""
        index = bisect_right(self._from, at) - 1
        return index >= 0 and (index >= len(self._to) or at < self._to[index])

    # -- the sums ------------------------------------------------------------------------------

    def _work(self, kind: Kind, at: UtcMs) -> int:
        """Return watt-milliseconds since ``start``, interruptions left out."""
        flowed, lost = self._stands(at)
        return self._gross(kind, flowed) - lost[_PLACE[kind]]

    def _stands(self, at: UtcMs) -> tuple[UtcMs, tuple[int, ...]]:
        """Return up to when energy flowed at an instant, and the work lost before."""
        index = bisect_right(self._from, at) - 1
        if index < 0:
            return at, _NOTHING_LOST
        if index < len(self._to) and at >= self._to[index]:
            return at, self._lost[index + 1]
        return UtcMs(self._from[index]), self._lost[index]

    def _gross(self, kind: Kind, at: UtcMs) -> int:
        if at <= self.start:
            return 0
        day, inside = divmod(at, DAY_MS)
        if not inside:  # midnight: what the day itself is like does not count yet
            return self._sum_before(kind, day) * _WORK_PER_WH
        return self._sum_before(kind, day) * _WORK_PER_WH + self._work_of_day(kind, day, at)

    def _work_of_day(self, kind: Kind, day: int, at: UtcMs) -> int:
        """Return the work from the midnight a day begins with to an instant of it or its end."""
        half_hour, rest = divmod(at - day * DAY_MS, HALF_HOUR_MS)
        before = self._day(kind, day)
        work = before[half_hour] * _WORK_PER_WH
        return work + 2 * (before[half_hour + 1] - before[half_hour]) * rest if rest else work

    def _sum_before(self, kind: Kind, day: int) -> int:
        """Return the Wh of all days before ``day``; sums are kept, days need not be."""
        sums = self._sums[kind]
        wanted = day - self._first_day
        if len(sums) <= wanted:
            rows = [self._sums[each] for each in Kind]
            for missing in range(self._first_day + len(sums) - 1, day):
                for row, total in zip(rows, self._totals(missing), strict=True):
                    row.append(row[-1] + total)
        return sums[wanted]

    def _totals(self, day: int) -> tuple[int, int, int, int, int]:
        """Return what a day comes to, in the order of ``Kind``."""
        draw = Stream(self._seed, f"consumption/{self._name}/{day}").octets(4)
        home, spread = self.household, self.household.spread_percent
        season = _SEASON[_month(day)]
        share = 100 - spread + 2 * spread * draw[0] // 255
        active = home.import_wh * season * share // 100_000
        cloud = 10 + 90 * draw[1] // 255
        exported = home.export_wh * (2_100 - season) * cloud // 60_000
        reactive = active * (home.reactive_percent - 5 + draw[2] % 11) // 100
        return (
            active,
            exported,
            max(reactive, 0),
            exported * (draw[3] % 8) // 100,
            home.gas_dm3 * max(4 * season - 3_000, 100) * share // 100_000,
        )

    def _day(self, kind: Kind, day: int) -> "array[int]":
        kept = self._days.get((kind, day))
        if kept is not None:
            return kept
        if len(self._days) >= self._kept_days:
            self._days.pop(next(iter(self._days)))
        jitter = Stream(self._seed, f"shape/{self._name}/{day}").octets(HALF_HOURS)
        if kind in _BY_SUN:
            weights = [weight * (64 + draw) for weight, draw in zip(_SUN, jitter, strict=True)]
        else:
            shape = _WEEKEND if (day + _MONDAY_OF_1970) % 7 >= 5 else _WEEKDAY
            weights = [weight * (128 + draw) for weight, draw in zip(shape, jitter, strict=True)]
        made = _shared(self._totals(day)[_PLACE[kind]], weights)
        self._days[kind, day] = made
        return made

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return what seed and name do not say: the start, and what was interrupted."""
        return {
            "start": self.start,
            "from": list(self._from),
            "to": list(self._to),
            "causes": [*sorted(self._causes)],
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state.

        Raises:
            IllegalEventError: It is not one that ``dump`` gives.
        """
        begins, ends = saved.number_list("from"), saved.number_list("to")
        causes = set(saved.texts("causes"))
        if len(begins) != len(ends) + bool(causes):
            raise IllegalEventError("interruptions begin and end in turn, the last by its causes")
        self._begin(saved.moment("start"))
        self._from = begins
        for end in ends:
            self._close(UtcMs(end))
        self._causes = causes


def _shared(total: int, weights: Sequence[int]) -> "array[int]":
    """Share ``total`` out by weights; return the sums before each share and after the last."""
    whole = sum(weights)
    sums, so_far = [0], 0
    for weight in weights:
        so_far += weight
        sums.append(total * so_far // whole)
    return array("Q", sums)


def _month(day: int) -> int:
    """Return the month (0 to 11) of a day since 1970, right to a day or two: it shapes a season."""
    of_year = (day * 4 % _YEAR_DAYS_X4) // 4
    return bisect_right(_MONTH_STARTS, of_year) - 1
