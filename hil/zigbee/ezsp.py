"""bellows' EZSP object with guard, tap and a direct way for our own messages.

    ezsp = DongleEzsp(settings, Guard(Role.NODE), tap)
    await ezsp.connect()                       # in the radio's thread
    (eui64,) = await ezsp.getEui64()           # every command as bellows has it
    ezsp.intake = traffic                      # our messages go there before bellows reads them
    await ezsp.disconnect()

Nothing of bellows is patched: this is a subclass, and what it does not take goes on to bellows.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

import bellows.ezsp
import bellows.types as bt
import zigpy.types as zt

from emulator.core.ids import Eui64
from hil.tap import Tap
from hil.zigbee import messages
from hil.zigbee.errors import FOREIGN, refused, translated, unfit
from hil.zigbee.guard import Guard
from hil.zigbee.link import open_gateway
from hil.zigbee.messages import Incoming, Sent
from hil.zigbee.settings import DongleSettings

#: Quiet after which a hub's or node's dongle is asked for a sign of life, and how long it may
#: take, seconds: together less than the 15 s in which the bench must know.
QUIET_S: Final = 2.0
PATIENCE_S: Final = 9.0
_EXTENDED = 0x01
#: Whose notes hold whole frames, and so keys: nothing below an error of theirs is kept.
_TALKERS = ("bellows", "zigpy", "serialx")


class Intake(Protocol):
    """Who takes messages before bellows does."""

    def incoming(self, message: Incoming) -> bool:
        """Take a message or fragment of a node; False: bellows is to have it."""
        ...

    def sent(self, report: Sent) -> bool:
        """Take the fate of a message; False: it is not ours."""
        ...


class DongleEzsp(bellows.ezsp.EZSP):  # type: ignore[misc] # bellows has no types
    """One dongle on one line.

    Attributes:
        settings: Its line.
        guard: What it may be told.
        intake: Who takes messages before bellows does, or None.
        lost: Called once with what bellows tells when the dongle is lost, or None.
        heard_at: Moment of the last EZSP frame, ``time.monotonic()``.
    """

    def __init__(
        self,
        settings: DongleSettings,
        guard: Guard,
        tap: Tap | None = None,
        application: Any | None = None,
    ) -> None:
        """Make it; nothing is opened.

        Args:
            settings: Its line.
            guard: What it may be told.
            tap: Who hears every octet of the line.
            application: zigpy's, where there is one.
        """
        super().__init__(settings.device(), application)
        self.settings = settings
        self.guard = guard
        self.intake: Intake | None = None
        self.lost: Callable[[BaseException | None], None] | None = None
        self.heard_at = time.monotonic()
        self._tap = tap

    async def connect(self, *, use_thread: bool = False) -> None:  # noqa: ARG002 - bellows' own form; we have a thread already
        """Open the line, reset the dongle and agree on a version.

        Raises:
            DongleMissingError: Nothing there, or nothing that answers as a dongle.
            DongleUnfitError: It speaks a version that the bench does not take.
        """
        path = self.settings.path
        for talker in _TALKERS:
            logging.getLogger(talker).setLevel(logging.ERROR)
        with translated(path, opening=True):
            self._gw = await open_gateway(self.settings, self, self.guard, self._spoken, self._tap)
            await self.startup_reset()
        first, last = self.settings.versions
        if not first <= self.ezsp_version <= last:
            await self.disconnect()
            raise unfit(
                path,
                f"the dongle speaks EZSP v{self.ezsp_version}; the bench takes v{first} to v{last}",
                "another firmware than the bench file expects",
            )

    def _spoken(self) -> int:
        return int(self.ezsp_version)

    def frame_received(self, data: bytes) -> None:
        """Take an EZSP frame off the line."""
        self.heard_at = time.monotonic()
        if self.intake is None or not self._taken(data, self.intake):
            super().frame_received(data)

    def _taken(self, data: bytes, intake: Intake) -> bool:
        if len(data) < 5 or data[2] != _EXTENDED or data[4]:
            return False
        if data[3] == messages.INCOMING_MESSAGE:
            message = messages.read_incoming(data[5:], self.ezsp_version)
            return message is not None and intake.incoming(message)
        if data[3] == messages.MESSAGE_SENT:
            report = messages.read_sent(data[5:], self.ezsp_version)
            return report is not None and intake.sent(report)
        return False

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take notice that the dongle is lost: unplugged, reset, failed."""
        self.stop_ezsp()
        if self.lost is not None:
            lost, self.lost = self.lost, None
            lost(exc)
        super().connection_lost(exc)

    async def checked(self, command: str, **parameters: Any) -> list[Any]:
        """Send a command whose answer begins or ends with a status that must be OK.

        Returns:
            The answer without its status.

        Raises:
            DongleRefusedError: The status is another.
            DongleLostError: The dongle went away.
        """
        with translated(self.settings.path):
            answer = list(await getattr(self, command)(**parameters))
        at = next(index for index, one in enumerate(answer) if _is_status(one))
        status = answer.pop(at)
        if bt.sl_Status.from_ember_status(status) != bt.sl_Status.OK:
            raise refused(self.settings.path, command, status)
        return answer

    async def read_eui64(self) -> Eui64:
        """Return the dongle's own address."""
        with translated(self.settings.path):
            (eui64,) = await self.getEui64()
        return eui64_of(eui64)


def _is_status(one: object) -> bool:
    return isinstance(one, bt.EmberStatus | bt.sl_Status | bt.EzspStatus)


def eui64_of(foreign: Any) -> Eui64:
    """Return an address of bellows or zigpy as ours."""
    return Eui64(bytes(foreign.serialize())[::-1])


def ieee_of(eui64: Eui64) -> zt.EUI64:
    """Return an address of ours as bellows and zigpy have it."""
    return zt.EUI64.deserialize(eui64.octets[::-1])[0]


async def silence_watch(
    ezsp: DongleEzsp, pause_s: float, patience_s: float, lost: Callable[[float], None]
) -> None:
    """Ask a quiet dongle for a sign of life, for ever; ends with ``lost`` when it gives none.

    Args:
        ezsp: The dongle.
        pause_s: Quiet that is not asked after, seconds.
        patience_s: How long an answer may take, seconds.
        lost: Called with how long the dongle has been silent, seconds.
    """
    while True:
        quiet_s = time.monotonic() - ezsp.heard_at
        await asyncio.sleep(max(0.05, pause_s - quiet_s))
        if time.monotonic() - ezsp.heard_at < pause_s:
            continue
        asked_at = time.monotonic()
        try:
            async with asyncio.timeout(patience_s):
                await ezsp.nop()
        except FOREIGN:
            if not ezsp.is_ezsp_running:
                return  # bellows has told of it already
            if ezsp.heard_at < asked_at:
                lost(time.monotonic() - ezsp.heard_at)
                return
