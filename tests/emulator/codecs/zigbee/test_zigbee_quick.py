"""The quick way through three headers agrees with the declared layers, frame by frame."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zigbee import aps, mac, nwk, quick
from emulator.codecs.zigbee.aps import ApsAck, ApsFrame, Fragment, FragmentAck
from emulator.codecs.zigbee.mac import MacFrame
from emulator.codecs.zigbee.nwk import NwkFrame
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

octet = st.integers(0, 0xFF)
word = st.integers(0, 0xFFFF)
fragments = st.none() | st.builds(Fragment, first=st.booleans(), block=st.integers(1, 0xFF))
frames = st.builds(
    ApsFrame, octet, octet, word, octet, st.binary(max_size=95), word, st.booleans(), fragments
)
acks = st.builds(
    ApsAck, octet, octet, word, octet, word, st.none() | st.builds(FragmentAck, octet, octet)
)


def layered(octets: bytes) -> quick.Parsed:
    """What the layers read, one after the other."""
    outer = mac.decode(octets)
    middle = nwk.decode(outer.payload)
    inner = aps.decode(middle.payload)
    return outer.pan_id, outer.destination, middle.destination, middle.source, inner


@settings(max_examples=examples(400))
@given(st.tuples(word, word, word), octet, st.tuples(octet, octet), frames | acks)
def test_the_layers_write_the_same_octets_and_both_ways_read_them_alike(
    addresses: tuple[int, int, int],
    radius: int,
    numbers: tuple[int, int],
    frame: ApsFrame,
) -> None:
    pan_id, to, source = addresses
    packet = NwkFrame(to, source, radius, numbers[1], aps.encode(frame))
    try:
        octets = mac.encode(MacFrame(numbers[0], pan_id, to, source, nwk.encode(packet)))
    except ValueError:
        with pytest.raises(ValueError, match=r"zigbee\.mac"):
            quick.encode(pan_id, to, source, radius, numbers, frame)
        return
    assert quick.encode(pan_id, to, source, radius, numbers, frame) == octets
    for _time in range(2):  # as it was written just now, and octet by octet
        found = quick.decode(octets)
        if found is not None:
            assert found == layered(octets) == (pan_id, to, to, source, found[-1])


@settings(max_examples=examples(400))
@given(frames | acks, st.data())
def test_what_the_quick_way_reads_of_damaged_frames_the_layers_read_alike(
    frame: ApsFrame, data: st.DataObject
) -> None:
    try:
        octets = bytearray(quick.encode(1, 2, 3, 30, (4, 5), frame))
    except ValueError:
        return
    for _number in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    body = bytes(octets[:-2])
    damaged = body + mac.fcs(body).to_bytes(2, "little")  # else nothing but the FCS is looked at
    found = quick.decode(damaged)
    try:
        slow = layered(damaged)
    except MalformedFrameError:
        assert found is None
        return
    assert found is None or found == slow


def test_frames_of_a_home_go_the_quick_way() -> None:
    for frame in (
        ApsFrame(1, 2, 0x0704, 9, b"\x11\x01\x02", ack_request=True),
        ApsFrame(1, 2, 0x0704, 9, b"\x11", 0x0109, True, Fragment(first=True, block=3)),
        ApsAck(2, 1, 0x0704, 9),
        ApsAck(2, 1, 0x0704, 9, 0x0109, FragmentAck(2, 0xFF)),
    ):
        octets = quick.encode(0x1234, 0, 0x77, 30, (1, 2), frame)
        assert quick.decode(octets) is not None
        assert quick.decode(octets) is not None


def test_a_wrong_check_sequence_is_none_of_the_quick_way() -> None:
    octets = quick.encode(0x1234, 0, 0x77, 30, (1, 2), ApsAck(2, 1, 0x0704, 9))
    assert quick.decode(octets[:-1] + bytes((octets[-1] ^ 1,))) is None
