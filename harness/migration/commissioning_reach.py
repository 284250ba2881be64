"""The S1SP's way from a device's EUI-64 to its port, for requests after migration."""

from dataclasses import dataclass, field
from typing import Final

from device_profiles.installation import InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.migration.office import Office
from harness.migration.site import Site
from harness.parties.s1sp import NAME as S1SP
from harness.parties.s1sp import Errand
from harness.smets1.arguments import Arguments

#: Devices without credentials of a head end: their hub is asked about them.
_THROUGH_HUB: Final = frozenset({DeviceType.PPMID, DeviceType.GPF})


@dataclass(slots=True)
class SiteReach:
    """Finds devices at the sites it was told of.

    Attributes:
        office: What the parties share.
        sites: Hub -> where it stands.
        added: Devices that no installation file names -> their hub and model profile.
    """

    office: Office = field(repr=False)
    sites: dict[Eui64, Site] = field(default_factory=dict, repr=False)
    added: dict[Eui64, tuple[Eui64, str]] = field(default_factory=dict)
    #: Device, as it is printed -> where it stands, and what it is there.
    _places: dict[str, tuple[Site, InstalledDevice]] = field(default_factory=dict, repr=False)

    def add(self, site: Site) -> None:
        """Take a site up."""
        self.sites[site.eui64(DeviceType.CHF)] = site
        for item in site.installation.devices:
            self._places[item.eui64] = (site, item)

    def add_ppmid(self, device: Eui64, hub: Eui64, model: str) -> None:
        """Take up a PPMID that was added to a home after its migration.

        Args:
            device: The PPMID.
            hub: The hub of the home.
            model: Name of its model profile.
        """
        self.added[device] = (hub, model)

    def errand(self, device: Eui64, service: str, given: Arguments) -> Errand | None:
        """Return a request at a device, or at its hub where the device has no credentials."""
        found = self._place(device)
        if found is None:
            return None
        site, kind, model = found
        at = DeviceType.CHF if kind in _THROUGH_HUB else kind
        target = site.eui64(at)
        credentials = self.office.s1sp.credentials(site.credentials(at), target)
        return Errand(
            target,
            site.port(at, S1SP),
            self.office.clock,
            self.office.equivalent(model, kind, service),
            credentials,
            given,
        )

    def authentication_key(self, device: Eui64) -> bytes | None:
        """Return the S1SP's authentication key of a meter; None for a device it cannot reach."""
        found = self._place(device)
        if found is None:
            return None
        site, kind, _model = found
        keys = self.office.s1sp.credentials(site.credentials(kind), device).keys
        return None if keys is None else keys.authentication

    def profile(self, device: Eui64) -> DeviceProfile | None:
        """Return the model of a device; None for a device it cannot reach."""
        found = self._place(device)
        return None if found is None else load_profile(found[2], self.office.overlays)

    def block_bytes(self, device: Eui64) -> int:
        """Return the image block size of a device; 0 for one that takes no images itself."""
        model = self.profile(device)
        dlms = None if model is None else model.dlms
        return 0 if dlms is None or dlms.image is None else dlms.image.block_bytes

    def _place(self, device: Eui64) -> tuple[Site, DeviceType, str] | None:
        hub, model = self.added.get(device, (None, ""))
        if hub is not None:
            site = self.sites.get(hub)
            return None if site is None else (site, DeviceType.PPMID, model)
        found = self._places.get(str(device))
        return None if found is None else (found[0], found[1].role, found[1].profile)
