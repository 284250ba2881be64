"""Profile-wide commands inside GBZ payloads, read by hand: attributes asked for and told.

``zcl.foundation`` says the same formats in construct; a test holds the two to agreement on every
vector and on damaged ones.
"""

from typing import Final

from emulator.codecs.common import Reader
from emulator.codecs.zcl.foundation import (
    AttributeReading,
    AttributeWriteStatus,
    DefaultResponse,
    FoundationCommand,
    ReadAttributes,
    ReadAttributesResponse,
    WriteAttributes,
    WriteAttributesResponse,
)
from emulator.codecs.zcl.values import AttributeValue, Scalar, ZclType
from emulator.core.ids import Eui64

LAYER: Final = "gbcs.zcl_attributes"
AttributeCommand = (
    ReadAttributes
    | ReadAttributesResponse
    | WriteAttributes
    | WriteAttributesResponse
    | DefaultResponse
)

_TYPES: Final = {int(kind): kind for kind in ZclType}
_SIGNED: Final = range(0x28, 0x30)
_STRINGS: Final = {0x41: (1, False), 0x42: (1, True), 0x43: (2, False), 0x44: (2, True)}
_BOOLEAN: Final = 0x10
_EUI64: Final = 0xF0
_KEY: Final = 0xF1


def _size(kind: ZclType) -> int:
    """Return the octets of a type that is a number; 0 of any other."""
    value = int(kind)
    if 0x08 <= value <= 0x0B:
        return value - 0x07
    if 0x18 <= value <= 0x2F:
        return value % 8 + 1
    return {0x30: 1, 0x31: 2, 0xE0: 4, 0xE1: 4, 0xE2: 4, 0xE8: 2, 0xE9: 2}.get(value, 0)


_SIZES: Final = {int(kind): _size(kind) for kind in ZclType if _size(kind)}


def read(command: int, payload: bytes) -> AttributeCommand | None:
    """Read the payload of a profile-wide command.

    Args:
        command: Its identifier.
        payload: What follows the ZCL header, not encrypted.

    Returns:
        The same value as ``foundation`` gives; None for a command that GBCS does not use.

    Raises:
        MalformedFrameError: Layer ``gbcs.zcl_attributes``: truncation, an unknown data type, text
            that is not UTF-8, trailing octets.
    """
    reader = Reader(LAYER, payload)
    match command:
        case FoundationCommand.READ_ATTRIBUTES_RESPONSE:
            return ReadAttributesResponse(tuple(_readings(reader)))
        case FoundationCommand.DEFAULT_RESPONSE:
            answer = DefaultResponse(reader.u8(), reader.u8())
            reader.finish()
            return answer
        case FoundationCommand.READ_ATTRIBUTES:
            return ReadAttributes(_identifiers(reader))
        case FoundationCommand.WRITE_ATTRIBUTES:
            return WriteAttributes(tuple(_written(reader)))
        case FoundationCommand.WRITE_ATTRIBUTES_RESPONSE:
            return _write_answer(reader)
    return None


def _u16(reader: Reader) -> int:
    return int.from_bytes(reader.take(2), "little")


def _begin(reader: Reader) -> None:
    if reader.at == reader.end:
        reader.fail("no attribute named")


def _identifiers(reader: Reader) -> tuple[int, ...]:
    _begin(reader)
    found = []
    while reader.at < reader.end:
        found.append(_u16(reader))
    return tuple(found)


def _readings(reader: Reader) -> list[AttributeReading]:
    _begin(reader)
    found = []
    while reader.at < reader.end:
        attribute, status = _u16(reader), reader.u8()
        found.append(AttributeReading(attribute, status, None if status else value_at(reader)))
    return found


def _written(reader: Reader) -> list[tuple[int, AttributeValue]]:
    _begin(reader)
    found = []
    while reader.at < reader.end:
        found.append((_u16(reader), value_at(reader)))
    return found


def _write_answer(reader: Reader) -> WriteAttributesResponse:
    if reader.data == b"\x00":
        return WriteAttributesResponse()
    _begin(reader)
    failures = []
    while reader.at < reader.end:
        status = reader.u8()
        if status == 0:
            reader.fail("a success among the failures", reader.at - 1)
        failures.append(AttributeWriteStatus(status, _u16(reader)))
    return WriteAttributesResponse(tuple(failures))


def value_at(reader: Reader) -> AttributeValue:
    """Read a data type and a value of that type.

    Raises:
        MalformedFrameError: As ``read``.
    """
    code = reader.u8()
    kind = _TYPES.get(code)
    if kind is None:
        reader.fail(f"{code:02x} is no data type", reader.at - 1)
    size = _SIZES.get(code)
    if size is not None:
        signed = code in _SIGNED
        return AttributeValue(kind, int.from_bytes(reader.take(size), "little", signed=signed))
    return AttributeValue(kind, _other(reader, code))


def _other(reader: Reader, code: int) -> Scalar:
    if code in _STRINGS:
        size, is_text = _STRINGS[code]
        return _string(reader, size, is_text=is_text)
    if code == _BOOLEAN:
        flag = reader.u8()
        if flag > 1:
            reader.fail(f"{flag:02x} is no boolean", reader.at - 1)
        return bool(flag)
    if code == _EUI64:
        return Eui64(reader.take(8)[::-1])
    return reader.take(16) if code == _KEY else None


def _string(reader: Reader, size: int, *, is_text: bool) -> bytes | str | None:
    length = int.from_bytes(reader.take(size), "little")
    if length == (1 << 8 * size) - 1:
        return None
    octets = reader.take(length)
    if not is_text:
        return octets
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        reader.fail(f"text is not UTF-8: {error}", reader.at - length)
