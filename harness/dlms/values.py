"""DLMS data as values of the world: exact quantities with units, numbers, texts and flags.

What a meter sends in another shape than its class demands is refused as malformed: it is the
meter's fault, and says which value was looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import BitString, Data, Tag
from emulator.core.errors import MalformedFrameError

LAYER: Final = "dlms.reading"
NO_UNIT: Final = 255
#: COSEM unit number -> how it is written.
#: Source: IEC 62056-6-2 enumeration of units (known); 27, 30, 32, 33, 35 as serial-dlms.md 8.2.
UNITS: Final[Mapping[int, str]] = {
    1: "a", 2: "mo", 3: "wk", 4: "d", 5: "h", 6: "min", 7: "s", 8: "°", 9: "°C", 10: "currency",
    11: "m", 12: "m/s", 13: "m³", 14: "m³", 15: "m³/h", 16: "m³/h", 17: "m³/d", 18: "m³/d",
    19: "l", 20: "kg", 21: "N", 22: "Nm", 23: "Pa", 24: "bar", 25: "J", 26: "J/h", 27: "W",
    28: "VA", 29: "var", 30: "Wh", 31: "VAh", 32: "varh", 33: "A", 34: "C", 35: "V", 36: "V/m",
    37: "F", 38: "Ω", 40: "Wb", 41: "T", 42: "A/m", 43: "H", 44: "Hz", 56: "%", NO_UNIT: "",
}  # fmt: skip
_INTEGERS: Final = frozenset(
    {Tag.INT8, Tag.INT16, Tag.INT32, Tag.INT64, Tag.UINT8, Tag.UINT16, Tag.UINT32, Tag.UINT64}
)
_TEXTS: Final = frozenset({Tag.OCTETS, Tag.VISIBLE, Tag.UTF8})


@dataclass(frozen=True, slots=True)
class Unit:
    """Scaler and unit of a register.

    Attributes:
        scaler: Power of ten that the register's number is multiplied by.
        number: COSEM unit number.
    """

    scaler: int = 0
    number: int = NO_UNIT

    @property
    def symbol(self) -> str:
        """The unit as written; ``unit N`` where the number is not known, empty for none."""
        return UNITS.get(self.number, f"unit {self.number}")


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact value with its unit.

    Attributes:
        raw: The register's own number.
        unit: What it is multiplied by, and measured in.
    """

    raw: int
    unit: Unit = Unit()

    @property
    def decimal(self) -> str:
        """The value as exact decimal text, with as many places as the scaler gives.

        >>> Quantity(2345, Unit(-1, 35)).decimal
        '234.5'
        """
        scaler = self.unit.scaler
        if scaler >= 0:
            return str(self.raw * int(10**scaler))
        sign, digits = "-" if self.raw < 0 else "", str(abs(self.raw)).rjust(1 - scaler, "0")
        return f"{sign}{digits[:scaler]}.{digits[scaler:]}"

    def whole(self, power: int = 0) -> int:
        """Return the value in units of ten to ``power``, as an exact whole number.

        >>> Quantity(2345, Unit(-1, 35)).whole(-3)
        234500

        Raises:
            ValueError: It is not a whole number of those.
        """
        shift = self.unit.scaler - power
        if shift >= 0:
            return self.raw * int(10**shift)
        value, rest = divmod(self.raw, int(10**-shift))
        if rest:
            raise ValueError(f"{self} is no whole number of 10^{power}")
        return value

    def __str__(self) -> str:
        return f"{self.decimal} {self.unit.symbol}".rstrip()


@dataclass(frozen=True, slots=True)
class NamedField:
    """One value under its name, for tables and reports.

    Attributes:
        name: What it is.
        value: Its text, exact.
        unit: Its unit; empty for none.
    """

    name: str
    value: str
    unit: str = ""


def refuse(data: Data, why: str) -> NoReturn:
    """Refuse a value of the meter.

    Raises:
        MalformedFrameError: Always.
    """
    raise MalformedFrameError(LAYER, axdr.encode(data), why, 0)


def items_of(data: Data, tag: Tag, count: int | None = None) -> tuple[Data, ...]:
    """Return the items of an array or structure, ``count`` of them where that is said.

    Raises:
        MalformedFrameError: It is something else, or has another number of items.
    """
    if data.tag is not tag or not isinstance(data.value, tuple):
        refuse(data, f"{tag.name} is due, not {data.tag.name}")
    if count is not None and len(data.value) != count:
        refuse(data, f"{count} items are due, not {len(data.value)}")
    return data.value


def integer_of(data: Data) -> int:
    """Return an integer of any width.

    Raises:
        MalformedFrameError: It is none.
    """
    if data.tag not in _INTEGERS or not isinstance(data.value, int):
        refuse(data, f"an integer is due, not {data.tag.name}")
    return data.value


def enumerated_of(data: Data) -> int:
    """Return the number of an enumeration; an unsigned octet will do.

    Raises:
        MalformedFrameError: It is none.
    """
    if data.tag not in {Tag.ENUM, Tag.UINT8} or not isinstance(data.value, int):
        refuse(data, f"ENUM is due, not {data.tag.name}")
    return data.value


def flag_of(data: Data) -> bool:
    """Return a boolean: any octet but 0 is true.

    Raises:
        MalformedFrameError: It is none.
    """
    if data.tag is not Tag.BOOLEAN:
        refuse(data, f"BOOLEAN is due, not {data.tag.name}")
    return bool(data.value)


def octets_of(data: Data) -> bytes:
    """Return the octets of a string.

    Raises:
        MalformedFrameError: It is none.
    """
    if data.tag not in _TEXTS or not isinstance(data.value, bytes):
        refuse(data, f"a string is due, not {data.tag.name}")
    return data.value


def text_of(data: Data) -> str:
    """Return a string as text: ASCII or UTF-8 where it is that, else its octets in hex.

    Raises:
        MalformedFrameError: It is no string.
    """
    octets = octets_of(data)
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return octets.hex()
    return text if text.isprintable() else octets.hex()


def bits_of(data: Data) -> tuple[bool, ...]:
    """Return the bits of a bit string, the first first.

    Raises:
        MalformedFrameError: It is none.
    """
    value = data.value
    if not isinstance(value, BitString):
        refuse(data, f"BIT_STRING is due, not {data.tag.name}")
    return tuple(bool(value.octets[at // 8] & 0x80 >> at % 8) for at in range(value.count))


def unit_of(data: Data) -> Unit:
    """Read a scaler_unit attribute: {integer, enum}.

    Raises:
        MalformedFrameError: It is something else.
    """
    scaler, unit = items_of(data, Tag.STRUCTURE, 2)
    return Unit(integer_of(scaler), enumerated_of(unit))


def quantity_of(value: Data, unit: Unit) -> Quantity:
    """Return a register's value with its unit.

    Raises:
        MalformedFrameError: The value is no integer.
    """
    return Quantity(integer_of(value), unit)
