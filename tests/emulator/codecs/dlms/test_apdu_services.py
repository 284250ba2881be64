from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import (
    access,
    apdu,
    apdu_action,
    apdu_exception,
    apdu_get,
    apdu_parts,
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
from emulator.core.errors import MalformedFrameError

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
CASES = [pytest.param(value, bytes.fromhex(text), id=text[:12]) for value, text in FORMS]


@pytest.mark.parametrize(("value", "octets"), CASES)
def test_every_form_is_written_and_read_as_its_layout_says(value: Any, octets: bytes) -> None:
    assert ENCODERS[octets[0]](value) == octets
    assert apdu.decode(octets) == value


@pytest.mark.parametrize("octets", [bytes.fromhex(text) for _, text in FORMS])
def test_every_truncation_and_extension_is_refused(octets: bytes) -> None:
    for end in range(len(octets)):
        with pytest.raises(MalformedFrameError):
            apdu.decode(octets[:end])
    for tail in (b"\0", b"\xff", octets):
        with pytest.raises(MalformedFrameError):
            apdu.decode(octets + tail)


@pytest.mark.parametrize(("value", "octets"), CASES)
def test_a_flipped_bit_is_refused_or_read_as_something_else(value: Any, octets: bytes) -> None:
    for bit in range(len(octets) * 8):
        spoiled = bytearray(octets)
        spoiled[bit // 8] ^= 1 << bit % 8
        try:
            assert apdu.decode(bytes(spoiled)) != value
        except MalformedFrameError:
            continue


@given(st.binary(max_size=60))
@settings(derandomize=True, max_examples=300, deadline=None)
def test_octets_of_any_kind_are_decoded_or_refused_and_never_more(data: bytes) -> None:
    for tag in sorted(apdu.KNOWN_TAGS):
        whole = bytes((tag,)) + data
        try:
            value = apdu.decode(whole)
        except MalformedFrameError:
            continue
        if tag in ENCODERS:
            assert apdu.decode(ENCODERS[tag](value)) == value


def test_the_golden_answer_with_a_serial_number_is_read() -> None:
    golden = bytes.fromhex("C401C100090A31345031323334353637")
    assert apdu.decode(golden) == apdu_get.GetResponse(0xC1, axdr.octets(b"14P1234567"))


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


@given(
    st.one_of(
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
)
@settings(derandomize=True, max_examples=300, deadline=None)
def test_any_value_of_any_service_comes_back(value: Any) -> None:
    tags = {"Get": (0xC0, 0xC4), "Set": (0xC1, 0xC5), "Act": (0xC3, 0xC7)}
    kind = type(value).__name__
    octets = ENCODERS[tags[kind[:3]][kind.endswith("Response")]](value)
    assert apdu.decode(octets) == value


@given(st.lists(RESULTS, max_size=6), st.lists(OUTCOMES, max_size=6), st.lists(VALUES, max_size=6))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_what_is_cut_into_blocks_comes_back(
    results: list[Any], outcomes: list[MethodOutcome], values: list[Data]
) -> None:
    encoded = apdu_get.encode_results(tuple(results))
    assert apdu_get.decode_results(encoded) == tuple(results)
    encoded = apdu_action.encode_outcomes(tuple(outcomes))
    assert apdu_action.decode_outcomes(encoded) == tuple(outcomes)
    for outcome in outcomes:
        assert apdu_action.decode_outcome(apdu_action.encode_outcome(outcome)) == outcome
    encoded = apdu_set.encode_values(tuple(values))
    assert apdu_set.decode_values(encoded) == tuple(values)
    with pytest.raises(MalformedFrameError, match="too many"):
        apdu_set.decode_values(encoded + b"\0")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("c004c1", "choice 4 is not known"),
        ("c000c1", "choice 0 is not known"),
        ("c706c1", "choice 6 is not known"),
        ("c001c1 0008 0000010000ff 02 02", "usage flag of access selection"),
        ("c401c1 02 00", "neither data nor a result"),
        ("c401c1 01 05", "data-access result is not assigned"),
        ("c70141 13 00", "action result is not assigned"),
        ("c10481 01 0008 0000010000ff 02 00 00", "as many values as attributes"),
        ("c30341 01 0008 0000010000ff 02 00", "as many parameters as methods"),
        ("c10381 02 00000002 01 07", "last-block is neither 00 nor 01 nor ff"),
        ("c10381 01 00000002 8101 07", "shortest form"),
        ("d80301", "state error is not known"),
        ("d80107", "service error is not known"),
        ("0f 200007d0 05 0000000000 00", "neither empty nor 12 octets"),
        ("01 02", "usage flag of the dedicated key"),
        ("01 00 00 00 06 5f040000 001a1d ffff", "conformance block"),
        ("0e 01 0b 00", "service error 11 is not known"),
        ("cc", "APDU tag cc is not known"),
    ],
)
def test_each_fault_is_named(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        apdu.decode(bytes.fromhex(octets))


def test_true_may_be_written_ff_and_is_ours_as_01() -> None:
    read = apdu.decode(bytes.fromhex("c10381 ff 00000002 01 07"))
    assert read == apdu_set.SetBlockRequest(0x81, DataBlock(True, 2, b"\7"))


def test_a_notification_without_date_time_agrees_with_the_gbcs_form() -> None:
    octets = bytes.fromhex("0f200007d000 0201120007")
    general, plain = data_notification.decode(octets), access.decode_notification(octets)
    assert (general.invoke_id, general.body) == (plain.invoke_id, plain.body)
    assert not general.confirmed


@pytest.mark.parametrize(("invoke", "confirmed"), [(0xC1, True), (0x41, True), (0x81, False)])
def test_bit_6_of_invoke_asks_for_an_answer(invoke: int, confirmed: bool) -> None:
    assert apdu_parts.is_confirmed(invoke) is confirmed


@pytest.mark.parametrize(
    "value",
    [
        apdu_get.GetRequest(256, Attribute(CLOCK)),
        apdu_get.GetNextRequest(0, 1 << 32),
        apdu_get.GetRequest(0, Attribute(Descriptor(1, b"\0", 1))),
        apdu_get.GetRequest(0, Attribute(CLOCK, Selection(256, U8))),
    ],
)
def test_what_does_not_fit_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError, match=r"descriptor|does not fit"):
        apdu_get.encode_request(value)


def test_unequal_lists_and_misplaced_counters_are_not_written() -> None:
    with pytest.raises(ValueError, match="as many values"):
        apdu_set.encode_request(apdu_set.SetListRequest(0, (Attribute(CLOCK),), ()))
    with pytest.raises(ValueError, match="as many parameters"):
        apdu_action.encode_request(apdu_action.ActionListRequest(0, (), (U8,)))
    for service, counter in (
        (ServiceError.OTHER_REASON, 1),
        (ServiceError.INVOCATION_COUNTER_ERROR, None),
        (ServiceError.INVOCATION_COUNTER_ERROR, 1 << 32),
    ):
        with pytest.raises(ValueError, match="counter"):
            apdu_exception.encode(ExceptionResponse(StateError.SERVICE_UNKNOWN, service, counter))
