"""Single DLMS values and their plain forms: numbers, texts, moments with wildcards, bits."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from emulator.codecs.dlms.access import parse_obis
from emulator.codecs.dlms.axdr import BitString, Data, Tag
from emulator.codecs.gbcs.dates import NEVER, NOW
from emulator.core.clock import from_datetime, to_zigbee_seconds

_DATE: Final = re.compile(r"(\*|\d{4})-(\*|\d{2})-(\*|\d{2})")
_TIME: Final = re.compile(r"(\*|\d{2}):(\*|\d{2}):(\*|\d{2})")
#: Deviation and clock status of every moment that RTDS 4.5.0 writes: neither is said.
_TAIL: Final = b"\x80\x00\xff"
#: Octet of BOOLEAN true. Source: RTDS 4.5.0 (all of them).
TRUE: Final = 0xFF


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value.

    Attributes:
        name: Its word.
        tag: Its DLMS type.
        count: Octets of a string, bits of a bit string; None for any number.
        convert: Plain value -> what ``Data`` holds; ValueError where it cannot be.
    """

    name: str
    tag: Tag
    convert: Callable[[Any], "int | bytes | BitString | None"]
    count: int | None = None

    def fits(self, data: Data) -> bool:
        """Say whether a value has this type and length."""
        if data.tag is not self.tag:
            return False
        value = data.value
        if self.count is None:
            return True
        if isinstance(value, BitString):
            return value.count == self.count
        return isinstance(value, bytes) and len(value) == self.count

    def make(self, plain: Any) -> Data:
        """Return the value a plain one means.

        Raises:
            ValueError: It means none.
        """
        made = Data(self.tag, self.convert(plain))
        if not self.fits(made):
            raise ValueError(f"{plain!r} is not {self.name}")
        return made


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def convert(plain: Any) -> int:
        if not isinstance(plain, int) or isinstance(plain, bool) or not low <= plain <= high:
            raise ValueError(f"a whole number from {low} to {high} is due, not {plain!r}")
        return plain

    return convert


def _text(plain: Any) -> str:
    if isinstance(plain, str):
        return plain
    raise ValueError(f"a text is due, not {plain!r}")


def _flag(plain: Any) -> int:
    if isinstance(plain, bool):
        return TRUE if plain else 0
    raise ValueError(f"true or false is due, not {plain!r}")


def _hex(plain: Any) -> bytes:
    return bytes.fromhex(_text(plain))


def _encoded(plain: Any) -> bytes:
    return _text(plain).encode()


def _part(text: str, size: int = 1) -> bytes:
    return b"\xff" * size if text == "*" else int(text).to_bytes(size, "big")


def _date(plain: Any) -> bytes:
    match = _DATE.fullmatch(_text(plain))
    if match is None:
        raise ValueError(f"a date like 2015-01-31 or *-12-25 is due, not {plain!r}")
    return _part(match[1], 2) + _part(match[2]) + _part(match[3]) + b"\xff"


def _time(plain: Any) -> bytes:
    match = _TIME.fullmatch(_text(plain))
    if match is None:
        raise ValueError(f"a time like 07:30:00 is due, not {plain!r}")
    return _part(match[1]) + _part(match[2]) + _part(match[3]) + b"\0"


def _date_time(plain: Any) -> bytes:
    text = _text(plain)
    if text in {"now", "never"}:
        return NOW if text == "now" else NEVER
    date, _, time = text.partition("T")
    return _date(date) + _time(time) + _TAIL


def _moment(plain: Any) -> Any:
    try:
        return from_datetime(datetime.fromisoformat(_text(plain)).replace(tzinfo=UTC))
    except ValueError:
        raise ValueError(f"a moment like 2015-01-01T00:00:00 is due, not {plain!r}") from None


def _bits(plain: Any) -> BitString:
    text = _text(plain)
    if set(text) - {"0", "1"}:
        raise ValueError(f"a text of 0 and 1 is due, not {plain!r}")
    count = len(text)
    padded = text.ljust((count + 7) // 8 * 8, "0")
    return BitString(count, bytes(int(padded[at : at + 8], 2) for at in range(0, count, 8)))


def _flags(count: int) -> Callable[[Any], BitString]:
    def convert(plain: Any) -> BitString:
        if not isinstance(plain, list | tuple) or not all(
            isinstance(bit, int) and 0 <= bit < count for bit in plain
        ):
            raise ValueError(f"a list of bits from 0 to {count - 1} is due, not {plain!r}")
        number = sum(1 << (count - 1 - bit) for bit in set(plain))
        return BitString(count, number.to_bytes(count // 8, "big"))

    return convert


_INTEGERS: Final = {
    "i8": (Tag.INT8, -(1 << 7), (1 << 7) - 1),
    "i16": (Tag.INT16, -(1 << 15), (1 << 15) - 1),
    "i32": (Tag.INT32, -(1 << 31), (1 << 31) - 1),
    "i64": (Tag.INT64, -(1 << 63), (1 << 63) - 1),
    "u8": (Tag.UINT8, 0, (1 << 8) - 1),
    "u16": (Tag.UINT16, 0, (1 << 16) - 1),
    "u32": (Tag.UINT32, 0, (1 << 32) - 1),
    "u64": (Tag.UINT64, 0, (1 << 64) - 1),
    "enum": (Tag.ENUM, 0, 255),
}
_OTHERS: Final = (
    Scalar("bool", Tag.BOOLEAN, _flag),
    Scalar("octets", Tag.OCTETS, _hex),
    Scalar("octets3", Tag.OCTETS, _hex, 3),
    Scalar("octets4", Tag.OCTETS, _hex, 4),
    Scalar("octets8", Tag.OCTETS, _hex, 8),
    Scalar("octets20", Tag.OCTETS, _hex, 20),
    Scalar("text", Tag.OCTETS, _encoded),
    Scalar("visible", Tag.VISIBLE, _encoded),
    Scalar("utf8", Tag.UTF8, _encoded),
    Scalar("obis", Tag.OCTETS, lambda plain: parse_obis(_text(plain)), 6),
    Scalar("date_time", Tag.OCTETS, _date_time, 12),
    Scalar("date", Tag.OCTETS, _date, 5),
    Scalar("time", Tag.OCTETS, _time, 4),
    Scalar("utc", Tag.UINT32, lambda plain: to_zigbee_seconds(_moment(plain))),
    Scalar("unix", Tag.UINT32, lambda plain: 0 if plain == 0 else _moment(plain) // 1000),
    Scalar("bits", Tag.BIT_STRING, _bits),
    Scalar("flags256", Tag.BIT_STRING, _flags(256), 256),
    Scalar("flags512", Tag.BIT_STRING, _flags(512), 512),
)
#: Word -> type.
SCALARS: Final[Mapping[str, Scalar]] = {
    **{name: Scalar(name, tag, _whole(low, high)) for name, (tag, low, high) in _INTEGERS.items()},
    **{scalar.name: scalar for scalar in _OTHERS},
}
