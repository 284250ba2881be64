# ruff: noqa: ARG002 -- the air's methods have the port's form
"""Two emulated dongles in one air, each on a line of its own: one for a hub, one for a node."""

import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from emulator.codecs.ezsp.structures import FoundNetwork
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.codecs.zigbee.zdo import SimpleDescriptor
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.crypto.ecqv import Credentials
from emulator.crypto.test_certificates import all_credentials
from emulator.ncp.air import HeardNetwork, QuietAir
from emulator.ncp.identity import CBKE_LIBRARIES, Identity
from emulator.ncp.radio_frames import (
    BROADCASTS,
    Announcement,
    Attachment,
    DataFrame,
    FromNode,
    HeardPacket,
    RadioFrame,
    ToNode,
)
from emulator.servers import listen
from emulator.servers.dongle_service import DonglePlan, DongleService

HUB = Eui64.parse("90-B3-D5-1F-00-00-00-02")
NODE = Eui64.parse("90-B3-D5-1F-00-00-00-01")
SEED = 1
HUB_ENDPOINT, NODE_ENDPOINT = 123, 7
START = UtcMs(1_790_000_000_000)
CLUSTERS = (0x0000, 0x0702, 0x0704, 0x0800)
HUB_SHOWS = (SimpleDescriptor(HUB_ENDPOINT, 0x0109, 0x0500, 0, CLUSTERS, CLUSTERS),)
NODE_SHOWS = (SimpleDescriptor(NODE_ENDPOINT, 0x0109, 0x0501, 0, CLUSTERS, CLUSTERS),)
_LOOK_MS = 5


def credentials(eui64: Eui64, authority: str = "test") -> dict[KeySuite, Credentials]:
    return dict(all_credentials(SEED, eui64, authority=authority))


@dataclass
class Side(QuietAir):
    """The air as one dongle has it; it looks every few milliseconds whether something came."""

    ether: "Ether"
    arrived: deque[RadioFrame] = field(default_factory=deque)
    packets: list[HeardPacket] = field(default_factory=list)
    place: Attachment | None = None
    channel: int | None = None
    _looked_at: int = 0

    @property
    def deadline(self) -> int | None:
        return self._looked_at + _LOOK_MS

    def take(self, now: int) -> Sequence[RadioFrame]:
        self._looked_at = now
        frames = list(self.arrived)
        self.arrived.clear()
        return frames

    def attach(self, place: Attachment | None, now: int) -> None:
        self.place = place

    def listen(self, channel: int | None, now: int) -> None:
        self.channel = channel

    def heard(self, now: int) -> Sequence[HeardPacket]:
        told = [packet for packet in self.packets if packet.channel == self.channel]
        self.packets.clear()
        return told

    def networks(self, channel: int) -> tuple[HeardNetwork, ...]:
        return tuple(
            HeardNetwork(
                FoundNetwork(channel, one.pan_id, one.extended_pan_id, one.permit, 2, 0), 200, -50
            )
            for one in (self.ether.announced, *self.ether.others)
            if one is not None and one.channel == channel and self is self.ether.node
        )

    def energy(self, channel: int) -> int:
        return -40 if channel == 15 else super().energy(channel)

    def announce(self, network: Announcement | None, now: int) -> None:
        if self is self.ether.hub:
            self.ether.announced = network

    def send(self, frame: ToNode, now: int) -> bool:
        other = self.ether.node
        if isinstance(frame, DataFrame):
            mine = other.place is not None and frame.destination == other.place.short
            if not mine and frame.destination not in BROADCASTS:
                return False
        other.arrived.append(frame)
        return True

    def emit(self, frame: FromNode, now: int) -> bool:
        self.ether.hub.arrived.append(frame)
        return self.ether.announced is not None

    def dump(self) -> dict[str, Any]:
        return {}

    def load(self, state: dict[str, Any], now: int) -> None:
        """There is nothing to remember."""


class Ether:
    """What both dongles share."""

    def __init__(self) -> None:
        self.announced: Announcement | None = None
        self.others: list[Announcement] = []
        self.hub = Side(self)
        self.node = Side(self)


@dataclass
class Pair:
    """Both dongles as they are served."""

    ether: Ether
    hub: DongleService
    node: DongleService
    notes: list[Note]

    @property
    def hub_path(self) -> str:
        return self.hub.address

    @property
    def node_path(self) -> str:
        return self.node.address


@contextlib.asynccontextmanager
async def two_dongles(
    version: int = 13,
    *,
    libraries: frozenset[int] = CBKE_LIBRARIES,
    place: str = "tcp://127.0.0.1:0",
) -> AsyncIterator[Pair]:
    """Serve two dongles of one version, with certificates of one test authority."""
    ether = Ether()
    notes: list[Note] = []

    def keep(_at: UtcMs, note: Note) -> None:
        notes.append(note)

    def plugged(eui64: Eui64, side: Side) -> DongleService:
        identity = Identity(eui64, version, libraries=libraries, credentials=credentials(eui64))
        where = listen.parse(place)
        plan = DonglePlan(identity, (), SEED, where, START, surround=lambda *_told: side)
        return DongleService(plan, keep)

    hub, node = plugged(HUB, ether.hub), plugged(NODE, ether.node)
    for service in (hub, node):
        await service.open()
    try:
        yield Pair(ether, hub, node, notes)
    finally:
        for service in (hub, node):
            await service.close()
