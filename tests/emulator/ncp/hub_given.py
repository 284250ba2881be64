"""A small hub in the air, that a dongle joins: a coordinator with a device log and no more."""

# ruff: noqa: ARG002 - the port gives a time to everything

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.codecs.ezsp.frames import Frame
from emulator.codecs.ezsp.identifiers import InitialSecurityBit, NodeType
from emulator.codecs.ezsp.kinds import ClusterLists
from emulator.codecs.ezsp.statuses import Status
from emulator.codecs.ezsp.structures import (
    FoundNetwork,
    InitialSecurityState,
    NetworkParameters,
)
from emulator.codecs.ezsp.values import Endpoint, StatusOnly
from emulator.codecs.ezsp.values_network import JoinNetwork
from emulator.codecs.ezsp.values_security import InitialSecurity
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee import aps, zdo
from emulator.codecs.zigbee.zdo import Capability
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.ecqv import Authority, Credentials
from emulator.ncp.air import HeardNetwork, QuietAir
from emulator.ncp.core import Ncp
from emulator.ncp.dongle import Dongle
from emulator.ncp.identity import CBKE_LIBRARIES, Identity
from emulator.ncp.radio_frames import (
    LINK_KEY,
    NETWORK_KEY,
    NO_SHORT,
    AssociationRequest,
    AssociationResponse,
    Attachment,
    ConfirmKey,
    DataFrame,
    FromNode,
    HeardPacket,
    LeaveOrder,
    Left,
    Poll,
    RadioFrame,
    RequestKey,
    ToNode,
    TransportKey,
    VerifyKey,
)
from tests.emulator.ncp.ncp_given import DONGLE, HUB, NOBODY, Desk

CHANNEL, PAN = 15, 0x1A62
NETWORK_KEY_OCTETS = bytes(range(16, 32))
#: Link key of the dongle's install code.
INSTALL_KEY = bytes.fromhex("66B6900981E1EE3CA4206B6B861C02BB")
ENDPOINT, CHF_ENDPOINT = 1, 123
SHORT = 0x4711


@dataclass(slots=True)
class HubAir(QuietAir):
    """A hub on channel 15; what it does wrong is set by its fields."""

    log: dict[Eui64, bytes] = field(default_factory=lambda: {DONGLE: INSTALL_KEY})
    permit: bool = True
    there: bool = True
    capacity: bool = True
    status: int = 0
    answers: bool = True
    sends_key: bool = True
    in_clear: bool = False
    turns_away: bool = False
    confirms: bool = True
    own_key: bytes = bytes(range(32, 48))
    center: Eui64 = HUB
    place: Attachment | None = None
    channel: int | None = None
    sent: list[RadioFrame] = field(default_factory=list)
    raw: list[tuple[bytes, int]] = field(default_factory=list)
    packets: list[HeardPacket] = field(default_factory=list)
    kept: list[ToNode] = field(default_factory=list)
    short: int = SHORT
    sleepy: bool = False
    _down: list[ToNode] = field(default_factory=list)

    def networks(self, channel: int) -> tuple[HeardNetwork, ...]:
        if channel != CHANNEL or not self.there:
            return ()
        found = FoundNetwork(CHANNEL, PAN, HUB, self.permit, 2, 0)
        return (HeardNetwork(found, 200, -50, has_capacity=self.capacity),)

    @property
    def deadline(self) -> int | None:
        return 0 if self._down or self.packets else None

    def attach(self, place: Attachment | None, now: int) -> None:
        self.place = place

    def listen(self, channel: int | None, now: int) -> None:
        self.channel = channel

    def on(self) -> int | None:
        """Return the channel the dongle listens to."""
        return self.channel

    def heard(self, now: int) -> Sequence[HeardPacket]:
        told = [packet for packet in self.packets if packet.channel == self.channel]
        self.packets.clear()
        return told

    def transmit(self, packet: bytes, channel: int, now: int) -> bool:
        self.raw.append((packet, channel))
        return True

    def take(self, now: int) -> list[RadioFrame]:
        frames: list[RadioFrame] = list(self._down)
        self._down.clear()
        return frames

    def say(self, frame: ToNode) -> None:
        """Let a frame reach the dongle: at once, or when it asks for it."""
        (self.kept if self.sleepy else self._down).append(frame)

    def emit(self, frame: FromNode, now: int) -> bool:
        self.sent.append(frame)
        if not self.there:
            return False
        if isinstance(frame, AssociationRequest):
            self._associate(frame)
        elif isinstance(frame, RequestKey):
            key = self.log.get(frame.eui64, bytes(16))
            self.say(TransportKey(frame.eui64, self.own_key, LINK_KEY, 0, self.center, key))
        elif isinstance(frame, VerifyKey) and self.confirms:
            self.say(ConfirmKey(frame.eui64, 0 if frame.key == self.own_key else 1))
        elif isinstance(frame, Poll):
            self._down += self.kept
            self.kept.clear()
        elif isinstance(frame, DataFrame) and isinstance(frame.frame, aps.ApsFrame):
            self._acknowledge(frame, frame.frame)
        return True

    def _associate(self, asked: AssociationRequest) -> None:
        if not self.answers:
            return
        self.sleepy = not asked.capability & Capability.RECEIVER_ON_WHEN_IDLE
        rejoin = asked.short != NO_SHORT
        if self.status or not (rejoin or self.permit):
            self._down.append(AssociationResponse(asked.eui64, NO_SHORT, self.status or 2))
            return
        self._down.append(AssociationResponse(asked.eui64, self.short, 0))
        if asked.network_key is not None:
            return
        if self.turns_away:
            self.say(LeaveOrder(asked.eui64))
        elif self.sends_key:
            sealed = None if self.in_clear else self.log.get(asked.eui64)
            told = (NETWORK_KEY_OCTETS, NETWORK_KEY, 0, self.center, sealed)
            self.say(TransportKey(asked.eui64, *told))

    def _acknowledge(self, outer: DataFrame, inner: aps.ApsFrame) -> None:
        if inner.ack_request and outer.destination == 0:
            places = (inner.source_endpoint, inner.destination_endpoint)
            block = inner.fragment
            received = None if block is None else aps.FragmentAck(block.number, 0xFF)
            ack = aps.ApsAck(*places, inner.cluster, inner.counter, inner.profile, received)
            self.say(DataFrame(0, outer.source, ack, outer.network_key, outer.link_key))

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the frames of a kind that the dongle has sent."""
        return [frame for frame in self.sent if isinstance(frame, kind)]

    def message(self, payload: bytes, counter: int, **changes: Any) -> DataFrame:
        """Return a message for the dongle's endpoint."""
        inner = aps.ApsFrame(ENDPOINT, CHF_ENDPOINT, 0x0702, counter, payload, 0x0109, True)
        return replace(DataFrame(0, self.short, inner, NETWORK_KEY_OCTETS), **changes)

    def request(self, cluster: int, payload: bytes, counter: int, to: int = SHORT) -> DataFrame:
        """Return a device object request for the dongle."""
        inner = aps.ApsFrame(0, 0, cluster, counter, payload, zdo.PROFILE)
        return DataFrame(0, to, inner, NETWORK_KEY_OCTETS)

    def answered(self, cluster: int) -> list[bytes]:
        """Return what the dongle has answered on a device object cluster."""
        frames = [frame.frame for frame in self.of(DataFrame)]
        return [frame.payload for frame in frames if frame.cluster == cluster | zdo.RESPONSE]


JOINER_SECURITY = (
    InitialSecurityBit.HAVE_PRECONFIGURED_KEY | InitialSecurityBit.REQUIRE_ENCRYPTED_KEY
)


def security(bits: int = int(JOINER_SECURITY), key: bytes = INSTALL_KEY) -> InitialSecurity:
    """Return the security of somebody who joins under its install code."""
    return InitialSecurity(InitialSecurityState(bits, key, bytes(16), 0, NOBODY))


def parameters(**changes: Any) -> NetworkParameters:
    """Return the hub's network as a host asks for it."""
    return replace(NetworkParameters(HUB, PAN, 8, CHANNEL), **changes)


def credentials(eui64: Eui64, authority: str = "test") -> dict[KeySuite, Credentials]:
    """Return what a device proves itself with, of a test authority."""
    issued = {}
    for suite in KeySuite:
        ca = Authority.draw(suite, Stream(1, f"ca/{authority}/{suite}"))
        issued[suite] = ca.issue(eui64, Stream(1, f"cbke/{eui64.hex}/{suite}"))
    return issued


def a_joiner(version: int = 13, air: QuietAir | None = None, **identity: Any) -> Dongle:
    """Return a dongle with certificates beside the hub, switched on."""
    known = {"libraries": CBKE_LIBRARIES, "credentials": credentials(DONGLE), **identity}
    dongle = Dongle(Ncp(Identity(DONGLE, version, **known), air or HubAir(), Stream(1, "dongle")))
    dongle.power_on(0)
    return dongle


def at_desk(version: int = 13, air: HubAir | None = None, **hub: Any) -> tuple[Desk, HubAir]:
    """Return a host with its dongle, ready to join, and the hub."""
    air = HubAir(**hub) if air is None else air
    desk = Desk(a_joiner(version, air)).connect()
    here = Endpoint(ENDPOINT, 0x0109, 0x0500, 0, ClusterLists((), (0x0702,)))
    assert desk.ask(Frame.ADD_ENDPOINT, here) == StatusOnly()
    assert desk.ask(Frame.SET_INITIAL_SECURITY_STATE, security()) == StatusOnly()
    return desk, air


def join(desk: Desk, node_type: int = NodeType.ROUTER, **changes: Any) -> Any:
    """Ask to join; return the status of the answer."""
    order = JoinNetwork(int(node_type), parameters(**changes))
    return desk.ask(Frame.JOIN_NETWORK, order).status


def joined_hub(
    version: int = 13, node_type: int = NodeType.ROUTER, **hub: Any
) -> tuple[Desk, HubAir]:
    """Return a host whose dongle has joined the hub, and the hub."""
    desk, air = at_desk(version, **hub)
    assert join(desk, node_type) is Status.OK
    desk.wait(1_000)
    assert statuses(desk) == [Status.NETWORK_UP]
    air.sent.clear()
    return desk, air


def statuses(desk: Desk) -> list[Any]:
    """Return and forget what the host was told of its network."""
    told = [
        frame.values.status for frame in desk.callbacks if frame.name is Frame.STACK_STATUS_HANDLER
    ]
    desk.callbacks.clear()
    return told


def left(air: HubAir) -> list[Left]:
    """Return the dongle's words of farewell."""
    return air.of(Left)
