"""The ways GBCS writes a moment: DLMS date-time, GeneralizedTime, Zigbee seconds."""

import enum
from datetime import UTC, datetime
from typing import Final

from emulator.codecs.common import Reader
from emulator.core.clock import UtcMs, from_datetime, to_datetime

_LAYER: Final = "gbcs.dlms_date_time"
_WEEKDAY_UNSAID: Final = 0xFF
_DEVIATION_UNSAID: Final = b"\x80\x00"

#: DLMS execution date-time that means "at once".
NOW: Final = bytes(9) + _DEVIATION_UNSAID + b"\xff"
#: DLMS execution date-time that cancels a future-dated command.
NEVER: Final = b"\xff" * 9 + _DEVIATION_UNSAID + b"\xff"
#: ASN.1 execution date-time that cancels a future-dated command (9999-12-31T23:59:59Z).
CANCEL_TIME: Final = from_datetime(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))


class ClockStatus(enum.IntEnum):
    """Last octet of a DLMS date-time.

    Source:
        Values and who writes them: RTDS 4.5.0 (reference gbcs.md section 5).
    """

    RELIABLE = 0x00
    UNRELIABLE = 0x02
    OTHER_CLOCK = 0x04  # the GPF answering for the GSME
    UNSAID = 0xFF  # the ESME, and every answer in ASN.1


def encode_date_time(at: UtcMs, status: int = ClockStatus.UNSAID) -> bytes:
    """Write a moment as the 12 octets of a DLMS date-time, UTC, whole seconds (rounded down).

    Layout: year[2 BE] month day weekday=FF hour minute second hundredths=00 deviation=8000 status.

    Raises:
        ValueError: ``status`` is no octet.

    Source:
        Form of all 145 date-times in RTDS 4.5.0 grouping headers; checked on those at hand.
    """
    when = to_datetime(at)
    return b"%b%b%b%b" % (
        when.year.to_bytes(2, "big"),
        bytes((when.month, when.day, _WEEKDAY_UNSAID, when.hour, when.minute, when.second, 0)),
        _DEVIATION_UNSAID,
        bytes((status,)),
    )


def decode_date_time(data: bytes) -> tuple[UtcMs, int]:
    """Read a DLMS date-time that names one second of UTC.

    Returns:
        The moment in milliseconds since 1970, and the clock status octet.

    Raises:
        MalformedFrameError: Layer ``gbcs.dlms_date_time``: not 12 octets, no such moment (``NOW``
            and ``NEVER`` are none either), hundredths, or a deviation from UTC.
    """
    reader = Reader(_LAYER, data)
    year, month, day = reader.unsigned(2), reader.u8(), reader.u8()
    _weekday, hour, minute, second = reader.take(4)
    reader.expect(b"\x00", "hundredths")
    start = reader.at
    if reader.take(2) not in {_DEVIATION_UNSAID, b"\x00\x00"}:
        reader.fail("deviation from UTC", start)
    status = reader.u8()
    reader.finish()
    try:
        at = from_datetime(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
    except ValueError as error:
        reader.fail(str(error), 0)
    return at, status


def encode_generalized_time(at: UtcMs) -> bytes:
    """Write a moment as the 15 characters ``YYYYMMDDHHMMSSZ`` (whole seconds, rounded down)."""
    when = to_datetime(at)
    return f"{when.year:04}{when:%m%d%H%M%S}Z".encode("ascii")


def decode_generalized_time(data: bytes) -> UtcMs:
    """Read ``YYYYMMDDHHMMSSZ``.

    Raises:
        MalformedFrameError: Layer ``gbcs.generalized_time``: any other form, or no such moment.
    """
    reader = Reader("gbcs.generalized_time", data)
    if len(data) != 15 or not data[:14].isdigit() or data[14:] != b"Z":
        reader.fail("time is not written YYYYMMDDHHMMSSZ")
    numbers = [int(data[a:b]) for a, b in ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))]
    year, month, day, hour, minute, second = numbers
    try:
        return from_datetime(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
    except ValueError as error:
        reader.fail(str(error))
