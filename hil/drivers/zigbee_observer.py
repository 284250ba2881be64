"""A dongle that looks and listens: census and passive capture; it transmits nothing but a scan.

Three things keep it quiet, one behind the other: it asks for nothing else; the guard at the octets
refuses its role all that transmits; in listen-only use the guard refuses the active scan too.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from emulator.core.ids import Eui64
from harness.han_ports import HanNetwork
from hil import wall_clock
from hil.drivers import zigbee_scan
from hil.tap import Tap
from hil.zigbee.errors import DongleError, lost, silent, translated
from hil.zigbee.ezsp import DongleEzsp, silence_watch
from hil.zigbee.guard import Guard, GuardRefusedError, Role, Verb
from hil.zigbee.radio_thread import Mailbox, RadioThread
from hil.zigbee.settings import DongleSettings
from hil.zigbee_observation.heard import Heard

_START_SCAN: Final = 0x1A
_ENERGY: Final = 0
#: A dongle that has been quiet so long is asked for a sign of life, and given so long, seconds.
_PAUSE_S: Final = 3.0
_PATIENCE_S: Final = 8.0
_NS_PER_US: Final = 1000
_US_PER_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class MuteGuard(Guard):
    """The observer's guard, which lets no scan pass that transmits."""

    def check(self, frame: bytes, version: int = 13) -> None:
        """Let one EZSP frame pass, or refuse it.

        Raises:
            GuardRefusedError: It is not the observer's, or an active scan.
        """
        Guard.check(self, frame, version)
        if frame[3:5] == bytes((_START_SCAN, 0)) and frame[5:6] != bytes((_ENERGY,)):
            raise GuardRefusedError(self.role, Verb.SCAN, "an active scan sends beacon requests")


@dataclass(frozen=True, slots=True)
class DongleTold:
    """What a dongle tells of itself.

    Attributes:
        eui64: Its address.
        ezsp: Version of EZSP.
        firmware: Version of its firmware, as bellows words it; empty where it does not tell.
    """

    eui64: Eui64
    ezsp: int
    firmware: str


class ZigbeeObserver:
    """One dongle in the observer role; every method is called on the bench's loop.

    Raises (every method):
        DongleError: It is lost, silent, or refuses.
    """

    def __init__(
        self, settings: DongleSettings, tap: Tap | None = None, *, listen_only: bool = False
    ) -> None:
        """Make it; nothing is opened.

        Args:
            settings: Its line.
            tap: Who hears every octet of the line.
            listen_only: Whether even the active scan is kept from it.
        """
        guard = (MuteGuard if listen_only else Guard)(Role.OBSERVER)
        self.settings = settings
        self._thread = RadioThread(f"observer {settings.name}")
        self._ezsp = DongleEzsp(settings, guard, tap)
        self._mail: Mailbox[Heard | DongleError] = Mailbox(self._thread)
        self._broken: DongleError | None = None
        self._channel: int | None = None
        self._callback: int | None = None
        self._offset_us = wall_clock.now() * _US_PER_MS - time.monotonic_ns() // _NS_PER_US
        self._watch: asyncio.Task[None] | None = None

    async def open(self) -> DongleTold:
        """Open the line, reset the dongle, and ask who it is."""
        self._thread.start()
        try:
            return await self._thread.run(self._open())
        except BaseException:
            await self._thread.stop()
            raise

    async def energy(self, channels: Sequence[int]) -> dict[int, int]:
        """Measure the most energy on each channel, dBm; transmits nothing."""
        return await self._thread.run(zigbee_scan.energy(self._ezsp, channels))

    async def networks(self, channels: Sequence[int]) -> tuple[HanNetwork, ...]:
        """Scan: one beacon request a channel, and the beacons that answer it.

        Raises:
            GuardRefusedError: The observer listens only.
        """
        return await self._thread.run(zigbee_scan.networks(self._ezsp, channels))

    async def listen(self, channel: int) -> None:
        """Take every frame on a channel from now on; `heard` gives them."""
        await self._thread.run(self._listen(channel))

    async def heard(self, seconds: float) -> Heard | None:
        """Return the next frame; None when so many seconds have passed."""
        if self._broken is not None and not len(self._mail):
            raise self._broken
        found = await self._mail.get(seconds)
        if isinstance(found, DongleError):
            self._broken = found
            raise found
        return found

    async def close(self) -> None:
        """Stop listening and close the line; never raises, a second call does nothing."""
        if self._thread.running:
            with contextlib.suppress(DongleError, TimeoutError):
                await self._thread.run(self._close())
            await self._thread.stop()

    # -- in the dongle's thread -----------------------------------------------------------------

    async def _open(self) -> DongleTold:
        await self._ezsp.connect()
        self._ezsp.lost = self._lost
        eui64 = await self._ezsp.read_eui64()
        with translated(self.settings.path):
            _maker, _board, firmware = await self._ezsp.get_board_info()
        watch = silence_watch(self._ezsp, _PAUSE_S, _PATIENCE_S, self._silent)
        self._watch = asyncio.get_running_loop().create_task(watch)
        return DongleTold(eui64, int(self._ezsp.ezsp_version), firmware or "")

    async def _listen(self, channel: int) -> None:
        if self._callback is None:
            self._callback = self._ezsp.add_callback(self._called)
            await self._ezsp.checked("mfglibStart", rxCallback=True)
        self._channel = None  # what comes until then was heard elsewhere
        await self._ezsp.checked("mfglibSetChannel", channel=channel)
        self._channel = channel

    def _called(self, name: str, arguments: list[Any]) -> None:
        if name != "mfglibRxHandler" or self._channel is None:
            return
        lqi, rssi, octets = arguments
        at_us = time.monotonic_ns() // _NS_PER_US + self._offset_us
        told = Heard.delivered(at_us, self._channel, bytes(octets), int(lqi), int(rssi))
        self._mail.put(told)

    def _lost(self, reason: BaseException | None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._mail.put(lost(self.settings.path, reason))

    def _silent(self, seconds: float) -> None:
        self._mail.put(silent(self.settings.path, seconds))

    async def _close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._ezsp.lost = None
        try:
            if self._ezsp.is_ezsp_running:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._end_listening()
        finally:
            await self._ezsp.disconnect()

    async def _end_listening(self) -> None:
        """Give the radio back; at the least wait until what is on its way has arrived."""
        if self._callback is None:
            with translated(self.settings.path):
                await self._ezsp.nop()
            return
        self._ezsp.remove_callback(self._callback)
        await self._ezsp.checked("mfglibEnd")
