from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zigbee import aps
from emulator.codecs.zigbee.aps import ApsAck, ApsFrame, Fragment, FragmentAck
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

FRAME = ApsFrame(1, 123, 0x0019, 0x2A, b"\x19\x07\x05")
ACK = ApsAck(123, 1, 0x0704, 0x4D)

octet = st.integers(0, 0xFF)
word = st.integers(0, 0xFFFF)
fragments = st.none() | st.builds(Fragment, first=st.booleans(), block=st.integers(1, 0xFF))
frames = st.builds(
    ApsFrame, octet, octet, word, octet, st.binary(max_size=90), word, st.booleans(), fragments
)
acks = st.builds(
    ApsAck, octet, octet, word, octet, word, st.none() | st.builds(FragmentAck, octet, octet)
)


@pytest.mark.parametrize(
    ("frame", "octets"),
    [
        # control, destination endpoint, cluster, profile 0109, source endpoint, counter
        (FRAME, "00 01 1900 0901 7b 2a 190705"),
        (replace(FRAME, ack_request=True), "40 01 1900 0901 7b 2a 190705"),
        # extended header: first block of 4; then block 3
        (
            replace(FRAME, ack_request=True, fragment=Fragment(first=True, block=4)),
            "c0 01 1900 0901 7b 2a 01 04 190705",
        ),
        (
            replace(FRAME, ack_request=True, fragment=Fragment(first=False, block=3)),
            "c0 01 1900 0901 7b 2a 02 03 190705",
        ),
        (ACK, "02 7b 0407 0901 01 4d"),
        (replace(ACK, fragments=FragmentAck(0, 0x07)), "82 7b 0407 0901 01 4d 01 00 07"),
        (replace(ACK, fragments=FragmentAck(3, 0xFF)), "82 7b 0407 0901 01 4d 02 03 ff"),
    ],
)
def test_a_frame_has_the_octets_of_the_standard(frame: ApsFrame | ApsAck, octets: str) -> None:
    assert aps.encode(frame) == bytes.fromhex(octets)
    assert aps.decode(bytes.fromhex(octets)) == frame


@given(frames | acks)
@settings(max_examples=examples(200), derandomize=True)
def test_fast_path_and_declaration_agree_and_round_trip(frame: ApsFrame | ApsAck) -> None:
    octets = aps.encode(frame)
    assert aps._encode_declared(frame) == octets
    assert aps.decode(octets) == aps._decode_declared(octets) == frame


def test_a_fragment_knows_its_own_number() -> None:
    assert Fragment(first=True, block=4).number == 0
    assert Fragment(first=False, block=3).number == 3


def test_every_cut_through_a_header_and_an_octet_behind_an_ack_are_refused() -> None:
    first = aps.encode(replace(FRAME, fragment=Fragment(first=True, block=4)))
    acked = aps.encode(replace(ACK, fragments=FragmentAck(0, 7)))
    for octets, header in ((aps.encode(FRAME), 8), (first, 10), (acked, 11), (aps.encode(ACK), 8)):
        for length in range(header):
            with pytest.raises(MalformedFrameError):
                aps.decode(octets[:length])
    for octets in (acked, aps.encode(ACK)):
        with pytest.raises(MalformedFrameError, match="behind an acknowledgement"):
            aps.decode(octets + b"\x00")


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("01 01 1900 0901 7b 2a", "neither data nor acknowledgement"),
        ("03 01 1900 0901 7b 2a", "neither data nor acknowledgement"),
        ("20 01 1900 0901 7b 2a", "security header"),
        ("08 01 1900 0901 7b 2a", "unicast"),
        ("0c 01 1900 0901 7b 2a", "unicast"),
        ("10 01 1900 0901 7b 2a", "not one of a data frame"),
        ("42 01 1900 0901 7b 2a", "acknowledgement asks for one"),
        ("80 01 1900 0901 7b 2a 00 01", "unknown extended header"),
        ("80 01 1900 0901 7b 2a 03 01", "unknown extended header"),
        ("80 01 1900 0901 7b 2a 05 01", "unknown extended header"),
        ("80 01 1900 0901 7b 2a 01 00", "fragments of no blocks"),
        ("80 01 1900 0901 7b 2a 02 00", "block 0 marked as a later one"),
        ("82 01 1900 0901 7b 2a 01 03 ff", "first window not at block 0"),
        ("82 01 1900 0901 7b 2a 02 00 ff", "later window at block 0"),
    ],
)
def test_what_the_han_does_not_use_is_refused_each_with_its_reason(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why) as refused:
        aps.decode(bytes.fromhex(octets))
    assert refused.value.layer == "zigbee.aps"


@given(st.binary(max_size=20))
@settings(max_examples=examples(300), derandomize=True)
def test_octets_of_chance_are_read_or_refused_and_never_break(octets: bytes) -> None:
    try:
        frame = aps.decode(octets)
    except MalformedFrameError:
        return
    assert aps.encode(frame) == octets


@pytest.mark.parametrize("wrong", [{"cluster": 0x10000}, {"counter": 256}])
@pytest.mark.parametrize("fragment", [None, Fragment(first=False, block=1)])
def test_a_field_out_of_range_is_our_own_error(
    wrong: dict[str, int], fragment: Fragment | None
) -> None:
    frame = replace(FRAME, fragment=fragment, **wrong)  # type: ignore[arg-type]  # integers all
    with pytest.raises(ValueError, match=r"zigbee\.aps"):
        aps.encode(frame)
