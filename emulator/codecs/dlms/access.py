"""DLMS access-request and access-response: what GBCS does to COSEM objects, and the answers."""

import enum
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from emulator.codecs.common import MAX_LENGTH, Reader, encode_length
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import NULL, Data
from emulator.core.values import quick

_REQUEST_LAYER: Final = "dlms.access_request"
_RESPONSE_LAYER: Final = "dlms.access_response"
_NOTIFICATION_LAYER: Final = "dlms.data_notification"
_REQUEST: Final = b"\xd9"
_RESPONSE: Final = b"\xda"
_NOTIFICATION: Final = b"\x0f"
_NO_DATE_TIME: Final = b"\x00"
_NO_ECHO: Final = b"\x00"


class Operation(enum.IntEnum):
    """The four choices of an access specification."""

    GET = 1
    SET = 2
    ACTION = 3
    GET_SELECTED = 4


_OPERATIONS: Final[dict[int, Operation]] = {int(choice): choice for choice in Operation}

#: Access results seen: success, hardware fault (the first failing item), other reason (the rest).
SUCCESS: Final = 0
HARDWARE_FAULT: Final = 1
OTHER_REASON: Final = 250

_OBIS_TEXT: Final = re.compile(r"(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which part of an attribute a GET_SELECTED wants.

    Attributes:
        selector: Access selector, an octet.
        parameters: Its parameters.
    """

    selector: int
    parameters: Data


@quick
@dataclass(frozen=True, slots=True)
class AccessItem:
    """One thing to do: a specification and its data.

    Attributes:
        operation: What to do.
        class_id: COSEM interface class, 16 bits.
        obis: Logical name, six octets.
        index: Attribute or method index, an octet.
        data: Value to set or argument of the method; NULL for a get.
        selection: Given for GET_SELECTED alone.
    """

    operation: Operation
    class_id: int
    obis: bytes
    index: int
    data: Data = NULL
    selection: Selection | None = None


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """An access-request APDU.

    Attributes:
        invoke_id: Long invoke id and priority, 32 bits.
        items: What to do, in order; at most 65,535.
    """

    invoke_id: int
    items: tuple[AccessItem, ...]


@quick
@dataclass(frozen=True, slots=True)
class AccessResult:
    """The answer to one item.

    Attributes:
        operation: The operation answered; GET also for GET_SELECTED.
        result: Data-access or action result, an octet; 0 is success.
        data: What was read or returned; NULL otherwise.
    """

    operation: Operation
    result: int = SUCCESS
    data: Data = field(default=NULL)


@dataclass(frozen=True, slots=True)
class AccessResponse:
    """An access-response APDU, request not echoed.

    Attributes:
        invoke_id: As in the request.
        results: One answer an item, in order.
    """

    invoke_id: int
    results: tuple[AccessResult, ...]


@dataclass(frozen=True, slots=True)
class DataNotification:
    """A data-notification APDU; GBCS alerts are of this form.

    Attributes:
        invoke_id: Long invoke id and priority, 32 bits.
        body: What is notified.
    """

    invoke_id: int
    body: Data


@lru_cache(maxsize=1024)
def print_obis(obis: bytes) -> str:
    """Print a logical name as ``0-0:0.2.1.255``."""
    a, b, c, d, e, f = obis
    return f"{a}-{b}:{c}.{d}.{e}.{f}"


@lru_cache(maxsize=1024)
def parse_obis(text: str) -> bytes:
    """Return the six octets of a logical name written as ``0-0:0.2.1.255``.

    Raises:
        ValueError: It is not written so, or a value exceeds 255.
    """
    match = _OBIS_TEXT.fullmatch(text)
    if match is None:
        raise ValueError(f"not a logical name: {text!r} (write it like 0-0:0.2.1.255)")
    return bytes(int(value) for value in match.groups())


def decode_request(data: bytes) -> AccessRequest:
    """Decode an access-request, tag 0xD9 first.

    Raises:
        MalformedFrameError: Layer ``dlms.access_request``; unknown choice, a date-time, unequal
            numbers of specifications and data, malformed data, truncation, trailing octets.

    Source:
        IEC 62056-5-3 access service with the choices of reference gbcs.md section 7; checked on
        every access-request of the RTDS 4.5.0 messages at hand.
    """
    reader = Reader(_REQUEST_LAYER, data)
    invoke_id = _begin(reader, _REQUEST)
    specifications = [_read_specification(reader) for _ in range(reader.length())]
    if reader.length() != len(specifications):
        reader.fail("as many data as specifications are due", reader.at - 1)
    items = tuple(
        [
            AccessItem(operation, class_id, obis, index, _read_data(reader), selection)
            for operation, class_id, obis, index, selection in specifications
        ]
    )
    reader.finish()
    return AccessRequest(invoke_id, items)


def _read_data(reader: Reader) -> Data:
    """Read a value; that of a get's specification, and of a set's answer, is NULL."""
    at = reader.at
    if at < reader.end and not reader.data[at]:
        reader.at = at + 1
        return NULL
    return axdr.read(reader)


def _begin(reader: Reader, tag: bytes) -> int:
    reader.expect(tag, "APDU tag")
    invoke_id = reader.unsigned(4)
    reader.expect(_NO_DATE_TIME, "date-time length")
    return invoke_id


_Specification = tuple[Operation, int, bytes, int, Selection | None]


def _read_specification(reader: Reader) -> _Specification:
    """Read a specification; what is wrong is said by the readers of its parts."""
    at, data = reader.at, reader.data
    operation = _OPERATIONS.get(data[at]) if at + 10 <= reader.end else None
    if operation is None:
        operation = _read_operation(reader)
        class_id, obis, index = reader.unsigned(2), reader.take(6), reader.u8()
    else:
        class_id, obis, index = (
            data[at + 1] << 8 | data[at + 2],
            data[at + 3 : at + 9],
            data[at + 9],
        )
        reader.at = at + 10
    if operation is Operation.GET_SELECTED:
        return operation, class_id, obis, index, Selection(reader.u8(), axdr.read(reader))
    return operation, class_id, obis, index, None


def _read_operation(reader: Reader) -> Operation:
    operation = _OPERATIONS.get(reader.u8())
    if operation is None:
        reader.fail("access choice is not 1 to 4", reader.at - 1)
    return operation


def encode_request(request: AccessRequest) -> bytes:
    """Encode an access-request.

    Raises:
        ValueError: A field does not fit, or a selection is missing or out of place.
    """
    out = _opening(_REQUEST, request.invoke_id)
    out += encode_length(len(request.items))
    for item in request.items:
        _write_specification(out, item)
    out += encode_length(len(request.items))
    for item in request.items:
        axdr.write(out, item.data)
    return bytes(out)


def _opening(tag: bytes, invoke_id: int) -> bytearray:
    if not 0 <= invoke_id < 1 << 32:
        raise ValueError(f"invoke id {invoke_id} does not fit 32 bits")
    return bytearray(tag + invoke_id.to_bytes(4, "big") + _NO_DATE_TIME)


def _write_specification(out: bytearray, item: AccessItem) -> None:
    fits = 0 <= item.class_id <= MAX_LENGTH and len(item.obis) == 6 and 0 <= item.index < 256
    if not fits or (item.selection is None) is (item.operation is Operation.GET_SELECTED):
        raise ValueError(f"no access specification: {item!r}")
    out.append(item.operation)
    out += item.class_id.to_bytes(2, "big") + item.obis
    out.append(item.index)
    if item.selection is not None:
        out.append(item.selection.selector)
        axdr.write(out, item.selection.parameters)


def decode_response(data: bytes) -> AccessResponse:
    """Decode an access-response, tag 0xDA first.

    Raises:
        MalformedFrameError: Layer ``dlms.access_response``; a date-time or an echo of the
            request, unequal numbers of data and results, malformed data, an answer to choice 4,
            truncation, trailing octets.

    Source:
        As ``decode_request``; checked on every access-response of the messages at hand.
    """
    reader = Reader(_RESPONSE_LAYER, data)
    invoke_id = _begin(reader, _RESPONSE)
    reader.expect(_NO_ECHO, "request echo")
    values = [_read_data(reader) for _ in range(reader.length())]
    if reader.length() != len(values):
        reader.fail("as many results as data are due", reader.at - 1)
    results = tuple([_read_result(reader, value) for value in values])
    reader.finish()
    return AccessResponse(invoke_id, results)


def _read_result(reader: Reader, value: Data) -> AccessResult:
    operation = _read_operation(reader)
    if operation is Operation.GET_SELECTED:
        reader.fail("choice 4 is answered with choice 1", reader.at - 1)
    return AccessResult(operation, reader.u8(), value)


def encode_response(response: AccessResponse) -> bytes:
    """Encode an access-response.

    Raises:
        ValueError: A field does not fit.
    """
    out = _opening(_RESPONSE, response.invoke_id)
    out += _NO_ECHO + encode_length(len(response.results))
    for result in response.results:
        axdr.write(out, result.data)
    out += encode_length(len(response.results))
    for result in response.results:
        if result.operation is Operation.GET_SELECTED:
            raise ValueError("choice 4 is answered with choice 1")
        out += bytes((result.operation, result.result))
    return bytes(out)


def decode_notification(data: bytes) -> DataNotification:
    """Decode a data-notification, tag 0x0F first.

    Raises:
        MalformedFrameError: Layer ``dlms.data_notification``; a date-time, malformed data,
            truncation, trailing octets.

    Source:
        As ``decode_request``; checked on every data-notification of the messages at hand.
    """
    reader = Reader(_NOTIFICATION_LAYER, data)
    invoke_id = _begin(reader, _NOTIFICATION)
    body = axdr.read(reader)
    reader.finish()
    return DataNotification(invoke_id, body)


def encode_notification(notification: DataNotification) -> bytes:
    """Encode a data-notification.

    Raises:
        ValueError: A field does not fit.
    """
    out = _opening(_NOTIFICATION, notification.invoke_id)
    axdr.write(out, notification.body)
    return bytes(out)
