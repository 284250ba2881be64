"""Commands, headers and beacons of a HAN: there and back; short, long and unknown ones refused."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zigbee import (
    aps_commands,
    aps_header,
    beacon,
    mac_commands,
    nwk_commands,
    nwk_header,
    security,
)
from emulator.codecs.zigbee.aps import ApsAck, ApsFrame, Fragment, FragmentAck
from emulator.codecs.zigbee.aps_header import ApsCommandFrame, ApsOuter, Delivery
from emulator.codecs.zigbee.mac import MacFrame
from emulator.codecs.zigbee.nwk_header import NwkHeader
from emulator.codecs.zigbee.security import Auxiliary, KeyId
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from tests.sampling import examples

A = Eui64.parse("02-11-22-33-44-55-66-77")
B = Eui64.parse("02-AA-BB-CC-DD-EE-FF-01")
KEY = bytes(range(16))
APS_COMMANDS: list[aps_commands.ApsCommand] = [
    aps_commands.TransportNetworkKey(KEY, 3, B, A),
    aps_commands.TransportLinkKey(KEY, B, A),
    aps_commands.TransportApplicationKey(KEY, B, True),
    aps_commands.UpdateDevice(B, 0x1234, aps_commands.DeviceStatus.LEFT),
    aps_commands.RemoveDevice(B),
    aps_commands.RequestKey(aps_commands.RequestedKey.TRUST_CENTRE_LINK),
    aps_commands.RequestKey(aps_commands.RequestedKey.APPLICATION_LINK, B),
    aps_commands.SwitchKey(9),
    aps_commands.VerifyKey(B, KEY),
    aps_commands.ConfirmKey(0xAD, B),
]
NWK_COMMANDS: list[nwk_commands.NwkCommand] = [
    nwk_commands.Leave(True, rejoin=True),
    nwk_commands.Leave(False, children=True),
    nwk_commands.RouteRecord((0x1111, 0x2222)),
    nwk_commands.RejoinRequest(0x8E),
    nwk_commands.RejoinResponse(0x1234, 0),
    nwk_commands.LinkStatus((nwk_commands.Link(1, 1, 7), nwk_commands.Link(2, 3, 0)), last=False),
]
MAC_FRAMES: list[mac_commands.MacAny] = [
    mac_commands.Ack(7, pending=True),
    mac_commands.Beacon(1, 0xBEEF, 0, True, True, beacon.encode(beacon.BeaconPayload(A))),
    mac_commands.BeaconRequest(2),
    mac_commands.AssociationRequest(3, 0xBEEF, 0, B, 0x8E),
    mac_commands.AssociationResponse(4, 0xBEEF, B, A, 0x1234, 0),
    mac_commands.DataRequest(5, 0xBEEF, 0, 0x1234),
    mac_commands.DataRequest(6, 0xBEEF, 0, B),
    MacFrame(8, 0xBEEF, 0, 0x1234, b"payload", ack_request=True),
]


@pytest.mark.parametrize("command", APS_COMMANDS, ids=lambda one: type(one).__name__)
def test_an_aps_command_there_and_back_and_nothing_shorter_or_longer(command: Any) -> None:
    octets = aps_commands.encode(command)
    assert aps_commands.decode(octets) == command
    _refuses(aps_commands.decode, octets)


def test_a_tunnelled_command_is_carried_as_it_is() -> None:
    tunnel = aps_commands.Tunnel(B, b"\x21\x01and so on")
    assert aps_commands.decode(aps_commands.encode(tunnel)) == tunnel


@pytest.mark.parametrize("command", NWK_COMMANDS, ids=lambda one: type(one).__name__)
def test_a_network_command_there_and_back_and_nothing_shorter_or_longer(command: Any) -> None:
    octets = nwk_commands.encode(command)
    assert nwk_commands.decode(octets) == command
    _refuses(nwk_commands.decode, octets)


def _refuses(decode: Callable[[bytes], Any], octets: bytes) -> None:
    for spoilt in (*(octets[:length] for length in range(len(octets))), octets + b"\x00"):
        with pytest.raises(MalformedFrameError):
            decode(spoilt)


def test_unknown_commands_keys_and_reserved_bits_are_refused() -> None:
    for octets in (b"\x7f", b"\x05\x09" + bytes(40), b"\x08\x03"):
        with pytest.raises(MalformedFrameError):
            aps_commands.decode(octets)
    for octets in (b"\x7f", b"\x04\x01", b"\x08\x81\x01\x00\x11"):
        with pytest.raises(MalformedFrameError):
            nwk_commands.decode(octets)


@pytest.mark.parametrize("frame", MAC_FRAMES, ids=lambda one: type(one).__name__)
def test_a_mac_frame_there_and_back_and_no_damage_goes_unseen(frame: Any) -> None:
    octets = mac_commands.encode(frame)
    assert mac_commands.decode(octets) == frame
    for at in range(len(octets) * 8):
        flipped = bytearray(octets)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(MalformedFrameError):
            mac_commands.decode(bytes(flipped))


@given(octets=st.binary(max_size=130))
@settings(max_examples=examples(200), derandomize=True)
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    decoders: list[Callable[[bytes], Any]] = [
        mac_commands.decode,
        nwk_header.decode,
        aps_header.decode_header,
        security.decode,
        aps_commands.decode,
        nwk_commands.decode,
        beacon.decode,
    ]
    for decode in decoders:
        with contextlib.suppress(MalformedFrameError):
            decode(octets)


def test_the_acknowledgement_of_the_standard_is_written_as_it_stands_there() -> None:
    # IEEE 802.15.4-2006 7.2.1.9: an acknowledgement with sequence number 0x6A
    assert mac_commands.encode(mac_commands.Ack(0x6A)).hex() == "02006ae479"


def test_a_beacon_says_which_network_it_is_and_whether_there_is_room() -> None:
    payload = beacon.BeaconPayload(A, routers=False, end_devices=True, depth=3, update_id=9)
    octets = beacon.encode(payload)
    assert octets.hex() == "002298" + "7766554433221102" + "ffffff" + "09"
    assert beacon.decode(octets) == payload
    _refuses(beacon.decode, octets)


@pytest.mark.parametrize(
    "header",
    [
        NwkHeader(0, 0x1234, 30, 1),
        NwkHeader(0xFFFD, 0x1234, 30, 2, command=True, secured=True, source_eui64=B),
        NwkHeader(0x1234, 0, 5, 3, destination_eui64=B, source_eui64=A, discover_route=1),
        NwkHeader(0x1234, 0, 5, 4, from_end_device=True, relays=(0, (0x1111, 0x2222))),
    ],
)
def test_a_network_header_there_and_back(header: NwkHeader) -> None:
    octets = nwk_header.encode(header)
    assert nwk_header.decode(octets + b"rest") == (header, len(octets))


@pytest.mark.parametrize(
    ("frame", "outer"),
    [
        (ApsFrame(1, 2, 0x0702, 7, b"", ack_request=True), ApsOuter(secured=True)),
        (ApsFrame(1, 2, 0x0702, 7, b"", fragment=Fragment(True, 3)), ApsOuter()),
        (ApsFrame(0xFF, 2, 0x0702, 7, b""), ApsOuter(Delivery.GROUP, 0x0102)),
        (ApsFrame(0, 0, 0x0013, 7, b"", 0), ApsOuter(Delivery.BROADCAST)),
        (ApsAck(1, 2, 0x0702, 7), ApsOuter()),
        (ApsAck(1, 2, 0x0702, 7, fragments=FragmentAck(4, 0xFF)), ApsOuter(secured=True)),
        (ApsCommandFrame(9, b""), ApsOuter(secured=True)),
    ],
)
def test_an_aps_header_there_and_back(frame: Any, outer: ApsOuter) -> None:
    octets = aps_header.encode_header(frame, outer)
    assert aps_header.decode_header(octets + b"rest") == (frame, outer, len(octets))


@pytest.mark.parametrize(
    "header",
    [
        Auxiliary(KeyId.NETWORK, 1, A, 0),
        Auxiliary(KeyId.DATA, 0xFFFFFFFF),
        Auxiliary(KeyId.KEY_TRANSPORT, 5, A),
        Auxiliary(KeyId.KEY_LOAD, 5, A),
    ],
)
def test_an_auxiliary_header_there_and_back(header: Auxiliary) -> None:
    octets = security.encode(header)
    assert security.decode(octets) == (header, len(octets))
    assert len(header.nonce(A)) == 13


def test_an_auxiliary_header_needs_the_number_of_a_network_key_and_of_no_other() -> None:
    for wrong in (Auxiliary(KeyId.NETWORK, 1, A), Auxiliary(KeyId.DATA, 1, None, 3)):
        with pytest.raises(ValueError, match="number"):
            security.encode(wrong)


def test_a_level_on_the_air_is_refused() -> None:
    octets = security.encode(Auxiliary(KeyId.NETWORK, 1, A, 0))
    for control in (octets[0] | 5, octets[0] | 0x40):
        with pytest.raises(MalformedFrameError):
            security.decode(bytes((control,)) + octets[1:])
