"""A node of the bench on a Zigbee dongle: the device seam `HanNode` on bellows.

bellows and zigpy have no application for that role, so this works on bellows' EZSP object: scan,
check of the target, join under the key of an install code, key establishment as initiator, sealed
traffic in fragments both ways.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final, Self

from emulator.core.ids import Eui64
from harness.errors import HarnessError, NotPermittedError, UsageError
from harness.han_ports import (
    Delivery,
    HanEvent,
    HanEventKind,
    HanFrame,
    HanNetwork,
    JoinOutcome,
)
from hil.drivers.zigbee_node_radio import Happening, NodeRadio
from hil.drivers.zigbee_node_settings import NodeSettings, refuse_foreign
from hil.zigbee.errors import lost, unfit
from hil.zigbee.radio_thread import Mailbox, RadioThread

#: First pause before a lost dongle is opened again, seconds; each is twice as long up to the last.
FIRST_PAUSE_S: Final = 0.5
LAST_PAUSE_S: Final = 5.0
_KEY_OCTETS: Final = 16


class DongleNode:
    """`harness.han_ports.HanNode` on a dongle.

    While the dongle is lost, ``received`` gives ``LOST`` and later ``BACK``, and every other
    method raises; when it did not come back in time, ``received`` raises, too. A dongle that comes
    back goes on with its network; where that is gone, ``LEFT`` is told before ``BACK``.
    """

    def __init__(self, settings: NodeSettings) -> None:
        """Make it; people call ``open``."""
        self.settings = settings
        self._thread = RadioThread(f"{settings.dongle.name}: node")
        self._mailbox = Mailbox[Happening](self._thread)
        self._radio = self._new_radio()
        self._eui64 = Eui64(bytes(8))
        self._unsealed = 0
        self._error: HarnessError | None = None
        self._gave_up = False
        self._reopening: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, settings: NodeSettings) -> Self:
        """Connect to the dongle and configure it; a network it keeps stays unused.

        Raises:
            DongleError: Nothing there, nothing that answers, or nothing that fits.
        """
        node = cls(settings)
        node._thread.start()
        try:
            await node._thread.run(node._begin())
        except BaseException:
            await node._thread.stop()
            raise
        return node

    @property
    def eui64(self) -> Eui64:
        """The radio's own address."""
        return self._eui64

    @property
    def unsealed(self) -> int:
        """How many messages were dropped because they came without the seal that was due."""
        return self._unsealed + self._radio.unsealed

    async def networks(self, channels: Sequence[int]) -> Sequence[HanNetwork]:
        """Scan; returns the networks whose beacons were heard.

        Raises:
            DongleError: The dongle is lost, or refuses.
            UsageError: A channel is none.
        """
        self._check()
        return await self._thread.run(self._radio.scan(list(channels)))

    async def join(self, network: HanNetwork, link_key: bytes) -> JoinOutcome:
        """Join under the key of the node's install code; the network is checked first.

        Raises:
            NotPermittedError: The network is not one of the bench's (safety guard 6).
            UsageError: The node is on a network, or the key is none.
            DongleError: The dongle is lost.
        """
        self._check()
        refuse_foreign(network, self.settings)
        if len(link_key) != _KEY_OCTETS:
            raise UsageError("a link key has 16 octets", where=str(network.extended_pan_id))
        return await self._thread.run(self._radio.join(network, link_key))

    async def resume(self, network: HanNetwork, *, sealed: bool) -> bool:
        """Go on with the network the dongle keeps; says whether it is this one, and up.

        Args:
            network: The network the node was on; it is checked first.
            sealed: Whether it had agreed on a link key with the hub.

        Raises:
            NotPermittedError: The network is not one of the bench's (safety guard 6).
            DongleError: The dongle is lost.
        """
        self._check()
        refuse_foreign(network, self.settings)
        try:
            return await self._thread.run(self._radio.resume(network, sealed=sealed))
        except NotPermittedError:  # the dongle was on another's network: the node has left it
            return False

    async def establish_key(self) -> JoinOutcome:
        """Agree with the hub on a link key (CBKE), as initiator.

        Raises:
            NotPermittedError: The dongle's certificate may be a production one (guard 9).
            DongleError: The dongle is lost, or its image does not do what the settings say.
        """
        self._check()
        return await self._thread.run(self._radio.establish_key())

    async def send(self, frame: HanFrame, *, acknowledged: bool = True) -> Delivery:
        """Send one ZCL frame, in fragments where it is long; returns when its fate is known.

        Raises:
            DongleError: The dongle is lost.
        """
        self._check()
        return await self._thread.run(self._radio.send(frame, acknowledged=acknowledged))

    async def received(self, seconds: float) -> HanFrame | HanEvent | None:
        """Return the next frame or event, in order; None when ``seconds`` have passed.

        Raises:
            DongleError: The dongle was lost and did not come back in time.
        """
        got = await self._mailbox.get(seconds)
        if got is None and self._gave_up:
            self._check()
        return got

    async def leave(self) -> None:
        """Leave the network.

        Raises:
            DongleError: The dongle is lost, or does not leave.
        """
        self._check()
        await self._thread.run(self._radio.leave())

    async def close(self) -> None:
        """Close the line; the dongle keeps its network, for whoever opens it next."""
        if self._thread.running:
            with contextlib.suppress(HarnessError):
                await self._thread.run(self._close())
            await self._thread.stop()
        self._mailbox.wake()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if not self._thread.running:
            raise lost(self.settings.dongle.path, None, "it was closed")

    # -- in the radio's thread -----------------------------------------------------------------

    def _new_radio(self) -> NodeRadio:
        return NodeRadio(self.settings, self._mailbox.put, self._on_lost)

    async def _begin(self) -> None:
        await self._radio.open()
        self._eui64 = self._radio.eui64

    async def _close(self) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
        await self._radio.close()

    def _on_lost(self, error: HarnessError) -> None:
        self._error = error
        self._mailbox.put(HanEvent(HanEventKind.LOST, None, error.what))
        self._reopening = asyncio.get_running_loop().create_task(self._reopen())

    async def _reopen(self) -> None:
        """Open the dongle again and again; it must be the same one."""
        before = self._radio
        network, sealed = before.network, before.sealed
        self._unsealed += before.unsealed
        loop = asyncio.get_running_loop()
        until, pause_s = loop.time() + self.settings.reopen_s, FIRST_PAUSE_S
        await before.drop()
        while loop.time() < until:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)
            radio = self._radio = self._new_radio()
            try:
                stays = await self._taken_up(radio, network, sealed=sealed)
            except HarnessError as found:
                await radio.drop()
                self._error = found
                continue
            self._error = None
            if network is not None and not stays:
                self._mailbox.put(HanEvent(HanEventKind.LEFT, network.extended_pan_id))
            self._mailbox.put(HanEvent(HanEventKind.BACK))
            return
        self._gave_up = True
        self._mailbox.wake()

    async def _taken_up(
        self, radio: NodeRadio, network: HanNetwork | None, *, sealed: bool
    ) -> bool:
        """Open a dongle again; says whether it is on its network again."""
        await radio.open()
        if radio.eui64 != self._eui64:
            raise unfit(
                self.settings.dongle.path,
                f"another dongle ({radio.eui64}) is where {self._eui64} was",
                "two dongles were exchanged",
            )
        if network is None:
            return False
        try:
            return await radio.resume(network, sealed=sealed)
        except NotPermittedError:  # another's network: the node has left it
            return False
