"""A meter's clock: twelve octets to a moment and back, with what the meter says about them."""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import date_time
from emulator.codecs.dlms.axdr import Data, Tag, octets
from emulator.codecs.dlms.date_time import DateTime
from emulator.core.clock import UtcMs, iso
from harness.dlms.values import NamedField, refuse

_NOT_SAID: Final = 0xFF


class ClockStatus(enum.IntFlag):
    """What a meter says of its clock.

    Source:
        IEC 62056-6-2 clock status (known); bits 4 to 6 are reserved.
    """

    INVALID = 0x01
    DOUBTFUL = 0x02
    OTHER_BASE = 0x04
    INVALID_STATUS = 0x08
    DAYLIGHT_SAVING = 0x80


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A moment as a meter tells it.

    Attributes:
        parts: The parts as they stand in the octets; None for what is not said.
        at: The moment in UTC; None where the parts name none.
    """

    parts: DateTime
    at: UtcMs | None

    @property
    def status(self) -> ClockStatus | None:
        """What the meter says of its clock; None where it says nothing."""
        return None if self.parts.status == _NOT_SAID else ClockStatus(self.parts.status)

    @property
    def is_trusted(self) -> bool:
        """Whether the moment is whole and the meter does not doubt it."""
        bad = ClockStatus.INVALID | ClockStatus.DOUBTFUL | ClockStatus.INVALID_STATUS
        return self.at is not None and not (self.status or ClockStatus(0)) & bad

    def fields(self) -> tuple[NamedField, ...]:
        """Return moment, deviation and status, for tables."""
        deviation, status = self.parts.deviation_min, self.status
        said = "not said" if deviation is None else str(deviation)
        return (
            NamedField("time", "none" if self.at is None else iso(self.at)),
            NamedField("deviation", said, "" if deviation is None else "min"),
            NamedField("status", _words(status)),
        )


def _words(status: ClockStatus | None) -> str:
    if status is None:
        return "not said"
    known = [
        flag.name.lower().replace("_", " ") for flag in ClockStatus if flag & status and flag.name
    ]
    reserved = int(status) & ~sum(ClockStatus)
    return ", ".join([*known, *([f"reserved bits {reserved:02x}"] if reserved else [])]) or "good"


def clock_of(data: Data, zone_min: int = 0) -> ClockReading:
    """Read a clock's time, or the time stamp of a row.

    Args:
        data: Twelve octets, as octet-string or date-time.
        zone_min: Deviation from UTC where the octets say none (attribute 3 of the clock).

    Raises:
        MalformedFrameError: It is something else.
    """
    if data.tag not in {Tag.OCTETS, Tag.DATE_TIME} or not isinstance(data.value, bytes):
        refuse(data, f"twelve octets of date-time are due, not {data.tag.name}")
    parts = date_time.decode(data.value)
    return ClockReading(parts, parts.moment(zone_min))


def clock_data(at: UtcMs, deviation_min: int = 0, status: int = 0) -> Data:
    """Return a moment as a clock's time is written.

    Raises:
        ValueError: The deviation is more than twelve hours.
    """
    return octets(date_time.encode(date_time.of_moment(at, deviation_min, status)))


def offset_ms(reading: ClockReading, now: UtcMs) -> int | None:
    """Return how far a clock is ahead of ``now``, in milliseconds; None where it says no moment."""
    return None if reading.at is None else reading.at - now
