from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

FRAME = ZclFrame(True, True, True, 7, 0x05, b"\x95")

frames = st.builds(
    ZclFrame,
    cluster_specific=st.booleans(),
    server_to_client=st.booleans(),
    disable_default_response=st.booleans(),
    sequence=st.integers(0, 0xFF),
    command=st.integers(0, 0xFF),
    payload=st.binary(max_size=90),
    manufacturer_code=st.none() | st.integers(0, 0xFFFF),
)


@pytest.mark.parametrize(
    ("frame", "octets"),
    [
        (FRAME, "19 07 05 95"),
        (replace(FRAME, server_to_client=False), "11 07 05 95"),
        (replace(FRAME, disable_default_response=False), "09 07 05 95"),
        (replace(FRAME, cluster_specific=False), "18 07 05 95"),
        (replace(FRAME, manufacturer_code=0x121D), "1d 1d12 07 05 95"),
        (ZclFrame(False, False, False, 1, 0x0B, b""), "00 01 0b"),
    ],
)
def test_a_frame_has_the_octets_of_the_standard(frame: ZclFrame, octets: str) -> None:
    assert zcl_frame.encode(frame) == bytes.fromhex(octets)
    assert zcl_frame.decode(bytes.fromhex(octets)) == frame


@given(frames)
@settings(max_examples=examples(150), derandomize=True)
def test_fast_path_and_declaration_agree_and_round_trip(frame: ZclFrame) -> None:
    octets = zcl_frame.encode(frame)
    assert zcl_frame._encode_declared(frame) == octets
    assert zcl_frame.decode(octets) == zcl_frame._decode_declared(octets) == frame


def test_every_cut_through_the_header_is_refused() -> None:
    own = zcl_frame.encode(replace(FRAME, manufacturer_code=1))
    for octets, header in ((zcl_frame.encode(FRAME), 3), (own, 5)):
        for length in range(header):
            with pytest.raises(MalformedFrameError):
                zcl_frame.decode(octets[:length])


@pytest.mark.parametrize(
    ("control", "why"),
    [(0x02, "frame type 2"), (0x03, "frame type 3"), (0x20, "reserved bit"), (0x81, "reserved")],
)
def test_reserved_types_and_bits_are_refused(control: int, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        zcl_frame.decode(bytes([control, 1, 2, 3, 4]))


def test_a_field_out_of_range_is_our_own_error() -> None:
    with pytest.raises(ValueError, match=r"zcl\.frame"):
        zcl_frame.encode(replace(FRAME, sequence=256))
    with pytest.raises(ValueError, match=r"zcl\.frame"):
        zcl_frame.encode(replace(FRAME, manufacturer_code=0x10000))
