"""DLMS data as text and as named fields."""

from datetime import UTC, datetime
from typing import Final

from emulator.codecs.dlms.access import print_obis
from emulator.codecs.dlms.axdr import BitString, CompactArray, Data, Tag
from harness.gbcs_view.field import Field

_DATE_TIME_BYTES: Final = 12
_OBIS_BYTES: Final = 6
_UNSAID: Final = -0x8000
#: Longest one-line text of a value.
_LINE: Final = 96
_TEXTS: Final = frozenset({Tag.VISIBLE, Tag.UTF8})
_DATES: Final = frozenset({Tag.DATE_TIME, Tag.DATE, Tag.TIME})


def text_of(data: Data) -> str:
    """Return one value in one line: structures in braces, arrays in brackets, dates as dates."""
    value = data.value
    if isinstance(value, tuple):
        inside = ", ".join(map(text_of, value))
        return f"{{{inside}}}" if data.tag is Tag.STRUCTURE else f"[{inside}]"
    if isinstance(value, CompactArray):
        return "[" + ", ".join(map(text_of, value.rows)) + "]"
    return _simple(data)


def line_of(data: Data) -> str:
    """Return ``text_of``, cut with its length said where it is too long for a line."""
    text = text_of(data)
    if len(text) <= _LINE:
        return text
    return f"{text[:_LINE]}… ({len(text)} characters)"


def field_of(name: str, data: Data) -> Field:
    """Return a value as a field; structures and arrays as trees numbered from 1."""
    value = data.value.rows if isinstance(data.value, CompactArray) else data.value
    kind = data.tag.name.lower().replace("_", " ")
    if isinstance(value, tuple):
        parts = [field_of(str(number), item) for number, item in enumerate(value, 1)]
        return f"{name} ({kind} of {len(parts)})", parts
    return f"{name} ({kind})", _simple(data)


def flat_of(data: Data, path: str = "") -> list[tuple[str, str]]:
    """Return every simple value with the path to it: ``[2]`` for arrays, ``.2`` for structures."""
    value = data.value.rows if isinstance(data.value, CompactArray) else data.value
    if not isinstance(value, tuple) or not value:
        return [(path, text_of(data))]
    form = "{}.{}" if data.tag is Tag.STRUCTURE else "{}[{}]"
    return [
        row
        for number, item in enumerate(value, 1)
        for row in flat_of(item, form.format(path, number))
    ]


def _simple(data: Data) -> str:
    value = data.value
    if isinstance(value, bytes):
        return _octets(data.tag, value)
    if isinstance(value, BitString):
        return f"{value.octets.hex()} ({value.count} bits)"
    if data.tag is Tag.BOOLEAN:
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _octets(tag: Tag, value: bytes) -> str:
    if tag in _DATES or len(value) == _DATE_TIME_BYTES:
        moment = date_time_of(value)
        if moment:
            return moment
    if tag in _TEXTS or _is_text(value):
        return repr(value.decode("utf-8", "backslashreplace"))
    if len(value) == _OBIS_BYTES and value[5] == 0xFF:
        return print_obis(value)
    return value.hex() or "(empty)"


def _is_text(value: bytes) -> bool:
    return len(value) > 3 and all(0x20 <= octet < 0x7F for octet in value)


def date_time_of(octets: bytes) -> str:
    """Return a COSEM date-time for people; empty when the octets name no moment."""
    if len(octets) != _DATE_TIME_BYTES:
        return ""
    moment = _moment(octets)
    if moment is None:
        return ""
    deviation = int.from_bytes(octets[9:11], "big", signed=True)
    zone = "" if deviation in {0, _UNSAID} else f" deviation {deviation} min"
    return f"{moment:%Y-%m-%d %H:%M:%S}{zone} status {octets[11]:02x}"


def moment_of(data: Data) -> datetime | None:
    """Return the local time of a COSEM date-time; None when the value names none."""
    octets = data.value
    if not isinstance(octets, bytes) or len(octets) != _DATE_TIME_BYTES:
        return None
    return _moment(octets)


def _moment(octets: bytes) -> datetime | None:
    """Read year[2 BE] month day weekday hour minute second; what follows is not looked at.

    Source:
        Blue Book date-time, known; hundredths, deviation[2 BE] and status follow.
    """
    year, (month, day, _, hour, minute, second) = int.from_bytes(octets[:2], "big"), octets[2:8]
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def octets_of_moment(moment: datetime) -> bytes:
    """Return a COSEM date-time of a local time; weekday, hundredths and deviation unsaid."""
    day = (moment.month, moment.day, 0xFF, moment.hour, moment.minute, moment.second, 0xFF)
    return moment.year.to_bytes(2, "big") + bytes(day) + b"\x80\x00\xff"
