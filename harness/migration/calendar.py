"""The days of a migration on a bench whose own first moment is another."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final

from device_profiles.cohort import Cohort
from emulator.core.clock import UtcMs, from_datetime, to_datetime
from harness.ports import Clock

#: First day of a migration unless told otherwise, 06:00 UTC: that of the worked traces.
#: Source: stand-in (migration.md 4.3 and 5.5).
FIRST_DAY: Final = date(2021, 3, 1)
_HOUR: Final = 6


def first_moment(cohort: Cohort) -> UtcMs:
    """Return when a migration of a cohort begins unless told otherwise: its release has begun."""
    starts = cohort.dates.starts
    day = FIRST_DAY if starts is None else max(FIRST_DAY, starts)
    return from_datetime(datetime.combine(day, time(_HOUR), UTC))


@dataclass(frozen=True, slots=True)
class Calendar:
    """A clock that shows the days of the migration and moves with the bench.

    Attributes:
        bench: The bench's clock.
        ahead_ms: What is added to its time, milliseconds; may be negative.
    """

    bench: Clock = field(repr=False)
    ahead_ms: int = 0

    @classmethod
    def starting(cls, bench: Clock, at: UtcMs) -> "Calendar":
        """Return a calendar that shows ``at`` now."""
        return cls(bench, at - bench.now())

    def now(self) -> UtcMs:
        """Return the present moment of the migration."""
        return self.shown(self.bench.now())

    async def sleep_until(self, at: UtcMs) -> None:
        """Wait until ``at``; returns at once when it has passed."""
        await self.bench.sleep_until(self.on_bench(at))

    def shown(self, at: UtcMs) -> UtcMs:
        """Return a moment of the bench as the calendar shows it."""
        return UtcMs(at + self.ahead_ms)

    def on_bench(self, at: UtcMs) -> UtcMs:
        """Return a moment of the calendar as the bench's clock has it."""
        return UtcMs(at - self.ahead_ms)

    def today(self) -> date:
        """Return the present day, UTC."""
        return to_datetime(self.now()).date()
