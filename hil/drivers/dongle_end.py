"""What hub and node have in common on a Zigbee dongle: a thread, a mailbox, coming back."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final, Generic, Protocol, Self, TypeVar

from emulator.core.ids import Eui64
from harness.errors import HarnessError
from harness.han_ports import Delivery, HanEvent, HanEventKind, HanFrame
from hil.zigbee.errors import lost, unfit
from hil.zigbee.radio_thread import Mailbox, RadioThread
from hil.zigbee.settings import DongleSettings
from hil.zigbee.traffic import Happening

#: First pause before a lost dongle is opened again, seconds; each is twice as long up to the last.
FIRST_PAUSE_S: Final = 0.5
LAST_PAUSE_S: Final = 5.0


class Radio(Protocol):
    """One connection, in the radio's thread."""

    eui64: Eui64

    async def open(self) -> None:
        """Connect."""
        ...

    async def send(self, frame: HanFrame, *, acknowledged: bool = True) -> Delivery:
        """Send one ZCL frame; returns when its fate is known."""
        ...

    async def close(self) -> None:
        """Close the line in good order."""
        ...

    async def drop(self) -> None:
        """Close the line at once."""
        ...


R = TypeVar("R", bound=Radio)


class DongleEnd(ABC, Generic[R]):
    """One end of a home area network on a dongle.

    While the dongle is lost, ``received`` gives ``LOST`` and later ``BACK``, and every other
    method raises; when it did not come back in time, ``received`` raises, too.
    """

    def __init__(self, dongle: DongleSettings, reopen_s: float, word: str) -> None:
        """Make it; people call ``open``.

        Args:
            dongle: Its line.
            reopen_s: How long a lost dongle may be away, seconds.
            word: What it is, for the name of its thread.
        """
        self._thread = RadioThread(f"{dongle.name}: {word}")
        self._mailbox = Mailbox[Happening](self._thread)
        self._eui64 = Eui64(bytes(8))
        self._path = dongle.path
        self._reopen_s = reopen_s
        self._error: HarnessError | None = None
        self._gave_up = False
        self._reopening: asyncio.Task[None] | None = None
        self._radio: R

    async def connect(self) -> Self:
        """Start the thread and connect; people call ``open``.

        Raises:
            DongleError: Nothing there, nothing that answers, or nothing that fits.
        """
        self._thread.start()
        try:
            await self._thread.run(self._begin())
        except BaseException:
            await self._thread.stop()
            raise
        return self

    @property
    def eui64(self) -> Eui64:
        """The radio's own address."""
        return self._eui64

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
        """Close the line in good order; the dongle keeps its network."""
        if self._thread.running:
            with contextlib.suppress(HarnessError):
                await self._thread.run(self._close())
            await self._thread.stop()
        self._mailbox.wake()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if not self._thread.running:
            raise lost(self._path, None, "it was closed")

    # -- in the radio's thread -----------------------------------------------------------------

    @abstractmethod
    def _new_radio(self) -> R:
        """Return the next connection, not yet open."""

    @abstractmethod
    async def _go_on(self, radio: R) -> Sequence[HanEvent]:
        """Take up on a dongle that is back what was before; return what has changed.

        Raises:
            HarnessError: It cannot be done; the dongle is opened again.
        """

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
        loop = asyncio.get_running_loop()
        until, pause_s = loop.time() + self._reopen_s, FIRST_PAUSE_S
        await self._radio.drop()
        while loop.time() < until:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)
            radio = self._radio = self._new_radio()
            try:
                changed = await self._taken_up(radio)
            except HarnessError as found:
                await radio.drop()
                self._error = found
                continue
            self._error = None
            for event in (*changed, HanEvent(HanEventKind.BACK)):
                self._mailbox.put(event)
            return
        self._gave_up = True
        self._mailbox.wake()

    async def _taken_up(self, radio: R) -> Sequence[HanEvent]:
        await radio.open()
        if radio.eui64 != self._eui64:
            raise unfit(
                self._path,
                f"another dongle ({radio.eui64}) is where {self._eui64} was",
                "two dongles were exchanged",
            )
        return await self._go_on(radio)
