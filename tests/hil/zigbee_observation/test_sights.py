"""What is seen of frames as real radios send them, without any key."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zigbee import mac
from emulator.core.ids import Eui64
from hil.zigbee_observation.heard import Heard
from hil.zigbee_observation.sights import Kind, named, sight_of
from tests.hil.zigbee_observation.air_given import (
    COORDINATOR,
    HUB,
    METER,
    PAN,
    ack,
    beacon,
    block,
    heard,
    poll,
    secured,
)
from tests.sampling import examples


def test_a_poll_names_its_node_and_needs_no_key() -> None:
    sight = sight_of(poll(5))
    assert sight is not None
    assert (sight.kind, sight.source, sight.destination, sight.pan) == (
        Kind.COMMAND,
        METER,
        COORDINATOR,
        PAN,
    )
    assert sight.is_poll


def test_an_acknowledgement_names_nobody() -> None:
    sight = sight_of(ack(0, 9))
    assert sight is not None
    assert (sight.kind, sight.sequence, sight.source, sight.size) == (Kind.ACK, 9, None, 5)
    assert not sight.is_poll


def test_an_enciphered_frame_shows_its_ends_and_its_size_and_nothing_of_its_content() -> None:
    sight = sight_of(secured(0, METER, COORDINATOR, 100, 3))
    assert sight is not None
    assert sight.network is not None
    assert sight.size == 100
    assert sight.network.secured
    assert sight.network.payload == b""
    assert sight.ends == (METER, COORDINATOR)


def test_a_frame_in_the_clear_shows_its_content() -> None:
    sight = sight_of(block(0, 0, bytes(40), 3))
    assert sight is not None
    assert sight.network is not None
    assert not sight.network.secured
    assert len(sight.network.payload) == 8 + 17 + 40


def test_an_association_request_with_a_long_address_names_the_eui64() -> None:
    octets = struct.pack("<HBHHH", 0xC823, 1, PAN, COORDINATOR, 0xFFFF)
    sight = sight_of(heard(0, octets + HUB.octets[::-1] + b"\x01\x8e"))
    assert sight is not None
    assert (sight.kind, sight.command, sight.source) == (Kind.COMMAND, 1, HUB)
    assert named(HUB) == str(HUB)


def test_a_network_header_with_long_addresses_and_a_source_route_is_read_to_its_end() -> None:
    head = struct.pack("<HBHHH", 0x8861, 1, PAN, METER, COORDINATOR)
    network = struct.pack("<HHHBB", 0x1C08, METER, 0x1111, 30, 77)
    long = HUB.octets[::-1] + Eui64(bytes(range(8))).octets[::-1]
    routed = struct.pack("<BBHH", 2, 0, 0x1111, 0x2222)
    sight = sight_of(heard(0, head + network + long + routed + b"content"))
    assert sight is not None
    assert sight.network is not None
    assert sight.network.payload == b"content"
    assert sight.network.source_eui64 == Eui64(bytes(range(8)))
    assert sight.ends == (0x1111, METER)
    assert (sight.source, sight.destination) == (COORDINATOR, METER)


@given(st.binary(max_size=130))
@settings(max_examples=examples(400), derandomize=True)
def test_no_octets_whatever_break_the_reader(octets: bytes) -> None:
    sight = sight_of(Heard(0, 15, octets))
    assert sight is None or sight.size == len(octets) + 2


@given(st.integers(0, 60), st.sampled_from([poll(0), beacon(), block(0, 0, bytes(8), 1)]))
@settings(max_examples=examples(100), derandomize=True)
def test_a_frame_cut_short_is_read_as_far_as_it_goes_or_not_at_all(cut: int, whole: Heard) -> None:
    sight = sight_of(Heard(0, 15, whole.octets[:cut]))
    assert sight is None or sight.size == min(cut, len(whole.octets)) + 2


def test_the_check_sequence_is_the_standards_whatever_the_dongle_put_in_its_place() -> None:
    octets = mac.encode(mac.MacFrame(1, PAN, METER, COORDINATOR, b"content"))
    delivered = Heard.delivered(0, 15, octets[:-2] + b"\x55\xaa", 255, -40)
    assert delivered.with_fcs == octets
