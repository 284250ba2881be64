"""An emulated home some of whose devices stand behind a Zigbee radio: the bench over it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.runtime.installation import Emulation
from harness.benches.emulated import HomeBench
from harness.benches.emulated_admission import (
    Admission,
    Behind,
    link_of,
    words_of,
)
from harness.benches.emulated_outlet import OutletDriver, RadioOutlet
from harness.benches.emulated_outlet_ports import OutletHub, OutletPower
from harness.benches.emulated_plan import built, plan_of
from harness.han_ports import HanHub, HanNetwork, HanNode
from harness.ports import Observation
from harness.run_options import RunOptions

__all__ = ["Behind", "OutletBench", "outlet_bench"]

B = TypeVar("B")


class OutletBench(HomeBench):
    """One home, partly emulated here and partly behind a Zigbee radio.

    Attributes:
        offers: Needs of scenarios beyond device types that it meets.
        hidden: Devices that nobody can look into.
        wall: How many seconds of the loop a second of the wall is.
        radio: Its radio, and who is on its network.
        mains: Its mains.
        refusal: Why scenarios are SKIPPED here; empty: they are played.
    """

    def __init__(self, emulation: Emulation, outlet: RadioOutlet, behind: Behind) -> None:
        """Take a built world with its outlet; nothing passes before ``admit`` or ``join``."""
        driver = OutletDriver(emulation.world)
        super().__init__(emulation, driver)
        self._roles = {eui64: role for role, eui64 in emulation.roles.items()}
        self.hidden = frozenset(
            eui64 for eui64, role in self._roles.items() if role in behind.devices
        )
        names = {eui64: role.value.lower() for eui64, role in self._roles.items()}
        outlet.bind(driver, emulation.world, names)
        self.radio = Admission(driver, outlet, behind, self.hidden)
        self.kind = behind.kind
        self.offers: frozenset[str] = frozenset()
        self.wall = behind.wall
        self.hub = OutletHub(driver)
        self.mains = OutletPower(driver, self.hidden, behind.endpoint)
        self.power = self.mains
        self.refusal = ""
        self._moves = driver

    # -- the radio -----------------------------------------------------------------------------

    @property
    def joined(self) -> Sequence[Eui64]:
        """Devices behind the radio that have joined, in order."""
        return self.radio.joined

    def begin(self) -> None:
        """Let the home's clock run from the present moment of the loop on."""
        self._moves.catch_up()

    async def admit(self, hub: HanHub, channel: int) -> HanNetwork:
        """Be a hub: form the network, and let in every device that stands behind the radio.

        Raises:
            BenchError: The dongle fails or is another; a device does not join, or agrees on no key.
        """
        return await self.radio.admit(self.role(DeviceType.CHF), hub, channel)

    async def join(self, node: HanNode, channels: Sequence[int]) -> HanNetwork:
        """Be a device: find the hub behind the radio, join it, and agree on a key.

        Raises:
            BenchError: No such network, it does not let us in, or it agrees on no key.
        """
        hub = self.role(DeviceType.CHF)
        return await self.radio.join(self.world.boxes[0].eui64, hub, node, channels)

    # -- what it tells -------------------------------------------------------------------------

    def memory(self, role: str) -> Mapping[str, str] | None:
        """Return what a device remembers; None for one behind the radio.

        Raises:
            BenchError: The bench has no such device.
        """
        return None if self.role(role) in self.hidden else super().memory(role)

    async def disturb(self, order: str) -> None:
        """Put one more fault into force; those inside devices behind the radio are refused.

        Raises:
            UsageError: The order means nothing.
            BenchError: Nobody here can make it.
        """
        if self.radio.is_behind(order):
            raise self.radio.refusal(
                f"the fault {order} cannot be made here", "the device is behind the dongle"
            )
        await super().disturb(order)

    def take_observations(self) -> Sequence[Observation]:
        """Return what was seen inside the emulated devices; nobody looks into the others."""
        return self.radio.seen(super().take_observations())

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each emulated device's state, and of the others where they are."""
        return {**super().describe(), **self.radio.rows(self._roles, self.profiles)}

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> bytes | None:
        """Return None: what a device behind a radio remembers is its own."""
        return None

    def restore(self, state: bytes) -> None:
        """Refuse: a device behind a radio cannot be put back.

        Raises:
            BenchError: Always.
        """
        raise self.radio.not_restored(state)

    async def close(self) -> None:
        """Let nothing pass any more, give the radio back, and stop moving the world."""
        await self.radio.close()
        await super().close()


def outlet_bench(
    options: RunOptions, behind: Behind, make: Callable[[Emulation, RadioOutlet, Behind], B]
) -> B:
    """Build the emulated part of a home; nothing passes to the radio yet.

    Faults inside devices behind the radio are left out: they are for whoever emulates those.

    Args:
        options: The choices of a run.
        behind: Who stands behind the radio.
        make: Makes the bench: ``OutletBench``, or one that knows more of its radio.

    Raises:
        UsageError: The installation, a profile, a fault or a defect cannot be used.
    """
    names = words_of(behind.devices)
    faults = tuple(text for text in options.faults if link_of(text) not in names)
    plan = plan_of(replace(options, faults=faults))
    elsewhere = frozenset(
        Eui64.parse(device.eui64)
        for device in plan.installation.devices
        if device.role in behind.devices
    )
    outlet = RadioOutlet()
    emulation = built(replace(plan, elsewhere=elsewhere), outlet)
    return make(emulation, outlet, behind)
