"""Every form of every service, with octets written by hand, and strategies for any of them."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from emulator.codecs.dlms import (
    apdu_action,
    apdu_exception,
    apdu_get,
    apdu_set,
    axdr,
    data_notification,
    initiate,
)
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_exception import ExceptionResponse, ServiceError, StateError
from emulator.codecs.dlms.apdu_parts import (
    ActionResult,
    Attribute,
    DataAccessResult,
    DataBlock,
    Descriptor,
)
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.data_notification import Notification
from emulator.codecs.dlms.initiate import (
    ConfirmedServiceError,
    Conformance,
    InitiateRequest,
    InitiateResponse,
)

CLOCK = Descriptor(8, bytes.fromhex("0000010000ff"), 2)
PROFILE = Attribute(Descriptor(7, bytes.fromhex("0100630100ff"), 2), Selection(2, axdr.uint16(1)))
U8 = Data(Tag.UINT8, 7)
DATE_TIME = bytes(range(12))

#: Every form of every service, its value and its octets written by hand from the layout.
FORMS: list[tuple[Any, str]] = [
    (apdu_get.GetRequest(0xC1, Attribute(CLOCK)), "c001c1 0008 0000010000ff 02 00"),
    (apdu_get.GetRequest(0xC1, PROFILE), "c001c1 0007 0100630100ff 02 01 02 120001"),
    (apdu_get.GetNextRequest(0xC1, 3), "c002c1 00000003"),
    (
        apdu_get.GetListRequest(0xC1, (Attribute(CLOCK), PROFILE)),
        "c003c1 02 0008 0000010000ff 02 00 0007 0100630100ff 02 01 02 120001",
    ),
    (apdu_get.GetResponse(0xC1, U8), "c401c1 00 1107"),
    (apdu_get.GetResponse(0xC1, DataAccessResult.OBJECT_UNDEFINED), "c401c1 01 04"),
    (apdu_get.GetBlockResponse(0xC1, DataBlock(False, 1, b"\1\2")), "c402c1 00 00000001 00 020102"),
    (
        apdu_get.GetFailedBlockResponse(0xC1, True, 2, DataAccessResult.DATA_BLOCK_NUMBER_INVALID),
        "c402c1 01 00000002 01 13",
    ),
    (
        apdu_get.GetListResponse(0xC1, (U8, DataAccessResult.OTHER_REASON)),
        "c403c1 02 00 1107 01 fa",
    ),
    (apdu_set.SetRequest(0x81, Attribute(CLOCK), U8), "c10181 0008 0000010000ff 02 00 1107"),
    (
        apdu_set.SetFirstBlockRequest(0x81, Attribute(CLOCK), DataBlock(False, 1, b"\x11")),
        "c10281 0008 0000010000ff 02 00 00 00000001 01 11",
    ),
    (apdu_set.SetBlockRequest(0x81, DataBlock(True, 2, b"\7")), "c10381 01 00000002 01 07"),
    (
        apdu_set.SetListRequest(0x81, (Attribute(CLOCK),), (U8,)),
        "c10481 01 0008 0000010000ff 02 00 01 1107",
    ),
    (
        apdu_set.SetListFirstBlockRequest(0x81, (Attribute(CLOCK),), DataBlock(False, 1, b"\1")),
        "c10581 01 0008 0000010000ff 02 00 00 00000001 01 01",
    ),
    (apdu_set.SetResponse(0x81, DataAccessResult.SUCCESS), "c50181 00"),
    (apdu_set.SetBlockResponse(0x81, 1), "c50281 00000001"),
    (
        apdu_set.SetLastBlockResponse(0x81, DataAccessResult.TYPE_UNMATCHED, 2),
        "c50381 0c 00000002",
    ),
    (
        apdu_set.SetLastListBlockResponse(0x81, (DataAccessResult.SUCCESS,), 2),
        "c50481 01 00 00000002",
    ),
    (apdu_set.SetListResponse(0x81, (DataAccessResult.SUCCESS,)), "c50581 01 00"),
    (apdu_action.ActionRequest(0x41, CLOCK), "c30141 0008 0000010000ff 02 00"),
    (apdu_action.ActionRequest(0x41, CLOCK, U8), "c30141 0008 0000010000ff 02 01 1107"),
    (apdu_action.ActionNextRequest(0x41, 9), "c30241 00000009"),
    (
        apdu_action.ActionListRequest(0x41, (CLOCK,), (axdr.NULL,)),
        "c30341 01 0008 0000010000ff 02 01 00",
    ),
    (
        apdu_action.ActionFirstBlockRequest(0x41, CLOCK, DataBlock(False, 1, b"\x11")),
        "c30441 0008 0000010000ff 02 00 00000001 01 11",
    ),
    (
        apdu_action.ActionListFirstBlockRequest(0x41, (CLOCK,), DataBlock(False, 1, b"\1")),
        "c30541 01 0008 0000010000ff 02 00 00000001 01 01",
    ),
    (apdu_action.ActionBlockRequest(0x41, DataBlock(True, 2, b"\7")), "c30641 01 00000002 01 07"),
    (apdu_action.ActionResponse(0x41, MethodOutcome(ActionResult.SUCCESS)), "c70141 00 00"),
    (
        apdu_action.ActionResponse(0x41, MethodOutcome(ActionResult.SUCCESS, U8)),
        "c70141 00 01 00 1107",
    ),
    (
        apdu_action.ActionResponse(
            0x41, MethodOutcome(ActionResult.OTHER_REASON, DataAccessResult.OTHER_REASON)
        ),
        "c70141 fa 01 01 fa",
    ),
    (
        apdu_action.ActionBlockResponse(0x41, DataBlock(True, 1, b"\0\0")),
        "c70241 01 00000001 02 0000",
    ),
    (
        apdu_action.ActionListResponse(0x41, (MethodOutcome(ActionResult.TEMPORARY_FAILURE),)),
        "c70341 01 02 00",
    ),
    (apdu_action.ActionNextResponse(0x41, 1), "c70441 00000001"),
    (
        ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ServiceError.OPERATION_NOT_POSSIBLE),
        "d80101",
    ),
    (
        ExceptionResponse(StateError.SERVICE_UNKNOWN, ServiceError.INVOCATION_COUNTER_ERROR, 5),
        "d8020600000005",
    ),
    (Notification(0x400007D0, U8), "0f 400007d0 00 1107"),
    (Notification(0x200007D0, U8, DATE_TIME), "0f 200007d0 0c 000102030405060708090a0b 1107"),
    (
        InitiateRequest(Conformance(0x007E1F), 0x04B0, bytes(16), 0, 3),
        "01 01 10" + "00" * 16 + "0100 0103 06 5f1f0400 007e1f 04b0",
    ),
    (InitiateResponse(Conformance(0x007C1F), 0x0400), "08 00 06 5f1f0400 007c1f 0400 0007"),
    (ConfirmedServiceError(initiate.InitiateError.PDU_SIZE_TOO_SHORT), "0e 01 06 03"),
]
ENCODERS: dict[int, Callable[[Any], bytes]] = {
    0xC0: apdu_get.encode_request,
    0xC4: apdu_get.encode_response,
    0xC1: apdu_set.encode_request,
    0xC5: apdu_set.encode_response,
    0xC3: apdu_action.encode_request,
    0xC7: apdu_action.encode_response,
    0xD8: apdu_exception.encode,
    0x0F: data_notification.encode,
    0x01: initiate.encode_request,
    0x08: initiate.encode_response,
    0x0E: initiate.encode_error,
}


DESCRIPTORS = st.builds(
    Descriptor, st.integers(0, 65535), st.binary(min_size=6, max_size=6), st.integers(0, 255)
)
VALUES = st.one_of(
    st.just(axdr.NULL),
    st.binary(max_size=300).map(axdr.octets),
    st.integers(0, 65535).map(axdr.uint16),
    st.lists(st.integers(0, 65535).map(axdr.uint16)).map(lambda v: Data(Tag.ARRAY, tuple(v))),
)
ATTRIBUTES = st.builds(
    Attribute,
    DESCRIPTORS,
    st.one_of(st.none(), st.builds(Selection, st.integers(0, 255), VALUES)),
)
BLOCKS = st.builds(DataBlock, st.booleans(), st.integers(0, (1 << 32) - 1), st.binary(max_size=300))
INVOKES = st.integers(0, 255)
RESULTS = st.one_of(VALUES, st.sampled_from(DataAccessResult))
OUTCOMES = st.builds(MethodOutcome, st.sampled_from(ActionResult), st.one_of(st.none(), RESULTS))
PAIRS = st.lists(st.tuples(ATTRIBUTES, VALUES), max_size=5)
CALLS = st.lists(st.tuples(DESCRIPTORS, VALUES), max_size=5)
APDUS = st.one_of(
    st.builds(apdu_get.GetRequest, INVOKES, ATTRIBUTES),
    st.builds(apdu_get.GetListRequest, INVOKES, st.lists(ATTRIBUTES, max_size=5).map(tuple)),
    st.builds(apdu_get.GetListResponse, INVOKES, st.lists(RESULTS, max_size=5).map(tuple)),
    st.builds(apdu_get.GetBlockResponse, INVOKES, BLOCKS),
    st.builds(apdu_set.SetFirstBlockRequest, INVOKES, ATTRIBUTES, BLOCKS),
    st.builds(apdu_set.SetRequest, INVOKES, ATTRIBUTES, VALUES),
    st.builds(
        lambda invoke, pairs: apdu_set.SetListRequest(
            invoke, tuple(a for a, _ in pairs), tuple(v for _, v in pairs)
        ),
        INVOKES,
        PAIRS,
    ),
    st.builds(
        lambda invoke, calls: apdu_action.ActionListRequest(
            invoke, tuple(a for a, _ in calls), tuple(v for _, v in calls)
        ),
        INVOKES,
        CALLS,
    ),
    st.builds(apdu_action.ActionRequest, INVOKES, DESCRIPTORS, st.one_of(st.none(), VALUES)),
    st.builds(apdu_action.ActionFirstBlockRequest, INVOKES, DESCRIPTORS, BLOCKS),
    st.builds(apdu_action.ActionListResponse, INVOKES, st.lists(OUTCOMES).map(tuple)),
)
