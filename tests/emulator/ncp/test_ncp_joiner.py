"""The dongle as a node of somebody else's network: in, in it, out of it, and what goes wrong."""

import json
from typing import Any

import pytest

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    Counter,
    InitialSecurityBit,
    JoinMethod,
    NetworkState,
    NodeType,
)
from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import Beacon
from emulator.codecs.ezsp.values import Nothing, StatusOnly
from emulator.codecs.ezsp.values_network import (
    JoinDirectly,
    Leave,
    NetworkInit,
    PermitJoining,
    Rejoin,
    Scan,
)
from emulator.codecs.zigbee import zdo
from emulator.codecs.zigbee.zdo import Capability, ZdoCluster
from emulator.core.ids import Eui64
from emulator.ncp.radio_frames import (
    LISTENING,
    AssociationRequest,
    Attachment,
    DataFrame,
    LeaveOrder,
    Left,
    Poll,
    RequestKey,
    TransportKey,
    VerifyKey,
)
from tests.emulator.ncp.hub_given import (
    CHANNEL,
    INSTALL_KEY,
    NETWORK_KEY_OCTETS,
    PAN,
    SHORT,
    HubAir,
    a_joiner,
    at_desk,
    join,
    joined_hub,
    left,
    security,
    statuses,
)
from tests.emulator.ncp.ncp_given import DONGLE, FORM, HUB, Desk

AWAKE = Capability.MAINS_POWER | Capability.RECEIVER_ON_WHEN_IDLE | Capability.ALLOCATE_ADDRESS
KINDS = {
    NodeType.ROUTER: AWAKE | Capability.FULL_FUNCTION,
    NodeType.END_DEVICE: AWAKE,
    NodeType.SLEEPY_END_DEVICE: Capability.ALLOCATE_ADDRESS,
}


def _state(desk: Desk) -> int:
    return int(desk.ask(Frame.NETWORK_STATE, Nothing()).state)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_node_of_each_kind_joins_under_its_install_code_and_announces_itself(
    version: int, kind: NodeType
) -> None:
    desk, air = at_desk(version)
    assert _state(desk) == NetworkState.NO_NETWORK
    assert join(desk, kind) is Status.OK
    assert _state(desk) == NetworkState.JOINING_NETWORK
    desk.wait(1_000)
    assert statuses(desk) == [Status.NETWORK_UP]
    assert _state(desk) == NetworkState.JOINED_NETWORK
    assert air.of(AssociationRequest) == [
        AssociationRequest(DONGLE, int(KINDS[kind]), pan_id=PAN, channel=CHANNEL)
    ]
    (announce,) = air.of(DataFrame)
    assert (announce.destination, announce.network_key) == (LISTENING, NETWORK_KEY_OCTETS)
    told = zdo.decode_request(ZdoCluster.DEVICE_ANNOUNCE, announce.frame.payload)
    assert (told.short, told.eui64, told.flags) == (SHORT, DONGLE, KINDS[kind])
    answer = desk.ask(Frame.GET_NETWORK_PARAMETERS, Nothing())
    assert (answer.status, answer.node_type) == (Status.OK, kind)
    assert (answer.parameters.extended_pan_id, answer.parameters.pan_id) == (HUB, PAN)
    assert desk.ask(Frame.GET_NODE_ID, Nothing()).node_id == SHORT
    current = desk.ask(Frame.GET_CURRENT_SECURITY_STATE, Nothing())
    assert current.state.trust_center == HUB
    parent = desk.ask(Frame.GET_PARENT_CHILD_PARAMETERS, Nothing())
    end_device = kind is not NodeType.ROUTER
    assert (parent.parent == 0, parent.parent_eui64 == HUB) == (end_device, end_device)
    place = air.place
    assert isinstance(place, Attachment)
    assert (place.short, place.capability, place.network_key) == (
        SHORT,
        KINDS[kind],
        NETWORK_KEY_OCTETS,
    )


@pytest.mark.parametrize(
    ("hub", "bits", "key", "told"),
    [
        ({"there": False}, None, INSTALL_KEY, Status.NO_BEACONS),
        ({"permit": False}, None, INSTALL_KEY, Status.JOIN_FAILED),
        ({"capacity": False}, None, INSTALL_KEY, Status.JOIN_FAILED),
        ({"status": 1}, None, INSTALL_KEY, Status.JOIN_FAILED),
        ({"status": 2}, None, INSTALL_KEY, Status.JOIN_FAILED),
        ({"answers": False}, None, INSTALL_KEY, Status.JOIN_FAILED),
        ({"sends_key": False}, None, INSTALL_KEY, Status.NO_NETWORK_KEY_RECEIVED),
        ({"turns_away": True}, None, INSTALL_KEY, Status.NO_NETWORK_KEY_RECEIVED),
        ({}, None, bytes(16), Status.NO_NETWORK_KEY_RECEIVED),
        ({"in_clear": True}, None, INSTALL_KEY, Status.RECEIVED_KEY_IN_THE_CLEAR),
        ({}, 0, bytes(16), Status.PRECONFIGURED_KEY_REQUIRED),
        ({"center": DONGLE}, 0x0940, INSTALL_KEY, Status.NO_NETWORK_KEY_RECEIVED),
        ({"confirms": False}, 0x0D00, INSTALL_KEY, Status.NO_LINK_KEY_RECEIVED),
    ],
)
def test_each_way_not_to_get_in_has_its_own_status_and_leaves_no_network(
    hub: dict[str, Any], bits: int | None, key: bytes, told: Status
) -> None:
    desk, air = at_desk(**hub)
    given = security(key=key) if bits is None else security(bits, key)
    assert desk.ask(Frame.SET_INITIAL_SECURITY_STATE, given) == StatusOnly()
    before = desk.dongle.dump()
    assert join(desk, NodeType.END_DEVICE) is Status.OK
    desk.wait(10_000)
    assert statuses(desk) == [told]
    assert _state(desk) == NetworkState.NO_NETWORK
    assert air.place is None
    assert desk.dongle.dump() == before
    assert desk.dongle.ncp.deadline is None
    air.__init__()  # type: ignore[misc] # the hub mends its ways
    assert desk.ask(Frame.SET_INITIAL_SECURITY_STATE, security()) == StatusOnly()
    assert join(desk) is Status.OK
    desk.wait(10_000)
    assert statuses(desk) == [Status.NETWORK_UP]


def test_a_key_in_the_clear_will_do_for_who_does_not_insist() -> None:
    desk, _air = at_desk(in_clear=True)
    bits = int(InitialSecurityBit.HAVE_PRECONFIGURED_KEY)
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, security(bits))
    join(desk)
    desk.wait(1_000)
    assert statuses(desk) == [Status.NETWORK_UP]


def test_a_wrong_install_code_is_counted_where_it_cannot_be_read() -> None:
    desk, _air = at_desk()
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, security(key=bytes(16)))
    join(desk)
    desk.wait(10_000)
    counters = desk.ask(Frame.READ_COUNTERS, Nothing()).values
    assert counters[Counter.APS_DECRYPTION_FAILURE] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_key_of_its_own_is_asked_for_and_proved_before_the_network_is_up(
    kind: NodeType,
) -> None:
    desk, air = at_desk()
    wanted = 0x0900 | InitialSecurityBit.GET_LINK_KEY_WHEN_JOINING
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, security(int(wanted)))
    join(desk, kind)
    desk.wait(2_000)
    assert statuses(desk) == [Status.NETWORK_UP]
    assert air.of(RequestKey) == [RequestKey(SHORT, DONGLE)]
    assert air.of(VerifyKey) == [VerifyKey(SHORT, DONGLE, air.own_key)]
    stored = desk.dongle.ncp.state.nv.security
    assert stored is not None
    assert stored.tc_key == air.own_key


def test_a_sleepy_node_polls_for_its_key() -> None:
    _desk, air = at_desk()
    join(_desk, NodeType.SLEEPY_END_DEVICE)
    _desk.wait(1_000)
    assert statuses(_desk) == [Status.NETWORK_UP]
    assert air.of(Poll) == [Poll(SHORT)]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda desk: join(desk, NodeType.COORDINATOR), Status.INVALID_PARAMETER),
        (lambda desk: join(desk, 9), Status.INVALID_PARAMETER),
        (lambda desk: join(desk, channel=27), Status.TRANSMIT_INVALID_CHANNEL),
        (lambda desk: join(desk, join_method=7), Status.INVALID_PARAMETER),
        (
            lambda desk: join(desk, join_method=int(JoinMethod.USE_CONFIGURED_NWK_STATE)),
            Status.SECURITY_CONFIGURATION_INVALID,
        ),
        (
            lambda desk: join(desk, join_method=int(JoinMethod.USE_NWK_REJOIN_HAVE_NWK_KEY)),
            Status.SECURITY_CONFIGURATION_INVALID,
        ),
    ],
)
def test_an_order_to_join_that_makes_no_sense_is_refused_with_its_reason(
    make: Any, told: Status
) -> None:
    desk, air = at_desk()
    assert make(desk) is told
    desk.wait(10_000)
    assert statuses(desk) == []
    assert air.sent == []


@pytest.mark.parametrize(
    ("bits", "told"),
    [
        (0x0800, Status.SECURITY_CONFIGURATION_INVALID),
        (0x2000, Status.SECURITY_CONFIGURATION_INVALID),
        (0x0900, Status.OK),
    ],
)
def test_security_that_cannot_be_had_is_refused_and_the_old_one_stays(
    bits: int, told: Status
) -> None:
    desk, _air = at_desk()
    before = desk.dongle.ncp.state.ram.security
    assert desk.ask(Frame.SET_INITIAL_SECURITY_STATE, security(bits)).status is told
    assert desk.dongle.ncp.state.ram.security == before


def test_an_end_device_is_nobodys_parent() -> None:
    desk, air = joined_hub(13, NodeType.END_DEVICE)
    assert desk.ask(Frame.PERMIT_JOINING, PermitJoining(60)).status is Status.INVALID_STATE
    air.say(air.request(ZdoCluster.MGMT_PERMIT_JOINING, b"\x01\x3c\x00", 1))
    desk.wait(10)
    assert air.answered(ZdoCluster.MGMT_PERMIT_JOINING) == [b"\x01\x84"]
    assert statuses(desk) == []


def test_without_security_there_is_no_joining() -> None:
    desk = Desk(a_joiner()).connect()
    assert join(desk) is Status.SECURITY_STATE_NOT_SET


def test_while_joined_or_joining_or_scanning_another_join_is_refused() -> None:
    desk, air = at_desk()
    assert desk.ask(Frame.START_SCAN, Scan(1, 1 << 15, 3)) == StatusOnly()
    assert join(desk) is Status.MAC_SCANNING
    desk.wait(1_000)
    assert join(desk) is Status.OK
    assert join(desk) is Status.INVALID_STATE
    assert desk.ask(Frame.START_SCAN, Scan(1, 1 << 15, 3)).status is Status.INVALID_STATE
    assert desk.ask(Frame.FORM_NETWORK, FORM).status is Status.INVALID_STATE
    assert desk.ask(Frame.SET_INITIAL_SECURITY_STATE, security()).status is Status.INVALID_STATE
    desk.wait(1_000)
    assert len(air.of(AssociationRequest)) == 1
    for refused in (join(desk), desk.ask(Frame.FORM_NETWORK, FORM).status):
        assert refused is Status.INVALID_STATE
    assert desk.ask(Frame.NETWORK_INIT, NetworkInit(0)).status is Status.INVALID_STATE
    assert statuses(desk) == [Status.NETWORK_UP]


def test_a_beacon_of_a_scan_is_joined_without_another_scan() -> None:
    desk, air = at_desk()
    desk.ask(Frame.START_SCAN, Scan(1, 1 << 15, 3))
    desk.wait(1_000)
    found = desk.ask(Frame.GET_NEXT_BEACON, Nothing())
    assert (found.status, found.beacon.extended_pan_id, found.beacon.sender) == (Status.OK, HUB, 0)
    assert desk.ask(Frame.GET_NEXT_BEACON, Nothing()).status is Status.NOT_FOUND
    order = JoinDirectly(int(NodeType.ROUTER), found.beacon, 8, True)
    assert desk.ask(Frame.JOIN_NETWORK_DIRECTLY, order) == StatusOnly()
    assert len(air.of(AssociationRequest)) == 1
    desk.wait(10)
    assert Status.NETWORK_UP in statuses(desk)


def test_a_beacon_of_no_channel_is_refused() -> None:
    desk, _air = at_desk()
    beacon = Beacon(9, 0, 0, 0, 0, 0, 0, PAN, HUB, 0, False, True, True)
    order = JoinDirectly(int(NodeType.ROUTER), beacon, 8, False)
    told = desk.ask(Frame.JOIN_NETWORK_DIRECTLY, order)
    assert told == StatusOnly(Status.TRANSMIT_INVALID_CHANNEL)


def test_only_the_network_that_was_asked_for_is_joined() -> None:
    desk, air = at_desk()
    other = Eui64.parse("90-B3-D5-1F-00-00-00-77")
    assert join(desk, extended_pan_id=other) is Status.OK
    desk.wait(1_000)
    assert statuses(desk) == [Status.NO_BEACONS]
    assert air.sent == []
    nobody = Eui64(bytes(8))
    assert join(desk, extended_pan_id=nobody, pan_id=PAN + 1) is Status.OK
    desk.wait(1_000)
    assert statuses(desk) == [Status.NO_BEACONS]
    assert join(desk, extended_pan_id=nobody, pan_id=0xFFFF) is Status.OK
    desk.wait(1_000)
    assert statuses(desk) == [Status.NETWORK_UP]


@pytest.mark.parametrize("version", VERSIONS)
def test_it_leaves_when_the_host_says_so_and_when_the_hub_does(version: int) -> None:
    desk, air = joined_hub(version)
    assert desk.ask(Frame.LEAVE_NETWORK, Leave()) == StatusOnly()
    assert left(air) == [Left(SHORT, DONGLE)]
    assert statuses(desk) == [Status.NETWORK_DOWN]
    assert (air.place, _state(desk)) == (None, NetworkState.NO_NETWORK)
    assert desk.ask(Frame.NETWORK_INIT, NetworkInit(0)).status is Status.NOT_JOINED
    desk, air = joined_hub(version)
    air.say(LeaveOrder(HUB))
    desk.wait(10)
    assert statuses(desk) == []
    air.say(LeaveOrder(DONGLE))
    desk.wait(10)
    assert statuses(desk) == [Status.NETWORK_DOWN]
    assert left(air) == [Left(SHORT, DONGLE)]


def test_a_leave_request_is_answered_and_then_obeyed() -> None:
    desk, air = joined_hub()
    payload = bytes((7,)) + DONGLE.octets[::-1] + b"\x00"
    air.say(air.request(ZdoCluster.MGMT_LEAVE, payload, 1))
    desk.wait(10)
    assert air.answered(ZdoCluster.MGMT_LEAVE) == [b"\x07\x00"]
    assert statuses(desk) == [Status.NETWORK_DOWN]


def test_told_to_come_back_it_asks_by_a_secured_rejoin() -> None:
    desk, air = joined_hub()
    air.short = 0x0815
    air.say(LeaveOrder(DONGLE, rejoin=True))
    desk.wait(1_000)
    assert statuses(desk) == [Status.NODE_ID_CHANGED, Status.NETWORK_UP]
    (asked,) = air.of(AssociationRequest)
    assert (asked.short, asked.network_key) == (SHORT, NETWORK_KEY_OCTETS)
    assert desk.ask(Frame.GET_NODE_ID, Nothing()).node_id == 0x0815


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_reset_it_is_deaf_until_the_host_resumes_the_network(kind: NodeType) -> None:
    desk, air = joined_hub(13, kind)
    desk.connect()
    assert (air.place, _state(desk)) == (None, NetworkState.NO_NETWORK)
    air.sent.clear()
    assert desk.ask(Frame.NETWORK_INIT, NetworkInit(0)) == StatusOnly()
    desk.wait(1_000)
    assert statuses(desk) == [Status.NETWORK_UP]
    assert air.place is not None
    asked = air.of(AssociationRequest)
    assert [one.network_key for one in asked] == (
        [] if kind is NodeType.ROUTER else [NETWORK_KEY_OCTETS]
    )


def test_an_end_device_that_keeps_its_parent_need_not_ask_it() -> None:
    desk, air = joined_hub(13, NodeType.END_DEVICE)
    desk.connect()
    air.sent.clear()
    assert desk.ask(Frame.NETWORK_INIT, NetworkInit(1)) == StatusOnly()
    assert statuses(desk) == [Status.NETWORK_UP]
    assert air.sent == []


def test_an_end_device_whose_hub_has_gone_is_an_orphan_until_it_is_back() -> None:
    desk, air = joined_hub(13, NodeType.END_DEVICE)
    desk.connect()
    air.there = False
    desk.ask(Frame.NETWORK_INIT, NetworkInit(0))
    desk.wait(1_000)
    assert statuses(desk) == [Status.MOVE_FAILED]
    assert _state(desk) == NetworkState.JOINED_NETWORK_NO_PARENT
    air.there = True
    assert desk.ask(Frame.FIND_AND_REJOIN_NETWORK, Rejoin(True, 1 << 11 | 1 << 15)) == StatusOnly()
    desk.wait(1_000)
    assert statuses(desk) == [Status.NETWORK_UP]
    assert _state(desk) == NetworkState.JOINED_NETWORK


def test_an_unsecured_rejoin_gets_the_key_under_the_present_link_key() -> None:
    desk, air = joined_hub()
    assert desk.ask(Frame.FIND_AND_REJOIN_NETWORK, Rejoin(False, 0)) == StatusOnly()
    desk.wait(1_000)
    assert statuses(desk) == [Status.NETWORK_UP]
    (asked,) = air.of(AssociationRequest)
    assert (asked.short, asked.network_key) == (SHORT, None)
    air.log[DONGLE] = bytes(16)
    desk.ask(Frame.FIND_AND_REJOIN_NETWORK, Rejoin(False, 0))
    desk.wait(10_000)
    assert statuses(desk) == [Status.NO_NETWORK_KEY_RECEIVED]
    assert _state(desk) == NetworkState.JOINED_NETWORK_NO_PARENT


def test_a_rejoin_is_refused_to_who_has_no_network() -> None:
    desk, _air = at_desk()
    assert desk.ask(Frame.FIND_AND_REJOIN_NETWORK, Rejoin(True, 0)).status is Status.NOT_JOINED
    desk, _air = joined_hub()
    order = Frame.FIND_AND_REJOIN_NETWORK
    assert desk.ask(order, Rejoin(True, 1)).status is Status.INVALID_CHANNEL_MASK
    assert desk.ask(order, Rejoin(True, 0)).status is Status.OK
    assert desk.ask(order, Rejoin(True, 0)).status is Status.INVALID_STATE


def test_a_network_is_joined_by_a_rejoin_with_a_key_the_host_knows() -> None:
    desk, air = at_desk()
    given = security(0x0300)
    state = given.state
    known = type(state)(0x0300, INSTALL_KEY, NETWORK_KEY_OCTETS, 0, HUB)
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, type(given)(known))
    assert join(desk, join_method=int(JoinMethod.USE_NWK_REJOIN_HAVE_NWK_KEY)) is Status.OK
    desk.wait(1_000)
    assert statuses(desk) == [Status.NETWORK_UP]
    assert air.of(AssociationRequest)[0].network_key == NETWORK_KEY_OCTETS
    desk, air = at_desk()
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, type(given)(known))
    assert join(desk, join_method=int(JoinMethod.USE_CONFIGURED_NWK_STATE)) is Status.OK
    assert statuses(desk) == [Status.NETWORK_UP]
    assert air.of(AssociationRequest) == []


def test_what_it_has_joined_survives_a_loss_of_power() -> None:
    desk, _air = joined_hub(13, NodeType.END_DEVICE)
    kept = json.loads(json.dumps(desk.dongle.dump()))
    air = HubAir()
    later = a_joiner(13, air)
    later.load(kept)
    later.power_on(0)
    assert later.dump() == kept
    desk = Desk(later).connect()
    desk.ask(Frame.NETWORK_INIT, NetworkInit(0))
    desk.wait(1_000)
    assert statuses(desk) == [Status.NETWORK_UP]
    assert desk.ask(Frame.GET_NODE_ID, Nothing()).node_id == SHORT


@pytest.mark.parametrize("kind", KINDS)
def test_its_device_objects_say_what_it_is(kind: NodeType) -> None:
    desk, air = joined_hub(13, kind)
    if kind is NodeType.SLEEPY_END_DEVICE:
        air.sleepy = False
    air.say(air.request(ZdoCluster.NODE_DESCRIPTOR, b"\x01" + SHORT.to_bytes(2, "little"), 1))
    air.say(air.request(ZdoCluster.ACTIVE_ENDPOINTS, b"\x02" + SHORT.to_bytes(2, "little"), 2))
    desk.wait(10)
    (node,) = air.answered(ZdoCluster.NODE_DESCRIPTOR)
    assert node[4] & 7 == (1 if kind is NodeType.ROUTER else 2)
    assert node[6] == KINDS[kind]
    assert air.answered(ZdoCluster.ACTIVE_ENDPOINTS) == [b"\x02\x00" + node[2:4] + b"\x01\x01"]


def test_keys_for_others_and_strange_frames_are_not_heeded() -> None:
    desk, air = joined_hub()
    before = desk.dongle.dump()
    air.say(TransportKey(DONGLE, bytes(16), 1, 1, HUB, INSTALL_KEY))
    air.say(TransportKey(HUB, bytes(16), 1, 1, HUB, INSTALL_KEY))
    air.say(AssociationRequest(HUB, 0x8E))  # type: ignore[arg-type] # another node's, overheard
    air.say(air.message(b"\x00", 1, destination=SHORT + 1))
    air.say(air.message(b"\x00", 2, network_key=bytes(16)))
    desk.wait(10_000)
    assert desk.callbacks == []
    assert desk.dongle.dump() == before
    counters = desk.ask(Frame.READ_COUNTERS, Nothing()).values
    assert counters[Counter.NWK_DECRYPTION_FAILURE] == 1
