from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zigbee import mac
from emulator.codecs.zigbee.mac import MacFrame
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

FRAME = MacFrame(0x2A, 0x1AAA, 0x1234, 0x0000, bytes.fromhex("0800"))
# Frame control 8841 low octet first, sequence, PAN id, destination, source, payload, FCS.
# The FCS was computed by hand-written bitwise division, see `divided`.
OCTETS = bytes.fromhex("4188 2a aa1a 3412 0000 0800")

frames = st.builds(
    MacFrame,
    sequence=st.integers(0, 0xFF),
    pan_id=st.integers(0, 0xFFFF),
    destination=st.integers(0, 0xFFFF),
    source=st.integers(0, 0xFFFF),
    payload=st.binary(max_size=116),
    ack_request=st.booleans(),
    frame_pending=st.booleans(),
)


def divided(octets: bytes) -> int:
    """The FCS as 7.2.1.9 describes it: bit by bit, least significant bit of each octet first."""
    remainder = 0
    for octet in octets:
        for bit in range(8):
            out = (remainder & 1) ^ (octet >> bit & 1)
            remainder = remainder >> 1 ^ (0x8408 if out else 0)
    return remainder


def sealed(body: bytes) -> bytes:
    return body + mac.fcs(body).to_bytes(2, "little")


def test_the_fcs_of_the_acknowledgement_in_the_standard_is_the_one_printed_there() -> None:
    # bits 0100 0000 0000 0000 0101 0110, FCS 0010 0111 1001 1110, in order of sending
    assert sealed(bytes.fromhex("02006a")) == bytes.fromhex("02006ae479")


def test_the_fcs_of_the_catalogue_check_string_is_2189() -> None:
    assert mac.fcs(b"123456789") == 0x2189


@given(st.binary(max_size=127))
@settings(max_examples=examples(50), derandomize=True)
def test_the_fast_fcs_is_the_one_divided_bit_by_bit(octets: bytes) -> None:
    assert mac.fcs(octets) == divided(octets)


def test_a_frame_has_the_octets_of_the_standard() -> None:
    assert mac.encode(FRAME) == sealed(OCTETS)
    assert mac.decode(sealed(OCTETS)) == FRAME


def test_acknowledge_request_and_frame_pending_are_bits_5_and_4() -> None:
    both = replace(FRAME, ack_request=True, frame_pending=True)
    assert mac.encode(both)[:2] == bytes.fromhex("7188")
    assert mac.encode(replace(FRAME, ack_request=True))[:2] == bytes.fromhex("6188")
    assert mac.decode(mac.encode(both)) == both


@given(frames)
@settings(max_examples=examples(150), derandomize=True)
def test_what_was_encoded_decodes_to_the_same_frame(frame: MacFrame) -> None:
    octets = mac.encode(frame)
    assert mac.decode(octets) == frame
    raw = mac._FORMAT.parse(octets[:9])
    declared = (raw.sequence, raw.pan_id, raw.destination, raw.source)
    assert declared == (frame.sequence, frame.pan_id, frame.destination, frame.source)
    assert (raw.control.ack_request, raw.control.frame_pending) == (
        frame.ack_request,
        frame.frame_pending,
    )
    assert mac._FORMAT.build(raw) == octets[:9]


def test_every_single_bit_flip_is_refused_by_the_fcs() -> None:
    octets = mac.encode(replace(FRAME, payload=bytes(range(116))))
    for bit in range(8 * len(octets)):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(MalformedFrameError, match="frame check sequence wrong"):
            mac.decode(bytes(flipped))


def test_every_truncation_and_every_extension_but_by_zero_are_refused() -> None:
    octets = mac.encode(replace(FRAME, payload=bytes(range(60))))
    for length in range(len(octets)):
        with pytest.raises(MalformedFrameError):
            mac.decode(octets[:length])
    for more in range(1, 256):
        with pytest.raises(MalformedFrameError):
            mac.decode(octets + bytes([more]))
    # The CRC of the standard starts from 0 and cannot see zeros behind it; the radio's length does.
    assert mac.decode(octets + b"\x00").payload == octets[9:-1]


@pytest.mark.parametrize(
    ("control", "why"),
    [
        ("4088", "frame type 0 is not data"),
        ("4388", "frame type 3 is not data"),
        ("4988", "security"),
        ("4198", "frame version 1"),
        ("418c", "both addresses must be short"),
        ("41c8", "both addresses must be short"),
        ("0188", "PAN id compression is missing"),
        ("c188", "reserved bit"),
        ("4189", "reserved bit"),
    ],
)
def test_other_kinds_of_frames_are_refused_each_with_its_reason(control: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why) as refused:
        mac.decode(sealed(bytes.fromhex(control) + OCTETS[2:]))
    assert refused.value.layer == "zigbee.mac"


def test_a_frame_longer_than_the_radio_can_send_is_refused_both_ways() -> None:
    with pytest.raises(ValueError, match="127 at most"):
        mac.encode(replace(FRAME, payload=bytes(117)))
    with pytest.raises(MalformedFrameError, match="11 to 127"):
        mac.decode(sealed(OCTETS + bytes(115)))


@pytest.mark.parametrize("wrong", [{"sequence": 256}, {"pan_id": -1}, {"destination": 0x10000}])
def test_a_field_out_of_range_is_our_own_error(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"zigbee\.mac"):
        mac.encode(replace(FRAME, **wrong))  # type: ignore[arg-type]  # all of them are integers
