"""The inventory of an installation as the DCC would hold it once everything is commissioned."""

from collections.abc import Mapping

from device_profiles.installation import Installation
from device_profiles.schema import DeviceProfile
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.rules.inventory import Inventory, InventoryRecord


def enrol(installation: Installation, profiles: Mapping[str, DeviceProfile]) -> Inventory:
    """Return the inventory records of an installation.

    Args:
        installation: Who stands there.
        profiles: Every profile the installation names, by that name.

    Raises:
        KeyError: A profile is missing.
    """
    hub = Eui64.parse(installation.of(DeviceType.CHF)[0].eui64)
    records = []
    for device in installation.devices:
        profile = profiles[device.profile]
        identity = profile.identity
        is_hub = device.role is DeviceType.CHF
        records.append(
            InventoryRecord(
                device=Eui64.parse(device.eui64),
                device_type=device.role,
                status=device.status,
                manufacturer=identity.manufacturer_hex,
                model=identity.model_hex,
                firmware_version=identity.firmware_version,
                smets=identity.smets,
                hub=hub,
                supplier=Eui64.parse(device.supplier),
                gbcs_version=identity.gbcs_version or "",
                smets_chts_version=identity.smets_chts_version,
                esme_variant=identity.esme_variant,
                ppmid_ota=is_hub and profile.hub is not None and profile.hub.ppmid_ota,
            )
        )
    return Inventory(records)
