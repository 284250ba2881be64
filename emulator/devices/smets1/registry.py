"""Which SMETS1 device is emulated as a DLMS server, built out of its profile."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from device_profiles.dlms_catalogue import Catalogue
from device_profiles.files import Folders
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys
from emulator.devices.defects import apply
from emulator.devices.smets1.catalogue import load_bound
from emulator.devices.smets1.catalogue_device import CatalogueDevice
from emulator.devices.smets1.device import Smets1Device
from emulator.devices.smets1.esme import Smets1Esme, Smets1Gsme, Smets1HubServer
from emulator.devices.smets1.making import Making

#: Device type -> class.
CLASSES: Final[Mapping[DeviceType, type[CatalogueDevice]]] = MappingProxyType(
    {
        DeviceType.ESME: Smets1Esme,
        DeviceType.GSME: Smets1Gsme,
        DeviceType.CHF: Smets1HubServer,
    }
)


def _catalogue(name: str, overlays: tuple[Path, ...]) -> Catalogue:
    if overlays or name.endswith(".csv"):
        return load_bound(name, overlays)
    return _shipped(name)


@cache
def _shipped(name: str) -> Catalogue:
    """Return a shipped catalogue: meters by the hundred share it."""
    return load_bound(name)


def build(  # noqa: PLR0913, PLR0917 - the seam's form: what a device is made of, in order
    device_type: DeviceType,
    eui64: Eui64,
    profile: DeviceProfile,
    seed: int,
    now: UtcMs,
    keys: FactoryKeys | None = None,
    *,
    overlays: Folders = (),
    defects: Iterable[str] = (),
) -> Smets1Device:
    """Build a device that is off.

    Args:
        device_type: What it is.
        eui64: Its identifier.
        profile: What it is and may do; with a ``[dlms]`` section.
        seed: Seed of its consumption, its challenges and, without ``keys``, its keys.
        now: The present moment: more than a year of consumption lies before it.
        keys: Its factory keys; None derives them from the seed.
        overlays: Folders whose catalogue of that name wins, weakest first.
        defects: Names of ``defects.DEFECTS`` that it has.

    Raises:
        ValueError: No such device is a DLMS server here, the profile has no ``[dlms]``, or a defect
            is unknown or another device's.
        DataError: Its catalogue of objects cannot be used.
    """
    made = CLASSES.get(device_type)
    if made is None:
        raise ValueError(f"no SMETS1 {device_type} speaks DLMS here (known: {', '.join(CLASSES)})")
    if profile.dlms is None:
        raise ValueError(f"{profile.name}: the profile has no [dlms] section")
    catalogue = _catalogue(profile.dlms.objects, tuple(overlays))
    known = factory_keys(seed, eui64) if keys is None else keys
    return apply(made, defects)(Making(eui64, profile, profile.dlms, catalogue, known, seed, now))
