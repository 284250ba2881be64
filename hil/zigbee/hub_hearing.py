"""What a hub hears: who joins and leaves, frames for its endpoints, requests for keys."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import bellows.types as bt

from emulator.codecs.zcl import key_establishment as key_cluster
from emulator.codecs.zcl.key_establishment import TerminateStatus
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from harness.errors import HarnessError
from harness.han_ports import SMART_ENERGY, HanEvent, HanEventKind, HanFrame, JoinOutcome
from hil.zigbee.errors import FOREIGN
from hil.zigbee.ezsp import DongleEzsp, eui64_of, ieee_of
from hil.zigbee.key_establishment import KeyEstablishment
from hil.zigbee.messages import Incoming, Sent
from hil.zigbee.nodes import DEVICE_ANNOUNCE, HubNode, NodeBook, announced
from hil.zigbee.permits import Permits
from hil.zigbee.traffic import ApsTraffic, Happening, Outgoing

_DEVICE_OBJECTS: Final = 0x0000
#: Messages of one node that is not known yet, kept until it is. Source: invented.
_MAX_KEPT: Final = 32
_SLEEPY: Final = bt.EmberNodeType.SLEEPY_END_DEVICE


@dataclass(frozen=True, slots=True)
class HubKnown:
    """What outlives one connection of a hub.

    Attributes:
        book: The nodes.
        permits: Who may join.
        endpoints: The hub's.
        tell: Takes frames and events.
    """

    book: NodeBook
    permits: Permits
    endpoints: frozenset[int]
    tell: Callable[[Happening], None]


class HubHearing:
    """One connection's ears; an `ezsp.Intake`.

    Attributes:
        traffic: Messages out and in.
        keys: Key establishment, once there is one.
    """

    def __init__(
        self,
        ezsp: DongleEzsp,
        known: HubKnown,
        next_tag: Callable[[], int],
    ) -> None:
        """Take the dongle and what is known; ``begin`` starts.

        Args:
            ezsp: The dongle.
            known: What outlives a connection.
            next_tag: Gives marks for messages, shared with zigpy.
        """
        self.traffic = ApsTraffic(
            ezsp, ours=self._is_ours, deliver=self._deliver, next_tag=next_tag
        )
        self.keys: KeyEstablishment | None = None
        self._ezsp = ezsp
        self._book = known.book
        self._permits = known.permits
        self._endpoints = known.endpoints
        self._tell = known.tell
        self._strangers: dict[int, list[Incoming]] = {}
        self._key_places: dict[Eui64, tuple[int, int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Listen from now on.

        Raises:
            DongleError: The dongle does not answer.
        """
        self._ezsp.add_callback(self._on_callback)
        await self.traffic.begin()
        self._ezsp.intake = self

    def stop(self) -> None:
        """Listen no more."""
        if self.keys is not None:
            self.keys.close()
        for task in self._tasks:
            task.cancel()

    # -- messages ------------------------------------------------------------------------------

    def incoming(self, message: Incoming) -> bool:
        """Take a message before bellows does; device objects are bellows', too."""
        node = self._book.at(message.sender)
        if node is not None and not node.joined:
            self._joined(node)
        if message.profile == _DEVICE_OBJECTS:
            self._device_object(message)
            return False
        return self.traffic.incoming(message)

    def sent(self, report: Sent) -> bool:
        """Take the fate of a message."""
        return self.traffic.sent(report)

    def _is_ours(self, message: Incoming) -> bool:
        return message.profile == SMART_ENERGY and message.endpoint in self._endpoints

    def _deliver(self, message: Incoming) -> None:
        node = self._book.at(message.sender)
        if node is None:
            self._keep(message)
            return
        if not self._book.accepts(node, message):
            return
        if message.cluster == key_cluster.CLUSTER and self.keys is not None:
            self._key_places[node.eui64] = (message.source_endpoint, message.endpoint)
            self.keys.heard(node.eui64, message.payload)
            return
        self._tell(
            HanFrame(
                node.eui64,
                message.cluster,
                message.payload,
                message.source_endpoint,
                message.endpoint,
                message.profile,
            )
        )

    # -- who is who ----------------------------------------------------------------------------

    def _keep(self, message: Incoming) -> None:
        """Keep a message of a node whose address is not known, and ask the dongle for it."""
        if message.eui64:
            self._joined(self._book.put(Eui64(message.eui64[::-1]), message.sender))
            self._deliver(message)
            return
        kept = self._strangers.setdefault(message.sender, [])
        if len(kept) < _MAX_KEPT:
            kept.append(message)
        if len(kept) == 1:
            self._spawn(self._ask_who(message.sender))

    async def _ask_who(self, short: int) -> None:
        status, ieee = await self._ezsp.lookupEui64ByNodeId(nodeId=short)
        kept = self._strangers.pop(short, [])
        if bt.sl_Status.from_ember_status(status) != bt.sl_Status.OK:
            return
        self._joined(self._book.put(eui64_of(ieee), short))
        for message in kept:
            self._deliver(message)

    def _device_object(self, message: Incoming) -> None:
        if message.cluster != DEVICE_ANNOUNCE:
            return
        try:
            short, eui64, sleepy = announced(message.payload)
        except MalformedFrameError:
            return
        node = self._book.put(eui64, short)
        if sleepy != node.sleepy:
            node.sleepy = sleepy
            self._spawn(self.be_patient(node))
        if not node.joined:
            self._joined(node)

    async def be_patient(self, node: HubNode) -> None:
        """Have the dongle wait longer for acknowledgements of a node that sleeps."""
        await self._ezsp.set_extended_timeout(node.short, ieee_of(node.eui64), node.sleepy)

    # -- joining and leaving -------------------------------------------------------------------

    def _on_callback(self, name: str, told: list[Any]) -> None:
        if name == "trustCenterJoinHandler":
            short, ieee, update, decision, _parent = told
            self._trust_centre(int(short), eui64_of(ieee), update, decision)
        elif name == "childJoinHandler":
            _index, joining, short, ieee, kind = told
            node = self._book.find(eui64_of(ieee))
            if joining and node is not None and kind == _SLEEPY and not node.sleepy:
                node.sleepy = True
                self._spawn(self.be_patient(node))

    def _trust_centre(self, short: int, eui64: Eui64, update: Any, decision: Any) -> None:
        if update == bt.EmberDeviceUpdate.DEVICE_LEFT:
            if self._book.find(eui64) is not None:
                self._book.drop(eui64)
                self._tell(HanEvent(HanEventKind.LEFT, eui64))
            return
        if decision == bt.EmberJoinDecision.DENY_JOIN:
            return
        fresh = update == bt.EmberDeviceUpdate.STANDARD_SECURITY_UNSECURED_JOIN
        if fresh and not self._permits.holds(eui64):
            self._spawn(self._send_away(short, eui64))
            return
        node = self._book.put(eui64, short)
        if fresh:  # it is on the network when it is heard there, and all it had is gone
            node.joined = node.sealed = False
        elif not node.joined:
            self._joined(node)

    def _joined(self, node: HubNode) -> None:
        if not node.joined:
            node.joined = True
            self._tell(HanEvent(HanEventKind.JOINED, node.eui64))

    async def _send_away(self, short: int, eui64: Eui64) -> None:
        ieee = ieee_of(eui64)
        await self._ezsp.removeDevice(destShort=short, destLong=ieee, targetLong=ieee)

    # -- keys ----------------------------------------------------------------------------------

    async def send_key_frame(self, peer: Eui64, octets: bytes) -> None:
        """Send a frame of the key establishment cluster to where the node spoke from."""
        node, place = self._book.find(peer), self._key_places.get(peer)
        if node is None or place is None:
            return
        message = Outgoing(node.short, key_cluster.CLUSTER, octets, place[0], place[1])
        await self.traffic.send(message)

    def admits(self, peer: Eui64) -> TerminateStatus | None:
        """Say why no key is established with a node, or None: whoever has joined may ask."""
        node = self._book.find(peer)
        return None if node is not None and node.joined else TerminateStatus.NO_RESOURCES

    def key_ended(self, peer: Eui64, outcome: JoinOutcome) -> None:
        """Take how a key establishment ended."""
        node = self._book.find(peer)
        if outcome.done and node is not None:
            node.sealed = True
        kind = HanEventKind.KEY_ESTABLISHED if outcome.done else HanEventKind.KEY_REFUSED
        self._tell(HanEvent(kind, peer, outcome.detail or outcome.why))

    # -- tasks ---------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(_unless_lost(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _unless_lost(work: Coroutine[Any, Any, None]) -> None:
    """Do something that matters no more when the dongle is lost."""
    try:
        await work
    except (HarnessError, *FOREIGN):
        return
