"""Leave to join, one device at a time, never for longer than a minute, withdrawn at the end.

Only who holds a transient key of its own is let in (policy JOINS_USE_INSTALL_CODE_KEY): for an
install code the key made of it, else the well-known key, for that device alone.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

import bellows.types as bt

from emulator.core.ids import Eui64
from harness.errors import HarnessError, UsageError
from harness.han_ports import Permit
from hil.zigbee.errors import FOREIGN, refused, translated
from hil.zigbee.ezsp import DongleEzsp, ieee_of
from hil.zigbee.guard import MAX_PERMIT_S

#: The key that every Zigbee device knows. Source: known.
WELL_KNOWN: Final = b"ZigBeeAlliance09"
_KEY_OCTETS: Final = 16
_SHUT: Final = (
    bt.EzspDecisionBitmask.ALLOW_UNSECURED_REJOINS
    | bt.EzspDecisionBitmask.JOINS_USE_INSTALL_CODE_KEY
)
_OPEN: Final = _SHUT | bt.EzspDecisionBitmask.ALLOW_JOINS


@dataclass(frozen=True, slots=True)
class _Leave:
    """One permission: its key's owner and until when, on the loop's clock."""

    permit: Permit
    due: float


class Permits:
    """The permissions of one hub. Lives in the radio's thread; outlives the loss of a dongle."""

    def __init__(self) -> None:
        self._open: dict[Eui64, _Leave] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def holds(self, device: Eui64) -> bool:
        """Say whether a device may join now."""
        leave = self._open.get(device)
        return leave is not None and leave.due > _now()

    async def give(self, ezsp: DongleEzsp, permit: Permit) -> None:
        """Let a device join from now on.

        Raises:
            UsageError: For longer than a minute, or with a key that is none.
            DongleError: The dongle refuses or is lost.
        """
        if not 0 < permit.seconds <= MAX_PERMIT_S:
            raise UsageError(
                f"joining cannot be permitted for {permit.seconds} s",
                where=str(permit.device),
                cause=f"a permission lasts 1 to {MAX_PERMIT_S} s",
            )
        if permit.link_key is not None and len(permit.link_key) != _KEY_OCTETS:
            raise UsageError("a link key has 16 octets", where=str(permit.device))
        self._open[permit.device] = _Leave(permit, _now() + permit.seconds)
        await self._bring(ezsp, permit)
        await self._set_window(ezsp)

    async def withdraw(self, ezsp: DongleEzsp) -> None:
        """Let nobody join any more.

        Raises:
            DongleError: The dongle refuses or is lost.
        """
        self._open.clear()
        if self._alarm is not None:
            self._alarm.cancel()
        await ezsp.checked("permitJoining", duration=0)
        with translated(ezsp.settings.path):
            await ezsp.clearTransientLinkKeys()
        await self._set_policy(ezsp, _SHUT)

    async def restore(self, ezsp: DongleEzsp) -> None:
        """Give a dongle that came back what is left of the permissions.

        Raises:
            DongleError: The dongle refuses or is lost.
        """
        now = _now()
        self._open = {one: leave for one, leave in self._open.items() if leave.due > now}
        for leave in self._open.values():
            await self._bring(ezsp, leave.permit)
        await self._set_window(ezsp)

    def stop(self) -> None:
        """Let no alarm come any more."""
        if self._alarm is not None:
            self._alarm.cancel()
        for task in self._tasks:
            task.cancel()

    async def _bring(self, ezsp: DongleEzsp, permit: Permit) -> None:
        key = bt.KeyData(permit.link_key or WELL_KNOWN)
        with translated(ezsp.settings.path):
            status = await ezsp.add_transient_link_key(ieee_of(permit.device), key)
        if bt.sl_Status.from_ember_status(status) != bt.sl_Status.OK:
            raise refused(ezsp.settings.path, "another transient key", status)

    async def _set_window(self, ezsp: DongleEzsp) -> None:
        """Open joining for as long as the longest permission lasts; look again when one ends."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        left = [leave.due - _now() for leave in self._open.values()]
        seconds = min(MAX_PERMIT_S, max((int(one + 0.999) for one in left), default=0))
        await self._set_policy(ezsp, _OPEN if seconds > 0 else _SHUT)
        await ezsp.checked("permitJoining", duration=max(0, seconds))
        if left:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(max(0.0, min(left)), self._expired, ezsp)

    def _expired(self, ezsp: DongleEzsp) -> None:
        task = asyncio.get_running_loop().create_task(self._renew(ezsp))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _renew(self, ezsp: DongleEzsp) -> None:
        """A permission has ended: its key goes, the others' stay."""
        with contextlib.suppress(HarnessError, *FOREIGN):
            await ezsp.clearTransientLinkKeys()
            await self.restore(ezsp)

    @staticmethod
    async def _set_policy(ezsp: DongleEzsp, decision: bt.EzspDecisionBitmask) -> None:
        policy = bt.EzspPolicyId.TRUST_CENTER_POLICY
        await ezsp.checked("setPolicy", policyId=policy, decisionId=decision)


def _now() -> float:
    return asyncio.get_running_loop().time()
