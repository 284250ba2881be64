"""When a profile captures: at round times of the meter's own clock, while the meter has power.

Rows are computed, not stored: a stretch of time in which the clock ran evenly says all of its rows.
Setting the clock or losing power ends a stretch; so a clock put forward leaves a gap, one put back
repeats times, and a power loss leaves rows out, as in a meter.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from emulator.core.clock import UtcMs, from_datetime, to_datetime
from emulator.core.values import quick
from emulator.devices.saved import Json, Saved, State

_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Capture:
    """One row of a profile.

    Attributes:
        at: The true instant.
        shown: What the meter's clock showed then, in UTC.
    """

    at: UtcMs
    shown: UtcMs


class Cadence(Protocol):
    """Which times of the clock are captured."""

    def ordinal(self, shown: UtcMs) -> int:
        """Return how many times to be captured there are up to ``shown``, it included."""
        ...

    def moment(self, ordinal: int) -> UtcMs:
        """Return the time of that ordinal."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """Whole multiples of a period."""

    period_ms: int

    def ordinal(self, shown: UtcMs) -> int:
        """Return the multiples up to ``shown``."""
        return shown // self.period_ms

    def moment(self, ordinal: int) -> UtcMs:
        """Return a multiple."""
        return UtcMs(ordinal * self.period_ms)


class Monthly:
    """The first midnight of each month."""

    def ordinal(self, shown: UtcMs) -> int:
        """Return the months that began up to ``shown``."""
        when = to_datetime(shown)
        return when.year * 12 + when.month - 1

    def moment(self, ordinal: int) -> UtcMs:
        """Return the beginning of a month."""
        return from_datetime(datetime(ordinal // 12, ordinal % 12 + 1, 1, tzinfo=UTC))


@quick
@dataclass(frozen=True, slots=True)
class _Stretch:
    """A span in which the clock ran evenly: after ``since``, up to ``until``."""

    since: UtcMs
    shown: UtcMs
    ppm: int
    until: UtcMs | None

    def shows(self, at: UtcMs) -> UtcMs:
        passed = at - self.since
        return UtcMs(self.shown + passed + passed * self.ppm // _MILLION)

    def when(self, shown: UtcMs) -> UtcMs:
        """Return the first true instant at which the clock shows ``shown``."""
        guess = self.since + (shown - self.shown) * _MILLION // (_MILLION + self.ppm)
        while self.shows(UtcMs(guess)) < shown:
            guess += 1
        while self.shows(UtcMs(guess - 1)) >= shown:
            guess -= 1
        return UtcMs(guess)


class Captures:
    """The rows of one profile at any instant, the latest ``limit`` of them.

    Attributes:
        limit: Rows the profile holds.
    """

    def __init__(self, cadence: Cadence, limit: int, since: UtcMs) -> None:
        """Begin at ``since`` with a clock that is right."""
        self.limit = limit
        self._cadence = cadence
        self._stretches = [_Stretch(since, since, 0, None)]
        self._extra: list[Capture] = []

    def run(self, shown: UtcMs, ppm: int, at: UtcMs) -> None:
        """Go on under a clock that shows ``shown`` at ``at`` and drifts by ``ppm``."""
        self.stop(at)
        self._stretches.append(_Stretch(at, shown, ppm, None))
        self._drop_old(at)

    def stop(self, at: UtcMs) -> None:
        """Capture nothing from now on, until the next ``run``."""
        last = self._stretches[-1]
        if last.until is None:
            self._stretches[-1] = _Stretch(last.since, last.shown, last.ppm, at)

    def capture(self, row: Capture) -> None:
        """Add a row beside the round times."""
        self._extra.append(row)

    def reset(self, at: UtcMs) -> None:
        """Forget every row; what runs goes on."""
        last = self._stretches[-1]
        self._stretches = [replace(last, since=at, shown=last.shows(at))]
        self._extra = []

    def _drop_old(self, at: UtcMs) -> None:
        while len(self._stretches) > 2 and self._total(self._stretches[1:], at) >= self.limit:
            del self._stretches[0]
        self._extra = self._extra[-self.limit :]

    def _span(self, stretch: _Stretch, at: UtcMs) -> tuple[int, int]:
        """Return the ordinals of a stretch's rows up to ``at``: first, and after the last."""
        end = at if stretch.until is None else UtcMs(min(at, stretch.until))
        first = self._cadence.ordinal(stretch.shown) + 1
        return first, max(self._cadence.ordinal(stretch.shows(end)) + 1, first)

    def _total(self, stretches: list[_Stretch], at: UtcMs) -> int:
        spans = [self._span(stretch, at) for stretch in stretches]
        return sum(after - first for first, after in spans)

    def count(self, at: UtcMs) -> int:
        """Return how many rows the profile holds at an instant."""
        return min(self._total(self._stretches, at) + len(self._extra), self.limit)

    def rows(self, at: UtcMs) -> list[Capture]:
        """Return the rows held at an instant, oldest first."""
        latest: list[Capture] = []
        for row in self._backwards(at):
            latest.append(row)
            if len(latest) == self.limit:
                break
        latest.reverse()
        if not self._extra:
            return latest
        times = [row.at for row in latest]
        for row in self._extra:
            index = bisect_left(times, row.at + 1)
            times.insert(index, row.at)
            latest.insert(index, row)
        return latest[-self.limit :]

    def _backwards(self, at: UtcMs) -> Iterator[Capture]:
        for stretch in reversed(self._stretches):
            first, after = self._span(stretch, at)
            for ordinal in range(after - 1, first - 1, -1):
                shown = self._cadence.moment(ordinal)
                yield Capture(stretch.when(shown), shown)

    # -- dump and load -------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the stretches and the extra rows."""
        stretches: list[Json] = [
            {"since": each.since, "shown": each.shown, "ppm": each.ppm, "until": each.until}
            for each in self._stretches
        ]
        extra: list[Json] = [{"at": row.at, "shown": row.shown} for row in self._extra]
        return {"stretches": stretches, "extra": extra}

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self._stretches = [
            _Stretch(
                row.moment("since"),
                row.moment("shown"),
                row.number("ppm"),
                row.optional_moment("until"),
            )
            for row in saved.rows("stretches")
        ]
        self._extra = [
            Capture(row.moment("at"), row.moment("shown")) for row in saved.rows("extra")
        ]
