"""A SMETS1 home some of whose devices stand behind a Zigbee radio: the bench over it."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from device_profiles.installation import Installation
from emulator.runtime.smets1_home import Smets1Emulation, build_home
from emulator.runtime.smets1_homes import Homes
from harness.benches.around_radio import AroundRadio, elsewhere, emulated_part, names_of
from harness.benches.emulated_admission import Behind
from harness.benches.emulated_outlet import OutletDriver, RadioOutlet
from harness.benches.emulated_plan import refuse_unknown_defects
from harness.benches.emulated_smets1 import Smets1HomesBench
from harness.benches.emulated_smets1_plan import OF, building, plan_of
from harness.benches.refusals import no_keypad
from harness.meter import Credentials
from harness.ports import KeypadAnswer
from harness.run_options import RunOptions

B = TypeVar("B")


class Smets1OutletBench(AroundRadio, Smets1HomesBench):
    """One SMETS1 home: its hub is emulated here, some of its devices are behind a Zigbee radio.

    Whoever speaks DLMS to a device behind the radio does so as to any other: through the hub's
    WAN, and a tunnel of the HAN. Nobody looks into it: whose it is, associations tell.
    """

    def __init__(
        self, home: Smets1Emulation, seed: int, outlet: RadioOutlet, behind: Behind
    ) -> None:
        """Take a built home with its outlet; nothing passes before ``admit``."""
        group = Homes([home])
        driver = OutletDriver(group, group.mover)
        super().__init__([home], seed, driver)
        outlet.bind(driver, home.world, names_of(home.roles))
        self._stand(driver, outlet, behind, home.roles)
        self.offers = frozenset({"meter-wan", "virtual-time"})

    # -- inside devices ------------------------------------------------------------------------

    def opens_to(self, role: str, credentials: Credentials) -> bool | None:
        """Say whether a device would associate; None for one behind the radio: ask it.

        Raises:
            BenchError: The bench has no such device.
        """
        return None if self.role(role) in self.hidden else super().opens_to(role, credentials)

    async def key_in(self, role: str, digits: str) -> KeypadAnswer:
        """Enter a top-up code at a meter's own keypad.

        Raises:
            BenchError: The meter is behind the radio: no hand of ours is at its keypad.
        """
        if self.role(role) in self.hidden:
            raise no_keypad(role, "it is behind a Zigbee dongle, and nobody is at its keypad")
        return await super().key_in(role, digits)


def smets1_outlet_bench(
    home: Installation,
    options: RunOptions,
    behind: Behind,
    make: Callable[[Smets1Emulation, int, RadioOutlet, Behind], B],
) -> B:
    """Build the emulated part of a SMETS1 home; nothing passes to the radio yet.

    Faults inside devices behind the radio are left out: they are for whoever emulates those.

    Args:
        home: The home.
        options: The choices of a run; settings ``defects`` and ``metadata_mode`` are read.
        behind: Who stands behind the radio.
        make: Makes the bench: ``Smets1OutletBench``, or one that knows more of its radio.

    Raises:
        UsageError: The installation, a profile, a fault or a defect cannot be used.
    """
    defects = (*options.defects, *options.settings.get("defects", ()))
    refuse_unknown_defects([name.partition(OF)[0] for name in defects])
    outlet = RadioOutlet()
    with building(home.ref):
        plan = plan_of(home, emulated_part(options, behind), defects)
        emulation = build_home(replace(plan, elsewhere=elsewhere(home, behind)), outlet=outlet)
    emulation.world.records.keeps_frames = bool(options.settings.get("frames", True))
    return make(emulation, options.seed, outlet, behind)
