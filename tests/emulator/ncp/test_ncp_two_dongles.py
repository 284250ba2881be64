"""One dongle is the hub, another its node: both roles of the firmware against each other."""

from collections.abc import Sequence
from typing import Any

import pytest

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import (
    ApsOption,
    ConfigId,
    InitialSecurityBit,
    NodeType,
    PolicyId,
)
from emulator.codecs.ezsp.kinds import ClusterLists
from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import ApsFrame, FoundNetwork, NetworkParameters
from emulator.codecs.ezsp.values import ConfigSetting, Endpoint, Nothing, PolicySetting
from emulator.codecs.ezsp.values_messages import PollForData, Reply, SendUnicast
from emulator.codecs.ezsp.values_network import (
    FormNetwork,
    JoinNetwork,
    Leave,
    NetworkInit,
    PermitJoining,
    RemoveDevice,
)
from emulator.codecs.ezsp.values_security import CalculateSmacs, StoreLinkKey
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.ncp.air import HeardNetwork, QuietAir
from emulator.ncp.core import Ncp
from emulator.ncp.dongle import Dongle
from emulator.ncp.identity import CBKE_LIBRARIES, Identity
from emulator.ncp.radio_frames import Announcement, DataFrame, FromNode, RadioFrame, ToNode
from tests.emulator.ncp.home_given import import_key, told
from tests.emulator.ncp.hub_given import INSTALL_KEY, credentials, parameters, security, statuses
from tests.emulator.ncp.ncp_given import DONGLE, HUB, SECURITY, Desk
from tests.emulator.ncp.test_ncp_cbke import (
    CALCULATE,
    CALCULATED,
    CERTIFICATE,
    CLEAR,
    GENERATE,
    GENERATED,
)

SEALED = int(ApsOption.RETRY | ApsOption.ENCRYPTION)


class Ether(QuietAir):
    """The air of one dongle; ``other`` is that of the second."""

    def __init__(self) -> None:
        self.other: Ether = self
        self.shown: Announcement | None = None
        self.heard_of: list[RadioFrame] = []
        self.sealed: list[bytes | None] = []

    def networks(self, channel: int) -> tuple[HeardNetwork, ...]:
        shown = self.other.shown
        if shown is None or shown.channel != channel:
            return ()
        told = (channel, shown.pan_id, shown.extended_pan_id, shown.permit, 2, 0)
        return (HeardNetwork(FoundNetwork(*told), 200, -50),)

    @property
    def deadline(self) -> int | None:
        return 0 if self.heard_of else None

    def announce(self, network: Announcement | None, now: int) -> None:  # noqa: ARG002 - the port's
        self.shown = network

    def send(self, frame: ToNode, now: int) -> bool:  # noqa: ARG002 - the port's
        return self._pass(frame)

    def emit(self, frame: FromNode, now: int) -> bool:  # noqa: ARG002 - the port's
        return self._pass(frame)

    def _pass(self, frame: RadioFrame) -> bool:
        if isinstance(frame, DataFrame):
            self.sealed.append(frame.link_key)
        self.other.heard_of.append(frame)
        return True

    def take(self, now: int) -> Sequence[RadioFrame]:  # noqa: ARG002 - the port's
        frames, self.heard_of = self.heard_of, []
        return frames


class Pair:
    """A hub's host and a node's, one clock."""

    def __init__(self, version: int) -> None:
        self.hub, self.hub_air = _desk(HUB, version)
        self.node, self.node_air = _desk(DONGLE, version)
        self.hub_air.other, self.node_air.other = self.node_air, self.hub_air
        self.hub.ask(Frame.SET_INITIAL_SECURITY_STATE, SECURITY)
        self.hub.ask(Frame.FORM_NETWORK, FormNetwork(NetworkParameters(HUB, 0x1A62, 8, 15)))
        bits = 0x03 | 0x10  # only under keys of install codes
        policy = PolicySetting(int(PolicyId.TRUST_CENTER_POLICY), bits)
        self.hub.ask(Frame.SET_POLICY, policy)
        self.run(10)

    def run(self, ms: int) -> None:
        for _ in range(ms // 5):
            self.hub.wait(5)
            self.node.wait(5)

    def join(self, kind: NodeType = NodeType.ROUTER, bits: int | None = None) -> list[Any]:
        given = security() if bits is None else security(bits)
        self.node.ask(Frame.SET_INITIAL_SECURITY_STATE, given)
        assert self.node.ask(Frame.JOIN_NETWORK, JoinNetwork(int(kind), parameters())).status is (
            Status.OK
        )
        self.run(1_000)
        return statuses(self.node)

    def permit(self) -> None:
        import_key(self.hub, DONGLE, INSTALL_KEY)
        self.hub.ask(Frame.PERMIT_JOINING, PermitJoining(60))
        self.run(10)

    def short(self) -> int:
        found: int = self.node.ask(Frame.GET_NODE_ID, Nothing()).node_id
        return found

    def send(self, sender: Desk, to: int, message: bytes, options: int = SEALED, **aps: int) -> Any:
        described = ApsFrame(0x0109, 0x0702, 1, 1, options, **aps)
        return sender.ask(Frame.SEND_UNICAST, SendUnicast(0, to, described, 1, message))


def _desk(eui64: Eui64, version: int) -> tuple[Desk, Ether]:
    air = Ether()
    known = Identity(
        eui64, version, libraries=CBKE_LIBRARIES, credentials=credentials(eui64), cbke_ms=30
    )
    dongle = Dongle(Ncp(known, air, Stream(1, eui64.hex)))
    dongle.power_on(0)
    desk = Desk(dongle).connect()
    desk.ask(Frame.SET_CONFIGURATION_VALUE, ConfigSetting(ConfigId.KEY_TABLE_SIZE, 8))
    lists = ClusterLists((0x0702,), (0x0702,))
    desk.ask(Frame.ADD_ENDPOINT, Endpoint(1, 0x0109, 0x0500, 0, lists))
    return desk, air


@pytest.mark.parametrize("version", VERSIONS)
def test_both_agree_on_a_key_and_seal_what_they_say(version: int) -> None:
    pair = Pair(version)
    pair.permit()
    assert pair.join() == [Status.NETWORK_UP]
    assert [one.eui64 for one in told(pair.hub, Frame.TRUST_CENTER_JOIN_HANDLER)] == [DONGLE]
    keys, certificates = {}, {}
    suite = KeySuite.CBKE_283
    for name, desk in (("hub", pair.hub), ("node", pair.node)):
        certificates[name] = desk.ask(CERTIFICATE[suite], Nothing()).certificate
        desk.ask(GENERATE[suite], Nothing())
    pair.run(100)
    for name, desk in (("hub", pair.hub), ("node", pair.node)):
        keys[name] = told(desk, GENERATED[suite])[0].public_key
    for desk, other, initiator in ((pair.hub, "node", False), (pair.node, "hub", True)):
        order = CalculateSmacs(initiator, certificates[other], keys[other])
        desk.ask(CALCULATE[suite], order)
    pair.run(100)
    (ours,), (theirs,) = (told(desk, CALCULATED[suite]) for desk in (pair.hub, pair.node))
    assert (ours.status, ours) == (Status.OK, theirs)
    for desk in (pair.hub, pair.node):
        assert desk.ask(CLEAR[suite], StoreLinkKey(True)).status is Status.OK
    kept = pair.node.dongle.ncp.state.nv.security
    assert kept is not None
    assert pair.hub.dongle.ncp.state.nv.link_keys == {0: (DONGLE, kept.tc_key)}
    pair.hub_air.sealed.clear()
    pair.node_air.sealed.clear()
    for sender, receiver, to in ((pair.node, pair.hub, 0), (pair.hub, pair.node, pair.short())):
        sender.callbacks.clear()
        receiver.callbacks.clear()
        assert pair.send(sender, to, b"\x00\x01\x00").status is Status.OK
        pair.run(50)
        assert [one.status for one in told(sender, Frame.MESSAGE_SENT_HANDLER)] == [Status.OK]
        (heard,) = told(receiver, Frame.INCOMING_MESSAGE_HANDLER)
        assert heard.aps.options & ApsOption.ENCRYPTION
    assert pair.hub_air.sealed == pair.node_air.sealed == [kept.tc_key] * 2


def test_without_permission_or_without_the_key_there_is_no_joining() -> None:
    pair = Pair(13)
    assert pair.join() == [Status.JOIN_FAILED]
    pair.hub.ask(Frame.PERMIT_JOINING, PermitJoining(60))
    pair.run(10)
    assert pair.join() == [Status.NO_NETWORK_KEY_RECEIVED]
    pair.permit()
    assert pair.join() == [Status.NETWORK_UP]


def test_a_link_key_is_asked_for_proved_and_confirmed() -> None:
    pair = Pair(13)
    pair.permit()
    wanted = 0x0900 | InitialSecurityBit.GET_LINK_KEY_WHEN_JOINING
    assert pair.join(bits=int(wanted)) == [Status.NETWORK_UP]


def test_fragments_cross_from_host_to_host() -> None:
    pair = Pair(13)
    pair.permit()
    pair.join()
    whole = bytes(range(150))
    options, sequence, parts = SEALED | ApsOption.FRAGMENT, 0, []
    for index in range(3):
        part = whole[index * 50 : (index + 1) * 50]
        place = {"group": 3 << 8 | index, "sequence": sequence}
        sequence = pair.send(pair.node, 0, part, int(options), **place).sequence
        pair.run(10)
        heard = told(pair.hub, Frame.INCOMING_MESSAGE_HANDLER)[-1]
        parts.append(heard.message)
        assert pair.hub.ask(Frame.SEND_REPLY, Reply(heard.sender, heard.aps, b"")).status is (
            Status.OK
        )
        pair.run(10)
    assert b"".join(parts) == whole
    assert [one.status for one in told(pair.node, Frame.MESSAGE_SENT_HANDLER)] == [Status.OK] * 3


def test_a_sleepy_node_fetches_what_waits_for_it_at_the_hub() -> None:
    pair = Pair(13)
    pair.permit()
    assert pair.join(NodeType.SLEEPY_END_DEVICE) == [Status.NETWORK_UP]
    pair.hub.callbacks.clear()
    pair.send(pair.hub, pair.short(), b"\x00\x01\x00")
    pair.run(500)
    assert told(pair.node, Frame.INCOMING_MESSAGE_HANDLER) == []
    pair.node.ask(Frame.POLL_FOR_DATA, PollForData(100, 1, 0))
    pair.run(300)
    assert len(told(pair.node, Frame.INCOMING_MESSAGE_HANDLER)) == 1
    assert [one.status for one in told(pair.hub, Frame.MESSAGE_SENT_HANDLER)] == [Status.OK]
    polls = [one.status for one in told(pair.node, Frame.POLL_COMPLETE_HANDLER)]
    assert polls[:2] == [Status.OK, Status.MAC_NO_DATA]


@pytest.mark.parametrize("kind", [NodeType.ROUTER, NodeType.END_DEVICE])
def test_after_resets_of_either_they_find_each_other_again(kind: NodeType) -> None:
    pair = Pair(13)
    pair.permit()
    pair.join(kind)
    for first, second in ((pair.hub, pair.node), (pair.node, pair.hub)):
        for desk in (first, second):
            desk.connect()
            desk.ask(
                Frame.ADD_ENDPOINT, Endpoint(1, 0x0109, 0x0500, 0, ClusterLists((), (0x0702,)))
            )
        for desk in (pair.hub, pair.node):
            desk.ask(Frame.NETWORK_INIT, NetworkInit(0))
            pair.run(500)
        assert statuses(pair.node) == [Status.NETWORK_UP]
        statuses(pair.hub)
        pair.send(pair.node, 0, b"\x00\x02\x00")
        pair.run(50)
        assert len(told(pair.hub, Frame.INCOMING_MESSAGE_HANDLER)) == 1


def test_either_may_end_it() -> None:
    pair = Pair(13)
    pair.permit()
    pair.join()
    pair.hub.callbacks.clear()
    assert pair.node.ask(Frame.LEAVE_NETWORK, Leave()).status is Status.OK
    pair.run(50)
    assert [one.update for one in told(pair.hub, Frame.TRUST_CENTER_JOIN_HANDLER)] == [2]
    statuses(pair.node)
    pair.permit()
    assert pair.join() == [Status.NETWORK_UP]
    order = RemoveDevice(pair.short(), DONGLE, DONGLE)
    assert pair.hub.ask(Frame.REMOVE_DEVICE, order).status is Status.OK
    pair.run(50)
    assert statuses(pair.node) == [Status.NETWORK_DOWN]


def test_who_joins_anew_is_understood_though_counters_begin_again() -> None:
    pair = Pair(13)
    for _ in range(2):
        pair.permit()
        assert pair.join() == [Status.NETWORK_UP]
        pair.hub.callbacks.clear()
        for sender, receiver, to in ((pair.node, pair.hub, 0), (pair.hub, pair.node, pair.short())):
            for _ in range(3):
                assert pair.send(sender, to, b"\x00\x01\x00").status is Status.OK
                pair.run(10)
            assert len(told(receiver, Frame.INCOMING_MESSAGE_HANDLER)) == 3
            receiver.callbacks.clear()
        pair.node.ask(Frame.LEAVE_NETWORK, Leave())
        pair.run(50)
        statuses(pair.node)
        pair.node.dongle.ncp.state.nv.link_counters.clear()  # as after a factory reset
