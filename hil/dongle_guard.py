"""The guard of real devices behind a dongle: who must have agreed before anything reaches them."""

from collections.abc import Collection
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.ports import Hub, StageOrder, StageOutcome
from hil.arming import ArmedGuard
from hil.guard_port import MeterIdentity
from hil.message_verbs import verb_of_message
from hil.verbs import Verb

#: How grave what a bench with a dongle does is, mildest first, and what each step needs
#: (reference zigbee-dongle.md 5.3-2).
LADDER: Final = {
    "observe": "nothing: an observer transmits a scan and no more",
    "join": "an armed bench, and every device in bench.allow",
    "command": "the same; each message is looked at before it goes to the hub",
    "supply, keys, firmware": "the same, and the word SUPPLY, KEYS or FIRMWARE",
}


class GuardedHub:
    """The hub port of a bench with real devices behind its dongle."""

    def __init__(self, hub: Hub, guard: ArmedGuard, real: Collection[Eui64]) -> None:
        """Take the hub, the guard, and who is real."""
        self._hub = hub
        self._guard = guard
        self._real = real

    @property
    def eui64(self) -> Eui64:
        """Identifier of the CHF."""
        return self._hub.eui64

    async def send(self, message: bytes) -> None:
        """Hand one GBCS message to the SM WAN, where the guard lets it pass.

        Raises:
            ArmingRefusedError: It does not; nothing was sent.
            BenchError: The radio has failed.
        """
        verb, target = verb_of_message(message)
        if target is None or target in self._real:
            self._guard.permit_message(verb, MeterIdentity(target))
        await self._hub.send(message)

    async def received(self, until: UtcMs) -> bytes | None:
        """Return the next GBCS message from the hub; None once ``until`` has passed."""
        return await self._hub.received(until)

    async def stage(self, order: StageOrder) -> StageOutcome:
        """Transfer a firmware image to the hub, where the guard lets it go to its targets.

        Raises:
            ArmingRefusedError: It does not; nothing was sent.
        """
        for target in order.targets:
            if target in self._real:
                self._guard.permit_message(Verb.FIRMWARE, MeterIdentity(target))
        return await self._hub.stage(order)

    async def has_taken(self, message: bytes) -> bool | None:
        """Say whether the hub already took this very message or image."""
        return await self._hub.has_taken(message)


def permit_joining(guard: ArmedGuard, devices: Collection[Eui64]) -> None:
    """Return when real devices may be let into the network of our hub.

    Raises:
        ArmingRefusedError: The bench is not armed, or a device is not on its list.
    """
    for device in sorted(devices):
        guard.permit_message(Verb.WRITE, MeterIdentity(device))  # undone by leaving
