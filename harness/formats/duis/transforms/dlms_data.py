"""DLMS values that calendars are made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms.access import parse_obis
from emulator.codecs.dlms.axdr import BitString, Data, Tag
from emulator.codecs.dlms.shapes import make, shape_of
from harness.formats.duis.transforms.outcome import Refusal, TransformError

_TIME: Final = shape_of("time")
_TRUE: Final = 0xFF
#: How long a row of a schedule stays valid. Source: RTDS ECS08, ECS46c.
_FOR_EVER: Final = 0xFFFF


def structure(*members: Data) -> Data:
    """Return a structure."""
    return Data(Tag.STRUCTURE, members)


def array(rows: Iterable[Data]) -> Data:
    """Return an array."""
    return Data(Tag.ARRAY, tuple(rows))


def u16(value: int) -> Data:
    """Return an unsigned number of 16 bits."""
    return Data(Tag.UINT16, value)


def u8(value: int) -> Data:
    """Return an unsigned number of 8 bits."""
    return Data(Tag.UINT8, value)


def name(number: int) -> Data:
    """Return a name of one octet, as weeks have it."""
    return Data(Tag.OCTETS, bytes((number,)))


def date(octets: bytes) -> Data:
    """Return a date in its five octets."""
    return Data(Tag.OCTETS, octets)


def whole_date(written: str) -> bytes:
    """Return ``2015-01-31`` as the five octets of a date, its day of the week unsaid."""
    year, month, day = written.split("-")
    return int(year).to_bytes(2, "big") + bytes((int(month), int(day), 0xFF))


def time(written: str) -> Data:
    """Return ``07:30:00`` as a time."""
    return make(_TIME, written)


def bits(count: int, wanted: Iterable[int]) -> BitString:
    """Return a bit string with these bits on, the first one leftmost.

    Raises:
        TransformError: out-of-range: a bit is beyond its end.
    """
    on = set(wanted)
    if any(not 0 <= bit < count for bit in on):
        raise TransformError(Refusal.OUT_OF_RANGE, "a row names a special day that is not defined")
    octets = bytearray((count + 7) // 8)
    for bit in on:
        octets[bit // 8] |= 0x80 >> bit % 8
    return BitString(count, bytes(octets))


def special_day_rows(rows: Iterable[tuple[int, bytes, int]]) -> Data:
    """Return special days: index, date, name of the day."""
    return array(structure(u16(index), date(on), u8(day)) for index, on, day in rows)


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One row of a DLMS schedule that is enabled and stays valid.

    Attributes:
        script: Logical name of the script table.
        selector: Script.
        at: Time of day.
        weekdays: Days of the week, Monday first.
        special_days: Special days.
        between: First and last date, five octets each.
    """

    script: str
    selector: int
    at: str
    weekdays: BitString
    special_days: BitString
    between: tuple[bytes, bytes]

    def data(self, index: int) -> Data:
        """Return it as the row of that number."""
        return structure(
            u16(index),
            Data(Tag.BOOLEAN, _TRUE),
            Data(Tag.OCTETS, parse_obis(self.script)),
            u16(self.selector),
            time(self.at),
            u16(_FOR_EVER),
            Data(Tag.BIT_STRING, self.weekdays),
            Data(Tag.BIT_STRING, self.special_days),
            *map(date, self.between),
        )
