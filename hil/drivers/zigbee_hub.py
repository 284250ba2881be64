"""A hub of the bench on a Zigbee dongle: the device seam `HanHub` on bellows and zigpy."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, Final, Self

from emulator.core.ids import Eui64
from harness.errors import HarnessError
from harness.han_ports import (
    Delivery,
    HanEvent,
    HanEventKind,
    HanFrame,
    HanNetwork,
    Permit,
)
from hil.zigbee.errors import lost, unfit
from hil.zigbee.hub_hearing import Happening, HubKnown
from hil.zigbee.hub_radio import HubRadio
from hil.zigbee.hub_settings import HubSettings
from hil.zigbee.nodes import NodeBook
from hil.zigbee.permits import Permits
from hil.zigbee.radio_thread import Mailbox, RadioThread

#: First pause before a lost dongle is opened again, seconds; each is twice as long up to the last.
FIRST_PAUSE_S: Final = 0.5
LAST_PAUSE_S: Final = 5.0


class DongleHub:
    """`harness.han_ports.HanHub` on a dongle.

    While the dongle is lost, ``received`` gives ``LOST`` and later ``BACK``, and every other
    method raises; when it did not come back in time, ``received`` raises, too. Nodes and what is
    left of permissions are kept over a loss.
    """

    def __init__(self, settings: HubSettings) -> None:
        """Make it; people call ``open``."""
        self._settings = settings
        self._thread = RadioThread(f"{settings.dongle.name}: hub")
        self._mailbox = Mailbox[Happening](self._thread)
        endpoints = frozenset(one.endpoint for one in settings.endpoints)
        self._book = NodeBook()
        self._known = HubKnown(self._book, Permits(), endpoints, self._mailbox.put)
        self._radio = self._new_radio()
        self._eui64 = Eui64(bytes(8))
        self._channel: int | None = None
        self._error: HarnessError | None = None
        self._gave_up = False
        self._reopening: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, settings: HubSettings) -> Self:
        """Connect to the dongle; its radio stays as it is.

        Raises:
            DongleError: Nothing there, nothing that answers, or nothing that fits.
        """
        hub = cls(settings)
        hub._thread.start()
        try:
            await hub._thread.run(hub._radio.open())
        except BaseException:
            await hub._thread.stop()
            raise
        hub._eui64 = hub._radio.eui64
        return hub

    @property
    def eui64(self) -> Eui64:
        """The radio's own address."""
        return self._eui64

    async def form(self, channel: int) -> HanNetwork:
        """Form the network whose extended PAN identifier is ``eui64``, or resume it.

        Raises:
            DongleError: The dongle keeps another network, refuses, or is lost.
            UsageError: There is no such channel.
        """
        self._check()
        network = await self._thread.run(self._radio.begin(channel))
        self._channel = channel
        return network

    async def permit(self, permit: Permit) -> None:
        """Let one device join for at most a minute.

        Raises:
            UsageError: For longer, or with a key that is none.
            DongleError: The dongle refuses, or is lost.
        """
        self._check()
        await self._thread.run(self._radio.permit(permit))

    async def nodes(self) -> Sequence[Eui64]:
        """Return who has joined."""
        self._check()
        return tuple(node.eui64 for node in self._book if node.joined)

    async def dismiss(self, device: Eui64) -> Delivery:
        """Ask a node to leave; ``LEFT`` tells that it has."""
        self._check()
        return await self._thread.run(self._radio.dismiss(device))

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

    async def close(self) -> None:
        """Withdraw permissions and close the line; the network stays in the dongle."""
        if self._thread.running:
            with contextlib.suppress(HarnessError):
                await self._thread.run(self._close())
            await self._thread.stop()
        self._mailbox.wake()

    def dump(self) -> dict[str, Any]:
        """Return what the hub knows of its nodes as plain data; there are no keys in it."""
        return {"eui64": self._eui64.hex, "nodes": self._book.dump()}

    def load(self, state: dict[str, Any]) -> None:
        """Put it back, before ``form``."""
        self._book.load(state["nodes"])

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if not self._thread.running:
            raise lost(self._settings.dongle.path, None, "it was closed")

    # -- in the radio's thread -----------------------------------------------------------------

    def _new_radio(self) -> HubRadio:
        return HubRadio(self._settings, self._known, self._on_lost)

    async def _close(self) -> None:
        if self._reopening is not None:
            self._reopening.cancel()
        await self._radio.close()

    def _on_lost(self, error: HarnessError) -> None:
        self._error = error
        self._mailbox.put(HanEvent(HanEventKind.LOST, None, error.what))
        self._reopening = asyncio.get_running_loop().create_task(self._reopen())

    async def _reopen(self) -> None:
        """Open the dongle again and again; it must be the same, and keep the same network."""
        loop = asyncio.get_running_loop()
        until, pause_s = loop.time() + self._settings.reopen_s, FIRST_PAUSE_S
        await self._radio.drop()
        while loop.time() < until:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)
            radio = self._radio = self._new_radio()
            try:
                await self._take_up(radio)
            except HarnessError as found:
                await radio.drop()
                self._error = found
                continue
            self._error = None
            self._mailbox.put(HanEvent(HanEventKind.BACK))
            return
        self._gave_up = True
        self._mailbox.wake()

    async def _take_up(self, radio: HubRadio) -> None:
        await radio.open()
        if radio.eui64 != self._eui64:
            raise unfit(
                self._settings.dongle.path,
                f"another dongle ({radio.eui64}) is where {self._eui64} was",
                "two dongles were exchanged",
            )
        if self._channel is not None:
            await radio.begin(self._channel)
