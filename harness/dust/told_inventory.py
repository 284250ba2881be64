"""The inventory that was told (8.2) against the papers, the hub's device log and the versions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from device_profiles.installation import Installation, InstalledDevice
from device_profiles.words import DeviceType
from emulator.codecs.dlms.han_log import LogRow
from harness.dust.told import Differs, Whose
from harness.formats.duis.inventory_contents import Inventory, InventoryDevice

#: Devices of a hub's log that are in every inventory; displays may be left behind.
_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})


def differing(
    home: Installation,
    told: Inventory,
    log: Sequence[LogRow],
    versions: Mapping[DeviceType, str],
) -> tuple[Differs, ...]:
    """Return what of an inventory is not as papers and devices show it.

    Args:
        home: The home by its papers.
        told: What was told.
        log: The hub's device log.
        versions: Type of a device with a server -> the version it told of itself.
    """
    papers = {one.eui64: one for one in home.devices}
    found = [*_listed(told, log)]
    for one in told.devices:
        known = papers.get(str(one.device))
        if known is not None:
            found += _one(one, known, versions)
        elif one.device_type is not DeviceType.GPF:
            name = f"inventory: {one.device_type} {one.device}"
            found.append(Differs(name, "there", "not in the papers of the home", Whose.DSP))
    return tuple(found)


def _listed(told: Inventory, log: Sequence[LogRow]) -> Iterator[Differs]:
    said = {f"{one.device_type} {one.device}" for one in told.devices}
    for row in log:
        name = f"{row.device_type} {row.eui64}"
        if row.joined and row.device_type in _METERS and name not in said:
            yield Differs(f"inventory: {name}", "not there", "joined, by the hub's log", Whose.DSP)


def _one(
    told: InventoryDevice, known: InstalledDevice, versions: Mapping[DeviceType, str]
) -> Iterator[Differs]:
    name = f"inventory: {known.role} {told.device}"
    if told.device_type is not known.role:
        yield Differs(name, str(told.device_type), f"{known.role} by the papers", Whose.DSP)
    version, said = versions.get(known.role, ""), (told.firmware_version or "").upper()
    if version and said != version:
        yield Differs(f"{name}: version", said or "none", f"{version} by itself", Whose.DSP)
    if known.mpxn and told.import_mpxn and told.import_mpxn != known.mpxn:
        shown = f"{known.mpxn} by the papers"
        yield Differs(f"{name}: meter point", told.import_mpxn, shown, Whose.DSP)
