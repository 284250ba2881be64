from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import access, axdr
from emulator.codecs.dlms.access import (
    AccessItem,
    AccessRequest,
    AccessResponse,
    AccessResult,
    DataNotification,
    Operation,
    Selection,
)
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

VERSION = bytes((0, 0, 0, 2, 1, 255))
U16 = axdr.uint16(7)
REQUEST = AccessRequest(
    0x200003E8,
    (
        AccessItem(Operation.GET, 1, VERSION, 2),
        AccessItem(Operation.SET, 3, VERSION, 2, U16),
        AccessItem(Operation.ACTION, 9000, VERSION, 1, axdr.structure(U16)),
        AccessItem(Operation.GET_SELECTED, 7, VERSION, 2, selection=Selection(1, U16)),
    ),
)
#: Written by hand from the access service's layout.
REQUEST_OCTETS = bytes.fromhex(
    "d9 200003e8 00 04"
    "01 0001 0000000201ff 02"
    "02 0003 0000000201ff 02"
    "03 2328 0000000201ff 01"
    "04 0007 0000000201ff 02 01 120007"
    "04 00 120007 0201120007 00"
)
RESPONSE = AccessResponse(
    0x200003E8,
    (
        AccessResult(Operation.GET, data=axdr.octets(b"\1\2\3\4")),
        AccessResult(Operation.SET, access.HARDWARE_FAULT),
        AccessResult(Operation.ACTION, access.OTHER_REASON),
    ),
)
RESPONSE_OCTETS = bytes.fromhex("da 200003e8 00 00 03 090401020304 00 00 03 0100 0201 03fa")
NOTIFICATION = DataNotification(0x200007D0, axdr.structure(U16))
NOTIFICATION_OCTETS = bytes.fromhex("0f 200007d0 00 0201120007")


def test_a_request_of_all_four_choices_is_written_as_the_layout_says() -> None:
    assert access.encode_request(REQUEST) == REQUEST_OCTETS
    assert access.decode_request(REQUEST_OCTETS) == REQUEST


def test_a_response_is_written_as_the_layout_says() -> None:
    assert access.encode_response(RESPONSE) == RESPONSE_OCTETS
    assert access.decode_response(RESPONSE_OCTETS) == RESPONSE


def test_a_notification_is_written_as_the_layout_says() -> None:
    assert access.encode_notification(NOTIFICATION) == NOTIFICATION_OCTETS
    assert access.decode_notification(NOTIFICATION_OCTETS) == NOTIFICATION


def test_a_logical_name_is_printed_as_the_field_prints_it() -> None:
    assert access.print_obis(VERSION) == "0-0:0.2.1.255"


Decoder = Callable[[bytes], object]
CASES: list[tuple[Decoder, bytes]] = [
    (access.decode_request, REQUEST_OCTETS),
    (access.decode_response, RESPONSE_OCTETS),
    (access.decode_notification, NOTIFICATION_OCTETS),
]


@pytest.mark.parametrize(("decode", "octets"), CASES)
def test_every_truncation_and_extension_is_refused(decode: Decoder, octets: bytes) -> None:
    for damaged in [octets[:cut] for cut in range(len(octets))] + [octets + b"\0"]:
        with pytest.raises(MalformedFrameError):
            decode(damaged)


@pytest.mark.parametrize(
    ("decode", "octets", "why"),
    [
        (access.decode_request, "da0000000000", "APDU tag"),
        (access.decode_request, "d9000000000c", "date-time"),
        (access.decode_request, "d9000000000001 05", "access choice"),
        (access.decode_request, "d9000000000001 00010000000201ff02", "access choice"),
        (access.decode_request, "d900000000000101 00010000000201ff02 00", "as many data"),
        (access.decode_response, "da00000000000100", "echo"),
        (access.decode_response, "da000000000000 01 00 02 0100 0100", "as many results"),
        (access.decode_response, "da000000000000 01 00 01 0400", "choice 4"),
        (access.decode_response, "da000000000000 01 00 01 0000", "access choice"),
        (access.decode_notification, "0f00000000000700", "unknown data type"),
    ],
)
def test_damaged_apdus_are_refused_with_their_own_reason(
    decode: Decoder, octets: str, why: str
) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "item",
    [
        AccessItem(Operation.GET, 65_536, VERSION, 2),
        AccessItem(Operation.GET, 1, VERSION[:5], 2),
        AccessItem(Operation.GET, 1, VERSION, 256),
        AccessItem(Operation.GET, 1, VERSION, 2, selection=Selection(1, U16)),
        AccessItem(Operation.GET_SELECTED, 1, VERSION, 2),
    ],
)
def test_an_item_that_cannot_be_written_is_our_own_fault(item: AccessItem) -> None:
    with pytest.raises(ValueError, match="access specification"):
        access.encode_request(AccessRequest(0, (item,)))


def test_a_response_never_answers_with_choice_four() -> None:
    with pytest.raises(ValueError, match="choice 4"):
        access.encode_response(AccessResponse(0, (AccessResult(Operation.GET_SELECTED),)))
    with pytest.raises(ValueError, match="32 bits"):
        access.encode_response(AccessResponse(1 << 32, ()))


@settings(max_examples=examples(300), deadline=None)
@given(data=st.binary(max_size=60), at=st.integers(0, 200), octet=st.integers(0, 255))
def test_what_decodes_is_written_identically_and_all_else_is_refused(
    data: bytes, at: int, octet: int
) -> None:
    spoiled = bytearray(REQUEST_OCTETS)
    spoiled[at % len(spoiled)] = octet
    for candidate in (b"\xd9" + bytes(5) + data, bytes(spoiled)):
        try:
            request = access.decode_request(candidate)
        except MalformedFrameError:
            continue
        assert access.encode_request(request) == candidate
