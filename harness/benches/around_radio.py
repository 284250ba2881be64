"""What benches have in common some of whose devices stand behind a Zigbee radio."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.benches.emulated_admission import Admission, Behind, link_of, words_of
from harness.benches.emulated_outlet import OutletDriver, RadioOutlet
from harness.benches.emulated_outlet_ports import OutletHub, OutletPower
from harness.benches.emulated_ports import DrivenBench
from harness.benches.refusals import not_restored
from harness.han_ports import HanHub, HanNetwork
from harness.ports import Observation
from harness.run_options import RunOptions


class AroundRadio(DrivenBench):
    """One home, partly emulated here and partly behind a Zigbee radio; stands before its home.

    Attributes:
        offers: Needs of scenarios beyond device types that it meets.
        hidden: Devices that nobody can look into.
        wall: How many seconds of the loop a second of the wall is.
        radio: Its radio, and who is on its network.
        mains: Its mains.
        refusal: Why scenarios are SKIPPED here; empty: they are played.
    """

    offers: frozenset[str]
    hidden: frozenset[Eui64]
    wall: float
    radio: Admission
    mains: OutletPower
    refusal: str

    def _stand(
        self,
        driver: OutletDriver[Any],
        outlet: RadioOutlet,
        behind: Behind,
        roles: Mapping[DeviceType, Eui64],
    ) -> None:
        """Take the radio; nothing passes before ``admit``.

        Args:
            driver: What moves the home.
            outlet: Its outlet, bound to the home.
            behind: Who stands behind the radio.
            roles: The home's devices.
        """
        self._roles = {eui64: role for role, eui64 in roles.items()}
        self.hidden = frozenset(
            eui64 for eui64, role in self._roles.items() if role in behind.devices
        )
        self.radio = Admission(driver, outlet, behind, self.hidden)
        self.kind = behind.kind
        self.offers = frozenset()
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
        """Be a hub: form the network, and let in every device that stands behind the radio.

        Raises:
            BenchError: The dongle fails or is another; a device does not join, or agrees on no key.
        """
        return await self.radio.admit(self.role(DeviceType.CHF), hub, channel)

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

    def rest_faults(self, *, on: bool) -> None:
        """Let everything pass at the border, or have the faults strike again."""
        self._driver.catch_up()
        self._driver.world.rest_faults(on=on)
        self._driver.disturbed()

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
        raise not_restored("a bench with a Zigbee dongle", state, self.radio.behind.endpoint)

    async def close(self) -> None:
        """Let nothing pass any more, give the radio back, and stop moving the home."""
        await self.radio.close()
        await super().close()


def names_of(roles: Mapping[DeviceType, Eui64]) -> dict[Eui64, str]:
    """Return what each device is, in the words of faults."""
    return {eui64: role.value.lower() for role, eui64 in roles.items()}


def emulated_part(options: RunOptions, behind: Behind) -> RunOptions:
    """Return the choices of a run without faults inside devices behind the radio.

    Those are for whoever emulates these devices.
    """
    names = words_of(behind.devices)
    faults: Iterable[str] = (text for text in options.faults if link_of(text) not in names)
    return replace(options, faults=tuple(faults))


def elsewhere(home: Installation, behind: Behind) -> frozenset[Eui64]:
    """Return which devices of a home stand behind the radio."""
    return frozenset(
        Eui64.parse(device.eui64) for device in home.devices if device.role in behind.devices
    )
