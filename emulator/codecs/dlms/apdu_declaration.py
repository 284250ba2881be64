"""xDLMS service APDUs as construct declarations: the reference for the hand-written codecs.

GET, SET, ACTION, initiate, exception response and data notification, all their choices; ciphered
frames are in ``ciphered_declaration``. The hand-written codecs are kept because values in them nest
and construct reads nested data some ten times slower (``benchmarks/bench_hdlc.py``); a test holds
both to the same values, octets and refusals. No limit of depth: not for hostile octets.
"""

from typing import Any, Final

from construct import (
    Adapter,
    Bytes,
    Check,
    Const,
    Construct,
    ConstructError,
    If,
    Int8ub,
    Int16ub,
    Int24ub,
    Int32ub,
    OneOf,
    Struct,
    Terminated,
    this,
)

from emulator.codecs.dlms import apdu_action as action
from emulator.codecs.dlms import apdu_exception, data_notification, initiate
from emulator.codecs.dlms import apdu_get as get
from emulator.codecs.dlms import apdu_set as set_
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_exception import ExceptionResponse, ServiceError, StateError
from emulator.codecs.dlms.apdu_parts import (
    ActionResult,
    Attribute,
    DataAccessResult,
    DataBlock,
    Descriptor,
)
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.data_notification import Notification
from emulator.codecs.dlms.declaration_data import DATA, UNFIT
from emulator.codecs.dlms.declaration_parts import (
    FLAG,
    OCTETS,
    Chosen,
    Listed,
    Member,
    Shaped,
    Usage,
)
from emulator.codecs.dlms.initiate import (
    ConfirmedServiceError,
    Conformance,
    InitiateRequest,
    InitiateResponse,
)
from emulator.core.errors import MalformedFrameError

_LAYER: Final = "dlms.apdu"
_DESCRIPTOR: Final = Shaped(Descriptor, "class_id" / Int16ub, "obis" / Bytes(6), "index" / Int8ub)
_ATTRIBUTE: Final = Shaped(
    Attribute,
    "descriptor" / _DESCRIPTOR,
    "selection" / Usage(Shaped(Selection, "selector" / Int8ub, "parameters" / DATA)),
)
_BLOCK: Final = Shaped(DataBlock, "last" / FLAG, "number" / Int32ub, "octets" / OCTETS)
_DATA_RESULT: Final = Member(DataAccessResult)
_GET_RESULT: Final = Chosen({0: (Data, DATA), 1: (DataAccessResult, _DATA_RESULT)})
_OUTCOME: Final = Shaped(
    action.MethodOutcome, "result" / Member(ActionResult), "returned" / Usage(_GET_RESULT)
)
_ATTRIBUTES: Final = Listed(_ATTRIBUTE)
_METHODS: Final = Listed(_DESCRIPTOR)


def _service(shape: type[Any], *parts: Construct) -> tuple[type[Any], Construct]:
    """Return one choice of a service: invoke-id-and-priority, then its own parts."""
    return shape, Shaped(shape, "invoke" / Int8ub, *parts)


class _GetBlock(Adapter):
    """Get-Response-With-Datablock: a block, or a failure in its place."""

    def _decode(self, obj: Any, context: Any, path: str) -> Any:
        if isinstance(obj.result, DataAccessResult):
            return get.GetFailedBlockResponse(obj.invoke, obj.last, obj.number, obj.result)
        return get.GetBlockResponse(obj.invoke, DataBlock(obj.last, obj.number, obj.result))

    def _encode(self, obj: Any, context: Any, path: str) -> dict[str, Any]:
        if isinstance(obj, get.GetFailedBlockResponse):
            last, number, result = obj.last, obj.number, obj.result
            return {"invoke": obj.invoke, "last": last, "number": number, "result": result}
        block = obj.block
        octets = block.octets
        return {"invoke": obj.invoke, "last": block.last, "number": block.number, "result": octets}


_GET_BLOCK: Final = _GetBlock(
    Struct(
        "invoke" / Int8ub,
        "last" / FLAG,
        "number" / Int32ub,
        "result" / Chosen({0: (bytes, OCTETS), 1: (DataAccessResult, _DATA_RESULT)}),
    )
)
_GET_REQUEST: Final = Chosen(
    {
        1: _service(get.GetRequest, "attribute" / _ATTRIBUTE),
        2: _service(get.GetNextRequest, "number" / Int32ub),
        3: _service(get.GetListRequest, "attributes" / _ATTRIBUTES),
    }
)
_GET_RESPONSE: Final = Chosen(
    {
        1: _service(get.GetResponse, "result" / _GET_RESULT),
        2: (get.GetBlockResponse | get.GetFailedBlockResponse, _GET_BLOCK),
        3: _service(get.GetListResponse, "results" / Listed(_GET_RESULT)),
    }
)
_SET_REQUEST: Final = Chosen(
    {
        1: _service(set_.SetRequest, "attribute" / _ATTRIBUTE, "value" / DATA),
        2: _service(set_.SetFirstBlockRequest, "attribute" / _ATTRIBUTE, "block" / _BLOCK),
        3: _service(set_.SetBlockRequest, "block" / _BLOCK),
        4: _service(
            set_.SetListRequest,
            "attributes" / _ATTRIBUTES,
            "values" / Listed(DATA),
            Check(lambda raw: len(raw["values"]) == len(raw.attributes)),
        ),
        5: _service(set_.SetListFirstBlockRequest, "attributes" / _ATTRIBUTES, "block" / _BLOCK),
    }
)
_SET_RESPONSE: Final = Chosen(
    {
        1: _service(set_.SetResponse, "result" / _DATA_RESULT),
        2: _service(set_.SetBlockResponse, "number" / Int32ub),
        3: _service(set_.SetLastBlockResponse, "result" / _DATA_RESULT, "number" / Int32ub),
        4: _service(
            set_.SetLastListBlockResponse, "results" / Listed(_DATA_RESULT), "number" / Int32ub
        ),
        5: _service(set_.SetListResponse, "results" / Listed(_DATA_RESULT)),
    }
)
_ACTION_REQUEST: Final = Chosen(
    {
        1: _service(action.ActionRequest, "method" / _DESCRIPTOR, "parameters" / Usage(DATA)),
        2: _service(action.ActionNextRequest, "number" / Int32ub),
        3: _service(
            action.ActionListRequest,
            "methods" / _METHODS,
            "parameters" / Listed(DATA),
            Check(lambda raw: len(raw.parameters) == len(raw.methods)),
        ),
        4: _service(action.ActionFirstBlockRequest, "method" / _DESCRIPTOR, "block" / _BLOCK),
        5: _service(action.ActionListFirstBlockRequest, "methods" / _METHODS, "block" / _BLOCK),
        6: _service(action.ActionBlockRequest, "block" / _BLOCK),
    }
)
_ACTION_RESPONSE: Final = Chosen(
    {
        1: _service(action.ActionResponse, "outcome" / _OUTCOME),
        2: _service(action.ActionBlockResponse, "block" / _BLOCK),
        3: _service(action.ActionListResponse, "outcomes" / Listed(_OUTCOME)),
        4: _service(action.ActionNextResponse, "number" / Int32ub),
    }
)
_COUNTER_DUE: Final = this.service == ServiceError.INVOCATION_COUNTER_ERROR
_EXCEPTION: Final = Shaped(
    ExceptionResponse,
    "state" / Member(StateError),
    "service" / Member(ServiceError),
    "expected_counter" / If(_COUNTER_DUE, Int32ub),
    Check(lambda raw: (raw.expected_counter is None) is not _COUNTER_DUE(raw)),
)
_NOTIFICATION: Final = Shaped(
    Notification,
    "invoke_id" / Int32ub,
    "date_time" / OCTETS,
    Check(lambda raw: len(raw.date_time) in {0, 12}),
    "body" / DATA,
)


class _Conformance(Adapter):
    def _decode(self, obj: Any, context: Any, path: str) -> Conformance:
        return Conformance(obj.bits)

    def _encode(self, obj: Conformance, context: Any, path: str) -> dict[str, int]:
        return {"bits": int(obj)}


_CONFORMANCE: Final = _Conformance(Struct(Const(bytes.fromhex("5f1f0400")), "bits" / Int24ub))
_INITIATE_REQUEST: Final = Shaped(
    InitiateRequest,
    "dedicated_key" / Usage(OCTETS),
    "response_allowed" / Usage(Int8ub),
    "quality_of_service" / Usage(Int8ub),
    "version" / Int8ub,
    "conformance" / _CONFORMANCE,
    "max_pdu_bytes" / Int16ub,
)
_INITIATE_RESPONSE: Final = Shaped(
    InitiateResponse,
    "quality_of_service" / Usage(Int8ub),
    "version" / Int8ub,
    "conformance" / _CONFORMANCE,
    "max_pdu_bytes" / Int16ub,
    "name" / Int16ub,
)
_ERROR: Final = Shaped(
    ConfirmedServiceError,
    "service" / Int8ub,
    "choice" / OneOf(Int8ub, range(11)),
    "reason" / Int8ub,
)
#: All APDUs by their tags.
_APDU: Final = Struct(
    "apdu"
    / Chosen(
        {
            initiate.REQUEST_TAG: (InitiateRequest, _INITIATE_REQUEST),
            initiate.RESPONSE_TAG: (InitiateResponse, _INITIATE_RESPONSE),
            initiate.ERROR_TAG: (ConfirmedServiceError, _ERROR),
            data_notification.TAG: (Notification, _NOTIFICATION),
            get.REQUEST_TAG: (get.AnyGetRequest, _GET_REQUEST),
            get.RESPONSE_TAG: (get.AnyGetResponse, _GET_RESPONSE),
            set_.REQUEST_TAG: (set_.AnySetRequest, _SET_REQUEST),
            set_.RESPONSE_TAG: (set_.AnySetResponse, _SET_RESPONSE),
            action.REQUEST_TAG: (action.AnyActionRequest, _ACTION_REQUEST),
            action.RESPONSE_TAG: (action.AnyActionResponse, _ACTION_RESPONSE),
            apdu_exception.TAG: (ExceptionResponse, _EXCEPTION),
        }
    ),
    Terminated,
)


def decode(data: bytes) -> object:
    """Decode an APDU of the kind its first octet says, by the declaration.

    Raises:
        MalformedFrameError: Layer ``dlms.apdu``; the offset is not known here.
    """
    try:
        value: object = _APDU.parse(data).apdu
    except ConstructError as error:
        raise MalformedFrameError(_LAYER, data, str(error)) from error
    return value


def encode(apdu: object) -> bytes:
    """Encode an APDU by the declaration.

    Raises:
        ValueError: A field does not fit, or it is no APDU declared here.
    """
    try:
        octets: bytes = _APDU.build({"apdu": apdu})
    except UNFIT as error:
        raise ValueError(str(error)) from error
    return octets
