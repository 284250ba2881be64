"""Typed values without construct, where they are whole numbers or short octet strings.

`values.Typed` declares the form of every data type; what these two functions do not know, or find
wrong, is left to it. Each report of a mirror carries a dozen values.
"""

from typing import Final

from emulator.codecs.zcl.values import AttributeValue, ZclType

#: Data type -> octets, and whether it has a sign. Source: as ``values``.
_NUMBERS: Final[dict[int, tuple[ZclType, int, bool]]] = {
    int(kind): (kind, size, signed)
    for first, count, signed in (
        (ZclType.DATA8, 4, False),
        (ZclType.BITMAP8, 8, False),
        (ZclType.UINT8, 8, False),
        (ZclType.INT8, 8, True),
        (ZclType.ENUM8, 2, False),
    )
    for size in range(1, count + 1)
    for kind in (ZclType(first + size - 1),)
} | {int(ZclType.UTC_TIME): (ZclType.UTC_TIME, 4, False)}
_OCTETS: Final = int(ZclType.OCTETS)
_NO_VALUE: Final = 0xFF


def read(octets: bytes, offset: int) -> tuple[AttributeValue, int] | None:
    """Read a data type and a value; None where this is not the way to read them.

    Args:
        octets: What holds them.
        offset: Where the data type stands.

    Returns:
        The value, and where the next thing stands.
    """
    begin = offset + 1
    if begin >= len(octets):
        return None
    kind = octets[offset]
    number = _NUMBERS.get(kind)
    if number is not None:
        of_type, size, signed = number
        end = begin + size
        if end > len(octets):
            return None
        plain = int.from_bytes(octets[begin:end], "little", signed=signed)
        return AttributeValue(of_type, plain), end
    if kind != _OCTETS or octets[begin] == _NO_VALUE:
        return None
    begin, end = begin + 1, begin + 1 + octets[begin]
    if end > len(octets):
        return None
    return AttributeValue(ZclType.OCTETS, octets[begin:end]), end


def write(value: AttributeValue) -> bytes | None:
    """Write a data type and a value; None where this is not the way to write them."""
    plain, number = value.value, _NUMBERS.get(value.type)
    if number is not None and isinstance(plain, int) and not isinstance(plain, bool):
        kind, size, signed = number
        try:
            return bytes((kind,)) + int.to_bytes(plain, size, "little", signed=signed)
        except OverflowError:
            return None
    if value.type == _OCTETS and isinstance(plain, bytes) and len(plain) < _NO_VALUE:
        return bytes((_OCTETS, len(plain))) + plain
    return None
