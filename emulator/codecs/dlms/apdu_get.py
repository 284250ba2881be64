"""GET: reading of attributes, in all forms of request and response."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.common import Reader, encode_length
from emulator.codecs.dlms import apdu_parts as parts
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, DataBlock, GetResult
from emulator.core.values import quick

REQUEST_TAG: Final = 0xC0
RESPONSE_TAG: Final = 0xC4
_REQUEST_LAYER: Final = "dlms.get_request"
_RESPONSE_LAYER: Final = "dlms.get_response"
_NORMAL: Final = 1
_NEXT: Final = 2
_BLOCK: Final = 2
_LIST: Final = 3
_CHOICES: Final = (1, 2, 3)


@quick
@dataclass(frozen=True, slots=True)
class GetRequest:
    """A wish to read one attribute.

    Attributes:
        invoke: Invoke-id-and-priority, an octet.
        attribute: What to read.
    """

    invoke: int
    attribute: Attribute


@dataclass(frozen=True, slots=True)
class GetNextRequest:
    """A wish for the block after ``number``, which is thereby acknowledged."""

    invoke: int
    number: int


@quick
@dataclass(frozen=True, slots=True)
class GetListRequest:
    """A wish to read several attributes."""

    invoke: int
    attributes: tuple[Attribute, ...]


@quick
@dataclass(frozen=True, slots=True)
class GetResponse:
    """The answer to one attribute."""

    invoke: int
    result: GetResult


@dataclass(frozen=True, slots=True)
class GetBlockResponse:
    """One block of a long answer.

    The octets of all blocks are one value (answer to one attribute, without the choice octet) or
    a list of Get-Data-Results (answer to a list).
    """

    invoke: int
    block: DataBlock


@dataclass(frozen=True, slots=True)
class GetFailedBlockResponse:
    """The end of a long answer by a failure in place of a block.

    Attributes:
        invoke: Invoke-id-and-priority of the request.
        last: As sent; ends the transfer and is true.
        number: Block number the failure belongs to.
        result: Why no block comes.
    """

    invoke: int
    last: bool
    number: int
    result: DataAccessResult


@quick
@dataclass(frozen=True, slots=True)
class GetListResponse:
    """The answers to several attributes, in the order of the request."""

    invoke: int
    results: tuple[GetResult, ...]


AnyGetRequest = GetRequest | GetNextRequest | GetListRequest
AnyGetResponse = GetResponse | GetBlockResponse | GetFailedBlockResponse | GetListResponse


def decode_request(data: bytes) -> AnyGetRequest:
    """Decode a get-request, tag 0xC0 first.

    Raises:
        MalformedFrameError: Layer ``dlms.get_request``; an unknown choice, a wrong usage flag,
            malformed selection parameters, truncation, trailing octets.

    Source:
        IEC 62056-5-3 Get-Request; layout checked against two public renderings of its ASN.1.
    """
    reader = Reader(_REQUEST_LAYER, data)
    choice, invoke = parts.begin(reader, REQUEST_TAG, _CHOICES)
    request: AnyGetRequest
    if choice == _NORMAL:
        request = GetRequest(invoke, parts.read_attribute(reader))
    elif choice == _NEXT:
        request = GetNextRequest(invoke, parts.read_block_number(reader))
    else:
        request = GetListRequest(invoke, parts.read_list(reader, parts.read_attribute))
    reader.finish()
    return request


def encode_request(request: AnyGetRequest) -> bytes:
    """Encode a get-request.

    Raises:
        ValueError: A field does not fit.
    """
    if isinstance(request, GetRequest):
        out = parts.opening(REQUEST_TAG, _NORMAL, request.invoke)
        parts.write_attribute(out, request.attribute)
    elif isinstance(request, GetNextRequest):
        out = parts.opening(REQUEST_TAG, _NEXT, request.invoke)
        out += parts.block_number_octets(request.number)
    else:
        out = parts.opening(REQUEST_TAG, _LIST, request.invoke)
        parts.write_list(out, request.attributes, parts.write_attribute)
    return bytes(out)


def decode_response(data: bytes) -> AnyGetResponse:
    """Decode a get-response, tag 0xC4 first.

    Raises:
        MalformedFrameError: Layer ``dlms.get_response``; an unknown choice or result, a malformed
            value, truncation, trailing octets.

    Source:
        IEC 62056-5-3 Get-Response; the normal form checked on the golden frame of reference
        serial-dlms.md section 5.
    """
    reader = Reader(_RESPONSE_LAYER, data)
    choice, invoke = parts.begin(reader, RESPONSE_TAG, _CHOICES)
    response: AnyGetResponse
    if choice == _NORMAL:
        response = GetResponse(invoke, parts.read_get_result(reader))
    elif choice == _BLOCK:
        response = _read_block_response(reader, invoke)
    else:
        response = GetListResponse(invoke, parts.read_list(reader, parts.read_get_result))
    reader.finish()
    return response


def _read_block_response(reader: Reader, invoke: int) -> GetBlockResponse | GetFailedBlockResponse:
    last, number = parts.read_flag(reader, "last-block"), parts.read_block_number(reader)
    if parts.read_presence(reader, "a failure in place of the block"):
        return GetFailedBlockResponse(invoke, last, number, parts.read_data_result(reader))
    return GetBlockResponse(invoke, DataBlock(last, number, reader.take(reader.length())))


def encode_response(response: AnyGetResponse) -> bytes:
    """Encode a get-response.

    Raises:
        ValueError: A field does not fit.
    """
    if isinstance(response, GetResponse):
        out = parts.opening(RESPONSE_TAG, _NORMAL, response.invoke)
        parts.write_get_result(out, response.result)
    elif isinstance(response, GetListResponse):
        out = parts.opening(RESPONSE_TAG, _LIST, response.invoke)
        parts.write_list(out, response.results, parts.write_get_result)
    elif isinstance(response, GetBlockResponse):
        block = response.block
        out = parts.opening(RESPONSE_TAG, _BLOCK, response.invoke)
        out += bytes((block.last,)) + parts.block_number_octets(block.number) + b"\0"
        out += encode_length(len(block.octets)) + block.octets
    else:
        out = parts.opening(RESPONSE_TAG, _BLOCK, response.invoke)
        out += bytes((response.last,)) + parts.block_number_octets(response.number)
        out += bytes((1, response.result))
    return bytes(out)


def decode_results(data: bytes) -> tuple[GetResult, ...]:
    """Decode the joined blocks of a long answer to a list: a count and Get-Data-Results.

    Raises:
        MalformedFrameError: Layer ``dlms.get_response``; as ``decode_response``.
    """
    reader = Reader(_RESPONSE_LAYER, data)
    results = parts.read_list(reader, parts.read_get_result)
    reader.finish()
    return results


def encode_results(results: tuple[GetResult, ...]) -> bytes:
    """Encode what a long answer to a list cuts into blocks.

    Raises:
        ValueError: A value does not fit its type.
    """
    out = bytearray()
    parts.write_list(out, results, parts.write_get_result)
    return bytes(out)
