"""DLMS access APDUs as a construct declaration: the reference for the fast path in ``access``.

It has no limit of depth, so it is for tests and not for hostile octets.
"""

from collections.abc import Callable
from typing import Any, Final

from construct import (
    Bytes,
    Check,
    Const,
    Construct,
    ConstructError,
    If,
    Int8ub,
    Int16ub,
    Int32ub,
    PrefixedArray,
    Struct,
    Terminated,
    len_,
    this,
)

from emulator.codecs.dlms.access import (
    AccessItem,
    AccessRequest,
    AccessResponse,
    AccessResult,
    DataNotification,
    Operation,
    Selection,
)
from emulator.codecs.dlms.declaration_data import DATA, UNFIT
from emulator.codecs.dlms.declaration_parts import Listed, Member
from emulator.codecs.gbcs.envelope_declaration import BerLength
from emulator.core.errors import MalformedFrameError

Apdu = AccessRequest | AccessResponse | DataNotification

_SPECIFICATION: Final = Struct(
    "operation" / Member(Operation),
    "class_id" / Int16ub,
    "obis" / Bytes(6),
    "index" / Int8ub,
    "selector" / If(this.operation == Operation.GET_SELECTED, Int8ub),
    "parameters" / If(this.operation == Operation.GET_SELECTED, DATA),
)
_RESULT: Final = Struct(
    "operation" / Member(Operation),
    Check(this.operation != Operation.GET_SELECTED),
    "result" / Int8ub,
)
_REQUEST: Final = Struct(
    Const(b"\xd9"),
    "invoke_id" / Int32ub,
    Const(b"\x00"),  # no date-time
    "specifications" / PrefixedArray(BerLength(), _SPECIFICATION),
    "data" / Listed(DATA),
    Check(len_(this.data) == len_(this.specifications)),
    Terminated,
)
_RESPONSE: Final = Struct(
    Const(b"\xda"),
    "invoke_id" / Int32ub,
    Const(b"\x00\x00"),  # no date-time, no echo of the request
    "data" / Listed(DATA),
    "results" / PrefixedArray(BerLength(), _RESULT),
    Check(len_(this.data) == len_(this.results)),
    Terminated,
)
_NOTIFICATION: Final = Struct(
    Const(b"\x0f"), "invoke_id" / Int32ub, Const(b"\x00"), "body" / DATA, Terminated
)


def _request(raw: Any) -> AccessRequest:
    pairs = zip(raw.specifications, raw.data, strict=True)
    return AccessRequest(raw.invoke_id, tuple(_item(row, value) for row, value in pairs))


def _item(raw: Any, value: Any) -> AccessItem:
    chosen = None if raw.parameters is None else Selection(raw.selector, raw.parameters)
    return AccessItem(raw.operation, raw.class_id, raw.obis, raw.index, value, chosen)


def _response(raw: Any) -> AccessResponse:
    pairs = zip(raw.results, raw.data, strict=True)
    results = tuple(AccessResult(row.operation, row.result, value) for row, value in pairs)
    return AccessResponse(raw.invoke_id, results)


def _notification(raw: Any) -> DataNotification:
    return DataNotification(raw.invoke_id, raw.body)


_APDUS: Final[dict[int, tuple[Construct, Callable[[Any], Apdu]]]] = {
    0xD9: (_REQUEST, _request),
    0xDA: (_RESPONSE, _response),
    0x0F: (_NOTIFICATION, _notification),
}


def decode(data: bytes) -> Apdu:
    """Decode an APDU of the kind its first octet says, by the declaration.

    Raises:
        MalformedFrameError: Layer ``dlms.apdu``; the offset is not known here.
    """
    try:
        form, made_of = _APDUS[data[0]]
        return made_of(form.parse(data))
    except (ConstructError, IndexError, KeyError) as error:
        raise MalformedFrameError("dlms.apdu", data, str(error)) from error


def encode(apdu: Apdu) -> bytes:
    """Encode an APDU by the declaration.

    Raises:
        ValueError: A field does not fit, or a selection is missing or out of place.
    """
    try:
        octets: bytes = _form_of(apdu).build(_raw(apdu))
    except UNFIT as error:
        raise ValueError(str(error)) from error
    return octets


def _form_of(apdu: Apdu) -> Construct:
    if isinstance(apdu, AccessRequest):
        return _REQUEST
    return _RESPONSE if isinstance(apdu, AccessResponse) else _NOTIFICATION


def _raw(apdu: Apdu) -> dict[str, Any]:
    if isinstance(apdu, AccessRequest):
        rows = [_raw_item(item) for item in apdu.items]
        data = tuple(item.data for item in apdu.items)
        return {"invoke_id": apdu.invoke_id, "specifications": rows, "data": data}
    if isinstance(apdu, AccessResponse):
        rows = [{"operation": row.operation, "result": row.result} for row in apdu.results]
        data = tuple(row.data for row in apdu.results)
        return {"invoke_id": apdu.invoke_id, "data": data, "results": rows}
    return {"invoke_id": apdu.invoke_id, "body": apdu.body}


def _raw_item(item: AccessItem) -> dict[str, Any]:
    chosen = item.selection
    if (chosen is None) is (item.operation is Operation.GET_SELECTED):
        raise ConstructError("a selection is missing or out of place")
    return {
        "operation": item.operation,
        "class_id": item.class_id,
        "obis": item.obis,
        "index": item.index,
        "selector": None if chosen is None else chosen.selector,
        "parameters": None if chosen is None else chosen.parameters,
    }
