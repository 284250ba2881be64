"""Who can open a device, asked of the device itself: HLS-GMAC associations, real octets."""

from dataclasses import dataclass, field
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.values import quick
from harness.meter import Credentials
from harness.ports import Clock, MeterPort
from harness.smets1.sessions import NOTHING_KEPT, Kept

#: How often a device that does not answer, or not clearly, is asked. Source: invented.
TRIES: Final = 3
#: Seconds for which nothing is asked before it is asked again: what a disturbed network delivers
#: late would be taken for the answer. Source: invented.
QUIET_S: Final = 60


async def quiet(clock: Clock) -> None:
    """Ask nothing for a while."""
    await clock.sleep_until(UtcMs(clock.now() + 1000 * QUIET_S))


@quick
@dataclass(frozen=True, slots=True)
class Proof:
    """What two associations showed.

    Attributes:
        wanted: Whether the key that is to open the device does; None: no answer.
        other: Whether the key that is not to open it does; None: no answer, or not asked.
    """

    wanted: bool | None
    other: bool | None = None

    @property
    def holds(self) -> bool:
        """Whether one key opens the device and the other is refused."""
        return self.wanted is True and self.other is False

    @property
    def silent(self) -> bool:
        """Whether the device did not answer."""
        return self.wanted is None


@quick
@dataclass(frozen=True, slots=True)
class Door:
    """One party's way to one device.

    Attributes:
        port: The way.
        clock: Its time.
        kept: What the party keeps open with the device: an association of a proof ends it.
    """

    port: MeterPort = field(repr=False)
    clock: Clock = field(repr=False)
    kept: Kept = NOTHING_KEPT

    async def opens_to(self, credentials: Credentials, *, expected: bool = True) -> bool | None:
        """Say whether the device associates with these credentials; None: no clear answer.

        Only an answer to the wish itself is a refusal: an exception, or octets that belong to
        something else, tell nothing of the keys.

        Args:
            credentials: How to present oneself.
            expected: Whether it should: a refusal that nobody expects is asked for again.
        """
        found: bool | None = None
        for number in range(TRIES):
            if number:
                await quiet(self.clock)
            association = await self.port.associate(credentials)
            if not association.before_stands:
                self.kept.forget()
                if not association.accepted or not self._keeps(credentials, expected):
                    await self.port.release()
            if association.accepted:
                return True
            if association.silence is None:
                found = False
                if not expected:
                    break
        return found

    def _keeps(self, credentials: Credentials, expected: bool) -> bool:
        """Keep an association that should be, where more of this device is asked right after."""
        return expected and self.kept.keep(self.port, credentials)

    async def prove(self, wanted: Credentials, other: Credentials) -> Proof:
        """Ask with the key that is to open the device, then with the one that is not."""
        first = await self.opens_to(wanted)
        if first is None:
            return Proof(None)
        return Proof(first, await self.opens_to(other, expected=not first))
