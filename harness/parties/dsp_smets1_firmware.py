"""What the DSP does about firmware of SMETS1 devices, beside what it does for all."""

from collections.abc import Iterable, Mapping
from typing import Final

from device_profiles.cpl import Cpl
from device_profiles.words import DeviceType, ImageKind, SmetsVersion
from emulator.core.ids import Eui64
from harness.formats.duis.alerts import (
    ChUpdateStatus,
    FirmwareDistributionFailure,
    Smets1ChFirmwareNotification,
)
from harness.formats.duis.bodies import UpdateFirmware, UpdatePpmidFirmware
from harness.formats.duis.request_id import RequestId
from harness.rules import firmware_checks
from harness.rules.firmware_checks import Objection, Update
from harness.rules.firmware_updaters import may_update
from harness.rules.inventory import Inventory, InventoryRecord
from harness.rules.roles import Actor

#: Type of a SMETS1 target -> what its image file ends in; any other has a signed trailer.
#: Source: F-050, TPL 11.4 sample (PPMID); that a hub's image has no trailer: inferred from CS05a.
_KINDS: Final[Mapping[DeviceType, ImageKind]] = {
    DeviceType.PPMID: ImageKind.UNSIGNED,
    DeviceType.CHF: ImageKind.WAN_PROVIDER,
}
_METERS: Final = frozenset({DeviceType.ESME, DeviceType.GSME})
_HUB: Final = frozenset({DeviceType.CHF, DeviceType.GPF})


def image_kind(body: UpdateFirmware, inventory: Inventory) -> ImageKind:
    """Return what the image file of a request ends in; its first known SMETS1 target decides.

    Where no target is of SMETS1 and all are PPMIDs the file has no trailer either: that they are
    out of reach of 11.1 is another matter, and told as such.
    """
    if isinstance(body, UpdatePpmidFirmware):
        return ImageKind.UNSIGNED
    found = (inventory.find(device) for device in body.devices)
    records = [record for record in found if record is not None]
    for record in records:
        if record.smets is SmetsVersion.SMETS1:
            return _KINDS.get(record.device_type, ImageKind.SUPPLIER_SIGNED)
    if records and all(record.device_type is DeviceType.PPMID for record in records):
        return ImageKind.UNSIGNED
    return ImageKind.SUPPLIER_SIGNED


def check_updater(
    update: Update, record: InventoryRecord, *, coin: bool = True
) -> Objection | None:
    """F-100: the actor must be a supplier who may update this device.

    Args:
        update: What is known.
        record: The device.
        coin: Decides where the documents are silent about a SMETS1 device (EA, EB, EC).
    """
    if record.smets is not SmetsVersion.SMETS1:
        return firmware_checks.check_responsible(update, record)
    return updater_objection(update.actor, record, update.inventory, coin=coin)


def updater_objection(
    actor: Actor, record: InventoryRecord, inventory: Inventory, *, coin: bool
) -> Objection | None:
    """Return why a supplier may not update or activate a SMETS1 device, or None."""
    ruling = may_update(actor, record, inventory)
    return None if ruling.allows(coin=coin) else ruling.objection(actor, record)


def update_requested(
    hub: Eui64, version: str, records: Iterable[InventoryRecord]
) -> Smets1ChFirmwareNotification | None:
    """Return the notice that a hub's own firmware is to be updated, or None where it is not."""
    if all(record.device_type is not DeviceType.CHF for record in records):
        return None
    return Smets1ChFirmwareNotification(hub, version, ChUpdateStatus.REQUESTED)


def activated(
    inventory: Inventory, record: InventoryRecord, version: str
) -> Smets1ChFirmwareNotification | None:
    """Note that a device runs a new version; returns what suppliers are told of a hub.

    The GPF is in the hub's box. The schema knows no word for an activation that failed.
    """
    inventory.set_version(record.device, version)
    if record.device_type is not DeviceType.CHF:
        return None
    for other in inventory.of_hub(record.device):
        if other.device_type in _HUB:
            inventory.set_version(other.device, version)
    return Smets1ChFirmwareNotification(record.device, version, ChUpdateStatus.ACTIVATED)


def not_distributed(
    request_id: RequestId, devices: Iterable[Eui64], inventory: Inventory
) -> FirmwareDistributionFailure | None:
    """Return the alert about meters that an image did not come to, or None where there are none.

    Source:
        DUIS 5.4 XSD (MeterIDs); that it is raised for SMETS1 meters as well: inferred. N60 and
        N61 are words of a CSP, and none of theirs stands between an S1SP and its hubs.
    """
    records = [inventory.find(device) for device in devices]
    meters = tuple(one.device for one in records if one and one.device_type in _METERS)
    return FirmwareDistributionFailure(request_id, meters) if meters else None


def is_listed(cpl: Cpl, record: InventoryRecord, version: str) -> bool:
    """Say whether the list has a version for a device's model in the kind it was announced as."""
    found = cpl.resolve(
        manufacturer=record.manufacturer,
        model=record.model,
        device_type=record.device_type,
        firmware_version=version,
        smets=record.smets,
    )
    return found.entry is not None
