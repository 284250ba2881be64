"""The argument and answer of get_protected_attributes (class 30, method 1) as GBCS uses them."""

from dataclasses import dataclass
from typing import Final, NoReturn

from emulator.codecs.common import Reader
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.core.ids import Eui64

_LAYER: Final = "dlms.protected_attributes"
#: First octet of the transaction id: the key is one for encryption. Source: gbcs.md section 7.
ENCRYPTION: Final = 0x04
_KIND: Final = Data(Tag.ENUM, 2)
_EMPTY: Final = axdr.octets(b"")
_KEY: Final = axdr.structure(_KIND, axdr.structure(axdr.octets(b"\x02"), _EMPTY))


@dataclass(frozen=True, slots=True)
class AttributeReference:
    """One attribute that is asked for.

    Attributes:
        class_id: Interface class.
        obis: Logical name, six octets.
        attribute: Attribute index.
        begin: First moment wanted, a date-time of 12 octets; None for all there is.
        end: Last moment wanted, likewise.
    """

    class_id: int
    obis: bytes
    attribute: int
    begin: bytes | None = None
    end: bytes | None = None


@dataclass(frozen=True, slots=True)
class ProtectionParameters:
    """Between whom and under which counter an answer is encrypted.

    Attributes:
        counter: Originator counter of the command.
        originator: Who speaks.
        recipient: Who is spoken to.
    """

    counter: int
    originator: Eui64
    recipient: Eui64


@dataclass(frozen=True, slots=True)
class ProtectedRequest:
    """What get_protected_attributes is asked.

    Attributes:
        references: The attributes, in order.
        parameters: How the answer is to be protected.
    """

    references: tuple[AttributeReference, ...]
    parameters: ProtectionParameters


def read_request(data: Data) -> ProtectedRequest:
    """Read the method's argument.

    Raises:
        MalformedFrameError: Layer ``dlms.protected_attributes``: it has another layout.

    Source:
        Layout of the 21 protected reads of the RTDS 4.5.0 messages at hand.
    """
    references, parameters = _items(data, Tag.STRUCTURE, 2)
    wanted = tuple([_reference(item) for item in _items(references, Tag.ARRAY)])
    (one,) = _items(parameters, Tag.ARRAY, 1)
    return ProtectedRequest(wanted, _parameters(one))


def answer_data(parameters: ProtectionParameters, block: bytes) -> Data:
    """Return the method's answer: how it is protected, and the encrypted block."""
    shown = Data(Tag.ARRAY, (_written(parameters),))
    return axdr.structure(shown, axdr.octets(block))


def request_data(request: ProtectedRequest) -> Data:
    """Return the method's argument."""
    references = tuple([_written_reference(one) for one in request.references])
    parameters = Data(Tag.ARRAY, (_written(request.parameters),))
    return axdr.structure(Data(Tag.ARRAY, references), parameters)


def _reference(data: Data) -> AttributeReference:
    class_id, obis, attribute, data_index, restriction = _items(data, Tag.STRUCTURE, 5)
    kind, span = _items(restriction, Tag.STRUCTURE, 2)
    if data_index.value != 0 or len(_octets(obis)) != 6:
        _refuse(data, "a reference names a whole attribute by a logical name of six octets")
    begin = end = None
    if kind.value == 1:
        begin, end = (_octets(item, 12) for item in _items(span, Tag.STRUCTURE, 2))
    elif kind.value != 0 or span.tag is not Tag.NULL:
        _refuse(data, "a restriction is none or by date")
    return AttributeReference(_number(class_id), _octets(obis), _number(attribute), begin, end)


def _written_reference(one: AttributeReference) -> Data:
    restriction = axdr.structure(Data(Tag.ENUM, 0), NULL)
    if one.begin is not None and one.end is not None:
        span = axdr.structure(axdr.octets(one.begin), axdr.octets(one.end))
        restriction = axdr.structure(Data(Tag.ENUM, 1), span)
    return axdr.structure(
        axdr.uint16(one.class_id),
        axdr.octets(one.obis),
        Data(Tag.INT8, one.attribute),
        axdr.uint16(0),
        restriction,
    )


def _parameters(data: Data) -> ProtectionParameters:
    kind, options = _items(data, Tag.STRUCTURE, 2)
    transaction, originator, recipient, other, key = _items(options, Tag.STRUCTURE, 5)
    plain = _octets(transaction)
    if len(plain) != 9 or plain[0] != ENCRYPTION:
        _refuse(data, "a transaction id is 04 and a counter of eight octets")
    if (kind, other, key) != (_KIND, _EMPTY, _KEY):
        _refuse(data, "protection is encryption under an agreed key")
    return ProtectionParameters(
        int.from_bytes(plain[1:], "big"),
        Eui64(_octets(originator, 8)),
        Eui64(_octets(recipient, 8)),
    )


def _written(parameters: ProtectionParameters) -> Data:
    transaction = bytes((ENCRYPTION,)) + parameters.counter.to_bytes(8, "big")
    options = axdr.structure(
        axdr.octets(transaction),
        axdr.octets(parameters.originator.octets),
        axdr.octets(parameters.recipient.octets),
        _EMPTY,
        _KEY,
    )
    return axdr.structure(_KIND, options)


def _items(data: Data, tag: Tag, count: int | None = None) -> tuple[Data, ...]:
    items = data.value
    if data.tag is not tag or not isinstance(items, tuple):
        _refuse(data, f"{tag.name} is due, not {data.tag.name}")
    if count is not None and len(items) != count:
        _refuse(data, f"{count} elements are due, not {len(items)}")
    return items


def _octets(data: Data, count: int | None = None) -> bytes:
    value = data.value
    if data.tag is not Tag.OCTETS or not isinstance(value, bytes):
        _refuse(data, "an octet-string is due")
    if count is not None and len(value) != count:
        _refuse(data, f"{count} octets are due, not {len(value)}")
    return value


def _number(data: Data) -> int:
    if not isinstance(data.value, int):
        _refuse(data, "a number is due")
    return data.value


def _refuse(data: Data, why: str) -> NoReturn:
    Reader(_LAYER, axdr.encode(data)).fail(why)
