"""Messages between a host and the nodes around its dongle."""

import itertools
from typing import Any

import pytest

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    ApsOption,
    ConfigId,
    Counter,
    IncomingType,
    OutgoingType,
    PolicyId,
    ValueId,
)
from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame, BindingEntry, MulticastEntry
from emulator.codecs.ezsp.values import ByIndex, ConfigSetting, Nothing, PolicySetting, StatusOnly
from emulator.codecs.ezsp.values import ValueId as ValueRequest
from emulator.codecs.ezsp.values_messages import (
    Reply,
    SendAnswer,
    SendBroadcast,
    SendMulticast,
    SendUnicast,
)
from emulator.codecs.ezsp.values_network import (
    BindingSetting,
    Concentrator,
    MulticastSetting,
)
from emulator.codecs.zcl import foundation, metering
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.foundation import ReadAttributes, ReadAttributesResponse
from emulator.ncp.radio_bridge import RadioBridge
from tests.emulator.ncp.home_given import (
    BATTERY,
    CHF_ENDPOINT,
    ENDPOINT,
    METER,
    SLEEPER,
    Talker,
    a_plan,
    joined,
    told,
)
from tests.emulator.ncp.ncp_given import Desk

RETRY = int(ApsOption.RETRY)
FRAGMENT = int(ApsOption.RETRY | ApsOption.FRAGMENT)
READ = foundation.encode(ReadAttributes((0x0000,)), 0x31, server_to_client=False)


def _aps(options: int = RETRY, group: int = 0, sequence: int = 0) -> ApsFrame:
    return ApsFrame(0x0109, metering.CLUSTER, CHF_ENDPOINT, ENDPOINT, options, group, sequence)


def _short(bridge: RadioBridge, place: int = 0) -> int:
    short = bridge.members[place].short
    assert short is not None
    return short


def _send(desk: Desk, to: int, message: bytes, aps: ApsFrame | None = None) -> SendAnswer:
    asked = SendUnicast(int(OutgoingType.DIRECT), to, aps or _aps(), 0x42, message)
    answer: SendAnswer = desk.ask(Frame.SEND_UNICAST, asked)
    return answer


def _sent(desk: Desk) -> list[Any]:
    return [one.status for one in told(desk, Frame.MESSAGE_SENT_HANDLER)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_read_is_reported_as_sent_and_then_answered(version: int) -> None:
    desk, bridge = joined(a_plan(), version=version)
    answer = _send(desk, _short(bridge), READ)
    assert answer.status is Status.OK
    names = [frame.name for frame in desk.callbacks]
    assert names == [Frame.MESSAGE_SENT_HANDLER, Frame.INCOMING_MESSAGE_HANDLER]
    sent, incoming = [frame.values for frame in desk.callbacks]
    assert (sent.status, sent.tag, sent.destination) == (Status.OK, 0x42, _short(bridge))
    assert sent.aps.sequence == answer.sequence
    assert incoming.sender == _short(bridge)
    assert (incoming.aps.profile, incoming.aps.source_endpoint) == (0x0109, ENDPOINT)
    assert incoming.aps.destination_endpoint == CHF_ENDPOINT
    if version >= 14:
        assert incoming.sender_eui64 == METER
    response = foundation.decode(zcl_frame.decode(incoming.message))
    assert isinstance(response, ReadAttributesResponse)
    assert response.value(0x0000) == 0


def test_every_message_has_the_next_counter_and_wraps() -> None:
    desk, bridge = joined(a_plan(application=Talker()))
    counters = [_send(desk, _short(bridge), b"\x18\x01\x0b\x00\x00").sequence for _ in range(300)]
    assert all(after == (before + 1) % 256 for before, after in itertools.pairwise(counters))
    assert _sent(desk) == [Status.OK] * 300


def test_a_thousand_reads_in_a_moment_are_all_answered() -> None:
    desk, bridge = joined(a_plan())
    for number in range(1_000):
        desk.callbacks.clear()
        _send(desk, _short(bridge), READ)
        assert len(told(desk, Frame.INCOMING_MESSAGE_HANDLER)) == 1, number


def test_many_long_messages_in_a_moment_all_arrive() -> None:
    talker = Talker()
    desk, bridge = joined(a_plan(application=talker))
    for _ in range(600):
        first = _send(desk, _short(bridge), bytes(10), _aps(FRAGMENT, 2 << 8))
        _send(desk, _short(bridge), bytes(10), _aps(FRAGMENT, 1, first.sequence))
    assert len(talker.heard) == 600


def test_a_message_to_nobody_fails_and_says_so() -> None:
    desk, _bridge = joined(a_plan())
    assert _send(desk, 0x1234, READ).status is Status.OK
    assert _sent(desk) == []
    desk.wait(1_000)
    assert _sent(desk) == [Status.DELIVERY_FAILED]


@pytest.mark.parametrize(
    ("options", "most"),
    [(0, 82), (RETRY, 82), (int(ApsOption.FRAGMENT), 80), (int(ApsOption.SOURCE_EUI64), 74)],
)
def test_a_message_is_no_longer_than_a_frame(options: int, most: int) -> None:
    desk, bridge = joined(a_plan(application=Talker()))
    assert desk.ask(Frame.MAXIMUM_PAYLOAD_LENGTH, Nothing()).length == 82
    assert _send(desk, _short(bridge), bytes(most), _aps(options)).status is Status.OK
    too_long = _send(desk, _short(bridge), bytes(most + 1), _aps(options))
    assert too_long.status is Status.MESSAGE_TOO_LONG


def test_there_are_only_so_many_messages_on_their_way() -> None:
    desk, _bridge = joined(a_plan())
    limit = ConfigSetting(int(ConfigId.APS_UNICAST_MESSAGE_COUNT), 3)
    desk.ask(Frame.SET_CONFIGURATION_VALUE, limit)
    answers = [_send(desk, 0x1234, READ).status for _ in range(4)]
    assert answers == [Status.OK] * 3 + [Status.MAX_MESSAGE_LIMIT_REACHED]
    desk.wait(1_000)
    assert _send(desk, 0x1234, READ).status is Status.OK


def test_a_message_without_a_network_or_a_link_key_is_refused() -> None:
    desk, bridge = joined(a_plan())
    secured = _send(desk, _short(bridge), READ, _aps(int(ApsOption.ENCRYPTION)))
    assert secured.status is Status.APS_ENCRYPTION_ERROR
    desk.connect()
    assert _send(desk, 0x1234, READ).status is Status.NETWORK_DOWN


def test_a_message_goes_by_a_binding_or_a_row_of_the_address_table() -> None:
    desk, bridge = joined(a_plan())
    entry = BindingEntry(1, CHF_ENDPOINT, metering.CLUSTER, ENDPOINT, METER, 0)
    assert desk.ask(Frame.SET_BINDING, BindingSetting(2, entry)) == StatusOnly()
    assert desk.ask(Frame.GET_BINDING, ByIndex(2)).entry == entry
    bound = SendUnicast(int(OutgoingType.VIA_BINDING), 2, _aps(), 1, READ)
    assert desk.ask(Frame.SEND_UNICAST, bound).status is Status.OK
    assert _sent(desk) == [Status.OK]
    unbound = SendUnicast(int(OutgoingType.VIA_BINDING), 3, _aps(), 1, READ)
    assert desk.ask(Frame.SEND_UNICAST, unbound).status is Status.INVALID_PARAMETER
    assert _short(bridge)


def test_a_broadcast_reaches_listening_nodes_and_a_multicast_the_hosts_own_group() -> None:
    awake, asleep = Talker(), Talker()
    sleeper = a_plan(SLEEPER, capability=int(BATTERY), application=asleep)
    desk, _bridge = joined(a_plan(application=awake), sleeper)
    aps = ApsFrame(0x0109, metering.CLUSTER, CHF_ENDPOINT, 0xFF)
    for to in (0xFFFD, 0xFFFF):
        broadcast = SendBroadcast(to, aps, 0, 7, READ)
        assert desk.ask(Frame.SEND_BROADCAST, broadcast).status is Status.OK
        desk.wait(500)
    assert (len(awake.heard), len(asleep.heard)) == (2, 1)
    assert _sent(desk) == [Status.OK] * 2
    group = MulticastSetting(0, MulticastEntry(0x1001, CHF_ENDPOINT, 0))
    desk.ask(Frame.SET_MULTICAST_TABLE_ENTRY, group)
    desk.callbacks.clear()
    to_group = ApsFrame(0x0109, metering.CLUSTER, CHF_ENDPOINT, 0xFF, 0, 0x1001)
    assert desk.ask(Frame.SEND_MULTICAST, SendMulticast(to_group, 0, 7, READ)).status is Status.OK
    (looped,) = told(desk, Frame.INCOMING_MESSAGE_HANDLER)
    assert looped.message_type == IncomingType.MULTICAST_LOOPBACK


@pytest.mark.parametrize("version", VERSIONS)
def test_fragments_of_the_host_arrive_as_one_frame_each_reported(version: int) -> None:
    talker = Talker()
    desk, bridge = joined(a_plan(application=talker), version=version)
    whole = bytes(index % 251 for index in range(1_280))
    blocks = [whole[at : at + 64] for at in range(0, len(whole), 64)]
    counter = 0
    for index, block in enumerate(blocks):
        group = len(blocks) << 8 | index
        answer = _send(desk, _short(bridge), block, _aps(FRAGMENT, group, counter))
        counter = answer.sequence
    assert [one.frame for one in talker.heard] == [whole]
    assert _sent(desk) == [Status.OK] * 20
    assert len({one.aps.sequence for one in told(desk, Frame.MESSAGE_SENT_HANDLER)}) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_fragments_of_a_node_come_one_by_one_as_the_host_acknowledges_them(version: int) -> None:
    whole = bytes((0x18, 1, 0x0A)) + bytes(index % 251 for index in range(500))
    desk, bridge = joined(a_plan(application=Talker(whole)), version=version)
    _send(desk, _short(bridge), READ)
    collected = b""
    for number in range(8):
        desk.wait(2_000)  # the node repeats; the host hears it once
        (incoming,) = told(desk, Frame.INCOMING_MESSAGE_HANDLER)
        desk.callbacks.clear()
        aps = incoming.aps
        assert aps.options & ApsOption.FRAGMENT
        assert aps.group == ((8 << 8) if number == 0 else number)
        collected += incoming.message
        back = ApsFrame(
            aps.profile,
            aps.cluster,
            aps.destination_endpoint,
            aps.source_endpoint,
            FRAGMENT,
            0xFF00 | number,
            aps.sequence,
        )
        wrong = Reply(incoming.sender, ApsFrame(0x0109, 0x0001, 1, 1, 0, 0, aps.sequence), b"")
        assert desk.ask(Frame.SEND_REPLY, wrong).status is Status.INVALID_STATE
        right = Reply(incoming.sender, back, b"")
        assert desk.ask(Frame.SEND_REPLY, right) == StatusOnly()
        assert desk.ask(Frame.SEND_REPLY, right).status is Status.INVALID_STATE
    assert collected == whole
    assert told(desk, Frame.INCOMING_MESSAGE_HANDLER) == []


def test_a_node_gives_up_when_the_host_acknowledges_no_fragment() -> None:
    desk, bridge = joined(a_plan(application=Talker(bytes(300))))
    _send(desk, _short(bridge), READ)
    desk.wait(30_000)
    assert len(told(desk, Frame.INCOMING_MESSAGE_HANDLER)) == 1


def test_a_host_that_wants_to_may_acknowledge_every_message_itself() -> None:
    answer = bytes((0x18, 1, 0x0B, 0, 0))
    desk, bridge = joined(a_plan(application=Talker(answer)))
    policy = PolicySetting(int(PolicyId.UNICAST_REPLIES_POLICY), 0x21)
    desk.ask(Frame.SET_POLICY, policy)
    _send(desk, _short(bridge), READ)
    (incoming,) = told(desk, Frame.INCOMING_MESSAGE_HANDLER)
    assert incoming.aps.options & ApsOption.RETRY
    assert desk.ask(Frame.SEND_REPLY, Reply(incoming.sender, incoming.aps, b"")) == StatusOnly()


# Sleepy children


def test_a_message_waits_until_a_sleepy_child_asks() -> None:
    talker = Talker()
    sleeper = a_plan(SLEEPER, capability=int(BATTERY), application=talker)
    desk, bridge = joined(sleeper)
    desk.ask(Frame.SET_POLICY, PolicySetting(int(PolicyId.POLL_HANDLER_POLICY), 0x31))
    _send(desk, _short(bridge), READ)
    assert (talker.heard, _sent(desk)) == ([], [])
    desk.wait(150)
    assert (len(talker.heard), _sent(desk)) == (1, [Status.OK])
    polls = told(desk, Frame.POLL_HANDLER)
    assert polls
    assert any(one.transmit_expected for one in polls)


def test_a_message_to_a_child_that_sleeps_on_fails_in_the_end() -> None:
    desk, bridge = joined(a_plan(SLEEPER, capability=int(BATTERY), application=Talker()))
    bridge.members[0].timers.stop("poll", "poll")
    _send(desk, _short(bridge), READ)
    desk.wait(10_000)
    assert _sent(desk) == []
    desk.wait(30_000)
    assert _sent(desk) == [Status.DELIVERY_FAILED]
    assert desk.dongle.ncp.state.traffic.pending == {}


def test_a_child_stands_in_the_child_table_and_a_router_does_not() -> None:
    desk, _bridge = joined(a_plan(), a_plan(SLEEPER, capability=int(BATTERY)))
    child = desk.ask(Frame.GET_CHILD_DATA, ByIndex(0))
    assert (child.status, child.child.eui64, child.child.node_type) == (Status.OK, SLEEPER, 4)
    assert desk.ask(Frame.GET_CHILD_DATA, ByIndex(1)).status is Status.NOT_JOINED
    assert desk.ask(Frame.GET_PARENT_CHILD_PARAMETERS, Nothing()).child_count == 1


# What moves along


def test_counters_and_the_frame_counter_move() -> None:
    desk, bridge = joined(a_plan())
    before = desk.ask(Frame.READ_AND_CLEAR_COUNTERS, Nothing()).values
    assert before[Counter.JOIN_INDICATION] == 1
    frames = desk.ask(Frame.GET_NETWORK_KEY_INFO, Nothing()).info.frame_counter
    for _ in range(5):
        _send(desk, _short(bridge), READ)
    _send(desk, 0x1234, READ)
    desk.wait(1_000)
    after = desk.ask(Frame.READ_COUNTERS, Nothing()).values
    assert after[Counter.APS_DATA_TX_UNICAST_SUCCESS] == 5
    assert after[Counter.APS_DATA_TX_UNICAST_FAILED] == 1
    assert after[Counter.APS_DATA_RX_UNICAST] == 5
    assert (
        desk.ask(Frame.GET_NETWORK_KEY_INFO, Nothing()).info.frame_counter == frames + 10
    )  # acknowledgements too
    value = desk.ask(Frame.GET_VALUE, ValueRequest(ValueId.NWK_FRAME_COUNTER))
    assert int.from_bytes(value.octets, "little") == frames + 10


@pytest.mark.parametrize(("kind", "records"), [(0xFFF8, 3), (0xFFF9, 1)])
def test_a_concentrators_host_is_told_the_way_of_messages(kind: int, records: int) -> None:
    desk, bridge = joined(a_plan())
    on = Concentrator(True, kind, 10, 60, 3, 3, 0)
    assert desk.ask(Frame.SET_CONCENTRATOR, on) == StatusOnly()
    for _ in range(3):
        _send(desk, _short(bridge), READ)
    ways = told(desk, Frame.INCOMING_ROUTE_RECORD_HANDLER)
    assert len(ways) == records
    assert (ways[0].source_eui64, ways[0].relays) == (METER, ())


def test_a_message_for_an_endpoint_that_the_host_never_used_is_dropped() -> None:
    talker = Talker(bytes((0x18, 1, 0x0B, 0, 0)))
    desk, bridge = joined(a_plan(application=talker))
    other = ApsFrame(0x0109, metering.CLUSTER, 9, ENDPOINT, RETRY)
    _send(desk, _short(bridge), READ, other)
    assert len(told(desk, Frame.INCOMING_MESSAGE_HANDLER)) == 1  # it has spoken from there
    desk.dongle.ncp.state.ram.spoke_from.clear()
    desk.dongle.ncp.state.ram.endpoints.clear()
    desk.callbacks.clear()
    broadcast = SendBroadcast(0xFFFD, ApsFrame(0x0109, metering.CLUSTER, 11, 0xFF), 0, 7, READ)
    desk.ask(Frame.SEND_BROADCAST, broadcast)
    assert len(talker.heard) == 2
    assert told(desk, Frame.INCOMING_MESSAGE_HANDLER) == []
