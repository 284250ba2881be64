"""DSP schedules (5.1 to 5.3): what is asked of a device again and again, and when next.

Source:
    Words and limits: DUIS 5.4 XSD; that a schedule whose first day has passed begins with its next
    day, and that a month without the day takes its last: inferred.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Self

from emulator.core.clock import UtcMs, from_datetime, to_datetime
from emulator.core.ids import Eui64
from harness.formats.duis import smets1_bodies
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.dcc_bodies import (
    SCHEDULED,
    CreateSchedule,
    Frequency,
    OtherBody,
    ScheduledLog,
    ScheduledRead,
)
from harness.formats.duis.requests import read_request

_DAYS: Final = {Frequency.DAILY: 1, Frequency.WEEKLY: 7}
_MONTHS: Final = {
    Frequency.MONTHLY: 1,
    Frequency.QUARTERLY: 3,
    Frequency.HALF_YEARLY: 6,
    Frequency.YEARLY: 12,
}
#: Most schedules of a device. Source: DUIS 5.4 XSD (DSPSchedulesRead).
MOST: Final = 99


@dataclass(slots=True)
class DspSchedule:
    """One schedule.

    Attributes:
        number: Its number.
        user: Whose it is.
        body: What was asked for.
        document: The request that made it.
        next_at: When the device is asked next; None: never again.
    """

    number: int
    user: Eui64
    body: CreateSchedule
    document: bytes
    next_at: UtcMs | None

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "number": self.number,
            "user": str(self.user),
            "document": self.document.hex(),
            "next_at": self.next_at,
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Self:
        """Return it from dumped values.

        Raises:
            TypeError: The document is of something else.
        """
        document = bytes.fromhex(state["document"])
        body = read_request(document).body
        if not isinstance(body, CreateSchedule):
            raise TypeError(type(body).__name__)
        return cls(state["number"], Eui64.parse(state["user"]), body, document, state["next_at"])


def moments(body: CreateSchedule) -> Iterator[UtcMs]:
    """Yield the moments of a schedule, from its first day to its last."""
    count = 0
    while True:
        day = _day(body, count)
        if body.end is not None and day > body.end:
            return
        midnight = from_datetime(datetime.combine(day, time(), UTC))
        yield UtcMs(midnight + (body.time or 0) * 1000)
        count += 1


def next_after(body: CreateSchedule, at: UtcMs) -> UtcMs | None:
    """Return the first moment of a schedule after another, or None where there is none."""
    return next((moment for moment in moments(body) if moment > at), None)


def _day(body: CreateSchedule, count: int) -> date:
    days = _DAYS.get(body.frequency)
    if days is not None:
        return body.start + timedelta(days=days * count)
    months = body.start.month - 1 + _MONTHS[body.frequency] * count
    year, month = body.start.year + months // 12, months % 12 + 1
    last = calendar.monthrange(year, month)[1]
    return date(year, month, min(body.start.day, last))


def variant_of(body: CreateSchedule) -> str:
    """Return the service reference variant that belongs to a schedule's command."""
    return SCHEDULED[body.command.element][0]


def asked_for(command: ScheduledRead | ScheduledLog, at: UtcMs) -> RequestBody:
    """Return what a device is asked when its schedule runs."""
    variant, _is_log = SCHEDULED[command.element]
    if isinstance(command, ScheduledLog):
        midnight = to_datetime(at).replace(hour=0, minute=0, second=0, microsecond=0)
        first = midnight + timedelta(days=command.first_day, seconds=command.first_time)
        last = midnight + timedelta(days=command.last_day, seconds=command.last_time)
        period = smets1_bodies.LogPeriod(from_datetime(first), from_datetime(last))
        return smets1_bodies.ReadActiveImportProfileData(period)
    if variant == "4.2":
        return smets1_bodies.ReadInstantaneousExportRegisters()
    return OtherBody(variant, command.element, b"")
