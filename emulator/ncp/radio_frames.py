"""What passes between an NCP and the nodes around it: frames above the MAC layer, as values.

Frames are not enciphered. A frame names the key it would be enciphered with, and whoever holds
another key does not understand it; so a wrong install code fails where it fails on the air.
"""

from dataclasses import dataclass, field
from typing import Final

from emulator.codecs.zigbee.aps import ApsAck, ApsFrame
from emulator.core.ids import Eui64
from emulator.core.values import quick

#: Broadcast addresses: routers, nodes that listen when idle, all nodes.
ROUTERS: Final = 0xFFFC
LISTENING: Final = 0xFFFD
EVERYBODY: Final = 0xFFFF
BROADCASTS: Final = frozenset({ROUTERS, LISTENING, EVERYBODY})
#: No short address.
NO_SHORT: Final = 0xFFFE


@dataclass(frozen=True, slots=True)
class Announcement:
    """A network as its coordinator's beacons and link-status frames show it.

    Attributes:
        extended_pan_id: In a GB HAN the EUI-64 of the CHF.
        pan_id: Short form.
        channel: 11 to 26.
        permit: Whether nodes may join.
        coordinator: EUI-64 of the coordinator.
        network_key: Key its frames are secured with.
        sender: Short address of who shows it: the coordinator, or a router as a parent.
    """

    extended_pan_id: Eui64
    pan_id: int
    channel: int
    permit: bool
    coordinator: Eui64
    network_key: bytes = field(repr=False)
    sender: int = 0x0000


@quick
@dataclass(frozen=True, slots=True)
class DataFrame:
    """An APS frame in a NWK frame.

    Attributes:
        source: Short address of the sender.
        destination: Short address, or one of ``BROADCASTS``.
        frame: The APS frame.
        network_key: Key of the NWK layer.
        link_key: Key of the APS layer; None: not secured there.
        group: Group it is for; None: no multicast.
        link_counter: Frame counter of the APS layer's security; None: whoever writes the octets
            counts for the sender, and a receiver does not look for repeats of it.
    """

    source: int
    destination: int
    frame: ApsFrame | ApsAck
    network_key: bytes = field(repr=False)
    link_key: bytes | None = field(default=None, repr=False)
    group: int | None = None
    link_counter: int | None = None

    def counted(self, link_counter: int) -> "DataFrame":
        """Return it with a frame counter of the APS layer's security."""
        keys = (self.network_key, self.link_key)
        head = (self.source, self.destination, self.frame)
        return DataFrame(*head, *keys, self.group, link_counter)


@dataclass(frozen=True, slots=True)
class AssociationRequest:
    """A node asks to join, or to come back.

    Attributes:
        eui64: The node.
        capability: `zdo.Capability`.
        short: NO_SHORT, or the short address it had (a rejoin).
        network_key: Of a secured rejoin; None: it has none, or does not use it.
        pan_id: Network it asks; None: the only one there is.
        channel: Where it asks, 11 to 26; None: where that network is.
        parent: Short address of the node it asks.
    """

    eui64: Eui64
    capability: int
    short: int = NO_SHORT
    network_key: bytes | None = field(default=None, repr=False)
    pan_id: int | None = None
    channel: int | None = None
    parent: int = 0x0000


@dataclass(frozen=True, slots=True)
class AssociationResponse:
    """The answer: a short address, or why not.

    Attributes:
        eui64: The node that asked.
        short: Its short address; NO_SHORT with a refusal.
        status: 0 taken, 1 no room, 2 access denied.
    """

    eui64: Eui64
    short: int
    status: int


@dataclass(frozen=True, slots=True)
class TransportKey:
    """The trust centre's frame with a key.

    Attributes:
        eui64: Who it is for.
        key: The key.
        kind: 1 network key, 4 trust centre link key.
        sequence: Number of a network key.
        trust_center: EUI-64 of the trust centre.
        sealed_under: Link key it is enciphered with; None: in the clear.
        via: Short address of the router whose child it is for; None: straight to the node.
    """

    eui64: Eui64
    key: bytes = field(repr=False)
    kind: int
    sequence: int
    trust_center: Eui64
    sealed_under: bytes | None = field(repr=False)
    via: int | None = None


@dataclass(frozen=True, slots=True)
class RequestKey:
    """A node asks the trust centre for a link key of its own."""

    source: int
    eui64: Eui64


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """A node proves that it holds the key it was sent."""

    source: int
    eui64: Eui64
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConfirmKey:
    """The trust centre's answer to a `VerifyKey`.

    Attributes:
        eui64: The node that proved itself.
        status: 0: its key counts from now on.
    """

    eui64: Eui64
    status: int = 0


@dataclass(frozen=True, slots=True)
class UpdateDevice:
    """A router tells the trust centre what a child of its own did.

    Attributes:
        source: Short address of the router.
        eui64: The child.
        short: The child's short address.
        status: `identifiers.DeviceUpdate`.
    """

    source: int
    eui64: Eui64
    short: int
    status: int


@dataclass(frozen=True, slots=True)
class LeaveOrder:
    """The trust centre or parent tells a node to go.

    Attributes:
        eui64: The node.
        rejoin: It shall come back at once.
        via: Short address of the router whose child it is (Remove Device); None: straight to it.
    """

    eui64: Eui64
    rejoin: bool = False
    via: int | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """A node says that it goes."""

    source: int
    eui64: Eui64
    rejoin: bool = False


@dataclass(frozen=True, slots=True)
class Poll:
    """A child asks its parent for what waits for it."""

    source: int


#: Kinds of `TransportKey`.
NETWORK_KEY: Final = 1
LINK_KEY: Final = 4

#: Of a coordinator or parent, to the nodes.
ToNode = DataFrame | AssociationResponse | TransportKey | ConfirmKey | LeaveOrder
#: Of a node, to its coordinator or parent.
FromNode = DataFrame | AssociationRequest | RequestKey | VerifyKey | UpdateDevice | Left | Poll
#: Of either.
RadioFrame = ToNode | FromNode


@dataclass(frozen=True, slots=True)
class Attachment:
    """An NCP that is a node of somebody else's network.

    Attributes:
        extended_pan_id: The network.
        pan_id: Short form.
        channel: 11 to 26.
        eui64: The NCP.
        short: Its short address.
        capability: `zdo.Capability`; without RECEIVER_ON_WHEN_IDLE its frames wait for its polls.
        network_key: Key of the network.
        parent: Short address of its parent; 0xFFFF for a router, which has none.
    """

    extended_pan_id: Eui64
    pan_id: int
    channel: int
    eui64: Eui64
    short: int
    capability: int
    network_key: bytes = field(repr=False)
    parent: int = 0x0000


@dataclass(frozen=True, slots=True)
class HeardPacket:
    """What a listening radio has heard: a frame of IEEE 802.15.4 as it was on the air.

    Attributes:
        octets: The frame with its check (the last two octets), right or wrong.
        channel: 11 to 26.
        rssi: dBm.
        lqi: Link quality, 0 to 255.
    """

    octets: bytes
    channel: int
    rssi: int
    lqi: int
