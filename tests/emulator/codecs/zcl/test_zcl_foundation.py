from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl import basic, foundation, metering, time
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.foundation import (
    AttributeReading,
    AttributeValue,
    AttributeWriteStatus,
    DefaultResponse,
    ReadAttributes,
    ReadAttributesResponse,
    ReportAttributes,
    WriteAttributes,
    WriteAttributesNoResponse,
    WriteAttributesResponse,
    ZclType,
)
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from tests.sampling import examples

VERSION = AttributeValue(ZclType.OCTETS, bytes.fromhex("09030a07"))
NODE = Eui64.parse("00-DB-12-34-56-78-90-A0")

# control 00 to the server, 08 to the client, 10 more: no default response
VECTORS: list[tuple[Any, str]] = [
    (ReadAttributes((0x0206,)), "10 01 00 0602"),
    (ReadAttributes((0x0014, 0x0205)), "10 01 00 1400 0502"),
    (
        ReadAttributesResponse(
            (
                AttributeReading(0x0206, 0, VERSION),
                AttributeReading(0x0014, 0, AttributeValue(ZclType.ENUM8, 2)),
                AttributeReading(0x0300, foundation.Status.UNSUPPORTED_ATTRIBUTE),
            )
        ),
        "10 01 01 0602 00 41 04 09030a07 1400 00 30 02 0003 86",
    ),
    (WriteAttributes(((0x0000, AttributeValue(ZclType.BITMAP32, 1)),)), "10 01 02 0000 1b01000000"),
    (WriteAttributesResponse(), "10 01 04 00"),
    (
        WriteAttributesResponse((AttributeWriteStatus(0x88, 0x0206),)),
        "10 01 04 88 0602",
    ),
    (
        WriteAttributesNoResponse(((1, AttributeValue(ZclType.BOOLEAN, True)),)),
        "10 01 05 0100 1001",
    ),
    (
        ReportAttributes(
            (
                (0x0205, AttributeValue(ZclType.UINT16, 3000)),
                (0xFFFE, AttributeValue(ZclType.ENUM8, 1)),
            )
        ),
        "10 01 0a 0502 21 b80b feff 30 01",
    ),
    (DefaultResponse(0x05, 0x81), "10 01 0b 05 81"),
]
IDS = [f"{type(command).__name__}-{number}" for number, (command, _) in enumerate(VECTORS)]

# type, value, octets behind the type octet
VALUES: list[tuple[ZclType, Any, str]] = [
    (ZclType.NO_DATA, None, ""),
    (ZclType.DATA24, 0x010203, "030201"),
    (ZclType.BOOLEAN, False, "00"),
    (ZclType.BITMAP8, 9, "09"),
    (ZclType.BITMAP64, 1 << 63, "0000000000000080"),
    (ZclType.UINT24, 1000, "e80300"),
    (ZclType.UINT48, 123456, "40e201000000"),
    (ZclType.INT8, -1, "ff"),
    (ZclType.INT24, -2, "feffff"),
    (ZclType.INT48, 5, "050000000000"),
    (ZclType.ENUM16, 0x1234, "3412"),
    (ZclType.OCTETS, b"\x01\x02", "020102"),
    (ZclType.OCTETS, b"", "00"),
    (ZclType.OCTETS, None, "ff"),
    (ZclType.TEXT, "Made Up", "074d616465205570"),
    (ZclType.TEXT, None, "ff"),
    (ZclType.LONG_OCTETS, b"\x01", "010001"),
    (ZclType.LONG_OCTETS, None, "ffff"),
    (ZclType.LONG_TEXT, "£", "0200c2a3"),
    (ZclType.UTC_TIME, 0x01020304, "04030201"),
    (ZclType.CLUSTER_ID, 0x0702, "0207"),
    (ZclType.EUI64, NODE, "a09078563412db00"),
    (ZclType.KEY128, bytes(range(16)), bytes(range(16)).hex()),
]


def write(command: Any) -> bytes:
    return foundation.encode(command, 1, server_to_client=False)


def read(octets: bytes) -> Any:
    return foundation.decode(zcl_frame.decode(octets))


@pytest.mark.parametrize(("command", "octets"), VECTORS, ids=IDS)
def test_a_command_has_the_octets_of_the_specification(command: Any, octets: str) -> None:
    assert write(command) == bytes.fromhex(octets)
    assert read(bytes.fromhex(octets)) == command


def test_the_direction_is_bit_3() -> None:
    octets = foundation.encode(DefaultResponse(1, 0), 1, server_to_client=True)
    assert octets[0] == 0x18
    loud = foundation.encode(
        DefaultResponse(1, 0), 1, server_to_client=False, disable_default_response=False
    )
    assert loud[0] == 0x00


@pytest.mark.parametrize(("command", "octets"), VECTORS, ids=IDS)
def test_a_cut_is_refused_or_falls_between_two_records(command: Any, octets: str) -> None:
    whole = bytes.fromhex(octets)
    for length in range(len(whole)):
        try:
            cut = read(whole[:length])
        except MalformedFrameError:
            continue
        assert write(cut) == whole[:length]
        assert cut != command


@pytest.mark.parametrize("octets", [octets for _, octets in VECTORS], ids=IDS)
def test_an_octet_too_many_is_refused(octets: str) -> None:
    with pytest.raises(MalformedFrameError):
        read(bytes.fromhex(octets) + b"\x00")


@pytest.mark.parametrize(("kind", "value", "octets"), VALUES)
def test_each_type_has_its_size_and_order(kind: ZclType, value: Any, octets: str) -> None:
    report = ReportAttributes(((0, AttributeValue(kind, value)),))
    assert write(report)[5:] == bytes([kind]) + bytes.fromhex(octets)
    assert read(write(report)) == report
    for length in range(len(bytes.fromhex(octets))):
        with pytest.raises(MalformedFrameError):
            read(write(report)[: 6 + length])


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("10 01 00", "no attribute named"),
        ("10 01 0a", "no attribute named"),
        ("10 01 0a 0000 99 00", "no ZclType"),
        ("10 01 0a 0000 10 02", "no boolean"),
        ("10 01 0a 0000 42 01 ff", "not UTF-8"),
        ("10 01 04 00 0602", "success among the failures"),
        ("10 01 06", "no foundation command known"),
        ("11 01 00 0602", "no foundation command known"),
    ],
)
def test_a_field_that_cannot_be_is_refused_with_its_reason(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        read(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "command",
    [
        ReadAttributes((0x10000,)),
        ReadAttributesResponse((AttributeReading(0, 0),)),
        ReadAttributesResponse((AttributeReading(0, 0x86, VERSION),)),
        ReportAttributes(((0, AttributeValue(ZclType.UINT8, 256)),)),
        ReportAttributes(((0, AttributeValue(ZclType.OCTETS, bytes(255))),)),
        WriteAttributesResponse((AttributeWriteStatus(0, 1),)),
        DefaultResponse(256, 0),
    ],
)
def test_a_value_that_does_not_fit_is_our_own_error(command: Any) -> None:
    with pytest.raises(ValueError, match="zcl"):
        write(command)


def test_a_reading_is_found_by_its_attribute() -> None:
    response = ReadAttributesResponse(
        (AttributeReading(0x0206, 0, VERSION), AttributeReading(0x0014, 0x86))
    )
    assert response.value(0x0206) == bytes.fromhex("09030a07")
    assert response.value(0x0014) is None
    assert response.value(0x9999) is None


def test_every_attribute_with_an_identifier_has_a_type() -> None:
    assert set(basic.TYPES) == set(basic.BasicAttribute)
    assert set(time.TYPES) == set(time.TimeAttribute)
    assert set(metering.TYPES) == set(metering.MeteringAttribute)
    assert time.CHF_TIME_STATUS == 9


@given(st.integers(0, 0x0C), st.binary(max_size=24))
@settings(max_examples=examples(300), derandomize=True)
def test_octets_of_chance_are_read_or_refused_and_never_break(
    command_id: int, payload: bytes
) -> None:
    frame = ZclFrame(False, False, True, 1, command_id, payload)
    try:
        command = foundation.decode(frame)
    except MalformedFrameError:
        return
    assert zcl_frame.decode(write(command)) == frame
