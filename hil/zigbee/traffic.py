"""APS traffic of a driver on a dongle: messages out with their fate, messages in, fragments.

    traffic = ApsTraffic(ezsp, ours=lambda m: m.profile == SMART_ENERGY, deliver=take)
    await traffic.begin()                      # asks for the longest payload
    delivery = await traffic.send(Outgoing(short, cluster, octets, peer_endpoint, endpoint))
    traffic.fail(error)                        # the dongle is lost: whoever waits is told

Messages go by EZSP's sendUnicast at once, past zigpy's queues; zigpy stays the radio's owner.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

import bellows.types as bt

from harness.errors import HarnessError
from harness.han_ports import SMART_ENERGY, Delivery, HanEvent, HanFrame
from hil.zigbee.errors import FOREIGN, translation_of
from hil.zigbee.ezsp import DongleEzsp
from hil.zigbee.fragments import MAX_FRAGMENTS, Reassembler, group_of, split
from hil.zigbee.messages import WIDE_VERSION, ApsOption, Incoming, Sent

#: What the APS layer's security takes of a payload, octets; a fragment's own header.
#: Source: known (auxiliary header of 5 octets and a check of 4; extended header of 2).
SEALING_OCTETS: Final = 9
FRAGMENT_OCTETS: Final = 2
#: Longest payload assumed where the dongle does not say. Source: reference 1.3-4 (known).
MAX_PAYLOAD: Final = 82
#: Messages on their way at one time, altogether and to one node: an NCP takes ten unless told
#: otherwise, and a node that sleeps must not hold up the others.
IN_FLIGHT: Final = 8
IN_FLIGHT_TO_ONE: Final = 3
#: Until the fate of a message that the dongle never tells counts as failure, seconds; a message
#: for a sleeping child can take four times its parent's patience. Source: known, inferred.
FATE_S: Final = 45.0
#: How often a message that the dongle has no room for is offered again, and after which pause.
_OFFERS, _OFFER_PAUSE_S = 100, 0.05
#: Plain words for statuses of ``sendUnicast``.
_REFUSALS: Final = {
    bt.sl_Status.MESSAGE_TOO_LONG: "too-long",
    bt.sl_Status.ZIGBEE_APS_ENCRYPTION_ERROR: "no-link-key",
}
_NO_ROOM: Final = frozenset(
    {
        bt.sl_Status.ZIGBEE_MAX_MESSAGE_LIMIT_REACHED,
        bt.sl_Status.ALLOCATION_FAILED,
        bt.sl_Status.NO_MORE_RESOURCE,
        bt.sl_Status.BUSY,
    }
)

_DISCOVER, _RETRY = int(ApsOption.ENABLE_ROUTE_DISCOVERY), int(ApsOption.RETRY)
_ENCRYPTION, _FRAGMENT = int(ApsOption.ENCRYPTION), int(ApsOption.FRAGMENT)

#: What a hub or node hears: somebody's frame, or what has happened.
Happening = HanFrame | HanEvent


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for one node.

    Attributes:
        destination: Its short address.
        cluster: Cluster identifier.
        payload: ZCL or ZDO octets, whole.
        peer_endpoint: The node's endpoint.
        endpoint: Ours.
        profile: Profile identifier.
        acknowledged: Whether its APS layer must acknowledge it.
        sealed: Whether it goes under the link key shared with the node.
    """

    destination: int
    cluster: int
    payload: bytes
    peer_endpoint: int
    endpoint: int
    profile: int = SMART_ENERGY
    acknowledged: bool = True
    sealed: bool = False

    @classmethod
    def of(cls, frame: HanFrame, destination: int, *, acknowledged: bool, sealed: bool) -> Self:
        """Return a ZCL frame as a message for the node of that short address."""
        return cls(
            destination,
            frame.cluster,
            frame.octets,
            frame.peer_endpoint,
            frame.endpoint,
            frame.profile,
            acknowledged,
            sealed,
        )


def tags(version: int) -> Iterator[int]:
    """Yield marks for messages, for ever, as wide as the version has them."""
    most = 0xFFFF if version >= WIDE_VERSION else 0xFF
    tag = 0
    while True:
        tag = tag % most + 1
        yield tag


@lru_cache(maxsize=64)
def _described(  # noqa: PLR0913, PLR0917 -- the fields of one structure
    profile: int,
    cluster: int,
    endpoint: int,
    peer_endpoint: int,
    options: int,
    group: int,
    sequence: int,
) -> Any:
    """Return an APS frame for bellows, which only reads it; the blocks of an image share one."""
    return bt.EmberApsFrame(
        profileId=profile,
        clusterId=cluster,
        sourceEndpoint=endpoint,
        destinationEndpoint=peer_endpoint,
        options=options,
        groupId=group,
        sequence=sequence,
    )


class ApsTraffic:
    """Messages of one driver; an `ezsp.Intake`. Lives in the radio's thread.

    Attributes:
        max_payload: Longest payload of one unsealed frame, octets.
    """

    def __init__(
        self,
        ezsp: DongleEzsp,
        *,
        ours: Callable[[Incoming], bool],
        deliver: Callable[[Incoming], None],
        next_tag: Callable[[], int] | None = None,
    ) -> None:
        """Take the dongle; ``begin`` starts the traffic.

        Args:
            ezsp: The dongle.
            ours: Says whether a message (or fragment) is for this driver; others go to bellows.
            deliver: Takes messages, whole.
            next_tag: Gives marks for messages, where somebody else sends on this dongle too.
        """
        self.max_payload = MAX_PAYLOAD
        self._ezsp = ezsp
        self._ours = ours
        self._deliver = deliver
        own = tags(ezsp.ezsp_version)
        self._next_tag = next_tag or own.__next__
        self._fates: dict[int, asyncio.Future[bool]] = {}
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._lanes: dict[int, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(IN_FLIGHT_TO_ONE)
        )
        self._long: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._parts = Reassembler(asyncio.get_running_loop().time)
        self._acks: set[asyncio.Task[None]] = set()
        self._error: HarnessError | None = None

    async def begin(self) -> None:
        """Take messages from now on.

        Raises:
            DongleError: The dongle does not answer.
        """
        (most,) = await self._ezsp.maximumPayloadLength()
        self.max_payload = int(most) or MAX_PAYLOAD
        self._ezsp.intake = self

    def fail(self, error: HarnessError) -> None:
        """Tell everybody who waits that the dongle is lost; later sends raise the same."""
        self._error = error
        for fate in self._fates.values():
            if not fate.done():
                fate.set_exception(error)
                fate.exception()  # whoever still gives the command is told by that
        self._fates.clear()
        for ack in self._acks:
            ack.cancel()

    # -- out -----------------------------------------------------------------------------------

    async def send(self, message: Outgoing) -> Delivery:
        """Send a message, in fragments where it is long; returns when its fate is known.

        Raises:
            DongleError: The dongle is lost.
        """
        most = self.max_payload - (SEALING_OCTETS if message.sealed else 0)
        async with self._lanes[message.destination]:
            if len(message.payload) <= most:
                return (await self._send_one(message, message.payload))[0]
            parts = split(message.payload, most - FRAGMENT_OCTETS)
            if len(parts) > MAX_FRAGMENTS:
                return Delivery(False, "too-long")
            async with self._long[message.destination]:
                return await self._send_parts(message, parts)

    async def _send_parts(self, message: Outgoing, parts: tuple[bytes, ...]) -> Delivery:
        sequence = 0
        delivery = Delivery(True)
        for index, part in enumerate(parts):
            place = (group_of(index, len(parts)), sequence)
            delivery, sequence = await self._send_one(message, part, place)
            if not delivery.delivered:
                break
        return delivery

    async def _send_one(
        self, message: Outgoing, payload: bytes, part: tuple[int, int] | None = None
    ) -> tuple[Delivery, int]:
        """Send one frame; ``part`` is group and APS counter of a fragment."""
        options = _DISCOVER
        if message.acknowledged or part is not None:
            options |= _RETRY
        if message.sealed:
            options |= _ENCRYPTION
        if part is not None:
            options |= _FRAGMENT
        group, sequence = part or (0, 0)
        aps = _described(
            message.profile,
            message.cluster,
            message.endpoint,
            message.peer_endpoint,
            options,
            group,
            sequence,
        )
        async with self._room:
            return await self._offer(message.destination, aps, payload)

    async def _offer(self, destination: int, aps: Any, payload: bytes) -> tuple[Delivery, int]:
        """Offer a frame to the dongle until it has room for it, and wait for its fate."""
        for _ in range(_OFFERS):
            tag = self._next_tag()
            if tag in self._fates:
                continue
            if self._error is not None:
                raise self._error
            fate = self._fates[tag] = asyncio.get_running_loop().create_future()
            try:
                status, sequence = await self._put(destination, aps, tag, payload)
                if status == bt.sl_Status.OK:
                    return await self._fate(fate), sequence
            finally:
                self._fates.pop(tag, None)
            if status not in _NO_ROOM:
                return Delivery(False, _REFUSALS.get(status, "refused")), sequence
            await asyncio.sleep(_OFFER_PAUSE_S)
        return Delivery(False, "refused"), 0

    async def _put(self, destination: int, aps: Any, tag: int, payload: bytes) -> tuple[Any, int]:
        try:
            status, sequence = await self._ezsp.send_unicast(destination, aps, tag, payload)
        except FOREIGN as error:
            raise self._error or translation_of(self._ezsp.settings.path, error) from error
        return status, int(sequence)

    async def _fate(self, fate: asyncio.Future[bool]) -> Delivery:
        try:
            async with asyncio.timeout(FATE_S):
                delivered = await fate
        except TimeoutError:
            delivered = False
        return Delivery(True) if delivered else Delivery(False, "no-acknowledgement")

    # -- in ------------------------------------------------------------------------------------

    def sent(self, report: Sent) -> bool:
        """Take the fate of a message; False: it is not ours."""
        fate = self._fates.get(report.tag)
        if fate is None:
            return False
        if not fate.done():
            fate.set_result(report.delivered)
        return True

    def incoming(self, message: Incoming) -> bool:
        """Take a message or fragment; False: it is not for this driver."""
        if not self._ours(message):
            return False
        if not message.is_fragment:
            self._deliver(message)
            return True
        acknowledge, whole = self._parts.take(message)
        if acknowledge:
            ack = asyncio.get_running_loop().create_task(self._acknowledge(message))
            self._acks.add(ack)
            ack.add_done_callback(self._acks.discard)
        if whole is not None:
            self._deliver(_whole(message, whole))
        return True

    async def _acknowledge(self, part: Incoming) -> None:
        """Acknowledge a fragment; one that cannot be is repeated by its sender."""
        aps = _described(
            part.profile,
            part.cluster,
            part.endpoint,
            part.source_endpoint,
            part.options,
            0xFF00 | part.group & 0xFF,
            part.sequence,
        )
        try:
            await self._ezsp.sendReply(sender=part.sender, apsFrame=aps, messageContents=b"")
        except FOREIGN:
            return


def _whole(last: Incoming, payload: bytes) -> Incoming:
    return Incoming(
        last.sender,
        last.profile,
        last.cluster,
        last.source_endpoint,
        last.endpoint,
        payload,
        last.options & ~ApsOption.FRAGMENT,
        0,
        last.sequence,
        last.unicast,
        last.eui64,
    )
