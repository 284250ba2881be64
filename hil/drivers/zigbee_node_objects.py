"""What a node asks other nodes' device objects, and its own dongle, about addresses."""

import asyncio
from typing import Final

import bellows.types as bt

from emulator.codecs.zigbee import zdo
from emulator.codecs.zigbee.zdo import ZdoCluster
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from harness.han_ports import SMART_ENERGY
from hil.zigbee.errors import translated
from hil.zigbee.ezsp import DongleEzsp, eui64_of, ieee_of
from hil.zigbee.messages import Incoming
from hil.zigbee.traffic import ApsTraffic, Outgoing

#: Profile of device objects.
DEVICE_OBJECTS: Final = 0
#: How long an answer is waited for, seconds. Source: known (a sleeping node's patience).
_ASKED_S: Final = 10.0
_ANSWER: Final = 0x8000
_FIRST_SPECIAL: Final = 0xFFF8


class DeviceObjects:
    """Questions of one node and their answers. Lives in the radio's thread."""

    def __init__(self, ezsp: DongleEzsp, traffic: ApsTraffic) -> None:
        """Take the dongle and its messages."""
        self._ezsp = ezsp
        self._traffic = traffic
        self._sequence = 0
        self._asked: dict[int, tuple[int, asyncio.Future[bytes]]] = {}

    def heard(self, message: Incoming) -> None:
        """Take a message of the device objects' profile; only what was asked for counts."""
        asked = self._asked.get(message.payload[0]) if message.payload else None
        if asked is not None and asked[0] == message.cluster and not asked[1].done():
            asked[1].set_result(message.payload)

    async def match(self, short: int, cluster: int) -> int | None:
        """Ask a node which of its endpoints serves a Smart Energy cluster.

        Returns:
            The first of them; None: none, or no answer.

        Raises:
            DongleError: The dongle is lost.
        """
        request = zdo.match_request(self._next(), short, SMART_ENERGY, (cluster,))
        answer = await self._ask(short, ZdoCluster.MATCH_DESCRIPTOR, request)
        try:
            endpoints = zdo.read_match(answer or b"")
        except MalformedFrameError:
            return None
        return endpoints[0] if endpoints else None

    async def short_of(self, peer: Eui64) -> int | None:
        """Return a node's short address, where the dongle knows it.

        Raises:
            DongleError: The dongle is lost.
        """
        with translated(self._ezsp.settings.path):
            answer = await self._ezsp.lookupNodeIdByEui64(eui64=ieee_of(peer))
        short = int(answer[-1])
        return None if short >= _FIRST_SPECIAL else short

    async def sender_of(self, message: Incoming) -> Eui64 | None:
        """Return who sent a message; None: the dongle does not know.

        Raises:
            DongleError: The dongle is lost.
        """
        if any(message.eui64):
            return Eui64(message.eui64[::-1])
        with translated(self._ezsp.settings.path):
            status, found = await self._ezsp.lookupEui64ByNodeId(nodeId=message.sender)
        known = bt.sl_Status.from_ember_status(status) == bt.sl_Status.OK
        return eui64_of(found) if known else None

    async def _ask(self, short: int, cluster: int, request: bytes) -> bytes | None:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked[request[0]] = (cluster | _ANSWER, answer)
        try:
            message = Outgoing(short, cluster, request, 0, 0, DEVICE_OBJECTS)
            if not (await self._traffic.send(message)).delivered:
                return None
            async with asyncio.timeout(_ASKED_S):
                return await answer
        except TimeoutError:
            return None
        finally:
            self._asked.pop(request[0], None)

    def _next(self) -> int:
        self._sequence = self._sequence % 0xFF + 1
        return self._sequence
