"""Inventory services of the DSP: 12.2 announces a device, 8.2 shows, 8.4 changes."""

from dataclasses import replace
from datetime import date

from device_profiles.cpl import Cpl
from device_profiles.words import CplStatus, DeviceStatus, DeviceType, SmetsVersion
from emulator.core.clock import UtcMs, to_datetime
from harness.formats.duis import bodies
from harness.formats.duis.inventory_contents import Inventory as InventoryContent
from harness.formats.duis.inventory_contents import InventoryDevice
from harness.formats.duis.requests import ServiceRequest
from harness.rules.firmware_checks import Category, Objection
from harness.rules.inventory import Inventory, InventoryRecord

#: Devices that no Central Products List names.
_TYPE_2 = frozenset({DeviceType.IHD, DeviceType.CAD})
_MOST_SHOWN = 17
#: Devices that 8.4 deletes. Source: inferred (S003 §2: a device of the other kind is announced
#: anew only after it was decommissioned and deleted).
_DELETABLE = frozenset({DeviceStatus.PENDING, DeviceStatus.DECOMMISSIONED, DeviceStatus.WITHDRAWN})


def prenotify(
    asked: ServiceRequest, inventory: Inventory, cpl: Cpl, now: UtcMs
) -> Objection | None:
    """Take a device into the inventory as Pending, if the CPL names its model exactly once.

    The GPF that a CHF's announcement names comes in with it.

    Source:
        F-062; the status Pending after 12.2: DUIS status words [known].
    """
    body = asked.body
    if not isinstance(body, bodies.DevicePrenotification):
        raise TypeError(type(body).__name__)
    if inventory.find(body.device) is not None:
        return Objection(Category.BAD_REQUEST, f"{body.device} is already in the inventory")
    smets = SmetsVersion.SMETS2
    version = (body.firmware_version or "").upper()
    if body.device_type not in _TYPE_2:
        found = cpl.resolve(
            manufacturer=body.manufacturer,
            model=body.model,
            device_type=body.device_type,
            firmware_version=version,
        )
        if found.entry is None:
            return Objection(Category.UNKNOWN_DEVICE_MODEL, f"{body.device}: {found.why}")
        smets, version = found.entry.smets, found.entry.firmware_version
    of_gpf = None
    if body.associated_gpf is not None:
        of_gpf = replace(body, device=body.associated_gpf, device_type=DeviceType.GPF)
    for one in (body, of_gpf):
        if one is not None:
            inventory.put(_pending(one, asked, smets, version, now))
    return None


def _pending(
    body: bodies.DevicePrenotification,
    asked: ServiceRequest,
    smets: SmetsVersion,
    version: str,
    now: UtcMs,
) -> InventoryRecord:
    return InventoryRecord(
        device=body.device,
        device_type=body.device_type,
        status=DeviceStatus.PENDING,
        history=((now, DeviceStatus.PENDING),),
        manufacturer=body.manufacturer,
        model=body.model,
        firmware_version=version,
        smets=smets,
        hub=None,
        supplier=asked.request_id.originator,
        smets_chts_version=body.smets_chts_version,
        esme_variant=body.esme_variant,
    )


def show(
    asked: ServiceRequest, inventory: Inventory, cpl: Cpl, day: date
) -> InventoryContent | Objection:
    """Return the installation of a device, or the device alone before it is installed."""
    body = asked.body
    if not isinstance(body, bodies.ReadInventory):
        raise TypeError(type(body).__name__)
    record = inventory.find(body.device)
    if record is None:
        return Objection(Category.UNKNOWN_DEVICE, f"{body.device} is not in the inventory")
    records = inventory.of_hub(record.hub) or (record,)
    return InventoryContent(tuple(_shown(one, cpl, day) for one in records[:_MOST_SHOWN]))


def change(asked: ServiceRequest, inventory: Inventory) -> Objection | None:
    """Remove a device, or correct what was pre-notified."""
    body = asked.body
    if not isinstance(body, bodies.UpdateInventory):
        raise TypeError(type(body).__name__)
    record = inventory.find(body.device)
    if record is None:
        return Objection(Category.UNKNOWN_DEVICE, f"{body.device} is not in the inventory")
    if isinstance(body.change, bodies.DeleteDevice):
        if record.status not in _DELETABLE:
            detail = f"{body.device} is {record.status}: it has to be decommissioned first"
            return Objection(Category.NOT_APPLICABLE, detail)
        inventory.remove(body.device)
        return None
    details = body.change
    inventory.put(
        replace(
            record,
            manufacturer=details.manufacturer or record.manufacturer,
            model=details.model or record.model,
            firmware_version=(details.firmware_version or record.firmware_version).upper(),
            smets_chts_version=details.smets_chts_version or record.smets_chts_version,
            esme_variant=details.esme_variant or record.esme_variant,
        )
    )
    return None


def _shown(record: InventoryRecord, cpl: Cpl, day: date) -> InventoryDevice:
    return InventoryDevice(
        device=record.device,
        device_type=record.device_type,
        status=record.status,
        manufacturer=record.manufacturer,
        model=record.model,
        smets_chts_version=record.smets_chts_version,
        firmware_version=record.firmware_version or None,
        firmware_version_status=_version_status(record, cpl, day),
        date_commissioned=_day(record.commissioned_at),
        import_mpxn=record.mpxn or None,
        esme_variant=record.esme_variant,
        csp_region=record.csp_region,
        gbcs_version=record.gbcs_version or None,
        s1sp=record.s1sp or None,
        connectivity=record.connectivity,
    )


def _day(at: UtcMs | None) -> str | None:
    return None if at is None else to_datetime(at).date().isoformat()


def _version_status(record: InventoryRecord, cpl: Cpl, day: date) -> CplStatus | None:
    """F-066: a device keeps working after its version is withdrawn; the inventory says so."""
    found = cpl.resolve(
        manufacturer=record.manufacturer,
        model=record.model,
        device_type=record.device_type,
        firmware_version=record.firmware_version,
        smets=record.smets,
    )
    return None if found.entry is None else found.entry.status_on(day)
