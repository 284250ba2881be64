"""ZCL attribute data types: the ones the GB HAN uses, each with its size on the wire."""

import enum
from dataclasses import dataclass
from typing import Any, Final

import construct as c

from emulator.codecs.zigbee.blocks import Boolean, Eui64LittleEndian, Named
from emulator.core.ids import Eui64
from emulator.core.values import quick


class ZclType(enum.IntEnum):
    """Identifiers of data types.

    Source:
        Zigbee Cluster Library 075123, table 2-10.
    """

    NO_DATA = 0x00
    DATA8 = 0x08
    DATA16 = 0x09
    DATA24 = 0x0A
    DATA32 = 0x0B
    BOOLEAN = 0x10
    BITMAP8 = 0x18
    BITMAP16 = 0x19
    BITMAP24 = 0x1A
    BITMAP32 = 0x1B
    BITMAP40 = 0x1C
    BITMAP48 = 0x1D
    BITMAP56 = 0x1E
    BITMAP64 = 0x1F
    UINT8 = 0x20
    UINT16 = 0x21
    UINT24 = 0x22
    UINT32 = 0x23
    UINT40 = 0x24
    UINT48 = 0x25
    UINT56 = 0x26
    UINT64 = 0x27
    INT8 = 0x28
    INT16 = 0x29
    INT24 = 0x2A
    INT32 = 0x2B
    INT40 = 0x2C
    INT48 = 0x2D
    INT56 = 0x2E
    INT64 = 0x2F
    ENUM8 = 0x30
    ENUM16 = 0x31
    OCTETS = 0x41
    TEXT = 0x42
    LONG_OCTETS = 0x43
    LONG_TEXT = 0x44
    TIME_OF_DAY = 0xE0
    DATE = 0xE1
    UTC_TIME = 0xE2
    CLUSTER_ID = 0xE8
    ATTRIBUTE_ID = 0xE9
    EUI64 = 0xF0
    KEY128 = 0xF1


Scalar = int | bool | bytes | str | Eui64 | None


@quick
@dataclass(frozen=True, slots=True)
class AttributeValue:
    """A typed value as attribute commands carry it.

    Attributes:
        type: Data type.
        value: ``int`` for numbers, bitmaps, enumerations and times (least significant octet first
            on the wire; UTC_TIME in seconds since 2000), ``bool``, ``bytes`` for octet strings and
            keys, ``str`` for text (UTF-8), `Eui64`, None for NO_DATA. None in a string type is
            its "invalid" form (length 0xFF or 0xFFFF).
    """

    type: ZclType
    value: Scalar = None


class _String(c.Construct):
    """A length of ``size`` octets, then as many octets; all ones in the length means no value."""

    def __init__(self, size: int, *, text: bool) -> None:
        super().__init__()
        self._length = c.BytesInteger(size, swapped=True)
        self._none = (1 << 8 * size) - 1
        self._text = text

    def _parse(self, stream: Any, context: Any, path: str) -> bytes | str | None:
        length = self._length._parsereport(stream, context, path)  # noqa: SLF001 - construct's way
        if length == self._none:
            return None
        octets: bytes = c.stream_read(stream, length, path)
        if not self._text:
            return octets
        try:
            return octets.decode()
        except UnicodeDecodeError as error:
            raise c.StringError(f"text is not UTF-8: {error}", path=path) from None

    def _build(self, obj: bytes | str | None, stream: Any, context: Any, path: str) -> Any:
        octets = obj.encode() if isinstance(obj, str) else obj
        length = self._none if octets is None else len(octets)
        if octets is not None and length >= self._none:
            raise c.StringError(f"{length} octets do not fit", path=path)
        self._length._build(length, stream, context, path)  # noqa: SLF001 - construct's way
        c.stream_write(stream, octets or b"", length if octets else 0, path)
        return obj


def _number(size: int, *, signed: bool = False) -> c.Construct:
    return c.BytesInteger(size, signed=signed, swapped=True)


_CASES: Final[dict[ZclType, c.Construct]] = {
    ZclType.NO_DATA: c.Pass,
    **{ZclType(0x08 + n): _number(n + 1) for n in range(4)},
    ZclType.BOOLEAN: Boolean(c.Int8ul),
    **{ZclType(0x18 + n): _number(n + 1) for n in range(8)},
    **{ZclType(0x20 + n): _number(n + 1) for n in range(8)},
    **{ZclType(0x28 + n): _number(n + 1, signed=True) for n in range(8)},
    ZclType.ENUM8: _number(1),
    ZclType.ENUM16: _number(2),
    ZclType.OCTETS: _String(1, text=False),
    ZclType.TEXT: _String(1, text=True),
    ZclType.LONG_OCTETS: _String(2, text=False),
    ZclType.LONG_TEXT: _String(2, text=True),
    ZclType.TIME_OF_DAY: _number(4),
    ZclType.DATE: _number(4),
    ZclType.UTC_TIME: _number(4),
    ZclType.CLUSTER_ID: _number(2),
    ZclType.ATTRIBUTE_ID: _number(2),
    ZclType.EUI64: Eui64LittleEndian(),
    ZclType.KEY128: c.Bytes(16),
}


class Typed(c.Adapter):
    """A data type octet and a value of that type; an `AttributeValue` in Python."""

    def __init__(self) -> None:
        typed = c.Struct("type" / Named(c.Int8ul, ZclType), "value" / c.Switch(c.this.type, _CASES))
        super().__init__(typed)

    def _decode(self, obj: Any, context: Any, path: str) -> AttributeValue:
        return AttributeValue(obj.type, obj.value)

    def _encode(self, obj: AttributeValue, context: Any, path: str) -> dict[str, Any]:
        return {"type": obj.type, "value": obj.value}
