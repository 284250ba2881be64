import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import hdlc
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import Kind, control, i_control
from emulator.codecs.dlms.hdlc_splitter import MAX_KEPT_BYTES, FrameSplitter
from emulator.core.chance import Chance
from tests.sampling import examples

FRAMES = [
    hdlc.decode(bytes.fromhex(text))
    for text in (
        "7EA0070321930F017E",
        "7EA01E210373C37A818012050180060180070400000001080400000001533B7E",
        "7EA01C2103523E73E6E700C401C100090A31345030303030323035457E7E",
    )
]
INSIDE = Frame(Address(1), Address(16, 17, 2), i_control(0, 0, poll=True), b"\x7e" * 40)
STREAM = b"".join(hdlc.encode(frame) for frame in [*FRAMES, INSIDE])
#: The same with one flag between two frames.
SHARED = b"\x7e" + b"".join(hdlc.encode(frame)[1:] for frame in [*FRAMES, INSIDE])


@pytest.mark.parametrize(
    "stream", [STREAM, SHARED, b"\x7e\x7e" + STREAM], ids=["own", "shared", "fill"]
)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_frames_come_out_whatever_the_pieces(stream: bytes, size: int) -> None:
    splitter = FrameSplitter()
    found = []
    for start in range(0, len(stream), size):
        found += splitter.feed(stream[start : start + size])
    assert found == [*FRAMES, INSIDE]
    assert splitter.silence() == []
    assert (splitter.refused, splitter.dropped_bytes, splitter.kept_bytes) == (0, 0, 0)


def test_a_frame_whose_fcs_ends_in_a_flag_is_complete_with_its_last_octet() -> None:
    splitter = FrameSplitter()
    octets = hdlc.encode(FRAMES[2])
    assert splitter.feed(octets[:-1]) == []
    assert splitter.feed(octets[-1:]) == [FRAMES[2]]


@given(st.binary(max_size=60), st.binary(max_size=60), st.integers(1, 9))
@settings(max_examples=examples(120), derandomize=True)
def test_noise_around_a_frame_does_not_hide_it(before: bytes, after: bytes, size: int) -> None:
    splitter = FrameSplitter()
    stream = before + STREAM + after
    found = []
    for start in range(0, len(stream), size):
        found += splitter.feed(stream[start : start + size])
    found += splitter.silence()
    assert found == [*FRAMES, INSIDE]
    assert splitter.kept_bytes == 0


def test_a_false_header_of_2047_octets_is_given_away_by_its_header_check() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"\x7e\xa7\xff") == []
    assert splitter.feed(STREAM) == [*FRAMES, INSIDE]


def test_a_false_header_with_good_addresses_is_given_away_by_its_header_check() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(bytes.fromhex("7ea7ff 03 21 52 12")) == []
    assert splitter.kept_bytes == 7  # it may still be one
    splitter.feed(b"\x34")
    assert splitter.kept_bytes == 0
    assert splitter.feed(STREAM) == [*FRAMES, INSIDE]


def test_a_false_header_that_cannot_be_checked_yields_to_silence() -> None:
    splitter = FrameSplitter()
    false_header = bytes.fromhex("7ea107")  # then the flag of a good frame as its first address
    assert splitter.feed(false_header) == []
    assert splitter.kept_bytes == 3
    assert splitter.feed(b"\x02\x02") == []  # an address that goes on: nothing to check yet
    assert splitter.silence() == []
    assert splitter.feed(hdlc.encode(FRAMES[0])) == [FRAMES[0]]


def test_a_good_frame_swallowed_by_a_false_header_comes_out_at_silence() -> None:
    splitter = FrameSplitter()
    good = hdlc.encode(Frame(Address(1), Address(16), control(Kind.UI), b"\x01" * 3))
    assert splitter.feed(b"\x7e\xa7\xff" + b"\x02" * 2) == []  # its address does not end
    assert splitter.feed(good) == [hdlc.decode(good)]
    assert splitter.feed(bytes.fromhex("7ea00d")) == []
    assert splitter.feed(good[:9]) == []  # flag, format and addresses pass for two addresses
    assert splitter.silence() == []
    assert splitter.feed(good) == [hdlc.decode(good)]


def test_any_flipped_bit_costs_that_frame_alone() -> None:
    octets = hdlc.encode(FRAMES[2])
    for bit in range(len(octets) * 8):
        spoilt = bytearray(octets)
        spoilt[bit // 8] ^= 1 << bit % 8
        splitter = FrameSplitter()
        found = splitter.feed(hdlc.encode(FRAMES[0]) + bytes(spoilt))
        found += splitter.silence()
        found += splitter.feed(hdlc.encode(FRAMES[1]))
        assert found == [FRAMES[0], FRAMES[1]]


def test_memory_stays_bounded_in_endless_noise() -> None:
    draw = Chance(7).stream("noise")
    splitter = FrameSplitter()
    for _ in range(60):
        octets = draw.octets(500)
        splitter.feed(octets + b"\x7e\xa7\xff\x03" + b"\x7e\xa7")
        assert splitter.kept_bytes <= MAX_KEPT_BYTES
    splitter.silence()
    assert splitter.kept_bytes == 0
    assert splitter.feed(STREAM) == [*FRAMES, INSIDE]


def test_one_huge_chunk_is_scanned_in_pieces() -> None:
    splitter = FrameSplitter()
    frame = Frame(Address(1), Address(16), control(Kind.UI), bytes(range(256)) * 7)
    assert splitter.feed(hdlc.encode(frame) * 100) == [frame] * 100
    assert splitter.kept_bytes == 1


def test_wrong_check_sequences_are_counted() -> None:
    octets = bytearray(hdlc.encode(FRAMES[0]))
    octets[-2] ^= 1
    splitter = FrameSplitter()
    assert splitter.feed(bytes(octets)) == []
    assert splitter.refused == 1
    splitter.silence()
    assert splitter.dropped_bytes == len(octets) - 1  # all but the flag that might have opened one
