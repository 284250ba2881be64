"""The dongle as a router of its hub's network: others join through it, and it passes on."""

from typing import Any

import pytest

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import DeviceUpdate, PolicyId
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.values import PolicySetting, StatusOnly
from emulator.codecs.ezsp.values_network import PermitJoining
from emulator.codecs.zigbee.zdo import Capability
from emulator.core.ids import Eui64
from emulator.ncp.memory import Node
from emulator.ncp.radio_frames import (
    EVERYBODY,
    NETWORK_KEY,
    NO_SHORT,
    Announcement,
    AssociationRequest,
    AssociationResponse,
    DataFrame,
    LeaveOrder,
    Left,
    Poll,
    ToNode,
    TransportKey,
    UpdateDevice,
)
from tests.emulator.ncp.home_given import import_key, told
from tests.emulator.ncp.hub_given import (
    NETWORK_KEY_OCTETS,
    SHORT,
    HubAir,
    a_joiner,
    at_desk,
    join,
    statuses,
)
from tests.emulator.ncp.ncp_given import FORM, HUB, SECURITY, Desk

CHILD = Eui64.parse("90-B3-D5-1F-00-00-00-31")
CHILD_KEY = bytes(range(64, 80))
AWAKE = int(Capability.MAINS_POWER | Capability.RECEIVER_ON_WHEN_IDLE)
JOINED, SECURED, LEFT, UNSECURED = (
    int(DeviceUpdate.STANDARD_SECURITY_UNSECURED_JOIN),
    int(DeviceUpdate.STANDARD_SECURITY_SECURED_REJOIN),
    int(DeviceUpdate.DEVICE_LEFT),
    int(DeviceUpdate.STANDARD_SECURITY_UNSECURED_REJOIN),
)


class WideAir(HubAir):
    """A hub on one side and a child on the other."""

    def __init__(self) -> None:
        super().__init__()
        self.below: list[ToNode] = []
        self.shown: Announcement | None = None

    def send(self, frame: ToNode, now: int) -> bool:  # noqa: ARG002 - the port's
        self.below.append(frame)
        return True

    def shows(self) -> bool:
        return self.shown is not None

    def announce(self, network: Announcement | None, now: int) -> None:  # noqa: ARG002 - the port's
        self.shown = network


def _router(*, permit: bool = True) -> tuple[Desk, WideAir]:
    air = WideAir()
    desk, _hub = at_desk(air=air)
    assert join(desk) is Status.OK
    desk.wait(1_000)
    if permit:
        assert desk.ask(Frame.PERMIT_JOINING, PermitJoining(60)).status is Status.OK
    statuses(desk)
    air.sent.clear()
    return desk, air


def _say(desk: Desk, air: WideAir, frame: Any) -> None:
    air.say(frame)
    desk.wait(10)


def _with_child(capability: int = AWAKE) -> tuple[Desk, WideAir, int]:
    desk, air = _router()
    _say(desk, air, AssociationRequest(CHILD, capability))
    (answer,) = air.below
    assert isinstance(answer, AssociationResponse)
    key = TransportKey(CHILD, NETWORK_KEY_OCTETS, NETWORK_KEY, 0, HUB, CHILD_KEY, via=SHORT)
    _say(desk, air, key)
    hello = air.message(b"\x00", 1, source=answer.short, destination=EVERYBODY)
    _say(desk, air, hello)
    air.sent.clear()
    air.below.clear()
    desk.callbacks.clear()
    return desk, air, answer.short


def test_it_shows_itself_as_a_parent_while_joining_is_permitted() -> None:
    desk, air = _router(permit=False)
    assert not air.shows()
    desk.ask(Frame.PERMIT_JOINING, PermitJoining(60))
    assert air.shown is not None
    assert (air.shown.sender, air.shown.coordinator, air.shown.permit) == (SHORT, HUB, True)
    desk.wait(61_000)
    assert not air.shows()
    assert statuses(desk) == [Status.NETWORK_OPENED, Status.NETWORK_CLOSED]


def test_a_child_joins_through_it_and_its_hub_hears_of_it_and_decides() -> None:
    desk, air = _router()
    _say(desk, air, AssociationRequest(CHILD, AWAKE))
    (answer,) = air.below
    assert isinstance(answer, AssociationResponse)
    assert answer.status == 0
    assert air.sent == [UpdateDevice(SHORT, CHILD, answer.short, JOINED)]
    (child,) = told(desk, Frame.CHILD_JOIN_HANDLER)
    assert (child.eui64, child.joining) == (CHILD, True)
    key = TransportKey(CHILD, NETWORK_KEY_OCTETS, NETWORK_KEY, 0, HUB, CHILD_KEY, via=SHORT)
    _say(desk, air, key)
    assert air.below[1:] == [
        TransportKey(CHILD, NETWORK_KEY_OCTETS, NETWORK_KEY, 0, HUB, CHILD_KEY)
    ]
    hello = air.message(b"\x00", 1, source=answer.short, destination=EVERYBODY)
    _say(desk, air, hello)
    assert air.sent[1:] == [hello]
    desk.wait(60_000)
    assert CHILD in desk.dongle.ncp.state.nv.nodes


def test_a_child_that_never_gets_its_key_is_gone_again() -> None:
    desk, air = _router()
    _say(desk, air, AssociationRequest(CHILD, AWAKE))
    desk.wait(11_000)
    assert [frame.status for frame in air.of(UpdateDevice)] == [JOINED, LEFT]
    assert CHILD not in desk.dongle.ncp.state.nv.nodes


@pytest.mark.parametrize("permit", [True, False])
def test_without_permission_nobody_joins_through_it(permit: bool) -> None:
    desk, air = _router(permit=permit)
    _say(desk, air, AssociationRequest(CHILD, AWAKE))
    (answer,) = air.below
    assert isinstance(answer, AssociationResponse)
    assert (answer.status == 0, bool(air.of(UpdateDevice))) == (permit, permit)


def test_messages_pass_between_child_and_hub() -> None:
    desk, air, short = _with_child()
    down = air.message(b"\x01", 5, destination=short)
    _say(desk, air, down)
    assert air.below == [down]
    up = air.message(b"\x02", 6, source=short, destination=0)
    _say(desk, air, up)
    assert air.of(DataFrame) == [up]
    assert told(desk, Frame.INCOMING_MESSAGE_HANDLER) == []
    own = air.message(b"\x03", 7, source=short)
    _say(desk, air, own)
    assert [one.message for one in told(desk, Frame.INCOMING_MESSAGE_HANDLER)] == [b"\x03"]


def test_what_is_for_a_sleepy_child_waits_for_its_poll() -> None:
    desk, air, short = _with_child(0)
    down = air.message(b"\x01", 5, destination=short)
    _say(desk, air, down)
    assert air.below == []
    _say(desk, air, Poll(short))
    assert air.below == [down]


def test_a_child_goes_of_its_own_will_or_because_its_hub_says_so() -> None:
    desk, air, short = _with_child()
    _say(desk, air, Left(short, CHILD))
    assert air.of(UpdateDevice) == [UpdateDevice(SHORT, CHILD, short, LEFT)]
    assert CHILD not in desk.dongle.ncp.state.nv.nodes
    desk, air, short = _with_child()
    _say(desk, air, LeaveOrder(CHILD, via=SHORT))
    assert air.below == [LeaveOrder(CHILD)]
    assert CHILD not in desk.dongle.ncp.state.nv.nodes
    _say(desk, air, LeaveOrder(CHILD, via=SHORT))
    assert air.below == [LeaveOrder(CHILD)]


@pytest.mark.parametrize(
    ("key", "known", "status", "update"),
    [
        (NETWORK_KEY_OCTETS, True, 0, SECURED),
        (NETWORK_KEY_OCTETS, False, 0, SECURED),
        (bytes(16), True, 2, None),
        (None, True, 0, UNSECURED),
        (None, False, 2, None),
    ],
)
def test_a_rejoin_needs_the_network_key_or_an_old_place(
    key: bytes | None, known: bool, status: int, update: int | None
) -> None:
    desk, air, short = _with_child()
    if not known:
        _say(desk, air, Left(short, CHILD))
        air.sent.clear()
    _say(desk, air, AssociationRequest(CHILD, AWAKE, short, key))
    (answer,) = air.below
    assert isinstance(answer, AssociationResponse)
    assert (answer.status, answer.short == NO_SHORT) == (status, status != 0)
    assert [frame.status for frame in air.of(UpdateDevice)] == ([] if update is None else [update])


# The other end: the dongle is the hub, and a router tells it of its child

OLD, BEHIND = 0x2001, 0x2002
ROUTER = Eui64.parse("90-B3-D5-1F-00-00-00-32")
MAINS = AWAKE | int(Capability.FULL_FUNCTION)
ALLOW, NEITHER = 0x03, 0x00


def _hub(decision: int = ALLOW) -> tuple[Desk, WideAir]:
    """Return a hub with a router on its network."""
    air = WideAir()
    desk = Desk(a_joiner(13, air)).connect()
    policy = PolicySetting(int(PolicyId.TRUST_CENTER_POLICY), decision)
    assert desk.ask(Frame.SET_POLICY, policy) == StatusOnly()
    desk.ask(Frame.SET_INITIAL_SECURITY_STATE, SECURITY)
    desk.ask(Frame.FORM_NETWORK, FORM)
    import_key(desk, CHILD, CHILD_KEY)
    state = desk.dongle.ncp.state
    state.nv.nodes[ROUTER] = Node(ROUTER, OLD, MAINS, authenticated=True)
    desk.callbacks.clear()
    return desk, air


def test_a_hub_sends_the_key_by_way_of_the_router_under_the_childs_own_key() -> None:
    desk, air = _hub()
    _say(desk, air, UpdateDevice(OLD, CHILD, BEHIND, JOINED))
    security = desk.dongle.ncp.state.nv.security
    assert security is not None
    (key,) = air.below
    assert isinstance(key, TransportKey)
    assert (key.eui64, key.key, key.sealed_under, key.via) == (
        CHILD,
        security.network_key,
        CHILD_KEY,
        OLD,
    )
    (join,) = told(desk, Frame.TRUST_CENTER_JOIN_HANDLER)
    assert (join.node_id, join.eui64, join.update, join.parent) == (BEHIND, CHILD, JOINED, OLD)
    kept = desk.dongle.dump()
    desk.dongle.load(kept)
    assert desk.dongle.dump() == kept
    assert desk.dongle.ncp.state.nv.nodes[CHILD].parent == OLD


def test_a_hub_that_denies_a_child_tells_its_router() -> None:
    desk, air = _hub(NEITHER)
    _say(desk, air, UpdateDevice(OLD, CHILD, BEHIND, JOINED))
    assert air.below == [LeaveOrder(CHILD, via=OLD)]
    assert CHILD not in desk.dongle.ncp.state.nv.nodes


def test_a_hub_hears_that_a_child_is_back_or_gone_and_believes_only_routers_it_knows() -> None:
    desk, air = _hub()
    _say(desk, air, UpdateDevice(0x2999, CHILD, BEHIND, JOINED))
    _say(desk, air, UpdateDevice(OLD, CHILD, BEHIND, 77))
    _say(desk, air, UpdateDevice(OLD, CHILD, BEHIND, LEFT))
    assert (air.below, desk.callbacks) == ([], [])
    _say(desk, air, UpdateDevice(OLD, CHILD, BEHIND, SECURED))
    _say(desk, air, UpdateDevice(OLD, CHILD, BEHIND, LEFT))
    updates = [one.update for one in told(desk, Frame.TRUST_CENTER_JOIN_HANDLER)]
    assert (air.below, updates) == ([], [SECURED, LEFT])
