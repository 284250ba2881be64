"""What goes wrong in a migration, and when: disturbances and tampering tied to steps."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.migration.record import InstallationRecord
from harness.migration.site import Site

#: Moment at a step, step id, device type (empty: any).
When = tuple[str, str, str]
#: Changes the octets of a migration file on its way.
Tamper = Callable[[bytes], bytes]
#: Does something to a home that no disturbance order can say.
Act = Callable[[Site], Awaitable[None]]

BEFORE: Final = "before"
AFTER: Final = "after"


@dataclass(frozen=True, slots=True)
class Script:
    """What goes wrong.

    A moment is ``before`` or ``after``; ``before:2`` means the second attempt only (attempts are
    counted by migration files sent, from 1). A device is a device type (``GSME``), a role string
    (``GSME@REF``), ``@REF`` for any device of one home, or empty for any.

    Attributes:
        orders: When -> orders for ``Bench.disturb``; ``{ref}`` in one stands for the home.
        files: File type (``MEF``) -> what happens to its octets on the way.
        acts: When -> what else is done to the home.
        omits: Steps (``R1``, or ``R1/GSME``) that their party says it took and did not; behind
            ``@`` the one home (``R1@REF``) at which it did not.
    """

    orders: Mapping[When, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, Tamper] = field(default_factory=dict)
    acts: Mapping[When, Act] = field(default_factory=dict)
    omits: frozenset[str] = frozenset()

    def omits_step(self, step: str, device: str, ref: str) -> bool:
        """Say whether the party of a step only says that it took it, at a home."""
        if not self.omits:
            return False
        named = (step, f"{step}/{device}")
        return any(one in self.omits or f"{one}@{ref}" in self.omits for one in named)

    async def play(self, moment: str, step: str, device: str, site: Site, attempt: int) -> None:
        """Do what is scripted for a moment at one step.

        Args:
            moment: ``before`` or ``after``.
            step: The step's id.
            device: Device type it is about, or empty.
            site: The home.
            attempt: Number of the migration file in hand, from 1.

        Raises:
            UsageError: An order means nothing.
            BenchError: The bench cannot be disturbed.
        """
        if not self.orders and not self.acts:
            return
        if device:
            await self.play_exactly(moment, step, "", site, attempt)
        await self.play_exactly(moment, step, device, site, attempt)

    async def play_exactly(
        self, moment: str, step: str, device: str, site: Site, attempt: int
    ) -> None:
        """Do what is scripted for just that device type, or for none.

        Raises:
            UsageError: An order means nothing.
            BenchError: The bench cannot be disturbed.
        """
        if not self.orders and not self.acts:
            return
        places = (device, f"{device}@{site.ref}")
        for named in (moment, f"{moment}:{attempt}"):
            for place in places:
                for order in self.orders.get((named, step, place), ()):
                    await site.bench.disturb(order.replace("{ref}", site.ref))
                act = self.acts.get((named, step, place))
                if act is not None:
                    await act(site)


#: Called after every step of every installation: step id, record.
Watch = Callable[[str, InstallationRecord], Awaitable[None]]
