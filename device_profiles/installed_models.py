"""The device models of an installation as rows of the Central Products List."""

from dataclasses import dataclass

from device_profiles.announced import announced_in_smets1, resolve_in_smets1
from device_profiles.cpl import Cpl
from device_profiles.cpl_entry import CplEntry
from device_profiles.dmc import Combination
from device_profiles.files import Folders
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.words import DeviceType

#: Roles that a combination of device models has a place for, in its order.
ROLES = (DeviceType.CHF, DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID, DeviceType.IHD)


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """One device and its row.

    Attributes:
        role: What it is.
        eui64: Its EUI-64.
        cpl_entry: Identifier of its row; manufacturer, model and version where there is none.
        entry: The row, or None.
        why: Why there is none: ``unknown-device-model`` or ``ambiguous-device-model``; or
            ``other-device-type`` where the row is of another type. Empty where all is well.
    """

    role: DeviceType
    eui64: str
    cpl_entry: str
    entry: CplEntry | None
    why: str = ""


def installed_models(
    installation: Installation, cpl: Cpl, overlays: Folders = ()
) -> tuple[InstalledModel, ...]:
    """Return each device that a combination has a place for, with its row.

    The row is the one the installation file names, else the one that the device's profile goes by
    in a SMETS1 home: such combinations are what the EPCL lists.

    Raises:
        DataError: A profile cannot be loaded.
    """
    return tuple(
        _named(device, cpl) if device.cpl_entry else _resolved(device, cpl, overlays)
        for role in ROLES
        for device in installation.of(role)
    )


def combination_of(models: tuple[InstalledModel, ...]) -> Combination:
    """Return the combination of the devices; the first of each role but PPMIDs and IHDs."""

    def first(role: DeviceType) -> str | None:
        return next((model.cpl_entry for model in models if model.role is role), None)

    shown = {DeviceType.PPMID, DeviceType.IHD}
    return Combination(
        first(DeviceType.CHF) or "none",
        first(DeviceType.ESME) or "none",
        first(DeviceType.GSME),
        tuple(model.cpl_entry for model in models if model.role in shown),
    )


def _named(device: InstalledDevice, cpl: Cpl) -> InstalledModel:
    named = device.cpl_entry or ""
    entry = cpl.entries.get(named)
    why = "unknown-device-model" if entry is None else ""
    if entry is not None and entry.device_type is not device.role:
        why = "other-device-type"
    return InstalledModel(device.role, device.eui64, named, entry, why)


def _resolved(device: InstalledDevice, cpl: Cpl, overlays: Folders) -> InstalledModel:
    profile = load_profile(device.profile, overlays)
    found = resolve_in_smets1(cpl, profile, device.role)
    version, _smets = announced_in_smets1(profile)
    known = (profile.identity.manufacturer_hex, profile.identity.model_hex, version)
    told = ":".join(known) if found.entry is None else found.entry.cpl_entry_id
    return InstalledModel(device.role, device.eui64, told, found.entry, found.why)
