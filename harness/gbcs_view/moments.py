"""DLMS and ZCL dates and times with their wildcards, as text."""

from typing import Final

from emulator.codecs.common import Reader
from emulator.codecs.gbcs.dates import NEVER, NOW, decode_date_time
from emulator.core.clock import iso
from emulator.core.errors import MalformedFrameError

_ANY: Final = 0xFF
_WEEKDAYS: Final = ("", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
                    "Sunday")  # fmt: skip
_ZCL_EPOCH: Final = 1900


def date_time_text(octets: bytes) -> str:
    """Return a DLMS date-time of 12 octets; parts that are not said are stars."""
    if octets == NOW:
        return "at once"
    if octets == NEVER:
        return "never (cancels)"
    try:
        at, status = decode_date_time(octets)
    except MalformedFrameError:
        if len(octets) != 12:
            return octets.hex()
        return f"{date_text(octets[:5])} {time_text(octets[5:9])}"
    return f"{iso(at)}, clock status {status:02X}"


def date_text(octets: bytes) -> str:
    """Return a date: DLMS (five octets) or ZCL (four, year since 1900)."""
    reader = Reader("date", octets)
    if len(octets) == 5:
        year = reader.unsigned(2)
        shown = "*" if year == 0xFFFF else f"{year:04}"
    elif len(octets) == 4:
        year = reader.u8()
        shown = "*" if year == _ANY else f"{year + _ZCL_EPOCH:04}"
    else:
        return octets.hex()
    month, day, weekday = reader.take(3)
    text = f"{shown}-{_month(month)}-{_day(day)}"
    return f"{text} ({_WEEKDAYS[weekday]})" if 1 <= weekday <= 7 else text


def _month(month: int) -> str:
    special = {_ANY: "*", 0xFD: "end of daylight saving", 0xFE: "begin of daylight saving"}
    return special.get(month) or f"{month:02}"


def _day(day: int) -> str:
    special = {_ANY: "*", 0xFE: "last day", 0xFD: "last day but one"}
    return special.get(day) or f"{day:02}"


def time_text(octets: bytes) -> str:
    """Return a DLMS time of four octets."""
    if len(octets) != 4:
        return octets.hex()
    return ":".join("*" if part == _ANY else f"{part:02}" for part in octets[:3])
