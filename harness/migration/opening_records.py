"""The record of an installation before its migration begins."""

from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.migration.office import Office
from harness.migration.record import DeviceRecord, InstallationRecord
from harness.migration.site import Site
from harness.migration.states import Owner

#: Devices that a migration names; the GPF is in the hub's box.
NAMED = (DeviceType.CHF, DeviceType.ESME, DeviceType.GSME, DeviceType.PPMID)


def record_of(office: Office, site: Site) -> InstallationRecord:
    """Return what is kept of an installation before anything happened to it.

    Raises:
        DataError: A device's profile cannot be loaded.
    """
    home, cohort = site.installation, office.cohort
    devices = []
    for item in home.devices:
        if item.role not in NAMED:
            continue
        identity = load_profile(item.profile, office.overlays).identity
        model = (
            f"{identity.manufacturer_hex}:{identity.model_id:04X}:{identity.hardware_version:04X}"
        )
        devices.append(
            DeviceRecord(
                Eui64.parse(item.eui64),
                item.role,
                item.role in cohort.handover.holders,
                Owner.SMSO,
                model,
                identity.firmware_version.upper(),
            )
        )
    return InstallationRecord(
        ref=home.ref,
        cohort=cohort.key,
        group_id=cohort.cohort.group_id,
        installation_class=home.installation_class.value,
        shape=home.shape.value,
        devices=devices,
    )
