"""An emulated home some of whose devices stand behind a Zigbee radio: the bench over it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from device_profiles.words import DeviceType
from emulator.runtime.installation import Emulation
from harness.benches.around_radio import AroundRadio, elsewhere, emulated_part, names_of
from harness.benches.emulated import HomeBench
from harness.benches.emulated_admission import Behind
from harness.benches.emulated_outlet import OutletDriver, RadioOutlet
from harness.benches.emulated_plan import built, plan_of
from harness.han_ports import HanNetwork, HanNode
from harness.run_options import RunOptions

__all__ = ["Behind", "OutletBench", "outlet_bench"]

B = TypeVar("B")


class OutletBench(AroundRadio, HomeBench):
    """One home of SMETS2+ devices, partly emulated here and partly behind a Zigbee radio."""

    def __init__(self, emulation: Emulation, outlet: RadioOutlet, behind: Behind) -> None:
        """Take a built world with its outlet; nothing passes before ``admit`` or ``join``."""
        driver = OutletDriver(emulation.world)
        super().__init__(emulation, driver)
        outlet.bind(driver, emulation.world, names_of(emulation.roles))
        self._stand(driver, outlet, behind, emulation.roles)

    async def join(self, node: HanNode, channels: Sequence[int]) -> HanNetwork:
        """Be a device: find the hub behind the radio, join it, and agree on a key.

        Raises:
            BenchError: No such network, it does not let us in, or it agrees on no key.
        """
        hub = self.role(DeviceType.CHF)
        return await self.radio.join(self.world.boxes[0].eui64, hub, node, channels)


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
    plan = plan_of(emulated_part(options, behind))
    outlet = RadioOutlet()
    strangers = elsewhere(plan.installation, behind)
    return make(built(replace(plan, elsewhere=strangers), outlet), outlet, behind)
