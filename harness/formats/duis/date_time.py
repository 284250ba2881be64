"""Dates and times as DUIS writes them: xs:dateTime in UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from emulator.core.clock import UtcMs, from_datetime, iso
from harness.formats.duis.faults import DuisError, DuisFault

#: ExecutionDateTime that takes back an activation already sent: 3000-12-31T00:00:00Z.
#: Source: DUIS 11.3 cancellation sample; GBCS writes the same intent as 99991231235959Z.
CANCEL: Final = from_datetime(datetime(3000, 12, 31, tzinfo=UTC))

_FORM: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?"
)
#: As moments are written here; read as any other one is, in one go. Later Pythons would read the
#: hour 24 as the next midnight, which the full way refuses.
_USUAL: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z"
)


def read(text: str) -> UtcMs:
    """Read an xs:dateTime with a zone, to the millisecond.

    Raises:
        DuisError: bad-date-time: not a date-time, no zone, or finer than a millisecond.
    """
    if _USUAL.fullmatch(text) is not None:
        try:
            return from_datetime(datetime.fromisoformat(text))
        except ValueError:
            pass  # no day of the calendar: the full way says which
    match = _FORM.fullmatch(text)
    if match is None:
        raise DuisError(DuisFault.BAD_DATE_TIME, f"{text[:40]!r} is not like 2030-01-15T09:00:00Z")
    *fields, fraction, zone = match.groups()
    if zone is None:
        raise DuisError(DuisFault.BAD_DATE_TIME, f"{text!r} has no zone; DUIS times are UTC: add Z")
    digits = (fraction or "").rstrip("0")
    if len(digits) > 3:
        raise DuisError(DuisFault.BAD_DATE_TIME, f"{text!r} is finer than a millisecond")
    try:
        year, month, day, hour, minute, second = (int(field) for field in fields)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        moment += timedelta(milliseconds=int(digits.ljust(3, "0") or 0)) - _offset(zone)
    except (ValueError, OverflowError) as error:
        raise DuisError(DuisFault.BAD_DATE_TIME, f"{text!r}: {error}") from error
    return from_datetime(moment)


def write(at: UtcMs) -> str:
    """Write a moment with milliseconds and Z.

    Raises:
        DuisError: bad-date-time: outside the years 1 to 9999.
    """
    try:
        return iso(at)
    except OverflowError as error:
        raise DuisError(DuisFault.BAD_DATE_TIME, f"{at} ms lies outside the calendar") from error


def read_date(text: str) -> str:
    """Check an xs:date without a zone and return it as it stands.

    Raises:
        DuisError: bad-date-time.
    """
    try:
        datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise DuisError(DuisFault.BAD_DATE_TIME, f"{text[:40]!r}: {error}") from error
    return text


def _offset(zone: str) -> timedelta:
    if zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 14 or minutes > 59 or (hours == 14 and minutes):
        raise ValueError(f"zone {zone}")
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=hours, minutes=minutes)
