"""SET: writing of attributes, in all forms of request and response."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.common import Reader
from emulator.codecs.dlms import apdu_parts as parts
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, DataBlock
from emulator.codecs.dlms.axdr import Data
from emulator.core.values import quick

REQUEST_TAG: Final = 0xC1
RESPONSE_TAG: Final = 0xC5
_REQUEST_LAYER: Final = "dlms.set_request"
_RESPONSE_LAYER: Final = "dlms.set_response"
_NORMAL: Final = 1
_FIRST_BLOCK: Final = 2
_BLOCK: Final = 3
_LIST: Final = 4
_LIST_FIRST_BLOCK: Final = 5
_ACKNOWLEDGED: Final = 2
_LAST_ACKNOWLEDGED: Final = 3
_LAST_LIST_ACKNOWLEDGED: Final = 4
_LIST_RESULTS: Final = 5
_CHOICES: Final = (1, 2, 3, 4, 5)


@quick
@dataclass(frozen=True, slots=True)
class SetRequest:
    """A wish to write one attribute.

    Attributes:
        invoke: Invoke-id-and-priority, an octet.
        attribute: What to write.
        value: Its new value.
    """

    invoke: int
    attribute: Attribute
    value: Data


@dataclass(frozen=True, slots=True)
class SetFirstBlockRequest:
    """A wish to write one attribute, with the first block of its value."""

    invoke: int
    attribute: Attribute
    block: DataBlock


@dataclass(frozen=True, slots=True)
class SetBlockRequest:
    """A further block of what is written."""

    invoke: int
    block: DataBlock


@dataclass(frozen=True, slots=True)
class SetListRequest:
    """A wish to write several attributes; as many values as attributes."""

    invoke: int
    attributes: tuple[Attribute, ...]
    values: tuple[Data, ...]


@dataclass(frozen=True, slots=True)
class SetListFirstBlockRequest:
    """A wish to write several attributes, with the first block of the list of their values."""

    invoke: int
    attributes: tuple[Attribute, ...]
    block: DataBlock


@quick
@dataclass(frozen=True, slots=True)
class SetResponse:
    """The answer to one attribute."""

    invoke: int
    result: DataAccessResult


@dataclass(frozen=True, slots=True)
class SetBlockResponse:
    """Block ``number`` has come; the next is awaited."""

    invoke: int
    number: int


@dataclass(frozen=True, slots=True)
class SetLastBlockResponse:
    """The last block, ``number``, has come, and this became of the attribute."""

    invoke: int
    result: DataAccessResult
    number: int


@dataclass(frozen=True, slots=True)
class SetLastListBlockResponse:
    """The last block, ``number``, has come, and this became of the attributes."""

    invoke: int
    results: tuple[DataAccessResult, ...]
    number: int


@dataclass(frozen=True, slots=True)
class SetListResponse:
    """The answers to several attributes, in the order of the request."""

    invoke: int
    results: tuple[DataAccessResult, ...]


AnySetRequest = (
    SetRequest | SetFirstBlockRequest | SetBlockRequest | SetListRequest | SetListFirstBlockRequest
)
AnySetResponse = (
    SetResponse
    | SetBlockResponse
    | SetLastBlockResponse
    | SetLastListBlockResponse
    | SetListResponse
)


def decode_request(data: bytes) -> AnySetRequest:
    """Decode a set-request, tag 0xC1 first.

    Raises:
        MalformedFrameError: Layer ``dlms.set_request``; an unknown choice, a wrong usage flag,
            unequal numbers of attributes and values, malformed data, truncation, trailing octets.

    Source:
        IEC 62056-5-3 Set-Request; layout checked against two public renderings of its ASN.1.
    """
    reader = Reader(_REQUEST_LAYER, data)
    choice, invoke = parts.begin(reader, REQUEST_TAG, _CHOICES)
    request: AnySetRequest
    if choice == _NORMAL:
        request = SetRequest(invoke, parts.read_attribute(reader), axdr.read(reader))
    elif choice == _FIRST_BLOCK:
        attribute = parts.read_attribute(reader)
        request = SetFirstBlockRequest(invoke, attribute, parts.read_block(reader))
    elif choice == _BLOCK:
        request = SetBlockRequest(invoke, parts.read_block(reader))
    elif choice == _LIST:
        request = _read_list_request(reader, invoke)
    else:
        attributes = parts.read_list(reader, parts.read_attribute)
        request = SetListFirstBlockRequest(invoke, attributes, parts.read_block(reader))
    reader.finish()
    return request


def _read_list_request(reader: Reader, invoke: int) -> SetListRequest:
    attributes = parts.read_list(reader, parts.read_attribute)
    start = reader.at
    values = parts.read_list(reader, axdr.read)
    if len(values) != len(attributes):
        reader.fail("as many values as attributes are due", start)
    return SetListRequest(invoke, attributes, values)


def encode_request(request: AnySetRequest) -> bytes:
    """Encode a set-request.

    Raises:
        ValueError: A field does not fit, or attributes and values are not equally many.
    """
    if isinstance(request, SetRequest):
        out = parts.opening(REQUEST_TAG, _NORMAL, request.invoke)
        parts.write_attribute(out, request.attribute)
        axdr.write(out, request.value)
        return bytes(out)
    if isinstance(request, SetListRequest):
        return _encode_list_request(request)
    if isinstance(request, SetFirstBlockRequest):
        out = parts.opening(REQUEST_TAG, _FIRST_BLOCK, request.invoke)
        parts.write_attribute(out, request.attribute)
    elif isinstance(request, SetListFirstBlockRequest):
        out = parts.opening(REQUEST_TAG, _LIST_FIRST_BLOCK, request.invoke)
        parts.write_list(out, request.attributes, parts.write_attribute)
    else:
        out = parts.opening(REQUEST_TAG, _BLOCK, request.invoke)
    parts.write_block(out, request.block)
    return bytes(out)


def _encode_list_request(request: SetListRequest) -> bytes:
    if len(request.values) != len(request.attributes):
        raise ValueError("as many values as attributes are due")
    out = parts.opening(REQUEST_TAG, _LIST, request.invoke)
    parts.write_list(out, request.attributes, parts.write_attribute)
    parts.write_list(out, request.values, axdr.write)
    return bytes(out)


def decode_response(data: bytes) -> AnySetResponse:
    """Decode a set-response, tag 0xC5 first.

    Raises:
        MalformedFrameError: Layer ``dlms.set_response``; an unknown choice or result, truncation,
            trailing octets.

    Source:
        IEC 62056-5-3 Set-Response; layout checked against two public renderings of its ASN.1.
    """
    reader = Reader(_RESPONSE_LAYER, data)
    choice, invoke = parts.begin(reader, RESPONSE_TAG, _CHOICES)
    response: AnySetResponse
    if choice == _NORMAL:
        response = SetResponse(invoke, parts.read_data_result(reader))
    elif choice == _ACKNOWLEDGED:
        response = SetBlockResponse(invoke, parts.read_block_number(reader))
    elif choice == _LAST_ACKNOWLEDGED:
        result = parts.read_data_result(reader)
        response = SetLastBlockResponse(invoke, result, parts.read_block_number(reader))
    else:
        results = parts.read_list(reader, parts.read_data_result)
        if choice == _LIST_RESULTS:
            response = SetListResponse(invoke, results)
        else:
            number = parts.read_block_number(reader)
            response = SetLastListBlockResponse(invoke, results, number)
    reader.finish()
    return response


def encode_response(response: AnySetResponse) -> bytes:
    """Encode a set-response.

    Raises:
        ValueError: A field does not fit.
    """
    if isinstance(response, SetResponse):
        out = parts.opening(RESPONSE_TAG, _NORMAL, response.invoke)
        out.append(response.result)
    elif isinstance(response, SetBlockResponse):
        out = parts.opening(RESPONSE_TAG, _ACKNOWLEDGED, response.invoke)
        out += parts.block_number_octets(response.number)
    elif isinstance(response, SetLastBlockResponse):
        out = parts.opening(RESPONSE_TAG, _LAST_ACKNOWLEDGED, response.invoke)
        out.append(response.result)
        out += parts.block_number_octets(response.number)
    elif isinstance(response, SetLastListBlockResponse):
        out = parts.opening(RESPONSE_TAG, _LAST_LIST_ACKNOWLEDGED, response.invoke)
        parts.write_list(out, response.results, parts.write_result)
        out += parts.block_number_octets(response.number)
    else:
        out = parts.opening(RESPONSE_TAG, _LIST_RESULTS, response.invoke)
        parts.write_list(out, response.results, parts.write_result)
    return bytes(out)


def decode_values(data: bytes) -> tuple[Data, ...]:
    """Decode the joined blocks of a long list request (SET or ACTION): a count and values.

    Raises:
        MalformedFrameError: Layer ``dlms.set_request``; malformed data, truncation, trailing
            octets.
    """
    reader = Reader(_REQUEST_LAYER, data)
    values = parts.read_list(reader, axdr.read)
    reader.finish()
    return values


def encode_values(values: tuple[Data, ...]) -> bytes:
    """Encode what a long list request cuts into blocks.

    Raises:
        ValueError: A value does not fit its type.
    """
    out = bytearray()
    parts.write_list(out, values, axdr.write)
    return bytes(out)
