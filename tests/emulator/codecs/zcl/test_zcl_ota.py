from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import ota
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.ota import OtaStatus
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from tests.sampling import examples

NODE = Eui64.parse("00-DB-12-34-56-78-90-A0")
NODE_OCTETS = "a09078563412db00"
IMAGE = (0x121D, 0x0084, 0xACDCACDC)
IMAGE_OCTETS = "1d12 8400 dcacdcac"

# Every command, and every form of it, as the cluster's specification lays it out:
# frame control (11 to the server, 19 to the client), sequence 07, command, payload.
VECTORS: list[tuple[Any, str]] = [
    (ota.ImageNotify(50), "19 07 00 00 32"),
    (ota.ImageNotify(100, 0x121D), "19 07 00 01 64 1d12"),
    (ota.ImageNotify(1, 0x121D, 0x84), "19 07 00 02 01 1d12 8400"),
    (ota.ImageNotify(50, *IMAGE), f"19 07 00 03 32 {IMAGE_OCTETS}"),
    (ota.QueryNextImageRequest(*IMAGE), f"11 07 01 00 {IMAGE_OCTETS}"),
    (ota.QueryNextImageRequest(*IMAGE, 0x1111), f"11 07 01 01 {IMAGE_OCTETS} 1111"),
    (ota.QueryNextImageResponse(*IMAGE, 361), f"19 07 02 00 {IMAGE_OCTETS} 69010000"),
    (ota.QueryNextImageRefusal(OtaStatus.NO_IMAGE_AVAILABLE), "19 07 02 98"),
    (ota.QueryNextImageRefusal(OtaStatus.NOT_AUTHORIZED), "19 07 02 7e"),
    (ota.ImageBlockRequest(*IMAGE, 44, 48), f"11 07 03 00 {IMAGE_OCTETS} 2c000000 30"),
    (
        ota.ImageBlockRequest(*IMAGE, 44, 48, node=NODE),
        f"11 07 03 01 {IMAGE_OCTETS} 2c000000 30 {NODE_OCTETS}",
    ),
    (
        ota.ImageBlockRequest(*IMAGE, 44, 48, block_period_ms=250),
        f"11 07 03 02 {IMAGE_OCTETS} 2c000000 30 fa00",
    ),
    (
        ota.ImageBlockRequest(*IMAGE, 44, 48, NODE, 250),
        f"11 07 03 03 {IMAGE_OCTETS} 2c000000 30 {NODE_OCTETS} fa00",
    ),
    (
        ota.ImagePageRequest(*IMAGE, 44, 48, 1024, 100),
        f"11 07 04 00 {IMAGE_OCTETS} 2c000000 30 0004 6400",
    ),
    (
        ota.ImagePageRequest(*IMAGE, 44, 48, 1024, 100, NODE),
        f"11 07 04 01 {IMAGE_OCTETS} 2c000000 30 0004 6400 {NODE_OCTETS}",
    ),
    (
        ota.ImageBlockResponse(*IMAGE, 44, bytes.fromhex("0bee f11e")),
        f"19 07 05 00 {IMAGE_OCTETS} 2c000000 04 0beef11e",
    ),
    (ota.ImageBlockResponse(*IMAGE, 44, b""), f"19 07 05 00 {IMAGE_OCTETS} 2c000000 00"),
    (ota.ImageBlockWait(0, 60), "19 07 05 97 00000000 3c000000"),
    (ota.ImageBlockWait(0x10, 0x20, 500), "19 07 05 97 10000000 20000000 f401"),
    (ota.ImageBlockRefusal(OtaStatus.ABORT), "19 07 05 95"),
    (ota.UpgradeEndRequest(OtaStatus.SUCCESS, *IMAGE), f"11 07 06 00 {IMAGE_OCTETS}"),
    (ota.UpgradeEndRequest(OtaStatus.INVALID_IMAGE, *IMAGE), f"11 07 06 96 {IMAGE_OCTETS}"),
    (ota.UpgradeEndRequest(OtaStatus.REQUIRE_MORE_IMAGE, *IMAGE), f"11 07 06 99 {IMAGE_OCTETS}"),
    (ota.UpgradeEndRequest(OtaStatus.ABORT, *IMAGE), f"11 07 06 95 {IMAGE_OCTETS}"),
    (
        ota.UpgradeEndResponse(
            ota.ANY_MANUFACTURER, ota.ANY_IMAGE_TYPE, ota.ANY_FILE_VERSION, 0, ota.WAIT_FOR_COMMAND
        ),
        "19 07 07 ffff ffff ffffffff 00000000 ffffffff",
    ),
    (
        ota.QuerySpecificFileRequest(NODE, 0x121D, 0xFFC0, 1, 2),
        f"11 07 08 {NODE_OCTETS} 1d12 c0ff 01000000 0200",
    ),
    (ota.QuerySpecificFileResponse(*IMAGE, 361), f"19 07 09 00 {IMAGE_OCTETS} 69010000"),
    (ota.QuerySpecificFileRefusal(OtaStatus.NO_IMAGE_AVAILABLE), "19 07 09 98"),
]
IDS = [f"{type(command).__name__}-{number}" for number, (command, _) in enumerate(VECTORS)]


def read(octets: bytes) -> Any:
    return ota.decode(zcl_frame.decode(octets))


@pytest.mark.parametrize(("command", "octets"), VECTORS, ids=IDS)
def test_a_command_has_the_octets_of_the_specification(command: Any, octets: str) -> None:
    assert ota.encode(command, 7) == bytes.fromhex(octets)
    assert read(bytes.fromhex(octets)) == command


@pytest.mark.parametrize(("command", "octets"), VECTORS, ids=IDS)
def test_every_truncation_and_an_extension_are_refused(command: Any, octets: str) -> None:
    whole = bytes.fromhex(octets)
    other_form = {9 + 3} if isinstance(command, ota.ImageBlockWait) else set()
    for length in set(range(len(whole))) - other_form:
        with pytest.raises(MalformedFrameError):
            read(whole[:length])
    with pytest.raises(MalformedFrameError):
        read(whole + b"\x00")


def test_every_command_of_the_cluster_is_known_in_one_direction_only() -> None:
    known = {
        (direction, command)
        for direction in (False, True)
        for command in range(256)
        if ota.COMMANDS.knows(ZclFrame(True, direction, True, 0, command, b""))
    }
    assert known == {
        (False, 1), (False, 3), (False, 4), (False, 6), (False, 8),
        (True, 0), (True, 2), (True, 5), (True, 7), (True, 9),
    }  # fmt: skip


@pytest.mark.parametrize(
    "frame",
    [
        ZclFrame(True, True, True, 0, 0x03, b""),
        ZclFrame(True, False, True, 0, 0x05, b""),
        ZclFrame(True, False, True, 0, 0x0A, b""),
        ZclFrame(False, False, True, 0, 0x03, b""),
        ZclFrame(True, False, True, 0, 0x03, b"", manufacturer_code=1),
    ],
)
def test_a_command_that_is_none_of_the_clusters_is_refused(frame: ZclFrame) -> None:
    with pytest.raises(MalformedFrameError, match="not known here") as refused:
        ota.decode(frame)
    assert refused.value.layer == "zcl.ota"


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("19 07 00 04 32", "unknown payload type"),
        ("19 07 00 00 00", "query jitter"),
        ("19 07 00 00 65", "query jitter"),
        (f"11 07 01 02 {IMAGE_OCTETS}", "unknown field control"),
        (f"11 07 03 04 {IMAGE_OCTETS} 2c000000 30", "unknown field control"),
        (f"11 07 04 02 {IMAGE_OCTETS} 2c000000 30 0004 6400", "unknown field control"),
        ("19 07 02 42", "no OtaStatus"),
        ("19 07 05 42", "no OtaStatus"),
        (f"11 07 06 42 {IMAGE_OCTETS}", "no OtaStatus"),
        ("19 07 02 97", "needs more than itself"),  # a query is not answered with WAIT_FOR_DATA
        (f"19 07 05 00 {IMAGE_OCTETS} 2c000000 05 0beef11e", "5 octets of data announced, 4"),
        (f"19 07 05 00 {IMAGE_OCTETS} 2c000000 03 0beef11e", "3 octets of data announced, 4"),
    ],
)
def test_a_field_that_cannot_be_is_refused_with_its_reason(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        read(bytes.fromhex(octets))


@pytest.mark.parametrize(
    "command",
    [
        ota.ImageNotify(0),
        ota.ImageNotify(50, image_type=1),
        ota.ImageNotify(50, 1, file_version=1),
        ota.QueryNextImageRequest(0x10000, 0, 0),
        ota.QueryNextImageRefusal(OtaStatus.SUCCESS),
        ota.ImageBlockRequest(1, 2, 3, 4, 256),
        ota.ImageBlockRequest(1, 2, 3, 4, 256, NODE),
        ota.ImageBlockResponse(1, 2, 3, 4, bytes(256)),
        ota.ImageBlockRefusal(OtaStatus.WAIT_FOR_DATA),
        ota.ImageBlockWait(-1, 0),
    ],
)
def test_a_value_that_does_not_fit_is_our_own_error(command: Any) -> None:
    with pytest.raises(ValueError, match="zcl"):
        ota.encode(command, 7)


def test_a_command_is_not_sent_the_wrong_way() -> None:
    with pytest.raises(ValueError, match="does not go that way"):
        ota.encode(ota.ImageNotify(50), 7, server_to_client=False)


def test_the_wait_is_the_difference_of_its_times_and_never_negative() -> None:
    assert ota.ImageBlockWait(0, 60).delay_s == 60
    assert ota.ImageBlockWait(1000, 1060).delay_s == 60
    assert ota.ImageBlockWait(1060, 1000).delay_s == 0


def test_a_block_of_44_octets_fills_the_61_that_a_frame_has() -> None:
    octets = ota.encode(ota.ImageBlockResponse(*IMAGE, 0, bytes(44)), 7)
    assert len(octets) == 44 + ota.BLOCK_OVERHEAD_BYTES == 61


short = st.integers(0, 0xFFFF)
long = st.integers(0, 0xFFFFFFFF)
octet = st.integers(0, 0xFF)
euis = st.none() | st.binary(min_size=8, max_size=8).map(Eui64)
hot = st.one_of(
    st.builds(ota.ImageBlockResponse, short, short, long, long, st.binary(max_size=255)),
    st.builds(ota.ImageBlockRequest, short, short, long, long, octet, euis, st.none() | short),
)


@given(hot)
@settings(max_examples=examples(150), derandomize=True)
def test_fast_path_and_declaration_agree_and_round_trip(command: Any) -> None:
    payload = command.encode()
    assert command.encode_declared() == payload
    assert type(command).decode(payload) == type(command).decode_declared(payload) == command


@given(st.sampled_from([(True, i) for i in range(10)] + [(False, i) for i in range(10)]),
       st.binary(max_size=30))  # fmt: skip
@settings(max_examples=examples(300), derandomize=True)
def test_octets_of_chance_are_read_or_refused_and_never_break(
    way: tuple[bool, int], payload: bytes
) -> None:
    frame = ZclFrame(True, way[0], True, 0, way[1], payload)
    try:
        command = ota.decode(frame)
    except MalformedFrameError:
        return
    assert zcl_frame.decode(ota.encode(command, 0)) == frame


def test_commands_are_values() -> None:
    request = ota.ImageBlockRequest(*IMAGE, 44, 48)
    assert replace(request, offset=88) != request
    assert hash(request) == hash(ota.ImageBlockRequest(*IMAGE, 44, 48))
