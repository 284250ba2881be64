"""Messages of a dongle that is a node: to and from its hub, sealed or not, in fragments, polled."""

from dataclasses import replace
from typing import Any

import pytest

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    ApsOption,
    Counter,
    EventUnits,
    IncomingType,
    NetworkState,
    NodeType,
    PolicyId,
)
from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame
from emulator.codecs.ezsp.values import ByEui64, ByIndex, Nothing, PolicySetting, StatusOnly
from emulator.codecs.ezsp.values_messages import PollForData, Reply, SendBroadcast, SendUnicast
from emulator.codecs.ezsp.values_network import Rejoin
from emulator.codecs.ezsp.values_security import LinkKeyImport
from emulator.codecs.zigbee import aps
from emulator.ncp.radio_frames import EVERYBODY, DataFrame, Poll
from tests.emulator.ncp.home_given import told
from tests.emulator.ncp.hub_given import (
    CHF_ENDPOINT,
    ENDPOINT,
    INSTALL_KEY,
    NETWORK_KEY_OCTETS,
    SHORT,
    HubAir,
    joined_hub,
    statuses,
)
from tests.emulator.ncp.ncp_given import HUB, Desk

KEY = bytes(range(48, 64))
SEALED = int(ApsOption.RETRY | ApsOption.ENCRYPTION)
MINUTE = 60_000


def _aps(options: int = int(ApsOption.RETRY), group: int = 0, sequence: int = 0) -> ApsFrame:
    return ApsFrame(0x0109, 0x0702, ENDPOINT, CHF_ENDPOINT, options, group, sequence)


def _send(desk: Desk, message: bytes = b"\x00\x01\x00", options: int = int(ApsOption.RETRY)) -> Any:
    return desk.ask(Frame.SEND_UNICAST, SendUnicast(0, 0, _aps(options), 5, message))


def _counters(desk: Desk) -> tuple[int, ...]:
    found: tuple[int, ...] = desk.ask(Frame.READ_COUNTERS, Nothing()).values
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_messages_go_both_ways_between_it_and_its_hub(version: int) -> None:
    desk, air = joined_hub(version)
    answer = _send(desk)
    assert answer.status is Status.OK
    desk.wait(10)
    (sent,) = told(desk, Frame.MESSAGE_SENT_HANDLER)
    assert (sent.status, sent.tag, sent.aps.sequence) == (Status.OK, 5, answer.sequence)
    (frame,) = air.of(DataFrame)
    assert (frame.source, frame.destination, frame.link_key) == (SHORT, 0, None)
    assert frame.frame.payload == b"\x00\x01\x00"
    air.say(air.message(b"\x18\x01\x0a", 77))
    desk.wait(10)
    (heard,) = told(desk, Frame.INCOMING_MESSAGE_HANDLER)
    assert (heard.sender, heard.message) == (0, b"\x18\x01\x0a")
    assert heard.aps.options & ApsOption.ENCRYPTION == 0
    if version >= 14:
        assert heard.sender_eui64 == HUB
    ack = air.of(DataFrame)[-1]
    assert isinstance(ack.frame, aps.ApsAck)
    assert (ack.frame.counter, ack.link_key) == (77, None)


def test_a_broadcast_of_the_hub_and_one_of_its_own() -> None:
    desk, air = joined_hub()
    air.say(air.message(b"\x18\x02\x0a", 5, destination=EVERYBODY))
    desk.wait(10)
    (heard,) = told(desk, Frame.INCOMING_MESSAGE_HANDLER)
    assert heard.message_type == IncomingType.BROADCAST
    spread = SendBroadcast(EVERYBODY, _aps(0), 0, 6, b"\x00\x03\x00")
    assert desk.ask(Frame.SEND_BROADCAST, spread).status is Status.OK
    assert air.of(DataFrame)[-1].destination == EVERYBODY


def test_messages_of_a_node_it_knows_nothing_of_reach_the_host() -> None:
    desk, air = joined_hub()
    air.say(air.message(b"\x18\x04\x0a", 9, source=0x2222))
    desk.wait(10)
    assert [one.sender for one in told(desk, Frame.INCOMING_MESSAGE_HANDLER)] == [0x2222]


def test_a_hub_that_is_not_there_is_no_delivery() -> None:
    desk, air = joined_hub()
    air.there = False
    _send(desk)
    desk.wait(MINUTE)
    (sent,) = told(desk, Frame.MESSAGE_SENT_HANDLER)
    assert sent.status is Status.DELIVERY_FAILED


def test_a_message_is_sealed_under_the_link_key_of_joining_and_its_counters_count() -> None:
    desk, air = joined_hub()
    for _ in range(3):
        assert _send(desk, options=SEALED).status is Status.OK
        desk.wait(10)
    assert [one.link_key for one in air.of(DataFrame)] == [INSTALL_KEY] * 3
    assert [one.link_counter for one in air.of(DataFrame)] == [0, 1, 2]
    assert {one.status for one in told(desk, Frame.MESSAGE_SENT_HANDLER)} == {Status.OK}
    air.say(air.message(b"\x18\x05\x0a", 1, link_key=INSTALL_KEY, link_counter=9))
    desk.wait(10)
    (heard,) = told(desk, Frame.INCOMING_MESSAGE_HANDLER)
    assert heard.aps.options & ApsOption.ENCRYPTION
    ack = air.of(DataFrame)[-1]
    assert (ack.link_key, ack.link_counter) == (INSTALL_KEY, 3)


@pytest.mark.parametrize("repeat", [4, 5])
def test_a_sealed_frame_that_is_a_repeat_or_under_another_key_is_dropped_and_counted(
    repeat: int,
) -> None:
    desk, air = joined_hub()
    air.say(air.message(b"\x18\x05\x0a", 1, link_key=INSTALL_KEY, link_counter=5))
    air.say(air.message(b"\x18\x06\x0a", 2, link_key=INSTALL_KEY, link_counter=repeat))
    air.say(air.message(b"\x18\x07\x0a", 3, link_key=KEY, link_counter=7))
    air.say(air.message(b"\x18\x08\x0a", 4, link_key=INSTALL_KEY, link_counter=6))
    desk.wait(10)
    heard = [one.message[1] for one in told(desk, Frame.INCOMING_MESSAGE_HANDLER)]
    assert heard == [5, 8]
    counters = _counters(desk)
    assert counters[Counter.APS_FRAME_COUNTER_FAILURE] == 1
    assert counters[Counter.APS_DECRYPTION_FAILURE] == 1


def test_a_key_that_the_host_imports_for_its_hub_goes_before_that_of_joining() -> None:
    desk, air = joined_hub(13)
    _send(desk, options=SEALED)
    assert desk.ask(Frame.IMPORT_LINK_KEY, LinkKeyImport(0, HUB, KEY)).status is Status.OK
    _send(desk, options=SEALED)
    desk.wait(10)
    frames = air.of(DataFrame)
    assert [(one.link_key, one.link_counter) for one in frames] == [(INSTALL_KEY, 0), (KEY, 0)]
    air.say(air.message(b"\x18\x05\x0a", 1, link_key=KEY, link_counter=3))
    desk.wait(10)
    exported = desk.ask(Frame.EXPORT_LINK_KEY_BY_EUI, ByEui64(HUB))
    assert (exported.metadata.outgoing_counter, exported.metadata.incoming_counter) == (2, 3)
    assert desk.ask(Frame.EXPORT_LINK_KEY_BY_INDEX, ByIndex(0)).key == KEY


def test_counters_of_a_link_key_survive_a_loss_of_power() -> None:
    desk, air = joined_hub(13)
    _send(desk, options=SEALED)
    air.say(air.message(b"\x18\x05\x0a", 1, link_key=INSTALL_KEY, link_counter=5))
    desk.wait(10)
    kept = desk.dongle.dump()
    later, _air = joined_hub(13)
    later.dongle.load(kept)
    found = later.dongle.ncp.state.nv.link_counters[HUB, INSTALL_KEY]
    assert (found.outgoing, found.incoming) == (2, 5)  # the acknowledgement was sealed too


def test_sealing_without_a_link_key_is_refused_and_nothing_is_sent() -> None:
    desk, air = joined_hub()
    sent = SendUnicast(0, 0x2222, _aps(SEALED), 5, b"\x00\x01\x00")
    assert desk.ask(Frame.SEND_UNICAST, sent).status is Status.APS_ENCRYPTION_ERROR
    desk.wait(MINUTE)
    assert air.sent == []
    assert told(desk, Frame.MESSAGE_SENT_HANDLER) == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("key", [None, INSTALL_KEY])
def test_fragments_are_the_hosts_matter_both_ways(version: int, key: bytes | None) -> None:
    desk, air = joined_hub(version)
    parts = (b"a" * 40, b"b" * 40, b"c" * 3)
    options = int(ApsOption.FRAGMENT | ApsOption.RETRY) | (SEALED if key else 0)
    sequence = 0
    for index, part in enumerate(parts):
        order = SendUnicast(0, 0, _aps(options, len(parts) << 8 | index, sequence), index, part)
        sequence = desk.ask(Frame.SEND_UNICAST, order).sequence
        desk.wait(10)
    assert [one.status for one in told(desk, Frame.MESSAGE_SENT_HANDLER)] == [Status.OK] * 3
    frames = air.of(DataFrame)
    blocks = [one.frame.fragment for one in frames]
    assert blocks == [aps.Fragment(True, 3), aps.Fragment(False, 1), aps.Fragment(False, 2)]
    assert {one.link_key for one in frames} == {key}
    desk.callbacks.clear()
    for index, part in enumerate(parts):
        inner = air.message(part, 40).frame
        assert isinstance(inner, aps.ApsFrame)
        inner = replace(inner, fragment=blocks[index])
        air.say(DataFrame(0, SHORT, inner, NETWORK_KEY_OCTETS, key))
        desk.wait(10)
        heard = told(desk, Frame.INCOMING_MESSAGE_HANDLER)[-1]
        assert (heard.message, heard.aps.group & 0xFF) == (part, index)
        assert heard.aps.options & ApsOption.FRAGMENT
        assert desk.ask(Frame.SEND_REPLY, Reply(0, heard.aps, b"")) == StatusOnly()
        ack = air.of(DataFrame)[-1]
        assert ack.frame.fragments.window_start == index
        assert ack.link_key == key


def test_the_host_may_acknowledge_itself() -> None:
    desk, air = joined_hub()
    desk.ask(Frame.SET_POLICY, PolicySetting(PolicyId.UNICAST_REPLIES_POLICY, 0x21))
    air.say(air.message(b"\x18\x01\x0a", 77, link_key=INSTALL_KEY))
    desk.wait(10)
    assert air.sent == []
    (heard,) = told(desk, Frame.INCOMING_MESSAGE_HANDLER)
    assert desk.ask(Frame.SEND_REPLY, Reply(0, heard.aps, b"")) == StatusOnly()
    assert air.of(DataFrame)[-1].link_key == INSTALL_KEY


# Polls


def _poll(desk: Desk, interval: int, units: int, limit: int = 0) -> Any:
    return desk.ask(Frame.POLL_FOR_DATA, PollForData(interval, units, limit)).status


def _polled() -> tuple[Desk, HubAir]:
    return joined_hub(13, NodeType.SLEEPY_END_DEVICE)


def test_what_waits_for_a_sleepy_node_comes_with_its_poll() -> None:
    desk, air = _polled()
    air.say(air.message(b"\x18\x01\x0a", 1))
    desk.wait(MINUTE)
    assert told(desk, Frame.INCOMING_MESSAGE_HANDLER) == []
    assert _poll(desk, 0, EventUnits.MS_TIME) is Status.OK
    desk.wait(MINUTE)
    assert len(told(desk, Frame.INCOMING_MESSAGE_HANDLER)) == 1
    assert told(desk, Frame.POLL_COMPLETE_HANDLER) == [StatusOnly()]
    assert air.of(Poll) == [Poll(SHORT)]
    desk.callbacks.clear()
    assert _poll(desk, 9, EventUnits.INACTIVE) is Status.OK
    desk.wait(MINUTE)
    assert told(desk, Frame.POLL_COMPLETE_HANDLER) == [StatusOnly(Status.MAC_NO_DATA)]


@pytest.mark.parametrize(
    ("interval", "units", "count"),
    [
        (1000, EventUnits.MS_TIME, 61),
        (8, EventUnits.QS_TIME, 31),
        (1, EventUnits.MINUTE_TIME, 2),
    ],
)
def test_polls_go_on_in_the_units_of_the_host(interval: int, units: int, count: int) -> None:
    desk, air = _polled()
    assert _poll(desk, interval, units, 3) is Status.OK
    desk.wait(MINUTE)
    assert len(air.of(Poll)) == count
    assert told(desk, Frame.POLL_COMPLETE_HANDLER) == []


def test_a_parent_that_does_not_answer_too_often_is_lost() -> None:
    desk, air = _polled()
    _poll(desk, 1000, EventUnits.MS_TIME, 3)
    desk.wait(2_500)
    air.there = False
    desk.wait(2_000)
    air.there = True
    desk.wait(5_000)
    assert desk.callbacks == []
    air.there = False
    air.sent.clear()
    desk.wait(MINUTE)
    assert len(air.of(Poll)) == 4
    assert told(desk, Frame.POLL_COMPLETE_HANDLER) == [StatusOnly(Status.MAC_NO_ACK_RECEIVED)]
    state = desk.ask(Frame.NETWORK_STATE, Nothing()).state
    assert state == NetworkState.JOINED_NETWORK_NO_PARENT
    assert air.place is None


def test_polls_go_on_after_it_has_come_back() -> None:
    desk, air = _polled()
    _poll(desk, 1000, EventUnits.MS_TIME, 3)
    assert desk.ask(Frame.FIND_AND_REJOIN_NETWORK, Rejoin(True, 0)) == StatusOnly()
    desk.wait(2_000)
    assert statuses(desk) == [Status.NETWORK_UP]
    air.sent.clear()
    desk.wait(10_000)
    assert len(air.of(Poll)) == 10


def test_only_an_end_device_polls_and_in_units_that_there_are() -> None:
    desk, _air = joined_hub()
    assert _poll(desk, 1, EventUnits.MS_TIME) is Status.INVALID_STATE
    desk, _air = _polled()
    assert _poll(desk, 1, 9) is Status.INVALID_PARAMETER
    assert _poll(desk, 40_000, EventUnits.MS_TIME) is Status.INVALID_PARAMETER
    desk.connect()
    assert _poll(desk, 1, EventUnits.MS_TIME) is Status.NOT_JOINED
