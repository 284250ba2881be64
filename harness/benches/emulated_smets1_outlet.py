"""A SMETS1 home some of whose devices stand behind a Zigbee radio: the bench over it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.runtime.smets1_home import Smets1Emulation, build_home
from emulator.runtime.smets1_homes import Homes
from harness.benches.emulated_admission import Admission, Behind, link_of, words_of
from harness.benches.emulated_outlet import OutletDriver, RadioOutlet
from harness.benches.emulated_outlet_ports import OutletHub, OutletPower
from harness.benches.emulated_plan import refuse_unknown_defects
from harness.benches.emulated_smets1 import Smets1HomesBench
from harness.benches.emulated_smets1_plan import OF, building, plan_of
from harness.benches.refusals import no_keypad
from harness.han_ports import HanHub, HanNetwork
from harness.meter import Credentials
from harness.ports import KeypadAnswer, Observation
from harness.run_options import RunOptions

B = TypeVar("B")


class Smets1OutletBench(Smets1HomesBench):
    """One SMETS1 home: its hub is emulated here, some of its devices are behind a Zigbee radio.

    Whoever speaks DLMS to a device behind the radio does so as to any other: through the hub's
    WAN, and a tunnel of the HAN. Nobody looks into it: whose it is, associations tell.

    Attributes:
        offers: Needs of scenarios beyond device types that it meets.
        hidden: Devices that nobody can look into.
        wall: How many seconds of the loop a second of the wall is.
        radio: Its radio, and who is on its network.
        mains: Its mains.
        refusal: Why scenarios are SKIPPED here; empty: they are played.
    """

    def __init__(
        self, home: Smets1Emulation, seed: int, outlet: RadioOutlet, behind: Behind
    ) -> None:
        """Take a built home with its outlet; nothing passes before ``admit``."""
        group = Homes([home])
        driver = OutletDriver(group, group.mover)
        super().__init__([home], seed, driver)
        self._roles = {eui64: role for role, eui64 in home.roles.items()}
        self.hidden = frozenset(
            eui64 for eui64, role in self._roles.items() if role in behind.devices
        )
        names = {eui64: role.value.lower() for eui64, role in self._roles.items()}
        outlet.bind(driver, home.world, names)
        self.radio = Admission(driver, outlet, behind, self.hidden)
        self.kind = behind.kind
        self.offers = frozenset({"meter-wan", "virtual-time"})
        self.wall = behind.wall
        self.hub = OutletHub(driver)
        self.mains = OutletPower(driver, self.hidden, behind.endpoint)
        self.power = self.mains
        self.refusal = ""

    # -- the radio -----------------------------------------------------------------------------

    @property
    def joined(self) -> Sequence[Eui64]:
        """Devices behind the radio that have joined, in order."""
        return self.radio.joined

    def begin(self) -> None:
        """Let the home's clock run from the present moment of the loop on."""
        self._driver.catch_up()

    async def admit(self, hub: HanHub, channel: int) -> HanNetwork:
        """Form the network, and let in every device that stands behind the radio.

        Raises:
            BenchError: The dongle fails or is another; a device does not join, or agrees on no key.
        """
        return await self.radio.admit(self.role(DeviceType.CHF), hub, channel)

    # -- inside devices ------------------------------------------------------------------------

    def opens_to(self, role: str, credentials: Credentials) -> bool | None:
        """Say whether a device would associate; None for one behind the radio: ask it.

        Raises:
            BenchError: The bench has no such device.
        """
        return None if self.role(role) in self.hidden else super().opens_to(role, credentials)

    def memory(self, role: str) -> Mapping[str, str] | None:
        """Return what a device remembers; None for one behind the radio.

        Raises:
            BenchError: The bench has no such device.
        """
        return None if self.role(role) in self.hidden else super().memory(role)

    async def key_in(self, role: str, digits: str) -> KeypadAnswer:
        """Enter a top-up code at a meter's own keypad.

        Raises:
            BenchError: The meter is behind the radio: no hand of ours is at its keypad.
        """
        if self.role(role) in self.hidden:
            raise no_keypad(role, "it is behind a Zigbee dongle, and nobody is at its keypad")
        return await super().key_in(role, digits)

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

    # -- what it tells -------------------------------------------------------------------------

    def take_observations(self) -> Sequence[Observation]:
        """Return what was seen inside the emulated devices; nobody looks into the others."""
        return self.radio.seen(super().take_observations())

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each emulated device's state, and of the others where they are."""
        return {**super().describe(), **self.radio.rows(self._roles, self.profiles)}

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
        """Let nothing pass any more, give the radio back, and stop moving the home."""
        await self.radio.close()
        await super().close()


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
    names = words_of(behind.devices)
    faults = tuple(text for text in options.faults if link_of(text) not in names)
    elsewhere = frozenset(
        Eui64.parse(device.eui64) for device in home.devices if device.role in behind.devices
    )
    outlet = RadioOutlet()
    with building(home.ref):
        plan = plan_of(home, replace(options, faults=faults), defects)
        emulation = build_home(replace(plan, elsewhere=elsewhere), outlet=outlet)
    emulation.world.records.keeps_frames = bool(options.settings.get("frames", True))
    return make(emulation, options.seed, outlet, behind)
