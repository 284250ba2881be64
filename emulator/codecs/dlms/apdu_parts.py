"""What GET, SET and ACTION share: descriptors, results, data blocks and lists."""

import enum
from collections.abc import Callable, Collection
from dataclasses import dataclass
from struct import Struct
from typing import Final, TypeVar

from emulator.codecs.common import MAX_LENGTH, Reader, encode_length
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.axdr import Data
from emulator.core.values import quick

#: Class, logical name and index.
_DESCRIPTOR: Final = Struct(">H6sB")
_ABSENT: Final = 0
_PRESENT: Final = 1
#: A-XDR writes TRUE as any octet but 00; these are the two in use, the first is ours.
_TRUE: Final = (0x01, 0xFF)
_CONFIRMED: Final = 0x40
_MAX_BLOCK_NUMBER: Final = (1 << 32) - 1

Item = TypeVar("Item")


class DataAccessResult(enum.IntEnum):
    """Outcome of a GET or SET of one attribute.

    Source:
        IEC 62056-5-3 Data-Access-Result; the numbers of reference serial-dlms.md section 3.2.
    """

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_OF_ACCESS_VIOLATED = 13
    DATA_BLOCK_UNAVAILABLE = 14
    LONG_GET_ABORTED = 15
    NO_LONG_GET_IN_PROGRESS = 16
    LONG_SET_ABORTED = 17
    NO_LONG_SET_IN_PROGRESS = 18
    DATA_BLOCK_NUMBER_INVALID = 19
    OTHER_REASON = 250


class ActionResult(enum.IntEnum):
    """Outcome of one method.

    Source:
        IEC 62056-5-3 Action-Result; checked against two public renderings of its ASN.1.
    """

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_OF_ACCESS_VIOLATED = 13
    DATA_BLOCK_UNAVAILABLE = 14
    LONG_ACTION_ABORTED = 15
    NO_LONG_ACTION_IN_PROGRESS = 16
    OTHER_REASON = 250


_DATA_RESULTS: Final[dict[int, DataAccessResult]] = {int(r): r for r in DataAccessResult}
_ACTION_RESULTS: Final[dict[int, ActionResult]] = {int(r): r for r in ActionResult}

#: What a GET yields for one attribute: its value, or why there is none.
GetResult = Data | DataAccessResult


@quick
@dataclass(frozen=True, slots=True)
class Descriptor:
    """One attribute or method of one COSEM object.

    Attributes:
        class_id: Interface class, 16 bits.
        obis: Logical name, six octets.
        index: Attribute or method, an octet.
    """

    class_id: int
    obis: bytes
    index: int


@quick
@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute to read or write, or a part of it.

    Attributes:
        descriptor: Which attribute.
        selection: Which part of it; None is all of it.
    """

    descriptor: Descriptor
    selection: Selection | None = None


@dataclass(frozen=True, slots=True)
class DataBlock:
    """One piece of a value that is too long for one APDU (DataBlock-SA; DataBlock-G with data).

    Attributes:
        last: No block follows.
        number: 32 bits, from 1.
        octets: The piece; cut anywhere, so only all pieces together can be decoded.
    """

    last: bool
    number: int
    octets: bytes


def is_confirmed(invoke: int) -> bool:
    """Say whether the sender of an invoke-id-and-priority octet awaits an answer (bit 6).

    Source:
        IEC 62056-5-3 Invoke-Id-And-Priority: bits 0-3 invoke id, 6 service class, 7 priority.
    """
    return bool(invoke & _CONFIRMED)


def begin(reader: Reader, tag: int, choices: Collection[int]) -> tuple[int, int]:
    """Read APDU tag, choice and invoke-id-and-priority; return the last two."""
    data, at = reader.data, reader.at
    if at + 3 <= reader.end and data[at] == tag and data[at + 1] in choices:
        reader.at = at + 3
        return data[at + 1], data[at + 2]
    reader.expect(bytes((tag,)), "APDU tag")
    choice = reader.u8()
    if choice not in choices:
        reader.fail(f"choice {choice} is not known", reader.at - 1)
    return choice, reader.u8()


def opening(tag: int, choice: int, invoke: int) -> bytearray:
    """Return APDU tag, choice and invoke-id-and-priority.

    Raises:
        ValueError: ``invoke`` does not fit an octet.
    """
    if not 0 <= invoke < 256:
        raise ValueError(f"invoke-id-and-priority {invoke} does not fit an octet")
    return bytearray((tag, choice, invoke))


def read_list(reader: Reader, read_item: Callable[[Reader], Item]) -> tuple[Item, ...]:
    """Read a SEQUENCE OF: a count and so many items."""
    return tuple([read_item(reader) for _ in range(reader.length())])


def write_list(
    out: bytearray, items: tuple[Item, ...], write_item: Callable[[bytearray, Item], None]
) -> None:
    """Append a SEQUENCE OF.

    Raises:
        ValueError: More than 65,535 items, or one that does not fit.
    """
    out += encode_length(len(items))
    for item in items:
        write_item(out, item)


def read_flag(reader: Reader, what: str) -> bool:
    """Read an A-XDR BOOLEAN or usage flag: 00, 01 or FF."""
    octet = reader.u8()
    if octet and octet not in _TRUE:
        reader.fail(f"{what} is neither 00 nor 01 nor ff", reader.at - 1)
    return octet != 0


def read_presence(reader: Reader, what: str) -> bool:
    """Read the usage flag of an OPTIONAL part: 00 or 01."""
    octet = reader.u8()
    if octet > _PRESENT:
        reader.fail(f"usage flag of {what} is neither 00 nor 01", reader.at - 1)
    return octet == _PRESENT


def read_descriptor(reader: Reader) -> Descriptor:
    """Read class, logical name and index, nine octets."""
    at, after = reader.at, reader.at + _DESCRIPTOR.size
    if after > reader.end:  # says which of them is cut
        return Descriptor(reader.unsigned(2), reader.take(6), reader.u8())
    reader.at = after
    return Descriptor(*_DESCRIPTOR.unpack_from(reader.data, at))


def write_descriptor(out: bytearray, descriptor: Descriptor) -> None:
    """Append a descriptor.

    Raises:
        ValueError: A field does not fit.
    """
    class_id, obis, index = descriptor.class_id, descriptor.obis, descriptor.index
    if not 0 <= class_id <= MAX_LENGTH or not 0 <= index < 256 or len(obis) != 6:
        raise ValueError(f"no descriptor: {descriptor!r}")
    out += _DESCRIPTOR.pack(class_id, obis, index)


def read_attribute(reader: Reader) -> Attribute:
    """Read a descriptor and its access selection, present or not."""
    descriptor = read_descriptor(reader)
    if not read_presence(reader, "access selection"):
        return Attribute(descriptor)
    return Attribute(descriptor, Selection(reader.u8(), axdr.read(reader)))


def write_attribute(out: bytearray, attribute: Attribute) -> None:
    """Append a descriptor and its access selection.

    Raises:
        ValueError: A field does not fit.
    """
    write_descriptor(out, attribute.descriptor)
    if attribute.selection is None:
        out.append(_ABSENT)
        return
    if not 0 <= attribute.selection.selector < 256:
        raise ValueError(f"selector {attribute.selection.selector} does not fit an octet")
    out += bytes((_PRESENT, attribute.selection.selector))
    axdr.write(out, attribute.selection.parameters)


def read_data_result(reader: Reader) -> DataAccessResult:
    """Read a data-access result; numbers the standard does not assign are refused."""
    result = _DATA_RESULTS.get(reader.u8())
    if result is None:
        reader.fail("data-access result is not assigned", reader.at - 1)
    return result


def read_action_result(reader: Reader) -> ActionResult:
    """Read an action result; numbers the standard does not assign are refused."""
    result = _ACTION_RESULTS.get(reader.u8())
    if result is None:
        reader.fail("action result is not assigned", reader.at - 1)
    return result


def write_result(out: bytearray, result: DataAccessResult | ActionResult) -> None:
    """Append a result octet."""
    out.append(result)


def read_get_result(reader: Reader) -> GetResult:
    """Read a Get-Data-Result: 00 and a value, or 01 and a data-access result."""
    choice = reader.u8()
    if choice > 1:
        reader.fail("result choice is neither data nor a result", reader.at - 1)
    return read_data_result(reader) if choice else axdr.read(reader)


def write_get_result(out: bytearray, result: GetResult) -> None:
    """Append a Get-Data-Result.

    Raises:
        ValueError: The value does not fit its type.
    """
    if isinstance(result, DataAccessResult):
        out += bytes((1, result))
    else:
        out.append(0)
        axdr.write(out, result)


def read_block_number(reader: Reader) -> int:
    """Read a block number, 32 bits."""
    return reader.unsigned(4)


def block_number_octets(number: int) -> bytes:
    """Return the four octets of a block number.

    Raises:
        ValueError: It does not fit 32 bits.
    """
    if not 0 <= number <= _MAX_BLOCK_NUMBER:
        raise ValueError(f"block number {number} does not fit 32 bits")
    return number.to_bytes(4, "big")


def read_block(reader: Reader) -> DataBlock:
    """Read a DataBlock-SA: last-block flag, number, octets."""
    last, number = read_flag(reader, "last-block"), read_block_number(reader)
    return DataBlock(last, number, reader.take(reader.length()))


def write_block(out: bytearray, block: DataBlock) -> None:
    """Append a DataBlock-SA.

    Raises:
        ValueError: The number or the octets do not fit.
    """
    out.append(block.last)
    out += block_number_octets(block.number) + encode_length(len(block.octets)) + block.octets
