import pytest
from construct import ConstructError
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import wrapper
from emulator.codecs.dlms.wrapper import WrapperFrame, WrapperSplitter
from emulator.core.chance import Chance
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

FRAME = WrapperFrame(16, 1, bytes.fromhex("601da109"))
OCTETS = bytes.fromhex("0001 0010 0001 0004 601da109")
ports = st.integers(0, 0xFFFF)
frames = st.builds(WrapperFrame, ports, ports, st.binary(max_size=50))


def test_a_frame_is_version_source_destination_length_and_apdu() -> None:
    assert wrapper.encode(FRAME) == OCTETS
    assert wrapper.decode(OCTETS) == FRAME


@given(frames)
@settings(max_examples=examples(80), derandomize=True)
def test_any_frame_round_trips_and_agrees_with_the_declaration(frame: WrapperFrame) -> None:
    octets = wrapper.encode(frame)
    assert wrapper.decode(octets) == frame
    raw = wrapper.DECLARATION.parse(octets)
    assert WrapperFrame(raw.source, raw.destination, raw.apdu) == frame
    parts = {"source": frame.source, "destination": frame.destination, "apdu": frame.apdu}
    assert wrapper.DECLARATION.build(parts) == octets


@given(st.binary(max_size=20).map(lambda tail: b"\x00\x01" + tail) | st.binary(max_size=12))
@settings(max_examples=examples(100), derandomize=True)
def test_what_one_decoder_refuses_the_other_refuses(octets: bytes) -> None:
    try:
        wrapper.DECLARATION.parse(octets)
    except ConstructError:
        with pytest.raises(MalformedFrameError):
            wrapper.decode(octets)
    else:
        assert wrapper.encode(wrapper.decode(octets)) == octets


@pytest.mark.parametrize(
    ("octets", "offset"),
    [(OCTETS[:7], 7), (OCTETS[:-1], 6), (OCTETS + b"\x00", 6), (b"\x00\x02" + OCTETS[2:], 0)],
)
def test_truncation_extension_and_another_version_are_refused(octets: bytes, offset: int) -> None:
    with pytest.raises(MalformedFrameError) as caught:
        wrapper.decode(octets)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    "frame",
    [
        WrapperFrame(-1, 0, b""),
        WrapperFrame(0, 0x10000, b""),
        WrapperFrame(0, 0, bytes(0x10000)),
    ],
)
def test_what_does_not_fit_is_our_own_mistake(frame: WrapperFrame) -> None:
    with pytest.raises(ValueError, match="16 bits"):
        wrapper.encode(frame)


@pytest.mark.parametrize("size", [1, 3, 8, 9, 1000])
def test_frames_come_out_of_the_stream_whatever_the_pieces(size: int) -> None:
    row = [FRAME, WrapperFrame(1, 16, b""), WrapperFrame(1, 16, bytes(300))]
    stream = b"".join(map(wrapper.encode, row))
    splitter = WrapperSplitter(300)
    found = []
    for start in range(0, len(stream), size):
        found += splitter.feed(stream[start : start + size])
    assert found == row
    assert splitter.broken is None
    assert splitter.kept_bytes == 0


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\x00\x02" + bytes(6), "version 2"),
        (b"\x00\x01" + bytes(4) + b"\x01\x2d", "301 octets"),
    ],
)
def test_a_wrong_header_ends_the_stream_after_the_good_frames(octets: bytes, why: str) -> None:
    splitter = WrapperSplitter(300)
    assert splitter.feed(OCTETS + octets + OCTETS) == [FRAME]
    assert splitter.broken is not None
    assert why in str(splitter.broken)
    assert splitter.feed(OCTETS) == []
    assert splitter.kept_bytes == 0


def test_memory_stays_bounded_whatever_comes() -> None:
    draw = Chance(5).stream("noise")
    for _ in range(50):
        splitter = WrapperSplitter(100)
        for _ in range(10):
            splitter.feed(b"\x00\x01" + draw.octets(5))
            splitter.feed(draw.octets(150))
            assert splitter.kept_bytes <= 216
