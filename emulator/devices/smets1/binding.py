"""What a binding word of a catalogue stands for: where a value comes from, what a call does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import BitString, Data, Tag
from emulator.devices.smets1.object_model import Moment

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

#: What a binding reads: a plain value that the row's type makes data of, data, or a refusal.
Value: TypeAlias = int | bytes | Data | DataAccessResult
Read: TypeAlias = Callable[["Meter", CatalogueRow, Moment], Value]
SelectiveRead: TypeAlias = Callable[["Meter", CatalogueRow, Selection | None, Moment], Value]
Write: TypeAlias = Callable[["Meter", CatalogueRow, Data, Moment], DataAccessResult]
Invoke: TypeAlias = Callable[["Meter", CatalogueRow, Data | None, Moment], MethodOutcome]

#: Type word -> the tag it is written in.
TAGS: Final[dict[str, Tag]] = {
    "bool": Tag.BOOLEAN,
    "i8": Tag.INT8,
    "i16": Tag.INT16,
    "i32": Tag.INT32,
    "i64": Tag.INT64,
    "u8": Tag.UINT8,
    "u16": Tag.UINT16,
    "u32": Tag.UINT32,
    "u64": Tag.UINT64,
    "enum": Tag.ENUM,
    "octets": Tag.OCTETS,
    "visible": Tag.VISIBLE,
    "bits": Tag.BIT_STRING,
    "array": Tag.ARRAY,
    "struct": Tag.STRUCTURE,
}
#: Tag -> least and greatest value of a number.
_RANGES: Final[dict[Tag, tuple[int, int]]] = {
    Tag.INT8: (-(1 << 7), (1 << 7) - 1),
    Tag.INT16: (-(1 << 15), (1 << 15) - 1),
    Tag.INT32: (-(1 << 31), (1 << 31) - 1),
    Tag.INT64: (-(1 << 63), (1 << 63) - 1),
    Tag.UINT8: (0, (1 << 8) - 1),
    Tag.UINT16: (0, (1 << 16) - 1),
    Tag.UINT32: (0, (1 << 32) - 1),
    Tag.UINT64: (0, (1 << 64) - 1),
}


@dataclass(frozen=True, slots=True)
class Binding:
    """What one word does; None for what it has no part in.

    Attributes:
        read: Yields the value.
        write: Takes a value whose type fits the row.
        invoke: Carries out a method.
        selective: Yields the value or a part of it; instead of ``read``.
        exponent: Power of ten of the number that ``read`` yields; the row's scaler moves it.
        historic: Whether ``read`` is right for past moments, so that a profile may capture it.
    """

    read: Read | None = None
    write: Write | None = None
    invoke: Invoke | None = None
    selective: SelectiveRead | None = None
    exponent: int = 0
    historic: bool = False


def refused(result: ActionResult) -> MethodOutcome:
    """Return the outcome of a method that was not carried out."""
    return MethodOutcome(result)


def items_of(data: Data | None, tag: Tag, count: int | None = None) -> tuple[Data, ...] | None:
    """Return the items of an array or structure; None where it is none, or of another length."""
    if data is None or data.tag is not tag or not isinstance(data.value, tuple):
        return None
    return data.value if count is None or len(data.value) == count else None


def number_of(data: Data | None, *tags: Tag) -> int | None:
    """Return the number in a value of one of these types, or None."""
    if data is None or data.tag not in tags or not isinstance(data.value, int):
        return None
    return data.value


def octets_of(data: Data | None, count: int | None = None) -> bytes | None:
    """Return an octet-string, or None where it is none, or of another length."""
    if data is None or data.tag is not Tag.OCTETS or not isinstance(data.value, bytes):
        return None
    return data.value if count is None or len(data.value) == count else None


def bit_string(flags: list[bool]) -> Data:
    """Return flags as a bit-string, the first in the top bit of the first octet."""
    octets = bytearray((len(flags) + 7) // 8)
    for at, flag in enumerate(flags):
        octets[at // 8] |= flag << (7 - at % 8)
    return Data(Tag.BIT_STRING, BitString(len(flags), bytes(octets)))


def word_of(kind: str) -> tuple[str, int | None]:
    """Split ``octets(12)`` into the word and the length; None where it says none."""
    word, bracket, rest = kind.partition("(")
    return word, int(rest.rstrip(")")) if bracket else None


def fits(kind: str, data: Data) -> bool:
    """Say whether a value is of a row's type."""
    word, length = word_of(kind)
    tag = TAGS.get(word)
    if tag is None:
        return word == "any"
    if data.tag is not tag:
        return False
    return length is None or (isinstance(data.value, bytes) and len(data.value) == length)


def data_of(row: CatalogueRow, binding: Binding, value: int | bytes) -> Data:
    """Return a plain value as data of the row's type and scaler.

    A number that its type cannot hold runs over, as a register does, or stops at the end where it
    has a sign.

    Raises:
        ValueError: The row's type is none of a plain value.
    """
    tag = TAGS.get(word_of(row.type)[0])
    if tag is None:
        raise ValueError(f"{row.where}: a {row.binding} is no {row.type}")
    if not isinstance(value, int):
        return Data(tag, value)
    scaled = scale(value, row.scaler - binding.exponent)
    if tag in _RANGES:
        low, high = _RANGES[tag]
        scaled = min(max(scaled, low), high) if low else scaled % (high + 1)
    return Data(tag, scaled)


def scale(value: int, powers: int) -> int:
    """Return ``value`` in a unit 10^powers times as large, rounded down."""
    factor: int = 10 ** abs(powers)
    return value // factor if powers >= 0 else value * factor
