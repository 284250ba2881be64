"""The radio by itself: what the manufacturing library hears, and all that it will not send."""

from typing import Any

import pytest

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import NodeType, ValueId
from emulator.codecs.ezsp.protocol import VERSIONS, codec_of
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.values import Channel, Nothing, Octets, Power, StatusOnly, ValueSetting
from emulator.codecs.ezsp.values_messages import (
    MfglibPower,
    MfglibReceived,
    MfglibStart,
    RawMessage,
)
from emulator.codecs.ezsp.values_network import Scan
from emulator.codecs.zigbee import mac
from emulator.ncp.overhearing import is_inter_pan
from emulator.ncp.radio_frames import HeardPacket
from tests.emulator.ncp.home_given import told
from tests.emulator.ncp.hub_given import HubAir, at_desk, join, joined_hub, statuses
from tests.emulator.ncp.ncp_given import FORM, Desk

PACKET = mac.encode(mac.MacFrame(1, 0x1A62, 0x0000, 0x4711, b"\x48\x02" + bytes(20)))
#: Inter-PAN data frames: broadcast with a long source address; with a short one in the same PAN.
INTER_PAN = (
    bytes.fromhex("01C8 07 FFFF FFFF 621A 0102030405060708 0B00 0B0000".replace(" ", "")),
    bytes.fromhex("4188 07 621A 0000 1147 0B00 0B0000".replace(" ", "")),
)
BLOCKED = StatusOnly(Status.TRANSMIT_BLOCKED)


def _started(version: int = 13, *, tells: bool = True, **identity: Any) -> tuple[Desk, HubAir]:
    desk, air = at_desk(version)
    if identity:
        state = desk.dongle.ncp.state
        state.identity = type(state.identity)(state.identity.eui64, version, **identity)
    assert desk.ask(Frame.MFGLIB_START, MfglibStart(tells)) == StatusOnly()
    return desk, air


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_on_the_channel_is_told_with_how_well_it_was_heard(version: int) -> None:
    desk, air = _started(version)
    assert air.on() == 11
    assert desk.ask(Frame.MFGLIB_SET_CHANNEL, Channel(15)) == StatusOnly()
    assert (air.on(), desk.ask(Frame.MFGLIB_GET_CHANNEL, Nothing())) == (15, Channel(15))
    air.packets += [HeardPacket(PACKET, 15, -61, 180), HeardPacket(PACKET[:5], 15, -90, 20)]
    desk.wait(10)
    assert told(desk, Frame.MFGLIB_RX_HANDLER) == [
        MfglibReceived(180, -61, PACKET),
        MfglibReceived(20, -90, PACKET[:5]),
    ]
    desk.callbacks.clear()
    air.packets.append(HeardPacket(PACKET, 16, -61, 180))
    desk.wait(10)
    assert desk.callbacks == []
    assert desk.ask(Frame.MFGLIB_END, Nothing()) == StatusOnly()
    assert air.on() is None
    air.packets.append(HeardPacket(PACKET, 15, -61, 180))
    desk.dongle.ncp.tick(desk.now)
    assert desk.callbacks == []


def test_who_only_counts_is_told_nothing() -> None:
    desk, air = _started(tells=False)
    air.packets.append(HeardPacket(PACKET, 11, -61, 180))
    desk.wait(10)
    assert desk.callbacks == []


def test_a_reset_ends_the_listening() -> None:
    desk, air = _started()
    desk.connect()
    assert air.on() is None
    assert desk.ask(Frame.MFGLIB_END, Nothing()).status is Status.INVALID_STATE


def test_the_radio_has_one_user_at_a_time() -> None:
    desk, _air = _started()
    refused = StatusOnly(Status.INVALID_STATE)
    assert desk.ask(Frame.MFGLIB_START, MfglibStart(True)) == refused
    assert desk.ask(Frame.FORM_NETWORK, FORM) == refused
    assert desk.ask(Frame.START_SCAN, Scan(1, 1 << 15, 3)) == refused
    assert join(desk) is Status.INVALID_STATE
    assert desk.ask(Frame.MFGLIB_END, Nothing()) == StatusOnly()
    assert join(desk) is Status.OK
    assert desk.ask(Frame.MFGLIB_START, MfglibStart(True)) == refused
    desk.wait(1_000)
    assert statuses(desk) == [Status.NETWORK_UP]
    assert desk.ask(Frame.MFGLIB_START, MfglibStart(True)) == refused


def test_without_the_library_there_is_nothing_to_set() -> None:
    desk, _air = at_desk()
    for name, values in (
        (Frame.MFGLIB_END, Nothing()),
        (Frame.MFGLIB_SET_CHANNEL, Channel(15)),
        (Frame.MFGLIB_SET_POWER, MfglibPower(0, 3)),
        (Frame.MFGLIB_START_TONE, Nothing()),
        (Frame.MFGLIB_STOP_TONE, Nothing()),
        (Frame.MFGLIB_START_STREAM, Nothing()),
        (Frame.MFGLIB_STOP_STREAM, Nothing()),
        (Frame.MFGLIB_SEND_PACKET, Octets(PACKET)),
    ):
        assert desk.ask(name, values) == StatusOnly(Status.INVALID_STATE), name
    assert desk.ask(Frame.MFGLIB_GET_CHANNEL, Nothing()) == Channel(0)
    assert desk.ask(Frame.MFGLIB_GET_POWER, Nothing()) == Power(0)


def test_channel_and_power_keep_to_what_the_radio_can() -> None:
    desk, _air = _started()
    wrong = desk.ask(Frame.MFGLIB_SET_CHANNEL, Channel(10))
    assert wrong == StatusOnly(Status.TRANSMIT_INVALID_CHANNEL)
    assert desk.ask(Frame.MFGLIB_GET_CHANNEL, Nothing()) == Channel(11)
    assert desk.ask(Frame.MFGLIB_SET_POWER, MfglibPower(0, 3)) == StatusOnly()
    too_much = desk.ask(Frame.MFGLIB_SET_POWER, MfglibPower(0, 99))
    assert too_much == StatusOnly(Status.TRANSMIT_INVALID_POWER)
    assert desk.ask(Frame.MFGLIB_GET_POWER, Nothing()) == Power(3)


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_is_sent_unless_the_dongle_may(version: int) -> None:
    desk, air = _started(version)
    for name in (Frame.MFGLIB_START_TONE, Frame.MFGLIB_START_STREAM):
        assert desk.ask(name, Nothing()) == BLOCKED
    assert desk.ask(Frame.MFGLIB_SEND_PACKET, Octets(PACKET)) == BLOCKED
    desk, air = joined_hub(version)
    raw = RawMessage(PACKET[:-2])
    assert desk.ask(Frame.SEND_RAW_MESSAGE_EXTENDED, raw) == BLOCKED
    if Frame.SEND_RAW_MESSAGE in codec_of(version).frames:
        assert desk.ask(Frame.SEND_RAW_MESSAGE, raw) == BLOCKED
    assert (air.raw, air.sent) == ([], [])


def test_a_dongle_that_may_sends_with_the_right_check() -> None:
    desk, air = _started(transmits=True)
    assert desk.ask(Frame.MFGLIB_SEND_PACKET, Octets(PACKET[:-2] + b"??")) == StatusOnly()
    assert air.raw == [(PACKET, 11)]
    long, short = bytes(128), bytes(4)
    ask = Frame.MFGLIB_SEND_PACKET
    assert desk.ask(ask, Octets(long)).status is Status.MESSAGE_TOO_LONG
    assert desk.ask(ask, Octets(short)).status is Status.INVALID_PARAMETER
    assert desk.ask(Frame.MFGLIB_START_TONE, Nothing()) == StatusOnly()
    assert desk.ask(ask, Octets(PACKET)) == StatusOnly(Status.INVALID_STATE)
    assert desk.ask(Frame.MFGLIB_STOP_TONE, Nothing()) == StatusOnly()
    assert desk.ask(Frame.MFGLIB_STOP_TONE, Nothing()) == StatusOnly(Status.INVALID_STATE)


def test_a_raw_message_goes_out_on_the_channel_of_the_network() -> None:
    desk, air = joined_hub()
    state = desk.dongle.ncp.state
    state.identity = type(state.identity)(state.identity.eui64, 13, transmits=True)
    assert desk.ask(Frame.SEND_RAW_MESSAGE, RawMessage(PACKET[:-2])) == StatusOnly()
    assert air.raw == [(PACKET, 15)]
    desk.connect()
    assert desk.ask(Frame.SEND_RAW_MESSAGE, RawMessage(PACKET[:-2])).status is Status.NETWORK_DOWN


@pytest.mark.parametrize("version", VERSIONS)
def test_inter_pan_frames_pass_through_while_the_host_wants_them(version: int) -> None:
    desk, air = joined_hub(version)
    flags = int(ValueId.MAC_PASSTHROUGH_FLAGS)
    assert air.on() is None
    assert desk.ask(Frame.SET_VALUE, ValueSetting(flags, b"\x01")) == StatusOnly()
    assert air.on() == 15
    for octets in (*INTER_PAN, PACKET):
        air.packets.append(HeardPacket(octets, 15, -70, 99))
    desk.wait(10)
    passed = told(desk, Frame.MAC_PASSTHROUGH_MESSAGE_HANDLER)
    assert [(one.message_type, one.message) for one in passed] == [
        (1, octets[:-2]) for octets in INTER_PAN
    ]
    assert desk.ask(Frame.SET_VALUE, ValueSetting(flags, b"\x00")) == StatusOnly()
    assert air.on() is None


def test_any_octets_are_inter_pan_or_not() -> None:
    for whole in (*INTER_PAN, PACKET):
        for length in range(len(whole)):
            assert is_inter_pan(whole[:length]) in {True, False}
    assert [is_inter_pan(octets) for octets in (*INTER_PAN, PACKET)] == [True, True, False]


def test_the_channel_of_a_network_stays() -> None:
    desk, _air = joined_hub(13, NodeType.ROUTER)
    ask = Frame.SET_RADIO_CHANNEL
    assert desk.ask(ask, Channel(15)) == StatusOnly()
    assert desk.ask(ask, Channel(16)).status in {Status.NOT_SUPPORTED, Status.INVALID_STATE}
    assert desk.ask(ask, Channel(27)).status is Status.TRANSMIT_INVALID_CHANNEL
    desk.connect()
    assert desk.ask(ask, Channel(15)).status is Status.NOT_JOINED
