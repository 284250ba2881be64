"""COSEM date-time: twelve octets of local time, with its deviation from UTC and the clock's status.

Any part may be left unsaid; only a whole one names a moment.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from emulator.codecs.common import Reader
from emulator.core.clock import UtcMs, from_datetime, to_datetime
from emulator.core.values import quick

LAYER: Final = "dlms.date_time"
SIZE_BYTES: Final = 12
_UNSAID: Final = 0xFF
_YEAR_UNSAID: Final = 0xFFFF
_DEVIATION_UNSAID: Final = -0x8000
_MINUTE_MS: Final = 60_000
#: Greatest deviation from UTC, in minutes.
MAX_DEVIATION_MIN: Final = 720
#: Status bit of a clock that shows daylight saving time.
DAYLIGHT_SAVING: Final = 0x80
#: Every part left unsaid: an open end, or "not defined".
UNDEFINED: Final = b"\xff" * 9 + b"\x80\x00\xff"


@quick
@dataclass(frozen=True, slots=True)
class DateTime:
    """A date-time as it stands in its octets; None for what is not said.

    Attributes:
        year: 16 bits.
        month: 1 to 12; 0xFD and 0xFE stand for changes of daylight saving.
        day: 1 to 31; 0xFD and 0xFE count from the end of the month.
        weekday: 1 (Monday) to 7.
        hour: 0 to 23.
        minute: 0 to 59.
        second: 0 to 59.
        hundredths: 0 to 99.
        deviation_min: What is to be added to this local time to make UTC, in minutes.
        status: Clock status octet; 0xFF is "not said" there, too.
    """

    year: int | None
    month: int | None
    day: int | None
    weekday: int | None
    hour: int | None
    minute: int | None
    second: int | None
    hundredths: int | None
    deviation_min: int | None
    status: int

    @property
    def is_undefined(self) -> bool:
        """Nothing of date and time of day is said."""
        parts = (self.year, self.month, self.day, self.hour, self.minute, self.second)
        return all(part is None for part in parts)

    def moment(self, deviation_min: int = 0) -> UtcMs | None:
        """Return the moment it names, in UTC, or None where it names none.

        Args:
            deviation_min: Deviation where it says none.
        """
        if self.year is None or self.month is None or self.day is None:
            return None
        if self.hour is None or self.minute is None:
            return None
        second, fraction = self.second or 0, (self.hundredths or 0) * 10_000
        try:
            local = datetime(
                self.year, self.month, self.day, self.hour, self.minute, second, fraction, UTC
            )
        except ValueError:
            return None
        deviation = deviation_min if self.deviation_min is None else self.deviation_min
        return UtcMs(from_datetime(local) + deviation * _MINUTE_MS)


def decode(data: bytes) -> DateTime:
    """Read a date-time.

    Raises:
        MalformedFrameError: Not twelve octets, or a deviation of more than twelve hours.

    Source:
        IEC 62056-6-2 (Blue Book) date_time; the deviation's sign as the field uses it (known).
    """
    reader = Reader(LAYER, data)
    year = reader.unsigned(2)
    said = [None if octet == _UNSAID else octet for octet in reader.take(7)]
    month, day, weekday, hour, minute, second, hundredths = said
    deviation = int.from_bytes(reader.take(2), "big", signed=True)
    if deviation != _DEVIATION_UNSAID and abs(deviation) > MAX_DEVIATION_MIN:
        reader.fail(f"{deviation} minutes are no deviation from UTC", reader.at - 2)
    status = reader.u8()
    reader.finish()
    return DateTime(
        None if year == _YEAR_UNSAID else year,
        month,
        day,
        weekday,
        hour,
        minute,
        second,
        hundredths,
        None if deviation == _DEVIATION_UNSAID else deviation,
        status,
    )


def encode(value: DateTime) -> bytes:
    """Write a date-time.

    Raises:
        ValueError: A part does not fit its octets.
    """
    date = (value.month, value.day, value.weekday)
    time = (value.hour, value.minute, value.second, value.hundredths)
    deviation = _DEVIATION_UNSAID if value.deviation_min is None else value.deviation_min
    try:
        return (
            (_YEAR_UNSAID if value.year is None else value.year).to_bytes(2, "big")
            + bytes(_UNSAID if part is None else part for part in (*date, *time))
            + deviation.to_bytes(2, "big", signed=True)
            + bytes((value.status,))
        )
    except (OverflowError, ValueError):
        raise ValueError(f"a part does not fit its octets: {value!r}") from None


def of_moment(at: UtcMs, deviation_min: int = 0, status: int = 0) -> DateTime:
    """Return the local time of a moment, hundredths rounded down.

    Raises:
        ValueError: The deviation is more than twelve hours.
    """
    if abs(deviation_min) > MAX_DEVIATION_MIN:
        raise ValueError(f"{deviation_min} minutes are no deviation from UTC")
    when = to_datetime(UtcMs(at - deviation_min * _MINUTE_MS))
    return DateTime(
        when.year,
        when.month,
        when.day,
        when.isoweekday(),
        when.hour,
        when.minute,
        when.second,
        when.microsecond // 10_000,
        deviation_min,
        status,
    )
