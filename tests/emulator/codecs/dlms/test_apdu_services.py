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
)
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_exception import ExceptionResponse, ServiceError, StateError
from emulator.codecs.dlms.apdu_parts import (
    Attribute,
    DataBlock,
    Descriptor,
)
from emulator.codecs.dlms.axdr import Data
from emulator.core.errors import MalformedFrameError
from tests.emulator.codecs.dlms.apdu_given import (
    APDUS,
    CLOCK,
    ENCODERS,
    FORMS,
    OUTCOMES,
    RESULTS,
    U8,
    VALUES,
)
from tests.sampling import examples

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
@settings(derandomize=True, max_examples=examples(300), deadline=None)
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


@given(APDUS)
@settings(derandomize=True, max_examples=examples(300), deadline=None)
def test_any_value_of_any_service_comes_back(value: Any) -> None:
    tags = {"Get": (0xC0, 0xC4), "Set": (0xC1, 0xC5), "Act": (0xC3, 0xC7)}
    kind = type(value).__name__
    octets = ENCODERS[tags[kind[:3]][kind.endswith("Response")]](value)
    assert apdu.decode(octets) == value


@given(st.lists(RESULTS, max_size=6), st.lists(OUTCOMES, max_size=6), st.lists(VALUES, max_size=6))
@settings(derandomize=True, max_examples=examples(100), deadline=None)
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
