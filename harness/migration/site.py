"""One installation on a bench: its devices, the ways to them, and how the SMSO presents itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from device_profiles.cohort import Cohort
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.errors import UsageError
from harness.meter import Credentials
from harness.ports import Bench, HubWan, MeterPort

#: Name of the association that head ends use. Source: stand-in (serial-dlms.md 8.2).
MANAGEMENT = "management"


@quick
@dataclass(frozen=True, slots=True)
class Site:
    """One installation, as the parties of a migration reach it.

    Attributes:
        installation: What stands in the home.
        bench: The bench it stands on.
        cohort: Its cohort: says which device types hold head-end credentials.
        suffix: What follows a device type in the bench's role strings: empty for the first home,
            ``@REF`` for any other.
    """

    installation: Installation
    bench: Bench = field(repr=False)
    cohort: Cohort = field(repr=False)
    suffix: str = ""

    @property
    def ref(self) -> str:
        """What the user calls the installation."""
        return self.installation.ref

    def role(self, device_type: DeviceType) -> str:
        """Return the bench's role string of a device."""
        return f"{device_type.value}{self.suffix}"

    def device(self, device_type: DeviceType) -> InstalledDevice | None:
        """Return the first device of a type as the installation file has it, or None."""
        for one in self.installation.devices:
            if one.role is device_type:
                return one
        return None

    def holders(self) -> tuple[DeviceType, ...]:
        """Return the device types that hold head-end credentials here, in the cohort's order."""
        held = self.cohort.handover.holders
        return tuple(one for one in held if self.device(one) is not None)

    def eui64(self, device_type: DeviceType) -> Eui64:
        """Return a device's EUI-64 as the installation file has it.

        Raises:
            UsageError: The installation has no such device.
        """
        return Eui64.parse(self._known(device_type).eui64)

    def eui64s(self) -> tuple[Eui64, ...]:
        """Return every device of the installation."""
        return tuple(Eui64.parse(one.eui64) for one in self.installation.devices)

    def model(self, device_type: DeviceType) -> str:
        """Return the name of a device's model profile.

        Raises:
            UsageError: The installation has no such device.
        """
        return self._known(device_type).profile

    def port(self, device_type: DeviceType, party: str) -> MeterPort:
        """Return a device's DLMS port through one party's network.

        Args:
            device_type: Which device.
            party: ``SMSO`` or ``S1SP``.

        Raises:
            BenchError: The bench has no such device, or no way to it.
        """
        return self.bench.meter(self.role(device_type), f"wan@{party}")

    def credentials(self, device_type: DeviceType) -> Credentials:
        """Return how the SMSO presents itself to a device: with the keys of the factory.

        Raises:
            BenchError: The bench knows none.
        """
        return self.bench.credentials(self.role(device_type), MANAGEMENT)

    def hub(self) -> HubWan:
        """Return the WAN side of the hub.

        Raises:
            BenchError: The bench has no such hub, or cannot move SIMs.
        """
        return self.bench.hub_wan(self.role(DeviceType.CHF))

    def _known(self, device_type: DeviceType) -> InstalledDevice:
        found = self.device(device_type)
        if found is None:
            raise UsageError(
                f"the installation has no {device_type.value}",
                where=self.ref,
                cause="a step for a device that is not there",
            )
        return found


def sites_of(bench: Bench, cohort: Cohort, homes: Sequence[Installation]) -> tuple[Site, ...]:
    """Return the sites of a bench's homes, the first one under plain role strings.

    Args:
        bench: The bench.
        cohort: Their cohort.
        homes: The installations, in the order the bench was opened with.
    """
    return tuple(
        Site(home, bench, cohort, "" if number == 0 else f"@{home.ref}")
        for number, home in enumerate(homes)
    )
