"""ACTION: invocation of methods, in all forms of request and response."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.common import Reader
from emulator.codecs.dlms import apdu_parts as parts
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_parts import ActionResult, DataBlock, Descriptor, GetResult
from emulator.codecs.dlms.axdr import Data
from emulator.core.values import quick

REQUEST_TAG: Final = 0xC3
RESPONSE_TAG: Final = 0xC7
_REQUEST_LAYER: Final = "dlms.action_request"
_RESPONSE_LAYER: Final = "dlms.action_response"
_NORMAL: Final = 1
_NEXT: Final = 2
_LIST: Final = 3
_FIRST_BLOCK: Final = 4
_LIST_FIRST_BLOCK: Final = 5
_BLOCK: Final = 6
_REQUESTS: Final = (1, 2, 3, 4, 5, 6)
_RESPONSE_BLOCK: Final = 2
_RESPONSE_NEXT: Final = 4
_RESPONSES: Final = (1, 2, 3, 4)


@quick
@dataclass(frozen=True, slots=True)
class ActionRequest:
    """A wish to invoke one method.

    Attributes:
        invoke: Invoke-id-and-priority, an octet.
        method: Which method.
        parameters: Its argument; None when the request says that there is none.
    """

    invoke: int
    method: Descriptor
    parameters: Data | None = None


@dataclass(frozen=True, slots=True)
class ActionNextRequest:
    """A wish for the block of a long answer after ``number``, which is thereby acknowledged."""

    invoke: int
    number: int


@dataclass(frozen=True, slots=True)
class ActionListRequest:
    """A wish to invoke several methods; one argument each, NULL for none."""

    invoke: int
    methods: tuple[Descriptor, ...]
    parameters: tuple[Data, ...]


@dataclass(frozen=True, slots=True)
class ActionFirstBlockRequest:
    """A wish to invoke one method, with the first block of its argument.

    The octets of all blocks are the argument alone, without a usage flag before it.
    """

    invoke: int
    method: Descriptor
    block: DataBlock


@dataclass(frozen=True, slots=True)
class ActionListFirstBlockRequest:
    """A wish to invoke several methods, with the first block of the list of their arguments."""

    invoke: int
    methods: tuple[Descriptor, ...]
    block: DataBlock


@dataclass(frozen=True, slots=True)
class ActionBlockRequest:
    """A further block of arguments."""

    invoke: int
    block: DataBlock


@quick
@dataclass(frozen=True, slots=True)
class MethodOutcome:
    """What became of one method.

    Attributes:
        result: Whether it was done.
        returned: What it gave back, or why that cannot be given; None for nothing.
    """

    result: ActionResult
    returned: GetResult | None = None


@quick
@dataclass(frozen=True, slots=True)
class ActionResponse:
    """The answer to one method."""

    invoke: int
    outcome: MethodOutcome


@dataclass(frozen=True, slots=True)
class ActionBlockResponse:
    """One block of a long answer.

    The octets of all blocks are one outcome (``encode_outcome``) or a list of outcomes.
    """

    invoke: int
    block: DataBlock


@dataclass(frozen=True, slots=True)
class ActionListResponse:
    """The answers to several methods, in the order of the request."""

    invoke: int
    outcomes: tuple[MethodOutcome, ...]


@dataclass(frozen=True, slots=True)
class ActionNextResponse:
    """Block ``number`` of the arguments has come; the next is awaited."""

    invoke: int
    number: int


AnyActionRequest = (
    ActionRequest
    | ActionNextRequest
    | ActionListRequest
    | ActionFirstBlockRequest
    | ActionListFirstBlockRequest
    | ActionBlockRequest
)
AnyActionResponse = ActionResponse | ActionBlockResponse | ActionListResponse | ActionNextResponse


def decode_request(data: bytes) -> AnyActionRequest:
    """Decode an action-request, tag 0xC3 first.

    Raises:
        MalformedFrameError: Layer ``dlms.action_request``; an unknown choice, a wrong usage flag,
            unequal numbers of methods and arguments, malformed data, truncation, trailing octets.

    Source:
        IEC 62056-5-3 Action-Request; layout checked against two public renderings of its ASN.1.
    """
    reader = Reader(_REQUEST_LAYER, data)
    choice, invoke = parts.begin(reader, REQUEST_TAG, _REQUESTS)
    request: AnyActionRequest
    if choice == _NORMAL:
        request = _read_normal(reader, invoke)
    elif choice == _NEXT:
        request = ActionNextRequest(invoke, parts.read_block_number(reader))
    elif choice == _FIRST_BLOCK:
        method = parts.read_descriptor(reader)
        request = ActionFirstBlockRequest(invoke, method, parts.read_block(reader))
    elif choice == _BLOCK:
        request = ActionBlockRequest(invoke, parts.read_block(reader))
    else:
        request = _read_several(reader, choice, invoke)
    reader.finish()
    return request


def _read_normal(reader: Reader, invoke: int) -> ActionRequest:
    method = parts.read_descriptor(reader)
    if parts.read_presence(reader, "the parameters"):
        return ActionRequest(invoke, method, axdr.read(reader))
    return ActionRequest(invoke, method)


def _read_several(
    reader: Reader, choice: int, invoke: int
) -> ActionListRequest | ActionListFirstBlockRequest:
    methods = parts.read_list(reader, parts.read_descriptor)
    if choice == _LIST_FIRST_BLOCK:
        return ActionListFirstBlockRequest(invoke, methods, parts.read_block(reader))
    start = reader.at
    parameters = parts.read_list(reader, axdr.read)
    if len(parameters) != len(methods):
        reader.fail("as many parameters as methods are due", start)
    return ActionListRequest(invoke, methods, parameters)


def encode_request(request: AnyActionRequest) -> bytes:
    """Encode an action-request.

    Raises:
        ValueError: A field does not fit, or methods and arguments are not equally many.
    """
    if isinstance(request, ActionRequest):
        out = parts.opening(REQUEST_TAG, _NORMAL, request.invoke)
        parts.write_descriptor(out, request.method)
        out.append(request.parameters is not None)
        if request.parameters is not None:
            axdr.write(out, request.parameters)
        return bytes(out)
    if isinstance(request, ActionNextRequest):
        out = parts.opening(REQUEST_TAG, _NEXT, request.invoke)
        return bytes(out + parts.block_number_octets(request.number))
    if isinstance(request, ActionListRequest):
        return _encode_list_request(request)
    return _encode_block_request(request)


def _encode_list_request(request: ActionListRequest) -> bytes:
    if len(request.parameters) != len(request.methods):
        raise ValueError("as many parameters as methods are due")
    out = parts.opening(REQUEST_TAG, _LIST, request.invoke)
    parts.write_list(out, request.methods, parts.write_descriptor)
    parts.write_list(out, request.parameters, axdr.write)
    return bytes(out)


def _encode_block_request(
    request: ActionFirstBlockRequest | ActionListFirstBlockRequest | ActionBlockRequest,
) -> bytes:
    if isinstance(request, ActionFirstBlockRequest):
        out = parts.opening(REQUEST_TAG, _FIRST_BLOCK, request.invoke)
        parts.write_descriptor(out, request.method)
    elif isinstance(request, ActionListFirstBlockRequest):
        out = parts.opening(REQUEST_TAG, _LIST_FIRST_BLOCK, request.invoke)
        parts.write_list(out, request.methods, parts.write_descriptor)
    else:
        out = parts.opening(REQUEST_TAG, _BLOCK, request.invoke)
    parts.write_block(out, request.block)
    return bytes(out)


def decode_response(data: bytes) -> AnyActionResponse:
    """Decode an action-response, tag 0xC7 first.

    Raises:
        MalformedFrameError: Layer ``dlms.action_response``; an unknown choice or result,
            malformed data, truncation, trailing octets.

    Source:
        IEC 62056-5-3 Action-Response; layout checked against two public renderings of its ASN.1.
    """
    reader = Reader(_RESPONSE_LAYER, data)
    choice, invoke = parts.begin(reader, RESPONSE_TAG, _RESPONSES)
    response: AnyActionResponse
    if choice == _NORMAL:
        response = ActionResponse(invoke, _read_outcome(reader))
    elif choice == _RESPONSE_BLOCK:
        response = ActionBlockResponse(invoke, parts.read_block(reader))
    elif choice == _LIST:
        response = ActionListResponse(invoke, parts.read_list(reader, _read_outcome))
    else:
        response = ActionNextResponse(invoke, parts.read_block_number(reader))
    reader.finish()
    return response


def _read_outcome(reader: Reader) -> MethodOutcome:
    result = parts.read_action_result(reader)
    if parts.read_presence(reader, "the return parameters"):
        return MethodOutcome(result, parts.read_get_result(reader))
    return MethodOutcome(result)


def _write_outcome(out: bytearray, outcome: MethodOutcome) -> None:
    out += bytes((outcome.result, outcome.returned is not None))
    if outcome.returned is not None:
        parts.write_get_result(out, outcome.returned)


def encode_response(response: AnyActionResponse) -> bytes:
    """Encode an action-response.

    Raises:
        ValueError: A field does not fit.
    """
    if isinstance(response, ActionResponse):
        out = parts.opening(RESPONSE_TAG, _NORMAL, response.invoke)
        _write_outcome(out, response.outcome)
    elif isinstance(response, ActionBlockResponse):
        out = parts.opening(RESPONSE_TAG, _RESPONSE_BLOCK, response.invoke)
        parts.write_block(out, response.block)
    elif isinstance(response, ActionListResponse):
        out = parts.opening(RESPONSE_TAG, _LIST, response.invoke)
        parts.write_list(out, response.outcomes, _write_outcome)
    else:
        out = parts.opening(RESPONSE_TAG, _RESPONSE_NEXT, response.invoke)
        out += parts.block_number_octets(response.number)
    return bytes(out)


def decode_outcome(data: bytes) -> MethodOutcome:
    """Decode the joined blocks of a long answer to one method.

    Raises:
        MalformedFrameError: Layer ``dlms.action_response``; as ``decode_response``.

    Source:
        inferred: Action-Response-With-Pblock carries what Action-Response-Normal would. One public
        server writes its blocks so, and one public client's design reads them so; that server's
        own client expects bare Get-Data-Results. No vector at hand.
    """
    reader = Reader(_RESPONSE_LAYER, data)
    outcome = _read_outcome(reader)
    reader.finish()
    return outcome


def encode_outcome(outcome: MethodOutcome) -> bytes:
    """Encode what a long answer to one method cuts into blocks.

    Raises:
        ValueError: A value does not fit its type.
    """
    out = bytearray()
    _write_outcome(out, outcome)
    return bytes(out)


def decode_outcomes(data: bytes) -> tuple[MethodOutcome, ...]:
    """Decode the joined blocks of a long answer to a list: a count and outcomes.

    Raises:
        MalformedFrameError: Layer ``dlms.action_response``; as ``decode_response``.
    """
    reader = Reader(_RESPONSE_LAYER, data)
    outcomes = parts.read_list(reader, _read_outcome)
    reader.finish()
    return outcomes


def encode_outcomes(outcomes: tuple[MethodOutcome, ...]) -> bytes:
    """Encode what a long answer to a list cuts into blocks.

    Raises:
        ValueError: A value does not fit its type.
    """
    out = bytearray()
    parts.write_list(out, outcomes, _write_outcome)
    return bytes(out)
