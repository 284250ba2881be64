"""The device seam on a HAN: a Zigbee coordinator, and a node on somebody else's network.

Adapters: the loopback and real dongles of ``hil.drivers``; the emulated HAN of ``harness.benches``.
Everything is asked on the bench's own loop. Lengths of time are seconds of the *wall*, because the
radio has no other, however fast the devices' clocks run.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from emulator.core.ids import Eui64

#: Smart Energy, the profile of everything below unless said otherwise. Source: known.
SMART_ENERGY = 0x0109


@dataclass(frozen=True, slots=True)
class HanNetwork:
    """A network as a beacon tells of it.

    Attributes:
        extended_pan_id: In Great Britain the hub's EUI-64 (its GPF's entity identifier).
        pan_id: 0x0000 to 0xFFFE.
        channel: 11 to 26.
        permits: Whether joining is permitted.
        lqi: Link quality of the beacon, 0 to 255; 0 where none was heard.
        rssi_dbm: Its strength; 0 where none was heard.
    """

    extended_pan_id: Eui64
    pan_id: int
    channel: int
    permits: bool = False
    lqi: int = 0
    rssi_dbm: int = 0


@dataclass(frozen=True, slots=True)
class HanFrame:
    """One ZCL frame between this end and another node.

    Attributes:
        peer: The other node.
        cluster: Cluster identifier.
        octets: The ZCL frame, header included, whole: fragments are the adapter's matter.
        peer_endpoint: Endpoint of the other node.
        endpoint: Ours.
        profile: Profile identifier.
    """

    peer: Eui64
    cluster: int
    octets: bytes
    peer_endpoint: int
    endpoint: int
    profile: int = SMART_ENERGY


class HanEventKind(enum.StrEnum):
    """What happens on a HAN besides frames."""

    JOINED = "joined"
    LEFT = "left"
    KEY_ESTABLISHED = "key-established"
    KEY_REFUSED = "key-refused"
    LOST = "lost"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class HanEvent:
    """One of them.

    Attributes:
        kind: Which; ``LOST`` and ``BACK`` are of the dongle itself.
        peer: The node it is about, where it is about one.
        why: Reason of a refusal or a loss, one sentence; empty where none is needed.
    """

    kind: HanEventKind
    peer: Eui64 | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a frame that was sent.

    Attributes:
        delivered: Whether the other node's radio acknowledged it (for an unacknowledged frame:
            whether it went out).
        why: Where not: ``no-such-node``, ``no-acknowledgement``, ``too-long``, ``no-link-key``,
            ``refused``.
    """

    delivered: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class JoinOutcome:
    """How an attempt to join, or to agree on a key, ended.

    Attributes:
        done: Whether it succeeded.
        why: Where not, a word: ``no-network``, ``not-permitted``, ``wrong-key``, ``no-answer``,
            ``bad-certificate``, ``bad-message``, ``no-resources``, ``unsupported``.
        detail: One sentence for people.
    """

    done: bool
    why: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to join, for one device, as a hub's device log gives it.

    Attributes:
        device: Who may join.
        link_key: 16 octets, made of its install code; None: under the well-known key.
        seconds: For how long; at most 60.
    """

    device: Eui64
    link_key: bytes | None = field(default=None, repr=False)
    seconds: int = 60


class HanEnd(Protocol):
    """What both ends of a HAN have in common. No method raises for a refusal of the other side.

    Raises:
        BenchError: The dongle is lost, silent or not what the bench file says (every method).
    """

    @property
    def eui64(self) -> Eui64:
        """The radio's own address."""
        ...

    async def send(self, frame: HanFrame, *, acknowledged: bool = True) -> Delivery:
        """Send one ZCL frame, in fragments where it is long; returns when its fate is known."""
        ...

    async def received(self, seconds: float) -> HanFrame | HanEvent | None:
        """Return the next frame or event, in order; None when ``seconds`` have passed."""
        ...

    async def close(self) -> None:
        """Leave the radio as it was found: permission withdrawn, port closed."""
        ...


class HanHub(HanEnd, Protocol):
    """A coordinator and trust centre."""

    async def form(self, channel: int) -> HanNetwork:
        """Form the network whose extended PAN identifier is ``eui64``, or resume it."""
        ...

    async def permit(self, permit: Permit) -> None:
        """Let one device join for a while; ``JOINED`` and ``KEY_ESTABLISHED`` tell of it."""
        ...

    async def nodes(self) -> Sequence[Eui64]:
        """Return who has joined."""
        ...

    async def dismiss(self, device: Eui64) -> Delivery:
        """Ask a node to leave."""
        ...


class HanNode(HanEnd, Protocol):
    """A node that joins a network."""

    async def networks(self, channels: Sequence[int]) -> Sequence[HanNetwork]:
        """Scan; returns the networks whose beacons were heard."""
        ...

    async def join(self, network: HanNetwork, link_key: bytes) -> JoinOutcome:
        """Join under the key of the node's install code; the network is checked first."""
        ...

    async def establish_key(self) -> JoinOutcome:
        """Agree with the hub on a link key (CBKE), as initiator."""
        ...

    async def leave(self) -> None:
        """Leave the network."""
        ...
